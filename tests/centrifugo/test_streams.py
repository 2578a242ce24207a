"""Channels without a socket: what is read, what is kept, what is forgotten, and what happens in between."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from tallystick.deliver.centrifugo import Bounds, Streams, offset_of
from tallystick.deliver.centrifugo import streams as room
from tests.centrifugo.hall import KEPT, Journal


class Ear:
    def __init__(self) -> None:
        self.heard = []

    def tell(self, message: bytes) -> None:
        data = json.loads(message)["push"]["pub"]["data"]
        self.heard += data if type(data) is list else [data]


class Scene:
    def __init__(self, bounds: Bounds) -> None:
        self.journal = Journal(bounds)
        self.streams = Streams(self.journal, lambda: self.journal.now)

    def publish(self, channel: str, *rows: object) -> None:
        for published in self.journal.write(channel, *rows):
            self.streams.publish(channel, published)


def play(scene: Callable[[Scene], Awaitable[None]], bounds: Bounds = KEPT) -> None:
    async def run() -> None:
        async with asyncio.timeout(10):
            await scene(Scene(bounds))

    asyncio.run(run())


def bodies(found: list[bytes]) -> list[object]:
    return [json.loads(each)["data"] for each in found]


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.mark.parametrize("delay", [0, 0.01], ids=["at once", "joined"])
@pytest.mark.parametrize("reads_late", [True, False], ids=["and is among what was read", "and is not"])
def test_what_is_published_while_a_channel_is_read_comes_once(reads_late: bool, delay: float) -> None:
    async def scene(scene: Scene) -> None:
        scene.publish("news", [1])
        scene.journal.reads_late = reads_late
        scene.journal.gate.clear()
        opening = asyncio.create_task(scene.streams.open("news"))
        await turns()
        scene.publish("news", [2])
        scene.journal.gate.set()
        stream = await opening
        ear = Ear()
        stream.listen(ear)
        scene.publish("news", [3])
        stream.flush()
        assert [row for rows in bodies(stream.after(0, 10)) for row in rows] == [1, 2, 3]
        assert ear.heard == [3]

    play(scene, Bounds(100, 300, delay))


def test_a_channel_is_read_once_for_all_who_open_it_at_the_same_time() -> None:
    async def scene(scene: Scene) -> None:
        scene.journal.gate.clear()
        openings = [asyncio.create_task(scene.streams.open("news")) for _ in range(10)]
        await turns()
        openings[0].cancel()  # the one for whom it was begun leaves
        await turns()
        scene.journal.gate.set()
        found = await asyncio.gather(*openings[1:])
        assert len(set(found)) == 1
        assert scene.journal.reads == 1

    play(scene)


def test_a_channel_with_a_hole_is_read_again_by_those_who_are_reading_it() -> None:
    async def scene(scene: Scene) -> None:
        scene.journal.gate.clear()
        opening = asyncio.create_task(scene.streams.open("news"))
        await turns()
        scene.journal.write("news", 1)  # and could not be published
        scene.streams.forget("news")
        scene.publish("news", 2)
        scene.journal.gate.set()
        assert bodies((await opening).after(0, 10)) == [1, 2]

    play(scene)


def test_what_a_channel_keeps_is_bounded_in_number_and_age() -> None:
    async def scene(scene: Scene) -> None:
        stream = await scene.streams.open("news")
        stream.listen(Ear())
        for number in range(5):
            scene.publish("news", number)
            scene.journal.now += 100_000_000
        assert bodies(stream.after(0, 10)) == [2, 3, 4]
        assert stream.recover("journal-1", offset_of(2), 10) is not None
        assert stream.recover("journal-1", offset_of(1), 10) is None
        assert await scene.streams.open("news") is stream
        assert bodies(stream.after(0, 10)) == [2, 3, 4]
        scene.journal.now += 1
        await scene.streams.open("news")
        assert bodies(stream.after(0, 10)) == [3, 4]

    play(scene, Bounds(3, 300))


def test_a_channel_that_nobody_listens_to_is_kept_for_a_while() -> None:
    async def scene(scene: Scene) -> None:
        ear = Ear()
        for channel, wait in (("news", 0), ("other", 299), ("third", 1)):
            scene.journal.now += wait * 1_000_000
            stream = await scene.streams.open(channel)
            stream.listen(ear)
            stream.leave(ear)
            scene.streams.release(stream)
        assert [scene.streams.wants(channel) for channel in ("news", "other", "third")] == [False, True, True]
        (await scene.streams.open("other")).listen(ear)
        assert scene.journal.reads == 3
        scene.journal.now += 301_000_000
        scene.streams.release(await scene.streams.open("news"))
        assert scene.journal.reads == 4
        assert [scene.streams.wants(channel) for channel in ("news", "other", "third")] == [True, True, False]

    play(scene)


def test_of_too_many_that_nobody_listens_to_the_longest_idle_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "IDLE_MAX", 3)

    async def scene(scene: Scene) -> None:
        for channel in "abcde":
            scene.streams.release(await scene.streams.open(channel))
        assert [channel for channel in "abcde" if scene.streams.wants(channel)] == ["c", "d", "e"]

    play(scene)


def test_a_channel_nothing_is_kept_of_goes_with_its_last_listener() -> None:
    async def scene(scene: Scene) -> None:
        ear = Ear()
        stream = await scene.streams.open("fleeting")
        stream.listen(ear)
        scene.publish("fleeting", 1)
        stream.leave(ear)
        scene.streams.release(stream)
        assert (ear.heard, len(scene.streams), scene.journal.reads) == ([1], 0, 0)

    play(scene)


def test_a_publication_is_encoded_once_for_all() -> None:
    async def scene(scene: Scene) -> None:
        class Same:
            def tell(self, message: bytes) -> None:
                told.append(message)

        told = []
        stream = await scene.streams.open("news")
        for _ in range(3):
            stream.listen(Same())
        scene.publish("news", 1)
        assert len(told) == 3
        assert told[0] is told[1] is told[2]

    play(scene)


def test_offsets_grow_with_the_journal_and_fit_a_double() -> None:
    assert [offset_of(1), offset_of(1, 1023), offset_of(2)] == [1024, 2047, 2048]
    assert offset_of((1 << 43) - 1, 1023) == (1 << 53) - 1
    with pytest.raises(ValueError, match="at most 1024"):
        offset_of(1, 1024)
