"""What is asked of a seed's venue: sensible commands, nonsense, repetitions, moving prices, and what keeps it going."""

from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tallystick.facts.codes import (
    BUY,
    CASH,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    LIMIT_ORDER,
    MARKET_ORDER,
    PROFESSIONAL,
    REVIEWED,
    SELL,
    STAKE,
    UNITS,
    WORLD,
)
from tallystick.facts.commands import (
    DefineAsset,
    DefineMarket,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.simulate.operators import Operators
from tallystick.simulate.terms import Instrument, Terms, draw_instrument, draw_terms
from tallystick.venue.state import State

HOUSE: Final = (("world", WORLD), ("street", COUNTERPARTY), ("fees", FEES))
WORLD_ACCOUNT: Final = 1
CROWD_CHANCE: Final = 0.03


class Workload:
    """Everything is drawn from ``random``. ``wealth`` is the cash that each customer gets of each currency, but for
    what they go ``without``; in a ``crowded`` venue, more than a thousand orders wait at once when it is halted."""

    def __init__(self, random: Random) -> None:
        self._random: Final = random
        self.crowded: Final = random.random() < CROWD_CHANCE
        self.wealth: Final[int] = 10 ** (8 if self.crowded else random.randint(4, 8))
        self.terms: Final[Terms] = draw_terms(random, self.wealth)
        self.currencies: Final = {f"CUR{at}": random.choice((0, 2, 2, 3, 6)) for at in range(random.randint(1, 2))}
        self.instruments: Final[list[Instrument]] = []
        for at in range(random.randint(1, 3)):
            currency = random.choice(list(self.currencies))
            self.instruments.append(draw_instrument(random, at, currency, self.currencies[currency], self.wealth))
        self.customers: Final = {f"customer{at}": self._draw_flags() for at in range(random.randint(2, 4))}
        self.operators: Final = Operators(random, self.instruments)
        assets = [*self.currencies, *[each.unit for each in self.instruments]]
        self.without: Final = {
            (name, asset) for name in self.customers for asset in assets if random.random() < 0.06 and not self.crowded
        }
        self._prices: Final = [each.price for each in self.instruments]
        self._placed: Final[list[PlaceOrder]] = []
        self._moved: Final[list[Transfer]] = []

    def missing(self, state: State) -> Any:
        """The first thing that the venue still lacks, as a command; None when it has everything."""
        if not state.name:
            return OpenVenue("sophic", "simulated", retain_us=self.terms.retain_us)
        for name, scale in self.currencies.items():
            if name not in state.asset_named:
                return DefineAsset(name, scale)
        for name, role in HOUSE:
            if name not in state.account_named:
                return OpenAccount(name, role)
        for name, flags in self.customers.items():
            if name not in state.account_named:
                return OpenAccount(name, CUSTOMER, flags=flags)
        for each in self.instruments:
            if each.unit not in state.asset_named:
                return DefineAsset(each.unit, each.unit_scale)
            if each.name not in state.market_named:
                terms = (each.name, each.unit, each.unit, each.unit, each.currency, each.price_scale, each.increment)
                return DefineMarket(*terms, status=each.status, **_rules_of(each))
        return self._missing_funds(state)

    def command(self, state: State) -> Any:
        """Anything that might be asked of the venue now, wrong or right."""
        chance = self._random.random()
        if chance < 0.52:
            return self._place(state)
        if chance < 0.68:
            return self.quote()
        if chance < 0.91:
            return self.operators.command(state, self._customer(state))
        if chance < 0.97:
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
        if chance < 0.12:
            return Quote(at + 1, 0)
        if chance < 0.18:
            return Quote(at + 1, 1)
        if chance < 0.22:
            return Quote(random.choice((0, 77, at + 1)), -random.randint(1, 9))
        return Quote(at + 1, self._prices[at])

    def last_quotes(self) -> list[Quote]:
        """A price for every market, so that every order can end."""
        return [Quote(at + 1, price) for at, price in enumerate(self._prices)]

    def small_order(self, state: State, market: int) -> PlaceOrder:
        """One of a crowd of buys: a customer can afford hundreds."""
        terms = self.instruments[market - 1]
        step = terms.cash_increment or 1
        size = max(self.wealth // 1500 // step, 1) * step
        return PlaceOrder(self._customer(state), market, BUY, MARKET_ORDER, CASH, size)

    # --- The venue ---

    def _draw_flags(self) -> int:
        random = self._random
        return (PROFESSIONAL if random.random() < 0.5 else 0) | (REVIEWED if random.random() < 0.08 else 0)

    def _missing_funds(self, state: State) -> Transfer | None:
        grants = [(name, self.wealth) for name in self.currencies]
        grants += [(each.unit, each.granted) for each in self.instruments]
        for customer in self.customers:
            account = state.account_named[customer]
            for asset, amount in grants:
                known = state.asset_named[asset].number in account.book.balances
                if not known and (customer, asset) not in self.without:
                    return Transfer(WORLD_ACCOUNT, account.number, asset, amount)
        return None

    # --- The commands ---

    def _place(self, state: State) -> PlaceOrder:
        random = self._random
        if self._placed and random.random() < 0.16:
            return self._repeat()
        at = random.randrange(len(self.instruments))
        each = self.instruments[at]
        account = self._customer(state)
        client_key = f"key{random.randint(0, 30)}" if random.random() < 0.5 else ""
        fingerprint = f"f{random.randint(0, 3)}" if client_key else ""
        if random.random() < 0.55:
            size = self._cash(each)
            order = PlaceOrder(account, at + 1, BUY, MARKET_ORDER, CASH, size, client_key, fingerprint)
        else:
            size = self._quantity(each, state, account)
            order = PlaceOrder(account, at + 1, SELL, MARKET_ORDER, UNITS, size, client_key, fingerprint)
        if random.random() < 0.12:
            order = self._spoil(order)
        self._placed.append(order)
        return order

    def _cash(self, each: Instrument) -> int:
        """All of a customer's wealth or a part of it, or the least that the instrument takes."""
        random = self._random
        if each.cash_min and random.random() < 0.2:
            return each.cash_min
        size = self.wealth // random.choice((1, 2, 3, 5, 10, 100, 1000)) + random.randint(0, 3)
        if each.cash_increment and random.random() < 0.9:
            size = max(1, size // each.cash_increment) * each.cash_increment
        return size

    def _quantity(self, each: Instrument, state: State, account: int) -> int:
        """Some of the units that a customer had at first, or all that the account has now."""
        random = self._random
        if random.random() < 0.1:
            everything = state.accounts[account].book.look(state.asset_named[each.unit].number).available_settled
            # What was bought for next to nothing would be sold again in any number of trades.
            return max(each.increment, min(int(everything), 4 * each.granted))
        most = max(1, each.granted // each.increment // random.choice((1, 1, 2, 5, 10)))
        return random.randint(1, most) * each.increment

    def _repeat(self) -> PlaceOrder:
        """The same request again, refused or not: lately, or at any time before."""
        random = self._random
        order = random.choice(self._placed[-8:] if random.random() < 0.5 else self._placed)
        if random.random() < 0.2:
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

    def _transfer(self, state: State) -> Transfer:
        random = self._random
        if self._moved and random.random() < 0.25:
            again = random.choice(self._moved)
            return replace(again, amount=again.amount + 1) if random.random() < 0.3 else again
        most = dict.fromkeys(self.currencies, self.wealth) | {each.unit: each.granted for each in self.instruments}
        asset = random.choice([*most, "GOLD"])
        payer = random.choice((WORLD_ACCOUNT, self._customer(state), self._customer(state), 0))
        amount = random.choice((0, -1, random.randint(1, 100), random.randint(1, self.wealth), self.wealth * 10**6))
        if payer == WORLD_ACCOUNT:
            amount = min(amount, most.get(asset, 1))  # the world never refuses, and nobody is to become too rich
        reference = f"ref{random.randint(0, 5)}" if random.random() < 0.6 else ""
        transfer = Transfer(payer, self._customer(state), asset, amount, reference=reference)
        self._moved.append(transfer)
        return transfer

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
        number: int = state.account_named[self._random.choice(list(self.customers))].number
        return number


def _rules_of(each: Instrument) -> dict[str, Any]:
    return {name: getattr(each, name) for name in ("pros_only", "quantity_min", "cash_min", "cash_increment")}
