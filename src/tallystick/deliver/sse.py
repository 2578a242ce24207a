"""Reading server-sent events: a connection's lines made into events (the HTML standard, §9.2.6)."""

from typing import Final, NamedTuple

LINE_BYTES_MAX: Final = 1024 * 1024


class SentEvent(NamedTuple):
    """``id`` is the newest that was given, by this event or one before it."""

    id: str
    name: str
    data: str


class SseReader:
    """Bytes in, as they come; whole events out."""

    def __init__(self) -> None:
        self._rest = b""
        self._id = ""
        self._name = ""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> list[SentEvent]:
        """The events that end in ``chunk``. ValueError for a line that is too long to be one of ours."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LINE_BYTES_MAX:
            raise ValueError("a line of the stream is too long")
        found: list[SentEvent] = []
        for line in lines:
            event = self._take(line.removesuffix(b"\r").decode())
            if event is not None:
                found.append(event)
        return found

    def _take(self, line: str) -> SentEvent | None:
        if not line:
            event = SentEvent(self._id, self._name or "message", "\n".join(self._data)) if self._data else None
            self._name, self._data = "", []
            return event
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            self._id = value
        elif field == "event":
            self._name = value
        elif field == "data":
            self._data.append(value)
        return None
