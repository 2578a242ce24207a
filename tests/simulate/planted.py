"""Faults to plant in a process, each in one part of it; the rest of the process is the real one."""

from collections.abc import Iterator
from math import floor

from msgspec.structs import replace

from tallystick.core.keys import EVERYTHING
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import NOTHING_KNOWN, Accepted, PlaceOrder
from tallystick.facts.venue import Obligation, OrderCancelled, OrderPlaced, TradeMade, TradeSettled, Transferred
from tallystick.sequencer import Item
from tallystick.simulate.process import Parts
from tallystick.simulate.terms import policy_of
from tallystick.venue.engine import Decision, Engine


class Engineered:
    """An engine whose entries pass through ``change`` on their way out, so that the books get something else."""

    def __init__(self, engine, change) -> None:
        self._engine, self._change = engine, change

    def __getattr__(self, name):
        return getattr(self._engine, name)

    def decide(self, command, now, known=NOTHING_KNOWN):
        decision = self._engine.decide(command, now, known)
        return Decision(decision.entry and self._change(decision.entry), decision.answer)

    def wake(self, now):
        entry = self._engine.wake(now)
        return entry and self._change(entry)


class ChangedEntries(Parts):
    """``event`` gives what stands in the place of one event."""

    def engine(self, terms, state=None):
        return Engineered(super().engine(terms, state), self.change)

    def change(self, entry):
        return replace(entry, events=tuple(new for event in entry.events for new in self.event(event)))

    def event(self, event) -> Iterator:
        yield event


class Ruled:
    """The real rules, for those who change one of them."""

    def __init__(self, terms) -> None:
        self.rules = SophicRules(policy_of(terms))

    def place(self, draft, command, known):
        return self.rules.place(draft, command, known)

    def cancel(self, draft, command):
        return self.rules.cancel(draft, command)

    def wake_trade(self, draft, trade):
        self.rules.wake_trade(draft, trade)

    def wake_order(self, draft, order):
        self.rules.wake_order(draft, order)

    def stop_order(self, draft, order, reason, request):
        self.rules.stop_order(draft, order, reason, request)

    def spendable(self, draft, account, asset):
        return self.rules.spendable(draft, account, asset)

    def quoted(self, draft, market):
        self.rules.quoted(draft, market)

    def operate(self, draft, command):
        return self.rules.operate(draft, command)


class FeesRoundedDown(ChangedEntries):
    def engine(self, terms, state=None):
        self.fee_bps = terms.fee_bps
        return super().engine(terms, state)

    def event(self, event):
        if isinstance(event, TradeMade):
            leg = event.legs[0]
            down = floor(leg.notional * self.fee_bps / 10_000)
            event = replace(event, legs=(replace(leg, fee=min(leg.fee, down)),))
        yield event


class NotReleasedOnCancel(ChangedEntries):
    def event(self, event):
        yield replace(event, voided=0) if isinstance(event, OrderCancelled) else event


class VoidedTwice(ChangedEntries):
    def event(self, event):
        yield replace(event, voided=2 * event.voided) if isinstance(event, OrderCancelled) else event


class ReservedTooLittle(ChangedEntries):
    def event(self, event):
        yield replace(event, reserved=event.reserved - 1) if isinstance(event, OrderPlaced) else event


class LostBackLink(ChangedEntries):
    """Every seventh entry forgets one of the keys it touches."""

    def change(self, entry):
        return replace(entry, links=entry.links[:-2]) if entry.sequence % 7 == 0 and entry.links else entry


class UnitsBeforeCash(ChangedEntries):
    """A buyer's units move with the trade, and only the money waits for the settlement."""

    def event(self, event):
        if not isinstance(event, TradeMade):
            yield event
            return
        leg = event.legs[0]
        moving = [owed for owed in event.obligations if owed.payee == leg.account and owed.amount == leg.quantity]
        yield replace(event, obligations=tuple(owed for owed in event.obligations if owed not in moving))
        for owed in moving:
            yield Transferred(owed.payee, 0, 0, owed.payer, owed.payee, owed.asset, owed.amount)


class FeesToTheStreet(ChangedEntries):
    """A buyer's fees go to the broker and not to the house."""

    def event(self, event):
        if isinstance(event, TradeMade):
            said = [Obligation(o.payer, 2 if o.payee == 3 else o.payee, o.asset, o.amount) for o in event.obligations]
            event = replace(event, obligations=tuple(said))
        yield event


class SettledTooEarly(Parts):
    """Trades settle as soon as anything of theirs is looked at."""

    def engine(self, terms, state=None):
        class Early(Ruled):
            def wake_order(self, draft, order):
                super().wake_order(draft, order)
                for made in list(order.progress.trades):
                    trade = draft.state.trades[made]
                    if trade.due > draft.time:
                        draft.emit(TradeSettled(order.account, order.number, order.market, made))

        return Engine(Early(terms), state)


class TimerLostAtRestart(Parts):
    def engine(self, terms, state=None):
        class Forgetful:
            def __init__(self, engine):
                self._engine = engine

            def __getattr__(self, name):
                return getattr(self._engine, name)

            def recover(self, entries):
                self._engine.recover(entries)
                if self._engine.next_due():
                    self._engine.timers.pop()

        return Forgetful(super().engine(terms, state))


class KeysForgottenAtRestart(Parts):
    """A repeated request is decided twice when a restart came between."""

    def known(self, readers, command):
        return NOTHING_KNOWN

    def engine(self, terms, state=None):
        class Forgetful:
            def __init__(self, engine):
                self._engine, self._forgotten = engine, set()

            def __getattr__(self, name):
                return getattr(self._engine, name)

            def recover(self, entries):
                self._engine.recover(entries)
                for account in self._engine.state.accounts.values():
                    self._forgotten |= {(account.number, key) for key in account.keys}

            def decide(self, command, now, known=NOTHING_KNOWN):
                if not (isinstance(command, PlaceOrder) and (command.account, command.client_key) in self._forgotten):
                    return self._engine.decide(command, now, known)
                decision = self._engine.decide(replace(command, client_key=""), now)
                if decision.entry is None:
                    return decision
                placed, *others = decision.entry.events
                events = (replace(placed, client_key=command.client_key), *others)
                return Decision(replace(decision.entry, events=events), decision.answer)

        return Forgetful(super().engine(terms, state))


class KeysForgottenInTime(Parts):
    """Nobody looks up the keys of orders that have left the state."""

    def known(self, readers, command):
        return NOTHING_KNOWN


class AnsweredBeforeDurable(Parts):
    def sequencer(self, engine, readers, committer):
        real = super().sequencer(engine, readers, committer)

        class Hasty:
            def __getattr__(self, name):
                return getattr(real, name)

            def submit(self, command, now, answered, known=NOTHING_KNOWN):
                told = []

                def hasty(answer, state):
                    if not told:
                        answered(answer, state)

                committer.newest = None
                real.submit(command, now, hasty, known)
                item = committer.newest
                if item is not None and item.answer is not None and isinstance(item.answer, Accepted) and not told:
                    answered(item.answer, readers.state)
                    told.append(item)

        return Hasty()

    def committer(self, journal, durable, split):
        real = super().committer(journal, durable, split)

        class Watched:
            newest: Item | None = None

            def __getattr__(self, name):
                return getattr(real, name)

            def put(self, item):
                self.newest = item
                real.put(item)

            def flush(self):
                self.newest = None
                real.flush()

        return Watched()


class RevealedBeforeDurable(Parts):
    """Readers are given an entry when it is decided, and not again when it is durable."""

    def sequencer(self, engine, readers, committer):
        class Eager:
            def put(self, item):
                if item.entry is not None:
                    readers.commit(item.entry)
                committer.put(item)

        class Late:
            """Readers for the sequencer, which have it all already."""

            state = readers.state

            def commit(self, entry):
                pass

        return super().sequencer(engine, Late(), Eager())


class LostAppends(Parts):
    """A commit that says it is durable and is not: every ninth batch goes nowhere."""

    def committer(self, journal, durable, split):
        class Lossy:
            def __init__(self):
                self.batches = 0

            def __getattr__(self, name):
                return getattr(journal, name)

            def append(self, batch):
                self.batches += 1
                if self.batches % 9:
                    journal.append(batch)

        return super().committer(Lossy(), durable, split)


class DeafSubscriber(Parts):
    """The dispatcher forgets every fifth entry of those who do not listen to everything."""

    def readers(self, state, tables):
        real = super().readers(state, tables)
        subscribe = real.dispatcher.subscribe

        def forgetful(keys, listener):
            if EVERYTHING in keys:
                return subscribe(keys, listener)
            return subscribe(keys, lambda entry, state: entry.sequence % 5 and listener(entry, state))

        real.dispatcher.subscribe = forgetful
        return real


class TradesAtAnyPrice(ChangedEntries):
    def event(self, event):
        yield replace(event, price=event.price + 1) if isinstance(event, TradeMade) else event
