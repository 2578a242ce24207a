"""Reading what is sent to a token endpoint: a form, the client's credentials in it or by HTTP Basic (RFC 6749 §2.3.1).

Whatever is wrong is a Denied with one sentence. None of them repeats what was sent: it may hold a secret.
"""

import binascii
import re
from base64 import b64decode
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote_plus

from tallystick.access.principal import Denied

FORM: Final = "application/x-www-form-urlencoded"
CLIENT_CREDENTIALS: Final = "client_credentials"
BODY_BYTES_MAX: Final = 8192
FIELDS_MAX: Final = 32
UTF_8: Final = ("utf-8", "utf8")

_BAD_ESCAPE: Final = re.compile("%(?![0-9A-Fa-f]{2})")


class GrantRequest(NamedTuple):
    """Credentials as they were sent, none of them judged yet. Its repr shows nothing of them."""

    client_id: str
    client_secret: str
    grant_type: str

    def __repr__(self) -> str:
        return f"GrantRequest(grant_type={self.grant_type!r})"


def read_grant_request(content_type: str | None, body: bytes, authorization: str | None = None) -> GrantRequest:
    """The request of a token; the arguments are two headers and the body, as they came.

    Raises Denied: 400 ``invalid_request`` or ``unsupported_grant_type``, 401 ``invalid_client`` for a Basic header that
    cannot be read. An Authorization of another scheme is passed over: many clients send their last token everywhere.
    """
    form = _read_form(content_type, body)
    grant_type = form.get("grant_type", "")
    if not grant_type:
        raise _invalid("The form has no grant_type: send grant_type=client_credentials.")
    if grant_type != CLIENT_CREDENTIALS:
        raise Denied(400, "unsupported_grant_type", "The only grant_type is client_credentials.")
    client_id, client_secret = form.get("client_id", ""), form.get("client_secret", "")
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() == "basic":
        in_form = (client_id, client_secret)
        client_id, client_secret = _read_basic(credentials.strip())
        if in_form not in (("", ""), (client_id, "")):
            raise _invalid("Send the client's credentials once: in the form or by HTTP Basic, not both.")
    missing = [name for name, value in (("client_id", client_id), ("client_secret", client_secret)) if not value]
    if missing:
        raise _invalid(f"There is no {' and no '.join(missing)}.")
    return GrantRequest(client_id, client_secret, grant_type)


def _read_form(content_type: str | None, body: bytes) -> dict[str, str]:
    """The form's fields by name. One without a value counts as not sent (RFC 6749 §3.2)."""
    kind, _, parameters = (content_type or "").partition(";")
    charset = re.search(r'charset\s*=\s*"?([^\s";]*)', parameters, re.IGNORECASE)
    if kind.strip().lower() != FORM or (charset is not None and charset[1].lower() not in UTF_8):
        raise _invalid(f"Send the form as {FORM}, in UTF-8.")
    if len(body) > BODY_BYTES_MAX:
        raise _invalid(f"The form has at most {BODY_BYTES_MAX} bytes.")
    try:
        text = body.decode("ascii")
        if _BAD_ESCAPE.search(text):
            raise ValueError("bad escape")
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), errors="strict", max_num_fields=FIELDS_MAX
        )
    except ValueError:
        raise _invalid("The form cannot be read: it is name=value pairs joined by &, percent-encoded UTF-8.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise _invalid("The form has a field more than once.")
    return {name: value for name, value in fields.items() if value}


def _read_basic(credentials: str) -> tuple[str, str]:
    """Client id and secret, each of them form-encoded before they were joined."""
    try:
        text = b64decode(credentials, validate=True).decode("utf-8")
        client_id, colon, client_secret = text.partition(":")
        if not colon or _BAD_ESCAPE.search(text):
            raise ValueError("no pair")
        return unquote_plus(client_id, errors="strict"), unquote_plus(client_secret, errors="strict")
    except (ValueError, binascii.Error):
        raise Denied(
            401,
            "invalid_client",
            "The Basic credentials cannot be read: they are base64 of client_id:client_secret.",
            challenge='Basic realm="tallystick"',
        ) from None


def _invalid(detail: str) -> Denied:
    return Denied(400, "invalid_request", detail)
