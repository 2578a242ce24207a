"""Entries of several keys together: the chain of each is walked, and an entry that touches several of them comes once.

So what is of others is not read. Very many accounts together are found by reading everything instead, for then their
chains would cost more than they spare.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from heapq import merge
from itertools import chain
from typing import Final

from tallystick.core.keys import EVERYTHING, account_key
from tallystick.facts.venue import Entry
from tallystick.readers.index import Index

CHAINS_MAX: Final = 16


def keys_of(accounts: Sequence[int]) -> tuple[int, ...]:
    """What to walk for all entries of these accounts."""
    return (EVERYTHING,) if len(accounts) > CHAINS_MAX else tuple(map(account_key, accounts))


async def entries_after(index: Index, keys: Sequence[int], after: int) -> Iterator[Entry]:
    """The entries after the sequence ``after`` that touch one of ``keys``, oldest first."""
    return await _together(keys, lambda key: index.entries(key, after), lambda entry: entry.sequence)


async def entries_before(index: Index, keys: Sequence[int], before: int) -> Iterator[Entry]:
    """The entries before the sequence ``before`` that touch one of ``keys``, newest first."""
    return await _together(keys, lambda key: index.entries_before(key, before), lambda entry: -entry.sequence)


async def _together(
    keys: Sequence[int], walk: Callable[[int], Iterator[Entry]], order: Callable[[Entry], int]
) -> Iterator[Entry]:
    chains: list[Iterable[Entry]] = []
    for key in keys:
        entries = walk(key)
        # The first step of each may be long, for it seeks: others have their turn after it.
        first = next(entries, None)
        if first is not None:
            chains.append(chain((first,), entries))
        await asyncio.sleep(0)
    return _distinct(merge(*chains, key=order))


def _distinct(entries: Iterable[Entry]) -> Iterator[Entry]:
    last = 0
    for entry in entries:
        if entry.sequence != last:
            last = entry.sequence
            yield entry
