"""Signatures, as the stock library of Standard Webhooks judges them."""

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tallystick.deliver.signing import read_secret, secret_text, signatures

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BODY = b'{"id":"evt_n8p3q1w5","name":"order.filled"}'


def headers(secrets: list[bytes], at: datetime) -> dict[str, str]:
    timestamp = int(at.timestamp())
    return {
        "webhook-id": "whd_1",
        "webhook-timestamp": str(timestamp),
        "webhook-signature": signatures(secrets, "whd_1", timestamp, BODY),
    }


def test_it_is_the_stock_librarys_own_signature() -> None:
    at = datetime(2026, 3, 12, 14, 30, 5, tzinfo=UTC)
    assert signatures([OLD], "whd_1", int(at.timestamp()), BODY) == Webhook(secret_text(OLD)).sign(
        "whd_1", at, BODY.decode()
    )


def test_during_a_rotation_either_secret_verifies() -> None:
    sent = headers([NEW, OLD], datetime.now(UTC))
    for secret in (OLD, NEW):
        Webhook(secret_text(secret)).verify(BODY, sent)


@pytest.mark.parametrize(
    ("what", "secrets", "body", "age"),
    [
        ("another body", [OLD], BODY + b" ", 0),
        ("another secret", [NEW], BODY, 0),
        ("five minutes and more ago", [OLD], BODY, 302),
        ("five minutes and more from now", [OLD], BODY, -302),
    ],
)
def test_nothing_else_verifies(what: str, secrets: list[bytes], body: bytes, age: int) -> None:
    sent = headers(secrets, datetime.now(UTC) - timedelta(seconds=age))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret_text(OLD)).verify(body, sent)


def test_a_secret_is_read_as_it_was_shown() -> None:
    assert read_secret(secret_text(OLD)) == OLD


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_!!", "whsec_c2hvcnQ=", "no secret"])
def test_what_is_no_secret_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_"):
        read_secret(text)
