"""Those who follow a stream of events: at their own pace, hanging up and coming back, cut off and going on."""

import asyncio
import json
from random import Random
from typing import Any, Final

from tallystick.deliver.sse import SseReader
from tallystick.deliver.stream import Stream

PACES: Final = (0.0, 0.0, 0.0, 0.5, 40.0)
"""Seconds that a message takes; the last is more than a stream waits."""
CUT_OFF: Final = "cut_off"


class Follower:
    """``seen`` are the ids of the events that it took, over all connections; it goes on from where it was told."""

    def __init__(self, owner: str, is_socket: bool, random: Random) -> None:
        self.owner: Final = owner
        self.is_socket: Final = is_socket
        self.seen: Final[list[str]] = []
        self.cut_offs = 0
        self.is_patient = False
        self._random: Final = random
        self._position = "start"
        self._reader = SseReader()
        self._is_greeted = False
        self._task: asyncio.Task[None] | None = None

    @property
    def is_connected(self) -> bool:
        return self._task is not None and not self._task.done()

    def connect(self, stream: Stream[str | None]) -> None:
        """From its position; on a running loop."""
        self._reader = SseReader()
        headers = [] if self.is_socket else [(b"accept", b"text/event-stream")]
        scope = {
            "type": "websocket" if self.is_socket else "http",
            "method": "GET",
            "headers": [*headers, (b"authorization", self.owner.encode())],
            "query_string": f"after={self._position}".encode(),
        }
        self._is_greeted = False
        self._task = asyncio.get_running_loop().create_task(stream(scope, self._receive, self._send))

    async def hang_up(self) -> None:
        """What was on its way is lost."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def failure(self) -> BaseException | None:
        """What ended its connection unforeseen."""
        if self._task is None or not self._task.done() or self._task.cancelled():
            return None
        return self._task.exception()

    async def _receive(self) -> dict[str, Any]:
        if self.is_socket and not self._is_greeted:
            self._is_greeted = True
            return {"type": "websocket.connect"}
        return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]

    async def _send(self, message: Any) -> None:
        if not self.is_patient and message["type"] in ("websocket.send", "http.response.body"):
            await asyncio.sleep(self._random.choice(PACES))
        if message["type"] == "websocket.send":
            told = json.loads(message["text"])
            self.seen.extend(each["id"] for each in told["events"])
            self._position = told["position"]
        elif message["type"] == "websocket.close":
            self.cut_offs += 1
            self._position = message["reason"].partition(" ")[2]
        elif message["type"] == "http.response.body":
            for event in self._reader.feed(message["body"]):
                self._position = event.id
                if event.name == CUT_OFF:
                    self.cut_offs += 1
                else:
                    self.seen.append(event.id)
