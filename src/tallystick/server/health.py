"""Health: whether the process and its venues go on (``/healthz``), and whether they take orders now (``/readyz``)."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tallystick.server.venue import HostedVenue

DRAINING: Final = "draining"


class Health:
    """``draining`` is set once the server has been asked to stop. ``webhooks`` says how each venue's are."""

    def __init__(
        self, venues: Mapping[str, HostedVenue], webhooks: Callable[[], Mapping[str, Any]] = dict[str, Any]
    ) -> None:
        self.draining = False
        self._venues: Final = venues
        self._webhooks: Final = webhooks

    def routes(self) -> list[Route]:
        """To stand at the top of each application."""
        return [Route("/healthz", self._health), Route("/readyz", self._readiness)]

    async def _health(self, _request: Request) -> Response:
        """200 while every venue goes on, 503 when one has stopped; with the newest durable sequence of each.

        Webhooks that are not sent are shown and no more: nothing is lost of them, and orders are taken.
        """
        venues = self._venues.items()
        troubles = [venue.status for _, venue in venues if venue.status != "ok"]
        stopped = any(venue.sequencer.stopped is not None for _, venue in venues)
        body = {
            "status": troubles[0] if troubles else "ok",
            "venues": {name: {"status": venue.status, "sequence": venue.state.sequence} for name, venue in venues},
            "webhooks": self._webhooks(),
        }
        return _answer(body, 503 if stopped else 200)

    async def _readiness(self, _request: Request) -> Response:
        """200 while every venue takes orders; else 503 with each reason, as ``draining`` or ``sophic: disk_low``.

        A venue that has too much to record for a moment counts as ready: whoever comes a second later is served.
        """
        reasons = [DRAINING] if self.draining else []
        reasons += [f"{name}: {venue.status}" for name, venue in self._venues.items() if venue.status != "ok"]
        for name, venue in self._venues.items():
            reasons += [f"{name}: not_operating: there is no {role} account" for role in venue.sequencer.missing_roles]
        return _answer({"status": "not_ready" if reasons else "ready", "reasons": reasons}, 503 if reasons else 200)


def _answer(body: dict[str, Any], status: int) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
