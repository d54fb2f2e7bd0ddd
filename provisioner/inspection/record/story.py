"""`show`: the story of one person, on one screen, from what a journal or a state knows.

    events, the earliest first → the last word, which stands in the user's own row → how things are now

No token is in it: only whether one is recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from provisioner.errors import UsageError
from provisioner.inspection.record.places import find_persons, opened
from provisioner.journal.columns import REVERSING
from provisioner.journal.course.events import ANSWER, KILLED, SETTLED, Event, events_of
from provisioner.journal.earlier import UNMET
from provisioner.journal.header import Identity, owner_of
from provisioner.journal.lock import holder_of
from provisioner.journal.schema import BEFORE
from provisioner.journal.state.nights import Night, Nights
from provisioner.model import Outcome, State
from provisioner.results.tables import plain_table, printed
from provisioner.sending.users.profile import unpacked
from provisioner.wording import counted, iso_time, json_text, printable, shortened

_CREATED_BY: Final = ("created by another hand", "created by this job", "created by an earlier round of this job")
_USER: Final = f"""
SELECT id, uid, row, state, sent_at, outcome, attempts, http_status, error_code, error_message,
    auth_token IS NOT NULL AS has_token, created_at, settled_at, doubt_since, operation, certain,
    standing, absent, epoch, ours, profile, {REVERSING} AS reversing
FROM users WHERE uid = ? AND NOT {UNMET}
"""  # noqa: S608 - of constants
_REVERSAL: Final = """
SELECT coalesce(settled_at, sent_at, 0), verdict, reason, message FROM reversals WHERE id = ?
"""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened.

    at       UNIX seconds
    night    number of the night of a sync, as `history` counts them; null in a run
    what     the operation, as people read it
    became   what became of it
    outcome  of a row, when that is what it is
    """

    at: float
    night: int | None
    what: str
    became: str
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What a journal knows of one user.

    row   of the roster; 0 when it was in it no more
    name  by the profile that was last carried out; only a state keeps it
    now   how things are, a sentence each
    """

    uid: str
    journal: str
    owner: Identity
    row: int
    name: str | None
    steps: tuple[Step, ...]
    now: tuple[str, ...]

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        return {
            "uid": self.uid,
            "journal": self.journal,
            **asdict(self.owner),
            "row": self.row or None,
            "name": self.name,
            "steps": [
                {
                    "at": iso_time(step.at),
                    "night": step.night,
                    "what": step.what,
                    "outcome": step.outcome.value if step.outcome else None,
                    "became": step.became,
                }
                for step in self.steps
            ],
            "now": list(self.now),
        }

    def show(self, console: Console) -> None:
        """Print it."""
        name = f", {printable(self.name)}" if self.name else ""
        place = f"row {self.row:,} of the roster" if self.row else "in the roster no more"
        console.print(Text(f"{self.uid}{name}: {place}, {self.journal}, {self.owner}"))
        console.print(self._table())
        for sentence in self.now:
            console.print(Text(f"now: {sentence}"))

    def _table(self) -> Table:
        nightly = any(step.night is not None for step in self.steps)
        table = plain_table()
        table.add_column(no_wrap=True)
        if nightly:
            table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for step in self.steps:
            night = [Text(f"night {step.night}" if step.night is not None else "")] if nightly else []
            colour = step.outcome.colour if step.outcome else "yellow"
            table.add_row(Text(iso_time(step.at, "seconds")), *night, Text(step.what), Text(step.became, colour))
        return table


def story_of(uid: str, given: Path, *, as_json: bool) -> str:
    """Tell the story of one person. Raises `JournalError`, or `UsageError` for whom the journal has never met."""
    place = find_persons(uid, given)
    with opened(place.journal) as database:
        story = _story(uid.strip().lower(), place.journal, database)
    return json_text(story.document) if as_json else printed(story.show)


def _story(uid: str, journal: Path, database: sqlite3.Connection) -> Story:
    found = database.execute(_USER, (uid,))
    names = [name for name, *_ in found.description]
    if (values := found.fetchone()) is None:
        message = (
            "nobody with this uid was ever sent; rejected rows never are, and the results say why they were rejected"
        )
        raise UsageError(f"{shortened(uid)} in {journal}: {message}")
    user = dict(zip(names, values, strict=True))
    nights = Nights(database).last()
    steps: list[Step] = []
    for event in events_of(database, user["id"]):
        _put_in(steps, _step(event, nights), late=event.kind == SETTLED)
    for word in (*_last_word(user, nights), *_undone(database, user["id"])):
        _put_in(steps, word, late=True)
    return Story(
        uid=uid,
        journal=str(journal),
        owner=owner_of(database),
        row=user["row"],
        name=_name(user["profile"]),
        steps=tuple(steps),
        now=tuple(_now(user, running=holder_of(journal) is not None)),
    )


def _night(event: Event, nights: Sequence[Night]) -> int | None:
    """Give the number of the sync in which something happened: of the attempts at its night, the one under way then."""
    attempts = [night for night in nights if night.epoch == event.epoch]
    begun = [night for night in attempts if night.started <= event.at]
    return begun[-1].number if begun else attempts[0].number if attempts else None


def _step(event: Event, nights: Sequence[Night]) -> Step:
    night = _night(event, nights)
    if event.kind == ANSWER:
        return Step(event.at, night, event.operation or "", _answer(event))
    if event.kind == KILLED:
        return Step(
            event.at, night, event.operation or "create", "sent; the process ended before its outcome was recorded"
        )
    outcome = Outcome(event.outcome) if event.outcome else None
    return Step(event.at, night, _operation(event.operation, outcome), _words(event, outcome), outcome)


_MEANINGS: Final[Mapping[str, str]] = {
    "in_doubt": "no believable answer",
    "absent": "the app has no such user that is active",
}


def _answer(event: Event) -> str:
    meaning = _MEANINGS.get(event.outcome or "", event.outcome or "")
    words = [printable(str(each)) for each in (event.http_status, event.code) if each]
    words += [shortened(event.message)[1:-1]] if event.message else []
    return f"{meaning} ({', '.join(words)})" if words else meaning


def _operation(operation: str | None, outcome: Outcome | None) -> str:
    """Say what was done; a run records no operation: what it came to tells."""
    if operation is not None:
        return operation
    return "update" if outcome is Outcome.UPDATED else "create"


def _words(event: Event, outcome: Outcome | None) -> str:
    words = [outcome.value if outcome else ""]
    if event.http_status:
        words.append(f"({event.http_status})")
    if event.code:
        words.append(printable(event.code))
    if event.message:
        words.append(printable(event.message if len(event.message) <= 200 else event.message[:200] + "…"))
    return " ".join(words)


def _last_word(user: Mapping[str, Any], nights: Sequence[Night]) -> Iterator[Step]:
    """Give what the user's own row says, which no later one has taken the place of."""
    if user["state"] == State.PENDING:
        return
    if user["state"] == State.SENT:
        at, epoch, kind, outcome = user["sent_at"], None, KILLED, None
    else:
        at, epoch, kind, outcome = user["settled_at"] or user["sent_at"], user["epoch"], SETTLED, user["outcome"]
    answer = (user["http_status"], user["error_code"], user["error_message"], user["attempts"])
    yield _step(Event(user["id"], at, epoch, kind, user["operation"], outcome, *answer), nights)


def _undone(database: sqlite3.Connection, user: int) -> Iterator[Step]:
    """Give what an undo has last done to a user, or why it has not."""
    found = database.execute(_REVERSAL, (user,)).fetchone()
    if found is not None:
        at, verdict, reason, message = found
        outcome = Outcome(verdict)
        words = " ".join(printable(each) for each in (outcome.value, reason, message) if each)
        yield Step(at, None, "undo", words, outcome)


def _put_in(steps: list[Step], step: Step, *, late: bool) -> None:
    """Add a step; one that was kept `late` goes where it belongs: something may have been read, or made anew, since."""
    later = takewhile(lambda each: late and each.at > step.at, reversed(steps))
    steps.insert(len(steps) - sum(1 for _ in later), step)


def _now(user: Mapping[str, Any], *, running: bool) -> Iterator[str]:
    """Say how things are, as far as the journal knows."""
    if user["state"] != State.SETTLED:
        more = "it may be on the wire" if running and user["state"] == State.SENT else "the next run goes on with it"
        yield f"no outcome yet; {more}"
    if user["state"] == State.SENT or user["doubt_since"] is not None:
        created = user["operation"] in {None, "create"}
        may = "it may have been created" if created else f"its {user['operation']} may have been carried out"
        yield f"in doubt since {iso_time(user['doubt_since'] or user['sent_at'], 'seconds')}: {may}"
    if user["reversing"]:
        yield "in doubt: an undo may have taken it back"
    if user["standing"] is not None:
        doubt = "" if user["certain"] else "; the last change is not known to be carried out, and is done again"
        yield f"{user['standing']}, as far as the state knows{doubt}"
    if user["absent"]:
        yield f"in no roster for {counted(user['absent'], 'good night')}"
    if user["created_at"] is not None:
        by = _CREATED_BY[min(user["ours"], BEFORE)]
        yield f"{by}, at {iso_time(user['created_at'], 'seconds')} by the app's clock"
    yield "an auth token is recorded (not shown)" if user["has_token"] else "no auth token is recorded"


def _name(profile: bytes | None) -> str | None:
    text = unpacked(profile).get("name") if profile else None
    name = orjson.loads(text) if text else None
    return name if isinstance(name, str) else None
