"""What must hold of what goes out: the journal held against what endpoints and followers received.

It has a mapping of its own, and shares no code with the sender but the codec of public ids.
"""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterable, Sequence
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct

from tallystick.core.ids import IdCodec
from tallystick.deliver.records import PER_ORDER, Delivery, Endpoint
from tallystick.facts import venue
from tallystick.facts.venue import Entry
from tallystick.simulate.endpoints import Receipt
from tallystick.simulate.terms import SECOND_US
from tallystick.simulate.violation import Violation, require

ATTEMPTS: Final = 10
NOTICE: Final = "webhook.disabled"

_NAMES: Final[dict[type, str]] = {
    venue.OrderPlaced: "order.placed",
    venue.OrderWaiting: "order.pending",
    venue.OrderOpened: "order.executing",
    venue.OrderFilled: "order.filled",
    venue.OrderSettled: "order.settled",
    venue.OrderCancelled: "order.cancelled",
    venue.TradeMade: "trade.executed",
    venue.TradeSettled: "trade.settled",
}


class Due(Struct, frozen=True):
    """One public event: its number, its name, whose it is, and the order that it must stay in order with."""

    number: int
    sequence: int
    name: str
    owner: str
    order: int


def due(entries: Iterable[Entry], owners: dict[int, str]) -> list[Due]:
    """The public events of these entries, in order; ``owners`` are those of the accounts."""
    found: list[Due] = []
    for entry in entries:
        for at, event in enumerate(entry.events):
            name = _NAMES.get(type(event))
            if name is not None:
                number = entry.sequence * 1024 + at
                found.append(Due(number, entry.sequence, name, owners.get(event.account, ""), event.order))
    return found


def require_followed(name: str, seen: Sequence[str], owed: Sequence[Due], owner: str, ids: IdCodec) -> None:
    """Each event of the owner's, once and in order (docs/design.md §6.7)."""
    expected = [ids.text(each.number) for each in owed if each.owner == owner]
    for at, (got, wanted) in enumerate(zip(seen, expected, strict=False)):
        number = ids.number(wanted)
        require(got == wanted, "followed", f"{name} saw {got} as its event {at}, not {wanted}, number {number}")
    require(len(seen) == len(expected), "followed", f"{name} saw {len(seen)} of {len(expected)} events")


class Sent:
    """Everything that endpoints received, held against what was due to one of them."""

    def __init__(self, receipts: Sequence[Receipt], owed: Sequence[Due], ids: IdCodec) -> None:
        self._receipts: Final = receipts
        self._owed: Final = owed
        self._ids: Final = ids

    def require_delivered(self, endpoint: Endpoint, since: int, deliveries: Sequence[Delivery]) -> None:
        """Of the owner's events after the number ``since``, and of all attempts at this endpoint."""
        received = [each for each in self._receipts if each.endpoint == endpoint.number]
        expected = {each.number: each for each in self._owed if each.owner == endpoint.owner and each.number > since}
        self._require_alike(endpoint, received, {each.number: each for each in self._owed})
        self._require_arrived(endpoint, received, expected, deliveries)
        _require_heeded(endpoint, received)
        if endpoint.ordering == PER_ORDER:
            self._require_ordered(endpoint, received, expected, deliveries)

    def _require_alike(self, endpoint: Endpoint, received: Sequence[Receipt], owed: dict[int, Due]) -> None:
        """Every attempt shows a durable event of the owner's; those of one delivery are alike, and signed."""
        bodies: dict[str, bytes] = {}
        for each in received:
            headers = each.headers
            delivery, timestamp = headers["Webhook-Id"], headers["Webhook-Timestamp"]
            shown = f"webhook {endpoint.number}, delivery {delivery}"
            same = bodies.setdefault(delivery, each.body) == each.body
            require(same, "sent", f"{shown}: an attempt has other bytes")
            signed = _signature(endpoint.secrets[0], delivery, timestamp, each.body)
            require(headers["Webhook-Signature"] == signed, "sent", f"{shown}: the signature is of something else")
            fresh = abs(int(timestamp) * SECOND_US - each.begun) <= SECOND_US
            require(fresh, "sent", f"{shown}: the timestamp {timestamp} is not the attempt's")
            body = json.loads(each.body)
            require(body["id"] == headers["Event-Id"], "sent", f"{shown}: Event-Id is another's")
            if body["name"] == NOTICE:
                continue
            event = owed.get(self._ids.number(body["id"]))
            require(event is not None, "sent", f"{shown}: there is no event {body['id']}")
            assert event is not None
            require(event.sequence <= each.durable, "revealed", f"{shown}: entry {event.sequence} was not durable yet")
            is_right = (event.name, event.owner) == (body["name"], endpoint.owner)
            require(is_right, "sent", f"{shown}: it shows {body['name']} of another")

    def _require_arrived(
        self, endpoint: Endpoint, received: Sequence[Receipt], expected: dict[int, Due], deliveries: Sequence[Delivery]
    ) -> None:
        """At least once, or in sight as failed (docs/design.md §6.8)."""
        accepted = {self._number(each) for each in received if 200 <= each.status < 300}
        told = {each.headers["Event-Id"] for each in received if 200 <= each.status < 300 and each.is_told}
        failed: set[int] = set()
        for each in deliveries:
            shown = f"webhook {endpoint.number}: {each.event_id} is {each.status}"
            if each.status == "succeeded":
                require(each.event_id in told, "delivered", f"{shown}, and its endpoint never said so")
            elif each.status == "failed":
                failed.add(self._ids.number(each.event_id))
                tried = len(each.attempts) >= ATTEMPTS or not endpoint.is_active
                require(tried, "delivered", f"{shown} after {len(each.attempts)} attempts")
            else:
                raise Violation("delivered", f"{shown} when the world is at rest")
        begun = endpoint.position if not endpoint.is_active else max(expected, default=0)
        for number, event in expected.items():
            is_in_sight = number in accepted or number in failed or number > begun
            detail = f"webhook {endpoint.number} never got event {number}, {event.name}, and nothing says so"
            require(is_in_sight, "delivered", detail)

    def _require_ordered(
        self, endpoint: Endpoint, received: Sequence[Receipt], expected: dict[int, Due], deliveries: Sequence[Delivery]
    ) -> None:
        """No event of an order is attempted before the one before it has arrived or failed."""
        over: dict[int, int] = {}
        for each in received:
            if 200 <= each.status < 300:
                number = self._number(each)
                over[number] = min(over.get(number, each.ended), each.ended)
        for row in deliveries:
            if row.status == "failed":
                number = self._ids.number(row.event_id)
                over[number] = min(over.get(number, row.ended_at), row.ended_at)
        before: dict[int, list[int]] = {}
        earlier: dict[int, list[int]] = {}
        for number, event in sorted(expected.items()):
            earlier[number] = list(before.setdefault(event.order, []))
            before[event.order].append(number)
        for each in received:
            for number in earlier.get(self._number(each), ()):
                is_over = number in over and over[number] <= each.begun
                detail = f"webhook {endpoint.number} was sent {each.headers['Event-Id']} before event {number} was over"
                require(is_over, "ordered", detail)

    def _number(self, receipt: Receipt) -> int:
        return self._ids.number(receipt.headers["Event-Id"])


def _require_heeded(endpoint: Endpoint, received: Sequence[Receipt]) -> None:
    """While it lives, a sender begins no attempt before the time that the endpoint asked for."""
    until: dict[int, int] = {}
    begun = [(each.begun, False, at) for at, each in enumerate(received)]
    answered = [(each.ended, True, at) for at, each in enumerate(received) if each.is_told and each.retry_after]
    for time, is_answer, at in sorted(begun + answered):  # one that was begun in the same moment could not know
        life = received[at].life
        if is_answer:
            until[life] = max(until.get(life, 0), time + received[at].retry_after * SECOND_US)
        else:
            pause = until.get(life, 0)
            detail = f"webhook {endpoint.number} was sent something at {time}, not to be before {pause}"
            require(time >= pause, "sent", detail)


def _signature(secret: bytes, delivery: str, timestamp: str, body: bytes) -> str:
    content = f"{delivery}.{timestamp}.".encode() + body
    return "v1," + b64encode(hmac.new(secret, content, sha256).digest()).decode()


def owners_of(accounts: Iterable[Any]) -> dict[int, str]:
    """Whose each customer's account is."""
    return {each.number: each.owner for each in accounts if each.owner}
