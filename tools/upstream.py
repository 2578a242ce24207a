"""Runs Hummingbot's own tests, unmodified, against the facade: ``python -m tools.upstream DIR``.

The tests import ``hummingbot.*``; those names are mapped to the modules of ``tallystick.dialects.hummingbot``, so what
they patch is what runs. Bring the tests from a checkout of Hummingbot; they are no part of this project.
"""

import importlib
import os
import sys
from types import ModuleType
from typing import Final

import pytest

FACADE: Final = "tallystick.dialects.hummingbot"

# What the tests import, and the module of the facade that has it.
MODULES: Final = {
    "hummingbot.connector.client_order_tracker": "client_order_tracker",
    "hummingbot.connector.connector_base": "exchange_base",
    "hummingbot.connector.exchange_base": "exchange_base",
    "hummingbot.core.data_type.common": "common",
    "hummingbot.core.data_type.in_flight_order": "in_flight_order",
    "hummingbot.core.data_type.limit_order": "limit_order",
    "hummingbot.core.data_type.trade_fee": "trade_fee",
    "hummingbot.core.event.event_listener": "pubsub",
    "hummingbot.core.event.event_logger": "event_logger",
    "hummingbot.core.event.events": "events",
    "hummingbot.core.pubsub": "pubsub",
    "hummingbot.core.rate_oracle.rate_oracle": "rate_oracle",
}
ORDER_BOOK: Final = "hummingbot.core.data_type.order_book"
"""A name for annotations: order books are outside of the facade."""
NOT_OURS: Final = "ignore::pytest.PytestAssertRewriteWarning"
"""The facade is loaded before its tests are, so that they find it."""


def stand_in() -> None:
    """Let ``import hummingbot.…`` find the facade. Raises RuntimeError where the real one is loaded."""
    if "hummingbot" in sys.modules:
        raise RuntimeError("hummingbot is loaded already; run this where it is not")
    for name, module in MODULES.items():
        _place(name, importlib.import_module(f"{FACADE}.{module}"))
    order_book = ModuleType(ORDER_BOOK)
    setattr(order_book, "OrderBook", type("OrderBook", (), {}))  # noqa: B010 - a module declares no such attribute
    _place(ORDER_BOOK, order_book)


def _place(name: str, module: ModuleType) -> None:
    """``module`` is found as ``name``, by import and by attribute."""
    sys.modules[name] = module
    while "." in name:
        package, _, attribute = name.rpartition(".")
        parent = sys.modules.setdefault(package, ModuleType(package))
        setattr(parent, "__path__", [])  # noqa: B010 - what makes it a package
        setattr(parent, attribute, sys.modules[name])
        name = package


def main(folders: list[str]) -> int:
    stand_in()
    options = ["-q", "-c", os.devnull, "--rootdir", folders[0], "-p", "no:cacheprovider", "-W", NOT_OURS]
    return int(pytest.main([*options, *folders]))


if __name__ == "__main__":
    if not any(sys.argv[1:]):
        sys.exit("Name the folder with the tests: make upstream TESTS=dir")
    sys.exit(main(sys.argv[1:]))
