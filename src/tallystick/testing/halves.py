"""Whether the two halves match: a client's journal held against the truth of a venue in memory.

The comparison is tallystick.match. Controls tell less of an order than a venue does, its id, its status and what is
filled, so the rest is taken to be as the client has it.
"""

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from tallystick.connect.client import Client, Venue
from tallystick.connect.store import STREAM
from tallystick.facts.client import decode
from tallystick.facts.client_codes import INFERRED
from tallystick.match.client_half import ClientHalf
from tallystick.match.differences import CERTAINTY, Difference
from tallystick.match.differences import differences as compare
from tallystick.match.half import HalfOrder
from tallystick.testing.controls import Controls, VenueOrder


def differences(client: Client, venue: Venue, truth: Sequence[VenueOrder]) -> list[Difference]:
    """Everything in which the client's durable orders there and the venue's differ; nothing if they match.

    What the client inferred, and the venue has, is no difference.
    """
    journal = client.store.storage.journal
    ours = list(ClientHalf(decode(body) for _, body in journal.read(STREAM)).orders(venue.name))
    inferred = {order.client_id for order in ours if order.certainty == INFERRED}
    found = compare(ours, _Truth(truth, ours), "")
    return [each for each in found if each.what != CERTAINTY or each.client_id not in inferred]


def assert_halves_match(client: Client, venue: Venue, controls: Controls) -> None:
    """Raises AssertionError with every difference between the client's journal and ``controls.truth()``."""
    found = differences(client, venue, controls.truth())
    if found:
        raise AssertionError(sentences(found))


def sentences(found: Iterable[Difference]) -> str:
    return "; ".join(f"{each.client_id or each.order_id}: {each.detail}" for each in found)


class _Truth:
    """See match.half.Half."""

    def __init__(self, truth: Sequence[VenueOrder], ours: Sequence[HalfOrder]) -> None:
        self._client: Final = {order_id: order for order in ours for order_id in order.order_ids}
        self._truth: Final = {order.id: order for order in truth}

    def find(self, order_ids: tuple[str, ...], client_id: str) -> HalfOrder | None:
        found = [self._truth[order_id] for order_id in order_ids if order_id in self._truth]
        return self._completed(found[0]) if found else None

    def orders(self) -> Iterator[HalfOrder]:
        return map(self._completed, self._truth.values())

    def _completed(self, order: VenueOrder) -> HalfOrder:
        ours = self._client.get(order.id, _UNKNOWN)
        return msgspec.structs.replace(
            ours, order_ids=(order.id,), account="", status=order.status, quantity=order.filled, cancel=None
        )


_ZERO: Final = Decimal(0)
_UNKNOWN: Final = HalfOrder("", (), "", "", 0, 0, _ZERO, 0, _ZERO, _ZERO, _ZERO, _ZERO, _ZERO, {})
