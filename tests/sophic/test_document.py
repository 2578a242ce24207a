"""The served OpenAPI document, and a real server held against it by a machine that reads nothing else."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import CHECKS
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tallystick.access.principal import SCOPES
from tallystick.dialects.sophic.routes import ROUTES as OTHER_ROUTES
from tallystick.dialects.sophic.webhooks import WEBHOOK_ROUTES
from tests.running import RunningServer
from tests.sophic.customer import TOKEN, Customer

NOT_CHECKED = [positive_data_acceptance]  # an order whose form is right may still be refused
HEADERS = {"authorization": f"Bearer {TOKEN}"}
WALKS_MAX = 10
ROUTES = (*OTHER_ROUTES, *WEBHOOK_ROUTES)
QUICKLY = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    data = tmp_path_factory.mktemp("document") / "data"
    # What is registered by chance is never sent to.
    environment = {"TALLYSTICK_WEBHOOKS_SENDS": "false"}
    with RunningServer(data, "--pace", "0", "--prices", "fixed", environment=environment) as server:
        with Customer(server) as customer:
            customer.place("buy", "100.00")
            customer.place("sell", "1.00", "ins_world")
        yield server
        assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def document(server: RunningServer) -> dict[str, Any]:
    return dict(httpx.get(f"{server.url}/sophic/openapi.json").raise_for_status().json())


@pytest.fixture(scope="module")
def ids(server: RunningServer) -> dict[str, str]:
    """What a path may name."""
    with httpx.Client(base_url=f"{server.url}/sophic", headers=HEADERS) as client:
        webhook = client.post("/webhooks", json={"url": "http://127.0.0.1:9/"}).json()["id"]
        delivery = client.post(f"/webhooks/{webhook}/test", json={"event": {"name": "x"}}).json()["id"]
    return {"account_id": "acc_demo", "webhook_id": webhook, "delivery_id": delivery}


@pytest.fixture(scope="module")
def api(server: RunningServer) -> Any:
    return schemathesis.openapi.from_url(f"{server.url}/sophic/openapi.json", wait_for_schema=10)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operation", "mode"),
    [(route.operation, schemathesis.GenerationMode.POSITIVE) for route in ROUTES]
    + [(route.operation, schemathesis.GenerationMode.NEGATIVE) for route in ROUTES if route.query or route.body],
)
def test_every_operation_keeps_to_its_description(
    api: Any, ids: dict[str, str], operation: str, mode: schemathesis.GenerationMode
) -> None:
    """With what the document allows, and with what it forbids."""
    described = api.find_operation_by_id(operation)
    known = {} if operation == "deleteWebhook" else ids

    @QUICKLY
    @given(described.as_strategy(generation_mode=mode))
    def hold(case: Any) -> None:
        if mode is schemathesis.GenerationMode.POSITIVE:
            for name in known.keys() & (case.path_parameters or {}).keys():
                case.path_parameters[name] = known[name]  # chance finds none
        case.call_and_validate(headers=HEADERS, excluded_checks=NOT_CHECKED)

    hold()


@pytest.mark.slow
def test_what_is_made_is_found_along_the_links(api: Any) -> None:
    found: set[str] = set()

    class Walk(api.as_state_machine()):  # type: ignore[misc]
        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": HEADERS}

        def validate_response(self, response: Any, case: Any, **_more: Any) -> None:
            case.validate_response(response, excluded_checks=NOT_CHECKED)
            if response.status_code < 300:
                found.add(case.operation.definition.raw["operationId"])

    wanted = {"placeOrder", "retrieveOrder", "retrieveAccount", "retrieveInstrument"}
    # The ids are this server's own, so no two walks are alike; one in some dozens places no order that is good.
    chance = settings(QUICKLY, max_examples=40, stateful_step_count=8, derandomize=False, database=None)
    for _ in range(WALKS_MAX):
        Walk.run(settings=chance)
        if found >= wanted:
            return
    raise AssertionError(f"after {WALKS_MAX} walks there is still no {', '.join(sorted(wanted - found))}")


def test_it_describes_every_route_and_no_other(document: dict[str, Any]) -> None:
    described = {
        (method.upper(), path, operation["operationId"])
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert described == {(route.method, route.path, route.operation) for route in ROUTES}
    assert document["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
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
    assert len(found) > 50
    for reference in found:
        at: Any = document
        for name in reference.removeprefix("#/").split("/"):
            at = at[name]
        assert at


def test_what_a_token_must_cover_is_a_scope_that_there_is(document: dict[str, Any]) -> None:
    flow = document["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]
    assert set(flow["scopes"]) == set(SCOPES)
    assert flow["tokenUrl"] == "/sophic/auth/token"


def test_its_examples_of_orders_are_accepted(server: RunningServer, document: dict[str, Any]) -> None:
    content = document["paths"]["/accounts/{account_id}/orders"]["post"]["requestBody"]["content"]["application/json"]
    examples = [each["value"] for each in content["examples"].values()]
    assert {each["side"] for each in examples} == {"buy", "sell"}
    with Customer(server) as customer:
        for example in examples:
            assert customer.send("POST", "/orders", json=example).status_code == 201


def test_no_check_is_left_out_by_accident() -> None:
    assert {each.__name__ for each in NOT_CHECKED} <= {each.__name__ for each in CHECKS.get_all()}
