"""The neutral API's OpenAPI document, and a real server held against it by a machine that reads nothing else."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance

from tests.running import RunningServer
from tests.sophic.customer import TOKEN, Customer

# A position or an id whose form is right need not exist; it takes our token for one that it has made up.
NOT_CHECKED = [positive_data_acceptance, ignored_auth]
HEADERS = {"authorization": f"Bearer {TOKEN}"}
OPERATIONS = ("listEvents", "listOrders", "retrieveOrder", "listOrderEvents", "getDocument")
QUICKLY = settings(
    max_examples=20,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("document") / "data"
    with RunningServer(data, "--pace", "0", "--prices", "fixed") as running:
        with Customer(running) as customer:
            customer.place("buy", "100.00")
            customer.place("sell", "1.00", "ins_world")
        yield running
        assert "Traceback" not in running.log


@pytest.fixture(scope="module")
def known(server: RunningServer) -> dict[str, str]:
    """What chance does not find."""
    orders = httpx.get(f"{server.url}/v1/orders", headers=HEADERS).json()["orders"]
    events = httpx.get(f"{server.url}/v1/events?after=start", headers=HEADERS).json()
    return {
        "order_id": orders[0]["id"],
        "order": orders[0]["id"],
        "account": "acc_demo",
        "after": events["position"],
        "as_of": events["events"][-1]["position"],
    }


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_keeps_to_its_description(
    server: RunningServer, known: dict[str, str], operation: str, mode: schemathesis.GenerationMode
) -> None:
    """With what the document allows, and with what it forbids."""
    api = schemathesis.openapi.from_url(f"{server.url}/v1/openapi.json", wait_for_schema=10)
    described = api.find_operation_by_id(operation)
    if mode is schemathesis.GenerationMode.NEGATIVE and not described.definition.raw["parameters"]:
        return

    @QUICKLY
    @given(described.as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        if mode is schemathesis.GenerationMode.POSITIVE:
            for given_ in (case.path_parameters or {}, case.query or {}):
                for name in known.keys() & given_.keys():
                    given_[name] = known[name]
            if operation == "listOrders" and "after" in (case.query or {}):
                case.query["after"] = known["order"]
        case.call_and_validate(headers=HEADERS, excluded_checks=NOT_CHECKED)

    hold()


def test_it_describes_every_path_and_every_reference_leads_somewhere(server: RunningServer) -> None:
    document: dict[str, Any] = httpx.get(f"{server.url}/v1/openapi.json").json()
    operations = [each["operationId"] for methods in document["paths"].values() for each in methods.values()]
    assert set(operations) == set(OPERATIONS)
    found: list[str] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(each for name, each in value.items() if name == "$ref")
            for each in value.values():
                look(each)
        elif isinstance(value, list):
            for each in value:
                look(each)

    look(document)
    assert len(found) > 20
    for reference in found:
        at: Any = document
        for name in reference.removeprefix("#/").split("/"):
            at = at[name]
        assert at


def test_operators_have_the_same_document_without_scopes(server: RunningServer) -> None:
    ours = httpx.get(f"{server.url}/v1/openapi.json").json()
    theirs = httpx.get(f"{server.url}/ops/v1/openapi.json").json()
    assert theirs["servers"] == [{"url": "/ops/v1"}]
    assert theirs["components"] == ours["components"]
    assert theirs["paths"]["/events"]["get"]["security"] == [{"bearer": []}]
