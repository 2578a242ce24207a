"""The ASGI applications: each venue mounted at its path for clients, the doors of operators and testers, and health."""

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Mount

from tallystick.dialects.sophic.api import SophicApi, http_error
from tallystick.dialects.sophic.view import View
from tallystick.server.admission import Admission
from tallystick.server.deliveries import Deliveries
from tallystick.server.doors.door import Guard
from tallystick.server.doors.ops import ops_router
from tallystick.server.doors.sandbox import sandbox_router
from tallystick.server.health import Health
from tallystick.server.host import SOPHIC, Host


def make_app(
    host: Host, health: Health, admission: Admission, deliveries: Deliveries, doors: Sequence[BaseRoute] = ()
) -> Starlette:
    """What clients use, over ``host``, which is running while it is served, and the ``doors`` at the same address."""
    sophic = SophicApi(
        host.sophic, host.index(SOPHIC), View(host.secret, SOPHIC), admission, deliveries.sophic.webhooks
    )
    return _application([*deliveries.routes(), Mount(f"/{SOPHIC}", app=sophic), *doors, *health.routes()])


def make_ops_app(health: Health, doors: Sequence[BaseRoute]) -> Starlette:
    """What operators use, where that has an address of its own."""
    return _application([*health.routes(), *doors])


def ops_door(host: Host, operators: Guard) -> Mount:
    """For those who operate, with keys of their own."""
    return Mount("/ops", app=ops_router(host, operators))


def sandbox_door(host: Host) -> Mount:
    """For those who test, and anybody else: never where there is production."""
    return Mount("/sandbox", app=sandbox_router(host))


def _application(routes: Sequence[BaseRoute]) -> Starlette:
    app = Starlette(routes=routes, exception_handlers={HTTPException: http_error})
    app.router.redirect_slashes = False
    return app
