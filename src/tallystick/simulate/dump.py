"""A state as plain values, so that two of them can be compared, and a state with the auditor's books."""

from collections.abc import Mapping
from typing import Any, Final

from tallystick.simulate.books import Books
from tallystick.simulate.violation import require
from tallystick.venue.state import State

_RECORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "orders": (
        "terms",
        "number",
        "account",
        "market",
        "size",
        "status",
        "reserved",
        "due",
        "placed",
        "updated",
        "last",
    ),
    "trades": ("terms", "number", "status", "due", "made", "settled", "holders"),
    "requests": (
        *("number", "scope", "made", "subject", "through", "reason"),
        *("outcomes", "reasons", "done", "finished"),
    ),
    "assets": ("number", "name", "scale", "kind"),
    "markets": (
        "terms",
        "number",
        "name",
        "symbol",
        "title",
        "price_scale",
        "increment",
        "parity",
        "status",
        "changes",
        "last",
        "traded",
    ),
    "accounts": (
        *("number", "name", "role", "owner", "flags", "status"),
        *("last", "touched", "milestones", "transfers", "leverage"),
    ),
    "waiting": ("prerequisite", "deadline"),
    "refusals": ("terms", "made"),
    "order_retries": ("attempts", "reason"),
    "trade_retries": ("attempts", "reason"),
}
_PROGRESS: Final = ("consumed", "pending", "released", "quantity", "notional", "fees", "executed", "held", "trades")
_PLAIN: Final = (
    *("name", "key_check", "sequence", "time", "retain_us", "retire_max", "left_at"),
    *("orders_made", "trades_made", "requests_made", "refusals_made"),
)
_KEY_LIFE_US: Final = 24 * 3600 * 1_000_000  # a key that was used earlier stands for nothing
_STATUSES: Final = ("nothing", "placed", "pending", "executing", "filled", "cancelled", "expired", "rejected")


def dump(state: State) -> dict[str, Any]:
    """Everything a state holds; two states are equal when their dumps are."""
    shown: dict[str, Any] = {name: getattr(state, name) for name in _PLAIN}
    for table, attributes in _RECORDS.items():
        for number, record in getattr(state, table).items():
            for attribute in attributes:
                shown[f"{table}.{number}.{attribute}"] = getattr(record, attribute)
    shown["leaving"] = list(state.leaving)
    shown["sweeps"] = list(state.sweeps)
    for number, order in state.orders.items():
        for attribute in _PROGRESS:
            shown[f"progress.{number}.{attribute}"] = getattr(order.progress, attribute)
    for number, account in state.accounts.items():
        shown[f"open.{number}"] = [each for each in account.orders if each in state.orders]
        shown[f"keys.{number}"] = {
            key: used for key, used in account.keys.items() if _used_at(state, used) + _KEY_LIFE_US > state.time
        }
        for asset, balance in account.book.balances.items():
            shown[f"balance.{number}.{asset}"] = balance_of(balance)
    return shown


def _used_at(state: State, number: int) -> int:
    """When the order, or, negative, the refused request, came."""
    return state.orders[number].placed if number > 0 else state.refusals[-number].made


def balance_of(balance: Any) -> tuple[int, int, int, int]:
    return balance.settled, balance.receivable, balance.payable, balance.reserved


def require_equal(found: State, expected: State, what: str) -> None:
    """Object unless both states are the same in everything, and name the first thing in which they are not."""
    left, right = dump(found), dump(expected)
    if left != right:
        for name in sorted(left.keys() | right.keys()):
            detail = f"{what}: {name} is {left.get(name)} and replayed {right.get(name)}"
            require(left.get(name) == right.get(name), "replay", detail)


def require_agrees(state: State, books: Books) -> None:
    """Object unless the readers' state says what the auditor's books say."""
    at = f"at entry {state.sequence}"
    require(state.sequence == len(books.entries), "revealed", f"{at} the books have {len(books.entries)}")
    for number, order in state.orders.items():
        require_order_agrees(order, books.orders[number], at)
    for number, known in books.orders.items():
        gone = number in state.orders or known["status"] in {"settled", "cancelled"}
        require(gone, "replay", f"{at} order {number} has left, and it is {known['status']}")
    require(state.orders_made == len(books.orders), "replay", f"{at} {state.orders_made} orders were made")
    require(state.trades_made == len(books.trades), "replay", f"{at} {state.trades_made} trades were made")
    _require_statuses_agree(state, books, at)
    _require_work_agrees(state, books, at)
    held = {
        (number, asset): balance_of(balance)
        for number, account in state.accounts.items()
        for asset, balance in account.book.balances.items()
    }
    for holding in held.keys() | books.settled.keys() | books.receivable.keys() | books.payable.keys():
        right = tuple(column[holding] for column in (books.settled, books.receivable, books.payable, books.reserved))
        found = held.get(holding, (0, 0, 0, 0))
        require(found == right, "replay", f"{at} account and asset {holding} have {found} and should have {right}")


def _require_statuses_agree(state: State, books: Books, at: str) -> None:
    for number, market in state.markets.items():
        right = books.markets[number]["status"]
        require(market.status == right, "replay", f"{at} market {number} is {market.status} and should be {right}")
    for number, account in state.accounts.items():
        found = {name: getattr(account, name) for name in ("status", "flags", "owner")}
        known = {name: books.accounts[number][name] for name in found}
        require(found == known, "replay", f"{at} account {number} is {found} and should be {known}")


def _require_work_agrees(state: State, books: Books, at: str) -> None:
    """What orders wait for, what requests have ended, and what has failed and is tried again."""
    found = {number: (waits.prerequisite, waits.deadline) for number, waits in state.waiting.items()}
    pending = {number: order for number, order in books.orders.items() if order["status"] == "pending"}
    right = {number: (order["waits_for"], order["deadline"]) for number, order in pending.items()}
    require(found == right, "waiting", f"{at} orders wait for {found}, and should for {right}")
    unfinished = [number for number, request in books.requests.items() if not request["finished"]]
    require(list(state.sweeps) == unfinished, "sweep", f"{at} requests {unfinished} are not finished")
    for number, request in state.requests.items():
        done = books.requests[number]["done"]
        require(request.done == done, "sweep", f"{at} request {number} ended {request.done} orders, and not {done}")
    failures = {number: retry.attempts for number, retry in state.order_retries.items()}
    executing = {number: order for number, order in books.orders.items() if order["status"] == "executing"}
    known = {number: order["failures"] for number, order in executing.items() if order["failures"]}
    require(failures == known, "replay", f"{at} orders have failed {failures} and should have {known}")
    for number, trade in state.trades.items():
        retry = state.trade_retries.get(number)
        of_trade = (trade.due, 0 if retry is None else retry.attempts)
        it = books.trades[number]
        should = (it["due"], it["failures"]) if it["status"] == "executed" else (0, 0)
        require(of_trade == should, "settlement", f"{at} trade {number}: due, failures {of_trade}, and not {should}")


def require_order_agrees(order: Any, known: Mapping[str, Any], at: str) -> None:
    """Object unless the state's order is as the books have it."""
    status = _STATUSES[order.status]
    right = "filled" if known["status"] == "settled" else known["status"]
    require(status == right, "arrows", f"{at} order {order.number} is shown {status} and is {right}")
    settled = order.is_settled() and status == "filled"
    detail = f"{at} order {order.number} is {known['status']}, and whether it is settled is shown as {settled}"
    require(settled == (known["status"] == "settled"), "settlement", detail)
    progress = order.progress
    for name in ("size", "reserved", "consumed", "quantity", "notional", "fees"):
        found = getattr(order if name in {"size", "reserved"} else progress, name)
        require(found == known[name], "replay", f"{at} order {order.number}: {name} is {found}, not {known[name]}")
    equation = progress.consumed + progress.pending + order.leaves + progress.released
    require(order.size == equation, "size", f"{at} order {order.number}: {order.size} is not {equation}")
