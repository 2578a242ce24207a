"""A real server in a process of its own: started on a free port, stopped gently or by kill -9."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Final, Self

START_SECONDS: Final = 30.0
_LISTENS: Final = re.compile(r"Tallystick serves (http://127\.0\.0\.1:\d+) ")


class DidNotStart(AssertionError):
    """The server ended, or said something else, before it listened; what it wrote is in the message."""


class Sandbox:
    """``tallystick serve`` over the folder ``data``, which is made if need be; what it writes goes to a file beside it.

    ``url`` is where it listens, ``account`` the demo account there, whose client is ``demo`` with the secret
    ``sandbox``. ``options`` are those of the command; ``module`` may name another one with the same command line.
    """

    def __init__(
        self,
        data: Path,
        *options: str,
        environment: dict[str, str] | None = None,
        module: str = "tallystick",
        folder: Path | None = None,
    ) -> None:
        self.data: Final = data
        self._log: Final = data.parent / f"{data.name}.log"
        with self._log.open("ab") as log:
            self._process: Final = subprocess.Popen(
                [sys.executable, "-m", module, "serve", "--port", "0", "--data", str(data), *options],
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                cwd=folder,
                text=True,
                start_new_session=True,
            )
        self.url: Final = self._first_line()
        self.account: Final = f"{self.url}/sophic/accounts/acc_demo"

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
        return self.wait()

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

    def _first_line(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = _LISTENS.match(line)
        if found is None:
            self._process.kill()
            self._process.communicate()
            raise DidNotStart(f"the server did not start: {line}\n{self.log}")
        return found[1]
