"""Where the bytes of a roster come from: bytes that can be read from their start as often as one likes."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from select import select
from typing import IO, TYPE_CHECKING, BinaryIO, Final, Protocol, TypeAlias, TypeVar, cast

from provisioner.errors import RosterError, StorageError
from provisioner.files.cures import MAKE_ROOM
from provisioner.files.looking import length_of
from provisioner.files.writing import unnamed_file
from provisioner.roster.files.inputs import STANDARD_INPUT, InputFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

T = TypeVar("T")

CHUNK: Final = 1024 * 1024
"""How many bytes of what is kept are read at once."""

Version: TypeAlias = tuple[int, ...]
"""Device, inode, length and time of the last change of a file; empty where the bytes cannot change."""


def version_of(path: Path) -> Version:
    """Look at a file: whoever writes into it, takes it away or puts another in its place makes it another version."""
    try:
        found = path.stat()
    except OSError:
        return (0,)
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def unchanged(origin: Origin, version: Version, pieces: Iterable[T]) -> Iterator[T]:
    """Give what is read of an origin as long as it is of this version, to its end. Raises RosterError."""
    for piece in chain(pieces, (None,)):
        if origin.version != version:
            raise RosterError(f"{origin.name}: changed while it was read")
        if piece is not None:
            yield piece


class Origin(Protocol):
    """Bytes that stay, of a known length."""

    @property
    def name(self) -> str:
        """What messages call it: as it was given, without secrets."""

    @property
    def size(self) -> int:
        """Length in bytes, compressed where it is compressed."""

    def open(self) -> BinaryIO:
        """Open anew, at the start; readers of the same origin do not disturb each other. Raises OSError."""

    @property
    def version(self) -> Version:
        """What is another once the bytes are others; see `version_of`."""

    def close(self) -> None:
        """Let go of what it holds; nothing is opened afterwards."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file on a disk, opened by its name each time; see `Origin`."""

    path: Path

    @property
    def name(self) -> str:
        """The path, as it was given."""
        return str(self.path)

    @property
    def size(self) -> int:
        """Length of the file in bytes."""
        return length_of(self.path)

    @property
    def version(self) -> Version:
        """That of the file."""
        return version_of(self.path)

    def open(self) -> BinaryIO:
        """Open anew, at the start. Raises OSError."""
        return self.path.open("rb")

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True, slots=True)
class Spooled:
    """What could be read only once, kept in a file without a name; see `Origin`."""

    name: str
    size: int
    file: IO[bytes]

    @property
    def version(self) -> Version:
        """None: nobody else has the file."""
        return ()

    def open(self) -> BinaryIO:
        """Open anew, at the start."""
        return cast("BinaryIO", io.BufferedReader(_Positioned(self.file.fileno())))

    def close(self) -> None:
        """Let go of the disk space."""
        self.file.close()


class _Positioned(io.RawIOBase):
    """One of several readers of a file, each with a place of its own."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor, self._at = descriptor, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        with memoryview(buffer) as wanted:
            found = os.pread(self._descriptor, len(wanted), self._at)
            wanted[: len(found)] = found
        self._at += len(found)
        return len(found)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        bases = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: os.fstat(self._descriptor).st_size}
        self._at = bases[whence] + offset
        return self._at


def spool(name: str, chunks: Iterable[bytes], folder: Path) -> Spooled:
    """Keep what can be read only once in a file in `folder` that is gone when the process is.

    Raises OutputError when no file can be made there, StorageError when the disk is full, and whatever `chunks` raises.
    """
    file = unnamed_file(folder, f" to keep {name} in")
    try:
        size = 0
        for chunk in chunks:
            with _in(folder, name):
                size += file.write(chunk)
        with _in(folder, name):
            file.flush()
    except BaseException:
        with suppress(OSError):  # that of another try to write what did not fit
            file.close()
        raise
    return Spooled(name, size, file)


@contextmanager
def _in(folder: Path, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise no_room(folder, name, str(error.strerror)) from error


def no_room(folder: Path, name: str, why: str) -> StorageError:
    """Say that a folder does not take what is kept of a roster; `why` as the system says it."""
    return StorageError(f"{folder}: no room to keep {name} in ({why}); {MAKE_ROOM}")


def chunks(file: InputFile, interrupted: Callable[[], None] = lambda: None) -> Iterator[bytes]:
    """Read a pipe or a device to its end, or until `interrupted` raises. Raises RosterError."""
    where = 0 if file.where == STANDARD_INPUT else file.where
    try:
        with open(where, "rb", buffering=0, closefd=where != 0) as stream:
            if os.isatty(stream.fileno()):
                raise RosterError(f"{file.name} is a terminal; pipe a CSV into it, or name a file")
            while (chunk := stream.read(CHUNK)) != b"":
                interrupted()
                if chunk is None:  # of a pipe that whoever started the process has told not to wait
                    select([stream], [], [])
                else:
                    yield chunk
    except OSError as error:
        raise unreadable(file.name, error) from error


def unreadable(name: str, error: OSError) -> RosterError:
    """Say why what is called so cannot be read."""
    return RosterError(f"{name} cannot be read: {error.strerror or error}")
