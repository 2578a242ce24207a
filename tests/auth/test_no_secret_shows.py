"""Secrets are looked for where none may be: in reprs, errors, logs, tracebacks, and the files of the data folder."""

import logging
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from tallystick.access.grant_request import FORM, read_grant_request
from tallystick.access.principal import Denied
from tallystick.server.keys import CLIENT, OPERATOR, KeysError
from tests.auth.doors import FOLDER_SECRET, NOW, Door, opened

STATIC = "canary-of-a-static-token"


def provoke(secret: str, door: Door) -> list[str]:
    """Everything that can be made to go wrong with this secret in hand, as a careless programmer would show it."""
    keys, admission = door.keys, door.admission
    attempts: list[Callable[[], object]] = [
        lambda: admission.admit(f"Bearer {secret}x"),
        lambda: admission.admit(f"Basic {secret}"),
        lambda: admission.admit(secret),
        lambda: admission.operator(f"Bearer {secret}x"),
        lambda: admission.grant("acme", f"{secret}x"),
        lambda: admission.grant(secret, "acme"),  # the two in each other's place
        lambda: keys.add(CLIENT, f"{secret} ", NOW),
        lambda: keys.rotate(CLIENT, f"tsk_{secret}", NOW, 0),
        lambda: keys.disable(OPERATOR, f"tso_{secret}", NOW),
        lambda: read_grant_request(FORM, f"client_secret={secret}&client_secret={secret}".encode()),
        lambda: read_grant_request(FORM, f"{secret}".encode()),
        lambda: read_grant_request(secret, b"", f"Basic {secret}"),
    ]
    shown = []
    for attempt in attempts:
        with pytest.raises((Denied, KeysError)) as caught:
            attempt()
        error = caught.value
        shown += [f"{error!r} {error}", *(f"{getattr(error, name, '')}" for name in ("detail", "code", "headers"))]
        shown += ["".join(traceback.format_exception(error))]
    return shown


def test_no_secret_shows_anywhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with opened(tmp_path, static_token=STATIC) as door:
        client, operator = door.keys.add(CLIENT, "acme", NOW), door.keys.add(OPERATOR, "ann", NOW)
        rotated = door.keys.rotate(CLIENT, "acme", NOW, 60)
        grant = door.admission.grant("acme", rotated)
        token = grant.access_token
        principal = door.admission.admit(f"Bearer {token}")
        request = read_grant_request(
            FORM, f"grant_type=client_credentials&client_id=acme&client_secret={client}".encode()
        )
        shown = [repr(each) for each in (grant, principal, request, door.keys.all(CLIENT), door.keys.all(OPERATOR))]
        shown += [f"{door.admission!r} {door.admission._tokens!r} {door.keys!r} {door.admission._sandbox!r}"]
        shown += [repr(door.admission._tokens.verify(token, NOW))]
        secrets = [client, operator, rotated, token, STATIC]
        for secret in secrets:
            shown += provoke(secret, door)
        shown += [caplog.text, *(f"{record.args!r}" for record in caplog.records)]
        shown += [file.read_bytes().decode("latin-1") for file in tmp_path.iterdir()]
    assert "a token was refused to client acme" in caplog.text
    assert "a token was refused to an unknown client" in caplog.text
    # a traceback shows source lines, and an error the code it has; neither may show what went through them
    for secret in (*secrets, FOLDER_SECRET.hex(), FOLDER_SECRET.decode("latin-1")):
        assert not [text for text in shown if secret in text]
