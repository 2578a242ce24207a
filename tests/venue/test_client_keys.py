"""An owner's key stands for one request for a day: what was accepted exists, what was refused is refused again."""

import pytest

from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import BUY, CASH, LIMIT_ORDER, MARKET_ORDER, NOT_TRADING, SUSPENDED
from tallystick.facts.commands import (
    Accepted,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    Exists,
    PlaceOrder,
    Refused,
    Transfer,
)
from tallystick.facts.venue import OrderRefused
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.operations import KEY_LIFE_US
from tallystick.venue.snapshot import load
from tests.naive import dump, through_bytes
from tests.stage import ACME, ALICE, BOB, SECOND, WORLD_ACCOUNT, Stage

DAY = KEY_LIFE_US // SECOND


def asked(stage, cash="10.00", key="k", account=ALICE):
    return stage.buy(cash, account, client_key=key, fingerprint=cash)


def test_a_key_lives_for_a_day():
    """specs/sophic.md §5; everything else here counts in KEY_LIFE_US, so it is said once what that is."""
    stage = Stage(Policy(FixedDelay(SECOND)))
    asked(stage)
    stage.now += 24 * 3600 * SECOND - 10
    assert asked(stage) == Exists(1)
    stage.now += 20
    assert asked(stage) == Accepted(2)


def test_what_was_accepted_exists_whatever_has_become_of_it():
    stage = Stage(Policy(FixedDelay(SECOND)))
    assert asked(stage) == Accepted(1)
    for happens in ("nothing", "cancelled", "suspended", "halted", "no money"):
        if happens == "cancelled":
            stage.do(CancelOrders((1,)))
        elif happens == "suspended":
            stage.do(ChangeAccount(ALICE, SUSPENDED))
        elif happens == "halted":
            stage.do(ChangeMarket(ACME, NOT_TRADING))
        elif happens == "no money":
            stage.do(Transfer(ALICE, WORLD_ACCOUNT, "USD", 100_000))
        assert asked(stage) == Exists(1), happens
    assert stage.state.orders_made == 1


def test_what_was_refused_is_refused_in_the_same_words_when_its_reason_is_long_gone():
    stage = Stage()
    first = asked(stage, "1000.01")
    assert first.code == "insufficient_funds"
    stage.do(Transfer(WORLD_ACCOUNT, ALICE, "USD", 100_000))
    entries = len(stage.entries)
    assert asked(stage, "1000.01") == first
    assert len(stage.entries) == entries
    assert asked(stage, "1000.01", key="another") == Accepted(1)


BUSINESS = {
    "unknown_market": lambda stage, key: PlaceOrder(ALICE, 0, BUY, MARKET_ORDER, CASH, 0, key, "f"),
    "insufficient_funds": lambda stage, key: PlaceOrder(ALICE, ACME, BUY, MARKET_ORDER, CASH, 10**6, key, "f"),
    "market_not_trading": lambda stage, key: (
        stage.do(ChangeMarket(ACME, NOT_TRADING)) and PlaceOrder(ALICE, ACME, BUY, MARKET_ORDER, CASH, 100, key, "f")
    ),
    "account_suspended": lambda stage, key: (
        stage.do(ChangeAccount(ALICE, SUSPENDED)) and PlaceOrder(ALICE, ACME, BUY, MARKET_ORDER, CASH, 100, key, "f")
    ),
}


@pytest.mark.parametrize("code", BUSINESS)
def test_a_refusal_for_the_venues_own_reasons_is_on_record_once(code):
    stage = Stage()
    command = BUSINESS[code](stage, "k")
    refused = stage.do(command)
    assert refused.code == code
    (record,) = stage.entries[-1].events
    assert isinstance(record, OrderRefused)
    assert (record.code, record.detail, record.field, record.refusal) == (code, refused.detail, refused.field, 1)
    assert stage.do(command) == refused
    assert list(stage.readers.refusals) == [1]
    assert stage.cash() == "1000.00 0.00 0.00 0.00"


@pytest.mark.parametrize("code", BUSINESS)
def test_without_a_key_it_leaves_no_trace(code):
    stage = Stage()
    command = BUSINESS[code](stage, "")
    entries = len(stage.entries)
    assert stage.do(command).code == code
    assert len(stage.entries) == entries


def test_a_number_of_no_market_is_refused_on_record_too():
    stage = Stage()
    assert stage.do(PlaceOrder(ALICE, 99, BUY, MARKET_ORDER, CASH, 100, "k", "f")).code == "unknown_market"
    assert stage.entries[-1].events[0].market == 0


@pytest.mark.parametrize(
    "misformed",
    [
        PlaceOrder(ALICE, ACME, BUY, LIMIT_ORDER, CASH, 100, "k", "f"),
        PlaceOrder(ALICE, ACME, BUY, MARKET_ORDER, CASH, 0, "k", "f"),
        PlaceOrder(ALICE, ACME, BUY, MARKET_ORDER, CASH, 1, "k", "f"),
        PlaceOrder(99, ACME, BUY, MARKET_ORDER, CASH, 100, "k", "f"),
    ],
)
def test_a_fault_of_form_is_not_held_against_the_key(misformed):
    stage = Stage()
    assert isinstance(stage.do(misformed), Refused)
    assert asked(stage) == Accepted(1)


@pytest.mark.parametrize("first", ["10.00", "5000.00"])
def test_another_request_under_the_key_is_refused_and_changes_nothing(first):
    stage = Stage()
    before = asked(stage, first)
    entries = len(stage.entries)
    other = asked(stage, "11.00")
    assert (other.code, other.field) == ("exists_with_different_terms", "client_key")
    assert len(stage.entries) == entries
    again = asked(stage, first)
    assert again == (before if isinstance(before, Refused) else Exists(1))


def test_a_key_is_its_accounts_own():
    stage = Stage()
    assert asked(stage) == Accepted(1)
    assert asked(stage, "11.00", account=BOB) == Accepted(2)


@pytest.mark.parametrize("cash", ["10.00", "5000.00"])
def test_after_a_day_the_key_is_free_also_while_the_old_request_is_at_hand(cash):
    stage = Stage(retain_us=7 * KEY_LIFE_US)
    first = asked(stage, cash)
    since = stage.entries[-1].time
    stage.wait((since + KEY_LIFE_US - 2 - stage.now) / SECOND)
    assert asked(stage, cash) == (first if isinstance(first, Refused) else Exists(1))
    stage.now = since + KEY_LIFE_US
    assert asked(stage, "7.00") == Accepted(stage.state.orders_made)
    assert asked(stage, "7.00") == Exists(stage.state.orders_made)


def test_of_two_uses_in_the_state_the_later_one_counts_also_after_a_restart():
    """Whichever was an order and whichever a refusal: a restart finds them in another order than they came."""
    for first, second in (("10.00", "5000.00"), ("5000.00", "10.00"), ("5000.00", "6000.00"), ("10.00", "20.00")):
        stage = Stage(retain_us=7 * KEY_LIFE_US)
        asked(stage, first)
        stage.wait(DAY)
        answer = asked(stage, second)
        again = load(through_bytes(stage.readers))
        assert dump(again) == dump(stage.readers)
        assert again.accounts[ALICE].keys == stage.readers.accounts[ALICE].keys
        assert asked(stage, second) == (answer if isinstance(answer, Refused) else Exists(answer.number))


def test_refusals_leave_the_state_in_due_time():
    stage = Stage(retain_us=10 * SECOND)
    stage.readers.left_refusals = []
    for number in range(100):
        asked(stage, "5000.00", key=f"k{number}")
    stage.wait(11)
    stage.buy("1.00", BOB)
    stage.buy("1.00", BOB)
    assert [refusal.terms.refusal for refusal in stage.readers.left_refusals] == list(range(1, 101))
    assert (stage.readers.refusals, stage.readers.accounts[ALICE].keys) == ({}, {})
    asked(stage, "5000.00")
    assert list(stage.readers.refusals) == [101]
