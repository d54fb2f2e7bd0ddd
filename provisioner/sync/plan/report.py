"""What `plan` reports: how much would be done, what it takes, and what would keep a sync from doing it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from provisioner.errors import ExitCode
from provisioner.model import Action
from provisioner.results.tables import plain_table
from provisioner.run.rates import seconds_for
from provisioner.sending.users.needs import Needs
from provisioner.settings.tables import Rate
from provisioner.sync.plan.assessment import Assessment
from provisioner.sync.plan.changeset import UNKNOWN, PlannedChange, in_words
from provisioner.sync.plan.guards import option_of_plan
from provisioner.wording import counted, duration, read_exactly, shortened


def document_of(change: PlannedChange) -> dict[str, Any]:
    """Give a change as documents hold it; an old value that is not known is left out."""
    document: dict[str, Any] = {"row": change.row or None, "uid": change.uid, "action": change.action}
    document["fields"] = list(change.fields)
    if change.fields:
        document["changed"] = [_changed(*each) for each in change.values()]
    return document


def _changed(field: str, old: str | None, new: str | None) -> dict[str, Any]:
    known = {} if old == UNKNOWN else {"old": read_exactly(old) if old is not None else None}
    return {"field": field, **known, "new": read_exactly(new) if new is not None else None}


def _line(change: PlannedChange) -> Text:
    """Give a change on one line, as a person reads it."""
    where = f"row {change.row}" if change.row else "in no row"
    fields = [f"{field} {_shown(old)} → {_shown(new)}" for field, old, new in change.values()]
    return Text.assemble(
        (change.action, "bold"), f" {change.uid}", (f"  {where}", "dim"), *(f"\n  {each}" for each in fields)
    )


def _shown(text: str | None) -> str:
    words = in_words(text)
    return shortened(words) if words is not None else "nothing" if text is None else "(not known)"


@dataclass(frozen=True, slots=True)
class PlanReport:
    """A plan in numbers.

    pages  requests that reading the directory takes, which `sync` would read as well
    first  the first changes, as many as `--show` asks for
    needs  what the app was asked about, if it was
    """

    assessment: Assessment
    rate: Rate
    pages: int
    kept: str | None
    first: Sequence[PlannedChange] = ()
    needs: Needs | None = None

    @property
    def exit_code(self) -> ExitCode:
        """Give 3 when a sync would refuse, 1 when rows are rejected, else 0."""
        if self.assessment.refused:
            return ExitCode.SAFETY
        return ExitCode.ROWS_LEFT if self.assessment.rejected else ExitCode.OK

    @property
    def requests(self) -> dict[str, int]:
        """Requests in each of the two groups in which the API counts them, when no answer is lost."""
        actions, updates = self.assessment.plan.actions, self.assessment.plan.updates
        around = self.pages + (self.needs.requests if self.needs is not None else 0)
        return {
            "core": actions[Action.CREATE] + self.assessment.plan.mints + actions[Action.DEACTIVATE],
            "standard": actions[Action.REACTIVATE] + updates + self.assessment.plan.flushes + around,
        }

    @property
    def seconds(self) -> float:
        """The least time that takes at the rate that is set."""
        return seconds_for(self.rate, self.requests)

    @property
    def outputs(self) -> dict[str, str | None]:
        """The file that was written."""
        return {"plan": self.kept, "summary": self.kept}

    @property
    def document(self) -> dict[str, Any]:
        """As `--json` and the kept plan hold it."""
        assessed, plan, leavers = self.assessment, self.assessment.plan, self.assessment.leavers
        document: dict[str, Any] = {
            "rows": assessed.rows,
            "rejected": assessed.rejected,
            **{action.value: plan.actions[action] for action in Action},
            "unchanged": plan.unchanged,
            "adopted": plan.adopted,
            "tokens": plan.tokens.total(),
            "flush": plan.flushes,
            "updated_fields": plan.touched,
            "leavers": {
                "found": leavers.found,
                "deactivated": len(leavers.due),
                "in_grace": len(leavers.in_grace),
                "reported": len(leavers.reported),
            },
            "requests": self.requests,
            "seconds": round(self.seconds, 1),
            "rejected_by_code": assessed.report.rejected_by_code,
            "refused": [each.document for each in assessed.refused],
            "exit_code": self.exit_code,
        }
        if assessed.drift is not None:
            document["directory"] = {**assessed.drift, "changed": plan.changed}
        if self.needs is not None:
            document["app"] = self.needs.document
        if self.first:
            document["shown_changes"] = [document_of(each) for each in self.first]
        return document

    def show(self, console: Console) -> None:
        """Print the table for people."""
        for change in self.first:
            console.print(_line(change), soft_wrap=True)
        console.print(self._table())
        for line in self._remarks():
            console.print(line)
        for table in self.assessment.report.tables():
            console.print(table)

    def _table(self) -> Table:
        plan, rejected = self.assessment.plan, self.assessment.rejected
        table = plain_table()
        table.add_column(justify="right")
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        table.add_row(*counted(self.assessment.rows, "row").split(), "")
        for action in Action:
            if number := plan.actions[action]:
                head = Text(f"to {action.value}", action.colour)
                table.add_row(Text(f"{number:,}", action.colour), head, self._note(action))
        table.add_row(f"{plan.unchanged:,}", "to leave alone", self._adopted())
        if rejected:
            table.add_row(Text(f"{rejected:,}", "yellow"), Text("rejected", "yellow"), "")
        return table

    def _why_reported(self) -> str:
        """Say what would let them go; a list that a person has approved of says it itself."""
        policy = self.assessment.policy
        if policy.approved is not None:
            return ": not on the list that is approved"
        if not policy.deactivate:
            return f"; {option_of_plan('--deactivate-leavers', kept=self.assessment.kept)} would let them go"
        plan = self.assessment.plan
        if plan.unread:
            return f": {counted(plan.unread, 'file')} with other sheets or pages of people, so any of them may be there"
        if plan.holding:
            return f": {counted(plan.holding, 'cell')} with what looks like other rows, so any of them may be there"
        if plan.nameless:
            return f": {counted(plan.nameless, 'row')} without a usable uid, so any of them may still be there"
        return ": the roster has them without the leading zeros of their uids"

    def _note(self, action: Action) -> str:
        plan = self.assessment.plan
        if action is Action.DEACTIVATE:
            return "auth tokens flushed first" if plan.flushes else "auth tokens kept"
        parts = [f"{name} {number:,}" for name, number in plan.fields.get(action, {}).items()]
        if tokens := plan.tokens[action]:
            parts.append(f"{counted(tokens, 'auth token')} to be minted")
        return ", ".join(parts)

    def _adopted(self) -> str:
        adopted = self.assessment.plan.adopted
        return f"{counted(adopted, 'user')} of them taken over as they are" if adopted else ""

    def _remarks(self) -> Iterator[Text]:
        needed, leavers, drift = self.requests, self.assessment.leavers, self.assessment.drift
        message = f"{needed['core']:,} core and {needed['standard']:,} standard requests"
        yield Text(
            f"{message}: at least {duration(self.seconds)} at this rate" if sum(needed.values()) else "no request"
        )
        if leavers.reported:
            yield Text(f"{counted(len(leavers.reported), 'leaver')} only reported{self._why_reported()}")
        if leavers.in_grace:
            yield Text(f"{counted(len(leavers.in_grace), 'leaver')} in grace")
        if drift is not None:
            parts = {**drift, "changed": self.assessment.plan.changed}
            counts = ", ".join(f"{number:,} {name}" for name, number in parts.items() if name != "strangers")
            yield Text(f"by another hand: {counts}; {counted(drift['strangers'], 'user')} of the app not managed here")
        for message, wrong in self.needs.remarks() if self.needs is not None else ():
            yield Text(message, "yellow" if wrong else "")
        for refusal in self.assessment.refused:
            yield Text(f"sync would refuse: {refusal.message}", "red")
        if self.kept:
            yield Text(f"plan: {self.kept}")
