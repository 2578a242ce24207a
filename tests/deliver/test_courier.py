"""What becomes of events on their way to endpoints that fail, hang, or are many: in virtual time."""

from collections import Counter, defaultdict
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import pytest

from tallystick.deliver import deliveries
from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Policy
from tallystick.deliver.records import FAILING, GONE, PER_ORDER
from tallystick.deliver.schedule import FAILED, SECOND, SUCCEEDED, WAITS_SECONDS, Outcome
from tests.deliver.virtual import BEGIN, Attempted, World, run

HOUR = 3600
DAY = 24 * HOUR


def test_attempts_of_one_delivery_are_alike_but_for_time_signature_and_number(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, answer=lambda _attempted: 500)
        endpoint = world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(sum(WAITS_SECONDS) + 1)
        assert len(world.attempts) == len(WAITS_SECONDS) + 1
        assert len({each.headers["Webhook-Id"] for each in world.attempts}) == 1
        assert len({each.body for each in world.attempts}) == 1
        assert {each.event for each in world.attempts} == {"evt_1"}
        numbers = [each.headers["Webhook-Attempt"] for each in world.attempts]
        assert numbers == [str(number) for number in range(1, len(numbers) + 1)]
        for name in ("Webhook-Timestamp", "Webhook-Signature"):
            assert len({each.headers[name] for each in world.attempts}) == len(numbers)
        gaps = [later.at - earlier.at for earlier, later in zip(world.attempts, world.attempts[1:], strict=False)]
        assert gaps == [wait * SECOND for wait in WAITS_SECONDS]
        (made,) = world.deliveries(endpoint)
        assert (made.status, made.next_at, len(made.attempts)) == (FAILED, 0, len(numbers))
        await world.stop()

    run(scene)


def test_an_hour_of_500_loses_nothing(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        world.answer = lambda _attempted: 500 if world.clock.now() < BEGIN + HOUR * SECOND else 200
        endpoint = world.endpoint()
        world.start()
        for _ in range(120):
            world.feed.happen("demo", time=world.clock.now())
            await world.clock.advance(30)
        await world.clock.advance(3 * HOUR)
        made = world.deliveries(endpoint)
        assert [each.event_id for each in made] == [f"evt_{number}" for number in range(1, 121)]
        assert {each.status for each in made} == {SUCCEEDED}
        assert world.now_of(endpoint).failing_since == 0
        await world.stop()

    run(scene)


def test_more_than_the_window_waits_in_the_journal_and_arrives(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, Policy(window=10))
        world.answer = lambda _attempted: 500 if world.clock.now() < BEGIN + 60 * SECOND else 200
        endpoint = world.endpoint()
        world.start()
        for _ in range(300):
            world.feed.happen("demo")
        await world.clock.advance(1)
        assert len(world.deliveries(endpoint)) == 10
        await world.clock.advance(HOUR)
        assert [each.status for each in world.deliveries(endpoint)] == [SUCCEEDED] * 300
        await world.stop()

    run(scene)


def test_a_crash_at_any_moment_loses_nothing_and_keeps_ids(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        endpoint = world.endpoint()
        ids: dict[str, set[str]] = defaultdict(set)
        answers = iter(range(10**6))

        def answer(attempted: Attempted) -> Awaitable[Any] | int:
            ids[attempted.event].add(attempted.headers["Webhook-Id"])
            number = next(answers)
            return world.clock.sleep(0.5) if number % 3 == 0 else 500 if number % 3 == 1 else 200

        def settled(attempted: Attempted) -> Any:
            found = answer(attempted)
            if isinstance(found, int):
                return found

            async def late() -> int:
                await found
                return 200

            return late()

        world.answer = settled
        for _ in range(40):
            world.feed.happen("demo")
            world.start()
            await world.clock.advance(0.3)
            await world.stop()
        world.start()
        await world.clock.advance(DAY)
        made = world.deliveries(endpoint)
        assert {each.event_id for each in made} == {f"evt_{number}" for number in range(1, 41)}
        assert {each.status for each in made} == {SUCCEEDED}
        assert all(len(each) == 1 for each in ids.values())
        await world.stop()

    run(scene)


def test_one_dead_endpoint_of_a_thousand_delays_no_other(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)

        async def hang() -> Outcome:
            await world.clock.sleep(15)
            return Outcome(0, 15 * SECOND, "timeout", "no answer")

        world.answer = lambda attempted: hang() if attempted.url == "dead.example" else 200
        for number in range(1000):
            world.endpoint(f"client{number}", url=f"https://{'dead' if number == 500 else f'e{number}'}.example/")
        world.start()
        await world.clock.settle()
        for _ in range(3):
            for number in range(1000):
                world.feed.happen(f"client{number}")
        await world.clock.advance(0.001)
        arrived = Counter(each.url for each in world.attempts)
        assert sum(count == 3 for url, count in arrived.items() if url != "dead.example") == 999
        assert all(each.at - BEGIN <= 0.001 * SECOND for each in world.attempts)
        await world.stop()

    run(scene)


def test_a_failing_delivery_holds_up_no_other_of_its_endpoint(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, answer=lambda attempted: 500 if attempted.event == "evt_1" else 200)
        world.endpoint()
        world.start()
        for _ in range(50):
            world.feed.happen("demo")
        await world.clock.advance(1)
        assert Counter(each.event for each in world.attempts).keys() == {f"evt_{number}" for number in range(1, 51)}
        await world.stop()

    run(scene)


def test_per_order_keeps_each_orders_order_and_holds_up_no_other_order(tmp_path: Path) -> None:
    """The head of order a fails three times; a head that fails for good lets the next one through."""

    async def scene() -> None:
        failing = Counter({"evt_1": 3, "evt_2": 99})
        succeeded: list[str] = []

        def answer(attempted: Attempted) -> int:
            if failing[attempted.event]:
                failing[attempted.event] -= 1
                return 500
            succeeded.append(attempted.event)
            return 200

        world = World(tmp_path, answer=answer)
        world.endpoint(ordering=PER_ORDER)
        world.start()
        for group in "abababab":
            world.feed.happen("demo", group=group)
        await world.clock.advance(1)
        assert succeeded == []
        await world.clock.advance(3 * HOUR)
        assert succeeded == ["evt_1", "evt_3", "evt_5", "evt_7"]
        await world.clock.advance(4 * DAY)
        assert succeeded == ["evt_1", "evt_3", "evt_5", "evt_7", "evt_4", "evt_6", "evt_8"]
        await world.stop()

    run(scene)


def test_who_asks_for_time_is_given_it(tmp_path: Path) -> None:
    """429 with Retry-After pauses the whole endpoint, not only the one delivery."""

    async def scene() -> None:
        world = World(tmp_path)
        world.answer = lambda _attempted: (
            Outcome(429, 1, retry_after=600) if world.clock.now() < BEGIN + 10 * SECOND else 200
        )
        world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(60)
        for _ in range(5):
            world.feed.happen("demo")
        await world.clock.advance(500)
        assert len(world.attempts) == 1
        await world.clock.advance(100)
        assert Counter(each.event for each in world.attempts) == Counter(
            ["evt_1", *(f"evt_{number}" for number in range(1, 7))]
        )
        await world.stop()

    run(scene)


@pytest.mark.parametrize(
    ("case", "answer", "reason", "after"),
    [
        ("it is gone", 410, GONE, 1),
        ("it only failed for five days", 500, FAILING, 6 * DAY),
    ],
)
def test_who_wants_nothing_any_more_is_disabled_and_the_others_are_told(
    tmp_path: Path, case: str, answer: int, reason: str, after: int
) -> None:
    async def scene() -> None:
        world = World(tmp_path, answer=lambda attempted: answer if attempted.url == "bad.example" else 200)
        bad = world.endpoint(url="https://bad.example/")
        good = world.endpoint(url="https://good.example/")
        foreign = world.endpoint("rival")
        world.start()
        for _ in range(3):
            world.feed.happen("demo")
        for _ in range(6):
            await world.clock.advance(after / 6)
            world.feed.happen("demo")
        await world.clock.settle()
        found = world.now_of(bad)
        assert (found.is_active, found.reason) == (False, reason)
        made = world.deliveries(bad)
        assert {each.status for each in made} == {FAILED}
        assert all(each.ended_at for each in made)
        world.start()  # the others' couriers are told of what is asked for
        await world.clock.advance(1)
        notices = [each for each in world.attempts if each.event.startswith("evt_notice")]
        assert [each.url for each in notices] == ["good.example"]
        assert reason.encode() in notices[0].body
        assert {each.status for each in world.deliveries(good)} == {SUCCEEDED}
        assert world.deliveries(foreign) == []
        await world.stop()

    run(scene)


def test_a_success_now_and_then_keeps_an_endpoint(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, answer=lambda attempted: 200 if attempted.event.endswith("0") else 500)
        endpoint = world.endpoint()
        world.start()
        for _ in range(30):
            world.feed.happen("demo")
            await world.clock.advance(8 * HOUR)
        assert world.now_of(endpoint).is_active
        await world.stop()

    run(scene)


def test_what_is_sent_again_has_its_id_and_the_next_attempts_number(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path)
        endpoint = world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(1)
        (made,) = world.deliveries(endpoint)
        world.book.change(lambda each: deliveries.again(each, made.number, world.clock.now()))
        world.start()
        await world.clock.advance(1)
        first, second = world.attempts
        assert first.headers["Webhook-Id"] == second.headers["Webhook-Id"]
        assert (first.headers["Webhook-Attempt"], second.headers["Webhook-Attempt"]) == ("1", "2")
        assert world.deliveries(endpoint)[0].status == SUCCEEDED
        await world.stop()

    run(scene)


def test_a_replay_sends_each_once_more_and_goes_on_after_a_crash(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, Policy(window=7))
        endpoint = world.endpoint()
        world.start()
        for _ in range(50):
            world.feed.happen("demo")
        await world.clock.advance(1)
        world.book.change(lambda each: world.endpoints.replay(each, endpoint, 10, 50))

        async def slowly() -> int:
            await world.clock.sleep(1)
            return 200

        world.answer = lambda _attempted: slowly()
        world.start()
        await world.clock.advance(1.5)
        await world.stop()
        world.start()
        await world.clock.advance(60)
        events = Counter(each.event_id for each in world.deliveries(endpoint))
        assert events == Counter({f"evt_{number}": 1 if number <= 10 else 2 for number in range(1, 51)})
        assert {each.status for each in world.deliveries(endpoint)} == {SUCCEEDED}
        await world.stop()

    run(scene)


def test_a_url_that_may_no_longer_be_sent_to_fails_with_a_word(tmp_path: Path) -> None:
    """Registered in a sandbox, then served in production."""

    async def scene() -> None:
        world = World(tmp_path, Policy(reach=Reach()))
        endpoint = world.endpoint(url="http://127.0.0.1/")
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(1)
        assert world.attempts == []
        assert world.deliveries(endpoint)[0].attempts[0].error == "address"
        await world.stop()

    run(scene)


def test_what_is_old_is_forgotten_and_what_is_not_over_is_kept(tmp_path: Path) -> None:
    async def scene() -> None:
        world = World(tmp_path, answer=lambda attempted: 500 if attempted.event == "evt_1" else 200)
        endpoint = world.endpoint()
        world.start()
        for _ in range(5):
            world.feed.happen("demo")
        await world.clock.advance(HOUR)
        assert world.book.change(lambda each: deliveries.prune(each, BEGIN)) == (0, False)
        world.book.change(lambda each: deliveries.prune(each, world.clock.now()))
        assert [each.event_id for each in world.deliveries(endpoint)] == ["evt_1"]
        await world.stop()

    run(scene)


def test_a_second_book_sees_the_same(tmp_path: Path) -> None:
    """The file is shared by a server and whoever sends."""
    world_file = tmp_path / "deliveries.db"
    one, other = Book(world_file), Book(world_file)
    before = other.read(Book.requests)
    one.change(Book.request)
    assert other.read(Book.requests) == before + 1
    assert world_file.stat().st_mode & 0o777 == 0o600
    one.close()
    other.close()
