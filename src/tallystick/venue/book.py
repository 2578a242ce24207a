"""An order book: what rests, by price and then by when it came to rest there (price-time priority).

It holds numbers and amounts, and knows nothing of orders, accounts or rules. Prices are integers, of which a buyer's
best is the highest and a seller's the lowest. Everything is as quick with many orders as with few, but for a price at
which nothing rests yet, which is put into its place among the prices.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator
from typing import Final

from mypy_extensions import mypyc_attr

from tallystick.core.keys import Number
from tallystick.facts.codes import BUY, SELL

COMPACT_MIN: Final = 32


class BookError(Exception):
    """The book was told something that cannot be: a fault of the program or of a journal, never of a user."""


@mypyc_attr(acyclic=True)
class Resting:
    """An order's place in the book. ``leaves`` is what may still be taken of it; of one that has gone, 0."""

    __slots__ = ("leaves", "level", "number")

    def __init__(self, number: Number, leaves: int, level: "Level") -> None:
        self.number: Final = number
        self.leaves = leaves
        self.level: Final = level


class Level:
    """All that rests at one price, oldest first. Who has gone stays in the queue until it is dropped."""

    __slots__ = ("_gone", "_head", "_queue", "count", "price", "side", "total")

    def __init__(self, side: int, price: int) -> None:
        self.side: Final = side
        self.price: Final = price
        self.total = 0
        self.count = 0
        self._queue: list[Resting] = []
        self._head = 0
        self._gone = 0

    def add(self, resting: Resting) -> None:
        self._queue.append(resting)
        self.count += 1
        self.total += resting.leaves

    def leave(self, resting: Resting) -> None:
        """It has gone, with what was left of it."""
        self.total -= resting.leaves
        self.count -= 1
        resting.leaves = 0
        self._gone += 1
        if self._gone > COMPACT_MIN and self._gone > self.count:
            self._queue = [each for each in self._queue if each.leaves]
            self._head = 0
            self._gone = 0

    def first(self) -> Resting:
        """Whose turn it is; the level is not empty."""
        queue = self._queue
        at = self._head
        while queue[at].leaves == 0:
            at += 1
        self._head = at
        return queue[at]

    def resting(self) -> list[Resting]:
        """All, oldest first."""
        return [each for each in self._queue if each.leaves]


class Side:
    """One side of a book. ``_ranks`` are its prices, the best last: a seller's are negative, so that they rise too."""

    __slots__ = ("_levels", "_ranks", "_sign", "number")

    def __init__(self, number: int) -> None:
        self.number: Final = number
        self._sign: Final = 1 if number == BUY else -1
        self._ranks: Final[list[int]] = []
        self._levels: Final[dict[int, Level]] = {}

    def __len__(self) -> int:
        return len(self._ranks)

    def best(self) -> Level | None:
        """The level whose turn it is."""
        return self._levels[self._ranks[-1]] if self._ranks else None

    def level(self, price: int) -> Level:
        """The level at ``price``, made if there is none."""
        rank = price * self._sign
        level = self._levels.get(rank)
        if level is None:
            level = Level(self.number, price)
            self._levels[rank] = level
            ranks = self._ranks
            if ranks and rank < ranks[-1]:
                insort(ranks, rank)
            else:
                ranks.append(rank)
        return level

    def total(self, price: int) -> int:
        """How much rests at ``price``."""
        level = self._levels.get(price * self._sign)
        return 0 if level is None else level.total

    def drop(self, level: Level) -> None:
        """Nothing rests there any more."""
        rank = level.price * self._sign
        del self._levels[rank]
        if self._ranks[-1] == rank:
            self._ranks.pop()
        else:
            del self._ranks[bisect_left(self._ranks, rank)]

    def levels(self) -> Iterator[Level]:
        """Best first. The book must not change meanwhile."""
        for rank in reversed(self._ranks):
            yield self._levels[rank]


class Book:
    """Both sides of a market; ``side`` gives what rests there, best first."""

    __slots__ = ("_buys", "_places", "_sells")

    def __init__(self) -> None:
        self._buys: Final = Side(BUY)
        self._sells: Final = Side(SELL)
        self._places: Final[dict[int, Resting]] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, number: int) -> bool:
        return number in self._places

    def side(self, side: int) -> Side:
        return self._buys if side == BUY else self._sells

    def add(self, number: Number, side: int, price: int, leaves: int) -> None:
        """The order rests now, behind all others at its price."""
        if leaves <= 0 or number in self._places:
            raise BookError(f"order {number} cannot rest with {leaves}")
        level = self.side(side).level(price)
        resting = Resting(number, leaves, level)
        self._places[number] = resting
        level.add(resting)

    def take(self, number: Number, quantity: int) -> int:
        """So much of the order is taken; returns what still rests of it. With nothing left it has gone."""
        resting = self._places[number]
        leaves: int = resting.leaves - quantity
        if quantity <= 0 or leaves < 0:
            raise BookError(f"takes {quantity} of order {number}, of which {resting.leaves} rests")
        if leaves == 0:
            self.remove(number)
        else:
            resting.leaves = leaves
            resting.level.total -= quantity
        return leaves

    def remove(self, number: Number) -> int:
        """The order rests no longer; returns what rested of it, 0 where nothing did."""
        resting = self._places.pop(number, None)
        if resting is None:
            return 0
        level = resting.level
        rested: int = resting.leaves
        level.leave(resting)
        if level.count == 0:
            self.side(level.side).drop(level)
        return rested

    def best(self, side: int) -> int:
        """The best price of the side, 0 if nothing rests there."""
        level = self.side(side).best()
        return 0 if level is None else level.price

    def first(self, side: int) -> int:
        """The number of the order that is taken next on the side, 0 if nothing rests there."""
        level = self.side(side).best()
        return 0 if level is None else level.first().number

    def depth(self, side: int, limit: int) -> list[tuple[int, int]]:
        """The best ``limit`` levels as (price, total), best first."""
        found: list[tuple[int, int]] = []
        for level in self.side(side).levels():
            if len(found) == limit:
                break
            found.append((level.price, level.total))
        return found

    def orders(self) -> list[int]:
        """The numbers of all that rest, in the order of their turns, buyers first: what a snapshot keeps of a book."""
        return [
            resting.number
            for side in (self._buys, self._sells)
            for level in side.levels()
            for resting in level.resting()
        ]
