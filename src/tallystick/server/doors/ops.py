"""The operations door: its routes, to be mounted at /ops. Whatever is done there is journaled with who and why."""

from collections.abc import Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Router

from tallystick.server.doors import accounts, audit, markets, orders
from tallystick.server.doors.answers import answer
from tallystick.server.doors.desk import Desk
from tallystick.server.doors.door import Door, Guard
from tallystick.server.doors.requests import read_query
from tallystick.server.doors.wire import instant
from tallystick.server.host import Host

_ACCOUNT: Final = "/accounts/{account}"
_MARKET: Final = "/markets/{market}"
_ORDER: Final = "/orders/{order}"


def desks_of(host: Host) -> dict[str, Desk]:
    """The host's venues as doors see them."""
    return {name: Desk(name, venue, host.index(name), host.secret) for name, venue in host.venues.items()}


def ops_router(host: Host, operators: Guard) -> Router:
    """The routes; ``operators`` lets them in. Nothing is asked of the host before the first request."""
    desks = desks_of(host)
    door = Door(desks, operators)
    return Router(
        [
            door.plain("/venues", _Venues(desks).show),
            door.route("/accounts", GET=accounts.list_accounts, POST=accounts.open_account),
            door.route(_ACCOUNT, GET=accounts.show_account),
            door.route(f"{_ACCOUNT}/transfers", POST=accounts.transfer),
            door.route(f"{_ACCOUNT}/suspend", POST=accounts.suspend),
            door.route(f"{_ACCOUNT}/resume", POST=accounts.resume),
            door.route(f"{_ACCOUNT}/flags", POST=accounts.set_flags),
            door.route(f"{_ACCOUNT}/owner", POST=accounts.set_owner),
            door.route("/assets", GET=markets.list_assets, POST=markets.define_asset),
            door.route("/markets", GET=markets.list_markets, POST=markets.define_market),
            door.route("/prices", POST=markets.quote),
            door.route(_MARKET, GET=markets.show_market),
            door.route(f"{_MARKET}/halt", POST=markets.halt),
            door.route(f"{_MARKET}/resume", POST=markets.resume),
            door.route("/orders", GET=orders.list_orders),
            door.route(_ORDER, GET=orders.show_order),
            door.route(f"{_ORDER}/cancel", POST=orders.cancel),
            door.route(f"{_ORDER}/prerequisite", POST=orders.clear),
            door.route("/trades/{trade}", GET=orders.show_trade),
            door.route("/failing", GET=orders.list_failing),
            door.route("/sweeps", GET=audit.list_sweeps),
            door.route("/requests/{request}", GET=audit.show_request),
            door.route("/entries", GET=audit.list_entries),
        ],
        redirect_slashes=False,
    )


class _Venues:
    """Answers which venues there are, and how each is."""

    def __init__(self, desks: Mapping[str, Desk]) -> None:
        self._desks: Final = desks

    async def show(self, request: Request, _by: str) -> Response:
        read_query(request)
        return answer(
            {
                "venues": [
                    {
                        "name": desk.name,
                        "status": desk.venue.status,
                        "time": instant(desk.venue.now()),
                        "sequence": desk.state.sequence,
                        "orders_failing": len(desk.state.order_retries),
                        "trades_failing": len(desk.state.trade_retries),
                        "sweeps": len(desk.state.sweeps),
                    }
                    for desk in self._desks.values()
                ]
            }
        )
