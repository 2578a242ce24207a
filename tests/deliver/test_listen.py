"""``tallystick listen``: the same events without registering anything."""

import re
import subprocess
import sys
from pathlib import Path

from tests.deliver.customer import EVENTS_OF_A_BUY, Client, served
from tests.deliver.receiver import Receiver

ROOT = Path(__file__).parents[2]


def listener(*options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "tallystick", "listen", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    process.terminate()
    return process.communicate(timeout=20)


def test_each_event_is_forwarded_signed_and_printed_and_goes_on_after_a_restart(tmp_path: Path) -> None:
    with Receiver() as receiver:
        with served(tmp_path) as server, Client(server) as client:
            port = server.url.rpartition(":")[2]
            client.settled(client.buy())
            url = f"{server.url}/sophic"
            process = listener("--url", url, "--after", "start", "--forward-to", receiver.url)
            receiver.wait_for(6)
            server.kill()
        with served(tmp_path, "--port", port) as server, Client(server) as client:
            client.settled(client.buy())
            received = receiver.wait_for(12)
        out, errors = ended(process)
    secret = re.search(r"whsec_\S+", errors)
    assert secret is not None
    for each in received:
        each.verify(secret[0])
    assert [each.event["name"] for each in received] == [*EVENTS_OF_A_BUY, *EVENTS_OF_A_BUY]
    lines = out.splitlines()
    assert [line.split()[0] for line in lines[:11]] == [each.headers["event-id"] for each in received[:11]]
    assert "-> 204" in lines[0]


def test_only_what_is_asked_for_is_printed(tmp_path: Path) -> None:
    with served(tmp_path) as server, Client(server) as client:
        client.settled(client.buy())
        url = f"{server.url}/sophic"
        process = listener("--url", url, "--after", "start", "--event", "order.filled", "--event", "order.settled")
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        ended(process)
        assert [line.split()[1] for line in lines] == ["order.filled", "order.settled"]


def test_what_cannot_be_listened_to_is_told_in_a_sentence(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        url = f"{server.url}/sophic"
        for options, words in (
            (("--url", url, "--after", "evt_0000000000000"), "There is no such position"),
            (("--url", url, "--client-id", "nobody", "--client-secret", "x"), "invalid_client"),
            (("--url", url, "--forward-to", "ftp://example.com"), "URL"),
            (("--url", url, "--secret", "mine"), "whsec_"),
            (("--url", server.url), "names the venue"),
            (("--url", "localhost:8420/sophic"), "names the venue"),
        ):
            process = listener(*options)
            _, errors = process.communicate(timeout=20)
            assert process.returncode == 1, options
            assert words in errors
            assert "Traceback" not in errors
