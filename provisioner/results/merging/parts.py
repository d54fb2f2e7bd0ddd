"""One of the results that are to be merged: what is told of it, which may not be mixed, and what they add up to."""

from __future__ import annotations

import errno
import os
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from provisioner.errors import ExitCode, OutputError
from provisioner.journal.course.table import is_told
from provisioner.journal.header import EMULATOR, Identity, owner_in, refuse_unread
from provisioner.journal.lock import holder_of
from provisioner.journal.undo.telling import is_taken_back
from provisioner.model import Outcome
from provisioner.results.findings import Report, RosterFile
from provisioner.results.lines import TOKENS, Counts
from provisioner.results.manifest import Record
from provisioner.results.outputs import Outputs, journal_of
from provisioner.results.summary import Summary, write_summary, written
from provisioner.stop import Stop
from provisioner.tally import OutcomeTally, RequestTally, RowTally, Tally

_UNREAD: Final = "mend that, or put a copy of it back, then merge"


@dataclass(frozen=True, slots=True)
class Part:
    """What a run has left.

    results   its file
    document  its summary
    """

    results: Path
    document: Mapping[str, Any]

    @property
    def name(self) -> str:
        """What it is called where it is told what stopped it."""
        return str(self.results)

    @property
    def rejected(self) -> Path | None:
        """Name its rejected rows, beside the results; null when it has none."""
        named = self.document["outputs"]["rejected"]
        return self.results.with_name(Path(named).name) if named else None

    @property
    def tokens(self) -> Path | None:
        """Find its auth tokens that stand apart, as its summary names them; null when it names none.

        They were given from where the results were given from, and may be beside them since.
        """
        outputs = self.document["outputs"]
        if not outputs.get(TOKENS):
            return None
        named, given = Path(outputs[TOKENS]), Path(outputs["results"] or "").parent.parts
        here = self.results.parent.absolute().parts
        then = Path(*here[: len(here) - len(given)]) if here[len(here) - len(given) :] == given else Path()
        places = [each / named for each in dict.fromkeys([Path() if then == Path.cwd() else then, Path()])]
        return next((place for place in places if place.exists()), self.results.with_name(named.name))

    @property
    def stop(self) -> Stop | None:
        """Say what stopped it; null when it came to its end."""
        said = self.document
        if said.get("stopped_by") is None:
            return None
        return Stop(said["stopped_by"], f"{self.name}: {said['message']}", ExitCode(said["exit_code"]))

    def digest(self, name: str) -> str | None:
        """Give the digest of one of its files as it was written; null where its summary does not say it."""
        digests: Mapping[str, str] = self.document.get("digests", {})
        return digests.get(name)

    def time(self, name: str) -> float:
        """Give one of its times, in UNIX seconds."""
        return datetime.fromisoformat(self.document[name]).timestamp()

    @property
    def runs(self) -> list[Path]:
        """Name the results of runs that it consists of: a merge has no journal, and was made of what has."""
        return list(map(Path, self.document.get("merged") or (self.results,)))

    @property
    def app(self) -> Identity | None:
        """Say where it was sent; null when no journal tells, nor the summary: that of 0.1.0 does not."""
        if self.document.get("emulator"):
            return EMULATOR
        told = self.document.get("base_url")
        return owner_in(journal_of(self.runs[0])) or (Identity("", told) if told else None)


def refuse_other_apps(parts: Sequence[Part]) -> None:
    """Raise `OutputError` when parts were sent to several apps, or some to one and some only to the built-in emulator.

    Of a part of 0.1.0 whose journal is not there it is not known.
    """
    apps = [(part, part.app) for part in parts]
    rehearsed = next((part for part, app in apps if app == EMULATOR), None)
    real = next((part for part, app in apps if app != EMULATOR), None)
    if rehearsed is not None and real is not None:
        message = f"is of a rehearsal with the built-in emulator, and {real.results} is not"
        raise OutputError(f"{rehearsed.results}: {message}; run the former again without the emulator, then merge")
    known = [(part, app) for part, app in apps if app is not None]
    for (one, here), (other, there) in pairwise(known):
        if here.address != there.address:
            message = f"was sent to {here}, and {other.results} to {there}"
            again = "run again, with --restart, what went to the wrong one, then merge"
            raise OutputError(f"{one.results}: {message}; {again}")


def address_of(parts: Sequence[Part]) -> str | None:
    """Give the one address that parts were sent to; null when it is not known, or was the built-in emulator's."""
    return next((app.address for part in parts if (app := part.app) not in {None, EMULATOR}), None)


def sum_up(
    parts: Sequence[Part],
    outputs: Outputs,
    rejected: Path | None,
    counts: Counts,
    report: Report,
    stop: Stop | None,
    digests: Mapping[str, str | None],
) -> Summary:
    """Write the summary of parts: what one run would have told.

    rejected  their rejected rows, in a file of the merge
    counts    what their lines add up to
    report    what was found in their rows
    digests   of the files that were written, as `Record` has them; null for one that was not
    """
    documents = [part.document for part in parts]

    def total(name: str) -> int:
        return sum(document.get(name, 0) for document in documents)

    started, finished = min(part.time("started_at") for part in parts), max(part.time("finished_at") for part in parts)
    rows, left = counts.rows, counts.outcomes[Outcome.REJECTED.value]
    drift = sum((Counter(document.get("drift", {})) for document in documents), Counter[str]())
    tally = Tally(
        RowTally(rows, rows, rows, rows - left, left),
        RequestTally(total("requests"), total("retries"), total("rate_limited"), started, finished),
        OutcomeTally(drift=drift, edited=total("edited")),
    )
    merged = tuple(str(part.results.absolute()) for part in parts)
    record = Record(tuple(documents[0]["roster"]), merged=merged).with_digests(digests)
    files = tuple(RosterFile(each["name"], each["first_row"], each["rows"]) for each in documents[0].get("files", ()))
    report = replace(report, files=files, overridden=documents[0].get("constraints_overridden", {}))
    summary = Summary(
        counts, tally, report, started, finished, stop, {**written(outputs, rejected, results=True), "journal": None},
        record=record, emulated=parts[0].app == EMULATOR, base_url=address_of(parts),
    )  # fmt: skip
    write_summary(outputs.summary, summary.document)
    return summary


def refuse_working(results: Path) -> None:
    """Raise `OutputError` while a run works on these results."""
    if holder := holder_of(journal_of(results)):
        raise OutputError(f"{results}: {holder} works on it; merge when that has ended")


def refuse_outdated(part: Part, again: str) -> None:
    """Raise `OutputError` for results that the last run of their journal has not written, or an undo has made untrue.

    Raises `JournalError` where the journal is there and cannot say so.

    again  what runs it again, in words
    """
    for run in {part.results, *part.runs}:
        refuse_unread(journal_of(run), f"so nobody knows whether the results are of its last run; {_UNREAD}")
    if not is_told(journal_of(part.results), part.document):
        before = "the last run did not come to its end, so these are of one before it"
        raise OutputError(f"{part.results}: {before}; {again}, then merge")
    for run in part.runs:
        is_copied = run != part.results
        if is_taken_back(journal_of(run), part.time("finished_at") if is_copied else None):
            cure = f"run that again, and merge {part.results} anew" if is_copied else f"{again}, then merge"
            raise OutputError(f"{run}: an undo has taken users of it back since; {cure}")


def refuse_unreadable(*paths: Path) -> None:
    """Raise `OutputError` for a file or a folder that is there and must not be read; what is not there may pass."""
    for path in paths:
        try:
            kind = path.stat().st_mode
            if stat.S_ISDIR(kind):
                os.scandir(f"{path}/.").close()  # its names, and what they stand for
            elif stat.S_ISREG(kind):
                path.open("rb").close()
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            if error.errno == errno.ELOOP:  # no rights help; the name is told by whoever ends the command
                raise
            message = f"cannot be read ({error.strerror}); check its owner and mode, and those of its folder"
            raise OutputError(f"{path}: {message}") from error
