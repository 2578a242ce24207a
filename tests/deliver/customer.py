"""A client of a served venue with webhooks: what it registers, orders, and sees."""

import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from tests.running import RunningServer

POLL_SECONDS = 0.005
EVENTS_OF_A_BUY = (
    "order.placed",
    "order.executing",
    "trade.executed",
    "order.filled",
    "trade.settled",
    "order.settled",
)


def served(folder: Path, *options: str, **environment: str) -> RunningServer:
    """Everything happens at once, at fixed prices; ten attempts are made within three seconds."""
    settings = {"TALLYSTICK_WEBHOOKS_RETRY_SCALE": "0.00001"} | environment
    return RunningServer(folder / "data", "--pace", "0", "--prices", "fixed", *options, environment=settings)


class Client:
    def __init__(self, server: RunningServer, token: str = "sandbox") -> None:
        self.http = httpx.Client(
            base_url=f"{server.url}/sophic", headers={"authorization": f"Bearer {token}"}, timeout=30
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.http.close()

    def register(self, url: str, **more: Any) -> dict[str, Any]:
        answer = self.http.post("/webhooks", json={"url": url, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def buy(self, cash: str = "1.00") -> dict[str, Any]:
        order = {"instrument": "ins_acme", "order_type": "market", "side": "buy", "cash_amount": cash}
        answer = self.http.post("/accounts/acc_demo/orders", json=order)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def settled(self, order: dict[str, Any]) -> None:
        """Return when it is."""
        deadline = time.monotonic() + 20
        while self.get(f"/accounts/acc_demo/orders/{order['id']}")["status"] != "settled":
            assert time.monotonic() < deadline

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def events(self) -> list[str]:
        """The ids of all events there are, oldest first."""
        found: list[str] = []
        while True:
            page = self.get("/events", limit=1000, **({"ending_before": found[-1]} if found else {}))
            if not found:
                page = self.get("/stream", after="start", limit=1000)["events"][::-1]
            if not page:
                return found
            found += [each["id"] for each in reversed(page)]


def delivered(client: Client, webhook: str, status: str) -> dict[str, Any]:
    """The webhook's newest delivery, once it has this status."""
    deadline = time.monotonic() + 30
    found: list[dict[str, Any]] = []
    while time.monotonic() < deadline:
        found = client.get(f"/webhooks/{webhook}/deliveries", limit=1)
        if found and found[0]["status"] == status:
            return dict(found[0])
        time.sleep(POLL_SECONDS)
    raise AssertionError(found)
