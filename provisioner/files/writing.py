"""Files that are written whole and synced, or have no name."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import IO, Final, cast

from provisioner.errors import OutputError, StorageError
from provisioner.files.cures import ANOTHER_OUTPUT, MAKE_ROOM, MEND
from provisioner.files.looking import content_of, digest_of, why_not_ours

# Tokens and people's data are the owner's alone; without tokens, as wide as the umask allows.
PRIVATE, SHARED = 0o600, 0o666

_DIGESTS: Final = re.compile(rb"[0-9a-f\n]*")


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
        temporary = None  # whoever writes there next may have that name already
        sync_folder(path.parent)
    except OSError as error:
        why = error.strerror or error
        raise StorageError(f"{path}: cannot be written ({why}); {MEND}") from error
    finally:
        if temporary is not None:
            with suppress(OSError):  # on a filesystem that has become read-only
                temporary.unlink(missing_ok=True)
        if held is not None:
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
    if why_not_ours(temporary, "a run", lambda _: True) is not None:
        return
    try:
        file = os.open(temporary, os.O_RDWR | os.O_NOFOLLOW)
    except OSError:  # not there, or another user's, who may be writing it
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


def remove(path: Path) -> None:
    """Remove a file of ours that says what is no longer so, if it is there. Raises `StorageError`."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        message = f"{path}: is out of date and cannot be removed ({error.strerror or error}); {MEND}"
        raise StorageError(message) from error


def name_once(temporary: Path, path: Path) -> None:
    """Give a finished file its name, and only that; raises FileExistsError when something has it, perhaps just now."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:  # a filesystem without links
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        temporary.rename(path)
    else:
        temporary.unlink()  # at once: a journal that a kill has left two names is refused


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
            raise StorageError(f"{message}; {MEND}") from error
        raise OutputError(f"{message}; {MAKE_ROOM if folder.is_dir() else ANOTHER_OUTPUT}") from error


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder that is gone when the block ends, where temporary files are kept. Raises `OutputError`."""
    try:
        made = tempfile.TemporaryDirectory(prefix="provisioner-")
    except OSError as error:
        message = f"no temporary folder can be made ({error.strerror})"
        raise OutputError(f"{message}; make room, or name another place for it in TMPDIR") from error
    with made as folder:
        yield Path(folder)


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


def notes_of(path: Path) -> Path:
    """Name the file that has the digests of what is put in the place of another one, noted before that is done.

    `written_whole` adds to it where it is there, so that a file that nothing else tells of yet is known for ours.
    """
    return path.with_name(f".{path.name}.written")


def noted(path: Path) -> list[str]:
    """Give the digests that were noted, the latest last; none where something else has that name."""
    try:
        return content_of(notes_of(path)).decode().split() if _are_ours(notes_of(path)) else []
    except OSError:
        return []


def begin_notes(path: Path) -> None:
    """Have notes taken of what takes the place of a file, where nothing else has their name. Raises OSError."""
    with suppress(FileExistsError):
        notes_of(path).touch(exist_ok=False)


def end_notes(path: Path) -> None:
    """Remove what was noted of a file. Raises OSError."""
    if _are_ours(notes_of(path)):
        notes_of(path).unlink(missing_ok=True)


def _are_ours(notes: Path) -> bool:
    return why_not_ours(notes, "a run", _DIGESTS.fullmatch) is None


def _note(path: Path, content: Path) -> None:
    """Note what is about to take the place of a file, where notes are taken. Raises OSError."""
    if (notes := notes_of(path)).exists() and _are_ours(notes):
        with notes.open("a", encoding="ascii") as file:
            file.write(f"{digest_of(content)}\n")
            file.flush()
            os.fsync(file.fileno())
