"""Every setting in force with where it comes from, never the key; and the example with every key there is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ConfigurationError
from provisioner.logs.masking import MASK
from provisioner.settings.apikey import find_api_key
from provisioner.settings.refused import without_key
from provisioner.settings.secretfile import is_shown
from provisioner.settings.tables import Loaded, Table, keys_of_tables
from provisioner.settings.values import Allowance
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.mapping import NULL_VALUES, ColumnMapping
from provisioner.wording import json_text

NOT_SET: Final = "(not set)"
_EXAMPLE: Final = "config.example.toml"
# What `[columns]` says beside the sources of fields.
_COLUMNS: Final[Mapping[str, Any]] = {
    "tags_separator": ColumnMapping().tags_separator,
    "others": "ignore",
    "null_values": list(NULL_VALUES),
    "leave_out": [],
}
# Keys that name the file of a secret, and whether only what looks like a key is no file's name.
_SECRET_FILES: Final = {"api_key_file": True, "database_password_file": False}


@dataclass(frozen=True, slots=True)
class Setting:
    """One key of one table: its value as JSON has it (null when nobody set it), and where that comes from."""

    table: str
    key: str
    value: Any
    origin: str


def show_config(loaded: Loaded, environment: Mapping[str, str], *, as_json: bool) -> str:
    """Give all settings as a table, or as one JSON object. No network, and not a character of the API key."""
    key, state, origin = _api_key(loaded, environment)
    loaded = _without_key(loaded, key)
    if not as_json:
        return _as_text(loaded, state if origin is None else f"{state}, from {origin}")
    tables: dict[str, dict[str, dict[str, Any]]] = {table: {} for table in keys_of_tables()}
    for each in settings_of(loaded):
        tables[each.table][each.key] = {"value": each.value, "origin": each.origin}
    document = {
        "config": None if loaded.config is None else str(loaded.config),
        "sends_to": _sends_to(loaded),
        "api_key": {"state": state, "origin": origin},
        "settings": tables,
    }
    return json_text(document, default=str)


def settings_of(loaded: Loaded) -> Iterator[Setting]:
    """Give every setting, in the order of the tables."""
    for table in keys_of_tables():
        for key, value in _members(getattr(loaded.settings, table)):
            told = (
                not isinstance(value, Path) or key not in _SECRET_FILES or is_shown(value, like_key=_SECRET_FILES[key])
            )
            yield Setting(table, key, _plain(value) if told else MASK, loaded.origin(table, key))


def _members(table: Table | Constraints | ColumnMapping) -> Iterable[tuple[str, Any]]:
    if isinstance(table, Constraints):
        return asdict(table).items()
    if isinstance(table, ColumnMapping):
        return {**_COLUMNS, **table.given}.items()
    return [(each.alias or name, getattr(table, name)) for name, each in type(table).model_fields.items()]


def _plain(value: Any) -> Any:
    """Say a value as the config file would have it."""
    match value:
        case Allowance():
            return str(value) if value.number is None else value.number
        case Path():
            return str(value)
        case _:
            return value


def _api_key(loaded: Loaded, environment: Mapping[str, str]) -> tuple[str, str, str | None]:
    """Give the key, whether there is one (`set`, `not set`, or what is wrong with it), and where it comes from."""
    try:
        key, origin = find_api_key(loaded.settings, environment)
    except ConfigurationError as error:
        message = str(error)
        return "", "not set" if message.startswith("no API key") else f"unusable: {message}", None
    return key.get_secret_value(), "set", origin


def _without_key(loaded: Loaded, key: str) -> Loaded:
    """Mask a key that was given as the app id, or in the address; `key` is the one that is set."""
    api = loaded.settings.api
    masked = {
        name: text and without_key(text, key) for name, text in {"app_id": api.app_id, "base_url": api.base_url}.items()
    }
    return replace(loaded, settings=loaded.settings.model_copy(update={"api": api.model_copy(update=masked)}))


def _sends_to(loaded: Loaded) -> str | None:
    if loaded.settings.api.emulator:
        return "the built-in emulator"
    try:
        return loaded.settings.base_url
    except ConfigurationError:
        return None


def _as_text(loaded: Loaded, key_state: str) -> str:
    shown = [(each, _literal(each.value)) for each in settings_of(loaded)]
    names = max(len(each.key) for each, _ in shown)
    # A long mapping is no reason to push every origin off the screen.
    values = max((len(text) for _, text in shown if len(text) <= 40), default=0)
    lines = [
        f"config file  {loaded.config or '(none)'}",
        f"sends to     {_sends_to(loaded) or NOT_SET}",
        f"API key      {key_state}",
    ]
    for table in keys_of_tables():
        lines += ["", f"[{table}]"]
        lines += [f"{each.key:{names}}  {text:{values}}  {each.origin}" for each, text in shown if each.table == table]
    return "\n".join(lines)


def _literal(value: Any) -> str:
    return NOT_SET if value is None else json_text(value, None, str)


def example_config() -> str:
    """Give the config file with every key; it is beside this module where the package is installed."""
    installed = Path(__file__).with_name(_EXAMPLE)
    source = Path(__file__).parents[2] / _EXAMPLE
    return (installed if installed.exists() else source).read_text(encoding="utf-8")
