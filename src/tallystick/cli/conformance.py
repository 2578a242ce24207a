"""``tallystick conformance``: a connector under adversarial cases."""

from typing import Annotated

import typer


def conformance(
    subject: Annotated[
        str, typer.Argument(help="module:factory or file.py:factory; paper, sophic and bluefin are built in.")
    ],
    case: Annotated[list[str] | None, typer.Option(help="This case alone; may be repeated.")] = None,
    seed: Annotated[int, typer.Option(help="Of what is shuffled.")] = 1,
    real_time: Annotated[bool, typer.Option(help="The venue is reached through sockets.")] = False,
) -> None:
    """Try a connector under adversarial cases, and print which hold (docs/testing.md)."""
    from tallystick.testing.report import conform

    raise typer.Exit(conform(subject, case or [], seed, real_time=real_time))
