"""The exchange's own SDK against a real server: what it is told of an order, whatever becomes of it (seeds/002)."""

import json
import time

import pytest

from tests.bluefin.sdk_driver import Sdk, SdkError
from tests.bluefin.strict_reader import FAILED_CANCEL_SAYS_NULL, StrictReader
from tests.running import RunningServer

ANN, BOB = 1, 2
E9 = 10**9
STRICT = StrictReader(nullable=FAILED_CANCEL_SAYS_NULL)
ORDERS = ["AccountOrderUpdate", "AccountTradeUpdate"]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with RunningServer(tmp_path_factory.mktemp("exchange")) as server:
        yield server


class Trader:
    """One wallet and its account stream; each has a market to itself for as long as a test lasts."""

    def __init__(self, sdk: Sdk, wallet: int) -> None:
        self.sdk, self.wallet = sdk, wallet
        self.address = sdk.call(wallet, "login")["address"]
        assert sdk.call(wallet, "listen", ORDERS)["success"] is True

    def place(self, side: str, price: int, quantity: float, **more) -> str:
        params = {
            "clientOrderId": f"{self.wallet}-{time.monotonic_ns()}",
            "type": "LIMIT" if price else "MARKET",
            "symbol": "ETH-PERP",
            "priceE9": str(price * E9),
            "quantityE9": str(round(quantity * E9)),
            "side": side,
            "leverageE9": str(3 * E9),
            "isIsolated": False,
            "expiresAtMillis": int(time.time() * 1000) + 3_600_000,
            "timeInForce": "GTT" if price else "IOC",
            **more,
        }
        return self.sdk.call(self.wallet, "createOrder", params)["orderHash"]

    def cancel(self, *hashes: str, symbol: str = "ETH-PERP") -> None:
        request = {"symbol": symbol, **({"orderHashes": list(hashes)} if hashes else {})}
        assert self.sdk.call(self.wallet, "cancelOrder", request)["status"] == 202

    def told(self, *expected: str) -> list[dict]:
        """The next frames, each in a word: a trade's quantity and price, a status, or why something ended."""
        frames = [self.sdk.frame(self.wallet) for _ in expected]
        for frame in frames:
            STRICT.read("AccountStreamMessage", json.dumps(frame))
        assert [in_a_word(frame) for frame in frames] == list(expected)
        return [frame["payload"] for frame in frames]

    def call(self, name: str, *given):
        return self.sdk.call(self.wallet, name, *given)


def in_a_word(frame: dict) -> str:
    payload = frame["payload"]
    if frame["event"] == "AccountTradeUpdate":
        trade = payload["trade"]
        return f"{int(trade['quantityE9']) / E9:g} at {int(trade['priceE9']) // E9}"
    if "status" in payload:
        return payload["status"]
    if payload["cancellationReason"]:
        return payload["cancellationReason"]
    return f"not cancelled: {payload['failureToCancelReason']}"


@pytest.fixture(scope="module")
def traders(server):
    with Sdk(f"{server.url}/bluefin") as sdk:
        yield Trader(sdk, ANN), Trader(sdk, BOB)


@pytest.fixture
def ann(traders):
    return traders[0]


@pytest.fixture
def bob(traders):
    return traders[1]


@pytest.fixture(autouse=True)
def empty_book(traders):
    """Nothing is left of a test that could meet the next."""
    yield
    for trader in traders:
        for order in trader.call("openOrders"):
            trader.cancel(order["orderHash"])
            trader.told("USER_CANCELLED")
        for order in trader.call("standbyOrders"):
            trader.call("cancelStandbyOrder", {"symbol": order["symbol"], "orderHashes": [order["orderHash"]]})
            trader.told("USER_CANCELLED")


def test_it_initialises_and_logs_in_with_both_kinds_of_keys(ann, bob):
    assert ann.address != bob.address
    assert {market["symbol"] for market in ann.call("info")["markets"]} >= {"ETH-PERP", "BTC-PERP"}
    assert ann.call("account")["canTrade"] is True


def test_an_order_that_rests_is_told_open_once(ann):
    order = ann.place("LONG", 2900, 1)
    payload = ann.told("OPEN")[0]
    assert (payload["orderHash"], payload["filledQuantityE9"]) == (order, "0")
    assert [each["orderHash"] for each in ann.call("openOrders", "ETH-PERP")] == [order]
    assert ann.call("depth", "ETH-PERP")["bidsE9"] == [[str(2900 * E9), str(E9)]]


def test_a_fill_is_told_to_both_the_trade_before_the_order(ann, bob):
    ann.place("LONG", 3000, 2)
    ann.told("OPEN")
    bob.place("SHORT", 3000, 1)
    bob.told("1 at 3000", "FILLED")
    ann.told("1 at 3000", "PARTIALLY_FILLED_OPEN")
    bob.place("SHORT", 2990, 1.5)
    ann.told("1 at 3000", "FILLED")
    bob.told("1 at 3000", "PARTIALLY_FILLED_OPEN")


def test_what_an_immediate_order_leaves_is_cancelled_without_an_event_of_its_own(ann, bob):
    ann.place("LONG", 3000, 1)
    ann.told("OPEN")
    bob.place("SHORT", 3000, 3, timeInForce="IOC")
    payload = bob.told("1 at 3000", "PARTIALLY_FILLED_CANCELED")[1]
    assert payload["filledQuantityE9"] == str(E9)
    ann.told("1 at 3000", "FILLED")


REFUSED = [
    ("a price of 0", {"priceE9": "0"}, "PRICE_OUT_OF_BOUND"),
    ("an unknown market", {"symbol": "NOPE-PERP"}, "INVALID_SYMBOL"),
    ("a price between ticks", {"priceE9": str(2900 * E9 + 1)}, "PRICE_OUT_OF_TICK_SIZE"),
    ("more than can be margined", {"quantityE9": str(500 * E9)}, "INSUFFICIENT_MARGIN"),
    (
        "reduce only with nothing to reduce",
        {"symbol": "SUI-PERP", "priceE9": str(4 * E9), "reduceOnly": True},
        "REDUCE_ONLY_WOULD_OPEN",
    ),
    ("fill or kill with nothing there", {"timeInForce": "FOK"}, "INSUFFICIENT_LIQUIDITY"),
]


@pytest.mark.parametrize(("terms", "reason"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_executed_is_acknowledged_and_then_refused_by_an_event(ann, terms, reason):
    order = ann.place("LONG", 2900, 1, **({"type": "LIMIT"} | terms))
    payload = ann.told(reason)[0]
    assert payload["orderHash"] == order
    assert payload.get("failureToCancelReason") is None


def test_a_cancel_is_told_with_what_was_left(ann):
    order = ann.place("LONG", 2900, 1)
    ann.told("OPEN")
    ann.cancel(order)
    payload = ann.told("USER_CANCELLED")[0]
    assert (payload["orderHash"], payload["remainingQuantityE9"]) == (order, str(E9))


def test_each_way_in_which_a_cancel_fails(ann):
    ann.cancel("ab" * 32)
    assert ann.told("not cancelled: ORDER_NOT_FOUND")[0]["orderHash"] == "ab" * 32
    ann.cancel("ab" * 32, symbol="NOPE-PERP")
    assert ann.told("not cancelled: MARKET_NOT_FOUND")[0]["symbol"] == "NOPE-PERP"
    ann.cancel()
    ann.told("not cancelled: NO_OPEN_ORDERS_ON_MARKET")


def test_cancelling_all_is_told_for_each_order(ann):
    for price in (2900, 2901):
        ann.place("LONG", price, 1)
        ann.told("OPEN")
    ann.cancel()
    ann.told("USER_CANCELLED_ALL_ON_MARKET", "USER_CANCELLED_ALL_ON_MARKET")


def test_a_stop_order_stands_by_until_its_price_comes(ann, bob):
    ann.place("SHORT", 0, 1, type="STOP_MARKET", triggerPriceE9=str(2950 * E9))
    ann.told("STANDBY")
    assert len(ann.call("standbyOrders", "ETH-PERP")) == 1
    assert ann.call("openOrders", "ETH-PERP") == []
    bob.place("LONG", 2940, 3)
    bob.told("OPEN")
    ann.place("SHORT", 2940, 1)
    ann.told("1 at 2940", "FILLED", "1 at 2940", "FILLED")
    bob.told("1 at 2940", "1 at 2940", "PARTIALLY_FILLED_OPEN")


def test_post_only_that_would_trade(ann, bob):
    bob.place("LONG", 2900, 1)
    bob.told("OPEN")
    ann.place("SHORT", 2900, 1, postOnly=True)
    ann.told("POST_ONLY_WOULD_TRADE")


def test_changing_the_leverage_ends_the_orders_of_the_market(bob):
    bob.place("LONG", 80_000, 0.01, symbol="BTC-PERP")
    bob.told("OPEN")
    assert bob.call("updateLeverage", "BTC-PERP", str(5 * E9))["status"] == 202
    bob.told("LEVERAGE_UPDATE")


def test_trades_are_listed_and_the_token_is_refreshed(ann):
    ann.call("refreshToken")
    trades = ann.call("trades", "ETH-PERP")
    assert trades
    assert all(trade["symbol"] == "ETH-PERP" for trade in trades)


def test_a_wrong_signature_is_turned_away_at_the_door(ann):
    with pytest.raises(SdkError) as error:
        ann.place("LONG", 2900, 1, signerAddress="0x" + "11" * 32, quantityE9="01")
    assert error.value.status == 400


def test_a_wallet_without_an_account_is_told_so_by_events(tmp_path):
    """Outside a sandbox operators open accounts, so one can be logged in and have none."""
    config = tmp_path / "tallystick.toml"
    config.write_text("[bluefin]\nenabled = true\n[server]\ndrain_seconds = 1.0\n")
    with RunningServer(tmp_path / "data", "--config", str(config)) as server, Sdk(f"{server.url}/bluefin") as sdk:
        ann = Trader(sdk, ANN)
        ann.cancel("ab" * 32)
        ann.told("not cancelled: ACCOUNT_NOT_FOUND")
        order = ann.place("LONG", 2900, 1)
        assert ann.told("ACCOUNT_NOT_FOUND")[0]["orderHash"] == order
