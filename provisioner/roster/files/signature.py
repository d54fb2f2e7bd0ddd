"""The first bytes of a file: what it is, and what to do when its name says something else."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.files.archive import member_names
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.documents import Kind, document
from provisioner.roster.files.inputs import COMPRESSIONS, FAMILIES, TEXTS, InputFile, Location
from provisioner.roster.files.origin import Origin

LENGTH: Final = 4096
"""As many bytes are looked at."""

OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC, _TAR_MAGIC_AT = (b"ustar\0", b"ustar  \0"), 257  # of POSIX, and of GNU
# The suffixes of other programs' workbooks; a text is often called so.
_WORKBOOKS: Final = frozenset({".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})


_EXPORT: Final = "export the people in it as CSV"
_UNPACK: Final = "unpack it first"
_UNPACK_AND_NAME: Final = "unpack it, and name the roster in it"
_WRITE_PARQUET: Final = "write it as Parquet"

_OLD_WORKBOOK: Final = Kind("an old or password-protected workbook", "save it as .xlsx, without a password")
_SIGNATURES: Final[Sequence[tuple[bytes | tuple[bytes, ...], Kind]]] = (
    (OLD_WORKBOOK, _OLD_WORKBOOK),
    (b"\x1f\x8b", Kind("compressed with gzip", _UNPACK, "gzip", ".gz")),
    (
        # The second are frames that are passed over, which parallel packers and others put before the first
        # (RFC 8878, 3.1.2).
        (b"\x28\xb5\x2f\xfd", *(bytes([kind]) + b"\x2a\x4d\x18" for kind in range(0x50, 0x60))),
        Kind("compressed with zstd", _UNPACK, "zstd", ".zst"),
    ),
    (
        # The level, then how the first block or the end of an empty text begins.
        tuple(b"BZh%d" % level + block for level in range(1, 10) for block in (b"1AY", b"\x17rE")),
        Kind("compressed with bzip2", _UNPACK, "bzip2", ".bz2"),
    ),
    (b"\xfd7zXZ\x00", Kind("compressed with xz", _UNPACK, "xz", ".xz")),
    (b"7z\xbc\xaf'\x1c", Kind("a 7z archive", _UNPACK_AND_NAME)),
    (b"Rar!\x1a\x07", Kind("a RAR archive", _UNPACK_AND_NAME)),
    (b"\x04\x22\x4d\x18", Kind("compressed with lz4", _UNPACK)),
    (b"\x1f\x9d", Kind("compressed with compress (.Z)", _UNPACK)),
    (b"]\0\0", Kind("compressed with lzma", _UNPACK)),
    (b"LZIP\x01", Kind("compressed with lzip", _UNPACK)),
    (b"\x89LZO\0", Kind("compressed with lzop", _UNPACK)),
    (b"\xff\x06\0\0sNaPpY", Kind("compressed with snappy", _UNPACK)),
    (b"\xff\xff\xff\xff", Kind("an Arrow stream", _WRITE_PARQUET)),
    (b"Obj\x01", Kind("an Avro file", _WRITE_PARQUET)),
    (b"SQLite format 3\x00", Kind("an SQLite database", _EXPORT)),
    (
        # OpenSSL; OpenPGP for keys of 2048, 3072 and 4096 bits, for a curve, and with a password
        (b"Salted__", b"\x85\x01\x0c\x03", b"\x85\x01\x8c\x03", b"\x85\x02\x0c\x03", b"\x84\x5e\x03", b"\x8c\x0d\x04"),
        Kind("encrypted", "decrypt it first"),
    ),
    (b"%PDF-", Kind("a PDF", _EXPORT)),
    (b"\x89PNG\r\n", Kind("a picture (PNG)", _EXPORT)),
    (b"\xff\xd8\xff", Kind("a picture (JPEG)", _EXPORT)),
)
"""How a file begins, and what it is then."""

_IN_LETTERS: Final[Sequence[tuple[bytes, Kind]]] = (
    (b"PAR1", Kind("a Parquet file", "save it in a file whose name ends in .parquet", "parquet", ".parquet")),
    (b"ARROW1", Kind("an Arrow (Feather) file", _WRITE_PARQUET)),
    (b"FEA1", Kind("an old Feather file", _WRITE_PARQUET)),
    (b"ORC", Kind("an ORC file", _WRITE_PARQUET)),
    (b"GIF8", Kind("a picture (GIF)", _EXPORT)),
)
"""Beginnings that a header may have too: ORCID,uid,name. A text has separators, and no control characters."""

_SEPARATOR: Final = re.compile(rb"[\n\r,;\t|]")
_CONTROL: Final = re.compile(rb"[^\t\n\f\r\x1a -\x7e\x80-\xff]")
_ARCHIVE: Final = Kind("a zip archive", _UNPACK, "zip", ".zip")
_BROKEN_ARCHIVE: Final = Kind("a zip archive or a workbook that is cut off or damaged", "fetch or copy it again")
_PACKED_ARCHIVE: Final = Kind("a zip archive or a workbook", _UNPACK)
_TAR: Final = Kind("a tar archive", _UNPACK_AND_NAME)
# Name of a member, or how it begins → the program whose files are zip archives that hold it.
_ZIP_KINDS: Final[Sequence[tuple[str, Kind]]] = (
    ("xl/workbook.bin", Kind("a binary workbook (.xlsb)", "save it as .xlsx")),
    ("xl/vbaProject.bin", Kind("a workbook with macros (.xlsm)", "save it as .xlsx")),
    ("xl/", Kind("a workbook", "save it in a file whose name ends in .xlsx", "workbook", ".xlsx")),
    ("Index/Document.iwa", Kind("a Numbers or another iWork document", "export it as .xlsx or CSV")),
    ("Index.zip", Kind("a Numbers or another iWork document", "export it as .xlsx or CSV")),
    ("word/", Kind("a Word document", _EXPORT)),
    ("ppt/", Kind("a PowerPoint document", _EXPORT)),
    ("content.xml", Kind("an OpenDocument file, such as an .ods workbook", "save it as .xlsx or CSV")),
)


def identify(start: bytes, origin: Origin | None = None) -> Kind | None:
    """Say what a file is by its first bytes, and, with the origin of a zip archive, by what is in it. Raises OSError.

    None for a text in which there may be people, and for what is not known.
    """
    if start.startswith(_ZIP):
        return _zip_kind(origin)
    if start[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return _TAR
    is_text = _SEPARATOR.search(start) and not _CONTROL.search(start)
    signatures = _SIGNATURES if is_text else (*_SIGNATURES, *_IN_LETTERS)
    return next((kind for beginning, kind in signatures if start.startswith(beginning)), None) or document(start)


def check_signature(file: InputFile, start: bytes, origin: Origin | None = None) -> None:
    """Compare a file's first bytes with what its name says. Raises RosterError that says what to rename it to."""
    found = identify(start, origin)
    if found is not None:
        if _fits(file, found):
            return
        raise RosterError(f"{file.name} is {found.what}; {_mend(file, found)}")
    check_compression(file, start, origin)
    if file.family not in TEXTS and _is_text(start):
        raise RosterError(f"{file.name} is text and no {file.suffix} file; {_as_text(file)}")


def check_compression(file: InputFile, start: bytes, origin: Origin | None = None) -> None:
    """Tell a file that is not compressed though its name says so. Raises RosterError, OSError."""
    found = identify(start, origin)
    if file.compression and (found is None or found.family not in COMPRESSIONS.values()):
        what, mend = ("", _as_text(file)) if found is None else (f", it is {found.what}", _mend(file, found))
        raise RosterError(f"{file.name} is not compressed with {file.compression}{what}; {mend}")


def check_text(file: InputFile, start: bytes) -> None:
    """Tell what is no text of the kind that its name says, behind its compression. Raises RosterError."""
    found = identify(start)
    if found is None or found.family == file.family:
        return
    if found.family == "json":
        if file.family == "ndjson":
            return
        mend = _rename(file, f"{_plain_stem(file)}.json{PurePosixPath(file.file_name).suffix}")
        raise RosterError(f"{file.name} is {found.what} behind its compression; {mend}")
    if not found.family:
        raise RosterError(f"{file.name} is {found.what}; {found.mend}")
    raise RosterError(f"{file.name} is {found.what} behind its compression; unpack it first")


def refuse_suffix(file: InputFile, start: bytes, origin: Origin | None = None) -> None:
    """Refuse a file whose name says nothing that is read: by what it is, else with the names that are. RosterError."""
    found = identify(start, origin)
    if found is not None and found.suffix in COMPRESSIONS and origin is not None:
        _refuse_packed(file, found, origin)
    if found is not None:
        raise RosterError(f"{file.name} is {found.what}; {_mend(file, found)}")
    if start and file.suffix in _WORKBOOKS and _is_text(start):
        raise RosterError(f"{file.name} is text and no {file.suffix} file; {_as_text(file)}")
    known = ", ".join(FAMILIES)
    mend = "save it as .xlsx" if file.suffix in _WORKBOOKS else "rename it"
    packed = ", ".join(COMPRESSIONS)
    raise RosterError(f"{file.name}: a roster ends in one of {known} (texts also in {packed}); {mend}{_left_out(file)}")


def _refuse_packed(file: InputFile, found: Kind, origin: Origin) -> None:
    """Refuse a file by what is behind its compression. Raises RosterError, OSError."""
    with Compressed(origin, found.family).open() as unpacked:
        inside = identify(start := unpacked.read(LENGTH))
    if inside is not None and not inside.family:
        raise RosterError(f"{file.name} is {inside.what}, {found.what}; {inside.mend}")
    if inside is None and not _is_text(start):
        raise RosterError(f"{file.name} is {found.what}; {_UNPACK}")
    if inside is not None and inside.family not in TEXTS:
        raise RosterError(f"{file.name} is {inside.what}, {found.what}; {_UNPACK}")
    suffix = inside.suffix if inside is not None else ".csv"
    raise RosterError(f"{file.name} is {found.what}; rename it to {_plain_stem(file)}{suffix}{found.suffix}")


def _fits(file: InputFile, found: Kind) -> bool:
    if found.family == "json" and file.family == "ndjson" and not file.compression:
        return True  # told by its lines, with the row
    # A password-protected workbook and a broken one have messages of their own, and the right name.
    if file.family == "workbook" and found is _OLD_WORKBOOK:
        return True
    return (found is _BROKEN_ARCHIVE and file.family in {"workbook", "zip"}) or (
        found.family != "" and found.family == (file.compression or file.family)
    )


def _zip_kind(origin: Origin | None) -> Kind:
    """Look what a zip archive is: the files of many programs are one."""
    if origin is None:  # within something else: only its first bytes are known
        return _PACKED_ARCHIVE
    names = [name.replace("\\", "/") for name in member_names(origin)]  # as some programs of Windows write them
    for member, kind in _ZIP_KINDS:
        if any(name == member or (member.endswith("/") and name.startswith(member)) for name in names):
            return kind
    return _ARCHIVE if names else _BROKEN_ARCHIVE


def _left_out(file: InputFile) -> str:
    """Say how a file that nobody named is left out, unless it is called as the others are."""
    if not file.found or PurePosixPath(file.where).match(PurePosixPath(file.found).name):
        return ""
    return f", or leave it out by a pattern such as {shlex.quote(file.found)}"


def _mend(file: InputFile, found: Kind) -> str:
    return _own_mend(file, found) + _left_out(file)


def _own_mend(file: InputFile, found: Kind) -> str:
    if not found.family or file.location is not Location.FILE:
        return found.mend
    if found.family == "workbook" and file.suffix in _WORKBOOKS:
        return "save it as .xlsx"
    path = PurePosixPath(file.file_name)
    if found.family not in COMPRESSIONS.values():
        return _rename(file, f"{file.stem}{found.suffix}")
    if file.compression:
        return _rename(file, f"{path.stem}{found.suffix}")
    return _rename(file, f"{path.name}{found.suffix}") if file.family in TEXTS else found.mend


def _as_text(file: InputFile) -> str:
    name = PurePosixPath(file.file_name)
    if file.compression and file.family in TEXTS:
        return _rename(file, name.stem)
    return _rename(file, f"{_plain_stem(file) if file.compression else name.stem}.csv")


def _rename(file: InputFile, name: str) -> str:
    return f"unpack the archive and rename it to {name}" if file.archive else f"rename it to {name}"


def _plain_stem(file: InputFile) -> str:
    return PurePosixPath(PurePosixPath(file.file_name).stem).stem


def _is_text(start: bytes) -> bool:
    return b"\0" not in start or start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
