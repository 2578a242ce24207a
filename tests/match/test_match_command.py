"""``tallystick match`` over a real client's journal and a real venue: its data folder and its interface."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

import tallystick
from tallystick.cli.main import app
from tallystick.core.lifecycle import TRADE_SETTLED
from tallystick.testing.line import line_to
from tests.running import RunningServer

CREDENTIALS = {"client_id": "demo", "client_secret": "sandbox", "account": "acc_demo"}
DEADLINE_SECONDS = 20


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    """A sandbox where each step of an order follows the one before at once."""
    with RunningServer(tmp_path / "data", "--pace", "0", "--prices", "fixed") as running:
        yield running


def match(journal: Path, venue: object, *options: str) -> Result:
    return CliRunner().invoke(app, ["match", str(journal), str(venue), *options])


def differing(journal: Path, venue: object) -> list[str]:
    result = match(journal, venue, "--json")
    said = json.loads(result.stdout)
    assert result.exit_code == (1 if said["differences"] else 0)
    assert said["matches"] == (not said["differences"])
    return [each["what"] for each in said["differences"]]


def connected(url: str, journal: Path):
    return tallystick.connect("sophic", url=f"{url}/sophic", journal=journal, poll_seconds=0.02, **CREDENTIALS)


async def settled(venue: tallystick.Venue, order_id: str) -> None:
    async for event in venue.events(order_id):
        assert not isinstance(event, tallystick.MarketOrderFailureEvent)
    async with asyncio.timeout(DEADLINE_SECONDS):
        store = venue._client.store
        fills = store.state.venues[1].by_client[order_id].fills
        while any(fill.state != TRADE_SETTLED for fill in fills.values()):  # noqa: ASYNC110 - nothing tells of it alone
            await asyncio.sleep(0.005)


def test_the_halves_match_while_both_run_and_after(server: RunningServer, tmp_path: Path):
    async def scenario():
        async with connected(server.url, tmp_path / "bot") as venue:
            for order_id in (venue.buy("ACME-USD", Decimal(22_000)), venue.sell("WRLD-USD", Decimal("1.5"))):
                await settled(venue, order_id)
            refused = venue.buy("ACME-USD", Decimal(99_999_999))
            assert [type(each) async for each in venue.events(refused)] == [tallystick.MarketOrderFailureEvent]
            await asyncio.to_thread(check)

    def check():
        for place in (server.data, f"{server.url}/sophic"):
            result = match(tmp_path / "bot", place)
            assert (result.exit_code, result.stdout) in [(0, f"the halves match: {n} orders\n") for n in (2, 3)]

    asyncio.run(scenario())
    check()
    server.stop()
    assert match(tmp_path / "bot", server.data).exit_code == 0


def test_what_the_client_has_not_heard_yet_differs(server: RunningServer, tmp_path: Path):
    """The order has arrived, and its answer has not: the venue's interface does not show by whose id it was placed."""

    async def scenario():
        async with line_to(server.url) as line, connected(line.url, tmp_path / "bot") as venue:
            line.script.append("lose_answer")
            order_id = venue.buy("ACME-USD", Decimal(100))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not line.posted:  # noqa: ASYNC110 - the line has no event of it
                    await asyncio.sleep(0.001)
            copy_journal(tmp_path / "bot", tmp_path / "then")
            await settled(venue, order_id)

    asyncio.run(scenario())
    amounts = ["amount"] * 4
    assert differing(tmp_path / "then", server.data)[:6] == ["status", *amounts, "fill_not_at_client"]
    assert differing(tmp_path / "then", f"{server.url}/sophic") == ["not_at_venue", "not_at_client"]
    for place in (server.data, f"{server.url}/sophic"):
        assert differing(tmp_path / "bot", place) == []


def copy_journal(folder: Path, target: Path) -> None:
    """The journal as it is now; a crash would leave no other."""
    target.mkdir(exist_ok=True)
    for file in folder.glob("journal.db*"):
        shutil.copyfile(file, target / file.name)


def test_an_order_that_somebody_else_placed_is_not_at_the_client(server: RunningServer, tmp_path: Path):
    async def scenario():
        async with connected(server.url, tmp_path / "bot") as venue:
            await settled(venue, venue.buy("ACME-USD", Decimal(100)))

    asyncio.run(scenario())
    body = {"instrument": "ins_acme", "order_type": "market", "side": "sell", "quantity": "0.5"}
    placed = httpx.post(f"{server.account}/orders", json=body, headers={"authorization": "Bearer sandbox"})
    assert placed.status_code == 201
    for place in (server.data, f"{server.url}/sophic"):
        result = match(tmp_path / "bot", place)
        assert result.exit_code == 1
        assert placed.json()["id"] in result.stdout
        assert result.stdout.endswith("the halves differ: 1 order, 1 difference\n")
        assert differing(tmp_path / "bot", place) == ["not_at_client"]


def test_an_order_that_never_arrived_is_not_at_the_venue(server: RunningServer, tmp_path: Path):
    async def scenario():
        async with line_to(server.url) as line, connected(line.url, tmp_path / "bot") as venue:
            line.script.append("lose_request")
            venue.buy("ACME-USD", Decimal(100))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not line.posted:  # noqa: ASYNC110 - the line has no event of it
                    await asyncio.sleep(0.001)
            line.is_cut = True
            copy_journal(tmp_path / "bot", tmp_path / "then")

    asyncio.run(scenario())
    assert differing(tmp_path / "then", server.data) == ["not_at_venue"]
    assert differing(tmp_path / "then", f"{server.url}/sophic") == ["not_at_venue"]


def test_an_order_that_was_lost_and_is_over_when_it_is_found_matches(server: RunningServer, tmp_path: Path):
    async def lose() -> None:
        async with line_to(server.url) as line, connected(line.url, tmp_path / "bot") as venue:
            line.script.append("lose_answer")
            venue.buy("ACME-USD", Decimal(100))
            async with asyncio.timeout(DEADLINE_SECONDS):
                while not line.posted:  # noqa: ASYNC110 - the line has no event of it
                    await asyncio.sleep(0.001)
            line.is_cut = True

    async def find() -> None:
        async with connected(server.url, tmp_path / "bot") as venue, asyncio.timeout(DEADLINE_SECONDS):
            while venue.open_order_ids():  # noqa: ASYNC110 - it may be over before anybody listens
                await asyncio.sleep(0.005)

    asyncio.run(lose())
    asyncio.run(find())
    assert differing(tmp_path / "bot", server.data) == []


def test_what_cannot_be_compared(server: RunningServer, tmp_path: Path):
    async def scenario():
        async with connected(server.url, tmp_path / "bot") as venue:
            await settled(venue, venue.buy("ACME-USD", Decimal(100)))

    asyncio.run(scenario())
    bot, url = tmp_path / "bot", f"{server.url}/sophic"
    cases = [
        (match(tmp_path / "none", server.data), "There is no journal"),
        (match(bot, tmp_path / "none"), "There is no journal"),
        (match(server.data, server.data), "is no journal of a client"),
        (match(bot, bot), "secret.key is missing"),
        (match(bot, server.data, "--venue", "sx"), "has no venue 'sx'; it has sophic/acc_demo"),
        (match(bot, server.data, "--account", "acc_nobody"), "no account 'acc_nobody'"),
        (match(bot, server.data, "--dialect", "morse"), "no dialect 'morse'"),
        (match(bot, f"{server.url}/bluefin", "--dialect", "bluefin"), "name the data folder instead"),
        (match(bot, url, "--client-secret", "wrong"), "client"),
        (match(bot, url, "--account", "acc_nobody"), "no such account"),
        (match(bot, server.url), "Name the venue and an account of it"),
        (match(bot, "http://127.0.0.1:9/sophic"), "http://127.0.0.1:9/sophic gives no answer"),
    ]
    for result, sentence in cases:
        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence in result.stderr
        assert "wrong" not in result.stderr
