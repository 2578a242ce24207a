"""The demonstration's market maker keeps every book alive, and quotes anew when somebody has traded with it."""

import time

import httpx

from tests.bluefin.sdk_driver import Sdk
from tests.bluefin.test_sdk import Trader
from tests.running import RunningServer

SECONDS = 30
MAKES = {"TALLYSTICK_BLUEFIN_MARKET_MAKER": "true"}


def until(holds) -> None:
    """Ask again until it holds; AssertionError if it does not in time."""
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_every_market_is_quoted_on_both_sides_and_a_market_order_is_filled(tmp_path):
    with RunningServer(tmp_path / "data", environment=MAKES) as server:
        exchange = httpx.Client(base_url=f"{server.url}/bluefin/v1/exchange")

        def depth(symbol: str) -> tuple[int, int]:
            shown = exchange.get("/depth", params={"symbol": symbol}).json()
            return len(shown["bidsE9"]), len(shown["asksE9"])

        for symbol in ("ETH-PERP", "BTC-PERP", "SUI-PERP"):
            until(lambda symbol=symbol: depth(symbol) == (5, 5))
        with Sdk(f"{server.url}/bluefin") as sdk:
            ann = Trader(sdk, 1)
            ann.place("LONG", 0, 0.5)
            assert sdk.frame(1)["event"] == "AccountTradeUpdate"
            assert sdk.frame(1)["payload"]["status"] == "FILLED"
        exchange.close()
