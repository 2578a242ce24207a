"""The connector to a Bluefin exchange (specs/bluefin.md): limit, market and conditional orders, cancels, leverage.

*Placing.* The exchange only acknowledges: it has the request, and tells by its stream what became of it. An order's
hash is known before the request leaves. A signature is as old as the intent: an order that has waited for too long to
be sent has failed, and none is ever signed a second time, so whatever is sent twice has one hash, of which the exchange
takes one.

*Following.* The stream repeats nothing and numbers nothing, so each new beginning is a Gap. There is no call for one
order either: what is open and what stands by are listed, in this order, for an order may go from standing by to being
open between the two, and never back. What is in no list is over. Two looks at least two seconds apart end it, with the
account's trades: all of it is filled, or it is cancelled if there was any sign of life, else it was refused.

*Did it arrive?* A request without an acknowledgement may come late, but an old signature is refused: from then on what
is in no list is over as well.
"""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tallystick.connect.errors import Ambiguous, NotSent, NotThere, Refused, Unreadable
from tallystick.connect.http import HttpAndSockets, HttpSession, decoded
from tallystick.connect.port import ORDERS, Capabilities, Context, Live, Order, StreamItem
from tallystick.connect.trading_rules import TradingRule, integer
from tallystick.core.lifecycle import SUBMITTED, UNKNOWN
from tallystick.dialects.bluefin.connector_cancels import Cancellable, Cancels
from tallystick.dialects.bluefin.connector_lists import Lists, is_of
from tallystick.dialects.bluefin.connector_orders import (
    Terms,
    fields_of,
    hash_of,
    request_for_leverage,
    request_to_place,
    stands_by,
)
from tallystick.dialects.bluefin.connector_reports import (
    ALL_ON_MARKET,
    Reader,
    SeenAccount,
    SeenFrame,
    SeenHash,
    SeenInfo,
    SeenOrderUpdate,
    SeenPosition,
    SeenSubscription,
    SeenTradeUpdate,
    e9,
    rule_of,
    spelt,
)
from tallystick.dialects.bluefin.connector_session import ACCOUNT, TRADE, Addresses, BluefinSession, check, wall_us
from tallystick.dialects.bluefin.hashes import bare_hash
from tallystick.dialects.bluefin.trade_wire import CANCELLED_HASHES_MAX, OrderFields
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.dialects.bluefin.wire import E9_SCALE
from tallystick.facts.client_codes import BY_FILLS
from tallystick.facts.codes import LIMIT_ORDER, MARKET_ORDER
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    CancelReport,
    Gap,
    NotFound,
    Observation,
    OpenOrders,
    OrderReport,
)

REQUESTS_PER_SECOND: Final = 5000 / 60
SIGNED_WITHIN_SECONDS: Final = 60.0
SENT_WITHIN_SHARE: Final = 0.75
"""Of the time for which a signature counts, so much may pass before it is sent."""
LIVES_SECONDS: Final = 30 * 86_400.0
ABSENT_US: Final = 2_000_000
LATE_SHARE: Final = 1 / 6
"""So much longer than its signature counts a request is given to have been decided."""
SUBSCRIBE_SECONDS: Final = 10.0
LIVE_SECONDS: Final = 5.0
STANDBY: Final = "STANDBY"
NOT_LISTED: Final = "it is in no list"
PREPARED_MAX: Final = 10_000
STREAMS: Final = (
    "AccountOrderUpdate",
    "AccountTradeUpdate",
    "AccountPositionUpdate",
    "AccountCommandFailureUpdate",
)
RULE_REFUSALS: Final = frozenset(
    {
        "INVALID_SYMBOL",
        "INVALID_LEVERAGE",
        "MARKET_NOT_TRADING",
        "PRICE_OUT_OF_BOUND",
        "PRICE_OUT_OF_TICK_SIZE",
        "QUANTITY_OUT_OF_BOUND",
        "QUANTITY_OUT_OF_STEP_SIZE",
    }
)

_log = logging.getLogger(__name__)


class BluefinConnector:
    """See Connector. ``url`` is the exchange's base; where its services have bases of their own, ``auth_url``,
    ``trade_url`` and ``stream_url`` are those that differ.

    ``wallet`` signs: a Wallet, or its secret as a text (ValueError for what is none). It trades for ``account``, its
    own unless that has authorised it. ``leverage`` is by market, and the market's default for others; a position's own
    comes before both. An order that rests expires after ``lives_seconds``; ``signed_within_seconds`` is for how long
    the exchange takes a signature.
    """

    def __init__(
        self,
        *,
        url: str,
        wallet: Wallet | str,
        account: str = "",
        auth_url: str = "",
        trade_url: str = "",
        stream_url: str = "",
        name: str = "",
        leverage: Mapping[str, Decimal] | None = None,
        lives_seconds: float = LIVES_SECONDS,
        signed_within_seconds: float = SIGNED_WITHIN_SECONDS,
        requests_per_second: float = REQUESTS_PER_SECOND,
        open_http: Callable[[str], HttpAndSockets] = HttpSession,
        now: Callable[[], int] = wall_us,
    ) -> None:
        self._wallet: Final = Wallet.from_text(wallet) if isinstance(wallet, str) else wallet
        self._account: Final = account.lower() or self._wallet.address
        self.name: Final = name or f"bluefin/{self._account}"
        self.capabilities: Final = Capabilities(
            order_types=(MARKET_ORDER, LIMIT_ORDER),
            completion=BY_FILLS,
            lost_after_us=10_000_000,
            absent_lists=2,
            absent_us=ABSENT_US,
            cancel_batch_max=CANCELLED_HASHES_MAX,
            cancels_foreign=True,
            client_id_max=36,
            requests_per_second=requests_per_second,
            burst=max(1.0, requests_per_second * 2),
            rule_refusals=RULE_REFUSALS,
        )
        self._addresses: Final = Addresses(auth_url or url, url, trade_url or url, stream_url or url)
        self._wanted: Final = {market: integer(each, E9_SCALE) for market, each in (leverage or {}).items()}
        self._held: Final[dict[str, int]] = {}  # leverages, as the exchange tells them
        self._defaults: Final[dict[str, int]] = {}
        self._lives_ms: Final = int(lives_seconds * 1000)
        self._signed_us: Final = int(signed_within_seconds * 1_000_000)
        self._open_http: Final = open_http
        self._now: Final = now
        self._ids_id = ""
        self._prepared: Final[OrderedDict[str, OrderFields]] = OrderedDict()  # orders that were not sent yet
        self._listed: dict[str, Cancellable] = {}  # by hash
        self._cancelled_all: Final[set[str]] = set()  # markets of which a list is awaited
        self._session: BluefinSession | None = None
        self._entered: Context | None = None
        self._parts: tuple[Reader, Lists, Cancels] | None = None

    async def start(self) -> None:
        if self._session is None:
            self._session = BluefinSession(self._addresses, self._wallet, self._account, self._open_http, self._now)
        await self._learn()  # the clocks, before anything is signed
        await self._session.sign_in()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def markets(self) -> Sequence[TradingRule]:
        info = await self._learn()
        if self._entered is not None:
            await self._entered.turn()
        try:
            account = await self._here.get(ACCOUNT, SeenAccount)
        except NotThere:  # nothing was paid in yet
            account = SeenAccount([])
        for position in account.positions:
            self._held[position.symbol] = e9(position.client_set_leverage_e9)
        currency = info.assets[0].symbol if info.assets else ""
        return [rule_of(market, currency) for market in info.markets]

    def enter(self, context: Context) -> None:
        self._entered = context
        reader = Reader(context, self._here.clock)
        self._parts = reader, Lists(self._here, context, reader), Cancels(self._here, context)

    def identify(self, order: Order) -> str:
        fields = self._fields(order)
        self._prepared[order.client_id] = fields
        if len(self._prepared) > PREPARED_MAX:
            self._prepared.popitem(last=False)
        return hash_of(fields)

    async def place(self, orders: Sequence[Order]) -> Sequence[Observation]:
        (order,) = orders
        context = self._context
        fields = self._prepared.pop(order.client_id, None)
        if fields is None or context.now() - order.made > self._signed_us * SENT_WITHIN_SHARE:
            raise NotSent("it waited for so long that its signature is too old")
        body = request_to_place(order, fields, self._wallet)
        asked_at = context.now()
        answer = check(await self._here.request("POST", f"{TRADE}/orders", body))
        venue_id = bare_hash(decoded(answer.body, SeenHash).order_hash)
        if venue_id != order.venue_id:
            _log.error("%s: the exchange calls order %s %s", self.name, order.venue_id, venue_id)
        return [OrderReport(context.venue, order.client_id, venue_id, asked_at, SUBMIT, SUBMITTED)]

    async def cancel(self, orders: Sequence[Order]) -> Sequence[CancelReport]:
        return await self._cancels.orders(
            [Cancellable(order.market.name, stands_by(order), order.venue_id) for order in orders]
        )

    async def cancel_foreign(self, venue_ids: Sequence[str]) -> Sequence[CancelReport]:
        """Those of the last list; of others the exchange would have to be told the market."""
        context = self._context
        listed = [self._listed[each] for each in venue_ids if each in self._listed]
        unlisted = [each for each in venue_ids if each not in self._listed]
        reports = await self._cancels.orders(listed) if listed else []
        return [
            *reports,
            *(CancelReport(context.venue, "", each, context.now(), ANSWER, UNKNOWN, NOT_LISTED) for each in unlisted),
        ]

    async def fetch_order(self, order: Order) -> Sequence[Observation]:
        """What is in a list is open. What is in none has had all the fills that are given with it."""
        context = self._context
        asked_at = context.now()
        rows = [row for row in await self._lists.orders(order.market.name) if is_of(order, row)]
        await context.turn()
        fills = await self._lists.fills(order, ANSWER)
        if rows:
            return [*(self._read.row(row, asked_at, ANSWER) for row in rows), *fills]
        found: list[Observation] = [*fills]
        decided_at = order.made + self._signed_us + max(ABSENT_US, int(self._signed_us * LATE_SHARE))
        if decided_at < asked_at:
            found.append(OrderReport(context.venue, order.client_id, "", decided_at, ANSWER, SUBMITTED))
        is_complete = self._lists.reach(order.made)
        found.append(NotFound(context.venue, order.client_id, order.venue_id, asked_at, ANSWER, is_complete))
        return found

    async def fetch_fills(self, order: Order) -> Sequence[Observation]:
        return await self._lists.fills(order, ANSWER)

    async def open_orders(self) -> OpenOrders:
        context = self._context
        asked_at = context.now()
        self._cancelled_all.clear()
        since = context.oldest_open()
        rows = await self._lists.orders("")
        await context.turn()
        fills = await self._lists.all_fills(since, SNAPSHOT)
        self._listed = {
            bare_hash(row.order_hash): Cancellable(row.symbol, spelt(row.status) == STANDBY, bare_hash(row.order_hash))
            for row in rows
        }
        reports = [self._read.row(row, asked_at, SNAPSHOT) for row in rows]
        return OpenOrders(context.venue, asked_at, reports, fills, fills_complete=self._lists.reach(since))

    async def stream(self, position: str) -> AsyncIterator[StreamItem]:
        """It repeats nothing: whatever ``position`` is, it is of now."""
        socket = await self._here.socket()
        try:
            await socket.send(msgspec.json.encode({"method": "Subscribe", "dataStreams": STREAMS}).decode())
            answer = await socket.receive(SUBSCRIBE_SECONDS)
            if answer is None:
                raise Ambiguous("the subscription was not answered")
            subscribed = decoded(answer, SeenSubscription)
            if not subscribed.success:
                raise Refused("subscription_refused", subscribed.message)
            yield Live()
            while True:
                text = await socket.receive(LIVE_SECONDS)
                if text is None:
                    yield Live()
                else:
                    for item in self._told(text):
                        yield item
        finally:
            await socket.close()

    # --- Beside the port ----------------------------------------------------------------------------------------------

    async def cancel_market(self, market: str) -> None:
        """Ask for everything to be cancelled that the account has in the market, whoever made it. Raises VenueError."""
        await self._cancels.market(market)

    async def change_leverage(self, market: str, leverage: Decimal) -> None:
        """For the market's position and its next orders; its open orders are cancelled. Raises VenueError.

        The exchange only acknowledges this too; what it refuses is logged, and orders are refused INVALID_LEVERAGE.
        """
        session, at = self._here, self._now()
        terms = self._terms(at, integer(leverage, E9_SCALE))
        body = request_for_leverage(self._wallet, terms, market, f"{market} {at}")
        check(await session.request("PUT", f"{TRADE}/leverage", body))
        self._held[market] = terms.leverage

    # --- What is told -------------------------------------------------------------------------------------------------

    def _told(self, text: str) -> list[StreamItem]:
        """What a frame says. What cannot be read may have been about anything."""
        context = self._context
        try:
            frame = decoded(text, SeenFrame)
            if frame.event == "AccountOrderUpdate":
                return self._update(decoded(frame.payload, SeenOrderUpdate))
            if frame.event == "AccountTradeUpdate":
                fill = self._read.fill(decoded(frame.payload, SeenTradeUpdate).trade, STREAM)
                return [] if fill is None else [fill]
            if frame.event == "AccountPositionUpdate":
                position = decoded(frame.payload, SeenPosition)
                self._held[position.symbol] = e9(position.client_set_leverage_e9)
            elif frame.event == "AccountCommandFailureUpdate":
                _log.error("%s: it was refused: %s", self.name, bytes(frame.payload).decode(errors="replace")[:500])
                self._held.clear()
        except Unreadable as error:
            _log.error("%s: a frame was passed over: %s", self.name, error)
            return [Gap(context.venue, ORDERS, context.now(), "a frame that cannot be read")]
        return []

    def _update(self, update: SeenOrderUpdate) -> list[StreamItem]:
        """One order of a market that is cancelled as a whole may stand for all: then what is left is listed, once."""
        told = self._read.update(update)
        found: list[StreamItem] = [] if told is None else [told]
        is_bulk = spelt(update.cancellation_reason or "") in ALL_ON_MARKET
        if is_bulk and update.symbol not in self._cancelled_all:
            self._cancelled_all.add(update.symbol)
            context = self._context
            found.append(Gap(context.venue, ORDERS, context.now(), f"all was cancelled on {update.symbol[:40]}"))
        return found

    # --- What is signed -----------------------------------------------------------------------------------------------

    async def _learn(self) -> SeenInfo:
        """The exchange's clocks, the id that orders are signed for, its markets."""
        info = await self._here.info(SeenInfo)
        self._ids_id = info.contracts_config.ids_id
        self._defaults.update({market.symbol: e9(market.default_leverage_e9) for market in info.markets})
        return info

    def _fields(self, order: Order) -> OrderFields:
        market = order.market.name
        leverage = self._held.get(market) or self._wanted.get(market) or self._defaults.get(market, 10**E9_SCALE)
        return fields_of(order, self._terms(order.made, leverage))

    def _terms(self, at: int, leverage: int) -> Terms:
        session = self._here
        ends = session.venue_millis(at) + self._lives_ms
        return Terms(self._account, self._ids_id, leverage, session.signed_at_millis(at), ends)

    @property
    def _here(self) -> BluefinSession:
        assert self._session is not None, "it was not started"
        return self._session

    @property
    def _context(self) -> Context:
        assert self._entered is not None, "it was not entered"
        return self._entered

    @property
    def _read(self) -> Reader:
        assert self._parts is not None, "it was not entered"
        return self._parts[0]

    @property
    def _lists(self) -> Lists:
        assert self._parts is not None, "it was not entered"
        return self._parts[1]

    @property
    def _cancels(self) -> Cancels:
        assert self._parts is not None, "it was not entered"
        return self._parts[2]
