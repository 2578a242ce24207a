"""A venue in this process with both doors open, for tests: its clock moves when it is told to.

Alice (``acc_alice``) has 10,000.00 USD and 10.000 ACME, which is at 100.00. Fees are 1 %, inside the cash amount. Each
step takes an hour, settlement five; one trade moves at most 1,000.00; a price is stale after ten hours; prerequisites
are waited for two days. An hour is long, so that what the machine's own clock adds in a test matters nowhere.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from tallystick.core.amounts import parse
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER, SELL, UNITS
from tallystick.facts.commands import Accepted, PlaceOrder, Refused
from tallystick.server.doors.ops import ops_router
from tallystick.server.doors.sandbox import sandbox_router
from tallystick.server.host import Host
from tallystick.server.operators import Operators
from tallystick.venue.calendar import FixedDelay

T = TypeVar("T")
HOUR = 3600
HOUR_US = HOUR * 1_000_000
TOKEN = "tso_of-ann"
POLICY = Policy(
    FixedDelay(5 * HOUR_US),
    fee_bps=100,
    submit_after_us=HOUR_US,
    execute_after_us=HOUR_US,
    trade_interval_us=HOUR_US,
    trade_cash_max=100_000,
    price_stale_us=10 * HOUR_US,
    prerequisite_us=48 * HOUR_US,
    retry_us=HOUR_US,
    settlement_retry_us=HOUR_US,
)


class Doors:
    """``ops`` and ``sandbox`` send a request to a path of the venue and give the answer's body."""

    def __init__(self, data: Path, policy: Policy = POLICY, *, with_world: bool = True) -> None:
        self._runner = asyncio.Runner()
        self.host = Host(data, policy, {}, is_sandbox=False)
        self._runner.run(self.host.start())
        operators = Operators(None, {"ann": sha256(TOKEN.encode()).hexdigest()})
        routes = [
            Mount("/ops", app=ops_router(self.host, operators)),
            Mount("/sandbox", app=sandbox_router(self.host)),
        ]
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=Starlette(routes=routes)), base_url="http://doors"
        )
        if with_world and not self.host.sophic.state.markets:
            self._make_world()

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.run(self.host.stop())
        self._runner.close()

    # --- Requests ---

    def request(self, method: str, path: str, token: str | None = TOKEN, **more: Any) -> httpx.Response:
        """Any request, by its whole path."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        return self._runner.run(self._client.request(method, path, headers=headers, **more))

    def together(self, requests: list[tuple[str, str, Any]]) -> list[httpx.Response]:
        """Requests at the same time, by method, whole path and body."""
        headers = {"authorization": f"Bearer {TOKEN}"}

        async def send() -> list[httpx.Response]:
            return await asyncio.gather(
                *(self._client.request(method, path, json=body, headers=headers) for method, path, body in requests)
            )

        return self._runner.run(send())

    def try_ops(self, path: str, **body: Any) -> httpx.Response:
        """POST at the operations door, with a reason."""
        return self.request("POST", f"/ops/venues/sophic{path}", json={"reason": "a test", **body})

    def ops(self, path: str, **body: Any) -> Any:
        answer = self.try_ops(path, **body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def look(self, path: str, **query: Any) -> Any:
        """GET at the operations door."""
        answer = self.request("GET", f"/ops/venues/sophic{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def try_sandbox(self, path: str, **body: Any) -> httpx.Response:
        """POST at the sandbox door, which wants no token."""
        return self.request("POST", f"/sandbox/venues/sophic{path}", token=None, json=body)

    def sandbox(self, path: str, **body: Any) -> Any:
        answer = self.try_sandbox(path, **body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """On the loop that the venue lives on."""
        return self._runner.run(coroutine)

    # --- What happens ---

    def place(self, side: str, amount: str, account: str = "acc_alice", market: str = "ins_acme") -> str:
        """A new order's id, or the code of its refusal. Clients have a door of their own, which is not of these."""
        state = self.host.sophic.state
        kind, scale = (CASH, 2) if side == "buy" else (UNITS, 3)
        command = PlaceOrder(
            state.account_named[account].number,
            state.market_named[market].number,
            BUY if side == "buy" else SELL,
            MARKET_ORDER,
            kind,
            parse(amount, scale),
        )
        answer = self._runner.run(self.host.sophic.ask(command, lambda answer, _state: answer))
        if isinstance(answer, Refused):
            return answer.code
        assert isinstance(answer, Accepted)
        ids: str = self.look("/orders", account=account, limit=1)["orders"][0]["id"]
        return ids

    def place_many(self, amounts: list[str]) -> None:
        """Alice's buys, all at the same time."""
        account = self.host.sophic.state.account_named["acc_alice"].number

        async def send() -> None:
            commands = [PlaceOrder(account, 1, BUY, MARKET_ORDER, CASH, parse(amount, 2)) for amount in amounts]
            await asyncio.gather(*(self.host.sophic.ask(each, lambda *_answer: None) for each in commands))

        self._runner.run(send())

    def wait(self, hours: float) -> Any:
        return self.sandbox("/clock/advance", seconds=hours * HOUR)

    def order(self, order_id: str) -> Any:
        return self.look(f"/orders/{order_id}")["order"]

    def balance(self, asset: str, account: str = "acc_alice") -> str:
        """Settled, receivable, payable and reserved."""
        balances = self.look(f"/accounts/{account}")["balances"]
        (found,) = [each for each in balances if each["asset"] == asset]
        return " ".join(found[name] for name in ("settled", "receivable", "payable", "reserved"))

    def _make_world(self) -> None:
        for name, role in (
            ("world", "world"),
            ("street", "counterparty"),
            ("house", "fees"),
            ("acc_alice", "customer"),
        ):
            self.ops("/accounts", name=name, role=role, owner="alice" if role == "customer" else "")
        for name, scale in (("USD", 2), ("ACME", 3)):
            self.ops("/assets", name=name, scale=scale)
        self.ops(
            "/markets",
            name="ins_acme",
            symbol="ACME",
            title="Acme",
            unit="ACME",
            currency="USD",
            price_scale=2,
            increment="0.010",
        )
        for asset, amount in (("USD", "10000.00"), ("ACME", "10.000")):
            self.sandbox("/accounts/acc_alice/fund", asset=asset, amount=amount)
        self.sandbox("/markets/ins_acme/price", mode="set", price="100.00")


@contextmanager
def opened(data: Path, policy: Policy = POLICY, *, with_world: bool = True) -> Iterator[Doors]:
    doors = Doors(data, policy, with_world=with_world)
    try:
        yield doors
    finally:
        doors.close()
