"""Compiles the pure rooms with mypyc, unchanged, and lays the package out around them.

The directory it fills (``build/compiled``) holds a ``tallystick`` whose pure rooms are extension modules and whose
other rooms are links into src, so ``PYTHONPATH=build/compiled`` runs everything with the hot parts compiled. Without
a C compiler it says so and succeeds: compilation is an option, and the interpreted package is whole.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src"
PACKAGE: Final = SOURCE / "tallystick"
PURE_ROOMS: Final = ("core", "venue", "tracker")
TYPED_ROOMS: Final = ("core", "facts", "venue", "tracker", "dialects")  # all that the compiled code can depend on
STAMP: Final = ".sources"


def pure_sources() -> list[Path]:
    """The modules to compile, by path: the pure rooms but for ``__init__``, and the rules of each dialect."""
    rooms = [file for room in PURE_ROOMS for file in (PACKAGE / room).rglob("*.py") if file.name != "__init__.py"]
    return sorted([*rooms, *(PACKAGE / "dialects").glob("*/rules.py")])


def module_name(source: Path) -> str:
    """``src/tallystick/core/order.py`` is ``tallystick.core.order``."""
    return ".".join(source.relative_to(SOURCE).with_suffix("").parts)


def missing_for_compilation() -> str | None:
    """What this machine lacks to compile an extension module, or None."""
    command = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
    if shutil.which(command[0]) is None:
        return f"no C compiler ({command[0]})"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return None if header.exists() else "no Python.h (on Debian or Ubuntu: apt install python3-dev)"


def fingerprint() -> str:
    """Changes when the compiled modules would: with the sources, what they depend on, the compiler, the interpreter."""
    digest = hashlib.sha256(f"{sys.version} mypy {version('mypy')}".encode())
    typed = (file for room in TYPED_ROOMS for file in (PACKAGE / room).rglob("*.py"))
    for file in sorted([*typed, Path(__file__)]):
        digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def lay_out(out: Path) -> None:
    """Link every file that is not compiled into the places they have in the package."""
    package = out / "tallystick"
    package.mkdir(parents=True, exist_ok=True)
    for link in [path for path in package.rglob("*") if path.is_symlink()]:
        link.unlink()
    compiled = set(pure_sources())
    for file in PACKAGE.rglob("*"):
        if file.is_file() and file not in compiled and "__pycache__" not in file.parts:
            link = package / file.relative_to(PACKAGE)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(file)


def build(sources: list[Path], out: Path, work: Path) -> None:
    """Compile ``sources`` as one group into ``out``; mypyc prints its errors and ends the program with 1."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    os.chdir(ROOT)
    paths = [str(source.relative_to(ROOT)) for source in sources]
    options = ["--config-file", "pyproject.toml", "--cache-dir", str(work / "mypy")]
    extensions = mypycify(
        [*options, *paths], opt_level="3", debug_level="0", target_dir=str(work), group_name="tallystick"
    )
    command = build_ext(Distribution({"name": "tallystick", "ext_modules": extensions}))
    command.build_lib = str(out)
    command.build_temp = str(work / "objects")
    command.ensure_finalized()
    command.run()


def prove(modules: list[str], out: Path) -> None:
    """Import every module from ``out`` in a fresh interpreter; each must be an extension module found there."""
    program = (
        "import importlib, sys\n"
        "root, *names = sys.argv[1:]\n"
        "for name in names:\n"
        "    file = importlib.import_module(name).__file__\n"
        "    assert file.startswith(root) and file.endswith('.so'), f'{name} is not compiled: {file}'\n"
    )
    environment = os.environ | {"PYTHONPATH": str(out)}
    if subprocess.run([sys.executable, "-c", program, str(out), *modules], env=environment, cwd=out).returncode != 0:
        raise SystemExit("compiled, but the result cannot be imported from where it was built")


def compile_pure(out: Path) -> list[str]:
    """Bring ``out`` up to date and prove it; the names of the compiled modules."""
    sources = pure_sources()
    modules = [module_name(source) for source in sources]
    work = out.with_name(out.name + "-work")
    stamp, wanted = out / STAMP, fingerprint()
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != wanted:
        shutil.rmtree(out, ignore_errors=True)
        build(sources, out, work)
    lay_out(out)
    prove(modules, out)
    stamp.write_text(wanted, encoding="utf-8")
    return modules


def main(arguments: list[str] | None = None) -> int:
    """Compile, prove and name the modules; 0 also where there is nothing to compile with."""
    parser = argparse.ArgumentParser(description="Compile the pure rooms with mypyc, unchanged.")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "compiled", help="default: build/compiled")
    out: Path = parser.parse_args(arguments).out.resolve()
    missing = missing_for_compilation()
    if missing is not None:
        print(f"not compiled: this machine has {missing}; the interpreted package is used")
        return 0
    modules = compile_pure(out)
    print(f"{len(modules)} compiled: {' '.join(modules)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
