"""Compiles the pure rooms with mypyc, unchanged, and lays the package out around them.

The directory it fills (``build/compiled``) holds a ``tallystick`` whose pure rooms are extension modules and whose
other rooms are links into src, so ``PYTHONPATH=build/compiled`` runs everything with the hot parts compiled. Without
a C compiler it says so and succeeds: compilation is an option, and the interpreted package is whole. What is pure is
for the import rule to say; tools/build_hook.py puts the same extension modules into a wheel.
"""

import argparse
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from tools.import_rule import is_pure

ROOT: Final = Path(__file__).resolve().parent.parent
SOURCE: Final = ROOT / "src"
PACKAGE: Final = SOURCE / "tallystick"
COMPILED: Final = ROOT / "build" / "compiled"
TYPED_ROOMS: Final = ("core", "facts", "venue", "tracker", "dialects")  # all that the compiled code can depend on
STAMP: Final = ".sources"


def pure_sources() -> list[Path]:
    """The modules to compile, by path: all that are pure by the import rule, but for ``__init__``."""
    modules = (file for file in PACKAGE.rglob("*.py") if file.name != "__init__.py")
    return sorted(file for file in modules if is_pure(file.relative_to(SOURCE).with_suffix("").parts))


def module_name(source: Path) -> str:
    """``src/tallystick/core/order.py`` is ``tallystick.core.order``."""
    return ".".join(source.relative_to(SOURCE).with_suffix("").parts)


def missing_from_machine() -> str | None:
    """What this machine lacks to compile an extension module, and no package can bring; or None."""
    if sys.implementation.name != "cpython":
        return f"{sys.implementation.name} in the place of CPython"
    command = shlex.split(os.environ.get("CC") or str(sysconfig.get_config_var("CC") or "cc"))
    if shutil.which(command[0]) is None:
        return f"no C compiler ({command[0]})"
    header = Path(sysconfig.get_path("include")) / "Python.h"
    return None if header.exists() else "no Python.h (on Debian or Ubuntu: apt install python3-dev)"


def missing_for_compilation() -> str | None:
    """What is lacking here and now, packages too; or None."""
    absent = (f"no {package}" for package in ("mypyc", "setuptools") if find_spec(package) is None)
    return missing_from_machine() or next(absent, None)


def fingerprint() -> str:
    """Changes when the compiled modules would: with the sources, what they depend on, the compiler, the interpreter."""
    digest = hashlib.sha256(f"{sys.version} mypy {version('mypy')}".encode())
    typed = (file for room in TYPED_ROOMS for file in (PACKAGE / room).rglob("*.py"))
    for file in sorted([*typed, Path(__file__)]):
        digest.update(f"\0{file.relative_to(ROOT)}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_current(out: Path) -> bool:
    """Whether ``out`` holds what compiling now would put there."""
    stamp = out / STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == fingerprint()


def lay_out(out: Path) -> None:
    """Link every file that is not compiled into the places they have in the package."""
    package = out / "tallystick"
    package.mkdir(parents=True, exist_ok=True)
    compiled = set(pure_sources())
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    wanted = {package / file.relative_to(PACKAGE): file for file in files if file not in compiled}
    for link in [path for path in package.rglob("*") if path.is_symlink() and path not in wanted]:
        link.unlink()
    for link, file in wanted.items():
        if not link.is_symlink():
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
        "root, suffixes, *names = sys.argv[1:]\n"
        "for name in names:\n"
        "    file = importlib.import_module(name).__file__\n"
        "    compiled = file.startswith(root) and file.endswith(tuple(suffixes.split()))\n"
        "    assert compiled, f'{name} is not compiled: {file}'\n"
    )
    command = [sys.executable, "-c", program, str(out), " ".join(EXTENSION_SUFFIXES), *modules]
    # Before all else on the path, but not in the place of it: an isolated build brings its packages by this variable.
    path = os.pathsep.join(filter(None, (str(out), os.environ.get("PYTHONPATH"))))
    if subprocess.run(command, env=os.environ | {"PYTHONPATH": path}, cwd=out).returncode != 0:
        raise SystemExit("compiled, but the result cannot be imported from where it was built")


def compile_pure(out: Path) -> list[str]:
    """Bring ``out`` up to date and prove it; the names of the compiled modules."""
    sources = pure_sources()
    modules = [module_name(source) for source in sources]
    wanted = fingerprint()
    if not is_current(out):
        shutil.rmtree(out, ignore_errors=True)
        build(sources, out, out.with_name(out.name + "-work"))
    lay_out(out)
    prove(modules, out)
    (out / STAMP).write_text(wanted, encoding="utf-8")
    return modules


def main(arguments: list[str] | None = None) -> int:
    """Compile, prove and name the modules; 0 also where there is nothing to compile with."""
    parser = argparse.ArgumentParser(description="Compile the pure rooms with mypyc, unchanged.")
    parser.add_argument("--out", type=Path, default=COMPILED, help="default: build/compiled")
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
