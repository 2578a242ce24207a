"""What a thousand followers of streams cost an acknowledgement: its p99 with them, and at the same rate without.

Each follows the events of a client of its own over server-sent events. Orders are placed for sixty-four of the clients,
so that each event goes to one follower, and the others wait for theirs. The load is that of ``latency``, placing alone.
"""

import asyncio
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final, cast

import aiohttp
from uvicorn.loops.auto import auto_loop_factory

from bench.latency import RATES, sustained
from bench.options import Options
from bench.processes import CLIENT_CORE, ask, environment, on_core, serving
from bench.report import Figure, Finding, say
from bench.rest import CONNECTIONS, PLACING_PACE, PLACING_SECONDS, server_command
from tallystick.journal.folder import DataFolder
from tallystick.server.keys import CLIENT, KeyTable

FOLLOWERS: Final = 1000
ROUNDS: Final = 3
AUTHORIZATION: Final = {"authorization": "Bearer sandbox"}
REASON: Final = {"reason": "bench"}


def run(options: Options) -> list[Finding]:
    """Both in turn, at the highest rate that is sustained without anybody following; medians of three rounds."""
    rate = next((rate for rate in RATES if sustained(_measure(options, rate, 0))), RATES[-1])
    alone: list[dict[str, Any]] = []
    beside: list[dict[str, Any]] = []
    for number in range(1 if options.quick else ROUNDS):
        for followers, findings in ((0, alone), (FOLLOWERS, beside)):
            found = _measure(options, rate, followers)
            findings.append(found)
            say(
                f"  round {number + 1}: {followers:>5,} followers at {rate:,}/s: p50 {found['p50_ms']:.2f}, "
                f"p99 {found['p99_ms']:.2f} ms; server {found['server_share']:.0%} of a core, "
                f"{found['followed']:,} events followed{'' if sustained(found) else ', NOT SUSTAINED'}"
            )
    without, with_them = (median(each["p99_ms"] for each in findings) for findings in (alone, beside))
    what = f"acknowledgement p99 at {rate:,}/s"
    return [
        Figure(f"{what}, nobody follows", without, "ms"),
        Figure(
            f"{what}, {FOLLOWERS:,} followers of streams, times that", with_them / without, "x", 2, 1.5, at_most=True
        ),
    ]


def _measure(options: Options, rate: int, followers: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(dir=options.folder) as place:
        folder = Path(place)
        secrets = _clients(folder / "data", max(followers, CONNECTIONS))
        command = server_command("sqlite", folder / "data", PLACING_PACE)
        with serving(command, folder / "log", compiled=options.compiled_server) as server:
            tokens = asyncio.run(_open_accounts(server.port, secrets))
            accounts = [(f"acc_{name}", token) for name, token in tokens.items()]
            question = {
                "loop": "open",
                "port": server.port,
                "server": server.process,
                "connections": CONNECTIONS,
                "rate": rate,
                "warm": PLACING_SECONDS,
                "seconds": 3.0 if options.quick else 6.0,
                "accounts": accounts[:CONNECTIONS],
            }
            with _following(server.port, list(tokens.values())[:followers]) as count:
                found = ask("bench.client", question, core=CLIENT_CORE)
            return found | {"followed": count.total}


def _clients(data: Path, count: int) -> dict[str, str]:
    """The secrets of so many clients, who are let in before the server starts."""
    DataFolder(data).release()
    table = KeyTable(data)
    secrets = {f"c{number}": table.add(CLIENT, f"c{number}", 0) for number in range(count)}
    table.close()
    return secrets


async def _open_accounts(port: int, secrets: Mapping[str, str]) -> dict[str, str]:
    """A token for each client; the first of them have an account with funds and units to sell."""
    tokens: dict[str, str] = {}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for number, (name, secret) in enumerate(secrets.items()):
            form = {"grant_type": "client_credentials", "client_id": name, "client_secret": secret}
            async with session.post("/sophic/auth/token", data=form) as answer:
                tokens[name] = (await answer.json())["access_token"]
            account = f"acc_{name}"
            await _operate(session, "accounts", {"name": account, "owner": name} | REASON)
            if number < CONNECTIONS:
                for asset, amount in (("USD", "100000.00"), ("ACME", "1000.000000")):
                    transfer = {"direction": "deposit", "asset": asset, "amount": amount, "reference": asset} | REASON
                    await _operate(session, f"accounts/{account}/transfers", transfer)
    return tokens


async def _operate(session: aiohttp.ClientSession, path: str, body: Mapping[str, str]) -> None:
    async with session.post(f"/ops/venues/sophic/{path}", json=body, headers=AUTHORIZATION) as answer:
        if answer.status not in (200, 201):
            raise RuntimeError(f"{path}: {await answer.text()}")


class _Count:
    total = 0


@contextmanager
def _following(port: int, tokens: list[str]) -> Iterator[_Count]:
    """A process that follows for each of these clients, and has seen so many events in the end."""
    count = _Count()
    if not tokens:
        yield count
        return
    with on_core(CLIENT_CORE):
        child = subprocess.Popen(
            [sys.executable, "-m", "bench.streams", str(port)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(compiled=False),
            text=True,
        )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(tokens) + "\n")
        child.stdin.flush()
        if child.stdout.readline() != "following\n":
            raise RuntimeError("nobody could follow")
        yield count
        count.total = int(child.communicate("", timeout=30)[0])
    finally:
        child.kill()
        child.communicate()


# --- The following process ---


class Follower(asyncio.Protocol):
    """Counts the events of one stream; ``begun`` when the first bytes came."""

    events = 0

    def __init__(self, token: str) -> None:
        self._token: Final = token
        self.begun: Final[asyncio.Future[None]] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        head = f"GET /sophic/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {self._token}"
        cast("asyncio.Transport", transport).write(f"{head}\r\naccept: text/event-stream\r\n\r\n".encode())

    def data_received(self, data: bytes) -> None:
        if not self.begun.done() and re.search(rb": from ", data):
            self.begun.set_result(None)
        Follower.events += data.count(b"\ndata: ")


async def follow(port: int) -> None:
    """Until stdin ends; then the number of events."""
    loop = asyncio.get_running_loop()
    followers: list[Follower] = []
    for token in json.loads(sys.stdin.readline()):
        _, follower = await loop.create_connection(lambda token=token: Follower(token), "127.0.0.1", port)  # type: ignore[misc]
        await asyncio.wait_for(follower.begun, 10)
        followers.append(follower)
    print("following", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(Follower.events, flush=True)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(follow(int(sys.argv[1])))
