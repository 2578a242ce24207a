"""What the operations door shows, for people: tables that fit a terminal, and whole words where there is none."""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

WIDTH_MAX: Final = 100_000
SUBJECTS_MAX: Final = 3
PROSE_WIDTH_MIN: Final = 24
PROSE: Final = frozenset({"flags", "available", "told", "of", "reason", "what happened"})
"""The columns whose cells may be broken between words. What somebody copies or reads as a number never is."""


def say_json(answer: Any) -> None:
    print(json.dumps(answer, indent=2, ensure_ascii=False))


def say_accounts(accounts: Iterable[Any]) -> None:
    _table(
        ("account", "status", "owner", "flags", "available"),
        [
            (
                each["id"],
                each["status"],
                each["owner"] or "-",
                ", ".join(each["flags"]) or "-",
                ", ".join(f"{balance['available']} {balance['asset']}" for balance in each["balances"]) or "-",
            )
            for each in accounts
        ],
    )


def say_account(account: Any) -> None:
    say_accounts([account])
    columns = ("asset", "settled", "receivable", "payable", "reserved", "available", "withdrawable")
    if account["balances"]:
        _table(columns, [tuple(balance[name] for name in columns) for balance in account["balances"]])
    else:
        print("balances: none")
    _say_sweep(account)


def say_markets(markets: Sequence[Any]) -> None:
    _table(
        ("market", "symbol", "status", "unit", "currency", "increment"),
        [tuple(each[name] for name in ("id", "symbol", "status", "unit", "currency", "increment")) for each in markets],
    )
    for each in markets:
        _say_sweep(each)


def say_orders(orders: Iterable[Any]) -> None:
    _table(
        ("order", "account", "market", "side", "size", "status", "traded", "told", "placed"),
        [
            (
                each["id"],
                each["account"],
                each["market"],
                each["side"],
                f"{each['size']['amount']} {each['size']['kind']}",
                _status(each),
                each["quantity"],
                _told(each),
                _time(each["placed_at"]),
            )
            for each in orders
        ],
    )


def say_trades(trades: Iterable[Any]) -> None:
    _table(
        ("trade", "status", "price", "quantity", "notional", "value date", "failed", "next attempt"),
        [
            (
                each["id"],
                each["status"],
                each["price"],
                " ".join(leg["quantity"] for leg in each["legs"]),
                " ".join(leg["notional"] for leg in each["legs"]),
                each["value_date"],
                f"{each['retry']['reason']} ({each['retry']['attempts']})" if each["retry"] else "-",
                _time(each["due_at"]),
            )
            for each in trades
        ],
    )


def say_history(history: Any) -> None:
    """An order, how it ended, its trades, and everything that happened to it."""
    say_orders([history["order"]])
    ended = history["ended"]
    if ended:
        words = [ended["status"], *(word for word in (ended["verdict"], ended["reason"]) if word)]
        request = f", by cancel request {ended['cancel_request']}" if ended["cancel_request"] else ""
        print(f"ended: {', '.join(words)}{request}")
    if history["order"]["trades"]:
        say_trades(history["order"]["trades"])
    say_entries(history["entries"])


def say_entries(entries: Iterable[Any]) -> None:
    _table(
        ("entry", "time", "by", "cause", "of", "reason", "what happened"),
        [
            (
                str(each["sequence"]),
                _time(each["time"]),
                each["by"] or "-",
                each["cause"],
                _of(each["events"]),
                each["reason"] or "-",
                _happened(each["events"]),
            )
            for each in entries
        ],
    )


def say_failing(orders: int, trades: int) -> None:
    counts = [
        f"{count:,} {name}" + ("" if count == 1 else "s")
        for count, name in ((orders, "order"), (trades, "trade"))
        if count
    ]
    print(f"{' and '.join(counts) or 'Nothing'} {'are' if orders + trades > 1 else 'is'} tried again.")


def say_more(after: Any, option: str = "--after") -> None:
    if after is not None:
        print(f"There may be more: {option} {after}")


def _of(events: Sequence[Any]) -> str:
    """What it is about: an amount, else the orders, the account or the market; and the request that it carries out."""
    found: dict[str, None] = {}
    for event in events:
        found.update(dict.fromkeys(_subjects(event)))
    subjects = [*found]
    if len(subjects) > SUBJECTS_MAX:
        subjects[SUBJECTS_MAX:] = [f"{len(subjects) - SUBJECTS_MAX:,} more"]
    requests = {
        f"request {each['request']} by {each['by']}: {each['words']}": None for each in events if "words" in each
    }
    return ", ".join([*subjects, *requests]) or "-"


def _subjects(event: Any) -> list[str]:
    if event["event"] == "transferred":
        return [f"{event['amount']} {event['asset']} from {event['payer']} to {event['payee']}"]
    if "legs" in event:
        return [leg["order"] for leg in event["legs"]]
    if event.get("orders"):
        return list(event["orders"])
    return [next((event[name] for name in ("order", "account", "market", "name") if name in event), "-")]


def _happened(events: Sequence[Any]) -> str:
    """The events by name, those that come in a row counted."""
    names: list[list[Any]] = []
    for event in events:
        if names and names[-1][0] == event["event"]:
            names[-1][1] += 1
        else:
            names.append([event["event"], 1])
    return ", ".join(name if count == 1 else f"{name} x{count}" for name, count in names)


def _status(order: Any) -> str:
    return "settled" if order["status"] == "filled" and order["final"] else str(order["status"])


def _told(order: Any) -> str:
    """What it waits for, or what has failed."""
    if order["retry"]:
        return f"{order['retry']['reason']} ({order['retry']['attempts']}), again {_time(order['retry']['next_at'])}"
    waits = order["waits_for"]
    if waits:
        return f"waits for {waits['prerequisite']}" + (f" until {_time(waits['until'])}" if waits["until"] else "")
    return "-"


def _say_sweep(shown: Any) -> None:
    if shown["cancel_request"] is not None:
        print(f"Orders of {shown['id']} are being ended: cancel request {shown['cancel_request']}.")


def _time(text: str | None) -> str:
    """To the second, for people."""
    return "-" if text is None else f"{text[:10]} {text[11:19]}"


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Lines run past the edge where not even the words of all columns fit beside each other."""
    if not rows:
        print("none")
        return
    table = Table(box=box.SIMPLE, pad_edge=False)
    for at, column in enumerate(columns):
        is_prose = column in PROSE
        width = max(cell_len(row[at]) for row in rows)
        if is_prose:
            word = max((cell_len(word) for row in rows for word in row[at].split()), default=0)
            width = max(word, min(width, PROSE_WIDTH_MIN))
        table.add_column(column, no_wrap=not is_prose, overflow="fold", min_width=width)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    needed = Measurement.get(console, console.options.update(width=WIDTH_MAX), table)
    width = max(console.width, needed.minimum) if console.is_terminal else needed.maximum
    # A height too, or a dumb terminal counts as 80 wide whatever it is told.
    Console(width=width, height=console.height).print(table)
