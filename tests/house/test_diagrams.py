"""docs/lifecycle.md is what the tables say, whole, and a page that is not is found."""

from pathlib import Path

import pytest

from tallystick.core import lifecycle as life
from tools.draw_lifecycle import main, page

ORDER_DIAGRAM, TRADE_DIAGRAM, _CANCEL_DIAGRAM, CLIENT_DIAGRAM = page().split("```mermaid\n")[1:]


def test_the_page_on_disk_is_current() -> None:
    assert main(["--check"]) == 0


def test_a_page_that_differs_from_the_tables_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stale = tmp_path / "lifecycle.md"
    stale.write_text(page().replace("FILLED", "DONE", 1))

    assert main(["--check", "--out", str(stale)]) == 1
    assert "make docs" in capsys.readouterr().out
    assert main(["--check", "--out", str(tmp_path / "absent.md")]) == 1


def test_a_page_just_drawn_is_current(tmp_path: Path) -> None:
    drawn = tmp_path / "docs" / "lifecycle.md"
    assert main(["--out", str(drawn)]) == 0
    assert main(["--check", "--out", str(drawn)]) == 0


@pytest.mark.parametrize(("status", "event", "after", "guard"), life.ORDER_RULES)
def test_every_rule_is_an_arrow_of_the_order(status: int, event: int, after: int, guard: int) -> None:
    arrow = f"{life.ORDER_STATUS_NAMES[status]} --> {life.ORDER_STATUS_NAMES[after]}: "
    [line] = [line for line in ORDER_DIAGRAM.splitlines() if arrow in line]
    assert life.ORDER_EVENT_NAMES[event] in line
    assert life.GUARD_TEXTS[guard].replace("<=", "≤") in line


@pytest.mark.parametrize(("status", "event", "after"), life.TRADE_RULES)
def test_every_rule_is_an_arrow_of_the_trade(status: int, event: int, after: int) -> None:
    names = life.TRADE_STATUS_NAMES
    assert f"{names[status]} --> {names[after]}: {life.ORDER_EVENT_NAMES[event]}" in TRADE_DIAGRAM


def test_the_table_shows_every_pair_and_forbids_the_rest() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| **")]
    cells = [cell.strip() for row in rows for cell in row.strip("|").split("|")[1:]]
    pairs = len(life.ORDER_STATUS_NAMES) * len(life.ORDER_EVENT_NAMES)
    assert len(cells) == pairs
    assert cells.count("–") == pairs - len(life.ORDER_RULES)


@pytest.mark.parametrize(("status", "announcement"), life.ANNOUNCEMENTS)
def test_every_announcement_is_on_an_arrow_of_the_client(status: int, announcement: str) -> None:
    assert f": {announcement}\n" in CLIENT_DIAGRAM


def test_the_client_announces_fills_before_the_end_and_marks_the_late_ones() -> None:
    fills = [line.strip() for line in CLIENT_DIAGRAM.splitlines() if "OrderFilledEvent" in line]
    assert fills == [
        "PLACED --> PLACED: OrderFilledEvent",
        "CANCELLED --> CANCELLED: OrderFilledEvent, marked late",
        "EXPIRED --> EXPIRED: OrderFilledEvent, marked late",
    ]
