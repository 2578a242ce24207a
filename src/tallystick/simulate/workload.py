"""What one seed's venue is like, and what is asked of it: sensible commands, nonsense, repetitions, moving prices."""

from random import Random
from typing import Any, Final, NamedTuple

from msgspec.structs import replace

from tallystick.dialects.sophic.rules import Policy
from tallystick.facts.codes import (
    BUY,
    CASH,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    LIMIT_ORDER,
    MARKET_ORDER,
    SELL,
    STAKE,
    UNITS,
    WORLD,
)
from tallystick.facts.commands import (
    CancelOrders,
    DefineAsset,
    DefineMarket,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.venue.calendar import DAY_US, FixedDelay, Settlement, SettlementCalendar
from tallystick.venue.state import State

BEGIN_US: Final = 1_700_000_000_000_000  # 2023-11-14, a Tuesday
SECOND_US: Final = 1_000_000
HOUSE: Final = (("world", WORLD), ("street", COUNTERPARTY), ("fees", FEES))
WORLD_ACCOUNT: Final = 1


class Calendar(NamedTuple):
    days: int
    weekend: tuple[int, ...]
    holidays: tuple[int, ...]
    settle_at_us: int
    offset_us: int
    cutoff_us: int


class Terms(NamedTuple):
    """A policy as plain numbers, for the venue and for the auditor. Without a calendar ``delay_us`` settles."""

    fee_bps: int
    submit_after_us: int
    execute_after_us: int
    trade_interval_us: int
    trade_cash_max: int
    delay_us: int
    calendar: Calendar | None
    retain_us: int


class Instrument(NamedTuple):
    """``price`` is where the price begins; ``granted`` what each customer gets of its unit."""

    name: str
    unit: str
    currency: str
    unit_scale: int
    price_scale: int
    increment: int
    price: int
    granted: int


def policy_of(terms: Terms) -> Policy:
    settlement: Settlement = FixedDelay(terms.delay_us)
    if terms.calendar is not None:
        settlement = SettlementCalendar(*terms.calendar)
    return Policy(
        settlement,
        terms.fee_bps,
        terms.submit_after_us,
        terms.execute_after_us,
        terms.trade_interval_us,
        terms.trade_cash_max,
    )


class Workload:
    """Everything is drawn from ``random``. ``wealth`` is the cash that each customer gets of each currency."""

    def __init__(self, random: Random) -> None:
        self._random: Final = random
        self.wealth: Final = 10 ** random.randint(4, 8)
        self.terms: Final = self._draw_terms()
        self.currencies: Final = {f"CUR{at}": random.choice((0, 2, 2, 3, 6)) for at in range(random.randint(1, 2))}
        self.instruments: Final = [self._draw_instrument(at) for at in range(random.randint(1, 3))]
        self.customers: Final = [f"customer{at}" for at in range(random.randint(2, 4))]
        self._prices: Final = [each.price for each in self.instruments]
        self._placed: Final[list[PlaceOrder]] = []

    def missing(self, state: State) -> Any:
        """The first thing that the venue still lacks, as a command; None when it has everything."""
        if not state.name:
            return OpenVenue("sophic", "simulated", retain_us=self.terms.retain_us)
        for name, scale in self.currencies.items():
            if name not in state.asset_named:
                return DefineAsset(name, scale)
        for name, role in (*HOUSE, *((customer, CUSTOMER) for customer in self.customers)):
            if name not in state.account_named:
                return OpenAccount(name, role)
        for each in self.instruments:
            if each.unit not in state.asset_named:
                return DefineAsset(each.unit, each.unit_scale)
            if each.name not in state.market_named:
                terms = (each.name, each.unit, each.unit, each.unit, each.currency, each.price_scale, each.increment)
                return DefineMarket(*terms)
        return self._missing_funds(state)

    def command(self, state: State) -> Any:
        """Anything that might be asked of the venue now, wrong or right."""
        chance = self._random.random()
        if chance < 0.60:
            return self._place(state)
        if chance < 0.78:
            return self.quote()
        if chance < 0.87:
            return self._cancel(state)
        if chance < 0.95:
            return self._transfer(state)
        return self._reference()

    def quote(self) -> Quote:
        """A price moves; sometimes it vanishes, or is nonsense."""
        random = self._random
        at = random.randrange(len(self.instruments))
        base = self.instruments[at].price
        moved = self._prices[at] * random.randint(800, 1250) // 1000
        self._prices[at] = max(1, base // 4, min(moved, base * 4))
        chance = random.random()
        if chance < 0.15:
            return Quote(at + 1, 0)
        if chance < 0.22:
            return Quote(at + 1, 1)
        if chance < 0.26:
            return Quote(random.choice((0, 77, at + 1)), -random.randint(1, 9))
        return Quote(at + 1, self._prices[at])

    def last_quotes(self) -> list[Quote]:
        """A price for every market, so that every order can end."""
        return [Quote(at + 1, price) for at, price in enumerate(self._prices)]

    # --- The venue ---

    def _draw_terms(self) -> Terms:
        random = self._random
        delays = (0, 0, 1, 1000, SECOND_US, 60 * SECOND_US)
        calendar = None
        if random.random() < 0.5:
            calendar = Calendar(
                random.randint(0, 3),
                random.choice(((5, 6), (4, 5), (6,), ())),
                tuple(sorted(BEGIN_US // DAY_US + random.randint(0, 12) for _ in range(random.randint(0, 4)))),
                random.randrange(DAY_US),
                random.randint(-12, 12) * 3600 * SECOND_US,
                random.choice((DAY_US, random.randrange(DAY_US))),
            )
        return Terms(
            random.choice((0, 1, 25, 100, 999)),
            random.choice(delays),
            random.choice(delays),
            random.choice(delays),
            random.choice((0, self.wealth // random.randint(2, 8))),
            random.choice((0, 1, 5 * SECOND_US, DAY_US)),
            calendar,
            random.choice((SECOND_US, 60 * SECOND_US, 600 * SECOND_US, 2 * DAY_US)),
        )

    def _draw_instrument(self, at: int) -> Instrument:
        random = self._random
        currency = random.choice(list(self.currencies))
        unit_scale = random.randint(0, 8)
        price_scale = max(random.randint(0, 6), self.currencies[currency] - unit_scale)
        increment = random.choice((1, 10, 10**unit_scale, 25))
        # A customer's wealth buys 10 to 100,000 increments.
        increments = 10 ** random.randint(1, 5)
        parity = 10 ** (unit_scale + price_scale - self.currencies[currency])
        price = max(1, self.wealth * parity // (increments * increment))
        increments = max(1, min(increments, self.wealth * parity // (price * increment)))
        return Instrument(
            f"ins{at}", f"UNIT{at}", currency, unit_scale, price_scale, increment, price, increments * increment
        )

    def _missing_funds(self, state: State) -> Transfer | None:
        grants = [(name, self.wealth) for name in self.currencies]
        grants += [(each.unit, each.granted) for each in self.instruments]
        for customer in self.customers:
            account = state.account_named[customer]
            for asset, amount in grants:
                if state.asset_named[asset].number not in account.book.balances:
                    return Transfer(WORLD_ACCOUNT, account.number, asset, amount)
        return None

    # --- The commands ---

    def _place(self, state: State) -> PlaceOrder:
        random = self._random
        if self._placed and random.random() < 0.12:
            return self._repeat()
        at = random.randrange(len(self.instruments))
        each = self.instruments[at]
        account = self._customer(state)
        client_key = f"key{random.randint(0, 30)}" if random.random() < 0.5 else ""
        fingerprint = f"f{random.randint(0, 3)}" if client_key else ""
        if random.random() < 0.55:
            size = self.wealth // random.choice((1, 2, 3, 5, 10, 100, 1000)) + random.randint(0, 3)
            order = PlaceOrder(account, at + 1, BUY, MARKET_ORDER, CASH, size, client_key, fingerprint)
        else:
            most = max(1, each.granted // each.increment // random.choice((1, 1, 2, 5, 10)))
            size = random.randint(1, most) * each.increment
            order = PlaceOrder(account, at + 1, SELL, MARKET_ORDER, UNITS, size, client_key, fingerprint)
        if random.random() < 0.12:
            return self._spoil(order)
        self._placed.append(order)
        return order

    def _repeat(self) -> PlaceOrder:
        order = self._random.choice(self._placed)
        if self._random.random() < 0.3:
            return replace(order, fingerprint="other")
        return order

    def _spoil(self, order: PlaceOrder) -> PlaceOrder:
        changes: tuple[dict[str, Any], ...] = (
            {"account": 0},
            {"account": 99},
            {"account": 2},
            {"market": 0},
            {"market": 88},
            {"order_type": LIMIT_ORDER},
            {"kind": STAKE},
            {"kind": UNITS if order.kind == CASH else CASH},
            {"size": 0},
            {"size": -order.size},
            {"size": 1},
            {"size": order.size + 1},
            {"size": order.size * 10**30},
        )
        return replace(order, **self._random.choice(changes))

    def _cancel(self, state: State) -> CancelOrders:
        random = self._random
        made = state.orders_made
        orders = tuple([max(0, made - random.randint(0, 12)) or made for _ in range(random.choice((1, 1, 1, 2, 3)))])
        if random.random() < 0.1:
            orders = random.choice(((), (made + 5,), (0,)))
        return CancelOrders(orders, reason=random.choice(("", "operator")))

    def _transfer(self, state: State) -> Transfer:
        random = self._random
        most = dict.fromkeys(self.currencies, self.wealth) | {each.unit: each.granted for each in self.instruments}
        asset = random.choice([*most, "GOLD"])
        payer = random.choice((WORLD_ACCOUNT, self._customer(state), self._customer(state), 0))
        amount = random.choice((0, -1, random.randint(1, 100), random.randint(1, self.wealth), self.wealth * 10**6))
        if payer == WORLD_ACCOUNT:
            amount = min(amount, most.get(asset, 1))  # the world never refuses, and nobody is to become too rich
        return Transfer(payer, self._customer(state), asset, amount)

    def _reference(self) -> Any:
        random = self._random
        each = random.choice(self.instruments)
        bad = (each.name + "x", "", "", each.unit, each.currency, 0, random.choice((0, 1)))
        return random.choice(
            (
                OpenVenue("sophic", "again"),
                OpenAccount(f"guest{random.randint(0, 2)}", CUSTOMER),
                OpenAccount("street", COUNTERPARTY),
                DefineAsset(random.choice((each.unit, "SILVER")), 3),
                DefineMarket(*bad),
                DefineMarket(each.name, "", "", each.unit, "GOLD", 2, 1),
            )
        )

    def _customer(self, state: State) -> int:
        return state.account_named[self._random.choice(self.customers)].number
