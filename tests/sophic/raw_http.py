"""HTTP as bytes on a socket, for requests that no decent client would send."""

import socket
from collections.abc import Iterable
from http.client import HTTPResponse
from typing import NamedTuple
from urllib.parse import urlsplit

TIMEOUT_SECONDS = 10


class RawAnswer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


def exchange(url: str, chunks: Iterable[bytes]) -> RawAnswer | None:
    """Send each chunk, then read one answer; None if the server just closed the connection."""
    with connect(url) as connection:
        try:
            for chunk in chunks:
                connection.sendall(chunk)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered before it heard everything
        answer = HTTPResponse(connection)
        try:
            answer.begin()
            body = answer.read()
        except ConnectionError:  # RemoteDisconnected is one
            return None
        finally:
            answer.close()
        return RawAnswer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, body)


def connect(url: str) -> socket.socket:
    address = urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    return socket.create_connection((address.hostname, address.port), TIMEOUT_SECONDS)


def post_head(*headers: str, token: str = "sandbox") -> bytes:
    """The head of a POST of a new order, with these headers besides the usual ones."""
    lines = [
        "POST /sophic/accounts/acc_demo/orders HTTP/1.1",
        "host: venue",
        f"authorization: Bearer {token}",
        "content-type: application/json",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
