"""The auditor's own books of an exchange, kept from its facts alone: orders, what rests, positions and collateral."""

from collections import Counter
from fractions import Fraction
from math import ceil
from typing import Any, Final

from tallystick.facts.codes import BUY, CUSTOMER, FILL_OR_KILL, REDUCE_ONLY, SELL
from tallystick.simulate.arithmetic import nearest

PARTS: Final = 10**9
ROUNDING: Final = 16

Row = dict[str, Any]


class ExchangeBooks:
    """``orders`` are all there ever were; of a market, ``rows`` are the numbers of those that rest, oldest first.

    ``marks`` are the prices that were quoted when the present entry was decided; None where nobody knows.
    """

    def __init__(self, orders_max: int) -> None:
        self.orders_max: Final = orders_max
        self.orders: Final[dict[int, Row]] = {}
        self.markets: Final[dict[int, Row]] = {}
        self.accounts: Final[dict[int, Row]] = {}
        self.assets: Final[dict[int, Row]] = {}
        self.requests: Final[dict[int, Row]] = {}
        self.hashes: Final[dict[tuple[int, str], int]] = {}
        self.settled: Final[Counter[tuple[int, int]]] = Counter()
        self.trades = 0
        self.marks: dict[int, int] | None = {}
        self.now = 0

    # --- Accounts ---

    def held(self, account: int, market: int) -> int:
        return int(self.settled[account, self.markets[market]["unit"]])

    def paid(self, account: int, market: int) -> int:
        return -self.settled[account, self.markets[market]["basis"]]

    def closable(self, account: int, market: int, side: int) -> int:
        held = self.held(account, market)
        return max(0, -held if side == BUY else held)

    def reserved(self, account: int) -> int:
        return sum(int(order["reserved"]) for order in self.orders.values() if order["account"] == account)

    def leverage(self, account: int, market: int) -> int:
        chosen: int = self.accounts[account]["leverage"].get(market, self.markets[market]["contract"].leverage)
        return chosen

    def role(self, role: int) -> int:
        return next(number for number, account in self.accounts.items() if account["role"] == role)

    def open_orders(self, account: int, market: int) -> list[Row]:
        return [
            order
            for order in self.orders.values()
            if order["status"] != "closed" and (order["account"], order["market"]) == (account, market)
        ]

    def free(self, account: int) -> int | None:
        """What is there to open with; None where nobody knows the prices."""
        left = self.settled[account, 1] - self.reserved(account)
        for market in self.markets:
            held, paid = self.held(account, market), self.paid(account, market)
            if held == 0:
                continue
            if self.marks is None:
                return None
            mark = self.marks.get(market, 0) or self.markets[market]["traded"]
            if mark:
                left += self.worth(market, held, mark) - paid
            left -= self.margin(abs(paid), self.leverage(account, market))
        return left

    # --- Money ---

    def worth(self, market: int, quantity: int, price: int) -> int:
        return nearest(Fraction(quantity * price, self.markets[market]["parity"]))

    def margin(self, notional: int, leverage: int) -> int:
        return ceil(Fraction(notional * PARTS, leverage))

    def fee(self, notional: int, rate: int) -> int:
        return ceil(Fraction(notional * rate, PARTS))

    def lacking(self, order: Row, quantity: int, price: int, rate: int) -> int:
        """What a fill needs beyond its share of the reservation; 0 for one that only closes."""
        opens = quantity - self.closable(order["account"], order["market"], order["side"])
        if opens <= 0:
            return 0
        worth = self.worth(order["market"], quantity, price)
        opened = ceil(Fraction(worth * opens, quantity))
        needed = self.margin(opened, self.leverage(order["account"], order["market"]))
        return needed + max(0, self.fee(worth, rate)) - ceil(Fraction(order["reserved"] * quantity, order["left"]))

    def needed(self, account: int, market: int, side: int, size: int, with_: Any) -> int | None:
        """What an order must bind; None where that depends on who may trade with it."""
        if with_.flags & REDUCE_ONLY:
            return 0
        resting = sum(
            self.orders[number]["left"]
            for number in self.markets[market]["rows"]
            if (self.orders[number]["account"], self.orders[number]["side"]) == (account, side)
        )
        opens = size - min(size, max(0, self.closable(account, market, side) - resting))
        if opens == 0:
            return 0
        if with_.time_in_force == FILL_OR_KILL and side == BUY and not with_.price:
            return None
        left, worst = size, with_.price * size
        for number in self.queue(market, 3 - side):
            row = self.orders[number]
            if side == SELL:
                worst = max(worst, row["price"] * size)
            elif not with_.price and row["account"] != account:
                part = min(left, row["left"])
                left, worst = left - part, worst + part * row["price"]
        notional = nearest(Fraction(worst, self.markets[market]["parity"]))
        contract = self.markets[market]["contract"]
        fee = self.fee(notional, max(0, contract.taker_fee, contract.maker_fee))
        return self.margin(ceil(Fraction(notional * opens, size)), with_.leverage) + fee

    # --- What rests ---

    def queue(self, market: int, side: int) -> list[int]:
        """Who is taken first on the side, and who next."""
        rows = [number for number in self.markets[market]["rows"] if self.orders[number]["side"] == side]
        away = -1 if side == BUY else 1
        return sorted(rows, key=lambda number: away * int(self.orders[number]["price"]))

    def best_other(self, market: int, side: int, account: int) -> int:
        """The best price on the side that is not the account's own; 0 for none."""
        others = [n for n in self.queue(market, side) if self.orders[n]["account"] != account]
        return int(self.orders[others[0]]["price"]) if others else 0

    def is_customer(self, account: int) -> bool:
        return account in self.accounts and bool(self.accounts[account]["role"] == CUSTOMER)


def crosses(side: int, limit: int, price: int) -> bool:
    """Whether an order of the side, with that limit or none (0), trades at the price."""
    return limit == 0 or (price <= limit if side == BUY else price >= limit)
