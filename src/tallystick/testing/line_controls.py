"""What is done to the line to a venue's server: the same for every venue that is reached over one."""

import json
from typing import Any, Final

from tallystick.testing.controls import Controls
from tallystick.testing.line import GARBAGE, Line


class LineControls(Controls):
    """Half of a venue's controls; what happens to its orders is the other half. ``stream`` is how the path ends that
    the venue tells its events at."""

    def __init__(self, line: Line, stream: str) -> None:
        self._line: Final = line
        self._stream: Final = stream

    def calm(self) -> None:
        line = self._line
        line.script.clear()
        line.cancels.clear()
        line.is_cut = False
        line.delay = 0.0
        line.rewrite = lambda path, content: content
        line.revise = lambda content: content

    def revise_next(self, **fields: Any) -> None:
        """The next order that is sent arrives with these fields."""

        def revise(content: bytes) -> bytes:
            self._line.revise = lambda content: content
            return json.dumps(json.loads(content) | fields).encode()

        self._line.revise = revise

    def lose_next_request(self) -> None:
        self._line.script.append("lose_request")

    def lose_next_answer(self) -> None:
        self._line.script.append("lose_answer")

    def delay_next_request(self) -> None:
        self._line.script.append("late_request")

    def garble_next_answer(self) -> None:
        self._line.script.append("garble_answer")

    def limit_next(self, retry_after: float) -> None:
        self._line.script.append(f"limit:{retry_after:.0f}")

    def go_down(self) -> None:
        self._line.is_cut = True

    def cut_stream(self) -> None:
        self._line.cut(self._stream)

    def garble_stream(self) -> None:
        def rewrite(path: str, content: bytes) -> bytes:
            if not path.endswith(self._stream):
                return content
            self._line.rewrite = lambda path, content: content
            return GARBAGE

        self._line.rewrite = rewrite

    def slow_down(self, seconds: float) -> None:
        self._line.delay = seconds
