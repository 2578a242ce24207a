"""The command line: ``tallystick serve``, ``simulate``, ``version``."""

from pathlib import Path
from typing import Annotated, Final

import typer

from tallystick.cli import journal
from tallystick.cli.build_info import describe
from tallystick.journal.errors import JournalError
from tallystick.server.host import WrongSecret
from tallystick.server.serve import BadSettings, Settings
from tallystick.server.serve import serve as serve_venues
from tallystick.simulate.run import main as run_seeds

PRICES_HELP: Final = (
    "walk, fixed, or a folder of <instrument>.csv files, replayed over and over: lines of time,price, the time as "
    "ISO 8601 in UTC or in microseconds, the price with up to four decimals."
)

Port = Annotated[
    int, typer.Option(envvar="TALLYSTICK_PORT", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
]
Data = Annotated[Path, typer.Option(envvar="TALLYSTICK_DATA", help="Folder of the journal; made if need be.")]
Token = Annotated[str, typer.Option(envvar="TALLYSTICK_TOKEN", help="Bearer token that clients must send.")]
Pace = Annotated[
    float, typer.Option(envvar="TALLYSTICK_PACE", min=0, max=1000, help="Seconds per step of an order; 0: all at once.")
]
Prices = Annotated[str, typer.Option(envvar="TALLYSTICK_PRICES", help=PRICES_HELP)]
DiskLow = Annotated[
    int, typer.Option(envvar="TALLYSTICK_DISK_LOW", min=0, help="MiB free on disk below which no orders are taken.")
]

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A venue for orders, from acceptance to settlement, and a sandbox to try it in.",
)


app.add_typer(journal.app, name="journal")


@app.command()
def serve(
    port: Port = 8420,
    data: Data = Path("data"),
    token: Token = "sandbox",
    pace: Pace = 1.0,
    prices: Prices = "walk",
    disk_low: DiskLow = 64,
) -> None:
    """Serve a sandbox venue until interrupted."""
    try:
        started = serve_venues(Settings(port, data, token, pace, prices, disk_low))
    except (JournalError, WrongSecret, BadSettings, OSError) as error:
        typer.secho(f"tallystick: {error}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None
    if not started:
        raise typer.Exit(1)


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many runs.")] = 1000,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    trace: Annotated[bool, typer.Option(help="Print every step; for one seed.")] = False,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one for each core.")] = 0,
) -> None:
    """Run a venue under faults and crashes, and audit it; a seed that fails can be run again."""
    raise typer.Exit(run_seeds(seeds, first_seed, trace, jobs or None))


@app.command()
def version() -> None:
    """Print the version, its build, and what it runs on."""
    typer.echo(describe())


def main() -> None:
    app()
