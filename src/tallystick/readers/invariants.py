"""What must hold of a venue's state (docs/design.md §6), seen from outside: of an order, of a balance, of all of it.

Each look gives a sentence about the first thing that does not hold, "" when everything does.
"""

from collections import Counter
from typing import Final

from tallystick.core.lifecycle import OPEN, PENDING, TRADE_EXECUTED, TRADE_PENDING, TRADE_SETTLED, is_closed
from tallystick.core.order import Order
from tallystick.facts.codes import AT_OR_ABOVE, BUY, CUSTOMER, POSITION, REDUCE_ONLY, SELL, TRIGGER
from tallystick.venue.ledger import Balance
from tallystick.venue.state import Account, State

Sums = Counter[tuple[int, int]]
"""Amounts by (account, asset)."""

HOLDS: Final = ""


def order_objection(order: Order) -> str:
    """The size equation, and a reservation that is what the order and its pending fills need."""
    progress = order.progress
    consumed, pending, released, held = progress.consumed, progress.pending, progress.released, progress.held
    closed = is_closed(order.status)
    if min(consumed, pending, released, held, progress.executed) < 0:
        return f"order {order.number} has a negative amount"
    if (consumed + pending + released != order.size) if closed else (released or consumed + pending > order.size):
        return (
            f"order {order.number} is of size {order.size}, and has consumed {consumed}, pending {pending}, "
            f"released {released}"
        )
    if (order.reserved != held) if closed else (order.reserved < held):
        return f"order {order.number} reserves {order.reserved}, its pending fills will take {held}"
    if closed and order.due:
        return f"order {order.number} is closed, and due at {order.due}"
    return HOLDS


def balance_objection(state: State, account: Account, asset: int, balance: Balance) -> str:
    """Nothing is owed backwards, and a customer has what is reserved.

    But for positions, which may be less than nothing, and for what a customer lost with them.
    """
    if balance.receivable < 0 or balance.payable > 0 or balance.reserved < 0:
        amounts = f"receivable {balance.receivable}, payable {balance.payable}, reserved {balance.reserved}"
        return f"account {account.number} ({account.name}) has of asset {asset}: {amounts}"
    if account.role == CUSTOMER and balance.available < 0 and not _has_positions(state, account):
        return f"account {account.number} ({account.name}) has {balance.available} available of asset {asset}"
    return HOLDS


def _has_positions(state: State, account: Account) -> bool:
    """Whether the account ever traded positions: its losses may be more than what it has, which is a shortfall."""
    return any(state.assets[asset].kind == POSITION for asset in account.book.balances)


def state_objection(state: State) -> str:
    """Everything: each order and balance, and that they agree with each other."""
    for order in state.orders.values():
        found = order_objection(order) or _fills_objection(state, order)
        if found:
            return found
    return (
        _ledger_objection(state)
        or _indices_objection(state)
        or _conditions_objection(state)
        or _books_objection(state)
        or _working_objection(state)
    )


def _fills_objection(state: State, order: Order) -> str:
    trades = order.progress.trades
    missing = [number for number in trades if number not in state.trades]
    if missing:
        return f"order {order.number} has trade {missing[0]}, which is nowhere"
    progress = order.progress
    if _sums(state, order) != (progress.consumed, progress.quantity, progress.notional, progress.fees):
        return f"order {order.number} has amounts that are not the sums of its fills"
    executed = sum(state.trades[number].status == TRADE_EXECUTED for number in trades)
    if executed != order.progress.executed:
        return f"order {order.number} counts {order.progress.executed} executed fills and has {executed}"
    held = _pending_posts(state, order)
    if held != order.progress.held:
        return f"order {order.number} holds {order.progress.held} for pending fills, which will take {held}"
    return HOLDS


def _ledger_objection(state: State) -> str:
    """Per asset all adds up to nothing; reserved, receivable and payable are what orders and trades make of them."""
    totals: Counter[int] = Counter()
    reserved, owed, owing = _from_orders(state), Sums(), Sums()
    for trade in state.trades.values():
        if trade.status == TRADE_EXECUTED:
            for due in trade.terms.obligations:
                owed[due.payee, due.asset] += due.amount
                owing[due.payer, due.asset] += due.amount
    for account in state.accounts.values():
        for asset, balance in account.book.balances.items():
            totals[asset] += balance.total
            found = balance_objection(state, account, asset, balance)
            if found:
                return found
            key = (account.number, asset)
            needed = (reserved.pop(key, 0), owed.pop(key, 0), -owing.pop(key, 0))
            if needed != (balance.reserved, balance.receivable, balance.payable):
                return (
                    f"account {account.number} ({account.name}) has of asset {asset} reserved {balance.reserved}, "
                    f"receivable {balance.receivable}, payable {balance.payable}; its orders and trades make "
                    f"{needed[0]}, {needed[1]}, {needed[2]}"
                )
    for asset, total in totals.items():
        if total:
            return f"the ledger does not balance: all accounts together have {total} of asset {asset}"
    for key, amount in (reserved + owed + owing).items():
        return f"account {key[0]} has no balance of asset {key[1]}, and orders or trades make it {amount}"
    return HOLDS


def _from_orders(state: State) -> Sums:
    reserved = Sums()
    for order in state.orders.values():
        reserved[order.account, order.terms.reserve_asset] += order.reserved
    return reserved


def _indices_objection(state: State) -> str:
    """What is done is known to leave, and only that; every order is listed by its account, once."""
    leaving = [number for _, number in state.leaving]
    done = {number for number, order in state.orders.items() if order.is_settled()}
    done.update(-number for number, request in state.requests.items() if request.finished)
    if len(leaving) != len(done) or set(leaving) != done:
        wrong = sorted(done.symmetric_difference(leaving))[:1]
        return f"what is done and what is to leave differ, at {wrong[0]}" if wrong else "something is to leave twice"
    listed = Counter((account.number, number) for account in state.accounts.values() for number in account.orders)
    for number, order in state.orders.items():
        if listed[order.account, number] != 1:
            return f"order {number} is not listed once by its account {order.account}"
    return HOLDS


def _conditions_objection(state: State) -> str:
    """What is noted beside orders, trades and requests is noted of the right ones."""
    pending = {number for number, order in state.orders.items() if order.status == PENDING}
    if pending != state.waiting.keys():
        return f"what is pending and what waits differ, at order {min(pending ^ state.waiting.keys())}"
    for number in state.order_retries:
        if number not in state.orders or state.orders[number].status != OPEN:
            return f"order {number} is to be tried again, and it is not open"
    for number in state.trade_retries:
        if number not in state.trades or state.trades[number].status != TRADE_EXECUTED:
            return f"trade {number} is to be settled again, and it is not executed"
    unfinished = [number for number, request in state.requests.items() if not request.finished]
    if unfinished != list(state.sweeps):
        return f"the requests {unfinished} are not finished, and {list(state.sweeps)} are carried out"
    return _keys_objection(state)


def _keys_objection(state: State) -> str:
    """A key finds what was asked under it."""
    for account in state.accounts.values():
        for key, number in account.keys.items():
            kept = state.orders.get(number) if number > 0 else state.refusals.get(-number)
            if kept is None or (kept.terms.account, kept.terms.client_key) != (account.number, key):
                return f"account {account.number} has a key for {number}, which was not asked under it"
    return HOLDS


def _books_objection(state: State) -> str:
    """What rests is open, at its price and with what is left of it, and no buyer would pay what a seller asks."""
    waiting = {number for number, waiting in state.waiting.items() if waiting.prerequisite == TRIGGER}
    standing_by: set[int] = set()
    for market in state.markets.values():
        for side in (BUY, SELL):
            for level in market.book.side(side).levels():
                resting = level.resting()
                if level.total != sum(each.leaves for each in resting) or level.count != len(resting):
                    return f"market {market.number} does not add up at {level.price}"
                for each in resting:
                    order = state.orders.get(each.number)
                    if order is None or order.status != OPEN or order.leaves != each.leaves:
                        return f"order {each.number} rests with {each.leaves}, and is not like that"
                    if (order.terms.side, order.terms.instructions.price) != (side, level.price):
                        return f"order {each.number} rests at {level.price}, which is not its price"
            for level in market.standby.side(side).levels():
                standing_by.update(each.number for each in level.resting())
        bid, asked = market.book.best(BUY), market.book.best(SELL)
        if bid and asked and bid >= asked:
            return f"market {market.number} is crossed: {bid} is bid and {asked} asked"
    if standing_by != waiting:
        return f"what stands by and what waits for a price differ, at order {min(standing_by ^ waiting)}"
    for number in standing_by:
        with_ = state.orders[number].terms.instructions
        side = SELL if with_.trigger_when == AT_OR_ABOVE else BUY
        standby = state.markets[state.orders[number].market].standby
        if number not in [each.number for each in standby.side(side).level(with_.trigger).resting()]:
            return f"order {number} does not stand by at its trigger price"
    return HOLDS


def _working_objection(state: State) -> str:
    """What an account's orders in a market come to is what they are."""
    counted: dict[tuple[int, int], list[int]] = {}
    for number, order in state.orders.items():
        instructions = order.terms.instructions
        if instructions is None or is_closed(order.status):
            continue
        buys = order.terms.side == BUY
        rests = order.leaves if number in state.markets[order.market].book else 0
        sums = counted.setdefault((order.account, order.market), [0, 0, 0, 0, 0])
        sums[0 if buys else 1] += 1
        sums[2 if buys else 3] += rests
        sums[4] += 1 if rests and instructions.flags & REDUCE_ONLY else 0
    for account in state.accounts.values():
        for market, working in account.working.items():
            sums = [working.buys, working.sells, working.bid, working.offered, working.reducing]
            expected = counted.pop((account.number, market), None)
            if expected != sums or len(working.orders) != working.buys + working.sells:
                return f"account {account.number} has {sums} in market {market}, its orders come to {expected}"
    if counted:
        return f"account {next(iter(counted))[0]} has orders in a book that it does not know of"
    return HOLDS


def _sums(state: State, order: Order) -> tuple[int, int, int, int]:
    """What the order's executed and settled fills have consumed, their quantity, notional and fees."""
    consumed = quantity = notional = fees = 0
    for number in order.progress.trades:
        trade = state.trades[number]
        if trade.status == TRADE_EXECUTED or trade.status == TRADE_SETTLED:
            for leg in trade.terms.legs:
                if leg.order == order.number:
                    consumed += leg.consumed
                    quantity += leg.quantity
                    notional += leg.notional
                    fees += leg.fee
    return consumed, quantity, notional, fees


def _pending_posts(state: State, order: Order) -> int:
    """What the order's pending fills will take from its reservation."""
    needed = 0
    for number in order.progress.trades:
        trade = state.trades[number]
        if trade.status == TRADE_PENDING:
            needed += sum(leg.posted for leg in trade.terms.legs if leg.order == order.number)
    return needed
