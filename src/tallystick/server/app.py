"""The ASGI application: each venue mounted at its path, and the health of all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from tallystick.dialects.sophic.api import SophicApi, http_error
from tallystick.dialects.sophic.view import View
from tallystick.server.host import SOPHIC, Host


def make_app(host: Host, sophic_token: str) -> Starlette:
    """An application over ``host``, which it starts and stops with itself."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        await host.start()
        try:
            yield
        finally:
            await host.stop()

    sophic = SophicApi(host.sophic, View(host.secret, SOPHIC), sophic_token)
    app = Starlette(
        routes=[Route("/healthz", _health(host)), Mount(f"/{SOPHIC}", app=sophic.router())],
        lifespan=lifespan,
        exception_handlers={HTTPException: http_error},
    )
    app.router.redirect_slashes = False
    return app


def _health(host: Host) -> Callable[[Request], Response]:
    """200 while every venue goes on, 503 when one has stopped; with the newest durable sequence of each."""

    def answer(_request: Request) -> Response:
        venues = host.venues.items()
        troubles = [venue.status for _, venue in venues if venue.status != "ok"]
        stopped = any(venue.sequencer.stopped is not None for _, venue in venues)
        body = {
            "status": troubles[0] if troubles else "ok",
            "venues": {name: {"status": venue.status, "sequence": venue.state.sequence} for name, venue in venues},
        }
        return Response(msgspec.json.encode(body), 503 if stopped else 200, media_type="application/json")

    return answer
