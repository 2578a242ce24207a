"""A host whose disk fails: what could not be written is refused; then it goes on or ends, as the failure demands."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tallystick.dialects.sophic.sandbox import fixed_prices, sandbox_policy
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER
from tallystick.facts.commands import Accepted, Answer, CancelOrders, OpenAccount, PlaceOrder, Refused
from tallystick.facts.venue import encode
from tallystick.journal.errors import JournalUnavailable
from tallystick.journal.folder import JOURNAL_FILE
from tallystick.journal.sqlite import SqliteJournal
from tallystick.server import host as host_room
from tallystick.server.host import SOPHIC, Host
from tallystick.venue.snapshot import state_hash
from tests.crash.journal_audit import audit_journal, read_journal
from tests.faults.failing_disk import FailingDisk
from tests.faults.waiting import until

STANDSTILL = 1000.0


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[FailingDisk]:
    """Every journal that a host opens lies on this disk."""
    disk = FailingDisk()
    monkeypatch.setattr(host_room, "SqliteJournal", partial(SqliteJournal, vfs="faults-disk"))
    yield disk
    disk.unregister()


class Life:
    """A host that serves; ``ends`` are the exit codes with which it wanted its process to end."""

    def __init__(self, data: Path, pace: float, disk_low_bytes: int) -> None:
        self.ends: list[int] = []
        self.host = Host(
            data, sandbox_policy(pace), fixed_prices(), disk_low_bytes=disk_low_bytes, end=self.ends.append
        )
        self.venue = self.host.sophic

    async def buy(self, count: int = 1) -> list[Answer]:
        """So many orders at once; their answers."""
        account = self.venue.state.account_named["acc_demo"].number
        order = PlaceOrder(account, 1, BUY, MARKET_ORDER, CASH, 100)
        return await asyncio.gather(*(self.ask(order) for _ in range(count)))

    async def ask(self, command: Any) -> Answer:
        return await self.venue.ask(command, lambda answer, _state: answer)


@asynccontextmanager
async def life(data: Path, pace: float = STANDSTILL, disk_low_bytes: int = 0) -> AsyncIterator[Life]:
    served = Life(data, pace, disk_low_bytes)
    await served.host.start()
    try:
        yield served
    finally:
        await served.host.stop()


def lived(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    """Run the test on an event loop."""

    def run(tmp_path: Path, disk: FailingDisk, caplog: pytest.LogCaptureFixture) -> None:
        asyncio.run(test(tmp_path / "data", disk, caplog))

    return run


def codes(answers: list[Answer]) -> set[str]:
    return {answer.code if isinstance(answer, Refused) else "" for answer in answers}


@lived
async def test_without_room_nothing_is_acknowledged_and_with_room_it_goes_on(data, disk, caplog):
    async with life(data, pace=0.01) as now:
        taken = await now.buy(20)
        disk.failing = "space"
        refused = await now.buy(50)
        assert (codes(taken), codes(refused)) == ({""}, {"storage_unavailable"})
        assert {answer.detail for answer in refused} == {
            "The venue cannot record anything at the moment. Nothing was done."
        }
        assert now.venue.status == "stopped: disk_full"
        assert codes([await now.ask(OpenAccount("carol", 1)), await now.ask(CancelOrders((1,)))]) == {
            "storage_unavailable"
        }
        assert now.venue.state.orders_made == 20
        disk.failing = ""
        await until(lambda: now.venue.status == "ok")
        again = await now.buy(20)
        assert again == [Accepted(number) for number in range(21, 41)]
        await until(lambda: all(order.is_settled() for order in now.venue.state.orders.values()))
        writer = now.venue.sequencer._engine.state
        assert state_hash(writer) == state_hash(now.venue.state)
        assert now.ends == []
    assert [record.levelname for record in caplog.records] == ["ERROR", "ERROR"]
    assert "Free space" in caplog.records[0].getMessage()
    assert len(audit_journal(data).orders) == 40


@lived
async def test_it_stays_stopped_and_can_be_shut_down_as_long_as_there_is_no_room(data, disk, caplog):
    async with life(data) as now:
        disk.failing = "space"
        await now.buy()
        probes = 0
        probe = now.host.journal.probe

        def count() -> None:
            nonlocal probes
            probes += 1
            probe()

        now.host.journal.probe = count  # type: ignore[method-assign]
        await until(lambda: probes >= 3)
        assert now.venue.status == "stopped: disk_full"
    assert now.ends == []
    disk.failing = ""
    assert audit_journal(data).orders == {}


@pytest.mark.parametrize("failing", ["flush", "write"])
def test_after_an_io_error_the_process_ends_and_nothing_is_tried_again(tmp_path, disk, caplog, failing):
    async def run() -> None:
        async with life(tmp_path / "data") as now:
            taken = await now.buy(5)
            disk.failing = failing
            in_flight = await now.buy(5)
            disk.failing = ""
            later = await now.buy(5)
            assert (codes(taken), codes(in_flight), codes(later)) == (
                {""},
                {"outcome_unknown"},
                {"storage_unavailable"},
            )
            assert now.venue.state.orders_made == 5
            await until(lambda: bool(now.ends))
        assert set(now.ends) == {os.EX_IOERR}

    asyncio.run(run())
    assert [record.levelname for record in caplog.records] == ["CRITICAL"]
    said = caplog.records[0].getMessage()
    assert "Check the disk, then start the venue again" in said
    assert "What was acknowledged is safe; this process ends." in said
    assert 5 <= len(audit_journal(tmp_path / "data").orders) <= 10


@lived
async def test_a_fault_in_a_decision_ends_the_process_and_leaves_no_trace_in_the_journal(data, disk, caplog):
    class Odd(PlaceOrder, frozen=True, gc=False):
        """No venue knows it."""

    async with life(data) as now:
        await now.buy(3)
        before = read_journal(data)
        assert codes([await now.ask(Odd(1, 1, 1, 1, 1, 1))]) == {"storage_unavailable"}
        assert codes(await now.buy(3)) == {"storage_unavailable"}
        await until(lambda: bool(now.ends))
        assert now.ends == [os.EX_SOFTWARE]
    assert read_journal(data) == before
    assert "A fault in Tallystick: KeyError" in caplog.text
    assert "What was acknowledged is safe" in caplog.text


@lived
async def test_a_fault_in_a_release_reveals_nothing_after_it(data, disk, caplog):
    async with life(data) as now:
        await now.buy(3)
        commit = now.venue.readers.commit

        def fail_at_order_six(entry: Any) -> None:
            if entry.events[0].order == 6:
                raise ZeroDivisionError
            commit(entry)

        now.venue.readers.commit = fail_at_order_six  # type: ignore[method-assign]
        answers = await now.buy(8)
        assert [type(answer) for answer in answers] == [Accepted] * 2 + [Refused] * 6
        assert now.venue.state.orders_made == 5
        await until(lambda: bool(now.ends))
        assert now.ends == [os.EX_SOFTWARE]
    assert len(audit_journal(data).orders) == 11


@lived
async def test_a_writer_that_was_taken_over_ends_and_writes_nothing(data, disk, caplog):
    async with life(data) as now:
        await now.buy(3)
        other = SqliteJournal(data / JOURNAL_FILE)
        last = other.last(SOPHIC)
        assert codes(await now.buy(3)) == {"outcome_unknown"}
        await until(lambda: bool(now.ends))
        assert (now.ends, now.venue.status) == ([os.EX_IOERR], "stopped: journal_taken_over")
        assert other.last(SOPHIC) == last
        other.close()
    assert len(audit_journal(data).orders) == 3
    assert "Another writer took the journal over" in caplog.text


@lived
async def test_taken_over_while_it_waited_for_room_it_ends_instead_of_going_on(data, disk, caplog):
    async with life(data) as now:
        disk.failing = "space"
        await now.buy(3)
        disk.failing = ""
        SqliteJournal(data / JOURNAL_FILE).close()
        await until(lambda: bool(now.ends))
        assert now.ends == [os.EX_IOERR]
        assert now.venue.state.orders_made == 0


@lived
async def test_a_journal_locked_by_another_program_is_waited_for(data, disk, caplog):
    async with life(data) as now:
        await now.buy(3)
        append = now.host.journal.append

        def locked(_batch: Any) -> None:
            now.host.journal.append = append  # type: ignore[method-assign]
            raise JournalUnavailable("journal_locked", "Another process is using the file; stop it.")

        now.host.journal.append = locked  # type: ignore[method-assign]
        assert codes(await now.buy(3)) == {"storage_unavailable"}
        await until(lambda: now.venue.status == "ok")
        assert await now.buy(1) == [Accepted(4)]
        assert now.ends == []


@lived
async def test_below_the_low_mark_no_orders_are_taken_but_all_else_goes_on(data, disk, caplog):
    async with life(data) as now:
        await now.buy(3)
    async with life(data, disk_low_bytes=1 << 62) as now:
        assert codes(await now.buy(3)) == {"disk_low"}
        assert now.venue.status == "disk_low"
        assert isinstance(await now.ask(CancelOrders((1,))), Accepted)
        assert isinstance(await now.ask(OpenAccount("carol", 1)), Accepted)
        assert now.venue.state.orders_made == 3
    assert "no new orders are taken until there is more" in caplog.text
    assert encode(read_journal(data)[-1]).count(b"carol") == 1
