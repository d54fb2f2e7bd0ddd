"""The first bytes of a file: what it is, and what to do when its name says something else."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.files.inputs import COMPRESSIONS, TEXTS, InputFile, Location

LENGTH: Final = 512
"""As many bytes are looked at."""


@dataclass(frozen=True, slots=True)
class Signature:
    """A kind of file that is told by its first bytes.

    what    continues `users.csv is …`
    family  what the name would say of it, as in `inputs.FAMILIES` or `inputs.COMPRESSIONS`; empty: not read at all
    suffix  the one it should have
    mend    what to do when no other name helps
    """

    start: bytes
    what: str
    family: str
    suffix: str
    mend: str


SIGNATURES: Final[Sequence[Signature]] = (
    Signature(b"PAR1", "a Parquet file", "parquet", ".parquet", "save it in a file whose name ends in .parquet"),
    Signature(
        b"PK\x03\x04",
        "a workbook or another zip archive",
        "workbook",
        ".xlsx",
        "save it in a file whose name ends in .xlsx",
    ),
    Signature(
        b"\xd0\xcf\x11\xe0", "an old or password-protected workbook", "", "", "save it as .xlsx, without a password"
    ),
    Signature(b"\x1f\x8b", "compressed with gzip", "gzip", ".gz", "unpack it first"),
    Signature(b"\x28\xb5\x2f\xfd", "compressed with zstd", "zstd", ".zst", "unpack it first"),
    Signature(b"BZh", "compressed with bzip2", "", "", "unpack it first"),
    Signature(b"\xfd7zXZ\x00", "compressed with xz", "", "", "unpack it first"),
)

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "UTF-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "UTF-16", "utf-16"),
)


def check_signature(file: InputFile, start: bytes) -> None:
    """Compare a file's first bytes with what its name says. Raises RosterError that says what to rename it to."""
    found = _found(start)
    if found is not None and found.family == (file.compression or file.family):
        return
    if found is not None:
        # A password-protected workbook has a message of its own, and the right name.
        if found.start != b"\xd0\xcf\x11\xe0" or file.family != "workbook":
            raise RosterError(f"{file.name} is {found.what}; {_mend(file, found)}")
    elif file.compression is not None:
        raise RosterError(f"{file.name} is not compressed with {file.compression}; {_as_text(file)}")
    elif file.family not in TEXTS and _is_text(start):
        raise RosterError(f"{file.name} is text and no {file.suffix} file; {_as_text(file)}")


def check_text(file: InputFile, start: bytes, *, encoded: bool) -> None:
    """Tell what is no text, or not UTF-8 by its byte order mark unless it is `encoded`. Raises RosterError."""
    found = _found(start)
    if found is not None:
        raise RosterError(f"{file.name} is {found.what} behind its compression; unpack it first")
    for mark, what, encoding in _BYTE_ORDER_MARKS:
        if start.startswith(mark) and not encoded:
            raise RosterError(f"{file.name} is {what}, which --encoding {encoding} reads")


def _found(start: bytes) -> Signature | None:
    return next((signature for signature in SIGNATURES if start.startswith(signature.start)), None)


def _mend(file: InputFile, found: Signature) -> str:
    if not found.family or file.location is not Location.FILE:
        return found.mend
    path = PurePosixPath(file.file_name)
    if found.family not in COMPRESSIONS.values():
        return f"rename it to {file.stem}{found.suffix}"
    if file.compression:
        return f"rename it to {path.stem}{found.suffix}"
    return f"rename it to {path.name}{found.suffix}" if file.family in TEXTS else found.mend


def _as_text(file: InputFile) -> str:
    name = PurePosixPath(file.file_name)
    return f"rename it to {name.stem}" if file.compression else f"rename it to {name.stem}.csv"


def _is_text(start: bytes) -> bool:
    return b"\0" not in start or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
