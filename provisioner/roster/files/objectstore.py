"""Rosters at addresses, read through polars' object store: what its errors mean, and a copy of what is read twice.

Credentials come from the environment, as polars reads them. Nothing that it says of an error is passed on as it stands:
addresses carry secrets, and so may a server's answer.
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

import polars as pl

from provisioner.errors import RosterError
from provisioner.files.cures import FULL
from provisioner.roster.database.address import SCHEME, WEB
from provisioner.roster.files.inputs import COMPRESSIONS, shown
from provisioner.roster.files.origin import Spooled, no_room, spool
from provisioner.wording import first_line

if TYPE_CHECKING:
    from polars._typing import StorageOptionsDict

OPTIONS: Final[StorageOptionsDict] = {"max_retries": 3, "retry_timeout_ms": 30_000}
"""How long an object store is tried; polars tries plain http and https ten times, whatever is said here."""

POLARS_ERRORS: Final = (pl.exceptions.PolarsError, OSError, pl.exceptions.PanicException)
"""What polars raises where a file cannot be read or written."""

_PATTERN = re.compile(r"[*?\[]")

_CREDENTIALS = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, GOOGLE_APPLICATION_CREDENTIALS, or AZURE_STORAGE_ACCOUNT_NAME and "
    "AZURE_STORAGE_ACCOUNT_KEY"
)
_METADATA_SERVICE = r"/latest/(?:api/token|meta-data)|computeMetadata|metadata/identity"
_MEANINGS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), meaning)
    for pattern, meaning in (
        (
            rf"{_METADATA_SERVICE}|Account must be specified|Missing (?:access|secret|account)",
            f"no credentials for it are in the environment ({_CREDENTIALS})",
        ),
        (r"status code: 401|valid authentication", "the credentials are not accepted (401)"),
        (r"status code: 403|necessary privileges", "access is denied (403); check the credentials, or renew the link"),
        (r"status code: 404|not found:", "there is nothing at this address (404)"),
        (r"expanded paths were empty", "nothing there fits the pattern"),
        (r"dns error|lookup address", "the name of the host is not known"),
        (r"connection refused", "nothing answers there (connection refused)"),
        (r"certificate", "the server's TLS certificate is not accepted"),
        (r"timed out|deadline", "no answer in time"),
        (r"range request|CONTENT_RANGE", "the server cannot send parts of a file; fetch it first"),
        (r"error sending request|error decoding response|connection closed", "the connection was lost"),
    )
)
_STATUS = re.compile(r"status code: (\d{3})")
_OS_ERROR = re.compile(r"os error (\d+)")
_NOT_UTF8 = re.compile("invalid utf-?8", re.IGNORECASE)


def is_address(where: str) -> bool:
    """Tell an address from a path."""
    return SCHEME.match(where) is not None


def is_pattern(where: str) -> bool:
    """Tell whether an address is meant for several objects; in one of the web `?` begins the query."""
    return WEB.match(where) is None and _PATTERN.search(where) is not None


def explained(error: BaseException, where: str) -> str:
    """Say what an error of polars means; what it says itself is shown of a file on a disk, or without any address."""
    if not is_address(where):
        return first_line(error)
    if isinstance(error, pl.exceptions.SchemaError):
        return "the files differ in their columns or types"
    message = str(error)
    for pattern, meaning in _MEANINGS:
        if pattern.search(message):
            return meaning
    if status := _STATUS.search(message):
        return f"the server answers with status {status[1]}"
    secret_in_it = any(secret and secret in message for secret in urlsplit(where)[1:])
    return type(error).__name__ if "://" in message or secret_in_it else first_line(error)


def why_full(error: BaseException) -> str | None:
    """Say why a file can take no more, as the system says it; None for any other error of polars."""
    told = _OS_ERROR.search(str(error))
    number = int(told[1]) if told else getattr(error, "errno", None)
    return os.strerror(number) if number in FULL else None


def fetch(url: str, folder: Path) -> Spooled:
    """Copy a text at an address into a file in `folder` that has no name: it is read twice and must stay as it is.

    Line ends become LF, inside quoted cells too. Raises RosterError for what cannot be had or is not UTF-8, OutputError
    and StorageError for what the folder does not take.
    """
    name = shown(url)
    if name.lower().endswith(tuple(COMPRESSIONS)):
        raise RosterError(f"{name}: a compressed file is read from a disk only; fetch it first")
    if is_pattern(url):
        raise RosterError(f"{name}: a pattern in an address is for Parquet only; name each file")
    fetched = spool(name, (), folder)
    try:
        _copy(url, name, folder, fetched.file)
        size = os.fstat(fetched.file.fileno()).st_size
        if not size:
            raise RosterError(f"{name} is empty: it has no bytes at all")
    except BaseException:
        fetched.close()
        raise
    return replace(fetched, size=size)


def _copy(url: str, name: str, folder: Path, file: IO[bytes]) -> None:
    """Write the lines as they stand; a CSV writer that never quotes is what keeps memory flat."""
    lines = pl.scan_lines(url, glob=False, storage_options=OPTIONS)
    try:
        lines.sink_csv(file, include_header=False, quote_style="never")
    except POLARS_ERRORS as error:
        if why := why_full(error):
            raise no_room(folder, name, why) from None
        if _NOT_UTF8.search(str(error)):
            raise RosterError(f"{name} is not UTF-8; fetch it and give --encoding") from None
        raise RosterError(f"{name} cannot be read: {explained(error, url)}") from None
