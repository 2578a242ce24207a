"""The auditor finds what it is there for: a fault planted in one part of the process is named within a few seeds."""

import pytest

from tallystick.simulate.run import run
from tests.simulate import planted, planted_brokerage

SEEDS_MAX = 30

# fault planted, the rules that may name it
FAULTS = [
    (planted.AnsweredBeforeDurable, {"acknowledged"}),
    (planted.RevealedBeforeDurable, {"revealed"}),
    (planted.LostAppends, {"revealed"}),
    (planted.FeesRoundedDown, {"fees"}),
    (planted.TradesAtAnyPrice, {"price"}),
    (planted.NotReleasedOnCancel, {"reserved"}),
    (planted.VoidedTwice, {"reserved", "answered", "stopped"}),  # the readers' fold refuses it, and nobody is answered
    (planted.ReservedTooLittle, {"reserved"}),
    (planted.UnitsBeforeCash, {"obligations"}),
    (planted.FeesToTheStreet, {"obligations"}),
    (planted.SettledTooEarly, {"settlement"}),
    (planted.LostBackLink, {"links"}),
    (planted.DeafSubscriber, {"subscriber"}),
    (planted.TimerLostAtRestart, {"finished", "decided again"}),
    (planted.KeysForgottenAtRestart, {"once"}),
    (planted.KeysForgottenInTime, {"once"}),
    (planted_brokerage.CancelledWithTrades, {"closed short"}),
    (planted_brokerage.ClosedShortWithoutTrades, {"closed short"}),
    (planted_brokerage.SweepSkipsOrders, {"sweep"}),
    (planted_brokerage.SweepWithoutEnd, {"sweep"}),
    (planted_brokerage.SweepLostAtRestart, {"replay", "finished"}),
    (planted_brokerage.TradesWhileHalted, {"halted", "allowed"}),
    (planted_brokerage.HoldsIgnored, {"held", "waiting"}),
    (planted_brokerage.StalePricesTaken, {"price", "waiting", "reason"}),
    (planted_brokerage.ReviewSkipped, {"waiting"}),
    (planted_brokerage.CutOffIgnored, {"settlement"}),
    (planted_brokerage.HolidaysIgnored, {"settlement"}),
    (planted_brokerage.RetriedTooSoon, {"settlement"}),
    (planted_brokerage.WaitsForEver, {"waiting"}),
    (planted_brokerage.NotReleasedWhenShort, {"reserved"}),
    (planted_brokerage.KeysForEver, {"once", "refused"}),
    (planted_brokerage.RefusalReworded, {"once"}),
    (planted_brokerage.RefusalsForgotten, {"once"}),
    (planted_brokerage.SnapshotWithoutWaiting, {"replay"}),
    (planted_brokerage.SnapshotWithoutRefusals, {"replay"}),
    (planted_brokerage.NotDueYet, {"due"}),
    (planted_brokerage.EverybodyIsProfessional, {"allowed"}),
    (planted_brokerage.HaltWithoutSweep, {"sweep"}),
]


@pytest.mark.parametrize(("fault", "rules"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_planted_fault_is_named(fault, rules):
    for seed in range(1, SEEDS_MAX + 1):
        result = run(seed, fault())
        if result.rule:
            assert result.rule in rules, f"seed {seed}: {result.rule}: {result.detail}"
            return
    pytest.fail(f"{SEEDS_MAX} seeds and nobody noticed")


def test_the_same_seeds_without_a_fault_are_clean():
    assert [run(seed).rule for seed in range(1, SEEDS_MAX + 1)] == [""] * SEEDS_MAX
