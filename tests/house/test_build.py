"""The wheel: compiled where that is possible, whole where it is not, and honest about which it is."""

import importlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from tools.compile_pure import ROOT, missing_for_compilation, module_name, pure_sources

# What a build frontend does in an environment that has the requirements (pip: --no-build-isolation).
BACKEND = "import sys, hatchling.build as backend; print(getattr(backend, sys.argv[1])(*sys.argv[2:]))"
NO_COMPILER = {"CC": "no-such-compiler"}
TYPE_ERROR = '\nnumber: int = "text"\n'
expects_compiled = pytest.mark.skipif(
    os.environ.get("TALLYSTICK_EXPECT_COMPILED") != "1", reason="these are the interpreted tests; make test-compiled"
)


class Tree:
    """A copy of what a wheel is built from, and a folder for what is built."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.out = path.parent / "out"
        for name in ("src", "tools"):
            shutil.copytree(ROOT / name, path / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, path / name)

    def call(self, what: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Ask the build backend, with these variables and no other that steer a compilation."""
        kept = {name: value for name, value in os.environ.items() if name not in ("CC", "TALLYSTICK_COMPILE")}
        command = [sys.executable, "-c", BACKEND, what, *arguments]
        return subprocess.run(command, cwd=self.path, env=kept | environment, capture_output=True, text=True)

    def build(self, what: str = "build_wheel", **environment: str) -> tuple[Path, str]:
        """The file that was built, and the warnings."""
        done = self.call(what, str(self.out), **environment)
        assert done.returncode == 0, done.stderr
        return self.out / done.stdout.split()[-1], done.stderr + done.stdout


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "tree")


def extension_modules(wheel: Path) -> set[str]:
    """The compiled modules in it, by name."""
    names = zipfile.ZipFile(wheel).namelist()
    return {name.split(".")[0].replace("/", ".") for name in names if name.endswith(tuple(EXTENSION_SUFFIXES))}


def version_of(wheel: Path) -> str:
    """What ``tallystick version`` says once the wheel is unpacked."""
    place = wheel.parent / "unpacked"
    zipfile.ZipFile(wheel).extractall(place)
    return version(os.environ | {"PYTHONPATH": str(place)}, place)


def version(environment: dict[str, str], directory: Path) -> str:
    command = [sys.executable, "-m", "tallystick", "version"]
    return subprocess.run(command, env=environment, cwd=directory, capture_output=True, text=True, check=True).stdout


# environment, the reason it gives
PURE = [
    (NO_COMPILER, "there is no C compiler (no-such-compiler)"),
    ({"CC": "cc", "PATH": ""}, "there is no C compiler (cc)"),
    ({"TALLYSTICK_COMPILE": "0"}, "TALLYSTICK_COMPILE=0"),
    (NO_COMPILER | {"TALLYSTICK_COMPILE": "0"}, "TALLYSTICK_COMPILE=0"),
]


@pytest.mark.parametrize(("environment", "reason"), PURE)
def test_a_wheel_that_is_not_compiled_is_pure_and_whole_and_says_why(
    tree: Tree, environment: dict[str, str], reason: str
) -> None:
    assert tree.call("get_requires_for_build_wheel", **environment).stdout == "[]\n"

    wheel, said = tree.build(**environment)

    assert wheel.name.endswith("-py3-none-any.whl")
    assert extension_modules(wheel) == set()
    assert f"The wheel is not compiled: {reason}" in said
    first, _, last = version_of(wheel).splitlines()
    assert re.fullmatch(r"tallystick \S+ \(interpreted\)", first)
    assert last == f"Not compiled when it was installed: {reason}"


def test_where_compilation_is_insisted_upon_there_is_no_wheel_without_a_compiler(tree: Tree) -> None:
    done = tree.call("build_wheel", str(tree.out), TALLYSTICK_COMPILE="1", **NO_COMPILER)

    assert done.returncode != 0
    assert "NotCompiled: there is no C compiler (no-such-compiler)" in done.stderr
    assert not list(tree.out.glob("*"))


def test_a_switch_that_is_neither_on_nor_off_is_refused(tree: Tree) -> None:
    done = tree.call("build_wheel", str(tree.out), TALLYSTICK_COMPILE="yes")

    assert done.returncode != 0
    assert "TALLYSTICK_COMPILE is 1 (insist on compilation) or 0 (forgo it), not 'yes'" in done.stderr


def test_an_editable_install_runs_the_sources(tree: Tree) -> None:
    wheel, _ = tree.build("build_editable")

    assert wheel.name.endswith("-py3-none-any.whl")
    assert extension_modules(wheel) == set()


def test_a_source_distribution_holds_what_a_wheel_is_built_from(tree: Tree, tmp_path: Path) -> None:
    sources, _ = tree.build("build_sdist")
    with tarfile.open(sources) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (tmp_path / "unpacked" / sources.name.removesuffix(".tar.gz")).rename(tmp_path / "again")
    shutil.rmtree(tree.path)
    (tmp_path / "again").rename(tree.path)

    wheel, said = tree.build(**NO_COMPILER)

    assert "The wheel is not compiled: there is no C compiler" in said
    assert "tallystick/core/order.py" in zipfile.ZipFile(wheel).namelist()


needs_compiler = pytest.mark.skipif(missing_for_compilation() is not None, reason=f"{missing_for_compilation()}")


@needs_compiler
@pytest.mark.slow
def test_a_type_error_costs_the_compilation_and_not_the_wheel_unless_it_is_insisted_upon(tree: Tree) -> None:
    with (tree.path / "src/tallystick/core/keys.py").open("a") as pure:
        pure.write(TYPE_ERROR)

    wheel, said = tree.build()
    insisted = tree.call("build_wheel", str(tree.out / "insisted"), TALLYSTICK_COMPILE="1")

    assert extension_modules(wheel) == set()
    assert "The wheel is not compiled: the compilation failed" in said
    assert "core/keys.py" in said
    assert version_of(wheel).splitlines()[2] == "Not compiled when it was installed: the compilation failed"
    assert insisted.returncode != 0
    assert "core/keys.py" in insisted.stderr


def test_a_wheel_is_compiled_with_what_these_tests_are_compiled_with() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    hook = project["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
    assert set(hook["compile-requires"]) <= set(project["project"]["optional-dependencies"]["dev"])


@needs_compiler
@pytest.mark.slow
def test_with_a_compiler_every_pure_module_is_compiled_and_its_source_stays_beside_it(tree: Tree) -> None:
    """The only test that compiles everything."""
    assert "'mypy" in tree.call("get_requires_for_build_wheel").stdout

    wheel, _ = tree.build(TALLYSTICK_COMPILE="1")

    pure = {module_name(source) for source in pure_sources()}
    assert extension_modules(wheel) == {*pure, "tallystick__mypyc"}
    assert {f"{name.replace('.', '/')}.py" for name in pure} <= set(zipfile.ZipFile(wheel).namelist())
    assert not wheel.name.endswith("-any.whl")
    assert re.fullmatch(r"tallystick \S+ \(compiled by mypyc\)\nCPython \S+, SQLite \S+\n", version_of(wheel))
    assert not list(tree.path.rglob("*.so")), "the sources stay as they were"


@expects_compiled
def test_these_tests_run_compiled() -> None:
    files = [str(importlib.import_module(module_name(source)).__file__) for source in pure_sources()]
    assert [file for file in files if not file.endswith(tuple(EXTENSION_SUFFIXES))] == []


@expects_compiled
def test_the_servers_that_these_tests_start_run_compiled_wherever_they_start(tmp_path: Path) -> None:
    said = [version(dict(os.environ), directory) for directory in (Path.cwd(), tmp_path)]
    assert ["(compiled by mypyc)" in each for each in said] == [True, True]
