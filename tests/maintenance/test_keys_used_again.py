"""An owner's word for an order may come back when the order has long left; what it stands for is never mistaken."""

import random

import apsw
import pytest

from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import Accepted, CancelOrders, Exists, OpenVenue, PlaceOrder, Refused, Transfer
from tallystick.facts.venue import decode, encode
from tallystick.readers.readers import Readers
from tallystick.readers.tables import Tables
from tallystick.venue.engine import Engine
from tallystick.venue.operations import KEY_LIFE_US
from tallystick.venue.snapshot import load
from tests.naive import through_bytes
from tests.stage import ACME, ALICE, BOB, SECOND, WORLD_ACCOUNT, Stage

HOUR = 3600 * SECOND
TOO_MUCH = 200_000
DEPOSIT = Transfer(WORLD_ACCOUNT, ALICE, "USD", TOO_MUCH)
"""With which it would be too much no longer."""


def test_no_order_is_lost_from_the_tables_when_its_key_is_used_again(tmp_path):
    """Decided without what the shell would know of it (``known``), as HostedVenue.ask does."""
    stage = Stage(retain_us=10 * SECOND)
    stage.quote("30.00")
    for _ in range(3):
        stage.buy("10.00", client_key="mine", fingerprint="f")
        stage.wait(30)
        stage.buy("1.00", account=BOB)
        stage.wait(1)
    tables = Tables(tmp_path / "t.db")
    readers = Readers(tables=tables)
    for entry in stage.entries:
        readers.commit(entry)
    tables.close()
    again = Tables(tmp_path / "t.db")
    gone = set(range(1, readers.state.orders_made + 1)) - set(readers.state.orders)
    assert {number for number in gone if again.order(number) is not None} == gone
    again.close()


class Shell:
    """A venue with tables and no clock but ``now``: it looks up what is known before it asks, as a server does."""

    def __init__(self, path) -> None:
        self.path = path
        self.decided = 0
        beginning = Stage()
        self.engine = Engine(SophicRules(beginning.engine.rules.policy))
        self.readers = Readers(tables=Tables(path))
        for entry in beginning.entries:
            self.readers.commit(entry)
        self.engine.recover(beginning.entries)
        self.now = beginning.now + SECOND
        self.do(OpenVenue("shell", "", retain_us=HOUR))

    def do(self, command):
        known = self.readers.known(self.readers.state.accounts[ALICE], getattr(command, "client_key", "") or "-")
        decision = self.engine.decide(command, self.now, known)
        if decision.entry is not None:
            self.decided = decision.entry.time
        self.commit(decision.entry)
        self.wake()
        return decision.answer

    def ask(self, size: int, key: str):
        return self.do(PlaceOrder(ALICE, ACME, 1, 1, 2, size, key, str(size)))

    def wake(self) -> None:
        while (entry := self.engine.wake(self.now)) is not None:
            self.commit(entry)

    def commit(self, entry) -> None:
        if entry is not None:
            self.readers.commit(decode(encode(entry)))

    def restart(self) -> None:
        """From a snapshot, and the tables as they are on the disk."""
        self.readers.tables.close()
        self.readers = Readers(load(through_bytes(self.readers.state)), Tables(self.path))
        self.engine = Engine(self.engine.rules, load(through_bytes(self.readers.state)))
        self.engine.recover(())


@pytest.fixture
def shell(tmp_path):
    shell = Shell(tmp_path / "t.db")
    yield shell
    shell.readers.tables.close()


@pytest.mark.parametrize("restarts", [False, True])
def test_a_refusal_that_has_left_outweighs_an_older_order_that_is_still_there(shell, restarts):
    assert shell.ask(1_000, "k") == Accepted(1)
    shell.now += KEY_LIFE_US + SECOND
    refused = shell.ask(TOO_MUCH, "k")
    shell.do(DEPOSIT)
    assert refused.code == "insufficient_funds"
    shell.now += 2 * HOUR
    shell.ask(1_000, "")
    assert list(shell.readers.state.refusals) == []
    assert 1 in shell.readers.state.orders
    if restarts:
        shell.restart()
    assert shell.ask(TOO_MUCH, "k") == refused
    assert shell.ask(1_000, "k").code == "exists_with_different_terms"


@pytest.mark.parametrize("restarts", [False, True])
def test_a_refusal_outweighs_an_older_order_that_leaves_after_it(shell, restarts):
    shell.ask(1_000, "k")
    shell.now += KEY_LIFE_US + SECOND
    refused = shell.ask(TOO_MUCH, "k")
    shell.do(DEPOSIT)
    shell.do(CancelOrders((1,)))
    shell.now += 2 * HOUR
    shell.ask(1_000, "")
    assert (1 in shell.readers.state.orders, shell.readers.state.refusals) == (False, {})
    if restarts:
        shell.restart()
    assert shell.ask(TOO_MUCH, "k") == refused


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("refusal_first", [True, False])
def test_what_is_not_written_yet_is_known_by_its_last_use_however_it_left(tmp_path, together, refusal_first):
    stage = Stage(retain_us=KEY_LIFE_US * 9)
    stage.buy("1.00", client_key="k", fingerprint="f")
    stage.wait(KEY_LIFE_US // SECOND)
    stage.buy("5000.00", client_key="k", fingerprint="f")
    order, refusal = stage.readers.orders[1], stage.readers.refusals[1]
    batches = [([], [refusal]), ([(order, [])], [])] if refusal_first else [([(order, [])], []), ([], [refusal])]
    tables = Tables(tmp_path / "t.db")
    lock = apsw.Connection(str(tables.path))
    lock.execute("BEGIN IMMEDIATE")  # nothing is written until it is rolled back
    for batch in [([(order, [])], [refusal])] if together else batches:
        tables.take(1, *batch)
    found = tables.known(ALICE, "k")
    lock.execute("ROLLBACK")
    lock.close()
    tables.close()
    assert found.refused is not None


@pytest.mark.parametrize("seed", range(6))
def test_whatever_leaves_and_whenever_it_restarts_a_key_stands_for_its_last_use_for_a_day(shell, seed):
    """Held against a plain book of what each key was last answered."""
    chance, book = random.Random(seed), {}
    for _ in range(120):
        shell.now += chance.choice([0, SECOND, HOUR // 2, 3 * HOUR, 11 * HOUR])
        key, size = chance.choice("abc"), chance.choice([1_000, 90_000, 90_000, 2])
        before = book.get(key)
        asked_at = max(shell.now, shell.readers.state.time + 1)
        answer = shell.ask(size, key)
        if before is not None and before[0] + KEY_LIFE_US > asked_at:
            _, meant, said = before
            if meant != size:
                assert answer.code == "exists_with_different_terms"
            else:
                assert answer == (said if isinstance(said, Refused) else Exists(said.number))
        else:
            assert not isinstance(answer, Exists)
            book[key] = (shell.decided, size, answer)
        opened = [number for number, order in shell.readers.state.orders.items() if order.status < 4]
        if opened and chance.random() < 0.4:
            shell.do(CancelOrders((chance.choice(opened),)))
        if chance.random() < 0.1:
            shell.restart()
