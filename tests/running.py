"""A real server in a process of its own, for tests: started on a free port, stopped gently or by kill -9.

When it has ended, everything that it wrote is searched for secrets.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.canary import secrets_left_in

START_SECONDS = 30


class RunningServer:
    """`tallystick serve` over ``data``. ``url`` is where it listens, ``accounts`` the path of the demo account.

    ``module`` may name another one with the same command line.
    """

    def __init__(
        self, data: Path, *options: str, environment: dict[str, str] | None = None, module: str = "tallystick"
    ) -> None:
        self.data = data
        self._log = data.parent / f"{data.name}.log"
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, "serve", "--port", "0", "--data", str(data), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                cwd=Path(__file__).parents[1],
                text=True,
                start_new_session=True,
            )
        self.url = self._first_line()
        self.account = f"{self.url}/sophic/accounts/acc_demo"

    @property
    def log(self) -> str:
        """What it wrote to stderr, over all runs on this data folder."""
        return self._log.read_text()

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """kill -9, at this very moment; harmless when it has ended already."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self._process.send_signal(signal.SIGTERM)
        self._process.communicate(timeout=START_SECONDS)
        return self._process.returncode

    def wait(self) -> int:
        """Wait until it ends by itself; returns the exit code."""
        self._process.communicate(timeout=START_SECONDS)
        return self._process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self.kill()
        if error is None:
            assert not list(secrets_left_in(self._log, self.data))

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.match(r"Tallystick serves (http://127\.0\.0\.1:\d+) ", line)
        if found is None:
            self._process.kill()
            self._process.communicate()
            raise AssertionError(f"the server did not start: {line}\n{self.log}")
        return found[1]
