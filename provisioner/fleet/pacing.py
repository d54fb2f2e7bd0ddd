"""One rate for the jobs of one app: which jobs share one, and the socket at which they ask for slots."""

from __future__ import annotations

import hashlib
import os
import stat
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from provisioner.errors import ConfigurationError, OutputError
from provisioner.fleet.files import settings_of
from provisioner.fleet.jobs import Fleet, Job
from provisioner.journal.lock import JournalLock
from provisioner.sending.leasing.desk import Desk
from provisioner.sending.leasing.server import serving


def app_of(job: Job, base: Path) -> str | None:
    """Name the app of a job by its address; None when its settings are refused, which the job itself will tell."""
    settings = settings_of(job, base)
    try:
        return settings.base_url if settings is not None else None
    except ConfigurationError:
        return None


def sharing(fleet: Fleet) -> frozenset[str]:
    """Tell the groups whose app has more than one job, so that they have to share its rate."""
    first = {job.group: job for job in fleet.jobs}
    apps = {group: app_of(job, fleet.base) for group, job in first.items()}
    jobs = Counter(apps[job.group] for job in fleet.jobs)
    return frozenset(group for group, app in apps.items() if app is not None and jobs[app] > 1)


@asynccontextmanager
async def paced(fleet: Fleet) -> AsyncIterator[Mapping[str, Path]]:
    """Serve slots until the block ends; gives group → socket. Raises `OutputError`.

    The same fleet has the same socket each time: jobs that outlived one that was killed find the next.
    """
    groups = sharing(fleet)
    if not groups:
        yield {}
        return
    address = _address(fleet)
    try:
        async with serving(Desk(time.monotonic), address):
            yield dict.fromkeys(groups, address)
    except OSError as error:
        message = f"{address}: no socket can be made there ({error.strerror}); set TMPDIR to another folder"
        raise OutputError(message) from error


@contextmanager
def alone(fleet: Fleet) -> Iterator[None]:
    """Have no other fleet of the same file until the block ends, whatever names the file has.

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
