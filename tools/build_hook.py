"""Puts the compiled pure rooms into a wheel, if they can be compiled where it is built; hatchling calls it.

Compilation is optional: a wheel that could not be compiled is pure, whole, and says why (``tallystick version``).
The environment's TALLYSTICK_COMPILE decides otherwise: ``1``, no wheel rather than a pure one; ``0``, no compilation.
An editable install is never compiled: it runs the sources as they are now.
"""

import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT: Final = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # a build backend is not run from the tree that it builds

from tools.compile_pure import missing_for_compilation, missing_from_machine  # noqa: E402

SWITCH: Final = "TALLYSTICK_COMPILE"
REASON: Final = "not-compiled.txt"  # in the wheel's extra_metadata; tallystick.cli.build_info reads it


class NotCompiled(Exception):
    """There is no compiled wheel to be had; says why."""


class BuildHook(BuildHookInterface):  # type: ignore[type-arg]  # hatchling's parameter is its builder's configuration
    """Adds the extension modules, or the reason why there are none."""

    def dependencies(self) -> list[str]:
        """What an isolated build must bring: all that compiles, and all that is imported to prove the result."""
        if _switch() == "0" or missing_from_machine() is not None:
            return []
        return [*self.config["compile-requires"], *self.metadata.core.dependencies]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the wheel is written; raises NotCompiled where compilation is insisted upon and fails."""
        if version == "editable":
            return
        self._work = TemporaryDirectory(prefix="tallystick-compile-")
        work = Path(self._work.name)
        try:
            if _switch() == "0":
                raise NotCompiled(f"{SWITCH}=0")
            modules = _compile(work / "compiled")
        except NotCompiled as why:
            if _switch() == "1":
                raise
            self.app.display_warning(f"The wheel is not compiled: {why}")
            (work / REASON).write_text(f"{str(why).splitlines()[0]}\n", encoding="utf-8")
            build_data["extra_metadata"][str(work / REASON)] = REASON
        else:
            build_data["pure_python"] = False
            build_data["infer_tag"] = True
            build_data["force_include"] |= modules

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """The wheel is written; what was compiled for it can go."""
        if version != "editable":
            self._work.cleanup()


def _switch() -> str:
    """``1``, ``0``, or "" for: if it can be."""
    value = os.environ.get(SWITCH, "")
    if value not in ("", "0", "1"):
        raise ValueError(f"{SWITCH} is 1 (insist on compilation) or 0 (forgo it), not {value!r}")
    return value


def _compile(out: Path) -> dict[str, str]:
    """Each extension module's file, and its place in the wheel; raises NotCompiled, with all that was said."""
    missing = missing_for_compilation()
    if missing is not None:
        raise NotCompiled(f"there is {missing}")
    command = [sys.executable, "-m", "tools.compile_pure", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise NotCompiled(f"the compilation failed\n{done.stdout}")
    files = [path for path in out.rglob("*") if path.name.endswith(tuple(EXTENSION_SUFFIXES))]
    return {str(file): str(file.relative_to(out)) for file in files}
