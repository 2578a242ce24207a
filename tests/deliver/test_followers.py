"""Followers of a stream in the server's own loop: how many one viewer may have, and what a listener's failure costs."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, ClassVar

import msgspec
import pytest

from tallystick.access.principal import Denied
from tallystick.deliver import stream
from tallystick.deliver.hub import Hub
from tallystick.deliver.reading import HubSource
from tallystick.deliver.stream import Stream
from tallystick.deliver.stream_query import BadQuery, read_query
from tallystick.dialects.sophic import outgoing
from tallystick.dialects.sophic.outgoing import SophicFeed
from tallystick.facts.venue import EVENTS_PER_ENTRY_MAX, event_number
from tallystick.readers.dispatch import Dispatcher
from tests.deliver.virtual import MemoryFeed


class Follower:
    """One request for server-sent events, as a server would pass it on."""

    def __init__(self, served: Stream[str | None], viewer: str) -> None:
        self.status = 0
        self.sent = b""
        self._left = asyncio.Event()
        headers = [(b"accept", b"text/event-stream"), (b"authorization", viewer.encode())]
        scope = {"type": "http", "method": "GET", "headers": headers, "query_string": b""}
        self.task = asyncio.ensure_future(served(scope, self._receive, self._send))

    async def leave(self) -> None:
        self._left.set()
        await self.task

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Any) -> None:
        self.status = message.get("status", self.status)
        self.sent += message.get("body", b"")


async def turns() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def following(scene: Callable[[MemoryFeed, Stream[str | None]], Awaitable[None]]) -> None:
    feed = MemoryFeed()
    asyncio.run(scene(feed, Stream(HubSource(Hub(feed)), lambda authorization: authorization)))  # type: ignore[arg-type]


def test_a_viewer_has_so_many_streams_and_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "STREAMS_MAX", 3)

    async def scene(_feed: MemoryFeed, served: Stream[str | None]) -> None:
        mine = [Follower(served, "demo") for _ in range(4)]
        another = Follower(served, "another")
        await turns()
        assert [each.status for each in mine] == [200, 200, 200, 429]
        assert msgspec.json.decode(mine[3].sent)["code"] == "too_many_streams"
        assert another.status == 200
        await mine[0].leave()
        mine[0] = Follower(served, "demo")
        await turns()
        assert mine[0].status == 200
        for each in (*mine[:3], another):
            await each.leave()

    following(scene)


def test_an_event_goes_to_each_follower_of_its_owner_and_to_no_other() -> None:
    async def scene(feed: MemoryFeed, served: Stream[str | None]) -> None:
        followers = [Follower(served, owner) for owner in ("demo", "demo", "another")]
        await turns()
        for number in range(3):
            feed.happen("demo")
            if number:
                await turns()
        feed.happen("another")
        await turns()
        assert [each.sent.count(b"event: order.placed") for each in followers] == [3, 3, 1]
        for each in followers:
            await each.leave()

    following(scene)


def test_a_client_that_may_no_longer_listen_is_cut_off_within_seconds() -> None:
    assert stream.REVIEW_SECONDS <= 5

    async def scene() -> None:
        feed, allowed = MemoryFeed(), True

        def admit(authorization: str | None) -> str | None:
            if not allowed:
                raise Denied(401, "unauthorized", "The client is disabled.")
            return authorization

        limits = stream.Limits(heartbeat_seconds=0.02, review_seconds=0.01)
        follower = Follower(Stream(HubSource(Hub(feed)), admit, limits=limits), "demo")
        await turns()
        allowed = False
        await asyncio.wait_for(follower.task, 10)
        assert b"event: cut_off" in follower.sent
        assert b"unauthorized" in follower.sent

    asyncio.run(scene())


def test_what_could_not_be_handed_over_is_read_from_the_journal() -> None:
    """A listener that fails is not told of what comes after: so its readers are, and look for themselves."""

    async def scene(feed: MemoryFeed, served: Stream[str | None]) -> None:
        follower = Follower(served, "demo")
        await turns()
        (hub,) = feed._sinks
        feed._sinks.clear()
        feed.happen("demo")  # nobody is handed this one
        feed._sinks.append(hub)
        hub.begin_anew(feed.newest())
        await turns()
        feed.happen("demo")
        await turns()
        assert follower.sent.count(b"event: order.placed") == 2
        await follower.leave()

    following(scene)


@pytest.mark.parametrize("number", ["9" * 20, "0" * 5000 + "1", "9" * 5000, "-1", "٣", "1.0", ""])
def test_a_number_that_is_no_position_is_refused_in_a_sentence(number: str) -> None:
    with pytest.raises(BadQuery):
        read_query(b"number=" + number.encode(), "", None, MemoryFeed())


@pytest.mark.parametrize("after", ["", "evt_99999", "evt_-1", "cur_2", "💥", "\x00", "start ", "a" * 10_000])
def test_garbage_for_a_position_is_refused_or_none(after: str) -> None:
    with suppress(BadQuery):
        assert read_query(b"", after, "demo", MemoryFeed()).after == 0


def test_a_listener_that_fails_once_hears_what_comes_after_and_says_what_it_missed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Sink:
        is_idle = False
        anew: ClassVar[list[int]] = []

        def wants(self, _owner: str) -> bool:
            return False

        def begin_anew(self, since: int) -> None:
            self.anew.append(since)

    def fail(_entry: Any) -> Any:
        raise RuntimeError("a fault of ours")

    readers = SimpleNamespace(dispatcher=Dispatcher())
    SophicFeed(None, readers, None).attach(Sink())  # type: ignore[arg-type]
    monkeypatch.setattr(outgoing, "events_of", fail)
    for sequence in (3, 4):
        readers.dispatcher.dispatch(SimpleNamespace(sequence=sequence, touched=lambda: ()), None)
    assert Sink.anew == [event_number(each, EVENTS_PER_ENTRY_MAX - 1) for each in (3, 4)]
