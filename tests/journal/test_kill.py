"""kill -9: everything a writer said was durable is there afterwards, and the chain goes on over every crash."""

import subprocess
import sys
from pathlib import Path

from tallystick.journal.sqlite import SqliteJournal

WRITER = """
import sys
from types import SimpleNamespace
from tallystick.journal.committer import Committer
from tallystick.journal.sqlite import SqliteJournal

journal = SqliteJournal(sys.argv[1])
position = {stream: journal.last(stream) for stream in ("sx", "sophic")}

def durable(items):
    print("\\n".join(f"{item.stream} {item.entry}" for item in items), flush=True)

def failed(error, items):
    raise error

committer = Committer(journal, lambda entry: str(entry).encode() * 40, durable, failed)
while True:
    for stream in position:
        if committer.pending < 100:
            position[stream] += 1
            committer.put(SimpleNamespace(stream=stream, entry=position[stream]))
"""


def run_and_kill(path: Path, after: int) -> dict[str, int]:
    """Let a writer run until it has reported ``after`` records, kill it, and give the last it reported per stream."""
    reported = {"sx": 0, "sophic": 0}
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(after)]
        writer.kill()
        lines += writer.stdout.read().splitlines(keepends=True)
    for line in lines:
        if line.endswith("\n"):
            stream, sequence = line.split()
            reported[stream] = int(sequence)
    return reported


def test_what_was_reported_durable_survives_kill_9_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.db"
    for after in (1, 2, 10, 57, 300, 1000):
        reported = run_and_kill(path, after)
        journal = SqliteJournal(path)
        for stream, last in reported.items():
            bodies = list(journal.read(stream))
            assert len(bodies) == journal.last(stream) >= last
            assert bodies == [(each, b"%d" % each * 40) for each in range(1, len(bodies) + 1)]
        journal.close()
