"""What a run was asked, and of which bytes: whatever its results depend on beside the journal, as digests.

It may know too much, and then a run looks at every row once more; it must never know too little.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Final

import polars as pl

import provisioner
from provisioner.files.looking import digest_of
from provisioner.results.manifest import places
from provisioner.roster.files.inputs import Location
from provisioner.run.job import Job

# Of a run, and not of its results: how it goes about a journal that is there.
_BEGINNING: Final = {"restart": False, "restored": False, "dry_run": False, "show": 0}

# Nanoseconds after a change in which another one could leave the same time behind: a filesystem counts in ticks of some
# milliseconds, or in seconds where all that is finer is zero.
_TICK: Final = 50_000_000
_COARSE_TICK: Final = 2_000_000_000
_COARSE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the filesystem knows of a file: the same before and after means that nobody wrote to it in between.

    seen  when it was looked at; nanoseconds since 1970, as are the times of the file
    """

    device: int
    number: int
    size: int
    modified: int
    changed: int
    seen: int

    @classmethod
    def of(cls, path: Path) -> Stamp | None:
        """Look at a file; None when that cannot be."""
        seen = time.time_ns()
        try:
            found = path.stat()
        except (OSError, ValueError):
            return None
        return cls(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns, seen)

    @property
    def is_settled(self) -> bool:
        """Whether a change after it was seen leaves another time behind for certain."""
        tick = _TICK if self.changed % _COARSE else _COARSE_TICK
        return 0 < self.changed < self.seen - tick

    def is_same(self, later: Stamp | None) -> bool:
        """Whether the file was not written to since."""
        return later is not None and replace(later, seen=self.seen) == self


@dataclass(frozen=True, slots=True)
class Question:
    """What a run is asked, known before its roster is opened.

    asked   digest of everything but the bytes of the roster
    files   of the roster
    stamps  theirs; None for a file that cannot be told by its bytes
    lists   name → file that is written besides
    """

    asked: str
    files: tuple[Path, ...]
    stamps: tuple[Stamp | None, ...]
    lists: Mapping[str, Path] = field(default_factory=dict)

    @classmethod
    def of(cls, job: Job, more: object = None, lists: Mapping[str, Path] | None = None) -> Question:
        """Take down what a job asks, and how its files look; `more` are settings that bear on it besides."""
        again = all(file.location is Location.FILE for file in job.roster.files)
        files = tuple(Path(file.where) for file in job.roster.files) if again else ()
        return cls(_asked(job, more), files, tuple(Stamp.of(file) for file in files), lists or {})

    @property
    def is_repeatable(self) -> bool:
        """Whether the roster is files that can be read again and be told by their bytes."""
        return bool(self.files) and all(stamp is not None for stamp in self.stamps)

    @property
    def sizes(self) -> list[int]:
        """Bytes of each file."""
        return [stamp.size for stamp in self.stamps if stamp is not None]

    def digests(self) -> list[str] | None:
        """Give the SHA-256 of each file as it is now; None when one cannot be read."""
        found = [digest_of(file) for file in self.files]
        known = [digest for digest in found if digest is not None]
        return known if len(known) == len(found) else None

    def digests_of_what_was_read(self) -> list[str] | None:
        """Give them for what stood in the files from the first look until now; None when that cannot be told."""
        if not all(stamp is not None and stamp.is_settled for stamp in self.stamps):
            return None
        digests = self.digests()
        after = [Stamp.of(file) for file in self.files]
        pairs = zip(self.stamps, after, strict=True)
        return digests if all(before is not None and before.is_same(now) for before, now in pairs) else None


def _asked(job: Job, more: object) -> str:
    settings, outputs = job.settings, job.outputs
    rules: Sequence[object] = (
        settings.run.model_copy(update=_BEGINNING),
        settings.columns,
        settings.constraints,
        outputs,
        more,
    )
    facts = [provisioner.__version__, pl.__version__, _code(), list(places(job.roster)), [*map(repr, rules)]]
    return hashlib.sha256(json.dumps(facts).encode(errors="surrogatepass")).hexdigest()


@cache
def _code() -> str:
    """Give a digest of this program itself: in a checkout the version says little."""
    digest, package = hashlib.sha256(), Path(provisioner.__file__).parent
    for module in sorted(package.rglob("*.py")):
        digest.update(module.relative_to(package).as_posix().encode() + b"\0" + module.read_bytes() + b"\0")
    return digest.hexdigest()
