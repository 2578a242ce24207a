"""What a client was told of its orders: events as short texts, and the grammar that every story keeps."""

from collections.abc import Iterable

from tallystick.connect.events import (
    TERMINAL,
    MarketOrderFailureEvent,
    OrderCompletedEvent,
    OrderCreatedEvent,
    OrderEvent,
    OrderFilledEvent,
    OrderUpdatedEvent,
)


def text(event: OrderEvent) -> str:
    """Created, Filled 4, Completed 10, Failure code, Updated status certainty: with (late) and (inferred)."""
    words = [type(event).__name__.removesuffix("Event").replace("Order", "").removeprefix("Buy").removeprefix("Sell")]
    if isinstance(event, OrderFilledEvent):
        words.append(f"{event.amount.normalize():f}")
    elif isinstance(event, OrderCompletedEvent):
        words.append(f"{event.base_asset_amount.normalize():f}")
    elif isinstance(event, MarketOrderFailureEvent):
        words = ["Failure", event.error_type]
    elif isinstance(event, OrderUpdatedEvent):
        words += event.changed
    elif isinstance(event, OrderCreatedEvent):
        words = ["Created"]
    words += ["(late)"] * event.late + ["(inferred)"] * event.inferred
    return " ".join(words)


def grammar_faults(events: Iterable[OrderEvent]) -> list[str]:
    """A sentence for each order whose story is none: created (unless it failed), then fills, then one end, then only
    fills that are late; each fill and each position once. ``events`` are from the beginning, in order."""
    stories: dict[tuple[str, str], list[OrderEvent]] = {}
    positions: set[tuple[str, str]] = set()
    faults: list[str] = []
    for event in events:
        if (event.venue, event.position) in positions:
            faults.append(f"{event.order_id}: position {event.position} was told twice")
        positions.add((event.venue, event.position))
        if not isinstance(event, OrderUpdatedEvent):
            stories.setdefault((event.venue, event.order_id), []).append(event)
    for (_, order_id), story in stories.items():
        wrong = _fault(story)
        if wrong:
            faults.append(f"{order_id}: {wrong}: {', '.join(text(event) for event in story)}")
    return faults


def assert_grammar(events: Iterable[OrderEvent]) -> None:
    """Raises AssertionError with what ``grammar_faults`` finds."""
    faults = grammar_faults(events)
    if faults:
        raise AssertionError("\n".join(faults))


def _fault(story: list[OrderEvent]) -> str:
    created = [at for at, event in enumerate(story) if isinstance(event, OrderCreatedEvent)]
    ends = [at for at, event in enumerate(story) if isinstance(event, TERMINAL)]
    trades = [event.exchange_trade_id for event in story if isinstance(event, OrderFilledEvent)]
    if len(ends) > 1:
        return "it ended twice"
    if created != [0] and not isinstance(story[0], MarketOrderFailureEvent):
        return "it does not begin with Created"
    if len(trades) != len(set(trades)):
        return "a fill was told twice"
    if any(event.late != bool(ends and at > ends[0]) for at, event in enumerate(story)):
        return "a fill after the end is not marked late, or one before it is"
    return ""
