"""Health and readiness, as a table: what the venues say and whether the server drains, and what is answered."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from starlette.applications import Starlette

from tallystick.server.health import Health

STOPPED = "stopped: x"

TABLE = """
    sophic   | another  | draining | healthz | readyz | reasons
    ok       | ok       |          | 200     | 200    |
    disk_low | ok       |          | 200     | 503    | sophic: disk_low
    stopped  | ok       |          | 503     | 503    | sophic: stopped: x
    ok       | stopped  |          | 503     | 503    | another: stopped: x
    ok       | no fees  |          | 200     | 503    | another: not_operating: there is no fees account
    ok       | ok       | yes      | 200     | 503    | draining
    disk_low | stopped  | yes      | 503     | 503    | draining, sophic: disk_low, another: stopped: x
"""


def venue(status: str) -> SimpleNamespace:
    is_stopped = status == "stopped"
    return SimpleNamespace(
        status=STOPPED if is_stopped else "ok" if status == "no fees" else status,
        sequencer=SimpleNamespace(
            stopped=OSError() if is_stopped else None, missing_roles=["fees"] if status == "no fees" else []
        ),
        state=SimpleNamespace(sequence=7),
    )


async def ask(health: Health, path: str) -> tuple[int, dict[str, object]]:
    """Through the routes, as a server does."""
    sent = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "root_path": ""}
    await Starlette(routes=health.routes())(scope, None, send)
    return sent[0]["status"], json.loads(sent[1]["body"])


@pytest.mark.parametrize("row", TABLE.strip().splitlines()[1:])
def test_healthy_is_what_goes_on_and_ready_is_what_takes_orders(row: str) -> None:
    sophic, another, draining, healthz, readyz, reasons = (cell.strip() for cell in row.split("|"))
    health = Health({"sophic": venue(sophic), "another": venue(another)})
    health.draining = bool(draining)
    status, body = asyncio.run(ask(health, "/healthz"))
    assert (status, body["venues"]["sophic"]["sequence"]) == (int(healthz), 7)
    status, body = asyncio.run(ask(health, "/readyz"))
    assert status == int(readyz)
    assert body == {"status": "not_ready" if reasons else "ready", "reasons": reasons.split(", ") if reasons else []}
