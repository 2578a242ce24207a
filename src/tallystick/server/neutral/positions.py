"""Positions in the open: for each venue the event up to which was read, for there is no order between venues.

``sophic.5w0c3s8r1v7e2~sx.4k7q1s2m9n0pa``: opaque but for the names. A venue that it does not name is at its beginning.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from tallystick.core.ids import IdCodec
from tallystick.deliver.feed import PositionUnknown

START: Final = "start"
_KIND: Final = "at"
_PREFIX: Final = _KIND + "_"


class Positions:
    """Those of these ``venues``, made from the folder's ``secret``."""

    def __init__(self, venues: Iterable[str], secret: bytes) -> None:
        self._codecs: Final = {name: IdCodec(secret, name, _KIND) for name in sorted(venues)}

    def text(self, numbers: Mapping[str, int]) -> str:
        """The position at which each venue's event of this number was read, and all before it; 0 for none."""
        parts = [
            f"{name}.{codec.text(number).removeprefix(_PREFIX)}"
            for name, codec in self._codecs.items()
            if (number := numbers.get(name, 0)) > 0
        ]
        return "~".join(parts) or START

    def read(self, text: str) -> dict[str, int]:
        """The inverse, by the venues that it names. Raises PositionUnknown for what ``text`` never gave."""
        numbers: dict[str, int] = {}
        for part in text.split("~") if text != START else ():
            name, _, code = part.partition(".")
            codec = self._codecs.get(name)
            number = 0 if codec is None else codec.number(_PREFIX + code)
            if not number or name in numbers:
                raise PositionUnknown
            numbers[name] = number
        return numbers
