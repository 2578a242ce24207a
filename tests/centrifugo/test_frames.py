"""The protocol frame by frame, as a bot speaks it that uses no library: replies, errors, pings, close codes, limits."""

import asyncio
import json
from contextlib import suppress

import pytest
from websockets.exceptions import ConnectionClosed

from tallystick.deliver.centrifugo import Bounds
from tallystick.deliver.centrifugo.outbox import Outbox
from tests.centrifugo.hall import Hall, play, until

CONNECT = {"connect": {"token": "ann"}, "id": 1}


def test_connected_it_is_told_how_often_it_will_be_pinged() -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit("ann")
        client = bot.welcome.pop("client")
        assert bot.welcome == {"version": "tallystick", "ping": 25, "pong": True}
        other = await hall.visit("ann:60")
        assert other.welcome.pop("client") != client
        assert other.welcome == {"version": "tallystick", "ping": 25, "pong": True, "expires": True, "ttl": 60}

    play(scene)


@pytest.mark.parametrize(
    ("commands", "answers"),
    [
        ([CONNECT, {"subscribe": {"channel": "news"}, "id": 2}], [1, {"id": 2, "subscribe": {}}]),
        ([{"connect": {"token": "ann"}}, {"subscribe": {"channel": "news"}}], [0, {"subscribe": {}}]),
        (
            [CONNECT, {"subscribe": {"channel": "secret"}}],
            [1, {"error": {"code": 103, "message": "permission denied"}}],
        ),
        ([CONNECT, {"subscribe": None, "history": {"channel": "news"}, "id": 3}], [1, 3]),
    ],
    ids=["with ids", "without ids", "an error without an id", "null is nothing"],
)
@pytest.mark.parametrize("at_once", [True, False], ids=["in one frame", "in a frame each"])
def test_bare_commands(commands: list[dict], answers: list, at_once: bool) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit("")
        for frame in [commands] if at_once else [[each] for each in commands]:
            await bot.send(*frame)
        for expected in answers:
            answer = await bot.next()
            assert answer == expected or answer.get("id", 0) == expected

    play(scene)


def test_a_publication_has_its_offset_and_nothing_else() -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit()
        assert await bot.ask(subscribe={"channel": "news"}) == {"subscribe": {}}
        assert await bot.ask(subscribe={"channel": "fleeting"}) == {"subscribe": {}}
        hall.publish("news", [{"a": "é"}], 2)
        hall.publish("fleeting", {})
        assert await bot.next() == {"push": {"channel": "news", "pub": {"data": [{"a": "é"}], "offset": 1024}}}
        assert await bot.next() == {"push": {"channel": "news", "pub": {"data": 2, "offset": 1025}}}
        assert await bot.next() == {"push": {"channel": "fleeting", "pub": {"data": {}}}}

    play(scene)


@pytest.mark.parametrize(
    ("flags", "answer"),
    [
        ({}, {}),
        ({"positioned": True}, {"positioned": True, "epoch": "journal-1", "offset": 2047}),
        ({"recoverable": True}, {"recoverable": True, "positioned": True, "epoch": "journal-1", "offset": 2047}),
        (
            {"recover": True, "epoch": "journal-1", "offset": 1023},
            {
                "recoverable": True,
                "positioned": True,
                "epoch": "journal-1",
                "offset": 1023,  # from its own position it advances with each publication
                "was_recovering": True,
                "recovered": True,
                "publications": [{"data": "one", "offset": 1024}],
            },
        ),
        (
            {"recover": True, "epoch": "another", "offset": 1023},
            {"recoverable": True, "positioned": True, "epoch": "journal-1", "offset": 2047, "was_recovering": True},
        ),
        (
            {"recover": True, "epoch": "journal-1", "offset": 4096},
            {"recoverable": True, "positioned": True, "epoch": "journal-1", "offset": 2047, "was_recovering": True},
        ),
    ],
    ids=["plain", "positioned", "recoverable", "recovered", "of another epoch", "from a position that is not yet"],
)
def test_subscribing(flags: dict, answer: dict) -> None:
    async def scene(hall: Hall) -> None:
        hall.publish("news", "one")
        bot = await hall.visit()
        assert await bot.ask(subscribe={"channel": "news"} | flags) == {"subscribe": answer}

    play(scene)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        ({"subscribe": {"channel": "nowhere"}}, 102),
        ({"subscribe": {"channel": "secret"}}, 103),
        ({"history": {"channel": "secret"}}, 103),
        ({"rpc": {"method": "x"}}, 104),
        ({"subscribe": {"channel": "news"}}, 105),
        ({"subscribe": {"channel": "third"}}, 106),
        ({"subscribe": {}}, 107),
        ({"history": {"channel": ""}}, 107),
        ({"publish": {"channel": "news", "data": {}}}, 103),
        ({"presence": {"channel": "news"}}, 108),
        ({"presence_stats": {"channel": "news"}}, 108),
        ({"sub_refresh": {"channel": "news", "token": ""}}, 108),
        ({"history": {"channel": "fleeting"}}, 108),
        ({"history": {"channel": "news", "since": {"offset": 0, "epoch": "another"}}}, 112),
        ({"subscribe": {"channel": "other", "recover": True, "epoch": "another", "flag": 3}}, 112),
    ],
    ids=str,
)
def test_refusals_change_nothing(method: dict, code: int) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit()
        await bot.ask(subscribe={"channel": "news"})
        if code == 106:
            await bot.ask(subscribe={"channel": "second"})
        assert await bot.refused(**method) == code
        hall.publish("other", "unheard")
        hall.publish("news", "heard")
        assert (await bot.next())["push"]["pub"]["data"] == "heard"

    play(scene, subscriptions_max=2)


def test_a_channel_that_cannot_be_read_is_to_be_asked_for_again() -> None:
    async def scene(hall: Hall) -> None:
        async def broken(*_asked: object) -> None:
            raise OSError("the disk")

        bot = await hall.visit()
        hall.journal.recent, kept = broken, hall.journal.recent
        error = (await bot.ask(subscribe={"channel": "news"}))["error"]
        assert error == {"code": 100, "message": "internal server error", "temporary": True}
        hall.journal.recent = kept
        assert await bot.ask(subscribe={"channel": "news"}) == {"subscribe": {}}

    play(scene)


def test_a_fault_of_ours_ends_one_connection_and_no_other() -> None:
    async def scene(hall: Hall) -> None:
        def broken(principal: str, _channel: str) -> int:
            return 0 if principal == "ann" else 1 // 0

        ann, bob = await hall.visit("ann"), await hall.visit("bob")
        hall.door.may_subscribe = broken
        await bob.send({"id": 1, "subscribe": {"channel": "news"}})
        assert await bob.closed() == 3004
        assert await ann.ask(subscribe={"channel": "news"}) == {"subscribe": {}}

    play(scene)


@pytest.mark.parametrize(
    ("token", "outcome"),
    [("", 101), ("ann:expired", 109), ("123", 3500)],
)
def test_tokens_that_do_not_let_in(token: str, outcome: int) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit("")
        if outcome < 1000:
            assert await bot.refused(connect={"token": token}) == outcome
            assert "connect" in await bot.ask(connect={"token": "ann"})
        else:
            await bot.send({"id": 1, "connect": {"token": token}})
            assert await bot.closed() == outcome

    play(scene)


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (["hello"], 3501),
        ([""], 3501),
        (["[]"], 3501),
        (["{}"], 3501),
        ([json.dumps(CONNECT), json.dumps(CONNECT)], 3501),
        (['{"id":1,"subscribe":{"channel":"news"}}'], 3501),
        ([json.dumps(CONNECT), '{"id":2}'], 3501),
        ([json.dumps(CONNECT), '{"id":2,"subscribe":{"channel":7}}'], 3501),
        ([json.dumps(CONNECT), '{"id":-2,"unsubscribe":{}}'], 3501),
        ([json.dumps(CONNECT), b"\xff\xfe"], 3501),
        ([json.dumps(CONNECT), '{"id":2,"deep":' + "[" * 30_000], 3501),
        ([json.dumps(CONNECT), '{"id":2,"refresh":{"token":"ann:expired"}}'], 3005),
        ([json.dumps(CONNECT), '{"id":2,"refresh":{"token":"bob"}}'], 3500),
        ([json.dumps(CONNECT), "{" + " " * 70_000 + "}"], 1009),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_ends_a_connection(frames: list[str | bytes], code: int) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit("")
        for frame in frames:
            await bot.socket.send(frame)
        assert await bot.closed() == code

    play(scene)


def test_one_that_shows_no_token_is_let_go() -> None:
    async def scene(hall: Hall) -> None:
        assert await (await hall.visit("")).closed() == 3502

    play(scene, stale_seconds=0.01)


def test_one_whose_token_ends_is_let_go() -> None:
    async def scene(hall: Hall) -> None:
        assert await (await hall.visit("ann:1")).closed() == 3005

    play(scene, expired_seconds=-1)


def test_one_that_answers_pings_stays_and_one_that_does_not_goes() -> None:
    async def scene(hall: Hall) -> None:
        answers, silent = await hall.visit(), await hall.visit()
        closed = asyncio.create_task(silent.closed())
        while not closed.done():
            assert await answers.next() == {}
            await answers.send({})
        assert await closed == 3012
        await answers.ask(subscribe={"channel": "news"})

    play(scene, ping_seconds=0.05, pong_seconds=0.2)


def test_a_principal_has_so_many_connections_and_no_more() -> None:
    async def scene(hall: Hall) -> None:
        first = await hall.visit("ann")
        one_more = await hall.visit("")
        await one_more.send(CONNECT)
        assert await one_more.closed() == 3504
        await hall.visit("bob")
        await first.socket.close()
        await until(lambda: not hall.centrifugo._connections.get("ann"))
        await hall.visit("ann")

    play(scene, connections_max=1)


@pytest.mark.parametrize(("why", "code"), [("withdrawn", 2000), ("broken off", 2500)])
def test_a_subscription_that_the_server_ends(why: str, code: int) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit()
        await bot.ask(subscribe={"channel": "news"})
        hall.centrifugo.withdraw("news") if why == "withdrawn" else hall.centrifugo.break_off("news")
        hall.publish("news", "unheard")
        push = (await bot.next())["push"]
        assert (push["channel"], push["unsubscribe"]["code"]) == ("news", code)
        assert await bot.ask(subscribe={"channel": "news"}) == {"subscribe": {}}

    play(scene)


def test_a_channel_is_let_go_with_its_last_subscriber() -> None:
    async def scene(hall: Hall) -> None:
        first, last = await hall.visit(), await hall.visit()
        for bot in (first, last):
            await bot.ask(subscribe={"channel": "fleeting"})
        await first.ask(unsubscribe={"channel": "fleeting"})
        assert hall.streams.wants("fleeting")
        await last.socket.close()
        await until(lambda: not hall.streams.wants("fleeting"))

    play(scene)


def test_json_may_be_agreed_on_as_a_subprotocol() -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit(subprotocols=["centrifuge-json"])
        assert bot.socket.subprotocol == "centrifuge-json"

    play(scene)


def test_one_that_reads_too_slowly_is_closed_and_what_it_was_sent_has_no_hole() -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit(max_queue=1)
        await bot.ask(subscribe={"channel": "news"})
        (session,) = hall.centrifugo._sessions
        count = 0
        while not session.socket.is_ending:
            hall.publish("news", [count, "x" * 4000])
            count += 1
            await asyncio.sleep(0)
        numbers = []
        with suppress(ConnectionClosed):
            while True:
                numbers.append((await bot.next())["push"]["pub"]["data"][0])
        assert numbers == list(range(len(numbers)))
        assert 0 < len(numbers) < count
        assert bot.socket.close_code == 3008

    play(scene, queue_bytes_max=100_000)


@pytest.mark.parametrize("limits", [{"queue_bytes_max": 100_000}, {"stall_seconds": 0.05}], ids=["much", "little"])
def test_one_that_does_not_read_at_all_is_let_go_whatever_it_is_sent(limits: dict) -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit(max_queue=1)
        await bot.ask(subscribe={"channel": "news"})
        for number in range(100):
            hall.publish("news", [number, "x" * 4000])
        await until(lambda: not hall.centrifugo._sessions)

    play(scene, **limits)


def test_a_message_larger_than_the_queue_may_be_is_sent_alone() -> None:
    box = Outbox(10)
    assert box.put(b"x" * 100)
    assert not box.put(b"y")
    assert box.take() == "x" * 100
    assert box.put(b"12345")
    assert box.put(b"67890")
    assert not box.put(b"1")
    assert (box.take(), box.take(), box.size) == ("12345\n67890", None, 0)


def test_arrays_that_come_close_together_are_joined_in_order() -> None:
    async def scene(hall: Hall) -> None:
        bot = await hall.visit()
        await bot.ask(subscribe={"channel": "orders"})
        hall.publish("orders", ["a"], [], ["b", "c"])
        hall.publish("orders", ["d"])
        assert await bot.next() == {
            "push": {"channel": "orders", "pub": {"data": ["a", "b", "c", "d"], "offset": 2 * 1024}}
        }

    play(scene, Bounds(100, 300, 0.02))
