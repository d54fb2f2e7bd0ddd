"""Files that are written whole and synced, without a name, set aside, or told apart."""

from __future__ import annotations

import codecs
import errno
import fcntl
import hashlib
import os
import stat
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import IO, Final, cast

from provisioner.errors import OutputError, StorageError

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_LINE: Final = 64 * 1024
ANOTHER_OUTPUT: Final = "choose another --output"
# No other --output is a cure once something was sent: its journal would be another one, which knows of nobody.
_MEND: Final = "make room or mend that, then run the same command again"
_UTF_8: Final = "set PYTHONUTF8=1, or LC_ALL=C.UTF-8, and run the same command again"
MAKE_ROOM: Final = "make room, or choose another --output where nothing was sent"
"""What to do where a folder takes no more, and a job may have begun or not."""

# Tokens and people's data are the owner's alone; without tokens, as wide as the umask allows.
PRIVATE, SHARED = 0o600, 0o666


@contextmanager
def written_whole(path: Path, mode: int) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends well, and disappears when it does not."""
    temporary, held = None, None
    try:
        temporary, held = _begun(path, mode)
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        _note(path, temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        why = error.strerror or error
        raise StorageError(f"{path}: cannot be written ({why}); {_MEND}") from error
    finally:
        if temporary is not None and held is not None:
            with suppress(OSError):  # on a filesystem that has become read-only
                temporary.unlink(missing_ok=True)
            os.close(held)


def _begun(path: Path, mode: int) -> tuple[Path, int]:
    """Make a temporary neighbour of a file, and hold it locked: its path, and what is to be closed. Raises OSError.

    Two processes that write one file have a neighbour each; what killed ones have left behind goes.
    """
    for number in count(1):
        temporary = path.with_name(f".{path.name}{f'.{number}' if number > 1 else ''}.part")
        _remove_abandoned(temporary)
        _remove_abandoned(path.with_name(f".{path.name}.{number + 1}.part"))
        with suppress(FileExistsError):  # another process writes there
            held = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
            if _is_held(held, temporary):
                return temporary, held
            os.close(held)  # another process has just taken it for abandoned
    raise AssertionError("numbers do not end")


def _remove_abandoned(temporary: Path) -> None:
    """Remove what nobody holds locked any more: opened again it would keep its own mode. Raises OSError."""
    try:
        file = os.open(temporary, os.O_RDWR)
    except OSError:  # not there, or another user's
        temporary.unlink(missing_ok=True)
        return
    try:
        if _is_held(file, temporary):
            temporary.unlink(missing_ok=True)
    finally:
        os.close(file)


def _is_held(file: int, path: Path) -> bool:
    """Lock an open file, and tell whether it is ours then and has its name still; as well where there are no locks."""
    with suppress(OSError):  # a filesystem without locks
        if not locked(file):
            return False
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(file), path.stat())
    return False


def locked(file: int, *, shared: bool = False) -> bool:
    """Lock an open file as long as it is open; False where another holds it. Raises OSError where there are no locks.

    shared  several may hold it like that at once
    """
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def name_once(temporary: Path, path: Path) -> None:
    """Give a finished file its name; raises FileExistsError when something has it, perhaps since a moment.

    Where there are links the temporary name stays as well.
    """
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)


class UnreadableError(Exception):
    """A text cannot be read; the message goes on behind the file's name, says why, and quotes nothing of it."""


def read_text(path: Path) -> str:
    """Read a small text that a person has written, as UTF-8 with or without a mark. Raises `UnreadableError`."""
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # a name that no file can have
        raise UnreadableError(f"cannot be read ({getattr(error, 'strerror', None) or error})") from None
    return text_of(content)


def text_of(content: bytes) -> str:
    """Give the text that a file holds as UTF-8 with or without a mark. Raises `UnreadableError`."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if content.startswith(_UTF_16) or b"\0" in content:
            raise UnreadableError("is UTF-16, not UTF-8; save it as UTF-8") from None
        line = content.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"is not UTF-8 (line {line}, byte {error.start + 1}); save it as UTF-8") from None


def unnamed_file(folder: Path, purpose: str = "", *, buffered: bool = True, late: bool = False) -> IO[bytes]:
    """Make a file that is gone when the process is, and that nobody else can open. Raises `OutputError`.

    purpose   what it is for, as the message goes on: ` to keep it in`
    buffered  False so that closing it writes nothing
    late      something may have been sent: it is a `StorageError` then
    """
    try:
        return cast("IO[bytes]", tempfile.TemporaryFile(dir=folder, buffering=-1 if buffered else 0))
    except OSError as error:
        message = f"{folder}: no file can be made there{purpose} ({error.strerror})"
        if late:
            raise StorageError(f"{message}; {_MEND}") from error
        raise OutputError(f"{message}; {MAKE_ROOM if folder.is_dir() else ANOTHER_OUTPUT}") from error


def path_of(file: IO[bytes]) -> Path:
    """Give a path under which this process can open a file without a name once more, for what reads paths only."""
    return Path(f"/dev/fd/{file.fileno()}")


def sync_folder(folder: Path) -> None:
    """Bring a new name to the disk as well; some filesystems know no such thing, and the file is whole without it."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def set_aside(path: Path, companions: Sequence[str] = ()) -> Path | None:
    """Rename a file that must not be overwritten; its new path, None when there was none.

    companions  endings of the files beside it that go along, before it: `-wal` for `a.db-wal`

    Raises `StorageError`.
    """
    if not path.exists():
        return None
    aside = free_name(path)
    try:
        for ending in (*companions, ""):
            beside = path.with_name(path.name + ending)
            if beside.exists():
                beside.rename(aside.with_name(aside.name + ending))
    except OSError as error:
        raise StorageError(f"{path}: cannot be set aside ({error.strerror or error}); {_MEND}") from error
    return aside


def digest_of(path: Path) -> str | None:
    """Give the SHA-256 of a file's content in hex digits, None when there is no file that can be read."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def beside_itself(path: Path, ending: str) -> Path:
    """Name what SQLite or we keep beside a file, which is beside the file itself, not beside a link to it."""
    return Path(os.path.realpath(path) + ending)


def notes_of(path: Path) -> Path:
    """Name the file that has the digests of what is put in the place of another one, noted before that is done.

    `written_whole` adds to it where it is there, so that a file that nothing else tells of yet is known for ours.
    """
    return path.with_name(f".{path.name}.written")


def noted(path: Path) -> list[str]:
    """Give the digests that were noted, the latest last."""
    try:
        return notes_of(path).read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return []


def _note(path: Path, content: Path) -> None:
    """Note what is about to take the place of a file, where notes are taken. Raises OSError."""
    if (notes := notes_of(path)).exists():
        with notes.open("a", encoding="ascii") as file:
            file.write(f"{digest_of(content)}\n")
            file.flush()
            os.fsync(file.fileno())


def set_edited_aside(path: Path, written: str | None) -> Path | None:
    """Rename a file whose content is not what was written last; its new path, None when it may be overwritten.

    written  `digest_of` what was written last; None when that is not known
    """
    return set_aside(path) if digest_of(path) != written else None


def free_name(path: Path) -> Path:
    """Give a neighbour's name that is not taken: the time in it, and a number if that is not enough."""
    stamp = time_stamp()
    names = (f"{path.stem}.{stamp}{more}{path.suffix}" for more in chain([""], (f"-{n}" for n in count(2))))
    return next(each for name in names if not (each := path.with_name(name)).exists())


def time_stamp() -> str:
    """Give the time as the name of a file can hold it, in UTC: `20260131T235959`."""
    return time.strftime("%Y%m%dT%H%M%S", time.gmtime())


def is_free(path: Path, is_ours: Callable[[IO[bytes]], bool]) -> bool:
    """Whether writing to a file spoils nothing: it is not there, empty, no regular file (a pipe), or ours.

    is_ours  looks into it
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or not found.st_size:
            return True
        with path.open("rb") as file:
            return is_ours(file)
    except OSError:  # what is there and cannot be read may be anybody's
        return not os.access(path, os.F_OK)


def outer_lines(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Give the first line of a file and the last that has an end, as far as each is within 64 KiB."""
    first = file.readline(_LINE).rstrip(b"\r\n")
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - _LINE, 0))
    return first, file.read(_LINE).rpartition(b"\n")[0].rpartition(b"\n")[2].rstrip(b"\r")


def foreign_name(path: Path) -> str | None:
    """Say what to do about a name that is not UTF-8, which no summary, log or page can hold; None for any other."""
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        with suppress(UnicodeDecodeError):
            os.fsencode(path.absolute()).decode()  # Python takes names for what the locale says
            return f"{shown}: the name is UTF-8, and the locale ({sys.getfilesystemencoding()}) is not; {_UTF_8}"
        return f"{shown}: the name of the file, or of a folder above it, is not UTF-8; rename it"
    return None


def cure_at(journal: Path) -> str:
    """Say what to do where a job cannot have its files: another --output only where nothing is known to be recorded."""
    return _MEND if any(map(_may_hold, (journal, journal.with_name(journal.name + "-wal")))) else ANOTHER_OUTPUT


def _may_hold(path: Path) -> bool:
    """Whether something may stand in a file: nobody can say that it is missing or empty."""
    try:
        found = path.lstat()  # of a link, whatever is behind it
        return found.st_size > 0 and not stat.S_ISDIR(found.st_mode)
    except FileNotFoundError:
        return any(map(leads_nowhere, path.parents))
    except OSError as error:
        return error.errno not in {errno.ENOTDIR, errno.ENAMETOOLONG}


def leads_nowhere(path: Path) -> bool:
    """Whether it is a link to what is not there, such as a disk that is not mounted, or to itself."""
    return path.is_symlink() and not os.path.exists(path)  # noqa: PTH110 - pathlib's own raises for a loop


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through links or not, there or not."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)
