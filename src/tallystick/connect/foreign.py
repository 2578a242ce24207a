"""Orders that are open on the account and were not made here: shown, and never taken for ours.

What is known of them is what the venue's last list of open orders says. It is not journaled: a restart lists anew. A
list may name an order of ours by an id that we have not learned yet; while that can be, an order without a client id
of its maker is nobody's, and is looked at again in the next list.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from tallystick.core.lifecycle import ORDER_STATUS_NAMES
from tallystick.tracker.observations import UNKNOWN_STATUS, OrderReport

FOREIGN_MAX: Final = 10_000
"""More than so many are not remembered."""

_log = logging.getLogger(__name__)


class ForeignOrder(NamedTuple):
    """``exchange_order_id`` is the venue's, ``client_order_id`` its maker's ("" if the venue does not say it).
    ``status`` is as in events, or the venue's own word; ``timestamp`` when it was first seen here, in seconds."""

    exchange_order_id: str
    client_order_id: str
    status: str
    timestamp: float


Callback = Callable[[ForeignOrder], object]


class ForeignOrders:
    def __init__(self, name: str) -> None:
        self._name: Final = name
        self._orders: dict[str, ForeignOrder] = {}
        self._callbacks: Final[dict[object, Callback]] = {}

    def all(self) -> list[ForeignOrder]:
        """Those in the last list; first seen first."""
        return list(self._orders.values())

    def has(self, venue_id: str) -> bool:
        return venue_id in self._orders

    def forget(self, venue_id: str) -> None:
        """It is ours, or no longer open."""
        self._orders.pop(venue_id, None)

    def listen(self, callback: Callback) -> Callable[[], None]:
        """Call it for each that is there already, and for each new one; what is returned ends that."""
        key = object()
        self._callbacks[key] = callback
        for order in self.all():
            self._tell(callback, order)
        return lambda: self._callbacks.pop(key, None) and None

    def listed(self, reports: Iterable[OrderReport], now: int) -> None:
        """These and no others are open now, of those that are not ours."""
        before = self._orders
        self._orders = {}
        for report in reports:
            if len(self._orders) >= FOREIGN_MAX:
                break
            known = before.get(report.venue_id)
            status = report.word if report.status == UNKNOWN_STATUS else ORDER_STATUS_NAMES[report.status]
            since = now / 1_000_000 if known is None else known.timestamp
            self._orders[report.venue_id] = ForeignOrder(report.venue_id, report.client_id, status, since)
        new = [order for order in self.all() if order.exchange_order_id not in before]
        if new:
            _log.warning("%s: %d open orders on the account were not made here", self._name, len(new))
        for callback in list(self._callbacks.values()):
            for order in new:
                self._tell(callback, order)

    def _tell(self, callback: Callback, order: ForeignOrder) -> None:
        try:
            callback(order)
        except Exception:  # noqa: BLE001 - it is a listener's; the others go on, and so does it
            _log.exception("a listener failed at the foreign order %s", order.exchange_order_id)
