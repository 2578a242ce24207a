"""The engine as a machine that hypothesis drives: any commands in any order, against a naive auditor after each entry.

The stage folds each entry a second time from its bytes and compares; ``tests.naive.check`` recomputes the size
equation, the ledger and the reservations; the machine itself keeps count of the money that came in.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.codes import CUSTOMER, FEES, NOT_TRADING, SUSPENDED
from tallystick.facts.commands import (
    Accepted,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    ExecutePart,
    Exists,
    FailExecution,
    Hold,
    Refused,
    SettleTrade,
    Transfer,
)
from tallystick.facts.venue import decode, encode
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tests.naive import check, dump
from tests.stage import ACME, ACME_UNIT, ALICE, BOB, SECOND, USD, WORLD_ACCOUNT, Stage

accounts = st.sampled_from([ALICE, BOB])
keys = st.sampled_from(["", "", "a", "b"])


class Brokerage(RuleBasedStateMachine):
    @initialize(
        fee_bps=st.sampled_from([0, 1, 25, 999]),
        delay=st.sampled_from([0, 1, 3]),
        settles=st.sampled_from([0, 2, 60]),
        trade_cash_max=st.sampled_from([0, 1, 5_000]),
        retain=st.sampled_from([1, 30]),
        patience=st.sampled_from([0, 10]),
    )
    def open(self, fee_bps, delay, settles, trade_cash_max, retain, patience):
        steps = delay * SECOND
        policy = Policy(
            FixedDelay(settles * SECOND),
            fee_bps,
            steps,
            steps,
            steps,
            trade_cash_max,
            price_stale_us=patience * SECOND,
            review_over=patience * 10**9,
            prerequisite_us=3 * patience * SECOND,
            settlement_retry_us=SECOND,
        )
        self.stage = Stage(policy, retain_us=retain * SECOND)
        self.funds = {USD: 200_000, ACME_UNIT: 20_000}
        self.named: dict[tuple[int, str], int] = {}

    @rule(account=accounts, cents=st.integers(-1, 60_000), key=keys)
    def buy(self, account, cents, key):
        self._place(account, key, cents > 0, lambda: self.stage.buy(_text(cents, 2), account, **_named(key, cents)))

    @rule(account=accounts, units=st.integers(-1, 600), key=keys)
    def sell(self, account, units, key):
        size = units * 10
        self._place(account, key, size > 0, lambda: self.stage.sell(_text(size, 3), account, **_named(key, size)))

    @rule(price=st.integers(0, 30_000))
    def quote(self, price):
        self.stage.quote(_text(price, 2))

    @rule(seconds=st.sampled_from([0.5, 1, 2, 5, 70]))
    def wait(self, seconds):
        self.stage.wait(seconds)

    @rule(number=st.integers(1, 15))
    def cancel(self, number):
        known = number in self.stage.state.orders
        answer = self.stage.do(CancelOrders((number,)))
        assert isinstance(answer, Accepted if known else Refused)

    @rule(status=st.sampled_from([1, 1, 2, 3, 4]), wakes=st.booleans())
    def change_market(self, status, wakes):
        before = self._open_orders()
        answer = self.stage.do(ChangeMarket(ACME, status))
        self._sweep(before if status == NOT_TRADING and isinstance(answer, Accepted) else [], wakes)

    @rule(account=accounts, status=st.sampled_from([1, 2]), flags=st.sampled_from([0, 0, 2, 4, 8]), wakes=st.booleans())
    def change_account(self, account, status, flags, wakes):
        before = [number for number in self._open_orders() if self.stage.state.orders[number].account == account]
        was = self.stage.state.accounts[account].status
        self.stage.do(ChangeAccount(account, status, flags))
        self._sweep(before if status == SUSPENDED != was else [], wakes)

    @rule(number=st.integers(1, 15), what=st.integers(0, 5), amount=st.sampled_from([0, 10, 500]))
    def operate(self, number, what, amount):
        """Whatever the answer is; the stage looks at what comes of it."""
        commands = (
            ClearPrerequisite(number, True),
            ClearPrerequisite(number, False),
            ExecutePart(number, amount, amount),
            FailExecution(number, True),
            FailExecution(number, False),
            SettleTrade(number, amount == 0),
        )
        answer = self.stage.do(commands[what])
        assert isinstance(answer, (Accepted, Refused))

    @rule(stage=st.integers(1, 4), market=st.sampled_from([0, ACME]), release=st.booleans())
    def hold(self, stage, market, release):
        assert isinstance(self.stage.do(Hold(stage, market, release)), Accepted)

    @rule(account=accounts, cents=st.integers(1, 50_000))
    def deposit(self, account, cents):
        assert isinstance(self.stage.do(Transfer(WORLD_ACCOUNT, account, "USD", cents)), Accepted)
        self.funds[USD] += cents

    @rule(account=accounts, cents=st.integers(1, 200_000))
    def withdraw(self, account, cents):
        free = self.stage.state.accounts[account].book.look(USD).available_settled
        answer = self.stage.do(Transfer(account, WORLD_ACCOUNT, "USD", cents))
        assert isinstance(answer, Accepted if cents <= free else Refused)
        self.funds[USD] -= cents if cents <= free else 0

    @rule()
    def restart(self):
        """A new engine on the same entries is the old one; what was ambient is gone."""
        engine = Engine(SophicRules(self.stage.engine.rules.policy))
        engine.recover(decode(encode(entry)) for entry in self.stage.entries)
        assert dump(engine.state) == dump(self.stage.state)
        self.stage.engine = engine

    @invariant()
    def the_books_are_right(self):
        if hasattr(self, "stage"):
            state = self.stage.readers
            check(state)
            for asset, funds in self.funds.items():
                assert -state.accounts[WORLD_ACCOUNT].book.look(asset).total == funds
                others = [account.book.look(asset).total for account in state.accounts.values() if account.number > 1]
                assert sum(others) == funds
            house = [account for account in state.accounts.values() if account.role == FEES]
            assert all(account.book.look(USD).total >= 0 for account in house)
            for account in state.accounts.values():
                if account.role == CUSTOMER:
                    assert account.book.look(ACME_UNIT).total >= 0

    def _open_orders(self):
        return [number for number, order in self.stage.state.orders.items() if order.status < 4]

    def _sweep(self, doomed, wakes):
        """What was there has ended when the sweep has, and not one of them is cancelled that had traded."""
        if wakes:
            self.stage.wake()
            orders = [order for number, order in self.stage.state.orders.items() if number in doomed]
            assert all(order.status in (4, 5) for order in orders)
            assert all((order.status == 4) == bool(order.progress.trades) for order in orders)

    def _place(self, account, key, valid, place):
        made = self.stage.state.orders_made
        answer = place()
        if isinstance(answer, Accepted):
            assert valid
            assert answer.number == made + 1 == self.stage.state.orders_made
        else:
            assert self.stage.state.orders_made == made
        if isinstance(answer, Exists):
            assert key
            assert answer.number == self.named[account, key]
        elif isinstance(answer, Accepted) and key:
            self.named[account, key] = answer.number


def _text(amount: int, scale: int) -> str:
    sign, amount = ("-", -amount) if amount < 0 else ("", amount)
    return f"{sign}{amount // 10**scale}.{amount % 10**scale:0{scale}d}"


def _named(key: str, size: int) -> dict[str, str]:
    return {"client_key": key, "fingerprint": str(size)} if key else {}


TestBrokerage = Brokerage.TestCase
TestBrokerage.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
