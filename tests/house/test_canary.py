"""The search for secrets that every server of these tests undergoes finds what it should, and is not easily alarmed."""

import pytest

from tests.canary import secrets_left_in

KEY = b"K" * 32


@pytest.mark.parametrize(
    "written",
    [
        b"secret: tsk_0123456789abcdefghij",
        b'{"token":"tso_0123456789abcdefghij"}',
        b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl",
        b"authorization: Bearer sandbox",
        b"Basic YWNtZTpzZWNyZXQ=",
        b"canary-0123456789",
        KEY,
        KEY.hex().encode(),
    ],
)
def test_a_secret_is_found_wherever_it_lies(tmp_path, written):
    (tmp_path / "secret.key").write_bytes(KEY)
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "journal.db").write_bytes(b"\0\1 before " + written + b" after")
    assert len(list(secrets_left_in(tmp_path))) == 1


@pytest.mark.parametrize("written", [b"", b"Bearer <token>", b"tsk_", b"www-authenticate: Bearer", KEY[:16]])
def test_what_is_no_secret_alarms_nobody(tmp_path, written):
    (tmp_path / "secret.key").write_bytes(KEY)
    (tmp_path / "journal.db").write_bytes(written)
    assert list(secrets_left_in(tmp_path)) == []
