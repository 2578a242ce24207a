"""What every fact shares: the entry (the journal's unit), its cause, and the keys by which it is routed."""

from typing import Final

from msgspec import Struct
from msgspec.structs import astuple

values: Final = astuple
"""All of a fact's values at once, in the order of its fields: for whoever reads most of them often."""


class Cause(Struct, frozen=True, array_like=True, gc=False):
    """Why an entry was written: the kind of command, who asked, and their word for it."""

    kind: str
    by: str = ""
    reason: str = ""


class Event(Struct, frozen=True, array_like=True, gc=False):
    """One fact. Its first fields are its keys: the numbers of its account, order and market; 0 means none.

    Every kind has a code of its own (its tag) that never changes meaning; fields are only ever appended, with
    defaults. In the journal an event is ``[code, account, order, market, ...]``.
    """

    account: int
    order: int
    market: int
