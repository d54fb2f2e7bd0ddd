"""What flags, environment and config file say, laid over each other; and who said what was refused."""

from __future__ import annotations

import difflib
import json
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeAlias

from provisioner.errors import ConfigurationError
from provisioner.files import UnreadableError, read_text

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
# Those of them that name the file of a secret, and what such keys are called, misspelled or not.
_SECRETS: Final = frozenset({("api", "api_key_file"), ("run", "database_password_file")})
_SECRET_KEY: Final = re.compile(r"api_?-?key|passw", re.IGNORECASE)
# A line `key = value`, a key that needs no quotes, and a value that does: a text, a template, a number with a unit.
_LINE: Final = re.compile(r"""\s*(?P<key>"[^"]*"|'[^']*'|[^"'=\[\]{}#]+?)\s*=\s*(?P<value>[^#]*?)\s*(?:#.*)?""")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_UNQUOTED: Final = re.compile(r"""[^\W\d][^"'\[\]{}]*|\{[^"'=]*|[\d.]+\s*[A-Za-z%][^"'\[\]{}]*|https?:[^"']*""")
_TRUTHS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}
_PASSWORD: Final = re.compile(r"//[^/@]*@")
_QUERY: Final = re.compile(r"(://[^?'\"]*)\?[^'\"]+")
_NO_PLACE: Final = "a key does not belong in a config file: set COMETCHAT_API_KEY, or name a file in api_key_file"


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


def default_config() -> Path | None:
    """Find the config file in the current folder. Raises `ConfigurationError` when the folder cannot be looked into."""
    try:
        return DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None
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
        return f"{file}{colon}unknown key {'.'.join(where[:2])}{_hint(problem, known)}"
    # A key pasted where its file is to be named is no file, and is shown nowhere.
    return f"{place}: {problem.message}" + ("" if where[:2] in _SECRETS else f", not {_shown(problem.value)}")


def _shown(value: object) -> str:
    """Show what was refused, without what is secret in an address."""
    text = _PASSWORD.sub("//***@", repr(value))
    return _QUERY.sub(r"\1?***", text)


def _hint(problem: Problem, known: Mapping[str, Collection[str]]) -> str:
    *tables, key = problem.where[:2]
    if key.lower().replace("_", "").replace("-", "") == "apikey":
        return f"; {_NO_PLACE}"
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


def _mended(text: str, message: str) -> str:
    """Say how a line is written that is no TOML for want of quotes, around its value or around its key."""
    found = re.search(r"at line (\d+)", message)
    line = text.splitlines()[int(found[1]) - 1 : int(found[1])] if found else []
    parts = _LINE.fullmatch(line[0]) if line else None
    if parts is None:
        return ""
    key, value = parts["key"], parts["value"]
    if _SECRET_KEY.search(key):
        return f"; put the value of {key} in quotes" if "file" in key.lower() else f"; {_NO_PLACE}"
    if value.lower() in _TRUTHS:
        return f"; write {key} = {_TRUTHS[value.lower()]}" if value != _TRUTHS[value.lower()] else ""
    if not (_BARE_KEY.fullmatch(key) or key[0] in "\"'"):
        key = json.dumps(key, ensure_ascii=False)
    if _UNQUOTED.fullmatch(value):
        value = json.dumps(value, ensure_ascii=False)
    return f"; put it in quotes: {key} = {value}" if (key, value) != (parts["key"], parts["value"]) else ""


def read_document(path: Path, what: str = "config file") -> dict[str, Any]:
    """Read a TOML file as it stands. Raises `ConfigurationError`.

    what  the file is, as the message says it
    """
    text = ""
    try:
        text = read_text(path)
        return tomllib.loads(text)
    except UnreadableError as error:
        raise ConfigurationError(f"{path}: the {what} {error}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML ({error}){_mended(text, str(error))}") from None
    except RecursionError:
        raise ConfigurationError(f"{path}: not valid TOML (nested too deep); take brackets out") from None


def _read_toml(path: Path) -> dict[str, Any]:
    document = read_document(path)
    for table, key in _PATHS:
        values = document.get(table)
        if isinstance(values, dict) and isinstance(values.get(key), str):
            if not values[key]:
                raise ConfigurationError(f"{path}: {table}.{key}: should name a file, not ''; or take the line out")
            try:
                values[key] = os.path.normpath(path.parent / Path(values[key]).expanduser())
            except RuntimeError as error:
                given = "" if (table, key) in _SECRETS else f", in {values[key]!r}"
                raise ConfigurationError(f"{path}: {table}.{key}: {error}{given}") from None
    return document
