"""The Bluefin connector as a subject of the kit, over a line to a real server.

with Sandbox(folder / "data", *BLUEFIN_OPTIONS) as sandbox:
    for verdict in try_all(bluefin_at(sandbox), real_time=True): ...

Its orders are bids far below anything else. What happens to them is done past the line: another wallet sells to them,
an operator cancels them.
"""

import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from itertools import count
from typing import Any, Final
from urllib.request import Request, urlopen

import msgspec

from tallystick.connect.events import OrderType
from tallystick.connect.port import Connector
from tallystick.core.lifecycle import OPEN, ORDER_STATUS_NAMES
from tallystick.dialects.bluefin.signatures import order_message
from tallystick.dialects.bluefin.trade_wire import OrderFields
from tallystick.dialects.bluefin.wallet import SECRET_BYTES, Wallet
from tallystick.dialects.connectors import connector
from tallystick.testing.controls import VenueOrder
from tallystick.testing.line import Line, line_to
from tallystick.testing.line_controls import LineControls
from tallystick.testing.sandbox import Sandbox
from tallystick.testing.subject import Subject

BLUEFIN_OPTIONS: Final = ("--pace", "0", "--prices", "fixed")
MARKET: Final = "ETH-PERP"
UNITS: Final = Decimal(2)
LOWEST_PRICE: Final = 100
LEVERAGE: Final = 3
LIVES_SECONDS: Final = 3600
STREAM: Final = "/ws/account"
ANSWER_SECONDS: Final = 10.0
E9: Final = 10**9


class Trader:
    """Another wallet, which sells to whoever bids. It waits for each of its answers."""

    def __init__(self, url: str) -> None:
        self._url: Final = f"{url}/bluefin"
        self._wallet: Final = Wallet(secrets.token_bytes(SECRET_BYTES))
        self._ids_id: Final[str] = ask(f"{self._url}/v1/exchange/info")["contractsConfig"]["idsId"]
        body = {"accountAddress": self._wallet.address, "signedAtMillis": _now(), "audience": "api"}
        signature = self._wallet.sign(json.dumps(body).encode())
        token = ask(f"{self._url}/auth/v2/token", body, {"payloadSignature": signature})["accessToken"]
        self._authorization: Final = {"authorization": f"Bearer {token}"}

    def sell(self, price: int, units: Decimal) -> None:
        """At once, and what cannot be sold at once not at all."""
        fields = OrderFields(
            symbol=MARKET,
            account_address=self._wallet.address,
            price_e9=str(price * E9),
            quantity_e9=str(int(units * E9)),
            side="SHORT",
            leverage_e9=str(LEVERAGE * E9),
            is_isolated=False,
            salt=str(secrets.randbits(63)),
            ids_id=self._ids_id,
            expires_at_millis=_now() + 365 * 86_400_000,
            signed_at_millis=_now(),
        )
        order = {
            "signedFields": msgspec.to_builtins(fields),
            "signature": self._wallet.sign(order_message(fields)),
            "type": "LIMIT",
            "reduceOnly": False,
            "timeInForce": "IOC",
        }
        ask(f"{self._url}/api/v1/trade/orders", order, self._authorization)


class BluefinControls(LineControls):
    """It asks the server itself, past the line; ``account`` bids at ``price``."""

    def __init__(self, sandbox: Sandbox, line: Line, account: str, price: int) -> None:
        super().__init__(line, STREAM)
        self._ops: Final = f"{sandbox.url}/ops/venues/bluefin"
        self._clock: Final = f"{sandbox.url}/sandbox/venues/bluefin/clock/advance"
        self._account: Final = account
        self._price: Final = price
        self._other: Final = Trader(sandbox.url)

    def truth(self) -> Sequence[VenueOrder]:
        return [
            VenueOrder(
                order["client_key"], ORDER_STATUS_NAMES.index(order["status"].upper()), Decimal(order["quantity"])
            )
            for order in self._orders()
        ]

    def fill(self, order_id: str, units: Decimal) -> None:
        """What is ahead of it in the queue is filled first, as it would be."""
        wanted = self._look(order_id).filled + units
        while (order := self._look(order_id)).status == OPEN and order.filled < wanted:
            self._other.sell(self._price, wanted - order.filled)

    def cancel(self, order_id: str) -> None:
        (order,) = [each for each in self._orders() if each["client_key"] == order_id]
        ask(f"{self._ops}/orders/{order['id']}/cancel", {"reason": "margin_call"})

    def expire(self, order_id: str) -> None:
        ask(self._clock, {"seconds": LIVES_SECONDS})

    def refuse_next(self) -> None:
        """It is made an order that may only reduce a position, and there is none."""

        self.revise_next(reduceOnly=True)

    def lose_next_cancel(self) -> None:
        self._line.cancels.append("lose_request")

    def lose_next_cancel_answer(self) -> None:
        self._line.cancels.append("lose_answer")

    def mute(self) -> None:
        def rewrite(path: str, content: bytes) -> bytes:
            return b"" if path.endswith(STREAM) and b'"event"' in content else content

        self._line.rewrite = rewrite

    def say_unknown(self, order_id: str, word: str) -> None:
        def rewrite(path: str, content: bytes) -> bytes:
            for known in (b'"OPEN"', b'"PARTIALLY_FILLED_OPEN"'):
                content = content.replace(b'"status":' + known, f'"status":"{word}"'.encode())
            return content

        self._line.rewrite = rewrite

    def _look(self, order_id: str) -> VenueOrder:
        (order,) = [each for each in self.truth() if each.id == order_id]
        return order

    def _orders(self) -> list[dict[str, Any]]:
        """Those of the account, oldest first."""
        found: list[dict[str, Any]] = ask(f"{self._ops}/orders?account={self._account}&limit=1000")["orders"]
        return found[::-1]


def bluefin_at(sandbox: Sandbox) -> Callable[[], AbstractAsyncContextManager[Subject]]:
    """A factory of subjects at this server, each over a line of its own, with a wallet of its own, and bidding more
    than those before it: what they have left in the book is behind it."""
    prices = count(LOWEST_PRICE)

    @asynccontextmanager
    async def subject() -> AsyncIterator[Subject]:
        wallet, price = Wallet(secrets.token_bytes(SECRET_BYTES)), next(prices)
        async with line_to(sandbox.url) as line:

            def connect() -> Connector:
                return connector("bluefin", url=f"{line.url}/bluefin", wallet=wallet, lives_seconds=LIVES_SECONDS)

            yield Subject(
                connect,
                BluefinControls(sandbox, line, wallet.address, price),
                market=MARKET,
                amount=UNITS,
                price=Decimal(price),
                order_type=OrderType.LIMIT,
            )

    return subject


def ask(url: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None) -> Any:
    """What is answered; None for an empty answer. Raises HTTPError."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"authorization": "Bearer sandbox", "content-type": "application/json", **(headers or {})}
    with urlopen(Request(url, data, sent), timeout=ANSWER_SECONDS) as answer:
        content = answer.read()
    return json.loads(content) if content else None


def _now() -> int:
    return time.time_ns() // 1_000_000
