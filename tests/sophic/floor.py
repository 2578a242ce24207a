"""A whole Sophic venue inside the test's process: the host, the door and the API, without a socket.

Everything is real but the transport. Time passes only while a request or ``wait`` runs.
"""

import asyncio
import json
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tallystick.access.principal import SCOPES
from tallystick.dialects.sophic.policy import Policy
from tallystick.dialects.sophic.sandbox import fixed_prices, sandbox_policy
from tallystick.facts.codes import CUSTOMER
from tallystick.facts.commands import Accepted, ChangeAccount, OpenAccount, Transfer
from tallystick.server.admission import open_admission
from tallystick.server.app import make_app
from tallystick.server.config import Webhooks
from tallystick.server.deliveries import Deliveries
from tallystick.server.health import Health
from tallystick.server.host import Host
from tallystick.server.keys import CLIENT, KeyTable
from tallystick.server.rates import Rate
from tests.sophic.customer import order_body

T = TypeVar("T")
DEMO = "sandbox"
PLENTY = 10_000_000_00


class Floor:
    """``send`` speaks as the demo client unless it is given another one's token."""

    def __init__(self, data: Path, policy: Policy | None = None, rate: Rate | None = None) -> None:
        self._runner = asyncio.Runner()
        self.host = Host(data, policy or sandbox_policy(0), fixed_prices())
        self._keys = KeyTable(data)
        self.secrets: dict[str, str] = {}
        self._admission = open_admission(data, self.host.secret, static_token=DEMO, rate=rate)
        self._deliveries = Deliveries(self.host, self._admission, data, Webhooks(), is_sandbox=True)
        self.app = make_app(self.host, Health(self.host.venues), self._admission, self._deliveries)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(self.app), base_url="http://venue/sophic")
        self.run(self._start())

    async def _start(self) -> None:
        await self.host.start()
        await asyncio.sleep(0.01)  # the first quotes

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run(self.http.aclose())
        self.run(self._deliveries.stop())
        self.run(self.host.stop())
        self._runner.close()
        self._admission.close()
        self._keys.close()

    @property
    def state(self):
        return self.host.sophic.state

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def wait(self, seconds: float) -> None:
        self.run(asyncio.sleep(seconds))

    def ask(self, command: Any) -> Any:
        """The venue's answer to a command that no client may give."""
        return self.run(self.host.sophic.ask(command, lambda answer, _state: answer))

    def client(self, name: str, *scopes: str) -> str:
        """A new client; its token, which covers ``scopes``, or all there are."""
        self.secrets[name] = self._keys.add(CLIENT, name, 0, scopes or SCOPES)
        return self.token(name)

    def token(self, name: str) -> str:
        """Another token of the client."""
        form = {"grant_type": "client_credentials", "client_id": name, "client_secret": self.secrets[name]}
        return str(self.send("POST", "/auth/token", token=None, data=form).json()["access_token"])

    def account(self, name: str, owner: str, funds: int = PLENTY, flags: int = 0) -> int:
        """A new account of ``owner`` with USD of its own, in cents; its number."""
        opened = self.ask(OpenAccount(name, CUSTOMER, owner=owner, flags=flags))
        assert isinstance(opened, Accepted)
        if funds:
            self.ask(Transfer(self.state.account_named["world"].number, opened.number, "USD", funds))
        return opened.number

    def disown(self, name: str) -> None:
        """The account is nobody's from now on."""
        self.ask(ChangeAccount(self.state.account_named[name].number, owner=""))

    def send(self, method: str, path: str, *, token: str | None = DEMO, **more: Any) -> httpx.Response:
        return self.run(self.send_later(method, path, token=token, **more))

    async def send_later(self, method: str, path: str, *, token: str | None = DEMO, **more: Any) -> httpx.Response:
        headers = dict(more.pop("headers", {}))
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return await self.http.request(method, path, headers=headers, **more)

    def read(self, path: str, *, token: str = DEMO, **query: Any) -> Any:
        answer = self.send("GET", path, token=token, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pages(self, path: str, *, token: str = DEMO, **query: Any) -> list[list[Any]]:
        """Every page, following the links."""
        found = []
        answer = self.send("GET", path, token=token, params=query)
        while True:
            assert answer.status_code == 200, answer.text
            found.append(answer.json())
            link = answer.links.get("next") or answer.links.get("prev")
            if link is None:
                return found
            answer = self.send("GET", f"http://venue{link['url']}", token=token)

    def place(
        self, side: str, amount: str, instrument: str = "ins_acme", *, account: str = "acc_demo", token: str = DEMO
    ) -> dict[str, Any]:
        answer = self.send(
            "POST", f"/accounts/{account}/orders", token=token, content=order_body(side, amount, instrument)
        )
        assert answer.status_code == 201, answer.text
        return dict(json.loads(answer.content))
