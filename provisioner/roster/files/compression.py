"""A compressed origin: read as if it were plain, while its progress is told in compressed bytes."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, TypeAlias, cast

from provisioner.errors import RosterError
from provisioner.roster.files.origin import Origin, Version

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What one call asks of the library, in bytes of plain text: it unpacks little more at a time anyway.
_PIECE: Final = 256 * 1024

_BROKEN: Final = (gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

# What zstd says of a sound file that it does not unpack: what that is, and what to do.
_WITH_OPTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "too much memory": ("needs more than 128 MiB of memory (zstd --long)", "unpack it first, with zstd -d --long=31"),
    "Dictionary mismatch": ("was made with a dictionary", "unpack it first, with zstd -d -D and that dictionary"),
}


class _Plain(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


# How much of a compressed file is read at once.
_CHUNK: Final = 64 * 1024


class _Streams:
    """One bzip2 or xz stream behind the other. Python's own readers take what is no stream for the end of the file."""

    def __init__(
        self, packed: BinaryIO, make: Callable[[], bz2.BZ2Decompressor | lzma.LZMADecompressor], magic: bytes
    ) -> None:
        self._packed, self._make, self._magic = packed, make, magic
        self._stream, self._rest = make(), b""

    def read1(self, size: int, /) -> bytes:
        """Give some bytes, none at the end. Raises EOFError, LZMAError, OSError without a number for what is broken."""
        while True:
            if self._stream.eof and not self._next():
                return b""
            rest, self._rest = self._rest, b""
            if not rest and self._stream.needs_input:
                rest = self._packed.read(_CHUNK)
                if not rest:
                    raise EOFError
            if piece := self._stream.decompress(rest, size):
                return piece

    def close(self) -> None:
        """Nothing is held."""

    def _next(self) -> bool:
        """Begin the next stream, behind the zeros that may fill the space before one; False when there is none."""
        rest = self._stream.unused_data
        while len(rest := rest.lstrip(b"\0")) < len(self._magic) and (more := self._packed.read(_CHUNK)):
            rest += more
        if not rest:
            return False
        if not rest.startswith(self._magic):
            raise lzma.LZMAError
        self._stream, self._rest = self._make(), rest
        return True


def _open_bzip2(packed: BinaryIO) -> _Streams:
    return _Streams(packed, bz2.BZ2Decompressor, b"BZh")


def _open_xz(packed: BinaryIO) -> _Streams:
    return _Streams(packed, partial(lzma.LZMADecompressor, lzma.FORMAT_XZ), b"\xfd7zXZ\0")


Unpacker: TypeAlias = Callable[[BinaryIO], _Plain]
"""Opens the packed bytes for reading the plain ones."""

_UNPACKERS: Final[Mapping[str, Unpacker]] = {
    "gzip": gzip.open,
    "zstd": zstd.open,
    "bzip2": _open_bzip2,
    "xz": _open_xz,
}


@dataclass(frozen=True, slots=True)
class Packed:
    """What origins have in common whose bytes are unpacked on the way; see `provisioner.roster.files.origin.Origin`."""

    packed: Origin

    @property
    def size(self) -> int:
        """Length in bytes, packed."""
        return self.packed.size

    @property
    def version(self) -> Version:
        """That of the packed origin."""
        return self.packed.version

    def close(self) -> None:
        """Let go of the packed origin."""
        self.packed.close()


@dataclass(frozen=True, slots=True)
class Compressed(Packed):
    """A compressed file.

    method  as in `inputs.COMPRESSIONS`; several members, streams or frames one after the other are one text
    """

    method: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.packed.name

    def open(self) -> BinaryIO:
        """Open anew, at the start: an `UnpackedFile`. Raises OSError."""
        return cast("BinaryIO", UnpackedFile(self.packed, self.name, self.method, _UNPACKERS[self.method]))


class UnpackedFile(io.RawIOBase):
    """The plain bytes of a compressed origin; a read gives all that was asked for, except at the end."""

    def __init__(self, packed: Origin, name: str, method: str, unpacker: Unpacker) -> None:
        super().__init__()
        self._name, self._method = name, method
        self._packed = packed.open()
        try:
            self._plain: _Plain = unpacker(self._packed)
        except BaseException:
            self._packed.close()
            super().close()  # or it would be closed once more when it goes
            raise
        self._done = 0

    def packed_bytes(self) -> int:
        """How much of the compressed file has been read."""
        inner = self._packed
        return inner.packed_bytes() if isinstance(inner, UnpackedFile) else inner.tell()

    def readable(self) -> bool:
        """Say that it is for reading."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill the buffer. Raises RosterError with the byte of plain text reached when there is no more to unpack."""
        start = self._done
        with memoryview(buffer) as wanted:
            while piece := self._unpack(min(_PIECE, len(wanted) - self._done + start)):
                wanted[self._done - start : self._done - start + len(piece)] = piece
                self._done += len(piece)
        return self._done - start

    def close(self) -> None:
        """Close both files."""
        if not self.closed:
            self._plain.close()
            self._packed.close()
        super().close()

    def _unpack(self, size: int) -> bytes:
        if not size:
            return b""
        try:
            return self._plain.read1(size)
        except EOFError:
            what = "is cut off"
        except zstd.ZstdError as error:
            for said, (found, mend) in _WITH_OPTIONS.items():
                if said in str(error):
                    raise RosterError(f"{self._name} {found}; {mend}") from None
            what = "is damaged"
        except _BROKEN:
            what = "is damaged"
        except OSError as error:
            if error.errno is not None:
                raise
            what = "is damaged"  # how bzip2 says so
        message = f"{self._name} {what}: its {self._method} data ends or breaks behind byte {self._done} of the text"
        raise RosterError(f"{message}; fetch or copy it again")
