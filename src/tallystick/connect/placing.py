"""From ``buy`` to the wire: checks, the durable intent, then the request, and what its outcome means for each order.

place ─▶ checks ─▶ intent decided ─▶ (durable) ─▶ queue ─▶ pacer ─▶ connector.place ─▶ observations
             └▶ refused: intent and refusal are decided together, and the order fails with a code
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from tallystick.connect.client_ids import ClientIds
from tallystick.connect.desk import VenueDesk
from tallystick.connect.errors import Ambiguous, NoSuchMarket, NotSent, RateLimited, Refused, VenueError, kept
from tallystick.connect.events import OrderType
from tallystick.connect.limits import KILLED
from tallystick.connect.pacer import PLACE, in_lane
from tallystick.connect.port import Order
from tallystick.connect.trading_rules import (
    MARKET_CLOSED,
    PRICE_REQUIRED,
    UNSUPPORTED_ORDER_TYPE,
    UNSUPPORTED_SIZE,
    Quantised,
    TradingRule,
    quantise,
)
from tallystick.core.lifecycle import SUBMITTED
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import BUY, LIMIT_ORDER, OVERLOADED, SIZE_KIND_NAMES
from tallystick.journal.faultpoint import fault_point
from tallystick.tracker.observations import SUBMIT, Observation, OrderReport, Place, Refusal, Unanswered

NOT_TRUSTED: Final = "venue_not_ready"
SILENT: Final = "silent"
NOT_SENT: Final = "not_sent"
ANSWER_SECONDS: Final = 60.0
TRAITS_MAX: Final = 16
NO_TRAITS: Final[Mapping[str, str]] = MappingProxyType({})

_log = logging.getLogger(__name__)


class Placing:
    """One venue's way out. ``without_trust``: orders are sent even while what is open there is not known."""

    def __init__(self, desk: VenueDesk, ids: ClientIds, *, without_trust: bool = False) -> None:
        self._desk: Final = desk
        self._ids: Final = ids
        self._without_trust: Final = without_trust
        self._queue: Final[asyncio.Queue[Order]] = asyncio.Queue()
        self.is_silent = False

    def place(
        self,
        side: int,
        market_name: str,
        amount: Decimal,
        order_type: OrderType,
        price: Decimal | None = None,
        size_kind: int = 0,
        traits: Mapping[str, str] = NO_TRAITS,
    ) -> str:
        """The new order's client id, at once; see Venue.buy."""
        if any(not isinstance(each, Decimal) for each in (amount, price) if each is not None):
            raise TypeError("an amount and a price are Decimals")
        if len(traits) > TRAITS_MAX:
            raise ValueError(f"an order has at most {TRAITS_MAX} traits")
        desk = self._desk
        market, rule = self._listed(market_name)
        kinds = desk.connector.capabilities.buy_kinds if side == BUY else desk.connector.capabilities.sell_kinds
        kind = size_kind or kinds[0]
        sizes = quantise(rule, market, kind, amount, price if order_type is not OrderType.MARKET else None)
        if rule.is_open and market_name not in desk.unlisted:
            code, detail = self._refusal(market, order_type, kind, kinds, sizes)
        else:
            code, detail = MARKET_CLOSED, f"{desk.name} takes no orders for {market_name} at the moment"
        client_id = self._ids.next()
        intent = Place(
            desk.number,
            client_id,
            market.market,
            side,
            order_type.value,
            kind,
            max(1, sizes.size),
            sizes.price,
            traits=tuple(traits.items()),
        )
        if code:
            desk.store.decide(intent)
            desk.observe([Refusal(desk.number, client_id, "", desk.now(), SUBMIT, code, detail)])
        else:
            self._intend(intent, market)
        return client_id

    def _listed(self, name: str) -> tuple[MarketListed, TradingRule]:
        desk = self._desk
        market, rule = desk.market(name), desk.rules.get(name)
        if market is None or rule is None:
            reached = "" if desk.rules else "; it was not reached yet"
            raise NoSuchMarket(f"{desk.name} lists no market {name!r}{reached}")
        return market, rule

    def run(self, group: asyncio.TaskGroup) -> None:
        """Send what is durable, several requests at a time."""
        for _ in range(self._desk.connector.capabilities.at_once_max):
            group.create_task(self._work())

    def _intend(self, intent: Place, market: MarketListed) -> None:
        desk = self._desk

        def send() -> None:
            self._queue.put_nowait(view)

        def never() -> None:
            desk.guard.closed(order.number)
            desk.under_way.discard(order.number)
            desk.queued.discard(order.number)
            desk.unsent.add(order.number)

        desk.store.decide(intent, send, never)
        order = desk.tracked.by_client[intent.client_id]
        desk.under_way.add(order.number)
        desk.queued.add(order.number)
        desk.guard.opened(order, market)
        desk.guard.placed(desk.now())
        view = desk.order_view(order)
        try:
            venue_id = kept(desk.connector.identify(view))
        except Exception as error:  # noqa: BLE001 - what has no id cannot be sent, and is said by the order's end
            _log.exception("%s: its connector failed at naming an order", desk.name)
            desk.queued.discard(order.number)
            desk.observe([self._refused(view, NOT_SENT, kept(f"{type(error).__name__}: {error}"))])
            return
        if venue_id:
            view = Order(view.terms, view.market, venue_id, view.made)
            # As of 0: that we know its id is no evidence that the venue has it.
            desk.observe([OrderReport(desk.number, intent.client_id, venue_id, 0, SUBMIT, SUBMITTED)])

    def _refusal(
        self, market: MarketListed, order_type: OrderType, kind: int, kinds: tuple[int, ...], sizes: Quantised
    ) -> tuple[str, str]:
        """(code, detail) of why the order is not sent; ("", "") if it is."""
        desk = self._desk
        if order_type.value not in desk.connector.capabilities.order_types:
            return UNSUPPORTED_ORDER_TYPE, f"{desk.name} takes no {order_type.name.lower()} orders"
        if kind not in kinds:
            taken = " or ".join(SIZE_KIND_NAMES[each] for each in kinds)
            return UNSUPPORTED_SIZE, f"the size of such an order is in {taken} at {desk.name}"
        if order_type.value == LIMIT_ORDER and not sizes.price and not sizes.code:
            return PRICE_REQUIRED, "a limit order has a price"
        if sizes.code:
            return sizes.code, sizes.detail
        code, detail = desk.guard.check(market, kind, sizes.size, sizes.price, desk.now())
        if code:
            return code, detail
        if desk.store.is_full:
            return OVERLOADED, "too much is waiting to be recorded"
        return self._bar()

    def _bar(self) -> tuple[str, str]:
        """(code, detail) of why nothing is sent at the moment; ("", "") while orders are."""
        desk = self._desk
        if desk.guard.killed:
            return KILLED, f"placing is switched off until it is allowed again: {desk.guard.killed}"
        if self.is_silent:
            return SILENT, "the strategy was silent for too long; placing goes on when it says that it is alive"
        if not (desk.is_trusted or self._without_trust):
            return NOT_TRUSTED, f"what is open at {desk.name} is not known at the moment"
        return "", ""

    # --- The way out --------------------------------------------------------------------------------------------------

    async def _work(self) -> None:
        most = self._desk.connector.capabilities.place_batch_max
        while True:
            orders = [await self._queue.get()]
            with in_lane(PLACE):
                try:
                    if not self._bar()[0]:
                        await self._desk.pacer.turn()
                    while len(orders) < most and not self._queue.empty():
                        orders.append(self._queue.get_nowait())
                    await self._send([order for order in orders if order.terms.order in self._desk.queued])
                finally:
                    numbers = [order.terms.order for order in orders]
                    self._desk.under_way.difference_update(numbers)
                    self._desk.queued.difference_update(numbers)

    async def _send(self, orders: Sequence[Order]) -> None:
        """Send them, unless something that has come to pass since they were intended is in the way."""
        if not orders:
            return
        desk = self._desk
        desk.queued.difference_update(order.terms.order for order in orders)
        code, detail = self._bar()
        if code:
            desk.observe([self._refused(order, code, detail) for order in orders])
            return
        fault_point("send.before")
        as_of = desk.now()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                said = desk.sound(await desk.connector.place(orders))
        except Exception as error:  # noqa: BLE001 - whatever a connector raises is about these orders alone
            said = [self._outcome(order, error, as_of) for order in orders]
        fault_point("send.after")
        told = {each.client_id for each in said if isinstance(each, (OrderReport, Refusal, Unanswered))}
        told_ids = {each.venue_id for each in said if isinstance(each, OrderReport) and not each.client_id}
        for order in orders:
            if order.client_id not in told and not (order.venue_id and order.venue_id in told_ids):
                said.append(Unanswered(desk.number, order.client_id, "", as_of, SUBMIT, "the answer does not name it"))
        desk.observe(said)

    def _outcome(self, order: Order, error: Exception, as_of: int) -> Observation:
        if isinstance(error, RateLimited):
            self._desk.pacer.pause(error.retry_after)
        if isinstance(error, NotSent):
            return self._refused(order, NOT_SENT, kept(error))
        if isinstance(error, Refused):
            return self._refused(order, error.code, error.detail)
        if not isinstance(error, (VenueError, TimeoutError)):
            _log.exception("%s: its connector failed at placing", self._desk.name, exc_info=error)
        reason = error.code if isinstance(error, Ambiguous) else type(error).__name__
        return Unanswered(self._desk.number, order.client_id, "", as_of, SUBMIT, kept(f"{reason}: {error}"))

    def _refused(self, order: Order, code: str, detail: str) -> Observation:
        return Refusal(self._desk.number, order.client_id, "", self._desk.now(), SUBMIT, code, detail)
