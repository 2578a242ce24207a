"""A state as records and back: ``load(dump(state))`` is the state again, whatever built it, compiled or not.

Nothing that can be derived is written: indices are made anew. Records come in one order, so equal states give equal
bytes, and ``state_hash`` tells states apart.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from typing import Any

from tallystick.core.cancel import CancelRequest
from tallystick.core.lifecycle import is_closed
from tallystick.core.order import Order, Progress
from tallystick.core.trade import Trade
from tallystick.facts import records
from tallystick.facts.records import (
    AccountRecord,
    AssetRecord,
    BalanceRecord,
    BookRecord,
    HeadRecord,
    LeavingRecord,
    MarketRecord,
    OrderRecord,
    RefusalRecord,
    RequestRecord,
    RetryRecord,
    TradeRecord,
    WaitingRecord,
)
from tallystick.facts.venue import AccountOpened, AssetDefined
from tallystick.venue.state import Account, Refusal, Retry, State, Waiting


def dump(state: State) -> Iterator[Any]:
    """The state's records: the venue, then assets, markets, accounts, orders, trades, requests, and so on."""
    yield HeadRecord(
        state.name,
        state.key_check,
        state.sequence,
        state.time,
        state.orders_made,
        state.trades_made,
        state.requests_made,
        state.retain_us,
        state.retire_max,
        state.left_at,
        state.refusals_made,
    )
    for asset in state.assets.values():
        yield AssetRecord(AssetDefined(0, 0, 0, asset.number, asset.name, asset.scale, asset.kind))
    for market in state.markets.values():
        yield MarketRecord(market.terms, market.last, tuple(market.changes))
    for account in state.accounts.values():
        yield _account_record(account)
    for order in state.orders.values():
        yield order_record(order)
    for trade in state.trades.values():
        yield trade_record(trade)
    for request in state.requests.values():
        yield _request_record(request)
    for time, number in state.leaving:
        yield LeavingRecord(time, number)
    for number in sorted(state.waiting):
        waiting = state.waiting[number]
        yield WaitingRecord(number, waiting.prerequisite, waiting.deadline)
    for refusal in state.refusals.values():
        yield refusal_record(refusal)
    for number in sorted(state.order_retries):
        retry = state.order_retries[number]
        yield RetryRecord(number, 0, retry.attempts, retry.reason)
    for number in sorted(state.trade_retries):
        retry = state.trade_retries[number]
        yield RetryRecord(0, number, retry.attempts, retry.reason)
    for market in state.markets.values():
        if market.traded or len(market.book) or len(market.standby):
            yield BookRecord(market.number, tuple(market.book.orders()), tuple(market.standby.orders()), market.traded)


def order_record(order: Order) -> OrderRecord:
    """The order as a value."""
    progress = order.progress
    return OrderRecord(
        order.terms,
        order.status,
        order.reserved,
        order.due,
        order.placed,
        order.updated,
        order.last,
        progress.consumed,
        progress.pending,
        progress.released,
        progress.quantity,
        progress.notional,
        progress.fees,
        progress.executed,
        progress.held,
        progress.trades,
    )


def trade_record(trade: Trade) -> TradeRecord:
    """The trade as a value."""
    return TradeRecord(trade.terms, trade.status, trade.due, trade.made, trade.settled, trade.holders)


def refusal_record(refusal: Refusal) -> RefusalRecord:
    """The refusal as a value."""
    return RefusalRecord(refusal.terms, refusal.made)


def load(source: Iterable[Any]) -> State:
    """The state that ``dump`` wrote."""
    state = State()
    for record in source:
        restore(state, record)
    return state


def restore(state: State, record: Any) -> None:
    """Add one record to a state that has those before it. Terms are taken as they are: whoever restores the same
    records shares them."""
    kind = type(record)
    if kind is OrderRecord:
        _restore_order(state, record)
    elif kind is TradeRecord:
        trade = trade_of(record)
        state.trades[trade.number] = trade
    elif kind is LeavingRecord:
        state.leaving.append((record.time, record.number))
    else:
        _restore_other(state, record)


def order_of(record: OrderRecord) -> Order:
    """The inverse of ``order_record``."""
    terms = record.terms
    order = Order(
        terms, terms.order, terms.account, terms.market, terms.size, record.reserved, record.due, record.placed
    )
    progress: Progress | None = None
    if record.consumed or record.pending or record.released or record.trades:
        progress = Progress()
        progress.consumed = record.consumed
        progress.pending = record.pending
        progress.released = record.released
        progress.quantity = record.quantity
        progress.notional = record.notional
        progress.fees = record.fees
        progress.executed = record.executed
        progress.held = record.held
        progress.trades = record.trades
    order.restore(record.status, record.updated, record.last, progress)
    return order


def trade_of(record: TradeRecord) -> Trade:
    """The inverse of ``trade_record``."""
    trade = Trade(record.terms, record.terms.trade, record.status, record.due, record.made, record.holders)
    trade.settled = record.settled
    return trade


def refusal_of(record: RefusalRecord) -> Refusal:
    """The inverse of ``refusal_record``."""
    return Refusal(record.terms, record.made)


def state_hash(state: State) -> str:
    """A digest of everything in the state."""
    digest = blake2b(digest_size=16)
    for record in dump(state):
        digest.update(records.encode(record))
        digest.update(b"\n")
    return digest.hexdigest()


def _account_record(account: Account) -> AccountRecord:
    balances = account.book.balances
    return AccountRecord(
        account.number,
        account.name,
        account.role,
        account.last,
        tuple(
            [
                BalanceRecord(asset, balance.settled, balance.receivable, balance.payable, balance.reserved)
                for asset, balance in sorted(balances.items(), key=_first)
            ]
        ),
        account.status,
        account.flags,
        account.owner,
        account.touched,
        tuple(account.milestones),
        tuple(account.transfers.values()),
        tuple(sorted(account.leverage.items())),
    )


def _request_record(request: CancelRequest) -> RequestRecord:
    return RequestRecord(
        request.number,
        request.scope,
        request.made,
        tuple(request.outcomes.items()),
        tuple(request.reasons.items()),
        request.subject,
        request.through,
        request.reason,
        request.done,
        request.finished,
    )


def _first(item: tuple[int, Any]) -> int:
    return item[0]


def _restore_order(state: State, record: OrderRecord) -> None:
    order = order_of(record)
    number: Any = record.terms.order  # the object itself, shared with whoever loads the same records
    state.orders[number] = order
    account = state.accounts[order.account]
    account.orders.append(number)
    key: str = record.terms.client_key
    if key:
        account.keys[key] = number
    if record.terms.instructions is not None and not is_closed(order.status):
        state.work(order, record.terms.side)


def _restore_other(state: State, record: Any) -> None:
    kind = type(record)
    if kind is HeadRecord:
        state.name = record.name
        state.key_check = record.key_check
        state.sequence = record.sequence
        state.time = record.time
        state.orders_made = record.orders_made
        state.trades_made = record.trades_made
        state.requests_made = record.requests_made
        state.retain_us = record.retain_us
        state.retire_max = record.retire_max
        state.left_at = record.left_at
        state.refusals_made = record.refusals_made
    elif kind is AssetRecord:
        state.define_asset(record.terms)
    elif kind is MarketRecord:
        state.define_market(record.terms)
        market = state.markets[record.terms.market]
        market.last = record.last
        for time, status in record.changes:
            market.change(status, time)
    elif kind is AccountRecord:
        _restore_account(state, record)
    elif kind is RequestRecord:
        _restore_request(state, record)
    elif kind is WaitingRecord:
        state.waiting[record.order] = Waiting(record.prerequisite, record.deadline)
    elif kind is RefusalRecord:
        _restore_refusal(state, record)
    elif kind is RetryRecord:
        retries = state.order_retries if record.order else state.trade_retries
        retries[record.order or record.trade] = Retry(record.attempts, record.reason)
    elif kind is BookRecord:
        _restore_book(state, record)
    else:
        raise TypeError(f"{kind.__name__} is no record of a state")


def _restore_account(state: State, record: AccountRecord) -> None:
    state.open_account(AccountOpened(record.number, 0, 0, record.name, record.role, record.owner, record.flags))
    account = state.accounts[record.number]
    account.status = record.status
    account.touched = record.touched
    account.milestones.extend(record.milestones)
    account.leverage.update(record.leverage)
    for transfer in record.transfers:
        account.remember(transfer)
    account.last = record.last
    for kept in record.balances:
        balance = account.book.of(kept.asset)
        balance.settled = kept.settled
        balance.receivable = kept.receivable
        balance.payable = kept.payable
        balance.reserved = kept.reserved


def _restore_book(state: State, record: BookRecord) -> None:
    for number in record.resting:
        state.rest(state.orders[number])
    for number in record.standby:
        state.stand_by(state.orders[number])
    state.markets[record.market].traded = record.traded


def _restore_refusal(state: State, record: RefusalRecord) -> None:
    """Its key is that of an order that was placed later, if there is one."""
    keys = state.accounts[record.terms.account].keys
    key: str = record.terms.client_key
    number = keys.get(key, 0)
    state.add_refusal(refusal_of(record))
    if number > 0 and state.orders[number].placed > record.made:
        keys[key] = number


def _restore_request(state: State, record: RequestRecord) -> None:
    request = CancelRequest(record.number, record.scope, (), record.made, record.subject, record.through, record.reason)
    request.outcomes.update(record.outcomes)
    request.reasons.update(record.reasons)
    request.done = record.done
    request.finished = record.finished
    state.add_request(request)
