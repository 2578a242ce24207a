"""What a client reads and writes about its webhooks, as types (specs/sophic.md §1), and how records become these."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from tallystick.core.ids import IdCodec
from tallystick.deliver.records import Attempt, Delivery, Endpoint
from tallystick.deliver.signing import secret_text
from tallystick.dialects.sophic.wire import Instant, instant

Url = Annotated[str, Meta(max_length=2048, examples=["https://example.com/hooks"])]
Description = Annotated[str, Meta(max_length=200, examples=["the order book's"])]
Ordering = Annotated[Literal["none", "per_order"], Meta(description="per_order: each order's events in their order")]
WebhookId = Annotated[str, Meta(examples=["whk_dxr5zpd2bmgb8"])]
DeliveryId = Annotated[str, Meta(examples=["whd_4k7q1s2m9n0pa"])]
Secret = Annotated[str, Meta(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwZ0f5m1XJ7hA="])]
Reason = Literal["paused", "gone", "failing"]
Status = Literal["pending", "in_progress", "succeeded", "failed"]


class CreateWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """Where to send events to, from now on."""

    url: Url
    description: Description = ""
    ordering: Ordering = "none"


class UpdateWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be otherwise. With ``is_active`` false nothing more is sent, nor what was to be tried again."""

    url: Url | None = None
    description: Description | None = None
    ordering: Ordering | None = None
    is_active: bool | None = None


class TestEvent(Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, Meta(min_length=1, max_length=64, examples=["order.filled"])]
    data: dict[str, Any] = msgspec.field(default_factory=dict)


class TestWebhook(Struct, frozen=True, forbid_unknown_fields=True):
    """An event that did not happen, signed like one that did."""

    event: TestEvent


class Replay(Struct, frozen=True, forbid_unknown_fields=True):
    """Send once more what happened at this time or later."""

    since: Instant


class Rotate(Struct, frozen=True, forbid_unknown_fields=True):
    """For ``overlap_seconds`` deliveries bear signatures of both secrets; 0 ends every old one at once."""

    overlap_seconds: Annotated[int, Meta(ge=0, le=30 * 86_400)] = 86_400


class Webhook(Struct, frozen=True):
    """``inactive_reason``: paused by you, ``gone`` (it answered 410), or ``failing`` for days. ``delivered_through`` is
    the time of the newest event that a delivery was made of: to catch up after a pause, replay since then."""

    id: WebhookId
    url: Url
    description: Description
    is_active: bool
    inactive_reason: Reason | None
    ordering: Ordering
    delivered_through: Instant | None
    failing_since: Instant | None
    created_at: Instant
    modified_at: Instant


class NewSecret(Webhook, frozen=True):
    """With its secret, which is not shown again; the one before counts until ``old_secret_until``."""

    secret: Secret
    old_secret_until: Instant | None


class Response(Struct, frozen=True):
    """``duration`` is in seconds."""

    status: int
    duration: float


class Failure(Struct, frozen=True):
    """Why there was no success; ``address``: the name stands for an address that nothing is sent to."""

    error_type: Literal["http", "address", "connection", "tls", "timeout", "response", "internal"]
    message: str


class DeliveryAttempt(Struct, frozen=True):
    id: str
    outcome: Literal["succeeded", "failed"]
    response: Response | None
    error: Failure | None
    created_at: Instant
    modified_at: Instant


class WebhookDelivery(Struct, frozen=True):
    """``id`` is the Webhook-Id of each of its attempts; ``event`` the Event-Id, null for a test. It has failed when all
    attempts were made in vain, or nothing is sent to the webhook any more."""

    id: DeliveryId
    webhook: WebhookId
    event: str | None
    name: str
    status: Status
    payload: Any
    succeeded_at: Instant | None
    failed_at: Instant | None
    next_attempt_at: Instant | None
    attempts: list[DeliveryAttempt]
    created_at: Instant
    modified_at: Instant


class WebhookView:
    """Renders records; the codecs are those of webhooks and of deliveries."""

    def __init__(self, webhook_ids: IdCodec, delivery_ids: IdCodec) -> None:
        self.webhook_ids = webhook_ids
        self.delivery_ids = delivery_ids

    def webhook(self, endpoint: Endpoint) -> Webhook:
        return Webhook(**self._fields(endpoint))

    def with_secret(self, endpoint: Endpoint) -> NewSecret:
        until = _when(endpoint.previous_until)
        return NewSecret(**self._fields(endpoint), secret=secret_text(endpoint.secrets[0]), old_secret_until=until)

    def delivery(self, delivery: Delivery) -> bytes:
        """Encoded; the payload is what was sent, byte for byte."""
        delivery_id = self.delivery_ids.text(delivery.number)
        ended = _when(delivery.ended_at)
        return msgspec.json.encode(
            WebhookDelivery(
                id=delivery_id,
                webhook=self.webhook_ids.text(delivery.endpoint),
                event=delivery.event_id or None,
                name=delivery.name,
                status=delivery.status,  # type: ignore[arg-type]  # it is one of those
                payload=msgspec.Raw(delivery.body),
                succeeded_at=ended if delivery.status == "succeeded" else None,
                failed_at=ended if delivery.status == "failed" else None,
                next_attempt_at=_when(delivery.next_at),
                attempts=[
                    _attempt(f"{delivery_id}_{number}", each) for number, each in enumerate(delivery.attempts, start=1)
                ],
                created_at=instant(delivery.created_at),
                modified_at=instant(delivery.modified_at),
            )
        )

    def _fields(self, endpoint: Endpoint) -> dict[str, Any]:
        return {
            "id": self.webhook_ids.text(endpoint.number),
            "url": endpoint.url,
            "description": endpoint.description,
            "is_active": endpoint.is_active,
            "inactive_reason": endpoint.reason or None,
            "ordering": endpoint.ordering,
            "delivered_through": _when(endpoint.reached),
            "failing_since": _when(endpoint.failing_since),
            "created_at": instant(endpoint.created_at),
            "modified_at": instant(endpoint.modified_at),
        }


def _attempt(attempt_id: str, attempt: Attempt) -> DeliveryAttempt:
    error = None
    if attempt.error:
        error = Failure(attempt.error, attempt.detail)  # type: ignore[arg-type]  # it is one of those
    elif not attempt.is_success:
        error = Failure("http", f"The endpoint answered {attempt.status}.")
    return DeliveryAttempt(
        id=attempt_id,
        outcome="succeeded" if attempt.is_success else "failed",
        response=Response(attempt.status, attempt.duration_us / 1_000_000) if attempt.status else None,
        error=error,
        created_at=instant(attempt.at),
        modified_at=instant(attempt.at + attempt.duration_us),
    )


def _when(time: int) -> str | None:
    return instant(time) if time else None
