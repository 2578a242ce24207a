"""The same evidence gives the same belief, in whatever order it comes and however often; what is told stays in order.

The evidence of an order is {ack, open, three fills, cancel ack, cancel refusal, an end, a snapshot, a not-found}. With
it come repetitions, and things that cannot all be true. Every case is compared by the bytes of what is believed.
"""

from itertools import permutations
from random import Random

import pytest

from tallystick.core.lifecycle import (
    CANCELLED,
    DONE,
    EXPIRED,
    FILLED,
    OPEN,
    PENDING,
    PLACED,
    REFUSED,
    REJECTED,
    REQUESTED,
    SUBMITTED,
    TRADE_PENDING,
    TRADE_REVERTED,
    TRADE_SETTLED,
)
from tallystick.facts.client_codes import BY_BOTH, BY_FILLS, BY_STATUS, FILLS_NAMED, FILLS_SUMMED_FIRST
from tallystick.facts.client_terms import VenueJoined
from tallystick.tracker.observations import (
    ANSWER,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    AllFills,
    Amendment,
    CancelReport,
    FillReport,
    NotFound,
    OpenOrders,
    OrderReport,
    Refusal,
    TradeReport,
    Unanswered,
)
from tests.tracker.desk import BEGIN, CLIENT_ID, SECOND, VENUE, VENUE_ID, Desk, check_grammar, fill, place, profile

TOLERANCE = 1


def at(second: int) -> int:
    return BEGIN + second * SECOND


def report(status: int, second: int, consumed: int = -1, client_id: str = "", origin: int = STREAM) -> OrderReport:
    return OrderReport(VENUE, client_id, VENUE_ID, at(second), origin, status, consumed)


def summed(status: int, second: int, consumed: int, pending: int) -> OrderReport:
    worth = 99 * consumed
    return OrderReport(VENUE, "", VENUE_ID, at(second), STREAM, status, consumed, notional=worth, pending=pending)


def amendment(size: int, second: int, price: int = 100) -> Amendment:
    return Amendment(VENUE, CLIENT_ID, "", at(second), STREAM, size, price)


ACK = report(PLACED, 1, client_id=CLIENT_ID, origin=SUBMIT)
OPENED = report(OPEN, 2)
FILLS = (fill("a", 2, at(3)), fill("b", 3, at(4)), fill("c", 5, at(5)))
CANCEL_ACK = CancelReport(VENUE, "", VENUE_ID, at(4), ANSWER, REQUESTED)
CANCEL_REFUSAL = CancelReport(VENUE, CLIENT_ID, "", at(6), ANSWER, REFUSED, "order_closed")
NOT_FOUND = NotFound(VENUE, CLIENT_ID, "", at(8), ANSWER)
LISTED = OpenOrders(VENUE, at(3), [report(OPEN, 3, 2, origin=SNAPSHOT)], [], True)
UNLISTED = OpenOrders(VENUE, at(7), [], [], True)
LACKING = OpenOrders(VENUE, at(7), [], [], False)

EVIDENCE = {
    "filled": (ACK, OPENED, *FILLS, CANCEL_ACK, CANCEL_REFUSAL, report(FILLED, 6, 10), UNLISTED, NOT_FOUND),
    "cancelled": (ACK, OPENED, *FILLS, CANCEL_ACK, CANCEL_REFUSAL, report(CANCELLED, 6, 10), UNLISTED, NOT_FOUND),
    "expired": (ACK, OPENED, *FILLS[:2], CANCEL_ACK, CANCEL_REFUSAL, report(EXPIRED, 6, 5), LISTED, NOT_FOUND),
    "absent": (ACK, OPENED, *FILLS, CANCEL_ACK, CANCEL_REFUSAL, UNLISTED, LISTED, NOT_FOUND),
    "denied": (
        ACK,
        OPENED,
        FILLS[0],
        fill("a", 2, at(9)),
        LACKING,
        NOT_FOUND,
        *(NotFound(VENUE, "", VENUE_ID, at(second), ANSWER) for second in (20, 30, 45)),
        LISTED,
    ),
    "never heard of": (
        Unanswered(VENUE, CLIENT_ID, "", at(1), SUBMIT, "timeout"),
        *(NotFound(VENUE, CLIENT_ID, "", at(second), ANSWER) for second in (10, 20, 45)),
        LACKING,
        UNLISTED,
    ),
    "refused, and alive": (
        Refusal(VENUE, CLIENT_ID, "", at(1), SUBMIT, "duplicate"),
        Refusal(VENUE, CLIENT_ID, "", at(2), SUBMIT, "too_late"),
        ACK,
        report(REJECTED, 4),
        *FILLS,
        NOT_FOUND,
    ),
    "settled, reverted, in doubt": (
        ACK,
        fill("a", 2, at(3), state=TRADE_PENDING),
        fill("a", 2, at(3), CLIENT_ID, "", state=TRADE_SETTLED),
        fill("b", 3, at(4), state=TRADE_PENDING),
        fill("b", 3, at(5), state=TRADE_REVERTED),
        FILLS[1],
        TradeReport(VENUE, "", "", at(9), STREAM, "c", TRADE_SETTLED),
        FILLS[2],
    ),
    "undone, and done after all": (
        ACK,
        fill("a", 8, at(3), state=TRADE_REVERTED),
        fill("a", 8, at(4)),
        fill("b", 5, at(2)),
    ),
    "more than all of it": (
        ACK,
        *FILLS,
        fill("d", 4, at(2)),
        fill("e", 1, at(6)),
        fill("f", 1, at(6)),
        fill("g", -3, at(1)),
        fill("d", 4, at(9), state=TRADE_REVERTED),
    ),
    "told differently": (
        ACK,
        FILLS[0],
        fill("a", 4, at(3)),
        fill("a", 4, at(2), CLIENT_ID, ""),
        fill("a", 2, at(9), state=TRADE_SETTLED),
        FILLS[2],
        fill("b", 9, at(1)),
        report(FILLED, 6, 10),
        report(CANCELLED, 6),
    ),
    "held and released, in unknown words": (
        ACK,
        report(PENDING, 3),
        report(OPEN, 4),
        report(PENDING, 4),
        report(OPEN, 2),
        OrderReport(VENUE, "", VENUE_ID, at(5), STREAM, -1, word="FROZEN"),
        OrderReport(VENUE, "", "v2", at(1), STREAM, OPEN),
        OrderReport(VENUE, CLIENT_ID, "v2", at(3), STREAM, PLACED),
        CancelReport(VENUE, "", VENUE_ID, at(7), ANSWER, DONE),
    ),
    "fees and sides learned later": (
        ACK,
        FILLS[0],
        FillReport(VENUE, CLIENT_ID, "", at(2), STREAM, "a", 2, 2, 200, 100),
        FillReport(VENUE, CLIENT_ID, "", at(4), STREAM, "a", 2, 2, 200, 100, 7, "ACME", 3, 2),
        report(FILLED, 5, 2),
    ),
    "cancelled with fills in flight": (
        ACK,
        fill("a", 2, at(3), state=TRADE_PENDING),
        FILLS[0],
        fill("b", 3, at(4), state=TRADE_PENDING),
        TradeReport(VENUE, "", "", at(8), STREAM, "b", TRADE_REVERTED),
        fill("c", 5, at(5), CLIENT_ID, "", state=TRADE_PENDING),
        report(CANCELLED, 6, 0),
        AllFills(VENUE, CLIENT_ID, "", at(5), ANSWER),
        AllFills(VENUE, CLIENT_ID, "", at(9), ANSWER),
    ),
    "amended up and down": (
        ACK,
        amendment(15, 4),
        amendment(6, 8),
        amendment(12, 6),
        amendment(12, 6, 90),
        amendment(-1, 9),
        *FILLS,
        fill("d", 4, at(6)),
        fill("e", 3, at(7)),
    ),
    "amended down to what is filled": (ACK, OPENED, amendment(5, 5), *FILLS[:2], fill("b", 4, at(6)), NOT_FOUND),
    "listed with its last fill": (
        ACK,
        OPENED,
        OpenOrders(VENUE, at(7), [], [fill("a", 2, at(7)), fill("b", 3, at(4))], True),
        OpenOrders(VENUE, at(9), [], [fill("a", 2, at(9))], True),
        FILLS[0],
        NOT_FOUND,
    ),
    "only received": (
        report(SUBMITTED, 2, client_id=CLIENT_ID, origin=SUBMIT),
        report(SUBMITTED, 6),
        Unanswered(VENUE, CLIENT_ID, "", at(1), SUBMIT, "timeout"),
        *(OpenOrders(VENUE, at(second), [], [], True) for second in (4, 7, 9, 12)),
        NOT_FOUND,
    ),
    "unknown words, over and over": (
        ACK,
        *(OrderReport(VENUE, CLIENT_ID, "", at(second), STREAM, -1, word="FROZEN") for second in (3, 5, 9)),
        OrderReport(VENUE, CLIENT_ID, "", at(5), STREAM, 99),
        fill("a", 2, at(4), state=7),
        TradeReport(VENUE, CLIENT_ID, "", at(6), STREAM, "a", -1),
        CancelReport(VENUE, CLIENT_ID, "", at(7), ANSWER, 9),
        FILLS[0],
    ),
    "said in sums, named later": (
        ACK,
        summed(OPEN, 3, 2, 3),
        summed(OPEN, 5, 5, 2),
        summed(OPEN, 4, 2, 8),
        FILLS[0],
        fill("b", 3, at(4), state=TRADE_PENDING),
        FILLS[1],
        fill("d", 1, at(6), state=TRADE_REVERTED),
        summed(CANCELLED, 7, 6, 1),
    ),
    "said in sums, amended, contradicted": (
        ACK,
        summed(OPEN, 3, 4, 0),
        summed(FILLED, 8, 14, 0),
        amendment(6, 5),
        fill("a", 4, at(3)),
        fill("a", 5, at(2)),
        fill("b", 9, at(4)),
    ),
}
SUMMED = {"said in sums, named later", "said in sums, amended, contradicted"}


def declared(name: str, completion: int) -> VenueJoined:
    if name == "only received":
        return profile(completion, absent_lists=2, absent_us=2 * SECOND)
    return profile(completion, fills=FILLS_SUMMED_FIRST if name in SUMMED else FILLS_NAMED)


def belief(evidence, terms: VenueJoined) -> tuple[bytes, Desk]:
    desk = Desk(terms, thorough=False)
    desk.do(place(10, tolerance=TOLERANCE))
    desk.now = at(60)
    for observation in evidence:
        desk.do(observation)
    check_grammar(desk.entries)
    return desk.belief(), desk


def with_repetitions(evidence, random: Random):
    mixed = [*evidence, *random.choices(evidence, k=random.randrange(4))]
    random.shuffle(mixed)
    return mixed


def check_sums(desk: Desk, name: str) -> None:
    """Where fills follow from sums, what was told comes to what is filled, or was before it was contradicted."""
    if name in SUMMED:
        said = desk.order().sums.said_consumed
        assert said >= desk.order().consumed if "contradicted" in name else said == desk.order().consumed


@pytest.mark.slow
@pytest.mark.parametrize("completion", [BY_STATUS, BY_BOTH, BY_FILLS])
@pytest.mark.parametrize("name", EVIDENCE)
def test_any_order_with_repetitions_gives_the_same_belief_and_a_grammatical_story(name, completion):
    random = Random(f"{name} {completion}")
    evidence = EVIDENCE[name]
    terms = declared(name, completion)
    expected, _ = belief(evidence, terms)
    for _ in range(600):
        mixed = with_repetitions(evidence, random)
        found, desk = belief(mixed, terms)
        assert found == expected, mixed
        check_sums(desk, name)


@pytest.mark.slow
@pytest.mark.parametrize("end", ["filled", "cancelled"])
def test_every_single_order_of_seven_gives_the_same_belief(end):
    evidence = [*EVIDENCE[end][:4], *EVIDENCE[end][7:]]
    assert len(evidence) == 7
    expected, _ = belief(evidence, profile(BY_BOTH))
    for mixed in permutations(evidence):
        assert belief(mixed, profile(BY_BOTH))[0] == expected, mixed


@pytest.mark.parametrize("name", EVIDENCE)
def test_the_story_of_any_order_can_be_read_again(name):
    """Replay gives the same state, and so does a restart between any two observations."""
    random = Random(name)
    for _ in range(5):
        desk = Desk(declared(name, BY_BOTH))
        desk.do(place(10, tolerance=TOLERANCE))
        desk.now = at(20)
        for observation in with_repetitions(EVIDENCE[name], random):
            desk.do(observation)
            if random.random() < 0.3:
                desk.restart()
        desk.restart()


def test_a_word_of_an_end_is_stronger_than_absence_and_absence_than_silence():
    statuses = {name: belief(EVIDENCE[name], declared(name, BY_BOTH))[1].believed() for name in EVIDENCE}
    assert statuses == {
        "filled": "FILLED 10",
        "cancelled": "CANCELLED 10",
        "expired": "EXPIRED 5",
        "absent": "FILLED INFERRED 10",
        "denied": "OPEN LOST 2",
        "never heard of": "SUBMITTED LOST",
        "refused, and alive": "OPEN 10",
        "settled, reverted, in doubt": "OPEN 10",
        "undone, and done after all": "OPEN 5",
        "more than all of it": "OPEN 11",
        "told differently": "FILLED 9",
        "held and released, in unknown words": "CANCELLED",
        "fees and sides learned later": "FILLED 2",
        "cancelled with fills in flight": "CANCELLED 2",
        "amended up and down": "OPEN 14",
        "amended down to what is filled": "OPEN 5",
        "listed with its last fill": "CANCELLED INFERRED 5",
        "only received": "REJECTED INFERRED",
        "unknown words, over and over": "OPEN 2",
        "said in sums, named later": "CANCELLED 6",
        "said in sums, amended, contradicted": "FILLED 11",
    }
