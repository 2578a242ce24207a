"""The auditor's books: what the entries say, kept in plain dicts and held against every rule as each one comes.

Nothing of the venue's folds, ledger or arithmetic is used here; only the facts' own types are.
"""

from collections import Counter
from typing import Any, Final

from tallystick.facts.codes import CUSTOMER
from tallystick.facts.venue import (
    AccountOpened,
    AssetDefined,
    CancelRefused,
    CancelRequested,
    Entry,
    MarketDefined,
    OrderCancelled,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    OrderSettled,
    OrderWaiting,
    TradeMade,
    TradeSettled,
    Transferred,
    VenueOpened,
)
from tallystick.simulate.arithmetic import fees, nearest, settlement, tradeable, value
from tallystick.simulate.holdings import Holdings
from tallystick.simulate.violation import Violation, require
from tallystick.simulate.workload import Terms

BUY, SELL = 1, 2
CASH, UNITS = 2, 1
ACCOUNT, ORDER, MARKET = 1, 2, 3  # the kinds of key: a key is number * 4 + kind

# seeds/004, and before anything a command is nothing.
ARROWS: Final[dict[str, tuple[str, ...]]] = {
    "nothing": ("placed",),
    "placed": ("pending", "executing", "cancelled"),
    "pending": ("executing", "cancelled"),
    "executing": ("filled", "cancelled"),
    "filled": ("settled",),
    "settled": (),
    "cancelled": (),
}
ENDED: Final = ("filled", "settled", "cancelled")


class Books(Holdings):
    """``prices`` are those of the moment, or None after a recovery, when nobody heard which quotes were decided."""

    def __init__(self, terms: Terms) -> None:
        super().__init__()
        self.terms: Final = terms
        self.entries: Final[list[Entry]] = []
        self.name = ""
        self.assets: Final[dict[int, dict[str, Any]]] = {}
        self.markets: Final[dict[int, dict[str, Any]]] = {}
        self.accounts: Final[dict[int, dict[str, Any]]] = {}
        self.orders: Final[dict[int, dict[str, Any]]] = {}
        self.trades: Final[dict[int, dict[str, Any]]] = {}
        self.requests: Final[dict[int, dict[int, str]]] = {}
        self.client_keys: Final[dict[tuple[int, str], int]] = {}
        self.prices: dict[int, int] | None = {}
        self.asked_prices: Final[set[tuple[int, int]]] = set()
        self.newest: Final[dict[int, int]] = {}
        self._now = (0, 0)  # the present entry's sequence and time
        self._keys: dict[int, None] = {}
        self._orders_touched: dict[int, None] = {}

    def take(self, entry: Entry) -> None:
        """The next entry; raises Violation."""
        last = self.entries[-1] if self.entries else None
        require(entry.sequence == len(self.entries) + 1, "sequence", f"{entry.sequence} follows {len(self.entries)}")
        require(1 <= len(entry.events) <= 1024, "sequence", f"entry {entry.sequence} has {len(entry.events)} events")
        if last is not None:
            ended = last.time + len(last.events) - 1
            require(entry.time > ended, "time", f"entry {entry.sequence} is of {entry.time}, the one before of {ended}")
        self._now, self._keys, self._orders_touched = (entry.sequence, entry.time), {}, {}
        self.touched.clear()
        for event in entry.events:
            self._route(event)
            _TAKE[type(event)](self, event)
        self.entries.append(entry)
        self._check_links(entry)
        self._check_ledger(entry)
        self._check_orders(entry)

    # --- What holds after every entry ---

    def _check_links(self, entry: Entry) -> None:
        expected = {key: self.newest.get(key, 0) for key in self._keys}
        found = dict(zip(entry.links[::2], entry.links[1::2], strict=True))
        good = found == expected and len(entry.links) == 2 * len(expected)
        require(good, "links", f"entry {entry.sequence} has {found} and should have {expected}")
        for key in expected:
            self.newest[key] = entry.sequence

    def _check_ledger(self, entry: Entry) -> None:
        for asset in {asset for _, asset in self.touched}:
            total = sum(self.total((account, asset)) for account in self.accounts)
            require(total == 0, "balance", f"after entry {entry.sequence} asset {asset} sums to {total}")
        for holding in self.touched:
            account, asset = holding
            if self.accounts[account]["role"] == CUSTOMER:
                left = self.available(holding)
                require(left >= 0, "available", f"account {account} has {left} of asset {asset} available")
            owed, owing = self.receivable[holding], self.payable[holding]
            require(owed >= 0 >= owing, "balance", f"account {account} is owed {owed} and owes {-owing} of {asset}")
            needed = sum(
                order["size"] - order["consumed"]
                for order in self.orders.values()
                if order["status"] not in ENDED and order["holding"] == holding
            )
            held = self.reserved[holding]
            detail = f"account {account} holds {held} of asset {asset}, its open orders need {needed}"
            require(held == needed, "reserved", detail)

    def _check_orders(self, entry: Entry) -> None:
        for number in self._orders_touched:
            order = self.orders[number]
            open_trades = [trade for trade in order["trades"] if self.trades[trade]["status"] != "settled"]
            if order["status"] == "filled":
                detail = f"order {number} is filled, all its trades settled, and entry {entry.sequence} does not say so"
                require(bool(open_trades), "settlement", detail)
        for event in entry.events:
            if isinstance(event, CancelRequested):
                without = [number for number in event.orders if number not in self.requests[event.request]]
                require(not without, "answered", f"cancel request {event.request} says nothing of orders {without}")

    # --- Routing and moving ---

    def _route(self, event: Any) -> None:
        named = [(event.account, ACCOUNT), (event.order, ORDER), (event.market, MARKET)]
        if isinstance(event, Transferred):
            named.append((event.payer, ACCOUNT))
        if isinstance(event, TradeMade):
            named += [(leg.account, ACCOUNT) for leg in event.legs] + [(leg.order, ORDER) for leg in event.legs]
        for number, kind in named:
            if number:
                self._keys[number * 4 + kind] = None

    def _move(self, event: Any, status: str) -> dict[str, Any]:
        order = self.orders[event.order]
        detail = f"order {event.order} is {order['status']} and becomes {status} at entry {self._now[0]}"
        require(status in ARROWS[order["status"]], "arrows", detail)
        require(
            (event.account, event.market) == (order["account"], order["market"]), "links", f"{event} has wrong keys"
        )
        order["status"] = status
        self._orders_touched[event.order] = None
        self.touched[order["holding"]] = None
        return order

    def _close(self, event: Any, status: str) -> dict[str, Any]:
        order = self._move(event, status)
        left = order["size"] - order["consumed"]
        detail = f"order {event.order}: size {order['size']}, consumed {order['consumed']}, released {event.released}"
        require(event.released == left >= 0, "size", detail)
        detail = f"order {event.order} holds {order['reserved']} and gives back {event.voided} when it is {status}"
        require(event.voided == order["reserved"], "reserved", detail)
        self.hold(order["holding"], -event.voided)
        order["reserved"] = 0
        return order

    # --- Reference data and funds ---

    def _venue_opened(self, event: VenueOpened) -> None:
        require(not self.name, "once", f"the venue {self.name!r} is opened again")
        self.name = event.name

    def _asset_defined(self, event: AssetDefined) -> None:
        self._next(event.asset, self.assets, "asset")
        self.assets[event.asset] = {"name": event.name, "scale": event.scale}

    def _market_defined(self, event: MarketDefined) -> None:
        self._next(event.market, self.markets, "market")
        self.markets[event.market] = {name: getattr(event, name) for name in event.__struct_fields__}

    def _account_opened(self, event: AccountOpened) -> None:
        self._next(event.account, self.accounts, "account")
        taken = any(account["name"] == event.name for account in self.accounts.values())
        require(not taken, "once", f"two accounts are called {event.name!r}")
        self.accounts[event.account] = {"name": event.name, "role": event.role}

    def _transferred(self, event: Transferred) -> None:
        payer, payee = (event.payer, event.asset), (event.payee, event.asset)
        require(event.amount > 0 and payer != payee, "balance", f"{event} moves nothing")
        if self.accounts[event.payer]["role"] == CUSTOMER:
            free = self.free(payer)
            require(event.amount <= free, "available", f"account {event.payer} pays {event.amount} and has {free} free")
        self.transfer(payer, payee, event.amount)

    def _next(self, number: int, known: dict[int, Any], kind: str) -> None:
        require(number == len(known) + 1, "numbers", f"{kind} {number} follows {len(known)}")

    # --- Orders ---

    def _order_placed(self, event: OrderPlaced) -> None:
        self._next(event.order, self.orders, "order")
        key = (event.account, event.client_key)
        if event.client_key:
            before = self.client_keys.setdefault(key, event.order)
            require(before == event.order, "once", f"{key} made order {before} and now order {event.order}")
        market = self.markets[event.market]
        is_buy = event.side == BUY
        asset = market["currency"] if is_buy else market["unit"]
        holding = (event.account, asset)
        room = self.available(holding) if is_buy else self.free(holding)
        detail = f"account {event.account} has {room} of asset {asset} and orders for {event.size}"
        require(0 < event.size <= room, "available", detail)
        require(event.reserved == event.size and event.reserve_asset == asset, "reserved", f"{event}")
        require(event.kind == (CASH if is_buy else UNITS), "size", f"order {event.order} is sized in {event.kind}")
        if is_buy:
            right = tradeable(event.size, self.terms.fee_bps)
        else:
            right = event.size
            whole = event.size % market["increment"] == 0
            require(whole, "quantity", f"order {event.order} sells {event.size} by {market['increment']}")
        require(event.fee_bps == self.terms.fee_bps, "fees", f"order {event.order} pays {event.fee_bps} basis points")
        require(event.tradeable == right > 0, "fees", f"of {event.size} {right} is tradeable, not {event.tradeable}")
        self.orders[event.order] = {
            **{name: getattr(event, name) for name in ("account", "market", "side", "size", "tradeable", "reserved")},
            **{name: getattr(event, name) for name in ("client_key", "fingerprint")},
            "status": "nothing",
            "holding": holding,
            "trades": [],
            "consumed": 0,
            "quantity": 0,
            "notional": 0,
            "fees": 0,
        }
        self.hold(holding, event.size)
        self._move(event, "placed")

    def _order_waiting(self, event: OrderWaiting) -> None:
        self._move(event, "pending")
        price = (self.prices or {}).get(event.market, 0)
        require(price == 0, "price", f"order {event.order} waits for a price, and it is {price}")

    def _order_opened(self, event: OrderOpened) -> None:
        self._move(event, "executing")

    def _order_filled(self, event: OrderFilled) -> None:
        order = self._close(event, "filled")
        require(bool(order["trades"]), "arrows", f"order {event.order} is filled without a trade")
        price = (self.prices or {}).get(event.market, 0)
        if price:
            rest = order["tradeable"] - order["notional"] if order["side"] == BUY else 0
            unit = self._value(order["market"], self.markets[order["market"]]["increment"], price)
            if order["side"] == SELL:
                unit = self._value(order["market"], event.released, price)
                require(nearest(unit) == 0, "size", f"order {event.order} is filled with {event.released} unsold")
            require(rest <= unit + 1, "size", f"order {event.order} is filled with {rest} unspent, a unit is {unit}")

    def _order_cancelled(self, event: OrderCancelled) -> None:
        order = self._close(event, "cancelled")
        require(not order["trades"], "arrows", f"order {event.order} has trades and is cancelled")
        if event.request:
            self._outcome(event, "done")

    def _order_settled(self, event: OrderSettled) -> None:
        order = self._move(event, "settled")
        waiting = [trade for trade in order["trades"] if self.trades[trade]["status"] != "settled"]
        require(not waiting, "settlement", f"order {event.order} is settled before its trades {waiting}")

    def _cancel_requested(self, event: CancelRequested) -> None:
        self._next(event.request, self.requests, "cancel request")
        self.requests[event.request] = {}

    def _cancel_refused(self, event: CancelRefused) -> None:
        order = self.orders[event.order]
        right = "order_closed" if order["status"] in ENDED else "order_has_trades"
        good = event.reason == right and (right == "order_closed" or bool(order["trades"]))
        detail = (
            f"order {event.order} is {order['status']} with trades {order['trades']}, and the reason {event.reason}"
        )
        require(good, "refused", detail)
        self._outcome(event, "refused")

    def _outcome(self, event: Any, outcome: str) -> None:
        before = self.requests[event.request].setdefault(event.order, outcome)
        require(before == outcome, "answered", f"order {event.order} of request {event.request}: {before}, {outcome}")

    # --- Trades ---

    def _trade_made(self, event: TradeMade) -> None:
        self._next(event.trade, self.trades, "trade")
        order = self.orders[event.order]
        require(order["status"] == "executing", "arrows", f"order {event.order} is {order['status']} and trades")
        require(len(event.legs) == 1 and event.status == 1, "obligations", f"{event} is no trade with the street")
        self._check_price(event)
        leg = event.legs[0]
        self._check_leg(event, order, leg)
        owed = self._owed(event, order, leg)
        said = Counter({(each.payer, each.payee, each.asset): each.amount for each in event.obligations})
        detail = f"trade {event.trade} owes {dict(said)} and should owe {dict(owed)}"
        require(said == owed and len(said) == len(event.obligations), "obligations", detail)
        right = settlement(self.terms, self._now[1])
        detail = (
            f"trade {event.trade} of {self._now[1]} settles at {event.due}, {event.value_date}, and should at {right}"
        )
        require((event.due, event.value_date) == right, "settlement", detail)
        for (payer, payee, asset), amount in owed.items():
            self.owe((payer, asset), (payee, asset), amount)
        self.hold(order["holding"], -leg.posted)
        order["reserved"] -= leg.posted
        for name in ("consumed", "quantity", "notional"):
            order[name] += getattr(leg, name)
        order["fees"] += leg.fee
        order["trades"].append(event.trade)
        self._orders_touched[event.order] = None
        self.trades[event.trade] = {"status": "executed", "due": event.due, "owed": owed, "order": event.order}

    def _check_price(self, event: TradeMade) -> None:
        if self.prices is None:
            known = (event.market, event.price) in self.asked_prices
            require(known, "price", f"trade {event.trade} is at {event.price}, which was never quoted")
        else:
            price = self.prices.get(event.market, 0)
            good = event.price == price > 0
            require(good, "price", f"trade {event.trade} is at {event.price}, and the price was {price}")

    def _check_leg(self, event: TradeMade, order: dict[str, Any], leg: Any) -> None:
        market, terms, subject = self.markets[event.market], self.terms, f"trade {event.trade} of order {event.order}"
        whole = leg.quantity > 0 and leg.quantity % market["increment"] == 0
        require(whole, "quantity", f"{subject} is for {leg.quantity} by {market['increment']}")
        exact = self._value(event.market, leg.quantity, event.price)
        right = nearest(exact)
        require(leg.notional == right > 0, "notional", f"{subject} is for {leg.notional}, and {exact} is {right}")
        right = fees(order["notional"] + leg.notional, terms.fee_bps) - order["fees"]
        require(leg.fee == right, "fees", f"{subject} costs {leg.fee} in fees, and should cost {right}")
        right = leg.notional + leg.fee if order["side"] == BUY else leg.quantity
        good = leg.consumed == leg.posted == right and (leg.order, leg.account) == (event.order, order["account"])
        require(good, "size", f"{subject} consumes {leg.consumed}, posts {leg.posted}, and should {right}")
        after = order["consumed"] + leg.consumed
        require(after <= order["size"], "size", f"{subject} brings what is consumed to {after} of {order['size']}")
        unit = self._value(event.market, market["increment"], event.price)
        if terms.trade_cash_max > 0 and unit <= terms.trade_cash_max:
            detail = f"{subject} moves {leg.notional}, and the most is {terms.trade_cash_max}"
            require(leg.notional <= terms.trade_cash_max, "price", detail)

    def _owed(self, event: TradeMade, order: dict[str, Any], leg: Any) -> Counter[tuple[int, int, int]]:
        market, account = self.markets[event.market], order["account"]
        roles = {known["role"]: number for number, known in reversed(self.accounts.items())}
        street, house = roles[3], roles[4]
        unit, currency = market["unit"], market["currency"]
        owed: Counter[tuple[int, int, int]] = Counter()
        if order["side"] == BUY:
            owed[account, street, currency] = leg.notional
            owed[street, account, unit] = leg.quantity
            owed[account, house, currency] = leg.fee
        else:
            owed[account, street, unit] = leg.quantity
            owed[street, account, currency] = leg.notional - leg.fee
            owed[street, house, currency] = leg.fee
        return +owed

    def _trade_settled(self, event: TradeSettled) -> None:
        trade = self.trades[event.trade]
        require(trade["status"] == "executed", "arrows", f"trade {event.trade} is {trade['status']} and settles")
        require(trade["order"] == event.order, "links", f"{event} is of order {trade['order']}")
        due, now = trade["due"], self._now[1]
        require(now >= due, "settlement", f"trade {event.trade} settles at {now} and is due at {due}")
        trade["status"] = "settled"
        self._orders_touched[event.order] = None
        for (payer, payee, asset), amount in trade["owed"].items():
            self.discharge((payer, asset), (payee, asset), amount)

    def _value(self, market: int, quantity: int, price: int) -> Any:
        terms = self.markets[market]
        unit, currency = self.assets[terms["unit"]], self.assets[terms["currency"]]
        return value(quantity, price, unit["scale"], terms["price_scale"], currency["scale"])


def _unexpected(_books: Books, event: Any) -> None:
    raise Violation("arrows", f"{event} cannot happen at this venue")


_TAKE: Final[dict[type, Any]] = {
    AssetDefined: Books._asset_defined,
    MarketDefined: Books._market_defined,
    VenueOpened: Books._venue_opened,
    AccountOpened: Books._account_opened,
    Transferred: Books._transferred,
    OrderPlaced: Books._order_placed,
    OrderWaiting: Books._order_waiting,
    OrderOpened: Books._order_opened,
    OrderFilled: Books._order_filled,
    OrderCancelled: Books._order_cancelled,
    OrderSettled: Books._order_settled,
    CancelRequested: Books._cancel_requested,
    CancelRefused: Books._cancel_refused,
    TradeMade: Books._trade_made,
    TradeSettled: Books._trade_settled,
}
