"""A market maker for demonstrations: it keeps a book alive around a price that walks, with orders as anybody's.

Its orders are made by the venue's own writer, so they need no wallet; they are named by the time they were made at.
"""

import asyncio
import logging
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Any, Final

from tallystick.dialects.bluefin.naming import Names
from tallystick.dialects.bluefin.sandbox import CURRENCY, MARKETS
from tallystick.facts.codes import (
    BUY,
    CANCEL_MAKER,
    CUSTOMER,
    GOOD_TILL_TIME,
    LIMIT_ORDER,
    POST_ONLY,
    SELL,
    UNITS,
)
from tallystick.facts.commands import Answer, CancelOrders, OpenAccount, PlaceOrder, Transfer
from tallystick.facts.venue import Instructions
from tallystick.venue.positions import PARTS
from tallystick.venue.prices import PriceSource, RandomWalk
from tallystick.venue.state import Market, State
from tallystick.web.desk import Desk

NAME: Final = "0x" + "00" * 31 + "01"
"""An address that no wallet has."""
BY: Final = "market maker"
FUNDS: Final = 10**9 * PARTS
LEVELS: Final = 5
SPREAD: Final = 2000
"""The first quotes are a two-thousandth from the price, the others as far from each other."""
SECONDS: Final = 1.0
STARTS: Final = {"ETH-PERP": 3_000 * PARTS, "BTC-PERP": 90_000 * PARTS, "SUI-PERP": 4 * PARTS}
SIZES: Final = {"ETH-PERP": PARTS, "BTC-PERP": PARTS // 20, "SUI-PERP": 500 * PARTS}

_log = logging.getLogger(__name__)


def walks() -> dict[str, PriceSource]:
    """A price for each market of the sandbox that walks, the same on every machine."""
    return {
        each.symbol: RandomWalk(
            number, STARTS[each.symbol], STARTS[each.symbol] // 2000, 1_000_000, STARTS[each.symbol] // 2
        )
        for number, each in enumerate(MARKETS, start=1)
    }


class MarketMaker:
    """Quotes LEVELS prices on each side of each market, and quotes anew when the price has moved."""

    def __init__(self, desk: Desk, prices: Mapping[str, PriceSource]) -> None:
        self._desk: Final = desk
        self._prices: Final = prices
        self._quoted: Final[dict[str, int]] = {}
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                await self.quote()
            except Exception:  # noqa: BLE001 - a demonstration's: the venue goes on without it until the next time
                _log.exception("the market maker failed")
            await asyncio.sleep(SECONDS)

    async def quote(self) -> None:
        """Quote every market whose price has moved since."""
        await self._open()
        state = self._desk.readers.state
        for symbol, source in self._prices.items():
            market = state.market_named.get(symbol)
            price = source.price(self._desk.now())
            if market is None or market.contract is None or price in (0, self._quoted.get(symbol)):
                continue
            account = state.account_named[NAME].number
            await self._desk.ask(CancelOrders((), BY, account=account, market=market.number), _done)
            for command in self._quotes(account, market, price):
                await self._desk.ask(command, _done)
            self._quoted[symbol] = price

    async def _open(self) -> None:
        state = self._desk.readers.state
        if NAME not in state.account_named:
            await self._desk.ask(OpenAccount(NAME, CUSTOMER, BY, owner=BY), _done)
        account = state.account_named.get(NAME)
        if account is not None and state.asset_named[CURRENCY].number not in account.book.balances:
            world = state.account_named["world"].number
            await self._desk.ask(Transfer(world, account.number, CURRENCY, FUNDS, BY), _done)

    def _quotes(self, account: int, market: Market, price: int) -> Iterator[Any]:
        contract = market.contract
        assert contract is not None
        now = self._desk.now()
        for level in range(1, LEVELS + 1):
            for side, away in ((BUY, -1), (SELL, 1)):
                at = price + away * level * price // SPREAD
                at -= at % contract.tick
                name = f"{market.name} {now} {side} {level}"
                instructions = Instructions(
                    at,
                    GOOD_TILL_TIME,
                    POST_ONLY,
                    CANCEL_MAKER,
                    leverage=contract.leverage,
                    names=Names(name, str(now), NAME, "LIMIT", "", str(now // 1000), ""),
                )
                digest = blake2b(name.encode(), digest_size=32, person=b"market maker").hexdigest()
                size = SIZES.get(market.name, market.quantity_min)
                yield PlaceOrder(
                    account, market.number, side, LIMIT_ORDER, UNITS, size, digest, by=BY, instructions=instructions
                )


def _done(answer: Answer, _state: State) -> Answer:
    return answer
