"""What the engine promises of every entry: time that only grows, links that find, timers that are only hints."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.core.keys import account_key, market_key, order_key
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import (
    CancelOrders,
    DefineAsset,
    DefineMarket,
    Known,
    OpenAccount,
    PlaceOrder,
    Quote,
    Transfer,
)
from tallystick.facts.venue import decode, encode
from tallystick.venue.calendar import FixedDelay
from tallystick.venue.engine import Engine
from tests.naive import dump
from tests.stage import ACME, ALICE, BOB, POLICY, SECOND, WORLD_ACCOUNT, Stage


def test_time_never_goes_backwards_whatever_the_clock_says():
    stage = Stage()
    stage.buy("10.00")
    last = stage.state.time
    decision = stage.engine.decide(OpenAccount("carol", 1), now=3)
    assert decision.entry.time == last + 1
    assert stage.state.time > last


def test_every_event_has_a_time_of_its_own():
    stage = Stage(Policy(FixedDelay(0)))
    stage.quote("30.00")
    stage.buy("100.00")
    stage.buy("100.00")
    times = [entry.time + index for entry in stage.entries for index in range(len(entry.events))]
    assert times == sorted(set(times))


def test_steps_without_delay_share_one_entry():
    stage = Stage(Policy(FixedDelay(SECOND), fee_bps=100))
    stage.quote("30.00")
    stage.buy("100.00")
    assert [type(event).__name__ for event in stage.entries[-1].events] == [
        "OrderPlaced",
        "OrderOpened",
        "TradeMade",
        "OrderFilled",
    ]


def test_each_entry_links_to_the_one_before_of_every_key_it_touches():
    stage = Stage()
    stage.quote("30.00")
    stage.buy("100.00")
    stage.buy("100.00", account=BOB)
    stage.wait(10)
    seen: dict[int, int] = {}
    for entry in stage.entries:
        for key in entry.touched():
            assert entry.previous(key) == seen.get(key, 0)
            seen[key] = entry.sequence
    touched = {account_key(ALICE), account_key(BOB), account_key(WORLD_ACCOUNT), order_key(1), order_key(2)}
    assert touched | {market_key(ACME)} <= seen.keys()
    assert all(stage.readers.last(key) == sequence for key, sequence in seen.items())


def test_a_restarted_engine_goes_on_as_if_nothing_had_been():
    stage = Stage()
    stage.quote("30.00")
    stage.buy("100.00")
    stage.sell("2.00")
    stage.wait(1.5)
    engine = Engine(SophicRules(POLICY))
    engine.recover(decode(encode(entry)) for entry in stage.entries)
    assert dump(engine.state) == dump(stage.state)
    engine.decide(Quote(ACME, 3000), stage.now)
    while engine.next_due():
        engine.wake(engine.next_due())
    stage.wait(60)
    assert dump(engine.state) == dump(stage.state)


def test_what_the_shell_found_in_its_tables_counts_as_known():
    stage = Stage()
    command = PlaceOrder(ALICE, ACME, 1, 1, 2, 1000, "key", "print")
    same, other = Known(77, "print", stage.now), Known(77, "other", stage.now)
    assert stage.engine.decide(command, stage.now, same).answer.number == 77
    assert stage.engine.decide(command, stage.now, other).answer.code == "exists_with_different_terms"
    assert stage.engine.decide(command, stage.now).answer.number == 1


def test_refused_commands_change_nothing():
    stage = Stage()
    refused = {
        DefineAsset("USD", 2): "name_taken",
        DefineMarket("ins_acme", "A", "A", "ACME", "USD", 2, 1): "name_taken",
        DefineMarket("ins_x", "A", "A", "NONE", "USD", 2, 1): "unknown_asset",
        DefineMarket("ins_x", "A", "A", "ACME", "NONE", 2, 1): "unknown_asset",
        DefineMarket("ins_x", "A", "A", "ACME", "USD", 2, 0): "invalid_amount",
        DefineMarket("ins_x", "A", "A", "USD", "ACME", 0, 1): "invalid_scale",
        OpenAccount("alice", 1): "name_taken",
        OpenAccount("", 1): "invalid_name",
        OpenAccount("x" * 101, 1): "invalid_name",
        OpenAccount("x", 99): "invalid_role",
        DefineAsset("", 2): "invalid_name",
        DefineAsset("EUR", -3): "invalid_scale",
        DefineAsset("EUR", 1000): "invalid_scale",
        DefineMarket("ins_x", "A", "A", "ACME", "USD", -1, 1): "invalid_scale",
        Transfer(ALICE, BOB, "USD", 100_001): "insufficient_funds",
        Transfer(ALICE, BOB, "EUR", 1): "unknown_asset",
        Transfer(ALICE, BOB, "USD", 0): "invalid_amount",
        Transfer(ALICE, ALICE, "USD", 1): "same_account",
        Transfer(ALICE, 99, "USD", 1): "unknown_account",
        Transfer(99, ALICE, "USD", 1): "unknown_account",
        Quote(99, 1): "unknown_market",
        Quote(ACME, -1): "invalid_amount",
        PlaceOrder(99, ACME, 1, 1, 2, 1): "unknown_account",
        PlaceOrder(WORLD_ACCOUNT, ACME, 1, 1, 2, 1): "unknown_account",
        PlaceOrder(ALICE, 99, 1, 1, 2, 1): "unknown_market",
        PlaceOrder(ALICE, ACME, 1, 2, 2, 1): "invalid_order_type",
        PlaceOrder(ALICE, ACME, 1, 1, 2, 0): "invalid_amount",
        PlaceOrder(ALICE, ACME, 1, 1, 2, 1): "invalid_amount",
        PlaceOrder(ALICE, ACME, 1, 1, 1, 1000): "invalid_amount",
        PlaceOrder(ALICE, ACME, 2, 1, 2, 1000): "invalid_amount",
        PlaceOrder(ALICE, ACME, 2, 1, 1, 1005): "invalid_amount",
        PlaceOrder(ALICE, ACME, 1, 1, 2, 100_001): "insufficient_funds",
        PlaceOrder(ALICE, ACME, 2, 1, 1, 10_010): "insufficient_units",
    }
    before = dump(stage.state)
    for command, code in refused.items():
        assert stage.do(command).code == code, command
        assert dump(stage.state) == before


actions = st.one_of(
    st.tuples(st.just("buy"), st.integers(1, 40_000), st.sampled_from([ALICE, BOB])),
    st.tuples(st.just("sell"), st.integers(1, 4_000), st.sampled_from([ALICE, BOB])),
    st.tuples(st.just("quote"), st.integers(0, 20_000)),
    st.tuples(st.just("wait"), st.integers(0, 8)),
    st.tuples(st.just("cancel"), st.integers(1, 12)),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=25))
def test_any_commands_keep_the_books_right(steps):
    """After every entry the stage checks the size equation, the ledger, and that the readers' fold is the writer's."""
    stage = Stage()
    for verb, amount, *account in steps:
        match verb:
            case "buy":
                stage.buy(f"{amount / 100:.2f}", *account)
            case "sell":
                stage.sell(f"{amount * 10 / 1000:.3f}", *account)
            case "quote":
                stage.quote(f"{amount / 100:.2f}")
            case "wait":
                stage.wait(amount)
            case "cancel":
                stage.do(CancelOrders((amount,)))
    stage.quote("25.00")
    stage.wait(60)
    assert all(order.is_settled() for order in stage.readers.orders.values())


def test_an_order_that_is_due_at_the_very_moment_still_waits_for_its_price():
    stage = Stage()
    stage.buy("10.00")
    stage.now = stage.engine.next_due()
    stage.wake()
    assert stage.status(1) == "PENDING"
    stage.quote("30.00")
    assert stage.status(1) == "OPEN"
