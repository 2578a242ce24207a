"""What a server outside a sandbox does with URLs that lead inside, and with names that turn out to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deliver.customer import Client, delivered
from tests.deliver.production import NAMES, REBOUND, Production
from tests.deliver.test_addresses import HOSTILE_URLS, TRICKS


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("names") / "names"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, names: Path) -> Iterator[Client]:
    settings = "[webhooks]\nretry_scale = 0.00001\n[limits]\nrequests_per_second = 0.0"
    production = Production(tmp_path_factory.mktemp("hostile"), settings, **{NAMES: str(names)})
    with production.server, production.client() as client:
        yield client
        assert "Traceback" not in production.server.log


def test_there_are_enough_of_them() -> None:
    assert len({*HOSTILE_URLS, *TRICKS}) >= 60


@pytest.mark.parametrize("url", [*HOSTILE_URLS, *TRICKS])
def test_it_cannot_be_registered(client: Client, url: str) -> None:
    answer = client.http.post("/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert [each["path"] for each in answer.json()["params"]] == ["body.url"]
    assert client.get("/webhooks") == []


@pytest.mark.parametrize("url", ["http://example.com/", "https://127.0.0.1/", "https://db.internal/"])
def test_nor_can_one_that_is_registered_be_led_there(client: Client, url: str) -> None:
    webhook = client.register("https://hooks.example.com/")
    answer = client.http.put(f"/webhooks/{webhook['id']}", json={"url": url})
    assert answer.status_code == 400
    assert client.get(f"/webhooks/{webhook['id']}")["url"] == "https://hooks.example.com/"
    client.http.delete(f"/webhooks/{webhook['id']}")


@pytest.mark.parametrize(
    ("case", "addresses"),
    [
        ("this machine", "127.0.0.1"),
        ("the metadata of a cloud", "169.254.169.254"),
        ("one public address and a private one", "8.8.8.8 10.0.0.1"),
        ("one public address and a private one in IPv6", "8.8.8.8 ::ffff:10.0.0.1"),
    ],
)
def test_a_name_that_was_good_and_now_stands_for_something_inside_is_not_connected_to(
    client: Client, names: Path, case: str, addresses: str
) -> None:
    """Nothing is looked up when it is registered: what counts is where each attempt would connect to."""
    names.write_text(addresses)
    looks = names.with_suffix(".looks")
    looks.write_text("")
    webhook = client.register(f"https://{REBOUND}:8443/hooks")
    assert looks.read_text() == ""
    client.http.post(f"/webhooks/{webhook['id']}/test", json={"event": {"name": "x"}})
    found = delivered(client, webhook["id"], "failed")
    assert {each["error"]["error_type"] for each in found["attempts"]} == {"address"}
    assert {each["response"] for each in found["attempts"]} == {None}
    assert addresses.split()[0] not in str(found), "what a name stands for is not told"
    assert len(looks.read_text().split()) == len(found["attempts"]) == 10
    client.http.delete(f"/webhooks/{webhook['id']}")
