"""An exchange of one perpetual contract, its traders and their resting orders, and what its benches give it to do."""

from collections.abc import Callable
from typing import Any, Final

from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.rules import BluefinRules
from tallystick.facts.codes import (
    BUY,
    CANCEL_MAKER,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    GOOD_TILL_TIME,
    LIMIT_ORDER,
    POSITION,
    SELL,
    UNITS,
    WORLD,
)
from tallystick.facts.commands import DefineAsset, DefineMarket, OpenAccount, OpenVenue, PlaceOrder, Refused, Transfer
from tallystick.facts.venue import Contract, Entry, Instructions, OrderRefused
from tallystick.venue.engine import Engine

BEGIN_US: Final = 1_700_000_000_000_000
ORDER_EVERY_US: Final = 20
RETAIN_US: Final = 1_000_000
E9: Final = 10**9
TRADERS: Final = 16
RESTING_EACH: Final = 39  # on each side: one more is what they trade with
PRICE: Final = 3_000 * E9
QUANTITY: Final = E9 // 10
CONTRACT: Final = Contract(
    basis=3,
    tick=E9 // 10,
    price_min=E9,
    price_max=1_000_000 * E9,
    quantity_max=1_000 * E9,
    market_quantity_max=100 * E9,
    maker_fee=-200_000,
    taker_fee=1_000_000,
    initial_margin=50_000_000,
    maintenance_margin=30_000_000,
    leverage=5 * E9,
)


class Floor:
    """``resting`` orders are in the book, of accounts that have RESTING_EACH on each side, traders first.

    ``keep`` is handed every entry, in order.
    """

    def __init__(self, resting: int, keep: Callable[[Entry], object]) -> None:
        self.engine: Final = Engine(BluefinRules(Policy()))
        self.now = BEGIN_US
        self.events = 0
        self._keep: Final = keep
        self._hashes = 0
        self._do(OpenVenue("floor", "0123456789abcdef", retain_us=RETAIN_US))
        for name, kind in (("USDC", 1), ("ETH-PERP", POSITION), ("ETH-PERP basis", POSITION)):
            self._do(DefineAsset(name, 9, kind=kind))
        for name, role in (("world", WORLD), ("clearing", COUNTERPARTY), ("fees", FEES)):
            self._do(OpenAccount(name, role))
        terms = ("ETH-PERP", "ETH-PERP", "Ether", "ETH-PERP", "USDC", 9, E9 // 100)
        self._do(DefineMarket(*terms, quantity_min=E9 // 100, contract=CONTRACT))
        self.traders: Final = [self._open(at) for at in range(max(TRADERS, -(-resting // (2 * RESTING_EACH))))]
        for at in range(resting):
            rank = at % (2 * RESTING_EACH)
            side, away = (BUY, -1) if rank < RESTING_EACH else (SELL, 1)
            price = PRICE + away * (10 + rank % RESTING_EACH) * E9
            self._do(self.order(self.traders[at // (2 * RESTING_EACH)], side, price))

    def order(self, trader: int, side: int, price: int) -> PlaceOrder:
        """A limit order that is good till it is cancelled, under a hash of its own."""
        self._hashes += 1
        instructions = Instructions(price, GOOD_TILL_TIME, self_trade=CANCEL_MAKER, leverage=5 * E9)
        key = f"{self._hashes:064x}"
        return PlaceOrder(trader, 1, side, LIMIT_ORDER, UNITS, QUANTITY, key, instructions=instructions)

    def orders(self, count: int) -> list[PlaceOrder]:
        """By turns one that rests and one that takes it; everybody buys and sells as much."""
        made: list[PlaceOrder] = []
        for at in range(count // 2):
            maker, taker = self.traders[at % TRADERS], self.traders[(at + 1 + at // TRADERS % 7) % TRADERS]
            side = BUY if at // TRADERS % 2 else SELL
            price = PRICE + at % 5 * E9 // 10
            made.append(self.order(maker, side, price))
            made.append(self.order(taker, SELL if side == BUY else BUY, price))
        return made

    def place(self, orders: list[PlaceOrder]) -> None:
        """Place them evenly in time."""
        engine, keep, now, events = self.engine, self._keep, self.now, 0
        for order in orders:
            now += ORDER_EVERY_US
            entry = engine.decide(order, now).entry
            assert entry is not None
            events += len(entry.events)
            keep(entry)
        self.now = now
        self.events += events

    def _open(self, at: int) -> int:
        number: int = self._do(OpenAccount(f"trader {at}", CUSTOMER)).number
        self._do(Transfer(1, number, "USDC", 10**9 * E9))
        return number

    def _do(self, command: Any) -> Any:
        self.now += ORDER_EVERY_US
        decision = self.engine.decide(command, self.now)
        assert not isinstance(decision.answer, Refused), decision.answer
        entry = decision.entry
        assert entry is not None
        assert not isinstance(entry.events[0], OrderRefused), entry
        self._keep(entry)
        return decision.answer
