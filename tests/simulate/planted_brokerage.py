"""Faults to plant in what a brokerage does besides: halts, suspensions, holds, reviews, failures, keys, snapshots."""

from msgspec.structs import replace

from tallystick.core.lifecycle import OPEN
from tallystick.facts import records
from tallystick.facts.codes import ACTIVE, BUY_SELL, CLOSED_SHORT, NOT_TRADING, PROFESSIONAL
from tallystick.facts.commands import NOTHING_KNOWN, ExecutePart
from tallystick.facts.records import RefusalRecord, WaitingRecord
from tallystick.facts.venue import (
    CancelRequested,
    MarketChanged,
    OrderCancelled,
    OrderFilled,
    OrderWaiting,
    SettlementFailed,
)
from tallystick.simulate.process import Parts
from tallystick.venue.calendar import DAY_US
from tallystick.venue.engine import Engine
from tests.simulate.planted import ChangedEntries, Engineered, Ruled


class OtherTerms(Parts):
    """The venue has other terms than it should, which ``change`` gives."""

    def engine(self, terms, state=None):
        return super().engine(self.change(terms), state)


class CancelledWithTrades(Parts):
    """Whatever stops an order cancels it."""

    def engine(self, terms, state=None):
        class Hard(Ruled):
            def stop_order(self, draft, order, reason, request):
                rest = (order.leaves, order.reserved)
                draft.emit(OrderCancelled(order.account, order.number, order.market, *rest, reason, request))

        return Engine(Hard(terms), state)


class ClosedShortWithoutTrades(ChangedEntries):
    """An order that fails for good is called filled."""

    def event(self, event):
        if (
            isinstance(event, OrderCancelled)
            and event.reason in {"execution_failed", "asked for"}
            and not event.request
        ):
            keys = (event.account, event.order, event.market)
            event = OrderFilled(*keys, event.released, event.voided, CLOSED_SHORT, event.reason)
        yield event


class SweepSkipsOrders(Parts):
    """A halt or a suspension forgets every other order."""

    def engine(self, terms, state=None):
        class Lazy(Ruled):
            def stop_order(self, draft, order, reason, request):
                if not request or order.number % 2:
                    super().stop_order(draft, order, reason, request)

        return Engine(Lazy(terms), state)


class SweepWithoutEnd(Parts):
    """A suspension's request covers the orders that are still to come."""

    def engine(self, terms, state=None):
        def far(event):
            return replace(event, through=event.through + 50) if isinstance(event, CancelRequested) else event

        real = super().engine(terms, state)
        return Engineered(real, lambda entry: replace(entry, events=tuple(map(far, entry.events))))


class SweepLostAtRestart(Parts):
    """What a halt has not come to when the process dies is never ended."""

    def engine(self, terms, state=None):
        class Forgetful:
            def __init__(self, engine):
                self._engine = engine

            def __getattr__(self, name):
                return getattr(self._engine, name)

            def recover(self, entries):
                self._engine.recover(entries)
                self._engine.state.sweeps.clear()

        return Forgetful(super().engine(terms, state))


class TradesWhileHalted(Parts):
    """An operator's part trades whatever the market's status, and the account's."""

    def engine(self, terms, state=None):
        class Bold(Ruled):
            def operate(self, draft, command):
                order = draft.state.orders.get(command.order) if isinstance(command, ExecutePart) else None
                if order is None or order.status != OPEN:
                    return super().operate(draft, command)
                market, account = draft.state.markets[order.market], draft.state.accounts[order.account]
                kept = market.status, account.status
                market.status, account.status = BUY_SELL, ACTIVE
                answer = super().operate(draft, command)
                market.status, account.status = kept
                return answer

        return Engine(Bold(terms), state)


class HoldsIgnored(Parts):
    def engine(self, terms, state=None):
        class Deaf:
            def __init__(self, engine):
                self._engine = engine

            def __getattr__(self, name):
                return getattr(self._engine, name)

            def decide(self, command, now, known=NOTHING_KNOWN):
                decision = self._engine.decide(command, now, known)
                self._engine.ambient.held.clear()
                return decision

        return Deaf(super().engine(terms, state))


class StalePricesTaken(OtherTerms):
    def change(self, terms):
        return terms._replace(price_stale_us=0)


class ReviewSkipped(OtherTerms):
    def change(self, terms):
        return terms._replace(review_over=0)


class CutOffIgnored(OtherTerms):
    def change(self, terms):
        calendar = terms.calendar
        return terms._replace(calendar=calendar and calendar._replace(cutoff_us=DAY_US))


class HolidaysIgnored(OtherTerms):
    def change(self, terms):
        calendar = terms.calendar
        return terms._replace(calendar=calendar and calendar._replace(holidays=()))


class RetriedTooSoon(ChangedEntries):
    """A settlement that failed is tried again at once, also before the day on which it was to happen."""

    def event(self, event):
        yield replace(event, due=1) if isinstance(event, SettlementFailed) else event


class WaitsForEver(ChangedEntries):
    def event(self, event):
        yield replace(event, deadline=0) if isinstance(event, OrderWaiting) else event


class NotReleasedWhenShort(ChangedEntries):
    def event(self, event):
        yield replace(event, voided=0) if isinstance(event, OrderFilled) and event.verdict == CLOSED_SHORT else event


class KeysForEver(Parts):
    """A key is never free again, once its order or its refusal has left the state."""

    def known(self, readers, command):
        known = super().known(readers, command)
        return replace(known, since=known.since and readers.state.time)


class RefusalReworded(Parts):
    """A request that was refused is refused again, in other words."""

    def known(self, readers, command):
        known = super().known(readers, command)
        return replace(known, refused=known.refused and replace(known.refused, detail="No."))


class RefusalsForgotten(Parts):
    """Only what was accepted is known by its key."""

    def engine(self, terms, state=None):
        class Forgetful(Ruled):
            def place(self, draft, command, known):
                account = draft.state.accounts.get(command.account)
                if account is not None and account.keys.get(command.client_key, 0) < 0:
                    del account.keys[command.client_key]
                return super().place(draft, command, NOTHING_KNOWN if known.refused else known)

        return Engine(Forgetful(terms), state)


class SnapshotWithoutWaiting(Parts):
    """A snapshot does not say what orders wait for."""

    def snapshot(self, state):
        return [body for body in super().snapshot(state) if not isinstance(records.decode(body), WaitingRecord)]


class SnapshotWithoutRefusals(Parts):
    def snapshot(self, state):
        return [body for body in super().snapshot(state) if not isinstance(records.decode(body), RefusalRecord)]


class NotDueYet(OtherTerms):
    """Orders are submitted and executed at once."""

    def change(self, terms):
        return terms._replace(submit_after_us=0, execute_after_us=0)


class EverybodyIsProfessional(Parts):
    def engine(self, terms, state=None):
        class Trusting(Ruled):
            def place(self, draft, command, known):
                account = draft.state.accounts.get(command.account)
                if account is None:
                    return super().place(draft, command, known)
                kept, account.flags = account.flags, account.flags | PROFESSIONAL
                answer = super().place(draft, command, known)
                account.flags = kept
                return answer

        return Engine(Trusting(terms), state)


class HaltWithoutSweep(ChangedEntries):
    """A halt says nothing of the orders that there are."""

    def change(self, entry):
        first = entry.events[0]
        halts = isinstance(first, MarketChanged) and first.status == NOT_TRADING
        return replace(entry, events=entry.events[:1]) if halts else entry
