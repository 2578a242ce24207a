"""Where may be sent to: which URLs are taken, and which addresses are connected to (OWASP: request forgery).

A URL is judged when it is registered, its address each time somebody connects, for what a name stands for can change
between any two looks (DNS rebinding). Every special range of IANA's registries is refused, also where an IPv6 address
only carries a refused IPv4 address.
"""

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

URL_CHARACTERS_MAX: Final = 2048
HOST_CHARACTERS_MAX: Final = 253
PORTS: Final = frozenset({443, 8443})

_REFUSED_4: Final = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "168.63.129.16/32",  # of no registry: what a large cloud's machines are looked after from
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",
            "192.52.193.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "192.175.48.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
_GLOBAL_6: Final = IPv6Network("2000::/3")
"""The only part of IPv6 that is given out; whatever lies outside is local, multicast, or nobody's."""
_REFUSED_6: Final = tuple(
    map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"))
)
_LABEL: Final = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_PATH: Final = re.compile(r"[!-~]*")
_LOCAL_NAMES: Final = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "arpa", "onion")


class BadUrl(Exception):
    """A URL that nothing is sent to; the sentence says what it must be."""


class Target(NamedTuple):
    """A URL taken apart: ``path`` with its query; ``is_tls`` for https."""

    host: str
    port: int
    path: str
    is_tls: bool

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


class Reach(NamedTuple):
    """How far may be sent: ``everywhere`` is a sandbox's, over http and to this machine too."""

    everywhere: bool = False

    def allows(self, address: str) -> bool:
        """Whether to connect to this IP address."""
        return self.everywhere or is_public(address)

    def read(self, url: str) -> Target:
        """The URL's parts. Raises BadUrl."""
        target = _take_apart(url)
        if self.everywhere:
            return target
        if not target.is_tls:
            raise BadUrl("A webhook's URL begins with https://.")
        if target.port not in PORTS:
            raise BadUrl(f"A webhook's port is one of {', '.join(map(str, sorted(PORTS)))}.")
        _check_name(target.host)
        return target


def is_public(address: str) -> bool:
    """Whether the address is one of the open internet's."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _REFUSED_4)
    return _is_public_6(found)


def _is_public_6(address: IPv6Address) -> bool:
    """Mapped IPv4 and NAT64 lie outside of what is given out; 6to4 and Teredo are refused by their networks."""
    if address.scope_id is not None or address not in _GLOBAL_6:
        return False
    return not any(address in network for network in _REFUSED_6)


def _take_apart(url: str) -> Target:
    if len(url) > URL_CHARACTERS_MAX or not _PATH.fullmatch(url) or "\\" in url:
        raise BadUrl(f"A URL has at most {URL_CHARACTERS_MAX} printable ASCII characters, none of them a backslash.")
    try:
        parts = urlsplit(url)
        port = parts.port
        host = (parts.hostname or "").removesuffix(".")
    except ValueError:
        raise BadUrl("This is not a URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadUrl("A webhook's URL is as in https://example.com/hooks.")
    if "@" in parts.netloc:
        raise BadUrl("A webhook's URL names no user and no password.")
    if parts.fragment or port == 0 or "%" in parts.netloc or len(host) > HOST_CHARACTERS_MAX:
        raise BadUrl("A webhook's URL is as in https://example.com/hooks, without a fragment.")
    is_tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(host, port or (443 if is_tls else 80), path, is_tls)


def _check_name(host: str) -> None:
    """A name of the open internet, no address in any of its spellings: a last label that begins with a digit is one."""
    labels = host.split(".")
    if ":" in host or labels[-1][:1].isdigit():
        raise BadUrl("A webhook's URL has a name, not an IP address.")
    if len(labels) < 2 or labels[-1] in _LOCAL_NAMES or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadUrl("A webhook's URL has a name that the whole internet knows, as example.com.")
