"""Hummingbot's ClientOrderTracker over our tracker: its names, its log lines, its times (specs/hummingbot.md §1.3).

    process_order_update ─┐             ┌▶ the order's fields (projection)
    process_trade_update ─┼▶ Book ─▶ entry ┼▶ events and log lines (narration), each said once
    process_order_not_found ┘           └▶ active, cached, lost

What is its own is policy, and stands here: how long a filled order waits for its fills or its word, when an order that
is denied counts as failed, and where an order is kept after its end.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from tallystick.core.lifecycle import FILLED, SUBMITTED
from tallystick.dialects.hummingbot import narration
from tallystick.dialects.hummingbot.book import Book, Followed
from tallystick.dialects.hummingbot.exchange_base import ConnectorBase
from tallystick.dialects.hummingbot.in_flight_order import InFlightOrder
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.dialects.hummingbot.orders_view import OrdersByExchangeId, OrdersView
from tallystick.dialects.hummingbot.projection import show_exchange_id, show_fill, show_state, show_update
from tallystick.dialects.hummingbot.timed_cache import TimedCache
from tallystick.facts import client_codes
from tallystick.facts.client import Announced, Entry
from tallystick.facts.client_codes import (
    AMBIGUOUS,
    CANCELLED,
    CERTAINTY_CHANGED,
    COMPLETED,
    CREATED,
    FAILED,
    LOST,
    QUARANTINE_CHANGED,
    UPDATED,
)

FINAL_STATES: Final = frozenset({"CANCELED", "FILLED", "FAILED"})


class ClientOrderTracker:
    """All orders of one connector. For one event loop's thread.

    An order is active until its end is told, then cached for CACHED_ORDER_TTL seconds, and found by its ids, for fills
    that come late, for LATE_FILLS_TTL more. It is lost after more than ``lost_order_count_limit`` denials in a row.
    """

    MAX_CACHE_SIZE = 1000
    CACHED_ORDER_TTL = 30.0
    TRADE_FILLS_WAIT_TIMEOUT = 5.0
    """Seconds for which an order that is said to be filled waits for its fills, and one that is full for the word."""
    LATE_FILLS_TTL = 300.0

    @classmethod
    def logger(cls) -> logging.Logger:
        return logging.getLogger(__name__)

    def __init__(self, connector: ConnectorBase, lost_order_count_limit: int = 3) -> None:
        self._connector: Final = connector
        self._lost_order_count_limit = lost_order_count_limit
        self._book: Final = Book(lost_order_count_limit + 1, self.LATE_FILLS_TTL)
        self._in_flight_orders: Final[dict[str, InFlightOrder]] = {}
        self._cached_orders: Final[TimedCache[InFlightOrder]] = TimedCache(self.MAX_CACHE_SIZE, self.CACHED_ORDER_TTL)
        self._lost_orders: Final[dict[str, InFlightOrder]] = {}
        self._tasks: Final[set[asyncio.Task[None]]] = set()

    # --- Which orders there are --------------------------------------------------------------------------------------

    @property
    def active_orders(self) -> dict[str, InFlightOrder]:
        return self._in_flight_orders

    @property
    def cached_orders(self) -> dict[str, InFlightOrder]:
        return dict(self._cached_orders)

    @property
    def lost_orders(self) -> dict[str, InFlightOrder]:
        return dict(self._lost_orders)

    @property
    def all_orders(self) -> Mapping[str, InFlightOrder]:
        """Active and cached."""
        return OrdersView(self._in_flight_orders, self._cached_orders)

    @property
    def all_fillable_orders(self) -> Mapping[str, InFlightOrder]:
        """Active, cached and lost; those that are asked for by name and can still have late fills are found as well."""
        return self._fillable()

    @property
    def all_updatable_orders(self) -> Mapping[str, InFlightOrder]:
        """Active and lost."""
        return OrdersView(self._in_flight_orders, self._lost_orders)

    @property
    def all_fillable_orders_by_exchange_order_id(self) -> Mapping[str, InFlightOrder]:
        return OrdersByExchangeId(self._fillable(), self._known_as)

    @property
    def all_updatable_orders_by_exchange_order_id(self) -> Mapping[str, InFlightOrder]:
        return OrdersByExchangeId(OrdersView(self._in_flight_orders, self._lost_orders), self._known_as)

    @property
    def current_timestamp(self) -> float:
        return self._connector.current_timestamp

    @property
    def lost_order_count_limit(self) -> int:
        return self._lost_order_count_limit

    @lost_order_count_limit.setter
    def lost_order_count_limit(self, value: int) -> None:
        self._lost_order_count_limit = value
        self._book.set_lost_misses(value + 1)

    @property
    def _order_not_found_records(self) -> dict[str, int]:
        """How often each active order was denied since it was last heard of."""
        found: dict[str, int] = {}
        for client_order_id in self._in_flight_orders:
            followed = self._book.find(client_order_id, None)
            if followed is not None and followed.tracked.seldom is not None and followed.tracked.seldom.misses:
                found[client_order_id] = len(followed.tracked.seldom.misses)
        return found

    def fetch_tracked_order(self, client_order_id: str) -> InFlightOrder | None:
        return self._in_flight_orders.get(client_order_id)

    def fetch_cached_order(self, client_order_id: str) -> InFlightOrder | None:
        return self._cached_orders.get(client_order_id)

    def fetch_order(
        self, client_order_id: str | None = None, exchange_order_id: str | None = None
    ) -> InFlightOrder | None:
        """An active or cached order with one of these ids."""
        return self._fetch(OrdersView(self._in_flight_orders, self._cached_orders), client_order_id, exchange_order_id)

    def fetch_lost_order(
        self, client_order_id: str | None = None, exchange_order_id: str | None = None
    ) -> InFlightOrder | None:
        return self._fetch(OrdersView(self._lost_orders), client_order_id, exchange_order_id)

    # --- Tracking ----------------------------------------------------------------------------------------------------

    def start_tracking_order(self, order: InFlightOrder) -> None:
        """From before its request is sent. Another one with the same client id is replaced."""
        self._in_flight_orders[order.client_order_id] = order
        self._follow(order)

    def stop_tracking_order(self, client_order_id: str) -> None:
        """It is no longer active; what still comes of it is weighed as long as it is found."""
        order = self._in_flight_orders.pop(client_order_id, None)
        if order is None:
            return
        self._cached_orders[client_order_id] = order
        followed = self._book.find(client_order_id, None)
        if followed is not None:
            self._book.drop(followed)

    def restore_tracking_states(self, tracking_states: Mapping[str, Any]) -> None:
        """Orders as ``to_json`` gave them: open ones are active, those that had failed are lost. Nothing is told."""
        for data in tracking_states.values():
            order = self._restore_order_from_json(data)
            if order.is_open:
                self.start_tracking_order(order)
            elif order.is_failure:
                self._lost_orders[order.client_order_id] = order
                self._follow(order, lives=True)

    @staticmethod
    def _restore_order_from_json(data: dict[str, Any]) -> InFlightOrder:
        return InFlightOrder.from_json(data)

    # --- What happens ------------------------------------------------------------------------------------------------

    def process_order_update(self, order_update: OrderUpdate) -> "asyncio.Future[None]":
        """Take it in the loop's next turn, and wait for fills if it needs them; the future never raises."""
        task = asyncio.get_event_loop().create_task(self._process_in_background(order_update))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def process_trade_update(self, trade_update: TradeUpdate) -> None:
        """Take a fill, at once. It never completes an order by itself; a word, or time, does."""
        self._book.tidy()
        followed = self._find(trade_update.client_order_id, trade_update.exchange_order_id)
        if followed is None:
            self._book.hold(trade_update)
            self.logger().debug(f"Order is not/no longer being tracked ({trade_update})")
            return
        self._tell(followed, self._book.fill(followed, trade_update), None)
        if followed.tracked.status == FILLED and not followed.end:
            self._complete_in_time(followed)

    async def process_order_not_found(self, client_order_id: str) -> None:
        """The venue was asked for the order, and denies it."""
        followed = self._book.find(client_order_id, None)
        if client_order_id in self._in_flight_orders and followed is not None:
            self._tell(followed, self._book.miss(followed), None)
            if followed.tracked.certainty == LOST:
                self._lose(followed)
        elif (lost := self._lost_orders.pop(client_order_id, None)) is not None:
            name = f"{client_order_id}({lost.exchange_order_id})"
            self.logger().info(f"The lost order {name} was not found and will be removed")
            if followed is not None:
                self._book.drop(followed)
        else:
            self.logger().debug(f"Order is not/no longer being tracked ({client_order_id})")

    async def _process_in_background(self, order_update: OrderUpdate) -> None:
        try:
            await self._process_order_update(order_update)
        except Exception:  # noqa: BLE001 - one update that cannot be taken must not end the connector's other work
            self.logger().exception("Unhandled error in background task")

    async def _process_order_update(self, order_update: OrderUpdate) -> None:
        if not (order_update.client_order_id or order_update.exchange_order_id):
            self.logger().error("OrderUpdate does not contain any client_order_id or exchange_order_id")
            return
        self._book.tidy()
        followed = self._find(order_update.client_order_id, order_update.exchange_order_id)
        if followed is None:
            self.logger().debug(f"Order is not/no longer being tracked ({order_update})")
            return
        for fill in self._book.claim(order_update.exchange_order_id):
            show_exchange_id(followed, order_update.exchange_order_id)
            self._tell(followed, self._book.fill(followed, fill), None)
        entry = self._book.report(followed, order_update)
        show_update(followed, order_update)
        self._tell(followed, entry, order_update)
        if order_update.new_state.name in FINAL_STATES:
            self._lost_orders.pop(followed.order.client_order_id, None)
            if followed.tracked.status == FILLED and not followed.end:
                await self._complete(followed, order_update)

    # --- Telling -----------------------------------------------------------------------------------------------------

    def _tell(self, followed: Followed, entry: Entry | None, update: OrderUpdate | None) -> None:
        """Say what came of the evidence. That it is completed waits: see ``_complete``."""
        announced = [] if entry is None else [each for each in entry.events if type(each) is Announced]
        for said in announced:
            if said.what == CREATED:
                show_state(followed)
                self._created(followed)
            elif said.what == client_codes.FILLED:
                self._filled(followed, followed.trades[said.trade])
            elif said.what == UPDATED:
                self._updated(followed, said)
            elif said.what != COMPLETED:
                failed = said.what == CANCELLED and followed.said is OrderState.FAILED
                self._end(followed, FAILED if failed else said.what, update)
        show_state(followed)
        lives = SUBMITTED < followed.tracked.status < FILLED and followed.tracked.certainty != LOST
        if followed.end == FAILED and lives and announced:
            self._find_again(followed)

    def _created(self, followed: Followed) -> None:
        if followed.end:
            return
        self.logger().info(followed.order.build_order_created_message())
        self._connector.trigger_event(*narration.created(followed.order, self.current_timestamp))

    def _updated(self, followed: Followed, said: Announced) -> None:
        if said.changed & CERTAINTY_CHANGED and followed.tracked.certainty == AMBIGUOUS:
            self.logger().warning(f"The order {followed.order.client_order_id} was sent, and nobody answered.")
        elif said.changed & QUARANTINE_CHANGED:
            self.logger().warning(f"What is said of the order {followed.order.client_order_id} cannot all be true.")
        self._connector.trigger_event(*narration.updated(followed, said, self.current_timestamp))

    def _filled(self, followed: Followed, fill: TradeUpdate) -> None:
        show_exchange_id(followed, fill.exchange_order_id)
        if not show_fill(followed, fill):
            return
        show_state(followed)
        self.logger().info(narration.filled_line(followed.order, fill))
        self._connector.trigger_event(*narration.filled(followed.order, fill, self.current_timestamp))

    def _end(self, followed: Followed, end: int, update: OrderUpdate | None) -> None:
        """An order has one end; whatever is learned later, another one is not told."""
        if followed.end:
            return
        followed.end = end
        show_state(followed)
        order = followed.order
        self._connector.trigger_event(*narration.ended(order, end, update, self.current_timestamp))
        self.logger().info(narration.ended_line(order, end, update))
        self.stop_tracking_order(order.client_order_id)

    # --- Policies ----------------------------------------------------------------------------------------------------

    async def _complete(self, followed: Followed, update: OrderUpdate | None) -> None:
        """It is filled: tell so when its fills are there, or are given up."""
        order = followed.order
        try:
            async with asyncio.timeout(self.TRADE_FILLS_WAIT_TIMEOUT):
                await order.wait_until_completely_filled()
        except TimeoutError:
            if not followed.end:
                self.logger().warning(
                    f"The order fill updates did not arrive on time for {order.client_order_id}. "
                    f"The complete update will be processed with incomplete information."
                )
        self._end(followed, COMPLETED, update)

    def _complete_in_time(self, followed: Followed) -> None:
        """Its fills are complete and nobody says so: a while later that is good enough."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        loop.call_later(self.TRADE_FILLS_WAIT_TIMEOUT, self._end, followed, COMPLETED, None)

    def _lose(self, followed: Followed) -> None:
        """Upstream takes an order that is denied too often for failed; what is believed of it stays open."""
        order = followed.order
        self.logger().warning(
            f"The order {order.client_order_id}({order.exchange_order_id}) will be considered lost. "
            f"Please check its status in the exchange."
        )
        update = OrderUpdate(
            trading_pair=order.trading_pair,
            update_timestamp=self.current_timestamp,
            new_state=OrderState.FAILED,
            client_order_id=order.client_order_id,
        )
        self._end(followed, FAILED, update)
        self._keep_as_lost(order)

    def _find_again(self, followed: Followed) -> None:
        """It was told to have failed, and lives: as a lost order it is asked for, and cancelled."""
        order = followed.order
        if order.client_order_id not in self._lost_orders:
            self.logger().warning(f"The order {order.client_order_id} has failed before, and is alive.")
            self._keep_as_lost(order)

    def _keep_as_lost(self, order: InFlightOrder) -> None:
        self._cached_orders.pop(order.client_order_id, None)
        self._lost_orders[order.client_order_id] = order

    # --- Finding -----------------------------------------------------------------------------------------------------

    def _follow(self, order: InFlightOrder, lives: bool = False) -> Followed:
        followed = self._book.follow(order, lives)
        if isinstance(order, InFlightOrder):  # upstream's own class is followed as well
            order.followed_in(self._book, followed)
        return followed

    def _find(self, client_order_id: str | None, exchange_order_id: str | None) -> Followed | None:
        followed = self._book.find(client_order_id, exchange_order_id)
        if followed is None:
            order = self.fetch_order(client_order_id, exchange_order_id)
            followed = None if order is None else self._follow(order)
        return followed

    def _fetch(
        self, orders: OrdersView, client_order_id: str | None, exchange_order_id: str | None
    ) -> InFlightOrder | None:
        found: InFlightOrder | None = orders.get(client_order_id) if client_order_id else None
        if found is None and exchange_order_id:
            found = OrdersByExchangeId(orders, self._known_as).get(exchange_order_id)
        return found

    def _fillable(self) -> OrdersView:
        return OrdersView(self._in_flight_orders, self._cached_orders, self._lost_orders, also=self._late)

    def _late(self, client_order_id: str) -> InFlightOrder | None:
        return self._order(self._book.find(client_order_id, None))

    def _known_as(self, exchange_order_id: str) -> InFlightOrder | None:
        return self._order(self._book.find(None, exchange_order_id))

    @staticmethod
    def _order(followed: Followed | None) -> InFlightOrder | None:
        order: InFlightOrder | None = None if followed is None else followed.order
        return order
