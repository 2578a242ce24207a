"""Channels: the newest publications of each that somebody listens to, under offsets that a restart gives them again.

An offset is made of the journal's position, so offsets grow and have gaps; a client asks for what comes after the one
it had last, and whether everything after it is still here is known, not guessed from their being dense. A publication
is encoded once, for all that are sent it and for all that ask for it later.
"""

import asyncio
from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Callable
from itertools import islice
from operator import attrgetter
from typing import Final, NamedTuple, Protocol

from tallystick.deliver.centrifugo.ports import Bounds, Published, Recent, Source
from tallystick.deliver.centrifugo.wire import publication, push

IN_ENTRY_MAX: Final = 1024
"""Of one channel."""
DELAY_SECONDS_MAX: Final = 0.1
JOINED_MAX: Final = 512
IDLE_MAX: Final = 1024
"""So many channels are kept for a while after their last listener has left."""

_by_offset: Final = attrgetter("offset")


def offset_of(sequence: int, index: int = 0) -> int:
    """The offset of a channel's publication ``index`` (from 0) in an entry; exact in a double up to 2^43 entries."""
    if not 0 <= index < IN_ENTRY_MAX:
        raise ValueError(f"an entry has at most {IN_ENTRY_MAX} publications for one channel, not {index + 1}")
    return sequence * IN_ENTRY_MAX + index


class Listener(Protocol):
    def tell(self, message: bytes) -> None:
        """A message to be sent; neither waits nor raises."""


class Kept(NamedTuple):
    """``body`` is the publication as clients are sent it."""

    offset: int
    time: int
    body: bytes


class Stream:
    """One channel: what is kept of it, all that there is after the offset ``since``, and its listeners.

    ``top`` is the offset up to which everything was published.
    """

    def __init__(self, channel: str, epoch: str, bounds: Bounds, recent: Recent) -> None:
        self.channel: Final = channel
        self.epoch: Final = epoch
        self.bounds: Final = bounds
        self.since = recent.since
        self.top = recent.top
        self._kept: Final = deque(
            Kept(each.offset, each.time, publication(each.data, each.offset)) for each in recent.publications
        )
        self._listeners: Final[dict[Listener, None]] = {}
        self._waiting: Final[list[Published]] = []
        self._delay: asyncio.TimerHandle | None = None

    @property
    def has_positions(self) -> bool:
        """Whether anything is kept, so that a listener may say where it was."""
        return self.bounds.size > 0

    @property
    def is_idle(self) -> bool:
        return not self._listeners

    def listen(self, listener: Listener) -> None:
        """Tell it of every publication from now on."""
        self._listeners[listener] = None

    def leave(self, listener: Listener) -> None:
        """Harmless if it does not listen."""
        self._listeners.pop(listener, None)

    def publish(self, published: Published) -> None:
        """What is new; a repetition of what is here already is passed over."""
        if published.offset <= self.top:
            return
        delay = self.bounds.delay_seconds
        if not delay:
            self._publish(published)
            return
        self._waiting.append(published)
        if len(self._waiting) >= JOINED_MAX:
            self.flush()
        elif self._delay is None:
            self._delay = asyncio.get_running_loop().call_later(min(delay, DELAY_SECONDS_MAX), self.flush)

    def flush(self) -> None:
        """Publish what waits, joined to one array."""
        if self._delay is not None:
            self._delay.cancel()
            self._delay = None
        if self._waiting:
            last = self._waiting[-1]
            rows = b",".join(each.data[1:-1] for each in self._waiting if each.data != b"[]")
            self._waiting.clear()
            self._publish(Published(last.offset, b"[%b]" % rows, last.time))

    def _publish(self, published: Published) -> None:
        self.top = published.offset
        body = publication(published.data, published.offset if self.has_positions else 0)
        if self.has_positions:
            if len(self._kept) >= self.bounds.size:
                self._forget()
            self._kept.append(Kept(published.offset, published.time, body))
        if self._listeners:
            message = push(self.channel, body)
            for listener in tuple(self._listeners):
                listener.tell(message)

    def expire(self, now: int) -> None:
        """Forget what is too old at ``now`` (microseconds)."""
        oldest = now - self.bounds.seconds * 1_000_000
        while self._kept and self._kept[0].time < oldest:
            self._forget()

    def _forget(self) -> None:
        self.since = self._kept.popleft().offset

    def after(self, offset: int, limit: int) -> list[bytes]:
        """Up to ``limit`` publications after the offset, oldest first."""
        begin = bisect_right(self._kept, offset, key=_by_offset)
        return [each.body for each in islice(self._kept, begin, begin + limit)]

    def before(self, offset: int | None, limit: int) -> list[bytes]:
        """Up to ``limit`` publications before the offset (None: the newest), newest first."""
        end = len(self._kept) if offset is None else bisect_left(self._kept, offset, key=_by_offset)
        found = [each.body for each in islice(self._kept, max(0, end - limit), end)]
        return found[::-1]

    def recover(self, epoch: str, offset: int, limit: int) -> list[bytes] | None:
        """All that was published after the offset; None if that is not known, or more than ``limit``.

        A client that never learnt the epoch (an empty one) is believed, as the protocol's own server believes it.
        """
        if epoch not in ("", self.epoch) or not self.since <= offset <= self.top:
            return None
        found = self.after(offset, limit + 1)
        return found if len(found) <= limit else None


class Streams:
    """The channels that somebody listens to, or did until lately. ``now`` is in microseconds.

    Whoever has something new publishes it here at once, after ``source`` can find it.
    """

    def __init__(self, source: Source, now: Callable[[], int]) -> None:
        self._source: Final = source
        self._now: Final = now
        self._streams: Final[dict[str, Stream]] = {}
        self._opening: Final[dict[str, tuple[asyncio.Task[None], list[Published]]]] = {}
        self._forgotten: Final[set[str]] = set()
        self._idle: Final[dict[str, int]] = {}  # since when, the longest first

    def __len__(self) -> int:
        return len(self._streams)

    def wants(self, channel: str) -> bool:
        """Whether it makes sense to publish in the channel: what nobody heard is read from the source later."""
        return channel in self._streams or channel in self._opening

    def publish(self, channel: str, published: Published) -> None:
        """Tell whoever listens; offsets of a channel only grow."""
        stream = self._streams.get(channel)
        if stream is not None:
            stream.publish(published)
        elif channel in self._opening:
            self._opening[channel][1].append(published)

    async def open(self, channel: str) -> Stream:
        """The channel with what is kept of it, as of now. Raises what the source raises.

        It is to be listened to, or released, before anything else may happen.
        """
        while (stream := self._streams.get(channel)) is None:
            if channel not in self._opening:
                self._opening[channel] = asyncio.get_running_loop().create_task(self._read(channel)), []
            # It is read for all who wait, whoever of them leaves meanwhile.
            await asyncio.shield(self._opening[channel][0])
        self._idle.pop(channel, None)
        stream.flush()
        stream.expire(self._now())
        return stream

    def release(self, stream: Stream) -> None:
        """It was opened, and nobody listens to it, or nobody any longer."""
        if stream.is_idle and self._streams.get(stream.channel) is stream:
            self._idle[stream.channel] = self._now()
            self._drop_idle()

    def forget(self, channel: str) -> None:
        """Something was not published that should have been: whoever opens the channel next has it read again."""
        self._streams.pop(channel, None)
        self._idle.pop(channel, None)
        if channel in self._opening:
            self._forgotten.add(channel)

    async def _read(self, channel: str) -> None:
        bounds = self._source.bounds(channel)
        missed = self._opening[channel][1]
        try:
            while True:
                self._forgotten.discard(channel)
                recent = Recent((), 0, 0)
                if bounds.size:
                    recent = await self._source.recent(channel, bounds.size, self._now() - bounds.seconds * 1_000_000)
                if channel not in self._forgotten:
                    break
        finally:
            del self._opening[channel]
        stream = self._streams[channel] = Stream(channel, self._source.epoch, bounds, recent)
        self._idle[channel] = self._now()  # until it is opened
        for published in missed:
            stream.publish(published)

    def _drop_idle(self) -> None:
        """Those whose publications are too old to be recovered, and the longest idle of too many."""
        now = self._now()
        for channel, since in list(self._idle.items()):
            stream = self._streams[channel]
            if len(self._idle) <= IDLE_MAX and now - since < stream.bounds.seconds * 1_000_000:
                return
            stream.flush()
            del self._idle[channel], self._streams[channel]
