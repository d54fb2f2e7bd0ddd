"""Which files the jobs of a fleet write and read: no two write one, and none is written that is read.

All of it is known from the fleet file and from the configs that it names, before anything is started.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from provisioner.errors import ConfigurationError
from provisioner.results.merging.folder import shards_of
from provisioner.results.outputs import Outputs, tokens_of
from provisioner.roster.files.folders import fitting, is_pattern
from provisioner.roster.files.inputs import is_local, rejected_suffixes
from provisioner.roster.shard import Shard
from provisioner.settings.layers import DEFAULT_CONFIG
from provisioner.settings.tables import Settings, load

if TYPE_CHECKING:  # what is read there is refused by what is here
    from provisioner.fleet.jobs import Job

_OUTPUT: Final = "output"
_TOKENS: Final = "tokens_to in its config"

Real = Callable[[Path], str]
"""Gives the path of a folder through all links."""


@dataclass(frozen=True, slots=True)
class _Written:
    """A file that a job writes: as it was given, and the key that names it."""

    job: Job
    file: Path
    key: str


def settings_of(job: Job, base: Path, environment: Mapping[str, str]) -> Settings | None:
    """Load what a job is told by its config and variables; None when that is refused, which the job itself will tell.

    environment  the fleet's own
    """
    config = base / (job.config or DEFAULT_CONFIG)
    try:
        # A config file that nobody named is read when it is there, as the command does it.
        named = config if job.config is not None or os.path.lexists(config) else os.devnull
        return load(job.tables(), job.variables(environment), Path(named))
    except (ConfigurationError, OSError):
        return None


def refuse_shared(path: Path, jobs: Sequence[Job], settings: Mapping[str, Settings | None]) -> None:
    """Raise `ConfigurationError` when two jobs would write one file, or one would write what is read.

    path      of the fleet file
    settings  group → what its jobs are told, see `settings_of`
    """
    base, real = path.resolve().parent, cache(os.path.realpath)
    first = {job.group: job for job in reversed(jobs)}
    written: dict[Path, _Written] = {}
    for each in (each for job in jobs for each in _written(job, settings[job.group])):
        known = written.setdefault(_place(base / each.file, real), each)
        if known is not each:
            raise ConfigurationError(f"{path}: {_both(known, each)}")
    _refuse_other_numbers(path, [job for job in reversed(first.values()) if job.shard is not None])
    names, folders = sorted(map(str, written)), {folder for place in written for folder in place.parents}
    for job in first.values():
        for roster in (base / each for each in job.roster if is_local(each)):
            for each in _read(roster, job, written, names, folders):
                raise ConfigurationError(f"{path}: {_overwriting(each, job)}")


def _refuse_other_numbers(path: Path, sharded: Sequence[Job]) -> None:
    """Raise `ConfigurationError` when a folder would hold shards of two numbers, of this file or an earlier one."""
    base = path.resolve().parent
    known: dict[str, Job] = {}
    for job in sharded:
        folder, of = job.output.parent, _shard(job).of
        other = known.setdefault(os.path.realpath(base / folder), job)
        if (others := _shard(other).of) != of:
            theirs = f"{other.group} has its {others} shards in {other.output.parent}"
            message = f"{theirs}, and {job.group} its {of} in {folder}; give one of them another output"
            raise ConfigurationError(f"{path}: {message}")
        if (there := shards_of(base / folder)) not in {None, of}:
            message = f"{folder} holds shards of {there}, and {job.group} has {of}"
            raise ConfigurationError(f"{path}: {message}; write shards = {there}, or give it another output")


def _shard(job: Job) -> Shard:
    return Shard(*map(int, (job.shard or "1/1").split("/")))


def _read(
    roster: Path, job: Job, written: Mapping[Path, _Written], names: Sequence[str], folders: Container[Path]
) -> Iterator[_Written]:
    """Give what is written of a roster; but not what a job leaves out of a pattern or a folder, as its own results.

    names    of all that is written, sorted
    folders  all those that something is written in
    """
    named = _place(Path(os.path.normpath(roster)), os.path.realpath)
    if named in written:
        yield written[named]
    elif named in folders or is_pattern(str(roster)):
        found = (written[Path(name)] for name in fitting(str(roster), names))
        yield from (each for each in found if each.job is not job or each.key not in {_OUTPUT, _TOKENS})


def _written(job: Job, settings: Settings | None) -> Iterator[_Written]:
    """Name all that a job writes: beside its output, and where its config says so."""
    of = settings if settings is not None else Settings()
    outputs = Outputs.beside(job.output, ".csv", ())
    beside = [outputs.results, outputs.summary, outputs.leavers if job.state else outputs.journal]
    beside += [
        job.output.with_suffix(f".rejected{suffix}")
        for suffix in sorted(rejected_suffixes(job.roster, of.output.rejected_format))
    ]
    yield from (_Written(job, file, _OUTPUT) for file in beside)
    if job.state is not None:
        yield _Written(job, job.state, "state")
        if of.sync.metrics_file is not None:
            yield _Written(job, of.sync.metrics_file, "metrics_file in its config")
    if of.output.tokens_to is not None:
        shard = _shard(job) if job.shard is not None else None
        yield _Written(job, tokens_of(of.output.tokens_to, shard), _TOKENS)


def _place(path: Path, real: Real) -> Path:
    """Say where a file is, there or not, through links or not."""
    place = Path(real(path.parent), path.name)
    return Path(os.path.realpath(place)) if place.is_symlink() else place


def _both(one: _Written, other: _Written) -> str:
    if one.job is other.job:
        return (
            f"{one.job.name} would write {other.file} as its {one.key} and as its {other.key}; name another {other.key}"
        )
    return f"{one.job.name} and {other.job.name} would both write {other.file}; give one of them another {other.key}"


def _overwriting(each: _Written, job: Job) -> str:
    if each.job is job:
        return f"{job.name} would write {each.file}, which is in its own roster; give it another {each.key}"
    said = f"{each.job.name} would write {each.file.name}, which is in the roster of {job.name}"
    return f"{said}; give it another {each.key}"
