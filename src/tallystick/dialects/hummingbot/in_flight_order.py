"""One order as a Hummingbot connector holds it (specs/hummingbot.md §1.2).

Its fields are what is believed of it, and may be assigned. What it learns, by itself or through the tracker that it is
given to, is weighed in a Book: nothing is undone by a stale word, and no fill counts twice or beyond its amount.
"""

import asyncio
import logging
from decimal import Decimal
from typing import Any, Final

from tallystick.dialects.hummingbot.amounts import is_full
from tallystick.dialects.hummingbot.book import NO_IDS, Book, Followed
from tallystick.dialects.hummingbot.common import OrderType, PositionAction, TradeType
from tallystick.dialects.hummingbot.limit_order import LimitOrder
from tallystick.dialects.hummingbot.order_update import OrderState, OrderUpdate, TradeUpdate
from tallystick.dialects.hummingbot.projection import show_fill, show_update
from tallystick.facts.client_codes import COMPLETED

__all__ = ["InFlightOrder", "OrderState", "OrderUpdate", "PerpetualDerivativeInFlightOrder", "TradeUpdate"]

GET_EX_ORDER_ID_TIMEOUT = 10.0
"""Seconds; read whenever an id is awaited."""

OPEN_STATES: Final = (
    OrderState.PENDING_CREATE,
    OrderState.OPEN,
    OrderState.PARTIALLY_FILLED,
    OrderState.PENDING_CANCEL,
)
CLOSED_STATES: Final = (OrderState.CANCELED, OrderState.FILLED, OrderState.FAILED)


class InFlightOrder:
    """Amounts are Decimals, timestamps seconds since the epoch. ``price`` is None, or NaN, where there is none."""

    def __init__(
        self,
        client_order_id: str,
        trading_pair: str,
        order_type: OrderType,
        trade_type: TradeType,
        amount: Decimal,
        creation_timestamp: float,
        price: Decimal | None = None,
        exchange_order_id: str | None = None,
        initial_state: OrderState = OrderState.PENDING_CREATE,
        leverage: int = 1,
        position: PositionAction = PositionAction.NIL,
    ) -> None:
        self.client_order_id = client_order_id
        self.creation_timestamp = creation_timestamp
        self.trading_pair = trading_pair
        self.order_type = order_type
        self.trade_type = trade_type
        self.price = price
        self.amount = amount
        self.exchange_order_id = exchange_order_id
        self.current_state = initial_state
        self.leverage = leverage
        self.position = position
        self.executed_amount_base = Decimal(0)
        self.executed_amount_quote = Decimal(0)
        self.last_update_timestamp = creation_timestamp
        self.order_fills: dict[str, TradeUpdate] = {}
        self.exchange_order_id_update_event = asyncio.Event()
        self.completely_filled_event = asyncio.Event()
        self.processed_by_exchange_event = asyncio.Event()
        self._followed: Followed | None = None
        self._book: Book | None = None
        if exchange_order_id:
            self.exchange_order_id_update_event.set()
        self.check_processed_by_exchange_condition()

    @classmethod
    def logger(cls) -> logging.Logger:
        return logging.getLogger(__name__)

    @property
    def attributes(self) -> tuple[Any, ...]:
        """What makes two orders equal: all but their fills."""
        return (
            self.client_order_id,
            self.trading_pair,
            self.order_type,
            self.trade_type,
            self.price,
            self.amount,
            self.exchange_order_id,
            self.current_state,
            self.leverage,
            self.position,
            self.executed_amount_base,
            self.executed_amount_quote,
            self.creation_timestamp,
            self.last_update_timestamp,
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, InFlightOrder) and self.attributes == other.attributes

    __hash__ = None  # type: ignore[assignment]

    def __getstate__(self) -> dict[str, Any]:
        """A copy is of what is known now, and learns by itself."""
        return {**self.__dict__, "_followed": None, "_book": None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.client_order_id!r}, {self.current_state.name})"

    # --- What it is --------------------------------------------------------------------------------------------------

    @property
    def base_asset(self) -> str:
        return self.trading_pair.split("-")[0]

    @property
    def quote_asset(self) -> str:
        return self.trading_pair.split("-")[1]

    @property
    def is_pending_create(self) -> bool:
        return self.current_state is OrderState.PENDING_CREATE

    @property
    def is_pending_cancel_confirmation(self) -> bool:
        return self.current_state is OrderState.PENDING_CANCEL

    @property
    def is_open(self) -> bool:
        return self.current_state in OPEN_STATES

    @property
    def is_done(self) -> bool:
        return self.current_state in CLOSED_STATES or is_full(self.amount, self.executed_amount_base)

    @property
    def is_filled(self) -> bool:
        return self.current_state is OrderState.FILLED or (
            self.amount != 0 and is_full(self.amount, self.executed_amount_base)
        )

    @property
    def is_failure(self) -> bool:
        return self.current_state is OrderState.FAILED

    @property
    def is_cancelled(self) -> bool:
        return self.current_state is OrderState.CANCELED

    @property
    def average_executed_price(self) -> Decimal | None:
        """What its fills came to for each unit, None before the first."""
        fills = self.order_fills.values()
        amount = sum((each.fill_base_amount for each in fills), Decimal(0))
        return sum((each.fill_price * each.fill_base_amount for each in fills), Decimal(0)) / amount if amount else None

    def cumulative_fee_paid(self, token: str) -> Decimal:
        """The fees of its fills in ``token``; those for which no rate is known are left out, which is logged."""
        total = Decimal(0)
        for fill in self.order_fills.values():
            try:
                total += fill.fee.fee_amount_in_token(self.trading_pair, fill.fill_price, fill.fill_base_amount, token)
            except ValueError as error:
                self.logger().debug("a fee of %s is left out of its sum: %s", self.client_order_id, error)
        return total

    # --- What it learns ----------------------------------------------------------------------------------------------

    def update_with_order_update(self, order_update: OrderUpdate) -> bool:
        """Take what was said of it; whether its state or its id has changed. False if the update names another."""
        if not self._is_named(order_update):
            return False
        followed, book = self._line()
        book.report(followed, order_update)
        if followed.tracked.is_closed and not followed.end and order_update.new_state in CLOSED_STATES:
            followed.end = COMPLETED
        return show_update(followed, order_update)

    def update_with_trade_update(self, trade_update: TradeUpdate) -> bool:
        """Take a fill; whether it counts. Its state and its exchange id stay as they are."""
        if not self._is_named(trade_update):
            return False
        followed, book = self._line()
        book.fill(followed, trade_update)
        return show_fill(followed, trade_update)

    def update_exchange_order_id(self, exchange_order_id: str) -> None:
        self.exchange_order_id = exchange_order_id
        self.exchange_order_id_update_event.set()

    async def get_exchange_order_id(self) -> str | None:
        """The venue's id, awaited for GET_EX_ORDER_ID_TIMEOUT seconds. Raises TimeoutError."""
        if self.exchange_order_id in NO_IDS:
            async with asyncio.timeout(GET_EX_ORDER_ID_TIMEOUT):
                await self.exchange_order_id_update_event.wait()
        return self.exchange_order_id

    def check_filled_condition(self) -> None:
        if is_full(self.amount, self.executed_amount_base):
            self.completely_filled_event.set()

    async def wait_until_completely_filled(self) -> None:
        await self.completely_filled_event.wait()

    def check_processed_by_exchange_condition(self) -> None:
        if self.current_state is not OrderState.PENDING_CREATE:
            self.processed_by_exchange_event.set()

    async def wait_until_processed_by_exchange(self) -> None:
        await self.processed_by_exchange_event.wait()

    def followed_in(self, book: Book, followed: Followed) -> None:
        """From now on what it learns is weighed there."""
        self._book = book
        self._followed = followed

    def _line(self) -> tuple[Followed, Book]:
        if self._followed is None or self._book is None:
            book = Book()
            self.followed_in(book, book.follow(self))
        assert self._followed is not None
        assert self._book is not None
        return self._followed, self._book

    def _is_named(self, update: OrderUpdate | TradeUpdate) -> bool:
        if update.client_order_id == self.client_order_id:
            return True
        return self.exchange_order_id not in NO_IDS and update.exchange_order_id == self.exchange_order_id

    # --- As other things ---------------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """What restores it (``from_json``), in upstream's form."""
        return {
            "client_order_id": self.client_order_id,
            "exchange_order_id": self.exchange_order_id,
            "trading_pair": self.trading_pair,
            "order_type": self.order_type.name,
            "trade_type": self.trade_type.name,
            "price": str(self.price),
            "amount": str(self.amount),
            "executed_amount_base": str(self.executed_amount_base),
            "executed_amount_quote": str(self.executed_amount_quote),
            "last_state": str(self.current_state.value),
            "leverage": str(self.leverage),
            "position": self.position.value,
            "creation_timestamp": self.creation_timestamp,
            "last_update_timestamp": self.last_update_timestamp,
            "order_fills": {key: fill.to_json() for key, fill in self.order_fills.items()},
            "cumulative_fee_paid_base": float(self.cumulative_fee_paid(self.base_asset)),
            "cumulative_fee_paid_quote": float(self.cumulative_fee_paid(self.quote_asset)),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "InFlightOrder":
        """The inverse of ``to_json``. Raises KeyError or ValueError for what is no order."""
        price = data["price"]
        order = cls(
            client_order_id=data["client_order_id"],
            trading_pair=data["trading_pair"],
            order_type=OrderType[data["order_type"]],
            trade_type=TradeType[data["trade_type"]],
            amount=Decimal(data["amount"]),
            price=None if price in (None, "None") else Decimal(price),
            exchange_order_id=data["exchange_order_id"],
            initial_state=OrderState(int(data["last_state"])),
            leverage=int(data["leverage"]),
            position=PositionAction(data["position"]),
            creation_timestamp=data["creation_timestamp"],
        )
        order.executed_amount_base = Decimal(data["executed_amount_base"])
        order.executed_amount_quote = Decimal(data["executed_amount_quote"])
        order.last_update_timestamp = data.get("last_update_timestamp", order.creation_timestamp)
        order.order_fills = {key: TradeUpdate.from_json(fill) for key, fill in data.get("order_fills", {}).items()}
        order.check_filled_condition()
        return order

    def to_limit_order(self) -> LimitOrder:
        return LimitOrder(
            client_order_id=self.client_order_id,
            trading_pair=self.trading_pair,
            is_buy=self.trade_type is TradeType.BUY,
            base_currency=self.base_asset,
            quote_currency=self.quote_asset,
            price=self.price,
            quantity=self.amount,
            filled_quantity=self.executed_amount_base,
            creation_timestamp=round(self.creation_timestamp * 1e6),
            position=self.position,
        )

    def build_order_created_message(self) -> str:
        return (
            f"Created {self.order_type.name} {self.trade_type.name} order {self.client_order_id} for "
            f"{self.amount} {self.trading_pair} at {self.price}."
        )


class PerpetualDerivativeInFlightOrder(InFlightOrder):
    """One that opens or closes a position."""

    def build_order_created_message(self) -> str:
        return (
            f"Created {self.order_type.name} {self.trade_type.name} order {self.client_order_id} for "
            f"{self.amount} to {self.position.name} a {self.trading_pair} position at {self.price}."
        )
