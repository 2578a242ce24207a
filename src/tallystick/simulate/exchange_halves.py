"""Both halves at an exchange: the real Bluefin connector and interface, and somebody else who trades there."""

import asyncio
from decimal import Decimal
from random import Random
from typing import Any, Final, Literal

from tallystick.connect.client import Venue
from tallystick.connect.errors import NoSuchMarket
from tallystick.connect.events import OrderType
from tallystick.core.lifecycle import PENDING, is_closed
from tallystick.dialects.bluefin.matched import BluefinNaming
from tallystick.dialects.bluefin.naming import Names
from tallystick.dialects.bluefin.sandbox import CURRENCY, MARKETS, missing_commands
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.facts.codes import (
    BUY,
    CANCEL_TAKER,
    CUSTOMER,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    LIMIT_ORDER,
    MARKET_ORDER,
    SELL,
    UNITS,
)
from tallystick.facts.commands import CancelOrders, OpenAccount, OpenVenue, PlaceOrder, Transfer
from tallystick.facts.venue import Instructions
from tallystick.match.differences import CERTAINTY, Difference
from tallystick.match.venue_half import Naming
from tallystick.simulate.bluefin_door import BluefinDoor, ExchangeConnector
from tallystick.simulate.bot import Bot, Note
from tallystick.simulate.client_rules import INTENT
from tallystick.simulate.exchange_world import ExchangeParts
from tallystick.simulate.halves import HalvesWorld, Mortal
from tallystick.simulate.halves import Note as WorldNote
from tallystick.simulate.link import FATES, Link
from tallystick.simulate.loop import VirtualLoop
from tallystick.simulate.process import Parts
from tallystick.simulate.venue_server import VenueServer

PARTS: Final = 10**9
ORDERS_MAX: Final = 100
OTHER: Final = "0x" + "ab" * 32
PRICES: Final = {"ETH-PERP": 3000, "BTC-PERP": 60_000, "SUI-PERP": 3}
WALLET: Final = Wallet(bytes(range(32)))
ONCE: Final = tuple(fate for fate in FATES if fate != "twice")
"""The exchange keeps what it refuses under no hash: such a request, delivered twice, might be taken the second time."""
WEALTH: Final = 10**8 * PARTS


class ExchangeBot(Bot):
    """Limit orders around the price that cross or rest, some of them immediate, and stops."""

    def __init__(self, random: Random, say: Note) -> None:
        super().__init__(random, {}, {}, say)

    def intend(self, venue: Venue) -> None:
        random = self._random
        if not venue.markets:
            return
        name = random.choice(list(venue.markets))
        self.intents += 1
        traits = {INTENT: str(self.intents)}
        price = near(random, name)
        if random.random() < 0.3:
            traits["time_in_force"] = random.choice(("IOC", "FOK"))
        elif random.random() < 0.2:
            traits.update(type="STOP_LIMIT", trigger_price=str(near(random, name)))
        elif random.random() < 0.2:
            traits["post_only"] = "true"
        amount = Decimal(random.choice((1, 1, 2, 2, 5, 5, 900)))
        ask = venue.buy if random.random() < 0.5 else venue.sell
        try:
            order_id = ask(name, amount, OrderType.LIMIT, price, traits=traits)
        except NoSuchMarket:
            return
        self._say(f"intent {self.intents} is {order_id}")


class ExchangeHalvesWorld(HalvesWorld):
    """See HalvesWorld."""

    def __init__(self, seed: int, parts: Parts, note: WorldNote | None = None) -> None:
        super().__init__(seed, parts if isinstance(parts, ExchangeParts) else ExchangeParts(), note)
        self._link = Link(self.random, self.random.choice((0.0, 0.05, 0.15, 0.4)), ONCE)
        self._account = WALLET.address
        self._bot = ExchangeBot(self.random, self._say)
        self._hashes = 0

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        faulty, self._venue_disk.faulty = self._venue_disk.faulty, False
        terms: Any = ORDERS_MAX
        server = self._server = VenueServer(loop, self.random, terms, self._parts, self._venue_disk, (), self._say)
        await server.ask(OpenVenue("exchange", "simulated", retain_us=self.random.choice((1, 60, 600)) * 1_000_000))
        for command in missing_commands(server.state):
            await server.ask(command)
        for name in (WALLET.address, OTHER):
            await server.ask(OpenAccount(name, CUSTOMER, owner=name))
            await server.ask(Transfer(server.state.account_named["world"].number, self._number(name), CURRENCY, WEALTH))
        self._venue_disk.faulty = faulty
        self._door: BluefinDoor = BluefinDoor(server, loop)

    def _operate(self) -> None:
        """Somebody else trades, or cancels everything; rarely the exchange cancels what the client has."""
        random = self.random
        chance = random.random()
        if chance < 0.85:
            for _ in range(random.choice((1, 1, 3))):
                self._server.tell(self._other_order())
        else:
            name = WALLET.address if chance < 0.9 else OTHER
            self._cancel_all(name, random.choice(MARKETS).symbol, standby=random.random() < 0.3)

    def _other_order(self) -> PlaceOrder:
        random = self.random
        name = random.choice(MARKETS).symbol
        is_limit = random.random() < 0.8
        price = int(near(random, name) * PARTS) if is_limit else 0
        self._hashes += 1
        word: Literal["LIMIT", "MARKET"] = "LIMIT" if is_limit else "MARKET"
        names = tuple(Names("", str(self._hashes), OTHER, word, "", "0", ""))
        in_force = GOOD_TILL_TIME if is_limit else IMMEDIATE_OR_CANCEL
        leverage = self._server.state.market_named[name].leverage
        return PlaceOrder(
            self._number(OTHER),
            self._server.state.market_named[name].number,
            random.choice((BUY, SELL)),
            LIMIT_ORDER if is_limit else MARKET_ORDER,
            UNITS,
            random.choice((1, 2, 5)) * PARTS,
            f"{self._hashes:064x}",
            by=OTHER,
            instructions=Instructions(price, in_force, 0, CANCEL_TAKER, 0, 0, 0, leverage, self._server.now(), names),
        )

    def _cancel_all(self, name: str, symbol: str, *, standby: bool) -> None:
        market = self._server.state.market_named[symbol].number
        self._server.tell(CancelOrders((), name, account=self._number(name), market=market, standby=standby))

    def _number(self, name: str) -> int:
        number: int = self._server.state.account_named[name].number
        return number

    def _connector(self) -> Mortal:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        return ExchangeConnector(self._door, self._link, self._sent, WALLET, loop)

    # --- The end ------------------------------------------------------------------------------------------------------

    def _let_go(self) -> None:
        state = self._server.state
        for order in list(state.orders.values()):
            if not is_closed(order.status):
                account, market = state.accounts[order.account].name, state.markets[order.market].name
                self._cancel_all(account, market, standby=order.status == PENDING)

    def _naming(self) -> Naming:
        return BluefinNaming(bytes(32), "")

    def _differences(self) -> list[Difference]:
        """What the client inferred stays inferred: the exchange has no call for one order."""
        return [each for each in super()._differences() if each.what != CERTAINTY or "INFERRED" not in each.detail]


def halves_world(seed: int, parts: Parts, note: WorldNote | None = None) -> HalvesWorld:
    """The world of both halves that a seed draws: every fourth is at an exchange."""
    return (ExchangeHalvesWorld if seed % 4 == 0 else HalvesWorld)(seed, parts, note)


def near(random: Random, name: str) -> Decimal:
    """A price around the market's, in its ticks."""
    middle = PRICES[name]
    return Decimal(middle) * (1000 + random.randint(-4, 4)) / 1000
