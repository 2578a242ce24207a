"""A client sees what is its own. Every path of the served document is tried: nothing here lists them again."""

import json
import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tallystick.access.principal import SCOPES
from tallystick.dialects.sophic.sandbox import DEMO_CLIENT
from tallystick.server.keys import SANDBOX_CLIENT
from tests.sophic.customer import assert_error, order_body
from tests.sophic.floor import DEMO, Floor

UNKNOWN = {
    "account_id": "acc_unknown",
    "order_id": "ord_0000000000000",
    "trade_id": "trd_0000000000000",
    "event_id": "evt_0000000000000",
    "position_id": "pos_0000000000000",
    "instrument_id": "ins_unknown",
    "webhook_id": "whk_0000000000000",
    "delivery_id": "whd_0000000000000",
}
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/accounts/{account_id}/orders"): json.loads(order_body("buy", "1.00")),
    ("POST", "/webhooks"): {"url": "http://127.0.0.1:9/hooks"},
    ("PUT", "/webhooks/{webhook_id}"): {"description": "another"},
    ("POST", "/webhooks/{webhook_id}/test"): {"event": {"name": "order.filled"}},
    ("POST", "/webhooks/{webhook_id}/replay"): {"since": "2026-01-01T00:00:00Z"},
    ("POST", "/webhooks/{webhook_id}/rotate-secret"): {"overlap_seconds": 0},
}


class Operation(NamedTuple):
    """``names`` are what its path is filled with."""

    method: str
    path: str
    scopes: list[str]
    names: list[str]


class Scene(NamedTuple):
    """``ids`` are what the demo client owns, by the names of paths; ``rival`` is another client's token, ``mine`` what
    that one owns itself."""

    floor: Floor
    operations: list[Operation]
    ids: dict[str, str]
    rival: str
    mine: dict[str, str]


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with Floor(tmp_path_factory.mktemp("tenancy") / "data") as floor:
        rival = floor.client("rival")
        floor.account("acc_rival", "rival")
        owned = [ids_of(floor, DEMO, "acc_demo"), ids_of(floor, rival, "acc_rival")]
        document = floor.read("/openapi.json")
        operations = [
            Operation(
                method.upper(),
                path,
                [scope for need in operation["security"] for scope in need.get("oauth2", [])],
                re.findall(r"{(\w+)}", path),
            )
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        yield Scene(floor, operations, owned[0], rival, owned[1])


def ids_of(floor: Floor, token: str, account: str) -> dict[str, str]:
    order = floor.place("buy", "100.00", account=account, token=token)
    event = floor.read("/events", token=token, limit=1)[0]
    webhook = new_webhook(floor, token)
    tested = floor.send("POST", f"/webhooks/{webhook}/test", token=token, json={"event": {"name": "x"}})
    return {
        "account_id": account,
        "order_id": order["id"],
        "trade_id": order["trades"][0]["id"],
        "position_id": order["position"],
        "event_id": event["id"],
        "instrument_id": "ins_acme",
        "webhook_id": webhook,
        "delivery_id": tested.json()["id"],
    }


def new_webhook(floor: Floor, token: str) -> str:
    """Nothing is sent to it: the floor has no sender."""
    answer = floor.send("POST", "/webhooks", token=token, json=BODIES["POST", "/webhooks"])
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def send(scene: Scene, operation: Operation, ids: dict[str, str], token: str | None) -> Any:
    path = operation.path.format_map(ids)
    body = BODIES.get((operation.method, operation.path))
    return scene.floor.send(operation.method, path, token=token, **({} if body is None else {"json": body}))


def test_an_account_of_the_house_is_nobodys_though_it_has_an_owner(tmp_path: Path) -> None:
    with Floor(tmp_path / "data") as floor:
        fees = floor.state.account_named["fees"]
        floor.state.change_owner(fees, "demo")  # as a journal of a version that allowed it would have it
        assert [each["id"] for each in floor.read("/accounts")] == ["acc_demo"]
        assert floor.send("GET", "/accounts/fees").status_code == 404


def test_two_authorization_headers_admit_nobody(scene: Scene) -> None:
    header = (b"authorization", b"Bearer sandbox")
    floor = scene.floor
    assert floor.run(floor.http.request("GET", "/accounts", headers=[header])).status_code == 200
    assert floor.run(floor.http.request("GET", "/accounts", headers=[header, header])).status_code == 401


def test_what_is_its_own_is_found(scene: Scene) -> None:
    for operation in scene.operations:
        if operation.scopes:
            for ids, token in ((scene.ids, DEMO), (scene.mine, scene.rival)):
                own = ids | {"webhook_id": new_webhook(scene.floor, token)} if operation.method == "DELETE" else ids
                assert send(scene, operation, own, token).status_code in (200, 201, 202), operation


def test_what_is_anothers_is_not_found_in_the_same_words_as_what_does_not_exist(scene: Scene) -> None:
    """Each part of a path by turns: own, another's, unknown. Instruments are everybody's."""
    tried = 0
    for operation in scene.operations:
        names = [name for name in operation.names if name != "instrument_id"]
        for choice in product((scene.mine, scene.ids, UNKNOWN), repeat=len(names)):
            if all(each is scene.mine for each in choice):
                continue
            ids = scene.mine | {name: each[name] for name, each in zip(names, choice, strict=True)}
            answer = send(scene, operation, ids, scene.rival)
            assert_error(answer, 404, "not_found", [])
            without_foreign = scene.mine | {
                name: (each if each is scene.mine else UNKNOWN)[name] for name, each in zip(names, choice, strict=True)
            }
            assert answer.content == send(scene, operation, without_foreign, scene.rival).content
            tried += 1
    assert tried > 30


def test_an_unknown_instrument_is_not_found(scene: Scene) -> None:
    assert_error(scene.floor.send("GET", "/instruments/ins_unknown"), 404, "not_found", [])


def test_without_a_token_nothing_is_told_but_the_document(scene: Scene) -> None:
    for operation in scene.operations:
        answer = send(scene, operation, scene.ids, None)
        if operation.scopes:
            assert_error(answer, 401, "unauthorized", [])
            assert answer.headers["www-authenticate"] == "Bearer"
        else:
            assert operation.path in ("/auth/token", "/openapi.json")


def test_a_token_without_the_scope_is_told_which_it_lacks(scene: Scene) -> None:
    """Before anything else is looked at: whether the account exists must not show."""
    for scope in SCOPES:
        token = scene.floor.client(f"all-but-{scope.replace(':', '-')}", *[each for each in SCOPES if each != scope])
        for operation in scene.operations:
            if scope in operation.scopes:
                answer = send(scene, operation, scene.ids, token)
                assert_error(answer, 403, "insufficient_scope", [])
                assert f'scope="{scope}"' in answer.headers["www-authenticate"]


def test_lists_have_nothing_of_others(scene: Scene) -> None:
    floor = scene.floor
    accounts = [each["id"] for each in floor.read("/accounts", token=scene.rival)]
    assert accounts == ["acc_rival"]
    everything = floor.send("GET", "/events?limit=1000", token=scene.rival).text
    assert scene.mine["order_id"] in everything
    for name in ("order_id", "trade_id", "event_id"):
        assert scene.ids[name] not in everything


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/accounts", "account_id"),
        ("/accounts/acc_rival/orders", "order_id"),
        ("/accounts/acc_rival/trades", "trade_id"),
        ("/accounts/acc_rival/positions", "position_id"),
        ("/events", "event_id"),
    ],
)
@pytest.mark.parametrize("cursor", ["starting_after", "ending_before"])
def test_anothers_id_is_no_place_in_a_list(scene: Scene, path: str, name: str, cursor: str) -> None:
    answers = [
        scene.floor.send("GET", path, token=scene.rival, params={cursor: each[name]}) for each in (scene.ids, UNKNOWN)
    ]
    for answer in answers:
        assert_error(answer, 400, "invalid_request", [(f"query.{cursor}", "invalid_param")])
    assert answers[0].content == answers[1].content


def test_events_about_what_is_anothers_are_none(scene: Scene) -> None:
    for name in ("order_id", "trade_id"):
        assert scene.floor.read("/events", token=scene.rival, **{"resource[id]": scene.mine[name]}) != []
        assert scene.floor.read("/events", token=scene.rival, **{"resource[id]": scene.ids[name]}) == []


def test_the_sandboxs_static_token_is_its_demo_client() -> None:
    assert SANDBOX_CLIENT == DEMO_CLIENT
