"""A Hummingbot connector's way from ``buy`` to the venue and back, for what is made from it (seeds/000, seeds/001).

buy ─▶ id, at once     _create_order ─▶ start_tracking_order ─▶ trading rules ─▶ _place_order ─▶ Created
                                                                  └▶ Failure       └▶ refused: Failure
                                                                                    └▶ no answer: asked for
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any, Final, NamedTuple

from tallystick.connect.client_ids import ClientIds
from tallystick.connect.errors import Refused
from tallystick.connect.port import ID_CHARACTERS
from tallystick.connect.trading_rules import UNSUPPORTED_ORDER_TYPE
from tallystick.dialects.hummingbot.client_order_tracker import ClientOrderTracker
from tallystick.dialects.hummingbot.common import OrderType, PositionAction, TradeType
from tallystick.dialects.hummingbot.exchange_base import ExchangeBase
from tallystick.dialects.hummingbot.in_flight_order import InFlightOrder
from tallystick.dialects.hummingbot.limit_order import LimitOrder
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.dialects.hummingbot.trading_rule import TradingRule

NO_PRICE: Final = Decimal("NaN")
ASK_SECONDS: Final = 1.0
ASK_SECONDS_MAX: Final = 30.0
NO_SUCH_MARKET: Final = "no_such_market"


class CancellationResult(NamedTuple):
    order_id: str
    success: bool


class ExchangePyBase(ExchangeBase, ABC):
    """``trading_rules`` are by trading pair. To be used on one event loop's thread."""

    def __init__(self, trading_rules: dict[str, TradingRule] | None = None) -> None:
        super().__init__()
        self._trading_rules: Final = dict(trading_rules or {})
        self._order_tracker: Final = self._create_order_tracker()
        self._ids: Final = ClientIds(self.client_order_id_prefix, self.client_order_id_max_length, ID_CHARACTERS, 0)
        self._tasks: Final[set[asyncio.Task[Any]]] = set()

    def _create_order_tracker(self) -> ClientOrderTracker:
        return ClientOrderTracker(connector=self)

    # --- What a connector says ---------------------------------------------------------------------------------------

    @property
    def client_order_id_max_length(self) -> int:
        return 32

    @property
    def client_order_id_prefix(self) -> str:
        return "ts"

    @property
    def is_cancel_request_in_exchange_synchronous(self) -> bool:
        """Whether an accepted cancel request means that the order is cancelled already."""
        return False

    def supported_order_types(self) -> list[OrderType]:
        return [OrderType.LIMIT, OrderType.LIMIT_MAKER, OrderType.MARKET]

    @abstractmethod
    async def _place_order(
        self,
        order_id: str,
        trading_pair: str,
        amount: Decimal,
        trade_type: TradeType,
        order_type: OrderType,
        price: Decimal | None,
        **kwargs: Any,
    ) -> tuple[str, float]:
        """Send it; the venue's id and the time in seconds. What an exception means is said in ``doubt``."""

    @abstractmethod
    async def _place_cancel(self, order_id: str, tracked_order: InFlightOrder) -> bool:
        """Ask for it to be cancelled; whether the venue took the request."""

    @abstractmethod
    async def _request_order_status(self, tracked_order: InFlightOrder) -> OrderUpdate:
        """What the venue says of the order now; without an exchange id the question is whether it arrived."""

    @abstractmethod
    async def _all_trade_updates_for_order(self, order: InFlightOrder) -> list[TradeUpdate]:
        """All fills of the order."""

    @abstractmethod
    def _is_order_not_found_during_status_update_error(self, status_update_exception: Exception) -> bool:
        """Whether the venue itself said that it has no such order."""

    @abstractmethod
    def _is_order_not_found_during_cancelation_error(self, cancelation_exception: Exception) -> bool:
        """Likewise."""

    # --- Orders ------------------------------------------------------------------------------------------------------

    @property
    def trading_rules(self) -> dict[str, TradingRule]:
        return self._trading_rules

    @property
    def in_flight_orders(self) -> dict[str, InFlightOrder]:
        return self._order_tracker.active_orders

    @property
    def limit_orders(self) -> list[LimitOrder]:
        return [order.to_limit_order() for order in self.in_flight_orders.values()]

    @property
    def tracking_states(self) -> dict[str, Any]:
        """What ``restore_tracking_states`` takes: all orders that are open, or lost."""
        return {key: order.to_json() for key, order in self._order_tracker.all_updatable_orders.items()}

    def restore_tracking_states(self, saved_states: dict[str, Any]) -> None:
        self._order_tracker.restore_tracking_states(saved_states)

    def buy(
        self,
        trading_pair: str,
        amount: Decimal,
        order_type: OrderType = OrderType.LIMIT,
        price: Decimal = NO_PRICE,
        **kwargs: Any,
    ) -> str:
        """Intend an order, and return its client order id at once; what becomes of it is told by events.

        ``position_action`` and ``leverage`` are the order's, and given to ``_place_order`` as well. Raises TypeError.
        """
        return self._intend(TradeType.BUY, trading_pair, amount, order_type, price, kwargs)

    def sell(
        self,
        trading_pair: str,
        amount: Decimal,
        order_type: OrderType = OrderType.LIMIT,
        price: Decimal = NO_PRICE,
        **kwargs: Any,
    ) -> str:
        """As ``buy``."""
        return self._intend(TradeType.SELL, trading_pair, amount, order_type, price, kwargs)

    def cancel(self, trading_pair: str, client_order_id: str) -> str:
        """Ask for it to be cancelled; what becomes of that is told by events."""
        self._start(self._execute_cancel(trading_pair, client_order_id))
        return client_order_id

    async def cancel_all(self, timeout_seconds: float) -> list[CancellationResult]:
        """Every order that is not done: whether its request was taken within so many seconds."""
        orders = [order for order in self.in_flight_orders.values() if not order.is_done]
        tasks = {
            order.client_order_id: self._start(self._execute_cancel(order.trading_pair, order.client_order_id))
            for order in orders
        }
        if tasks:
            await asyncio.wait(tasks.values(), timeout=timeout_seconds)
        return [CancellationResult(key, task.done() and task.result() is not None) for key, task in tasks.items()]

    def start_tracking_order(
        self,
        order_id: str,
        exchange_order_id: str | None,
        trading_pair: str,
        trade_type: TradeType,
        price: Decimal | None,
        amount: Decimal,
        order_type: OrderType,
        **kwargs: Any,
    ) -> None:
        """From before its request is sent."""
        self._order_tracker.start_tracking_order(
            InFlightOrder(
                client_order_id=order_id,
                exchange_order_id=exchange_order_id,
                trading_pair=trading_pair,
                order_type=order_type,
                trade_type=trade_type,
                amount=amount,
                price=price,
                creation_timestamp=self.current_timestamp,
                leverage=kwargs.get("leverage", 1),
                position=kwargs.get("position_action", PositionAction.NIL),
            )
        )

    def stop_tracking_order(self, order_id: str) -> None:
        self._order_tracker.stop_tracking_order(order_id)

    async def update_order_status(self) -> None:
        """Ask for every order that is open or lost, one after the other."""
        for order in list(self._order_tracker.all_updatable_orders.values()):
            await self._ask(order)

    # --- Placing -----------------------------------------------------------------------------------------------------

    def _intend(
        self,
        trade_type: TradeType,
        trading_pair: str,
        amount: Decimal,
        order_type: OrderType,
        price: Decimal,
        kwargs: dict[str, Any],
    ) -> str:
        if any(not isinstance(each, Decimal) for each in (amount, price)):
            raise TypeError("an amount and a price are Decimals")
        order_id = self._ids.next()
        self._start(self._create_order(trade_type, order_id, trading_pair, amount, order_type, price, **kwargs))
        return order_id

    async def _create_order(
        self,
        trade_type: TradeType,
        order_id: str,
        trading_pair: str,
        amount: Decimal,
        order_type: OrderType,
        price: Decimal | None = None,
        **kwargs: Any,
    ) -> None:
        """Track it, check it against the trading rules, and send it."""
        rule = self._trading_rules.get(trading_pair)
        if rule is not None:
            amount = rule.quantize_amount(amount)
            price = rule.quantize_price(price) if order_type.is_limit_type() else price
        self.start_tracking_order(order_id, None, trading_pair, trade_type, price, amount, order_type, **kwargs)
        code, sentence = self._objection(rule, trading_pair, order_type, amount, price)
        if code:
            await self._said(order_id, trading_pair, OrderState.FAILED, error_type=code, error_message=sentence)
            return
        try:
            exchange_order_id, timestamp = await self._place_order(
                order_id, trading_pair, amount, trade_type, order_type, price, **kwargs
            )
        except Exception as error:  # noqa: BLE001 - whatever a connector raises is about this order alone
            self.logger().warning("the order %s could not be placed", order_id, exc_info=error)
            code = error.code if isinstance(error, Refused) else type(error).__name__
            await self._said(order_id, trading_pair, OrderState.FAILED, error_type=code, error_message=str(error))
            await self._ask_until_known(order_id)
            return
        opened = OrderUpdate(trading_pair, timestamp, OrderState.OPEN, order_id, exchange_order_id)
        await self._order_tracker.process_order_update(opened)

    def _objection(
        self, rule: TradingRule | None, trading_pair: str, order_type: OrderType, amount: Decimal, price: Decimal | None
    ) -> tuple[str, str]:
        if rule is None:
            return NO_SUCH_MARKET, f"{self.name} has no trading rule for {trading_pair}"
        if order_type not in self.supported_order_types():
            return UNSUPPORTED_ORDER_TYPE, f"{self.name} takes no {order_type.name} orders"
        return rule.objection(order_type, amount, price)

    # --- Cancelling --------------------------------------------------------------------------------------------------

    async def _execute_cancel(self, trading_pair: str, order_id: str) -> str | None:
        """The order's id if the venue took the request, else None."""
        order = self._order_tracker.all_updatable_orders.get(order_id)
        if order is None:
            return None
        try:
            if not await self._place_cancel(order_id, order):
                return None
        except Exception as error:  # noqa: BLE001 - a cancel that failed says nothing of the order
            if self._is_order_not_found_during_cancelation_error(error):
                self.logger().warning(f"Failed to cancel order {order_id} (order not found)")
                await self._order_tracker.process_order_not_found(order_id)
            else:
                self.logger().error(f"Failed to cancel order {order_id}", exc_info=error)
            return None
        is_done = self.is_cancel_request_in_exchange_synchronous
        await self._said(order_id, trading_pair, OrderState.CANCELED if is_done else OrderState.PENDING_CANCEL)
        return order_id

    # --- Asking ------------------------------------------------------------------------------------------------------

    async def _ask(self, order: InFlightOrder) -> None:
        """Only the venue's own denial counts as one; an error of the network says nothing."""
        try:
            if order.exchange_order_id is not None:
                for trade in await self._all_trade_updates_for_order(order):
                    self._order_tracker.process_trade_update(trade)
            self._order_tracker.process_order_update(await self._request_order_status(order))
        except Exception as error:  # noqa: BLE001 - it is asked again
            if self._is_order_not_found_during_status_update_error(error):
                await self._order_tracker.process_order_not_found(order.client_order_id)
            else:
                self.logger().warning("the order %s could not be asked for", order.client_order_id, exc_info=error)

    async def _ask_until_known(self, order_id: str) -> None:
        """An order in doubt either turns up, or is denied so often that it counts as lost."""
        seconds = ASK_SECONDS
        while (order := self.in_flight_orders.get(order_id)) is not None and order.is_pending_create:
            await self._sleep(seconds)
            await self._ask(order)
            await asyncio.sleep(0)
            seconds = min(2 * seconds, ASK_SECONDS_MAX)

    async def _sleep(self, delay: float) -> None:
        await asyncio.sleep(delay)

    # --- Within ------------------------------------------------------------------------------------------------------

    async def _said(self, order_id: str, trading_pair: str, state: OrderState, **misc_updates: Any) -> None:
        update = OrderUpdate(trading_pair, self.current_timestamp, state, order_id, misc_updates=misc_updates)
        await self._order_tracker.process_order_update(update)

    def _start(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logging.getLogger(__name__).error("a task of %s failed", self.name, exc_info=task.exception())
