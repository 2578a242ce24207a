"""A request that arrived, and its answer did not: its first answer is given again, and what came of it since counts."""

import asyncio
from collections.abc import Mapping

import msgspec

from tallystick.connect.http import NO_HEADERS, Answer
from tallystick.connect.port import Order
from tallystick.core.lifecycle import FILLED, TRADE_SETTLED
from tallystick.dialects.sophic.connector import NOWHERE, SophicConnector
from tallystick.facts.client_terms import MarketListed, OrderIntended
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER
from tallystick.tracker.observations import FillReport, OrderReport

ACME = MarketListed(1, 0, 1, "ACME-USD", "ACME", "USD", 8, 6, 2)
INTENDED = Order(OrderIntended(1, 1, "ts1", 1, BUY, MARKET_ORDER, CASH, 10_000), ACME, "", 0)
INSTRUMENT = {
    "id": "ins_acme",
    "symbol": "ACME",
    "trading_currency": "USD",
    "decimal_precision": 6,
    "trading_increment": "0.000001",
}
TRADE = {
    "id": "trd_1",
    "order": "ord_1",
    "price": "125",
    "quantity": "0.8",
    "notional": "100",
    "notional_currency": "USD",
}


def order(status: str, trade: str) -> dict[str, object]:
    return {
        "id": "ord_1",
        "instrument": "ins_acme",
        "status": status,
        "side": "buy",
        "traded_quantity": "0.8",
        "trades": [TRADE | {"status": trade}],
        "created_at": "2026-03-12T14:30:05Z",
        "cash_amount": "100.00",
    }


class Scripted:
    """See Http: a venue that has the order, and at which it has settled since its first answer."""

    def __init__(self, _url: str) -> None:
        pass

    async def request(
        self, method: str, path: str, *, headers: Mapping[str, str] = NO_HEADERS, body: bytes | None = None
    ) -> Answer:
        if path == "/auth/token":
            return answer(200, {"access_token": "t", "expires_in": 3600})
        if path.startswith("/instruments"):
            return answer(200, [INSTRUMENT])
        if method == "GET":
            return answer(200, order("settled", "settled"))
        if NOWHERE.encode() in (body or b""):
            return answer(409, {"code": "idempotency_key_reused", "detail": ""})
        return answer(201, order("filled", "executed"), {"idempotent-replayed": "true"})

    async def close(self) -> None:
        pass


def answer(status: int, content: object, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    return Answer(status, headers, msgspec.json.encode(content), 0.0)


class Here:
    """See Context."""

    venue = 1

    def now(self) -> int:
        return 1_000_000

    def market(self, name: str) -> MarketListed | None:
        return ACME if name == ACME.name else None

    def is_ours(self, venue_id: str) -> bool:
        return False

    def oldest_open(self) -> int:
        return 0

    async def turn(self) -> None:
        pass


def test_what_has_become_of_the_order_since_its_first_answer_is_asked_for():
    async def scenario():
        connector = SophicConnector(url="", client_id="c", client_secret="s", account="a", open_http=Scripted)
        await connector.start()
        await connector.markets()
        connector.enter(Here())
        found = await connector.fetch_order(INTENDED)
        accepted = found[0]
        assert isinstance(accepted, OrderReport)
        assert (accepted.client_id, accepted.venue_id) == ("ts1", "ord_1")
        fills = [each for each in found if isinstance(each, FillReport)]
        assert [fill.state for fill in fills] == [TRADE_SETTLED]
        assert found[-1].status == FILLED

    asyncio.run(scenario())
