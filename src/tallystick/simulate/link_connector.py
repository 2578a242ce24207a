"""The connector of a client's world: requests through the link, a stream of what the venue's journal says, a cancel.

What it can do and declares is drawn, so that a world may have a venue that names client ids in its stream or does not,
that says whether an order ever arrived, or only that it has none.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from random import Random
from typing import Any, Final, TypeVar

from tallystick.connect.errors import Ambiguous, NotThere, Refused
from tallystick.connect.port import CASH_BUYS, ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.keys import account_key
from tallystick.core.lifecycle import CANCELLED, DONE, PLACED, REFUSED, is_closed
from tallystick.core.order import Order as VenueOrder
from tallystick.core.trade import Trade
from tallystick.facts.client_codes import BY_BOTH, BY_STATUS
from tallystick.facts.codes import (
    EXISTS_WITH_DIFFERENT_TERMS,
    MARKET_ORDER,
    OUTCOME_UNKNOWN,
    UNAVAILABLE,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Accepted, CancelOrders, Exists, PlaceOrder
from tallystick.facts.commands import Refused as RefusedAnswer
from tallystick.simulate.client_rules import Sent
from tallystick.simulate.link import Link
from tallystick.simulate.translation import Translation, order_id, order_number
from tallystick.simulate.venue_server import Gone, VenueServer
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    SUBMIT,
    CancelReport,
    FillReport,
    Gap,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
    Refusal,
    TradeReport,
)

T = TypeVar("T")
NAME: Final = "simulated/customer0"
ACCOUNT: Final = "customer0"
PROBE: Final = "asked whether it arrived"
QUIET_SECONDS: Final = 40.0


class Habits:
    """What is particular about a world's venue and its connector, drawn once. ``skew_us`` is what the stream's times
    are off by."""

    def __init__(self, random: Random) -> None:
        self.resumes: Final = random.random() < 0.6
        self.names_client_ids: Final = random.random() < 0.5
        self.says_whether_it_arrived: Final = random.random() < 0.6
        self.completion: Final = random.choice((BY_BOTH, BY_BOTH, BY_STATUS))
        self.skew_us: Final = random.choice((0, 0, -300_000, 300_000))
        self.fills_wait_us: Final = random.choice((0, 0, 0, 20_000_000))
        self.late_us: Final = random.choice((0, 20_000_000))
        self.batch_max: Final = random.choice((1, 1, 3))

    def capabilities(self) -> Capabilities:
        return Capabilities(
            buy_kinds=CASH_BUYS,
            order_types=(MARKET_ORDER,),
            cancels_by_client_id=False,
            completion=self.completion,
            late_us=self.late_us,
            fills_wait_us=self.fills_wait_us,
            lost_misses=2,
            lost_after_us=5_000_000,
            slack_us=abs(self.skew_us),
            resumes=self.resumes,
            quiet_seconds=QUIET_SECONDS,
            place_batch_max=self.batch_max,
            cancel_batch_max=self.batch_max,
            requests_per_second=50.0,
            burst=50.0,
        )


class LinkConnector:
    """See Connector. ``is_dead``: its process is gone, and nothing that it does leaves it any more."""

    def __init__(self, server: VenueServer, link: Link, habits: Habits, sent: Sent) -> None:
        self.name: Final = NAME
        self.capabilities: Final = habits.capabilities()
        self.is_dead = False
        self._server: Final = server
        self._link: Final = link
        self._habits: Final = habits
        self._sent: Final = sent
        self._entered: Context | None = None

    async def start(self) -> None:
        await self._carry(self._arrive)

    async def close(self) -> None:
        """Nothing is held."""

    async def markets(self) -> Sequence[TradingRule]:
        return await self._carry(self._list_markets)

    def enter(self, context: Context) -> None:
        self._entered = context

    def identify(self, order: Order) -> str:
        return ""

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        asked_at = self._context.now()
        if not self.is_dead:
            for order in orders:
                self._sent.take(order.client_id, repr(order.terms))
        return await self._carry(lambda: self._place_all(orders, asked_at))

    async def cancel(self, orders: Sequence[Order]) -> Sequence[Observation]:
        return await self._carry(lambda: self._cancel_all(orders))

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        asked_at = self._context.now()
        if order.venue_id:
            return await self._carry(lambda: self._look(order_number(order.venue_id), asked_at))
        if self._habits.says_whether_it_arrived:
            return await self._carry(lambda: self._probe(order, asked_at))
        return await self._carry(lambda: self._look_for(order, asked_at))

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        return await self.fetch_order(order)

    async def open_orders(self) -> OpenOrders:
        asked_at = self._context.now()
        found = await self._carry(lambda: self._list(asked_at))
        reports = [each for each in found if isinstance(each, OrderReport)]
        fills = [each for each in found if isinstance(each, FillReport)]
        return OpenOrders(self._context.venue, asked_at, reports, fills, fills_complete=False)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        venue = self._context.venue
        after = int(position) if position else await self._carry(self._arrive)
        if not position:
            yield Position(venue, ORDERS, str(after))
        before: list[Observation] = []
        while True:
            batch, reached = self._news(after)
            await asyncio.sleep(self._link.stream_delay())
            if self.is_dead or self._link.cuts():
                raise Ambiguous("simulated: the stream is cut")
            yield Live()
            if batch and not self._habits.resumes and self._link.loses():
                # That a trade has settled, long after its order was over, nothing but the stream says.
                batch = [each for each in batch if isinstance(each, TradeReport)]
                yield Gap(venue, ORDERS, self._context.now(), "simulated: some are missing")
            for each in self._link.scatter(batch, before):
                yield each
            before = [*before, *batch][-8:]
            if reached > after:
                after = reached
                yield Position(venue, ORDERS, str(after))
            else:
                await self._server.change(QUIET_SECONDS / 2)

    # --- At the venue -------------------------------------------------------------------------------------------------

    async def _arrive(self) -> int:
        """Somebody is there; the newest entry."""
        return self._server.state.sequence

    async def _list_markets(self) -> list[TradingRule]:
        return [
            TradingRule(
                f"{market.symbol}-{market.currency.name}",
                market.name,
                market.symbol,
                market.currency.name,
                price_scale=market.price_scale,
                unit_scale=market.unit.scale,
                cash_scale=market.currency.scale,
                unit_increment=market.increment,
            )
            for market in self._server.state.markets.values()
        ]

    async def _place_all(self, orders: Sequence[Order], asked_at: int) -> list[Observation]:
        found: list[Observation] = []
        for order in orders:
            try:
                found += await self._place(order, asked_at, SUBMIT)
            except Refused as error:
                now = self._context.now()
                found.append(Refusal(self._context.venue, order.client_id, "", now, SUBMIT, error.code, error.detail))
        return found

    async def _place(self, order: Order, asked_at: int, origin: int) -> list[Observation]:
        answer = await self._server.ask(self._command(order))
        if isinstance(answer, Accepted | Exists):
            found = self._words.of_order(*self._order(answer.number), asked_at, origin, order.client_id)
            venue = self._context.venue
            return [OrderReport(venue, order.client_id, order_id(answer.number), asked_at, origin, PLACED), *found]
        if answer.code in (*UNAVAILABLE, OUTCOME_UNKNOWN, EXISTS_WITH_DIFFERENT_TERMS):
            raise Ambiguous(answer.code)
        raise Refused(answer.code, answer.detail)

    async def _probe(self, order: Order, asked_at: int) -> list[Observation]:
        """Whether it arrived, asked so that it never will if it has not (dialects/sophic/connector.py)."""
        server, context = self._server, self._context
        account = server.state.account_named[ACCOUNT].number
        probe = PlaceOrder(account, 0, 0, MARKET_ORDER, 0, 0, order.client_id, PROBE, by="client")
        answer = await server.ask(probe)
        if isinstance(answer, RefusedAnswer) and answer.code == UNKNOWN_MARKET:
            return [Refusal(context.venue, order.client_id, "", context.now(), ANSWER, "never_arrived")]
        if isinstance(answer, RefusedAnswer) and answer.code == EXISTS_WITH_DIFFERENT_TERMS:
            try:
                return await self._place(order, asked_at, ANSWER)
            except Refused as error:
                return [Refusal(context.venue, order.client_id, "", context.now(), ANSWER, error.code)]
        raise Ambiguous("simulated: the answer does not say whether it arrived")

    async def _look_for(self, order: Order, asked_at: int) -> list[Observation]:
        known = self._server.known(self._command(order))
        if known.refused is not None:
            return [Refusal(self._context.venue, order.client_id, "", self._context.now(), ANSWER, known.refused.code)]
        if not known.order:
            raise NotThere("not_found")
        return await self._look(known.order, asked_at, order.client_id)

    async def _look(self, number: int, asked_at: int, client_id: str = "") -> list[Observation]:
        return self._words.of_order(*self._order(number), asked_at, ANSWER, client_id)

    async def _list(self, asked_at: int) -> list[Observation]:
        """The account's open orders; where the stream may lose something, those that are over too."""
        state = self._server.state
        account = state.account_named[ACCOUNT].number
        found: list[Observation] = []
        for number in range(1, state.orders_made + 1):
            order, trades = self._order(number)
            if order.account == account and not (self._habits.resumes and is_closed(order.status)):
                found += self._words.of_order(order, trades, asked_at, SNAPSHOT, "")
        return found

    async def _cancel_all(self, orders: Sequence[Order]) -> list[Observation]:
        return [await self._cancel(order) for order in orders]

    async def _cancel(self, order: Order) -> CancelReport:
        number = order_number(order.venue_id)
        answer = await self._server.ask(CancelOrders((number,), by="client"))
        outcome, reason = REFUSED, answer.code if isinstance(answer, RefusedAnswer) else "order_closed"
        if reason in (*UNAVAILABLE, OUTCOME_UNKNOWN):
            raise Ambiguous(reason)
        if isinstance(answer, Accepted) and self._order(number)[0].status == CANCELLED:
            outcome, reason = DONE, ""
        now = self._context.now()
        return CancelReport(self._context.venue, order.client_id, order.venue_id, now, ANSWER, outcome, reason)

    def _news(self, after: int) -> tuple[list[Observation], int]:
        """What the stream says of the entries after ``after``, and the last of them. Raises Ambiguous."""
        try:
            account = self._server.state.account_named[ACCOUNT].number
            entries = self._server.entries(account_key(account), after)
            found = [each for entry in entries for each in self._words.of_entry(entry, account, self._order)]
        except Gone:
            raise Ambiguous("simulated: the venue died") from None
        return found, entries[-1].sequence if entries else after

    # --- Words --------------------------------------------------------------------------------------------------------

    async def _carry(self, request: Callable[[], Coroutine[Any, Any, T]]) -> T:
        if self.is_dead:
            raise Ambiguous("simulated: this process is dead")
        found = await self._link.carry(request)
        if self.is_dead:
            raise Ambiguous("simulated: this process is dead")
        return found

    def _command(self, order: Order) -> PlaceOrder:
        """What is asked of the venue for it, always the same."""
        terms, state = order.terms, self._server.state
        market = next(
            each for each in state.markets.values() if f"{each.symbol}-{each.currency.name}" == order.market.name
        )
        account = state.account_named[ACCOUNT].number
        said = f"{terms.side} {terms.kind} {terms.size} {market.number}"
        return PlaceOrder(
            account,
            market.number,
            terms.side,
            terms.order_type,
            terms.kind,
            terms.size,
            order.client_id,
            said,
            by="client",
        )

    def _order(self, number: int) -> tuple[VenueOrder, list[Trade]]:
        found = self._server.order(number)
        if found is None:
            raise NotThere("not_found")
        return found

    @property
    def _words(self) -> Translation:
        return Translation(
            self._context.venue,
            self._server.state.markets,
            self._habits.names_client_ids,
            self._habits.skew_us,
        )

    @property
    def _context(self) -> Context:
        assert self._entered is not None, "it was not entered"
        return self._entered
