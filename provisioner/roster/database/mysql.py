"""Rows of MySQL and MariaDB, streamed; each column has the type that the server says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl, unquote, urlsplit

import polars as pl

from provisioner.errors import RosterError
from provisioner.files.cures import with_extra
from provisioner.roster.database.address import Query
from provisioner.roster.database.answer import Answer, no_query, refuse_twins, said
from provisioner.wording import first_line

_ROWS: Final = 20_000
# Seconds.
_CONNECT: Final = 15
_UNSIGNED: Final = 32
_BINARY_CHARSET: Final = 63


@contextmanager
def asked(query: Query) -> Iterator[Answer]:
    """Ask MySQL in a transaction that cannot change anything; see `answer.Asker`."""
    import pymysql

    try:
        with closing(_connected(query)) as connection, connection.cursor() as cursor, _left_unread(cursor):
            cursor.execute("SET SESSION TRANSACTION READ ONLY")
            cursor.execute(query.sql)
            if cursor.description is None:
                raise no_query(query)
            names = [name for name, *_ in cursor.description]
            refuse_twins(query.name, names)
            types = [_type(field) for field in cursor._result.fields]  # noqa: SLF001 - the charset is told only there
            schema = dict(zip(names, types, strict=True))
            yield Answer(schema, _frames(query, cursor, schema))
    except (pymysql.Error, OSError) as error:
        raise _meaning(query, error) from None


@contextmanager
def _left_unread(cursor: Any) -> Iterator[None]:
    """Leave what is still to come of an answer with the connection, which ends: a cursor reads it all to be closed."""
    try:
        yield
    finally:
        if cursor._result is not None:  # noqa: SLF001 - there is no other way to tell it
            cursor._result.unbuffered_active = False  # noqa: SLF001


def _connected(query: Query) -> Any:
    """Log in. Raises RosterError also for a server that wants the password encrypted with RSA, pymysql.Error, OSError.

    MySQL 8 wants that of everybody who comes without TLS.
    """
    import pymysql

    try:
        return pymysql.connect(**_login(query))
    except RuntimeError:
        what = "the server wants the password encrypted, for which the package cryptography is missing"
        raise RosterError(f"{query.name}: {what}; {with_extra('sql')}") from None
    except ValueError:
        what = "what the server sent for the password to be encrypted with is no key"
        raise RosterError(f"{query.name}: {what}; check host and port in --database") from None


def _frames(query: Query, cursor: Any, schema: dict[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    import pymysql

    done = 0
    try:
        while rows := cursor.fetchmany(_ROWS):
            cells = zip(schema.items(), zip(*rows, strict=True), strict=True)
            yield pl.DataFrame([_column(query, done, name, kind, values) for (name, kind), values in cells])
            done += len(rows)
    except (pymysql.Error, OSError) as error:
        raise _meaning(query, error, done) from None
    except UnicodeDecodeError as error:
        raise RosterError(f"{query.name}: behind row {done:,} a text is no UTF-8 ({first_line(error)})") from None


def _column(query: Query, done: int, name: str, kind: pl.DataType, values: Sequence[Any]) -> pl.Series:
    """Make a column of the values behind so many rows. Raises RosterError, as for a day that is none (0000-00-00)."""
    try:
        return pl.Series(name, values, dtype=kind)
    except (TypeError, pl.exceptions.PolarsError) as error:
        what = f"behind row {done:,} the column {name!r} has a value that is none of its type ({first_line(error)})"
        raise RosterError(f"{query.name}: {what}; write it as text with CAST(… AS CHAR)") from None


def _type(field: Any) -> pl.DataType:
    from pymysql.constants import FIELD_TYPE

    code = field.type_code
    if code in {FIELD_TYPE.TINY, FIELD_TYPE.SHORT, FIELD_TYPE.INT24, FIELD_TYPE.LONG, FIELD_TYPE.YEAR}:
        return pl.Int64()
    if code == FIELD_TYPE.BIT:
        return pl.UInt64()
    if code == FIELD_TYPE.LONGLONG:
        return pl.UInt64() if field.flags & _UNSIGNED else pl.Int64()
    if code in {FIELD_TYPE.FLOAT, FIELD_TYPE.DOUBLE}:
        return pl.Float64()
    if code in {FIELD_TYPE.DECIMAL, FIELD_TYPE.NEWDECIMAL}:
        return pl.Decimal(38, min(field.scale, 38))
    if code == FIELD_TYPE.DATE:
        return pl.Date()
    if code in {FIELD_TYPE.DATETIME, FIELD_TYPE.TIMESTAMP}:
        return pl.Datetime("us")
    texts = {FIELD_TYPE.JSON, FIELD_TYPE.TIME, FIELD_TYPE.ENUM, FIELD_TYPE.SET, FIELD_TYPE.NULL}
    return pl.Binary() if field.charsetnr == _BINARY_CHARSET and code not in texts else pl.String()


def _login(query: Query) -> dict[str, Any]:
    """Give what to log in with. Raises RosterError for a parameter that would not be minded: it may ask for TLS."""
    from pymysql.constants import FIELD_TYPE
    from pymysql.converters import conversions
    from pymysql.cursors import SSCursor

    parts = urlsplit(query.address.given)
    parameters = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := parameters.keys() - {"ssl_ca"}:
        what = f"the address has a parameter {min(unknown)!r}, which means nothing here"
        raise RosterError(f"{query.name}: {what}; take it out, or give ssl_ca, the one that is known")
    if (certificate := parameters.get("ssl_ca")) and not Path(certificate).is_file():
        raise RosterError(f"{query.name}: {certificate}: no such file; ssl_ca in the address has to name one")
    login: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 3306,
        "user": unquote(parts.username or ""),
        "password": query.password or "",
        "database": unquote(parts.path).strip("/"),
        "charset": "utf8mb4",
        "connect_timeout": _CONNECT,
        "cursorclass": SSCursor,
        # Of a time of day the driver makes a duration, where it is left to stay a text; of bits nothing.
        "conv": {**conversions, FIELD_TYPE.TIME: str, FIELD_TYPE.BIT: partial(int.from_bytes, byteorder="big")},
    }
    if "ssl_ca" in parameters:
        login |= {"ssl_ca": parameters["ssl_ca"], "ssl_verify_cert": True, "ssl_verify_identity": True}
    return login


def _meaning(query: Query, error: Exception, done: int | None = None) -> RosterError:
    """Say what the server or the driver says: it has a number, and words."""
    words = first_line(error.args[-1] if error.args else error)
    return said(query, "MySQL", words, done)
