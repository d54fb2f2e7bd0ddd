"""What flags, environment and config file say, laid over each other; and who said what was refused."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import BaseModel, PrivateAttr

from provisioner.errors import ConfigurationError
from provisioner.files.looking import UnreadableError, read_text
from provisioner.roster.database.address import seen_from
from provisioner.settings.refused import NO_PLACE, mended, shown

DEFAULT_CONFIG: Final = Path("provisioner.toml")
DEFAULT: Final = "default"
"""The origin of a value that nobody gave."""

Key: TypeAlias = tuple[str, str]
"""A table of the config file and a key in it."""

ENVIRONMENT: Final[Mapping[str, Key]] = {
    "COMETCHAT_APP_ID": ("api", "app_id"),
    "COMETCHAT_REGION": ("api", "region"),
    "COMETCHAT_BASE_URL": ("api", "base_url"),
}
"""Environment variable → the config key it stands for."""

# The flags that are not called as their key is.
_FLAGS: Final[Mapping[Key, str]] = {
    ("output", "file"): "--output",
    ("output", "progress"): "--no-progress",
    ("log", "file"): "--log-file",
    ("log", "format"): "--log-format",
    ("run", "check_roles"): "--no-check-roles",
}

# What a flag makes void in the layers below it. A variable makes nothing void: one that is always set names the real
# app, and a config that rehearses must not send to it for that. `--emulator` needs no rule: it goes before any address.
_VOID: Final[Mapping[Key, Key]] = {
    ("api", "base_url"): ("api", "emulator"),
    ("log", "verbose"): ("log", "quiet"),
    ("log", "quiet"): ("log", "verbose"),
}

# Keys that hold a path; one in the file means a path from the file, wherever the command is started.
_PATHS: Final[tuple[Key, ...]] = (
    ("api", "api_key_file"),
    ("run", "database_password_file"),
    ("sync", "state"),
    ("sync", "metrics_file"),
    ("sync", "approve"),
    ("output", "file"),
    ("output", "tokens_to"),
    ("log", "file"),
)
# Holds an address, which may be that of a file: then its path is one of them.
_DATABASE: Final[Key] = ("run", "database")
# Those that name the file of a secret.
_SECRETS: Final = frozenset({("api", "api_key_file"), ("run", "database_password_file")})


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source says: table → key → value.

    file   the config file it is; None when each value came under a name of its own
    names  the flag or the variable that gave a value
    """

    values: Mapping[str, Any]
    file: Path | None = None
    names: Mapping[Key, str] = field(default_factory=dict)

    def origin(self, table: str, key: str) -> str:
        """Say where a value of this layer came from: a path, a variable or a flag."""
        return str(self.file) if self.file is not None else self.names.get((table, key), f"{table}.{key}")

    def place(self, where: Sequence[str]) -> str:
        """Say which value is meant, as a message begins: `c.toml: rate.share`, `COMETCHAT_REGION`, `--share`."""
        name = ".".join(where[:2])
        if self.file is not None:
            return f"{self.file}: {name}"
        return name if len(where) < 2 else self.origin(where[0], where[1])

    def holds(self, where: Sequence[str]) -> bool:
        """Whether there is a value at this place."""
        inside: Any = self.values
        for part in where[:2]:
            if not isinstance(inside, Mapping) or part not in inside:
                return False
            inside = inside[part]
        return True

    def says(self, table: str, key: str) -> bool:
        """Whether it gives this key a value that is not false, empty or nothing."""
        values = self.values.get(table)
        return isinstance(values, Mapping) and bool(values.get(key))

    def without(self, keys: Collection[Key]) -> Layer:
        """Leave keys out."""
        kept = {
            table: {key: value for key, value in values.items() if (table, key) not in keys}
            if isinstance(values, Mapping)
            else values
            for table, values in self.values.items()
        }
        return replace(self, values=kept)


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that was refused.

    where    the table, the key in it, and what is inside that
    unknown  whether there is no such key; else `message` is what should be there
    """

    where: tuple[str, ...]
    unknown: bool
    message: str
    value: object


@dataclass(frozen=True, slots=True)
class _Environment:
    """The variables that came with settings, never printed and never compared; None for those of this process."""

    given: Mapping[str, str] | None = field(default=None, repr=False, compare=False)


class WithEnvironment(BaseModel):
    """What was made in an environment, which is in no dump of it, and finds key and password there."""

    _environment: _Environment = PrivateAttr(default_factory=_Environment)

    def model_post_init(self, context: Mapping[str, str] | None, /) -> None:
        """Keep the variables that they were made with."""
        if context is not None and context is not os.environ:
            self._environment = _Environment(dict(context))

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that hold a key or a password: those that these settings were made with."""
        return os.environ if self._environment.given is None else self._environment.given


def default_config() -> Path | None:
    """Find the config file in the current folder; None when nothing is called so, not even a link that leads nowhere.

    Raises `ConfigurationError` when the folder cannot be looked into.
    """
    try:
        DEFAULT_CONFIG.lstat()
        return DEFAULT_CONFIG
    except FileNotFoundError:
        return None
    except OSError as error:
        message = f"{DEFAULT_CONFIG}: cannot be looked for in this folder ({error.strerror}); go to another one"
        raise ConfigurationError(message) from None


def flag_of(table: str, key: str) -> str:
    """Name the flag that stands for a config key."""
    return _FLAGS.get((table, key), "--" + key.replace("_", "-"))


def layers_of(
    flags: Mapping[str, Mapping[str, Any]], environment: Mapping[str, str], config: Path | None
) -> list[Layer]:
    """Give the layers, the strongest last, without what a flag makes void in those below it.

    Raises `ConfigurationError` when the config file cannot be read, or the flags name an app and the emulator.
    """
    layers = [] if config is None else [Layer(_read_toml(config), file=config)]
    layers.append(_from_environment(environment))
    given = {(table, key): flag_of(table, key) for table, values in flags.items() for key in values}
    strongest = Layer(flags, names=given)
    # A config file that names its app may have a line that makes a rehearsal of it.
    if strongest.says("api", "base_url") and strongest.says("api", "emulator"):
        raise ConfigurationError("--base-url and --emulator contradict each other; leave one of them out")
    void = {other for (table, key), other in _VOID.items() if strongest.says(table, key)}
    return [*(layer.without(void) for layer in layers), strongest]


def merge(layers: Iterable[Layer]) -> tuple[dict[str, Any], dict[Key, str]]:
    """Lay the layers over each other, key by key: the values, and where each came from."""
    merged: dict[str, Any] = {}
    origins: dict[Key, str] = {}
    for layer in layers:
        for table, values in layer.values.items():
            known = merged.setdefault(table, {})
            # What is no table is left as it is, to be refused.
            if isinstance(known, dict):
                merged[table] = {**known, **values} if isinstance(values, Mapping) else values
            if isinstance(values, Mapping):
                origins |= {(table, key): layer.origin(table, key) for key in values}
    return merged, origins


def explain(problems: Iterable[Problem], layers: Sequence[Layer], known: Mapping[str, Collection[str]]) -> str:
    """Say in one sentence what was refused, and whose fault it is.

    known  table → its keys
    """
    return "; ".join(_explain(problem, layers, known) for problem in problems)


def _explain(problem: Problem, layers: Sequence[Layer], known: Mapping[str, Collection[str]]) -> str:
    where = problem.where
    # Where the refused value stands; a table that is none has no keys of its own.
    holders = [layer for layer in reversed(layers) if layer.holds(where)]
    tables = [layer for layer in layers if len(where) == 1 and not isinstance(layer.values.get(where[0], {}), Mapping)]
    place = (tables or holders or [layers[0]])[0].place(where)
    if problem.unknown:
        file, colon, _ = place.rpartition(": ")
        return f"{file}{colon}unknown key {shown('.'.join(where[:2]))}{_hint(problem, known)}"
    # A key pasted where its file is to be named is no file, and is shown nowhere.
    return f"{place}: {problem.message}" + ("" if where[:2] in _SECRETS else f", not {shown(repr(problem.value))}")


def _hint(problem: Problem, known: Mapping[str, Collection[str]]) -> str:
    *tables, key = problem.where[:2]
    if key.lower().replace("_", "").replace("-", "") == "apikey":
        return f"; {NO_PLACE}"
    near = _elsewhere([key], known)
    if not near and not tables and not isinstance(problem.value, Mapping):
        near = _elsewhere(_close(chain(*known.values()), key, 0.75), known)
    names = known[tables[0]] if tables else known
    near = near or [".".join((*tables, name)) for name in _close(names, key, 0.4)]
    return f"; did you mean {' or '.join(near)}?" if near else f"; known here: {', '.join(sorted(names))}"


def _elsewhere(names: Iterable[str], known: Mapping[str, Collection[str]]) -> list[str]:
    return [f"{table}.{name}" for name in names for table, keys in known.items() if name in keys]


def _close(names: Iterable[str], key: str, cutoff: float) -> list[str]:
    return difflib.get_close_matches(key, sorted(set(names)), n=1, cutoff=cutoff)


def _from_environment(environment: Mapping[str, str]) -> Layer:
    found: dict[str, dict[str, str]] = {}
    names = {}
    for variable, (table, key) in ENVIRONMENT.items():
        if value := environment.get(variable, "").strip():
            found.setdefault(table, {})[key] = value
            names[table, key] = variable
    return Layer(found, names=names)


def read_document(path: Path, what: str = "config file") -> dict[str, Any]:
    """Read a TOML file as it stands. Raises `ConfigurationError`.

    what  the file is, as the message says it
    """
    text = ""
    try:
        text = read_text(path)
        return tomllib.loads(text)
    except UnreadableError as error:
        away = "; mend it, or take it away" if path == DEFAULT_CONFIG and not path.is_file() else ""
        raise ConfigurationError(f"{path}: the {what} {error}{away}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML ({error}){mended(text, str(error))}") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: not valid TOML (nested too deep); take brackets out") from None


def _read_toml(path: Path) -> dict[str, Any]:
    document = read_document(path)
    for table, key in (*_PATHS, _DATABASE):
        values = document.get(table)
        if isinstance(values, dict) and isinstance(values.get(key), str):
            values[key] = _from_file(path, (table, key), values[key])
    return document


def _from_file(config: Path, key: Key, given: str) -> str:
    """Give a path of a config file, or an address, as it is from the current folder. Raises `ConfigurationError`."""
    try:
        if key == _DATABASE:
            return seen_from(config.parent, given)
        if given:
            return os.path.normpath(config.parent / Path(given).expanduser())
    except RuntimeError as error:
        shown_value = "" if key in _SECRETS else f", in {given!r}"
        raise ConfigurationError(f"{config}: {'.'.join(key)}: {error}{shown_value}") from None
    raise ConfigurationError(f"{config}: {'.'.join(key)}: should name a file, not ''; or take the line out")
