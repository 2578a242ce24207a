"""The kit that connectors are built from: pacing, clocks, quantisation, ids, back-off, silence. All of it is pure."""

import asyncio
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.connect.backoff import Backoff
from tallystick.connect.client_ids import ClientIds
from tallystick.connect.clock_offset import SAMPLES_MAX, ClockOffset
from tallystick.connect.errors import CannotStart
from tallystick.connect.pacer import ASK, AUDIT, CANCEL, PLACE, Lanes, Pacer
from tallystick.connect.port import ID_CHARACTERS
from tallystick.connect.silence import Silence
from tallystick.connect.trading_rules import TradingRule, decimal, integer, notional_of, quantise
from tallystick.facts.client_terms import MarketListed
from tallystick.facts.codes import CASH, UNITS
from tallystick.testing.virtual import run

# --- Pacer ------------------------------------------------------------------------------------------------------------


def test_cancels_go_first_then_questions_then_orders_then_audits():
    lanes: Lanes[str] = Lanes(per_second=1.0, burst=1.0)
    assert lanes.admit(0.0) == []
    for lane, ticket in ((AUDIT, "audit"), (PLACE, "place"), (ASK, "ask"), (CANCEL, "cancel"), (ASK, "ask again")):
        lanes.enter(lane, ticket)
    assert [lanes.admit(float(second)) for second in range(6)] == [
        ["cancel"],
        ["ask"],
        ["ask again"],
        ["place"],
        ["audit"],
        [],
    ]


def test_the_last_of_a_burst_is_kept_for_cancels():
    lanes: Lanes[int] = Lanes(per_second=1.0, burst=10.0)
    for number in range(20):
        lanes.enter(PLACE, number)
    assert lanes.admit(0.0) == list(range(9))
    lanes.enter(CANCEL, 100)
    assert lanes.admit(0.0) == [100]


def test_nobody_goes_before_the_time_that_the_venue_named():
    lanes: Lanes[int] = Lanes(per_second=10.0, burst=10.0)
    lanes.close_until(7.0)
    lanes.enter(CANCEL, 1)
    assert lanes.admit(6.9) == []
    assert lanes.next_due(6.9) == 7.0
    assert lanes.admit(7.0) == [1]
    assert lanes.next_due(7.0) is None


@given(st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), max_size=60), st.floats(0.5, 20), st.integers(1, 10))
def test_never_more_than_the_rate_and_everybody_gets_a_turn(asked: list[tuple[int, float]], rate: float, burst: int):
    lanes: Lanes[int] = Lanes(rate, float(burst))
    now, admitted = 0.0, 0
    for ticket, (lane, pause) in enumerate(asked):
        now += pause
        lanes.enter(lane, ticket)
        admitted += len(lanes.admit(now))
        assert admitted <= burst + rate * now + 1e-6
    while (due := lanes.next_due(now)) is not None:
        now = max(now, due) + 1e-6
        admitted += len(lanes.admit(now))
    assert admitted == len(asked)


def test_a_pacer_waits_for_turns_and_forgets_who_left():
    async def scenario():
        pacer = Pacer(per_second=2.0, burst=1.0)
        loop = asyncio.get_running_loop()
        await pacer.turn(PLACE)
        impatient = asyncio.create_task(pacer.turn(PLACE))
        patient = asyncio.create_task(pacer.turn(PLACE))
        await asyncio.sleep(0)
        impatient.cancel()
        await patient
        assert 0.5 <= loop.time() < 0.6
        pacer.pause(10)
        await pacer.turn(CANCEL)
        assert 10.5 <= loop.time() < 10.7

    run(scenario)


# --- Clock offset -----------------------------------------------------------------------------------------------------


def test_the_quickest_answer_knows_best():
    clock = ClockOffset()
    assert (clock.offset, clock.uncertainty) == (0, -1)
    clock.add(sent=0, received=100_000, venue=5_090_000)  # slow, and stamped at its end
    clock.add(sent=200_000, received=202_000, venue=5_201_000)
    clock.add(sent=300_000, received=390_000, venue=5_301_000)
    assert (clock.offset, clock.uncertainty) == (5_000_000, 1_000)
    assert clock.ours(5_400_000) == 400_000


@given(st.integers(-(10**9), 10**9), st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1))
def test_the_offset_is_within_its_uncertainty(offset: int, ways: list[tuple[int, int]]):
    clock = ClockOffset()
    now = 10**10
    for there, back in ways:
        clock.add(now, now + there + back, now + there + offset)
        now += 10**7
    assert abs(clock.offset - offset) <= clock.uncertainty


def test_old_samples_are_forgotten_so_that_a_drifting_clock_is_followed():
    clock = ClockOffset()
    clock.add(0, 2, 1_000)
    for at in range(SAMPLES_MAX):
        clock.add(at * 1000, at * 1000 + 100, at * 1000 + 5_050)
    assert clock.offset == 5_000


# --- Amounts ----------------------------------------------------------------------------------------------------------

RULE = TradingRule(
    "A-B", "ab", "A", "B", price_scale=2, unit_scale=3, cash_scale=2, price_increment=5, unit_increment=10, cash_min=100
)
MARKET = MarketListed(1, 0, 1, "A-B", "A", "B", 2, 3, 2)


@given(st.decimals(0, 10**9, places=6), st.decimals(0, 10**6, places=6))
def test_what_is_quantised_is_at_most_what_was_asked_and_less_than_an_increment_below(amount: Decimal, price: Decimal):
    found = quantise(RULE, MARKET, UNITS, amount, price)
    if not found.code:
        assert found.size % 10 == 0
        assert found.price % 5 == 0
        assert 0 <= amount - decimal(found.size, 3) < Decimal("0.010")
        assert 0 <= price - decimal(found.price, 2) < Decimal("0.05")


def test_an_amount_of_more_digits_than_usual_is_not_rounded_up():
    amount = Decimal("99999999999.999999999999999999")
    assert integer(amount, 18) == 10**29 - 1
    assert decimal(10**29 - 1, 18) == amount


def test_cash_has_increments_and_minimums_of_its_own():
    assert quantise(RULE, MARKET, CASH, Decimal("12.345"), None).size == 1234
    assert quantise(RULE, MARKET, CASH, Decimal("0.99"), None).code == "below_minimum"


@given(st.integers(0, 10**12), st.integers(0, 10**9), st.integers(0, 8), st.integers(0, 8), st.integers(0, 8))
def test_a_notional_is_rounded_up(size: int, price: int, price_scale: int, unit_scale: int, cash_scale: int):
    market = MarketListed(1, 0, 1, "A-B", "A", "B", price_scale, unit_scale, cash_scale)
    exact = decimal(size, unit_scale) * decimal(price, price_scale)
    found = decimal(notional_of(market, UNITS, size, price), cash_scale)
    assert 0 <= found - exact < decimal(1, cash_scale)


@pytest.mark.parametrize("amount", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal(-1)])
def test_what_is_no_amount_is_refused(amount: Decimal):
    with pytest.raises(ValueError, match="zero or more"):
        integer(amount, 2)


def test_a_venue_that_changes_its_scales_keeps_those_it_was_listed_with():
    finer = TradingRule(
        "A-B", "ab", "A", "B", price_scale=2, unit_scale=5, cash_scale=2, unit_increment=150, units_max=1234
    )
    rule = finer.at(MARKET)
    assert (rule.unit_scale, rule.unit_increment, rule.units_max) == (3, 3, 12), (
        "0.003 is the least multiple of 0.0015 with three decimals"
    )
    assert RULE.at(MARKET) is RULE


# --- Client ids -------------------------------------------------------------------------------------------------------


def test_ids_differ_between_runs_of_a_journal_and_between_journals():
    same = {"prefix": "ts", "length_max": 32, "alphabet": ID_CHARACTERS}
    runs = [ClientIds(**same, epoch=epoch, random=7) for epoch in range(1, 50)]  # the same random number each time
    others = [ClientIds(**same, epoch=1) for _ in range(50)]
    ids = [ids.next() for ids in (*runs, *others) for _ in range(100)]
    assert len(set(ids)) == len(ids)
    assert all(len(each) <= 32 and set(each) <= {*ID_CHARACTERS, "t", "s"} for each in ids)


def test_ids_keep_to_a_venue_s_alphabet_and_length():
    ids = ClientIds("", 26, "0123456789", epoch=3, random=2**40 - 1)
    assert ids.next() == "1099511627775" + "00003" + "00000001"
    with pytest.raises(CannotStart, match="26 characters, 25 are taken"):
        ClientIds("", 25, "0123456789", epoch=3)


# --- Back-off and silence ---------------------------------------------------------------------------------------------


def test_waits_double_up_to_the_most_and_begin_anew():
    backoff = Backoff(first=1.0, most=8.0, random=Random(1))
    waits = [backoff.failed() for _ in range(8)]
    for wait, whole in zip(waits, (1, 2, 4, 8, 8, 8, 8, 8), strict=True):
        assert whole / 2 <= wait <= whole
    backoff.succeeded()
    assert backoff.failed() <= 1.0


def test_silence_is_acted_upon_once_and_forgiven():
    silence = Silence(10, now=0)
    assert silence.next_due() == 10
    assert not silence.wants_cancel(9)
    silence.alive(9)
    assert not silence.wants_cancel(18)
    assert silence.wants_cancel(19)
    assert not silence.wants_cancel(30)
    assert silence.next_due() == 0
    silence.alive(31)
    assert not silence.has_acted
    assert silence.wants_cancel(41)


def test_a_heartbeat_is_sent_only_on_behalf_of_the_living():
    silence = Silence(9, now=0, beats=True)
    beats = [now for now in range(30) if silence.wants_beat(now)]
    assert beats == [0, 3, 6]
    silence.alive(20)
    assert silence.wants_beat(20)
