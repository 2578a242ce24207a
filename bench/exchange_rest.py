"""Signed orders of an exchange over REST: durable ones in a second, and from the acknowledgement to the event.

Half of the orders rest and half take them. They are signed before the clock starts; the server verifies each. The time
from an acknowledgement to its event is what a client sees: it is below nothing where the event was there first.
"""

import asyncio
import json
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, Final

import msgspec
from aiohttp import ClientSession, ClientWebSocketResponse, TCPConnector

from bench.options import Options
from bench.processes import CLIENT_CORE, ask, serving
from bench.report import Figure, Finding, say
from tallystick.dialects.bluefin.exchange_info import IDS_ID
from tallystick.dialects.bluefin.hashes import order_hash
from tallystick.dialects.bluefin.signatures import order_message
from tallystick.dialects.bluefin.trade_wire import OrderFields
from tallystick.dialects.bluefin.wallet import Wallet

WALLETS: Final = 32
CONNECTIONS: Final = 64
PRICE: Final = 3000 * 10**9
SECONDS_AHEAD: Final = 3600
_salts: Final = count(1)


def run(options: Options) -> list[Finding]:
    """Medians of three rounds."""
    found: dict[str, list[float]] = {}
    orders = 1_000 if options.quick else 5_000
    for number in range(1 if options.quick else 3):
        with tempfile.TemporaryDirectory(dir=options.folder) as place:
            command = ["tallystick", "serve", "--port", "0", "--data", f"{place}/data"]
            with serving(command, Path(place) / "log", compiled=options.compiled_server) as server:
                question = {"port": server.port, "orders": orders}
                measured = ask("bench.exchange_rest", question, core=CLIENT_CORE)
        for name, value in measured.items():
            found.setdefault(name, []).append(value)
        shown = ", ".join(f"{name} {value:,.2f}" for name, value in measured.items())
        say(f"  round {number + 1}: {shown}")
    middle = {name: median(values) for name, values in found.items()}
    return [
        Figure("exchange, durable signed orders over REST", middle["orders"], "/s"),
        Figure("exchange, from acknowledgement to event, p50", middle["event p50 ms"], "ms"),
        Figure("exchange, from acknowledgement to event, p99", middle["event p99 ms"], "ms"),
    ]


class _Trader:
    """One wallet: its token, its signed orders, and when each of them was told."""

    def __init__(self, session: ClientSession, number: int) -> None:
        self._session: Final = session
        self._wallet: Final = Wallet(bytes([number + 1]) * 32)
        self._headers: dict[str, str] = {}
        self.told: Final[dict[str, float]] = {}

    async def log_in(self) -> None:
        login = {"accountAddress": self._wallet.address, "signedAtMillis": _millis(), "audience": "api"}
        body = json.dumps(login).encode()
        headers = {"payloadSignature": self._wallet.sign(body)}
        async with self._session.post("/bluefin/auth/v2/token", data=body, headers=headers) as answer:
            token = (await answer.json())["accessToken"]
        self._headers = {"authorization": f"Bearer {token}", "content-type": "application/json"}

    async def listen(self) -> ClientWebSocketResponse:
        socket = await self._session.ws_connect("/bluefin/ws/account", headers=self._headers)
        await socket.send_json({"method": "Subscribe", "dataStreams": ["AccountOrderUpdate"]})
        await socket.receive_json()
        return socket

    async def hear(self, socket: ClientWebSocketResponse) -> None:
        async for message in socket:
            payload = json.loads(message.data)["payload"]
            self.told.setdefault(payload["orderHash"], time.perf_counter())

    def signed(self, side: str) -> tuple[str, bytes]:
        """An order's hash, and the body that places it."""
        fields = {
            "symbol": "ETH-PERP",
            "accountAddress": self._wallet.address,
            "priceE9": str(PRICE),
            "quantityE9": "10000000",
            "side": side,
            "leverageE9": "3000000000",
            "isIsolated": False,
            "salt": str(next(_salts)),
            "idsId": IDS_ID,
            "expiresAtMillis": _millis() + SECONDS_AHEAD * 1000,
            "signedAtMillis": _millis(),
        }
        typed = msgspec.convert(fields, OrderFields)
        signature = self._wallet.sign(order_message(typed))
        body = {"signedFields": fields, "signature": signature, "type": "LIMIT", "reduceOnly": False}
        return order_hash(typed), json.dumps(body).encode()

    async def place(self, body: bytes) -> float:
        """When it was acknowledged."""
        async with self._session.post("/bluefin/api/v1/trade/orders", data=body, headers=self._headers) as answer:
            assert answer.status == 202, await answer.text()
            await answer.read()
        return time.perf_counter()


async def _measure(port: int, orders: int) -> dict[str, float]:
    connector = TCPConnector(limit=CONNECTIONS + WALLETS)
    async with ClientSession(f"http://127.0.0.1:{port}", connector=connector) as session:
        traders = [_Trader(session, number) for number in range(WALLETS)]
        for trader in traders:
            await trader.log_in()
        sockets = [await trader.listen() for trader in traders]
        hearing = [asyncio.create_task(each.hear(socket)) for each, socket in zip(traders, sockets, strict=True)]
        signed = [
            (traders[number % WALLETS], *traders[number % WALLETS].signed("LONG" if number // WALLETS % 2 else "SHORT"))
            for number in range(orders)
        ]
        acknowledged: dict[str, float] = {}
        waiting = iter(signed)

        async def post() -> None:
            for trader, digest, body in waiting:
                acknowledged[digest] = await trader.place(body)

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(CONNECTIONS)))
        seconds = time.perf_counter() - began
        told: dict[str, float] = {}
        async with asyncio.timeout(30):
            while len(told) < orders:
                await asyncio.sleep(0.05)
                for trader in traders:
                    told.update(trader.told)
        for task in hearing:
            task.cancel()
        for socket in sockets:
            await socket.close()
    late = sorted(1000 * (told[digest] - then) for digest, then in acknowledged.items())
    return {
        "orders": orders / seconds,
        "event p50 ms": late[len(late) // 2],
        "event p99 ms": late[len(late) * 99 // 100],
    }


def _millis() -> int:
    return time.time_ns() // 1_000_000


def main() -> None:
    question: dict[str, Any] = json.loads(sys.argv[1])
    print(json.dumps(asyncio.run(_measure(question["port"], question["orders"]))))


if __name__ == "__main__":
    main()
