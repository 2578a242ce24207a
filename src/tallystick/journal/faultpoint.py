"""Named points at which a crash test ends the process: ``TALLYSTICK_CRASH_AT=commit.after:3`` kills it (SIGKILL) the
third time that it passes ``commit.after``. Unset, as it always is but in such a test, passing one does nothing.
"""

import os
import signal
from collections.abc import Callable
from threading import Lock
from typing import Final

VARIABLE: Final = "TALLYSTICK_CRASH_AT"
FAULT_POINTS: Final = (
    "start.after_lock",
    "start.after_recover",
    "commit.before",
    "commit.after",  # durable, and nobody knows it yet
    "release.before",
    "release.middle",
    "tables.before",
    "tables.after",
    "snapshot.before_rename",
    "snapshot.after_rename",
    "send.before",  # a client's intent is durable, and not sent
    "send.after",  # its answer is there, and nobody knows it yet
)


def crash_at(setting: str, kill: Callable[[], object]) -> Callable[[str], None]:
    """What ``fault_point`` does under the setting ``name:n``, n from 1. Raises ValueError if it means nothing."""
    name, _, passes = setting.partition(":")
    if name not in FAULT_POINTS or not passes.isdecimal() or int(passes) == 0:
        raise ValueError(f"{VARIABLE} is name:n, n from 1, and name one of {', '.join(FAULT_POINTS)}; not {setting!r}.")
    left = int(passes)
    one_at_a_time = Lock()

    def fault_point(passed: str) -> None:
        nonlocal left
        if passed == name:
            with one_at_a_time:
                left -= 1
                if left == 0:
                    kill()

    return fault_point


def _pass(_name: str) -> None:
    """Nobody wants a crash."""


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()  # whichever thread the signal reaches, this one goes no further


_setting: Final = os.environ.get(VARIABLE, "")
fault_point: Final = crash_at(_setting, _kill) if _setting else _pass
"""Called with its name wherever a process may be cut off."""
