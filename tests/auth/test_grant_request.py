"""What is sent to the token endpoint: every form that is right is read, and every other one has its sentence."""

from base64 import b64encode
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.access.grant_request import BODY_BYTES_MAX, FORM, read_grant_request
from tallystick.access.principal import Denied

CANARY = "tsk_canary-of-a-secret"
GRANT = "grant_type=client_credentials"
IN_FORM = f"{GRANT}&client_id=acme&client_secret={CANARY}"


def basic(text: str) -> str:
    return f"Basic {b64encode(text.encode()).decode()}"


# content type, body, authorization: each of them means acme and its secret
GOOD = {
    "credentials in the form": (FORM, IN_FORM, None),
    "a charset is named": (f'{FORM.upper()} ; charset="UTF-8"', IN_FORM, None),
    "unknown fields are passed over": (FORM, f"{IN_FORM}&scope=orders%3Aread&audience=x", None),
    "a field without a value counts as not sent": (FORM, f"{IN_FORM}&scope=", None),
    "everything is percent-encoded": (FORM, IN_FORM.replace("acme", "%61c%6De"), None),
    "by HTTP Basic": (FORM, GRANT, basic(f"acme:{CANARY}")),
    "by HTTP Basic, encoded first": (FORM, GRANT, basic(f"%61cme:{quote_plus(CANARY)}")),
    "by HTTP Basic, and the id again": (FORM, f"{GRANT}&client_id=acme", basic(f"acme:{CANARY}").replace("B", "b", 1)),
    "with an old token in the header": (FORM, IN_FORM, "Bearer old"),
    "with a header of no meaning": (FORM, IN_FORM, "nonsense"),
}


@pytest.mark.parametrize(("content_type", "body", "authorization"), GOOD.values(), ids=GOOD.keys())
def test_a_request_is_read(content_type: str, body: str, authorization: str | None) -> None:
    found = read_grant_request(content_type, body.encode(), authorization)
    assert found == ("acme", CANARY, "client_credentials")
    assert CANARY not in f"{found!r} {found} {[found]}"


MALFORMED = "cannot be read: it is name=value pairs"
BASIC = "base64 of client_id:client_secret"
# content type, body, authorization, status, code, part of the sentence
BAD: dict[str, tuple[str | None, bytes, str | None, int, str, str]] = {
    "JSON": ("application/json", b'{"client_id":"acme"}', None, 400, "invalid_request", f"Send the form as {FORM}"),
    "no content type": (None, IN_FORM.encode(), None, 400, "invalid_request", f"Send the form as {FORM}"),
    "another charset": (f"{FORM};charset=utf-16", IN_FORM.encode(), None, 400, "invalid_request", "in UTF-8"),
    "nothing": (FORM, b"", None, 400, "invalid_request", "no grant_type"),
    "grant_type without a value": (FORM, b"grant_type=", None, 400, "invalid_request", "no grant_type"),
    "another grant_type": (
        FORM,
        b"grant_type=refresh_token",
        None,
        400,
        "unsupported_grant_type",
        "The only grant_type is client_credentials",
    ),
    "no id": (FORM, f"{GRANT}&client_secret={CANARY}".encode(), None, 400, "invalid_request", "no client_id."),
    "no secret": (FORM, f"{GRANT}&client_id=acme".encode(), None, 400, "invalid_request", "no client_secret."),
    "neither": (FORM, GRANT.encode(), None, 400, "invalid_request", "no client_id and no client_secret."),
    "a field twice": (FORM, f"{IN_FORM}&client_id=acme".encode(), None, 400, "invalid_request", "more than once"),
    "twice, once empty": (FORM, f"{IN_FORM}&client_id=".encode(), None, 400, "invalid_request", "more than once"),
    "no equals sign": (FORM, b"client_credentials", None, 400, "invalid_request", MALFORMED),
    "a bad escape": (FORM, f"{IN_FORM}%2".encode(), None, 400, "invalid_request", MALFORMED),
    "escapes that are no UTF-8": (FORM, f"{IN_FORM}%ff".encode(), None, 400, "invalid_request", MALFORMED),
    "bytes that are not ASCII": (FORM, f"{IN_FORM}é".encode(), None, 400, "invalid_request", MALFORMED),
    "too many fields": (FORM, b"a=1&" * 40 + IN_FORM.encode(), None, 400, "invalid_request", MALFORMED),
    "too long": (FORM, b"a=" + b"1" * BODY_BYTES_MAX, None, 400, "invalid_request", "at most 8192 bytes"),
    "both ways": (FORM, IN_FORM.encode(), basic(f"acme:{CANARY}"), 400, "invalid_request", "once"),
    "two ids": (FORM, f"{GRANT}&client_id=b".encode(), basic(f"acme:{CANARY}"), 400, "invalid_request", "once"),
    "Basic without a colon": (FORM, GRANT.encode(), basic(CANARY), 401, "invalid_client", BASIC),
    "Basic that is not base64": (FORM, GRANT.encode(), f"Basic {CANARY}!", 401, "invalid_client", BASIC),
    "Basic that is not UTF-8": (FORM, GRANT.encode(), "Basic /////w==", 401, "invalid_client", BASIC),
    "Basic with a bad escape": (FORM, GRANT.encode(), basic(f"%zz:{CANARY}"), 401, "invalid_client", BASIC),
    "Basic, escaped bytes not UTF-8": (FORM, GRANT.encode(), basic(f"%ff:{CANARY}"), 401, "invalid_client", BASIC),
    "Basic that is empty": (FORM, GRANT.encode(), "Basic", 401, "invalid_client", BASIC),
    "Basic without an id": (FORM, GRANT.encode(), basic(f":{CANARY}"), 400, "invalid_request", "no client_id."),
}


@pytest.mark.parametrize(
    ("content_type", "body", "authorization", "status", "code", "sentence"), BAD.values(), ids=BAD.keys()
)
def test_a_request_is_refused_with_a_sentence_that_repeats_nothing_of_it(
    content_type: str | None, body: bytes, authorization: str | None, status: int, code: str, sentence: str
) -> None:
    with pytest.raises(Denied) as caught:
        read_grant_request(content_type, body, authorization)
    denied = caught.value
    assert (denied.status, denied.code) == (status, code)
    assert sentence in denied.detail
    assert CANARY not in f"{denied!r} {denied} {denied.detail} {denied.headers}"
    assert denied.headers.get("www-authenticate") == ('Basic realm="tallystick"' if status == 401 else None)
    assert denied.__cause__ is None


content_types = st.none() | st.just(FORM) | st.text()
bodies = st.binary() | st.dictionaries(st.sampled_from(["grant_type", "client_id", "x"]), st.text()).map(
    lambda form: urlencode(form, errors="replace").encode()
)
headers = (
    st.none()
    | st.text()
    | st.text().map(lambda text: f"Basic {text}")
    | st.binary().map(lambda raw: f"Basic {b64encode(raw).decode()}")
)


@given(content_types, bodies, headers)
def test_whatever_is_sent_is_read_or_refused_in_order(
    content_type: str | None, body: bytes, authorization: str | None
) -> None:
    try:
        answer = 200 if all(read_grant_request(content_type, body, authorization)) else 0
    except Denied as denied:
        answer = denied.status
    assert answer in (200, 400, 401)


@given(st.text(min_size=1), st.text(min_size=1), st.booleans())
def test_any_credentials_come_through_whole_in_the_form_and_by_basic(client: str, secret: str, by_basic: bool) -> None:
    form = {"grant_type": "client_credentials"}
    authorization = None
    if by_basic:
        authorization = basic(f"{quote_plus(client)}:{quote_plus(secret)}")
    else:
        form |= {"client_id": client, "client_secret": secret}
    assert read_grant_request(FORM, urlencode(form).encode(), authorization)[:2] == (client, secret)
