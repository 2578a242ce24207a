"""A Bluefin venue without a shell, for tests: one market, traders with collateral, and a second fold that is audited.

Prices and quantities are given in whole units, as in ``floor.buy("ann", 2, at=3000)``; what happened to an order is
read as one line: its status, what was filled and what is left.
"""

from msgspec.structs import replace

from tallystick.core.lifecycle import ORDER_STATUS_NAMES
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
    MARKET_ORDER,
    POSITION,
    SELL,
    UNITS,
    WORLD,
)
from tallystick.facts.commands import (
    Accepted,
    CancelOrders,
    ChangeLeverage,
    DefineAsset,
    DefineMarket,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Transfer,
)
from tallystick.facts.venue import Contract, Instructions, OrderRefused, decode, encode
from tallystick.journal.record import Record
from tallystick.readers.verify_entries import EntryAudit
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.positions import position
from tallystick.venue.snapshot import load
from tallystick.venue.state import State
from tests.naive import check, dump, through_bytes

E9 = 10**9
SECOND = 1_000_000
ETH = 1
USDC, UNIT, BASIS = 1, 2, 3
WORLD_ACCOUNT, CLEARING, HOUSE = 1, 2, 3
TAKER_FEE, MAKER_FEE = 1_000_000, -200_000  # 10 and -2 basis points
CONTRACT = Contract(
    basis=BASIS,
    tick=E9 // 10,
    price_min=E9,
    price_max=1_000_000 * E9,
    quantity_max=1_000 * E9,
    market_quantity_max=100 * E9,
    maker_fee=MAKER_FEE,
    taker_fee=TAKER_FEE,
    initial_margin=50_000_000,
    maintenance_margin=30_000_000,
    leverage=5 * E9,
)


# (scale of the unit, scale of the price, the highest price and the largest quantity): pennies and fortunes.
MORE_MARKETS = ((0, 9, 10**12), (9, 4, 10**15), (5, 5, 10**6))


class Floor:
    """Each trader has 10,000 USDC of collateral, and five times leverage."""

    def __init__(
        self,
        traders: str = "ann bob cat dan",
        policy: Policy | None = None,
        audited: bool = True,
        markets: int = 1,
    ) -> None:
        self.engine = Engine(BluefinRules(policy or Policy()))
        self.readers = State()
        self.audited = audited
        self.audit = EntryAudit("floor")
        self.now = 0
        self.events: list = []
        self.entries: list = []
        self.do(OpenVenue("floor", "check", retain_us=60 * SECOND))
        self.do(DefineAsset("USDC", 9))
        self.do(DefineAsset("ETH-PERP", 9, kind=POSITION))
        self.do(DefineAsset("ETH-PERP.basis", 9, kind=POSITION))
        for name, role in (("world", WORLD), ("clearing", COUNTERPARTY), ("fees", FEES)):
            self.do(OpenAccount(name, role))
        increment = E9 // 100
        terms = ("ETH-PERP", "ETH-PERP", "Ether", "ETH-PERP", "USDC", 9, increment)
        self.do(DefineMarket(*terms, quantity_min=increment, contract=CONTRACT))
        for at, (scale, price_scale, most) in enumerate(MORE_MARKETS[: markets - 1]):
            unit, basis = f"M{at}-PERP", f"M{at}-PERP basis"
            self.do(DefineAsset(unit, scale, kind=POSITION))
            number = self.do(DefineAsset(basis, 9, kind=POSITION)).number
            contract = replace(CONTRACT, basis=number, tick=1, price_min=1, price_max=most, quantity_max=most)
            terms = (unit, unit, unit, unit, "USDC", price_scale, 1)
            self.do(DefineMarket(*terms, quantity_min=1, contract=contract))
        self.accounts = {}
        for name in traders.split():
            self.accounts[name] = self.do(OpenAccount(name, CUSTOMER)).number
            self.deposit(name, 10_000)
        self.hashes = 0

    @property
    def state(self) -> State:
        return self.engine.state

    def do(self, command):
        """Decide a command now; its answer. ``events`` are what happened."""
        self.now = max(self.now, self.state.time + 1)
        decision = self.engine.decide(command, self.now)
        self.events = []
        self._keep(decision.entry)
        return decision.answer

    def deposit(self, trader: str, amount: float) -> None:
        self.do(Transfer(WORLD_ACCOUNT, self.accounts[trader], "USDC", round(amount * E9)))

    def place(self, trader: str, side: int, quantity: float, at: float = 0, *, stop: float = 0, when: int = 0, **more):
        """The number of the order; of one that is refused, the reason."""
        self.hashes += 1
        instructions = Instructions(
            round(at * E9),
            more.pop("tif", GOOD_TILL_TIME),
            more.pop("flags", 0),
            more.pop("self_trade", CANCEL_MAKER),
            more.pop("expires", 0),
            round(stop * E9),
            when,
            round(more.pop("leverage", 5) * E9),
            more.pop("signed", 0),
            (f"name {self.hashes}",),
        )
        command = PlaceOrder(
            self.accounts.get(trader, 99),
            more.pop("market", ETH),
            side,
            LIMIT_ORDER if at else MARKET_ORDER,
            UNITS,
            round(quantity * E9),
            more.pop("hash", f"hash {self.hashes}"),
            instructions=instructions,
        )
        assert not more, more
        answer = self.do(command)
        assert isinstance(answer, Accepted), answer
        refused = [event for event in self.events if isinstance(event, OrderRefused)]
        return refused[0].code if refused else answer.number

    def buy(self, trader: str, quantity: float, at: float = 0, **more):
        return self.place(trader, BUY, quantity, at, **more)

    def sell(self, trader: str, quantity: float, at: float = 0, **more):
        return self.place(trader, SELL, quantity, at, **more)

    def cancel(self, trader: str, *hashes: str, market: int = ETH, standby: bool = False) -> list[str]:
        """The outcome of each, in order: what ends an order, or why it is not ended."""
        self.do(CancelOrders((), account=self.accounts[trader], market=market, names=hashes, standby=standby))
        return [event.reason for event in self.events[1:]]

    def leverage(self, trader: str, leverage: float, market: int = ETH):
        return self.do(ChangeLeverage(self.accounts[trader], market, round(leverage * E9)))

    def wait(self, seconds: float) -> None:
        """Let time pass; everything that falls due happens when it does."""
        until = self.now + round(seconds * SECOND)
        self.events = []
        while 0 < self.engine.next_due() <= until:
            self.now = max(self.now, self.engine.next_due())
            entry = self.engine.wake(self.now)
            if entry is not None:
                self._keep(entry)
        self.now = until

    def restart(self) -> None:
        """Begin again from what a snapshot keeps."""
        self.engine = Engine(self.engine.rules, load(through_bytes(self.readers)))
        self.engine.recover(())

    def _keep(self, entry) -> None:
        """Fold the entry as a reader does, from its bytes, and hold both states against each other and the rules."""
        if entry is None:
            return
        self.events.extend(entry.events)
        self.entries.append(entry)
        body = encode(entry)
        assert decode(body) == entry
        fold(self.readers, decode(body))
        if not self.audited:
            return
        assert dump(self.readers) == dump(self.state)
        assert dump(load(through_bytes(self.readers))) == dump(self.readers)
        check(self.state)
        self.audit.take(Record(entry.sequence, 1, body, b""))
        self.audit.look_at_everything()

    # --- What a row of a scenario shows ---

    def shows(self, number: int) -> str:
        """As in ``OPEN 1 of 3``."""
        order = self.readers.orders[number]
        return f"{ORDER_STATUS_NAMES[order.status]} {_plain(order.progress.quantity)} of {_plain(order.size)}"

    def depth(self) -> str:
        """Bids and asks, best first, as in ``2@2999 | 1@3000 4@3001``."""
        book = self.readers.markets[ETH].book
        sides = ([f"{_plain(total)}@{_plain(price)}" for price, total in book.depth(side, 10)] for side in (BUY, SELL))
        return " | ".join(" ".join(side) for side in sides)

    def position(self, trader: str) -> str:
        """Its size and its entry price, as in ``2@3000``; ``0`` for none."""
        account, market = self.readers.accounts[self.accounts[trader]], self.readers.markets[ETH]
        held = position(account, market)
        return f"{_plain(held)}@{_plain(-account.book.of(BASIS).settled * E9 // held)}" if held else "0"

    def collateral(self, trader: str) -> str:
        """What it has and how much of it is reserved, as in ``10000 600``."""
        balance = self.readers.accounts[self.accounts[trader]].book.of(USDC)
        return f"{_plain(balance.settled)} {_plain(balance.reserved)}"


def _plain(amount: int) -> str:
    return f"{amount / E9:.4f}".rstrip("0").rstrip(".")
