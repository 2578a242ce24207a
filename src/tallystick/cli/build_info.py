"""Which build this is: its version, whether its pure rooms are compiled, and what it runs on."""

import platform
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import PackageNotFoundError, distribution

import apsw

from tallystick import __version__
from tallystick.venue import engine


def is_compiled() -> bool:
    """Whether the pure rooms run as extension modules; they are compiled together or not at all."""
    return engine.__file__.endswith(tuple(EXTENSION_SUFFIXES))


def describe() -> str:
    """Two lines: the version and its build, then Python and SQLite; a third says why an installed one is not compiled.

    The third is there because installers hide a build's warnings.
    """
    build = "compiled by mypyc" if is_compiled() else "interpreted"
    lines = [f"tallystick {__version__} ({build})"]
    lines.append(f"{platform.python_implementation()} {platform.python_version()}, SQLite {apsw.sqlite_lib_version()}")
    reason = "" if is_compiled() else _reason()
    if reason:
        lines.append(f"Not compiled when it was installed: {reason}")
    return "\n".join(lines)


def _reason() -> str:
    """What the build hook left in the installed package's metadata; "" for a tree, which nobody built."""
    try:
        return (distribution("tallystick").read_text("extra_metadata/not-compiled.txt") or "").strip()
    except PackageNotFoundError:
        return ""
