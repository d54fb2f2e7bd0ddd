"""Every exception of ours, as a tree, each with the exit code it ends the command with.

    ProvisionerError
    ├── UsageError            2   nothing was sent
    │   ├── ConfigurationError    a flag, an environment variable or the config file
    │   ├── RosterError           the roster cannot be read
    │   ├── OutputError           an output path cannot be used
    │   └── JournalError          the journal is locked, foreign or not one of ours
    ├── StorageError          3   a disk that was fine at the start stopped taking writes
    └── RosterChangedError    3   the roster was changed while it was read

A run that stops early is no exception: see `provisioner.model.Stop`.
"""

from typing import ClassVar


class ProvisionerError(Exception):
    """What is wrong, where, and what to do, in one sentence a person can act on."""

    exit_code: ClassVar[int] = 70


class UsageError(ProvisionerError):
    """The command cannot begin; nothing was sent."""

    exit_code = 2


class ConfigurationError(UsageError):
    """A setting is missing, unknown or out of range; the message names it and where it came from."""


class RosterError(UsageError):
    """The roster cannot be read; the message says at which row, byte or column."""


class OutputError(UsageError):
    """An output path cannot be used."""


class JournalError(UsageError):
    """The journal cannot be used: held by another run, made for another app, or not a journal."""


class StorageError(ProvisionerError):
    """The journal or a result can no longer be written; what was committed is safe and resumable."""

    exit_code = 3


class RosterChangedError(ProvisionerError):
    """The second pass over the roster is not like the first; what was sent is in the journal and resumable."""

    exit_code = 3
