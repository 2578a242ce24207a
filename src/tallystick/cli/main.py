"""The command line: ``tallystick serve``, ``simulate``, ``version``, and the commands of other rooms."""

import os
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from tallystick.cli import clients, config, journal, ops
from tallystick.cli.build_info import describe
from tallystick.cli.conformance import conformance
from tallystick.cli.deliver import deliver
from tallystick.cli.listen import listen
from tallystick.cli.match import match
from tallystick.deliver.book import BookError
from tallystick.deliver.sealing import SealError
from tallystick.journal.errors import JournalError
from tallystick.server.addresses import BadAddress
from tallystick.server.config_faults import BadConfig
from tallystick.server.config_sources import load
from tallystick.server.host import WrongSecret
from tallystick.server.keys import KeysError
from tallystick.server.serve import serve as serve_venues
from tallystick.simulate.run import DELIVERY_WORLD, EXCHANGE_WORLD, HALVES_WORLD, VENUE_WORLD
from tallystick.simulate.run import main as run_seeds

# Settings are text here: config_sources reads them as it reads the environment, and judges them with all others.
ConfigFile = Annotated[
    Path | None, typer.Option("--config", envvar="TALLYSTICK_CONFIG", help="A TOML file of settings.")
]
Host = Annotated[str | None, typer.Option(help="Address to serve clients at.", show_default="127.0.0.1")]
Port = Annotated[str | None, typer.Option(metavar="NUMBER", help="Its port; 0: a free one.", show_default="8420")]
Data = Annotated[str | None, typer.Option(help="Folder of the journal; made if need be.", show_default="./data")]
Token = Annotated[str | None, typer.Option(help="Bearer token of the sandbox's client.", show_default="sandbox")]
Pace = Annotated[
    str | None,
    typer.Option(metavar="NUMBER", help="Sandbox: seconds per step of an order; 0: all at once.", show_default="1"),
]
Prices = Annotated[
    str | None,
    typer.Option(
        help="Sandbox: walk, fixed, or a folder of <instrument>.csv files, replayed over and over: lines of "
        "time,price, the time as ISO 8601 in UTC or in microseconds, the price with up to four decimals.",
        show_default="walk",
    ),
]
DiskLow = Annotated[
    str | None,
    typer.Option(metavar="NUMBER", help="MiB free on disk below which no orders are taken.", show_default="64"),
]


class SimulatedWorld(Enum):
    VENUE = VENUE_WORLD
    HALVES = HALVES_WORLD
    DELIVERY = DELIVERY_WORLD
    EXCHANGE = EXCHANGE_WORLD


app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A venue for orders, a sandbox to try it in, and a client that knows where every order is.",
)


app.add_typer(config.app, name="config")
app.add_typer(journal.app, name="journal")
app.add_typer(clients.clients, name="client")
app.add_typer(clients.operators, name="operator")
app.add_typer(ops.app, name="ops")


@app.command()
def serve(
    file: ConfigFile = None,
    host: Host = None,
    port: Port = None,
    data: Data = None,
    token: Token = None,
    pace: Pace = None,
    prices: Prices = None,
    disk_low: DiskLow = None,
) -> None:
    """Serve until interrupted: without a file, a sandbox. Options win over TALLYSTICK_<SECTION>_<NAME> and the file."""
    options = {
        "--host": host,
        "--port": port,
        "--data": data,
        "--token": token,
        "--pace": pace,
        "--prices": prices,
        "--disk-low": disk_low,
    }
    try:
        serve_venues(load(file, os.environ, options).config)
    except (BadConfig, BadAddress, JournalError, KeysError, WrongSecret, BookError, SealError, OSError) as error:
        for sentence in str(error).splitlines():
            typer.secho(f"tallystick: {sentence}", fg=typer.colors.RED, err=True)
        raise typer.Exit(1) from None


# Their order is that of --help.
app.command()(listen)
app.command()(match)
app.command()(deliver)
app.command()(conformance)


@app.command()
def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many runs.")] = 1000,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    trace: Annotated[bool, typer.Option(help="Print every step; for one seed.")] = False,
    jobs: Annotated[int, typer.Option(min=0, help="Processes; 0: one for each core.")] = 0,
    world: Annotated[
        SimulatedWorld, typer.Option(help="A venue, both halves, what goes out, or an exchange.")
    ] = SimulatedWorld.VENUE,
) -> None:
    """Run a venue, or both halves, under faults and crashes, and audit it; a seed that fails can be run again."""
    raise typer.Exit(run_seeds(seeds, first_seed, trace, jobs or None, world.value))


@app.command()
def version() -> None:
    """Print the version, its build, and what it runs on."""
    typer.echo(describe())


def main() -> None:
    app()
