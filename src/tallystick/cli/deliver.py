"""``tallystick deliver``: send webhooks in a process of its own, beside a server that leaves it to it."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Annotated, Final

import aiohttp
import typer
from uvicorn.loops.auto import auto_loop_factory

from tallystick.deliver.book import BookError
from tallystick.deliver.courier import Policy
from tallystick.deliver.follow import Refused
from tallystick.deliver.hub import Hub
from tallystick.deliver.remote import RemoteFeed
from tallystick.deliver.sealing import Sealer, SealError, read_key
from tallystick.deliver.service import Service, deliveries_file
from tallystick.dialects.sophic.outgoing import Notices
from tallystick.journal.folder import SECRET_BYTES, SECRET_FILE
from tallystick.server.admission import open_admission
from tallystick.server.config_faults import BadConfig
from tallystick.server.config_sources import load
from tallystick.server.deliveries import policy_of
from tallystick.server.host import SOPHIC
from tallystick.server.keys import KeysError

START_SECONDS: Final = 1.0

ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="TALLYSTICK_CONFIG", help="The server's file of settings.")
]
Url = Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_URL", help="Where the server's operators are served.")]
Token = Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_TOKEN", help="An operator's token.")]
Data = Annotated[str | None, typer.Option(help="The server's folder.", show_default="./data")]
Everywhere = Annotated[
    bool, typer.Option("--everywhere", help="Over http and to this machine too, for a sandbox without a file.")
]


def deliver(
    file: ConfigFile = None,
    url: Url = "http://127.0.0.1:8420",
    token: Token = "sandbox",
    data: Data = None,
    everywhere: Everywhere = False,
) -> None:
    """Send webhooks until interrupted, by the server's own settings: webhooks.sends is to be false there.

    Of several that send from a folder one works, and the next takes over when it ends.
    """
    try:
        config = load(file, os.environ, {"--data": data}).config
        folder = Path(config.server.data)
        # Without a file nothing says that the server is a sandbox, so it has to be said.
        is_sandbox = everywhere or (file is not None and config.sandbox.enabled)
        policy = policy_of(config.webhooks, everywhere=is_sandbox)
        stream = f"{url.rstrip('/')}/ops/venues/{SOPHIC}/stream"
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            sealer = Sealer(read_key(config.webhooks.key))
            secret = _secret(folder)
            with closing(open_admission(folder, secret, static_token="sandbox" if is_sandbox else "")) as admission:
                runner.run(_deliver(stream, token, folder, secret, sealer, policy, admission.may_receive))
    except (BadConfig, BookError, KeysError, SealError, Refused, ValueError, OSError) as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


def _secret(data: Path) -> bytes:
    """The installation's, which ids are made from. The server that owns the folder has made it."""
    path = data / SECRET_FILE
    if not path.is_file():
        raise ValueError(f"there is no {path}: name the server's data folder with --data or --config.")
    secret = path.read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"{path} is damaged: restore it from a backup.")
    return secret


async def _deliver(
    url: str,
    token: str,
    data: Path,
    secret: bytes,
    sealer: Sealer,
    policy: Policy,
    may_receive: Callable[[str], bool],
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession() as session:
        feed = RemoteFeed(session, url, _bearer(token))
        if not await _begun(feed, stop):
            return
        path, notice = data / deliveries_file(SOPHIC), Notices(secret).disabled
        service = Service(path, Hub(feed), secret, notice, policy, sealer, may_receive=may_receive)
        service.start()
        following = asyncio.get_running_loop().create_task(feed.run())
        following.add_done_callback(lambda _task: stop.set())
        typer.echo(f"Webhooks are sent from {data} (Ctrl-C stops it).")
        await stop.wait()
        following.cancel()
        await service.stop()
        with suppress(asyncio.CancelledError):
            await following


async def _begun(feed: RemoteFeed, stop: asyncio.Event) -> bool:
    """Wait until the server can be reached; False if asked to stop before. Raises Refused."""
    is_told = False
    while not stop.is_set():
        try:
            await feed.start()
        except (aiohttp.ClientError, TimeoutError) as error:
            if isinstance(error, aiohttp.ClientResponseError) and error.status < 500:
                raise Refused(error.status, error.message) from None
            if not is_told:
                typer.echo(f"The server cannot be reached yet: {error}", err=True)
            is_told = True
            with suppress(TimeoutError):
                async with asyncio.timeout(START_SECONDS):
                    await stop.wait()
        else:
            return True
    return False


def _bearer(token: str) -> Callable[[], Awaitable[str]]:
    async def authorize() -> str:
        return f"Bearer {token}"

    return authorize
