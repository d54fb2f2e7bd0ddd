"""Options of reading that can mean nothing for the roster they were given with: refused, not dropped.

What stands in a config file may be meant for another roster, and is only used where it fits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from provisioner.errors import ProvisionerError, UsageError

if TYPE_CHECKING:
    from provisioner.roster.files.inputs import InputFile

_SEPARATED: Final = frozenset({"csv", "tsv"})
# Key of [run] → what can be read with it, and what that is in `inputs.FAMILIES`.
_READABLE: Final[Mapping[str, tuple[str, frozenset[str]]]] = {
    "encoding": ("a text (CSV, TSV, NDJSON, JSON)", _SEPARATED | {"ndjson", "json"}),
    "delimiter": ("a CSV or TSV", _SEPARATED),
    "escape": ("a CSV or TSV", _SEPARATED),
    "header_row": ("a CSV, a TSV or a workbook", _SEPARATED | {"workbook"}),
    "sheet": ("a workbook (.xlsx)", frozenset({"workbook"})),
}
# In an archive may be anything, and what a name does not tell, or tells wrongly, is for the reader to refuse.
_ANYTHING: Final = frozenset({"zip", None})


def refuse_idle_options(
    roster: Sequence[str], flags: Mapping[str, Mapping[str, Any]], *, queried: bool = False
) -> None:
    """Raise `UsageError` for an option with which no file of the roster can be read, nor the rows of a query.

    queried  without a ROSTER, it is a query

    Rejected rows are fed in with the options of the roster they come from, whatever their format is.
    """
    reading = flags.get("run", {})
    given = [key for key in _READABLE if key in reading]
    if not given or not (roster or queried):
        return
    from provisioner.settings.layers import flag_of

    families, which = _families(roster)
    for key in given:
        what, readable = _READABLE[key]
        if not families & (readable | _ANYTHING):
            raise UsageError(
                f"{flag_of('run', key)}: only {what} can be read with it, and {which}; leave the option out"
            )


def _families(roster: Sequence[str]) -> tuple[frozenset[str | None], str]:
    """Say what the files of a roster are, and that none of them can be read so."""
    from provisioner.roster.files.inputs import Location, find_inputs
    from provisioner.sync.keptplan import kept_in

    with suppress(ProvisionerError, OSError):  # which the reader will tell
        kept = kept_in(roster)
        found = find_inputs(roster if kept is None else kept.roster).files
        if not found or found[0].location is Location.QUERY:
            return frozenset({"query"}), "the rows of a query are none"
        for file in found:
            _check_name(file)
        which = f"{found[0].name} is none" if len(found) == 1 else f"none of these {len(found)} files is one"
        return frozenset("zip" if ".rejected" in file.file_name else file.family for file in found), which
    return _ANYTHING, ""


def _check_name(file: InputFile) -> None:
    """See that a file of this machine is there and is what its name says. Raises `RosterError`, `OSError`."""
    from provisioner.roster.files.inputs import Location
    from provisioner.roster.files.origin import LocalFile
    from provisioner.roster.files.signature import LENGTH, check_signature

    if file.location is Location.FILE:
        origin = LocalFile(Path(file.where))
        with origin.open() as opened:
            check_signature(file, opened.read(LENGTH), origin)
