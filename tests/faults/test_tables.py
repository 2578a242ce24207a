"""Tables on a full disk: what has left stays at hand meanwhile, and all of it is written once there is room."""

from pathlib import Path

import apsw
import pytest

from tallystick.readers import tables as tables_room
from tallystick.readers.tables import Batch, Tables
from tests.stage import Stage

ORDERS = 60


@pytest.fixture
def stage() -> Stage:
    """Its orders are all settled, and so ready to leave."""
    stage = Stage()
    stage.quote("30.00")
    for _ in range(ORDERS):
        stage.buy("10.00")
    stage.wait(60)
    assert all(order.is_settled() for order in stage.readers.orders.values())
    return stage


def test_what_left_while_the_disk_was_full_is_written_when_there_is_room(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables_room, "FULL_SECONDS", 0.01)
    tables = Tables(tmp_path / "tables.db")
    tables._writer.execute(f"PRAGMA max_page_count = {tables._writer.execute('PRAGMA page_count').get}")
    refusals = 0

    def write(batches: list[Batch], write=tables._write) -> None:
        nonlocal refusals
        try:
            write(batches)
        except apsw.FullError:
            refusals += 1
            if refusals == 3:  # somebody makes room, and then nothing more leaves
                tables._writer.execute("PRAGMA max_page_count = 1000000")
            raise

    monkeypatch.setattr(tables, "_write", write)
    left = [
        (order, [stage.readers.trades[made] for made in order.progress.trades])
        for order in stage.readers.orders.values()
    ]
    tables.take(stage.readers.sequence, left)
    tables.keep_up()
    written = tables._written.get(timeout=10)
    assert (refusals, len(written), tables.failure) == (3, ORDERS, None)
    tables.close()
    again = Tables(tmp_path / "tables.db")
    assert again.position == stage.readers.sequence
    assert all(again.order(number) is not None for number in range(1, ORDERS + 1))
    again.close()
