"""``/ws/account`` as a connection: who may listen, to what, how it is answered, and how it ends."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tallystick.dialects.bluefin import account_stream
from tallystick.dialects.bluefin.account_stream import SOCKETS_MAX
from tallystick.dialects.bluefin.account_wire import CommandFailureUpdate
from tallystick.dialects.bluefin.frames import command_failed
from tallystick.dialects.bluefin.sockets import Limits
from tallystick.facts.codes import CUSTOMER
from tallystick.facts.commands import OpenAccount
from tests.bluefin.hall import Follower, Hall, open_hall

ORDERS = "AccountOrderUpdate"
SUBSCRIBE = {"method": "Subscribe", "dataStreams": [ORDERS]}


def play(scene: Callable[[Hall], Awaitable[None]], **options) -> None:
    async def run() -> None:
        async with asyncio.timeout(20), open_hall(**options) as hall:
            await scene(hall)

    asyncio.run(run())


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - it is about other people's buffers
        await asyncio.sleep(0)


def test_the_first_frame_is_the_answer_whatever_happened_before_it() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.connect(trader="ann") as socket:
            ann = Follower(socket)
            hall.buy("ann", 1, at=3000)
            assert await ann.subscribe(ORDERS) == {"success": True, "message": "Subscribed."}
            hall.buy("ann", 1, at=2999)
            assert await ann.told() == ["OPEN 0 of 1"]

    play(scene)


def test_only_what_is_subscribed_is_told_until_it_is_unsubscribed() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["OPEN 0 of 1"]
            await ann.subscribe("AccountUpdate")
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["OPEN 0 of 1", "account OrderCreated"]
            assert (await ann.subscribe(ORDERS, method="Unsubscribe"))["success"]
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["account OrderCreated"]

    play(scene)


def test_nobody_is_told_of_another_account() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann") as ann, hall.follow("bob") as bob:
            hall.buy("ann", 1, at=3000)
            hall.cancel("ann")
            assert await bob.told() == []
            assert {frame["payload"].get("accountAddress", "ann") for frame in await ann.frames()} == {"ann"}

    play(scene)


def test_a_token_may_come_with_the_subscription_and_may_be_one_that_only_reads() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.connect() as socket:
            ann = Follower(socket)
            assert not (await ann.subscribe(ORDERS))["success"]
            assert (await ann.subscribe(ORDERS, authToken=hall.token("ann", read_only=True)))["success"]
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["OPEN 0 of 1"]

    play(scene)


def test_a_connection_is_for_one_account() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            answer = await ann.subscribe(ORDERS, authToken=hall.token("bob"))
            assert answer == {
                "success": False,
                "message": "This connection is for another account: open one of its own.",
            }
            hall.buy("bob", 1, at=3000)
            hall.buy("ann", 1, at=2999)
            assert await ann.told() == ["OPEN 0 of 1"]

    play(scene)


@pytest.mark.parametrize(
    "headers",
    [
        [("Authorization", "Bearer nonsense")],
        [("Authorization", "Basic YTpi")],
        [("Authorization", "Bearer a"), ("Authorization", "Bearer b")],
    ],
    ids=["not a token", "not a bearer", "two of them"],
)
def test_a_handshake_with_a_wrong_token_is_refused(headers) -> None:
    async def scene(hall: Hall) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with hall.connect(headers=headers):
                pass
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["errorCode"] == "UNAUTHORIZED"

    play(scene)


def test_an_expired_token_is_refused_and_one_that_expires_later_is_not_asked_for_again() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            answer = await ann.subscribe(ORDERS, authToken=hall.token("ann", seconds=-1))
            assert answer == {"success": False, "message": "The token has expired: get another."}
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["OPEN 0 of 1"]

    play(scene)


@pytest.mark.parametrize(
    "message",
    [
        "",
        "ping",
        "[]",
        "{}",
        "\xff",
        b"\xff\xfe",
        '{"method":"Listen","dataStreams":[]}',
        '{"method":"Subscribe"}',
        '{"method":"Subscribe","dataStreams":["Everything"]}',
        '{"method":"Subscribe","dataStreams":"AccountOrderUpdate"}',
        json.dumps({"method": "Subscribe", "dataStreams": [ORDERS] * 65}),
        "[" * 30_000,
    ],
)
def test_a_message_that_cannot_be_read_is_answered_and_changes_nothing(message) -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            answer = await ann.ask(message)
            assert not answer["success"]
            assert answer["message"]
            hall.buy("ann", 1, at=3000)
            assert await ann.told() == ["OPEN 0 of 1"]

    play(scene)


def test_no_token_is_ever_repeated() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.connect() as socket:
            for token in ("secret", "secret" * 1000):
                answer = await Follower(socket).subscribe(ORDERS, authToken=token)
                assert not answer["success"]
                assert "secret" not in answer["message"]

    play(scene)


def test_a_message_that_is_too_large_ends_the_connection() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann") as ann:
            await ann.socket.send(" " * 70_000)
            with pytest.raises(ConnectionClosed) as closed:
                await ann.socket.recv()
            assert closed.value.rcvd.code == 1009

    play(scene)


def test_an_account_has_so_many_connections_and_room_again_when_one_has_gone() -> None:
    async def scene(hall: Hall) -> None:
        async with AsyncExitStack() as stack:
            followers = [await stack.enter_async_context(hall.follow("ann", ORDERS)) for _ in range(SOCKETS_MAX)]
            with pytest.raises(InvalidStatus) as refused:
                async with hall.follow("ann"):
                    pass
            assert refused.value.response.status_code == 429
            async with hall.connect() as socket:
                assert not (await Follower(socket).subscribe(ORDERS, authToken=hall.token("ann")))["success"]
            async with hall.follow("bob"):
                pass
            await until(lambda: len(hall.accounts_stream._sockets) == SOCKETS_MAX)
            hall.buy("ann", 1, at=3000)
            for follower in followers:
                assert await follower.told() == ["OPEN 0 of 1"]
            await followers[0].socket.close()
            await until(lambda: len(hall.accounts_stream._sockets) < SOCKETS_MAX)
            async with hall.follow("ann"):
                pass

    play(scene)


def test_pings_are_answered_and_a_client_that_answers_none_is_let_go() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            await (await ann.socket.ping("Ping"))
        async with hall.follow("ann", ORDERS) as ann:
            ann.socket.transport.pause_reading()
            await until(lambda: not hall.accounts_stream._sockets)

    play(scene, ping_seconds=(0.05, 0.1))


def test_a_client_that_shows_no_token_is_let_go(monkeypatch) -> None:
    monkeypatch.setattr(account_stream, "ANONYMOUS_SECONDS", 0.05)

    async def scene(hall: Hall) -> None:
        async with hall.follow("ann") as ann, hall.connect() as socket:
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
            assert closed.value.rcvd.code == 4001
            assert await ann.told() == []

    play(scene)


def test_who_does_not_read_is_closed_and_the_others_miss_nothing() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as deaf, hall.follow("ann", ORDERS) as ann:
            deaf.socket.transport.pause_reading()
            placed = 0
            while len(hall.accounts_stream._sockets) > 1:
                for _ in range(100):
                    hall.buy("ann", 0.01, at=3000)
                    hall.cancel("ann")
                placed += 100
                told = await ann.told()
                assert told == ["OPEN 0 of 0.01", "USER_CANCELLED_ALL_ON_MARKET 0.01"] * 100
            assert placed > 100
            hall.buy("ann", 0.01, at=3000)
            assert await ann.told() == ["OPEN 0 of 0.01"]

    play(scene, limits=Limits(facts_max=500))


def test_who_does_not_read_for_too_long_is_closed_though_little_waits() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as deaf:
            deaf.socket.transport.pause_reading()
            while hall.accounts_stream._sockets:
                hall.buy("ann", 0.01, at=3000)
                hall.cancel("ann")
                await asyncio.sleep(0)

    play(scene, limits=Limits(facts_max=10**9, stall_seconds=0.05))


def test_an_account_is_looked_at_only_while_somebody_follows_it(monkeypatch) -> None:
    async def scene(hall: Hall) -> None:
        made = []
        frames = hall.accounts_stream._frames
        of = frames.of
        monkeypatch.setattr(frames, "of", lambda entry, *more: made.append(entry.sequence) or of(entry, *more))
        async with hall.follow("ann", ORDERS) as ann, hall.follow("cat", ORDERS) as cat:
            hall.buy("bob", 1, at=2990)
            assert made == []
            hall.buy("ann", 1, at=3000)
            hall.sell("cat", 1, at=3000)
            assert made == [hall.state.sequence - 1, hall.state.sequence]
            await ann.told()
            await ann.subscribe(ORDERS, method="Unsubscribe")
            hall.buy("ann", 1, at=2990)
            assert len(made) == 2
            await cat.told()

    play(scene)


def test_what_is_pushed_is_no_fact_and_is_told_all_the_same() -> None:
    failure = CommandFailureUpdate(
        reason="No.",
        reason_code="INVALID_LEVERAGE",
        failed_command_type="POSITION_LEVERAGE_UPDATE",
        failed_command_type_code="POSITION_LEVERAGE_UPDATE",
        failed_at_millis=1,
    )

    async def scene(hall: Hall) -> None:
        async with hall.follow("ann") as ann, hall.follow("bob") as bob:
            hall.accounts_stream.push(command_failed(hall.accounts["ann"], failure))
            assert await ann.told() == ["command INVALID_LEVERAGE"]
            assert await bob.told() == []

    play(scene)


def test_an_account_may_be_followed_before_it_is_opened() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("eve") as eve:
            body = hall.accounts_stream._frames.unknown_account("eve", "ETH-PERP", "", "0", hall.now, is_cancel=True)
            hall.accounts_stream.push_to("eve", ORDERS, body)
            assert await eve.told() == ["failed ACCOUNT_NOT_FOUND"]
            hall.accounts["eve"] = hall.do(OpenAccount("eve", CUSTOMER)).number
            hall.deposit("eve", 1)
            assert await eve.told() == ["DEPOSIT 1", "account Deposit"]

    play(scene)


def test_an_entry_that_cannot_be_told_ends_the_streams_that_would_have_a_hole(monkeypatch) -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann, hall.follow("bob", ORDERS) as bob:
            of = hall.accounts_stream._frames.of
            monkeypatch.setattr(hall.accounts_stream._frames, "of", lambda *_: 1 / 0)
            hall.buy("ann", 1, at=3000)
            monkeypatch.setattr(hall.accounts_stream._frames, "of", of)
            with pytest.raises(ConnectionClosed) as closed:
                await ann.socket.recv()
            assert closed.value.rcvd.code == 1011
            hall.buy("bob", 1, at=3000)
            assert await bob.told() == ["OPEN 0 of 1"]

    play(scene)


def test_stopping_sends_what_waits_and_then_says_so() -> None:
    async def scene(hall: Hall) -> None:
        async with hall.follow("ann", ORDERS) as ann:
            for _ in range(30):
                hall.buy("ann", 0.01, at=3000)
            hall.accounts_stream.drain()
            for _ in range(30):
                assert "OPEN" in await ann.socket.recv()
            with pytest.raises(ConnectionClosed) as closed:
                await ann.socket.recv()
            assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (1012, "server_stopping")

    play(scene)
