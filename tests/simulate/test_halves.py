"""Both halves in one world: when the faults stop they match; and a fault planted in the client is found."""

import os

import pytest

from tallystick.simulate.run import HALVES_WORLD, again, main, run
from tests.simulate import planted_client
from tests.simulate.test_determinism import in_another_process

SEEDS = int(os.environ.get("TALLYSTICK_HALVES_SEEDS", "60"))
FIRST = int(os.environ.get("TALLYSTICK_FIRST_SEED", "1"))
CHUNK = 20
PLANTED_SEEDS_MAX = 80
RUN = (
    "import sys; from tallystick.simulate.run import run;"
    "print(*[run(int(seed), of='halves').digest for seed in sys.argv[1:]])"
)

# fault planted, the rules that may name it
FAULTS = [
    (planted_client.sent_before_durable, {"intended"}),
    (planted_client.sent_again_under_another_id, {"sent once"}),
    (planted_client.silence_is_a_refusal, {"halves", "grammar"}),
    (planted_client.client_ids_used_again, {"halves", "sent once"}),
    (planted_client.fills_known_by_their_messages, {"halves", "grammar"}),
    (planted_client.a_cancel_is_done_when_it_is_answered, {"halves", "grammar"}),
    (planted_client.completed_by_the_word_alone, {"grammar"}),
    (planted_client.late_evidence_is_nobodys, {"halves"}),
    (planted_client.no_order_is_asked_for, {"halves"}),
    (planted_client.nothing_is_asked_after_a_restart, {"halves"}),
    (planted_client.told_before_durable, {"told"}),
    (planted_client.the_last_event_is_told_again, {"told"}),
    (planted_client.no_trades_are_listed, {"halves", "grammar"}),
    (planted_client.the_position_is_ahead, {"halves"}),
]


@pytest.mark.slow
@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_the_halves_match_when_the_faults_stop(first):
    results = (run(seed, of=HALVES_WORLD) for seed in range(first, min(first + CHUNK, FIRST + SEEDS)))
    objections = [f"{each.rule}: {each.detail} ({again(each.seed, HALVES_WORLD)})" for each in results if each.rule]
    assert objections == []


@pytest.mark.parametrize(("fault", "rules"), FAULTS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_fault_planted_in_the_client_is_named(fault, rules, monkeypatch):
    fault(monkeypatch)
    for seed in range(1, PLANTED_SEEDS_MAX + 1):
        result = run(seed, of=HALVES_WORLD)
        if result.rule:
            assert result.rule in rules, f"seed {seed}: {result.rule}: {result.detail}"
            return
    pytest.fail(f"{PLANTED_SEEDS_MAX} seeds and nobody noticed")


def test_a_seed_gives_the_same_digest_twice_and_another_seed_another():
    assert run(3, of=HALVES_WORLD) == run(3, of=HALVES_WORLD)
    assert run(3, of=HALVES_WORLD).digest != run(4, of=HALVES_WORLD).digest


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_gives_the_same_digest_in_another_process(hash_seed):
    seeds = ["1", "2", "3", "4"]
    digests = [run(int(seed), of=HALVES_WORLD).digest for seed in seeds]
    assert in_another_process(RUN, hash_seed, *seeds).split() == digests


def test_a_trace_shows_what_is_intended_and_told(capsys):
    assert main(1, first_seed=3, trace=True, of=HALVES_WORLD) == 0
    shown = capsys.readouterr().out
    assert "intent 1 is " in shown
    assert "OrderCompletedEvent" in shown
