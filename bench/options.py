"""What the user chose, for every row."""

from pathlib import Path
from typing import NamedTuple


class Options(NamedTuple):
    """``folder`` is on the disk to measure; ``uncompiled`` says why there is no compiled package, if there is none.

    ``quick`` asks for rough figures soon, ``compiled_server`` for servers that run with the pure rooms compiled.
    """

    folder: Path
    uncompiled: str | None
    quick: bool
    compiled_server: bool
