"""A real server in a process of its own, for tests: a Sandbox of which everything that it wrote is searched for secrets
when it has ended.
"""

from pathlib import Path
from types import TracebackType

from tallystick.testing.sandbox import Sandbox
from tests.canary import secrets_left_in

ROOT = Path(__file__).parents[1]


class RunningServer(Sandbox):
    """See Sandbox. ``module`` may be one of the tests' own."""

    def __init__(
        self, data: Path, *options: str, environment: dict[str, str] | None = None, module: str = "tallystick"
    ) -> None:
        super().__init__(data, *options, environment=environment, module=module, folder=ROOT)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        if error is None:
            assert not list(secrets_left_in(self._log, self.data))
