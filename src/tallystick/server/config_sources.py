"""Where a configuration comes from. The first that gives a value: command line, environment, file, sandbox, default.

Nothing is accepted halfway: every fault there is, is found before any is told.
"""

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, get_args, get_origin

from msgspec import NODEFAULT, ValidationError, convert
from msgspec.structs import FieldInfo, fields

from tallystick.server.config import SECRET_NAMES, Config, Section, sandbox_defaults
from tallystick.server.config_faults import BadConfig, Fault
from tallystick.server.config_rules import judge

S = TypeVar("S", bound=Section)
DEFAULT: Final = "default"
SANDBOX: Final = "sandbox"
FILE: Final = "file"
ECHO_MAX: Final = 80
ENVIRONMENT: Final = "TALLYSTICK_"
SHORT_NAMES: Final = {
    "TALLYSTICK_PORT": "server.port",
    "TALLYSTICK_DATA": "server.data",
    "TALLYSTICK_DISK_LOW": "server.disk_low_mib",
    "TALLYSTICK_TOKEN": "sandbox.token",
    "TALLYSTICK_PACE": "sandbox.pace",
    "TALLYSTICK_PRICES": "sandbox.prices",
}
NO_SETTINGS: Final = frozenset(
    ENVIRONMENT + name
    for name in (
        *("CONFIG", "URL", "CLIENT_ID", "CLIENT_SECRET", "WEBHOOK_SECRET", "OPS_URL", "OPS_VENUE", "OPS_TOKEN"),
        *("COMPILE", "EXPECT_COMPILED", "CRASH_AT", "CRASH_KILLS", "CRASH_SEED", "SEEDS", "FIRST_SEED"),
        *("BLUEFIN_OPENAPI", "WITHOUT_NODE", "HALVES_SEEDS"),
    )
)
"""What the other commands, the build and the tests read, which may be run where a server is."""
OPTIONS: Final = {
    "--host": "server.host",
    "--port": "server.port",
    "--data": "server.data",
    "--disk-low": "server.disk_low_mib",
    "--token": "sandbox.token",
    "--pace": "sandbox.pace",
    "--prices": "sandbox.prices",
}


class Loaded(NamedTuple):
    """``origins`` says of each setting (``sophic.fee_bps``) where its value comes from."""

    config: Config
    origins: Mapping[str, str]


def load(file: Path | None, environment: Mapping[str, str], command_line: Mapping[str, str | None]) -> Loaded:
    """The configuration that these make; ``command_line`` is by option (``--port``), None where it was not given.

    An empty variable counts as none. Raises BadConfig.
    """
    reader = _Reader()
    if file is not None:
        reader.read_section(Config, _parse(file), "")
    reader.read_environment(environment)
    reader.read_command_line(command_line)
    reader.complete(is_sandbox=file is None)
    config = _build(Config, reader.values, "")
    faulty = {fault.path for fault in reader.faults}
    reader.faults += [fault for fault in judge(config, reader.origins) if fault.path not in faulty]
    if reader.faults:
        raise BadConfig(reader.faults)
    return Loaded(config, {path: reader.origins.get(path, DEFAULT) for path, _ in settings(config)})


def settings(section: Section, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every setting of a section and those within it, with its value: ``("server.port", 8420)``."""
    for field in fields(section):
        value = getattr(section, field.name)
        path = prefix + field.name
        if isinstance(value, Section):
            yield from settings(value, f"{path}.")
        elif _section_in_list(field.type) is not None:
            for at, item in enumerate(value):
                yield from settings(item, f"{path}[{at}].")
        else:
            yield path, value


def is_secret(path: str) -> bool:
    """Whether the value of this setting is never shown."""
    return path.rpartition(".")[2] in SECRET_NAMES


class _Reader:
    """Collects values by path, where each comes from, and what is wrong."""

    def __init__(self) -> None:
        self.values: Final[dict[str, Any]] = {}
        self.origins: Final[dict[str, str]] = {}
        self.faults: list[Fault] = []
        self._kinds: Final = dict(_kinds(Config))

    def read_section(self, kind: type[Section], table: dict[str, Any], prefix: str) -> None:
        known = {field.name: field for field in fields(kind)}
        for name, value in table.items():
            path = prefix + name
            if name in known:
                self._read_field(known[name], path, value)
            else:
                self._complain(path, f"there is no such setting{self._did_you_mean(path, list(known))}")

    def read_environment(self, environment: Mapping[str, str]) -> None:
        names = {variable(path): path for path in self._kinds}
        # The full name after the short one, so that it wins.
        for name in [*SHORT_NAMES, *sorted(set(environment) - set(SHORT_NAMES))]:
            text = environment.get(name, "")
            path = names.get(name) or SHORT_NAMES.get(name, "")
            if text and path:
                self._read_text(path, text, f"environment {name}")
            elif text and name.startswith(ENVIRONMENT) and name not in NO_SETTINGS:
                self._complain(name, f"there is no such setting{_did_you_mean_variable(name, names)}")

    def read_command_line(self, options: Mapping[str, str | None]) -> None:
        for option, text in options.items():
            if text is not None:
                self._read_text(OPTIONS[option], text, option)

    def complete(self, *, is_sandbox: bool) -> None:
        """Give what nobody gave and what is not always the same: whether there is a sandbox, and what goes with it."""
        if not self.values.setdefault("sandbox.enabled", is_sandbox):
            return
        for path, value in sandbox_defaults(self.values.get("sandbox.pace", Config().sandbox.pace)).items():
            by_calendar = path == "sophic.settlement.delay_seconds" and any(
                given.startswith("sophic.settlement.") for given in self.values
            )
            if path not in self.values and not by_calendar:
                self.values[path], self.origins[path] = value, SANDBOX

    def _read_field(self, field: FieldInfo, path: str, value: Any) -> None:
        within, each = _section(field.type), _section_in_list(field.type)
        if within is not None:
            if isinstance(value, dict):
                self.read_section(within, value, f"{path}.")
            else:
                self._complain(path, f"must be a section: write [{path}] above its settings")
        elif each is not None:
            if isinstance(value, list) and all(isinstance(item, dict) for item in value):
                self._read_list(each, path, value)
            else:
                self._complain(path, f"must be a list of sections: write [[{path}]] above each")
        else:
            self._convert(path, field.type, value, FILE, strict=True)

    def _read_list(self, kind: type[Section], path: str, items: list[dict[str, Any]]) -> None:
        built: list[Section] = []
        before = len(self.faults)
        for at, item in enumerate(items):
            prefix = f"{path}[{at}]."
            self.read_section(kind, item, prefix)
            for field in fields(kind):
                if field.default is NODEFAULT and field.name not in item:
                    self._complain(prefix + field.name, f"is missing; it must be {_must_be(field.type)}")
            if len(self.faults) == before:
                built.append(_build(kind, self.values, prefix))
        self.values[path], self.origins[path] = tuple(built), FILE

    def _read_text(self, path: str, text: str, origin: str) -> None:
        kind = self._kinds[path]
        is_list = _bare_origin(kind) is tuple
        value = [part.strip() for part in text.split(",") if part.strip()] if is_list else text
        self._convert(path, kind, value, origin, strict=False)

    def _convert(self, path: str, kind: Any, value: Any, origin: str, *, strict: bool) -> None:
        try:
            self.values[path] = convert(value, kind, strict=strict)
            self.origins[path] = origin
        except ValidationError:
            shown = "" if is_secret(path) else f", not {_echo(value)}"
            where = "" if origin == FILE else f" ({origin})"
            self._complain(path, f"must be {_must_be(kind)}{shown}{where}")

    def _complain(self, path: str, sentence: str) -> None:
        self.faults.append(Fault(path, sentence))

    def _did_you_mean(self, path: str, siblings: list[str]) -> str:
        before, _, name = path.rpartition(".")
        near = [f"{before}.{each}" if before else each for each in get_close_matches(name, siblings, 1)]
        near += [known for known in self._kinds if known.rpartition(".")[2] == name]
        return f"; did you mean {near[0]}?" if near else ""


def variable(path: str) -> str:
    """The name of the environment variable of a setting."""
    return ENVIRONMENT + path.upper().replace(".", "_")


def _did_you_mean_variable(name: str, names: Iterable[str]) -> str:
    """Compared without the beginning that all have, which would make any two of them alike."""
    known = [each.removeprefix(ENVIRONMENT) for each in (*names, *SHORT_NAMES, *sorted(NO_SETTINGS))]
    near = get_close_matches(name.removeprefix(ENVIRONMENT), known, 1)
    return f"; did you mean {ENVIRONMENT}{near[0]}?" if near else ""


def _parse(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except OSError as error:
        raise BadConfig([Fault(str(file), f"cannot be read: {error.strerror or error}")]) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadConfig([Fault(str(file), f"is not TOML: {error}")]) from None


def _kinds(kind: type[Section], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Path and type of each setting that is one value."""
    for field in fields(kind):
        within = _section(field.type)
        if within is not None:
            yield from _kinds(within, f"{prefix}{field.name}.")
        elif _section_in_list(field.type) is None:
            yield prefix + field.name, field.type


def _build(kind: type[S], values: Mapping[str, Any], prefix: str) -> S:
    given: dict[str, Any] = {}
    for field in fields(kind):
        within = _section(field.type)
        if within is not None:
            given[field.name] = _build(within, values, f"{prefix}{field.name}.")
        elif prefix + field.name in values:
            given[field.name] = values[prefix + field.name]
    return kind(**given)


def _section(kind: Any) -> type[Section] | None:
    return kind if isinstance(kind, type) and issubclass(kind, Section) else None


def _section_in_list(kind: Any) -> type[Section] | None:
    return _section(get_args(kind)[0]) if get_origin(kind) is tuple else None


def _bare_origin(kind: Any) -> Any:
    return get_origin(getattr(kind, "__origin__", kind))


def _must_be(kind: Any) -> str:
    """What the type's description says a value must be."""
    metadata = [each for part in (kind, *get_args(kind)) for each in getattr(part, "__metadata__", ())]
    return str(metadata[0].description)


def _echo(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= ECHO_MAX else f"{text[:ECHO_MAX]}…"
