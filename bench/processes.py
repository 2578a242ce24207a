"""Children of a bench: servers and measuring processes, each pinned to a core, each ended whatever happens."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
COMPILED: Final = ROOT / "build" / "compiled"
SERVER_CORE: Final = 0
CLIENT_CORE: Final = 1
START_SECONDS: Final = 30
CHILD_SECONDS: Final = 180


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """What is started inside stays on ``core``; on a machine with one core, or without affinity, anywhere."""
    if not hasattr(os, "sched_setaffinity") or core not in os.sched_getaffinity(0):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def environment(compiled: bool) -> dict[str, str]:
    """The environment in which the interpreted or the compiled package is imported."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(COMPILED if compiled else ROOT / "src"), str(ROOT)])}


class Serving:
    """A server process on the server's core. ``process`` is its id, ``port`` where it listens."""

    def __init__(self, child: "subprocess.Popen[str]", port: int) -> None:
        self.process: Final = child.pid
        self.port: Final = port


@contextmanager
def serving(arguments: Sequence[str], log: Path, *, compiled: bool = False) -> Iterator[Serving]:
    """Run ``python -m arguments`` until the block ends; raises RuntimeError with its log if it does not start."""
    with on_core(SERVER_CORE), log.open("ab") as errors:
        child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment(compiled),
            cwd=ROOT,
            text=True,
        )
    try:
        assert child.stdout is not None
        line = child.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", line)
        if found is None:
            raise RuntimeError(f"{arguments[0]} did not start: {line}{log.read_text()[-2000:]}")
        yield Serving(child, int(found[1]))
    finally:
        child.kill()
        child.communicate()


def ask(module: str, question: Mapping[str, Any], *, core: int | None = None, compiled: bool = False) -> dict[str, Any]:
    """Run ``python -m module`` with the question as its argument, and read its answer: JSON both ways."""
    arguments = [sys.executable, "-m", module, json.dumps(question)]
    options: dict[str, Any] = {"env": environment(compiled), "cwd": ROOT, "text": True, "timeout": CHILD_SECONDS}
    if core is None:
        done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True, **options)
    else:
        with on_core(core):
            done = subprocess.run(arguments, stdout=subprocess.PIPE, check=True, **options)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def compile_package() -> str | None:
    """Bring the compiled package up to date; why there is none, if there is none."""
    program = [sys.executable, "-m", "tools.compile_pure", "--out", str(COMPILED)]
    done = subprocess.run(program, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    last = (done.stdout.strip().splitlines() or ["it said nothing"])[-1]
    if done.returncode != 0 or last.startswith("not compiled"):
        return last
    return None
