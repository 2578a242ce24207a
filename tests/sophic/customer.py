"""A customer of a running Sophic venue: what it sends, raw or as an order, and what it can see."""

import json
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

import httpx

from tests.running import RunningServer

TOKEN = "sandbox"
DEADLINE_SECONDS = 20.0
POLL_SECONDS = 0.005

T = TypeVar("T")


class Snapshot(NamedTuple):
    """One order and the account around it, all read while the order stood still."""

    order: dict[str, Any]
    cash: dict[str, str]
    position: dict[str, str]


class Customer:
    """Speaks for the demo account of ``server``."""

    def __init__(self, server: RunningServer, token: str = TOKEN) -> None:
        self.server = server
        self._client = httpx.Client(
            base_url=server.account, headers={"authorization": f"Bearer {token}"}, timeout=DEADLINE_SECONDS
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """Any request to a path below the account."""
        return self._client.request(method, path, **more)

    def post(self, body: bytes) -> httpx.Response:
        """These bytes as the body of a new order."""
        return self.send("POST", "/orders", content=body)

    def try_place(self, side: str, amount: str, instrument: str = "ins_acme") -> httpx.Response:
        return self.post(order_body(side, amount, instrument))

    def place(self, side: str, amount: str, instrument: str = "ins_acme") -> dict[str, Any]:
        answer = self.try_place(side, amount, instrument)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def order(self, order_id: str) -> dict[str, Any]:
        return dict(self._read(f"/orders/{order_id}"))

    def orders(self, **query: str | int) -> list[dict[str, Any]]:
        return list(self._read("/orders", **query))

    def cash(self) -> dict[str, str]:
        (balance,) = self._read("/cash-balances")
        return dict(balance)

    def position(self, instrument: str) -> dict[str, str]:
        (position,) = [each for each in self._read("/positions") if each["instrument"] == instrument]
        return dict(position)

    def everything(self) -> list[bytes]:
        """All that the venue shows of the account, as its exact bytes."""
        return [
            self.send("GET", path).raise_for_status().content
            for path in ("/orders?limit=1000", "/cash-balances", "/positions")
        ]

    def snapshot(self, order_id: str, instrument: str) -> Snapshot:
        """Read until the order was the same before and after the rest."""

        def still() -> Snapshot | None:
            before = self.order(order_id)
            cash, position = self.cash(), self.position(instrument)
            return Snapshot(before, cash, position) if self.order(order_id) == before else None

        return until(still)

    def until_settled(self) -> None:
        """Until no order of the account will change any more."""
        until(lambda: all(each["status"] in ("settled", "cancelled") for each in self.orders(limit=1000)))

    def _read(self, path: str, **query: str | int) -> Any:
        answer = self.send("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()


def order_body(side: str, amount: str, instrument: str = "ins_acme") -> bytes:
    """A well-formed order: ``amount`` is cash for a buy, units for a sell."""
    size = "cash_amount" if side == "buy" else "quantity"
    return json.dumps({"instrument": instrument, "order_type": "market", "side": side, size: amount}).encode()


def until(look: Callable[[], T | None]) -> T:
    """What ``look`` gives as soon as that is true; fails when it is not within the deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(POLL_SECONDS)
    raise AssertionError("it did not happen in time")


def assert_error(answer: httpx.Response, status: int, code: str, params: list[tuple[str, str]] | None = None) -> None:
    """The documented error, and nothing else: {code, detail, params?: [{path, code, detail}]} as JSON."""
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) <= {"code", "detail", "params"}
    assert body["code"] == code
    assert isinstance(body["detail"], str)
    assert body["detail"]
    for each in body.get("params", []):
        assert set(each) == {"path", "code", "detail"}
        assert each["detail"]
    if params is not None:
        assert sorted((each["path"], each["code"]) for each in body.get("params", [])) == sorted(params)
