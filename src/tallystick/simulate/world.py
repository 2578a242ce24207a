"""The world of one run, drawn from one seed: a venue on a virtual clock, its disk, its customers and its misfortunes.

One thread, no real time. At the end the faults stop, and everything must come to rest.
"""

from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.facts import records
from tallystick.facts.codes import COMPLIANCE, EXECUTING_STAGE, NOT_TRADING, SUSPENDED
from tallystick.facts.commands import Answer, ChangeAccount, ChangeMarket, ClearPrerequisite, Hold, Quote
from tallystick.facts.venue import Entry, decode
from tallystick.journal.errors import JournalUnavailable, wrote_nothing
from tallystick.simulate.auditor import Auditor, Subscriber
from tallystick.simulate.dump import require_agrees, require_equal, require_order_agrees
from tallystick.simulate.faults import Crash, Disk, Snapshot
from tallystick.simulate.process import VENUE, Parts, Process
from tallystick.simulate.record import Recording, Restarted, Submitted, Woken, decide_again
from tallystick.simulate.terms import BEGIN_US, HOUR_US, SECOND_US
from tallystick.simulate.violation import Violation, require
from tallystick.simulate.workload import Workload
from tallystick.venue.calendar import DAY_US
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import load
from tallystick.venue.state import State

STEPS_MIN: Final = 30
STEPS_MAX: Final = 110
REST_ROUNDS_MAX: Final = 20_000
CROWD_MIN: Final = 1001
CROWD_MAX: Final = 1300
SPANS_US: Final = (0, 1, 1000, SECOND_US, 30 * SECOND_US, HOUR_US, 7 * HOUR_US, DAY_US, 3 * DAY_US)

Note = Callable[[str], None]


class World:
    """``note`` is told every step, as it happens; ``digest`` covers all of them, and the entries."""

    def __init__(self, seed: int, parts: Parts, note: Note | None = None) -> None:
        self.random: Final = Random(seed)
        self.workload: Final = Workload(self.random)
        self.terms: Final = self.workload.terms
        self.auditor: Final = Auditor(self.terms)
        self.recording: Final = Recording(self.terms, [])
        self.steps = 0
        self.crashes = 0
        self._disk: Final = Disk(self.random, self.random.choice((0, 0.02, 0.05, 0.15)))
        self._parts: Final = parts
        self._note: Final = note
        self._hasher: Final = blake2b(digest_size=16)
        self._wall_us = BEGIN_US + self.random.randrange(7 * DAY_US)
        self._monotonic_ns = self.random.randrange(10**12)
        self._commands = 0
        self._say(f"terms {self.terms}")
        self._process = self._boot()

    @property
    def entries(self) -> int:
        return len(self.auditor.books.entries)

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def run(self) -> None:
        """From the first command to rest; raises Violation."""
        self._set_up()
        self._subscribe()
        steps = self.random.randint(STEPS_MIN, STEPS_MAX)
        crowded_at = self.random.randrange(steps // 4) if self.workload.crowded else -1
        for step in range(steps):
            self._survive(self._crowd if step == crowded_at else self._step)
        self._come_to_rest()
        self._compare()

    # --- Steps ---

    def _set_up(self) -> None:
        while (command := self.workload.missing(self._process.readers.state)) is not None:
            self._survive(partial(self._ask, command))

    def _ask(self, command: Any) -> None:
        self._submit(command)
        self._flush()

    def _subscribe(self) -> None:
        state = self._process.readers.state
        customers = [state.account_named[name].number for name in self.workload.customers]
        keys: list[tuple[int, ...]] = [(account_key(number),) for number in customers]
        keys += [(market_key(number),) for number in state.markets]
        keys += [(*[account_key(number) for number in customers], order_key(1), market_key(1))]
        keys += [(order_key(self.random.randint(1, 20)),) for _ in range(3)]
        for at, some in enumerate(keys):
            subscriber = Subscriber(f"subscriber {at} of {some}", some)
            self.auditor.subscribe(subscriber)
            self._process.connect(subscriber)

    def _survive(self, step: Callable[[], Any]) -> None:
        """Take a step; if it kills the process, begin another life; if it stops the venue, that or begin anew."""
        self.steps += 1
        try:
            step()
        except Crash as crash:
            self._say(f"crash: {crash}")
            self._restart()
        self._check_stopped()
        error = self._process.sequencer.stopped
        if error is None or self.random.random() < 0.3:
            return
        self._flush()
        if wrote_nothing(error) and self.random.random() < 0.6:
            self._begin_anew()
        else:
            self._say("restart of a stopped venue")
            self._restart()

    def _step(self) -> None:
        random = self.random
        chance = random.random()
        if chance < 0.55:
            for _ in range(random.choice((1, 1, 1, 2, 3, 10))):
                command = self.workload.command(self._process.readers.state)
                self._submit(command)
                for next_command in self.workload.operators.just_after(command, self._process.readers.state):
                    self._submit(next_command)
        elif chance < 0.80:
            self._pass_time(random.choice(SPANS_US))
        elif chance < 0.84:
            self._wall_us += random.choice((-1, 1)) * random.choice((1, SECOND_US, HOUR_US, 3 * DAY_US))
            self._say(f"the wall jumps to {self._wall_us}")
        elif chance < 0.90:
            self._toggle()
        elif chance < 0.92 and self._disk.faulty:
            raise Crash("at rest")
        elif chance < 0.96:
            self._keep_snapshot()
        else:
            self._poll()
        if random.random() < 0.8:
            self._wake()
        if random.random() < 0.6:
            self._flush()

    def _crowd(self) -> None:
        """Many orders are open, some of them with trades, when their market is halted or an account suspended."""
        random, workload = self.random, self.workload
        market = random.randint(1, len(workload.instruments))
        state = self._process.readers.state
        self._submit(Hold(EXECUTING_STAGE, market))
        self._submit(random.choice((Quote(market, 0), *workload.last_quotes())))
        for _ in range(random.randint(CROWD_MIN, CROWD_MAX)):
            self._submit(workload.small_order(state, market))
        self._wake()
        self._flush()
        for _ in range(30):
            self._submit(workload.operators.execute_part(self._process.readers.state))
        account = workload.small_order(state, market).account
        stop = ChangeAccount(account, SUSPENDED) if random.random() < 0.3 else ChangeMarket(market, NOT_TRADING)
        self._submit(stop)
        self._step()

    def _submit(self, command: Any) -> None:
        self._commands += 1
        tag = f"c{self._commands}"
        command = replace(command, by=tag)
        now = self._now()
        self._say(f"{now} {tag} {command}")
        process, auditor = self._process, self.auditor
        known = self._parts.known(process.readers, command)
        auditor.asked(command, now)
        if process.sequencer.stopped is None:
            self.recording.steps.append(Submitted(command, now, known))

        def answered(answer: Answer, _state: State) -> None:
            self._say(f"{tag} {answer}")
            auditor.answered(tag, answer, process.journal.last(VENUE))

        process.sequencer.submit(command, now, answered, known)

    def _pass_time(self, duration_us: int) -> None:
        if duration_us >= self.terms.retain_us // 2:
            self._flush()  # no commit takes as long as what is done is retained
        self._wall_us += duration_us
        self._monotonic_ns += duration_us * 1000
        self._say(f"{duration_us} µs pass")

    def _wake(self) -> None:
        """Let what is due happen, sometimes only a part of it."""
        sequencer, now = self._process.sequencer, self._now()
        while 0 < sequencer.next_due() <= now:
            self.recording.steps.append(Woken(now))
            sequencer.wake(now)
            if self.random.random() < 0.05:
                break

    def _flush(self) -> None:
        self._process.flush()
        self.auditor.judge(self._process.connected)
        self.auditor.flushed()

    def _toggle(self) -> None:
        """A subscriber goes away, or comes back and catches up."""
        subscribers = self.auditor.subscribers
        if subscribers:
            subscriber = self.random.choice(subscribers)
            if subscriber in self._process.connected:
                self._process.disconnect(subscriber)
            else:
                self._process.connect(subscriber)

    def _keep_snapshot(self) -> None:
        state = self._process.readers.state
        self._disk.keep_snapshot(Snapshot(state.sequence, self._parts.snapshot(state)))
        self._say(f"a snapshot of entry {state.sequence}")

    def _poll(self) -> None:
        """Somebody looks at an order, which shows what was revealed and nothing else."""
        self.auditor.judge(self._process.connected)
        state = self._process.readers.state
        if state.orders_made:
            number = self.random.randint(1, state.orders_made)
            known = self.auditor.books.orders.get(number)
            require(known is not None, "revealed", f"order {number} is shown, and no entry of it was revealed")
            assert known is not None
            shown = self._process.readers.order(number)
            require(shown is not None, "lost", f"order {number} is not to be found")
            require_order_agrees(shown[0], known, f"at entry {state.sequence}")

    # --- Lives ---

    def _boot(self) -> Process:
        process = Process(self._parts, self.terms, self._disk)
        self._say(f"a process begins with {len(process.bodies)} entries, and the snapshot of {process.began}")
        self.auditor.restarted(process.bodies)
        self._listen(process)
        return process

    def _listen(self, process: Process) -> None:
        auditor = self.auditor

        def heard(entry: Entry, _state: State) -> None:
            auditor.revealed(entry, process.journal.last(VENUE))

        process.listen(heard)

    def _restart(self) -> None:
        """What was heard before the crash is judged, then a new process begins with what the disk kept."""
        dead = self._process
        self.auditor.judge(() if dead.crashed else dead.connected)
        self.crashes += 1
        self._monotonic_ns = self.random.randrange(10**12)
        self._process = self._boot()
        self.recording.steps.append(Restarted(len(self._process.bodies)))
        self._haunt(dead)
        state = self._process.readers.state
        require_agrees(state, self.auditor.books)
        require_equal(load(map(records.decode, self._parts.snapshot(state))), state, "a snapshot")
        for subscriber in self.auditor.subscribers:
            self._process.connect(subscriber)
        self.auditor.judge(self._process.connected)

    def _begin_anew(self) -> None:
        """The disk has room again: the same process goes on from what is durable."""
        process = self._process
        try:
            process.begin_anew()
        except JournalUnavailable:
            self._say("the disk is still full")
            return
        self._say(f"it begins anew with {process.readers.state.sequence} entries")
        self.recording.steps.append(Restarted(process.readers.state.sequence))
        self.auditor.reloaded()
        require_equal(process.engine.state, process.readers.state, "a state begun anew")

    def _haunt(self, dead: Process) -> None:
        """The process before was not dead after all: it comes to itself and writes on. It must not."""
        if dead.crashed or not dead.is_pending or self.random.random() < 0.5:
            return
        before = dead.journal.last(VENUE)
        dead.journal.replaced = True
        dead.flush()
        after = dead.journal.last(VENUE)
        require(before == after, "fenced", f"a replaced writer moved the journal from {before} to {after}")

    def _check_stopped(self) -> None:
        error = self._process.sequencer.stopped
        require(error is None or error is self._process.journal.fault, "stopped", f"the venue stopped: {error!r}")

    # --- The end ---

    def _come_to_rest(self) -> None:
        """No more faults: every market has a price, nothing is held, and time passes until nothing is due."""
        self._disk.faulty = False
        self._say("the faults stop")
        if self._process.sequencer.stopped is not None:
            self._restart()
        for stage, market in list(self._process.sequencer.ambient.held):
            self._submit(Hold(stage, market, release=True))
        sequencer = self._process.sequencer
        for round_number in range(REST_ROUNDS_MAX):
            if round_number == 0 or self.terms.price_stale_us:
                for quote in self.workload.last_quotes():
                    self._submit(quote)
            self._flush()
            self._check_stopped()
            due = sequencer.next_due()
            if due == 0 and not self._clear_the_last():
                return
            # The venue's clock may run a tenth slower than the machine's while the wall is behind.
            self._pass_time(max(0, due - self._now()) * 10 // 9 + 1)
            self._wake()
        raise Violation("finished", f"something is still due after {REST_ROUNDS_MAX} rounds")

    def _clear_the_last(self) -> bool:
        """Whether orders still waited for somebody to check them, which has now been done."""
        waiting = self._process.readers.state.waiting
        last = [number for number, waits in waiting.items() if waits.prerequisite == COMPLIANCE]
        for number in last:
            self._submit(ClearPrerequisite(number, self.random.random() < 0.5))
        return bool(last)

    def _compare(self) -> None:
        """Every fold of the same entries gives the same state, and the same commands give the same entries."""
        bodies = [body for _, body in self._process.journal.read(VENUE)]
        self.auditor.finish(bodies)
        replayed = State()
        for body in bodies:
            self._hasher.update(body)
            fold(replayed, decode(body))
        require_equal(self._process.readers.state, replayed, "the readers' state")
        require_equal(self._process.engine.state, replayed, "the writer's state")
        require_agrees(self._process.readers.state, self.auditor.books)
        again = decide_again(self.recording)
        for sequence, (first, second) in enumerate(zip(bodies, again, strict=False), 1):
            detail = f"entry {sequence} was {first!r} and is {second!r} when it is decided again"
            require(first == second, "decided again", detail)
        require(
            len(bodies) == len(again), "decided again", f"{len(bodies)} entries were decided, and then {len(again)}"
        )

    # --- Time and telling ---

    def _now(self) -> int:
        return self._process.clock.read(self._wall_us, self._monotonic_ns)

    def _say(self, text: str) -> None:
        self._hasher.update(text.encode())
        if self._note is not None:
            self._note(text)
