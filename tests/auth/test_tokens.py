"""Access tokens: ours are read back, and nothing else is, whoever made it."""

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.access.principal import SCOPES
from tallystick.server.tokens import LIFETIME_SECONDS, SKEW_SECONDS, InvalidToken, Tokens
from tests.auth.doors import FOLDER_SECRET, NOW

CLAIMS: dict[str, Any] = {
    "iss": "tallystick",
    "sub": "acme",
    "scope": "orders:read",
    "iat": int(NOW),
    "exp": int(NOW) + 900,
    "jti": "1",
    "gen": 1,
}
KEY: bytes = Tokens(FOLDER_SECRET)._key


def issued(tokens: Tokens, now: float = NOW) -> str:
    return tokens.issue("acme", ["orders:read"], 1, now, "1")


def segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(claims: object, key: bytes = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.PyJWS().encode(json.dumps(claims).encode(), key, algorithm, headers or None)


def refused(token: str, now: float = NOW) -> InvalidToken:
    with pytest.raises(InvalidToken) as caught:
        Tokens(FOLDER_SECRET).verify(token, now)
    return caught.value


def test_a_token_says_who_it_was_issued_to_and_what_they_may_do() -> None:
    token = Tokens(FOLDER_SECRET).issue("acme", SCOPES, 7, NOW + 0.9, "a-unique-id")
    claims = jwt.decode(token, KEY, ["HS256"], options={"verify_exp": False, "verify_iat": False})
    assert claims == CLAIMS | {"scope": " ".join(SCOPES), "jti": "a-unique-id", "gen": 7}
    verified = Tokens(FOLDER_SECRET).verify(token, NOW)
    assert (verified.principal.client, verified.principal.scopes, verified.generation) == ("acme", set(SCOPES), 7)


def test_the_same_folder_secret_reads_it_after_a_restart_and_another_does_not() -> None:
    token = issued(Tokens(FOLDER_SECRET))
    assert Tokens(FOLDER_SECRET).verify(token, NOW).principal.client == "acme"
    with pytest.raises(InvalidToken):
        Tokens(bytes(32)).verify(token, NOW)


def test_the_key_is_not_the_folder_secret_itself() -> None:
    refused(signed(CLAIMS, FOLDER_SECRET))


# seconds since it was issued, whether it is good, whether it is called expired
AGES = [
    (0, True, False),
    (LIFETIME_SECONDS - 0.001, True, False),
    (LIFETIME_SECONDS, False, True),
    (10**9, False, True),
    (-SKEW_SECONDS, True, False),  # the clock was set back a little
    (-SKEW_SECONDS - 1, False, False),  # by more than a token should outlive its time
]


@pytest.mark.parametrize("hot", [False, True], ids=["never seen", "seen before"])
@pytest.mark.parametrize(("age", "good", "expired"), AGES)
def test_a_token_is_good_for_a_quarter_of_an_hour(age: float, good: bool, expired: bool, hot: bool) -> None:
    tokens = Tokens(FOLDER_SECRET)
    token = issued(tokens)
    if hot:
        tokens.verify(token, NOW)
    if good:
        assert tokens.verify(token, NOW + age).principal.client == "acme"
        return
    with pytest.raises(InvalidToken) as caught:
        tokens.verify(token, NOW + age)
    assert caught.value.expired is expired


FORGED = {
    "no token": "",
    "no segments": "sandbox",
    "empty segments": "..",
    "alg none, no signature": f"{segment({'alg': 'none', 'typ': 'JWT'})}.{segment(CLAIMS)}.",
    "alg None, spelt otherwise": f"{segment({'alg': 'nOnE'})}.{segment(CLAIMS)}.",
    "no alg": f"{segment({'typ': 'JWT'})}.{segment(CLAIMS)}.{signed(CLAIMS).split('.')[2]}",
    "alg is a list": f"{segment({'alg': ['HS256']})}.{segment(CLAIMS)}.{signed(CLAIMS).split('.')[2]}",
    "a header that is no object": f"{segment([1])}.{segment(CLAIMS)}.{signed(CLAIMS).split('.')[2]}",
    "a header too deep": f"{base64.urlsafe_b64encode(b'[' * 900).decode()}.{segment(CLAIMS)}.x",
    "another key": signed(CLAIMS, bytes(32)),
    "the right key with HS512": signed(CLAIMS, KEY * 2, "HS512"),
    "HS384 under our key": signed(CLAIMS, KEY + bytes(16), "HS384"),
    "an extension it insists on": signed(CLAIMS, crit=["x"], x=1),
    "a payload kept elsewhere": signed(CLAIMS, b64=False, crit=["b64"]),
    "other claims under the signature": ".".join(
        part if at != 1 else segment(CLAIMS | {"sub": "other"}) for at, part in enumerate(signed(CLAIMS).split("."))
    ),
    "another issuer": signed(CLAIMS | {"iss": "someone"}),
    "claims that are a list": signed([CLAIMS]),
    "claims that are null": signed(None),
    "exp is text": signed(CLAIMS | {"exp": "9999999999"}),
    "exp is a fraction": signed(CLAIMS | {"exp": NOW + 900.5}),
    "exp is true": signed(CLAIMS | {"exp": True}),
    "sub is a number": signed(CLAIMS | {"sub": 1}),
    "scope is a list": signed(CLAIMS | {"scope": ["orders:read"]}),
    "too long": signed(CLAIMS | {"jti": "x" * 4000}),
    "letters that are no ASCII": "ä.ö.ü",
    "half a character": "\ud800.x.y",
}
WITHOUT = {f"no {name}": signed({key: value for key, value in CLAIMS.items() if key != name}) for name in CLAIMS}


@pytest.mark.parametrize("token", (FORGED | WITHOUT).values(), ids=(FORGED | WITHOUT).keys())
def test_what_is_not_ours_is_refused(token: str) -> None:
    assert not refused(token).expired


def test_the_table_of_forgeries_would_pass_but_for_what_is_wrong_with_each() -> None:
    assert Tokens(FOLDER_SECRET).verify(signed(CLAIMS), NOW).principal.client == "acme"


def test_a_scope_that_this_version_does_not_know_is_passed_over() -> None:
    verified = Tokens(FOLDER_SECRET).verify(signed(CLAIMS | {"scope": "orders:read everything"}), NOW)
    assert verified.principal.scopes == {"orders:read"}


@given(st.integers(0, 10_000), st.integers(1, 127))
def test_no_changed_character_goes_unnoticed(at: int, change: int) -> None:
    token = issued(Tokens(FOLDER_SECRET))
    at %= len(token)
    refused(token[:at] + chr(ord(token[at]) ^ change) + token[at + 1 :])


@given(st.text())
def test_any_text_is_refused_in_order(text: str) -> None:
    refused(text)


def test_only_so_many_verified_tokens_are_remembered_and_the_used_ones_stay() -> None:
    tokens = Tokens(FOLDER_SECRET, verified_max=2)
    first, second, third = (tokens.issue("acme", [], 1, NOW, str(n)) for n in range(3))
    seen = tokens.verify(first, NOW)
    for token in (second, first, third):
        tokens.verify(token, NOW)
    assert len(tokens) == 2
    assert tokens.verify(first, NOW) is seen


def test_void_tokens_are_not_remembered() -> None:
    tokens = Tokens(FOLDER_SECRET)
    for token in (issued(tokens, NOW - 5000), issued(tokens, NOW + 5000), "junk"):
        with pytest.raises(InvalidToken):
            tokens.verify(token, NOW)
    assert len(tokens) == 0
    token = issued(tokens)
    tokens.verify(token, NOW)
    with pytest.raises(InvalidToken):
        tokens.verify(token, NOW + 900)
    assert len(tokens) == 0
