"""Each dialect's half of a match, found by its name: how it names orders, and what its interface lists."""

from importlib import import_module
from typing import Any, Final, cast

from tallystick.match.half import Half
from tallystick.match.venue_half import Naming

_NAMINGS: Final = {
    "sophic": ("tallystick.dialects.sophic.naming", "SophicNaming"),
    "bluefin": ("tallystick.dialects.bluefin.matched", "BluefinNaming"),
}
_LISTED: Final = {"sophic": ("tallystick.dialects.sophic.listed", "listed")}


class NoSuchDialect(LookupError):
    """No dialect of this name can be matched."""


def naming(dialect: str, secret: bytes, venue: str) -> Naming:
    """How the dialect names things at an installation with this secret. Raises NoSuchDialect."""
    return cast(Naming, _found(_NAMINGS, dialect)(secret, venue))


async def listed(dialect: str, *, url: str, client_id: str, client_secret: str, account: str) -> Half:
    """What the venue's interface lists of the account. Raises NoSuchDialect, VenueError."""
    if dialect in _NAMINGS and dialect not in _LISTED:
        raise NoSuchDialect(f"{dialect} venues list no orders that are over: name the data folder instead")
    read = _found(_LISTED, dialect)
    return cast(Half, await read(url=url, client_id=client_id, client_secret=client_secret, account=account))


def _found(dialects: dict[str, tuple[str, str]], name: str) -> Any:
    if name not in dialects:
        raise NoSuchDialect(f"there is no dialect {name!r} that can be matched; there are: {', '.join(dialects)}")
    module, attribute = dialects[name]
    return getattr(import_module(module), attribute)
