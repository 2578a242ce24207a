"""What is wrong with a configuration."""

from collections.abc import Sequence
from typing import Final, NamedTuple


class Fault(NamedTuple):
    """What is wrong with the setting ``path`` and what to do: ``sophic.fee_bps: must be …``."""

    path: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.path}: {self.sentence}"


class BadConfig(Exception):
    """A configuration that cannot be meant: all its ``faults``, a line for each."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults: Final = faults
