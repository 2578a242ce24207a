"""The conformance kit: honest connectors hold, each broken one is caught by the case that is named after its fault."""

import subprocess
import sys
from pathlib import Path

import pytest

from tallystick.testing.bluefin import BLUEFIN_OPTIONS, bluefin_at
from tallystick.testing.cases import CASES
from tallystick.testing.conformance import BROKE, HELD, NOT_APPLICABLE, named, try_all, try_case
from tallystick.testing.paper_connector import paper
from tallystick.testing.report import BROKE_SOME, HELD_ALL, MISUSED, found, main
from tallystick.testing.sandbox import Sandbox
from tallystick.testing.sophic import SOPHIC_OPTIONS, sophic_at
from tests.testing.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
MUTANT_FILE = str(Path(__file__).parent / "mutants.py")


def broken(verdicts) -> list[str]:
    return [f"{each.case}: {each.why}" for each in verdicts if each.word == BROKE]


@pytest.mark.parametrize("seed", range(1, 6))
def test_the_paper_venue_s_connector_holds_under_every_case(seed: int):
    verdicts = list(try_all(paper, seed=seed))
    assert not broken(verdicts)
    assert [each.case for each in verdicts if each.word == HELD] == [case.name for case in CASES]


def test_the_documentation_s_own_connector_holds_where_its_exchange_can_be_told_to():
    verdicts = list(try_all(found(f"{ROOT}/examples/try_own_connector.py:subject")))
    assert not broken(verdicts)
    held = {each.case for each in verdicts if each.word == HELD}
    assert {"lost answer", "duplicated", "reordered", "dropped", "killed in doubt"} <= held


@pytest.mark.slow
def test_the_sophic_connector_holds_over_sockets_against_the_real_server(tmp_path: Path):
    with Sandbox(tmp_path / "data", *SOPHIC_OPTIONS) as sandbox:
        verdicts = list(try_all(sophic_at(sandbox), real_time=True))
        assert "Traceback" not in sandbox.log
    assert not broken(verdicts)
    reasons = {each.why for each in verdicts if each.word == NOT_APPLICABLE}
    assert reasons == {
        "it declares no cancel",
        "it takes one type of order alone",
        "its orders do not expire",
        "its fills are never pending",
    }


@pytest.mark.slow
def test_the_bluefin_connector_holds_over_sockets_against_the_real_server(tmp_path: Path):
    with Sandbox(tmp_path / "data", *BLUEFIN_OPTIONS) as sandbox:
        verdicts = list(try_all(bluefin_at(sandbox), real_time=True))
        assert "Traceback" not in sandbox.log
    assert not broken(verdicts)
    reasons = {each.why for each in verdicts if each.word == NOT_APPLICABLE}
    assert reasons == {
        "its fills are never pending",
        "it declares no late fills",
        "it does not declare that its stream resumes",
    }


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.connector.__name__)
def test_a_broken_connector_is_caught_by_the_case_that_is_named_after_its_fault(mutant: Mutant):
    (case,) = named([mutant.case])
    verdict = try_case(mutant.subject, case)
    assert verdict.word == BROKE
    assert verdict.why


def test_every_case_says_what_must_hold():
    assert len({case.name for case in CASES}) == len(CASES)
    for case in CASES:
        assert case.claim.endswith("."), case.name


# --- The command ------------------------------------------------------------------------------------------------------


def test_the_table_says_what_broke_and_how_to_see_it_again(capsys: pytest.CaptureFixture[str], monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    assert main(["tests.testing.mutants:refuses_on_time_out", "--case", "lost answer", "--seed", "7"]) == BROKE_SOME
    told = capsys.readouterr().out.splitlines()
    assert told[0].split() == [*["broke", "lost", "answer"], *named(["lost answer"])[0].claim.split()]
    assert "Failure timeout" in told[1]
    again = "python -m tallystick.testing tests.testing.mutants:refuses_on_time_out --case 'lost answer' --seed 7"
    assert told[2].strip() == f"again: {again}"
    assert told[-1] == "0 held, 1 broke, 0 not applicable"


def test_what_holds_is_an_exit_code_of_zero():
    command = [sys.executable, "-m", "tallystick", "conformance", "paper", "--case", "lost answer"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (HELD_ALL, "held   lost answer"), done.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["paper", "--case", "no such"], "there is no case 'no such'"),
        (["no.such.module:make"], "there is no module 'no.such.module'"),
        (["no_such_file.py:make"], "there is no file no_such_file.py"),
        (["tallystick.testing.paper:no_such"], "tallystick.testing.paper has no factory 'no_such'"),
        (["paper_venue"], "what is tried is named module:factory"),
    ],
)
def test_a_name_that_leads_nowhere_is_said(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == MISUSED
    assert sentence in capsys.readouterr().err
