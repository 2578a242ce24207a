"""Whether a webhook is from whom it says, and fresh: the receiving side of ``signing`` (Standard Webhooks 1.0)."""

import hmac
from collections.abc import Sequence
from typing import Final

from tallystick.deliver.signing import signatures

TOLERANCE_SECONDS: Final = 300
"""How far its timestamp may be from the receiver's clock, in either direction."""
SIGNATURES_MAX: Final = 16
TIMESTAMP_DIGITS_MAX: Final = 12


class NotGenuine(Exception):
    """It is not from who knows a secret, or was not sent just now. The sentence names no secret and no signature."""


def verify(secrets: Sequence[bytes], delivery_id: str, timestamp: str, signed: str, body: bytes, now: float) -> None:
    """Raise NotGenuine unless one of ``secrets`` signed these headers and this body; ``now`` is in seconds.

    All secrets are compared, whichever fits, so that the time it takes tells nothing.
    """
    if not delivery_id or not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= TIMESTAMP_DIGITS_MAX):
        raise NotGenuine("it has no id or no timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise NotGenuine("its timestamp is not of now: compare the clocks")
    # What is not the number as it is usually written was not signed by anybody, so it fits nothing.
    ours = signatures(secrets, delivery_id, int(timestamp), body).split() if str(int(timestamp)) == timestamp else []
    theirs = signed.split(" ")[:SIGNATURES_MAX]
    fitting = [
        hmac.compare_digest(one.encode(), other.encode("utf-8", "surrogateescape")) for one in ours for other in theirs
    ]
    if not any(fitting):
        raise NotGenuine("its signature fits none of the secrets")
