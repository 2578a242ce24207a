"""What must hold of all that accounts are told, whatever happens on the floor (specs/bluefin.md §3, §9)."""

from collections import defaultdict
from itertools import chain

import pytest

from tallystick.core.keys import EVERYTHING
from tallystick.core.lifecycle import is_closed
from tallystick.dialects.bluefin.frames import Frames, Spelling
from tallystick.dialects.bluefin.view import View, millis, status_of
from tallystick.venue.positions import position
from tests.bluefin.hall import Hall
from tests.bluefin.strict_reader import FAILED_CANCEL_SAYS_NULL, StrictReader
from tests.exchange.crowd import MARKETS, TRADERS, crowd

LIVE = ("OPEN", "PARTIALLY_FILLED_OPEN", "STANDBY")
REFUSED = "refused"
READER = StrictReader(nullable=FAILED_CANCEL_SAYS_NULL)


class Listener:
    """A client of every account: it believes what it is told, and refuses what cannot be.

    An order is known by its account, its hash and its creation: a hash may be used again when its order was refused, or
    is long gone.
    """

    def __init__(self, hall: Hall) -> None:
        self._frames = Frames(View(lambda: hall.engine.ambient), Spelling())
        self.heard: list[list] = []  # the frames of each entry
        self.said: dict[tuple, str] = {}
        self.filled: dict[tuple, int] = defaultdict(int)
        self._traded: dict[tuple, int] = defaultdict(int)  # since the last update of an order with that hash
        hall.venue.dispatcher.subscribe((EVERYTHING,), self.hear)

    def hear(self, entry, state) -> None:
        self.heard.append(self._frames.of(entry, state, lambda *_: True))

    def believe(self) -> None:
        for account, stream, body in chain.from_iterable(self.heard):
            frame = READER.read("AccountStreamMessage", body)
            payload = frame["payload"]
            if stream == "AccountTradeUpdate":
                self._traded[account, payload["trade"]["orderHash"]] += int(payload["trade"]["quantityE9"])
            elif stream == "AccountOrderUpdate" and payload.get("failureToCancelReason") is None:
                self._told_of_order(account, payload)

    def _told_of_order(self, account: int, payload: dict) -> None:
        name = (account, payload["orderHash"])
        key = (*name, payload["createdAtMillis"])
        if payload.get("cancellationReason") == "DUPLICATE_ORDER":
            return
        if self.said.get(key) == REFUSED:  # it was tried again within the millisecond
            del self.said[key]
        assert self.said.get(key, "OPEN") in LIVE, f"{key} was {self.said[key]}, and then {payload}"
        self.filled[key] += self._traded.pop(name, 0)
        if "status" in payload:
            assert int(payload["filledQuantityE9"]) == self.filled[key]
        self.said[key] = payload.get("status", "cancelled" if key in self.said else REFUSED)


@pytest.mark.parametrize("seed", range(6))
def test_each_order_has_one_story_and_the_markets_figures_are_the_venues(seed) -> None:
    """Trades come before the update that counts them, nothing comes after the last one, and the last one is true."""
    hall = Hall(traders=TRADERS, markets=MARKETS)
    listener = Listener(hall)
    before = len(hall.entries)
    crowd(hall, seed, 400)
    assert len(listener.heard) == len(hall.entries) - before
    listener.believe()
    state = hall.venue.state
    assert len(listener.said) > 100
    for order in state.orders.values():
        said = listener.said[order.account, order.terms.client_key, millis(order.placed)]
        assert said == status_of(order) if said in LIVE else is_closed(order.status)
    live = sum(not is_closed(order.status) for order in state.orders.values())
    assert live == sum(said in LIVE for said in listener.said.values())
    for market in state.markets.values():
        held = sum(max(0, position(account, market)) for account in state.accounts.values())
        assert hall.data.ticker(market.name).open_interest_e9 == str(held)
