"""Recording: many changes in one commit, and none lost while the disk is full."""

import asyncio
import logging
from pathlib import Path

import apsw
import pytest

from tallystick.deliver import recorder
from tallystick.deliver.book import Book
from tallystick.deliver.recorder import Recorder


class FullDisk(Book):
    """Takes nothing, so often, and counts its commits."""

    failures = 0
    commits = 0

    def change(self, change):
        if self.failures:
            self.failures -= 1
            raise apsw.FullError("database or disk is full")
        self.commits += 1
        return super().change(change)


def requests(connection: apsw.Connection) -> int:
    Book.request(connection)
    return Book.requests(connection)


def test_what_is_pending_together_is_committed_together(tmp_path: Path) -> None:
    async def scene() -> None:
        book = FullDisk(tmp_path / "deliveries.db")
        recording = Recorder(book)
        assert await asyncio.gather(*[recording.do(requests) for _ in range(500)]) == list(range(1, 501))
        assert book.commits < 100
        recording.close()
        book.close()

    asyncio.run(scene())


def test_while_the_disk_is_full_it_is_tried_again_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(recorder, "RETRY_SECONDS", 0.001)

    async def scene() -> None:
        book = FullDisk(tmp_path / "deliveries.db")
        book.failures = 20
        recording = Recorder(book)
        assert await asyncio.gather(*[recording.do(requests) for _ in range(50)]) == list(range(1, 51))
        recording.close()
        book.close()

    with caplog.at_level(logging.INFO):
        asyncio.run(scene())
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_what_a_change_raises_is_raised_to_its_own_and_to_no_other(tmp_path: Path) -> None:
    def wrong(_connection: apsw.Connection) -> int:
        raise KeyError("mine")

    async def scene() -> None:
        book = Book(tmp_path / "deliveries.db")
        recording = Recorder(book)
        results = await asyncio.gather(
            recording.do(requests), recording.do(wrong), recording.do(requests), return_exceptions=True
        )
        assert [type(each) for each in results] == [int, KeyError, int]
        recording.close()
        book.close()

    asyncio.run(scene())


def test_what_was_asked_for_before_the_end_is_recorded(tmp_path: Path) -> None:
    async def scene() -> None:
        book = Book(tmp_path / "deliveries.db")
        recording = Recorder(book)
        for _ in range(100):
            recording.do(requests)
        await asyncio.to_thread(recording.close)
        assert book.read(Book.requests) == 100
        book.close()

    asyncio.run(scene())
