"""Who may come in: clients and operators, each with the digest of a secret, in an SQLite file of the data folder.

A secret is 32 bytes of the system's randomness, shown once. So a plain SHA-256 is kept of it: what makes the digests of
passwords slow is that people choose them, and nobody can search 2**256 secrets. Any process may change the table while
a server runs; the server sees that the file has changed at its next look, which costs a few microseconds.
"""

import hmac
import os
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Collection
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import apsw

from tallystick.access.principal import SCOPES, scope_text
from tallystick.journal.folder import KEYS_FILE, sync_folder

CLIENT: Final = "client"
OPERATOR: Final = "operator"
KINDS: Final = (CLIENT, OPERATOR)
SANDBOX_CLIENT: Final = "demo"
"""The client that a sandbox's static token stands for. No other may have its name."""
SECRET_BYTES: Final = 32
NOTE_CHARACTERS_MAX: Final = 200

APPLICATION_ID: Final = 0x54414C4B
"""``TALK``: told by ``file`` and by any SQLite tool."""
LAYOUT: Final = 1
BUSY_MS: Final = 5000

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PREFIX: Final = {CLIENT: "tsk_", OPERATOR: "tso_"}
_NO_DIGEST: Final = bytes(32)

_SCHEMA: Final = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {LAYOUT};
CREATE TABLE credentials (
    kind TEXT NOT NULL CHECK (kind IN ('client', 'operator')),
    name TEXT NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    previous_until INTEGER NOT NULL,
    generation INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    disabled_at INTEGER,
    note TEXT NOT NULL,
    PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;
"""
_COLUMNS: Final = "kind, name, digest, previous, previous_until, generation, scopes, created_at, disabled_at, note"


class KeysError(Exception):
    """``code`` is one of keys_unavailable, keys_missing, keys_foreign, keys_newer, name_invalid, name_taken,
    name_unknown, name_reserved, scope_unknown, note_invalid, rotation_under_way. Nothing was changed.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code: Final = code


class Credential:
    """A client or an operator as the table has it; times are in seconds since the epoch.

    The digest before the last rotation counts until ``previous_until``. ``generation`` is raised by whatever ends the
    tokens that were issued before.
    """

    __slots__ = (
        "created_at",
        "digest",
        "disabled_at",
        "generation",
        "kind",
        "name",
        "note",
        "previous",
        "previous_until",
        "scopes",
    )

    def __init__(self, row: tuple[Any, ...]) -> None:
        self.kind: Final[str] = row[0]
        self.name: Final[str] = row[1]
        self.digest: Final[bytes] = row[2]
        self.previous: Final[bytes] = row[3]
        self.previous_until: Final[int] = row[4]
        self.generation: Final[int] = row[5]
        self.scopes: Final = frozenset(str(row[6]).split())
        self.created_at: Final[int] = row[7]
        self.disabled_at: Final[int | None] = row[8]
        self.note: Final[str] = row[9]

    def __repr__(self) -> str:
        return f"Credential({self.kind!r}, {self.name!r})"

    def accepts(self, digest: bytes, now: float) -> bool:
        """Whether it is the digest of its secret, or of the one before while that counts. Always the same work."""
        is_current = hmac.compare_digest(digest, self.digest)
        is_previous = hmac.compare_digest(digest, self.previous)
        return (is_current or (is_previous and now < self.previous_until)) and self.disabled_at is None


_NOBODY: Final = Credential((CLIENT, "", _NO_DIGEST, _NO_DIGEST, 0, 0, "", 0, 0, ""))


class KeyTable:
    """The table in the data folder ``data``, which must exist; the file is made if need be. Raises KeysError."""

    def __init__(self, data: Path) -> None:
        self._path: Final = data / KEYS_FILE
        self._known: dict[tuple[str, str], Credential] = {}
        self._version = 0
        try:
            _create_private(self._path)
            self._connection: Final = apsw.Connection(str(self._path), flags=apsw.SQLITE_OPEN_READWRITE)
        except (OSError, apsw.Error) as error:
            raise _unavailable(self._path, error) from None
        try:
            self._connection.set_busy_timeout(BUSY_MS)
            self._prepare()
            self._load()
        except apsw.NotADBError:
            self.close()
            raise _foreign(self._path) from None
        except apsw.Error as error:
            self.close()
            raise _unavailable(self._path, error) from None
        except KeysError:
            self.close()
            raise

    def close(self) -> None:
        """Closing twice is harmless."""
        self._connection.close()

    def refresh(self) -> None:
        """See what other processes have changed; KeysError keys_unavailable if that cannot be seen."""
        try:
            if self._connection.execute("PRAGMA data_version").get != self._version:
                self._load()
        except apsw.Error as error:
            raise _unavailable(self._path, error) from None

    def find(self, kind: str, name: str) -> Credential | None:
        """As of the last look."""
        return self._known.get((kind, name))

    def all(self, kind: str) -> list[Credential]:
        """Ordered by name, as of the last look."""
        return [each for each in self._known.values() if each.kind == kind]

    def authenticate(self, name: str, secret: str, now: float) -> Credential | None:
        """The client of this name if the secret is its own and it is enabled. Unknown names cost the same work."""
        credential = self._known.get((CLIENT, name), _NOBODY)
        return credential if credential.accepts(secret_digest(secret), now) else None

    def operator(self, secret: str, now: float) -> Credential | None:
        """The operator whose secret it is. All of them are looked at, whoever it is."""
        digest = secret_digest(secret)
        found = [each for each in self.all(OPERATOR) if each.accepts(digest, now)]
        return found[0] if found else None

    def add(self, kind: str, name: str, now: float, scopes: Collection[str] = SCOPES, note: str = "") -> str:
        """A new client or operator: its secret, which can never be had again."""
        _check(name, scopes, note)
        secret = _new_secret(kind)
        row = (kind, name, secret_digest(secret), _NO_DIGEST, 0, 1, scope_text(scopes), int(now), None, note)
        try:
            self._change(f"INSERT INTO credentials ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        except apsw.ConstraintError:
            raise KeysError(
                "name_taken", f"There is {_a(kind)} {name} already: choose another name, or rotate its secret."
            ) from None
        return secret

    def rotate(self, kind: str, name: str, now: float, overlap_seconds: int) -> str:
        """A new secret; the old one counts for ``overlap_seconds`` more.

        With none, what the old secret has brought in ends at once, live tokens too. Otherwise a rotation has to be over
        before the next one begins: only one old secret is kept.
        """
        secret = _new_secret(kind)
        self._change(
            "UPDATE credentials SET previous = iif(?4, digest, zeroblob(32)), previous_until = iif(?4, ?3 + ?4, 0),"
            " generation = generation + iif(?4, 0, 1), digest = ?5"
            " WHERE kind = ?1 AND name = ?2 AND (?4 = 0 OR previous_until <= ?3)",
            (kind, name, int(now), overlap_seconds, secret_digest(secret)),
        )
        if not self._connection.changes():
            until = self._must_know(kind, name).previous_until
            raise KeysError(
                "rotation_under_way",
                f"{name} has an old secret that counts for {until - int(now):,} seconds more: wait until then, or end "
                "it now with an overlap of 0.",
            )
        return secret

    def disable(self, kind: str, name: str, now: float) -> None:
        """Turn it away from now on, with all its tokens; those do not come back when it is enabled."""
        self._change(
            "UPDATE credentials SET disabled_at = ?3, generation = generation + 1"
            " WHERE kind = ?1 AND name = ?2 AND disabled_at IS NULL",
            (kind, name, int(now)),
        )
        self._must_know(kind, name)

    def enable(self, kind: str, name: str) -> None:
        """Let it in again with the secret that it had."""
        self._change("UPDATE credentials SET disabled_at = NULL WHERE kind = ? AND name = ?", (kind, name))
        self._must_know(kind, name)

    def _must_know(self, kind: str, name: str) -> Credential:
        known = self.find(kind, name)
        if known is None:
            shown = name if _is_name(name) else "of that name"
            raise KeysError("name_unknown", f"There is no {kind} {shown}: `tallystick {kind} list` names all.")
        return known

    def _change(self, statement: str, values: tuple[Any, ...]) -> None:
        """One statement is one transaction, durable when it returns."""
        try:
            self._connection.execute(statement, values)
            self._load()
        except apsw.ConstraintError:
            raise
        except apsw.Error as error:
            raise _unavailable(self._path, error) from None

    def _load(self) -> None:
        # The version first: what changes in between is loaded now and once again, never missed.
        self._version = int(self._connection.execute("PRAGMA data_version").get)
        rows = self._connection.execute(f"SELECT {_COLUMNS} FROM credentials ORDER BY kind, name").fetchall()
        self._known = {(str(row[0]), str(row[1])): Credential(row) for row in rows}

    def _prepare(self) -> None:
        """Settings and, in a file that is still empty, the table: in one transaction, so that it is there or not."""
        self._is_new()
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL; PRAGMA fullfsync = ON; PRAGMA checkpoint_fullfsync = ON")
        if not self._is_new():
            return
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if self._is_new():  # asked again, now that nobody else can be making it
                self._connection.execute(_SCHEMA)
            self._connection.execute("COMMIT")
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        sync_folder(self._path.parent)

    def _is_new(self) -> bool:
        """Whether the file is still empty; KeysError if it is something else's or of a newer version."""
        application, layout, tables = self._connection.execute(
            "SELECT application_id, user_version, (SELECT count(*) FROM sqlite_schema)"
            " FROM pragma_application_id, pragma_user_version"
        ).get
        if (application, layout, tables) == (0, 0, 0):
            return True
        if application != APPLICATION_ID:
            raise _foreign(self._path)
        if layout > LAYOUT:
            raise KeysError("keys_newer", f"{self._path} was written by a newer version: upgrade Tallystick.")
        return False


def count_enabled(data: Path, kind: str) -> int:
    """How many of them could come in; 0, and nothing is made, where there is no table. Raises KeysError."""
    if not (data / KEYS_FILE).is_file():
        return 0
    table = KeyTable(data)
    try:
        return sum(each.disabled_at is None for each in table.all(kind))
    finally:
        table.close()


def new_client_id() -> str:
    """A name for a client that was given none."""
    return f"cli_{secrets.token_hex(8)}"


def _new_secret(kind: str) -> str:
    """The prefix lets a scan for secrets find one that was left lying about."""
    return _PREFIX[kind] + urlsafe_b64encode(os.urandom(SECRET_BYTES)).rstrip(b"=").decode()


def secret_digest(secret: str) -> bytes:
    """What is kept of a secret."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _check(name: str, scopes: Collection[str], note: str) -> None:
    if not _is_name(name):
        raise KeysError(
            "name_invalid",
            "A name has 1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit; it does "
            f"not begin as secrets do, with {' or '.join(_PREFIX.values())}.",
        )
    if name == SANDBOX_CLIENT:
        raise KeysError("name_reserved", f"{name} is the sandbox's own name: choose another.")
    unknown = sorted(set(scopes).difference(SCOPES))
    if unknown:
        raise KeysError("scope_unknown", f"There is no scope {unknown[0]!r}: there are {', '.join(SCOPES)}.")
    if len(note) > NOTE_CHARACTERS_MAX or not note.isprintable():
        raise KeysError("note_invalid", f"A note is one line of at most {NOTE_CHARACTERS_MAX} characters.")


def _is_name(text: str) -> bool:
    """A secret is none, so that one in the wrong place is neither kept nor shown."""
    return _NAME.fullmatch(text) is not None and not text.startswith(tuple(_PREFIX.values()))


def _a(kind: str) -> str:
    return f"an {kind}" if kind == OPERATOR else f"a {kind}"


def _create_private(path: Path) -> None:
    """Create the file before SQLite does, readable by its owner alone; SQLite gives its other files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return


def _foreign(path: Path) -> KeysError:
    return KeysError("keys_foreign", f"{path} is not a table of Tallystick's clients: move that file away.")


def _unavailable(path: Path, error: Exception) -> KeysError:
    return KeysError("keys_unavailable", f"The clients in {path} cannot be reached: {error}. Check the file and disk.")
