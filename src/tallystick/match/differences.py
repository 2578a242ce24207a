"""The comparison itself: pure, and each order is looked at once.

An order that the client was refused, or that the venue repeatedly denies to have (LOST), is not to be there; any other
is, with the same terms, status and fills. Where a venue tells refusals and ends in one word, an order that it ended
with nothing filled may have been refused to the client. Sums are compared besides the fills, because a half keeps them
apart. A request to cancel counts while the order is open: what a closed order's requests came to is in its status.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

from msgspec import Struct

from tallystick.core.lifecycle import (
    CANCEL_OUTCOME_NAMES,
    CANCELLED,
    DONE,
    FILLED,
    ORDER_STATUS_NAMES,
    REJECTED,
    SUBMITTED,
    TRADE_STATUS_NAMES,
)
from tallystick.facts.client_codes import CERTAINTY_NAMES, CONFIRMED, LOST
from tallystick.facts.codes import SIDE_NAMES, SIZE_KIND_NAMES
from tallystick.match.half import Half, HalfFill, HalfOrder

# What differs.
NOT_AT_VENUE: Final = "not_at_venue"
NOT_AT_CLIENT: Final = "not_at_client"
OTHER_ACCOUNT: Final = "other_account"
REFUSED_AND_PLACED: Final = "refused_and_placed"
SHARED_ID: Final = "shared_id"
TERMS: Final = "terms"
STATUS: Final = "status"
CERTAINTY: Final = "certainty"
AMOUNT: Final = "amount"
FILL_NOT_AT_CLIENT: Final = "fill_not_at_client"
FILL_NOT_AT_VENUE: Final = "fill_not_at_venue"
FILL: Final = "fill"
TRADE_STATE: Final = "trade_state"
CANCEL: Final = "cancel"

_AMOUNTS: Final = ("consumed", "pending", "quantity", "notional", "fee")
_FILL_AMOUNTS: Final = ("consumed", "quantity", "notional", "fee")


class Difference(Struct, frozen=True):
    """``what`` is one of the codes above, ``detail`` says it in words. Ids are "" where nobody knows them."""

    client_id: str
    order_id: str
    what: str
    detail: str


def differences(client: Iterable[HalfOrder], venue: Half, account: str) -> Iterator[Difference]:
    """Everything in which the client's orders and the venue's of its ``account`` differ, client orders first."""
    matched: dict[str, str] = {}
    for order in client:
        found = venue.find(order.order_ids, order.client_id)
        if found is None:
            yield from _without_other(order)
            continue
        (order_id,) = found.order_ids
        if order_id in matched:
            yield _of(order, found, SHARED_ID, f"{order_id} is the client's order {matched[order_id]} as well")
        elif found.account != account:
            yield _of(order, found, OTHER_ACCOUNT, f"it is in the account {found.account}, not in {account}")
        else:
            yield from _compare(order, found)
        matched[order_id] = order.client_id
    for other in venue.orders():
        if other.order_ids[0] not in matched:
            detail = f"the venue has it, {ORDER_STATUS_NAMES[other.status]}; the client's journal does not"
            yield Difference("", other.order_ids[0], NOT_AT_CLIENT, detail)


def _without_other(order: HalfOrder) -> Iterator[Difference]:
    """An order that the venue does not have; that is as it should be if the client knows it."""
    if order.status == REJECTED or (order.status == SUBMITTED and order.certainty == LOST):
        return
    sure = "" if order.certainty == CONFIRMED else f", {CERTAINTY_NAMES[order.certainty]}"
    detail = f"the client has it, {ORDER_STATUS_NAMES[order.status]}{sure}; it is not at the venue"
    yield Difference(order.client_id, order.order_ids[0] if order.order_ids else "", NOT_AT_VENUE, detail)


def _compare(client: HalfOrder, venue: HalfOrder) -> Iterator[Difference]:
    is_refused = client.status == REJECTED
    if is_refused and not venue.may_be_refused:
        detail = f"the client was refused it ({client.refusal}); the venue has it, {ORDER_STATUS_NAMES[venue.status]}"
        yield _of(client, venue, REFUSED_AND_PLACED, detail)
        return
    if _terms(client) != _terms(venue):
        yield _of(client, venue, TERMS, f"the client sent {_terms(client)}, the venue has {_terms(venue)}")
    if client.status != venue.status and not is_refused:
        words = _pair(ORDER_STATUS_NAMES[client.status], ORDER_STATUS_NAMES[venue.status])
        yield _of(client, venue, STATUS, f"its status is {words}")
    if client.certainty != CONFIRMED:
        detail = f"the client is not sure ({CERTAINTY_NAMES[client.certainty]}); the venue has it"
        yield _of(client, venue, CERTAINTY, detail)
    for name in _AMOUNTS:
        ours, theirs = getattr(client, name), getattr(venue, name)
        if ours != theirs:
            yield _of(client, venue, AMOUNT, f"{name} is {_pair(_plain(ours), _plain(theirs))}")
    yield from _compare_fills(client, venue)
    if cancel := _cancel(client, venue):
        yield _of(client, venue, CANCEL, cancel)


def _compare_fills(client: HalfOrder, venue: HalfOrder) -> Iterator[Difference]:
    for trade, theirs in venue.fills.items():
        ours = client.fills.get(trade)
        if ours is None:
            detail = f"the venue has the fill {trade} of {_plain(theirs.quantity)}; the client does not"
            yield _of(client, venue, FILL_NOT_AT_CLIENT, detail)
        else:
            yield from _compare_fill(client, venue, trade, ours, theirs)
    for trade, ours in client.fills.items():
        if trade not in venue.fills:
            detail = f"the client has the fill {trade} of {_plain(ours.quantity)}; the venue does not"
            yield _of(client, venue, FILL_NOT_AT_VENUE, detail)


def _compare_fill(
    client: HalfOrder, venue: HalfOrder, trade: str, ours: HalfFill, theirs: HalfFill
) -> Iterator[Difference]:
    for name in _FILL_AMOUNTS:
        mine, other = getattr(ours, name), getattr(theirs, name)
        if mine != other:
            yield _of(client, venue, FILL, f"{name} of the fill {trade} is {_pair(_plain(mine), _plain(other))}")
    if ours.state != theirs.state:
        words = _pair(TRADE_STATUS_NAMES[ours.state], TRADE_STATUS_NAMES[theirs.state])
        yield _of(client, venue, TRADE_STATE, f"the trade {trade} is {words}")


def _cancel(client: HalfOrder, venue: HalfOrder) -> str:
    """What differs about requests to cancel it; "" if nothing does."""
    ours, theirs = client.cancel, venue.cancel
    if ours is None:
        return ""
    if ours == DONE:
        agrees = venue.status == CANCELLED
    else:
        agrees = theirs is None or theirs == ours or client.status >= FILLED
    if agrees:
        return ""
    told = "none" if theirs is None else CANCEL_OUTCOME_NAMES[theirs]
    return f"the request to cancel it is {_pair(CANCEL_OUTCOME_NAMES[ours], told)}"


def _of(client: HalfOrder, venue: HalfOrder, what: str, detail: str) -> Difference:
    return Difference(client.client_id, venue.order_ids[0], what, detail)


def _pair(ours: str, theirs: str) -> str:
    return f"{ours} with the client and {theirs} at the venue"


def _terms(order: HalfOrder) -> str:
    limit = "" if order.price is None else f" at {_plain(order.price)}"
    return f"{SIDE_NAMES[order.side]} {_plain(order.size)} {SIZE_KIND_NAMES[order.kind]} {order.market}{limit}"


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}" if len(amount.as_tuple().digits) < 28 else f"{amount:f}"
