"""One rate for the jobs of one app: the socket at which they ask for slots."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path

from provisioner.errors import OutputError
from provisioner.fleet.engine import cure_of
from provisioner.fleet.jobs import Fleet
from provisioner.journal.lock import JournalLock
from provisioner.sending.slots.desk import Desk
from provisioner.sending.slots.server import serving


@asynccontextmanager
async def paced(fleet: Fleet) -> AsyncIterator[Mapping[str, Path]]:
    """Serve slots until the block ends; gives group → socket. Raises `OutputError`.

    The same fleet has the same socket each time: jobs that outlived one that was killed find the next.
    """
    if not fleet.sharing:
        yield {}
        return
    address = _address(fleet)
    async with AsyncExitStack() as stack:
        try:
            await stack.enter_async_context(serving(Desk(time.monotonic), address))
        except OSError as error:
            todo = cure_of(error, "set TMPDIR to another folder, whose path is short")
            message = f"{address}: no socket can be made there ({error.strerror or error}); {todo}"
            raise OutputError(message) from error
        yield dict.fromkeys(fleet.sharing, address)


@contextmanager
def alone(fleet: Fleet) -> Iterator[None]:
    """Have no other fleet of the same file until the block ends, by whatever path or symbolic link it is named.

    Raises `JournalError`, or `OutputError`.
    """
    with JournalLock(_address(fleet), "take another fleet file", str(fleet.path)):
        yield


def _address(fleet: Fleet) -> Path:
    return _private_folder() / hashlib.sha256(os.fsencode(fleet.path.resolve())).hexdigest()[:16]


def _private_folder() -> Path:
    """Make the folder of our sockets, which is ours alone: a slot that somebody else could take would be lost."""
    folder = Path(tempfile.gettempdir()) / f"provisioner-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made ({error.strerror}); set TMPDIR to another folder") from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise OutputError(f"{folder}: is not a folder that you alone can open; remove it, or set TMPDIR to another one")
    return folder
