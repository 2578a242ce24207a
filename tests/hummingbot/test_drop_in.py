"""In the place of Hummingbot's own: its connectors change one import, and its classes are taken as they are."""

import asyncio
import re
import subprocess
import sys
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tallystick.dialects.hummingbot import OrderState, OrderUpdate
from tests.hummingbot.told import LETTERS, PAIR, Told, order, trade

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "hummingbot.md").read_text()

# --- One import -------------------------------------------------------------------------------------------------------

BEFORE, AFTER = re.findall(r"```python\n(from .*?)```", PAGE, re.DOTALL)[:2]
FIRST_LINE = BEFORE.splitlines()[0]

DRIVE = """
import asyncio
from decimal import Decimal
from tools.upstream import stand_in
stand_in()
from hummingbot.core.event.events import MarketEvent

async def play(exchange):
    told = []
    for event in set(MarketEvent) - {MarketEvent.OrderUpdate}:
        exchange.add_listener(event, lambda message, name=event.name: told.append(name))
    exchange.begin("o1", Decimal(10), Decimal(2))
    exchange.on_trade("o1", "v1", "t1", Decimal(4), Decimal(2), 1.0)
    await exchange.on_status("o1", "v1", "OPEN", 2.0)
    exchange.on_trade("o1", "v1", "t2", Decimal(6), Decimal(2), 3.0)
    await exchange.on_status("o1", "v1", "FILLED", 3.0)
    await exchange.on_status("o1", "v1", "OPEN", 2.0)
    print(*told)

for source in SOURCES:
    exec(compile(source, "docs/hummingbot.md", "exec"))
    asyncio.run(play(MyExchange()))
"""


def test_the_pages_example_runs_before_and_after_its_import_is_changed() -> None:
    after = BEFORE.replace(FIRST_LINE, AFTER.strip())
    ran = _python("-c", DRIVE.replace("SOURCES", repr([BEFORE, after])))
    assert ran.stderr == ""
    assert ran.stdout.splitlines() == ["BuyOrderCreated OrderFilled OrderFilled BuyOrderCompleted"] * 2


def _python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


# --- Its own classes --------------------------------------------------------------------------------------------------


class TheirState(Enum):
    PENDING_CREATE = 0
    OPEN = 1
    PENDING_CANCEL = 2
    CANCELED = 3
    PARTIALLY_FILLED = 4
    FILLED = 5
    FAILED = 6


class TheirOrder:
    """What the tracker asks of an order, and no more."""

    def __init__(self) -> None:
        ours = order()
        for name in ("client_order_id", "trading_pair", "order_type", "trade_type", "amount", "price", "leverage"):
            setattr(self, name, getattr(ours, name))
        self.position = ours.position
        self.creation_timestamp = self.last_update_timestamp = ours.creation_timestamp
        self.base_asset, self.quote_asset = PAIR.split("-")
        self.exchange_order_id: str | None = None
        self.current_state = TheirState.PENDING_CREATE
        self.executed_amount_base = self.executed_amount_quote = ours.executed_amount_base
        self.order_fills: dict[str, Any] = {}
        self.completely_filled_event = asyncio.Event()

    def update_exchange_order_id(self, exchange_order_id: str) -> None:
        self.exchange_order_id = exchange_order_id

    def check_processed_by_exchange_condition(self) -> None:
        pass

    def build_order_created_message(self) -> str:
        return "their words"

    async def wait_until_completely_filled(self) -> None:
        await self.completely_filled_event.wait()


def test_hummingbots_own_orders_and_updates_are_taken_and_shown_in_its_own_words() -> None:
    async def play() -> None:
        told = Told()
        theirs: Any = TheirOrder()
        told.tracker.start_tracking_order(theirs)

        async def say(state: TheirState) -> None:
            update: Any = SimpleNamespace(
                client_order_id="o1",
                exchange_order_id="v1",
                new_state=state,
                update_timestamp=1.0,
                misc_updates=None,
                trading_pair=PAIR,
            )
            await told.tracker.process_order_update(update)

        await say(TheirState.OPEN)
        assert theirs.current_state is TheirState.OPEN
        assert theirs.exchange_order_id == "v1"
        told.tracker.process_trade_update(trade("t1", "10"))
        assert theirs.executed_amount_base == 10
        await say(TheirState.FILLED)
        assert theirs.current_state is TheirState.FILLED
        await say(TheirState.CANCELED)
        assert told.letters == "C F D"
        assert told.tracker.cached_orders == {"o1": theirs}

    asyncio.run(play())


# --- Its own tests ----------------------------------------------------------------------------------------------------

THEIR_TEST = """
import unittest
from unittest.mock import patch
from hummingbot.connector.client_order_tracker import ClientOrderTracker
from hummingbot.connector.exchange_base import ExchangeBase
from hummingbot.core.data_type.order_book import OrderBook
from hummingbot.core.rate_oracle.rate_oracle import RateOracle

class Exchange(ExchangeBase):
    @property
    def order_books(self) -> dict[str, OrderBook]:
        return {}

class TestTheirs(unittest.TestCase):
    @patch("hummingbot.connector.client_order_tracker.ClientOrderTracker.CACHED_ORDER_TTL", 0.5)
    def test_what_they_patch_is_what_runs(self):
        self.assertEqual(0.5, ClientOrderTracker(Exchange())._cached_orders.ttl)

    @patch("hummingbot.core.data_type.in_flight_order.GET_EX_ORDER_ID_TIMEOUT", 0.5)
    @patch.object(RateOracle, "get_pair_rate")
    def test_modules_are_the_facades(self, rate):
        from tallystick.dialects.hummingbot import in_flight_order
        self.assertEqual(0.5, in_flight_order.GET_EX_ORDER_ID_TIMEOUT)

    def test_that_fails(self):
        self.assertEqual(0, ClientOrderTracker(Exchange()).lost_order_count_limit)
"""


def test_hummingbots_tests_run_from_a_folder_and_can_fail(tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(THEIR_TEST)
    ran = _python("-m", "tools.upstream", str(tmp_path))
    assert ran.returncode == 1, ran.stdout
    assert "1 failed, 2 passed" in ran.stdout
    assert "test_that_fails" in ran.stdout


# --- The table of the page --------------------------------------------------------------------------------------------

HAPPENS = {
    "fills, then FILLED, of an order not yet created": "fill 4, fill 6, FILLED",
    "a fill, then OPEN": "fill 4, OPEN",
    "FILLED, and no fills in five seconds; then the fill": "OPEN, FILLED, fill 10",
    "fills of everything, then CANCELED": "OPEN, fill 10, CANCELED",
    "fills of everything, then FAILED": "OPEN, fill 10, FAILED",
    "CANCELED, then the rest of the fills, FILLED": "OPEN, CANCELED, fill 10, FILLED",
    "FILLED, then OPEN, then FILLED": "OPEN, fill 10, FILLED, OPEN, FILLED",
    "FILLED, then CANCELED": "OPEN, fill 10, FILLED, CANCELED",
    "FILLED, and again with the exchange id": "fill 10, FILLED, FILLED=v1",
    "CANCELED, and again with the exchange id": "CANCELED, CANCELED=v1",
    "CANCELED of an order not yet created": "CANCELED",
    "PENDING_CANCEL, then OPEN, of an order not yet created": "PENDING_CANCEL, OPEN@2",
    "OPEN, PENDING_CREATE, OPEN": "OPEN, PENDING_CREATE, OPEN",
    "denied four times, then fills and FILLED": "OPEN, miss, miss, miss, miss, fill 10, FILLED",
    "denied three times, answered well, denied once": "OPEN, miss, miss, miss, OPEN, miss",
}
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in PAGE.splitlines() if line.startswith("| ")]
TOLD = {row[0]: " ".join(re.match(r"[CFDXE! ]*", row[2])[0].split()) for row in ROWS}  # type: ignore[index]


@pytest.mark.parametrize("row", HAPPENS)
def test_the_page_says_what_is_told(row: str) -> None:
    async def play() -> str:
        told = Told()
        await told.live(HAPPENS[row])
        await asyncio.sleep(0)
        return told.letters

    assert asyncio.run(play()) == TOLD[row]


def test_letters_stand_for_all_market_events_of_an_order() -> None:
    assert sorted(set(LETTERS.values())) == sorted("CFDXE!")
    assert OrderUpdate(PAIR, 1.0, OrderState.OPEN).misc_updates is None
