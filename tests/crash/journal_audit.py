"""A stopped server's journal: is it whole, does it fold to one state, do the books balance, are the links right?"""

from collections import Counter
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.core.lifecycle import CANCELLED, FILLED, OPEN, PENDING, PLACED
from tallystick.facts.venue import Entry, TradeMade, Transferred, VenueOpened, decode, encode
from tallystick.journal.sqlite import SqliteJournal
from tallystick.venue.fold import fold
from tallystick.venue.state import State
from tests.crash.books import require
from tests.naive import dump

VENUE: Final = "sophic"


def audit_journal(data: Path) -> State:
    """Audit the journal in the folder ``data``, which nobody may be serving; gives the state it folds to."""
    entries = read_journal(data)
    judge_times(entries)
    judge_links(entries)
    state = folded(entries)
    require(dump(state) == dump(folded(read_journal(data))), "two folds of one journal differ")
    judge_reservations(state)
    return state


def read_journal(data: Path) -> list[Entry]:
    """Its entries, numbered 1, 2, 3 … as they were written."""
    journal = SqliteJournal(data / "journal.db", writer=False)
    try:
        records = list(journal.read(VENUE))
        require(len(records) == journal.last(VENUE), "the journal ends before its last sequence")
    finally:
        journal.close()
    entries = [decode(body) for _, body in records]
    for expected, ((sequence, body), entry) in enumerate(zip(records, entries, strict=True), start=1):
        require(sequence == entry.sequence == expected, f"sequence {sequence} where {expected} is next", entry)
        require(encode(entry) == body, "an entry does not survive decoding and encoding", body)
    return entries


def judge_times(entries: list[Entry]) -> None:
    """Each event is later than the one before it, also across entries and restarts."""
    last = 0
    for entry in entries:
        require(bool(entry.events) and entry.time > last, f"entry at {entry.time}, the last event at {last}", entry)
        last = entry.time + len(entry.events) - 1


def judge_links(entries: list[Entry]) -> None:
    """An entry names just the keys it touches, each with the entry that touched it before."""
    newest: dict[int, int] = {}
    for entry in entries:
        expected = {key: newest.get(key, 0) for event in entry.events for key in touched(event)}
        given = list(zip(entry.links[::2], entry.links[1::2], strict=True))
        require(len(given) == len(expected) and dict(given) == expected, f"links should be {expected}", entry)
        newest.update(dict.fromkeys(expected, entry.sequence))


def touched(event: Any) -> set[int]:
    accounts, orders = {event.account}, {event.order}
    if isinstance(event, TradeMade):
        accounts |= {leg.account for leg in event.legs}
        orders |= {leg.order for leg in event.legs}
    if isinstance(event, Transferred):
        accounts |= {event.payer, event.payee}
    keys = {account_key(each) for each in accounts if each} | {order_key(each) for each in orders if each}
    return keys | ({market_key(event.market)} if event.market else set())


def folded(entries: list[Entry]) -> State:
    """The state after all entries; the books balance after each."""
    state = State()
    for entry in entries:
        fold(state, entry)
        judge_balance(state)
    return state


def judge_balance(state: State) -> None:
    """Per asset all that is settled, receivable and payable adds up to nothing: what one has, another lacks."""
    sums: Counter[int] = Counter()
    for account in state.accounts.values():
        for asset, balance in account.book.balances.items():
            sums[asset] += balance.settled + balance.receivable + balance.payable
    require(not any(sums.values()), f"the books do not balance after entry {state.sequence}", sums)


def judge_reservations(state: State) -> None:
    """What an account has reserved is what its open orders reserve, and it has at least that."""
    needed: Counter[tuple[int, int]] = Counter()
    for order in state.orders.values():
        terms = order.terms
        needed[terms.account, terms.reserve_asset] += order.reserved
        left = order.size - order.progress.consumed if order.status in (PLACED, PENDING, OPEN) else 0
        require(order.reserved == left, f"order {terms.order} reserves {order.reserved}, {left} is left of it")
    for account in state.accounts.values():
        for asset, balance in account.book.balances.items():
            require(balance.reserved == needed[account.number, asset], f"reserved {balance.reserved}", account.name)
            require(balance.reserved == 0 or balance.available >= 0, "more is reserved than there is", account.name)


def deeds(entries: list[Entry]) -> list[Any]:
    """What happened, in order, without what differs between installations: times and the secret's digest."""
    events = [event for entry in entries for event in entry.events]
    return [replace(event, key_check="") if isinstance(event, VenueOpened) else event for event in events]


def stages(state: State) -> Counter[str]:
    """How many orders stand at each stage; ``part-filled`` are those of the executing that have trades."""
    found: Counter[str] = Counter()
    for order in state.orders.values():
        if order.status == FILLED:
            found["settled" if order.is_settled() else "filled"] += 1
        elif order.status == OPEN:
            found["part-filled" if order.progress.trades else "executing"] += 1
        else:
            found[{PLACED: "placed", PENDING: "pending", CANCELLED: "cancelled"}[order.status]] += 1
    return found
