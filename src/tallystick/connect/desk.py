"""What one venue's tasks share: its place in the journal, its pacer, its limits, and whether it can be trusted.

It is the connector's ``Context`` as well (port).
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from tallystick.connect.errors import StoreStopped
from tallystick.connect.foreign import ForeignOrders
from tallystick.connect.limits import KILLED, Guard, Limits
from tallystick.connect.pacer import Pacer
from tallystick.connect.port import Connector, Order
from tallystick.connect.soundness import fault, fault_of_rule
from tallystick.connect.store import Store
from tallystick.connect.trading_rules import TradingRule
from tallystick.core.lifecycle import FILLED, REJECTED, SUBMITTED
from tallystick.facts.client import Announced, Entry, FillBelieved
from tallystick.facts.client_codes import COMPLETED, FAILED
from tallystick.facts.client_terms import MarketListed, VenueJoined
from tallystick.tracker.observations import (
    SNAPSHOT,
    JoinVenue,
    Kill,
    ListMarket,
    OpenOrders,
    OrderReport,
    Refusal,
    Release,
)
from tallystick.tracker.order import TrackedOrder
from tallystick.tracker.state import State, Venue

_log = logging.getLogger(__name__)


class Killed(NamedTuple):
    """Why nothing is placed at a venue, and since when, in seconds since the epoch."""

    reason: str
    timestamp: float


class VenueDesk:
    """``number`` is the venue's in the journal. ``rules`` are its trading rules by market name, once it was reached;
    those of ``unlisted`` markets are of before the venue left them out. ``rules_doubted`` asks for newer ones."""

    def __init__(self, store: Store, connector: Connector, limits: Limits) -> None:
        self.store: Final = store
        self.connector: Final = connector
        self.guard: Final = Guard(limits)
        capabilities = connector.capabilities
        self.pacer: Final = Pacer(capabilities.requests_per_second, capabilities.burst)
        self.rules: Final[dict[str, TradingRule]] = {}
        self.unlisted: frozenset[str] = frozenset()
        self.rules_doubted: Final = asyncio.Event()
        self.foreign: Final = ForeignOrders(connector.name)
        self.is_live = False
        self.is_reached = False
        """Its connector has been started and entered: from then on anything may be asked of it."""
        self.under_way: Final[set[int]] = set()
        """Orders whose request to place is on its way: whether they arrived is no question yet."""
        self.queued: Final[set[int]] = set()
        """Those of them whose request has not begun: who takes one out keeps it from being sent."""
        self.unsent: Final[set[int]] = set()
        """Orders whose intent could not be recorded: they were not sent, and will not be."""
        self._changes: Final[list[asyncio.Future[None]]] = []
        store.decide(JoinVenue(_terms(connector)))
        self.number: Final = store.tracker.state.venue_named[connector.name].number
        self._killed_at = 0
        self._obey_switch()
        self._markets: Final[dict[str, MarketListed]] = {}
        self._learn_markets()
        for order in self.orders():
            self.guard.opened(order, store.tracker.state.markets[order.terms.market])

    # --- What is known ------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self.connector.name

    @property
    def venue(self) -> int:
        return self.number

    @property
    def tracked(self) -> Venue:
        """What is decided of the venue; ahead of what is durable."""
        return self.store.tracker.state.venues[self.number]

    @property
    def is_trusted(self) -> bool:
        """Its stream is connected, and all that is open there is known."""
        return self.is_live and self.tracked.is_trusted

    def now(self) -> int:
        return self.store.now()

    def market(self, name: str) -> MarketListed | None:
        return self._markets.get(name)

    def is_ours(self, venue_id: str) -> bool:
        return venue_id in self.tracked.by_id or self.store.storage.archive.has_id(self.number, venue_id)

    def order(self, venue_id: str) -> Order | None:
        order = self.tracked.by_id.get(venue_id)
        return None if order is None else self.order_view(order)

    def oldest_open(self) -> int:
        return min((order.made for order in self.orders()), default=self.now())

    async def durable(self) -> None:
        await self.store.settled()

    async def turn(self) -> None:
        await self.pacer.turn()

    def orders(self) -> list[TrackedOrder]:
        """All that are not over, as far as is known."""
        return [order for order in self.tracked.by_client.values() if order.status < FILLED]

    def order_number(self, client_id: str, venue_id: str) -> int:
        """The number of a tracked order that has one of these ids, 0 if there is none."""
        tracked = self.tracked
        order = tracked.by_client.get(client_id) or tracked.by_id.get(venue_id)
        number: int = 0 if order is None else order.number
        return number

    def order_view(self, order: TrackedOrder) -> Order:
        market = self.store.tracker.state.markets[order.terms.market]
        return Order(order.terms, market, order.venue_id, order.made)

    # --- The kill switch ----------------------------------------------------------------------------------------------

    @property
    def killed(self) -> Killed | None:
        reason = self.guard.killed
        return Killed(reason, self._killed_at / 1_000_000) if reason else None

    def kill(self, reason: str) -> None:
        """Nothing is placed from this moment on, whether or not that can be recorded."""
        self.guard.killed = reason or KILLED
        self._killed_at = self.now()
        try:
            self.store.decide(Kill(self.number, self.guard.killed))
        except StoreStopped:
            _log.error("%s: the kill switch is thrown, and recorded when the journal takes it", self.name)

    def release(self) -> None:
        """Orders are placed again. Raises StoreStopped."""
        self.store.decide(Release(self.number))
        self.guard.killed = ""

    def confirm_switch(self) -> None:
        """The store has begun anew: what was not durable of the switch is not there. In doubt it stays thrown."""
        if self.guard.killed and not self.tracked.killed[0]:
            self.kill(self.guard.killed)
        self._obey_switch()

    def _obey_switch(self) -> None:
        at, reason = self.tracked.killed
        if at:
            self.guard.killed, self._killed_at = reason, at
            _log.warning("%s: the kill switch is thrown, nothing is placed: %s", self.name, reason)

    # --- What is learned ----------------------------------------------------------------------------------------------

    def list_markets(self, rules: Iterable[TradingRule]) -> None:
        """What the venue trades, from now on under these rules; scales stay as they were first listed.

        What is not in the list any more takes no orders. A list of nothing is taken for no list.
        """
        rules = [rule for rule in rules if self._is_market(rule)]
        if not rules:
            _log.warning("%s lists no markets: those that were known stay", self.name)
            return
        self.unlisted = frozenset(self._markets) - {rule.name for rule in rules}
        for rule in rules:
            self._list_market(rule)

    def _is_market(self, rule: TradingRule) -> bool:
        wrong = fault_of_rule(rule)
        if wrong:
            _log.error("%s: a market is left out: %s", self.name, wrong)
        return not wrong

    def rejoin(self) -> None:
        """The store has begun anew: what was not durable of the venue and its markets is said again.

        Raises StoreStopped.
        """
        self.store.decide(JoinVenue(_terms(self.connector)))
        self._markets.clear()
        self._learn_markets()
        for rule in self.rules.values():
            self._list_market(rule)

    def _list_market(self, rule: TradingRule) -> None:
        if rule.name not in self._markets:
            scales = (rule.price_scale, rule.unit_scale, rule.cash_scale)
            self.store.decide(ListMarket(self.number, rule.name, rule.unit, rule.currency, *scales))
            self._learn_markets()
        self.rules[rule.name] = rule.at(self._markets[rule.name])

    def sound(self, given: Sequence[Any]) -> list[Any]:
        """What of it has the form that it should have. The rest is reported and left out."""
        found: list[Any] = []
        for each in given:
            wrong = fault(each, self.number)
            if wrong:
                _log.error("%s: its connector gave what cannot be: %s", self.name, wrong)
            else:
                found.append(each)
        return found

    def observe(self, given: Sequence[Any]) -> None:
        """Give the tracker what the connector said. What cannot be taken is left out, and asked for again."""
        for each in self.sound(given):
            try:
                if isinstance(each, OpenOrders):
                    each = self._of_ours(each)
                self.store.decide(each)
            except StoreStopped:
                return
            if isinstance(each, Refusal) and each.code in self.connector.capabilities.rule_refusals:
                self.rules_doubted.set()

    async def list_open(self) -> None:
        """Ask for the open orders. An order whose request was on its way then may have come just after the list was
        made, and is counted as listed, for all that is known of it."""
        on_their_way = [order.client_id for order in self.orders() if order.number in self.under_way]
        taken = await self.connector.open_orders()
        for each in self.sound([taken]):
            each.reports.extend(
                [OrderReport(self.number, client_id, "", 0, SNAPSHOT, SUBMITTED) for client_id in on_their_way]
            )
            self.observe([each])

    def _of_ours(self, taken: OpenOrders) -> OpenOrders:
        """The list without what others have open, which is shown. Raises StoreStopped.

        An order of ours that had left is back if it is listed as open, or with a fill that nobody knew of, or not
        in that state. What was foreign in the last list is not looked up again.
        """
        archive = self.store.storage.archive
        others: list[OrderReport] = []
        for each in taken.reports:
            if each.status >= FILLED or self.order_number(each.client_id, each.venue_id):
                continue
            if not self.foreign.has(each.venue_id) and archive.known(each) is not None:
                self.store.decide(each)
            else:
                others.append(each)
        for fill in taken.fills:
            if self.order_number(fill.client_id, fill.venue_id) or archive.has_fill(fill):
                continue
            if archive.known(fill) is not None:
                self.store.decide(fill)
        if any(not each.client_id for each in others) and self._has_nameless():
            others = [each for each in others if each.client_id or self.foreign.has(each.venue_id)]
        self.foreign.listed(others, self.now())
        reports = [each for each in taken.reports if self.order_number(each.client_id, each.venue_id)]
        fills = [each for each in taken.fills if self.order_number(each.client_id, each.venue_id)]
        return OpenOrders(taken.venue, taken.as_of, reports, fills, taken.fills_complete)

    def _has_nameless(self) -> bool:
        """Whether the venue may have an order of ours whose id there we do not know."""
        return any(not order.venue_id and order.status != REJECTED for order in self.tracked.by_client.values())

    def take(self, entry: Entry, state: State) -> None:
        """What became durable, for whoever waits for a change here."""
        for event in entry.events:
            if event.venue != self.number:
                continue
            if type(event) is Announced and COMPLETED <= event.what <= FAILED:
                self.guard.closed(event.order)
            elif type(event) is FillBelieved and event.price:
                self.guard.set_price(state.orders[event.order].terms.market, event.price)
        self.changed()

    def changed(self) -> None:
        changes = self._changes[:]
        self._changes.clear()
        for future in changes:
            if not future.done():
                future.set_result(None)

    async def change(self, seconds: float) -> None:
        """Return when something has changed, or after so many seconds."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._changes.append(future)
        await asyncio.wait([future], timeout=max(0.0, seconds))

    async def until_reached(self, seconds: float) -> bool:
        """Whether it has been reached within so many seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not self.is_reached and loop.time() < deadline:
            await self.change(deadline - loop.time())
        return self.is_reached

    def _learn_markets(self) -> None:
        for market in self.store.tracker.state.markets.values():
            if market.venue == self.number:
                self._markets[market.name] = market


def _terms(connector: Connector) -> VenueJoined:
    capabilities = connector.capabilities
    return VenueJoined(
        0,
        0,
        connector.name,
        capabilities.completion,
        capabilities.late_us,
        capabilities.fills_wait_us,
        capabilities.lost_misses,
        capabilities.lost_after_us,
        capabilities.slack_us,
        capabilities.fills,
        capabilities.absent_lists,
        capabilities.absent_us,
    )
