"""The terms of the client half, as its journal has them: venues, their markets, and orders as they were meant.

They are facts like those of client.py, which says what their amounts and times are in.
"""

from msgspec import Struct


class Fact(Struct, frozen=True, array_like=True, gc=False):
    """One fact. Its first fields are its keys, the numbers of its venue and its order; 0 means none."""

    venue: int
    order: int


class VenueJoined(Fact, frozen=True, gc=False, tag=1):
    """A venue, and what its connector declares of it, from now on.

    Fills may come up to ``late_us`` after an order's end. An order that is FILLED waits ``fills_wait_us`` for its fills
    before it is announced as completed without them (0: for ever). It is LOST after ``lost_misses`` not-founds over
    ``lost_after_us``. ``slack_us`` is what the venue's clock and ours may differ by. ``fills`` says how it tells of
    fills (client_codes). An order is gone when ``absent_lists`` complete lists lack it, over ``absent_us`` at least.
    """

    name: str
    completion: int
    late_us: int = 0
    fills_wait_us: int = 0
    lost_misses: int = 3
    lost_after_us: int = 30_000_000
    slack_us: int = 0
    fills: int = 0
    absent_lists: int = 1
    absent_us: int = 0


class MarketListed(Fact, frozen=True, gc=False, tag=2):
    """A market: ``unit`` is traded for ``currency``; ``name`` is its public name. It is the scales of its amounts."""

    market: int
    name: str
    unit: str
    currency: str
    price_scale: int
    unit_scale: int
    cash_scale: int


class OrderIntended(Fact, frozen=True, gc=False, tag=20):
    """An order is about to be sent: its terms as they were meant. Durable before the request leaves.

    ``size`` is of ``kind``; fills that come within ``tolerance`` of it fill the order, and no more than that may exceed
    it. ``price`` is 0 for none. ``traits`` are names and texts that no rule looks at.
    """

    client_id: str
    market: int
    side: int
    order_type: int
    kind: int
    size: int
    price: int = 0
    tolerance: int = 0
    traits: tuple[tuple[str, str], ...] = ()
