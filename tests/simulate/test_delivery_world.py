"""What goes out under faults: no rule is violated, a planted fault is named, and a seed is a whole world."""

import pytest

from tallystick.simulate.run import DELIVERY_WORLD, run
from tests.simulate import planted_deliveries as planted

SEEDS = 60
SEEDS_MAX = 60

# fault planted, the rules that may name it
FAULTS = [
    (planted.PositionBeforeDeliveries, {"delivered"}),
    (planted.GivesUpInSilence, {"delivered"}),
    (planted.ForgetsAtRestart, {"delivered"}),
    (planted.OrderIgnored, {"ordered"}),
    (planted.OtherBytesAgain, {"sent"}),
    (planted.FirstTimestampForEver, {"sent"}),
    (planted.RetryAfterIgnored, {"sent"}),
    (planted.PagesLoseTheirLast, {"followed", "delivered"}),
    (planted.HandedOverTwice, {"followed"}),
    (planted.EverybodysEvents, {"followed", "sent"}),
    (planted.CutOffTooFarAhead, {"followed"}),
    (planted.SentBeforeDurable, {"revealed"}),
]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(1, SEEDS, 20))
def test_no_rule_is_violated(first):
    results = [run(seed, of=DELIVERY_WORLD) for seed in range(first, first + 20)]
    assert [(each.seed, each.rule, each.detail) for each in results if each.rule] == []


@pytest.mark.parametrize(("fault", "rules"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_fault_is_named(fault, rules):
    for seed in range(1, SEEDS_MAX + 1):
        result = run(seed, fault(), of=DELIVERY_WORLD)
        if result.rule:
            assert result.rule in rules, f"seed {seed}: {result.rule}: {result.detail}"
            return
    pytest.fail(f"{SEEDS_MAX} seeds and nobody noticed")


def test_a_seed_gives_the_same_digest_twice_and_another_seed_another():
    assert run(7, of=DELIVERY_WORLD) == run(7, of=DELIVERY_WORLD)
    assert run(7, of=DELIVERY_WORLD).digest != run(8, of=DELIVERY_WORLD).digest
