"""``tallystick config``: look at what is set before a server is started with it."""

import os
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from tallystick.server.config import Config
from tallystick.server.config_faults import BadConfig
from tallystick.server.config_sources import DEFAULT, Loaded, is_secret, load, settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help="Look at the configuration.")


@app.callback()
def group() -> None:
    """Look at the configuration."""


@app.command()
def check(
    file: Annotated[
        Path | None, typer.Argument(envvar="TALLYSTICK_CONFIG", help="The TOML file.", show_default="none")
    ] = None,
) -> None:
    """Name every fault; or print what is set and where each value comes from, secrets as ***, as a TOML file."""
    try:
        loaded = load(file, os.environ, {})
    except BadConfig as error:
        for fault in error.faults:
            typer.secho(str(fault), fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    for line in lines(loaded):
        typer.echo(line)


def lines(loaded: Loaded) -> Iterator[str]:
    """The lines of a TOML file that says the same, each value with its origin beside it."""
    section = ""
    for path, value in _meaningful(loaded.config, loaded.origins):
        before, _, name = path.rpartition(".")
        if before != section:
            if section:
                yield ""
            section = before
            yield f"[[{before.partition('[')[0]}]]" if before.endswith("]") else f"[{before}]"
        shown = '"***"' if value and is_secret(path) else _toml(value)
        yield f"{f'{name} = {shown}':<40} # {loaded.origins[path]}"


def _meaningful(config: Config, origins: Mapping[str, str]) -> Iterator[tuple[str, Any]]:
    """What has a value and an effect: business days have none where trades settle after a delay."""
    delayed = config.sophic.settlement.delay_seconds is not None
    for path, value in settings(config):
        by_calendar = path.startswith("sophic.settlement.") and origins[path] == DEFAULT
        if value is not None and not (delayed and by_calendar):
            yield path, value


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(_toml(each) for each in value)}]"
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return str(value)
