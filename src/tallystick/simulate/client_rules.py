"""What a client's world objects to: orders that leave too early or twice, and listeners that are told wrongly."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Final

from tallystick.connect.events import (
    TERMINAL,
    MarketOrderFailureEvent,
    OrderCancelledEvent,
    OrderCompletedEvent,
    OrderCreatedEvent,
    OrderEvent,
    OrderExpiredEvent,
    OrderFilledEvent,
    OrderUpdatedEvent,
)
from tallystick.connect.store import STREAM
from tallystick.core.lifecycle import CANCELLED, EXPIRED, FILLED, ORDER_STATUS_NAMES, REJECTED
from tallystick.facts.client import decode
from tallystick.facts.client_terms import OrderIntended
from tallystick.journal.port import Journal
from tallystick.simulate.violation import Violation, require

_ENDS: Final = (
    (OrderCompletedEvent, FILLED),
    (OrderCancelledEvent, CANCELLED),
    (OrderExpiredEvent, EXPIRED),
    (MarketOrderFailureEvent, REJECTED),
)
INTENT: Final = "intent"
"""The trait that says which intent of the strategy's an order is."""


class Sent:
    """Every order that left a client, over all of its lives. ``journal`` is that of the one that is alive."""

    def __init__(self) -> None:
        self.journal: Journal | None = None
        self._durable: Final[dict[str, OrderIntended]] = {}
        self._read = 0
        self._by_intent: Final[dict[str, str]] = {}
        self._said: Final[dict[str, str]] = {}
        self._objection: Violation | None = None

    def take(self, client_id: str, said: str) -> None:
        """This order leaves for the venue now, in these words."""
        try:
            self._judge(client_id, said)
        except Violation as violation:  # raised where it is not taken for the connector's failure
            self._objection = self._objection or violation

    def judge(self) -> None:
        """Raise the first Violation there was."""
        if self._objection is not None:
            raise self._objection

    def _judge(self, client_id: str, said: str) -> None:
        self._catch_up()
        durable = self._durable.get(client_id)
        require(durable is not None, "intended", f"{client_id} left and is not in the client's journal")
        first = self._said.setdefault(client_id, said)
        require(first == said, "sent once", f"{client_id} left as {said}, and as {first} before")
        intent = dict(durable.traits).get(INTENT, "") if durable is not None else ""
        before = self._by_intent.setdefault(intent, client_id)
        require(before == client_id, "sent once", f"intent {intent} left as {client_id} and as {before}")

    def _catch_up(self) -> None:
        assert self.journal is not None
        for sequence, body in self.journal.read(STREAM, self._read):
            self._read = sequence
            for event in decode(body).events:
                if isinstance(event, OrderIntended):
                    self._durable[event.client_id] = event


def require_told(told: Sequence[OrderEvent], journaled: Sequence[OrderEvent]) -> None:
    """What a listener has seen over all lives is what the journal says was told."""
    for at, (seen, said) in enumerate(zip(told, journaled, strict=False)):
        require(seen == said, "told", f"event {at} was told as {seen}, and the journal says {said}")
    detail = f"{len(told)} events were told, and the journal has {len(journaled)}"
    require(len(told) == len(journaled), "told", detail)


def require_grammar(told: Sequence[OrderEvent]) -> None:
    """Per order, in the order in which it was told."""
    stories: dict[str, list[OrderEvent]] = {}
    for event in told:
        stories.setdefault(event.order_id, []).append(event)
    for order_id, story in stories.items():
        _Story(order_id).read(story)


def require_true_ends(told: Sequence[OrderEvent], status: Callable[[str], int]) -> None:
    """Each order ended as its listeners were told; ``status`` is what is believed of it at the end, by its id."""
    for event in told:
        for kind, end in _ENDS:
            if isinstance(event, kind):
                believed = status(event.order_id)
                require(believed == end, "grammar", f"it is {ORDER_STATUS_NAMES[believed]} in the end: {event}")


class _Story:
    def __init__(self, order_id: str) -> None:
        self._order_id: Final = order_id
        self._is_created = False
        self._is_over = False
        self._is_complete = False
        self._trades: Final[set[str]] = set()
        self._quantity = Decimal(0)

    def read(self, story: Sequence[OrderEvent]) -> None:
        for event in story:
            if isinstance(event, OrderCreatedEvent):
                self._object(self._is_created or self._is_over, event, "is created twice, or after its end")
                self._is_created = True
            elif isinstance(event, OrderFilledEvent):
                self._fill(event)
            elif isinstance(event, TERMINAL):
                self._end(event)
            else:
                self._object(not isinstance(event, OrderUpdatedEvent), event, "is told nothing that there is")

    def _fill(self, event: OrderFilledEvent) -> None:
        self._object(not (self._is_created or self._is_over), event, "is filled before it is created")
        self._object(self._is_complete, event, "is filled after it was completed")
        self._object(event.late != self._is_over, event, "is filled late, or not, and it is otherwise")
        self._object(event.exchange_trade_id in self._trades, event, "is filled twice by one trade")
        self._trades.add(event.exchange_trade_id)
        self._quantity += event.amount
        self._object(event.executed_amount_base != self._quantity, event, f"was told of {self._quantity} by its fills")

    def _end(self, event: OrderEvent) -> None:
        self._object(self._is_over, event, "ends twice")
        is_failure = isinstance(event, MarketOrderFailureEvent)
        self._object(self._is_created == is_failure, event, "fails though it was created, or ends though it was not")
        is_short = isinstance(event, OrderCompletedEvent) and event.base_asset_amount != self._quantity
        self._object(is_short, event, f"is completed when its fills come to {self._quantity}")
        self._is_over = True
        self._is_complete = isinstance(event, OrderCompletedEvent) and not event.incomplete

    def _object(self, is_wrong: bool, event: OrderEvent, what: str) -> None:
        require(not is_wrong, "grammar", f"{self._order_id} {what}: {event}")
