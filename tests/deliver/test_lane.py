"""A lane against what it promises: nothing is lost, nobody waits for others, and order where it is wanted."""

from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as some

from tallystick.deliver.lane import CONCURRENCY_AT_FIRST, CONCURRENCY_MAX, Lane
from tallystick.deliver.records import PENDING, Delivery


def delivery(number: int, group: str = "", next_at: int = 1) -> Delivery:
    return Delivery(number, 1, f"evt_{number}", "order.placed", group, b"", PENDING, (), 0, next_at, 1, 1, 0)


def take_all(lane: Lane, now: int) -> list[int]:
    found = []
    while (taken := lane.take(now)) is not None:
        found.append(taken.number)
    return found


def test_what_waits_for_its_next_attempt_holds_up_nobody() -> None:
    lane = Lane(is_ordered=False)
    lane.add(delivery(1, next_at=1_000))
    lane.add(delivery(2, next_at=5))
    assert take_all(lane, 10) == [2]
    assert lane.next_due() == 1_000


def test_in_order_only_the_same_orders_deliveries_wait() -> None:
    lane = Lane(is_ordered=True)
    for number, group in ((1, "a"), (2, "a"), (3, "b")):
        lane.add(delivery(number, group))
    assert take_all(lane, 1) == [1, 3]
    lane.finish(delivery(1, "a", next_at=100), is_success=False, is_answered=True)
    assert take_all(lane, 50) == []
    assert take_all(lane, 100) == [1]
    lane.finish(delivery(1, "a", next_at=0), is_success=True, is_answered=True)
    assert take_all(lane, 100) == [2]


def test_success_makes_it_bolder_and_failure_meeker() -> None:
    lane = Lane(is_ordered=False)
    for number in range(1, 200):
        lane.add(delivery(number))
    assert len(take_all(lane, 1)) == CONCURRENCY_AT_FIRST
    for number in range(1, 5):
        lane.finish(delivery(number, next_at=0), is_success=True, is_answered=True)
    assert len(take_all(lane, 1)) == CONCURRENCY_MAX
    lane.finish(delivery(5, next_at=99), is_success=False, is_answered=False)
    assert take_all(lane, 1) == []
    for number in range(6, 4 + CONCURRENCY_MAX):
        lane.finish(delivery(number, next_at=99), is_success=False, is_answered=False)
    assert take_all(lane, 1) == []
    lane.finish(delivery(4 + CONCURRENCY_MAX, next_at=99), is_success=False, is_answered=False)
    assert len(take_all(lane, 1)) == 1


def test_a_pause_that_was_asked_for_is_kept() -> None:
    lane = Lane(is_ordered=False)
    lane.add(delivery(1))
    lane.pause_until = 50
    assert take_all(lane, 49) == []
    assert lane.next_due() == 50
    assert take_all(lane, 50) == [1]


def test_one_that_is_asked_for_again_is_attempted_now() -> None:
    lane = Lane(is_ordered=False)
    lane.add(delivery(1, next_at=1_000))
    lane.add(delivery(1, next_at=5)._replace(modified_at=2))
    assert take_all(lane, 5) == [1]
    assert take_all(lane, 2_000) == []


def test_what_was_read_before_the_last_attempt_changes_nothing() -> None:
    lane = Lane(is_ordered=False)
    lane.add(delivery(1))
    assert take_all(lane, 1) == [1]
    lane.finish(delivery(1, next_at=1_000)._replace(modified_at=9), is_success=False, is_answered=True)
    lane.add(delivery(1))
    assert lane.next_due() == 1_000


def test_room_comes_back_when_the_end_is_on_record() -> None:
    lane = Lane(is_ordered=False, window=2)
    lane.add(delivery(1))
    lane.add(delivery(2))
    assert lane.room == 0
    assert take_all(lane, 1) == [1, 2]
    lane.finish(delivery(1, next_at=0), is_success=True, is_answered=True)
    assert lane.room == 0
    lane.forget(1)
    assert lane.room == 1


Steps = some.lists(
    some.one_of(
        some.tuples(some.just("add"), some.sampled_from(["", "a", "b", "c"]), some.integers(0, 30)),
        some.tuples(some.just("take"), some.just(""), some.integers(0, 10)),
        some.tuples(some.just("succeed"), some.just(""), some.integers(0, 9)),
        some.tuples(some.just("fail"), some.just(""), some.integers(0, 9)),
        some.tuples(some.just("end"), some.just(""), some.integers(0, 9)),
    ),
    max_size=80,
)


@settings(max_examples=300, deadline=None)
@given(Steps, some.booleans())
def test_whatever_happens_each_is_taken_until_it_is_over_and_groups_stay_in_order(
    steps: list[tuple[str, str, int]], is_ordered: bool
) -> None:
    lane, now, made = Lane(is_ordered), 1, 0
    flying: list[Delivery] = []
    open_in: dict[str, list[int]] = defaultdict(list)
    for what, group, number in steps:
        if what == "add":
            made += 1
            lane.add(delivery(made, group, now + number))
            open_in[group].append(made)
        elif what == "take":
            now += number
            taken = lane.take(now)
            if taken is not None:
                assert taken.next_at <= now
                assert taken.number in open_in[taken.group]
                assert not is_ordered or not taken.group or open_in[taken.group][0] == taken.number
                flying.append(taken)
        elif flying:
            one = flying.pop(number % len(flying))
            again = what == "fail"
            lane.finish(one._replace(next_at=now + number if again else 0), what == "succeed", is_answered=bool(number))
            if not again:
                open_in[one.group].remove(one.number)
                lane.forget(one.number)
        assert lane.in_flight == len(flying) <= CONCURRENCY_MAX
    for one in flying:  # everything that is left gets through in the end
        lane.finish(one._replace(next_at=0), is_success=True, is_answered=True)
        open_in[one.group].remove(one.number)
    now += 1_000
    while (taken := lane.take(now)) is not None:
        lane.finish(taken._replace(next_at=0), is_success=True, is_answered=True)
        open_in[taken.group].remove(taken.number)
    assert not any(open_in.values())
    assert lane.next_due() == 0
