"""URLs that must not be sent to, and addresses that must not be connected to (specs/reliability.md R17)."""

import asyncio

import pytest

from tallystick.deliver.addresses import BadUrl, Reach, is_public
from tallystick.deliver.post import Poster

HOSTILE_URLS = [
    "http://example.com/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://0/",
    "https://0.0.0.0/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://192.168.1.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://100.64.0.1/",
    "https://198.18.0.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fc00::1]/",
    "https://[fd00:ec2::254]/",
    "https://[ff02::1]/",
    "https://[2001:db8::1]/",
    "https://[2606:4700::1111]/",
    "https://user@example.com/",
    "https://user:pass@example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1%40example.com/",
    "https://example.com:22/",
    "https://example.com:80/",
    "https://example.com:8420/",
    "https://example.com:0/",
    "https://example.com:99999/",
    "https://example.com:x/",
    "https://example.com#@127.0.0.1/",
    "https://example.com/#fragment",
    "https://example.com\\@127.0.0.1/",
    "https://example.com\\.evil/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "javascript:alert(1)",
    "data:text/plain,x",
    "//example.com/",
    "example.com",
    "https://",
    "https:///path",
    "https://printer/",
    "https://router.lan/",
    "https://db.internal/",
    "https://metadata.google.internal/",
    "https://service.local/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://hidden.onion/",
    "https://exa%6dple.com/",
    "https://-example.com/",
    "https://example..com/",
    "https://foo.0x7f/",
    "https://example.com.127/",
    "https://ⓛocalhost/",
    "https://１２７.0.0.1/",
]
TRICKS = [
    "https://example.com/\r\nHost: internal",
    "https://example.com/ space",
    "https://exa\tmple.com/",
    "https://example.com/\x00",
    "https://example.com/" + "a" * 2048,
    "https://" + "a" * 300 + ".com/",
    " https://example.com/",
    "",
]
REFUSED = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "168.63.129.16",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "169.254.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:7f00:1::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "localhost",
    "1",
    "0x7f000001",
    "nonsense",
]
PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "100.63.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
]


@pytest.mark.parametrize("url", [*HOSTILE_URLS, *TRICKS])
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(BadUrl):
        Reach().read(url)


def test_there_are_enough_hostile_urls() -> None:
    assert len(set(HOSTILE_URLS)) + len(TRICKS) >= 60


@pytest.mark.parametrize(
    ("url", "authority", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://example.com/hooks?a=b", "example.com", "/hooks?a=b"),
        ("https://EXAMPLE.com:443/", "example.com", "/"),
        ("https://hooks.example.co.uk:8443/x", "hooks.example.co.uk:8443", "/x"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", "/"),
    ],
)
def test_an_ordinary_url_is_taken(url: str, authority: str, path: str) -> None:
    target = Reach().read(url)
    assert (target.authority, target.path, target.is_tls) == (authority, path, True)


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_is_not_of_the_open_internet_is_refused(address: str) -> None:
    assert not is_public(address)
    assert not Reach().allows(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_the_open_internet_is_taken(address: str) -> None:
    assert is_public(address)


def test_a_sandbox_sends_to_this_machine() -> None:
    assert Reach(everywhere=True).read("http://127.0.0.1:1234/x").authority == "127.0.0.1:1234"
    assert Reach(everywhere=True).allows("127.0.0.1")


@pytest.mark.parametrize(
    ("case", "answers"),
    [
        ("the name was private all along", [["10.0.0.1"]]),
        ("one address of several is private", [["8.8.8.8", "127.0.0.1"]]),
        ("one address of several is private, in IPv6", [["2606:4700::1111", "::ffff:169.254.169.254"]]),
    ],
)
def test_a_name_that_stands_for_a_private_address_is_not_connected_to(case: str, answers: list[list[str]]) -> None:
    async def post() -> str:
        async def lookup(_host: str, _port: int) -> list[str]:
            return answers[0]

        poster = Poster(Reach(), lookup)
        return (await poster.post(Reach().read("https://example.com/"), [], b"")).error

    assert asyncio.run(post()) == "address"


def test_a_name_that_is_rebound_after_it_was_judged_is_not_connected_to() -> None:
    """The address that was judged is the one that is connected to: nothing is looked up a second time."""
    connected: list[str] = []

    async def post() -> list[str]:
        answers = iter([["192.0.2.1"], ["8.8.8.8"], ["127.0.0.1"]])

        async def lookup(_host: str, _port: int) -> list[str]:
            return next(answers)

        loop = asyncio.get_running_loop()

        async def create_connection(_factory: object, host: str, *_arguments: object, **_more: object) -> None:
            connected.append(host)
            raise OSError

        loop.create_connection = create_connection  # type: ignore[assignment, method-assign]
        poster = Poster(Reach(), lookup)
        target = Reach().read("https://example.com/")
        return [(await poster.post(target, [], b"")).error for _ in range(3)]

    assert asyncio.run(post()) == ["address", "connection", "address"]
    assert connected == ["8.8.8.8"]
