"""What is in a file, whether it is ours, and whether two paths lead to one: nothing is written."""

from __future__ import annotations

import codecs
import errno
import hashlib
import os
import re
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final

from provisioner.errors import OutputError

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE: Final = 64 * 1024
_BESIDE: Final = re.compile(r".+(?:-wal|-shm|-journal|\.lock)|\..+\.(?:part|written)", re.DOTALL)


def digest_of(path: Path) -> str | None:
    """Give the SHA-256 of a file's content in hex digits, None when there is no file that can be read."""
    try:
        _refuse_what_is_no_file(path)
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def content_of(path: Path) -> bytes:
    """Read a file of ours that is small, such as a summary. Raises OSError, also for what is no file."""
    _refuse_what_is_no_file(path)
    return path.read_bytes()


def open_file(path: Path) -> IO[bytes]:
    """Open a file to be read. Raises OSError, also for what is none, such as a pipe into which nobody writes."""
    if not (path.is_dir() or same_file(path, Path(os.devnull))):  # which tell themselves what they are
        _refuse_what_is_no_file(path)
    return path.open("rb")


def _refuse_what_is_no_file(path: Path) -> None:
    if not stat.S_ISREG(path.stat().st_mode):  # opening a pipe waits for who writes into it
        raise OSError(errno.EINVAL, "Not a file", str(path))


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


def why_not_ours(path: Path, whose: str, is_ours: Callable[[bytes], object], kept: str = "") -> str | None:
    """Say why a file that is kept under a name of ours must not be written, and what to do; None where it may be.

    whose    the file has to be: `SQLite`
    is_ours  looks at how its content begins, 64 KiB at most
    kept     what to do where it is ours by its content, and is not to be moved away

    A folder, and what cannot be read, is told by who opens it.
    """
    try:
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            return None
        if stat.S_ISLNK(found.st_mode):
            wrong, cure = "is a link", "remove the link"
        elif not stat.S_ISREG(found.st_mode):
            wrong, cure = "is no file", "move it away"
        elif found.st_nlink > 1:
            wrong, cure = "is one file with another name (a hard link)", "move it away"
        elif not is_ours(_beginning(path)):
            wrong, cure = "holds something else", "move it away"
        else:
            return None
        if kept and holds_ours(path, is_ours):
            cure = kept
    except OSError:
        return None
    return f"{path}: {wrong} where {whose} needs a file of its own; {cure}"


def holds_ours(path: Path, is_ours: Callable[[bytes], object]) -> bool:
    """Whether it is a file, by links and other names or not, whose content begins like one of ours. Raises OSError."""
    return path.is_file() and bool(is_ours(_beginning(path)))


def own_copy(path: Path) -> str:
    """Say what makes a link, or one of several names, a file of its own with what it holds."""
    name, copy = shlex.quote(str(path)), shlex.quote(f"{path}.own")
    return f"cp -p {name} {copy} && mv {copy} {name}"


def _beginning(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LINE)


def outer_lines(file: IO[bytes]) -> tuple[bytes, bytes]:
    """Give the first line of a file and the last that has an end, as far as each is within 64 KiB."""
    first = file.readline(_LINE).rstrip(b"\r\n")
    end = file.seek(0, os.SEEK_END)
    file.seek(max(end - _LINE, 0))
    return first, file.read(_LINE).rpartition(b"\n")[0].rpartition(b"\n")[2].rstrip(b"\r")


def beside_itself(path: Path, ending: str) -> Path:
    """Name what SQLite or we keep beside a file, which is beside the file itself, not beside a link to it."""
    return Path(os.path.realpath(path) + ending)


def refuse_beside_another(path: Path, cure: str) -> None:
    """Raise `OutputError` for a name, or what it leads to, of what SQLite or we keep beside another file."""
    if any(_BESIDE.fullmatch(Path(each).name) for each in (path, os.path.realpath(path))):
        raise OutputError(f"{path}: is named as what is kept beside another file, and deleted with it; {cure}")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, through links or not, there or not."""
    try:
        return one.samefile(other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def leads_nowhere(path: Path) -> bool:
    """Whether it is a link to what is not there, such as a disk that is not mounted, or to itself."""
    # pathlib's own raises for a loop, and for a name that no file can have.
    return os.path.islink(path) and not os.path.exists(path)  # noqa: PTH110, PTH114


NOWHERE: Final = "is a link that leads nowhere; mount the disk that it leads to, or remove the link"
"""What is said of a file that `leads_nowhere`, behind its name."""


def is_kept_by_another(path: Path) -> bool:
    """Whether a file may not be replaced because another account has it in a folder where each keeps its own (`/tmp`).

    Said only where it is known: root may replace it, unless that was taken from it, and the kernel tells so itself.
    """
    try:
        folder, found, ours = path.parent.stat(), path.lstat(), os.geteuid()
        if not folder.st_mode & stat.S_ISVTX or ours in {folder.st_uid, found.st_uid}:
            return False
        if ours == 0 and stat.S_ISREG(found.st_mode):  # this way of opening is for whoever may act as its owner
            os.close(os.open(path, os.O_RDONLY | getattr(os, "O_NOATIME", 0)))
    except OSError as error:
        return error.errno == errno.EPERM
    return ours != 0


def length_of(path: Path) -> int:
    """Give the length of a file in bytes; 0 of one that is gone: whoever reads it next says so."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
