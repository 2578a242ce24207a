"""The cases of the conformance kit. Each is a function whose name is its own and whose docstring says what must hold.

A case that a connector does not declare, or that its venue in memory does not offer, is not applicable.
"""

from typing import Final

from tallystick.testing.cases import answers, cancels, life, restarts, streams
from tallystick.testing.cases.case import Case, Play

_PLAYS: Final[tuple[Play, ...]] = (*life.PLAYS, *answers.PLAYS, *streams.PLAYS, *cancels.PLAYS, *restarts.PLAYS)

CASES: Final = tuple(Case(play) for play in _PLAYS)
"""In the order in which they are tried."""
