"""The exchange's auditor finds what it is there for: each fault that is planted is named within a few seeds."""

import pytest

from tallystick.cli.build_info import is_compiled
from tallystick.simulate.run import EXCHANGE_WORLD, again, run
from tests.simulate import planted_exchange as planted

SEEDS_MAX = 40
CHUNK = 50

# fault planted, the rules that may name it
FAULTS = [
    (planted.FeesForgotten, {"fees"}),
    (planted.ResultsTooHigh, {"result"}),
    (planted.ReservedTooLittle, {"reserved"}),
    (planted.NotReleasedOnCancel, {"reserved"}),
    (planted.WrongReason, {"refused"}),
    (planted.StopsForgotten, {"trigger"}),
    (planted.OnlyTheLastPrice, {"trigger"}),
    (planted.StopsInAnyOrder, {"trigger", "decided again"}),
    (planted.TradesWithItself, {"self trade"}),
    (planted.CancelAllSkipsOne, {"cancelled"}),
    (planted.CancelsRefusedForNothing, {"cancelled"}),
    (planted.PostOnlyOverlooked, {"acknowledged"}),
    (planted.ReduceOnlyOverlooked, {"acknowledged"}),
    (planted.PaidOutWhatPositionsNeed, {"margin"}),
    (planted.LateTraders, {"due", "whole", "stopped"}),
    (planted.HashesTakenTwice, {"once", "allowed"}),
    (planted.SnapshotWithoutTurns, {"turn", "replay", "decided again"}),
]


@pytest.mark.skipif(is_compiled(), reason="nothing can be planted in what is compiled")
@pytest.mark.parametrize(("fault", "rules"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_fault_is_named(fault, rules):
    for seed in range(1, SEEDS_MAX + 1):
        result = run(seed, fault(), of=EXCHANGE_WORLD)
        if result.rule:
            assert result.rule in rules, f"seed {seed}: {result.rule}: {result.detail}"
            return
    pytest.fail(f"{SEEDS_MAX} seeds and nobody noticed")


def test_the_same_seeds_without_a_fault_are_clean():
    assert [run(seed, of=EXCHANGE_WORLD).rule for seed in range(1, SEEDS_MAX + 1)] == [""] * SEEDS_MAX


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1_001, 1_401, CHUNK))
def test_no_rule_is_violated(first):
    results = (run(seed, of=EXCHANGE_WORLD) for seed in range(first, first + CHUNK))
    assert [f"{each.rule}: {each.detail} ({again(each.seed, EXCHANGE_WORLD)})" for each in results if each.rule] == []


def test_a_seed_is_the_same_world_again():
    first, second = (run(7, of=EXCHANGE_WORLD) for _ in range(2))
    assert first == second
    assert first.entries > 50
