"""A Sophic venue without a shell, for tests: its engine, a second fold fed with what was encoded, an audit of both."""

from collections.abc import Iterator

from tallystick.core.amounts import parse, render
from tallystick.core.lifecycle import ORDER_STATUS_NAMES
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.codes import BUY, CASH, COUNTERPARTY, CUSTOMER, FEES, MARKET_ORDER, SELL, UNITS, WORLD
from tallystick.facts.commands import (
    Accepted,
    DefineAsset,
    DefineMarket,
    Hold,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.facts.venue import Entry, OrderRefused, decode, encode
from tallystick.journal.record import Record
from tallystick.readers.verify_entries import EntryAudit
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tallystick.venue.fold import fold
from tallystick.venue.snapshot import load
from tallystick.venue.state import State
from tests.naive import check, dump, through_bytes

SECOND = 1_000_000
CASH_SCALE, UNIT_SCALE, PRICE_SCALE = 2, 3, 2
WORLD_ACCOUNT, STREET, HOUSE, ALICE, BOB = 1, 2, 3, 4, 5
USD, ACME_UNIT = 1, 2
ACME = 1

POLICY = Policy(
    FixedDelay(5 * SECOND),
    fee_bps=100,
    submit_after_us=SECOND,
    execute_after_us=SECOND,
    trade_interval_us=SECOND,
    trade_cash_max=100_000,
)


class Stage:
    """Alice and Bob each have 1,000.00 USD and 10.000 ACME. Time starts at 0 and moves when told to."""

    through_records = True

    def __init__(self, policy: Policy = POLICY, retain_us: int = 0) -> None:
        self.engine = Engine(SophicRules(policy))
        self.readers = State()
        self.audit = EntryAudit("stage")
        self.entries: list[Entry] = []
        self.now = 0
        if retain_us:
            self.do(OpenVenue("stage", "check", retain_us=retain_us))
        for name, scale in (("USD", CASH_SCALE), ("ACME", UNIT_SCALE)):
            self.do(DefineAsset(name, scale))
        roles = (("world", WORLD), ("street", COUNTERPARTY), ("fees", FEES), ("alice", CUSTOMER), ("bob", CUSTOMER))
        for name, role in roles:
            self.do(OpenAccount(name, role))
        self.do(DefineMarket("ins_acme", "ACME", "Acme", "ACME", "USD", PRICE_SCALE, 10))
        for customer in (ALICE, BOB):
            self.do(Transfer(WORLD_ACCOUNT, customer, "USD", 100_000))
            self.do(Transfer(WORLD_ACCOUNT, customer, "ACME", 10_000))
        self.now = SECOND

    @property
    def state(self) -> State:
        return self.engine.state

    def do(self, command):
        """Decide a command now; its answer."""
        self.now = max(self.now, self.state.time + 1)
        before = self.state.sequence
        decision = self.engine.decide(command, self.now)
        if isinstance(decision.answer, Accepted):
            assert decision.entry is not None or isinstance(command, (Quote, Hold))
        elif decision.entry is not None:  # a refusal that is held against its key
            assert [type(event) for event in decision.entry.events] == [OrderRefused]
        else:
            assert self.state.sequence == before
        self._keep(decision.entry)
        return decision.answer

    def buy(self, cash: str, account: int = ALICE, **more):
        return self.do(PlaceOrder(account, ACME, BUY, MARKET_ORDER, CASH, parse(cash, CASH_SCALE), **more))

    def sell(self, quantity: str, account: int = ALICE, **more):
        return self.do(PlaceOrder(account, ACME, SELL, MARKET_ORDER, UNITS, parse(quantity, UNIT_SCALE), **more))

    def quote(self, price: str) -> None:
        self.do(Quote(ACME, parse(price, PRICE_SCALE)))
        self.wake()

    def wait(self, seconds: float) -> None:
        """Let time pass; everything that falls due happens when it does."""
        until = self.now + int(seconds * SECOND)
        while 0 < self.engine.next_due() <= until:
            self.now = max(self.now, self.engine.next_due())
            self.wake()
        self.now = until

    def wake(self) -> None:
        for entry in self._due():
            self._keep(entry)

    def _due(self) -> Iterator[Entry]:
        while (entry := self.engine.wake(self.now)) is not None:
            yield entry

    def _keep(self, entry: Entry | None) -> None:
        """Fold the entry as a reader does, from its bytes, and hold both states against each other and the rules."""
        if entry is None:
            return
        body = encode(entry)
        assert decode(body) == entry
        fold(self.readers, decode(body))
        self.entries.append(entry)
        assert dump(self.readers) == dump(self.state)
        if self.through_records:
            assert dump(load(through_bytes(self.readers))) == dump(self.readers)
        check(self.state)
        self.audit.take(Record(entry.sequence, 1, body, b""))
        self.audit.look_at_everything()

    # --- What a row of a scenario shows ---

    def status(self, number: int) -> str:
        return ORDER_STATUS_NAMES[self.readers.orders[number].status]

    def cash(self, account: int = ALICE) -> str:
        return self._balance(account, USD, CASH_SCALE)

    def units(self, account: int = ALICE) -> str:
        return self._balance(account, ACME_UNIT, UNIT_SCALE)

    def _balance(self, account: int, asset: int, scale: int) -> str:
        balance = self.readers.accounts[account].book.look(asset)
        amounts = (balance.settled, balance.receivable, balance.payable, balance.reserved)
        return " ".join(render(amount, scale) for amount in amounts)
