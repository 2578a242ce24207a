"""A client's webhooks: registering them, looking at what was sent, and having it sent again (specs/sophic.md §1)."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from tallystick.access.principal import WEBHOOKS_WRITE
from tallystick.core.ids import IdCodec
from tallystick.deliver.addresses import BadUrl, Reach
from tallystick.deliver.endpoints import ENDPOINTS_MAX, EndpointUnknown, RotationUnderWay, TooManyEndpoints
from tallystick.deliver.feed import Happening
from tallystick.deliver.records import STATUSES
from tallystick.deliver.register import (
    ATTEMPTS_MAX,
    DeliveryUnknown,
    Inactive,
    Register,
    TooManyAttempts,
    TooManyUnfinished,
    Unavailable,
)
from tallystick.dialects.sophic import webhook_wire as wire
from tallystick.dialects.sophic.errors import RequestError, invalid, not_found
from tallystick.dialects.sophic.queries import PAGING, Parameter, Query, read_instant
from tallystick.dialects.sophic.requests import read_body, read_typed
from tallystick.dialects.sophic.routes import Route
from tallystick.dialects.sophic.wire import Param, instant
from tallystick.facts.codes import STORAGE_UNAVAILABLE
from tallystick.web.exchange import Reply, Request, json_array, json_reply

Endpoint = Callable[[Request, Query], Awaitable[Reply]]

TEST_DATA_BYTES_MAX: Final = 16 * 1024

_ONE: Final = "/webhooks/{webhook_id}"
_SENT: Final = f"{_ONE}/deliveries"
_SENT_ONE: Final = f"{_SENT}/{{delivery_id}}"


def _read_status(text: str) -> str:
    if text not in STATUSES:
        raise ValueError(f"A status is one of: {', '.join(STATUSES)}.")
    return text


STATUS: Final = Parameter(
    "status", _read_status, {"type": "string", "enum": list(STATUSES)}, "Only deliveries of this status."
)


def _route(method: str, path: str, operation: str, summary: str, answer: Any, status: int = 200, **more: Any) -> Route:
    return Route(method, path, operation, summary, WEBHOOKS_WRITE, answer, status, **more)


WEBHOOK_ROUTES: Final = (
    _route(
        "POST",
        "/webhooks",
        "createWebhook",
        "Create a webhook",
        wire.NewSecret,
        201,
        body=wire.CreateWebhook,
        may_conflict=True,
    ),
    _route("GET", "/webhooks", "listWebhooks", "List webhooks", list[wire.Webhook]),
    _route("GET", _ONE, "retrieveWebhook", "Retrieve webhook", wire.Webhook),
    _route("PUT", _ONE, "updateWebhook", "Update webhook", wire.Webhook, body=wire.UpdateWebhook),
    _route("DELETE", _ONE, "deleteWebhook", "Delete webhook", wire.Webhook),
    _route(
        "POST",
        f"{_ONE}/test",
        "testWebhook",
        "Send a test event",
        wire.WebhookDelivery,
        202,
        body=wire.TestWebhook,
        may_conflict=True,
    ),
    _route(
        "POST",
        f"{_ONE}/replay",
        "replayWebhook",
        "Send everything since a time once more",
        wire.Webhook,
        202,
        body=wire.Replay,
        may_conflict=True,
    ),
    _route(
        "POST",
        f"{_ONE}/rotate-secret",
        "rotateWebhookSecret",
        "Rotate the secret",
        wire.NewSecret,
        body=wire.Rotate,
        may_conflict=True,
    ),
    _route("GET", _SENT, "listDeliveries", "List deliveries", list[wire.WebhookDelivery], query=(STATUS, *PAGING)),
    _route("GET", _SENT_ONE, "retrieveDelivery", "Retrieve delivery", wire.WebhookDelivery),
    _route(
        "POST",
        f"{_SENT_ONE}/resend",
        "resendDelivery",
        "Send a delivery once more",
        wire.WebhookDelivery,
        202,
        may_conflict=True,
    ),
)


class Webhooks:
    """``endpoints`` answer WEBHOOK_ROUTES, by their operations. ``event_ids`` are for events that only test."""

    def __init__(self, register: Register, view: wire.WebhookView, reach: Reach, event_ids: IdCodec) -> None:
        self._register: Final = register
        self._view: Final = view
        self._reach: Final = reach
        self._event_ids: Final = event_ids
        self.endpoints: Final[dict[str, Endpoint]] = {
            "createWebhook": _told(self._create),
            "listWebhooks": _told(self._list),
            "retrieveWebhook": _told(self._retrieve),
            "updateWebhook": _told(self._update),
            "deleteWebhook": _told(self._delete),
            "testWebhook": _told(self._test),
            "replayWebhook": _told(self._replay),
            "rotateWebhookSecret": _told(self._rotate),
            "listDeliveries": _told(self._deliveries),
            "retrieveDelivery": _told(self._delivery),
            "resendDelivery": _told(self._resend),
        }

    async def _create(self, request: Request, query: Query) -> Reply:
        query.check()
        body = read_typed(wire.CreateWebhook, await read_body(request))
        self._check(body.url)
        made = await self._register.create(request.principal.client, body.url, body.description, body.ordering)
        return _json(self._view.with_secret(made), 201)

    async def _list(self, request: Request, query: Query) -> Reply:
        query.check()
        found = await self._register.all(request.principal.client)
        return json_array([msgspec.json.encode(self._view.webhook(each)) for each in reversed(found)])

    async def _retrieve(self, request: Request, query: Query) -> Reply:
        found = await self._register.get(*self._named(request))
        query.check()
        return _json(self._view.webhook(found))

    async def _update(self, request: Request, query: Query) -> Reply:
        await self._register.get(*self._named(request))
        query.check()
        body = read_typed(wire.UpdateWebhook, await read_body(request))
        if body.url is not None:
            self._check(body.url)
        changed = await self._register.update(
            *self._named(request),
            url=body.url,
            description=body.description,
            ordering=body.ordering,
            is_active=body.is_active,
        )
        return _json(self._view.webhook(changed))

    async def _delete(self, request: Request, query: Query) -> Reply:
        await self._register.get(*self._named(request))
        query.check()
        return _json(self._view.webhook(await self._register.delete(*self._named(request))))

    async def _test(self, request: Request, query: Query) -> Reply:
        await self._register.get(*self._named(request))
        query.check()
        raw = await read_body(request)
        body = read_typed(wire.TestWebhook, raw)
        if len(raw) > TEST_DATA_BYTES_MAX:
            raise invalid(
                [Param("body.event.data", "invalid_param", f"A test has at most {TEST_DATA_BYTES_MAX} bytes.")]
            )
        made = await self._register.send(*self._named(request), self._test_event(request, body.event))
        return json_reply(self._view.delivery(made), 202)

    async def _replay(self, request: Request, query: Query) -> Reply:
        await self._register.get(*self._named(request))
        query.check()
        body = read_typed(wire.Replay, await read_body(request))
        try:
            since = read_instant(body.since)
        except ValueError as error:
            raise invalid([Param("body.since", "invalid_param", str(error))]) from None
        return _json(self._view.webhook(await self._register.replay(*self._named(request), max(since, 0))), 202)

    async def _rotate(self, request: Request, query: Query) -> Reply:
        await self._register.get(*self._named(request))
        query.check()
        body = read_typed(wire.Rotate, await read_body(request) or b"{}")
        found = await self._register.rotate(*self._named(request), body.overlap_seconds * 1_000_000)
        return _json(self._view.with_secret(found))

    async def _deliveries(self, request: Request, query: Query) -> Reply:
        named = self._named(request)
        await self._register.get(*named)
        page = query.page("delivery", self._view.delivery_ids.number)
        found = await self._register.history(
            *named, page.after, page.before, page.limit + 1, page.backwards, query.get("status") or ""
        )
        is_last = len(found) <= page.limit
        del found[page.limit :]
        cursor = "" if is_last else self._view.delivery_ids.text(found[-1].number)
        if page.backwards:
            found.reverse()
        return json_array([self._view.delivery(each) for each in found], query.link(page, cursor))

    async def _delivery(self, request: Request, query: Query) -> Reply:
        found = await self._register.delivery(*self._named(request), self._delivery_named(request))
        query.check()
        return json_reply(self._view.delivery(found))

    async def _resend(self, request: Request, query: Query) -> Reply:
        await self._register.delivery(*self._named(request), self._delivery_named(request))
        query.check()
        sent = await self._register.resend(*self._named(request), self._delivery_named(request))
        return json_reply(self._view.delivery(sent), 202)

    def _named(self, request: Request) -> tuple[str, int]:
        """Whose, and which: 0 for an id that is none."""
        return request.principal.client, self._view.webhook_ids.number(request.params["webhook_id"])

    def _delivery_named(self, request: Request) -> int:
        return self._view.delivery_ids.number(request.params["delivery_id"])

    def _check(self, url: str) -> None:
        try:
            self._reach.read(url)
        except BadUrl as error:
            raise invalid([Param("body.url", "invalid_param", str(error))]) from None

    def _test_event(self, request: Request, event: wire.TestEvent) -> Happening:
        """As one that happened would look, about the webhook itself. It has no Event-Id, for it is in no list."""
        now = self._register.now()
        webhook_id = request.params["webhook_id"]
        body = {
            "id": self._event_ids.text(now),
            "name": event.name,
            "resource": {"id": webhook_id, "resource_type": "webhook"},
            "data": event.data,
            "created_at": instant(now),
        }
        return Happening(0, "", event.name, webhook_id, "", request.principal.client, now, msgspec.json.encode(body))


def _told(endpoint: Endpoint) -> Endpoint:
    """What goes wrong, in the API's words."""

    async def answer(request: Request, query: Query) -> Reply:
        try:
            return await endpoint(request, query)
        except EndpointUnknown:
            raise not_found("webhook") from None
        except DeliveryUnknown:
            raise not_found("delivery") from None
        except Inactive:
            raise RequestError(409, "webhook_inactive", "The webhook is inactive: set is_active to true.") from None
        except Unavailable:
            raise RequestError(503, STORAGE_UNAVAILABLE, "Webhooks cannot be reached. Nothing was done.") from None
        except TooManyEndpoints:
            raise RequestError(
                409, "too_many_webhooks", f"There are {ENDPOINTS_MAX} webhooks already: delete one first."
            ) from None
        except TooManyUnfinished:
            raise RequestError(
                409, "too_many_deliveries", "Too much of what was asked for is still under way: wait until it is over."
            ) from None
        except TooManyAttempts:
            raise RequestError(
                409, "too_many_attempts", f"It was attempted {ATTEMPTS_MAX} times: use replay instead."
            ) from None
        except RotationUnderWay:
            raise RequestError(
                409,
                "rotation_under_way",
                "The secret before the last still counts: wait, or end it with overlap_seconds 0.",
            ) from None

    return answer


def _json(shown: wire.Webhook, status: int = 200) -> Reply:
    return json_reply(msgspec.json.encode(shown), status)
