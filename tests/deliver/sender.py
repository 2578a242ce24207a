"""``tallystick deliver`` in a process of its own, beside a server that leaves sending to it."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.running import RunningServer


class RunningSender:
    """Its waits are a twentieth of the usual."""

    def __init__(self, server: RunningServer) -> None:
        self._log = server.data.parent / "sender.log"
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tallystick", "deliver", "--everywhere"),
                    *("--url", server.url, "--data", str(server.data)),
                ],
                stdout=log,
                stderr=log,
                env={**os.environ, "TALLYSTICK_WEBHOOKS_RETRY_SCALE": "0.05"},
                cwd=Path(__file__).parents[2],
            )

    @property
    def log(self) -> str:
        return self._log.read_text()

    def end(self, how: int) -> int:
        self.process.send_signal(how)
        return self.process.wait(30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGKILL)
