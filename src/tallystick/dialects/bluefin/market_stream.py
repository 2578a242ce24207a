"""``/ws/market``: trades, books and prices for anybody, over a WebSocket (specs/bluefin.md §2.1).

Trades, and the changes of a book, are facts: each client gets all of them, or is closed as too slow. The changes of a
book are gathered for the interval that the stream is named for, and their numbers chain: who applies them to a book
that was read as of a number between theirs has the book. Partial books, tickers and prices are views: they are sent at
once to a new follower and then when they have changed, at most every VIEW_SECONDS, and a slow client gets the newest.
"""

import asyncio
from typing import Final, NamedTuple

import msgspec
from starlette.routing import BaseRoute, WebSocketRoute
from starlette.types import Receive, Scope, Send

from tallystick.dialects.bluefin.errors import RequestError, invalid
from tallystick.dialects.bluefin.market_data import Changes, MarketData, Place
from tallystick.dialects.bluefin.market_wire import (
    AllTickers,
    DiffDepth,
    MarketFrame,
    MarketSubscription,
    RecentTrades,
)
from tallystick.dialects.bluefin.sockets import STOPPED, Limits, Socket, answer, read_message, text_message
from tallystick.dialects.bluefin.words import DepthLevel, MarketEvent, PriceSource
from tallystick.dialects.bluefin.words import MarketStream as Stream
from tallystick.facts.codes import BUY, SELL
from tallystick.venue.state import Market
from tallystick.web.desk import Desk

VIEW_SECONDS: Final = 0.1
TRADES: Final = "Recent_Trade"
ALL_TICKERS: Final = "Ticker_All"
INTERVALS: Final[dict[Stream, float]] = {"Diff_Depth_10_ms": 0.01, "Diff_Depth_200_ms": 0.2, "Diff_Depth_500_ms": 0.5}
LEVELS: Final[dict[Stream, DepthLevel]] = {"Partial_Depth_5": "5", "Partial_Depth_10": "10", "Partial_Depth_20": "20"}
SOURCES: Final[dict[Stream, tuple[MarketEvent, PriceSource]]] = {
    "Oracle_Price": ("OraclePriceUpdate", "Oracle"),
    "Mark_Price": ("MarkPriceUpdate", "Mark"),
    "Market_Price": ("MarketPriceUpdate", "Market"),
}

_encode: Final = msgspec.json.Encoder().encode


class Topic(NamedTuple):
    """What is followed; the symbol is empty where it is of all markets."""

    symbol: str
    stream: Stream


class _Differences:
    """A book's changes since they were sent last, gathered for an interval."""

    def __init__(self, topic: Topic, sent_id: int) -> None:
        self.topic: Final = topic
        self.sent_id = sent_id
        self.places: Final[dict[Place, None]] = {}
        self.timer: asyncio.TimerHandle | None = None


class MarketStream:
    """An ASGI application over what ``data`` has."""

    def __init__(self, desk: Desk, data: MarketData, limits: Limits | None = None) -> None:
        self._desk: Final = desk
        self._data: Final = data
        self._limits: Final = limits or Limits()
        self._sockets: Final[set[Socket]] = set()
        self._followers: Final[dict[Topic, dict[Socket, None]]] = {}
        self._differences: Final[dict[Topic, _Differences]] = {}
        self._views: Final[dict[Topic, bytes]] = {}  # as they were sent last
        self._looking: asyncio.TimerHandle | None = None
        data.listen(self._take)

    def routes(self, path: str) -> list[BaseRoute]:
        """To stand before what else is below ``path``."""
        return [WebSocketRoute(path, self)]

    def drain(self) -> None:
        """End every connection when it has been sent what waits: the server is asked to stop."""
        for socket in self._sockets:
            socket.end(STOPPED)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send, self._limits)
        self._sockets.add(socket)
        try:
            await receive()
            await send({"type": "websocket.accept"})
            await socket.serve(lambda raw: self._hear(socket, raw))
        finally:
            self._sockets.discard(socket)
            for topic in [topic for topic, followers in self._followers.items() if socket in followers]:
                self._unfollow(socket, topic)

    # --- Who follows ---

    def _hear(self, socket: Socket, raw: bytes | str) -> None:
        """Carry out a message and answer it: before anything that follows from it."""
        try:
            asked = read_message(MarketSubscription, raw)
            topics = [self._topic(each.symbol, stream) for each in asked.data_streams for stream in each.streams]
        except RequestError as error:
            socket.tell(answer(success=False, message=error.body.message))
            return
        is_wanted = asked.method == "Subscribe"
        socket.tell(answer(success=True, message="Subscribed." if is_wanted else "Unsubscribed."))
        for topic in topics:
            (self._follow if is_wanted else self._unfollow)(socket, topic)

    def _topic(self, symbol: str, stream: Stream) -> Topic:
        if stream == ALL_TICKERS:
            return Topic("", stream)
        if symbol not in self._desk.readers.state.market_named:
            raise invalid(f"There is no market for {stream}: give its symbol.")
        return Topic(symbol, stream)

    def _follow(self, socket: Socket, topic: Topic) -> None:
        followers = self._followers.setdefault(topic, {})
        if socket in followers:
            return
        followers[socket] = None
        if topic.stream in INTERVALS:
            if topic not in self._differences:
                self._differences[topic] = _Differences(topic, self._data.update_id(topic.symbol))
        elif topic.stream != TRADES:
            body = self._views.get(topic) or self._view(topic)
            self._views[topic] = body
            socket.show(topic, text_message(body))
            self._look_later()

    def _unfollow(self, socket: Socket, topic: Topic) -> None:
        followers = self._followers.get(topic)
        if followers is None:
            return
        followers.pop(socket, None)
        if followers:
            return
        del self._followers[topic]
        self._views.pop(topic, None)
        differences = self._differences.pop(topic, None)
        if differences is not None and differences.timer is not None:
            differences.timer.cancel()

    # --- Facts ---

    def _take(self, market: Market, changes: Changes) -> None:
        if not self._followers:
            return
        if changes.trades and (followers := self._followers.get(Topic(market.name, TRADES))):
            _tell(followers, _frame("RecentTradesUpdates", RecentTrades(trades=changes.trades)))
        if changes.places and self._differences:
            for stream, seconds in INTERVALS.items():
                differences = self._differences.get(Topic(market.name, stream))
                if differences is not None:
                    differences.places.update(dict.fromkeys(changes.places))
                    if differences.timer is None:
                        loop = asyncio.get_running_loop()
                        differences.timer = loop.call_later(seconds, self._send_differences, differences)

    def _send_differences(self, differences: _Differences) -> None:
        """The book as it is now, where it has changed; it is as of its newest change."""
        data, symbol = self._data, differences.topic.symbol
        differences.timer = None
        found = {place: data.quantity_at(symbol, place) for place in differences.places}
        first, last = differences.sent_id + 1, data.update_id(symbol)
        differences.places.clear()
        differences.sent_id = last
        body = DiffDepth(
            symbol=symbol,
            updated_at_millis=data.book_time(symbol),
            bids_e9=[(str(price), str(total)) for (side, price), total in found.items() if side == BUY],
            asks_e9=[(str(price), str(total)) for (side, price), total in found.items() if side == SELL],
            first_update_id=first,
            last_update_id=last,
        )
        _tell(self._followers[differences.topic], _frame("OrderbookDiffDepthUpdate", body))

    # --- Views ---

    def _look_later(self) -> None:
        if self._looking is None:
            self._looking = asyncio.get_running_loop().call_later(VIEW_SECONDS, self._look)

    def _look(self) -> None:
        """Send what has changed; prices are no facts, so nobody tells when they do."""
        self._looking = None
        for topic, before in list(self._views.items()):
            body = self._view(topic)
            if body != before:
                self._views[topic] = body
                message = text_message(body)
                for socket in self._followers[topic]:
                    socket.show(topic, message)
        if self._views:
            self._look_later()

    def _view(self, topic: Topic) -> bytes:
        symbol, stream = topic
        data = self._data
        if stream == ALL_TICKERS:
            tickers = [data.ticker_update(each) for each in data.symbols()]
            return _frame("TickerAllUpdate", AllTickers(ticker_all=tickers))
        if stream == "Ticker":
            return _frame("TickerUpdate", data.ticker_update(symbol))
        if stream in LEVELS:
            return _frame("OrderbookPartialDepthUpdate", data.partial_depth(symbol, LEVELS[stream]))
        event, source = SOURCES[stream]
        return _frame(event, data.price(symbol, source))


def _frame(event: MarketEvent, payload: msgspec.Struct) -> bytes:
    return _encode(MarketFrame(event=event, payload=payload))


def _tell(followers: dict[Socket, None], body: bytes) -> None:
    message = text_message(body)
    for socket in followers:
        socket.tell(message)
