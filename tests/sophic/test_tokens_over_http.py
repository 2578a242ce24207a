"""Getting a token and showing it (RFC 6749 §4.4, RFC 6750), over the API: its shapes, headers and limits."""

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from tallystick.access.principal import ORDERS_READ, SCOPES, scope_text
from tallystick.server.rates import Rate
from tests.sophic.customer import assert_error
from tests.sophic.floor import DEMO, Floor

FORM = "application/x-www-form-urlencoded"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def floor(tmp_path: Path) -> Iterator[Floor]:
    with Floor(tmp_path / "data") as floor:
        floor.client("one")
        floor.account("acc_one", "one")
        yield floor


def ask(floor: Floor, fields: dict[str, str], **headers: str) -> httpx.Response:
    return floor.send("POST", "/auth/token", token=None, data=GRANT | fields, headers=headers)


def credentials(floor: Floor) -> dict[str, str]:
    return {"client_id": "one", "client_secret": floor.secrets["one"]}


def test_a_client_gets_a_token_for_a_quarter_of_an_hour(floor: Floor) -> None:
    answer = ask(floor, credentials(floor))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    body = answer.json()
    assert list(body) == ["access_token", "token_type", "expires_in", "scope"]
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 900, scope_text(SCOPES))
    assert floor.read("/accounts", token=body["access_token"])[0]["id"] == "acc_one"


def test_the_credentials_may_come_by_basic(floor: Floor) -> None:
    basic = b64encode(f"one:{floor.secrets['one']}".encode()).decode()
    assert ask(floor, {}, authorization=f"Basic {basic}").status_code == 200


def test_a_token_covers_what_its_client_may(floor: Floor) -> None:
    reader = floor.client("reader", ORDERS_READ)
    floor.account("acc_reader", "reader")
    assert floor.send("GET", "/accounts/acc_reader/orders", token=reader).status_code == 200
    assert_error(floor.send("GET", "/accounts", token=reader), 403, "insufficient_scope", [])


REFUSED = {
    "another secret": (lambda floor: {"client_id": "one", "client_secret": "wrong"}, 401, "invalid_client"),
    "an unknown client": (lambda floor: {"client_id": "two", "client_secret": "x"}, 401, "invalid_client"),
    "no secret": (lambda floor: {"client_id": "one"}, 400, "invalid_request"),
    "another grant": (
        lambda floor: credentials(floor) | {"grant_type": "password"},
        400,
        "unsupported_grant_type",
    ),
}


@pytest.mark.parametrize("title", REFUSED)
def test_a_token_that_is_refused_is_refused_in_the_documented_shape(floor: Floor, title: str) -> None:
    fields, status, code = REFUSED[title]
    answer = ask(floor, fields(floor))
    assert_error(answer, status, code, [])
    assert answer.headers["cache-control"] == "no-store"
    assert ("www-authenticate" in answer.headers) == (status == 401)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("application/json", b"{}"), (FORM, b""), (FORM, b"\xff"), (FORM, b"%"), (FORM, b"x" * 9000), (None, b"a=b")],
    ids=["JSON", "empty", "not ASCII", "a bad escape", "too long", "no content type"],
)
def test_a_request_of_a_token_that_cannot_be_read_is_told_so(
    floor: Floor, content_type: str | None, body: bytes
) -> None:
    headers = {} if content_type is None else {"content-type": content_type}
    assert_error(
        floor.send("POST", "/auth/token", token=None, content=body, headers=headers), 400, "invalid_request", []
    )


def test_a_body_of_more_than_a_mebibyte_is_not_read(floor: Floor) -> None:
    body = urlencode({"x": "y" * (1 << 20)}).encode()
    answer = floor.send("POST", "/auth/token", token=None, content=body, headers={"content-type": FORM})
    assert_error(answer, 413, "request_too_large", [])
    assert answer.headers["cache-control"] == "no-store"


def test_who_asks_too_often_is_told_when_to_come_again(tmp_path: Path) -> None:
    """Each client for itself, and before anything else is looked at."""
    with Floor(tmp_path / "data", rate=Rate(per_second=0.01, burst=3)) as floor:
        other = floor.client("other")
        statuses = [floor.send("GET", "/accounts").status_code for _ in range(3)]
        answer = floor.send("GET", "/accounts/acc_none")
        assert statuses == [200] * 3
        assert_error(answer, 429, "too_many_requests", [])
        assert 0 < int(answer.headers["retry-after"]) <= 100
        assert floor.send("GET", "/accounts", token=other).status_code == 200


def test_no_secret_and_no_token_is_in_an_error(floor: Floor) -> None:
    secret = floor.secrets["one"]
    token = floor.token("one")
    answers = [
        ask(floor, {"client_id": secret, "client_secret": token}),
        floor.send("GET", "/accounts", token=token + "x"),
        floor.send("GET", "/accounts", token=secret),
        floor.send("GET", f"/accounts/acc_one?{token}=1", token=token),
    ]
    for answer in answers:
        assert answer.status_code in (400, 401)
        assert secret not in answer.text
        assert token not in answer.text
    assert json.loads(answers[-1].content)["params"][0]["code"] == "unknown_field"


def test_the_static_token_of_a_sandbox_needs_no_grant(floor: Floor) -> None:
    assert floor.read("/accounts", token=DEMO)[0]["id"] == "acc_demo"
