"""``tallystick client`` and ``tallystick operator``: what they print, and that a door that is open feels it."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tallystick.cli.main import app
from tallystick.journal.folder import JOURNAL_FILE
from tests.auth.doors import opened


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments, "--data", str(data)], env={"COLUMNS": "200"})


def secret_of(done: Result) -> str:
    assert done.exit_code == 0, done.output
    found = re.search(r"secret=(\S+)$", done.stdout, re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that a server has worked in."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / JOURNAL_FILE).touch()
    return folder


def test_a_client_is_added_before_the_server_first_starts_and_its_secret_is_printed(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    done = run(data, "client", "add", "acme", "--scope", "orders:read", "--scope", "events:read", "--new")
    assert re.fullmatch(r"client_id=acme\nclient_secret=tsk_[\w-]{43}\n", done.stdout)
    folder = f"It counts for the server whose folder is {data}.\n"
    assert done.stderr == f"The secret is not shown again.\n{folder}"
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    with opened(data) as door:
        assert door.admission.grant("acme", secret_of(done)).scopes == {"orders:read", "events:read"}


def test_a_client_without_a_name_is_given_one(data: Path) -> None:
    assert re.match(r"client_id=cli_[0-9a-f]{16}\n", run(data, "client", "add").stdout)


@pytest.mark.parametrize("kind", ["client", "operator"])
def test_nobody_is_added_to_a_folder_that_no_server_works_in(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "typo"
    done = run(folder, kind, "add", "ann")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"tallystick: There is no journal in {folder}: name the server's data folder with --data, "
        "or give --new before its first start.\n"
    )
    assert not folder.exists()


def test_the_folder_is_the_one_that_the_server_reads_from_its_environment(data: Path, tmp_path: Path) -> None:
    environment = {"TALLYSTICK_SERVER_DATA": str(data), "TALLYSTICK_DATA": str(tmp_path / "other")}
    done = CliRunner().invoke(app, ["client", "add", "acme"], env=environment)
    assert done.exit_code == 0, done.output
    assert run(data, "client", "list").stdout.startswith("acme")


@pytest.mark.parametrize("kind", ["client", "operator"])
def test_a_life_from_added_to_disabled_and_back(data: Path, kind: str) -> None:
    secrets = [secret_of(run(data, kind, "add", "ann", "--note", "third floor"))]
    line = run(data, kind, "list").stdout
    assert re.match(r"ann  enabled  added \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  .*third floor\n$", line)
    rotated = run(data, kind, "rotate", "ann", "--overlap", "2h")
    secrets.append(secret_of(rotated))
    assert "The old secret counts until 20" in rotated.stderr
    assert "old secret until 20" in run(data, kind, "list").stdout
    assert "wait until then" in run(data, kind, "rotate", "ann").stderr
    secrets.append(secret_of(run(data, kind, "rotate", "ann", "--overlap", "0")))
    assert run(data, kind, "disable", "ann").stdout == "ann is disabled.\n"
    assert run(data, kind, "list").stdout.startswith("ann  disabled 20")
    assert run(data, kind, "enable", "ann").stdout == "ann is enabled.\n"
    listed = run(data, kind, "list").output
    assert len(set(secrets)) == 3
    assert not any(secret in listed for secret in secrets)


# command, part of the sentence, exit code
FAULTS = {
    "no such client": (("client", "disable", "nobody"), "There is no client nobody: `tallystick client list`", 1),
    "no such operator": (("operator", "rotate", "acme"), "There is no operator acme: `tallystick operator list`", 1),
    "a name twice": (("client", "add", "acme"), "There is a client acme already", 1),
    "no such scope": (("client", "add", "b", "--scope", "orders"), "There is no scope 'orders'", 1),
    "no name": (("client", "add", "a b"), "A name has 1 to 64", 1),
    "an overlap in weeks": (("client", "rotate", "acme", "--overlap", "2w"), "a number of s, m, h or d", 2),
    "an overlap of months": (("client", "rotate", "acme", "--overlap", "31d"), "at most 30d", 2),
    "an overlap below zero": (("client", "rotate", "acme", "--overlap", "-1h"), "a number of s, m, h or d", 2),
}


@pytest.mark.parametrize(("arguments", "sentence", "code"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_is_told_in_a_sentence(data: Path, arguments: tuple[str, ...], sentence: str, code: int) -> None:
    run(data, "client", "add", "acme")
    done = run(data, *arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert sentence in done.stderr


def test_a_folder_without_clients_is_not_made_into_one(tmp_path: Path) -> None:
    for command in (("list",), ("rotate", "acme"), ("disable", "acme"), ("enable", "acme")):
        done = run(tmp_path / "typo", "client", *command)
        assert done.exit_code == 1
        assert "There are no clients in" in done.stderr
    assert not (tmp_path / "typo").exists()


def test_a_command_in_another_process_is_felt_at_once_by_a_door_that_is_open(data: Path) -> None:
    def tallystick(*arguments: str) -> str:
        command = [sys.executable, "-m", "tallystick", *arguments]
        environment = os.environ | {"TALLYSTICK_DATA": str(data)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    with opened(data) as door:
        secret = tallystick("client", "add", "acme").split("client_secret=")[1].strip()
        token = door.token("acme", secret)
        assert door.admitted(token) == "acme"
        tallystick("client", "disable", "acme")
        assert door.admitted(token) == "unauthorized"
        assert door.granted("acme", secret) == "invalid_client"
