"""What other machines may reach: only what has keys of its own, and nothing whose keys nobody holds yet."""

from collections.abc import Iterator
from pathlib import Path

from tallystick.journal.folder import JOURNAL_FILE
from tallystick.server.addresses import BadAddress, read_bind, resolve
from tallystick.server.config import Config
from tallystick.server.config_faults import Fault
from tallystick.server.keys import CLIENT, OPERATOR, count_enabled


def exposed_without_keys(config: Config) -> Iterator[Fault]:
    """What the configuration opens to other machines, and must not; and addresses that are none."""
    is_open = False
    try:
        is_open = _is_open(config.server.host, config.server.port)
    except BadAddress as error:
        yield Fault("server.host", str(error))
    if is_open and config.sandbox.enabled:
        yield Fault(
            "sandbox.enabled",
            "must be false where other machines can reach the server, for the sandbox's token is no secret; "
            "or set server.host to 127.0.0.1",
        )
    if config.ops.bind:
        try:
            _is_open(*read_bind(config.ops.bind))
        except BadAddress as error:
            yield Fault("ops.bind", str(error))
    elif is_open:
        yield Fault(
            "ops.bind", 'must be an address of its own where other machines can reach the server, as "127.0.0.1:8421"'
        )


def exposed_without_anybody(config: Config) -> Iterator[Fault]:
    """What other machines could reach, and nobody could use: so it was not meant. Raises KeysError."""
    data = Path(config.server.data)
    where = f"--data {data}" if (data / JOURNAL_FILE).is_file() else f"--data {data} --new"
    if _is_open(config.server.host, config.server.port) and not count_enabled(data, CLIENT):
        yield Fault("server.host", f"no client could sign in; let one in first: tallystick client add {where}")
    has_operators = bool(config.ops.operators) or count_enabled(data, OPERATOR) > 0
    if config.ops.bind and _is_open(*read_bind(config.ops.bind)) and not has_operators:
        yield Fault("ops.bind", f"no operator could sign in; let one in first: tallystick operator add NAME {where}")


def _is_open(host: str, port: int) -> bool:
    return not resolve(host, port).is_loopback
