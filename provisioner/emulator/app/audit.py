"""The audit: what every request was, and what it did. No key and no token is ever in it."""

from __future__ import annotations

import errno
import logging
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO, Final, overload

import orjson

from provisioner.emulator.app.limits import Group

_LOG: Final = logging.getLogger("provisioner.emulator")
_UNWRITTEN: Final = (
    "%s: the audit cannot be written (%s); the emulator goes on without it, and GET /_emulator/audit has all records"
)


class Did(StrEnum):
    """What a request did to the store; `nothing` is for a request that was never processed."""

    CREATED = "created"
    UPDATED = "updated"
    DEACTIVATED = "deactivated"
    REACTIVATED = "reactivated"
    DELETED = "deleted"
    MINTED = "minted"
    REVOKED = "revoked"  # auth tokens, one or all
    CONFIGURED = "configured"  # a role was made, changed or deleted
    READ = "read"
    LISTED = "listed"
    REFUSED = "refused"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One request.

    seq         number of the request in order of arrival, from 1
    wall        arrival, UNIX seconds of this machine (the clock skew is not in it)
    monotonic   arrival, seconds of a monotonic clock
    path        the template, such as /users/{uid}; "*" for a path that is none of ours
    group       core or standard; None for a path that is none of ours
    uid         lower case; None when the request names none, or several
    status      HTTP status sent; None when the connection was closed or left hanging instead
    code        error code sent
    fault       name of the injected fault that had an effect
    in_flight   requests in work at its arrival, itself included
    """

    seq: int
    wall: float
    monotonic: float
    method: str
    path: str
    group: Group | None
    uid: str | None
    status: int | None
    code: str | None
    did: Did
    fault: str | None
    key_ok: bool
    in_flight: int

    def line(self) -> bytes:
        """Write the record as one line of JSON."""
        return orjson.dumps(asdict(self), option=orjson.OPT_APPEND_NEWLINE)


def _opened(path: Path) -> BinaryIO:
    """Open a file to add to; raises ValueError for a pipe that nobody reads: the kernel would wait for who does."""
    try:
        return open(path, "ab", buffering=0, opener=_unwaiting)
    except OSError as error:
        if error.errno != errno.ENXIO or not path.is_fifo():
            raise
        cure = "start what reads it first, or choose another --audit"
        raise ValueError(f"{path}: nobody reads this pipe; {cure}") from None


def _unwaiting(path: str, flags: int) -> int:
    file = os.open(path, flags | os.O_NONBLOCK, 0o666)
    os.set_blocking(file, True)
    return file


class Audit(Sequence[AuditRecord]):
    """The records so far, in the order in which the requests took effect.

    Raises ValueError when the file holds anything but an audit, OSError when it cannot be opened.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._records: list[AuditRecord] = []
        if path and path.is_file() and not _is_audit(path):
            raise ValueError(f"{path}: holds what is no audit; choose another --audit")
        # Unbuffered: a line is in the file before the answer leaves, even if this process is killed.
        self._file: BinaryIO | None = _opened(path) if path else None

    def add(self, record: AuditRecord) -> None:
        """Keep one record, and write it to the file if there is one: until it takes no more, which is said once."""
        self._records.append(record)
        if self._file:
            try:
                self._file.write(record.line())
            except OSError as error:
                _LOG.warning(_UNWRITTEN, self._file.name, error.strerror)
                self.close()

    def close(self) -> None:
        """Close the file; the records stay readable."""
        if self._file:
            self._file.close()
            self._file = None

    def counts(self) -> dict[str, int]:
        """Tell how often each thing was done, in alphabetical order."""
        return dict(sorted(Counter(record.did.value for record in self._records).items()))

    def busiest(self, window: float, group: Group = Group.CORE) -> int:
        """Tell the most requests of a group that arrived in any `window` seconds, refused ones included."""
        return busiest((record.monotonic for record in self._records if record.group is group), window)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> AuditRecord: ...
    @overload
    def __getitem__(self, index: slice) -> list[AuditRecord]: ...
    def __getitem__(self, index: int | slice) -> AuditRecord | list[AuditRecord]:
        return self._records[index]


def _is_audit(path: Path) -> bool:
    """Whether a file is empty or begins as an audit does."""
    with path.open("rb") as file:
        first = file.readline(1 << 16)
    try:
        return not first or {"seq", "wall", "did"} <= orjson.loads(first).keys()
    except (ValueError, AttributeError):  # no JSON, or no object
        return False


def busiest(times: Iterable[float], window: float) -> int:
    """Count the most of `times` in any half-open interval of `window` seconds."""
    ordered = sorted(times)
    first = most = 0
    for last, time in enumerate(ordered):
        while time - ordered[first] >= window:
            first += 1
        most = max(most, last - first + 1)
    return most
