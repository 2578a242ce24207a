"""The auditor's books: what the entries say, kept in plain dicts.

Nothing of the venue's folds, ledger or arithmetic is used here; only the facts' own types are. What each kind of fact
does to the books, and what must hold of it, stands in the rooms called ``…_rules``.
"""

from collections import Counter
from fractions import Fraction
from typing import Any, Final

from tallystick.facts.codes import CUSTOMER, NOT_TRADING, SUSPENDED
from tallystick.facts.venue import Entry
from tallystick.simulate.arithmetic import DAY_US, value
from tallystick.simulate.holdings import Holding, Holdings
from tallystick.simulate.terms import Terms
from tallystick.simulate.violation import require

BUY, SELL = 1, 2
CASH, UNITS = 2, 1

# seeds/004, and before anything a command is nothing.
ARROWS: Final[dict[str, tuple[str, ...]]] = {
    "nothing": ("placed",),
    "placed": ("pending", "executing", "cancelled"),
    "pending": ("executing", "cancelled"),
    "executing": ("filled", "cancelled"),
    "filled": ("settled",),
    "settled": (),
    "cancelled": (),
}
ENDED: Final = ("filled", "settled", "cancelled")


class Books(Holdings):
    """``prices`` are those of the moment, with the times of their quotes, and ``holds`` the stages that are held; both
    are None after a recovery, when nobody heard which quotes and holds were decided.

    ``now`` is when the present entry was decided, ``sequence`` its number, and ``command`` what it carries out, None
    for what happens by itself; ``stopped`` is the market, or the account, that it stops. ``keys`` says what each client
    key of an account was last used for.
    """

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.terms: Final = terms
        self.entries: Final[list[Entry]] = []
        self.name = ""
        self.assets: Final[dict[int, dict[str, Any]]] = {}
        self.markets: Final[dict[int, dict[str, Any]]] = {}
        self.accounts: Final[dict[int, dict[str, Any]]] = {}
        self.orders: Final[dict[int, dict[str, Any]]] = {}
        self.trades: Final[dict[int, dict[str, Any]]] = {}
        self.requests: Final[dict[int, dict[str, Any]]] = {}
        self.refusals = 0
        self.keys: Final[dict[tuple[int, str], dict[str, Any]]] = {}
        self.references: Final[dict[tuple[int, str], tuple[int, int, int, int]]] = {}
        self.prices: dict[int, tuple[int, int]] | None = {}
        self.holds: set[tuple[int, int]] | None = set()
        self.asked_prices: Final[set[tuple[int, int]]] = set()
        self.newest: Final[dict[int, int]] = {}
        self.open_orders: Final[dict[Holding, dict[int, None]]] = {}
        self.orders_touched: Final[dict[int, None]] = {}
        self.sequence = 0
        self.now = 0
        self.command: Any = None
        self.stopped: tuple[int, int] | None = None

    @property
    def ended(self) -> int:
        """The time of the last event of all."""
        last = self.entries[-1] if self.entries else None
        return last.time + len(last.events) - 1 if last is not None else 0

    def begin(self, entry: Entry, command: Any) -> None:
        """This entry is the present one."""
        self.sequence, self.now, self.command = entry.sequence, entry.time, command
        self.stopped = None
        self.touched.clear()
        self.orders_touched.clear()

    def forget_the_moment(self) -> None:
        """A process begins: nothing has a price and nothing is held."""
        self.prices, self.holds = {}, set()

    # --- What was so when the present entry was decided ---

    def price(self, market: int) -> int | None:
        """The market's price, 0 if there is none or it is stale; None if nobody knows."""
        if self.prices is None:
            return None
        price, quoted = self.prices.get(market, (0, 0))
        stale = self.terms.price_stale_us
        return 0 if stale and quoted < self.now - stale else price

    def is_held(self, stage: int, market: int) -> bool | None:
        """Whether nothing goes beyond the stage; None if nobody knows."""
        if self.holds is None:
            return None
        return (stage, market) in self.holds or (stage, 0) in self.holds

    def used(self, account: int, client_key: str) -> dict[str, Any] | None:
        """What the key stands for; None if it is free, or free again."""
        use = self.keys.get((account, client_key)) if client_key else None
        return use if use is not None and self.now < use["since"] + DAY_US else None

    def stopped_by(self, order: dict[str, Any]) -> tuple[bool, bool]:
        """Whether the order's market is halted, and whether its account is suspended."""
        market, account = self.markets[order["market"]], self.accounts[order["account"]]
        return market["status"] == NOT_TRADING, account["status"] == SUSPENDED

    def is_customer(self, account: int) -> bool:
        return account in self.accounts and bool(self.accounts[account]["role"] == CUSTOMER)

    def value(self, market: int, quantity: int, price: int) -> Fraction:
        """What a quantity is worth at a price, exactly."""
        terms = self.markets[market]
        unit, currency = self.assets[terms["unit"]], self.assets[terms["currency"]]
        return value(quantity, price, unit["scale"], terms["price_scale"], currency["scale"])

    def possible(self, order: dict[str, Any], price: int) -> int:
        """The quantity that the rest of the order comes to at a price."""
        if order["side"] == SELL:
            return int(order["size"] - order["consumed"])
        market = order["market"]
        increment = self.markets[market]["increment"]
        rest = order["tradeable"] - order["notional"]
        return int(rest // self.value(market, increment, price) * increment)

    # --- What the rules do alike ---

    def number(self, number: int, known: dict[int, Any], kind: str) -> None:
        """It is the next one of its kind."""
        require(number == len(known) + 1, "numbers", f"{kind} {number} follows {len(known)}")

    def move(self, event: Any, status: str) -> dict[str, Any]:
        """The event's order, whose status is now this."""
        order = self.orders[event.order]
        detail = f"order {event.order} is {order['status']} and becomes {status} at entry {self.sequence}"
        require(status in ARROWS[order["status"]], "arrows", detail)
        self.touch(event, order)
        order["status"] = status
        return order

    def touch(self, event: Any, order: dict[str, Any]) -> None:
        """The event is about this order."""
        same = (event.account, event.market) == (order["account"], order["market"])
        require(same, "links", f"{event} has wrong keys")
        self.orders_touched[event.order] = None
        self.touched[order["holding"]] = None

    def close(self, event: Any, status: str) -> dict[str, Any]:
        """The order ends, and gives back what it did not use."""
        order = self.move(event, status)
        left = order["size"] - order["consumed"]
        detail = f"order {event.order}: size {order['size']}, consumed {order['consumed']}, released {event.released}"
        require(event.released == left >= 0, "size", detail)
        detail = f"order {event.order} holds {order['reserved']} and gives back {event.voided} when it is {status}"
        require(event.voided == order["reserved"], "reserved", detail)
        self.hold(order["holding"], -event.voided)
        order["reserved"] = 0
        self.open_orders[order["holding"]].pop(event.order, None)
        return order

    def unsettled(self, order: dict[str, Any]) -> list[int]:
        """Its trades that have not settled."""
        return [trade for trade in order["trades"] if self.trades[trade]["status"] != "settled"]

    def owed(self, order: dict[str, Any], leg: Any) -> Counter[tuple[int, int, int]]:
        """What a trade with the street makes its parties owe: (payer, payee, asset) and how much."""
        market, account = self.markets[order["market"]], order["account"]
        roles = {known["role"]: number for number, known in reversed(self.accounts.items())}
        street, house = roles[3], roles[4]
        unit, currency = market["unit"], market["currency"]
        owed: Counter[tuple[int, int, int]] = Counter()
        if order["side"] == BUY:
            owed[account, street, currency] = leg.notional
            owed[street, account, unit] = leg.quantity
            owed[account, house, currency] = leg.fee
        else:
            owed[account, street, unit] = leg.quantity
            owed[street, account, currency] = leg.notional - leg.fee
            owed[street, house, currency] = leg.fee
        return +owed
