"""What a group of options is. Groups are named as the tables of settings; each option is written once.

A field is a key of its table, or begins with `no_` when the option turns that key off. What was not given is None.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar, dataclass_transform

from cyclopts import Parameter


@dataclass_transform(frozen_default=True, eq_default=False)
@dataclass(frozen=True, repr=False, eq=False)
class Options:
    """A group of options. What several commands take is one class; what one takes besides is another, made of it.

    heading  what stands above them in the help
    table    of settings that they are keys of
    """

    HEADING: ClassVar[str]
    TABLE: ClassVar[str]

    def __init_subclass__(cls, *, heading: str | None = None, table: str | None = None) -> None:
        """Make a frozen data class of a group, and one parameter of each of its fields."""
        if heading is not None and table is not None:
            cls.HEADING, cls.TABLE = heading, table
        # Nobody prints or compares a group, and to make the methods for it takes a third of a class's time.
        dataclass(frozen=True, repr=False, eq=False)(cls)
        Parameter(name="*", group=f"{cls.HEADING} [{cls.TABLE}]")(cls)


def given(*groups: Options | None) -> dict[str, dict[str, Any]]:
    """Give what was given, as tables of settings."""
    tables: dict[str, dict[str, Any]] = {}
    for group in filter(None, groups):
        for field in fields(group):
            value = getattr(group, field.name)
            if value is None:
                continue
            key = field.name.removeprefix("no_")
            tables.setdefault(group.TABLE, {})[key] = value if key == field.name else not value
    return tables
