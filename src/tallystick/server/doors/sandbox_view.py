"""How a venue's sandbox is set: its time, what is held, and where its prices come from."""

import time
from typing import Any

from msgspec import Struct

from tallystick.core.amounts import render
from tallystick.core.lifecycle import TRADE_EXECUTED, is_closed
from tallystick.facts.codes import SETTLEMENT_STAGE, STAGE_NAMES
from tallystick.server.doors.desk import Desk
from tallystick.server.doors.wire import instant
from tallystick.venue.state import Market


class Price(Struct, frozen=True):
    """``mode`` is following (its source), set, frozen or silent; ``price`` is the one last quoted, None for none."""

    market: str
    mode: str
    price: str | None
    quoted_at: str | None


class Held(Struct, frozen=True):
    """What of ``market`` (None: of any) goes no further than ``stage``, and the ids of what has stopped there."""

    stage: str
    market: str | None
    stopped: list[str]


class Sandbox(Struct, frozen=True):
    """``ahead_seconds`` is how far the venue's time is ahead of the machine's."""

    name: str
    time: str
    ahead_seconds: float
    prices: list[Price]
    held: list[Held]


def sandbox_view(desk: Desk) -> Sandbox:
    now = desk.venue.now()
    held = desk.venue.sequencer.ambient.held
    return Sandbox(
        name=desk.name,
        time=instant(now),
        ahead_seconds=round((now - time.time_ns() // 1000) / 1_000_000, 3),
        prices=[price_view(desk, market) for market in desk.state.markets.values()],
        held=[_held(desk, stage, market, list(numbers)) for (stage, market), numbers in sorted(held.items())],
    )


def price_view(desk: Desk, market: Market) -> Price:
    price, quoted_at = desk.venue.sequencer.ambient.prices.get(market.number, (0, 0))
    return Price(
        market=market.name,
        mode=desk.venue.feed.mode(market.name),
        price=render(price, market.price_scale) if price else None,
        quoted_at=instant(quoted_at) if price else None,
    )


def _held(desk: Desk, stage: int, market: int, numbers: list[int]) -> Held:
    return Held(
        stage=STAGE_NAMES[stage],
        market=desk.state.markets[market].name if market else None,
        stopped=_trades(desk, numbers) if stage == SETTLEMENT_STAGE else _orders(desk, numbers),
    )


def _orders(desk: Desk, numbers: list[int]) -> list[str]:
    """Those that are durable and not over."""
    found: list[Any] = [desk.state.orders.get(number) for number in numbers]
    return [desk.order_ids.text(order.number) for order in found if order is not None and not is_closed(order.status)]


def _trades(desk: Desk, numbers: list[int]) -> list[str]:
    found: list[Any] = [desk.state.trades.get(number) for number in numbers]
    return [
        desk.trade_ids.text(trade.number) for trade in found if trade is not None and trade.status == TRADE_EXECUTED
    ]
