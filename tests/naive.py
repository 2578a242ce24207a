"""A naive look at a venue's state, for tests: everything in it as plain values, and the invariants it must satisfy."""

from collections import Counter

from tallystick.core.lifecycle import TRADE_PENDING, is_closed
from tallystick.facts import records
from tallystick.facts.codes import CUSTOMER, POSITION
from tallystick.venue import snapshot
from tallystick.venue.operations import KEY_LIFE_US

_RECORDS = {
    "orders": "terms number account market size status reserved due placed updated last",
    "trades": "terms number status due made settled holders",
    "requests": "number scope made subject through reason outcomes reasons done finished",
    "assets": "number name scale kind",
    "markets": "terms number name symbol title price_scale increment parity status changes last traded",
    "accounts": "number name role owner flags status last touched milestones transfers leverage",
    "waiting": "prerequisite deadline",
    "refusals": "terms made",
    "order_retries": "attempts reason",
    "trade_retries": "attempts reason",
}
_PROGRESS = "consumed pending released quantity notional fees executed held trades"
_WORKING = "buys sells bid offered reducing"
_BALANCE = "settled receivable payable reserved"


def dump(state) -> dict:
    """The whole state as dicts of plain values; two states are equal when their dumps are."""
    head = "name key_check sequence time retain_us retire_max left_at"
    made = "orders_made trades_made requests_made refusals_made"
    shown = {name: getattr(state, name) for name in (*head.split(), *made.split())}
    for table, attributes in _RECORDS.items():
        shown[table] = {
            number: {attribute: getattr(record, attribute) for attribute in attributes.split()}
            for number, record in getattr(state, table).items()
        }
    shown["leaving"] = list(state.leaving)
    shown["sweeps"] = list(state.sweeps)
    shown["keys"] = keys(state)
    shown["working"] = {
        (account.number, market): [list(working.orders), *(getattr(working, name) for name in _WORKING.split())]
        for account in state.accounts.values()
        for market, working in account.working.items()
    }
    shown["books"] = {
        number: (
            market.book.orders(),
            market.standby.orders(),
            market.book.depth(1, 10**6),
            market.book.depth(2, 10**6),
        )
        for number, market in state.markets.items()
    }
    shown["open"] = {
        number: [order for order in account.orders if order in state.orders]
        for number, account in state.accounts.items()
    }
    shown["progress"] = {
        number: {name: getattr(order.progress, name) for name in _PROGRESS.split()}
        for number, order in state.orders.items()
    }
    shown["balances"] = {
        (number, asset): tuple(getattr(balance, name) for name in _BALANCE.split())
        for number, account in state.accounts.items()
        for asset, balance in account.book.balances.items()
    }
    return shown


def keys(state) -> dict:
    """What each client key stands for; one that was used KEY_LIFE_US ago or earlier stands for nothing."""
    shown = {}
    for account in state.accounts.values():
        for key, number in account.keys.items():
            used = state.orders[number].placed if number > 0 else state.refusals[-number].made
            if used + KEY_LIFE_US > state.time:
                shown[account.number, key] = number
    return shown


def through_bytes(state) -> list:
    """The state's records, encoded and decoded again."""
    return [records.decode(records.encode(record)) for record in snapshot.dump(state)]


def check(state) -> None:
    """docs/design.md §6: the size equation (3), the ledger (5)."""
    totals, reserved = Counter(), Counter()
    for order in state.orders.values():
        progress = order.progress
        assert order.size == progress.consumed + progress.pending + order.leaves + progress.released
        assert order.reserved >= 0
        reserved[order.terms.account, order.terms.reserve_asset] += order.reserved
        if is_closed(order.status):
            assert order.due == 0
            assert order.reserved == pending_posts(state, order)
    for account in state.accounts.values():
        for asset, balance in account.book.balances.items():
            totals[asset] += balance.settled + balance.receivable + balance.payable
            assert balance.receivable >= 0 >= balance.payable
            assert balance.reserved == reserved.pop((account.number, asset), 0)
            if account.role == CUSTOMER and not has_positions(state, account):
                assert balance.available >= 0
    assert not any(totals.values()), totals
    assert not any(reserved.values()), reserved


def has_positions(state, account) -> bool:
    """A customer who trades positions may lose more than there is."""
    return any(state.assets[asset].kind == POSITION for asset in account.book.balances)


def pending_posts(state, order) -> int:
    """What the order's pending fills will take from its reservation."""
    return sum(
        leg.posted
        for number in order.progress.trades
        if state.trades[number].status == TRADE_PENDING
        for leg in state.trades[number].terms.legs
        if leg.order == order.terms.order
    )
