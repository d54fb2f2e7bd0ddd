"""Rows of PostgreSQL, by ADBC: streamed in batches, typed by the server, nothing turned into Python objects.

`numeric(p, s)` is a decimal number, `numeric` without a scale the text that it is: its scale differs from row to row. A
`uuid` is its text, and `json` its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import polars as pl

from provisioner.errors import RosterError
from provisioner.roster.columns import named, uuid_text
from provisioner.roster.database.address import Query
from provisioner.roster.database.answer import Answer, no_query, refuse_twins, said
from provisioner.wording import first_line

if TYPE_CHECKING:
    from nanoarrow import ArrayStream

# As many bytes of a batch: some 20,000 rows.
_BATCH_BYTES: Final = 4 * 1024 * 1024
# Seconds. A query changes nothing, and a server that is gone is noticed.
_PARAMETERS: Final = {
    "options": "-c default_transaction_read_only=on",
    "connect_timeout": "15",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
_WORDS: Final = (re.compile(r"(?:ERROR|FATAL): +(.*)"), re.compile(r"\[libpq\] (.*)"))
# Of a statement that was carried out: COPY, or none at all.
_NO_ROWS: Final = re.compile(r"Failed to execute query '.*':\s*\Z", re.DOTALL)
_KIND: Final = b"POSTGRESQL:type"
_MODIFIER: Final = b"POSTGRESQL:typmod"
_OPAQUE: Final = b"ADBC:postgresql:typname"
# Types that the driver does not know and gives as their text.
_TEXTS: Final = frozenset({"numeric", "citext", "xml"})
_ALTERED_IN_LISTS: Final = frozenset({"_money", "_oid", "_uuid", "_json", "_jsonb", "_record"})
# What the driver makes of infinity and -infinity, which have no day: numbers run over when the epoch is added.
_TIMES: Final = (-9222425352054775809, -9222425352054775808)
_INFINITE: Final = {"date": (-2147472692, -2147472691), "timestamp": _TIMES, "timestamptz": _TIMES}


@contextmanager
def asked(query: Query) -> Iterator[Answer]:
    """Ask PostgreSQL, where nothing can be changed; see `answer.Asker`."""
    import nanoarrow
    from adbc_driver_manager import Error
    from adbc_driver_postgresql import dbapi

    try:
        with closing(dbapi.connect(_login(query))) as connection, closing(connection.cursor()) as cursor:
            cursor.adbc_statement.set_options(**{"adbc.postgresql.batch_size_hint_bytes": str(_BATCH_BYTES)})
            cursor.execute(query.sql)
            with nanoarrow.ArrayStream(cursor.fetch_arrow()) as stream:
                yield _answer(query, stream)
    except Error as error:
        raise _meaning(query, error) from None


def _answer(query: Query, stream: ArrayStream) -> Answer:
    import nanoarrow
    from nanoarrow.c_array_stream import CArrayStream

    fields = list(stream.schema.fields)
    if not fields:
        raise no_query(query)
    refuse_twins(query.name, [field.name for field in fields])
    for field in fields:
        if (what := _unreadable(field)) is not None:
            raise RosterError(f"{query.name}: the column {field.name!r} is {what}")
    nothing = nanoarrow.ArrayStream(CArrayStream.from_c_arrays([], nanoarrow.c_schema(stream.schema)))
    empty = pl.DataFrame(nothing)
    columns = [_column(field, empty.schema[field.name]) for field in fields]
    infinite = [expression for field in fields if (expression := _is_infinite(field)) is not None]
    return Answer(dict(empty.select(columns).schema), _frames(query, stream, columns, infinite))


def _unreadable(field: Any) -> str | None:
    """Say what the values of a column are that would be others when they are read, and how they are asked for."""
    kind = _metadata(field, _KIND)
    if "interval" in kind:
        return f"an interval; write it as text with ::text{'[]' if kind.startswith('_') else ''}"
    if kind == "money":
        return "money, which comes without its point; write it as a number with ::numeric"
    if kind == "record" or (_metadata(field, _OPAQUE) and kind not in _TEXTS):
        return f"of the type {kind}, which comes as bytes; write it as text with ::text"
    inner = field.fields[0] if kind.startswith("_") and field.fields else None
    if inner is not None and (kind in _ALTERED_IN_LISTS or _metadata(inner, _OPAQUE)):
        return f"a list of {kind.removeprefix('_')}; write it as a list of texts with ::text[]"
    return None


def _is_infinite(field: Any) -> pl.Expr | None:
    """Tell whether a column, or a list in it, has an infinite day or time; the expression has the name of the column.

    null for what can have none
    """
    kind = _metadata(field, _KIND)
    values = _INFINITE.get(kind.removeprefix("_"))
    if values is None:
        return None
    cells = named(field.name)
    cells = cells.explode() if kind.startswith("_") else cells
    return cells.to_physical().is_in(values).any().alias(field.name)


def _refuse_infinite(query: Query, found: pl.DataFrame) -> None:
    for name, (there,) in found.to_dict(as_series=False).items():
        if there:
            what = f"the column {name!r} has an infinite day or time in it; write it as text with ::text"
            raise RosterError(f"{query.name}: {what}, or leave such rows out")


def _frames(
    query: Query, stream: ArrayStream, columns: Sequence[pl.Expr], infinite: Sequence[pl.Expr]
) -> Iterator[pl.DataFrame]:
    done = 0
    try:
        for batch in stream:
            frame = pl.DataFrame(batch)
            if infinite:
                _refuse_infinite(query, frame.select(*infinite))
            yield frame.select(columns)
            done += frame.height
    except RuntimeError as error:  # of nanoarrow, which has what the driver says
        raise _meaning(query, error, done) from None
    except pl.exceptions.PolarsError as error:
        what = f"behind row {done:,} a value is none of its type ({first_line(error)})"
        raise RosterError(
            f"{query.name}: {what}; write that column as text with ::text, or leave such rows out"
        ) from None


def _column(field: Any, kind: pl.DataType) -> pl.Expr:
    """Give a column as a Parquet file would have it."""
    column = named(field.name)
    if isinstance(kind, pl.Extension):
        column = column.ext.storage()
    match _metadata(field, _KIND):
        case "numeric" if (scale := _scale(_metadata(field, _MODIFIER))) is not None:
            return column.cast(pl.Decimal(38, scale))
        case "oid":  # without a sign, and with one to the driver
            return pl.when(column < 0).then(column.cast(pl.Int64) + 2**32).otherwise(column).alias(field.name)
        case "uuid":
            return uuid_text(column).alias(field.name)
    return column


def _scale(modifier: str) -> int | None:
    """Give the digits behind the point of `numeric(p, s)`; null where there is no limit to them."""
    number = int(modifier or -1) - 4
    return number & 0x7FF if number >= 0 and (number >> 16) <= 38 and not number & 0x400 else None


def _metadata(field: Any, key: bytes) -> str:
    found: Mapping[bytes, bytes] = dict(field.metadata.items()) if field.metadata else {}
    return found.get(key, b"").decode()


def _login(query: Query) -> str:
    """Give the address with password and parameters; those that it has itself stay."""
    scheme, place, path, parameters, _ = urlsplit(query.address.given)
    if query.password is not None:
        user, _, host = place.rpartition("@")
        place = f"{user}:{quote(query.password, safe='')}@{host}"
    own = dict(parse_qsl(parameters))
    # The last of two options of one name counts: whatever the address says, nothing can be changed.
    options = " ".join(filter(None, [own.get("options"), _PARAMETERS["options"]]))
    parameters = urlencode({**_PARAMETERS, **own, "options": options}, quote_via=quote)
    return urlunsplit((scheme, place, path, parameters, ""))


def _meaning(query: Query, error: Exception, done: int | None = None) -> RosterError:
    """Say what the server or its library says, without the query and the password."""
    if _NO_ROWS.search(str(error)):
        return no_query(query)
    found = next(filter(None, (words.search(str(error)) for words in _WORDS)), None)
    words = first_line(found[1] if found else error).strip()
    return said(query, "PostgreSQL", words, done)
