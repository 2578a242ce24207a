"""Client order ids: never the same twice, whatever was restarted, lost or copied, within what a venue takes as one.

An id is the prefix, a mark of this run and a counter. The mark has 40 random bits and the journal's writer epoch,
which is another each time it is opened: within one journal no two runs have the same mark, of two journals hardly ever.
A venue may keep an id as the key of its request, so an id used again would be taken for a repetition.
"""

import secrets
from typing import Final

from tallystick.connect.errors import CannotStart

RANDOM_BITS: Final = 40
EPOCH_BITS: Final = 15
COUNTER_BITS: Final = 25
"""At least; ids grow longer after so many, as far as the venue takes them."""


class ClientIds:
    """Raises CannotStart if the venue's ids are too short to be told apart. ``random`` is for tests."""

    def __init__(self, prefix: str, length_max: int, alphabet: str, epoch: int, random: int | None = None) -> None:
        if len(set(alphabet)) != len(alphabet) or len(alphabet) < 2:
            raise CannotStart("an alphabet has two characters or more, each once")
        self._alphabet: Final = alphabet
        self._length_max: Final = length_max
        drawn = secrets.randbits(RANDOM_BITS) if random is None else random
        self._prefix: Final = (
            prefix
            + _text(drawn, alphabet, _width(RANDOM_BITS, alphabet))
            + _text(epoch % (1 << EPOCH_BITS), alphabet, _width(EPOCH_BITS, alphabet))
        )
        self._width: Final = _width(COUNTER_BITS, alphabet)
        self._made = 0
        if len(self._prefix) + self._width > length_max:
            raise CannotStart(f"client ids need {len(self._prefix) + self._width} characters, {length_max} are taken")

    def next(self) -> str:
        self._made += 1
        text = self._prefix + _text(self._made, self._alphabet, self._width)
        if len(text) > self._length_max:
            raise CannotStart("there are no more client ids for this run: start it again")
        return text


def _width(bits: int, alphabet: str) -> int:
    return len(_text((1 << bits) - 1, alphabet, 1))


def _text(number: int, alphabet: str, width: int) -> str:
    """``number`` in the alphabet's digits, at least ``width`` of them."""
    digits: list[str] = []
    while number or len(digits) < width:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    return "".join(reversed(digits))
