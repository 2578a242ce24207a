"""Connectors to the paper venue with one fault each, as they are found in the wild; each docstring says which."""

from dataclasses import dataclass
from decimal import Decimal

from tallystick.connect.errors import Ambiguous, NotSent, NotThere, RateLimited, Refused
from tallystick.core.lifecycle import CANCELLED, DONE, TRADE_EXECUTED
from tallystick.testing.paper import RULE, PaperVenue
from tallystick.testing.paper_connector import LATE_US, PaperConnector
from tallystick.testing.subject import Subject
from tallystick.tracker.observations import ANSWER, SUBMIT, CancelReport, OpenOrders, OrderReport


class RefusesOnTimeOut(PaperConnector):
    """No answer is taken for a no."""

    async def place(self, orders):
        try:
            return await super().place(orders)
        except Ambiguous:
            raise Refused("timeout") from None


class NeverSentOnTimeOut(PaperConnector):
    """No answer is taken for a request that never left."""

    async def place(self, orders):
        try:
            return await super().place(orders)
        except Ambiguous:
            raise NotSent("timeout") from None


class ResendsUnderNewId(PaperConnector):
    """No answer is followed by the same order under another id."""

    async def place(self, orders):
        try:
            return await super().place(orders)
        except Ambiguous:
            (order,) = orders
            made = self.venue.add(f"{order.client_id}-again", order.terms.size)
            return [self.report(made, SUBMIT, self.now)]

    def report(self, order, origin, as_of):
        found = super().report(order, origin, as_of)
        found.client_id = found.client_id.removesuffix("-again")
        return found


class ForgetsFillsOnReconnect(PaperConnector):
    """It tells the fills since it last connected, and takes them for all there are."""

    begun: dict[str, int] | None = None

    async def stream(self, position):
        self.begun = {order.venue_id: len(order.fills) for order in self.venue.orders.values()}
        async for item in super().stream(position):
            yield item

    def fills(self, order, origin, as_of):
        return super().fills(order, origin, as_of)[(self.begun or {}).get(order.venue_id, 0) :]


class ResumesNothing(PaperConnector):
    """It declares that its stream goes on from a position, and begins anew."""

    async def stream(self, position):
        async for item in super().stream(""):
            yield item


class LosesTwins(PaperConnector):
    """It knows fills by their size and price."""

    def fills(self, order, origin, as_of):
        known = {}
        for fill in super().fills(order, origin, as_of):
            known.setdefault((fill.consumed, fill.price), fill)
        return list(known.values())


class InventsTradeIds(PaperConnector):
    """A fill that it tells again is another one."""

    told = 0

    def fills(self, order, origin, as_of):
        found = super().fills(order, origin, as_of)
        for each in order.fills:
            self.told += 1
            each.trade = f"{each.trade.partition('#')[0]}#{self.told}"
        return found

    def message(self, order, what):
        return [self.report(order, 2, self.now)] if what == "order" else self.fills(order, 2, self.now)[-1:]


class DeniesDuringOutage(PaperConnector):
    """An error of the network is taken for the answer that there is no such order."""

    async def fetch_order(self, order):
        try:
            return await super().fetch_order(order)
        except Ambiguous:
            raise NotThere("not_found") from None


class ListsNothingDuringOutage(PaperConnector):
    """An error of the network is taken for an empty list."""

    async def open_orders(self):
        try:
            return await super().open_orders()
        except Ambiguous:
            return OpenOrders(self.number, self.now, [], [], fills_complete=True)


class SpeaksOfWhenItWasAnswered(PaperConnector):
    """``as_of`` is when the answer came."""

    async def fetch_order(self, order):
        found = list(await super().fetch_order(order))
        for each in found:
            each.as_of = self.now
        return found

    async def open_orders(self):
        found = await super().open_orders()
        return OpenOrders(found.venue, self.now, found.reports, found.fills, found.fills_complete)


class TakesUnknownForTheEnd(PaperConnector):
    """A word that it does not know is taken for cancelled."""

    def report(self, order, origin, as_of):
        if not order.word:
            return super().report(order, origin, as_of)
        return OrderReport(self.number, order.client_id, order.venue_id, as_of, origin, CANCELLED, word=order.word)


class FailsOnUnknown(PaperConnector):
    """A word that it does not know is an exception of its own."""

    def report(self, order, origin, as_of):
        if order.word:
            raise KeyError(order.word)
        return super().report(order, origin, as_of)


class TakesNoAnswerForCancelled(PaperConnector):
    """A cancel without an answer is taken for done."""

    async def cancel(self, orders):
        try:
            return await super().cancel(orders)
        except Ambiguous:
            return [CancelReport(self.number, each.client_id, each.venue_id, self.now, ANSWER, DONE) for each in orders]


class TakesRefusedCancelForCancelled(PaperConnector):
    """An order that is closed already is taken for cancelled."""

    async def cancel(self, orders):
        try:
            return await super().cancel(orders)
        except Refused:
            return [CancelReport(self.number, each.client_id, each.venue_id, self.now, ANSWER, DONE) for each in orders]


class TakesPendingForExecuted(PaperConnector):
    """A fill that may still revert is told as executed."""

    def fills(self, order, origin, as_of):
        states = [each.state for each in order.fills]
        for each in order.fills:
            each.state = TRADE_EXECUTED
        found = super().fills(order, origin, as_of)
        for each, state in zip(order.fills, states, strict=True):
            each.state = state
        return found


class ForgetsRetryAfter(PaperConnector):
    """Too many requests are refused, and when to come back is not passed on."""

    async def place(self, orders):
        try:
            return await super().place(orders)
        except RateLimited as error:
            raise RateLimited(error.detail) from None


class NamesItByOurId(PaperConnector):
    """The venue's id is taken to be ours."""

    async def place(self, orders):
        found = await super().place(orders)
        for each in found:
            each.venue_id = each.client_id
        return found


class NeverFailsToClose(PaperConnector):
    """Closing it twice is a fault."""

    closed = False

    async def close(self):
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


@dataclass
class Mutant:
    """``case`` is the one that is named after the fault and must catch it."""

    connector: type[PaperConnector]
    case: str

    def subject(self) -> Subject:
        venue = PaperVenue()

        def connect() -> PaperConnector:
            return self.connector(venue, resumes=True, late_us=LATE_US)

        return Subject(connect, venue, market=RULE.name, amount=Decimal(10), price=Decimal(10))


MUTANTS = [
    Mutant(RefusesOnTimeOut, "lost answer"),
    Mutant(NeverSentOnTimeOut, "lost answer"),
    Mutant(ResendsUnderNewId, "lost answer"),
    Mutant(ForgetsFillsOnReconnect, "cut stream"),
    Mutant(ResumesNothing, "resumed stream"),
    Mutant(LosesTwins, "fills alike"),
    Mutant(InventsTradeIds, "pending then confirmed"),
    Mutant(DeniesDuringOutage, "outage denies nothing"),
    Mutant(ListsNothingDuringOutage, "outage denies nothing"),
    Mutant(SpeaksOfWhenItWasAnswered, "slow answers"),
    Mutant(TakesUnknownForTheEnd, "unknown status"),
    Mutant(FailsOnUnknown, "unknown status"),
    Mutant(TakesNoAnswerForCancelled, "lost cancel"),
    Mutant(TakesRefusedCancelForCancelled, "cancel against fill"),
    Mutant(TakesPendingForExecuted, "pending then reverted"),
    Mutant(ForgetsRetryAfter, "rate limit"),
    Mutant(NamesItByOurId, "placed and filled"),
    Mutant(NeverFailsToClose, "closed twice"),
]


refuses_on_time_out = MUTANTS[0].subject
