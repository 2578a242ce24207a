"""The kit as a command: find what is to be tried, try it, and print a line for each case."""

import sys
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any, Final, cast

from tallystick.testing.cases import CASES
from tallystick.testing.conformance import BROKE, HELD, NOT_APPLICABLE, NoSuchCase, Verdict, try_all
from tallystick.testing.paper_connector import paper
from tallystick.testing.subject import Factory

HELD_ALL: Final = 0
BROKE_SOME: Final = 1
MISUSED: Final = 2
SOPHIC: Final = "sophic"
BLUEFIN: Final = "bluefin"
PAPER: Final = "paper"
_NAME_WIDTH: Final = max(len(case.name) for case in CASES)


class NoSuchSubject(Exception):
    """The sentence says what was looked for."""


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m tallystick.testing``; returns what ``conform`` returns."""
    given = _parser().parse_args(arguments)
    return conform(given.subject, given.case, given.seed, real_time=given.real_time)


def conform(name: str, cases: Sequence[str], seed: int, *, real_time: bool) -> int:
    """0 if nothing broke, 1 if something did, 2 for a name that leads nowhere."""
    try:
        if name in (SOPHIC, BLUEFIN):
            return _over_sockets(name, cases, seed)
        return show(name, paper if name == PAPER else found(name), cases, seed, real_time=real_time)
    except (NoSuchSubject, NoSuchCase) as error:
        print(f"tallystick: {error}", file=sys.stderr)
        return MISUSED


def show(name: str, factory: Factory, cases: Sequence[str], seed: int, *, real_time: bool) -> int:
    """Try it, print the table, and return the exit code."""
    words: Counter[str] = Counter()
    for verdict in try_all(factory, cases=cases, seed=seed, real_time=real_time):
        words[verdict.word] += 1
        for line in lines(verdict, name, seed, real_time=real_time):
            print(line, flush=True)
    print(f"\n{words[HELD]} held, {words[BROKE]} broke, {words[NOT_APPLICABLE]} not applicable")
    return BROKE_SOME if words[BROKE] else HELD_ALL


def lines(verdict: Verdict, name: str, seed: int, *, real_time: bool) -> Iterable[str]:
    """The verdict; for what broke also what should have held, and the command that shows it again."""
    if verdict.word != BROKE:
        yield f"{verdict.word:<6} {verdict.case:<{_NAME_WIDTH}}  {verdict.why}".rstrip()
        return
    claim = next(case.claim for case in CASES if case.name == verdict.case)
    more = " --real-time" if real_time and name not in (SOPHIC, BLUEFIN) else ""
    yield f"{verdict.word:<6} {verdict.case:<{_NAME_WIDTH}}  {claim}"
    yield f"{'':<7}{verdict.why}"
    yield f"{'':<7}again: python -m tallystick.testing {quote(name)} --case {quote(verdict.case)} --seed {seed}{more}"


def found(name: str) -> Factory:
    """The factory named ``module:factory`` or ``path/to/file.py:factory``. Raises NoSuchSubject."""
    module_name, _, attribute = name.rpartition(":")
    if not module_name or not attribute:
        raise NoSuchSubject(
            f"what is tried is named module:factory, file.py:factory, paper, sophic or bluefin; not {name!r}"
        )
    module = _from_file(Path(module_name)) if module_name.endswith(".py") else _from_path(module_name)
    factory = getattr(module, attribute, None)
    if not callable(factory):
        raise NoSuchSubject(f"{module_name} has no factory {attribute!r}: a function that returns a Subject")
    return cast(Factory, factory)


def _from_path(name: str) -> Any:
    sys.path.insert(0, "")
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        raise NoSuchSubject(f"there is no module {name!r}") from None
    finally:
        sys.path.remove("")


def _from_file(path: Path) -> Any:
    """Whatever lies beside it can be imported by it, as when it is run."""
    spec = spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise NoSuchSubject(f"there is no file {path}")
    sys.path.insert(0, str(path.parent.resolve()))
    module = sys.modules[path.stem] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _over_sockets(name: str, cases: Sequence[str], seed: int) -> int:
    """Against a server of its own."""
    from tallystick.testing.bluefin import BLUEFIN_OPTIONS, bluefin_at
    from tallystick.testing.sandbox import Sandbox
    from tallystick.testing.sophic import SOPHIC_OPTIONS, sophic_at

    options, at = (SOPHIC_OPTIONS, sophic_at) if name == SOPHIC else (BLUEFIN_OPTIONS, bluefin_at)
    with TemporaryDirectory() as folder, Sandbox(Path(folder) / "data", *options) as sandbox:
        return show(name, at(sandbox), cases, seed, real_time=True)


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="tallystick conformance", description="Try a connector under adversarial cases.")
    parser.add_argument("subject", help="module:factory or file.py:factory; paper, sophic and bluefin are built in")
    parser.add_argument("--case", action="append", default=[], help="this case alone; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of what is shuffled (default: 1)")
    parser.add_argument("--real-time", action="store_true", help="the venue is reached through sockets")
    return parser
