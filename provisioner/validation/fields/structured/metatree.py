"""Metadata whose keys are known beforehand (columns of their own, members of a struct), written by polars alone."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import polars as pl

from provisioner.roster.columns import instance_of, member, named
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.places import MetadataPath
from provisioner.validation.fields.source import (
    Constant,
    Encoded,
    FromColumn,
    Mapped,
    Source,
    Template,
    interpret,
)
from provisioner.validation.fields.structured import jsontext

Members: TypeAlias = dict[str, Any]
"""A `jsontext.Tree` in the making."""

Leaf: TypeAlias = pl.Expr | Members | None
"""What one source is written as: JSON text, the members of a struct, or nothing that polars can write."""


def metadata_tree(frame: pl.DataFrame, binding: Binding) -> Members | None:
    """Put a struct and the single columns together; None when Python has to look at the values.

    That is so for JSON text, maps, lists, floats (they may be NaN) and dates, and where a column would replace an
    object as a whole. `frame` has the cells.
    """
    given = binding.fields.get("metadata")
    tree = {} if given is None else _struct(given, binding)
    if tree is None:
        return None
    reader, crowds = _JsonReader(binding, _in_need_of_escapes(frame, binding)), _crowds(binding)
    done = {(*place, key) for place, columns in crowds.items() for key in columns}
    for path, source in binding.metadata.items():
        if path in done:
            continue
        leaf = interpret(source, reader)
        if leaf is None or not _plant(tree, path, leaf):
            return None
    for place, columns in crowds.items():
        if not _plant(tree, (*place, next(iter(columns))), _members_at_once(frame, columns, reader)):
            return None
    return tree


def _crowds(binding: Binding) -> Mapping[MetadataPath, Mapping[str, str]]:
    """Find the objects of very many plain columns of text, in all: place → key → column.

    To plan an expression for each column would take fifty times as long as to write its cells.
    """
    if len(binding.metadata) <= cells.WIDE or "metadata" in binding.fields:
        return {}
    crowds: dict[MetadataPath, dict[str, str]] = {}
    optional = set(binding.optional)
    for path, source in binding.metadata.items():
        if isinstance(source, FromColumn) and source.name in optional and binding.schema[source.name] == pl.String:
            optional.remove(source.name)  # it is read once
            crowds.setdefault(path[:-1], {})[path[-1]] = source.name
    return {place: columns for place, columns in crowds.items() if len(columns) > cells.WIDE}


def _members_at_once(frame: pl.DataFrame, columns: Mapping[str, str], reader: _JsonReader) -> jsontext.Written:
    """Write key → column as members of one object: `,"dept":"R&D","floor":"3"`."""
    opened = pl.DataFrame({"column": columns.values(), "opened": [f",{jsontext.dumps(key)}:" for key in columns]})
    text = cells.trimmed_optional(pl.col("cell"), reader.binding)
    if not reader.escaping.isdisjoint(columns.values()):
        text = jsontext.escaped(text)
    member = pl.concat_str([pl.col("opened"), jsontext.quoted(text)])
    written = [
        part.join(opened, on="column", how="left", maintain_order="left")
        .group_by("row", maintain_order=True)
        .agg(member.str.join())["opened"]
        for part in cells.long(frame, list(columns.values()))
    ]
    return jsontext.Written(pl.concat_str([pl.lit(each) for each in written]))


def _struct(source: Source, binding: Binding) -> Members | None:
    if not isinstance(source, FromColumn):
        return None
    return _members(named(source.name), binding.schema[source.name])


def _members(struct: pl.Expr, kind: pl.DataType) -> Members | None:
    if not isinstance(kind, pl.Struct):
        return None
    members: Members = {}
    for name, kind_of_member in kind.to_schema().items():
        value, member_kind = member(struct, kind, name), instance_of(kind_of_member)
        if jsontext.has_scalar_form(member_kind):
            members[name] = jsontext.scalar(value, member_kind)
        elif (inner := _members(value, member_kind)) is not None:
            members[name] = inner
        else:
            return None
    return members


@dataclass(frozen=True, slots=True)
class _JsonReader:
    """Reads sources as JSON text (String); a struct is members, and None is for Python.

    escaping  the columns with cells that need escapes: to escape takes much longer than to ask
    listed    as of `cells.trimmed`
    """

    binding: Binding
    escaping: frozenset[str]
    listed: bool = False

    def column(self, source: FromColumn) -> Leaf:
        value, kind = named(source.name), self.binding.schema[source.name]
        if isinstance(kind, pl.String):
            return self._text(source)
        return jsontext.scalar(value, kind) if jsontext.has_scalar_form(kind) else _members(value, kind)

    def constant(self, source: Constant) -> Leaf:
        return pl.repeat(jsontext.dumps(source.value), pl.len(), dtype=pl.String)

    def template(self, source: Template) -> Leaf:
        return self._text(source)

    def first_of(self, choices: Sequence[Leaf]) -> Leaf:
        leaves = [leaf for leaf in choices if isinstance(leaf, pl.Expr)]
        return pl.coalesce(leaves) if len(leaves) == len(choices) else None

    def mapped(self, source: Mapped, found: Leaf) -> Leaf:
        if not isinstance(found, pl.Expr):
            return None
        default = [] if source.default is None else [pl.lit(jsontext.dumps(source.default))]
        if not source.entries:
            return pl.coalesce(found, *default)
        written = [jsontext.dumps(value) for value in source.entries.values()]
        text = self._trimmed(source.source, source.entries)
        looked_up = text.replace_strict(list(source.entries), written, default=None, return_dtype=pl.String)
        return pl.coalesce(looked_up, *(default or [found]))

    def encoded(self, source: Encoded, _found: Leaf) -> Leaf:
        return self._text(source)

    def present(self, source: Source, read: Leaf, _entries: Collection[str] = ()) -> Leaf:
        there = self._trimmed(source).is_not_null()
        return pl.when(there).then(read) if isinstance(read, pl.Expr) else None

    def within_list(self) -> _JsonReader:
        return replace(self, listed=True)

    def _trimmed(self, source: Source, entries: Collection[str] = ()) -> pl.Expr:
        return cells.trimmed(source, self.binding, listed=self.listed, entries=entries)

    def _text(self, source: Source) -> pl.Expr:
        text = self._trimmed(source)
        if isinstance(source, FromColumn) and source.name not in self.escaping:
            return jsontext.quoted(text)
        return jsontext.string(text)


def _in_need_of_escapes(frame: pl.DataFrame, binding: Binding) -> frozenset[str]:
    used = {name: None for source in binding.metadata.values() for name in source.columns}
    texts = [name for name in used if binding.schema[name] == pl.String]
    return frozenset(cells.where_any(frame, texts, jsontext.needs_escapes))


def _plant(tree: Members, path: MetadataPath, leaf: pl.Expr | Mapping[str, Any] | jsontext.Written) -> bool:
    """Set a value; False where an object and something else contend for the place."""
    for key in path[:-1]:
        inner = tree.setdefault(key, {})
        if not isinstance(inner, dict):
            return False
        tree = inner
    present = tree.get(path[-1])
    if isinstance(present, pl.Expr) and isinstance(leaf, pl.Expr):
        leaf = pl.coalesce(leaf, present)
    elif present is not None:
        return False
    tree[path[-1]] = leaf
    return True
