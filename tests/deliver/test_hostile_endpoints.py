"""Endpoints and their owners that take more than their share: connections, threads, places, memory and disk."""

import asyncio
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from tallystick.deliver import deliveries, post, resolve, sender
from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import Book
from tallystick.deliver.courier import Courier
from tallystick.deliver.places import Places
from tallystick.deliver.post import Limits, Poster
from tallystick.deliver.records import Delivery
from tallystick.deliver.register import (
    ATTEMPTS_MAX,
    TESTS_MAX,
    UNFINISHED_MAX,
    Register,
    TooManyAttempts,
    TooManyUnfinished,
)
from tallystick.deliver.resolve import SystemLookup
from tallystick.deliver.schedule import FAILED, SUCCEEDED
from tests.deliver.receiver import Receiver
from tests.deliver.virtual import BEGIN, World, run

ANYWHERE = Reach(everywhere=True)
PROMISES_MORE = b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nsome"


async def this_machine(_host: str, _port: int) -> list[str]:
    return ["127.0.0.1"]


# --- Connections ---


def keeps_talking(times: int, limits: Limits) -> list[int]:
    """How many connections are open after each of so many posts to who answers and never ends its body."""

    async def talk() -> list[int]:
        poster = Poster(ANYWHERE, this_machine, None, limits)
        found = []
        for _ in range(times):
            assert (await poster.post(ANYWHERE.read(receiver.url), [], b"{}")).status == 200
            await asyncio.sleep(0)
            found.append(len(poster._origins))
        while poster._lingering:  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
        found.append(len(poster._origins))
        poster.close()
        await asyncio.sleep(0)
        return found

    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(PROMISES_MORE)
        await asyncio.sleep(60)

    with Receiver(lambda _received: drip) as receiver:
        return asyncio.run(asyncio.wait_for(talk(), 30))


def test_a_body_that_never_ends_holds_its_connection_for_a_moment_alone() -> None:
    assert keeps_talking(3, Limits(linger_seconds=0.2))[-1] == 0


def test_who_never_ends_bodies_holds_no_more_than_some_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(post, "LINGERING_MAX", 4)
    assert max(keeps_talking(20, Limits(linger_seconds=0.5))) <= 6


def test_a_body_that_comes_late_leaves_its_connection_to_be_used_again() -> None:
    async def late(writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n")
            await writer.drain()
            await asyncio.sleep(0.05)
            writer.write(b"ok")
            await asyncio.sleep(0.2)

    async def talk() -> int:
        poster = Poster(ANYWHERE, this_machine)
        for _ in range(2):
            assert (await poster.post(ANYWHERE.read(receiver.url), [], b"{}")).status == 200
            while not poster._idle:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        poster.close()
        await asyncio.sleep(0)
        return receiver.connections

    with Receiver(lambda _received: late) as receiver:
        assert asyncio.run(asyncio.wait_for(talk(), 10)) == 1


# --- Names ---


def test_a_name_whose_server_hangs_takes_one_thread_however_often_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer, asked = threading.Event(), []

    def hang(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        if host == "hangs.example":
            answer.wait(20)
        return [(socket.AF_INET, 0, 0, "", ("127.0.0.1", 1))]

    monkeypatch.setattr(socket, "getaddrinfo", hang)

    async def ask() -> None:
        lookup = SystemLookup()
        waiting = [asyncio.ensure_future(lookup("hangs.example", 443)) for _ in range(2 * resolve.LOOKUPS_MAX)]
        await asyncio.sleep(0)
        assert await asyncio.wait_for(lookup("fine.example", 443), 10) == ["127.0.0.1"]
        waiting[0].cancel()  # who gives up takes it from nobody
        answer.set()
        assert await asyncio.gather(*waiting[1:]) == [["127.0.0.1"]] * (len(waiting) - 1)
        assert await lookup("hangs.example", 443) == ["127.0.0.1"]
        lookup.close()

    asyncio.run(ask())
    assert asked.count("hangs.example") == 2, "looked up once, and anew when that was over"


# --- Places ---


def test_an_owner_whose_endpoints_all_hang_has_only_its_own_places(tmp_path: Path) -> None:
    async def scene() -> None:
        hang = asyncio.Event()
        world = World(tmp_path, answer=lambda _attempted: answered())

        async def answered() -> int:
            await hang.wait()
            return 200

        endpoints = [world.endpoint() for _ in range(4)]
        places = Places(3)
        couriers = [Courier(each, world.means, places) for each in endpoints]
        tasks = [asyncio.ensure_future(each.run()) for each in couriers]
        for _ in range(5):
            world.feed.happen("demo")
        await world.clock.advance(1)
        assert len(world.attempts) == 3
        hang.set()
        await world.clock.advance(1)
        assert len(world.attempts) == 20
        for courier, task in zip(couriers, tasks, strict=True):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await courier.end(0)

    run(scene)


def test_no_owner_can_take_all_places() -> None:
    assert Limits().posts_max > 4 * sender.OWNER_ATTEMPTS_MAX


# --- An attempt that fails here ---


def test_an_attempt_that_fails_on_our_side_is_on_record_and_made_again(tmp_path: Path) -> None:
    async def scene() -> None:
        def answer(attempted: Any) -> int:
            if attempted.headers["Webhook-Attempt"] == "1":
                raise RuntimeError("a fault of ours")
            return 200

        world = World(tmp_path, answer=answer)
        endpoint = world.endpoint()
        world.start()
        world.feed.happen("demo")
        await world.clock.advance(60)
        (delivery,) = world.deliveries(endpoint)
        assert (delivery.status, [each.error for each in delivery.attempts]) == (SUCCEEDED, ["internal", ""])
        await world.stop()

    run(scene)


# --- Memory and disk ---


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def register(world: World) -> Register:
    return Register(world.book, world.endpoints, world.feed, world.clock, lambda: None)


def of_event(world: World, number: int) -> Any:
    return world.feed.happen("demo", time=BEGIN + number)


def ended(world: World, endpoint: int, count: int, at: int) -> list[Delivery]:
    """Deliveries that were made and had failed at that time."""
    events = [of_event(world, number) for number in range(count)]

    def change(connection: Any) -> list[Delivery]:
        made = deliveries.begin(connection, endpoint, events, at)
        deliveries.give_up(connection, endpoint, at)
        return made

    return world.book.change(change)


def test_tests_without_end_are_refused(world: World) -> None:
    async def scene() -> None:
        endpoint, owners = world.endpoint(), register(world)
        test = of_event(world, 0)._replace(event_id="")
        for _ in range(TESTS_MAX):
            await owners.send("demo", endpoint.number, test)
        with pytest.raises(TooManyUnfinished):
            await owners.send("demo", endpoint.number, test)

    asyncio.run(scene())


def test_deliveries_are_sent_again_up_to_a_number_at_a_time(world: World) -> None:
    async def scene() -> None:
        endpoint, owners = world.endpoint(), register(world)
        made = ended(world, endpoint.number, UNFINISHED_MAX + 1, BEGIN)
        world.book._connection.execute(
            "UPDATE deliveries SET next_at = 1 WHERE number <= ?", (made[UNFINISHED_MAX - 2].number,)
        )
        await owners.resend("demo", endpoint.number, made[-2].number)
        with pytest.raises(TooManyUnfinished):
            await owners.resend("demo", endpoint.number, made[-1].number)
        await owners.resend("demo", endpoint.number, made[0].number)  # it is under way already

    asyncio.run(scene())


def test_a_delivery_is_sent_again_a_bounded_number_of_times(world: World) -> None:
    async def scene() -> None:
        endpoint, owners = world.endpoint(), register(world)
        (made,) = ended(world, endpoint.number, 1, BEGIN)
        attempts = b"[" + b",".join([b'[1,1,500,"",""]'] * ATTEMPTS_MAX) + b"]"
        world.book._connection.execute("UPDATE deliveries SET attempts = ?", (attempts,))
        with pytest.raises(TooManyAttempts):
            await owners.resend("demo", endpoint.number, made.number)

    asyncio.run(scene())


def prune(world: World, older_than: int) -> None:
    """As the sender does, until there is no more to do."""
    after, is_more = 0, True
    while is_more:
        after, is_more = world.book.change(
            lambda each, after=after: deliveries.prune(each, older_than, after)  # type: ignore[misc]
        )


def test_what_is_kept_longer_does_not_keep_what_comes_after_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As deliveries that are sent again and again would, of one client for all."""
    monkeypatch.setattr(deliveries, "PRUNED_AT_ONCE", 10)
    endpoint = world.endpoint()
    made = ended(world, endpoint.number, 50, BEGIN)
    world.book._connection.execute("UPDATE deliveries SET ended_at = ? WHERE number <= ?", (BEGIN * 2, made[9].number))
    prune(world, BEGIN + 1)
    assert [each.number for each in world.deliveries(endpoint)] == [each.number for each in made[:10]]


def test_an_endpoint_keeps_a_bounded_number_of_deliveries_and_all_that_are_not_over(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliveries, "KEPT_MAX", 20)
    monkeypatch.setattr(deliveries, "PRUNED_AT_ONCE", 10)
    endpoint, other = world.endpoint(), world.endpoint()
    made, others = ended(world, endpoint.number, 50, BEGIN), ended(world, other.number, 20, BEGIN)
    world.book._connection.execute(
        "UPDATE deliveries SET next_at = 1, ended_at = 0 WHERE number = ?", (made[3].number,)
    )
    prune(world, 0)
    assert [each.number for each in world.deliveries(endpoint)] == [each.number for each in (made[3], *made[30:])]
    assert [each.number for each in world.deliveries(other)] == [each.number for each in others]
    assert {each.status for each in world.deliveries(other)} == {FAILED}


def test_a_file_that_others_may_read_is_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "deliveries.db"
    Book(path).close()
    path.chmod(0o644)
    Book(path).close()
    assert path.stat().st_mode & 0o777 == 0o600
