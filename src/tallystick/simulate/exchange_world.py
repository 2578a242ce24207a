"""The world of an exchange, drawn from one seed: traders, a virtual clock, a disk that fails, and an auditor.

One thread, no real time. At the end the faults stop, everything that has a time ends, and all folds must agree.
"""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.rules import BluefinRules
from tallystick.facts import records
from tallystick.facts.codes import BUY, SELL
from tallystick.facts.commands import Accepted, Answer, Known, Quote
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.errors import JournalUnavailable, wrote_nothing
from tallystick.sequencer import WAKE_EVENTS_MAX, WAKES_MAX
from tallystick.simulate.dump import require_equal
from tallystick.simulate.exchange_books import ExchangeBooks
from tallystick.simulate.exchange_rules import ExchangeRules
from tallystick.simulate.exchange_workload import ExchangeWorkload
from tallystick.simulate.faults import Crash, Disk, Snapshot
from tallystick.simulate.process import VENUE, Parts, Process
from tallystick.simulate.terms import BEGIN_US, SECOND_US
from tallystick.simulate.violation import require
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import load, state_hash
from tallystick.venue.state import State

STEPS_MIN: Final = 40
STEPS_MAX: Final = 140
SPANS_US: Final = (0, 1, 1000, SECOND_US, 10 * SECOND_US, 90 * SECOND_US, 3600 * SECOND_US)
REST_ROUNDS: Final = 1000

Note = Callable[[str], None]


class ExchangeParts(Parts):
    """What a process of an exchange is made of; ``terms`` are the orders that an account may have on one side."""

    def engine(self, terms: Any, state: State | None = None) -> Any:
        return Engine(BluefinRules(Policy(orders_max=terms)), state)


class ExchangeWorld:
    """``note`` is told every step, as it happens; ``digest`` covers all of them, and the entries."""

    def __init__(self, seed: int, parts: Parts, note: Note | None = None) -> None:
        self.random: Final = Random(seed)
        self.workload: Final = ExchangeWorkload(self.random)
        self.steps = 0
        self.crashes = 0
        self._books: Final = ExchangeBooks(self.workload.orders_max)
        self._rules: Final = ExchangeRules(self._books)
        self._bodies: Final[list[bytes]] = []
        self._heard: Final[list[Entry]] = []
        self._commands: Final[dict[str, tuple[Any, dict[int, int] | None]]] = {}
        self._marks: dict[int, int] = {}
        self._decided: list[tuple[str, Any, int, Any]] = []
        self._disk: Final = Disk(self.random, self.random.choice((0, 0.02, 0.05, 0.15)))
        self._parts: Final = parts if isinstance(parts, ExchangeParts) else ExchangeParts()
        self._note: Final = note
        self._hasher: Final = blake2b(digest_size=16)
        self._wall_us = BEGIN_US
        self._monotonic_ns = 1
        self._process = self._boot()

    @property
    def entries(self) -> int:
        return len(self._bodies)

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def run(self) -> None:
        """From the first command to rest; raises Violation."""
        while (command := self.workload.missing(self._process.readers.state)) is not None:
            self._survive(partial(self._ask, command))
        for _ in range(self.random.randint(STEPS_MIN, STEPS_MAX)):
            self._survive(self._step)
        self._come_to_rest()
        self._compare()

    # --- Steps ---

    def _ask(self, command: Any) -> None:
        self._submit(command)
        self._flush()

    def _survive(self, step: Callable[[], Any]) -> None:
        """Take a step; if it kills the process, or stops the venue, begin another life."""
        self.steps += 1
        try:
            step()
        except Crash as crash:
            self._say(f"crash: {crash}")
            self._restart()
        error = self._process.sequencer.stopped
        good = error is None or error is self._process.journal.fault
        require(good, "stopped", f"the venue stopped: {error!r}")
        if error is None:
            return
        self._flush()
        if wrote_nothing(error) and self.random.random() < 0.6:
            self._begin_anew()
        else:
            self._restart()

    def _step(self) -> None:
        random = self.random
        chance = random.random()
        if chance < 0.75:
            for _ in range(random.choice((1, 1, 2, 3, 10))):
                self._submit(self.workload.command(self._process.readers.state))
        elif chance < 0.92:
            self._pass_time(random.choice(SPANS_US))
        elif chance < 0.95 and self._disk.faulty:
            raise Crash("at rest")
        else:
            state = self._process.readers.state
            self._disk.keep_snapshot(Snapshot(state.sequence, self._parts.snapshot(state)))
        if random.random() < 0.8:
            self._wake()
        if random.random() < 0.6:
            self._flush()

    def _submit(self, command: Any) -> None:
        tag = f"c{len(self._commands) + 1}"
        command = replace(command, by=tag)
        now = self._now()
        self._say(f"{now} {tag} {command}")
        process = self._process
        if isinstance(command, Quote) and process.sequencer.stopped is None:
            self._marks[command.market] = command.price
        self._commands[tag] = (command, dict(self._marks))
        known = self._known(process, command)
        if process.sequencer.stopped is None:
            self._decided.append(("decide", command, now, known))

        def answered(answer: Answer, _state: State) -> None:
            self._say(f"{tag} {answer}")
            if isinstance(answer, Accepted) and not isinstance(command, Quote):
                heard = any(entry.cause.by == tag for entry in self._heard)
                require(heard, "acknowledged", f"{tag} is carried out, and no entry of it is durable")

        process.sequencer.submit(command, now, answered, known)

    def _known(self, process: Process, command: Any) -> Known:
        return self._parts.known(process.readers, command)

    def _pass_time(self, duration_us: int) -> None:
        self._wall_us += duration_us
        self._monotonic_ns += duration_us * 1000
        self._say(f"{duration_us} µs pass")

    def _wake(self) -> None:
        sequencer, now = self._process.sequencer, self._now()
        while 0 < sequencer.next_due() <= now:
            self._decided.append(("wake", None, now, None))
            sequencer.wake(now)
            if self.random.random() < 0.05:
                break

    def _flush(self) -> None:
        self._process.flush()
        self._judge()

    def _now(self) -> int:
        return self._process.clock.read(self._wall_us, self._monotonic_ns)

    def _judge(self) -> None:
        """Go through what was heard, in order."""
        heard, self._heard[:] = list(self._heard), []
        for entry in heard:
            self._take(entry)

    def _take(self, entry: Entry) -> None:
        require(entry.sequence == len(self._bodies) + 1, "sequence", f"{entry.sequence} follows {len(self._bodies)}")
        require(1 <= len(entry.events) <= 1024, "sequence", f"entry {entry.sequence} has {len(entry.events)} events")
        last = decode(self._bodies[-1]) if self._bodies else None
        later = last is None or entry.time > last.time + len(last.events) - 1
        require(later, "time", f"entry {entry.sequence} is not later than the one before")
        self._bodies.append(encode(entry))
        command, marks = self._commands.get(entry.cause.by, (None, None))
        self._books.marks = marks
        self._rules.take(entry, command)

    # --- Lives ---

    def _boot(self) -> Process:
        process = Process(self._parts, self.workload.orders_max, self._disk)  # type: ignore[arg-type]  # its own terms
        self._marks = {}
        self._say(f"a process begins with {len(process.bodies)} entries, and the snapshot of {process.began}")
        kept = process.bodies[: len(self._bodies)]
        require(kept == self._bodies, "lost", "what was durable once is not there any more")
        for body in process.bodies[len(self._bodies) :]:
            self._take(decode(body))
        process.listen(lambda entry, _state: self._heard.append(entry))
        return process

    def _restart(self) -> None:
        self._judge()
        self.crashes += 1
        self._process = self._boot()
        self._decided.append(("restart", None, len(self._process.bodies), None))
        state = self._process.readers.state
        self._require_agrees(state)
        restored = load(map(records.decode, self._parts.snapshot(state)))
        require_equal(restored, state, "a snapshot")
        require(state_hash(restored) == state_hash(state), "replay", "a snapshot has another hash")

    def _begin_anew(self) -> None:
        """The disk has room again: the same process goes on from what is durable."""
        try:
            self._process.begin_anew()
        except JournalUnavailable:
            return
        self._marks = {}
        self._decided.append(("restart", None, self._process.readers.state.sequence, None))

    # --- The end ---

    def _come_to_rest(self) -> None:
        """No more faults: time passes until nothing is due, and what has a time has ended."""
        self._disk.faulty = False
        if self._process.sequencer.stopped is not None:
            self._restart()
        for _ in range(REST_ROUNDS):
            self._flush()
            due = self._process.sequencer.next_due()
            if due == 0:
                break
            self._pass_time(max(0, due - self._now()) * 10 // 9 + 1)
            self._wake()
        for order in self._books.orders.values():
            over = order["status"] == "closed" or not order["with"].expires
            require(over and order["status"] != "reached", "finished", f"order {order['number']} is {order['status']}")
        left = list(self._process.readers.state.sweeps)
        require(not left, "finished", f"requests {left} are not finished")

    def _compare(self) -> None:
        """Every fold of the same entries gives the same state, and the same commands give the same entries."""
        bodies = [body for _, body in self._process.journal.read(VENUE)]
        require(bodies == self._bodies, "revealed", "what was revealed is not what is durable")
        replayed = State()
        for body in bodies:
            self._hasher.update(body)
            fold(replayed, decode(body))
        hashes = {state_hash(state) for state in (replayed, self._process.readers.state, self._process.engine.state)}
        require(len(hashes) == 1, "replay", "the folds of the same entries differ")
        self._require_agrees(replayed)
        again = self._decide_again()
        require(again == bodies, "decided again", "the same commands give other entries")

    def _decide_again(self) -> list[bytes]:
        bodies: list[bytes] = []
        engine = ExchangeParts().engine(self.workload.orders_max)
        for kind, command, now, known in self._decided:
            if kind == "restart":
                bodies = bodies[:now]
                engine = ExchangeParts().engine(self.workload.orders_max)
                engine.recover(decode(body) for body in bodies)
                continue
            if kind == "decide":
                entries = [engine.decide(command, now, known).entry]
            else:
                entries = self._woken(engine, now)
            bodies += [encode(entry) for entry in entries if entry is not None]
        return bodies

    def _woken(self, engine: Any, now: int) -> list[Entry]:
        """As a sequencer wakes: some at a time."""
        found: list[Entry] = []
        events = 0
        while len(found) < WAKES_MAX and events < WAKE_EVENTS_MAX:
            entry = engine.wake(now)
            if entry is None:
                break
            events += len(entry.events)
            found.append(entry)
        return found

    def _require_agrees(self, state: State) -> None:
        """The venue's state is what the auditor's books say."""
        books = self._books
        for number, market in state.markets.items():
            mine = [*books.queue(number, BUY), *books.queue(number, SELL)]
            found = market.book.orders()
            require(found == mine, "turn", f"market {number} has {found} resting, and should have {mine}")
            traded = books.markets[number]["traded"]
            require(market.traded == traded, "replay", f"market {number} traded at {traded}, not {market.traded}")
            standing = sorted(market.standby.orders())
            expected = sorted(n for n, o in books.orders.items() if o["status"] == "standby" and o["market"] == number)
            require(standing == expected, "trigger", f"in market {number} {standing} stand by, and {expected} should")
        for number, account in state.accounts.items():
            for asset, balance in account.book.balances.items():
                right = (books.settled[number, asset], books.reserved(number) if asset == 1 else 0)
                found_ = (balance.settled, balance.reserved)
                require(found_ == right, "replay", f"account {number} has of {asset} {found_}, and should have {right}")

    def _say(self, line: str) -> None:
        self._hasher.update(line.encode())
        if self._note is not None:
            self._note(line)
