"""A data folder's door for tests: its clock is set by hand, and its secrets are known."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tallystick.access.principal import Denied
from tallystick.server.admission import Admission
from tallystick.server.keys import KeyTable
from tallystick.server.rates import Rate
from tallystick.server.tokens import Tokens

NOW = 1_800_000_000.0
FOLDER_SECRET = bytes(range(32))


class Door:
    """``keys`` is a connection of its own, as another process would have; ``now`` is the time, for all clocks."""

    def __init__(self, data: Path, *, static_token: str = "", rate: Rate | None = None) -> None:
        self.now = NOW
        self.keys = KeyTable(data)
        self.admission = Admission(
            KeyTable(data),
            Tokens(FOLDER_SECRET),
            static_token=static_token,
            rate=rate,
            wall=lambda: self.now,
            monotonic=lambda: self.now,
        )

    def close(self) -> None:
        self.keys.close()
        self.admission.close()

    def token(self, client: str, secret: str) -> str:
        return self.admission.grant(client, secret).access_token

    def admitted(self, token: str) -> str:
        """The client that this token admits, or the code of the refusal."""
        try:
            return self.admission.admit(f"Bearer {token}").client
        except Denied as denied:
            return denied.code

    def granted(self, client: str, secret: str) -> str:
        """``granted``, or the code of the refusal."""
        try:
            self.admission.grant(client, secret)
        except Denied as denied:
            return denied.code
        return "granted"


@contextmanager
def opened(data: Path, *, static_token: str = "", rate: Rate | None = None) -> Iterator[Door]:
    door = Door(data, static_token=static_token, rate=rate)
    try:
        yield door
    finally:
        door.close()
