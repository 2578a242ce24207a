"""The auditor: it hears what the world hears, and objects to whatever breaks one of the rules.

It stands outside of the venue. What it hears (answers, entries revealed to subscribers, what a restart finds) it only
notes at the time, because an objection inside a callback would be the callback's failure; ``judge`` then goes through
the notes in order.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from tallystick.facts.codes import (
    CUSTOMER,
    EXISTS_WITH_DIFFERENT_TERMS,
    INSUFFICIENT_FUNDS,
    INSUFFICIENT_UNITS,
    INVALID_AMOUNT,
    INVALID_ORDER_TYPE,
    OUTCOME_UNKNOWN,
    OVERLOADED,
    SAME_ACCOUNT,
    STORAGE_UNAVAILABLE,
    UNKNOWN_ACCOUNT,
    UNKNOWN_ASSET,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import Accepted, Answer, CancelOrders, Exists, PlaceOrder, Quote, Refused, Transfer
from tallystick.facts.venue import Entry, OrderPlaced, Transferred, decode
from tallystick.simulate.arithmetic import tradeable
from tallystick.simulate.books import BUY, CASH, UNITS, Books
from tallystick.simulate.violation import require
from tallystick.simulate.workload import Terms

EVERYTHING: Final = "everything"


class Subscriber:
    """Somebody who follows some keys, and what they saw, across restarts; ``due`` is what they should have seen."""

    def __init__(self, name: str, keys: tuple[int, ...]) -> None:
        self.name: Final = name
        self.keys: Final = keys
        self.seen: Final[list[Entry]] = []
        self.due: Final[list[int]] = []
        self.judged = 0

    @property
    def position(self) -> int:
        """The sequence of the last entry it saw, 0 for none."""
        return self.seen[-1].sequence if self.seen else 0


class Answered(Struct, frozen=True):
    """``durable`` is where the journal ended when it was heard; so in Revealed."""

    tag: str
    answer: Answer
    durable: int


class Revealed(Struct, frozen=True):
    entry: Entry
    durable: int


class Auditor:
    """Commands are told apart by their ``by``, which their entry carries in its cause."""

    def __init__(self, terms: Terms) -> None:
        self.books: Final = Books(terms)
        self.subscribers: Final[list[Subscriber]] = []
        self._notes: Final[list[Answered | Revealed]] = []
        self._asked: Final[dict[str, Any]] = {}
        self._answers: Final[dict[str, Answer]] = {}
        self._outstanding: Final[dict[str, None]] = {}
        self._entry_of: Final[dict[str, Entry]] = {}
        self._bodies: Final[list[bytes]] = []

    # --- What it hears ---

    def asked(self, command: Any) -> None:
        """This was asked of the venue."""
        self._asked[command.by] = command
        self._outstanding[command.by] = None
        if isinstance(command, Quote):
            self.books.asked_prices.add((command.market, command.price))

    def answered(self, tag: str, answer: Answer, durable: int) -> None:
        self._notes.append(Answered(tag, answer, durable))

    def revealed(self, entry: Entry, durable: int) -> None:
        """To the one subscriber of everything."""
        self._notes.append(Revealed(entry, durable))

    def subscribe(self, subscriber: Subscriber) -> None:
        """From the venue's first entry on, what touches its keys is due to this subscriber."""
        self.subscribers.append(subscriber)
        for entry in self.books.entries:
            _owe(subscriber, entry)

    # --- What it says ---

    def judge(self, connected: Iterable[Subscriber]) -> None:
        """Go through what was heard; those who are connected have seen everything. Raises Violation."""
        notes = list(self._notes)
        self._notes.clear()
        for note in notes:
            if isinstance(note, Revealed):
                sequence = note.entry.sequence
                detail = f"entry {sequence} was revealed while the journal ended at {note.durable}"
                require(sequence <= note.durable, "revealed", detail)
                self._take(note.entry)
            else:
                self._judge_answer(note)
        for subscriber in self.subscribers:
            self._judge_subscriber(subscriber)
        for subscriber in connected:
            detail = f"{subscriber.name} saw {len(subscriber.seen)} of {len(subscriber.due)} entries"
            require(len(subscriber.seen) == len(subscriber.due), "subscriber", detail)

    def flushed(self) -> None:
        """Nothing is on its way to the disk any more."""
        without = list(self._outstanding)
        require(not without, "answered", f"{without} were never answered")

    def restarted(self, bodies: Sequence[bytes], judged: bool = True) -> None:
        """This is what a new process found on the disk, and what was not answered never will be. Raises Violation."""
        if judged:
            self._outstanding.clear()
        entries = self.books.entries
        detail = f"{len(entries)} entries were revealed and {len(bodies)} are left"
        require(len(bodies) >= len(entries), "lost", detail)
        for index, body in enumerate(bodies):
            if index < len(self._bodies):
                require(body == self._bodies[index], "lost", f"entry {index + 1} has changed since the last restart")
            elif index < len(entries):
                require(decode(body) == entries[index], "lost", f"entry {index + 1} is not the one that was revealed")
        self.books.prices = None
        for body in bodies[len(entries) :]:
            self._take(decode(body))
        self.books.prices = {}
        self._bodies[:] = bodies

    def finish(self, bodies: Sequence[bytes]) -> None:
        """The faults have stopped, everything was given its time. Raises Violation."""
        self.flushed()
        prices = self.books.prices
        self.restarted(bodies)
        self.books.prices = prices
        for tag, answer in self._answers.items():
            if isinstance(answer, Refused | Exists) and not _is_unknown(answer):
                require(
                    tag not in self._entry_of, "refused", f"{self._asked[tag]} was answered {answer} and carried out"
                )
            elif isinstance(answer, Accepted) and not isinstance(self._asked[tag], Quote):
                require(tag in self._entry_of, "lost", f"{self._asked[tag]} was acknowledged and is gone")
        for number, order in self.books.orders.items():
            over = order["status"] in {"settled", "cancelled"}
            require(over, "finished", f"order {number} is {order['status']} and nothing is due any more")
        for number, trade in self.books.trades.items():
            require(trade["status"] == "settled", "finished", f"trade {number} is {trade['status']}")

    # --- How it judges ---

    def _take(self, entry: Entry) -> None:
        self.books.take(entry)
        for subscriber in self.subscribers:
            _owe(subscriber, entry)
        tag = entry.cause.by
        if tag:
            require(tag in self._asked, "sequence", f"entry {entry.sequence} is by {tag!r}, who never asked")
            twice = f"{tag} was carried out in entry {entry.sequence} and before"
            require(tag not in self._entry_of, "acknowledged", twice)
            self._entry_of[tag] = entry

    def _judge_answer(self, note: Answered) -> None:
        tag, answer = note.tag, note.answer
        command = self._asked[tag]
        require(tag not in self._answers, "answered", f"{command} was answered {self._answers.get(tag)} and {answer}")
        self._answers[tag] = answer
        self._outstanding.pop(tag, None)
        if isinstance(answer, Refused):
            if answer.code not in {STORAGE_UNAVAILABLE, OUTCOME_UNKNOWN, OVERLOADED}:
                self._judge_refusal(command, answer)
        elif isinstance(answer, Exists):
            self._judge_repetition(command, answer)
        elif isinstance(command, Quote):
            assert self.books.prices is not None
            self.books.prices[command.market] = command.price
        else:
            entry = self._entry_of.get(tag)
            detail = f"{command} was acknowledged before its entry was revealed; the journal ended at {note.durable}"
            require(entry is not None, "acknowledged", detail)
            assert entry is not None
            require(_carries_out(entry, command, answer), "acknowledged", f"{command} became {entry.events[0]}")

    def _judge_refusal(self, command: Any, answer: Refused) -> None:
        """Everything decided before it has been revealed, and nothing after it: the books are what it was judged by."""
        require(command.by not in self._entry_of, "refused", f"{command} was answered {answer} and carried out")
        right = None
        if isinstance(command, PlaceOrder):
            right = self._reason_against_order(command)
        elif isinstance(command, Transfer):
            right = self._reason_against_transfer(command)
        if right is not None:
            detail = f"{command} was refused for {answer.code}, and the reason is {right or 'none'}"
            require(answer.code == right, "refused", detail)

    def _judge_repetition(self, command: Any, answer: Exists) -> None:
        require(isinstance(command, PlaceOrder), "once", f"{command} cannot exist before")
        number = self.books.client_keys.get((command.account, command.client_key), 0)
        detail = f"{command} was answered {answer}, and its key made order {number}"
        require(number == answer.number > 0, "once", detail)
        require(self.books.orders[number]["fingerprint"] == command.fingerprint, "once", detail)

    def _reason_against_order(self, command: PlaceOrder) -> str:
        books = self.books
        account, market = books.accounts.get(command.account), books.markets.get(command.market)
        if account is None or account["role"] != CUSTOMER:
            return UNKNOWN_ACCOUNT
        before = books.client_keys.get((command.account, command.client_key)) if command.client_key else None
        if before is not None:
            same = books.orders[before]["fingerprint"] == command.fingerprint
            return "it exists" if same else EXISTS_WITH_DIFFERENT_TERMS
        if command.order_type != 1:
            return INVALID_ORDER_TYPE
        if market is None:
            return UNKNOWN_MARKET
        if command.side == BUY:
            if command.kind != CASH or command.size <= 0 or tradeable(command.size, books.terms.fee_bps) <= 0:
                return INVALID_AMOUNT
            room = books.available((command.account, market["currency"]))
            return "" if command.size <= room else INSUFFICIENT_FUNDS
        if command.kind != UNITS or command.size <= 0 or command.size % market["increment"]:
            return INVALID_AMOUNT
        room = books.free((command.account, market["unit"]))
        return "" if command.size <= room else INSUFFICIENT_UNITS

    def _reason_against_transfer(self, command: Transfer) -> str:
        books = self.books
        asset = next((number for number, known in books.assets.items() if known["name"] == command.asset), None)
        if asset is None:
            return UNKNOWN_ASSET
        if command.payer not in books.accounts or command.payee not in books.accounts:
            return UNKNOWN_ACCOUNT
        if command.payer == command.payee:
            return SAME_ACCOUNT
        if command.amount <= 0:
            return INVALID_AMOUNT
        if books.accounts[command.payer]["role"] == CUSTOMER and books.free((command.payer, asset)) < command.amount:
            return INSUFFICIENT_FUNDS
        return ""

    def _judge_subscriber(self, subscriber: Subscriber) -> None:
        for index in range(subscriber.judged, len(subscriber.seen)):
            entry = subscriber.seen[index]
            right = subscriber.due[index] if index < len(subscriber.due) else None
            detail = f"{subscriber.name} saw entry {entry.sequence} when {right} was next"
            require(entry.sequence == right, "subscriber", detail)
            detail = f"{subscriber.name} saw another entry {entry.sequence} than the journal's"
            require(entry == self.books.entries[entry.sequence - 1], "subscriber", detail)
        subscriber.judged = len(subscriber.seen)


def _owe(subscriber: Subscriber, entry: Entry) -> None:
    touched = entry.links[::2]
    if any(key in touched for key in subscriber.keys):
        subscriber.due.append(entry.sequence)


def _is_unknown(answer: Answer) -> bool:
    """Whether it leaves open what became of the command: only then may it have been carried out."""
    return isinstance(answer, Refused) and answer.code == OUTCOME_UNKNOWN


def _carries_out(entry: Entry, command: Any, answer: Accepted) -> bool:
    event: Any = entry.events[0]
    if isinstance(command, PlaceOrder):
        return isinstance(event, OrderPlaced) and event.order == answer.number and _same(event, command, _ORDER_TERMS)
    if isinstance(command, Transfer):
        return isinstance(event, Transferred) and _same(event, command, ("payer", "payee", "amount"))
    if isinstance(command, CancelOrders):
        return bool(event.request == answer.number and event.orders == command.orders)
    return bool(event.name == command.name)


_ORDER_TERMS: Final = ("account", "market", "side", "order_type", "kind", "size", "client_key", "fingerprint")


def _same(event: Any, command: Any, names: Iterable[str]) -> bool:
    return all(getattr(event, name) == getattr(command, name) for name in names)
