"""Frames that nobody would send: each is answered, or ends the connection, and leaves nothing behind."""

import asyncio
import json

from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.deliver.centrifugo import Centrifugo, Limits, Streams
from tallystick.deliver.centrifugo.outbox import Outbox
from tallystick.deliver.centrifugo.session import Session
from tests.centrifugo.hall import KEPT, Door, Journal

CONNECT = {"connect": {"token": "ann"}, "id": 1}
JUNK = st.one_of(st.none(), st.booleans(), st.integers(-2, 1 << 70), st.text(max_size=3), st.just([{}]))
TOKENS = st.sampled_from(["", "ann", "ann:5", "ann:expired", "123"])
OFFSETS = st.sampled_from([0, 1023, 1024, 2047, 4096, -1, 1 << 63])
EPOCHS = st.sampled_from(["", "journal-1", "another"])
ASKED = {"channel": st.sampled_from(["news", "news", "other", "fleeting", "secret", "nowhere", ""]), "token": TOKENS}
KINDS = {
    "recover": st.booleans(),
    "recoverable": st.booleans(),
    "epoch": EPOCHS,
    "offset": OFFSETS,
    "since": st.fixed_dictionaries({"offset": OFFSETS, "epoch": EPOCHS}),
    "limit": st.sampled_from([-1, 0, 1, 1 << 40]),
    "reverse": st.booleans(),
    "flag": st.integers(0, 3),
}
PLAIN = st.fixed_dictionaries(ASKED, optional=KINDS)
FIELDS = st.one_of(PLAIN, PLAIN, PLAIN, st.dictionaries(st.sampled_from([*ASKED, *KINDS]), JUNK, max_size=2), JUNK)
METHODS = st.sampled_from(
    [
        "connect",
        "subscribe",
        "subscribe",
        "unsubscribe",
        "history",
        "refresh",
        "publish",
        "presence",
        "rpc",
        "send",
        "x",
    ]
)
COMMANDS = st.dictionaries(METHODS, FIELDS, min_size=1, max_size=1).flatmap(
    lambda command: st.sampled_from([command, {"id": 3} | command])
)
LINES = st.lists(COMMANDS, min_size=1, max_size=3).map(lambda found: "\n".join(map(json.dumps, found)))
FRAMES = st.one_of(LINES, LINES, LINES, LINES, st.text(max_size=20), st.binary(max_size=20), st.just("[" * 5000))


class Line:
    """A socket of which it is only known whether it is ending."""

    code = 0

    @property
    def is_ending(self) -> bool:
        return bool(self.code)

    def wake(self) -> None:
        pass

    def end(self, ending) -> None:
        self.code = ending.code

    cut = end


@settings(max_examples=300)
@given(frames=st.lists(FRAMES, max_size=6), connects=st.booleans())
def test_any_frames_are_answered_or_end_the_connection(frames: list[str | bytes], connects: bool) -> None:
    async def run() -> None:
        journal = Journal(KEPT)
        journal.write("news", 1, 2)
        centrifugo = Centrifugo(Door(), Streams(journal, lambda: journal.now), Limits(frame_bytes_max=1000))
        line, box = Line(), Outbox()
        session = Session(centrifugo, line, box)
        for frame in [json.dumps(CONNECT), *frames] if connects else frames:
            await session.hear(frame)
        answers = (box.take() or "").split("\n")
        assert all(json.loads(answer) for answer in answers if answer)
        assert line.code in (0, 1009, 3005, 3500, 3501)
        session.leave()
        assert not centrifugo._connections
        assert centrifugo.streams._streams.keys() == centrifugo.streams._idle.keys()

    asyncio.run(run())
