"""The official client over real sockets: what it is told, what it recovers, and how it is turned away."""

import asyncio
import random

import pytest
from centrifuge import CentrifugeError, StreamPosition

from tallystick.deliver.centrifugo import Bounds
from tests.centrifugo.hall import Hall, play

RECOVERABLE = {"positioned": True, "recoverable": True}


def test_it_is_told_what_is_published_after_it_subscribed() -> None:
    async def scene(hall: Hall) -> None:
        hall.publish("news", "before")
        ann = await hall.join("ann", "news")
        await ann.sees("subscribed")
        hall.publish("news", "one")
        hall.publish("other", "two")
        hall.publish("news", [{"three": 3}, "ü\n"])
        assert await ann.sees([{"three": 3}, "ü\n"]) == ["subscribed", "one", [{"three": 3}, "ü\n"]]

    play(scene)


def test_unsubscribed_it_is_told_nothing_and_can_subscribe_again() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", "news", "other")
        await ann.sees("subscribed", "subscribed")
        await ann.subscriptions["news"].unsubscribe()
        await ann.client.history("other")  # answered after the unsubscription
        hall.publish("news", "unheard")
        hall.publish("other", "heard")
        await ann.sees("heard")
        assert "unheard" not in ann.told
        await ann.subscribe("news")
        await ann.sees("subscribed")
        hall.publish("news", "again")
        await ann.sees("again")

    play(scene)


def test_after_a_dropped_socket_nothing_is_lost_or_doubled() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        for number in range(5):
            hall.publish("news", number)
        await ann.sees(4)
        hall.drop()
        for number in range(5, 10):
            hall.publish("news", number)
        told = await ann.sees("recovered", 5, 6, 7, 8, 9)
        assert [each for each in told if type(each) is int] == list(range(10))

    play(scene)


@pytest.mark.parametrize("seed", range(4))
def test_however_often_it_is_dropped_or_the_server_restarted(seed: int) -> None:
    async def scene(hall: Hall) -> None:
        chance = random.Random(seed)
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        for number in range(200):
            hall.publish("news", number)
            draw = chance.random()
            if draw < 0.03:
                hall.drop()
            elif draw < 0.06:
                await hall.restart()
            elif draw < 0.5:
                await asyncio.sleep(0)
        await ann.sees(199)
        assert [each for each in ann.told if type(each) is int] == list(range(200))

    play(scene, Bounds(1000, 300))


@pytest.mark.parametrize(
    ("meanwhile", "told"),
    [
        ("nothing", ["recovered"]),
        ("two publications", ["recovered", "one", "two"]),
        ("as many as are kept", ["recovered", *range(10)]),
        ("more than are kept", ["not recovered"]),
        ("a publication that is too old now", ["not recovered"]),
        ("a new one, when the last it had is too old", ["recovered", "new"]),
        ("another journal", ["not recovered"]),
    ],
)
@pytest.mark.parametrize("restarted", [False, True], ids=["dropped", "restarted"])
def test_recovery(meanwhile: str, told: list[object], restarted: bool) -> None:
    async def scene(hall: Hall) -> None:
        hall.publish("news", "older")
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        hall.publish("news", "had")
        await ann.sees("had")
        if restarted:
            await hall.restart(meanwhile=lambda: happen(hall, meanwhile))
        else:
            hall.drop()
            happen(hall, meanwhile)
            if meanwhile == "another journal":
                hall.centrifugo.break_off("news")  # whatever the server still had of the old one
        hall.publish("fence", 0)
        await ann.sees(*told)
        hall.publish("news", "on it goes")
        await ann.sees(*told, "on it goes")

    play(scene, Bounds(10, 300))


def happen(hall: Hall, what: str) -> None:
    def publish(*rows: object) -> None:
        for row in rows:
            hall.publish("news", row)

    if what == "two publications":
        publish("one", "two")
    elif what == "as many as are kept":
        publish(*range(10))
    elif what == "more than are kept":
        publish(*range(11))
    elif what == "a publication that is too old now":
        publish("old")
        hall.journal.now += 301_000_000
    elif what == "a new one, when the last it had is too old":
        hall.journal.now += 301_000_000
        publish("new")
    elif what == "another journal":
        hall.journal.epoch = "journal-2"


def test_more_than_one_recovery_may_hold_is_not_recovered() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        hall.drop()
        for number in range(6):
            hall.publish("news", number)
        await ann.sees("not recovered")

    play(scene, publications_max=5)


def test_who_loads_its_state_itself_is_asked_for_it_again_when_it_cannot_recover() -> None:
    async def scene(hall: Hall) -> None:
        async def state(_channel: str) -> StreamPosition:
            position = await ann.client.history("news", limit=0)
            ann.told.append("loads its state")
            hall.publish("news", "after the state")
            return StreamPosition(offset=position.offset, epoch=position.epoch)

        hall.publish("news", "in the state")
        ann = await hall.join("ann")
        await ann.subscribe("news", get_state=state, recoverable=True)
        first = await ann.sees("loads its state", "recovered", "after the state")
        ann.told = []
        hall.drop()
        hall.publish("news", "in the next state")
        hall.journal.now += 301_000_000
        await ann.sees("recovered", "after the state")
        assert ann.told == ["reconnects after 1", *first]

    play(scene)


def test_an_expired_token_is_replaced_and_the_connection_made() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann")
        assert ann.told == []
        late = await hall.join("bob:expired")
        late.tokens = ["bob"]
        await late.client.ready()
        await late.subscribe("news")
        await late.sees("fetches a token", "subscribed")

    play(scene)


def test_a_token_is_refreshed_before_it_ends_and_the_subscriptions_stay() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann:1", "news", **RECOVERABLE)
        ann.tokens = ["ann:1", "ann"]
        await ann.sees("subscribed", "fetches a token", "fetches a token")
        hall.publish("news", "still here")
        await ann.sees("still here")
        assert "reconnects after 3005" not in ann.told

    play(scene)


def test_what_may_no_longer_be_listened_to_is_unsubscribed_at_the_refresh() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann:1", "news", "other")
        ann.tokens = ["ann"]
        await ann.sees("subscribed", "subscribed")
        hall.door.barred.add("news")
        await ann.sees("fetches a token", "unsubscribed 2000")
        hall.publish("other", "heard")
        await ann.sees("heard")

    play(scene)


@pytest.mark.parametrize(
    ("token", "told"),
    [("ann:1", "disconnected 3500"), ("", "disconnected 1")],
    ids=["another's token", "no further token"],
)
def test_refreshing_with_what_is_not_its_own_ends_the_connection(token: str, told: str) -> None:
    async def scene(hall: Hall) -> None:
        bob = await hall.join("bob:1")
        bob.tokens = [token]
        await bob.sees("fetches a token", told)

    play(scene)


@pytest.mark.parametrize(("channel", "code"), [("secret", 103), ("nowhere", 102), ("x" * 256, 107)])
def test_a_channel_that_is_refused_is_not_asked_for_again(channel: str, code: int) -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", channel)
        await ann.sees(f"unsubscribed {code}")
        with pytest.raises(CentrifugeError):
            await ann.client.history(channel, limit=1)

    play(scene)


def test_a_wrong_token_is_final() -> None:
    async def scene(hall: Hall) -> None:
        nobody = await hall.join("123")
        await nobody.sees("disconnected 3500")

    play(scene)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"limit": 0}, []),
        ({"limit": 2}, [0, 1]),
        ({"limit": -1}, [0, 1, 2, 3, 4]),
        ({"limit": 100}, [0, 1, 2, 3, 4]),
        ({"limit": 2, "reverse": True}, [4, 3]),
        ({"limit": -1, "since": 1}, [2, 3, 4]),
        ({"limit": 1, "since": 1}, [2]),
        ({"limit": -1, "since": 3, "reverse": True}, [2, 1, 0]),
        ({"limit": 1, "since": 3, "reverse": True}, [2]),
        ({"limit": -1, "since": 4}, []),
        ({"limit": -1, "since": 0, "reverse": True}, []),
    ],
    ids=str,
)
def test_history(asked: dict, found: list[int]) -> None:
    async def scene(hall: Hall) -> None:
        for number in range(5):
            hall.publish("news", number)
        ann = await hall.join("ann", "news")
        every = await ann.client.history("news", limit=-1)
        assert every.epoch == hall.journal.epoch
        if "since" in asked:
            since = StreamPosition(offset=every.publications[asked["since"]].offset, epoch=every.epoch)
            page = await ann.client.history("news", **asked | {"since": since})
        else:
            page = await ann.client.history("news", **asked)
        assert [each.data for each in page.publications] == found
        assert page.offset == every.offset >= every.publications[-1].offset

    play(scene)


def test_a_hole_in_a_stream_is_filled_from_the_journal() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        hall.publish("news", 1)
        hall.journal.write("news", 2)  # and not published
        hall.centrifugo.break_off("news")
        hall.publish("news", 3)
        await ann.sees("recovered", 2, 3)
        assert [each for each in ann.told if type(each) is int] == [1, 2, 3]

    play(scene)


def test_a_server_that_stops_is_come_back_to() -> None:
    async def scene(hall: Hall) -> None:
        ann = await hall.join("ann", "news", **RECOVERABLE)
        await ann.sees("subscribed")
        hall.publish("news", "last words")
        await hall.restart()
        assert await ann.sees("recovered") == ["subscribed", "last words", "reconnects after 3001", "recovered"]

    play(scene)
