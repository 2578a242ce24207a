"""Operators of an exchange: markets of their own, and accounts that they open and fund."""

import httpx
import pytest

from tests.bluefin.sdk_driver import Sdk
from tests.bluefin.test_sdk import Trader
from tests.running import RunningServer

OPERATOR = {"authorization": "Bearer sandbox"}
CONTRACT = {
    "basis": "SOL-PERP.basis",
    "tick": "0.01",
    "price_min": "0.01",
    "price_max": "100000",
    "quantity_max": "10000",
    "market_quantity_max": "1000",
    "maker_fee": "-0.0001",
    "taker_fee": "0.0005",
    "initial_margin": "0.1",
    "maintenance_margin": "0.05",
    "leverage": "5",
}
MARKET = {
    "name": "SOL-PERP",
    "symbol": "SOL-PERP",
    "title": "Solana",
    "unit": "SOL-PERP",
    "currency": "USDC",
    "price_scale": 9,
    "increment": "0.1",
    "quantity_min": "0.1",
    "reason": "a new market",
}


@pytest.fixture(scope="module")
def ops(tmp_path_factory):
    with (
        RunningServer(tmp_path_factory.mktemp("operated")) as server,
        httpx.Client(base_url=f"{server.url}/ops/venues/bluefin", headers=OPERATOR, timeout=30) as ops,
    ):
        for name in ("SOL-PERP", "SOL-PERP.basis"):
            asset = {"name": name, "scale": 9, "kind": "position", "reason": "a new market"}
            assert ops.post("/assets", json=asset).json() == {"name": name, "scale": 9, "kind": "position"}
        yield ops


def test_a_market_with_a_contract_is_defined_shown_and_listed_by_the_exchange(ops):
    made = ops.post("/markets", json=MARKET | {"contract": CONTRACT})
    assert made.status_code == 201
    shown = ops.get("/markets/SOL-PERP").json()["contract"]
    assert (shown["tick"], shown["maker_fee"], shown["leverage"]) == ("0.010000000", "-0.000100000", "5.000000000")
    base = str(ops.base_url).removesuffix("/ops/venues/bluefin/")
    markets = httpx.get(f"{base}/bluefin/v1/exchange/info").json()["markets"]
    listed = next(market for market in markets if market["symbol"] == "SOL-PERP")
    assert (listed["tickSizeE9"], listed["initialMarginRatioE9"]) == ("10000000", "100000000")


FAULTS = [
    ("a basis that is no position", {"basis": "USDC"}),
    ("a basis that does not exist", {"basis": "NOPE"}),
    ("no tick", {"tick": "0"}),
    ("a price range that is empty", {"price_min": "5", "price_max": "4"}),
    ("maintenance above the initial margin", {"maintenance_margin": "0.2"}),
    ("leverage below one", {"leverage": "0.5"}),
    ("a margin that is no decimal", {"initial_margin": "10%"}),
]


@pytest.mark.parametrize("changed", [row[1] for row in FAULTS], ids=[row[0] for row in FAULTS])
def test_terms_that_cannot_be_are_refused_and_nothing_is_defined(ops, changed):
    body = MARKET | {"name": "BAD-PERP", "contract": CONTRACT | changed}
    answer = ops.post("/markets", json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert ops.get("/markets/BAD-PERP").status_code == 404


def test_an_operator_sees_what_happened_to_an_order_of_the_exchange(ops):
    """Every kind of fact that an exchange has is shown in the audit, whoever made it."""
    base = str(ops.base_url).removesuffix("/ops/venues/bluefin/")
    with Sdk(f"{base}/bluefin") as sdk:
        ann, bob = Trader(sdk, 1), Trader(sdk, 2)
        stop = {"type": "STOP_MARKET", "triggerPriceE9": str(2950 * 10**9)}
        ann.place("SHORT", 0, 1, **stop)
        bob.place("LONG", 2940, 3)
        ann.place("SHORT", 2940, 1)
        ann.place("LONG", 2900, 0.001)
        ann.cancel("ab" * 32)
        ann.call("updateLeverage", "ETH-PERP", str(5 * 10**9))
        ann.told("STANDBY", "1 at 2940", "FILLED", "1 at 2940", "FILLED", "QUANTITY_OUT_OF_BOUND")
    entries = ops.get("/entries", params={"limit": 100}).json()["entries"]
    seen = {event["event"] for entry in entries for event in entry["events"]}
    assert {"leverage_changed", "order_rested", "order_triggered", "order_refused", "cancel_refused"} <= seen
