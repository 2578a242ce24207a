"""Price sources: given a time they say the price, an integer at the market's scale; 0 means that there is none yet.

The same source gives the same price for the same time, in whatever order it is asked.
"""

import csv
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

from tallystick.core.amounts import AmountError, parse

LAP_INTERVALS: Final = 1024

_MASK_64: Final = 2**64 - 1
_EPOCH: Final[datetime] = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final[timedelta] = timedelta(microseconds=1)
_TIME_DIGITS_MAX: Final = 18


class PriceSource(Protocol):
    """The face of every source."""

    def price(self, time_us: int) -> int:
        """The price at a time, microseconds since the epoch, UTC; 0 where there is none."""


class PriceCsvError(Exception):
    """A price file that cannot be used: the ``line`` (from 1), a ``code`` and a ``detail`` its author can act on."""

    def __init__(self, line: int, code: str, detail: str) -> None:
        super().__init__(line, code, detail)
        self.line = line
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return f"line {self.line}: {self.detail}"


class FixedPrice:
    """One price for ever."""

    def __init__(self, price: int) -> None:
        if price < 0:
            raise ValueError(f"a price is 0 (none) or more, not {price}")
        self._price = price

    def price(self, time_us: int) -> int:
        """The price, at any time."""
        return self._price


class RandomWalk:
    """A walk from ``start``: each ``interval_us`` moves the price by ``-step … +step``, reflected at ``floor``.

    It begins at ``start_time_us``; before that there is no price. The move of an interval depends on the seed and its
    index alone. The walk is a row of laps of ``LAP_INTERVALS``: in the second half of a lap the moves of the first half
    come again with the opposite sign, so every lap begins at ``start``. Hence the walk does not drift away, and any
    time, however far off, is less than a lap's moves away. Asked in the order of time, a call takes as many moves as
    intervals have passed, and always fewer than a lap.
    """

    def __init__(
        self, seed: int, start: int, step: int, interval_us: int, floor: int = 1, start_time_us: int = 0
    ) -> None:
        if floor < 1 or start < floor:
            raise ValueError(f"a walk needs 1 <= floor <= start, not floor {floor} and start {start}")
        if step < 0 or interval_us < 1:
            raise ValueError(f"a walk needs step >= 0 and interval >= 1, not step {step} and interval {interval_us}")
        self._seed = seed
        self._start = start
        self._step = step
        self._interval_us = interval_us
        self._floor = floor
        self._start_time_us = start_time_us
        self._index = 0
        self._unreflected = start

    def price(self, time_us: int) -> int:
        """The price of the interval that holds this time; 0 before the walk begins."""
        if time_us < self._start_time_us:
            return 0
        index = (time_us - self._start_time_us) // self._interval_us
        lap_index = index - index % LAP_INTERVALS
        if index < self._index or lap_index > self._index:
            self._index = lap_index
            self._unreflected = self._start
        while self._index < index:
            self._unreflected += self._move(self._index)
            self._index += 1
        return self._floor + abs(self._unreflected - self._floor)

    def _move(self, index: int) -> int:
        if index % LAP_INTERVALS < LAP_INTERVALS // 2:
            return splitmix64(self._seed, index) % (2 * self._step + 1) - self._step
        return -self._move(index - LAP_INTERVALS // 2)


class ReplayedPrices:
    """Recorded prices: each holds from its time until the next.

    ``times`` are strictly increasing microseconds, ``prices`` as many, 0 where the feed was silent. Before the first
    time there is no price. After the last the last one stays; or, with ``loop``, the recording starts again
    once the last price has held for as long as the one before it. Raises ValueError for recordings that are not so.
    """

    def __init__(self, times: Sequence[int], prices: Sequence[int], loop: bool = False) -> None:
        if not times or len(times) != len(prices):
            raise ValueError(f"a recording needs a price for each time, not {len(prices)} for {len(times)}")
        for at in range(1, len(times)):
            if times[at] <= times[at - 1]:
                raise ValueError(f"the times of a recording increase, but {times[at]} follows {times[at - 1]}")
        if min(prices) < 0:
            raise ValueError(f"a price is 0 (none) or more, not {min(prices)}")
        self._times: tuple[int, ...] = tuple(times)
        self._prices: tuple[int, ...] = tuple(prices)
        self._period_us = 0
        if loop and len(times) > 1:
            self._period_us = 2 * times[-1] - times[-2] - times[0]

    def price(self, time_us: int) -> int:
        """The newest recorded price that is not after this time; 0 before the first."""
        first_us = self._times[0]
        if time_us < first_us:
            return 0
        if self._period_us:
            time_us = first_us + (time_us - first_us) % self._period_us
        return self._prices[bisect_right(self._times, time_us) - 1]


def splitmix64(seed: int, index: int) -> int:
    """The ``index``-th number, 0 … 2**64-1, of the SplitMix64 sequence of ``seed`` (Steele, Lea and Flood 2014)."""
    mixed = (seed + (index + 1) * 0x9E3779B97F4A7C15) & _MASK_64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return mixed ^ (mixed >> 31)


def parse_price_csv(text: str, scale: int, loop: bool = False) -> ReplayedPrices:
    """The recording in a CSV text with rows ``time,price``; raises PriceCsvError.

    A time is ISO-8601 with ``Z`` (or ``+00:00``) or integer microseconds since the epoch; a price is a decimal of at
    most ``scale`` decimals, 0 where the feed was silent. A first row ``time,price`` is a heading; empty lines do not
    count.
    """
    times: list[int] = []
    prices: list[int] = []
    reader = csv.reader(text.removeprefix("\ufeff").splitlines(), strict=True)
    heading_allowed = True
    try:
        for cells in reader:
            row = [cell.strip() for cell in cells]
            if row in ([], [""]):
                continue
            if not (heading_allowed and [cell.lower() for cell in row] == ["time", "price"]):
                time_us, price = _parse_row(row, scale, reader.line_num)
                if times and time_us <= times[-1]:
                    raise PriceCsvError(reader.line_num, "not_in_order", "its time is not after that of the row before")
                times.append(time_us)
                prices.append(price)
            heading_allowed = False
    except csv.Error as error:
        raise PriceCsvError(reader.line_num, "not_csv", f"it cannot be read as CSV: {error}") from error
    if not times:
        raise PriceCsvError(max(reader.line_num, 1), "no_rows", "there is no row `time,price` up to here")
    return ReplayedPrices(times, prices, loop)


def _parse_row(row: list[str], scale: int, line: int) -> tuple[int, int]:
    if len(row) != 2:
        raise PriceCsvError(line, "not_two_columns", f"a row is `time,price`, but this one has {len(row)} columns")
    time_us = _parse_time(row[0], line)
    try:
        price = parse(row[1], scale)
    except AmountError as error:
        raise PriceCsvError(line, error.code, error.detail) from error
    if price < 0:
        raise PriceCsvError(line, "negative", f"a price is 0 (none) or more, not {row[1]}")
    return time_us, price


def _parse_time(text: str, line: int) -> int:
    if text.isascii() and text.isdigit() and len(text) <= _TIME_DIGITS_MAX:
        return int(text)
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = datetime.min
    if time.utcoffset() != timedelta(0):
        detail = f"{text[:40]!r} is not a time; write UTC like 2024-03-01T09:30:00Z, or microseconds since 1970"
        raise PriceCsvError(line, "not_a_time", detail)
    return (time - _EPOCH) // _MICROSECOND
