"""Tries a connector under the cases of the kit, and says of each whether it held, broke, or is not applicable."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Final, NamedTuple

from tallystick.testing.cases import CASES
from tallystick.testing.cases.case import Case
from tallystick.testing.controls import NotOffered
from tallystick.testing.subject import Factory, Subject
from tallystick.testing.trial import Broke, Trial
from tallystick.testing.virtual import VirtualLoop

HELD: Final = "held"
BROKE: Final = "broke"
NOT_APPLICABLE: Final = "n/a"
CASE_SECONDS: Final = 120.0
"""In real time no case takes longer."""


class NoSuchCase(Exception):
    """The sentence says which there are."""


class Verdict(NamedTuple):
    """``word`` is HELD, BROKE or NOT_APPLICABLE; ``why`` says what did not hold, or what is not offered."""

    case: str
    word: str
    why: str


def named(names: Sequence[str]) -> list[Case]:
    """The cases with these names; all of them for none. Raises NoSuchCase."""
    known = {case.name: case for case in CASES}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise NoSuchCase(f"there is no case {unknown[0]!r}; there are: {', '.join(known)}")
    return [known[name] for name in names] if names else list(CASES)


def try_all(
    factory: Factory, *, cases: Sequence[str] = (), seed: int = 1, real_time: bool = False
) -> Iterator[Verdict]:
    """A verdict for each case, as it comes. ``real_time`` is for venues that are reached through sockets.

    Raises NoSuchCase.
    """
    for case in named(cases):
        yield try_case(factory, case, seed=seed, real_time=real_time)


def try_case(factory: Factory, case: Case, *, seed: int = 1, real_time: bool = False) -> Verdict:
    try:
        with _quiet(), asyncio.Runner(loop_factory=None if real_time else VirtualLoop) as runner:
            runner.run(_play(factory, case, seed, real_time))
    except NotOffered as reason:
        return Verdict(case.name, NOT_APPLICABLE, str(reason))
    except Broke as reason:
        return Verdict(case.name, BROKE, str(reason))
    except Exception as error:  # noqa: BLE001 - whatever it is, it did not hold
        return Verdict(case.name, BROKE, f"{type(error).__name__}: {error}")
    return Verdict(case.name, HELD, "")


async def _play(factory: Factory, case: Case, seed: int, real_time: bool) -> None:
    async with AsyncExitStack() as stack:
        made = factory()
        subject = made if isinstance(made, Subject) else await stack.enter_async_context(made)
        trial = Trial(subject, seed, is_virtual=not real_time)
        try:
            async with asyncio.timeout(CASE_SECONDS if real_time else None):
                await case.play(trial)
        finally:
            await trial.stop()
        trial.check_connector()


@contextmanager
def _quiet() -> Iterator[None]:
    """What the client logs of faults that were made on purpose is of no interest."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
