"""The venue's decisions: ``decide(state, command, known) -> entry``, with time and prices as data (docs/design.md §3).

The engine owns the writer's state and its timers. What every venue does alike (reference data, accounts, transfers) it
decides here with ``operations``; what a venue chooses is its dialect's Rules.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, Protocol

from mypy_extensions import mypyc_attr

from tallystick.core.order import Order
from tallystick.core.trade import Trade
from tallystick.facts.codes import (
    INVALID_AMOUNT,
    INVALID_STATUS,
    SCOPE_ACCOUNT,
    SETTLEMENT_STAGE,
    STAGE_NAMES,
    UNKNOWN_MARKET,
)
from tallystick.facts.commands import (
    NOTHING_KNOWN,
    Accepted,
    Answer,
    CancelOrders,
    ChangeAccount,
    ChangeLeverage,
    ChangeMarket,
    ClearPrerequisite,
    DefineAsset,
    DefineMarket,
    ExecutePart,
    FailExecution,
    Hold,
    Known,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Refused,
    SettleTrade,
    Transfer,
)
from tallystick.facts.common import Cause
from tallystick.facts.venue import CancelFinished, Entry
from tallystick.venue.ambient import Ambient
from tallystick.venue.draft import Draft
from tallystick.venue.fold import fold
from tallystick.venue.operations import (
    change_account,
    change_market,
    define_asset,
    define_market,
    open_account,
    open_venue,
    transfer_funds,
)
from tallystick.venue.state import Account, Asset, Market, State
from tallystick.venue.sweeps import Sweeps
from tallystick.venue.timers import ORDER_TIMER, TRADE_TIMER, Timers


class Rules(Protocol):
    """What a venue chooses. Each method looks, and either refuses or emits; a refusal may itself be a fact.

    ``roles`` are those of the accounts without which no order is taken.
    """

    @property
    def roles(self) -> tuple[int, ...]: ...

    def place(self, draft: Draft, command: PlaceOrder, known: Known) -> Answer: ...

    def cancel(self, draft: Draft, command: CancelOrders) -> Answer: ...

    def wake_order(self, draft: Draft, order: Order) -> None:
        """The order is due."""

    def wake_trade(self, draft: Draft, trade: Trade) -> None:
        """The trade is due: to settle, or to be asked for."""

    def stop_order(self, draft: Draft, order: Order, reason: str, request: int) -> None:
        """The order cannot go on, for its market or its account: it ends now, with two events at most."""

    def spendable(self, draft: Draft, account: Account, asset: Asset) -> int:
        """How much of the asset a customer may be paid out."""

    def quoted(self, draft: Draft, market: Market) -> None:
        """The market's price is another."""

    def operate(self, draft: Draft, command: Any) -> Answer:
        """What operators, or those who test, ask of an order or a trade under way."""


@mypyc_attr(acyclic=True, free_list_len=1)
class Decision:
    """What came of a command: the entry to be journaled, if anything happened, and the answer."""

    __slots__ = ("answer", "entry")

    def __init__(self, entry: Entry | None, answer: Answer) -> None:
        self.entry: Final = entry
        self.answer: Final = answer


_CAUSES: Final[dict[type, Cause]] = {
    PlaceOrder: Cause("place"),
    CancelOrders: Cause("cancel"),
    DefineAsset: Cause("define asset"),
    DefineMarket: Cause("define market"),
    OpenVenue: Cause("open venue"),
    OpenAccount: Cause("open account"),
    Transfer: Cause("transfer"),
    Quote: Cause("quote"),
    ChangeMarket: Cause("change market"),
    ChangeAccount: Cause("change account"),
    ClearPrerequisite: Cause("clear prerequisite"),
    ExecutePart: Cause("execute part"),
    FailExecution: Cause("fail execution"),
    SettleTrade: Cause("settle trade"),
    Hold: Cause("hold"),
    ChangeLeverage: Cause("change leverage"),
}
_PLACE_ORDER: Final = PlaceOrder  # what is asked most is told first, and by a constant of this module
POPS_MAX: Final = 1024
_ORDER_DUE: Final = Cause("order due")
_TRADE_DUE: Final = Cause("trade due")
_SWEEP: Final = Cause("sweep")


class Engine:
    """One venue's writer. Not to be used after it raised: whoever owns it recovers from the journal."""

    def __init__(self, rules: Rules, state: State | None = None) -> None:
        self.state: Final = State() if state is None else state
        self.rules: Final = rules
        self.ambient: Final = Ambient()
        self.timers: Final = Timers()
        self._sweeps: Final = Sweeps()
        self._operations: Final[dict[type, Callable[[Draft, Any], Answer]]] = {
            DefineAsset: define_asset,
            DefineMarket: define_market,
            OpenVenue: open_venue,
            OpenAccount: open_account,
            ChangeMarket: change_market,
            ChangeAccount: change_account,
        }

    def recover(self, entries: Iterable[Entry]) -> None:
        """Fold what the journal holds beyond the state; then what is due is due."""
        for entry in entries:
            fold(self.state, entry)
        self.timers.rebuild(self.state)

    def decide(self, command: Any, now: int, known: Known = NOTHING_KNOWN) -> Decision:
        """Decide one command at ``now`` (microseconds); later than every time before, or it is taken as just after."""
        draft = Draft(self.state, self.ambient, self.timers, now)
        kind = type(command)
        cause = _CAUSES[kind]
        answer: Answer
        if kind is _PLACE_ORDER:
            answer = self.rules.place(draft, command, known)
        elif kind is Quote:
            answer = self._quote(draft, command)
        elif kind is CancelOrders:
            answer = self.rules.cancel(draft, command)
        elif kind is Hold:
            answer = self._hold(draft, command)
        elif kind is Transfer:
            answer = transfer_funds(draft, command, self.rules.spendable)
        elif kind in self._operations:
            answer = self._operations[kind](draft, command)
        else:
            answer = self.rules.operate(draft, command)
        if command.by or command.reason:
            cause = Cause(cause.kind, command.by, command.reason)
        return Decision(draft.seal(cause), answer)

    def next_due(self) -> int:
        """When ``wake`` wants to be called next, 0 for never."""
        return (self.state.time or 1) if self.state.sweeps else self.timers.next_due()

    def wake(self, now: int) -> Entry | None:
        """Decide the next thing that is due at ``now``.

        None when nothing more is, or for now: after some timers that came to nothing ``next_due`` may still be past.
        """
        if self.state.sweeps:
            return self._sweep(now)
        for _ in range(POPS_MAX):
            due = self.timers.next_due()
            if due == 0 or due > now:
                return None
            kind, number = self.timers.pop()
            draft = Draft(self.state, self.ambient, self.timers, now)
            if kind == ORDER_TIMER:
                self._wake_order(draft, number, now)
                entry = draft.seal(_ORDER_DUE)
            else:
                self._wake_trade(draft, number, now)
                entry = draft.seal(_TRADE_DUE)
            if entry is not None:
                return entry
        return None

    def _sweep(self, now: int) -> Entry | None:
        """End a slice of the orders that the oldest unfinished request is about."""
        request = next(iter(self.state.sweeps.values()))
        orders, is_last = self._sweeps.slice(self.state, request)
        draft = Draft(self.state, self.ambient, self.timers, now)
        for order in orders:
            self.rules.stop_order(draft, order, request.reason, request.number)
        if is_last:
            by_account = request.scope == SCOPE_ACCOUNT
            account, market = (request.subject, 0) if by_account else (0, request.subject)
            draft.emit(CancelFinished(account, 0, market, request.number))
        return draft.seal(_SWEEP)

    def _wake_order(self, draft: Draft, number: int, now: int) -> None:
        order = self.state.orders.get(number)
        if order is not None and 0 < order.due <= now:
            self.rules.wake_order(draft, order)

    def _wake_trade(self, draft: Draft, number: int, now: int) -> None:
        trade = self.state.trades.get(number)
        if trade is not None and 0 < trade.due <= now:
            self.rules.wake_trade(draft, trade)

    def _quote(self, draft: Draft, command: Quote) -> Answer:
        if command.market not in self.state.markets:
            return Refused(UNKNOWN_MARKET, "There is no such market.", "market")
        if command.price < 0:
            return Refused(INVALID_AMOUNT, "A price is positive, or 0 for none.", "price")
        for number in self.ambient.quote(command.market, command.price, draft.started):
            self.timers.set(draft.started, ORDER_TIMER, number)
        self.rules.quoted(draft, self.state.markets[command.market])
        return Accepted(command.market)

    def _hold(self, draft: Draft, command: Hold) -> Answer:
        if not 0 < command.stage < len(STAGE_NAMES):
            return Refused(INVALID_STATUS, "There is no such stage.", "stage")
        if command.market and command.market not in self.state.markets:
            return Refused(UNKNOWN_MARKET, "There is no such market.", "market")
        if not command.release:
            self.ambient.hold(command.stage, command.market)
            return Accepted(command.stage)
        timer = TRADE_TIMER if command.stage == SETTLEMENT_STAGE else ORDER_TIMER
        for number in self.ambient.release(command.stage, command.market):
            self.timers.set(draft.started, timer, number)
        return Accepted(command.stage)
