"""``tallystick listen``: follow a client's events, and forward each to a URL as a webhook would."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from typing import Annotated, Any, Final
from urllib.parse import urlencode

import aiohttp
import msgspec
import typer

from tallystick.deliver.addresses import BadUrl, Reach, Target
from tallystick.deliver.follow import Refused, follow
from tallystick.deliver.post import Poster
from tallystick.deliver.resolve import SystemLookup
from tallystick.deliver.signing import SECRET_BYTES, read_secret, secret_text, signatures
from tallystick.deliver.sse import SentEvent

Url = Annotated[str, typer.Option(envvar="TALLYSTICK_URL", help="The venue's address.")]
ForwardTo = Annotated[str, typer.Option(help="Post each event there, signed.")]
Token = Annotated[str, typer.Option(envvar="TALLYSTICK_TOKEN", help="A client's token.")]
ClientId = Annotated[str, typer.Option(envvar="TALLYSTICK_CLIENT_ID", help="Instead of a token.")]
ClientSecret = Annotated[str, typer.Option(envvar="TALLYSTICK_CLIENT_SECRET", help="Its secret.")]
After = Annotated[str, typer.Option(help="An event's id to go on after; start: from the first.")]
Since = Annotated[str, typer.Option(help="A time to begin at, as 2026-03-12T14:30:05Z.")]
Names = Annotated[list[str] | None, typer.Option("--event", help="Only events of this name; repeatable.")]
Secret = Annotated[str, typer.Option(envvar="TALLYSTICK_WEBHOOK_SECRET", help="Sign with this; made if need be.")]

REFRESH_SECONDS: Final = 60
URL_SHAPE: Final = "--url names the venue, as in http://127.0.0.1:8420/sophic."


def listen(
    forward_to: ForwardTo = "",
    url: Url = "http://127.0.0.1:8420/sophic",
    token: Token = "sandbox",
    client_id: ClientId = "",
    client_secret: ClientSecret = "",
    after: After = "",
    since: Since = "",
    event: Names = None,
    secret: Secret = "",
) -> None:
    """Print a client's events as they happen; goes on where it was when the server comes back."""
    query = {name: text for name, text in (("after", after), ("since", since)) if text}
    source = f"{url.rstrip('/')}/stream?{urlencode([*query.items(), *(('name', each) for each in event or ())])}"
    try:
        if not url.startswith(("http://", "https://")):
            raise ValueError(URL_SHAPE)
        target = Reach(everywhere=True).read(forward_to) if forward_to else None
        key = read_secret(secret) if secret else secrets.token_bytes(SECRET_BYTES)
        if target is not None and not secret:
            typer.echo(f"Deliveries are signed with {secret_text(key)}", err=True)
        with suppress(KeyboardInterrupt):
            asyncio.run(_listen(source, _Login(url.rstrip("/"), token, client_id, client_secret), target, key))
    except (BadUrl, ValueError, Refused) as error:
        hint = f" {URL_SHAPE}" if isinstance(error, Refused) and error.status == 404 else ""
        typer.secho(f"tallystick: {error}{hint}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


class _Login:
    """The Authorization header: a token that was given, or one that is got, and got anew before it ends."""

    def __init__(self, url: str, token: str, client_id: str, client_secret: str) -> None:
        self._url: Final = url
        self._token = token
        self._form: Final = {
            "grant_type": "client_credentials",
            "client_id": client_id,
            "client_secret": client_secret,
        }
        self._until = 0.0 if client_id else float("inf")

    def over(self, session: aiohttp.ClientSession) -> Callable[[], Awaitable[str]]:
        async def authorize() -> str:
            if time.monotonic() > self._until - REFRESH_SECONDS:
                async with session.post(f"{self._url}/auth/token", data=self._form) as answer:
                    if answer.status in (400, 401):
                        raise Refused(answer.status, (await answer.text())[:500])
                    answer.raise_for_status()
                    grant: dict[str, Any] = await answer.json()
                self._token, self._until = grant["access_token"], time.monotonic() + grant["expires_in"]
            return f"Bearer {self._token}"

        return authorize


async def _listen(source: str, login: _Login, target: Target | None, key: bytes) -> None:
    lookup = SystemLookup()
    poster = Poster(Reach(everywhere=True), lookup)
    try:
        async with aiohttp.ClientSession() as session:
            events = follow(session, source, login.over(session), "")
            async with aclosing(events):  # type: ignore[type-var]  # it is a generator
                async for event in events:
                    typer.echo(await _handled(event, poster, target, key))
    finally:
        poster.close()
        lookup.close()


async def _handled(event: SentEvent, poster: Poster, target: Target | None, key: bytes) -> str:
    """Forward the event if that is wanted: the line to print, with its id, which --after takes."""
    body = event.data.encode()
    resource = msgspec.json.decode(body).get("resource", {}).get("id", "")
    line = f"{event.id}  {event.name:<16}  {resource}"
    if target is None:
        return line
    delivery_id, now = event.id.replace("evt_", "whd_", 1), int(time.time())
    headers = [
        ("Content-Type", "application/json"),
        ("Webhook-Id", delivery_id),
        ("Webhook-Timestamp", str(now)),
        ("Webhook-Signature", signatures([key], delivery_id, now, body)),
        ("Webhook-Attempt", "1"),
        ("Event-Id", event.id),
    ]
    outcome = await poster.post(target, headers, body)
    return f"{line}  -> {outcome.status or outcome.detail} ({outcome.duration_us / 1000:.1f} ms)"
