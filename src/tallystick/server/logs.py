"""The log of a server: on stderr, a line for people or a JSON object in each line, from every part of the process.

A record carries time, level, logger and message; the ``extra`` it was given; and, while a request is answered, what is
in that request's state under REQUEST_FIELDS. Nothing is filtered out, for nothing secret is ever handed to a logger:
other packages, which log the headers that they read when asked for details, are never asked.
"""

import json
import logging
import re
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any, Final, TextIO

REQUEST_FIELDS: Final = ("request_id", "client", "operator")

request_state: Final[ContextVar[Mapping[str, Any]]] = ContextVar("request_state")
"""The state of the request that is being answered, if one is (the ``state`` of its ASGI scope)."""

_STANDARD: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName", "color_message"}
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def set_up(form: str, level: str, stream: TextIO | None = None) -> None:
    """Log to ``stream`` (stderr) from now on; ``form`` is text or json, and ``level`` the least that is written.

    The level is Tallystick's own; of other packages there are only warnings and worse.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("tallystick").setLevel(level.upper())


class TextLines(logging.Formatter):
    """``2026-03-12T14:30:05.123Z INFO tallystick.server.host: recovered: … request_id=req_…``, then any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        fields = "".join(f" {name}={value}" for name, value in _fields(record).items())
        line = f"{record.levelname} {record.name}: {record.getMessage()}{fields}"
        trace = _trace(record)
        # Whoever chooses a path or a name chooses no lines of the log.
        line = f"{_time(record)} {_CONTROL.sub(_escaped, line)}"
        return f"{line}\n{trace}" if trace else line


class JsonLines(logging.Formatter):
    """``{"time":…,"level":"info","logger":…,"message":…}``, then the fields, then ``exception`` with any traceback."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        for name, value in _fields(record).items():
            line.setdefault(name, value)
        trace = _trace(record)
        if trace:
            line["exception"] = trace
        return json.dumps(line, default=str)


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    fields = {name: value for name, value in record.__dict__.items() if name not in _STANDARD}
    state = request_state.get({})
    for name in REQUEST_FIELDS:
        if name in state:
            fields.setdefault(name, state[name])
    return fields


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _trace(record: logging.LogRecord) -> str:
    return logging.Formatter().formatException(record.exc_info) if record.exc_info else ""


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]
