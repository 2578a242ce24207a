"""A sandbox's operations door on a socket, in a thread of this process, for those who speak HTTP themselves."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from hashlib import sha256
from pathlib import Path
from socket import AF_INET, SOCK_STREAM, socket

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tallystick.dialects.sophic.sandbox import fixed_prices, sandbox_policy
from tallystick.facts.codes import BUY, CASH, MARKET_ORDER
from tallystick.facts.commands import PlaceOrder
from tallystick.server.doors.ops import ops_router
from tallystick.server.host import Host
from tallystick.server.operators import Operators

TOKEN = "tso_of-ann"


@contextmanager
def served(data: Path) -> Iterator[str]:
    """The server's URL; its operator ann has TOKEN. Two buys of the demonstration's account stay placed for long."""
    ready = threading.Event()
    with socket(AF_INET, SOCK_STREAM) as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(_app(data, ready), lifespan="on", ws="none", log_config=None))
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listener])), daemon=True)
        thread.start()
        assert ready.wait(30)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(30)


def _app(data: Path, ready: threading.Event) -> Starlette:
    host = Host(data, sandbox_policy(1000), fixed_prices())
    operators = Operators(None, {"ann": sha256(TOKEN.encode()).hexdigest()})

    @asynccontextmanager
    async def running(_app: Starlette) -> AsyncIterator[None]:
        await host.start()
        demo = host.sophic.state.account_named["acc_demo"].number
        for cash in (10_000, 20_000):
            command = PlaceOrder(demo, 1, BUY, MARKET_ORDER, CASH, cash)
            await host.sophic.ask(command, lambda answer, _state: answer)
        ready.set()
        yield
        await host.stop()

    return Starlette(routes=[Mount("/ops", app=ops_router(host, operators))], lifespan=running)
