"""The Bluefin connector over real sockets, against the real server: what the exchange tells, gaps, restarts, kills."""

import asyncio
import json
import logging
import os
import secrets
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import tallystick
from tallystick import OrderType
from tallystick.connect.client import Client
from tallystick.connect.errors import CannotStart, NotSent, SignInRefused
from tallystick.core.lifecycle import REFUSED
from tallystick.dialects.bluefin.connector import BluefinConnector
from tallystick.dialects.bluefin.connector_session import Addresses, BluefinSession
from tallystick.dialects.bluefin.signatures import SECP256K1
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.dialects.connectors import connector
from tallystick.testing.bluefin import ask
from tallystick.testing.line import line_to
from tallystick.testing.stories import text
from tallystick.tracker.observations import CancelReport
from tests.running import ROOT, RunningServer

OPTIONS = ("--pace", "0", "--prices", "fixed")
DEADLINE_SECONDS = 20
_prices = count(1000, 10)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("venue") / "data", *OPTIONS) as running:
        yield running
        assert "Traceback" not in running.log


@pytest.fixture
def price() -> Decimal:
    """Above all that earlier tests have left in the book."""
    return Decimal(next(_prices))


def new_wallet() -> Wallet:
    return Wallet(secrets.token_bytes(32))


class Desk:
    """One bot. ``made`` is its connector."""

    def __init__(
        self, client: Client, venue: tallystick.Venue, made: BluefinConnector, told: list[tallystick.Event]
    ) -> None:
        self.client = client
        self.venue = venue
        self.made = made
        self.told = told

    def bid(self, price: Decimal, amount: str = "1", market: str = "ETH-PERP", **traits: str) -> str:
        return self.venue.buy(market, Decimal(amount), OrderType.LIMIT, price, traits=traits)

    def offer(self, price: Decimal, amount: str = "1", market: str = "ETH-PERP", **traits: str) -> str:
        return self.venue.sell(market, Decimal(amount), OrderType.LIMIT, price, traits=traits)

    def texts(self, order_id: str) -> list[str]:
        """Without updates, and whether Created was inferred: a fill may be told before it."""
        found = [text(event) for event in self.told if event.order_id == order_id]
        return [each.replace("Created (inferred)", "Created") for each in found if not each.startswith("Updated")]

    async def until(self, look: Callable[[], Any]) -> None:
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not look():  # noqa: ASYNC110 - what it looks at has no event of its own
                await asyncio.sleep(0.005)

    async def told_of(self, order_id: str, *expected: str) -> None:
        with suppress(TimeoutError):
            await self.until(lambda: len(self.texts(order_id)) >= len(expected))
        assert self.texts(order_id) == list(expected)


@asynccontextmanager
async def desk(
    url: str, journal: Path | None = None, wallet: Wallet | str | None = None, **settings: Any
) -> AsyncIterator[Desk]:
    told: list[tallystick.Event] = []
    async with Client(journal) as client:
        client.listen(told.append)
        made = connector("bluefin", url=f"{url}/bluefin", wallet=wallet or new_wallet(), **settings)
        assert isinstance(made, BluefinConnector)
        yield Desk(client, await client.add(made), made, told)


def at_the_venue(server: RunningServer, wallet: Wallet) -> dict[str, str]:
    """The account's orders by hash, and what each has come to."""
    found = ask(f"{server.url}/ops/venues/bluefin/orders?account={wallet.address}&limit=1000")["orders"]
    return {order["client_key"]: order["status"] for order in found}


# --- What becomes of an order (specs/bluefin.md §3) -------------------------------------------------------------------

LIVES: Mapping[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    # what is on offer, the bid for 2, and what is told of it
    "it rests": ("", {}, ("Created",)),
    "it is filled at once": ("2", {}, ("Created", "Filled 2", "Completed 2")),
    "it is filled in part and rests": ("0.5", {}, ("Created", "Filled 0.5")),
    "immediate or cancel, in part": ("0.5", {"time_in_force": "IOC"}, ("Created", "Filled 0.5", "Cancelled")),
    "immediate or cancel, not at all": ("", {"time_in_force": "IOC"}, ("Failure INSUFFICIENT_LIQUIDITY",)),
    "fill or kill that cannot be": ("0.5", {"time_in_force": "FOK"}, ("Failure INSUFFICIENT_LIQUIDITY",)),
    "fill or kill that can": ("2", {"time_in_force": "FOK"}, ("Created", "Filled 2", "Completed 2")),
    "post only that rests": ("", {"post_only": "true"}, ("Created",)),
    "post only that would trade": ("2", {"post_only": "true"}, ("Failure POST_ONLY_WOULD_TRADE",)),
    "reduce only with nothing to reduce": ("", {"reduce_only": "true"}, ("Failure REDUCE_ONLY_WOULD_OPEN",)),
    "a trait that it has no word for": ("", {"time_in_force": "DAY"}, ("Failure unsupported_trait",)),
    "a type without its trigger price": ("", {"type": "STOP_LIMIT"}, ("Failure unsupported_trait",)),
}


@pytest.mark.parametrize(("on_offer", "traits", "expected"), LIVES.values(), ids=LIVES.keys())
def test_a_bid(server: RunningServer, price: Decimal, on_offer: str, traits: dict[str, str], expected: tuple[str, ...]):
    async def scenario():
        async with desk(server.url) as a, desk(server.url) as b:
            if on_offer:
                await b.told_of(b.offer(price, on_offer), "Created")
            order_id = a.bid(price, "2", **traits)
            await a.told_of(order_id, *expected)
            await a.venue.cancel_all()
            await b.venue.cancel_all()

    asyncio.run(scenario())


def test_a_resting_order_is_filled_in_parts_with_its_fees_and_completed_after_the_last(
    server: RunningServer, price: Decimal
):
    async def scenario():
        async with desk(server.url) as a, desk(server.url) as b:
            order_id = a.bid(price, "2")
            await a.told_of(order_id, "Created")
            for amount in ("0.5", "1.5"):
                sold = b.venue.sell("ETH-PERP", Decimal(amount))
                await b.told_of(sold, "Created", f"Filled {amount}", f"Completed {amount}")
            await a.told_of(order_id, "Created", "Filled 0.5", "Filled 1.5", "Completed 2")
            fees = [event.trade_fee for event in a.told if isinstance(event, tallystick.OrderFilledEvent)]
            assert fees[0] == tallystick.Fee(price / 2 / 10_000, "USDC")

    asyncio.run(scenario())


REFUSALS = {
    "more than there is margin for": ("9000", "INSUFFICIENT_MARGIN"),
    "more than the market takes": ("20000", "above_maximum"),
    "less than a step": ("0.001", "below_increment"),
}


@pytest.mark.parametrize(("amount", "code"), REFUSALS.values(), ids=REFUSALS.keys())
def test_refusals(server: RunningServer, price: Decimal, amount: str, code: str):
    async def scenario():
        async with desk(server.url) as a:
            await a.told_of(a.bid(price, amount), f"Failure {code}")

    asyncio.run(scenario())


def test_a_stop_order_stands_by_and_is_triggered_under_the_same_id(server: RunningServer):
    async def scenario():
        async with desk(server.url) as a, desk(server.url) as b:
            stop = a.bid(Decimal(60), "2", "BTC-PERP", type="STOP_LIMIT", trigger_price="50")
            await a.told_of(stop, "Created")
            (created,) = [event for event in a.told if event.order_id == stop]
            assert created.status == "PENDING"
            await b.told_of(b.offer(Decimal(50), "1", "BTC-PERP"), "Created")
            await a.told_of(a.bid(Decimal(50), "1", "BTC-PERP"), "Created", "Filled 1", "Completed 1")
            await a.until(lambda: any(e.order_id == stop and e.status == "OPEN" for e in a.told))
            await b.told_of(b.offer(Decimal(60), "2", "BTC-PERP"), "Created", "Filled 2", "Completed 2")
            await a.told_of(stop, "Created", "Filled 2", "Completed 2")
            assert {event.exchange_order_id for event in a.told if event.order_id == stop} == {
                created.exchange_order_id
            }

    asyncio.run(scenario())


def test_a_market_that_is_halted_ends_what_rests_and_is_known_to_be_closed(server: RunningServer):
    """MARKET_NOT_TRADING refuses a new order; this one had lived."""
    market = f"{server.url}/ops/venues/bluefin/markets/SUI-PERP"

    async def scenario():
        async with desk(server.url) as a:
            before = a.bid(Decimal("0.5"), "10", "SUI-PERP")
            await a.told_of(before, "Created")
            ask(f"{market}/halt", {"reason": "a test"})
            await a.told_of(before, "Created", "Cancelled")
            await a.until(lambda: not a.venue.markets["SUI-PERP"].is_open)
            await a.told_of(a.bid(Decimal("0.5"), "10", "SUI-PERP"), "Failure market_closed")

    try:
        asyncio.run(scenario())
    finally:
        ask(f"{market}/resume", {"reason": "a test"})


# --- Cancelling -------------------------------------------------------------------------------------------------------


def test_many_are_cancelled_ten_in_a_request_also_those_that_stand_by_and_those_of_other_markets(
    server: RunningServer, price: Decimal
):
    async def scenario():
        async with desk(server.url) as a:
            orders = [a.bid(price, "0.01") for _ in range(21)]
            orders.append(a.bid(Decimal(10), "0.01", "BTC-PERP"))
            orders.append(a.bid(Decimal(900), "0.01", "BTC-PERP", type="STOP_LIMIT", trigger_price="900"))
            for each in orders:
                await a.told_of(each, "Created")
            results = await a.venue.cancel_all()
            assert {result.outcome for result in results.values()} == {"DONE"}
            for each in orders:
                await a.told_of(each, "Created", "Cancelled")

    asyncio.run(scenario())


FAILED_CANCELS = {
    "an order that nobody has": ("ETH-PERP", "ORDER_NOT_FOUND"),
    "a market that there is not": ("NO-PERP", "MARKET_NOT_FOUND"),
}


@pytest.mark.parametrize(("market", "reason"), FAILED_CANCELS.values(), ids=FAILED_CANCELS.keys())
def test_a_failed_cancel_is_a_refused_one_and_says_nothing_of_the_order(
    server: RunningServer, price: Decimal, market: str, reason: str
):
    async def scenario():
        async with desk(server.url) as a:
            heard: list[CancelReport] = []
            update = a.made._update

            def watched(seen: Any) -> Any:
                items = update(seen)
                heard.extend(each for each in items if isinstance(each, CancelReport))
                return items

            a.made._update = watched  # type: ignore[method-assign]
            body = {"symbol": market, "orderHashes": ["ab" * 32]}
            await a.made._here.request("PUT", "/api/v1/trade/orders/cancel", body)
            await a.until(lambda: heard)
            assert [(each.outcome, each.reason, each.venue_id) for each in heard] == [(REFUSED, reason, "ab" * 32)]

    asyncio.run(scenario())


@pytest.mark.parametrize("events", ["per_order", "first_only"])
def test_a_cancel_of_all_on_a_market_ends_every_order_there_however_it_is_told(
    events: str, tmp_path: Path, price: Decimal
):
    config = tmp_path / "tallystick.toml"
    config.write_text(f'[sandbox]\nenabled = true\n[bluefin]\ncancel_all_events = "{events}"\n')

    async def scenario(url: str) -> None:
        async with desk(url) as a:
            orders = [a.bid(price) for _ in range(3)]
            elsewhere = a.bid(Decimal(10), "0.01", "BTC-PERP")
            for each in (*orders, elsewhere):
                await a.told_of(each, "Created")
            await a.made.cancel_market("ETH-PERP")
            await a.until(lambda: all(len(a.texts(each)) == 2 for each in orders))
            ends = sorted(a.texts(each)[1] for each in orders)
            inferred = 0 if events == "per_order" else 2
            assert ends == ["Cancelled"] * (3 - inferred) + ["Cancelled (inferred)"] * inferred
            await a.until(lambda: a.venue.is_ready)
            later = a.bid(price)
            await a.told_of(later, "Created")
            assert sorted(a.venue.open_order_ids()) == sorted([elsewhere, later])

    with RunningServer(tmp_path / "data", *OPTIONS, "--config", str(config)) as server:
        asyncio.run(scenario(server.url))


def test_its_own_order_is_cancelled_rather_than_traded_with(server: RunningServer, price: Decimal):
    async def scenario():
        async with desk(server.url) as a:
            bid = a.bid(price)
            await a.told_of(bid, "Created")
            offer = a.offer(price)
            await a.told_of(bid, "Created", "Cancelled")
            await a.told_of(offer, "Created")
            await a.venue.cancel_all()

    asyncio.run(scenario())


def test_leverage_is_changed_and_open_orders_end_by_it(server: RunningServer, price: Decimal):
    async def scenario():
        async with desk(server.url) as a:
            before = a.bid(price)
            await a.told_of(before, "Created")
            await a.made.change_leverage("ETH-PERP", Decimal(7))
            await a.told_of(before, "Created", "Cancelled")
            after = a.bid(price)
            await a.told_of(after, "Created")
            (row,) = await a.made._lists.orders("ETH-PERP")
            assert a.made._held["ETH-PERP"] == 7 * 10**9
            assert row.client_order_id == after

    asyncio.run(scenario())


def test_orders_that_were_not_made_here_are_shown_and_can_be_cancelled(server: RunningServer, price: Decimal):
    wallet = new_wallet()

    async def scenario():
        async with desk(server.url, wallet=wallet) as by_another:
            theirs = by_another.bid(price)
            await by_another.told_of(theirs, "Created")
            async with desk(server.url, wallet=wallet, name="another bot") as a:
                (order,) = a.venue.foreign_orders()
                assert order.exchange_order_id in at_the_venue(server, wallet)
                results = await a.venue.cancel_all(foreign=True)
                assert results[order.exchange_order_id].outcome == "REQUESTED"
                await by_another.told_of(theirs, "Created", "Cancelled")

    asyncio.run(scenario())


# --- When the line, the exchange or the bot fails ---------------------------------------------------------------------


def test_a_request_that_was_lost_is_known_to_be_lost_when_its_signature_is_too_old(
    server: RunningServer, price: Decimal
):
    wallet = new_wallet()

    async def scenario():
        async with line_to(server.url) as line, desk(line.url, wallet=wallet, signed_within_seconds=1) as a:
            line.script.append("lose_request")
            order_id = a.bid(price)
            await a.until(lambda: any(event.certainty == "AMBIGUOUS" for event in a.told))
            await a.told_of(order_id, "Failure absent (inferred)")
            assert at_the_venue(server, wallet) == {}

    asyncio.run(scenario())


def test_an_order_that_waited_until_its_signature_was_too_old_is_not_sent(server: RunningServer, price: Decimal):
    async def scenario():
        async with line_to(server.url) as line, desk(line.url, signed_within_seconds=0) as a:
            order_id = a.bid(price)
            await a.told_of(order_id, "Failure not_sent")
            assert line.posted == 0

    asyncio.run(scenario())


def test_what_is_sent_twice_is_one_order(server: RunningServer, price: Decimal):
    """The token no longer counts, so the request is sent again, the same to the byte."""
    wallet = new_wallet()

    async def scenario():
        async with line_to(server.url) as line, desk(line.url, wallet=wallet) as a:
            bodies: list[bytes] = []

            def seen(content: bytes) -> bytes:
                bodies.append(content)
                return content

            line.revise = seen
            a.made._here._authorization = "Bearer stale"
            order_id = a.bid(price)
            await a.told_of(order_id, "Created")
            assert len(bodies) == 2
            assert bodies[0] == bodies[1]
            assert list(at_the_venue(server, wallet).values()) == ["open"]

    asyncio.run(scenario())


def test_what_happened_while_the_line_was_cut_is_concluded(server: RunningServer, price: Decimal):
    async def scenario():
        async with line_to(server.url) as line, desk(line.url) as a, desk(server.url) as b:
            filled, cancelled = a.bid(price), a.bid(price - 1)
            in_part = a.bid(price - 2, "2")
            for each in (filled, cancelled, in_part):
                await a.told_of(each, "Created")
            line.is_cut = True
            await a.until(lambda: not a.venue.is_ready)
            await b.told_of(b.offer(price), "Created", "Filled 1", "Completed 1")
            async with desk(server.url, wallet=a.made._wallet, name="by hand") as hand:
                ids = {event.order_id: event.exchange_order_id for event in a.told}
                await hand.made.cancel_foreign([str(ids[cancelled])])
                await hand.until(lambda: len(hand.venue.foreign_orders()) == 2)
                await b.until(lambda: len(at_the_venue_open(server, a.made._wallet)) == 1)
            await b.told_of(b.offer(price - 2), "Created", "Filled 1", "Completed 1")
            line.is_cut = False
            await a.told_of(filled, "Created", "Filled 1", "Completed 1")
            await a.told_of(cancelled, "Created", "Cancelled (inferred)")
            await a.told_of(in_part, "Created", "Filled 1")

    asyncio.run(scenario())


def at_the_venue_open(server: RunningServer, wallet: Wallet) -> list[str]:
    return [order_hash for order_hash, status in at_the_venue(server, wallet).items() if status == "open"]


def test_an_exchange_that_is_killed_and_comes_back_elsewhere_is_found_where_it_was(tmp_path: Path, price: Decimal):
    wallet = new_wallet()

    async def scenario():
        data = tmp_path / "venue"
        with RunningServer(data, *OPTIONS) as first:
            settings = {"wallet": wallet, "signed_within_seconds": 1}
            async with line_to(first.url) as line, desk(line.url, tmp_path / "bot", **settings) as a:
                orders = [a.bid(price, "0.01") for _ in range(30)]
                await a.until(lambda: line.posted > 10)
                first.kill()
                await a.until(lambda: not a.venue.is_ready)
                with RunningServer(data, *OPTIONS) as second:
                    line.far = second.url
                    await a.until(lambda: all(a.texts(each) for each in orders))
                    created = {e.exchange_order_id for e in a.told if isinstance(e, tallystick.BuyOrderCreatedEvent)}
                    assert created == set(at_the_venue(second, wallet)), "the two halves match"
                    results = await a.venue.cancel_all()
                    assert {result.outcome for result in results.values()} <= {"DONE"}
                    assert set(at_the_venue(second, wallet).values()) <= {"cancelled"}

    asyncio.run(scenario())


KILLED_AT = ["commit.after:6", "send.before:1", "send.after:1", "send.after:3"]


@pytest.mark.parametrize("crash_at", KILLED_AT)
def test_a_bot_that_was_killed_knows_what_became_of_every_order(
    server: RunningServer, crash_at: str, price: Decimal, tmp_path: Path
):
    secret = secrets.token_bytes(32)

    def run(orders: int, **more: str) -> tuple[int, list[dict[str, Any]], str]:
        arguments = [server.url, str(tmp_path / "bot"), secret.hex(), str(price), str(orders)]
        command = [sys.executable, "-m", "tests.connect.bluefin_victim", *arguments]
        done = subprocess.run(
            command, capture_output=True, cwd=ROOT, env={**os.environ, **more}, text=True, timeout=90, check=False
        )
        return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    code, _, _ = run(3, TALLYSTICK_CRASH_AT=crash_at)
    assert code == -signal.SIGKILL
    code, told, errors = run(0)
    assert code == 0, errors
    stories: dict[str, list[str]] = {}
    for event in told:
        if not event["text"].startswith("Updated"):
            stories.setdefault(event["order"], []).append(event["text"].split()[0])
    assert {tuple(story) for story in stories.values()} <= {("Created", "Cancelled"), ("Failure",)}
    at_venue = at_the_venue(server, Wallet(secret))
    assert set(at_venue.values()) <= {"cancelled"}
    known = {event["venue_id"] for event in told if event["venue_id"] and stories[event["order"]][0] == "Created"}
    assert known == set(at_venue), "the two halves match"


# --- The session ------------------------------------------------------------------------------------------------------


def test_a_token_is_refreshed_before_its_end_and_bought_anew_when_that_fails(server: RunningServer):
    async def scenario():
        url = f"{server.url}/bluefin"
        wallet = new_wallet()
        async with line_to(server.url) as line:
            asked: list[str] = []

            def seen(path: str, content: bytes) -> bytes:
                asked.append(path.removeprefix("/bluefin"))
                return content

            line.rewrite = seen
            url = f"{line.url}/bluefin"
            session = BluefinSession(Addresses(url, url, url, url), wallet, wallet.address)
            try:
                await session.sign_in()
                await session.sign_in()
                session._renew_at = 0.0
                await session.sign_in()
                session._renew_at, session._refresh = 0.0, b'{"refreshToken":"stale"}'
                await session.sign_in()
            finally:
                await session.close()
            log_in, refresh = "/auth/v2/token", "/auth/token/refresh"
            assert asked == [log_in, refresh, refresh, log_in]

    asyncio.run(scenario())


def test_a_wallet_of_the_other_scheme_trades_as_well(server: RunningServer, price: Decimal):
    async def scenario():
        async with desk(server.url, wallet=Wallet(b"\7" * 32, SECP256K1)) as a:
            order_id = a.bid(price)
            await a.told_of(order_id, "Created")
            await a.venue.cancel(order_id)
            await a.told_of(order_id, "Created", "Cancelled")

    asyncio.run(scenario())


def test_a_wallet_that_may_not_trade_for_the_account_is_refused_at_once_and_its_secret_is_shown_nowhere(
    server: RunningServer, caplog: pytest.LogCaptureFixture
):
    secret = secrets.token_bytes(32).hex()

    async def scenario():
        with pytest.raises(SignInRefused) as refused:
            async with desk(server.url, wallet=secret, account="0x" + "ab" * 32):
                pass
        assert secret not in repr(refused.value) + str(refused.value)
        async with desk(server.url, wallet=secret) as a:
            assert secret not in repr(a.made) + repr(vars(a.made))

    with caplog.at_level(logging.DEBUG):
        asyncio.run(scenario())
    assert secret not in caplog.text
    assert "Bearer" not in caplog.text


def test_an_exchange_that_is_not_there_is_tried_again(tmp_path: Path):
    async def scenario():
        made = connector("bluefin", url="http://127.0.0.1:9", wallet=new_wallet())
        with pytest.raises(NotSent):
            await made.start()
        await made.close()
        async with Client() as client:
            venue = await client.add(made, ready_seconds=0.3)
            assert not venue.is_ready

    asyncio.run(scenario())


def test_settings_that_are_not_right_are_said():
    with pytest.raises(CannotStart, match="settings of 'bluefin'"):
        connector("bluefin", url="http://127.0.0.1:9")
    with pytest.raises(ValueError, match="wallet's secret"):
        connector("bluefin", url="http://127.0.0.1:9", wallet="no secret")
