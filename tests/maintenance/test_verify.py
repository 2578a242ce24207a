"""``journal verify`` finds whatever is wrong, and says where."""

import shutil
from pathlib import Path

import apsw
import pytest
from msgspec.structs import replace

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.facts.common import Cause
from tallystick.facts.venue import (
    AccountOpened,
    Entry,
    Leg,
    Obligation,
    OrderFilled,
    OrderOpened,
    OrderPlaced,
    TradeMade,
    TradeSettled,
    Transferred,
    encode,
)
from tallystick.journal import verify as journal_verify
from tallystick.journal.compact import compact
from tallystick.journal.record import HEADER_BYTES, frames, unframe
from tallystick.journal.sqlite_file import SEQUENCE_BITS
from tallystick.journal.verify import JournalAudit
from tests.maintenance.folders import (
    ALICE,
    VENUE,
    change,
    command,
    folded,
    life,
    place,
    run,
    verified,
    whole_folder,
    write_bodies,
)
from tests.running import RunningServer
from tests.stage import ACME, HOUSE, STREET, USD, WORLD_ACCOUNT

ROW, SECOND_OF_ROW = 31, 32
"""The records 31, 32 and 33 are one row of the journal."""


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return whole_folder(tmp_path_factory.mktemp("whole") / "data")


@pytest.fixture
def data(whole, tmp_path):
    return Path(shutil.copytree(whole, tmp_path / "data"))


def key(sequence: int) -> int:
    return 1 << SEQUENCE_BITS | sequence


def blob(data: Path, first: int) -> bytes:
    connection = apsw.Connection(str(data / "journal.db"))
    found = bytes(connection.execute("SELECT blob FROM commits WHERE id = ?", (key(first),)).get)
    connection.close()
    return found


def put(data: Path, first: int, changed: bytes) -> None:
    change(data / "journal.db", "UPDATE commits SET blob = ? WHERE id = ?", changed, key(first))


def found(data: Path) -> str:
    """What verify says about a folder with which something is wrong."""
    result = command("verify", "--data", data)
    assert result.exit_code == 1, result.output
    return " ".join(result.output.split())


def test_a_whole_folder_is_summed_up(whole):
    result = run("verify", "--data", whole)
    assert (result.returncode, result.stderr) == (0, "")
    state = folded(life()).state
    gone = state.orders_made - len(state.orders)
    assert f"sophic: {len(life()):,} entries" in result.stdout
    assert f"100 orders, {gone} orders in tables, 2 snapshots, state hash" in result.stdout
    assert "is whole: 1 stream" in result.stdout


def test_a_folder_without_a_journal(tmp_path):
    result = run("verify", "--data", tmp_path / "nowhere")
    assert result.returncode == 1
    assert "There is no journal" in result.stderr
    assert not (tmp_path / "nowhere").exists()


# --- The file: one bit of one field, one row ---

FIELDS = {"format": 0, "epoch": 1, "sequence": 5, "length": 13, "previous": 17, "checksum": 33, "body": HEADER_BYTES}


@pytest.mark.parametrize("bit", [0, 6])
@pytest.mark.parametrize("field", FIELDS)
def test_a_bit_that_flipped_in_a_record(data, field, bit):
    whole = blob(data, ROW)
    start = HEADER_BYTES + len(next(unframe(whole, ROW, None)).body)
    damaged = bytearray(whole)
    damaged[start + FIELDS[field]] ^= 1 << bit
    put(data, ROW, bytes(damaged))
    said = found(data)
    assert f"stream 'sophic', sequence {SECOND_OF_ROW}" in said or f"Record {SECOND_OF_ROW} of stream 'sophic'" in said


def remade(data: Path, epoch: int) -> bytes:
    """A row whose records are right in themselves and say another epoch."""
    before, records = list(unframe(blob(data, ROW - 3), ROW - 3, None)), list(unframe(blob(data, ROW), ROW, None))
    return frames(ROW, epoch, before[-1].checksum, [record.body for record in records])[0]


ROWS = {
    "a row is missing": ("DELETE FROM commits WHERE id = :row", ROW, "gap, the next record is 34"),
    "the first row is missing": ("DELETE FROM commits WHERE id = :first", 1, "gap, the next record is 4"),
    "two rows are swapped": (
        "UPDATE commits SET blob = CASE id WHEN :row THEN (SELECT blob FROM commits WHERE id = :row + 3)"
        " ELSE (SELECT blob FROM commits WHERE id = :row) END WHERE id IN (:row, :row + 3)",
        ROW,
        "gap, record 34 stands in its place",
    ),
    "a blob is cut short": (
        "UPDATE commits SET blob = substr(blob, 1, length(blob) - 1) WHERE id = :row",
        ROW + 2,
        "it is truncated, 1 bytes are missing",
    ),
    "a blob lacks its last record": (
        "UPDATE commits SET blob = (SELECT blob FROM commits WHERE id = :row + 3) WHERE id = :row",
        ROW,
        "stands in its place",
    ),
    "a row says that it has fewer records": (
        "UPDATE commits SET length = 2 WHERE id = :row",
        ROW + 3,
        "its batch has 3 records and should have 2",
    ),
    "a row is there twice": (
        "INSERT INTO commits SELECT id + 1, length, blob FROM commits WHERE id = :row",
        ROW + 3,
        "a row from 32 on overlaps the one before",
    ),
}


@pytest.mark.parametrize("case", ROWS)
def test_a_row_that_is_not_as_it_was(data, case):
    statement, sequence, reason = ROWS[case]
    bindings = {"row": key(ROW), "first": key(1)}
    connection = apsw.Connection(str(data / "journal.db"))
    connection.execute(statement, {name: value for name, value in bindings.items() if f":{name}" in statement})
    connection.close()
    said = found(data)
    assert reason in said
    assert f"stream 'sophic', sequence {sequence}" in said


@pytest.mark.parametrize(("row", "sequence"), [(key(0), 1), (1, None), (2 << SEQUENCE_BITS | 1, None)])
def test_a_row_of_no_stream(data, row, sequence):
    change(data / "journal.db", "INSERT INTO commits SELECT ?, length, blob FROM commits WHERE id = ?", row, key(ROW))
    assert f"sequence {sequence}" in found(data) if sequence else f"row {row} belongs to no stream" in found(data)


def test_a_stream_without_records(data):
    change(data / "journal.db", "INSERT INTO streams VALUES (2, 'sx')")
    assert "stream 'sx': it is listed, but has no records" in found(data)


@pytest.mark.parametrize(("epoch", "reason"), [(0, "its epoch 0 goes back"), (9, "its epoch 9 was never given out")])
def test_an_epoch_that_cannot_be(tmp_path, epoch, reason):
    write_bodies(tmp_path, [encode(entry) for entry in life()[: ROW + 2]])
    put(tmp_path, ROW, remade(tmp_path, epoch))
    said = found(tmp_path)
    assert reason in said
    assert f"sequence {ROW}" in said


def test_an_end_that_is_lost_is_told_by_what_goes_further(data):
    change(data / "journal.db", "DELETE FROM commits WHERE id > ?", key(len(life()) - 60))
    said = found(data)
    assert "the journal has lost its end" in said
    assert "The tables" in said


# --- The entries: right checksums, wrong contents. Each is forged as the entry after all that was right. ---

STATE = folded(life()).state
OPEN = next(number for number, order in STATE.orders.items() if order.status == 3 and not order.progress.trades)
EXECUTED = next(number for number, trade in STATE.trades.items() if trade.status == 1)
SETTLED = next(number for number, trade in STATE.trades.items() if trade.status == 2)


def forged(*events, links=None, time=0) -> Entry:
    keys = {}
    for event in events:
        accounts, orders = {event.account}, {event.order}
        if isinstance(event, Transferred):
            accounts.add(event.payer)
        if isinstance(event, TradeMade):
            accounts |= {leg.account for leg in event.legs}
        keys |= dict.fromkeys([account_key(each) for each in accounts if each])
        keys |= dict.fromkeys([order_key(each) for each in orders if each])
        keys |= dict.fromkeys([market_key(event.market)] if event.market else [])
    right = [each for key in keys for each in (key, STATE.last(key))]
    return Entry(STATE.sequence + 1, time or STATE.time + 1, Cause("forged"), tuple(links or right), events)


def trade(number: int, *, consumed=100, posted=100, account=ALICE, order=OPEN, payer=ALICE) -> TradeMade:
    owner = STATE.orders[OPEN].account if account == ALICE else account
    leg = Leg(order, owner, consumed, 10, 100, 0, posted)
    return TradeMade(owner, order, ACME, number, 1, 3000, (leg,), (Obligation(payer, STREET, USD, 100),), 0)


def settled(number: int) -> TradeSettled:
    terms = STATE.trades[number].terms
    return TradeSettled(terms.account, terms.order, terms.market, number)


def filled(*, released=0, voided=0) -> OrderFilled:
    order = STATE.orders[OPEN]
    return OrderFilled(order.account, OPEN, order.market, order.leaves + released, order.reserved + voided, 3)


def placed(*, number=STATE.orders_made + 1, reserved=1) -> OrderPlaced:
    return OrderPlaced(ALICE, number, ACME, 1, 1, 2, 1, 1, USD, reserved, 0)


RIGHT = forged(Transferred(ALICE, 0, 0, WORLD_ACCOUNT, ALICE, USD, 5))
ENTRIES = {
    "a link goes back too far": (replace(RIGHT, links=(RIGHT.links[0], 7, *RIGHT.links[2:])), "goes back to 7, not to"),
    "a link is left out": (replace(RIGHT, links=RIGHT.links[:2]), "it touches 2 keys, and has 1 links"),
    "a link too many": (replace(RIGHT, links=(*RIGHT.links, market_key(ACME), 1)), "has 3 links"),
    "a link of a key that is not touched": (
        replace(RIGHT, links=(market_key(ACME), STATE.last(market_key(ACME)), *RIGHT.links[2:])),
        "which it does not touch",
    ),
    "half a link": (replace(RIGHT, links=RIGHT.links[:3]), "has 1.5 links"),
    "it happened before the last event": (replace(RIGHT, time=STATE.time), "is not after"),
    "nothing happened": (replace(RIGHT, events=()), "it has 0 events"),
    "too much happened": (replace(RIGHT, events=RIGHT.events * 1025), "it has 1025 events"),
    "it is another entry": (replace(RIGHT, sequence=5), "its entry says that it is 5"),
    "a customer pays more than it has": (
        forged(Transferred(WORLD_ACCOUNT, 0, 0, ALICE, WORLD_ACCOUNT, USD, 10**9)),
        "available of asset 1",
    ),
    "a transfer of less than nothing": (
        forged(Transferred(ALICE, 0, 0, WORLD_ACCOUNT, ALICE, USD, -5)),
        "LedgerError: moves -5",
    ),
    "a transfer to nobody": (forged(Transferred(ALICE, 0, 0, WORLD_ACCOUNT, 99, USD, 5)), "cannot be folded: KeyError"),
    "a reservation that nothing covers": (forged(placed(reserved=10**9)), "available of asset 1"),
    "a number is left out": (forged(placed(number=500)), "its OrderPlaced has number 500, 101 is next"),
    "a number is used again": (forged(trade(EXECUTED)), f"its TradeMade has number {EXECUTED}"),
    "an account is opened as another": (forged(AccountOpened(3, 0, 0, "eve", 1)), "its AccountOpened has number 3"),
    "a filled order keeps a reservation": (forged(filled(voided=-1)), "reserves 1, its pending fills will take 0"),
    "more is voided than is reserved": (forged(filled(voided=1)), "LifecycleError: voids"),
    "the size equation does not hold": (forged(filled(released=-1)), "LifecycleError: size"),
    "a fill beyond the size": (forged(trade(STATE.trades_made + 1, consumed=10**9)), "does not fit"),
    "a trade is settled twice": (forged(settled(SETTLED)), "cannot SETTLE"),
    "a fill for somebody else's order": (
        forged(trade(STATE.trades_made + 1, account=HOUSE)),
        f"it gives order {OPEN} to account {HOUSE}",
    ),
    "another market's order": (
        forged(OrderOpened(STATE.orders[OPEN].account, OPEN, 0, 0)),
        "cannot be folded: LifecycleError: an order that is OPEN cannot RELEASE",
    ),
    "an event of an order that has left": (forged(OrderOpened(ALICE, 1, ACME, 0)), "cannot be folded: KeyError"),
}


@pytest.mark.parametrize("case", ENTRIES)
def test_an_entry_that_was_never_decided(tmp_path, case):
    entry, reason = ENTRIES[case]
    write_bodies(tmp_path, [encode(each) for each in (*life(), entry)], commit=1000)
    said = found(tmp_path)
    assert reason in said
    assert f"stream 'sophic', sequence {len(life()) + 1}" in said


def test_the_forger_can_write_what_is_right(tmp_path):
    entry = forged(Transferred(ALICE, 0, 0, WORLD_ACCOUNT, ALICE, USD, 5), filled(), settled(EXECUTED))
    write_bodies(tmp_path, [encode(each) for each in (*life(), RIGHT)], commit=1000)
    verified(tmp_path)
    write_bodies(tmp_path / "more", [encode(each) for each in (*life(), entry)], commit=1000)
    verified(tmp_path / "more")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (encode(RIGHT).replace(b",", b", ", 1), "encoded again, it is not what was written"),
        (encode(RIGHT).replace(b"[[11,", b"[[99,"), "it is no entry"),
        (b"nothing", "it is no entry"),
    ],
)
def test_a_body_that_no_version_wrote(tmp_path, body, reason):
    write_bodies(tmp_path, [*(encode(each) for each in life()), body], commit=1000)
    said = found(tmp_path)
    assert reason in said
    assert f"sequence {len(life()) + 1}" in said


# --- Snapshots and tables: the journal is whole all the same, and the sentence says how to make them anew. ---


def spoil(path: Path, old: bytes, new: bytes) -> None:
    content = path.read_bytes()
    assert content.count(old) >= 1
    path.write_bytes(content.replace(old, new, 1))


def test_a_snapshot_that_is_damaged(data):
    newest = max((data / "snapshots").glob("*.snapshot"))
    spoil(newest, b'"alice"', b'"alicf"')
    said = found(data)
    assert f"The snapshot {newest} cannot be read" in said
    assert "Delete it" in said
    assert "1 snapshot," in said
    assert "its records are right, and what is beside them is not" in said


def test_a_snapshot_that_is_right_in_itself_and_not_the_state(data, tmp_path):
    """Written for another state, under this journal's checksum."""
    newest, older = sorted((data / "snapshots").glob("*.snapshot"), reverse=True)
    lines = [newest.read_bytes().splitlines(keepends=True)[0], *older.read_bytes().splitlines(keepends=True)[1:]]
    newest.write_bytes(b"".join(lines))
    assert f"{newest} is not the state after entry {len(life())}" in found(data)


def test_a_snapshot_of_another_journal(data):
    newest = max((data / "snapshots").glob("*.snapshot"))
    header = newest.read_bytes().splitlines()[0]
    spoil(newest, header, header[:-3] + (b"0" if header[-3:-2] != b"0" else b"1") + header[-2:])
    assert f"{newest} is not of this journal" in found(data)


TABLES = {
    "an order is missing": ("DELETE FROM orders WHERE number = 7", "order 7, which left with entry"),
    "a trade is missing": ("DELETE FROM trades WHERE number = 3", "trade 3, which left with entry"),
    "an order too many": ("INSERT INTO orders SELECT 5000, account, NULL, record FROM orders LIMIT 1", "They hold"),
    "an order of another account": ("UPDATE orders SET account = 4 WHERE account = 5", "is not as it was"),
    "a key is lost": ("UPDATE orders SET client_key = NULL", "is not as it was"),
    "a record is changed": (
        "UPDATE trades SET record = (SELECT record FROM trades WHERE number = 2) WHERE number = 1",
        "trade 1, which left with entry",
    ),
    "a record cannot be read": ("UPDATE orders SET record = x'5b' WHERE number = 9", "cannot be read"),
    "they are ahead of the journal": ("UPDATE position SET sequence = 99999", "they go to sequence 99999"),
    "they are of another layout": ("PRAGMA user_version = 99", "they are of layout 99"),
}


@pytest.mark.parametrize("case", TABLES)
def test_tables_that_do_not_hold_what_has_left(data, case):
    statement, reason = TABLES[case]
    change(data / f"{VENUE}.tables.db", statement)
    said = found(data)
    assert reason.lower() in said.lower()
    assert "tallystick journal rebuild" in said
    assert "its records are right, and what is beside them is not" in said
    assert command("rebuild", "--data", data).exit_code == 0
    verified(data)


def test_a_file_that_is_no_table(data):
    (data / f"{VENUE}.tables.db").write_bytes(b"anything" * 1000)
    assert "they cannot be read" in found(data)


# --- Beside others ---


def test_it_works_beside_a_running_server(tmp_path):
    with RunningServer(tmp_path / "data", "--pace", "0", "--prices", "fixed") as server:
        for _ in range(20):
            place(server.account)
        result = run("verify", "--data", tmp_path / "data")
        assert (result.returncode, result.stderr) == (0, "")
        assert "20 orders" in result.stdout
        place(server.account)


def test_rows_may_be_merged_while_it_reads(data, monkeypatch):
    monkeypatch.setattr(journal_verify, "PAGE_BYTES", 2000)
    with JournalAudit(data / "journal.db") as audit:
        records = audit.records(VENUE)
        first = [next(records) for _ in range(50)]
        compact(data / "journal.db", lambda _done, _total: None)
        everything = [*first, *records]
    assert [record.sequence for record in everything] == list(range(1, len(life()) + 1))
