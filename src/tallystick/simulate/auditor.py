"""The auditor: it hears what the world hears, and objects to whatever breaks one of the rules.

It stands outside of the venue. What it hears (answers, entries revealed to subscribers, what a restart finds) it only
notes at the time, because an objection inside a callback would be the callback's failure; ``judge`` then goes through
the notes in order.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from msgspec import Struct

from tallystick.facts.codes import EXISTS_WITH_DIFFERENT_TERMS, OUTCOME_UNKNOWN, OVERLOADED, STORAGE_UNAVAILABLE
from tallystick.facts.commands import Accepted, Answer, Exists, Hold, PlaceOrder, Quote, Refused
from tallystick.facts.venue import Entry, OrderRefused, decode
from tallystick.simulate.books import Books
from tallystick.simulate.entry_rules import take
from tallystick.simulate.outcomes import carries_out
from tallystick.simulate.refusal_rules import EXISTS, NOTHING, ON_RECORD, reasons
from tallystick.simulate.terms import Terms
from tallystick.simulate.violation import require

_REPEATED: Final = {EXISTS, EXISTS_WITH_DIFFERENT_TERMS}


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
        self._times: Final[dict[str, int]] = {}
        self._answers: Final[dict[str, Answer]] = {}
        self._outstanding: Final[dict[str, None]] = {}
        self._entry_of: Final[dict[str, Entry]] = {}
        self._bodies: Final[list[bytes]] = []

    # --- What it hears ---

    def asked(self, command: Any, now: int) -> None:
        """This was asked of the venue at ``now``, as it told the time."""
        self._asked[command.by] = command
        self._times[command.by] = now
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
        self.books.prices = self.books.holds = None
        for body in bodies[len(entries) :]:
            self._take(decode(body))
        self.books.forget_the_moment()
        self._bodies[:] = bodies

    def reloaded(self) -> None:
        """The venue has begun anew from what is durable, and everything else was answered. Raises Violation."""
        self.flushed()
        self.books.forget_the_moment()

    def finish(self, bodies: Sequence[bytes]) -> None:
        """The faults have stopped, everything was given its time. Raises Violation."""
        self.flushed()
        self.restarted(bodies)
        for tag, answer in self._answers.items():
            if isinstance(answer, Refused | Exists) and not _is_unknown(answer):
                detail = f"{self._asked[tag]} was answered {answer} and carried out"
                require(self._is_on_record(tag, answer) or tag not in self._entry_of, "refused", detail)
            elif isinstance(answer, Accepted) and not isinstance(self._asked[tag], Quote | Hold):
                require(tag in self._entry_of, "lost", f"{self._asked[tag]} was acknowledged and is gone")
        books = self.books
        for number, order in books.orders.items():
            over = order["status"] in {"settled", "cancelled"}
            require(over, "finished", f"order {number} is {order['status']} and nothing is due any more")
        for number, trade in books.trades.items():
            require(trade["status"] == "settled", "finished", f"trade {number} is {trade['status']}")
        for number, request in books.requests.items():
            require(request["finished"], "finished", f"request {number} is not finished and nothing is due any more")

    # --- How it judges ---

    def _take(self, entry: Entry) -> None:
        tag = entry.cause.by
        command = self._asked.get(tag)
        if tag:
            require(command is not None, "sequence", f"entry {entry.sequence} is by {tag!r}, who never asked")
            twice = f"{tag} was carried out in entry {entry.sequence} and before"
            require(tag not in self._entry_of, "acknowledged", twice)
            self._judge_entry(entry, command)
            self._entry_of[tag] = entry
        take(self.books, entry, command)
        for subscriber in self.subscribers:
            _owe(subscriber, entry)

    def _judge_entry(self, entry: Entry, command: Any) -> None:
        """It may be carried out, by what the books say before it; or there is this to say against it."""
        self.books.begin(entry, command)
        right = reasons(self.books, command)
        first = entry.events[0]
        if isinstance(first, OrderRefused):
            detail = f"{command} was refused for {first.code}, and right is {right}"
            require(not _REPEATED & {*right}, "once", detail)
            require(first.code in ON_RECORD and first.code in right, "refused", detail)
        elif right:
            detail = f"{command} was carried out, and right is {right}"
            require(not _REPEATED & {*right}, "once", detail)
            require(NOTHING in right, "allowed", detail)

    def _judge_answer(self, note: Answered) -> None:
        tag, answer = note.tag, note.answer
        command = self._asked[tag]
        require(tag not in self._answers, "answered", f"{command} was answered {self._answers.get(tag)} and {answer}")
        self._answers[tag] = answer
        self._outstanding.pop(tag, None)
        self.books.command, self.books.now = command, max(self._times[tag], self.books.ended + 1)
        if isinstance(answer, Refused):
            if answer.code not in {STORAGE_UNAVAILABLE, OUTCOME_UNKNOWN, OVERLOADED}:
                self._judge_refusal(command, answer)
        elif isinstance(answer, Exists):
            self._judge_repetition(command, answer)
        elif isinstance(command, Quote | Hold):
            require(NOTHING in reasons(self.books, command), "allowed", f"{command} was carried out")
            self._note_moment(command)
        else:
            entry = self._entry_of.get(tag)
            detail = f"{command} was acknowledged before its entry was revealed; the journal ended at {note.durable}"
            require(entry is not None, "acknowledged", detail)
            assert entry is not None
            require(carries_out(entry, command, answer), "acknowledged", f"{command} became {entry.events[0]}")

    def _judge_refusal(self, command: Any, answer: Refused) -> None:
        """Everything decided before it has been revealed, and nothing after it: the books are what it was judged by."""
        if self._is_on_record(command.by, answer):
            return
        require(command.by not in self._entry_of, "refused", f"{command} was answered {answer} and carried out")
        right = reasons(self.books, command)
        detail = f"{command} was refused for {answer.code}, and right is {right}"
        is_repetition = _REPEATED & {answer.code, *right}
        require(not right or answer.code in right, "once" if is_repetition else "refused", detail)
        if isinstance(command, PlaceOrder) and answer.code in ON_RECORD and command.client_key:
            used = self.books.used(command.account, command.client_key)
            words = (answer.code, answer.detail, answer.field)
            good = used is not None and used.get("refused") == words
            require(good, "once", f"{command} was refused with {words}, and its key stands for {used}")

    def _judge_repetition(self, command: Any, answer: Exists) -> None:
        right = reasons(self.books, command)
        require(right == (EXISTS,), "once", f"{command} was answered {answer}, and right is {right}")
        if isinstance(command, PlaceOrder):
            use = self.books.keys[command.account, command.client_key]
            detail = f"{command} was answered {answer}, and its key stands for {use}"
            require(use["order"] == answer.number > 0, "once", detail)

    def _is_on_record(self, tag: str, answer: Answer) -> bool:
        """Whether the refusal stands in the journal, in these words."""
        entry = self._entry_of.get(tag)
        if entry is None or not isinstance(answer, Refused):
            return False
        first = entry.events[0]
        words = (answer.code, answer.detail, answer.field)
        return isinstance(first, OrderRefused) and words == (first.code, first.detail, first.field)

    def _note_moment(self, command: Quote | Hold) -> None:
        """The price is now this, or the stage is held now, or no longer."""
        books = self.books
        assert books.prices is not None
        assert books.holds is not None
        if isinstance(command, Quote):
            books.prices[command.market] = (command.price, books.now)
        elif command.release:
            books.holds.discard((command.stage, command.market))
        else:
            books.holds.add((command.stage, command.market))

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
