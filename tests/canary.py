"""What must never be left lying about: secrets, tokens and keys, looked for in everything that a server has written."""

import re
from collections.abc import Iterator
from pathlib import Path

SECRETS = re.compile(
    rb"tsk_[A-Za-z0-9_-]{20,}"  # a client's secret
    rb"|tso_[A-Za-z0-9_-]{20,}"  # an operator's
    rb"|whsec_[A-Za-z0-9+/=]{16,}"  # an endpoint's
    rb"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"  # an access token
    rb"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"  # any Authorization header
    rb"|canary-[0-9]+"  # what a test calls a secret of its own
)


def secrets_left_in(*places: Path) -> Iterator[str]:
    """The file and the first characters of every secret found in these files, or in any file of these folders.

    The keys of the installation itself are where they belong: in ``secret.key``, and nowhere else.
    """
    files = [file for place in places for file in (place.rglob("*") if place.is_dir() else (place,)) if file.is_file()]
    keys = [file.read_bytes() for file in files if file.name == "secret.key"]
    for file in files:
        written = file.read_bytes()
        for found in SECRETS.finditer(written):
            yield f"{file.name}: {found[0][:12]!r}"
        if file.name != "secret.key" and any(key in written or key.hex().encode() in written for key in keys if key):
            yield f"{file.name}: the secret key"
