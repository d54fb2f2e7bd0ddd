"""A compressed origin: read as if it were plain, while its progress is told in compressed bytes."""

from __future__ import annotations

import gzip
import io
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, cast

from provisioner.errors import RosterError
from provisioner.roster.files.origin import Origin

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

# What one call asks of the library, in bytes of plain text: it unpacks little more at a time anyway.
_PIECE: Final = 256 * 1024

_BROKEN: Final = (gzip.BadGzipFile, zlib.error, zstd.ZstdError)


class _Plain(Protocol):
    def read1(self, size: int, /) -> bytes: ...

    def close(self) -> None: ...


_UNPACKERS: Final[Mapping[str, Callable[[BinaryIO], _Plain]]] = {"gzip": gzip.open, "zstd": zstd.open}


@dataclass(frozen=True, slots=True)
class Compressed:
    """An origin whose bytes are unpacked on the way; see `provisioner.roster.files.origin.Origin`.

    method  `gzip` or `zstd`; several members or frames one after the other are one text
    """

    packed: Origin
    method: str

    @property
    def name(self) -> str:
        """What messages call it."""
        return self.packed.name

    @property
    def size(self) -> int:
        """Length in bytes, compressed."""
        return self.packed.size

    def open(self) -> BinaryIO:
        """Open anew, at the start: an `UnpackedFile`. Raises OSError."""
        return cast("BinaryIO", UnpackedFile(self.packed, self.method))

    def close(self) -> None:
        """Let go of the packed origin."""
        self.packed.close()


class UnpackedFile(io.RawIOBase):
    """The plain bytes of a compressed origin; a read gives all that was asked for, except at the end."""

    def __init__(self, origin: Origin, method: str) -> None:
        super().__init__()
        self._name, self._method = origin.name, method
        self._packed = origin.open()
        self._plain: _Plain = _UNPACKERS[method](self._packed)
        self._done = 0

    def packed_bytes(self) -> int:
        """How much of the compressed file has been read."""
        return self._packed.tell()

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
        except _BROKEN:
            what = "is damaged"
        message = f"{self._name} {what}: its {self._method} data ends or breaks behind byte {self._done} of the text"
        raise RosterError(f"{message}; fetch or copy it again")
