"""What an undo adds up to: one object for machines, one table for people.

The sum is asserted: users = reversed + kept + failed + pending
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from provisioner.errors import ExitCode
from provisioner.journal.header import Identity
from provisioner.journal.undo.telling import ToDo
from provisioner.model import Outcome
from provisioner.results.manifest import known_of
from provisioner.results.summary import ended, lasted, sent, tell_unconfirmed
from provisioner.results.tables import plain_table
from provisioner.run.rates import seconds_for
from provisioner.run.undo.listing import Counts
from provisioner.sending.calls import Budget
from provisioner.settings.tables import Rate
from provisioner.stop import Stop
from provisioner.tally import Tally
from provisioner.wording import counted, duration, iso_time

LIST: Final = "undo"
"""What the list of an undo is called among the outputs."""

_VERDICTS: Final = (Outcome.REVERSED, Outcome.KEPT, Outcome.FAILED, Outcome.PENDING)


@dataclass(frozen=True, slots=True)
class UndoSummary:
    """The end of an undo, counted over all that was ever undone of this job and not begun anew since.

    untouched    users in doubt, of whom it turned out that this job had changed nothing; not among the others
    tokens_left  auth tokens minted for users who were there before: nobody takes them back
    started, finished  UNIX seconds
    digests      name of a file among the outputs → SHA-256 of its content; None when it was not written
    copied_at    of the copy that the journal is (UNIX seconds, the server's): whom it created since is not known
    """

    counts: Counts
    untouched: int
    tokens_left: int
    tally: Tally
    started: float
    finished: float
    stop: Stop | None
    app: Identity
    permanent: bool
    outputs: Mapping[str, str | None]
    digests: Mapping[str, str | None]
    copied_at: float | None = None

    def __post_init__(self) -> None:
        verdicts = self.counts.verdicts
        if verdicts.total() != sum(verdicts[each] for each in _VERDICTS):
            raise AssertionError(f"{verdicts.total()} users, but their verdicts are {dict(verdicts)}")
        if self.stop is None and verdicts[Outcome.PENDING]:
            raise AssertionError(f"{verdicts[Outcome.PENDING]} users have no verdict, but nothing stopped the undo")

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        if self.stop is not None:
            return self.stop.exit_code
        verdicts = self.counts.verdicts
        left = verdicts[Outcome.KEPT] or verdicts[Outcome.FAILED] or self.copied_at is not None
        return ExitCode.ROWS_LEFT if left else ExitCode.OK

    @property
    def document(self) -> dict[str, Any]:
        """The summary as the file and `--json` hold it."""
        verdicts, requests = self.counts.verdicts, self.tally.requests
        return {
            "users": verdicts.total(),
            **{each.value: verdicts[each] for each in _VERDICTS},
            "untouched": self.untouched,
            "done": {name: self.counts.done[name] for name in ("deactivated", "deleted", "restored")},
            "kept_by_reason": dict(sorted(self.counts.kept.items())),
            "failed_by_code": dict(sorted(self.counts.failed.items())),
            "tokens_left": self.tokens_left,
            "copied_at": None if self.copied_at is None else iso_time(self.copied_at),
            "permanent": self.permanent,
            "app": asdict(self.app),
            **sent(requests),
            **lasted(self.started, self.finished),
            "requests_per_minute": round(requests.per_minute, 1),
            **ended(self.stop, self.exit_code, self.outputs),
            "digests": known_of(self.digests),
        }

    def show(self, console: Console) -> None:
        """Print what people read."""
        tell_unconfirmed(console, self.stop)
        counts = self.counts
        table = plain_table()
        for justify in ("right", "left", "left"):
            table.add_column(justify=justify, overflow="fold")
        table.add_row(*counted(counts.verdicts.total(), "user").split(), "")
        notes = {Outcome.REVERSED: counts.done, Outcome.KEPT: counts.kept, Outcome.FAILED: counts.failed}
        for each in _VERDICTS:
            if number := counts.verdicts[each]:
                note = ", ".join(f"{name} {count:,}" for name, count in notes.get(each, Counter()).most_common())
                table.add_row(Text(f"{number:,}", each.colour), Text(each, each.colour), Text(note))
        console.print(table)
        for line in self._remarks():
            console.print(Text(line))

    def _remarks(self) -> list[str]:
        requests, remarks = self.tally.requests, []
        if requests.sent:
            remarks.append(f"{counted(requests.sent, 'request')} in {duration(self.finished - self.started)}")
        elif self.stop is None:
            remarks.append("no request was sent: there is nothing left to be undone")
        if self.untouched:
            remarks.append(f"{counted(self.untouched, 'user')} in doubt, whom this job turned out not to have changed")
        if self.tokens_left:
            remarks.append(f"{counted(self.tokens_left, 'auth token')} of users who were there before stay valid")
        if self.copied_at is not None:
            since = iso_time(self.copied_at, "seconds")
            remarks.append(
                f"the journal is a copy of {since}: users created since are not known to it and stay; run first"
            )
        if where := self.outputs[LIST]:
            remarks.append(f"list: {where}")
        return remarks


@dataclass(frozen=True, slots=True)
class UndoPreview:
    """What an undo would do (`--dry-run`)."""

    to_do: ToDo
    app: Identity
    permanent: bool
    rate: Rate
    journal: str

    @property
    def exit_code(self) -> ExitCode:
        """The command's exit code."""
        return ExitCode.OK

    @property
    def outputs(self) -> Mapping[str, str | None]:
        """Nothing is written."""
        return {LIST: None, "summary": None, "journal": self.journal}

    @property
    def requests(self) -> int:
        """How many it would take at most, unless some have to be sent again or a list goes on over more than a page.

        A look at each, and what takes it back; another look at those in doubt; what is more for those to be put back;
        and one that asks for the server's time.
        """
        return 2 * self.to_do.users + self.to_do.doubtful + self.to_do.more + bool(self.to_do.users)

    @property
    def seconds(self) -> float:
        """How long it would take at least, at the rate that is set."""
        core = self.to_do.created + self.to_do.doubtful
        return seconds_for(self.rate, {Budget.CORE: core, Budget.STANDARD: self.requests - core})

    @property
    def document(self) -> dict[str, Any]:
        """What `--json` prints."""
        to_do = self.to_do
        return {
            "would": {
                "delete" if self.permanent else "deactivate": to_do.created,
                "restore": to_do.updated,
                "look_up": to_do.doubtful,
                "reversed_before": to_do.reversed,
            },
            "permanent": self.permanent,
            "app": asdict(self.app),
            "estimate": {"requests": self.requests, "seconds": round(self.seconds, 1)},
            "exit_code": self.exit_code,
            "outputs": dict(self.outputs),
        }

    def show(self, console: Console) -> None:
        """Print what people read."""
        console.print(Text("\n".join(sentences(self.to_do, self.app, permanent=self.permanent))))
        least = duration(self.seconds)
        console.print(
            Text(f"nothing was sent; it would take at most {counted(self.requests, 'request')}, and at least {least}")
        )


def sentences(to_do: ToDo, app: Identity, *, permanent: bool) -> list[str]:
    """Say what would be done, for whoever is to confirm it."""
    what = "deleted for good, with their messages" if permanent else "deactivated"
    lines = [
        f"of {app}:",
        f"{counted(to_do.created, 'user')} this job created would be {what}",
        f"{counted(to_do.updated, 'user')} it updated would get the old profile back",
    ]
    if to_do.doubtful:
        lines.append(
            f"{counted(to_do.doubtful, 'user')} in doubt would be looked up, and taken back where it created them"
        )
    lines.append("whoever was changed by another hand since, or has logged in, is kept and named")
    return lines
