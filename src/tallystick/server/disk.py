"""How much room the disk has: below a mark new orders are refused, so that what is under way can still be recorded."""

import logging
import os
import time
from pathlib import Path
from typing import Final

LOW_BYTES: Final = 64 << 20
CHECK_SECONDS: Final = 1.0

_log = logging.getLogger(__name__)


class DiskSpace:
    """The disk of ``folder``, looked at when asked, but at most every CHECK_SECONDS; ``low_bytes`` 0 never looks."""

    def __init__(self, folder: Path, low_bytes: int = LOW_BYTES) -> None:
        self._folder: Final = folder
        self._low_bytes: Final = low_bytes
        self._again = 0.0 if low_bytes else float("inf")
        self._is_low = False

    def is_low(self) -> bool:
        """Whether fewer than ``low_bytes`` are free."""
        now = time.monotonic()
        if now >= self._again:
            self._again = now + CHECK_SECONDS
            found = os.statvfs(self._folder)
            self._look(found.f_bavail * found.f_frsize)
        return self._is_low

    def _look(self, free: int) -> None:
        is_low = free < self._low_bytes
        if is_low != self._is_low:
            what = "no new orders are taken until there is more" if is_low else "orders are taken again"
            _log.warning("%d MiB are free in %s: %s.", free >> 20, self._folder, what)
        self._is_low = is_low
