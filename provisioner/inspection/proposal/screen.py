"""What a person sees of a proposal: what becomes what and why, what is left out, what would be sent and rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from provisioner.inspection.proposal.document import Entry, Proposal, literal
from provisioner.inspection.proposal.proof import Proof
from provisioner.results import tables
from provisioner.results.tables import Listing
from provisioner.wording import counted, listed, printable

_NAMES_SHOWN = 8


def show(
    console: Console, found: str, notices: Sequence[str], proposal: Proposal, proof: Proof | None, rest: str
) -> None:
    """Print it all.

    found    what was found in the file, in a sentence
    notices  what is to be known of how it was read
    rest     what is said of the rows that were not looked at
    """
    for each in _parts(found, notices, proposal, proof):
        console.print(each)
    if proof is not None:
        for request in proof.report.requests:
            request.show(console)
        console.print(_verdict(proof, rest))
        for table in proof.report.tables():
            console.print(table)


def _parts(found: str, notices: Sequence[str], proposal: Proposal, proof: Proof | None) -> Iterator[RenderableType]:
    yield Text(found)
    yield from (Text(notice, "dim") for notice in notices)
    yield Text()
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
    if proof is not None and proof.report.requests:
        shown = len(proof.report.requests)
        yield Text(
            f"What would be sent, {'the first ' if shown < proof.valid else ''}{counted(shown, 'request')}:", "bold"
        )


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


def _verdict(proof: Proof, rest: str) -> RenderableType:
    rows = counted(proof.rows, "row")
    if not proof.rows:
        return Padding(Text("The roster has no rows.", "bold"), (1, 0, 0, 0))
    said = f"{rows} checked{rest}: {proof.valid:,} valid"
    if proof.rejected:
        said += f", {proof.rejected:,} would be rejected"
    return Padding(Text(said, "bold"), (1 if proof.report.requests else 0, 0, 0, 0))
