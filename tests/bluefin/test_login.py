"""The login service: a wallet's signature buys tokens, and nothing else does."""

import asyncio
import json
import logging
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.dialects.bluefin.errors import RequestError
from tallystick.dialects.bluefin.login import Login, Session
from tallystick.dialects.bluefin.login_wire import LoginOptions, RefreshRequest, TokenAnswer
from tallystick.dialects.bluefin.requests import read_login_options
from tallystick.dialects.bluefin.signatures import ED25519, SECP256K1
from tallystick.dialects.bluefin.tokens import ALGORITHM, ISSUER, Claims, Tokens
from tests.bluefin.strict_reader import StrictReader
from tests.bluefin.wallet import Wallet

NOW = 1_795_166_242
SECRET = bytes(range(32))
OWNER, AGENT, STRANGER = Wallet(1), Wallet(2, SECP256K1), Wallet(3)
PLAIN = LoginOptions()
MONTH = 2_592_000


class Accounts:
    """A venue's answers to the login service."""

    def __init__(self) -> None:
        self.agents: set[tuple[str, str]] = set()
        self.welcomed: list[str] = []

    def may_act_for(self, wallet: str, account: str) -> bool:
        return (wallet, account) in self.agents

    async def welcome(self, account: str) -> None:
        self.welcomed.append(account)


class Service:
    """The login service at a time of our choosing."""

    def __init__(self) -> None:
        self.now = float(NOW)
        self.accounts = Accounts()
        ids = iter(range(1000))
        self.login = Login(Tokens(SECRET), self.accounts, wall=lambda: self.now, new_id=lambda: f"{next(ids)}")

    def enter(self, wallet: Wallet, body: bytes | None = None, options: LoginOptions = PLAIN) -> TokenAnswer:
        body = login_body(wallet.address) if body is None else body
        return self.send(body, wallet.sign(body), options)

    def send(self, body: bytes, signature: str | None, options: LoginOptions = PLAIN) -> TokenAnswer:
        return asyncio.run(self.login.log_in(body, signature, options))

    def refresh(self, token: str) -> TokenAnswer:
        return self.login.refresh(msgspec.json.encode({"refreshToken": token}))


@pytest.fixture
def service() -> Service:
    return Service()


def login_body(account: str, **changed: Any) -> bytes:
    fields = {"accountAddress": account, "signedAtMillis": NOW * 1000, "audience": "api"}
    return json.dumps(fields | changed).encode()


def test_a_wallet_logs_in_either_way_and_its_tokens_are_for_its_account(service: Service) -> None:
    for wallet in (Wallet(1, ED25519), Wallet(1, SECP256K1)):
        body = login_body(wallet.address)
        first = asyncio.run(service.login.log_in_first(body, wallet.sign_first_login(body), PLAIN))
        for answer in (first, service.enter(wallet)):
            StrictReader().read("LoginResponse", msgspec.json.encode(answer))
            assert (answer.access_token_valid_for_seconds, answer.refresh_token_valid_for_seconds) == (300, MONTH)
            session = service.login.admit(f"Bearer {answer.access_token}")
            assert (session.account, session.signer) == (wallet.address, wallet.address)
            session.require_trading()


@pytest.mark.parametrize("layout", [{"separators": (",", ":")}, {"indent": 4}, {"sort_keys": True}])
def test_the_body_is_what_is_signed_however_it_is_laid_out(service: Service, layout: dict[str, Any]) -> None:
    service.enter(OWNER, json.dumps(json.loads(login_body(OWNER.address)), **layout).encode())


def test_fields_that_are_not_known_are_passed_over(service: Service) -> None:
    service.enter(OWNER, login_body(OWNER.address, device="laptop"))


def test_an_account_is_the_same_in_either_case(service: Service) -> None:
    shouted = login_body("0x" + OWNER.address[2:].upper())
    assert service.login.session(service.enter(OWNER, shouted).access_token).account == OWNER.address


def test_an_authorised_wallet_logs_in_for_an_account_and_its_tokens_end_with_the_authorisation(
    service: Service,
) -> None:
    service.accounts.agents.add((AGENT.address, OWNER.address))
    answer = service.enter(AGENT, login_body(OWNER.address))
    session = service.login.session(answer.access_token)
    assert (session.account, session.signer) == (OWNER.address, AGENT.address)

    service.accounts.agents.clear()

    assert denied(lambda: service.login.session(answer.access_token)) == (401, "UNAUTHORIZED")
    assert denied(lambda: service.refresh(answer.refresh_token)) == (401, "UNAUTHORIZED")


BODY = login_body(OWNER.address)

# what is wrong, the body, its signature, the answer
REFUSED = [
    ("no signature", BODY, None, (400, "INVALID_REQUEST")),
    ("an empty signature", BODY, "", (400, "INVALID_REQUEST")),
    ("a signature that is none", BODY, "AAAA", (400, "INVALID_SIGNATURE")),
    ("a stranger's signature", BODY, STRANGER.sign(BODY), (401, "INVALID_SIGNATURE")),
    ("a signature of another body", BODY, OWNER.sign(BODY + b" "), (401, "INVALID_SIGNATURE")),
    ("no JSON", b"{", OWNER.sign(b"{"), (400, "INVALID_REQUEST")),
    ("no body", b"", OWNER.sign(b""), (400, "INVALID_REQUEST")),
    ("no object", b"[]", OWNER.sign(b"[]"), (400, "INVALID_REQUEST")),
    ("nested too deep", b"[" * 9999, OWNER.sign(BODY), (400, "INVALID_REQUEST")),
]
# what is wrong, the fields, the answer
REFUSED_FIELDS = [
    ("another audience", {"audience": "web"}, (403, "INVALID_AUDIENCE")),
    ("no address", {"accountAddress": "me"}, (400, "INVALID_REQUEST")),
    ("an address that is cut", {"accountAddress": OWNER.address[:-1]}, (400, "INVALID_REQUEST")),
    ("an address with a line after it", {"accountAddress": f"{OWNER.address}\n"}, (400, "INVALID_REQUEST")),
    ("a time in a string", {"signedAtMillis": f"{NOW}000"}, (400, "INVALID_REQUEST")),
    ("a time that is a fraction", {"signedAtMillis": NOW * 1000.5}, (400, "INVALID_REQUEST")),
    ("signed too long ago", {"signedAtMillis": NOW * 1000 - 60_001}, (400, "INVALID_REQUEST")),
    ("signed in the future", {"signedAtMillis": NOW * 1000 + 60_001}, (400, "INVALID_REQUEST")),
    ("a time beyond all clocks", {"signedAtMillis": 2**64}, (400, "INVALID_REQUEST")),
]


@pytest.mark.parametrize(("body", "signature", "answer"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_a_login_is_refused(service: Service, body: bytes, signature: str | None, answer: tuple[int, str]) -> None:
    assert denied(lambda: service.send(body, signature)) == answer
    assert service.accounts.welcomed == []


@pytest.mark.parametrize(
    ("fields", "answer"), [row[1:] for row in REFUSED_FIELDS], ids=[row[0] for row in REFUSED_FIELDS]
)
def test_a_login_is_refused_for_what_it_says(service: Service, fields: dict[str, Any], answer: tuple[int, str]) -> None:
    assert denied(lambda: service.enter(OWNER, login_body(OWNER.address, **fields))) == answer


@pytest.mark.parametrize("off_ms", [-60_000, 60_000])
def test_a_login_may_be_a_minute_off(service: Service, off_ms: int) -> None:
    service.enter(OWNER, login_body(OWNER.address, signedAtMillis=NOW * 1000 + off_ms))


def test_whoever_logs_in_is_welcomed_before_the_answer(service: Service) -> None:
    service.enter(OWNER)
    assert service.accounts.welcomed == [OWNER.address]


# --- What tokens are good for.


def test_an_access_token_counts_for_five_minutes(service: Service) -> None:
    token = service.enter(OWNER).access_token
    service.now += 299
    service.login.session(token)
    service.now += 1
    assert denied(lambda: service.login.session(token)) == (401, "UNAUTHORIZED")


def test_a_refresh_token_buys_access_until_it_ends_and_is_not_prolonged(service: Service) -> None:
    answer = service.enter(OWNER, options=LoginOptions(refresh_token_valid_for_seconds=1000))
    service.now += 900
    again = service.refresh(answer.refresh_token)
    StrictReader().read("RefreshTokenResponse", msgspec.json.encode(again))
    assert service.login.session(again.access_token).account == OWNER.address
    assert (again.refresh_token_valid_for_seconds, again.access_token_valid_for_seconds) == (100, 100)
    service.now += 100
    assert denied(lambda: service.refresh(again.refresh_token)) == (401, "UNAUTHORIZED")
    assert denied(lambda: service.login.session(again.access_token)) == (401, "UNAUTHORIZED")


def test_neither_token_is_good_for_what_the_other_is(service: Service) -> None:
    answer = service.enter(OWNER)
    service.login.session(answer.access_token)
    assert denied(lambda: service.login.session(answer.refresh_token)) == (401, "UNAUTHORIZED")
    assert denied(lambda: service.refresh(answer.access_token)) == (401, "UNAUTHORIZED")


def test_a_token_that_only_reads_stays_so_when_it_is_refreshed(service: Service) -> None:
    answer = service.enter(OWNER, options=LoginOptions(read_only=True))
    for token in (answer.access_token, service.refresh(answer.refresh_token).access_token):
        assert denied(service.login.session(token).require_trading) == (403, "FORBIDDEN")


def test_a_clock_that_was_set_back_far_ends_the_tokens_of_the_future(service: Service) -> None:
    token = service.enter(OWNER).access_token
    service.now -= 60
    service.login.session(token)
    service.now -= 1
    assert denied(lambda: service.login.session(token)) == (401, "UNAUTHORIZED")


def test_a_restart_keeps_tokens_and_another_folder_does_not_know_them(service: Service) -> None:
    token = service.enter(OWNER).access_token
    assert Service().login.session(token).account == OWNER.address
    elsewhere = Login(Tokens(bytes(32)), service.accounts, wall=lambda: service.now)
    assert denied(lambda: elsewhere.session(token)) == (401, "UNAUTHORIZED")


def test_anybody_can_verify_a_token_with_the_published_key(service: Service) -> None:
    token = service.enter(OWNER).access_token
    published = service.login.key_set()
    StrictReader().read("JwksResponse", msgspec.json.encode(published))
    key = jwt.PyJWKSet.from_dict(msgspec.to_builtins(published))[jwt.get_unverified_header(token)["kid"]]
    claims = jwt.decode(
        token, key, [ALGORITHM], audience="api", issuer=ISSUER, options={"verify_exp": False, "verify_iat": False}
    )
    assert claims["sub"] == OWNER.address


def test_what_is_published_of_the_service_is_what_clients_read(service: Service) -> None:
    published = msgspec.json.encode(service.login.open_id_configuration("http://127.0.0.1/bluefin"))
    value = StrictReader().read("OpenIDConfigurationResponse", published)
    assert (value["issuer"], value["jwks_uri"]) == (ISSUER, "http://127.0.0.1/bluefin/auth/jwks")


def forged() -> list[str]:
    """Tokens that nobody here has issued."""
    claims = Claims(ISSUER, OWNER.address, "api", NOW, NOW + 300, "1", OWNER.address, False, "access")
    payload = msgspec.to_builtins(claims)
    tokens = Tokens(SECRET)
    good = tokens.issue(claims)
    head, _, proof = good.split(".")
    other = msgspec.structs.replace(claims, sub=STRANGER.address)
    return [
        jwt.encode(payload, "", algorithm="none"),
        jwt.encode(payload, tokens.public_jwk["x"].ljust(32, "x"), algorithm="HS256"),
        Tokens(bytes(32)).issue(claims),
        ".".join([head, tokens.issue(other).split(".")[1], proof]),
        tokens.issue(msgspec.structs.replace(claims, iss="another")),
        f"{good}.{proof}",
        good[:-1],
        "x" * 5000,
    ]


@pytest.mark.parametrize("token", forged(), ids=range(len(forged())))
def test_a_forged_token(service: Service, token: str) -> None:
    assert denied(lambda: service.login.session(token)) == (401, "UNAUTHORIZED")


@given(text=st.text())
def test_no_text_whatever_is_a_token_or_anything_but_refused(text: str) -> None:
    login = Service().login
    assert denied(lambda: login.session(text)) == (401, "UNAUTHORIZED")
    assert denied(lambda: login.admit(text)) == (401, "UNAUTHORIZED")
    assert denied(lambda: login.admit(f"Bearer {text}")) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic YWJj"])
def test_a_header_without_a_token(service: Service, header: str | None) -> None:
    assert denied(lambda: service.login.admit(header)) == (401, "UNAUTHORIZED")


def test_tokens_that_were_verified_are_remembered_but_not_without_end() -> None:
    tokens = Tokens(SECRET, verified_max=2)
    for number in range(5):
        claims = Claims(ISSUER, OWNER.address, "api", NOW, NOW + 300, f"{number}", OWNER.address, False, "access")
        tokens.verify(tokens.issue(claims), "access", NOW)
    assert len(tokens) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'{"refreshToken": ""}', b'{"refreshToken": 1}'])
def test_a_refresh_without_a_token(service: Service, body: bytes) -> None:
    assert denied(lambda: service.login.refresh(body)) == (400, "INVALID_REQUEST")


# --- Options.


@pytest.mark.parametrize(
    ("query", "options"),
    [
        (b"", PLAIN),
        (b"refreshTokenValidForSeconds=60", LoginOptions(refresh_token_valid_for_seconds=60)),
        (b"readOnly=true&client=WEB", LoginOptions(read_only=True)),
        (b"readOnly=false&another=1", PLAIN),
    ],
)
def test_options_of_a_login(query: bytes, options: LoginOptions) -> None:
    assert read_login_options(query) == options


@pytest.mark.parametrize(
    "query",
    [
        b"refreshTokenValidForSeconds=0",
        b"refreshTokenValidForSeconds=99999999999",
        b"refreshTokenValidForSeconds=soon",
        b"readOnly=perhaps",
        b"readOnly=%ff",
        b"\xff",
        b"&".join(b"a=1" for _ in range(99)),
    ],
)
def test_options_that_are_refused(query: bytes) -> None:
    assert denied(lambda: read_login_options(query)) == (400, "INVALID_REQUEST")


def test_no_token_and_no_signature_shows_anywhere(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    signature = OWNER.sign(BODY)
    answer = service.send(BODY, signature)
    session = service.login.session(answer.access_token)
    request = msgspec.json.decode(b'{"refreshToken": "%s"}' % answer.refresh_token.encode(), type=RefreshRequest)
    shown = [repr(answer), repr(session), repr(request), repr(service.login), caplog.text]
    for attempt in (
        lambda: service.login.session(answer.access_token + "x"),
        lambda: service.refresh(answer.refresh_token + "x"),
        lambda: service.send(BODY + b" ", signature),
        lambda: service.send(BODY, signature + "="),
        lambda: service.login.refresh(answer.refresh_token.encode()),
    ):
        with pytest.raises(RequestError) as caught:
            attempt()
        shown += [repr(caught.value), str(caught.value), repr(caught.value.body)]
    for secret in (answer.access_token, answer.refresh_token, signature):
        assert not [text for text in shown if secret in text]
    assert repr(session) == repr(Session(OWNER.address, OWNER.address, is_read_only=False))


def denied(attempt: Any) -> tuple[int, str]:
    """How it is turned down, in the shape that clients read."""
    with pytest.raises(RequestError) as caught:
        attempt()
    StrictReader().read("Error", msgspec.json.encode(caught.value.body))
    return caught.value.status, caught.value.body.error_code
