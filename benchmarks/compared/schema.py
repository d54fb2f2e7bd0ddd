"""A roster as a schema of dataframely, as its documentation shows it: rules are polars expressions."""

from __future__ import annotations

from typing import Any, Final

import dataframely as dy
import polars as pl

from benchmarks.speed.plain_check import COLUMNS

_URL: Final = r"^(?i)https?://[^\s/?#]+([/?#]\S*)?$"
_WORDS: Final = ("true", "yes", "1", "t", "y", "false", "no", "0", "f", "n")
_TOKEN: Final = ',"withAuthToken":true'
_STRINGS: Final = r'^\[\s*("(?:[^"\\]|\\.)*"\s*(,\s*"(?:[^"\\]|\\.)*"\s*)*)?\]$'


class Roster(dy.Schema):
    """The rows of a roster, cells trimmed, empty ones null."""

    uid = dy.String(regex=r"^[a-z0-9-]+$", max_length=100)
    name = dy.String(max_length=100)
    avatar = dy.String(nullable=True, regex=_URL, max_length=3000)
    link = dy.String(nullable=True, regex=_URL, max_length=3000)
    role = dy.String(nullable=True, regex=r"^[A-Za-z0-9_-]{1,100}$")
    statusMessage = dy.String(nullable=True)  # noqa: N815 - the API's name
    tags = dy.String(nullable=True)
    metadata = dy.String(nullable=True)
    withAuthToken = dy.String(nullable=True)  # noqa: N815

    @dy.rule()
    def comes_once(cls) -> pl.Expr:  # noqa: N805 - as the library wants it
        """Take the first row of a uid."""
        return pl.col("uid").is_first_distinct()

    @dy.rule()
    def tags_are_texts(cls) -> pl.Expr:  # noqa: N805
        """JSON has to be a list of strings."""
        return ~pl.col("tags").str.starts_with("[") | pl.col("tags").str.contains(_STRINGS)

    @dy.rule()
    def tags_are_few(cls) -> pl.Expr:  # noqa: N805
        """At most 25."""
        return pl.col("tags").str.split(";").list.len() <= 25

    @dy.rule()
    def tags_are_short(cls) -> pl.Expr:  # noqa: N805
        """At most 100 characters each."""
        return pl.col("tags").str.split(";").list.eval(pl.element().str.len_chars()).list.max() <= 100

    @dy.rule()
    def metadata_is_an_object(cls) -> pl.Expr:  # noqa: N805
        """And JSON."""
        whole = pl.col("metadata").str.json_path_match("$")
        return pl.col("metadata").is_null() | (whole.is_not_null() & whole.str.starts_with("{"))

    @dy.rule()
    def metadata_is_short(cls) -> pl.Expr:  # noqa: N805
        """At most 5 KiB."""
        return pl.col("metadata").str.len_bytes() <= 5120

    @dy.rule()
    def token_is_a_boolean(cls) -> pl.Expr:  # noqa: N805
        """In words."""
        return pl.col("withAuthToken").str.to_lowercase().is_in(_WORDS)

    @dy.rule()
    def body_is_short(cls) -> pl.Expr:  # noqa: N805
        """At most 10 KiB, the token asked for included."""
        parts = [pl.col(name).str.len_bytes().fill_null(0) for name in COLUMNS]
        return pl.sum_horizontal(parts) + len(_TOKEN) + sum(map(len, COLUMNS)) <= 10240


def read(path: Any) -> pl.DataFrame:
    """Read a CSV as the schema wants it."""
    cell = pl.all().str.strip_chars()
    frame = pl.read_csv(path, infer_schema=False).select(pl.when(cell != "").then(cell))
    return frame.with_columns(pl.col("uid").str.to_lowercase())
