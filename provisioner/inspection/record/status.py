"""`status`: what a job has done so far, and what its next run would send; from its journal alone, without network.

Reading is for a person who wonders, or a script that watches: it takes no lock, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from provisioner.inspection.record.overview import Overview, look
from provisioner.inspection.record.places import find_place
from provisioner.journal.course.table import PastRun
from provisioner.results.tables import plain_table, printed
from provisioner.wording import counted, iso_time, json_text


def status_of(given: Path, *, as_json: bool) -> str:
    """Tell how a job stands; `given` names its results, its journal or its state. Raises `JournalError`."""
    status = look(find_place(given))
    if as_json:
        return json_text(status.document)
    return printed(lambda console: console.print(_table(status)))


def _table(status: Overview) -> Table:
    table = plain_table()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _lines(status):
        table.add_row(name, text)
    return table


def _lines(status: Overview) -> Iterator[tuple[str, Text]]:
    kind = "the state of a sync" if status.managed else "the journal of a run"
    yield "job", Text(f"{status.place.journal}, {kind}")
    yield "app", Text(str(status.owner))
    yield "in use", Text(f"by {status.holder}" if status.holder else "by nobody", "yellow" if status.holder else "")
    yield "users", _outcomes(status)
    if status.first is not None:
        last = f"; last outcome {iso_time(status.last, 'seconds')}" if status.last is not None else ""
        yield "when", Text(f"first sent {iso_time(status.first, 'seconds')}{last}")
    if status.copied_at is not None:
        since = iso_time(status.copied_at, "seconds")
        yield "copy", Text(f"of {since}: the next run finds out what happened since then", "magenta")
    yield from _past(status)
    yield "next", Text("; ".join(_next(status)))
    if status.proof:
        yield "proof", Text(f"{status.proof.get('message')} ({status.proof.get('time')})")


def _outcomes(status: Overview) -> Text:
    text, between = Text(f"{status.users:,}"), ": "
    for outcome, number in status.outcomes.items():
        text.append(between).append(f"{number:,} {outcome}", outcome.colour)
        between = ", "
    if status.in_doubt:
        text.append("; ").append(f"{status.in_doubt:,} of them in doubt", "magenta")
    return text.append(f"; {counted(status.tokens, 'auth token')}")


def _past(status: Overview) -> Iterator[tuple[str, Text]]:
    """Tell the runs or nights so far, and how the last one ended."""
    if (managed := status.managed) is not None:
        last = status.nights[-1]
        ended = "good" if last.good else last.summary.get("stopped_by") or ("running" if status.holder else "killed")
        began = iso_time(last.started, "seconds")
        yield "managed", Text(f"{managed.active:,} active, {managed.deactivated:,} deactivated")
        which = "the last" if last.attempt == 1 else f"attempt {last.attempt} at the last"
        yield "nights", Text(f"{status.nights_begun:,}; {which} began {began}: {ended}")
        return
    for name, some in (("runs", status.runs), ("undos", status.undos)):
        if some:
            began, ended = iso_time(some[-1].started, "seconds"), _ended(some[-1], status)
            yield name, Text(f"{len(some):,}; the last began {began}: {ended}")


def _ended(run: PastRun, status: Overview) -> str:
    """Say how a run or an undo ended; only the last of both can be going on."""
    if run.finished is not None:
        return run.stopped_by or "came to its end"
    return "running" if status.holder and run is status.course[-1] else "killed"


def _next(status: Overview) -> Iterator[str]:
    """Say what the next run or night would send, as far as the journal knows: it has only met what was sent."""
    again = [f"{number:,} {outcome}" for outcome, number in status.again.items()]
    if (managed := status.managed) is not None:
        if managed.uncertain:
            yield f"{counted(managed.uncertain, 'change')} not known to be carried out, done again"
        if managed.absent:
            yield f"{counted(managed.absent, 'leaver')} still active"
        yield "what has changed in the roster, as `provisioner plan` tells"
        return
    if again:
        yield f"sends {' and '.join(again)} again"
    if status.in_doubt:
        yield f"finds out about {status.in_doubt:,} in doubt (a read and a token more for each that is there)"
    if status.not_reached:
        yield f"sends {counted(status.not_reached, 'row')} that the last run has not reached, by its summary"
    elif status.not_reached is None:
        yield "sends the rows that were never sent, which no summary counts: the same command with --dry-run does"
    elif not (again or status.in_doubt):
        yield "nothing, unless the roster was edited or more is asked for"
