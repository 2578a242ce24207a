"""``tallystick match`` over the journal of a bot at the exchange and the exchange's: orders are known by their hash."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import tallystick
from tallystick import OrderType
from tallystick.cli.main import app
from tallystick.connect.client import Client
from tallystick.dialects.bluefin.connector import BluefinConnector
from tallystick.dialects.bluefin.wallet import Wallet
from tallystick.testing.stories import text
from tests.running import RunningServer

DEADLINE_SECONDS = 20
MARKET = "ETH-PERP"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with RunningServer(tmp_path_factory.mktemp("venue") / "data", "--pace", "0", "--prices", "fixed") as running:
        yield running


def match(journal: Path, data: Path, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["match", str(journal), str(data), "--json", *options])
    said: dict[str, Any] = json.loads(result.stdout)
    assert result.exit_code == (1 if said["differences"] else 0)
    return said


class Bot:
    def __init__(self, venue: tallystick.Venue, told: list[tallystick.Event]) -> None:
        self.venue = venue
        self._told = told

    def bid(self, amount: str, price: str, **traits: str) -> str:
        return self.venue.buy(MARKET, Decimal(amount), OrderType.LIMIT, Decimal(price), traits=traits)

    def offer(self, amount: str, price: str, **traits: str) -> str:
        return self.venue.sell(MARKET, Decimal(amount), OrderType.LIMIT, Decimal(price), traits=traits)

    async def told(self, order_id: str, *expected: str) -> None:
        await until(lambda: self._texts(order_id)[-1:] == [expected[-1]])
        assert self._texts(order_id) == list(expected)

    def _texts(self, order_id: str) -> list[str]:
        found = [text(event) for event in self._told if event.order_id == order_id]
        return [each.replace("Created (inferred)", "Created") for each in found if not each.startswith("Updated")]


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not look():  # noqa: ASYNC110 - what it looks at has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def bot(server: RunningServer, journal: Path, wallet: Wallet) -> AsyncIterator[Bot]:
    told: list[tallystick.Event] = []
    async with Client(journal) as client:
        client.listen(told.append)
        yield Bot(await client.add(BluefinConnector(url=f"{server.url}/bluefin", wallet=wallet)), told)


def new_wallet() -> Wallet:
    return Wallet(secrets.token_bytes(32))


def test_the_halves_match_whatever_became_of_the_orders(server: RunningServer, tmp_path: Path):
    """Both sides of every trade; what rests, stands by, was cancelled, filled in part, and refused in either way."""

    async def scenario() -> None:
        async with bot(server, tmp_path / "a", new_wallet()) as a, bot(server, tmp_path / "b", new_wallet()) as b:
            partly, resting = a.bid("2", "1000"), a.bid("1", "900")
            for each in (partly, resting):
                await a.told(each, "Created")
            await b.told(b.offer("0.5", "1000"), "Created", "Filled 0.5", "Completed 0.5")
            await a.told(partly, "Created", "Filled 0.5")
            await a.venue.cancel(partly)
            await a.told(partly, "Created", "Filled 0.5", "Cancelled")
            await b.told(b.offer("2", "900", time_in_force="IOC"), "Created", "Filled 1", "Cancelled")
            await a.told(resting, "Created", "Filled 1", "Completed 1")
            await a.told(a.bid("1", "800", time_in_force="IOC"), "Failure INSUFFICIENT_LIQUIDITY")
            await a.told(a.bid("9000", "1000"), "Failure INSUFFICIENT_MARGIN")
            await a.told(a.bid("1", "2000", type="STOP_LIMIT", trigger_price="2000"), "Created")
            await a.told(a.bid("1", "700"), "Created")

    asyncio.run(scenario())
    assert match(tmp_path / "a", server.data) == {"matches": True, "orders": 6, "differences": []}
    assert match(tmp_path / "b", server.data) == {"matches": True, "orders": 2, "differences": []}


def test_an_order_that_another_program_placed_is_not_at_the_client(server: RunningServer, tmp_path: Path):
    wallet = new_wallet()

    async def scenario() -> None:
        async with bot(server, tmp_path / "bot", wallet) as ours:
            await ours.told(ours.bid("1", "500"), "Created")
        async with bot(server, tmp_path / "other", wallet) as other:
            await other.told(other.bid("1", "400"), "Created")

    asyncio.run(scenario())
    for mine, theirs in (("bot", "other"), ("other", "bot")):
        (planted,) = match(tmp_path / mine, server.data)["differences"]
        assert (planted["what"], planted["client_id"]) == ("not_at_client", "")
        assert len(planted["order_id"]) == 64
        assert planted["order_id"] in own_hashes(tmp_path / theirs, server)


def own_hashes(journal: Path, server: RunningServer) -> set[str]:
    """Those of the client's orders, as another's account denies to have them."""
    elsewhere = match(journal, server.data, "--account", "clearing")["differences"]
    return {each["order_id"] for each in elsewhere if each["what"] == "other_account"}
