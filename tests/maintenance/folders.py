"""Data folders to care for: a hundred orders' journal in small commits, with snapshots and tables; and the real CLI."""

import json
import random
import subprocess
import sys
from functools import cache
from pathlib import Path
from urllib.request import Request, urlopen

import apsw
from typer.testing import CliRunner, Result

from tallystick.cli.main import app
from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.commands import CancelOrders
from tallystick.facts.venue import Entry, decode, encode
from tallystick.journal.folder import DataFolder
from tallystick.journal.port import Append
from tallystick.journal.snapshots import Snapshots
from tallystick.journal.sqlite import SqliteJournal
from tallystick.readers.readers import Readers
from tallystick.readers.rebuild import rebuild_tables
from tallystick.readers.recovery import take_snapshot
from tallystick.venue.calendar import FixedDelay
from tests.stage import ALICE, BOB, SECOND, Stage

VENUE = "sophic"
POLICY = Policy(FixedDelay(3 * SECOND), fee_bps=30, submit_after_us=SECOND, execute_after_us=SECOND)
COMMIT = 3
"""Records in a row of the journal."""


@cache
def life() -> list[Entry]:
    """Two customers' orders of every fate; most have left at the end, and some are open."""
    stage = Stage(POLICY, retain_us=10 * SECOND)
    stage.through_records = False
    chance = random.Random(5)
    stage.quote("30.00")
    for number in range(100):
        account = chance.choice([ALICE, BOB])
        if chance.random() < 0.5:
            stage.buy(f"{chance.randint(100, 4000) / 100:.2f}", account=account, client_key=f"k{number}")
        else:
            stage.sell(f"{chance.randint(1, 40) / 100:.2f}0", account=account)
        if chance.random() < 0.1:
            stage.do(CancelOrders((stage.state.orders_made,)))
        stage.wait(chance.choice([0, 0.5, 2]))
    return stage.entries


def write_bodies(data: Path, bodies: list[bytes], commit: int = COMMIT) -> None:
    """A journal of these bodies, their records and chain as they should be, and a secret."""
    folder = DataFolder(data)
    folder.secret_key()
    journal = SqliteJournal(data / "journal.db")
    last = journal.last(VENUE)
    for start in range(0, len(bodies), commit):
        journal.append([Append(VENUE, last + start, bodies[start : start + commit])])
    journal.close()
    folder.release()


def whole_folder(data: Path) -> Path:
    """A journal, two snapshots and the tables, all as they should be."""
    bodies = [encode(entry) for entry in life()]
    half = len(bodies) // 2
    snapshots = Snapshots(data / "snapshots", VENUE)
    for part in (bodies[:half], bodies[half:]):
        write_bodies(data, part)
        journal = SqliteJournal(data / "journal.db", writer=False)
        take_snapshot(journal, VENUE, snapshots)
        rebuild_tables(journal, VENUE, data / f"{VENUE}.tables.db")
        journal.close()
    return data


def entries(data: Path) -> list[Entry]:
    journal = SqliteJournal(data / "journal.db", writer=False)
    try:
        return [decode(body) for _, body in journal.read(VENUE)]
    finally:
        journal.close()


def folded(some: list[Entry]) -> Readers:
    readers = Readers()
    for entry in some:
        readers.commit(entry)
    return readers


def change(path: Path, statements: str, *bindings: object) -> None:
    """Alter a file behind everybody's back."""
    connection = apsw.Connection(str(path))
    connection.execute(statements, bindings)
    connection.close()


def command(*words: object) -> Result:
    """``tallystick journal …`` without a process of its own."""
    return CliRunner().invoke(app, ["journal", *map(str, words)])


def run(*words: object) -> subprocess.CompletedProcess[str]:
    """``tallystick journal …`` as a user runs it."""
    line = [sys.executable, "-m", "tallystick", "journal", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True)


def verified(data: Path) -> str:
    """The state hash of a folder with which all is well."""
    result = command("verify", "--data", data)
    assert result.exit_code == 0, result.output
    return result.output.split("state hash ")[1].split()[0]


def place(account: str) -> str:
    """Buy for 10.00 at a running server; the id that it acknowledged."""
    body = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": "10.00"}
    answer = json.loads(ask(f"{account}/orders", json.dumps(body).encode()))
    return str(answer["order"]["id"] if "order" in answer else answer["id"])


def ask(url: str, body: bytes | None = None) -> bytes:
    headers = {"Authorization": "Bearer sandbox", "Content-Type": "application/json"}
    with urlopen(Request(url, body, headers), timeout=30) as answer:
        return bytes(answer.read())
