"""Addresses to listen on: what a text names, who can reach it, and the socket bound to it."""

import socket
from errno import EACCES, EADDRINUSE, EADDRNOTAVAIL
from ipaddress import ip_address
from typing import Any, Final, NamedTuple

LOOPBACK: Final = "127.0.0.1"


class BadAddress(Exception):
    """It names nothing that can be listened on; the sentence says what to do."""


class Address(NamedTuple):
    """``address`` is what socket.bind takes for this family."""

    family: int
    address: Any

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return ip_address(str(self.address[0]).partition("%")[0]).is_loopback


def resolve(host: str, port: int) -> Address:
    """The first address of ``host``, a name or an IP address. Raises BadAddress."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise BadAddress(f"there is no address {host}; use an IP address of this machine, as 127.0.0.1") from None
    family, _, _, _, address = found[0]
    return Address(family, address)


def read_bind(text: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:8421" or "[::1]:8421". Raises BadAddress."""
    host, colon, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise BadAddress('put an IPv6 address into brackets, as in "[::1]:8421"')
    if not (host and colon and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65_535):
        raise BadAddress('must be "host:port", as in "127.0.0.1:8421"')
    return host, int(port)


def bind(host: str, port: int, choose: str) -> socket.socket:
    """The socket to listen on, which does not listen yet; port 0 takes a free one. Raises BadAddress.

    ``choose`` tells how another is chosen. To be taken before anything else is touched, so that a port in use changes
    nothing.
    """
    family, address = resolve(host, port)
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        if error.errno in (EADDRINUSE, EACCES):
            raise BadAddress(f"Port {port} is in use or not allowed. Choose another: {choose}.") from None
        if error.errno == EADDRNOTAVAIL:
            raise BadAddress(f"{host} is no address of this machine. Choose another: {choose}.") from None
        raise
    return listener


def url(listener: socket.socket) -> str:
    """Where a bound socket is reached, as "http://127.0.0.1:8420"."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
