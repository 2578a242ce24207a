"""The table of clients and operators: what it keeps, who may read it, and what other processes do to it."""

import hmac
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from tallystick.access.principal import SCOPES
from tallystick.server.keys import CLIENT, KINDS, OPERATOR, KeysError, KeyTable, count_enabled, new_client_id
from tests.auth.doors import NOW

DAY = 86400


@pytest.fixture
def table(tmp_path: Path) -> Iterator[KeyTable]:
    with closing(KeyTable(tmp_path)) as opened:
        yield opened


def refusal(error: pytest.ExceptionInfo[KeysError]) -> str:
    return error.value.code


def test_a_client_is_known_by_its_secret_and_by_no_other(table: KeyTable) -> None:
    secret = table.add(CLIENT, "acme", NOW, note="Acme's desk")
    other = table.add(CLIENT, "other", NOW, ["orders:read"])
    found = table.authenticate("acme", secret, NOW)
    assert found is not None
    assert (found.name, found.scopes, found.created_at, found.note) == ("acme", set(SCOPES), NOW, "Acme's desk")
    for wrong in (other, secret[:-1], secret + "A", secret.lower(), "", "\ud800"):
        assert table.authenticate("acme", wrong, NOW) is None
    assert table.authenticate("nobody", secret, NOW) is None
    assert table.authenticate("", "", NOW) is None


def test_no_digest_stands_for_no_secret(table: KeyTable) -> None:
    """An absent previous digest is 32 zeros, which must not be anybody's way in."""
    table.add(CLIENT, "acme", NOW)
    credential = table.find(CLIENT, "acme")
    assert credential is not None
    assert not credential.accepts(bytes(32), 0)
    assert not credential.accepts(bytes(32), NOW)


def test_a_secret_is_32_bytes_that_nobody_can_foresee(table: KeyTable) -> None:
    secrets = {table.add(CLIENT, f"c{n}", NOW) for n in range(50)}
    assert len(secrets) == 50
    assert {len(secret) for secret in secrets} == {len("tsk_") + 43}
    assert table.add(OPERATOR, "ann", NOW).startswith("tso_")


def test_an_operator_is_known_by_the_secret_alone_and_is_no_client(table: KeyTable) -> None:
    table.add(OPERATOR, "bob", NOW)
    ann, client = table.add(OPERATOR, "ann", NOW), table.add(CLIENT, "ann", NOW)
    found = table.operator(ann, NOW)
    assert found is not None
    assert found.name == "ann"
    assert table.operator(client, NOW) is None
    assert table.authenticate("ann", ann, NOW) is None
    table.disable(OPERATOR, "ann", NOW)
    assert table.operator(ann, NOW) is None
    assert table.authenticate("ann", client, NOW) is not None


# seconds after the rotation, whether the old secret counts; the new one always does
OVERLAP = [(0, True), (DAY - 1, True), (DAY, False), (2 * DAY, False)]


@pytest.mark.parametrize(("later", "counts"), OVERLAP)
@pytest.mark.parametrize("kind", KINDS)
def test_after_a_rotation_the_old_secret_counts_for_the_overlap(
    table: KeyTable, kind: str, later: int, counts: bool
) -> None:
    old = table.add(kind, "acme", NOW)
    new = table.rotate(kind, "acme", NOW, DAY)
    for secret, expected in ((old, counts), (new, True)):
        if kind == CLIENT:
            assert (table.authenticate("acme", secret, NOW + later) is not None) is expected
        else:
            assert (table.operator(secret, NOW + later) is not None) is expected


def test_a_rotation_waits_for_the_one_before_unless_it_ends_everything(table: KeyTable) -> None:
    first = table.add(CLIENT, "acme", NOW)
    second = table.rotate(CLIENT, "acme", NOW, DAY)
    with pytest.raises(KeysError, match="counts for 86,390 seconds more: wait") as caught:
        table.rotate(CLIENT, "acme", NOW + 10, DAY)
    assert refusal(caught) == "rotation_under_way"
    assert table.authenticate("acme", first, NOW + 10) is not None
    third = table.rotate(CLIENT, "acme", NOW + 10, 0)
    accepted = [table.authenticate("acme", secret, NOW + 10) is not None for secret in (first, second, third)]
    assert accepted == [False, False, True]
    table.rotate(CLIENT, "acme", NOW + 10, DAY)
    table.rotate(CLIENT, "acme", NOW + 10 + DAY, DAY)


def test_what_ends_tokens_raises_the_generation_and_nothing_else_does(table: KeyTable) -> None:
    def generation() -> int:
        found = table.find(CLIENT, "acme")
        assert found is not None
        return found.generation

    table.add(CLIENT, "acme", NOW)
    assert generation() == 1
    table.rotate(CLIENT, "acme", NOW, DAY)
    assert generation() == 1
    table.rotate(CLIENT, "acme", NOW, 0)
    assert generation() == 2
    table.disable(CLIENT, "acme", NOW)
    table.disable(CLIENT, "acme", NOW)
    assert generation() == 3
    table.enable(CLIENT, "acme")
    table.enable(CLIENT, "acme")
    assert generation() == 3


def test_a_disabled_client_says_since_when_and_comes_back_with_its_secret(table: KeyTable) -> None:
    secret = table.add(CLIENT, "acme", NOW)
    table.disable(CLIENT, "acme", NOW + 1)
    table.disable(CLIENT, "acme", NOW + 2)
    assert table.authenticate("acme", secret, NOW) is None
    assert [each.disabled_at for each in table.all(CLIENT)] == [NOW + 1]
    table.enable(CLIENT, "acme")
    assert table.authenticate("acme", secret, NOW) is not None


BAD_NAMES = ["", " ", "a b", "a:b", "-a", ".a", "ä", "a\n", "a" * 65, "../x", "tsk_something", "tso_something"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_is_short_and_plain_and_no_secret(table: KeyTable, name: str) -> None:
    with pytest.raises(KeysError) as caught:
        table.add(CLIENT, name, NOW)
    assert refusal(caught) == "name_invalid"
    assert table.all(CLIENT) == []


def test_what_cannot_be_added_is_told(table: KeyTable) -> None:
    table.add(OPERATOR, "ann", NOW)
    with pytest.raises(KeysError, match="There is an operator ann already"):
        table.add(OPERATOR, "ann", NOW)
    with pytest.raises(KeysError, match="demo is the sandbox's own name"):
        table.add(CLIENT, "demo", NOW)
    with pytest.raises(KeysError, match="There is no scope 'orders:all': there are accounts:read"):
        table.add(CLIENT, "acme", NOW, ["orders:read", "orders:all"])
    for note in ("two\nlines", "x" * 201):
        with pytest.raises(KeysError, match="A note is one line"):
            table.add(CLIENT, "acme", NOW, note=note)


def test_nobody_of_that_name_is_told_and_a_secret_in_its_place_is_not_repeated(table: KeyTable) -> None:
    secret = table.add(CLIENT, "acme", NOW)
    for name, shown in (("nobody", "There is no client nobody:"), (secret, "There is no client of that name:")):
        for call in (
            lambda name=name: table.rotate(CLIENT, name, NOW, 0),
            lambda name=name: table.disable(CLIENT, name, NOW),
            lambda name=name: table.enable(CLIENT, name),
        ):
            with pytest.raises(KeysError, match=shown):
                call()


def test_whoever_asks_and_whatever_is_wrong_the_comparisons_are_the_same(
    table: KeyTable, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = table.add(CLIENT, "acme", NOW)
    table.add(CLIENT, "gone", NOW)
    table.disable(CLIENT, "gone", NOW)
    table.add(CLIENT, "new", NOW)
    table.rotate(CLIENT, "new", NOW, DAY)
    lengths: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def counted(one: bytes, other: bytes) -> bool:
        lengths.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    for name in ("acme", "gone", "new", "nobody", ""):
        for attempt in (secret, "wrong", ""):
            lengths.clear()
            table.authenticate(name, attempt, NOW)
            assert lengths == [(32, 32), (32, 32)]


def test_the_file_keeps_digests_and_no_secret_and_is_its_owners_alone(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        with closing(KeyTable(tmp_path)) as table:
            secrets = [table.add(CLIENT, "acme", NOW), table.rotate(CLIENT, "acme", NOW, DAY)]
            secrets.append(table.add(OPERATOR, "ann", NOW))
            files = {file.name: file for file in tmp_path.iterdir()}
            assert sorted(files) == ["keys.db", "keys.db-shm", "keys.db-wal"]
            for file in files.values():
                assert stat.S_IMODE(file.stat().st_mode) == 0o600
            everything = b"".join(file.read_bytes() for file in files.values())
    finally:
        os.umask(previous)
    for secret in secrets:
        assert sha256(secret.encode()).digest() in everything
        assert secret.encode() not in everything
        assert secret[4:].encode() not in everything


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    with closing(KeyTable(tmp_path)) as table:
        secret = table.add(CLIENT, "acme", NOW)
    with closing(KeyTable(tmp_path)) as table:
        assert table.authenticate("acme", secret, NOW) is not None


def test_those_who_could_come_in_are_counted_without_making_anything(tmp_path: Path) -> None:
    assert count_enabled(tmp_path, CLIENT) == 0
    assert list(tmp_path.iterdir()) == []
    with closing(KeyTable(tmp_path)) as table:
        table.add(CLIENT, "acme", NOW)
        table.add(CLIENT, "gone", NOW)
        table.disable(CLIENT, "gone", NOW)
    assert (count_enabled(tmp_path, CLIENT), count_enabled(tmp_path, OPERATOR)) == (1, 0)


def test_another_kind_of_file_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "keys.db"
    path.write_bytes(b"a diary, not a database" * 100)
    with pytest.raises(KeysError) as caught:
        KeyTable(tmp_path)
    assert refusal(caught) == "keys_foreign"
    assert path.read_bytes() == b"a diary, not a database" * 100
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE credentials (name)")
    before = path.read_bytes()
    with pytest.raises(KeysError, match="not a table of Tallystick's clients"):
        KeyTable(tmp_path)
    assert path.read_bytes() == before


def test_a_newer_version_s_table_is_not_read(tmp_path: Path) -> None:
    KeyTable(tmp_path).close()
    with closing(sqlite3.connect(tmp_path / "keys.db")) as newer:
        newer.execute("PRAGMA user_version = 2")
    with pytest.raises(KeysError, match="upgrade Tallystick"):
        KeyTable(tmp_path)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeysError, match="cannot be reached") as caught:
        KeyTable(tmp_path / "nowhere")
    assert refusal(caught) == "keys_unavailable"


def test_a_crash_while_the_file_is_made_leaves_one_that_opens(tmp_path: Path) -> None:
    (tmp_path / "keys.db").touch(mode=0o600)
    with closing(KeyTable(tmp_path)) as table:
        assert table.all(CLIENT) == []


def test_names_that_are_made_are_valid_and_differ(table: KeyTable) -> None:
    names = {new_client_id() for _ in range(20)}
    assert len(names) == 20
    for name in names:
        assert name.startswith("cli_")
        table.add(CLIENT, name, NOW)


ADD_MANY = """
import sys
from pathlib import Path
from tallystick.server.keys import CLIENT, KeyTable
sys.stdin.readline()
table = KeyTable(Path(sys.argv[1]))
for number in range(20):
    table.add(CLIENT, f"{sys.argv[2]}-{number}", 0)
table.close()
"""


def test_processes_that_begin_at_once_make_one_table_and_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD_MANY, str(tmp_path)]
    writers = [subprocess.Popen([*command, name], stdin=subprocess.PIPE, text=True) for name in ("a", "b", "c", "d")]
    for writer in writers:
        assert writer.stdin is not None
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=60)
        assert writer.returncode == 0
    with closing(KeyTable(tmp_path)) as table:
        assert sorted(each.name for each in table.all(CLIENT)) == sorted(f"{a}-{n}" for a in "abcd" for n in range(20))


def test_what_another_process_does_is_seen_at_the_next_look(table: KeyTable, tmp_path: Path) -> None:
    command = [sys.executable, "-c", ADD_MANY, str(tmp_path), "x"]
    assert table.find(CLIENT, "x-19") is None
    subprocess.run(command, input="go\n", text=True, check=True)
    table.refresh()
    assert table.find(CLIENT, "x-19") is not None


def test_a_look_reads_the_table_only_when_it_has_changed(table: KeyTable, tmp_path: Path) -> None:
    table.add(CLIENT, "acme", NOW)
    table.refresh()
    seen = table.find(CLIENT, "acme")
    table.refresh()
    assert table.find(CLIENT, "acme") is seen
    with closing(KeyTable(tmp_path)) as other:
        other.add(CLIENT, "other", NOW)
    table.refresh()
    assert table.find(CLIENT, "acme") is not seen
