"""The import rule: among the rooms of src/tallystick imports point downwards, and pure rooms stay pure.

The rule is data (``ORDER``, ``PEERS``, ``PURE``, ``PURE_MAY_IMPORT``); the rest reads the syntax tree of every file
and never imports one. Imports for type checkers count: a type from above is a dependency on above.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

PACKAGE: Final = "tallystick"

# From the bottom up. Rooms that share a level do not import each other. A room is a package or a single module.
ORDER: Final = (
    ("core",),
    ("facts",),
    ("venue", "tracker"),
    ("journal",),
    ("readers",),
    ("sequencer", "access"),
    ("connect", "deliver", "web"),
    ("match",),
    ("dialects",),
    ("simulate", "testing"),
    ("server",),
    ("page",),
    ("cli",),
)
LEVELS: Final = {room: level for level, rooms in enumerate(ORDER) for room in rooms}

PEERS: Final = frozenset({"dialects"})  # rooms whose own rooms do not know each other
PURE: Final = frozenset({"core", "venue", "tracker"})
PURE_IN_DIALECTS: Final = frozenset({"admit", "operate", "policy", "rules", "steps"})
PURE_MAY_IMPORT: Final = frozenset(
    {
        "__future__",
        "abc",
        "bisect",
        "collections",
        "collections.abc",
        "csv",
        "datetime",
        "hashlib",
        "heapq",
        "mypy_extensions",
        "struct",
        "typing",
        "zlib",
    }
)

DOORS: Final = frozenset({"__init__", "__main__"})  # at the top of the package; they may import anything
DOOR_NAMES: Final = frozenset({"__version__"})  # what a room may take from the top of the package


class Import(NamedTuple):
    """One imported name, absolute, as a path; ``module`` is where it comes from, as it stands in the file."""

    line: int
    module: str
    path: tuple[str, ...]


def imports(source: str, module: tuple[str, ...], is_package: bool) -> Iterator[Import]:
    """Every import in ``source``, wherever it stands, with relative ones made absolute from ``module``."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield Import(node.lineno, name.name, tuple(name.name.split(".")))
        elif isinstance(node, ast.ImportFrom):
            above = node.level - 1 if is_package else node.level
            base = module[: len(module) - above] if node.level else ()
            origin = base + tuple((node.module or "").split(".") if node.module else ())
            for name in node.names:
                yield Import(node.lineno, ".".join(origin), (*origin, name.name))


def is_pure(module: tuple[str, ...]) -> bool:
    """Whether it must do without clocks, randomness and I/O: a pure room's, or what a dialect decides with."""
    return module[1] in PURE or (module[1] == "dialects" and module[-1] in PURE_IN_DIALECTS)


def objection(module: tuple[str, ...], wanted: Import) -> str | None:
    """Why ``module`` may not import ``wanted``, or None. ``module`` is absolute and inside a room."""
    room = module[1]
    if wanted.path[0] != PACKAGE:
        if is_pure(module) and wanted.module not in PURE_MAY_IMPORT:
            return f"{room} is pure and may not import {wanted.module}"
        return None
    target = wanted.path[1] if len(wanted.path) > 1 else ""
    if target in DOOR_NAMES:
        return None
    if target not in LEVELS:
        return f"{'.'.join(wanted.path)} is in no room of the order"
    if target == room:
        return _peer_objection(module, wanted)
    if LEVELS[target] == LEVELS[room]:
        return f"{room} and {target} may not import each other"
    if LEVELS[target] > LEVELS[room]:
        return f"{room} may not import {target}, which is above it"
    return None


def _peer_objection(module: tuple[str, ...], wanted: Import) -> str | None:
    if module[1] not in PEERS or len(module) < 3 or wanted.path[2:3] == module[2:3]:
        return None
    return f"{'.'.join(module[1:3])} may not import {'.'.join(wanted.path[1:3])}: neither knows the other"


def offences(source_root: Path) -> list[str]:
    """One sentence for each import under ``source_root``/tallystick that breaks the rule: ``file:line: why``."""
    found: list[str] = []
    for file in sorted((source_root / PACKAGE).rglob("*.py")):
        relative = file.relative_to(source_root)
        is_package = file.stem == "__init__"
        module = relative.parts[:-1] if is_package else relative.with_suffix("").parts
        if len(relative.parts) == 2 and file.stem in DOORS:
            continue
        if module[1] not in LEVELS:
            found.append(f"{relative}:1: {module[1]} is in no room of the order")
            continue
        for wanted in imports(file.read_text(encoding="utf-8"), module, is_package):
            reason = objection(module, wanted)
            if reason is not None:
                found.append(f"{relative}:{wanted.line}: {reason}")
    return list(dict.fromkeys(found))


def main() -> int:
    """Print the offences of this repository; 1 if there are any."""
    found = offences(Path(__file__).resolve().parent.parent / "src")
    for offence in found:
        print(offence)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
