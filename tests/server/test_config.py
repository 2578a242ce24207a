"""Reading a configuration: what is set where, which of them wins, and every fault told with what to do."""

import re
import tomllib
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tallystick.cli.main import app
from tallystick.server.config import Config, Ops, Sandbox, Server
from tallystick.server.config_faults import BadConfig
from tallystick.server.config_rules import judge
from tallystick.server.config_sources import Loaded, load, settings

DOCUMENTED = Path(__file__).parents[2] / "docs" / "configuration.md"
DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
DIGEST_OF_SANDBOX = sha256(b"sandbox").hexdigest()
CANARY = "canary-0123456789"


def loaded(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None, **options: str) -> Loaded:
    file = tmp_path / "tallystick.toml"
    file.write_text(text)
    return load(file, environment or {}, {f"--{name.replace('_', '-')}": value for name, value in options.items()})


def faults(tmp_path: Path, text: str, environment: Mapping[str, str] | None = None, **options: str) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        loaded(tmp_path, text, environment, **options)
    return str(caught.value).splitlines()


def test_nothing_needs_to_be_set_and_what_is_served_then_is_a_sandbox() -> None:
    config = load(None, {}, {}).config
    assert config.sandbox.enabled
    assert (config.server.host, config.server.port, config.server.data) == ("127.0.0.1", 8420, "./data")
    assert config.sophic.settlement.delay_seconds == 5.0


def test_a_file_says_itself_whether_there_is_a_sandbox(tmp_path: Path) -> None:
    assert not loaded(tmp_path, "").config.sandbox.enabled
    assert loaded(tmp_path, "[sandbox]\nenabled = true").config.sandbox.enabled


def test_the_documented_file_is_every_default_and_names_every_setting(tmp_path: Path) -> None:
    text = re.findall(r"```toml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)[0]
    found = loaded(tmp_path, text)
    assert found.config == loaded(tmp_path, "").config
    unnamed = {path for path, origin in found.origins.items() if origin == "default"}
    assert unnamed == {"sophic.settlement.delay_seconds"}
    assert "delay_seconds" in text


def test_the_documented_operator_can_be_read(tmp_path: Path) -> None:
    text = re.findall(r"```toml\n(.*?)```", DOCUMENTED.read_text(), re.DOTALL)[1]
    assert [operator.name for operator in loaded(tmp_path, text).config.ops.operators] == ["alice"]


# --- Which of them wins ---

PRECEDENCE = """
    file | environment                                        | option | port | origin
         |                                                    |        | 8420 | default
    1111 |                                                    |        | 1111 | file
    1111 | TALLYSTICK_SERVER_PORT=2222                        |        | 2222 | environment TALLYSTICK_SERVER_PORT
    1111 | TALLYSTICK_PORT=3333                               |        | 3333 | environment TALLYSTICK_PORT
    1111 | TALLYSTICK_PORT=3333 TALLYSTICK_SERVER_PORT=2222   |        | 2222 | environment TALLYSTICK_SERVER_PORT
    1111 | TALLYSTICK_SERVER_PORT=                            |        | 1111 | file
    1111 | TALLYSTICK_PORT=3333 TALLYSTICK_SERVER_PORT=2222   | 4444   | 4444 | --port
         | TALLYSTICK_SERVER_PORT=2222                        | 4444   | 4444 | --port
"""


@pytest.mark.parametrize("row", PRECEDENCE.strip().splitlines()[1:])
def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path, row: str) -> None:
    in_file, variables, option, port, origin = (cell.strip() for cell in row.split("|"))
    environment = dict(each.split("=") for each in variables.split())
    options = {"port": option} if option else {}
    found = loaded(tmp_path, f"[server]\nport = {in_file}" if in_file else "", environment, **options)
    assert (found.config.server.port, found.origins["server.port"]) == (int(port), origin)


def test_holidays_may_be_dates_or_text(tmp_path: Path) -> None:
    as_text = loaded(tmp_path, '[sophic.settlement]\nholidays = ["2026-12-25"]').config
    as_dates = loaded(tmp_path, "[sophic.settlement]\nholidays = [2026-12-25]").config
    assert as_text == as_dates != Config()


# --- What a sandbox changes ---


def test_the_pace_of_a_sandbox_is_the_default_of_each_step_and_what_is_set_wins(tmp_path: Path) -> None:
    sophic = loaded(tmp_path, "[sandbox]\nenabled = true\npace = 2\n[sophic]\nexecute_seconds = 0.5").config.sophic
    assert (sophic.submit_seconds, sophic.execute_seconds, sophic.trade_interval_seconds) == (2.0, 0.5, 1.0)
    assert sophic.settlement.delay_seconds == 10.0


def test_a_sandbox_settles_on_business_days_when_anything_is_said_of_them(tmp_path: Path) -> None:
    config = loaded(tmp_path, "[sandbox]\nenabled = true\n[sophic.settlement]\ndays = 1").config
    assert (config.sophic.settlement.delay_seconds, config.sophic.settlement.days) == (None, 1)


def test_only_a_sandbox_has_no_limits(tmp_path: Path) -> None:
    assert load(None, {}, {}).config.limits.requests_per_second == 0
    assert loaded(tmp_path, "").config.limits.requests_per_second > 0


# --- Faults: what the file says, what is answered ---

BAD_FILES = {
    "a name with a letter missing": (
        "[sophic]\nfee_bp = 3",
        "sophic.fee_bp: there is no such setting; did you mean sophic.fee_bps?",
    ),
    "a section with a letter missing": ("[servr]", "servr: there is no such setting; did you mean server?"),
    "a setting in another section": (
        "[server]\nfee_bps = 3",
        "server.fee_bps: there is no such setting; did you mean sophic.fee_bps?",
    ),
    "a name like no other": ("[log]\nqqq = 1", "log.qqq: there is no such setting"),
    "a section that is a value": ("server = 1", "server: must be a section: write [server] above its settings"),
    "text for a number": (
        '[sophic]\nfee_bps = "7"',
        'sophic.fee_bps: must be a whole number of basis points from 0 to 9999, not "7"',
    ),
    "a fraction for a whole number": (
        "[server]\nport = 80.5",
        "server.port: must be a whole number from 0 to 65535, not 80.5",
    ),
    "a number out of range": (
        "[server]\nport = 65536",
        "server.port: must be a whole number from 0 to 65535, not 65536",
    ),
    "true for a number": ("[server]\nport = true", "server.port: must be a whole number from 0 to 65535, not true"),
    "a number for true": ("[sandbox]\nenabled = 1", "sandbox.enabled: must be true or false, not 1"),
    "not a number": ("[sandbox]\npace = nan", "sandbox.pace: must be a number of seconds from 0 to 1000, not NaN"),
    "a negative time": (
        "[server]\ndrain_seconds = -1",
        "server.drain_seconds: must be a number of seconds from 0 to 31622400, not -1",
    ),
    "an unknown word": ('[log]\nformat = "xml"', 'log.format: must be "text" or "json", not "xml"'),
    "an amount with three decimals": (
        '[sophic]\nreview_over = "1.005"',
        'sophic.review_over: must be text, an amount as in "5000.00", or "" for none, not "1.005"',
    ),
    "an amount and a line break": (
        '[sophic]\nreview_over = "1.00\\n"',
        'sophic.review_over: must be text, an amount as in "5000.00", or "" for none, not "1.00\\n"',
    ),
    "an amount that is a number": (
        "[sophic]\ntrade_cash_max = 5000.0",
        'sophic.trade_cash_max: must be text, an amount as in "5000.00", or "" for none, not 5000.0',
    ),
    "a review of orders over nothing": (
        '[sophic]\nreview_over = "0.00"',
        'sophic.review_over: must be more than 0, or "" for none',
    ),
    "a time of day that is none": (
        '[sophic.settlement]\ncut_off = "5pm"',
        'sophic.settlement.cut_off: must be text, a time of day as in "17:00", or "24:00" for none, not "5pm"',
    ),
    "a settlement after the end of the day": (
        '[sophic.settlement]\nsettle_at = "24:00"',
        'sophic.settlement.settle_at: must be text, a time of day as in "09:30", not "24:00"',
    ),
    "a date that does not exist": (
        '[sophic.settlement]\nholidays = ["2026-02-30"]',
        'sophic.settlement.holidays: must be a list of dates, as in ["2026-12-25", "2027-01-01"], not ["2026-02-30"]',
    ),
    "a weekend without end": (
        '[sophic.settlement]\nweekend = ["monday","tuesday","wednesday","thursday","friday","saturday","sunday"]',
        "sophic.settlement.weekend: must leave a day on which trades can settle",
    ),
    "a zone that does not exist": (
        '[sophic.settlement]\ntime_zone = "America/New_Yrok"',
        'sophic.settlement.time_zone: must be the IANA name of a zone, as in "America/New_York"',
    ),
    "a zone that is a path": (
        '[sophic.settlement]\ntime_zone = "../../etc/passwd"',
        'sophic.settlement.time_zone: must be the IANA name of a zone, as in "America/New_York"',
    ),
    "a delay and business days": (
        "[sophic.settlement]\ndelay_seconds = 5\ndays = 2",
        "sophic.settlement.days: means nothing beside delay_seconds; leave one of them out",
    ),
    "prices that are not there": (
        '[sandbox]\nenabled = true\nprices = "no-such-folder"',
        "sandbox.prices: must be walk, fixed or a folder of CSV files; there is no folder no-such-folder",
    ),
    "a burst that lets nobody in": (
        "[limits]\nburst = 0.5",
        "limits.burst: must be 1 or more, or no request would ever be taken",
    ),
    "an operator without a token": (
        '[[ops.operators]]\nname = "alice"',
        "ops.operators[0].token_sha256: is missing; "
        "it must be text, the SHA-256 of the token: 64 digits of 0-9 and a-f",
    ),
    "an operator with more": (
        f'[[ops.operators]]\nname = "alice"\ntoken_sha256 = "{DIGEST}"\nadmin = true',
        "ops.operators[0].admin: there is no such setting",
    ),
    "the same operator twice": (
        f'[[ops.operators]]\nname = "alice"\ntoken_sha256 = "{DIGEST}"\n' * 2,
        "ops.operators: names alice 2 times; each operator has a name of their own",
    ),
    "two operators with one token": (
        "".join(f'[[ops.operators]]\nname = "{name}"\ntoken_sha256 = "{DIGEST}"\n' for name in ("alice", "bob")),
        "ops.operators: gives the same token_sha256 to alice, bob; each has a token of their own",
    ),
    "an operator with the name that is anybody's in a sandbox": (
        f'[sandbox]\nenabled = true\n[[ops.operators]]\nname = "sandbox"\ntoken_sha256 = "{DIGEST}"',
        "ops.operators[0].name: must not be sandbox: in a sandbox that is anybody",
    ),
    "an operator with the token that all know in a sandbox": (
        f'[sandbox]\nenabled = true\n[[ops.operators]]\nname = "alice"\ntoken_sha256 = "{DIGEST_OF_SANDBOX}"',
        "ops.operators[0].token_sha256: is of the token that all know in a sandbox; make another",
    ),
    "operators where clients are": (
        '[ops]\nbind = "127.0.0.1:8420"',
        "ops.bind: must be an address of its own; clients are served at 127.0.0.1 port 8420: "
        'choose another port, or "" to serve operators at /ops',
    ),
    "operators that are no sections": (
        '[ops]\noperators = ["alice"]',
        "ops.operators: must be a list of sections: write [[ops.operators]] above each",
    ),
    "one operator instead of a list": (
        '[ops.operators]\nname = "alice"',
        "ops.operators: must be a list of sections: write [[ops.operators]] above each",
    ),
}


@pytest.mark.parametrize("title", BAD_FILES)
def test_a_bad_file_is_refused_with_the_place_and_what_to_do(tmp_path: Path, title: str) -> None:
    text, expected = BAD_FILES[title]
    assert faults(tmp_path, text) == [expected]


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    text = '[server]\nport = "x"\n[sophic]\nfee_bp = 1\n[sophic.settlement]\ntime_zone = "Mars"\n[log]\nlevel = 3'
    found = faults(tmp_path, text, {"TALLYSTICK_SERVER_PROT": "1", "TALLYSTICK_PACE": "fast"}, disk_low="-1")
    assert [line.split(":")[0] for line in found] == [
        "server.port",
        "sophic.fee_bp",
        "log.level",
        "sandbox.pace",
        "TALLYSTICK_SERVER_PROT",
        "server.disk_low_mib",
        "sophic.settlement.time_zone",
    ]


def test_a_fault_from_elsewhere_says_from_where(tmp_path: Path) -> None:
    assert faults(tmp_path, "", {"TALLYSTICK_SERVER_PORT": "x"}) == [
        'server.port: must be a whole number from 0 to 65535, not "x" (environment TALLYSTICK_SERVER_PORT)'
    ]
    assert faults(tmp_path, "", port="x") == ['server.port: must be a whole number from 0 to 65535, not "x" (--port)']


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[server\n", "is not TOML"),
        (b"a = 1\na = 2", "is not TOML"),
        (b"\xff", "is not TOML"),
        (None, "cannot be read"),
    ],
    ids=["a bracket missing", "a name twice", "no text", "no file"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None, words: str) -> None:
    file = tmp_path / "tallystick.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadConfig) as caught:
        load(file, {}, {})
    assert str(caught.value).startswith(f"{file}: {words}")


def test_no_fault_and_no_repr_repeats_a_secret(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, f'[sandbox]\ntoken = "{CANARY} "')
    assert "sandbox.token" in fault
    assert CANARY not in fault
    [fault] = faults(tmp_path, f'[[ops.operators]]\nname = "a"\ntoken_sha256 = "{CANARY}"')
    assert CANARY not in fault
    good = loaded(tmp_path, f'[sandbox]\ntoken = "{CANARY}"\n[[ops.operators]]\nname = "a"\ntoken_sha256 = "{DIGEST}"')
    assert CANARY not in repr(good)
    assert DIGEST not in repr(good)


def test_only_a_sandbox_has_an_operator_of_that_name_already(tmp_path: Path) -> None:
    text = f'[[ops.operators]]\nname = "sandbox"\ntoken_sha256 = "{DIGEST}"'
    assert [operator.name for operator in loaded(tmp_path, text).config.ops.operators] == ["sandbox"]


ADDRESSES = """
    host      | port | operators      | refused
    127.0.0.1 | 8420 | 127.0.0.1:8420 | yes
    127.0.0.1 | 8420 | 127.0.0.1:8421 | no
    127.0.0.1 | 8420 | 127.0.0.2:8420 | no
    127.0.0.1 | 8420 | 0.0.0.0:8420   | yes
    0.0.0.0   | 8420 | 127.0.0.1:8420 | yes
    127.0.0.1 | 8420 | [::]:8420      | yes
    127.0.0.1 | 8420 | [::1]:8420     | no
    0.0.0.0   | 8420 | [::1]:8420     | no
    127.0.0.1 | 0    | 127.0.0.1:0    | no
"""


@pytest.mark.parametrize("row", ADDRESSES.strip().splitlines()[1:])
def test_operators_are_not_served_where_clients_are(row: str) -> None:
    host, port, operators, refused = (cell.strip() for cell in row.split("|"))
    config = Config(server=Server(host=host, port=int(port)), sandbox=Sandbox(enabled=False), ops=Ops(bind=operators))
    assert [fault.path for fault in judge(config, ())] == (["ops.bind"] if refused == "yes" else [])


# --- tallystick config check ---


def checked(tmp_path: Path, text: str, environment: dict[str, str] | None = None) -> tuple[int, str]:
    file = tmp_path / "tallystick.toml"
    file.write_text(text)
    result = CliRunner().invoke(app, ["config", "check", str(file)], env=environment)
    return result.exit_code, result.output


def test_check_prints_a_file_that_says_the_same_and_where_each_value_comes_from(tmp_path: Path) -> None:
    text = '[server]\nport = 9000\ndata = "a \\"b\\" \\\\ c"\n[sophic.settlement]\nholidays = [2026-12-25]'
    code, output = checked(tmp_path, text, {"TALLYSTICK_SOPHIC_FEE_BPS": "7"})
    assert code == 0
    lines = [line.split() for line in output.splitlines()]
    assert ["port", "=", "9000", "#", "file"] in lines
    assert ["fee_bps", "=", "7", "#", "environment", "TALLYSTICK_SOPHIC_FEE_BPS"] in lines
    assert ["level", "=", '"info"', "#", "default"] in lines
    again = loaded(tmp_path, output.replace('token = "***"', 'token = "sandbox"')).config
    assert again == loaded(tmp_path, text, {"TALLYSTICK_SOPHIC_FEE_BPS": "7"}).config


def test_check_shows_no_secret(tmp_path: Path) -> None:
    text = f'[sandbox]\ntoken = "{CANARY}"\n[[ops.operators]]\nname = "a"\ntoken_sha256 = "{DIGEST}"'
    code, output = checked(tmp_path, text)
    assert code == 0
    assert CANARY not in output
    assert DIGEST not in output
    shown = tomllib.loads(output)
    assert (shown["sandbox"]["token"], shown["ops"]["operators"]) == ("***", [{"name": "a", "token_sha256": "***"}])


def test_check_of_a_bad_file_ends_with_1_and_a_line_for_each_fault(tmp_path: Path) -> None:
    code, output = checked(tmp_path, "[server]\nport = -1\nprot = 2\n[log]\nlevel = 1")
    assert code == 1
    assert [line.split(":")[0] for line in output.splitlines()] == ["server.port", "server.prot", "log.level"]


def test_check_without_a_file_shows_the_sandbox() -> None:
    result = CliRunner().invoke(app, ["config", "check"], env={"TALLYSTICK_CONFIG": ""})
    assert result.exit_code == 0
    assert re.search(r"submit_seconds = 1.0 +# sandbox", result.output)
    assert "weekend" not in result.output, "trades settle after a delay"


def test_every_setting_has_a_path_and_a_value() -> None:
    paths = [path for path, _ in settings(Config())]
    assert len(paths) == len(set(paths)) > 30
