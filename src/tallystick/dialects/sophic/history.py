"""What has happened: events, and the trades among them."""

from collections.abc import Callable
from typing import Final

from tallystick.core.ids import NUMBER_MAX
from tallystick.core.keys import account_key, order_key
from tallystick.dialects.sophic.errors import not_found
from tallystick.dialects.sophic.events import PublicEvent
from tallystick.dialects.sophic.feed import Feed, Found
from tallystick.dialects.sophic.ports import Desk
from tallystick.dialects.sophic.queries import Query
from tallystick.dialects.sophic.slices import in_slices
from tallystick.dialects.sophic.tenancy import is_own, own_account, own_accounts, own_trade
from tallystick.dialects.sophic.view import View
from tallystick.dialects.sophic.wire import ResourceType
from tallystick.readers.index import Index
from tallystick.readers.walk import keys_of
from tallystick.venue.state import Account
from tallystick.web.exchange import Reply, Request, json_array, json_reply

ANYTHING: Final = ("", 0)


class History:
    """Lists are in the order of the journal, so their places are numbers of events. Where a page had to stop for the
    work it was, its link has a cursor that is no event's id."""

    def __init__(self, desk: Desk, index: Index, view: View) -> None:
        self._desk: Final = desk
        self._feed: Final = Feed(index, desk.readers)
        self._view: Final = view

    async def events(self, request: Request, query: Query) -> Reply:
        state = self._desk.readers.state
        after, before = self._times(query)
        page = query.page("event", lambda event_id: self._place_of_event(request, event_id), after, before)
        resource = query.get("resource[id]")
        if resource is None:
            keys, of = keys_of(own_accounts(state, request)), ANYTHING
        else:
            keys, of = self._resource(request, resource)
        name = query.get("name")

        def wanted(event: PublicEvent) -> bool:
            return (
                (name is None or event.name == name)
                and of in (ANYTHING, (event.resource_type, event.resource))
                and is_own(state, request, event.account)
            )

        found = await self._feed.page(keys, page, wanted)
        items = await in_slices(found.events, self._view.event)
        return json_array(items, query.link(page, self._cursor(found, self._id_of_event)))

    async def event(self, request: Request, query: Query) -> Reply:
        event = self._own_event(request, request.params["event_id"])
        if event is None:
            raise not_found("event")
        query.check()
        return json_reply(self._view.event(event))

    async def trades(self, request: Request, query: Query) -> Reply:
        account = own_account(self._desk.readers.state, request)
        page = query.page("trade", lambda trade_id: self._place_of_trade(request, account, trade_id))

        def wanted(event: PublicEvent) -> bool:
            return event.name == "trade.executed" and event.account == account.number

        found = await self._feed.page((account_key(account.number),), page, wanted)
        items = await in_slices(found.events, lambda event: self._render_trade(request, event.resource))
        return json_array(items, query.link(page, self._cursor(found, self._id_of_trade)))

    async def trade(self, request: Request, query: Query) -> Reply:
        number = self._view.trade_ids.number(request.params["trade_id"])
        if own_trade(self._desk.readers, request, number) is None:
            raise not_found("trade")
        query.check()
        return json_reply(self._render_trade(request, number))

    def _times(self, query: Query) -> tuple[int, int]:
        """What ``created`` asks for, as numbers of events, both exclusive."""
        after, before = 0, NUMBER_MAX
        for name, later in (("created[gt]", 1), ("created[gte]", 0)):
            time = query.get(name)
            if time is not None:
                after = max(after, self._feed.number_at(time + later) - 1)
        for name, later in (("created[lt]", 0), ("created[lte]", 1)):
            time = query.get(name)
            if time is not None:
                before = min(before, self._feed.number_at(time + later))
        return after, before

    def _resource(self, request: Request, resource: str) -> tuple[tuple[int, ...], tuple[ResourceType, int]]:
        """What to walk for the events of an order or a trade with this id; of what is none of the client's, nothing."""
        readers = self._desk.readers
        trade = self._view.trade_ids.number(resource)
        if trade:
            found = own_trade(readers, request, trade)
            return (() if found is None else (order_key(found[1].number),)), ("trade", trade)
        order = self._view.order_ids.number(resource)
        is_there = order and (made := readers.order(order)) and is_own(readers.state, request, made[0].account)
        return ((order_key(order),) if is_there else ()), ("order", order)

    def _own_event(self, request: Request, event_id: str) -> PublicEvent | None:
        event = self._feed.event(self._view.event_ids.number(event_id))
        return event if event is not None and is_own(self._desk.readers.state, request, event.account) else None

    def _place_of_event(self, request: Request, event_id: str) -> int:
        event = self._own_event(request, event_id)
        return self._view.cursors.number(event_id) if event is None else event.number

    def _place_of_trade(self, request: Request, account: Account, trade_id: str) -> int:
        found = own_trade(self._desk.readers, request, self._view.trade_ids.number(trade_id))
        if found is None or found[1].account != account.number:
            return self._view.cursors.number(trade_id)
        return self._feed.number_at(found[0].made)

    def _render_trade(self, request: Request, number: int) -> bytes:
        readers = self._desk.readers
        found = own_trade(readers, request, number)
        assert found is not None, f"trade {number} is nowhere"
        return self._view.trade(readers.state, *found)

    def _cursor(self, found: Found, id_of: Callable[[PublicEvent], str]) -> str:
        """The id to go on from, "" if there is nothing more."""
        for event in (*found.events[:1], *found.events[-1:]):
            if event.number == found.rest:
                return id_of(event)
        return self._view.cursors.text(found.rest) if found.rest else ""

    def _id_of_event(self, event: PublicEvent) -> str:
        return self._view.event_ids.text(event.number)

    def _id_of_trade(self, event: PublicEvent) -> str:
        return self._view.trade_ids.text(event.resource)
