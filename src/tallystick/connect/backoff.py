"""How long to wait before something that failed is tried again: ever longer, and never at the same time as others."""

from random import Random
from typing import Final

from tallystick.core.back_off import back_off


class Backoff:
    """Seconds: about ``first``, doubled each time up to ``most``, each a random half to whole of that."""

    def __init__(self, first: float = 0.2, most: float = 10.0, *, random: Random) -> None:
        self._first_us: Final = int(first * 1_000_000)
        self._most_us: Final = int(most * 1_000_000)
        self._random: Final = random
        self._failures = 0

    def failed(self) -> float:
        """It failed again: the seconds to wait now."""
        whole = back_off(self._first_us, self._failures, self._most_us) / 1_000_000
        self._failures += 1
        return whole * (0.5 + self._random.random() / 2)

    def succeeded(self) -> None:
        self._failures = 0
