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
from provisioner.roster.columns import named
from provisioner.roster.database.address import Query
from provisioner.roster.database.answer import Answer, refuse_twins
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
_UUID: Final = ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))
_KIND: Final = b"POSTGRESQL:type"
_MODIFIER: Final = b"POSTGRESQL:typmod"


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
    refuse_twins(query.name, [field.name for field in fields])
    for field in fields:
        if "interval" in _metadata(field, _KIND):
            raise RosterError(f"{query.name}: the column {field.name!r} is an interval; write it as text with ::text")
    nothing = nanoarrow.ArrayStream(CArrayStream.from_c_arrays([], nanoarrow.c_schema(stream.schema)))
    empty = pl.DataFrame(nothing)
    columns = [_column(field, empty.schema[field.name]) for field in fields]
    return Answer(dict(empty.select(columns).schema), _frames(query, stream, columns))


def _frames(query: Query, stream: ArrayStream, columns: Sequence[pl.Expr]) -> Iterator[pl.DataFrame]:
    done = 0
    try:
        for batch in stream:
            frame = pl.DataFrame(batch)
            yield frame.select(columns)
            done += frame.height
    except RuntimeError as error:  # of nanoarrow, which has what the driver says
        raise _meaning(query, error, done) from None
    except pl.exceptions.PolarsError as error:
        raise RosterError(f"{query.name}: behind row {done:,} a value is of no type ({first_line(error)})") from None


def _column(field: Any, kind: pl.DataType) -> pl.Expr:
    """Give a column as a Parquet file would have it."""
    column = named(field.name)
    if isinstance(kind, pl.Extension):
        column = column.ext.storage()
    match _metadata(field, _KIND):
        case "numeric" if (scale := _scale(_metadata(field, _MODIFIER))) is not None:
            return column.cast(pl.Decimal(38, scale))
        case "uuid":
            digits = column.bin.encode("hex")
            return pl.concat_str([digits.str.slice(*part) for part in _UUID], separator="-").alias(field.name)
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
    parameters = urlencode({**_PARAMETERS, **dict(parse_qsl(parameters))}, quote_via=quote)
    return urlunsplit((scheme, place, path, parameters, ""))


def _meaning(query: Query, error: Exception, done: int | None = None) -> RosterError:
    """Say what the server or its library says, without the query and the password."""
    found = next(filter(None, (words.search(str(error)) for words in _WORDS)), None)
    words = first_line(found[1] if found else error).strip()
    if query.password:
        words = words.replace(query.password, "***")
    after = "" if done is None else f" after {done:,} rows"
    return RosterError(f"{query.name}: PostgreSQL{after}: {words}")
