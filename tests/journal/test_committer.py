"""Group commit: order, answers without entries, and what happens when a commit fails."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread, get_ident

import pytest

from tallystick.journal.committer import ENTRIES_MAX, Committer, InlineCommitter
from tallystick.journal.errors import JournalUnavailable, StaleEpoch
from tallystick.journal.memory import MemoryJournal, MemoryStorage
from tallystick.journal.port import Append
from tallystick.journal.sqlite import SqliteJournal


@dataclass
class Put:
    entry: object
    stream: str = "sx"


@dataclass
class Shell:
    """What stands around a committer: it writes down what it is told, and on which thread."""

    durable: list[list[Put]] = field(default_factory=list)
    failed: list[tuple[Exception, list[Put]]] = field(default_factory=list)
    threads: set[int] = field(default_factory=set)
    told: Event = field(default_factory=Event)

    def on_durable(self, items: Sequence[Put]) -> None:
        self.durable.append(list(items))
        self.threads.add(get_ident())
        self.told.set()

    def on_failed(self, error: Exception, items: Sequence[Put]) -> None:
        self.failed.append((error, list(items)))
        self.threads.add(get_ident())
        self.told.set()

    @property
    def released(self) -> list[Put]:
        return [item for items in self.durable for item in items]

    @property
    def refused(self) -> list[Put]:
        return [item for _, items in self.failed for item in items]


class GatedJournal(MemoryJournal):
    """Waits in append until the gate is open, so that a test decides what is pending; can be told to fail once."""

    def __init__(self) -> None:
        super().__init__()
        self.entered = Event()
        self.gate = Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.appends: list[dict[str, int]] = []

    def append(self, batch: Sequence[Append]) -> None:
        self.entered.set()
        assert self.gate.wait(10)
        if self.failure is not None:
            failure, self.failure = self.failure, None
            raise failure
        super().append(batch)
        self.appends.append({each.stream: len(each.bodies) for each in batch})


def encode(entry: object) -> bytes:
    if not isinstance(entry, str):
        raise TypeError(f"cannot encode {entry!r}")
    return entry.encode()


def threaded(journal: MemoryJournal, shell: Shell) -> Committer[Put]:
    return Committer(journal, encode, shell.on_durable, shell.on_failed)


def inline(journal: MemoryJournal, shell: Shell) -> InlineCommitter[Put]:
    return InlineCommitter(journal, encode, shell.on_durable, shell.on_failed)


both = pytest.mark.parametrize("committer_of", [threaded, inline])
Of = Callable[[MemoryJournal, Shell], Committer[Put] | InlineCommitter[Put]]


# ---- in order ----


@both
def test_everything_is_released_in_the_order_it_was_put(committer_of: Of) -> None:
    journal, shell = MemoryJournal(), Shell()
    committer = committer_of(journal, shell)
    items = [Put(None if each % 3 == 0 else f"{each}", "sx" if each % 2 else "sophic") for each in range(1000)]
    for item in items:
        committer.put(item)
    committer.close()
    assert shell.released == items
    assert (shell.failed, committer.pending) == ([], 0)
    for stream in ("sx", "sophic"):
        written = [item.entry for item in items if item.stream == stream and item.entry is not None]
        assert [body.decode() for _, body in journal.read(stream)] == written


def test_an_answer_waits_for_what_was_put_before_it_and_costs_no_commit_of_its_own() -> None:
    journal, shell = GatedJournal(), Shell()
    committer = threaded(journal, shell)
    journal.gate.clear()
    entry, answer = Put("entry"), Put(None)
    committer.put(entry)
    assert journal.entered.wait(10)
    committer.put(answer)
    assert shell.released == []
    journal.gate.set()
    committer.close()
    assert shell.released == [entry, answer]
    assert journal.appends == [{"sx": 1}]


def test_what_came_in_during_a_commit_is_committed_together_in_the_next() -> None:
    journal, shell = GatedJournal(), Shell()
    committer = threaded(journal, shell)
    journal.gate.clear()
    committer.put(Put("0"))
    assert journal.entered.wait(10)
    for each in range(1, 6):
        committer.put(Put(f"{each}", "sx" if each % 2 else "sophic"))
    assert committer.pending == 6
    journal.gate.set()
    committer.close()
    assert journal.appends == [{"sx": 1}, {"sx": 3, "sophic": 2}]
    assert len(shell.threads) == 1
    assert get_ident() not in shell.threads


@both
def test_one_commit_is_bounded(committer_of: Of) -> None:
    journal, shell = GatedJournal(), Shell()
    journal.gate.clear()
    committer = committer_of(journal, shell)
    for each in range(2 * ENTRIES_MAX + 10):
        committer.put(Put(f"{each}"))
    journal.gate.set()
    committer.close()
    assert max(sum(append.values()) for append in journal.appends) <= ENTRIES_MAX
    assert journal.last("sx") == len(shell.released) == 2 * ENTRIES_MAX + 10


def test_each_thread_finds_its_items_in_its_own_order() -> None:
    journal, shell = MemoryJournal(), Shell()
    committer = threaded(journal, shell)

    def put(stream: str) -> None:
        for each in range(500):
            committer.put(Put(f"{each}", stream))

    threads = [Thread(target=put, args=(f"venue-{each}",)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    committer.close()
    for each in range(4):
        assert [int(body) for _, body in journal.read(f"venue-{each}")] == list(range(500))


def test_a_committer_continues_what_the_journal_holds() -> None:
    storage = MemoryStorage()
    for run in range(3):
        committer = inline(MemoryJournal(storage), Shell())
        committer.put(Put(f"{run}"))
        committer.close()
    assert list(MemoryJournal(storage).read("sx")) == [(1, b"0"), (2, b"1"), (3, b"2")]


def test_what_a_release_puts_is_flushed_too() -> None:
    journal, shell = MemoryJournal(), Shell()

    def durable(items: Sequence[Put]) -> None:
        shell.on_durable(items)
        if items[0].entry == "cause":
            committer.put(Put("effect"))

    committer: InlineCommitter[Put] = InlineCommitter(journal, encode, durable, shell.on_failed)
    committer.put(Put("cause"))
    assert committer.pending == 1
    committer.flush()
    assert [item.entry for item in shell.released] == ["cause", "effect"]


# ---- failure ----


@both
def test_after_a_failed_commit_everything_is_refused_and_nothing_is_tried_again(committer_of: Of) -> None:
    journal, shell = GatedJournal(), Shell()
    committer = committer_of(journal, shell)
    committer.put(Put("good"))
    if isinstance(committer, InlineCommitter):
        committer.flush()
    assert shell.told.wait(10)
    journal.failure = error = JournalUnavailable("disk_full", "The disk is full.")
    bad = [Put("bad"), Put(None), Put("pending")]
    for item in bad:
        committer.put(item)
    if isinstance(committer, InlineCommitter):
        committer.flush()
    bad.append(Put("later"))
    committer.put(bad[-1])
    committer.close()
    assert [item.entry for item in shell.released] == ["good"]
    assert shell.refused == bad
    assert {each for each, _ in shell.failed} == {error}
    assert [body for _, body in journal.read("sx")] == [b"good"]
    assert committer.pending == 0


@both
def test_an_entry_that_cannot_be_encoded_stops_the_commit_before_anything_is_written(committer_of: Of) -> None:
    journal, shell = GatedJournal(), Shell()
    committer = committer_of(journal, shell)
    committer.put(Put(object()))
    committer.put(Put("after"))
    committer.close()
    assert isinstance(shell.failed[0][0], TypeError)
    assert len(shell.refused) == 2
    assert (shell.released, journal.appends) == ([], [])


@both
def test_a_writer_that_was_taken_over_stops(committer_of: Of) -> None:
    storage, shell = MemoryStorage(), Shell()
    committer = committer_of(MemoryJournal(storage), shell)
    MemoryJournal(storage)
    committer.put(Put("late"))
    committer.close()
    assert isinstance(shell.failed[0][0], StaleEpoch)


@both
def test_a_release_that_raises_is_heard_of_and_ends_it(committer_of: Of) -> None:
    journal, shell = MemoryJournal(), Shell()
    oops = ValueError("a listener's fault")

    def durable(items: Sequence[Put]) -> None:
        raise oops

    of = Committer if committer_of is threaded else InlineCommitter
    committer = of(journal, encode, durable, shell.on_failed)
    committer.put(Put("durable all the same"))
    if isinstance(committer, InlineCommitter):
        committer.flush()
    assert shell.told.wait(10)
    assert shell.failed == [(oops, [])]
    later = Put("later")
    committer.put(later)
    committer.close()
    assert shell.failed == [(oops, []), (oops, [later])]
    assert journal.last("sx") == 1


def test_a_full_disk_reaches_the_shell_with_what_to_do(tmp_path: Path) -> None:
    journal, shell = SqliteJournal(tmp_path / "journal.db"), Shell()
    assert journal._writer is not None
    journal._writer.execute("PRAGMA max_page_count = 12")
    committer: Committer[Put] = Committer(journal, encode, shell.on_durable, shell.on_failed)
    items = [Put("x" * 1000) for _ in range(100)]
    for item in items:
        committer.put(item)
    committer.close()
    assert shell.released + shell.refused == items
    assert "Free space" in str(shell.failed[0][0])
    journal.close()
    again = SqliteJournal(tmp_path / "journal.db")
    assert again.last("sx") == len(shell.released)
    again.close()


# ---- closing ----


def test_an_abandoned_committer_answers_nobody_whose_commit_had_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    journal, shell = GatedJournal(), Shell()
    journal.gate.clear()
    committer = threaded(journal, shell)
    in_flight = Put("in flight")
    committer.put(in_flight)
    assert journal.entered.wait(10)
    committer.put(Put("pending"))
    join = committer._thread.join

    def let_the_commit_return_and_join() -> None:
        journal.gate.set()
        join()

    monkeypatch.setattr(committer._thread, "join", let_the_commit_return_and_join)
    committer.close(abandon=True)
    assert (shell.released, shell.refused) == ([in_flight], [])
    assert journal.last("sx") == 1


def test_an_abandoned_inline_committer_answers_nobody() -> None:
    journal, shell = MemoryJournal(), Shell()
    committer = inline(journal, shell)
    committer.put(Put("pending"))
    committer.close(abandon=True)
    assert (shell.released, shell.refused, journal.last("sx")) == ([], [], 0)


@both
def test_nothing_is_accepted_after_closing(committer_of: Of) -> None:
    committer = committer_of(MemoryJournal(), Shell())
    committer.close()
    committer.close()
    with pytest.raises(JournalUnavailable, match="closed"):
        committer.put(Put("late"))
