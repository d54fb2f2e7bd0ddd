"""What a person sees of a proposal: what becomes what and why, what is left out, what would be sent and rejected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from provisioner.inspection.proposal.document import Entry, Proposal, literal
from provisioner.inspection.proposal.opening import Opened
from provisioner.inspection.proposal.proof import Proof
from provisioner.results import tables
from provisioner.results.tables import Listing, printed
from provisioner.roster.columns import unnamed
from provisioner.wording import counted, listed, printable

_NAMES_SHOWN: Final = 8
_SIGN_IN_WORD: Final = re.compile(
    r"[^\x00-\x7f\w\s\u2018-\u201e\u2013\u2014\u2026\u00ab\u00a1\u00bf\u00b7](?=[^\W\d_])"
)


@dataclass(frozen=True, slots=True)
class Found:
    """All that `init` has to say of a file.

    name  what the roster is called
    text  the config file
    """

    name: str
    opened: Opened
    proposal: Proposal
    proof: Proof | None
    text: str

    @property
    def complete(self) -> bool:
        """Whether the config file can be used as it stands."""
        return not self.proposal.questions and self.proof is not None

    def shown(self, width: int | None = None) -> str:
        """Give what a person reads."""
        return printed(self._show, width)

    def _show(self, console: Console) -> None:
        console.print(Text(self._first()))
        for notice in self.opened.notices:
            console.print(Text(notice, "dim"))
        for each in (Text(), *_parts(self.proposal)):
            console.print(each)
        if self.proof is not None:
            _show_proof(console, self.proof, whole=self.opened.evidence.whole)

    def _first(self) -> str:
        """Say what was found in the file, in a sentence."""
        evidence, tried = self.opened.evidence, self.opened.tried
        rows = counted(evidence.rows, "row") if evidence.whole else f"more than {counted(evidence.rows, 'row')}"
        first = f"{self.name}: {rows}, {counted(len(evidence.columns), 'column')}"
        how = [f"{name.replace('_', ' ')} {value}" for name, value in tried.items()]
        first += f"; read with {listed(how)}" if how else ""
        if "encoding" in tried and (cell := _odd_cell(self.opened)):
            first += f", which is right if this reads well: {cell}"
        return first


def _parts(proposal: Proposal) -> Iterator[RenderableType]:
    if proposal.entries or proposal.by_name:
        yield Text("What becomes what:", "bold")
        yield Listing(("field", "made of", "why"), [*map(_entry, proposal.entries), *map(_by_name, proposal.by_name)])
        yield Text()
    for question in proposal.questions:
        choose = f"; it could be {listed([literal(column) for column in question.columns])}" if question.columns else ""
        yield Text.assemble((f"{question.field} is to be chosen", "bold yellow"), f": {question.reason}{choose}")
        yield Text()
    for name, (value, reason) in proposal.constraints.items():
        yield Text.assemble((f"{name} = {literal(value)}", "bold"), f": {reason}")
        yield Text()
    if proposal.left_out:
        yield Text("What is left out:", "bold")
        yield Listing(("column", "why"), [_left_out(*each) for each in proposal.left_out_by_reason], broken=True)
        yield Text()


def _entry(entry: Entry) -> tables.Entry:
    name = f"metadata.{entry.key}" if entry.metadata else entry.key
    value = printable(literal(entry.value))
    cells = (Text(name, "green"), Text(value), Text(printable(entry.reason)))
    return tables.Entry(cells, Text.assemble((name, "green"), f" = {value}"))


def _by_name(column: str) -> tables.Entry:
    cells = (Text(printable(column), "green"), Text(printable(literal(column))), Text("called as the field is"))
    return tables.Entry(cells, cells[0])


def _left_out(reason: str, columns: Sequence[str]) -> tables.Entry:
    names = Text(listed([printable(literal(column)) for column in columns], _NAMES_SHOWN))
    return tables.Entry((names, Text(printable(reason))), names)


def _show_proof(console: Console, proof: Proof, *, whole: bool) -> None:
    requests = proof.report.requests
    if requests:
        first = "the first " if len(requests) < proof.valid else ""
        console.print(Text(f"What would be sent, {first}{counted(len(requests), 'request')}:", "bold"))
    for request in requests:
        request.show(console)
    console.print(_verdict(proof, whole=whole))
    for table in proof.report.tables():
        console.print(table)


def _verdict(proof: Proof, *, whole: bool) -> RenderableType:
    if not proof.rows:
        return Padding(Text("The roster has no rows.", "bold"), (1, 0, 0, 0))
    said = f"{counted(proof.rows, 'row')} checked{'' if whole else ', the first ones'}: {proof.valid:,} valid"
    if proof.rejected:
        said += f", {proof.rejected:,} would be rejected"
    return Padding(Text(said, "bold"), (1 if proof.report.requests else 0, 0, 0, 0))


def _odd_cell(opened: Opened) -> str:
    """Give a cell that shows whether the encoding is the right one, and how it reads in another that is as likely.

    It reads otherwise in the likeliest other one; one with a sign before a letter comes first.
    """
    frame = opened.evidence.frame
    columns = (unnamed(frame, name).drop_nulls() for name in frame.columns)
    odd = [str(cell) for cells in columns for cell in cells.filter(cells.str.contains(r"[^\x00-\x7f]"))]
    telling = [cell for cell in odd if _in_rival(cell, opened) != cell] or odd
    shown = next((cell for cell in odd if _SIGN_IN_WORD.search(cell)), telling[0] if telling else opened.cell)
    other = _in_rival(shown, opened)
    also = f"; in {opened.rival} it would be {other[:40]}" if opened.is_tied and other and other != shown else ""
    return f"{shown[:40]}{also}"


def _in_rival(cell: str, opened: Opened) -> str | None:
    if opened.rival is None:
        return None
    return cell.encode(str(opened.tried["encoding"]), "replace").decode(opened.rival, "replace")
