"""Metadata whose keys are known beforehand (columns of their own, members of a struct), written by polars alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import orjson
import polars as pl

from provisioner.validation.fields import cells, jsontext
from provisioner.validation.fields.binding import Binding, instance_of
from provisioner.validation.fields.mapping import Place
from provisioner.validation.fields.source import Constant, FirstOf, FromColumn, Mapped, Source

Members: TypeAlias = dict[str, Any]
"""A `jsontext.Tree` in the making."""


def metadata_tree(binding: Binding) -> Members | None:
    """Put a struct and the single columns together; None when Python has to look at the values.

    That is so for JSON text, maps, lists, floats (they may be NaN) and dates, and where a column would replace an
    object as a whole.
    """
    given = binding.fields.get("metadata")
    tree: Members | None = {}
    if given is not None:
        tree = _struct(given, binding)
    for place, source in binding.metadata.items():
        leaf = _leaf(source, binding)
        if tree is None or leaf is None or not _plant(tree, place, leaf):
            return None
    return tree


def _struct(source: Source, binding: Binding) -> Members | None:
    if not isinstance(source, FromColumn):
        return None
    return _members(pl.col(source.name), binding.schema[source.name])


def _members(struct: pl.Expr, kind: pl.DataType) -> Members | None:
    if not isinstance(kind, pl.Struct):
        return None
    members: Members = {}
    for name, kind_of_member in kind.to_schema().items():
        value, member_kind = struct.struct.field(name), instance_of(kind_of_member)
        if jsontext.has_scalar_form(member_kind):
            members[name] = jsontext.scalar(value, member_kind)
        elif (inner := _members(value, member_kind)) is not None:
            members[name] = inner
        else:
            return None
    return members


def _leaf(source: Source, binding: Binding) -> pl.Expr | Members | None:
    """Write one source as JSON text; a struct is members, and None is for Python."""
    match source:
        case Constant(value):
            return pl.repeat(_json(value), pl.len(), dtype=pl.String)
        case FirstOf(sources):
            leaves = [leaf for each in sources if (leaf := _present(each, binding)) is not None]
            return pl.coalesce(leaves) if len(leaves) == len(sources) else None
        case Mapped():
            return _looked_up(source, binding)
        case FromColumn(name) if not isinstance(binding.schema[name], pl.String):
            value, kind = pl.col(name), binding.schema[name]
            return jsontext.scalar(value, kind) if jsontext.has_scalar_form(kind) else _members(value, kind)
    return jsontext.string(cells.trimmed(source, binding))


def _looked_up(mapped: Mapped, binding: Binding) -> pl.Expr | None:
    kept = _present(mapped.source, binding)
    if kept is None:
        return None
    default = [] if mapped.default is None else [pl.lit(_json(mapped.default))]
    if not mapped.entries:
        return pl.coalesce(kept, *default)
    written = [_json(value) for value in mapped.entries.values()]
    text = cells.trimmed(mapped.source, binding)
    found = text.replace_strict(list(mapped.entries), written, default=None, return_dtype=pl.String)
    return pl.coalesce(found, *(default or [kept]))


def _present(source: Source, binding: Binding) -> pl.Expr | None:
    """Write a source as JSON text, null where its text is empty; None is for Python."""
    leaf = _leaf(source, binding)
    return pl.when(cells.trimmed(source, binding).is_not_null()).then(leaf) if isinstance(leaf, pl.Expr) else None


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _plant(tree: Members, place: Place, leaf: pl.Expr | Mapping[str, Any]) -> bool:
    """Set a value; False where an object and something else contend for the place."""
    for key in place[:-1]:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        tree = inner
    present = tree.get(place[-1])
    if isinstance(present, pl.Expr) and isinstance(leaf, pl.Expr):
        leaf = pl.coalesce(leaf, present)
    elif present is not None:
        return False
    tree[place[-1]] = leaf
    return True
