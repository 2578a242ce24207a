"""A tracker without a shell, for tests: one venue, one market, a second fold fed with bytes, and scenarios in text.

A line of a scenario is what happens, what listeners are told (``|``), and what is believed then (``=``)::

    place 10                 |                     = SUBMITTED
    open                     | Created             = OPEN
    fill a 4                 | Filled a            = OPEN 4
    filled of 10 @9          | Updated(status)     = FILLED 4

Each line happens a second after the one before it, and speaks of that moment unless ``@`` names another second. Words
of the venue carry both ids, fills only the venue's; ``by client`` and ``by venue`` say otherwise.
"""

from tallystick.core.lifecycle import (
    CANCEL_OUTCOME_NAMES,
    DONE,
    ORDER_STATUS_NAMES,
    REFUSED,
    REQUESTED,
    SUBMITTED,
    TRADE_STATUS_NAMES,
    UNKNOWN,
)
from tallystick.facts.client import Announced, Entry, decode, encode
from tallystick.facts.client_codes import (
    ANNOUNCEMENT_FLAG_NAMES,
    ANNOUNCEMENT_NAMES,
    BY_BOTH,
    CERTAINTY_NAMES,
    CHANGE_NAMES,
    COMPLETED,
    CONFIRMED,
    CREATED,
    FAILED,
    FILLED,
    LATE,
    UPDATED,
)
from tallystick.facts.client_records import OrderRecord, decode_record
from tallystick.facts.client_terms import VenueJoined
from tallystick.facts.codes import BUY, LIMIT_ORDER, UNITS
from tallystick.tracker.agenda import QUESTION_NAMES, Patience
from tallystick.tracker.fold import fold
from tallystick.tracker.observations import (
    ANSWER,
    CANCEL_NOT_FOUND,
    SNAPSHOT,
    STREAM,
    SUBMIT,
    UNKNOWN_STATUS,
    AllFills,
    Amendment,
    Cancel,
    CancelReport,
    FillReport,
    Gap,
    JoinVenue,
    ListMarket,
    NotFound,
    Observation,
    OpenOrders,
    OrderReport,
    Place,
    Refusal,
    TradeReport,
    Unanswered,
)
from tallystick.tracker.snapshot import belief_of, dump, load, order_record, state_hash
from tallystick.tracker.state import State
from tallystick.tracker.tracker import Tracker

SECOND = 1_000_000
BEGIN = 1_700_000_000 * SECOND
VENUE, MARKET = 1, 1
CLIENT_ID, VENUE_ID = "c1", "v1"
CANCEL_WORDS = {
    "requested": REQUESTED,
    "done": DONE,
    "refused": REFUSED,
    "unknown": UNKNOWN,
    "not-found": CANCEL_NOT_FOUND,
}


def profile(completion: int = BY_BOTH, **more: int) -> VenueJoined:
    return VenueJoined(0, 0, "venue", completion, **more)


class Desk:
    """``told`` are the announcements so far as (order, text); ``thorough`` folds and restores every entry again."""

    def __init__(self, terms: VenueJoined | None = None, *, thorough: bool = True, patience: Patience | None = None):
        self.patience = patience or Patience()
        self.tracker = Tracker(patience=self.patience)
        self.readers = State()
        self.readers.left = []
        self.kept: dict[str, OrderRecord] = {}
        self.entries: list[Entry] = []
        self.told: list[tuple[int, str]] = []
        self.thorough = thorough
        self.now = BEGIN
        self.do(JoinVenue(profile() if terms is None else terms))
        self.do(ListMarket(VENUE, "ACME-USD", "ACME", "USD", 2, 3, 2))

    def join(self, terms: VenueJoined) -> None:
        """The venue's connector declares this from now on."""
        self.do(JoinVenue(terms))

    @property
    def state(self) -> State:
        return self.tracker.state

    def order(self, client_id: str = CLIENT_ID):
        return self.state.venues[VENUE].by_client[client_id]

    def do(self, given, now: int = 0) -> Entry | None:
        """Decide it, as a shell does: with what was kept of an order that has left."""
        known = None
        if isinstance(given, Observation) and self.tracker.is_unknown(given):
            known = self.kept.get(given.client_id) or self.kept.get(given.venue_id)
        entry = self.tracker.decide(given, now or self.now, known)
        self._keep(entry)
        while 0 < self.tracker.next_due() <= self.now:
            entry = self.tracker.wake(self.now)
            if entry is None:
                break
            self._keep(entry)
        return entry

    def wake(self) -> None:
        while (entry := self.tracker.wake(self.now)) is not None:
            self._keep(entry)

    def restart(self) -> None:
        """A new tracker on the same journal; what was ambient is gone."""
        tracker = Tracker(patience=self.patience)
        tracker.recover((decode(encode(entry)) for entry in self.entries), self.now)
        assert state_hash(tracker.state) == state_hash(self.state)
        self.tracker = tracker

    def belief(self, client_id: str = CLIENT_ID) -> bytes:
        return encode(belief_of(self.order(client_id)))

    def announcements(self, client_id: str = CLIENT_ID) -> list[str]:
        number = self.order(client_id).number
        return [text for order, text in self.told if order == number]

    def _keep(self, entry: Entry | None) -> None:
        if entry is None:
            return
        self.entries.append(entry)
        self.told += [(event.order, announcement(event)) for event in entry.events if type(event) is Announced]
        if not self.thorough:
            return
        body = encode(entry)
        assert decode(body) == entry
        fold(self.readers, decode(body))
        for order in self.readers.left or ():
            record = decode_record(encode(order_record(order)))
            self.kept.update(dict.fromkeys((order.client_id, *order.ids()), record))
        self.readers.left = []
        assert list(dump(self.readers)) == list(dump(self.state))
        again = load(decode_record(encode(record)) for record in dump(self.readers))
        assert list(dump(again)) == list(dump(self.state))
        check_grammar(self.entries)

    # --- Scenarios ---

    def play(self, scenario: str) -> None:
        """Let each line happen, and see what it says."""
        for line in filter(None, map(str.strip, scenario.splitlines())):
            act, _, believed = line.partition("=")
            act, _, expected = act.partition("|")
            told = len(self.told)
            self.now += SECOND
            self.act(act.split())
            found = " ".join(text for _, text in self.told[told:])
            assert found == " ".join(expected.split()), f"{line}: {found}"
            if believed:
                assert self.believed() == " ".join(believed.split()), f"{line}: {self.believed()}"

    def believed(self) -> str:
        """STATUS [CERTAINTY] [consumed]"""
        order = self.order()
        words = [ORDER_STATUS_NAMES[order.status]]
        if order.certainty != CONFIRMED:
            words.append(CERTAINTY_NAMES[order.certainty])
        if order.consumed:
            words.append(str(order.consumed))
        return " ".join(words)

    def act(self, words: list[str]) -> None:
        verb = words[0]
        as_of = next((BEGIN + int(word[1:]) * SECOND for word in words if word.startswith("@")), self.now)
        ids = (
            {"client": (CLIENT_ID, ""), "venue": ("", VENUE_ID)}[words[words.index("by") + 1]]
            if "by" in words
            else None
        )
        both, by_venue = ids or (CLIENT_ID, VENUE_ID), ids or ("", VENUE_ID)
        if verb == "place":
            self.do(place(int(words[1])))
        elif verb.upper() in ORDER_STATUS_NAMES:
            origin = SUBMIT if ids == (CLIENT_ID, "") else STREAM
            status = ORDER_STATUS_NAMES.index(verb.upper())
            of, worth, pending = (after(words[1:], name) for name in ("of", "worth", "pending"))
            self.do(OrderReport(VENUE, *both, as_of, origin, status, of, notional=worth, pending=pending))
        elif verb == "word":
            self.do(OrderReport(VENUE, *both, as_of, STREAM, UNKNOWN_STATUS, word=words[1]))
        elif verb == "fill":
            state = next((word for word in words[3:] if word.upper() in TRADE_STATUS_NAMES), "executed")
            self.do(fill(words[1], int(words[2]), as_of, *by_venue, state=TRADE_STATUS_NAMES.index(state.upper())))
        elif verb == "trade":
            self.do(TradeReport(VENUE, "", "", as_of, STREAM, words[1], TRADE_STATUS_NAMES.index(words[2].upper())))
        elif verb == "refused":
            lived = words[words.index("or") + 1] if "or" in words else "rejected"
            lived_status = ORDER_STATUS_NAMES.index(lived.upper())
            self.do(Refusal(VENUE, CLIENT_ID, "", as_of, SUBMIT, words[1], "No.", lived_status))
        elif verb == "identified":
            self.do(OrderReport(VENUE, CLIENT_ID, VENUE_ID, 0, SUBMIT, SUBMITTED))
        elif verb == "unanswered":
            self.do(Unanswered(VENUE, CLIENT_ID, "", as_of, SUBMIT, "timeout"))
        elif verb == "cancel" and (len(words) == 1 or words[1] not in CANCEL_WORDS):
            self.do(Cancel(VENUE, CLIENT_ID))
        elif verb == "cancel":
            self.do(CancelReport(VENUE, *both, as_of, ANSWER, CANCEL_WORDS[words[1]], "because"))
        elif verb == "not-found":
            self.do(NotFound(VENUE, *both, as_of, ANSWER, "complete" in words))
        elif verb == "snapshot":
            reports = [OrderReport(VENUE, "", VENUE_ID, as_of, SNAPSHOT, 3)] if "with" in words else []
            at = words.index("fill") if "fill" in words else 0
            fills = [fill(words[at + 1], int(words[at + 2]), as_of)] if at else []
            self.do(OpenOrders(VENUE, as_of, reports, fills, "complete" in words))
        elif verb == "amended":
            self.do(Amendment(VENUE, *both, as_of, STREAM, int(words[1]), 100))
        elif verb == "all-fills":
            self.do(AllFills(VENUE, *both, as_of, ANSWER))
        elif verb == "gap":
            self.do(Gap(VENUE, "orders", as_of, "cut off"))
        elif verb == "wait":
            self.now += int(words[1]) * SECOND
            self.wake()
        elif verb == "restart":
            self.restart()
        elif verb == "asks":
            asked = self.tracker.questions(self.now, 100)
            found = [QUESTION_NAMES[question.what] for question in asked]
            assert found == " ".join(words[1:]).split(", ") if words[1:] != ["nothing"] else not found, found
        elif verb == "trusted":
            assert self.state.venues[VENUE].is_trusted is (words[1] == "yes")
        elif verb == "leaves":
            assert self.order().leaves == int(words[1]), self.order().leaves
        elif verb == "settled?":
            assert self.order().is_settled is (words[1] == "yes")
        else:
            raise AssertionError(f"{verb} is nothing that can happen")


def after(words: list[str], name: str) -> int:
    """The number after this word, -1 where there is none."""
    return int(words[words.index(name) + 1]) if name in words else -1


def place(size: int, client_id: str = CLIENT_ID, tolerance: int = 0) -> Place:
    return Place(VENUE, client_id, MARKET, BUY, LIMIT_ORDER, UNITS, size, 100, tolerance)


def fill(trade: str, consumed: int, as_of: int, client_id: str = "", venue_id: str = VENUE_ID, **more) -> FillReport:
    return FillReport(
        VENUE, client_id, venue_id, as_of, STREAM, trade, consumed, consumed, consumed * 100, 100, 1, "USD", 2, **more
    )


def announcement(event: Announced) -> str:
    """Created, Filled a, Filled a(late), Updated(status cancel)"""
    words = [name for bit, name in enumerate(ANNOUNCEMENT_FLAG_NAMES) if event.flags & 1 << bit]
    words += [name for bit, name in enumerate(CHANGE_NAMES) if event.changed & 1 << bit]
    return ANNOUNCEMENT_NAMES[event.what] + (f" {event.trade}" if event.trade else "") + _brackets(words)


def _brackets(words: list[str]) -> str:
    return f"({' '.join(words)})" if words else ""


def check_grammar(entries: list[Entry]) -> None:
    """Per order: Created (unless refused) < Filled* < one end; later fills are late; nothing is said twice."""
    said: dict[int, list[Announced]] = {}
    for entry in entries:
        for event in entry.events:
            if type(event) is Announced and event.what != UPDATED:
                said.setdefault(event.order, []).append(event)
    for events in said.values():
        ends = [at for at, event in enumerate(events) if COMPLETED <= event.what <= FAILED]
        created = [at for at, event in enumerate(events) if event.what == CREATED]
        trades = [event.trade for event in events if event.what == FILLED]
        assert len(ends) <= 1
        assert created == ([] if events[0].what == FAILED else [0])
        assert len(trades) == len(set(trades))
        for at, event in enumerate(events):
            if event.what == FILLED:
                assert bool(event.flags & LATE) == bool(ends and ends[0] < at)


assert len(CANCEL_OUTCOME_NAMES) == 4
