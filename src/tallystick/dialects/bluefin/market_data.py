"""What anybody may know of the markets: the last trades, 24 hours of statistics, books and prices.

It follows the readers, so it shows nothing that is not durable. At a start it reads back the last RECALLED_MAX trades,
up to 24 hours old, from the state and the tables; older ones are in no figure. The changes of a book are numbered by
the entries that made them: so the numbers grow through restarts, and a book is as of one number.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from tallystick.core.keys import EVERYTHING
from tallystick.dialects.bluefin.day_window import MINUTE_US, MINUTES, DayWindow
from tallystick.dialects.bluefin.market_wire import Depth, Level, PartialDepth, PriceUpdate, Ticker, TickerUpdate
from tallystick.dialects.bluefin.view import ZERO, View, millis
from tallystick.dialects.bluefin.wire import Trade as ShownTrade
from tallystick.dialects.bluefin.words import DepthLevel, PriceSource
from tallystick.facts.codes import BUY, MAKER, SELL
from tallystick.facts.venue import Entry, OrderCancelled, OrderExpired, OrderRested, TradeMade
from tallystick.readers.dispatch import Subscription
from tallystick.venue.positions import PARTS, mark_price, position
from tallystick.venue.state import Market, State
from tallystick.web.desk import Desk

TRADES_KEPT: Final = 1000
"""Of each market."""
RECALLED_MAX: Final = 20_000

Place = tuple[int, int]
"""A side and a price of a book."""


class Changes:
    """What one entry did to one market: its trades, and where its book is another."""

    __slots__ = ("places", "trades")

    def __init__(self) -> None:
        self.places: Final[set[Place]] = set()
        self.trades: Final[list[ShownTrade]] = []


Listener = Callable[[Market, Changes], None]


class _Seen:
    """A price that is no fact, since when (microseconds) it is seen, and whether the one before it was lower (1) or
    higher (-1)."""

    __slots__ = ("direction", "price", "since")

    def __init__(self) -> None:
        self.price = 0
        self.since = 0
        self.direction = 0

    def see(self, price: int, now: int) -> None:
        if price != self.price:
            self.direction = 0 if not self.price else 1 if price > self.price else -1
            self.price = price
            self.since = now


class _Kept:
    """What is kept of a market. ``longs`` are the positions of accounts that hold one; they add up to the interest."""

    def __init__(self, update_id: int, time: int) -> None:
        self.update_id = update_id
        self.book_time = time
        self.changed = time
        self.trades: Final[deque[ShownTrade]] = deque(maxlen=TRADES_KEPT)
        self.day: Final = DayWindow()
        self.longs: Final[dict[int, int]] = {}
        self.open_interest = 0
        self.mark: Final = _Seen()
        self.market: Final = _Seen()

    def hold(self, account: int, held: int) -> None:
        """The account's position is this now."""
        long = max(held, 0)
        self.open_interest += long - self.longs.get(account, 0)
        if long:
            self.longs[account] = long
        else:
            self.longs.pop(account, None)


class MarketData:
    """To be started before it is asked. ``symbol`` is a market's name; KeyError where there is none."""

    def __init__(self, desk: Desk, view: View) -> None:
        self._desk: Final = desk
        self._view: Final = view
        self._markets: Final[dict[int, _Kept]] = {}
        self._listeners: Final[list[Listener]] = []
        self._subscription: Subscription | None = None

    def start(self) -> None:
        """Read back what is kept, and follow."""
        state = self._state
        for market in state.markets.values():
            self._of(market)
        for number, market in state.markets.items():
            for account in state.accounts.values():
                self._markets[number].hold(account.number, position(account, market))
        self._recall()
        self._subscription = self._desk.readers.dispatcher.subscribe((EVERYTHING,), self._take)

    def stop(self) -> None:
        if self._subscription is not None:
            self._subscription.cancel()
            self._subscription = None

    def listen(self, listener: Listener) -> None:
        """Be told of each entry's changes, when they are in the books and figures."""
        self._listeners.append(listener)

    # --- What is asked ---

    def trades(self, symbol: str, limit: int, *, since: int = 0, until: int = 2**63, page: int = 1) -> list[ShownTrade]:
        """The ``page``-th (from 1) ``limit`` of the last TRADES_KEPT, newest first, made between two milliseconds."""
        kept = self._of(self._named(symbol)).trades
        found = [each for each in reversed(kept) if since <= each.executed_at_millis < until]
        first = (max(page, 1) - 1) * limit
        return found[first : first + limit]

    def depth(self, symbol: str, limit: int) -> Depth:
        """The best ``limit`` levels of each side."""
        market = self._named(symbol)
        kept = self._of(market)
        (bid, bid_quantity), (ask, ask_quantity) = self._best(market, BUY), self._best(market, SELL)
        return Depth(
            symbol=market.name,
            last_update_id=kept.update_id,
            updated_at_millis=millis(kept.book_time),
            response_sent_at_millis=millis(self._desk.now()),
            best_bid_price_e9=str(bid),
            best_bid_quantity_e9=str(bid_quantity),
            best_ask_price_e9=str(ask),
            best_ask_quantity_e9=str(ask_quantity),
            bids_e9=_levels(market, BUY, limit),
            asks_e9=_levels(market, SELL, limit),
        )

    def partial_depth(self, symbol: str, level: DepthLevel) -> PartialDepth:
        """The same for the stream."""
        market = self._named(symbol)
        kept, limit = self._of(market), int(level)
        return PartialDepth(
            symbol=market.name,
            updated_at_millis=millis(kept.book_time),
            bids_e9=_levels(market, BUY, limit),
            asks_e9=_levels(market, SELL, limit),
            orderbook_update_id=kept.update_id,
            depth_level=level,
        )

    def update_id(self, symbol: str) -> int:
        """Of the last change of the market's book."""
        return self._of(self._named(symbol)).update_id

    def book_time(self, symbol: str) -> int:
        """When that was, in milliseconds."""
        return millis(self._of(self._named(symbol)).book_time)

    def quantity_at(self, symbol: str, place: Place) -> int:
        """How much rests there."""
        side, price = place
        return self._named(symbol).book.side(side).total(price)

    def tickers(self) -> list[Ticker]:
        """Of all markets with a contract."""
        return [self.ticker(symbol) for symbol in self.symbols()]

    def symbols(self) -> list[str]:
        """Of all markets with a contract."""
        return [each.name for each in self._state.markets.values() if each.contract is not None]

    def price(self, symbol: str, source: PriceSource) -> PriceUpdate:
        """The oracle's and the mark price are what is quoted, else the last trade's; "0" for neither."""
        kept = self._look(self._named(symbol))
        seen = kept.market if source == "Market" else kept.mark
        return PriceUpdate(symbol=symbol, price_e9=str(seen.price), source=source, updated_at_millis=millis(seen.since))

    def ticker(self, symbol: str) -> Ticker:
        """A market at a glance."""
        shown = self.ticker_update(symbol)
        fields = {name: getattr(shown, name) for name in shown.__struct_fields__}
        return Ticker(**fields, estimated_funding_rate_e9=ZERO)

    def ticker_update(self, symbol: str) -> TickerUpdate:
        """The same for the stream. There is no funding here: its figures are zero."""
        market = self._named(symbol)
        kept = self._look(market)
        day, now = kept.day, self._desk.now()
        day.pass_time(now)
        first, last = day.first, day.last
        opened, traded = (first.open if first else 0), market.traded
        until = (now // MINUTE_US + 1) * MINUTE_US
        mark, between = kept.mark, kept.market
        (bid, bid_quantity), (ask, ask_quantity) = self._best(market, BUY), self._best(market, SELL)
        newest = kept.trades[-1] if kept.trades else None
        change = traded - opened if opened else 0
        return TickerUpdate(
            symbol=market.name,
            last_quantity_e9=newest.quantity_e9 if newest else ZERO,
            last_time_at_millis=newest.executed_at_millis if newest else 0,
            last_price_e9=str(traded),
            last_funding_rate_e9=ZERO,
            next_funding_time_at_millis=0,
            avg_funding_rate_8hr_e9=ZERO,
            oracle_price_e9=str(mark.price),
            oracle_price_direction=mark.direction,
            mark_price_e9=str(mark.price),
            mark_price_direction=mark.direction,
            market_price_e9=str(between.price),
            market_price_direction=between.direction,
            best_bid_price_e9=str(bid),
            best_bid_quantity_e9=str(bid_quantity),
            best_ask_price_e9=str(ask),
            best_ask_quantity_e9=str(ask_quantity),
            open_interest_e9=str(kept.open_interest),
            high_price_24hr_e9=str(day.high),
            low_price_24hr_e9=str(day.low),
            volume_24hr_e9=str(day.quantity),
            quote_volume_24hr_e9=str(day.quote),
            close_price_24hr_e9=str(day.before or opened),
            open_price_24hr_e9=str(opened),
            close_time_24hr_at_millis=millis(until),
            open_time_24hr_at_millis=millis(max(0, until - (MINUTES + 1) * MINUTE_US)),
            first_id_24hr=first.first_trade if first else 0,
            last_id_24hr=last.last_trade if last else 0,
            count_24hr=str(day.count),
            price_change_24hr_e9=str(change),
            price_change_percent_24hr_e9=str(change * 100 * PARTS // opened if opened else 0),
            updated_at_millis=millis(max(kept.changed, mark.since, between.since)),
        )

    # --- What is followed ---

    def _take(self, entry: Entry, state: State) -> None:
        found: dict[int, Changes] = {}
        events: tuple[Any, ...] = entry.events
        for place, event in enumerate(events):
            kind = type(event)
            if kind is TradeMade:
                changes = found.setdefault(event.market, Changes())
                changes.trades.append(self._traded(state, event, entry.time + place))
                changes.places.update(_places_of(state, event))
            elif kind is OrderRested or kind is OrderCancelled or kind is OrderExpired:
                terms = state.orders[event.order].terms
                if terms.instructions is not None and terms.instructions.price:
                    found.setdefault(event.market, Changes()).places.add((terms.side, terms.instructions.price))
        for number, changes in found.items():
            market = state.markets[number]
            kept = self._of(market)
            if changes.places:
                kept.update_id = entry.sequence
                kept.book_time = state.time
            kept.changed = state.time
            for listener in self._listeners:
                listener(market, changes)

    def _traded(self, state: State, event: TradeMade, made: int) -> ShownTrade:
        market = state.markets[event.market]
        kept = self._of(market)
        shown = self._keep(state, kept, event, made)
        for leg in event.legs:
            kept.hold(leg.account, position(state.accounts[leg.account], market))
        return shown

    def _keep(self, state: State, kept: _Kept, event: TradeMade, made: int) -> ShownTrade:
        shown = self._view.public_trade(state, event, made)
        kept.trades.append(shown)
        taker = event.legs[0]
        kept.day.add(made, event.trade, event.price, taker.quantity, taker.notional)
        return shown

    def _recall(self) -> None:
        """Trades are numbered without gaps, so they are found from the newest back."""
        readers, state = self._desk.readers, self._state
        since = self._desk.now() - MINUTES * MINUTE_US
        found = []
        for number in range(state.trades_made, max(0, state.trades_made - RECALLED_MAX), -1):
            trade = readers.trade(number)
            if trade is None or trade.made < since:
                break
            found.append(trade)
        for trade in reversed(found):
            market = state.markets[trade.terms.market]
            if market.contract is not None:
                self._keep(state, self._of(market), trade.terms, trade.made)

    # --- Of one market ---

    @property
    def _state(self) -> State:
        return self._desk.readers.state

    def _named(self, symbol: str) -> Market:
        return self._state.market_named[symbol]

    def _of(self, market: Market) -> _Kept:
        kept = self._markets.get(market.number)
        if kept is None:
            kept = self._markets[market.number] = _Kept(market.last, self._state.time)
        return kept

    def _best(self, market: Market, side: int) -> tuple[int, int]:
        level = market.book.side(side).best()
        return (0, 0) if level is None else (level.price, level.total)

    def _look(self, market: Market) -> _Kept:
        """What is kept, with the prices of now. The market's price is halfway between the best ones, or the last
        trade's where one of them is missing."""
        kept, now = self._of(market), self._desk.now()
        bid, ask = market.book.best(BUY), market.book.best(SELL)
        kept.mark.see(mark_price(market, self._desk.ambient), now)
        kept.market.see((bid + ask) // 2 if bid and ask else market.traded, now)
        return kept


def _places_of(state: State, event: TradeMade) -> list[Place]:
    """Where what it took rested: with its makers, at its price."""
    return [(state.orders[leg.order].terms.side, event.price) for leg in event.legs if leg.liquidity == MAKER]


def _levels(market: Market, side: int, limit: int) -> list[Level]:
    return [(str(price), str(total)) for price, total in market.book.depth(side, limit)]
