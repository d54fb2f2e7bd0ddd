"""`backup`: a copy of a journal or a state, with which a job goes on when the original is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from provisioner.cli.boundary import show
from provisioner.cli.options.arguments import Out
from provisioner.cli.options.output import Printed
from provisioner.cli.options.types import argument

To = Annotated[Path, argument("TO", "The copy: a file that is not there yet, on another disk.")]


def backup(out: Out, to: To, /, *, output: Printed | None = None) -> None:
    """Copy a journal or a state, also in mid-run; the copy goes on when the original is lost.

    The copy knows when it was made, and whoever it does not know as settled is in doubt since then. Nothing is
    overwritten, and half a copy is none.
    """
    from provisioner.inspection.record.places import find_original
    from provisioner.journal.copies.backup import back_up
    from provisioner.run.runtime import ended_in_order
    from provisioner.wording import counted, iso_time, json_text

    journal = find_original(out, to)
    with ended_in_order():
        copy = back_up(journal, to)
    at = iso_time(copy.at)
    if output and output.json:
        document = {"journal": str(journal), "copy": str(to), "users": copy.users, "bytes": copy.size, "copied_at": at}
        show(json_text(document))
    else:
        show(f"{to}: a copy of {journal} with {counted(copy.users, 'user')}, as of {iso_time(copy.at, 'seconds')}")
