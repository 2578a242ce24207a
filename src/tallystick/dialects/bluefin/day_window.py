"""What was traded in the last 24 hours, by minutes: a trade costs the same however many came before it.

Times are microseconds, amounts the market's. A minute leaves as a whole, so the window is up to a minute longer.
"""

from collections import deque
from typing import Final

MINUTE_US: Final = 60_000_000
MINUTES: Final = 24 * 60


class Minute:
    """One in which something was traded; trades are known by their numbers."""

    __slots__ = ("close", "count", "first_trade", "high", "last_trade", "low", "number", "open", "quantity", "quote")

    def __init__(self, number: int, trade: int, price: int) -> None:
        self.number: Final = number
        self.open: Final = price
        self.high = price
        self.low = price
        self.close = price
        self.first_trade: Final = trade
        self.last_trade = trade
        self.count = 0
        self.quantity = 0
        self.quote = 0

    def add(self, trade: int, price: int, quantity: int, quote: int) -> None:
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.close = price
        self.last_trade = trade
        self.count += 1
        self.quantity += quantity
        self.quote += quote


class DayWindow:
    """``quantity``, ``quote`` and ``count`` are sums over the window; ``before`` is the last price before it, 0 if that
    is not known."""

    __slots__ = ("_highs", "_lows", "_minutes", "before", "count", "quantity", "quote")

    def __init__(self) -> None:
        self._minutes: Final[deque[Minute]] = deque()
        # Minutes that may still come to be the highest, or the lowest: each beats all that came after it.
        self._highs: Final[deque[Minute]] = deque()
        self._lows: Final[deque[Minute]] = deque()
        self.before = 0
        self.count = 0
        self.quantity = 0
        self.quote = 0

    def add(self, time: int, trade: int, price: int, quantity: int, quote: int) -> None:
        """A trade at ``time``, which is not before that of the last one."""
        self.pass_time(time)
        minutes, number = self._minutes, time // MINUTE_US
        if not minutes or minutes[-1].number != number:
            minutes.append(Minute(number, trade, price))
        minute = minutes[-1]
        minute.add(trade, price, quantity, quote)
        self.count += 1
        self.quantity += quantity
        self.quote += quote
        while self._highs and self._highs[-1].high <= minute.high:
            self._highs.pop()
        self._highs.append(minute)
        while self._lows and self._lows[-1].low >= minute.low:
            self._lows.pop()
        self._lows.append(minute)

    def pass_time(self, time: int) -> None:
        """It is ``time``: minutes that are over 24 hours old leave."""
        oldest = time // MINUTE_US - MINUTES
        minutes = self._minutes
        while minutes and minutes[0].number < oldest:
            gone = minutes.popleft()
            self.before = gone.close
            self.count -= gone.count
            self.quantity -= gone.quantity
            self.quote -= gone.quote
            for extremes in (self._highs, self._lows):
                if extremes and extremes[0] is gone:
                    extremes.popleft()

    @property
    def first(self) -> Minute | None:
        """The oldest minute; None if nothing was traded."""
        return self._minutes[0] if self._minutes else None

    @property
    def last(self) -> Minute | None:
        """The newest minute."""
        return self._minutes[-1] if self._minutes else None

    @property
    def high(self) -> int:
        return self._highs[0].high if self._highs else 0

    @property
    def low(self) -> int:
        return self._lows[0].low if self._lows else 0
