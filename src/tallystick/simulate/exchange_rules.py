"""What the auditor demands of each fact of an exchange (seeds/002, specs/bluefin.md §3, §9), by its own books."""

from collections import Counter
from typing import Any, Final

from tallystick.facts.codes import AT_OR_ABOVE, BUY, FILL_OR_KILL, NOT_TRADING, REDUCE_ONLY, SUSPENDED
from tallystick.facts.commands import CancelOrders, ChangeLeverage, PlaceOrder
from tallystick.facts.venue import (
    AccountChanged,
    AccountOpened,
    AssetDefined,
    CancelFinished,
    CancelRefused,
    CancelRequested,
    Entry,
    LeverageChanged,
    MarketChanged,
    MarketDefined,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderRefused,
    OrderRested,
    OrdersReached,
    OrderTriggered,
    OrderWaiting,
    TradeMade,
    Transferred,
    VenueOpened,
)
from tallystick.simulate.exchange_books import ROUNDING, ExchangeBooks, Row, crosses
from tallystick.simulate.exchange_refusals import may_refuse
from tallystick.simulate.exchange_trades import match
from tallystick.simulate.violation import Violation, require

COUNTERPARTY = 3


class ExchangeRules:
    """Judges one entry after the other. ``span`` are the lowest and highest price that each market traded at in it."""

    def __init__(self, books: ExchangeBooks) -> None:
        self.books: Final = books
        self.command: Any = None
        self.entry: Entry | None = None
        self.span: dict[int, tuple[int, int]] = {}
        self._took: Counter[int] = Counter()
        self._ended: dict[int, str] = {}

    def take(self, entry: Entry, command: Any) -> None:
        """The entry, which carries out ``command`` (None: it happened by itself)."""
        self.entry, self.command, self.books.now = entry, command, entry.time
        self.span.clear()
        self._took.clear()
        self._ended.clear()
        for event in entry.events:
            rule = _RULES.get(type(event))
            if rule is None:
                raise Violation("arrows", f"{event} cannot happen at an exchange")
            rule(self, event)
        self._after(entry)

    # --- Reference data and accounts ---

    def _nothing(self, event: Any) -> None:
        """Nothing follows from it."""

    def _asset(self, event: AssetDefined) -> None:
        self.books.assets[event.asset] = {"scale": event.scale, "kind": event.kind}

    def _market(self, event: MarketDefined) -> None:
        books, contract = self.books, event.contract
        assert contract is not None
        unit, currency = books.assets[event.unit]["scale"], books.assets[event.currency]["scale"]
        books.markets[event.market] = {
            "unit": event.unit,
            "basis": contract.basis,
            "contract": contract,
            "increment": event.increment,
            "quantity_min": event.quantity_min,
            "parity": 10 ** (unit + event.price_scale - currency),
            "status": event.status,
            "traded": 0,
            "rows": [],
        }

    def _market_changed(self, event: MarketChanged) -> None:
        self.books.markets[event.market]["status"] = event.status

    def _account(self, event: AccountOpened) -> None:
        self.books.accounts[event.account] = {"role": event.role, "status": 1, "leverage": {}}

    def _account_changed(self, event: AccountChanged) -> None:
        self.books.accounts[event.account]["status"] = event.status

    def _transferred(self, event: Transferred) -> None:
        books = self.books
        require(books.assets[event.asset]["kind"] == 1, "allowed", f"{event} moves a position without a trade")
        if books.is_customer(event.payer):
            free = books.free(event.payer)
            detail = f"{event} is paid out, and {free} is free"
            require(
                free is None or event.amount <= min(free, books.settled[event.payer, event.asset]), "margin", detail
            )
        books.settled[event.payer, event.asset] -= event.amount
        books.settled[event.payee, event.asset] += event.amount

    def _leverage(self, event: LeverageChanged) -> None:
        books, command = self.books, self.command
        if isinstance(command, PlaceOrder):
            unused = not books.held(event.account, event.market) and not books.open_orders(event.account, event.market)
            require(unused, "allowed", f"{event} comes with an order, and there is a position or another order")
        else:
            asked = isinstance(command, ChangeLeverage) and command.leverage == event.leverage
            require(asked, "allowed", f"{event} was not asked for")
            left = books.open_orders(event.account, event.market)
            require(not left, "cancelled", f"{event} leaves orders {[order['number'] for order in left]}")
        books.accounts[event.account]["leverage"][event.market] = event.leverage

    # --- Orders ---

    def _placed(self, event: OrderPlaced) -> None:
        books, command, with_ = self.books, self.command, event.instructions
        require(event.order == len(books.orders) + 1, "numbers", f"order {event.order} follows {len(books.orders)}")
        same = isinstance(command, PlaceOrder) and (command.instructions, command.size) == (with_, event.size)
        require(same, "acknowledged", f"{event} was not asked for")
        assert with_ is not None
        unused = (event.account, event.client_key) not in books.hashes
        require(unused, "once", f"order {event.order} has a hash that was used")
        found = may_refuse(books, command)
        require(not found.certain, "allowed", f"order {event.order} is taken in spite of {found.certain}")
        books.hashes[event.account, event.client_key] = event.order
        books.orders[event.order] = {
            "number": event.order,
            "account": event.account,
            "market": event.market,
            "side": event.side,
            "size": event.size,
            "left": event.size,
            "reserved": 0,
            "status": "placed",
            "price": with_.price,
            "with": with_,
        }
        if not with_.trigger or self._is_reached(with_, books.markets[event.market]["traded"]):
            self._reserve(books.orders[event.order], event.reserved)
        else:
            require(event.reserved == 0, "reserved", f"order {event.order} stands by and reserves {event.reserved}")

    def _reserve(self, order: Row, reserved: int) -> None:
        books = self.books
        needed = books.needed(order["account"], order["market"], order["side"], order["size"], order["with"])
        if order["with"].trigger and order["with"].flags & REDUCE_ONLY:
            needed = 0
        detail = f"order {order['number']} reserves {reserved}, and needs {needed}"
        require(needed is None or needed == reserved, "reserved", detail)
        free = books.free(order["account"])
        detail = f"order {order['number']} reserves {reserved}, and {free} is free"
        require(reserved == 0 or free is None or reserved <= free, "margin", detail)
        order["reserved"] = reserved

    def _refused(self, event: OrderRefused) -> None:
        found = may_refuse(self.books, self.command)
        detail = f"{event.code}, where {sorted(found.certain | found.possible)} would be a reason"
        require(event.code in found.certain | found.possible, "refused", detail)

    def _move(self, event: Any, before: set[str], status: str) -> Row:
        order = self.books.orders[event.order]
        good = order["status"] in before and (order["account"], order["market"]) == (event.account, event.market)
        require(good, "arrows", f"order {event.order} is {order['status']} and becomes {status}")
        order["status"] = status
        return order

    def _waiting(self, event: OrderWaiting) -> None:
        self._move(event, {"placed"}, "standby")

    def _opened(self, event: OrderOpened) -> None:
        self._move(event, {"placed"}, "open")

    def _triggered(self, event: OrderTriggered) -> None:
        was = self.books.orders[event.order]["status"]
        order = self._move(event, {"standby", "reached"}, "open")
        reached = was == "reached" or self._in_span(order)
        require(reached, "trigger", f"order {event.order} is set off, and its price was not traded")
        self._reserve(order, event.reserved)

    def _reached(self, event: OrdersReached) -> None:
        for number in event.orders:
            order = self.books.orders[number]
            good = order["status"] == "standby" and self._in_span(order)
            require(good, "trigger", f"order {number} is said to be reached, and is {order['status']}")
            order["status"] = "reached"

    def _rested(self, event: OrderRested) -> None:
        order = self._move(event, {"placed", "open"}, "resting")
        with_ = order["with"]
        good = with_.price and with_.time_in_force == 1 and order["left"] > 0 and event.due == with_.expires
        require(bool(good), "arrows", f"order {event.order} rests, which is not for {with_}")
        self.books.markets[event.market]["rows"].append(event.order)

    def _close(self, event: Any, order: Row, how: str) -> None:
        require(
            event.released == order["left"], "size", f"order {event.order} releases {event.released} of {order['left']}"
        )
        detail = f"order {event.order} gives back {event.voided} of {order['reserved']}"
        require(event.voided == order["reserved"], "reserved", detail)
        rows = self.books.markets[event.market]["rows"]
        if event.order in rows:
            rows.remove(event.order)
        order["reserved"] = 0
        self._ended[event.order] = how

    def _filled(self, event: OrderFilled) -> None:
        order = self._move(event, {"open", "resting"}, "closed")
        require(order["left"] == 0, "size", f"order {event.order} is filled, and {order['left']} is left")
        self._close(event, order, "filled")

    def _expired(self, event: OrderExpired) -> None:
        order = self._move(event, {"standby", "reached", "resting"}, "closed")
        over = 0 < order["with"].expires <= self.books.now
        require(over, "due", f"order {event.order} expires at {self.books.now}, and not at {order['with'].expires}")
        self._close(event, order, "expired")

    def _cancelled(self, event: OrderCancelled) -> None:
        order = self.books.orders[event.order]
        request = self.books.requests.get(event.request)
        swept = request is not None and request["event"].reason == event.reason != ""
        require(swept or self._is_reason(order, event.reason), "reason", f"{event} has no such reason")
        if request is not None:
            request["done"].append(event.order)
        order = self._move(event, {"standby", "reached", "open", "resting"}, "closed")
        self._close(event, order, event.reason)

    def _is_reason(self, order: Row, reason: str) -> bool:
        """Whether there is such a reason to end the order."""
        books, with_, account, market = self.books, order["with"], order["account"], order["market"]
        if reason.startswith("user_cancelled"):
            return isinstance(self.command, CancelOrders) and self.command.account == account
        if reason == "margin_call":
            free = books.free(account)
            rate = books.markets[market]["contract"].maker_fee
            return free is None or free + ROUNDING < max(0, books.lacking(order, order["left"], order["price"], rate))
        if reason == "reduce_only_would_open":
            return bool(with_.flags & REDUCE_ONLY) and books.closable(account, market, order["side"]) < order["left"]
        if reason == "insufficient_liquidity":
            best = books.best_other(market, 3 - order["side"], account)
            return with_.time_in_force != 1 and (
                with_.time_in_force == FILL_OR_KILL or not best or not crosses(order["side"], with_.price, best)
            )
        if reason == "account_suspended" or reason == "account_deauthorized":
            return bool(books.accounts[account]["status"] == SUSPENDED)
        if reason == "market_not_trading":
            return bool(books.markets[market]["status"] == NOT_TRADING) or order["status"] != "resting"
        if reason == "leverage_update":
            return isinstance(self.command, ChangeLeverage)
        if reason == "too_many_matches":
            return self.entry is not None and len(self.entry.events) > 500
        others = {"insufficient_margin", "self_trade_prevention", "post_only_would_trade"}
        return reason in others

    def _trade(self, event: TradeMade) -> None:
        match(self.books, event)
        self._took[event.order] += event.legs[0].quantity
        low, high = self.span.get(event.market, (event.price, event.price))
        self.span[event.market] = (min(low, event.price), max(high, event.price))

    # --- Cancel requests ---

    def _requested(self, event: CancelRequested) -> None:
        books = self.books
        require(event.request == len(books.requests) + 1, "numbers", f"request {event.request} is not the next")
        books.requests[event.request] = {"event": event, "done": [], "refused": 0, "command": self.command}

    def _cancel_refused(self, event: CancelRefused) -> None:
        books = self.books
        books.requests[event.request]["refused"] += 1
        if event.reason == "order_not_found":
            number = books.hashes.get((event.account, event.name), 0)
            order = books.orders.get(number)
            standby = isinstance(self.command, CancelOrders) and self.command.standby
            gone = order is None or order["status"] == "closed" or order["market"] != event.market or standby
            require(gone, "cancelled", f"order {number} is not found, and is {order and order['status']}")

    def _finished(self, event: CancelFinished) -> None:
        asked = self.books.requests[event.request]["event"]
        for order in self.books.orders.values():
            of = order["account"] == asked.account if asked.account else order["market"] == asked.market
            left = of and order["number"] <= asked.through and order["status"] != "closed"
            require(not left, "sweep", f"request {event.request} is finished, and order {order['number']} is open")

    # --- After an entry ---

    def _after(self, entry: Entry) -> None:
        books = self.books
        for asset in books.assets:
            total = sum(books.settled[account, asset] for account in books.accounts)
            require(total == 0, "balance", f"after entry {entry.sequence} asset {asset} sums to {total}")
        for number in books.markets:
            bids, asks = books.queue(number, BUY), books.queue(number, 3 - BUY)
            crossed = bids and asks and books.orders[bids[0]]["price"] >= books.orders[asks[0]]["price"]
            require(not crossed, "crossed", f"after entry {entry.sequence} market {number} is crossed")
            for account in books.accounts:
                held, paid = books.held(account, number), books.paid(account, number)
                require(
                    held != 0 or paid == 0 or account == books.role(COUNTERPARTY), "result", f"{account}: {paid} for 0"
                )
        for order in books.orders.values():
            reached = order["status"] == "standby" and self._in_span(order)
            require(not reached, "trigger", f"order {order['number']} stands by, and its price was traded")
            done = order["status"] in ("placed", "open")
            require(not done, "arrows", f"order {order['number']} is {order['status']} after entry {entry.sequence}")
        for number, quantity in self._took.items():
            order = books.orders[number]
            killed = order["with"].time_in_force == FILL_OR_KILL and quantity != order["size"]
            require(
                not killed, "whole", f"order {number} is to be filled whole, and took {quantity} of {order['size']}"
            )
        if isinstance(self.command, CancelOrders) and not self.command.orders:
            self._check_cancel(entry)

    def _check_cancel(self, entry: Entry) -> None:
        """A cancel ends what it names, and what it does not name stays."""
        command, books = self.command, self.books
        last = books.requests[max(books.requests)]
        if command.names:
            told = len(last["done"]) + last["refused"]
            require(
                told == len(command.names), "cancelled", f"{command} names {len(command.names)}, {told} are told of"
            )
            return
        if command.market in books.markets:
            kept = {"standby"} if not command.standby else {"resting", "reached"}
            left = [o["number"] for o in books.open_orders(command.account, command.market) if o["status"] not in kept]
            require(not left, "cancelled", f"{command} leaves orders {left}")

    def _in_span(self, order: Row) -> bool:
        with_ = order["with"]
        low, high = self.span.get(order["market"], (0, 0))
        return bool(high and (self._is_reached(with_, low) or self._is_reached(with_, high)))

    def _is_reached(self, with_: Any, price: int) -> bool:
        if not with_.trigger or not price:
            return False
        return bool(price >= with_.trigger if with_.trigger_when == AT_OR_ABOVE else price <= with_.trigger)


_RULES: Final[dict[type, Any]] = {
    VenueOpened: ExchangeRules._nothing,
    AssetDefined: ExchangeRules._asset,
    MarketDefined: ExchangeRules._market,
    MarketChanged: ExchangeRules._market_changed,
    AccountOpened: ExchangeRules._account,
    AccountChanged: ExchangeRules._account_changed,
    Transferred: ExchangeRules._transferred,
    LeverageChanged: ExchangeRules._leverage,
    OrderPlaced: ExchangeRules._placed,
    OrderRefused: ExchangeRules._refused,
    OrderWaiting: ExchangeRules._waiting,
    OrderTriggered: ExchangeRules._triggered,
    OrdersReached: ExchangeRules._reached,
    OrderOpened: ExchangeRules._opened,
    OrderRested: ExchangeRules._rested,
    OrderFilled: ExchangeRules._filled,
    OrderCancelled: ExchangeRules._cancelled,
    OrderExpired: ExchangeRules._expired,
    TradeMade: ExchangeRules._trade,
    CancelRequested: ExchangeRules._requested,
    CancelRefused: ExchangeRules._cancel_refused,
    CancelFinished: ExchangeRules._finished,
}
