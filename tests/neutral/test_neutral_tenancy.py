"""A client sees what is its own. Every path of the served document is tried: nothing here lists them again."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tallystick.access.principal import SCOPES
from tallystick.server.keys import SANDBOX_CLIENT
from tests.sophic.customer import assert_error
from tests.sophic.floor import DEMO, Floor

UNKNOWN = "ord_0000000000000"
V1 = "http://venue/v1"


class Operation(NamedTuple):
    path: str
    scopes: list[str]
    query: list[str]


class Scene(NamedTuple):
    """``theirs`` is an order of the demo client, ``mine`` one of ``rival``, which is another client's token."""

    floor: Floor
    operations: list[Operation]
    theirs: str
    rival: str
    mine: str

    def get(self, path: str, token: str | None, **query: Any) -> Any:
        return self.floor.send("GET", f"{V1}{path}", token=token, params=query)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Floor(tmp_path_factory.mktemp("neutral") / "data") as floor:
        rival = floor.client("rival")
        floor.account("acc_rival", "rival")
        theirs = floor.place("buy", "100.00")["id"]
        mine = floor.place("buy", "100.00", account="acc_rival", token=rival)["id"]
        document = floor.send("GET", f"{V1}/openapi.json", token=None).json()
        operations = [
            Operation(
                path,
                [scope for need in operation["security"] for scope in need.get("bearer", [])],
                [each["name"] for each in operation["parameters"] if each["in"] == "query"],
            )
            for path, methods in document["paths"].items()
            for operation in methods.values()
        ]
        yield Scene(floor, operations, theirs, rival, mine)


def test_what_is_its_own_is_found(scene: Scene) -> None:
    assert len(scene.operations) >= 5
    for operation in scene.operations:
        for token, order in ((DEMO, scene.theirs), (scene.rival, scene.mine)):
            assert scene.get(operation.path.format(order_id=order), token).status_code == 200, operation


def test_what_is_anothers_is_not_found_in_the_same_words_as_what_does_not_exist(scene: Scene) -> None:
    for operation in scene.operations:
        if "{order_id}" in operation.path:
            answers = [scene.get(operation.path.format(order_id=each), scene.rival) for each in (scene.theirs, UNKNOWN)]
            assert answers[0].status_code == 404
            assert answers[0].content == answers[1].content


@pytest.mark.parametrize(("name", "foreign", "unknown"), [("account", "acc_demo", "acc_x"), ("order", "", UNKNOWN)])
def test_what_is_anothers_chooses_as_much_as_what_does_not_exist(
    scene: Scene, name: str, foreign: str, unknown: str
) -> None:
    for operation in scene.operations:
        if name in operation.query:
            answers = [
                scene.get(operation.path, scene.rival, **{name: each}) for each in (foreign or scene.theirs, unknown)
            ]
            assert answers[0].content == answers[1].content
            assert scene.theirs not in answers[0].text


def test_nothing_of_others_is_in_any_answer(scene: Scene) -> None:
    for operation in scene.operations:
        query = {"after": "start"} if operation.path.endswith("events") else {}
        if operation.scopes:
            text = scene.get(operation.path.format(order_id=scene.mine), scene.rival, **query).text
            assert scene.mine in text
            assert scene.theirs not in text
            assert "acc_demo" not in text


def test_anothers_order_is_no_place_in_a_list(scene: Scene) -> None:
    answers = [scene.get("/orders", scene.rival, after=each) for each in (scene.theirs, UNKNOWN)]
    assert_error(answers[0], 400, "invalid_request", [("query.after", "invalid_param")])
    assert answers[0].content == answers[1].content


def test_without_a_token_nothing_is_told_but_the_document(scene: Scene) -> None:
    for operation in scene.operations:
        answer = scene.get(operation.path.format(order_id=scene.theirs), None)
        assert answer.status_code == (401 if operation.scopes else 200)
        assert bool(operation.scopes) == (answer.headers.get("www-authenticate") == "Bearer")


def test_a_token_without_the_scope_is_told_which_it_lacks(scene: Scene) -> None:
    for scope in SCOPES:
        token = scene.floor.client(f"all-but-{scope.replace(':', '-')}", *[each for each in SCOPES if each != scope])
        for operation in scene.operations:
            if scope in operation.scopes:
                answer = scene.get(operation.path.format(order_id=scene.theirs), token)
                assert answer.status_code == 403
                assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_a_client_without_accounts_sees_nothing(scene: Scene) -> None:
    token = scene.floor.client("nobody")
    assert scene.get("/orders", token).json() == {"orders": [], "next": None}
    assert scene.get("/events", token, after="start").json()["events"] == []


def test_an_account_of_the_house_is_nobodys_though_it_has_an_owner(tmp_path: Path) -> None:
    with Floor(tmp_path / "data") as floor:
        floor.state.change_owner(floor.state.account_named["fees"], SANDBOX_CLIENT)
        assert floor.send("GET", f"{V1}/orders?account=fees").json() == {"orders": [], "next": None}
        assert floor.send("GET", f"{V1}/events?account=fees").status_code == 400


def test_two_authorization_headers_admit_nobody(scene: Scene) -> None:
    header = (b"authorization", b"Bearer sandbox")
    for path in ("/events", "/orders"):
        for headers, status in (([header], 200), ([header, header], 401)):
            answer = scene.floor.run(scene.floor.http.request("GET", f"{V1}{path}", headers=headers))
            assert answer.status_code == status


def test_the_document_says_all_that_an_event_and_an_order_has(scene: Scene) -> None:
    document = scene.floor.send("GET", f"{V1}/openapi.json", token=None).json()
    schemas = document["components"]["schemas"]
    events = scene.get("/events", DEMO, after="start").json()["events"]
    assert events
    for event in events:
        assert set(event) <= set(schemas["Event"]["properties"])
        assert event["kind"] in schemas["Event"]["properties"]["kind"]["enum"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", event["time"])
    order = scene.get(f"/orders/{scene.theirs}", DEMO).json()
    assert set(order) == set(schemas["Order"]["properties"])
    assert set(order["trades"][0]) == set(schemas["Trade"]["properties"])
