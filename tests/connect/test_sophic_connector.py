"""The Sophic connector over real sockets, against the real server: journeys, lost requests and answers, restarts."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

import tallystick
from tallystick.connect.client import Client
from tallystick.connect.errors import NotSent, SignInRefused
from tallystick.dialects.connectors import connector
from tallystick.dialects.sophic.connector_session import SophicSession
from tallystick.testing.line import line_to
from tallystick.testing.stories import text
from tallystick.tracker.agenda import Patience
from tests.running import RunningServer

CREDENTIALS = {"client_id": "demo", "client_secret": "sandbox", "account": "acc_demo"}
DEADLINE_SECONDS = 20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A sandbox where each step of an order follows the one before at once."""
    with RunningServer(tmp_path_factory.mktemp("venue") / "data", "--pace", "0", "--prices", "fixed") as running:
        yield running
        assert "Traceback" not in running.log


def seen_by_the_venue(server: RunningServer) -> list[dict[str, Any]]:
    answer = httpx.get(f"{server.account}/orders?limit=1000", headers={"authorization": "Bearer sandbox"})
    return list(answer.json())


class Desk:
    def __init__(self, client: Client, venue: tallystick.Venue, told: list[tallystick.Event]) -> None:
        self.client = client
        self.venue = venue
        self.told = told

    def texts(self, order_id: str) -> list[str]:
        found = [text(event) for event in self.told if event.order_id == order_id]
        return [each for each in found if not each.startswith("Updated")]

    async def until(self, look: Callable[[], Any]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not look():  # noqa: ASYNC110 - what it looks at has no event of its own
                await asyncio.sleep(0.005)


@asynccontextmanager
async def desk(url: str, journal: Path | None = None, **settings: Any) -> AsyncIterator[Desk]:
    told: list[tallystick.Event] = []
    async with Client(journal) as client:
        client.listen(told.append)
        made = connector("sophic", url=f"{url}/sophic", poll_seconds=0.02, **{**CREDENTIALS, **settings})
        yield Desk(client, await client.add(made), told)


def test_a_buy_and_a_sell_from_intent_to_settlement(server: RunningServer, tmp_path: Path):
    async def scenario():
        async with desk(server.url, tmp_path / "bot") as a:
            bought = a.venue.buy("ACME-USD", Decimal(100))
            sold = a.venue.sell("WRLD-USD", Decimal("1.5"))
            for order_id, quantity in ((bought, "0.798"), (sold, "1.5")):
                found = [event async for event in a.venue.events(order_id)]
                texts = [text(event) for event in found if not isinstance(event, tallystick.OrderUpdatedEvent)]
                assert texts == ["Created", f"Filled {quantity}", f"Completed {quantity}"]
            fees = [event.trade_fee for event in a.told if isinstance(event, tallystick.OrderFilledEvent)]
            assert fees[0] == tallystick.Fee(Decimal("0.25"), "USD")

            def is_settled() -> bool:
                order = a.client.store.state.venues[1].by_client[bought]
                return all(fill.state == 2 for fill in order.fills.values())

            await a.until(is_settled)

    asyncio.run(scenario())


def test_an_order_in_many_trades_is_completed_after_the_last(server: RunningServer):
    async def scenario():
        async with desk(server.url) as a:
            order_id = a.venue.buy("ACME-USD", Decimal(22_000))
            await a.until(lambda: a.texts(order_id)[-1:] and a.texts(order_id)[-1].startswith("Completed"))
            texts = a.texts(order_id)
            assert [each.split()[0] for each in texts] == ["Created", *["Filled"] * 5, "Completed"]

    asyncio.run(scenario())


REFUSALS = [
    ("more than there is", "buy", "ACME-USD", "99999999", "insufficient_funds"),
    ("more than is owned", "sell", "ACME-USD", "1000000", "insufficient_units"),
    ("less than an increment", "sell", "TBILL-6M-USD", "0.001", "below_increment"),
]


@pytest.mark.parametrize(
    ("side", "market", "amount", "code"), [each[1:] for each in REFUSALS], ids=[each[0] for each in REFUSALS]
)
def test_refusals(server: RunningServer, side: str, market: str, amount: str, code: str):
    async def scenario():
        async with desk(server.url) as a:
            order_id = getattr(a.venue, side)(market, Decimal(amount))
            await a.until(lambda: a.texts(order_id))
            assert a.texts(order_id) == [f"Failure {code}"]

    asyncio.run(scenario())


def test_limit_orders_and_cancels_fail_by_capability(server: RunningServer):
    async def scenario():
        async with desk(server.url) as a:
            order_id = a.venue.buy("ACME-USD", Decimal(10), tallystick.OrderType.LIMIT, Decimal(1))
            await a.until(lambda: a.texts(order_id))
            assert a.texts(order_id) == ["Failure unsupported_order_type"]
            other = a.venue.buy("ACME-USD", Decimal(10))
            await a.until(lambda: a.texts(other))
            (result,) = (await a.venue.cancel(other)).values()
            assert result.outcome == "REFUSED"
            assert result.reason in ("cancel_not_supported", "order_closed")

    asyncio.run(scenario())


LOST = [
    ("lose_request", ["Failure never_arrived"], 0),
    ("lose_answer", ["Created", "Filled 0.798", "Completed 0.798"], 1),
]


@pytest.mark.parametrize(("word", "expected", "made"), LOST, ids=[each[0] for each in LOST])
def test_what_became_of_a_lost_order_is_certain(
    server: RunningServer, word: str, expected: list[str], made: int, tmp_path: Path
):
    async def scenario():
        before = len(seen_by_the_venue(server))
        async with line_to(server.url) as line, desk(line.url, tmp_path / "bot") as a:
            line.script.append(word)
            order_id = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: a.texts(order_id)[-1:] == expected[-1:])
            assert a.texts(order_id) == expected
            assert len(seen_by_the_venue(server)) == before + made

    asyncio.run(scenario())


def test_a_refusal_whose_answer_was_lost_is_told_as_it_was(server: RunningServer):
    async def scenario():
        async with line_to(server.url) as line, desk(line.url) as a:
            line.script.append("lose_answer")
            order_id = a.venue.sell("ACME-USD", Decimal(1_000_000))
            await a.until(lambda: a.texts(order_id))
            assert a.texts(order_id) == ["Failure insufficient_units"]

    asyncio.run(scenario())


def test_a_request_that_arrives_after_it_was_asked_about_does_nothing(server: RunningServer):
    """The key is burnt: whatever was still on its way is answered 409."""

    async def scenario():
        async with line_to(server.url) as line, desk(line.url) as a:
            line.script.append("lose_request")
            order_id = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: a.texts(order_id) == ["Failure never_arrived"])
            late = await asyncio.to_thread(
                httpx.post,
                f"{server.account}/orders",
                headers={"authorization": "Bearer sandbox", "idempotency-key": order_id},
                json={"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "100.00"},
            )
            assert (late.status_code, late.json()["code"]) == (409, "idempotency_key_reused")

    asyncio.run(scenario())


def test_while_the_line_is_cut_nothing_is_sent_and_afterwards_everything_is_known(server: RunningServer):
    async def scenario():
        async with line_to(server.url) as line, desk(line.url) as a:
            line.script += ["lose_answer"]
            order_id = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: line.posted)
            line.is_cut = True
            await a.until(lambda: not a.venue.is_ready)
            refused = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: a.texts(refused) == ["Failure venue_not_ready"])
            line.is_cut = False
            await a.until(lambda: a.texts(order_id)[-1:] == ["Completed 0.798"])
            await a.until(lambda: a.venue.is_ready)

    asyncio.run(scenario())


def test_events_of_the_time_when_nobody_listened_are_read_from_the_stored_position(
    server: RunningServer, tmp_path: Path
):
    async def scenario():
        async with desk(server.url, tmp_path / "bot") as a:
            order_id = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: a.texts(order_id)[-1:] == ["Completed 0.798"])
            position = a.told[-1].position
        # Others trade meanwhile, under the same client.
        async with desk(server.url) as other:
            theirs = other.venue.buy("ACME-USD", Decimal(50))
            await other.until(lambda: other.texts(theirs)[-1:])
        async with desk(server.url, tmp_path / "bot") as again:
            story = [text(event) async for event in again.venue.events(order_id)]
            assert [each for each in story if each[0] != "U"] == ["Created", "Filled 0.798", "Completed 0.798"]
            assert not [event for event in again.told if not isinstance(event, tallystick.OrderUpdatedEvent)]
            assert again.venue.open_order_ids() == []
            stream = again.client.events(since=position)
            new = again.venue.sell("WRLD-USD", Decimal(1))
            async with asyncio.timeout(DEADLINE_SECONDS):
                async for event in stream:
                    if event.order_id == new:
                        break
                    assert isinstance(event, tallystick.OrderUpdatedEvent), "nothing is told twice"
            await stream.aclose()

    asyncio.run(scenario())


def test_a_server_that_is_killed_and_comes_back_elsewhere_is_found_where_it_was(tmp_path: Path):
    async def scenario():
        data = tmp_path / "venue"
        with RunningServer(data, "--pace", "0", "--prices", "fixed") as first:
            async with line_to(first.url) as line, desk(line.url, tmp_path / "bot") as a:
                orders = [a.venue.buy("ACME-USD", Decimal(10)) for _ in range(40)]
                await a.until(lambda: line.posted > 10)
                first.kill()
                await a.until(lambda: not a.venue.is_ready)
                with RunningServer(data, "--pace", "0", "--prices", "fixed") as second:
                    line.far = second.url
                    await a.until(lambda: all(a.texts(each)[-1:] for each in orders))
                    await a.until(lambda: not a.venue.open_order_ids())
                    ends = [a.texts(each)[-1].split()[0] for each in orders]
                    assert set(ends) <= {"Completed", "Failure"}
                    filled = {each["id"] for each in seen_by_the_venue(second)}
                    ours = {e.exchange_order_id for e in a.told if isinstance(e, tallystick.BuyOrderCompletedEvent)}
                    assert filled == ours, "the two halves match"
                    assert len(filled) == ends.count("Completed")

    asyncio.run(scenario())


def test_wrong_credentials_are_said_at_once_and_shown_nowhere(server: RunningServer, caplog: pytest.LogCaptureFixture):
    async def scenario():
        with pytest.raises(SignInRefused) as refused:
            async with desk(server.url, client_secret="canary-8191"):
                pass
        assert "canary" not in repr(refused.value) + str(refused.value)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    assert "canary" not in caplog.text


def test_an_account_that_is_not_there_is_said_to_whoever_waits_for_it(
    server: RunningServer, caplog: pytest.LogCaptureFixture
):
    """Nothing is placed without the list of open orders: why there is none must not be silent."""

    async def scenario():
        settings = {**CREDENTIALS, "account": "acc_nobody"}
        async with Client() as client:
            venue = await client.add(connector("sophic", url=f"{server.url}/sophic", **settings), ready_seconds=0)
            async with asyncio.timeout(DEADLINE_SECONDS):
                while "There is no such account." not in caplog.text:  # noqa: ASYNC110 - the log has no event of it
                    await asyncio.sleep(0.005)
            order_id = venue.buy("ACME-USD", Decimal(100))
            assert [event.error_type async for event in venue.events(order_id)] == ["venue_not_ready"]

    with caplog.at_level(logging.WARNING):
        asyncio.run(scenario())


def test_a_venue_that_is_not_there_is_tried_again(tmp_path: Path):
    async def scenario():
        made = connector("sophic", url="http://127.0.0.1:9", **CREDENTIALS)
        with pytest.raises(NotSent):
            await made.start()
        await made.close()
        async with Client() as client:
            venue = await client.add(made, ready_seconds=0.3)
            assert not venue.is_ready

    asyncio.run(scenario())


def test_a_settlement_long_after_the_end_is_told(tmp_path: Path):
    async def scenario():
        with RunningServer(tmp_path / "venue", "--pace", "0.2", "--prices", "fixed") as server:
            patience = Patience(retain_us=50_000)
            async with Client(tmp_path / "bot", patience=patience) as client:
                told: list[tallystick.Event] = []
                client.listen(told.append)
                made = connector("sophic", url=f"{server.url}/sophic", poll_seconds=0.02, **CREDENTIALS)
                venue = await client.add(made)
                order_id = venue.buy("ACME-USD", Decimal(100))
                a = Desk(client, venue, told)
                await a.until(lambda: a.texts(order_id)[-1:] == ["Completed 0.798"])
                await a.until(lambda: not client.store.state.orders)
                await a.until(lambda: text(told[-1]) == "Updated fills")

    asyncio.run(scenario())


def test_a_token_that_no_longer_counts_is_replaced_and_the_request_sent_again(server: RunningServer):
    async def scenario():
        session = SophicSession(f"{server.url}/sophic", "demo", "sandbox")
        try:
            await session.sign_in()
            session._authorization = "Bearer stale"
            answer = await session.request("GET", "/accounts/acc_demo")
            assert answer.status == 200
            assert "stale" not in session._authorization
        finally:
            await session.close()

    asyncio.run(scenario())


def test_a_venue_that_lost_its_memory_is_a_gap_and_its_orders_are_lost_not_over(tmp_path: Path):
    async def scenario():
        async with line_to("") as line:
            with RunningServer(tmp_path / "one", "--pace", "1000", "--prices", "fixed") as server:
                line.far = server.url
                async with desk(line.url, tmp_path / "bot") as a:
                    order_id = a.venue.buy("ACME-USD", Decimal(100))
                    await a.until(lambda: a.texts(order_id) == ["Created"])
                    await a.until(lambda: a.client.store.state.venues[1].positions.get("orders"))
            with RunningServer(tmp_path / "two", "--pace", "0", "--prices", "fixed") as server:
                line.far = server.url
                async with desk(line.url, tmp_path / "bot") as again:
                    assert again.venue.is_ready
                    assert again.venue.open_order_ids() == [order_id]
                    new = again.venue.buy("ACME-USD", Decimal(100))
                    await again.until(lambda: again.texts(new)[-1:] == ["Completed 0.798"])
                    assert again.venue.open_order_ids() == [order_id], "a denial ends nothing"

    asyncio.run(scenario())


def replaced(key: str, value: object) -> Callable[[bytes], bytes]:
    """An order with another value for a key."""

    def replace(content: bytes) -> bytes:
        return json.dumps({**json.loads(content), key: value}).encode()

    return replace


NONSENSE = [
    ("an unknown status", replaced("status", "levitating"), "its status was said to be 'levitating'"),
    ("an unknown field", replaced("mood", "fine"), ""),
    ("an amount that is none", replaced("traded_quantity", "NaN"), ""),
    ("a field that is missing", lambda content: content.replace(b'"side"', b'"edis"'), ""),
    ("no JSON", lambda content: b"<html>" + content, ""),
    ("nothing", lambda content: b"", ""),
    ("too deep", lambda content: b"[" * 100_000, ""),
]


@pytest.mark.parametrize(("spoil", "problem"), [each[1:] for each in NONSENSE], ids=[each[0] for each in NONSENSE])
def test_nonsense_is_shown_or_passed_over_and_harms_nobody(
    server: RunningServer, spoil: Callable[[bytes], bytes], problem: str
):
    """Each order that is retrieved is spoilt, until the line is good again."""

    async def scenario():
        async with line_to(server.url) as line, desk(line.url) as a:
            spoilt: list[str] = []

            def rewrite(path: str, content: bytes) -> bytes:
                if "/orders/ord_" not in path:
                    return content
                spoilt.append(path)
                return spoil(content)

            line.rewrite = rewrite
            order_id = a.venue.buy("ACME-USD", Decimal(100))
            await a.until(lambda: spoilt)
            if problem:
                await a.until(lambda: any(problem in event.problems for event in a.told if hasattr(event, "problems")))
            line.rewrite = lambda path, content: content
            await a.until(lambda: a.texts(order_id)[-1:] == ["Completed 0.798"])

    asyncio.run(scenario())
