"""However an order is split into trades, its amounts are their sums, and no more is spent than was reserved."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.dialects.sophic.policy import Policy
from tallystick.facts.codes import BUY
from tallystick.facts.commands import Accepted, ExecutePart, FailExecution, Hold, Quote
from tallystick.venue.calendar import FixedDelay
from tests.stage import ACME, ACME_UNIT, ALICE, USD, Stage

prices = st.integers(1, 50_000)
parts = st.lists(st.tuples(st.integers(1, 400), prices), max_size=8)
shares = st.sampled_from([0, 1, 3, 10])
ends = st.sampled_from(["all at the market's", "closed short"])


def split(fee_bps, order, parts, price, end, share):
    """An order that trades these parts by hand, each at a price of its own, and then the rest, or is closed short.

    One trade moves at most the ``share``-th part of what the order is worth by its size or the price, 0 for all of it.
    """
    worth = order[1] if order[0] == "buy" else order[1] * 10 * price // 1_000
    stage = Stage(Policy(FixedDelay(0), fee_bps, trade_cash_max=worth // share + 1 if share else 0))
    stage.through_records = False
    stage.do(Quote(ACME, price))
    stage.do(Hold(3))
    side, amount = order
    answer = stage.buy(f"{amount / 100:.2f}") if side == "buy" else stage.sell(f"{amount / 100:.3f}")
    if not isinstance(answer, Accepted):
        return stage, None
    for quantity, at in parts:
        stage.do(ExecutePart(1, quantity * 10, at))
    if end == "closed short":
        stage.do(FailExecution(1, False))
    else:
        stage.do(Hold(3, release=True))
    stage.wait(1)
    return stage, stage.readers.orders[1]


orders = st.one_of(
    st.tuples(st.just("buy"), st.integers(1, 100_000)),
    st.tuples(st.just("sell"), st.integers(1, 1_000)),
)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 9_999), orders, parts, prices, ends, shares)
def test_amounts_of_an_order_are_the_sums_of_its_trades(fee_bps, order, parts, price, end, share):
    stage, order = split(fee_bps, order, parts, price, end, share)
    if order is None:
        return
    progress = order.progress
    legs = [leg for number in progress.trades for leg in stage.readers.trades[number].terms.legs]
    for name in ("consumed", "quantity", "notional"):
        assert getattr(progress, name) == sum(getattr(leg, name) for leg in legs)
    assert progress.fees == sum(leg.fee for leg in legs)
    assert all(leg.quantity > 0 and leg.notional > 0 and 0 <= leg.fee <= leg.notional for leg in legs)
    assert order.is_settled()
    assert order.reserved == 0
    assert order.size == progress.consumed + progress.released
    cash, units = (stage.readers.accounts[ALICE].book.look(asset) for asset in (USD, ACME_UNIT))
    if order.terms.side == BUY:
        assert progress.notional + progress.fees == progress.consumed <= order.size
        assert cash.settled == 100_000 - progress.consumed
        assert units.settled == 10_000 + progress.quantity
    else:
        assert progress.quantity == progress.consumed <= order.size
        assert cash.settled == 100_000 + progress.notional - progress.fees
        assert units.settled == 10_000 - progress.quantity
    assert (cash.reserved, units.reserved) == (0, 0)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 9_999), orders, parts, prices, ends, shares)
def test_each_notional_is_right_to_half_a_cent_and_all_fees_are_one_fee_on_their_sum(
    fee_bps, order, parts, price, end, share
):
    stage, order = split(fee_bps, order, parts, price, end, share)
    if order is None:
        return
    parity = stage.readers.markets[ACME].parity
    for number in order.progress.trades:
        terms = stage.readers.trades[number].terms
        exact = Fraction(terms.legs[0].quantity * terms.price, parity)
        assert abs(terms.legs[0].notional - exact) <= Fraction(1, 2)
    exact_fee = Fraction(order.progress.notional * fee_bps, 10_000)
    assert 0 <= order.progress.fees - exact_fee < 1


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 999), st.integers(100, 100_000), prices, shares)
def test_what_is_left_of_a_buy_could_not_have_bought_one_increment_more(fee_bps, cash, price, share):
    stage, order = split(fee_bps, ("buy", cash), [], price, "all at the market's", share)
    if order is None or not order.progress.trades:
        return
    left = order.terms.tradeable - order.progress.notional
    # Each trade's notional may be rounded up by half a cent, which the rest then lacks.
    assert left < Fraction(10 * price, stage.readers.markets[ACME].parity) + Fraction(1, 2)
