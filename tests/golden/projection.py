"""What must be the same in every later version of a state that an old journal gives: its meaning, not its form.

A journal's meaning was written down when it was made; what the projection has gained since is not in it.
"""

from typing import Any

from tallystick.core.lifecycle import CANCEL_OUTCOME_NAMES, ORDER_STATUS_NAMES, TRADE_STATUS_NAMES
from tallystick.venue.state import State


def projection(state: State) -> dict[str, Any]:
    """Plain values under names of their own; nothing is ever taken out of it."""
    return {
        "venue": [state.name, state.sequence, state.time],
        "orders": {
            str(number): [
                ORDER_STATUS_NAMES[order.status],
                [order.account, order.market, order.size, order.reserved, order.due],
                [order.progress.consumed, order.progress.pending, order.progress.released, order.leaves],
                [order.progress.quantity, order.progress.notional, order.progress.fees],
                [order.placed, order.updated, order.last],
                list(order.progress.trades),
                order.is_settled(),
            ]
            for number, order in state.orders.items()
        },
        "trades": {
            str(number): [TRADE_STATUS_NAMES[trade.status], trade.due, trade.made, trade.settled, trade.terms.price]
            for number, trade in state.trades.items()
        },
        "balances": {
            f"{account.name} {state.assets[asset].name}": [
                balance.settled,
                balance.receivable,
                balance.payable,
                balance.reserved,
            ]
            for account in state.accounts.values()
            for asset, balance in account.book.balances.items()
        },
        "requests": {
            str(number): {str(order): CANCEL_OUTCOME_NAMES[outcome] for order, outcome in request.outcomes.items()}
            for number, request in state.requests.items()
        },
        "keys": {account.name: account.keys for account in state.accounts.values() if account.keys},
        "accounts": {
            account.name: [
                account.status,
                account.flags,
                account.owner,
                account.last,
                account.touched,
                list(account.transfers),
            ]
            for account in state.accounts.values()
        },
        "markets": {
            market.name: [market.status, market.terms.pros_only, market.terms.cash_min, dict(market.terms.traits)]
            for market in state.markets.values()
        },
        "value dates": {str(number): trade.terms.value_date for number, trade in state.trades.items()},
        "waiting": {str(number): [waiting.prerequisite, waiting.deadline] for number, waiting in state.waiting.items()},
        "refusals": {
            str(number): [refusal.terms.client_key, refusal.terms.fingerprint, refusal.terms.code, refusal.made]
            for number, refusal in state.refusals.items()
        },
        "failed": [
            {str(number): [retry.attempts, retry.reason] for number, retry in retries.items()}
            for retries in (state.order_retries, state.trade_retries)
        ],
        "books": {
            market.name: [market.book.orders(), market.standby.orders(), market.traded]
            for market in state.markets.values()
        },
        "leverage": {account.name: sorted(account.leverage.items()) for account in state.accounts.values()},
        "sweeps": {
            str(number): [request.scope, request.subject, request.through, request.done, request.reason]
            for number, request in state.sweeps.items()
        },
    }
