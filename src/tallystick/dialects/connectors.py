"""The connectors of the systems that Tallystick speaks with, found by name."""

from importlib import import_module
from typing import Any, Final, cast

from tallystick.connect.errors import CannotStart
from tallystick.connect.port import Connector

CONNECTORS: Final = {
    "sophic": ("tallystick.dialects.sophic.connector", "SophicConnector"),
    "bluefin": ("tallystick.dialects.bluefin.connector", "BluefinConnector"),
}


def connector(name: str, /, **settings: Any) -> Connector:
    """The connector of this name with its settings; raises CannotStart. It is imported only when it is wanted."""
    found = CONNECTORS.get(name)
    if found is None:
        raise CannotStart(f"there is no connector {name!r}; there are: {', '.join(CONNECTORS)}")
    module, attribute = found
    try:
        return cast(Connector, getattr(import_module(module), attribute)(**settings))
    except TypeError as error:
        raise CannotStart(f"the settings of {name!r} are not right: {error}") from None
