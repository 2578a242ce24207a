"""The server with webhooks and streams mounted, by the same command line: ``python -m tests.deliver.serve serve …``.

TALLYSTICK_TEST_WAITS are the seconds between attempts, TALLYSTICK_TEST_SENDS=0 leaves sending to another process.
"""

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount

from tallystick.cli.main import app as command_line
from tallystick.deliver.addresses import Reach
from tallystick.deliver.courier import Policy
from tallystick.deliver.schedule import Schedule
from tallystick.dialects.sophic.api import SophicApi
from tallystick.dialects.sophic.delivery import SophicDelivery
from tallystick.dialects.sophic.view import View
from tallystick.server import app, serve
from tallystick.server.health import Health
from tallystick.server.host import SOPHIC, Host

WAITS = os.environ.get("TALLYSTICK_TEST_WAITS", "0.2 0.2 0.2 0.2 0.2 0.2 0.2 0.2 0.2")
SENDS = os.environ.get("TALLYSTICK_TEST_SENDS") != "0"
POLICY = Policy(Schedule(tuple(map(float, WAITS.split()))), Reach(everywhere=True))
made: list[SophicDelivery] = []


class DrainingHealth(Health):
    """Streams end when the server is asked to stop."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "draining" and value:
            made[0].drain()


def make_app(host: Host, health: Health, admission: Any, doors: Sequence[BaseRoute] = ()) -> Starlette:
    index = host.index(SOPHIC)
    folder = host._folder.path
    delivery = SophicDelivery(folder, SOPHIC, host.secret, host.sophic, index, admission, POLICY, sends=SENDS)
    made.append(delivery)
    sophic = SophicApi(host.sophic, index, View(host.secret, SOPHIC), admission, delivery.webhooks)
    return app._application(
        [
            *delivery.stream.routes(f"/{SOPHIC}/stream"),
            *delivery.operators_stream(lambda _authorization: None).routes("/ops/stream"),
            Mount(f"/{SOPHIC}", app=sophic),
            *doors,
            *health.routes(),
        ]
    )


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[None]:
    await host.start()
    made[0].start()
    try:
        yield
    finally:
        await made[0].stop()
        await host.stop()


if __name__ == "__main__":
    with (
        patch.object(serve, "make_app", make_app),
        patch.object(serve, "_running", running),
        patch.object(serve, "Health", DrainingHealth),
    ):
        command_line()
