"""The first bytes of a file: what it is, and what to do when its name says something else."""

from __future__ import annotations

import codecs
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.files.archive import member_names
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.documents import document
from provisioner.roster.files.inputs import COMPRESSIONS, FAMILIES, TEXTS, InputFile, Location
from provisioner.roster.files.origin import Origin

LENGTH: Final = 4096
"""As many bytes are looked at."""

OLD_WORKBOOK: Final = b"\xd0\xcf\x11\xe0"
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_TAR_MAGIC, _TAR_MAGIC_AT = (b"ustar\0", b"ustar  \0"), 257  # of POSIX, and of GNU
# The suffixes of other programs' workbooks; a text is often called so.
_WORKBOOKS: Final = frozenset({".xls", ".xlsm", ".xlsb", ".ods", ".numbers"})


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


_EXPORT: Final = "export the people in it as CSV"
_UNPACK: Final = "unpack it first"

SIGNATURES: Final[Sequence[Signature]] = (
    Signature(b"PAR1", "a Parquet file", "parquet", ".parquet", "save it in a file whose name ends in .parquet"),
    Signature(OLD_WORKBOOK, "an old or password-protected workbook", "", "", "save it as .xlsx, without a password"),
    Signature(b"\x1f\x8b", "compressed with gzip", "gzip", ".gz", _UNPACK),
    Signature(b"\x28\xb5\x2f\xfd", "compressed with zstd", "zstd", ".zst", _UNPACK),
    *(  # frames that are passed over, which parallel packers and others put before the first (RFC 8878, 3.1.2)
        Signature(bytes([kind]) + b"\x2a\x4d\x18", "compressed with zstd", "zstd", ".zst", _UNPACK)
        for kind in range(0x50, 0x60)
    ),
    *(  # the level, then how the first block or the end of an empty text begins
        Signature(b"BZh%d" % level + block, "compressed with bzip2", "bzip2", ".bz2", _UNPACK)
        for level in range(1, 10)
        for block in (b"1AY", b"\x17rE")
    ),
    Signature(b"\xfd7zXZ\x00", "compressed with xz", "xz", ".xz", _UNPACK),
    Signature(b"7z\xbc\xaf'\x1c", "a 7z archive", "", "", "unpack it, and name the roster in it"),
    Signature(b"Rar!\x1a\x07", "a RAR archive", "", "", "unpack it, and name the roster in it"),
    Signature(b"\x04\x22\x4d\x18", "compressed with lz4", "", "", _UNPACK),
    Signature(b"\x1f\x9d", "compressed with compress (.Z)", "", "", _UNPACK),
    Signature(b"]\0\0", "compressed with lzma", "", "", _UNPACK),
    Signature(b"LZIP\x01", "compressed with lzip", "", "", _UNPACK),
    Signature(b"\x89LZO\0", "compressed with lzop", "", "", _UNPACK),
    Signature(b"\xff\x06\0\0sNaPpY", "compressed with snappy", "", "", _UNPACK),
    Signature(b"ARROW1", "an Arrow (Feather) file", "", "", "write it as Parquet"),
    Signature(b"FEA1", "an old Feather file", "", "", "write it as Parquet"),
    Signature(b"\xff\xff\xff\xff", "an Arrow stream", "", "", "write it as Parquet"),
    Signature(b"ORC", "an ORC file", "", "", "write it as Parquet"),
    Signature(b"Obj\x01", "an Avro file", "", "", "write it as Parquet"),
    Signature(b"SQLite format 3\x00", "an SQLite database", "", "", _EXPORT),
    *(
        Signature(start, "encrypted", "", "", "decrypt it first")
        # OpenSSL; OpenPGP for keys of 2048, 3072 and 4096 bits, for a curve, and with a password
        for start in (
            b"Salted__",
            b"\x85\x01\x0c\x03",
            b"\x85\x01\x8c\x03",
            b"\x85\x02\x0c\x03",
            b"\x84\x5e\x03",
            b"\x8c\x0d\x04",
        )
    ),
    Signature(b"%PDF-", "a PDF", "", "", _EXPORT),
    Signature(b"\x89PNG\r\n", "a picture (PNG)", "", "", _EXPORT),
    Signature(b"\xff\xd8\xff", "a picture (JPEG)", "", "", _EXPORT),
    Signature(b"GIF8", "a picture (GIF)", "", "", _EXPORT),
)
# Starts that a header may begin with too: ORCID,uid,name. A text has separators, and no control characters.
_WORDS: Final = frozenset({b"PAR1", b"ARROW1", b"FEA1", b"ORC", b"GIF8"})
_SEPARATOR: Final = re.compile(rb"[\n\r,;\t|]")
_CONTROL: Final = re.compile(rb"[^\t\n\f\r\x1a -\x7e\x80-\xff]")
_ARCHIVE: Final = Signature(b"PK", "a zip archive", "zip", ".zip", _UNPACK)
_BROKEN_ARCHIVE: Final = Signature(
    b"PK", "a zip archive or a workbook that is cut off or damaged", "", "", "fetch or copy it again"
)
_PACKED_ARCHIVE: Final = Signature(b"PK", "a zip archive or a workbook", "", "", _UNPACK)
_TAR: Final = Signature(b"", "a tar archive", "", "", "unpack it, and name the roster in it")
# Name of a member, or how it begins → the program whose files are zip archives that hold it.
_ZIP_KINDS: Final[Sequence[tuple[str, Signature]]] = tuple(
    (member, Signature(b"PK", what, family, suffix, mend))
    for member, what, family, suffix, mend in (
        ("xl/workbook.bin", "a binary workbook (.xlsb)", "", "", "save it as .xlsx"),
        ("xl/vbaProject.bin", "a workbook with macros (.xlsm)", "", "", "save it as .xlsx"),
        ("xl/", "a workbook", "workbook", ".xlsx", "save it in a file whose name ends in .xlsx"),
        ("Index/Document.iwa", "a Numbers or another iWork document", "", "", "export it as .xlsx or CSV"),
        ("Index.zip", "a Numbers or another iWork document", "", "", "export it as .xlsx or CSV"),
        ("word/", "a Word document", "", "", _EXPORT),
        ("ppt/", "a PowerPoint document", "", "", _EXPORT),
        ("content.xml", "an OpenDocument file, such as an .ods workbook", "", "", "save it as .xlsx or CSV"),
    )
)


def identify(start: bytes, origin: Origin | None = None) -> Signature | None:
    """Say what a file is by its first bytes, and, with the origin of a zip archive, by what is in it. Raises OSError.

    None for a text in which there may be people, and for what is not known.
    """
    if start.startswith(_ZIP):
        return _zip_kind(origin)
    if start[_TAR_MAGIC_AT:].startswith(_TAR_MAGIC):
        return _TAR
    known = next((signature for signature in SIGNATURES if start.startswith(signature.start)), None)
    if known is not None and known.start in _WORDS and _SEPARATOR.search(start) and not _CONTROL.search(start):
        known = None
    if known is None and (text := document(start)) is not None:
        return Signature(b"", text.what, text.family, text.suffix, text.mend)
    return known


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


def _refuse_packed(file: InputFile, found: Signature, origin: Origin) -> None:
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


def _fits(file: InputFile, found: Signature) -> bool:
    if found.family == "json" and file.family == "ndjson" and not file.compression:
        return True  # told by its lines, with the row
    # A password-protected workbook and a broken one have messages of their own, and the right name.
    if file.family == "workbook" and found.start == OLD_WORKBOOK:
        return True
    return (found is _BROKEN_ARCHIVE and file.family in {"workbook", "zip"}) or (
        found.family != "" and found.family == (file.compression or file.family)
    )


def _zip_kind(origin: Origin | None) -> Signature:
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


def _mend(file: InputFile, found: Signature) -> str:
    return _own_mend(file, found) + _left_out(file)


def _own_mend(file: InputFile, found: Signature) -> str:
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
