"""A server that is no sandbox, with one client, for tests of what only production refuses.

Run as a module with ``serve …`` it resolves ``rebound.example`` by the file that PRIVATE_NAMES_FILE names.
"""

import os
import socket
from pathlib import Path
from typing import Any

import httpx

from tallystick.server.keys import CLIENT, OPERATOR, KeyTable
from tests.deliver.customer import Client
from tests.running import RunningServer

MODULE = "tests.deliver.production"
NAMES = "PRIVATE_NAMES_FILE"
REBOUND = "rebound.example"


class Production:
    """``settings`` are lines of its configuration. ``operator`` is an operator's token."""

    def __init__(self, folder: Path, settings: str = "", **environment: str) -> None:
        file, data = folder / "tallystick.toml", folder / "data"
        file.write_text(settings)
        data.mkdir(mode=0o700, exist_ok=True)
        table = KeyTable(data)
        self._secret = table.add(CLIENT, "broker", 0)
        self.operator = table.add(OPERATOR, "ann", 0)
        table.close()
        self.server = RunningServer(data, "--config", str(file), environment=environment, module=MODULE)

    def client(self) -> Client:
        form = {"grant_type": "client_credentials", "client_id": "broker", "client_secret": self._secret}
        answer = httpx.post(f"{self.server.url}/sophic/auth/token", data=form)
        return Client(self.server, str(answer.json()["access_token"]))


def _resolve_ours() -> None:
    """The name's addresses are the lines of the file, read anew for each look; each look leaves a line beside it."""
    everybody_else = socket.getaddrinfo
    file = Path(os.environ.get(NAMES, "none"))

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **more: Any) -> Any:
        if host != REBOUND:
            return everybody_else(host, port, *arguments, **more)
        with file.with_suffix(".looks").open("a") as looks:
            looks.write("once\n")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in file.read_text().split()]

    socket.getaddrinfo = getaddrinfo


if __name__ == "__main__":
    from tallystick.cli.main import main

    _resolve_ours()
    main()
