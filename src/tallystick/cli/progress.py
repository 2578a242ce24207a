"""Showing how far long work has come: a bar on a terminal, else a plain line now and then; both on stderr."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import rich.progress
from rich.console import Console

Progress = Callable[[int, int], None]
"""Called with how far the work has come and how far it goes."""

LINE_SECONDS: Final = 5.0


@contextmanager
def shown(what: str) -> Iterator[Progress]:
    """Shows, under the words ``what``, each progress that it is told of until it is left."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _lines(what, console)
        return
    columns = rich.progress.Progress.get_default_columns()
    with rich.progress.Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(what, total=None)
        yield lambda done, total: bars.update(bar, completed=done, total=total)


def _lines(what: str, console: Console) -> Progress:
    spoken = monotonic()

    def line(done: int, total: int) -> None:
        nonlocal spoken
        if monotonic() - spoken >= LINE_SECONDS:
            spoken = monotonic()
            console.print(f"{what}: {done:,} of {total:,}", highlight=False, soft_wrap=True)

    return line
