"""What operators do with assets and markets: define them, quote prices, halt a market and let it trade again."""

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from msgspec import Meta, field
from starlette.responses import Response

from tallystick.facts.codes import ASSET_KIND_NAMES, NOT_TRADING, TRADING_STATUS_NAMES, UNKNOWN_MARKET
from tallystick.facts.commands import ChangeMarket, DefineAsset, DefineMarket, Quote
from tallystick.server.doors.answers import DoorError, Fault, answer, invalid
from tallystick.server.doors.contracts import ContractBody, read_contract
from tallystick.server.doors.door import Call
from tallystick.server.doors.pages import page, read_limit
from tallystick.server.doors.requests import (
    ECHO_MAX,
    Amount,
    AssetName,
    Body,
    Name,
    Reason,
    Scale,
    Title,
    bad_parameter,
    read_amount,
    read_amounts,
    read_body,
    read_query,
)
from tallystick.server.doors.view import View, asset_view
from tallystick.venue.state import Market

Status = Annotated[
    Literal["buy_sell", "buy_only", "sell_only", "not_trading"],
    Meta(description='"buy_sell", "buy_only", "sell_only" or "not_trading"'),
]
TradingStatus = Annotated[
    Literal["buy_sell", "buy_only", "sell_only"], Meta(description='"buy_sell", "buy_only" or "sell_only"')
]
AssetKind = Annotated[Literal["owned", "position"], Meta(description='"owned" or "position"')]
Traits = Annotated[dict[str, str], Meta(max_length=50, description="an object of texts")]

_FIELDS: Final = ("name", "unit", "currency", "increment", "price_scale", "status", "kind", "contract")
_PATHS: Final = {name: f"body.{name}" for name in _FIELDS}


class AssetBody(Body, frozen=True):
    """A ``position`` is held rather than owned: one may have less than nothing of it."""

    name: Name
    scale: Scale
    reason: Reason
    kind: AssetKind = "owned"


class MarketBody(Body, frozen=True):
    """``unit`` is traded for ``currency``, in multiples of ``increment``; amounts of 0 are no limit.

    A market of an exchange has a ``contract``, of which its unit and its basis are positions.
    """

    name: Name
    symbol: Title
    title: Title
    unit: AssetName
    currency: AssetName
    price_scale: Scale
    increment: Amount
    reason: Reason
    status: Status = "buy_sell"
    professionals_only: bool = False
    quantity_min: Amount = "0"
    cash_min: Amount = "0"
    cash_increment: Amount = "0"
    traits: Traits = field(default_factory=dict)
    contract: ContractBody | None = None


class HaltBody(Body, frozen=True):
    reason: Reason


class ResumeBody(Body, frozen=True):
    reason: Reason
    status: TradingStatus = "buy_sell"


class QuotesBody(Body, frozen=True):
    """A price for each market by its name; "0" says that it has none."""

    prices: Annotated[dict[str, str], Meta(min_length=1, max_length=1000, description="an object of prices")]


async def list_assets(call: Call) -> Response:
    read_query(call.request)
    return answer({"assets": [asset_view(each) for each in call.desk.state.assets.values()]})


async def define_asset(call: Call) -> Response:
    body = await read_body(call.request, AssetBody)
    given = await call.desk.ask(
        DefineAsset(body.name, body.scale, call.by, body.reason, ASSET_KIND_NAMES.index(body.kind)), _PATHS
    )
    return answer(asset_view(call.desk.state.assets[given.number]), 201)


async def list_markets(call: Call) -> Response:
    """In the order in which they were defined."""
    query = read_query(call.request, "limit", "after")
    view, markets = View(call.desk), call.desk.state.markets
    begin = 0
    if "after" in query:
        after = call.desk.state.market_named.get(query["after"])
        if after is None:
            raise bad_parameter("after", "There is no such market.")
        begin = after.number

    def candidates() -> Iterator[Market]:
        number = begin
        while (number := number + 1) in markets:
            yield markets[number]

    return await page("markets", candidates(), read_limit(query), view.market, lambda each: each.name)


async def define_market(call: Call) -> Response:
    body = await read_body(call.request, MarketBody)
    unit, currency = call.desk.asset(body.unit, "body.unit"), call.desk.asset(body.currency, "body.currency")
    increment = read_amounts(body, {"increment": unit.scale})["increment"]
    cash = currency.scale
    least = read_amounts(body, {"quantity_min": unit.scale, "cash_min": cash, "cash_increment": cash}, zero=True)
    command = DefineMarket(
        body.name,
        body.symbol,
        body.title,
        unit.name,
        currency.name,
        body.price_scale,
        increment,
        call.by,
        body.reason,
        TRADING_STATUS_NAMES.index(body.status),
        body.professionals_only,
        least["quantity_min"],
        least["cash_min"],
        least["cash_increment"],
        tuple(body.traits.items()),
        None if body.contract is None else read_contract(body.contract, call.desk, unit, body.price_scale),
    )
    given = await call.desk.ask(command, _PATHS)
    return answer(View(call.desk).market(call.desk.state.markets[given.number]), 201)


async def show_market(call: Call) -> Response:
    return _market(call, call.desk.market(call.path("market")))


async def quote(call: Call) -> Response:
    """The prices of a feed, which are no facts: they are not journaled, and grow old unless they are quoted again."""
    body = await read_body(call.request, QuotesBody)
    faults: list[Fault] = []
    quotes: list[Quote] = []
    for name, text in body.prices.items():
        path = f"body.prices.{name[:ECHO_MAX]}"
        market = call.desk.state.market_named.get(name)
        if market is None:
            faults.append(Fault(path, UNKNOWN_MARKET, "There is no such market."))
        elif call.desk.venue.feed.has_source(name):
            raise DoorError(409, "has_source", f"{name} is quoted by a source of the server's own.")
        else:
            quotes.append(Quote(market.number, read_amount(text, market.price_scale, path, zero=True), call.by))
    if faults:
        raise invalid(faults)
    for each in quotes:
        await call.desk.ask(each)
    return answer({"quoted": list(body.prices)})


async def halt(call: Call) -> Response:
    """It takes no orders, and those that it has end from now on, a slice at a time."""
    market = call.desk.market(call.path("market"))
    body = await read_body(call.request, HaltBody)
    await call.desk.ask(ChangeMarket(market.number, NOT_TRADING, call.by, body.reason))
    return _market(call, market)


async def resume(call: Call) -> Response:
    market = call.desk.market(call.path("market"))
    body = await read_body(call.request, ResumeBody)
    await call.desk.ask(ChangeMarket(market.number, TRADING_STATUS_NAMES.index(body.status), call.by, body.reason))
    return _market(call, market)


def _market(call: Call, market: Market) -> Response:
    return answer(View(call.desk).market(market))
