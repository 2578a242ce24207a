"""The exchange's own SDK as a client of a server of ours: methods are called by lines, and its account streams come in.

Wallets are numbers: an odd one signs with ed25519, an even one with secp256k1.
"""

import itertools
import json
import os
import subprocess
import threading
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from tests.bluefin.node import node, sdk

DRIVER = Path(__file__).with_name("driver.mjs")
SECONDS = 60


class SdkError(Exception):
    """The SDK's call failed: the HTTP ``status`` (0 for none), and the body or its own words."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(f"{status}: {body}")
        self.status = status
        self.body = body


class Sdk:
    """Over the server at ``base``; to be closed."""

    def __init__(self, base: str) -> None:
        environment = {**os.environ, "BLUEFIN_SDK_HTTP_VERSION": "1"}
        command = [*node(), str(DRIVER), str(sdk()), base]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        self._ids = itertools.count(1)
        self._answers: dict[int, Queue] = {}
        self._frames: dict[int, Queue] = {}
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __enter__(self) -> "Sdk":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)
        self._process.stdout.close()

    def call(self, wallet: int, call: str, *given: Any) -> Any:
        """What the client's method gives; raises SdkError."""
        number = next(self._ids)
        answer = self._answers[number] = Queue()
        line = {"id": number, "wallet": wallet, "call": call, "with": given}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        answered = answer.get(timeout=SECONDS)
        del self._answers[number]
        if "error" in answered:
            raise SdkError(answered["error"]["status"], answered["error"]["body"])
        return answered["result"]

    def frame(self, wallet: int) -> dict:
        """The next message of the wallet's account stream."""
        try:
            return self._frames_of(wallet).get(timeout=SECONDS)
        except Empty:
            raise AssertionError(f"nothing came for wallet {wallet} in {SECONDS} s") from None

    def _frames_of(self, wallet: int) -> Queue:
        return self._frames.setdefault(wallet, Queue())

    def _read(self) -> None:
        for line in self._process.stdout:
            try:
                said = json.loads(line)
            except ValueError:
                continue  # the SDK writes notes of its own
            if "frame" in said:
                self._frames_of(said["wallet"]).put(said["frame"])
            else:
                self._answers[said["id"]].put(said)
