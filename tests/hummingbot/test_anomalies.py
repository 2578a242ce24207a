"""What upstream tells of an order, and what the facade tells: the rows of specs/hummingbot.md §1.4, bold or not."""

import asyncio
import itertools
import re
from random import Random

import pytest

from tallystick.dialects.hummingbot import ClientOrderTracker, MarketEvent, OrderState, OrderUpdate
from tests.hummingbot.told import Impatient, Told, letters_of, order, trade

# what happens; what is told; the state that is shown; what upstream tells, if it is something else
ROWS = [
    ("OPEN, fill 4, fill 6, FILLED", "C F F D", "FILLED", ""),
    ("fill 4, fill 6, FILLED", "C F F D", "FILLED", "F F C D: a fill before it was created"),
    ("fill 4, OPEN", "C F", "PARTIALLY_FILLED", "F C"),
    ("FILLED", "C D", "FILLED", ""),
    ("FILLED, fill 10", "C D F", "FILLED", ""),
    ("OPEN, fill 10, CANCELED", "C F D", "FILLED", "C F X: never completed"),
    ("OPEN, fill 10, FAILED", "C F D", "FILLED", "C F D, and its state is FAILED"),
    ("OPEN, CANCELED, fill 4", "C X F", "CANCELED", ""),
    ("OPEN, CANCELED, fill 10, FILLED", "C X F", "FILLED", "C X F D: two ends"),
    ("OPEN, fill 10, FILLED, OPEN", "C F D", "FILLED", "its state is OPEN again"),
    ("OPEN, fill 10, FILLED, OPEN, FILLED", "C F D", "FILLED", "C F D D"),
    ("OPEN, fill 10, FILLED, CANCELED", "C F D", "FILLED", "C F D X"),
    ("fill 10, FILLED, FILLED=v1", "C F D", "FILLED", "F C D D"),
    ("OPEN, CANCELED, CANCELED=v1", "C X", "CANCELED", "C X X"),
    ("CANCELED", "C X", "CANCELED", "X: it was never created"),
    ("PENDING_CANCEL, OPEN@2", "C", "OPEN", "nothing: never created"),
    ("OPEN, PENDING_CREATE, OPEN", "C", "OPEN", "C C"),
    ("OPEN@1, PENDING_CANCEL@5, OPEN@3", "C", "PENDING_CANCEL", "its state is OPEN again"),
    ("OPEN@1, PENDING_CANCEL@5, OPEN@6", "C", "OPEN", ""),
    ("OPEN, APPROVED", "C", "OPEN", "tracking stops, and no end is told"),
    ("OPEN, COMPLETED, fill 10, FILLED", "C F D", "FILLED", "tracking stops, and no end is told"),
    ("OPEN, miss, miss, miss, miss, fill 10, FILLED", "C ! F", "FAILED", ""),
    ("OPEN, miss, miss, miss, OPEN, miss", "C", "OPEN", "C !: a good answer does not count"),
    ("OPEN, fill 4, again", "C F", "PARTIALLY_FILLED", ""),
    ("OPEN, fill 8, fill 8", "C F", "PARTIALLY_FILLED", "C F F: 16 of 10 are filled"),
    ("OPEN, fill -3", "C", "OPEN", "C: -3 of 10 are filled"),
    ("OPEN, expired", "C E", "CANCELED", "C X: nothing ever expires"),
    ("OPEN, fill 4, CANCELED", "C F X", "CANCELED", ""),
    ("FAILED", "!", "FAILED", ""),
    ("OPEN, FAILED", "C !", "FAILED", ""),
    ("OPEN, FAILED, FILLED", "C !", "FAILED", "C ! D"),
]


@pytest.mark.parametrize(("happens", "told", "state", "upstream"), ROWS, ids=[row[0] for row in ROWS])
def test_what_is_told(happens: str, told: str, state: str, upstream: str) -> None:
    assert letters_of(happens) == (told, state), f"upstream: {upstream or 'the same'}"


class Forgetful(Impatient):
    """Whose cache keeps nothing."""

    CACHED_ORDER_TTL = 0.0


GRAMMAR = re.compile(r"!( F)*|C( F)*( [DXE!]( F)*)?")


@pytest.mark.parametrize(
    "happens",
    [
        ("OPEN", "fill 4", "fill 6", "FILLED", "PENDING_CANCEL", "CANCELED"),
        ("OPEN", "OPEN", "fill 4", "again", "CANCELED", "FAILED"),
        ("PENDING_CREATE", "fill 10", "FILLED", "OPEN", "miss", "FILLED"),
        ("miss", "miss", "miss", "miss", "OPEN", "fill 10"),
    ],
)
def test_created_comes_first_and_one_end_comes_once_in_whatever_order_things_are_heard(
    happens: tuple[str, ...],
) -> None:
    told = {order: letters_of(", ".join(order))[0] for order in set(itertools.permutations(happens))}
    wrong = {order: letters for order, letters in told.items() if letters and not GRAMMAR.fullmatch(letters)}
    assert wrong == {}


WORDS = [
    *(state.name for state in OrderState),
    *(f"{state.name}@3" for state in OrderState),
    *("OPEN=v1", "FILLED=v1", "CANCELED=v2", "fill 4", "fill 6", "fill 10", "fill 0", "again", "again", "miss", "miss"),
]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_is_said_of_an_order_its_story_and_its_sums_are_right(seed: int) -> None:
    random = Random(seed)

    async def play() -> None:
        for _ in range(20):
            happens = ", ".join(random.choices(WORDS, k=random.randint(1, 14)))
            told = Told()
            subject = await told.live(happens)
            assert not told.letters or GRAMMAR.fullmatch(told.letters), happens
            fills = told.of("F")
            assert subject.executed_amount_base == sum(each.amount for each in fills) <= subject.amount, happens
            assert [each.exchange_trade_id for each in fills] == list(subject.order_fills), happens
            has_ended = any(letter in told.letters for letter in "DXE!")
            assert ("o1" in told.tracker.active_orders) is not has_ended, happens
            assert subject.is_open or has_ended, happens
            tracker = told.tracker
            kept = [tracker.active_orders, tracker.cached_orders, tracker.lost_orders]
            assert sum("o1" in orders for orders in kept) <= 1, happens

    asyncio.run(play())


def test_a_cancel_that_comes_while_fills_are_awaited_does_not_end_the_order_twice() -> None:
    """Upstream: X F D."""

    async def play() -> str:
        told = Told(tracker_class=ClientOrderTracker)
        told.tracker.start_tracking_order(order())
        filled = told.tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.FILLED, "o1"))
        cancelled = told.tracker.process_order_update(OrderUpdate("ACME-USD", 2, OrderState.CANCELED, "o1"))
        await asyncio.sleep(0)
        assert not filled.done()
        told.tracker.process_trade_update(trade("t1", "10"))
        await asyncio.gather(filled, cancelled)
        return told.letters

    assert asyncio.run(play()) == "C F D"


def test_a_fill_that_comes_after_the_cache_has_forgotten_its_order_is_told() -> None:
    """Upstream drops it without a word."""

    async def play() -> None:
        told = Told(tracker_class=Forgetful)
        subject = await told.live("OPEN=v1, CANCELED")
        assert told.tracker.cached_orders == {}
        assert told.tracker.all_fillable_orders.get("o1") is subject
        assert list(told.tracker.all_fillable_orders) == []
        await told.hear("fill 4")
        assert told.letters == "C X F"
        assert subject.executed_amount_base == 4

    asyncio.run(play())


def test_a_fill_that_names_its_order_by_the_exchange_id_alone_is_told() -> None:
    """Upstream drops it without a word."""

    async def play() -> None:
        told = Told()
        await told.live("OPEN=v1")
        told.tracker.process_trade_update(trade("t1", "4", client_order_id=""))
        assert told.letters == "C F"

    asyncio.run(play())


def test_a_fill_that_comes_before_the_exchange_id_is_known_waits_for_it() -> None:
    async def play() -> None:
        told = Told()
        subject = await told.live("")
        told.tracker.process_trade_update(trade("t1", "4", client_order_id=""))
        assert told.letters == ""
        await told.hear("OPEN=v1")
        assert told.letters == "C F"
        assert subject.executed_amount_base == 4

    asyncio.run(play())


def test_an_order_whose_fills_are_complete_is_completed_though_nobody_says_so() -> None:
    """Upstream leaves it active for ever. It does wait for the word first."""

    async def play() -> None:
        told = Told()
        ended = asyncio.Event()
        told.connector.add_listener(MarketEvent.BuyOrderCompleted, lambda event: ended.set())
        await told.live("OPEN, fill 4")
        told.tracker.process_trade_update(trade("t9", "6"))
        assert told.letters == "C F F"
        assert "o1" in told.tracker.active_orders
        await ended.wait()
        assert told.letters == "C F F D"

    asyncio.run(play())


def test_an_order_that_had_failed_and_is_filled_is_kept_among_the_lost() -> None:
    """There a connector asks for it, and cancels it. Upstream forgets it after half a minute."""

    async def play() -> None:
        told = Told()
        subject = await told.live("FAILED, fill 4")
        assert told.letters == "! F"
        assert told.tracker.lost_orders == {"o1": subject}
        await told.hear("CANCELED")
        assert told.letters == "! F"
        assert told.tracker.lost_orders == {}

    asyncio.run(play())


UNANSWERED = [
    ("TimeoutError", ""),
    ("ServerDisconnectedError", "Server disconnected"),
    ("OSError", "Error executing request POST https://venue/order. HTTP status is 503. Error: busy"),
]
REFUSED = [
    ("ValueError", "insufficient balance"),
    ("OSError", "Error executing request POST https://venue/order. HTTP status is 400. Error: no"),
    ("ClientConnectorError", "Cannot connect to host"),
]


@pytest.mark.parametrize(("error_type", "error_message"), [*UNANSWERED, *REFUSED])
def test_a_request_without_an_answer_is_no_failure(error_type: str, error_message: str) -> None:
    """Upstream takes every exception for a refusal, and forgets an order that the venue has."""

    async def play() -> None:
        told = Told()
        subject = order()
        told.tracker.start_tracking_order(subject)
        misc = {"error_type": error_type, "error_message": error_message}
        await told.tracker.process_order_update(OrderUpdate("ACME-USD", 1, OrderState.FAILED, "o1", misc_updates=misc))
        if (error_type, error_message) in REFUSED:
            assert told.letters == "!"
            assert told.of("!")[0].error_message == error_message
            return
        assert told.letters == ""
        assert subject.is_pending_create
        assert [each.certainty for each in told.updates] == ["AMBIGUOUS"]
        await told.hear("OPEN=v1, fill 10, FILLED")
        assert told.letters == "C F D"

    asyncio.run(play())


def test_what_is_set_aside_is_shown() -> None:
    async def play() -> None:
        told = Told()
        await told.live("OPEN, fill 8, fill 8, APPROVED")
        word, fill = told.updates[-1].problems
        assert "'APPROVED'" in word
        assert fill == "fill t2 is set aside: excess"
        assert told.updates[-1].changed == ("quarantine",)

    asyncio.run(play())
