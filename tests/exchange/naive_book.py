"""The same book without any cleverness: a list that is sorted whenever somebody looks."""

from tallystick.facts.codes import BUY
from tallystick.venue.book import BookError


class NaiveResting:
    def __init__(self, number, leaves, level):
        self.number, self.leaves, self.level = number, leaves, level


class NaiveLevel:
    def __init__(self, side, price, rows):
        self.side, self.price = side, price
        self._rows = rows

    @property
    def total(self):
        return sum(row["leaves"] for row in self._rows)

    @property
    def count(self):
        return len(self._rows)

    def first(self):
        return self.resting()[0]

    def resting(self):
        return [NaiveResting(row["number"], row["leaves"], self) for row in self._rows]


class NaiveSide:
    def __init__(self, book, side):
        self._book, self._side = book, side

    def __len__(self):
        return len(list(self.levels()))

    def best(self):
        return next(iter(self.levels()), None)

    def level(self, price):
        return next(level for level in self.levels() if level.price == price)

    def total(self, price):
        return sum(level.total for level in self.levels() if level.price == price)

    def levels(self):
        rows = sorted(
            (row for row in self._book.rows if row["side"] == self._side),
            key=lambda row: (-row["price"] if self._side == BUY else row["price"], row["turn"]),
        )
        for price in dict.fromkeys(row["price"] for row in rows):
            yield NaiveLevel(self._side, price, [row for row in rows if row["price"] == price])


class NaiveBook:
    def __init__(self):
        self.rows = []
        self._turns = 0

    def __len__(self):
        return len(self.rows)

    def __contains__(self, number):
        return any(row["number"] == number for row in self.rows)

    def side(self, side):
        return NaiveSide(self, side)

    def add(self, number, side, price, leaves):
        if leaves <= 0 or number in self:
            raise BookError
        self._turns += 1
        self.rows.append({"number": number, "side": side, "price": price, "leaves": leaves, "turn": self._turns})

    def take(self, number, quantity):
        row = next(row for row in self.rows if row["number"] == number)
        if not 0 < quantity <= row["leaves"]:
            raise BookError
        row["leaves"] -= quantity
        if row["leaves"] == 0:
            self.rows.remove(row)
        return row["leaves"]

    def remove(self, number):
        for row in self.rows:
            if row["number"] == number:
                self.rows.remove(row)
                return row["leaves"]
        return 0

    def best(self, side):
        level = self.side(side).best()
        return 0 if level is None else level.price

    def first(self, side):
        level = self.side(side).best()
        return 0 if level is None else level.first().number

    def depth(self, side, limit):
        return [(level.price, level.total) for level in self.side(side).levels()][:limit]

    def orders(self):
        return [each.number for side in (1, 2) for level in self.side(side).levels() for each in level.resting()]
