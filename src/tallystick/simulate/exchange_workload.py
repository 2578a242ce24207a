"""What traders and operators ask of a seed's exchange: crossing orders, stops, races to cancel, too much margin."""

from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tallystick.facts.codes import (
    ACTIVE,
    AT_OR_ABOVE,
    AT_OR_BELOW,
    BUY,
    BUY_SELL,
    CANCEL_BOTH,
    CANCEL_MAKER,
    CANCEL_TAKER,
    COUNTERPARTY,
    CUSTOMER,
    FEES,
    FILL_OR_KILL,
    GOOD_TILL_TIME,
    IMMEDIATE_OR_CANCEL,
    LIMIT_ORDER,
    MARKET_ORDER,
    NOT_TRADING,
    POSITION,
    POST_ONLY,
    REDUCE_ONLY,
    SELL,
    SUSPENDED,
    UNITS,
    WORLD,
)
from tallystick.facts.commands import (
    CancelOrders,
    ChangeAccount,
    ChangeLeverage,
    ChangeMarket,
    DefineAsset,
    DefineMarket,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.facts.venue import Contract, Instructions
from tallystick.venue.state import State

HOUSE: Final = (("world", WORLD), ("clearing", COUNTERPARTY), ("fees", FEES))
PARTS: Final = 10**9
MONEY: Final = 10**6  # the collateral's scale is 6
LEVERAGES: Final = (1, 2, 3, 5, 10, 20)
SECOND_US: Final = 1_000_000


class ExchangeWorkload:
    """Everything is drawn from ``random``. ``orders_max`` is the venue's; ``prices`` are where each market began."""

    def __init__(self, random: Random) -> None:
        self._random: Final = random
        self.orders_max: Final[int] = random.choice((3, 10, 40))
        self.retain_us: Final[int] = random.choice((SECOND_US, 60 * SECOND_US, 3600 * SECOND_US))
        self.traders: Final = [f"trader{at}" for at in range(random.randint(2, 6))]
        self.prices: Final[list[int]] = [random.choice((50, 3000, 99_999)) for _ in range(random.randint(1, 2))]
        self._contracts: Final = [self._draw_contract(at) for at in range(len(self.prices))]
        self._scales: Final = [random.choice((0, 3, 9)) for _ in self.prices]
        self._price_scales: Final = [6 + random.choice((0, 2)) for _ in self.prices]
        self._hashes = 0
        self._placed: Final[list[PlaceOrder]] = []

    def missing(self, state: State) -> Any:
        """The first thing that the venue still lacks, as a command; None when it has everything."""
        if not state.name:
            return OpenVenue("exchange", "simulated", retain_us=self.retain_us)
        if "USDC" not in state.asset_named:
            return DefineAsset("USDC", 6)
        for name, role in HOUSE:
            if name not in state.account_named:
                return OpenAccount(name, role)
        for at, contract in enumerate(self._contracts):
            unit, basis = f"P{at}", f"P{at} basis"
            for name, scale in ((unit, self._scales[at]), (basis, 6)):
                if name not in state.asset_named:
                    return DefineAsset(name, scale, kind=POSITION)
            if unit not in state.market_named:
                contract = replace(contract, basis=state.asset_named[basis].number)
                increment = 10 ** max(0, self._scales[at] - 2)
                terms = (unit, unit, unit, unit, "USDC", self._price_scales[at], increment)
                return DefineMarket(*terms, quantity_min=increment, contract=contract)
        for name in self.traders:
            if name not in state.account_named:
                return OpenAccount(name, CUSTOMER)
            number = state.account_named[name].number
            if not state.accounts[number].book.balances:
                return Transfer(1, number, "USDC", self._random.choice((100, 10_000, 1_000_000)) * MONEY)
        return None

    def command(self, state: State) -> Any:
        """Anything that might be asked of the venue now, wrong or right."""
        random = self._random
        account, market = self._account(state), random.randint(1, len(self.prices))
        chance = random.random()
        if chance < 0.70:
            return self._place(state, account, market)
        if chance < 0.84:
            return self._cancel(account, market)
        if chance < 0.87:
            return ChangeLeverage(account, market, random.choice((*LEVERAGES, 50)) * PARTS)
        if chance < 0.91:
            return Quote(market, random.choice((0, self._near(market))))
        if chance < 0.95:
            payer, payee = random.choice(((1, account), (account, 1)))
            return Transfer(payer, payee, random.choice(("USDC", "USDC", "P0")), random.randint(1, 10**10))
        return self._operate(state, account, market)

    def _operate(self, state: State, account: int, market: int) -> Any:
        """Something is stopped, or goes on again."""
        stopped: list[Any] = [
            ChangeMarket(number, BUY_SELL) for number, it in state.markets.items() if it.status != BUY_SELL
        ]
        stopped += [ChangeAccount(number, ACTIVE) for number, it in state.accounts.items() if it.status == SUSPENDED]
        if stopped and self._random.random() < 0.8:
            return self._random.choice(stopped)
        return self._random.choice((ChangeMarket(market, NOT_TRADING), ChangeAccount(account, SUSPENDED)))

    def _cancel(self, account: int, market: int) -> CancelOrders:
        random = self._random
        if random.random() < 0.3:
            return CancelOrders((), account=account, market=market, standby=random.random() < 0.3)
        mine = [order.client_key for order in self._placed[-60:] if order.account == account] or ["never seen"]
        names = tuple(random.choice(mine) for _ in range(random.randint(1, 3)))
        return CancelOrders((), account=account, market=market if random.random() < 0.95 else 77, names=names)

    def _place(self, state: State, account: int, market: int) -> PlaceOrder:
        random = self._random
        if self._placed and random.random() < 0.05:
            return random.choice(self._placed)
        self._hashes += 1
        it = state.markets[market]
        stop, limit = random.random() < 0.15, random.random() < 0.85
        flags = random.choice((0, 0, 0, 0, POST_ONLY, REDUCE_ONLY))
        time_in_force = random.choice((GOOD_TILL_TIME,) * 5 + (IMMEDIATE_OR_CANCEL, FILL_OR_KILL))
        if not limit:
            flags, time_in_force = flags & REDUCE_ONLY, IMMEDIATE_OR_CANCEL
        elif time_in_force != GOOD_TILL_TIME:
            flags &= REDUCE_ONLY
        chosen = state.accounts[account].leverage.get(market, it.leverage)
        instructions = Instructions(
            self._near(market) if limit else 0,
            time_in_force,
            flags,
            random.choice((CANCEL_TAKER, CANCEL_MAKER, CANCEL_BOTH)),
            state.time + random.randint(1, 90) * SECOND_US if random.random() < 0.3 else 0,
            self._near(market) if stop else 0,
            random.choice((AT_OR_ABOVE, AT_OR_BELOW)) if stop else 0,
            random.choice(LEVERAGES) * PARTS if random.random() < 0.05 else chosen,
        )
        size = self._size(state, account, market)
        order = PlaceOrder(
            account,
            market,
            random.choice((BUY, SELL)),
            LIMIT_ORDER if limit else MARKET_ORDER,
            UNITS,
            size,
            f"hash{self._hashes}",
            instructions=instructions,
        )
        order = self._spoil(order, instructions) if random.random() < 0.06 else order
        self._placed.append(order)
        return order

    def _size(self, state: State, account: int, market: int) -> int:
        """A part of what the account could margin, all of it, or more; or what closes its position."""
        random, it = self._random, state.markets[market]
        held = abs(state.accounts[account].book.look(it.unit.number).settled)
        if held and random.random() < 0.3:
            return held if random.random() < 0.5 else max(it.increment, held // it.increment // 2 * it.increment)
        cash = max(0, state.accounts[account].book.look(1).settled)
        price = self._near(market)
        worth = cash * random.choice((1, 5, 50, 300)) // 100
        return max(1, worth * it.parity // price // it.increment) * it.increment

    def _spoil(self, order: PlaceOrder, with_: Instructions) -> PlaceOrder:
        changes: tuple[dict[str, Any], ...] = (
            {"account": 77},
            {"market": 77},
            {"side": 0},
            {"size": 0},
            {"size": order.size * 10**9},
            {"instructions": replace(with_, price=0 if with_.price else 5)},
            {"instructions": replace(with_, price=with_.price + 1)},
            {"instructions": replace(with_, leverage=50 * PARTS)},
            {"instructions": replace(with_, expires=1)},
            {"instructions": replace(with_, self_trade=0)},
        )
        return replace(order, **self._random.choice(changes))

    def _near(self, market: int) -> int:
        """A price around where the market began, in ticks; sometimes far away."""
        random, at = self._random, market - 1
        tick = self._contracts[at].tick
        middle = self.prices[at] * 10 ** self._price_scales[at] // tick
        spread = 4 if random.random() < 0.9 else 40
        return int(max(1, middle + random.randint(-spread, spread) * max(1, middle // 500)) * tick)

    def _draw_contract(self, at: int) -> Contract:
        random = self._random
        return Contract(
            0,
            random.choice((1, 100, 1000)),
            1,
            10**15,
            10**18,
            10**17,
            random.choice((-100_000, 0, 200_000)),
            random.choice((0, 333_333, 1_000_000)),
            50_000_000,
            30_000_000,
            random.choice((1, 5, 20)) * PARTS,
        )

    def _account(self, state: State) -> int:
        number: int = state.account_named[self._random.choice(self.traders)].number
        return number
