"""Webhook secrets at rest, and where they never show."""

from base64 import b64encode
from pathlib import Path

import pytest

from tallystick.deliver.book import Book, BookError
from tallystick.deliver.endpoints import Endpoints, RotationUnderWay
from tallystick.deliver.records import Endpoint
from tallystick.deliver.sealing import Sealer, SealError, read_key

KEY, OTHER = bytes(range(32)), bytes(range(1, 33))


def registered(book: Book, sealer: Sealer) -> Endpoint:
    return book.change(lambda each: Endpoints(sealer).add(each, "demo", "https://example.com/", "", "none", 1, 1))


def test_with_a_key_no_secret_lies_in_the_file(tmp_path: Path) -> None:
    book = Book(tmp_path / "deliveries.db")
    endpoint = registered(book, Sealer(KEY))
    rotated = book.change(lambda each: Endpoints(Sealer(KEY)).rotate(each, endpoint, 2, 100))
    assert book.read(Endpoints(Sealer(KEY)).active) == [rotated]
    book.close()
    for file in tmp_path.iterdir():
        content = file.read_bytes()
        for secret in rotated.secrets:
            assert secret not in content
            assert b64encode(secret) not in content


def test_without_a_key_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    book = Book(tmp_path / "deliveries.db")
    registered(book, Sealer())
    assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
    book.close()


def test_a_key_can_be_given_later(tmp_path: Path) -> None:
    book = Book(tmp_path / "deliveries.db")
    before = registered(book, Sealer())
    after = registered(book, Sealer(KEY))
    assert book.read(Endpoints(Sealer(KEY)).active) == [before, after]


@pytest.mark.parametrize(("case", "sealer"), [("no key", Sealer()), ("another key", Sealer(OTHER))])
def test_without_the_key_it_says_what_to_do(tmp_path: Path, case: str, sealer: Sealer) -> None:
    book = Book(tmp_path / "deliveries.db")
    registered(book, Sealer(KEY))
    with pytest.raises(SealError, match="configure"):
        book.read(Endpoints(sealer).active)


def test_one_endpoints_secret_cannot_be_passed_off_as_anothers() -> None:
    with pytest.raises(SealError):
        Sealer(KEY).open(Sealer(KEY).seal(b"secret", 1), 2)


def test_a_repr_shows_no_secret(tmp_path: Path) -> None:
    endpoint = registered(Book(tmp_path / "deliveries.db"), Sealer())
    for shown in (repr(endpoint), str(endpoint), f"{endpoint}", repr([endpoint])):
        assert repr(endpoint.secrets[0]) not in shown
        assert "secret" not in shown


def test_a_rotation_must_be_over_before_the_next(tmp_path: Path) -> None:
    book, endpoints = Book(tmp_path / "deliveries.db"), Endpoints(Sealer())
    first = registered(book, Sealer())
    second = book.change(lambda each: endpoints.rotate(each, first, 10, 100))
    assert second.signing(109) == (second.secrets[0], first.secrets[0])
    assert second.signing(110) == (second.secrets[0],)
    with pytest.raises(RotationUnderWay):
        book.change(lambda each: endpoints.rotate(each, second, 109, 100))
    third = book.change(lambda each: endpoints.rotate(each, second, 109, 0))
    assert third.signing(109) == (third.secrets[0],)


@pytest.mark.parametrize("text", ["short", "!!", b64encode(bytes(31)).decode(), b64encode(bytes(33)).decode()])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="32"):
        read_key(text)


def test_what_is_a_key() -> None:
    assert read_key(b64encode(KEY).decode() + "\n") == KEY
    assert read_key("") == b""


def test_another_file_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "deliveries.db").write_bytes(b"something else entirely" * 100)
    with pytest.raises(BookError, match="move that file away"):
        Book(tmp_path / "deliveries.db")
