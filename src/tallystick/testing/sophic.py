"""The Sophic connector as a subject of the kit, over a line to a real server that holds every order until it is told.

with Sandbox(folder / "data", *SOPHIC_OPTIONS) as sandbox:
    for verdict in try_all(sophic_at(sandbox), real_time=True): ...
"""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from decimal import Decimal
from typing import Any, Final
from urllib.request import Request, urlopen

from tallystick.connect.port import Connector
from tallystick.core.lifecycle import CANCELLED, FILLED, OPEN, PENDING, PLACED
from tallystick.dialects.connectors import connector
from tallystick.facts.codes import SELL
from tallystick.testing.controls import VenueOrder
from tallystick.testing.line import Line, line_to
from tallystick.testing.line_controls import LineControls
from tallystick.testing.sandbox import Sandbox
from tallystick.testing.subject import Subject

SOPHIC_OPTIONS: Final = ("--pace", "0", "--prices", "fixed")
MARKET: Final = "WRLD-USD"
UNITS: Final = Decimal(2)
TOO_MANY: Final = "100000000"
STOCK: Final = "100000"
EVENTS: Final = "/events"
POLL_SECONDS: Final = 0.02
ANSWER_SECONDS: Final = 10.0

_STATUS: Final = {
    "placed": PLACED,
    "pending": PENDING,
    "executing": OPEN,
    "filled": FILLED,
    "settled": FILLED,
    "cancelled": CANCELLED,
}


class SophicControls(LineControls):
    """It asks the server itself, past the line, and has it do things at its sandbox door."""

    def __init__(self, sandbox: Sandbox, line: Line) -> None:
        self._sandbox: Final = sandbox
        super().__init__(line, EVENTS)
        self._door: Final = f"{sandbox.url}/sandbox/venues/sophic"

    def truth(self) -> Sequence[VenueOrder]:
        return [self._look(order_id) for order_id in self._ids()]

    def fill(self, order_id: str, units: Decimal) -> None:
        self._ask(f"{self._door}/orders/{order_id}/execute", {"quantity": f"{units.normalize():f}"})

    def cancel(self, order_id: str) -> None:
        self._ask(f"{self._door}/orders/{order_id}/fail", {"retriable": False})

    def refuse_next(self) -> None:
        """It is made an order for more than there is."""

        self.revise_next(quantity=TOO_MANY)

    def mute(self) -> None:
        self._line.rewrite = lambda path, content: b"[]" if path.endswith(EVENTS) else content

    def say_unknown(self, order_id: str, word: str) -> None:
        self._line.rewrite = lambda path, content: content.replace(b'"executing"', f'"{word}"'.encode())

    def _ids(self) -> list[str]:
        """Of the orders that were placed through the line, oldest first."""
        answers = [json.loads(body) for body in self._line.answers]
        return list(dict.fromkeys(answer["id"] for answer in answers if "status" in answer and "trades" in answer))

    def _look(self, order_id: str) -> VenueOrder:
        seen = self._ask(f"{self._sandbox.account}/orders/{order_id}")
        return VenueOrder(order_id, _STATUS[seen["status"]], Decimal(seen["traded_quantity"]))

    def _ask(self, url: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"authorization": "Bearer sandbox", "content-type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(url, data, headers), timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)


def sophic_at(sandbox: Sandbox) -> Callable[[], AbstractAsyncContextManager[Subject]]:
    """A factory of subjects at this server, each over a line of its own."""

    @asynccontextmanager
    async def subject() -> AsyncIterator[Subject]:
        async with line_to(sandbox.url) as line:
            controls = SophicControls(sandbox, line)
            controls._ask(f"{controls._door}/hold", {"stage": "executing"})
            controls._ask(f"{controls._door}/accounts/acc_demo/fund", {"asset": "WRLD", "amount": STOCK})

            def connect() -> Connector:
                return connector(
                    "sophic",
                    url=f"{line.url}/sophic",
                    client_id="demo",
                    client_secret="sandbox",
                    account="acc_demo",
                    poll_seconds=POLL_SECONDS,
                )

            yield Subject(connect, controls, market=MARKET, amount=UNITS, side=SELL)

    return subject
