"""``tallystick deliver``: send webhooks in a process of its own, beside a server that leaves it to it."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Final

import aiohttp
import typer
from uvicorn.loops.auto import auto_loop_factory

from tallystick.deliver.addresses import Reach
from tallystick.deliver.book import BookError
from tallystick.deliver.courier import Policy
from tallystick.deliver.follow import Refused
from tallystick.deliver.hub import Hub
from tallystick.deliver.remote import RemoteFeed
from tallystick.deliver.schedule import Schedule
from tallystick.deliver.sealing import Sealer, SealError, read_key
from tallystick.deliver.service import Service, deliveries_file
from tallystick.dialects.sophic.outgoing import Notices
from tallystick.journal.folder import SECRET_BYTES, SECRET_FILE

VENUE: Final = "sophic"
START_SECONDS: Final = 1.0

Url = Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_URL", help="Where the server's operators are served.")]
Token = Annotated[str, typer.Option(envvar="TALLYSTICK_OPS_TOKEN", help="An operator's token.")]
Data = Annotated[Path, typer.Option(envvar="TALLYSTICK_DATA", help="The server's folder.")]
Key = Annotated[str, typer.Option(envvar="TALLYSTICK_WEBHOOKS_KEY", help="What webhooks' secrets are encrypted with.")]
RetryScale = Annotated[float, typer.Option(envvar="TALLYSTICK_WEBHOOKS_RETRY_SCALE", help="Of all waits.")]
Everywhere = Annotated[
    bool, typer.Option(envvar="TALLYSTICK_WEBHOOKS_EVERYWHERE", help="Over http and to this machine too: a sandbox.")
]


def deliver(
    url: Url = "http://127.0.0.1:8420/ops",
    token: Token = "sandbox",
    data: Data = Path("data"),
    key: Key = "",
    retry_scale: RetryScale = 1.0,
    everywhere: Everywhere = False,
) -> None:
    """Send webhooks until interrupted. The server is to be configured not to; of several senders one works."""
    policy = Policy(Schedule(scale=retry_scale), Reach(everywhere))
    try:
        secret = _secret(data)
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
            runner.run(_deliver(f"{url.rstrip('/')}/stream", token, data, secret, Sealer(read_key(key)), policy))
    except (BookError, SealError, Refused, ValueError, OSError) as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


def _secret(data: Path) -> bytes:
    """The installation's, which ids are made from. The server that owns the folder has made it."""
    secret = (data / SECRET_FILE).read_bytes()
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"{data / SECRET_FILE} is damaged: restore it from a backup.")
    return secret


async def _deliver(url: str, token: str, data: Path, secret: bytes, sealer: Sealer, policy: Policy) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with aiohttp.ClientSession() as session:
        feed = RemoteFeed(session, url, _bearer(token))
        if not await _begun(feed, stop):
            return
        service = Service(data / deliveries_file(VENUE), Hub(feed), secret, Notices(secret).disabled, policy, sealer)
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
    """Wait until the server can be reached; False if asked to stop before."""
    is_told = False
    while not stop.is_set():
        try:
            await feed.start()
        except (aiohttp.ClientConnectionError, TimeoutError) as error:
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
