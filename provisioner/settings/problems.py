"""What pydantic refuses, in our words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from pydantic import ValidationError

from provisioner.errors import ConfigurationError
from provisioner.settings.layers import Problem

_WORDS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "should be a whole number, such as 100"),
    **dict.fromkeys(("float_type", "float_parsing", "finite_number"), "should be a number of seconds, such as 30"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "should be true or false"),
    "string_type": "should be a text in quotes",
    "string_too_short": "should not be empty",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should be letters, digits and -, with no - at either end",
    "path_type": "should be a path in quotes",
    "greater_than": "should be more than {gt:g}",
    "greater_than_equal": "should be at least {ge}",
    "less_than_equal": "should be at most {le:.15g}",
    "model_type": "should be a table of settings, not a single value",
    "enum": "should be {expected}",
    "literal_error": "should be {expected}",
}
"""Kind of what pydantic refuses → how we say it."""


def problems_of(error: ValidationError) -> list[Problem]:
    """Say in our terms what pydantic refused."""
    return [
        Problem(
            where=tuple(str(part) for part in each["loc"]),
            unknown=each["type"] == "extra_forbidden",
            message=_WORDS.get(each["type"], "").format_map(each.get("ctx", {}))
            or each["msg"].removeprefix("Value error, "),
            value=each["input"],
        )
        for each in error.errors(include_url=False)
    ]


def refuse_what_is_no_table(tables: Mapping[str, object], known: Mapping[str, Sequence[str]]) -> None:
    """Refuse keyword arguments that are no tables of settings; raises `ConfigurationError`, which quotes no value.

    known  table → its keys
    """
    for name, values in tables.items():
        if isinstance(values, Mapping) and all(isinstance(key, str) for key in values):
            continue
        if name in known:
            example = f"{name}={{{next(iter(known[name]), 'uid')!r}: …}}"
            raise ConfigurationError(f"{name}: is a table, and given as the keys in it, such as {example}")
        table = next((each for each, keys in known.items() if name in keys), None)
        if table is not None:
            raise ConfigurationError(f"{name}: is a key of the table {table}; give {table}={{{name!r}: …}}")
        raise ConfigurationError(f"{name}: there is no such table; known are {', '.join(sorted(known))}")
