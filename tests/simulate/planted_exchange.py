"""Faults to plant in an exchange, each in one part of it; the rest of the process is the real one."""

from msgspec.structs import replace

from tallystick.core.lifecycle import is_closed
from tallystick.dialects.bluefin import admit
from tallystick.dialects.bluefin.policy import Policy
from tallystick.dialects.bluefin.rules import BluefinRules
from tallystick.facts import records
from tallystick.facts.codes import CANCEL_MAKER, POST_ONLY, REDUCE_ONLY
from tallystick.facts.records import BookRecord
from tallystick.facts.venue import (
    OrderCancelled,
    OrderExpired,
    OrderPlaced,
    OrderRefused,
    TradeMade,
)
from tallystick.simulate.exchange_world import ExchangeParts
from tallystick.venue.engine import Engine
from tests.simulate.planted import Engineered


class Changed(ExchangeParts):
    """``event`` gives what stands in the place of one event."""

    def engine(self, terms, state=None):
        return Engineered(super().engine(terms, state), self.change)

    def change(self, entry):
        return replace(entry, events=tuple(self.event(event) for event in entry.events))


class FeesForgotten(Changed):
    def event(self, event):
        if isinstance(event, TradeMade):
            event = replace(event, legs=tuple(replace(leg, fee=0) for leg in event.legs))
        return event


class ResultsTooHigh(Changed):
    def event(self, event):
        if isinstance(event, TradeMade):
            legs = tuple(replace(leg, realised=leg.realised and leg.realised + 1) for leg in event.legs)
            event = replace(event, legs=legs)
        return event


class ReservedTooLittle(Changed):
    def event(self, event):
        return replace(event, reserved=event.reserved // 2) if isinstance(event, OrderPlaced) else event


class NotReleasedOnCancel(Changed):
    def event(self, event):
        return replace(event, voided=0) if isinstance(event, OrderCancelled | OrderExpired) else event


class WrongReason(Changed):
    """Every refusal is said to be for want of margin."""

    def event(self, event):
        return replace(event, code="insufficient_margin") if isinstance(event, OrderRefused) else event


class Ruled(ExchangeParts):
    """``change`` does something to the real rules' steps, which are ``rules.steps``."""

    def engine(self, terms, state=None):
        rules = BluefinRules(Policy(orders_max=terms))
        self.change(rules)
        return Engine(rules, state)


class StopsForgotten(Ruled):
    """Nothing is set off by a price."""

    def change(self, rules):
        rules.steps.trigger = lambda draft, market, low, high: None


class OnlyTheLastPrice(Ruled):
    """A stop looks at the last price, and not at those on the way to it."""

    def change(self, rules):
        real = rules.steps.trigger
        rules.steps.trigger = lambda draft, market, low, high: real(draft, market, market.traded, market.traded)


class StopsInAnyOrder(Ruled):
    """What is set off is worked when its price is not there."""

    def change(self, rules):
        real = rules.steps._reached
        rules.steps._reached = lambda state, market, low, high: (
            real(state, market, low, high) or (market.standby.orders()[:1] if high else [])
        )


class TradesWithItself(Ruled):
    """Self-trade prevention looks at the order's word and not at whose the other order is."""

    def change(self, rules):
        rules.steps._take = _take_anything(rules.steps)


def _take_anything(steps_):
    real = steps_._take

    def take(draft, order, account, market, with_, traded):
        first = market.book.first(3 - with_.side)
        if first and draft.state.orders[first].account == order.account and with_.self_trade == CANCEL_MAKER:
            maker = draft.state.orders[first]
            price = maker.terms.instructions.price
            if admit.crosses(with_.side, with_.price, price):
                quantity = min(order.leaves, maker.leaves)
                steps_._trade(draft, order, maker, account, account, market, with_.side, quantity, price)
        return real(draft, order, account, market, with_, traded)

    return take


class CancelAllSkipsOne(Ruled):
    """A cancel of all forgets the newest."""

    def change(self, rules):
        real = rules._named

        def named(draft, command, account, market):
            found = real(draft, command, account, market)
            return found if command.names or len(found) < 2 else found[:-1]

        rules._named = named


class Lenient(Ruled):
    """Instructions are overlooked."""

    overlooks = 0

    def change(self, rules):
        real, mask = rules.place, ~self.overlooks

        def place(draft, command, known):
            with_ = command.instructions
            return real(draft, replace(command, instructions=replace(with_, flags=with_.flags & mask)), known)

        rules.place = place


class PostOnlyOverlooked(Lenient):
    overlooks = POST_ONLY


class ReduceOnlyOverlooked(Lenient):
    overlooks = REDUCE_ONLY


class PaidOutWhatPositionsNeed(Ruled):
    def change(self, rules):
        rules.spendable = lambda draft, account, asset: account.book.look(asset.number).available_settled


class LateTraders(Ruled):
    """An order trades although its time is over, where nobody woke it."""

    def change(self, rules):
        real = rules.steps._take

        def take(draft, order, account, market, with_, traded):
            kept = []
            for number in market.book.orders():
                maker = draft.state.orders[number]
                if maker.due:
                    kept.append((maker, maker.due))
                    maker.due = draft.started + 10**9
            ended = real(draft, order, account, market, with_, traded)
            for maker, due in kept:
                maker.due = 0 if is_closed(maker.status) else due
            return ended

        rules.steps._take = take


class HashesTakenTwice(ExchangeParts):
    """An old hash is forgotten with its order."""

    def known(self, readers, command):
        return replace(super().known(readers, command), order=0)


class SnapshotWithoutTurns(ExchangeParts):
    """A snapshot keeps what rests, newest first."""

    def snapshot(self, state):
        return [records.encode(_turned(records.decode(body))) for body in super().snapshot(state)]


def _turned(record):
    return replace(record, resting=record.resting[::-1]) if isinstance(record, BookRecord) else record


class CancelsRefusedForNothing(Ruled):
    """An order is not found although it is there."""

    def change(self, rules):
        real = rules._named

        def named(draft, command, account, market):
            return [0 for _ in command.names] if command.names else real(draft, command, account, market)

        rules._named = named
