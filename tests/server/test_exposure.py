"""What other machines may reach: a table of configurations, and what is said of those that are refused."""

from pathlib import Path

import pytest

from tallystick.server.addresses import BadAddress, bind, read_bind, resolve, url
from tallystick.server.config import Config, Operator, Ops, Sandbox, Server
from tallystick.server.exposure import exposed_without_anybody, exposed_without_keys
from tallystick.server.keys import CLIENT, OPERATOR, KeyTable

SOMEBODY = Operator(name="alice", token_sha256="0" * 64)


def configuration(host: str, sandbox: str, ops: str, data: Path = Path("data"), *operators: Operator) -> Config:
    return Config(
        server=Server(host=host, data=str(data)),
        sandbox=Sandbox(enabled=sandbox == "on"),
        ops=Ops(bind="" if ops == "beside" else ops, operators=operators),
    )


WITHOUT_KEYS = """
    host      | sandbox | ops            | refused
    127.0.0.1 | on      | beside         |
    127.0.0.1 | off     | beside         |
    localhost | on      | beside         |
    ::1       | on      | beside         |
    127.8.8.8 | on      | 127.0.0.1:8421 |
    0.0.0.0   | off     | 127.0.0.1:8421 |
    ::        | off     | [::1]:8421     |
    127.0.0.1 | on      | 0.0.0.0:8421   |
    0.0.0.0   | on      | 127.0.0.1:8421 | sandbox.enabled
    ::        | on      | 127.0.0.1:8421 | sandbox.enabled
    10.1.2.3  | on      | 127.0.0.1:8421 | sandbox.enabled
    0.0.0.0   | off     | beside         | ops.bind
    0.0.0.0   | on      | beside         | sandbox.enabled ops.bind
    127.0.0.1 | on      | 127.0.0.1      | ops.bind
    127.0.0.1 | on      | ::1:8421       | ops.bind
    127.0.0.1 | on      | :8421          | ops.bind
    127.0.0.1 | on      | 127.0.0.1:x    | ops.bind
    no host   | on      | 127.0.0.1:8421 | server.host
"""


@pytest.mark.parametrize("row", WITHOUT_KEYS.strip().splitlines()[1:])
def test_only_what_has_keys_of_its_own_is_open_to_other_machines(row: str) -> None:
    host, sandbox, ops, refused = (cell.strip() for cell in row.split("|"))
    faults = list(exposed_without_keys(configuration(host, sandbox, ops)))
    assert [fault.path for fault in faults] == refused.split()


WITHOUT_ANYBODY = """
    host      | ops            | keys            | refused
    127.0.0.1 | beside         |                 |
    127.0.0.1 | 127.0.0.1:8421 |                 |
    0.0.0.0   | 127.0.0.1:8421 |                 | server.host
    0.0.0.0   | 127.0.0.1:8421 | operator        | server.host
    0.0.0.0   | 127.0.0.1:8421 | client          |
    127.0.0.1 | 0.0.0.0:8421   | client          | ops.bind
    127.0.0.1 | 0.0.0.0:8421   | operator        |
    127.0.0.1 | 0.0.0.0:8421   | file            |
    0.0.0.0   | 0.0.0.0:8421   |                 | server.host ops.bind
    0.0.0.0   | 0.0.0.0:8421   | client operator |
"""


@pytest.mark.parametrize("row", WITHOUT_ANYBODY.strip().splitlines()[1:])
def test_nothing_is_open_to_other_machines_before_somebody_can_sign_in(tmp_path: Path, row: str) -> None:
    host, ops, keys, refused = (cell.strip() for cell in row.split("|"))
    for kind in (CLIENT, OPERATOR):
        if kind in keys.split():
            table = KeyTable(tmp_path)
            table.add(kind, "somebody", 0)
            table.close()
    config = configuration(host, "off", ops, tmp_path, *([SOMEBODY] if keys == "file" else []))
    faults = list(exposed_without_anybody(config))
    assert [fault.path for fault in faults] == refused.split()
    assert all(str(tmp_path) in fault.sentence for fault in faults)
    assert keys or not list(tmp_path.iterdir()), "looking makes nothing"


def test_an_ipv6_address_has_brackets_where_it_has_a_port() -> None:
    assert read_bind("[::1]:8421") == ("::1", 8421)
    try:
        listener = bind("::1", 0, "")
    except (BadAddress, OSError):
        pytest.skip("this machine has no IPv6")
    with listener:
        assert url(listener) == f"http://[::1]:{listener.getsockname()[1]}"


@pytest.mark.parametrize("text", ["127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:", "127.0.0.1: 8", "127.0.0.1:８"])
def test_a_port_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadAddress, match="host:port"):
        read_bind(text)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(BadAddress, match=r"192\.0\.2\.1 is no address of this machine\. Choose another: --host"):
        bind("192.0.2.1", 0, "--host ADDRESS")


def test_loopback_is_what_only_this_machine_reaches() -> None:
    assert resolve("127.0.0.1", 0).is_loopback
    assert not resolve("0.0.0.0", 0).is_loopback
