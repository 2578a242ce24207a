"""The log: lines that machines can read, lines that people can, and nobody's lines but ours."""

import asyncio
import io
import json
import logging
import sys
from collections.abc import Iterator
from datetime import datetime

import pytest

from tallystick.server import logs
from tallystick.server.request_ids import Identified, new_id, request_id

LOGGER = logging.getLogger("tallystick.tests")


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root, ours = logging.getLogger(), logging.getLogger("tallystick")
    handlers, levels = root.handlers[:], (root.level, ours.level)
    root.handlers = []  # basicConfig closes what it replaces
    yield
    root.handlers = handlers
    root.setLevel(levels[0])
    ours.setLevel(levels[1])


@pytest.fixture
def written() -> io.StringIO:
    return io.StringIO()


def test_a_json_line_has_time_level_logger_message_and_fields(written: io.StringIO) -> None:
    logs.set_up("json", "info", written)
    LOGGER.warning("%s is %d", "it", 7, extra={"venue": "sophic", "at": (1, 2)})
    line = json.loads(written.getvalue())
    assert datetime.fromisoformat(line.pop("time")).tzinfo is not None
    assert line == {
        "level": "warning",
        "logger": "tallystick.tests",
        "message": "it is 7",
        "venue": "sophic",
        "at": [1, 2],
    }


def test_a_failure_is_one_json_line_with_its_traceback(written: io.StringIO) -> None:
    logs.set_up("json", "info", written)
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        LOGGER.exception("it failed")
    [line] = written.getvalue().splitlines()
    assert json.loads(line)["exception"].startswith("Traceback")
    assert json.loads(line)["exception"].endswith("ValueError: first\nsecond")


def test_what_json_does_not_know_is_written_as_text(written: io.StringIO) -> None:
    logs.set_up("json", "info", written)
    LOGGER.info("it", extra={"error": ValueError("odd"), "broken": "\ud800"})
    assert json.loads(written.getvalue())["error"] == "odd"


def test_a_field_takes_no_place_of_ours(written: io.StringIO) -> None:
    logs.set_up("json", "info", written)
    LOGGER.info("it", extra={"level": "critical", "time": "never"})
    line = json.loads(written.getvalue())
    assert line["level"] == "info"
    assert line["time"] != "never"


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_writes_a_line_of_his_own(written: io.StringIO, form: str) -> None:
    logs.set_up(form, "info", written)
    LOGGER.info("%s failed", "/x\n2026-01-01T00:00:00Z ERROR it burns\u2028\x1b[31m", extra={"client": "a\rb"})
    [line] = written.getvalue().splitlines()
    assert "\x1b" not in line


def test_a_text_line_has_the_level_and_the_fields(written: io.StringIO) -> None:
    logs.set_up("text", "info", written)
    LOGGER.error("it failed", extra={"venue": "sophic"})
    assert written.getvalue().endswith("Z ERROR tallystick.tests: it failed venue=sophic\n")


def test_while_a_request_is_answered_each_line_says_whose_it_is(written: io.StringIO) -> None:
    logs.set_up("json", "info", written)
    token = logs.request_state.set({"request_id": "req_1", "client": "cli_1", "principal": "not for the log"})
    try:
        LOGGER.info("it")
    finally:
        logs.request_state.reset(token)
    LOGGER.info("it")
    of_request, of_nobody = map(json.loads, written.getvalue().splitlines())
    assert (of_request["request_id"], of_request["client"]) == ("req_1", "cli_1")
    assert "not for the log" not in written.getvalue()
    assert "request_id" not in of_nobody


def test_what_fails_while_a_request_is_answered_is_told_with_its_id(written: io.StringIO) -> None:
    async def app(_scope: object, _receive: object, _send: object) -> None:
        LOGGER.error("it failed")

    async def ask(name: str) -> None:
        await Identified(app)({"type": "http", "state": {"request_id": name}}, None, None)

    async def answer() -> None:
        async with asyncio.TaskGroup() as requests:
            for name in ("mine-1", "mine-2"):
                requests.create_task(ask(name))
        LOGGER.error("it failed")

    logs.set_up("json", "info", written)
    asyncio.run(answer())
    assert [json.loads(line).get("request_id") for line in written.getvalue().splitlines()] == [
        "mine-1",
        "mine-2",
        None,
    ]


LEVELS = """
    level   | logger             | at      | written
    info    | tallystick.server  | debug   | no
    info    | tallystick.server  | info    | yes
    error   | tallystick.server  | warning | no
    debug   | tallystick.server  | debug   | yes
    debug   | websockets.server  | debug   | no
    debug   | uvicorn.error      | info    | no
    debug   | uvicorn.error      | warning | yes
    error   | asyncio            | error   | yes
"""


@pytest.mark.parametrize("row", LEVELS.strip().splitlines()[1:])
def test_the_level_is_ours_and_of_others_there_are_warnings(written: io.StringIO, row: str) -> None:
    level, name, at, is_written = (cell.strip() for cell in row.split("|"))
    logs.set_up("text", level, written)
    logging.getLogger(name).log(logging.getLevelName(at.upper()), "it")
    assert bool(written.getvalue()) == (is_written == "yes")


def test_it_goes_to_stderr(monkeypatch: pytest.MonkeyPatch, written: io.StringIO) -> None:
    monkeypatch.setattr(sys, "stderr", written)
    logs.set_up("text", "info")
    LOGGER.info("it")
    assert "it" in written.getvalue()


GIVEN = {
    b"abc-123": True,
    b"!" * 64: True,
    b"!" * 65: False,
    b"": False,
    b"two words": False,
    b"tab\t": False,
    "ü".encode(): False,
    b'"quoted"': True,
}


@pytest.mark.parametrize("value", GIVEN)
def test_a_request_keeps_its_own_id_if_that_is_short_and_printable(value: bytes) -> None:
    found = request_id([(b"host", b"x"), (b"request-id", value)])
    assert (found == value) == GIVEN[value]
    assert found.startswith(b"req_") != GIVEN[value]


def test_ids_that_are_made_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
