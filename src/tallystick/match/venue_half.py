"""The venue's half, folded from its journal alone: orders that have left its state are in it too."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

from tallystick.core.lifecycle import CANCELLED, DONE, EXPIRED, REFUSED
from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import UNITS
from tallystick.facts.venue import CancelRefused, Entry, OrderCancelled, OrderFilled
from tallystick.match.half import HalfFill, HalfOrder, exact
from tallystick.venue.fold import fold
from tallystick.venue.state import Account, Market, State


class Naming(Protocol):
    """How a dialect names what its clients know."""

    @property
    def refuses_by_cancelling(self) -> bool:
        """Whether its clients are told in one word that an order was refused and that it ended with nothing filled."""
        ...

    def order_id(self, order: Order) -> str:
        """The public id of an order, which no other has."""
        ...

    def trade_id(self, number: int) -> str:
        """The public id of a trade."""
        ...

    def trade_status(self, trade: Trade) -> int:
        """What its clients are told that it has come to."""
        ...

    def client_key(self, account: Account, client_id: str) -> str:
        """What the venue keeps as the key of an order of the account that is placed under the client id; "" where that
        does not follow from the client id."""
        ...

    def market(self, market: Market) -> str:
        """The market as unit-currency, in the words that clients journal."""
        ...


class NoSuchAccount(LookupError):
    """The venue has no account of this name."""


class VenueHalf:
    """See Half. Raises NoSuchAccount, and what folding raises for entries that are no venue's journal."""

    def __init__(self, entries: Iterable[Entry], naming: Naming, account: str) -> None:
        self.state: Final = State()
        self._naming: Final = naming
        self._left: Final[dict[int, tuple[Order, list[Trade]]]] = {}
        self._cancels: Final[dict[int, int]] = {}
        self.state.left = []
        for entry in entries:
            self._take(entry)
        found = self.state.account_named.get(account)
        if found is None:
            raise NoSuchAccount(f"the venue has no account {account!r}")
        self._account: Final = found
        numbers = range(1, self.state.orders_made + 1)
        self._by_id: Final = {naming.order_id(self._order(number)): number for number in numbers}
        self._numbers: Final = [number for number in numbers if self._order(number).account == found.number]
        keys = ((self._order(number).terms.client_key, number) for number in self._numbers)
        self._by_key: Final = {key: number for key, number in keys if key}

    def find(self, order_ids: tuple[str, ...], client_id: str) -> HalfOrder | None:
        for order_id in order_ids:
            if order_id in self._by_id:
                return self._half(self._by_id[order_id])
        number = self._by_key.get(self._naming.client_key(self._account, client_id), 0)
        return self._half(number) if number else None

    def orders(self) -> Iterator[HalfOrder]:
        return map(self._half, self._numbers)

    def _take(self, entry: Entry) -> None:
        state = self.state
        fold(state, entry)
        for event in entry.events:
            kind = type(event)
            if kind is CancelRefused:
                self._cancels[event.order] = REFUSED
            elif isinstance(event, OrderCancelled | OrderFilled) and event.request:
                self._cancels[event.order] = DONE
        assert state.left is not None
        for order, trades in state.left:
            self._left[order.number] = (order, trades)
        state.left.clear()

    def _order(self, number: int) -> Order:
        return self.state.orders.get(number) or self._left[number][0]

    def _trades(self, order: Order) -> list[Trade]:
        if order.number in self._left:
            return self._left[order.number][1]
        return [self.state.trades[made] for made in order.progress.trades]

    def _half(self, number: int) -> HalfOrder:
        order = self._order(number)
        terms, progress = order.terms, order.progress
        market = self.state.markets[order.market]
        units, cash = market.unit.scale, market.currency.scale
        size_scale = units if terms.kind == UNITS else cash
        limit = terms.instructions.price if terms.instructions is not None else 0
        return HalfOrder(
            "",
            (self._naming.order_id(order),),
            self.state.accounts[order.account].name,
            self._naming.market(market),
            terms.side,
            terms.kind,
            exact(order.size, size_scale),
            order.status,
            exact(progress.consumed, size_scale),
            exact(progress.pending, size_scale),
            exact(progress.quantity, units),
            exact(progress.notional, cash),
            exact(progress.fees, cash),
            {self._naming.trade_id(each.number): self._fill(each, order, size_scale) for each in self._trades(order)},
            self._cancels.get(number),
            price=exact(limit, market.price_scale) if limit else None,
            may_be_refused=self._naming.refuses_by_cancelling
            and order.status in (CANCELLED, EXPIRED)
            and not progress.quantity,
        )

    def _fill(self, trade: Trade, order: Order, size_scale: int) -> HalfFill:
        market = self.state.markets[order.market]
        leg = next(each for each in trade.terms.legs if each.order == order.number)
        return HalfFill(
            exact(leg.consumed, size_scale),
            exact(leg.quantity, market.unit.scale),
            exact(leg.notional, market.currency.scale),
            exact(leg.fee, market.currency.scale),
            self._naming.trade_status(trade),
        )
