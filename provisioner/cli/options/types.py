"""The kinds of options there are, and how their values are read.

With converters of our own: the library's would take 1.5 for 2, and the word `none` for nothing given.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from cyclopts import Parameter
from cyclopts.token import Token

from provisioner.settings.values import parse_count
from provisioner.wording import shortened

Converter = Callable[[Any, Sequence[Token]], Any]


def text_of(_: Any, tokens: Sequence[Token]) -> str:
    """Read a text: as it stands."""
    return tokens[0].value


def path_of(_: Any, tokens: Sequence[Token]) -> Path:
    """Read a path: as it stands. Nothing, which would be the current folder, is none."""
    if not (value := tokens[0].value):
        raise ValueError("is empty; name a file (a variable that is not set gives nothing)")
    return Path(value)


def _file_of(_: Any, tokens: Sequence[Token]) -> Path:
    """Read the path of a file. A slash at the end, which a path would lose, names a folder."""
    value, named = tokens[0].value, path_of(_, tokens)
    if value.endswith("/") and not os.path.isdir(value):  # noqa: PTH112 - a name that no file can have is told later
        raise ValueError(f"{shortened(value)} ends with a slash, as the name of a folder does; name a file")
    return named


def _number_of(least: int | None) -> Callable[[Any, Sequence[Token]], int]:
    def convert(_: Any, tokens: Sequence[Token]) -> int:
        value = tokens[0].value
        try:
            number = int(str(parse_count(value)))
        except ValueError:
            raise ValueError(f"{value!r} is no whole number, such as 500 or 10k") from None
        if least is not None and number < least:
            raise ValueError(f"{number} is less than {least}")
        return number

    return convert


def argument(name: str, description: str, converter: Converter = path_of, *, required: bool = True) -> Parameter:
    """Make an argument: a path, unless it is converted otherwise; `required` at least once."""
    return Parameter(name=name, group="Arguments", required=required, converter=converter, help=description)


def text(description: str, *names: str, metavar: str = "TEXT") -> Parameter:
    """Make an option that takes any text; what it may be, settings know."""
    return Parameter(name=names, help=description, metavar=metavar, converter=text_of)


def path(description: str, *names: str) -> Parameter:
    """Make an option that takes the path of a file."""
    return Parameter(name=names, help=description, metavar="FILE", converter=_file_of)


def number(description: str, *names: str, least: int | None = None) -> Parameter:
    """Make an option that takes a whole number."""
    return Parameter(name=names, help=description, metavar="N", converter=_number_of(least))


def choice(values: Iterable[str], description: str, *names: str) -> Parameter:
    """Make an option that takes one of a few words."""
    return Parameter(name=names, help=description, choices=[str(each) for each in values], converter=text_of)


def flag(description: str, *names: str) -> Parameter:
    """Make an option that takes no value."""
    return Parameter(name=names, help=description, negative=())
