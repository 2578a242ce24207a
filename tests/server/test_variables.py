"""The environment as a source of a configuration: short names, every kind of value, and variables that mean nothing."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tallystick.server.config import Config
from tallystick.server.config_faults import BadConfig
from tallystick.server.config_sources import NO_SETTINGS, SHORT_NAMES, load, settings, variable

CANARY = "canary-0123456789"


def faults(environment: Mapping[str, str]) -> list[str]:
    with pytest.raises(BadConfig) as caught:
        load(None, environment, {})
    return str(caught.value).splitlines()


SHORT: dict[str, tuple[str, Callable[[Config], bool]]] = {
    "TALLYSTICK_PORT": ("9", lambda config: config.server.port == 9),
    "TALLYSTICK_DATA": ("/tmp/d", lambda config: config.server.data == "/tmp/d"),
    "TALLYSTICK_DISK_LOW": ("9", lambda config: config.server.disk_low_mib == 9),
    "TALLYSTICK_TOKEN": ("it's$HOME", lambda config: config.sandbox.token == "it's$HOME"),
    "TALLYSTICK_PACE": ("0.5", lambda config: config.sandbox.pace == 0.5),
    "TALLYSTICK_PRICES": ("fixed", lambda config: config.sandbox.prices == "fixed"),
}


@pytest.mark.parametrize("name", SHORT)
def test_the_short_names_keep_working(name: str) -> None:
    text, is_read = SHORT[name]
    assert is_read(load(None, {name: text}, {}).config)


def test_the_environment_reaches_every_kind_of_setting() -> None:
    environment = {
        "TALLYSTICK_SANDBOX_ENABLED": "false",
        "TALLYSTICK_SOPHIC_FEE_BPS": "7",
        "TALLYSTICK_SOPHIC_TRADE_CASH_MAX": "12.50",
        "TALLYSTICK_SOPHIC_SETTLEMENT_WEEKEND": "friday, saturday",
        "TALLYSTICK_SOPHIC_SETTLEMENT_HOLIDAYS": "2026-12-25,2027-01-01",
        "TALLYSTICK_SERVER_DRAIN_SECONDS": "2.5",
        "TALLYSTICK_LOG_FORMAT": "json",
    }
    config = load(None, environment, {}).config
    assert not config.sandbox.enabled
    assert (config.sophic.fee_bps, config.sophic.trade_cash_max) == (7, "12.50")
    assert config.sophic.settlement.weekend == ("friday", "saturday")
    assert [each.isoformat() for each in config.sophic.settlement.holidays] == ["2026-12-25", "2027-01-01"]
    assert (config.server.drain_seconds, config.log.format) == (2.5, "json")


MISSPELT = {
    "TALLYSTICK_SANDBX_ENABLED": "; did you mean TALLYSTICK_SANDBOX_ENABLED?",
    "TALLYSTICK_SERVR_PORT": "; did you mean TALLYSTICK_SERVER_PORT?",
    "TALLYSTICK_PRTO": "; did you mean TALLYSTICK_PORT?",
    "TALLYSTICK_CONFIGG": "; did you mean TALLYSTICK_CONFIG?",
    "TALLYSTICK_NONSENSE": "",
    "TALLYSTICK_": "",
}


@pytest.mark.parametrize("name", MISSPELT)
def test_a_variable_that_means_nothing_is_named(name: str) -> None:
    assert faults({name: CANARY}) == [f"{name}: there is no such setting{MISSPELT[name]}"]
    assert load(None, {name: ""}, {}), "empty counts as none"


def test_every_variable_that_anything_here_reads_may_be_set_where_a_server_is() -> None:
    here = Path(__file__)
    root = here.parents[2]
    texts = [path.read_text() for room in ("src", "tools", "tests") for path in (root / room).rglob("*.py")]
    texts += [(root / "Makefile").read_text()]
    read = re.compile(r'(?:envvar=\[?|environ(?:\.get\(|\[)|Final = )"(TALLYSTICK_[A-Z_]+)"|\b(TALLYSTICK_[A-Z_]+)=')
    used = {name for text in texts for pair in read.findall(text) for name in pair if name}
    assert {"TALLYSTICK_CONFIG", "TALLYSTICK_CRASH_AT"} <= used
    known = {variable(path) for path, _ in settings(Config())} | {*SHORT_NAMES} | NO_SETTINGS
    assert used - known == set()


def test_variables_of_others_are_none_of_ours() -> None:
    assert load(None, {"TALLYSTICK_CRASH_AT": "x:1", "TALLYSTICKS_SERVER_X": "1", "PATH": "/bin"}, {})


def test_an_unknown_variable_of_a_section_is_named() -> None:
    assert faults({"TALLYSTICK_SOPHIC_FEE": "1"}) == [
        "TALLYSTICK_SOPHIC_FEE: there is no such setting; did you mean TALLYSTICK_SOPHIC_FEE_BPS?"
    ]
