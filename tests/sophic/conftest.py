"""Servers for a whole module: each with the demo account, fixed prices and a pace of its own."""

from collections.abc import Iterator

import pytest

from tests.running import RunningServer
from tests.sophic.customer import Customer

STANDSTILL = "1000"
"""A pace at which an accepted order stays placed for as long as any test looks."""


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """An account with a settled buy and a settled sell, which nothing that the module sends may change.

    When the module is done, all that the venue shows must be the same bytes as before, and nothing went wrong in it.
    """
    with (
        RunningServer(tmp_path_factory.mktemp("untouched") / "data", "--pace", "0", "--prices", "fixed") as server,
        Customer(server) as customer,
    ):
        customer.place("buy", "1234.56")
        customer.place("sell", "12.34", "ins_world")
        customer.until_settled()
        before = customer.everything()
        yield customer
        assert customer.everything() == before
        assert "Traceback" not in server.log
        assert "ERROR" not in server.log


@pytest.fixture
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Customer]:
    """A fresh account at a venue where orders are accepted and stay placed."""
    with (
        RunningServer(
            tmp_path_factory.mktemp("standing") / "data", "--pace", STANDSTILL, "--prices", "fixed"
        ) as server,
        Customer(server) as customer,
    ):
        yield customer
        assert "Traceback" not in server.log
