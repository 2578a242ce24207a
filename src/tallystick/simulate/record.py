"""What a run decided, written down: the commands with their times, so that they can be decided again.

The same commands at the same times, under the same rules, give the same entries byte for byte: on another day, in
another process, with another hash seed, compiled or not.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import Struct

from tallystick.dialects.sophic.rules import SophicRules
from tallystick.facts.commands import (
    NOTHING_KNOWN,
    CancelOrders,
    ChangeAccount,
    ChangeMarket,
    ClearPrerequisite,
    DefineAsset,
    DefineMarket,
    ExecutePart,
    FailExecution,
    Hold,
    Known,
    OpenAccount,
    OpenVenue,
    PlaceOrder,
    Quote,
    SettleTrade,
    Transfer,
)
from tallystick.facts.venue import decode, encode
from tallystick.readers.readers import Readers
from tallystick.sequencer import Sequencer
from tallystick.simulate.terms import Terms, policy_of
from tallystick.venue.engine import Engine

AnyCommand = (
    CancelOrders
    | ChangeAccount
    | ChangeMarket
    | ClearPrerequisite
    | DefineAsset
    | DefineMarket
    | ExecutePart
    | FailExecution
    | Hold
    | OpenAccount
    | OpenVenue
    | PlaceOrder
    | Quote
    | SettleTrade
    | Transfer
)


class Submitted(Struct, frozen=True, tag=True):
    command: AnyCommand
    now: int
    known: Known = NOTHING_KNOWN


class Woken(Struct, frozen=True, tag=True):
    now: int


class Restarted(Struct, frozen=True, tag=True):
    """A new process, or one that began anew, found ``kept`` entries; what was decided after them is gone."""

    kept: int


class Recording(Struct, frozen=True):
    terms: Terms
    steps: list[Submitted | Woken | Restarted]


def to_bytes(recording: Recording) -> bytes:
    return msgspec.json.encode(recording)


def from_bytes(text: bytes) -> Recording:
    return msgspec.json.decode(text, type=Recording)


def decide_again(recording: Recording) -> list[bytes]:
    """The entries, encoded, that the recorded commands give now."""
    deciding = _Deciding(recording.terms, [])
    for step in recording.steps:
        if isinstance(step, Submitted):
            deciding.sequencer.submit(step.command, step.now, _unheard, step.known)
        elif isinstance(step, Woken):
            deciding.sequencer.wake(step.now)
        else:
            deciding = _Deciding(recording.terms, deciding.bodies[: step.kept])
    return deciding.bodies


def digest(bodies: Sequence[bytes]) -> str:
    """One short text for all of them."""
    hasher = blake2b(digest_size=16)
    for body in bodies:
        hasher.update(len(body).to_bytes(8, "big") + body)
    return hasher.hexdigest()


class _Deciding:
    """A writer whose decisions are only collected; nothing ever becomes durable."""

    def __init__(self, terms: Terms, kept: list[bytes]) -> None:
        self.bodies: Final = kept
        engine = Engine(SophicRules(policy_of(terms)))
        engine.recover(decode(body) for body in kept)
        self.sequencer: Final = Sequencer("sophic", engine, Readers(), self)

    def put(self, item: Any) -> None:
        if item.entry is not None:
            self.bodies.append(encode(item.entry))


def _unheard(_answer: Any, _state: Any) -> None:
    """Answers are not what is compared."""
