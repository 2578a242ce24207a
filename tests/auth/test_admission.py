"""The door: who is let in, for how long, how often, and how soon a change of the table is felt."""

from hashlib import sha256
from pathlib import Path

import pytest

from tallystick.access.principal import SCOPES, TOKEN_HEADERS, Denied, Principal
from tallystick.server.admission import FAILED_GRANTS_OVERALL, FAILED_GRANTS_PER_CLIENT, Admission, open_admission
from tallystick.server.keys import CLIENT, OPERATOR, KeyTable
from tallystick.server.rates import Rate
from tallystick.server.tokens import LIFETIME_SECONDS, Tokens
from tests.auth.doors import FOLDER_SECRET, NOW, opened

DAY = 86400


def test_a_client_that_proves_who_it_is_gets_a_token_and_is_let_in_with_its_scopes(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        secret = door.keys.add(CLIENT, "acme", NOW, ["orders:write", "accounts:read"])
        grant = door.admission.grant("acme", secret)
        assert grant.body() == {
            "access_token": grant.access_token,
            "token_type": "Bearer",
            "expires_in": 900,
            "scope": "accounts:read orders:write",
        }
        assert TOKEN_HEADERS["cache-control"] == "no-store"
        for scheme in ("Bearer", "bearer", "BEARER"):
            principal = door.admission.admit(f"{scheme} {grant.access_token}")
            assert principal.client == "acme"
            assert principal.scopes == {"orders:write", "accounts:read"}


def test_each_grant_is_a_token_of_its_own(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        secret = door.keys.add(CLIENT, "acme", NOW)
        assert door.token("acme", secret) != door.token("acme", secret)


def test_a_scope_that_is_missing_is_named() -> None:
    principal = Principal("acme", ["orders:read"])
    principal.require("orders:read")
    with pytest.raises(Denied) as caught:
        principal.require("orders:write")
    assert (caught.value.status, caught.value.code) == (403, "insufficient_scope")
    assert "orders:write" in caught.value.detail
    assert caught.value.headers == {
        "www-authenticate": 'Bearer error="insufficient_scope", scope="orders:write"',
    }


# header, the challenge of the answer (RFC 6750 §3.1)
NOT_ADMITTED = {
    "no header": (None, "Bearer"),
    "an empty one": ("", "Bearer"),
    "a scheme alone": ("Bearer", "Bearer"),
    "a scheme and spaces": ("Bearer   ", "Bearer"),
    "another scheme": ("Basic YTpi", "Bearer"),
    "junk": ("Bearer junk", 'Bearer error="invalid_token"'),
    "two tokens": ("Bearer a b", 'Bearer error="invalid_token"'),
    "letters that are no ASCII": ("Bearer ä", 'Bearer error="invalid_token"'),
    "half a character": ("Bearer \ud800", 'Bearer error="invalid_token"'),
}


@pytest.mark.parametrize("static_token", ["", "sandbox"])
@pytest.mark.parametrize(("header", "challenge"), NOT_ADMITTED.values(), ids=NOT_ADMITTED.keys())
def test_a_header_that_admits_nobody(tmp_path: Path, header: str | None, challenge: str, static_token: str) -> None:
    with opened(tmp_path, static_token=static_token) as door:
        for ask in (door.admission.admit, door.admission.operator):
            with pytest.raises(Denied) as caught:
                ask(header)
            assert (caught.value.status, caught.value.code) == (401, "unauthorized")
            assert caught.value.detail.startswith("Send a")
        with pytest.raises(Denied) as caught:
            door.admission.admit(header)
        assert caught.value.headers == {"www-authenticate": challenge}


def test_a_token_ends_after_a_quarter_of_an_hour_and_says_so(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        token = door.token("acme", door.keys.add(CLIENT, "acme", NOW))
        door.now += LIFETIME_SECONDS - 1
        assert door.admitted(token) == "acme"
        door.now += 1
        with pytest.raises(Denied, match="unauthorized") as caught:
            door.admission.admit(f"Bearer {token}")
        assert caught.value.detail == "The token has expired: get another."


def test_a_token_survives_a_restart(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        token = door.token("acme", door.keys.add(CLIENT, "acme", NOW))
    with opened(tmp_path) as door:
        assert door.admitted(token) == "acme"


def test_a_client_of_another_data_folder_is_a_stranger(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    with opened(tmp_path / "here") as here, opened(tmp_path / "there") as there:
        secret = here.keys.add(CLIENT, "acme", NOW)
        assert there.granted("acme", secret) == "invalid_client"
        assert there.admitted(here.token("acme", secret)) == "unauthorized"


def test_disabling_is_felt_by_a_live_token_at_once_and_enabling_does_not_revive_it(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        secret, other = door.keys.add(CLIENT, "acme", NOW), door.keys.add(CLIENT, "other", NOW)
        token, untouched = door.token("acme", secret), door.token("other", other)
        assert door.admitted(token) == "acme"
        door.keys.disable(CLIENT, "acme", NOW)
        assert door.admitted(token) == "unauthorized"
        assert door.granted("acme", secret) == "invalid_client"
        assert door.admitted(untouched) == "other"
        door.keys.enable(CLIENT, "acme")
        assert door.admitted(token) == "unauthorized"
        assert door.admitted(door.token("acme", secret)) == "acme"


def test_a_rotation_keeps_tokens_and_the_old_secret_for_the_overlap_and_an_overlap_of_0_ends_both(
    tmp_path: Path,
) -> None:
    with opened(tmp_path) as door:
        old = door.keys.add(CLIENT, "acme", NOW)
        token = door.token("acme", old)
        new = door.keys.rotate(CLIENT, "acme", NOW, DAY)
        assert door.admitted(token) == "acme"
        assert [door.granted("acme", secret) for secret in (old, new)] == ["granted", "granted"]
        door.now += DAY
        assert [door.granted("acme", secret) for secret in (old, new)] == ["invalid_client", "granted"]
        leaked = door.token("acme", new)
        newest = door.keys.rotate(CLIENT, "acme", door.now, 0)
        assert door.admitted(leaked) == "unauthorized"
        assert [door.granted("acme", secret) for secret in (new, newest)] == ["invalid_client", "granted"]


def test_the_static_token_is_the_sandbox_s_client_with_all_scopes_and_never_expires(tmp_path: Path) -> None:
    with opened(tmp_path, static_token="sandbox") as door:
        door.now += 10**9
        principal = door.admission.admit("Bearer sandbox")
        assert (principal.client, principal.scopes) == ("demo", set(SCOPES))
        for wrong in ("sandbo", "sandbox1", "SANDBOX", "sändbox"):
            assert door.admitted(wrong) == "unauthorized"


def test_the_static_token_is_a_secret_to_get_tokens_with_and_both_go_when_it_is_not_configured(tmp_path: Path) -> None:
    with opened(tmp_path, static_token="sandbox") as door:
        token = door.token("demo", "sandbox")
        assert door.admitted(token) == "demo"
        assert door.granted("demo", "wrong") == "invalid_client"
        assert door.granted("acme", "sandbox") == "invalid_client"
    with opened(tmp_path) as door:
        assert door.admitted("sandbox") == "unauthorized"
        assert door.admitted(token) == "unauthorized"
        for secret in ("sandbox", ""):
            assert door.granted("demo", secret) == "invalid_client"


def test_each_client_has_a_rate_of_its_own_and_is_told_when_to_come_back(tmp_path: Path) -> None:
    with opened(tmp_path, rate=Rate(per_second=0.4, burst=2)) as door:
        acme, other = (door.token(name, door.keys.add(CLIENT, name, NOW)) for name in ("acme", "other"))
        asked = [door.admitted(token) for token in (acme, acme, acme, other)]
        assert asked == ["acme", "acme", "too_many_requests", "other"]
        with pytest.raises(Denied) as caught:
            door.admission.admit(f"Bearer {acme}")
        assert (caught.value.status, caught.value.retry_after) == (429, 3)
        assert caught.value.headers == {"retry-after": "3"}
        door.now += 3
        assert door.admitted(acme) == "acme"


def test_a_forged_token_takes_nothing_from_the_client_it_names(tmp_path: Path) -> None:
    with opened(tmp_path, rate=Rate(per_second=1, burst=1)) as door:
        token = door.token("acme", door.keys.add(CLIENT, "acme", NOW))
        forged = Tokens(bytes(32)).issue("acme", SCOPES, 1, NOW, "1")
        for _ in range(10):
            assert door.admitted(forged) == "unauthorized"
        assert door.admitted(token) == "acme"


def test_guessing_one_client_s_secret_is_slow_and_keeps_the_client_out_at_no_time(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        secret = door.keys.add(CLIENT, "acme", NOW)
        for _ in range(int(FAILED_GRANTS_PER_CLIENT.burst)):
            assert door.granted("acme", "guess") == "invalid_client"
        assert door.granted("acme", "guess") == "too_many_requests"
        assert door.granted("acme", secret) == "granted"
        with pytest.raises(Denied) as caught:
            door.admission.grant("acme", "guess")
        assert caught.value.retry_after == 5
        door.now += 5
        assert door.granted("acme", "guess") == "invalid_client"
        assert door.granted("acme", "guess") == "too_many_requests"


def test_a_client_that_is_not_there_is_slowed_down_just_alike(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        door.keys.add(CLIENT, "acme", NOW)
        answers = {name: [door.granted(name, "guess") for _ in range(15)] for name in ("acme", "nobody")}
    assert answers["acme"] == answers["nobody"]
    assert "too_many_requests" in answers["acme"]


def test_a_flood_of_guesses_is_slow_overall_and_keeps_nobody_out_who_has_not_failed(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        acme, clumsy = (door.keys.add(CLIENT, name, NOW) for name in ("acme", "clumsy"))
        assert door.granted("clumsy", "guess") == "invalid_client"
        for number in range(int(FAILED_GRANTS_OVERALL.burst)):
            assert door.granted(f"guess-{number}", "guess") == "invalid_client"
        assert door.granted("guess-0", "guess") == "too_many_requests"
        assert door.granted("clumsy", "guess") == "too_many_requests"
        assert door.granted("clumsy", clumsy) == "granted"
        assert door.granted("acme", acme) == "granted"
        door.now += 1
        assert door.granted("clumsy", "guess") == "invalid_client"


def test_grants_that_succeed_are_not_limited(tmp_path: Path) -> None:
    with opened(tmp_path) as door:
        secret = door.keys.add(CLIENT, "acme", NOW)
        assert {door.granted("acme", secret) for _ in range(500)} == {"granted"}


def test_an_operator_is_let_in_by_name_until_disabled_and_is_no_client(tmp_path: Path) -> None:
    with opened(tmp_path, static_token="sandbox") as door:
        secret = door.keys.add(OPERATOR, "ann", NOW)
        client = door.keys.add(CLIENT, "acme", NOW)
        assert door.admission.operator(f"Bearer {secret}") == "ann"
        assert door.admitted(secret) == "unauthorized"
        for no_operator in (client, door.token("acme", client), "sandbox"):
            with pytest.raises(Denied, match="unauthorized"):
                door.admission.operator(f"Bearer {no_operator}")
        door.keys.disable(OPERATOR, "ann", NOW)
        with pytest.raises(Denied, match="unauthorized"):
            door.admission.operator(f"Bearer {secret}")


def test_an_operator_may_be_configured_beside_those_of_the_table(tmp_path: Path) -> None:
    configured = {"ann": sha256(b"ann's").digest(), "bob": sha256(b"bob's").digest()}
    admission = Admission(KeyTable(tmp_path), Tokens(FOLDER_SECRET), operators=configured)
    with opened(tmp_path) as door:
        carol = door.keys.add(OPERATOR, "carol", NOW)
    try:
        for secret, name in (("ann's", "ann"), ("bob's", "bob"), (carol, "carol")):
            assert admission.operator(f"Bearer {secret}") == name
        with pytest.raises(Denied, match="unauthorized"):
            admission.operator(f"Bearer {configured['ann'].hex()}")
    finally:
        admission.close()


def test_while_the_table_cannot_be_read_nobody_is_admitted_and_it_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    keys = KeyTable(tmp_path)
    secret = keys.add(CLIENT, "acme", NOW)
    admission = Admission(keys, Tokens(FOLDER_SECRET), static_token="sandbox", wall=lambda: NOW)
    token = admission.grant("acme", secret).access_token
    keys.close()
    for _ in range(3):
        with pytest.raises(Denied) as caught:
            admission.admit(f"Bearer {token}")
        assert (caught.value.status, caught.value.code, caught.value.retry_after) == (503, "keys_unavailable", 1)
        with pytest.raises(Denied, match="keys_unavailable"):
            admission.grant("acme", secret)
    assert [record.message.partition(":")[0] for record in caplog.records] == ["nobody is admitted"]
    assert admission.admit("Bearer sandbox").client == "demo"


def test_a_door_is_opened_by_the_clock_of_the_machine(tmp_path: Path) -> None:
    admission = open_admission(tmp_path, FOLDER_SECRET)
    try:
        keys = KeyTable(tmp_path)
        token = admission.grant("acme", keys.add(CLIENT, "acme", NOW)).access_token
        keys.close()
        assert admission.admit(f"Bearer {token}").client == "acme"
    finally:
        admission.close()
