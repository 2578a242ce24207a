"""The client: many connections that place orders until the server dies under them, and a reader of all it says."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Final, NamedTuple

import aiohttp
import httpx

from tests.crash.auditor import Heard, Terms
from tests.crash.books import AT_REST, Json, Report, require
from tests.running import RunningServer

CONNECTIONS: Final = 32
PAGE: Final = 500
DEADLINE_SECONDS: Final = 60
HEADERS: Final = {"Authorization": "Bearer sandbox"}


class Lot(NamedTuple):
    """An instrument's ``step``; sells of up to ``small`` steps fit into one trade, those in ``large`` need several."""

    step: Decimal
    small: int
    large: range


LOTS: Final = {
    "ins_acme": Lot(Decimal("0.000001"), 400_000, range(41_000_000, 400_000_000)),
    "ins_tbill": Lot(Decimal("0.01"), 60, range(5_200, 50_000)),
    "ins_world": Lot(Decimal("0.0001"), 12_000, range(1_220_000, 12_000_000)),
}
SMALL_BUY: Final = range(100, 6_000)  # cents
LARGE_BUY: Final = range(520_000, 6_000_000)
LARGE_SHARE: Final = 0.1
WORTHLESS_SHARE: Final = 0.02  # one step of a sell may be worth less than half a cent: such an order is cancelled


def random_terms(random: Random) -> Terms:
    instrument = random.choice(tuple(LOTS))
    lot, kind = LOTS[instrument], random.random()
    if random.random() < 0.5:
        cents = random.choice(LARGE_BUY if kind < LARGE_SHARE else SMALL_BUY)
        return Terms(instrument, "buy", Decimal(cents) / 100)
    if kind < LARGE_SHARE:
        steps = random.choice(lot.large)
    else:
        steps = 1 if kind < LARGE_SHARE + WORTHLESS_SHARE else random.randint(1, lot.small)
    return Terms(instrument, "sell", steps * lot.step)


class Crowd:
    """Places orders on many connections and watches the newest ones; ``kill`` is called at an acknowledgement."""

    def __init__(self, account: str, seed: str, kill_after: int, kill: Callable[[], None]) -> None:
        self.heard: Final = Heard()
        self._account: Final = account
        self._seed: Final = seed
        self._kill_after: Final = kill_after
        self._kill: Final = kill
        self._dead = False

    async def run(self) -> Heard:
        timeout = aiohttp.ClientTimeout(total=DEADLINE_SECONDS)
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(headers=HEADERS, timeout=timeout, connector=connector) as session:
            placing = [self._place(session, Random(f"{self._seed}/{number}")) for number in range(CONNECTIONS)]
            await asyncio.gather(self._watch(session, Random(f"{self._seed}/watch")), *placing)
        return self.heard

    async def _place(self, session: aiohttp.ClientSession, random: Random) -> None:
        while not self._dead:
            terms = random_terms(random)
            size = "cash_amount" if terms.side == "buy" else "quantity"
            body = {
                "instrument": terms.instrument,
                "order_type": "market",
                "side": terms.side,
                size: f"{terms.amount:f}",
            }
            try:
                async with session.post(f"{self._account}/orders", json=body) as response:
                    answer = await response.json()
            except aiohttp.ClientConnectorError:
                return  # it was never sent
            except (aiohttp.ClientError, ConnectionError):
                self.heard.unknown.append(terms)
                return
            self._take(response.status, answer)

    def _take(self, status: int, answer: Json) -> None:
        if status != 201:
            require(status == 400 and answer["code"].startswith("insufficient_"), f"HTTP {status}", answer)
            self.heard.refused += 1
            return
        self.heard.acknowledged.append(answer)
        if len(self.heard.acknowledged) == self._kill_after:
            self._kill()
            self._dead = True

    async def _watch(self, session: aiohttp.ClientSession, random: Random) -> None:
        """One read after the other: what it sees is in the order in which it happened."""
        while not self._dead:
            try:
                async with session.get(f"{self._account}/orders?limit={random.randint(10, 300)}") as response:
                    self.heard.seen.extend(reversed(await response.json()))
            except (aiohttp.ClientError, ConnectionError):
                return


def press(server: RunningServer, seed: str, kill_after: int) -> Heard:
    """Load the server until it has acknowledged ``kill_after`` orders, kill -9 it at once, and tell what was heard."""
    return asyncio.run(Crowd(server.account, seed, kill_after, server.kill).run())


class Reader:
    """Reads the public API of a running server, one request after the other."""

    def __init__(self, server: RunningServer) -> None:
        self._server: Final = server
        self._client: Final = httpx.Client(headers=HEADERS, timeout=DEADLINE_SECONDS)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, *_error: object) -> None:
        self._client.close()

    def orders(self) -> list[Json]:
        """All of them, newest first, page by page."""
        found: list[Json] = []
        while True:
            after = {"starting_after": found[-1]["id"]} if found else {}
            page = self._get(f"{self._server.account}/orders", limit=PAGE, **after)
            found += page
            if len(page) < PAGE:
                return found

    def still(self) -> Report:
        """Everything, of one moment: read again until nothing was journaled meanwhile."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            before = self.sequence()
            account = self._server.account
            report = Report(self.orders(), self._get(f"{account}/cash-balances"), self._get(f"{account}/positions"))
            if self.sequence() == before:
                return report
        raise TimeoutError("the venue does not come to a halt")

    def at_rest(self) -> Report:
        """Everything, once each order is settled or cancelled."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            report = self.still()
            if all(order["status"] in AT_REST for order in report.orders):
                return report
            time.sleep(0.02)
        raise TimeoutError("some orders never come to rest")

    def sequence(self) -> int:
        """The newest durable sequence."""
        return int(self._get(f"{self._server.url}/healthz")["venues"]["sophic"]["sequence"])

    def _get(self, url: str, **query: Any) -> Any:
        response = self._client.get(url, params=query)
        require(response.status_code == 200, f"HTTP {response.status_code} from {url}", response.text)
        return response.json()
