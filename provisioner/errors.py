"""Every exception of ours, as a tree, each with the exit code it ends the command with or with what happens next.

    Exception
    ├── ProvisionerError         70   a bug of ours, unless it is one of these
    │   ├── UsageError            2   nothing was sent
    │   │   ├── ConfigurationError    a flag, an environment variable or the config file
    │   │   ├── RosterError           the roster cannot be read
    │   │   │   ├── EmptyRosterError  there is nothing in it; a part that was found is left out then
    │   │   │   ├── UnmappedError     no column is the uid, or none the name (`provisioner.validation.fields.binding`)
    │   │   │   ├── AbsentError       a column that `[columns]` names is not there (there as well)
    │   │   │   ├── NotAnObjectError  a line of NDJSON is none (`provisioner.roster.formats.ndjsonfile`)
    │   │   │   ├── UndecodedError    it is read in another encoding (`provisioner.roster.encodings.readings`)
    │   │   │   │   └── NotUtf8Error  it is not UTF-8, though no encoding was named
    │   │   │   └── WideRowError      a row with more cells than the header (`provisioner.roster.csv.defect`)
    │   │   ├── OutputError           an output path cannot be used
    │   │   │   └── NoResultsError    there are no results: no such file, or nothing was sent; a FileNotFoundError too
    │   │   └── JournalError          the journal is locked, foreign or not one of ours
    │   ├── DirectoryError        4   the app's users cannot be listed, so nobody is changed blindly
    │   ├── StorageError          3   a disk that was fine at the start stopped taking writes
    │   └── RosterChangedError    3   the roster was changed while it was read
    ├── InterruptedEarlyError         ends with the exit code of its `Stop`: nothing was sent (`provisioner.stop`)
    ├── ChangedError                  becomes a RosterError where the CSV is read (`provisioner.roster.csv.file`)
    ├── EndlessRowError               becomes a RosterError where the CSV is read (`provisioner.roster.csv.file`)
    ├── UnreadableError               becomes a UsageError of whoever wanted the text (`provisioner.files.looking`)
    └── _CutOffError                  becomes a RosterError where JSON is read (`provisioner.roster.formats.jsoncut`)
    ValueError
    └── NoObjectError                 becomes a defect of its row (`provisioner.validation.fields.structured.jsontext`)

A run that stops once it has begun to send is no exception: see `provisioner.stop.Stop`.
"""

import errno
from enum import IntEnum
from typing import ClassVar, Final, Self


class ExitCode(IntEnum):
    """What a command ends with; in logs and documents it is the number that it is."""

    OK = 0
    ROWS_LEFT = 1  # finished, but some rows were rejected or have failed
    USAGE = 2  # nothing was sent
    SAFETY = 3  # a limit of ours, a guard, or a disk that takes no more
    API = 4  # the API refuses, or cannot be reached
    TIME_OVER = 5  # of a sync: its `--max-duration`
    BUG = 70  # ours
    SIGINT = 130  # 128 and the signal's number, as shells have it
    SIGTERM = 143

    __repr__ = int.__repr__


class ProvisionerError(Exception):
    """What is wrong, where, and what to do, in one sentence a person can act on."""

    exit_code: ClassVar[ExitCode] = ExitCode.BUG
    reason: ClassVar[str] = "bug"
    """One stable word, the summary's `stopped_by`."""

    told = False
    """Whether it was said already, with the command that goes on."""


class UsageError(ProvisionerError):
    """The command cannot begin; nothing was sent."""

    reason = "usage"
    exit_code = ExitCode.USAGE


class ConfigurationError(UsageError):
    """A setting is missing, unknown or out of range; the message names it and where it came from."""

    reason = "configuration"


class RosterError(UsageError):
    """The roster cannot be read; the message says at which row, byte or column."""

    reason = "roster"


class EmptyRosterError(RosterError):
    """There is nothing in the file; one that a pattern or a folder gave is left out then."""


class OutputError(UsageError):
    """An output path cannot be used."""

    reason = "output"


class NoResultsError(OutputError, FileNotFoundError):
    """There are no results to be read: there is no such file, or nothing was sent."""


class JournalError(UsageError):
    """The journal cannot be used: held by another run, made for another app, or not a journal."""

    reason = "journal"


class DirectoryError(ProvisionerError):
    """The API does not tell what has to be known of the app's users before anything is changed."""

    reason = "directory"
    exit_code = ExitCode.API


# As Python says that the kernel gave it none: there is no class for it.
_NO_THREAD: Final = "can't start new thread"
MORE_FILES: Final = "raise the limit (ulimit -n 1024), then run the same command again"
"""What to do where a process may not open as many files as it needs."""


class StorageError(ProvisionerError):
    """The journal or a result can no longer be written; what was committed is safe and resumable."""

    reason = "storage"
    exit_code = ExitCode.SAFETY


class RosterChangedError(ProvisionerError):
    """The second pass over the roster is not like the first, if there is one; what was sent is in the journal."""

    reason = "roster_changed"
    exit_code = ExitCode.SAFETY

    @classmethod
    def of(cls, name: str, error: RosterError | None = None) -> Self:
        """Say so of what is called so; or, if that is what `error` came from, why it could not be read once more."""
        cause = error.__cause__ if error is not None else None
        if isinstance(cause, OSError) and cause.errno not in {None, errno.ENOENT}:
            return cls(f"{error}; see to that, then run the same command again")
        return cls(f"{name}: changed while it was read; run the same command again when it is complete")


def limit_reached(error: Exception) -> tuple[str, str] | None:
    """Give the reason and the message for a limit of the process that it came upon; None for any other error."""
    if isinstance(error, MemoryError):
        return "memory", out_of_memory(error)
    if isinstance(error, RuntimeError) and str(error) == _NO_THREAD:
        return "memory", f"{out_of_memory(MemoryError(error))}; or raise its limit of processes and threads (ulimit -u)"
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        return "open_files", f"no more files can be opened ({error.strerror}); {MORE_FILES}"
    return None


def out_of_memory(error: MemoryError) -> str:
    """Say that memory ran out, and how much is needed."""
    wanted = f" ({error})" if str(error) else ""
    return (
        f"memory ran out{wanted}; a run takes about 400 MB whatever the size of the roster: give the process, its "
        "container or its ulimit 1 GB, then run the same command again"
    )
