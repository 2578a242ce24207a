"""The connector to a Sophic venue (specs/sophic.md): market orders, cash for buys, units for sells, no cancel.

*Placing* sends the client order id as Idempotency-Key. *Following* polls ``/events`` from the stored position: an event
is only a hint; the order it is about is retrieved, and that alone counts. Webhooks say when to look (webhook_receiver).

*Did it arrive?* The venue shows an order without its key, so a request without an answer cannot be looked for. It is
asked in a way that never places anything: the same key is sent with an order for an instrument that does not exist.

- 409: the key was used, so the order arrived. The same request under the same key is then answered as it was the first
  time (``Idempotent-Replayed``), with its id or its refusal.
- The refusal that there is no such instrument: the order has not arrived. If a second question is answered by the same
  refusal, replayed, the key is burnt: the order will never arrive either, however late its request. It has failed.

So nothing is placed late, and the answer is certain. It holds while the venue keeps keys (24 hours). Of an older order
only a list can tell: it is not there, or something like it is, which proves nothing.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from tallystick.connect.errors import NotThere, Refused, Unreadable, VenueError
from tallystick.connect.http import Answer, HttpSession, OpenHttp, decoded
from tallystick.connect.port import CASH_BUYS, ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.amounts import render
from tallystick.core.lifecycle import PLACED
from tallystick.dialects.sophic.connector_reports import (
    SeenEvent,
    SeenId,
    SeenInstrument,
    SeenOrder,
    SeenTrade,
    in_order,
    reports_of,
    rule_of,
    time_of,
)
from tallystick.dialects.sophic.connector_session import PAGE, SophicSession, check, error_of, is_error, query, read
from tallystick.dialects.sophic.webhook_receiver import POLL_BESIDE_WEBHOOKS_SECONDS, POLL_SECONDS, Nudges
from tallystick.dialects.sophic.webhook_registration import Hooks
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import BUY
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    CancelReport,
    FillReport,
    Gap,
    Observation,
    OpenOrders,
    OrderReport,
    Position,
    Refusal,
)

KEYS_KEPT_US: Final = 23 * 3_600_000_000
LIST_MARGIN_US: Final = 600_000_000
"""How much further back than our oldest open order a list is read: the venue's clock is not ours."""
TRADES_KNOWN_MAX: Final = 10_000
NOWHERE: Final = "ins_asked_whether_it_arrived"
NEVER_ARRIVED: Final = "never_arrived"
NO_INSTRUMENT: Final = "not_found"
KEY_USED: Final = "idempotency_key_reused"
REPLAYED: Final = "idempotent-replayed"
RULE_REFUSALS: Final = frozenset({"invalid_request", "instrument_not_trading", "not_found"})

_log = logging.getLogger(__name__)


class RefusedThen(Refused):
    """The first answer to the request, given again: it was refused."""


class SophicConnector:
    """See Connector. ``url`` is the venue's base; ``account`` the id of the one account that is traded.

    ``webhook`` is where to listen, a host and a port, and the URL that leads there from the venue: registered, unless
    ``webhook_secrets`` are given (``whsec_…``; ValueError for what is none). It polls less often then.
    """

    def __init__(
        self,
        *,
        url: str,
        client_id: str,
        client_secret: str,
        account: str,
        name: str = "",
        poll_seconds: float | None = None,
        requests_per_second: float = 200.0,
        webhook: tuple[str, int, str] | None = None,
        webhook_secrets: Sequence[str] = (),
        open_http: OpenHttp = HttpSession,
    ) -> None:
        poll_seconds = poll_seconds or (POLL_SECONDS if webhook is None else POLL_BESIDE_WEBHOOKS_SECONDS)
        self.name: Final = name or f"sophic/{account}"
        self.capabilities: Final = Capabilities(
            buy_kinds=CASH_BUYS,
            can_cancel=False,
            resumes=True,
            client_id_max=64,
            quiet_seconds=max(30.0, poll_seconds * 10),
            rule_refusals=RULE_REFUSALS,
            requests_per_second=requests_per_second,
            burst=max(1.0, requests_per_second),
        )
        self._url: Final = url
        self._credentials: Final = (client_id, client_secret)
        self._open_http: Final = open_http
        self._orders_path: Final = f"/accounts/{account}/orders"
        self._poll_seconds: Final = poll_seconds
        self._nudges: Final = Nudges()
        self._hooks: Final = None if webhook is None else Hooks(*webhook, self._nudges, webhook_secrets)
        self._names: Final[dict[str, str]] = {}  # of markets, by instrument
        self._instruments: Final[dict[str, str]] = {}  # by name of market
        self._order_of_trade: Final[OrderedDict[str, str]] = OrderedDict()
        self._session: SophicSession | None = None
        self._entered: Context | None = None

    async def start(self) -> None:
        self._session = self._session or SophicSession(self._url, *self._credentials, self._open_http)
        await self._session.sign_in()
        if self._hooks is not None:
            await self._hooks.start(self._session)

    async def close(self) -> None:
        if self._session is not None:
            if self._hooks is not None:
                await self._hooks.close(self._session)
            await self._session.close()
            self._session = None

    async def markets(self) -> Sequence[TradingRule]:
        rules: list[TradingRule] = []
        after = ""
        while True:
            page = await self._here.get(f"/instruments?{query(starting_after=after)}", list[msgspec.Raw])
            rules += [rule for rule in map(self._rule, page) if rule is not None]
            if len(page) < PAGE:
                return rules
            after = decoded(page[-1], SeenId).id

    def enter(self, context: Context) -> None:
        self._entered = context

    def identify(self, order: Order) -> str:
        return ""

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        (order,) = orders
        return await self._place(order, SUBMIT)

    async def cancel(self, orders: Sequence[Order]) -> Sequence[CancelReport]:
        raise Refused("cancel_not_supported", "a Sophic venue has no call to cancel an order")

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        if not order.venue_id:
            return await self._ask_whether_it_arrived(order)
        return await self._retrieve(order.venue_id, ANSWER)

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        return await self.fetch_order(order)

    async def open_orders(self) -> OpenOrders:
        context = self._context
        asked_at = context.now()
        since = context.oldest_open() - LIST_MARGIN_US
        reports: list[OrderReport] = []
        fills: list[FillReport] = []
        for seen in await self._listed(since):
            try:
                report, made = reports_of(seen, self._market(seen), "", asked_at, SNAPSHOT)
            except Unreadable:
                if context.is_ours(seen.id):
                    raise
                continue  # another's, of something that we know nothing of
            reports.append(report)
            fills += made
        return OpenOrders(context.venue, asked_at, reports, fills, fills_complete=False)

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        """``position`` is the id of the newest event that was dealt with."""
        context = self._context
        if not position:
            newest = await self._here.get(f"/events?{query(limit=1)}", list[SeenEvent])
            position = newest[0].id if newest else ""
            yield Position(context.venue, ORDERS, position)
        while True:
            served = self._nudges.begin()
            try:
                events, is_whole = await self._events(position)
            except Refused as error:
                if isinstance(error, NotThere) or error.code != "invalid_request":
                    raise
                yield Gap(context.venue, ORDERS, context.now(), "the venue no longer knows the position")
                position = ""
                continue
            yield Live()
            if not is_whole:
                yield Gap(context.venue, ORDERS, context.now(), "more events than one page at the beginning")
            orders = await self._orders_of(events)
            for at in range(0, len(orders), self.capabilities.at_once_max):
                for each in await self._retrieve_all(orders[at : at + self.capabilities.at_once_max]):
                    yield each
            if events:
                position = events[-1].id
                yield Position(context.venue, ORDERS, position)
            if len(events) < PAGE:
                await self._nudges.done(served, context.durable)
                await self._nudges.wait(self._poll_seconds)
            await context.turn()

    # --- Placing ------------------------------------------------------------------------------------------------------

    async def _place(self, order: Order, origin: int) -> Sequence[Observation]:
        market = order.market
        instrument = self._instruments.get(market.name)
        if instrument is None:
            raise VenueError(f"{market.name} is not listed any more")
        asked_at = self._context.now()
        answer = await self._post(order, instrument)
        if answer.status in (400, 403) and answer.headers.get(REPLAYED) == "true":
            raise RefusedThen(*error_of(answer))
        seen = read(check(answer), SeenOrder)
        report, fills = reports_of(seen, market, order.client_id, asked_at, origin)
        # That it was accepted is what a 201 says, however much further the order is by then.
        accepted = OrderReport(market.venue, order.client_id, seen.id, asked_at, origin, PLACED)
        return [accepted, *in_order(report, fills)]

    async def _repeat(self, order: Order) -> Sequence[Observation]:
        """What the venue answered to a request that is known to have arrived."""
        try:
            accepted, *_then = await self._place(order, ANSWER)
        except RefusedThen as error:
            return [self._refusal(order, error.code, error.detail)]
        # That is the first answer: what has become of the order since, which no event may tell any more, is asked for.
        await self._context.turn()
        return [accepted, *await self._retrieve(accepted.venue_id, ANSWER)]

    async def _post(self, order: Order, instrument: str) -> Answer:
        terms, market = order.terms, order.market
        body = {"instrument": instrument, "order_type": "market"}
        if terms.side == BUY:
            body |= {"side": "buy", "cash_amount": render(terms.size, market.cash_scale)}
        else:
            body |= {"side": "sell", "quantity": render(terms.size, market.unit_scale)}
        return await self._here.request(
            "POST", self._orders_path, headers={"idempotency-key": order.client_id}, body=body
        )

    async def _ask_whether_it_arrived(self, order: Order) -> Sequence[Observation]:
        """See the top of this file."""
        context = self._context
        if context.now() - order.made > KEYS_KEPT_US:
            return await self._look_for(order)
        answer = await self._post(order, NOWHERE)
        if is_error(answer, 400, NO_INSTRUMENT) and answer.headers.get(REPLAYED) != "true":
            await context.turn()
            answer = await self._post(order, NOWHERE)
        if is_error(answer, 409, KEY_USED):
            await context.turn()
            return await self._repeat(order)
        if is_error(answer, 400, NO_INSTRUMENT) and answer.headers.get(REPLAYED) == "true":
            return [self._refusal(order, NEVER_ARRIVED, "the request has not reached the venue, and never will")]
        check(answer)
        raise Unreadable("the venue's answer does not say whether the order arrived")

    async def _look_for(self, order: Order) -> Sequence[Observation]:
        """Raises NotThere if there is nothing that could be the order."""
        terms, market = order.terms, order.market
        buy = terms.side == BUY
        size = render(terms.size, market.cash_scale if buy else market.unit_scale)
        for seen in await self._listed(order.made - LIST_MARGIN_US):
            alike = seen.cash_amount == size if buy else seen.quantity == size
            if alike and self._names.get(seen.instrument_id) == market.name and not self._context.is_ours(seen.id):
                return []
        raise NotThere("not_found", "no order is like it")

    def _refusal(self, order: Order, code: str, detail: str) -> Refusal:
        return Refusal(self._context.venue, order.client_id, "", self._context.now(), ANSWER, code, detail)

    # --- Reading ------------------------------------------------------------------------------------------------------

    async def _retrieve(self, order_id: str, origin: int) -> list[Observation]:
        asked_at = self._context.now()
        seen = await self._here.get(f"{self._orders_path}/{order_id}", SeenOrder)
        for trade in seen.trades:
            self._remember(trade.id, seen.id)
        return in_order(*reports_of(seen, self._market(seen), "", asked_at, origin))

    async def _retrieve_all(self, order_ids: Sequence[str]) -> list[Observation]:
        """What there is of these orders, asked for at the same time."""
        found: list[Observation] = []
        answers = await asyncio.gather(*map(self._retrieve_hinted, order_ids), return_exceptions=True)
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            found += answer
        return found

    async def _retrieve_hinted(self, order_id: str) -> list[Observation]:
        await self._context.turn()
        try:
            return await self._retrieve(order_id, STREAM)
        except NotThere:  # of another account of the same client
            return []
        except Unreadable as error:  # the others' events still count; the tracker asks for this one again
            _log.error("%s: order %s was passed over: %s", self.name, order_id, error)
            return []

    async def _listed(self, since: int) -> list[SeenOrder]:
        """All orders of the account that were made at ``since`` (microseconds) or later, newest first."""
        found: list[SeenOrder] = []
        after = ""
        while True:
            page = await self._here.get(f"{self._orders_path}?{query(starting_after=after)}", list[msgspec.Raw])
            orders = [each for each in map(self._readable, page) if each is not None]
            times = [time_of(each.created_at) for each in orders]
            found += [each for each, time in zip(orders, times, strict=True) if time >= since]
            if len(page) < PAGE or (times and times[-1] < since):
                return found
            after = decoded(page[-1], SeenId).id
            await self._context.turn()

    def _readable(self, raw: msgspec.Raw) -> SeenOrder | None:
        """An order of a list; None if it is another's and cannot be read. Raises Unreadable if it is ours."""
        try:
            return decoded(raw, SeenOrder)
        except Unreadable:
            if self._context.is_ours(decoded(raw, SeenId).id):
                raise
            return None

    async def _events(self, position: str) -> tuple[list[SeenEvent], bool]:
        """(what came next after the position, oldest first; whether nothing before it is missing)."""
        page = await self._here.get(f"/events?{query(ending_before=position)}", list[SeenEvent])
        return page[::-1], bool(position) or len(page) < PAGE

    async def _orders_of(self, events: Sequence[SeenEvent]) -> list[str]:
        """The orders that the events are about, each once, in order."""
        found: dict[str, None] = {}
        for event in events:
            resource = event.resource
            if resource.resource_type == "order":
                found[resource.id] = None
            elif resource.resource_type == "trade":
                order_id = self._order_of_trade.get(resource.id)
                if order_id is None:
                    await self._context.turn()
                    order_id = (await self._here.get(f"/trades/{resource.id}", SeenTrade)).order
                    self._remember(resource.id, order_id)
                found[order_id] = None
        return list(found)

    def _remember(self, trade_id: str, order_id: str) -> None:
        self._order_of_trade[trade_id] = order_id
        if len(self._order_of_trade) > TRADES_KNOWN_MAX:
            self._order_of_trade.popitem(last=False)

    def _rule(self, raw: msgspec.Raw) -> TradingRule | None:
        """An instrument as a market; None if it cannot be read, which is shown: the others can be traded."""
        try:
            seen = decoded(raw, SeenInstrument)
            return rule_of(seen, self._name(seen))
        except Unreadable as error:
            _log.error("%s: an instrument is left out: %s", self.name, error)
            return None

    def _name(self, instrument: SeenInstrument) -> str:
        """ACME-USD; the instrument's own id where another one has that name."""
        name = f"{instrument.symbol}-{instrument.trading_currency}"
        if self._instruments.setdefault(name, instrument.id) != instrument.id:
            name = instrument.id
            self._instruments[name] = instrument.id
        self._names[instrument.id] = name
        return name

    def _market(self, seen: SeenOrder) -> MarketListed:
        market = self._context.market(self._names.get(seen.instrument_id, ""))
        if market is None:
            raise Unreadable(f"order {seen.id} is for the unlisted instrument {seen.instrument_id!r}")
        return market

    @property
    def _here(self) -> SophicSession:
        assert self._session is not None, "it was not started"
        return self._session

    @property
    def _context(self) -> Context:
        assert self._entered is not None, "it was not entered"
        return self._entered
