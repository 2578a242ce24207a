"""``tallystick ops`` against a served venue: what it prints, what it says when it may not, and that no secret shows."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner, Result

from tallystick.cli import ops_tables
from tallystick.cli.main import app
from tallystick.cli.ops_client import OpsClient, OpsError
from tests.ops.served import TOKEN, served


class Terminal(NamedTuple):
    """Where an operator types; the token is ann's unless another is given."""

    url: str

    def type(self, *words: str, token: str = TOKEN, url: str = "") -> Result:
        environment = {"TALLYSTICK_OPS_URL": url or self.url, "TALLYSTICK_OPS_TOKEN": token}
        result = CliRunner().invoke(app, ["ops", *words], env=environment, catch_exceptions=False)
        assert token not in result.output.replace("TALLYSTICK_OPS_TOKEN", "")
        return result

    def do(self, *words: str) -> str:
        result = self.type(*words)
        assert result.exit_code == 0, result.output
        return result.output

    def json(self, *words: str) -> Any:
        return json.loads(self.do(*words, "--json"))

    def fails(self, *words: str, **more: str) -> str:
        result = self.type(*words, **more)
        assert result.exit_code == 1, result.output
        assert not result.stdout
        return result.stderr


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    with served(tmp_path_factory.mktemp("served") / "data") as url:
        yield Terminal(url)


def test_an_account_is_opened_funded_suspended_and_resumed(terminal: Terminal) -> None:
    opened = terminal.json("open", "--owner", "bob", "--flag", "reviewed", "--reason", "new customer")
    name = opened["id"]
    fund = ("fund", name, "250.00", "USD", "--reason", "wire", "--reference", "wire-9")
    assert "250.00" in terminal.do(*fund)
    assert terminal.json(*fund)["balances"][0]["settled"] == "250.00"
    assert (
        terminal.json("withdraw", name, "50.00", "USD", "--reason", "wire back", "--reference", "back-9")["balances"][
            0
        ]["settled"]
        == "200.00"
    )
    assert terminal.json("suspend", name, "--reason", "odd")["status"] == "suspended"
    assert "active" in terminal.do("resume", name, "--reason", "explained")
    assert terminal.json("accounts", "--owner", "bob")["accounts"] == [terminal.json("account", name)]
    assert "200.00 USD" in terminal.do("accounts", "--owner", "bob")


def test_opening_an_account_prints_its_id_alone(terminal: Terminal) -> None:
    name = terminal.do("open", "--reason", "new customer").removesuffix("\n")
    assert terminal.json("account", name)["id"] == name
    assert "balances: none" in terminal.do("account", name)


@pytest.mark.parametrize("command", ["fund", "withdraw"])
def test_a_transfer_has_a_reference_so_that_it_can_be_repeated(terminal: Terminal, command: str) -> None:
    result = terminal.type(command, "acc_demo", "1.00", "USD", "--reason", "wire")
    assert result.exit_code == 2
    assert "--reference" in result.stderr


def test_the_groups_options_may_stand_after_the_command_too(terminal: Terminal) -> None:
    told = terminal.json("account", "acc_demo")
    assert json.loads(terminal.do("--json", "account", "acc_demo")) == told
    there = terminal.type("account", "acc_demo", "--json", "--url", terminal.url, url="http://127.0.0.1:1")
    assert json.loads(there.stdout) == told
    assert "unknown_venue" in terminal.fails("accounts", "--venue", "nowhere")


def test_a_list_of_nothing_says_none(terminal: Terminal) -> None:
    assert terminal.do("accounts", "--owner", "nobody") == "none\n"


def test_a_market_is_halted_and_resumed(terminal: Terminal) -> None:
    assert "not_trading" in terminal.do("halt", "ins_tbill", "--reason", "news")
    assert "sell_only" in terminal.do("resume-market", "ins_tbill", "--status", "sell_only", "--reason", "news out")
    assert {each["id"]: each["status"] for each in terminal.json("markets")["markets"]}["ins_tbill"] == "sell_only"


def test_the_audit_tells_who_did_what_and_why_newest_first(terminal: Terminal) -> None:
    terminal.do("halt", "ins_world", "--reason", "first words")
    terminal.do("resume-market", "ins_world", "--reason", "second words")
    shown = terminal.do("audit", "--by", "ann", "--limit", "2")
    assert shown.index("second words") < shown.index("first words")
    assert "--after" in shown
    assert {each["by"] for each in terminal.json("audit", "--by", "ann")["entries"]} == {"ann"}
    assert "" in {each["by"] for each in terminal.json("audit", "--all", "--limit", "1000")["entries"]}


def test_the_audit_tells_what_an_entry_is_of(terminal: Terminal) -> None:
    name = terminal.json("open", "--reason", "new customer")["id"]
    terminal.do("fund", name, "7.00", "USD", "--reason", "wire", "--reference", "wire-7")
    terminal.do("suspend", name, "--reason", "news")
    shown = terminal.do("audit", "--account", name)
    assert f"7.00 USD from world to {name}" in shown
    assert re.search(rf"change account +{name} +news", shown)


def test_an_order_is_found_cancelled_and_its_history_told(terminal: Terminal) -> None:
    order = terminal.json("orders", "--account", "acc_demo", "--limit", "1")["orders"][0]["id"]
    shown = terminal.do("orders", "--status", "placed", "--market", "ins_acme", "--limit", "1")
    assert order in shown
    assert "200.00 cash" in shown
    assert f"--after {order}" in shown
    assert "order_not_waiting" in terminal.fails("clear", order, "--reason", "x")
    assert "cancelled" in terminal.do("cancel", order, "--reason", "asked by phone")
    assert "order_closed" in terminal.fails("cancel", order, "--reason", "again")
    history = terminal.do("order", order)
    assert "ended: cancelled, asked by phone, by cancel request" in history
    assert "order_placed" in history
    assert "cancel_requested, order_cancelled" in history


def test_what_fails_is_counted(terminal: Terminal) -> None:
    assert terminal.do("failing") == "Nothing is tried again.\n"
    assert terminal.json("failing")["orders"] == []


REFUSED = [
    (("account", "acc_none"), "unknown_account"),
    (("order", "ord_none"), "unknown_order"),
    (("cancel", "ord_none", "--reason", "x"), "unknown_order"),
    (("clear", "ord_none", "--reason", "x"), "unknown_order"),
    (("fail", "ord_none", "--reason", "x"), "unknown_order"),
    (("halt", "ins_none", "--reason", "x"), "unknown_market"),
    (("withdraw", "acc_demo", "100000.01", "USD", "--reason", "x", "--reference", "ref-x"), "insufficient_funds"),
    (("fund", "acc_demo", "1.001", "USD", "--reason", "x", "--reference", "ref-x"), "amount"),
    (("fund", "acc_demo", "1.00", "XYZ", "--reason", "x", "--reference", "ref-x"), "asset"),
    (("suspend", "acc_demo", "--reason", " "), "reason"),
    (("open", "--role", "king", "--reason", "x"), "role"),
    (("orders", "--status", "odd"), "status"),
    (("--venue", "nowhere", "accounts"), "unknown_venue"),
]


@pytest.mark.parametrize(("words", "told"), REFUSED)
def test_what_is_refused_is_told_in_the_doors_words(terminal: Terminal, words: tuple[str, ...], told: str) -> None:
    assert told in terminal.fails(*words)


def test_what_changes_something_needs_a_reason(terminal: Terminal) -> None:
    for words in (
        ("suspend", "acc_demo"),
        ("fund", "acc_demo", "1.00", "USD", "--reference", "r"),
        ("halt", "ins_acme"),
        ("open",),
    ):
        result = terminal.type(*words)
        assert result.exit_code == 2
        assert "--reason" in result.stderr


def test_a_wrong_token_is_told_how_to_come_by_a_right_one(terminal: Terminal) -> None:
    told = terminal.fails("accounts", token="canary-token")
    assert "unauthorized" in told
    assert "tallystick operator add" in told


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1", "no answer"),
        ("127.0.0.1:8420", "no address"),
        ("file:///etc/passwd", "no address"),
    ],
)
def test_where_nobody_answers_it_says_so(terminal: Terminal, url: str, told: str) -> None:
    assert told in terminal.fails("accounts", url=url)


def test_another_server_is_not_taken_for_the_door(terminal: Terminal) -> None:
    assert "is it the right --url?" in terminal.fails("accounts", url=f"{terminal.url}/elsewhere")


COUNTS = [
    ((1, 0), "1 order is tried again."),
    ((0, 2), "2 trades are tried again."),
    ((1, 1), "1 order and 1 trade are tried again."),
    ((1_200, 1), "1,200 orders and 1 trade are tried again."),
]


@pytest.mark.parametrize(("counts", "told"), COUNTS)
def test_what_is_tried_again_is_counted_in_words(
    counts: tuple[int, int], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ops_tables.say_failing(*counts)
    assert capsys.readouterr().out == f"{told}\n"


def test_a_narrow_terminal_breaks_no_id_amount_or_time(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    account = terminal.json("open", "--reason", "many words " * 15)["id"]
    entries = terminal.json("audit", "--account", account)["entries"]
    orders = terminal.json("orders", "--account", "acc_demo")["orders"]
    ops_tables.say_entries(entries)
    ops_tables.say_orders(orders)
    words = capsys.readouterr().out
    assert account in words
    assert "many words many words" in words
    for order in orders:
        for whole in (order["id"], "acc_demo", f"{order['size']['amount']} cash", order["placed_at"][:10]):
            assert whole in words
    assert "…" not in words


def test_the_client_does_not_show_its_token() -> None:
    assert "canary" not in repr(OpsClient("http://127.0.0.1:1", "sophic", "canary"))


def test_a_password_in_the_address_is_refused_and_not_repeated() -> None:
    with pytest.raises(OpsError) as refused:
        OpsClient("http://ann:canary-0123456789@127.0.0.1:8421", "sophic", "token")
    assert "canary" not in str(refused.value)
