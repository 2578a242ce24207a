"""The command line: ``tallystick serve``, ``tallystick version``."""

from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli.build_info import describe
from tallystick.journal.errors import JournalError
from tallystick.server.host import WrongSecret
from tallystick.server.serve import BadSettings, Settings
from tallystick.server.serve import serve as serve_venues

app = typer.Typer(add_completion=False, no_args_is_help=True, help="One engine for orders, for both parties.")


@app.command()
def serve(
    port: Annotated[int, typer.Option(envvar="TALLYSTICK_PORT", min=0, max=65535, help="On loopback; 0: any.")] = 8420,
    data: Annotated[Path, typer.Option(envvar="TALLYSTICK_DATA", help="Folder of the journal.")] = Path("data"),
    token: Annotated[
        str, typer.Option(envvar="TALLYSTICK_TOKEN", help="Bearer token that clients must send.", show_default=False)
    ] = "sandbox",
    pace: Annotated[
        float,
        typer.Option(envvar="TALLYSTICK_PACE", min=0, max=1000, help="Stretches the steps; 0: at once."),
    ] = 1.0,
    prices: Annotated[
        str, typer.Option(envvar="TALLYSTICK_PRICES", help="walk, fixed, or a folder of <instrument>.csv files.")
    ] = "walk",
) -> None:
    """Serve a sandbox venue until interrupted."""
    try:
        started = serve_venues(Settings(port, data, token, pace, prices))
    except (JournalError, WrongSecret, BadSettings, OSError) as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    if not started:
        raise typer.Exit(1)


@app.command()
def version() -> None:
    """Print the version, its build, and what it runs on."""
    typer.echo(describe())


def main() -> None:
    app()
