"""What people are called: which columns give a name, and in which order its parts stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from provisioner.inspection.proposal.document import Entry
from provisioner.inspection.proposal.evidence import Column, Evidence
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import normal_form
from provisioner.wording import counted

_MOSTLY: Final = 0.5
_SPACED: Final = r"\S\s+\S"
_TURNED: Final = r"^[^,]+, [^,]+$"
_LETTERLESS: Final = r"^\P{L}+$"
_HANDLE: Final = r"^[a-z0-9][a-z0-9._-]*$"
# As Workday writes its workers: Ann Lee (On Leave), Ann Lee (4711).
_NOTED: Final = (
    r"(?i)\S \((?:[a-z]{0,3}-?\d+|on leave|leave|loa|terminated|inactive|resigned|retired|suspended|deceased)"
    r"\b[^()]*\)$"
)
_LAST_COMES_FIRST: Final = ("姓", "氏", "苗字", "名字", "성", "họ", "họ đệm", "vezetéknév", "családnév")


@dataclass(frozen=True, slots=True)
class _Parts:
    whole: Column | None
    first: Column | None
    last: Column | None
    preferred: Column | None
    infix: Column | None = None


def choose_name(cells: Evidence) -> Entry | None:
    """Choose what people are called; None when no column is like it."""
    chosen = _chosen(cells)
    mails = sum(column.mails for column in cells.columns if chosen is not None and column.name in chosen.columns)
    if chosen is None or not mails:
        return chosen
    many = "is an e-mail address" if mails == 1 else "are e-mail addresses"
    return replace(
        chosen, reason=f"{chosen.reason}; {mails:,} {many}, which everybody in the app would see: write names there"
    )


def _chosen(cells: Evidence) -> Entry | None:
    parts = _sorted_out(cells, _parts(cells))
    both = _both(parts)
    if parts.whole is None:
        return both or _single(parts) or _login(cells)
    whole = Entry("name", parts.whole.name, _why_whole(parts.whole, cells), (parts.whole.name,))
    if both is None:
        return whole
    if (flaw := _flaw(parts.whole, cells)) is not None:
        return Entry("name", both.value, f"first and last name; {parts.whole.name!r} {flaw}", both.columns)
    if parts.whole.filled >= cells.rows:
        return whole
    reason = f"{parts.whole.name!r}, and first and last name where it is empty"
    return Entry("name", [whole.value, both.value], reason, (*whole.columns, *both.columns))


def _flaw(whole: Column, cells: Evidence) -> str | None:
    """Tell why first and last name are better than a whole one; None where they are not."""
    if _are_mostly(whole, _TURNED, cells):
        return "has the last name first"
    if cells.matching(whole.name, _NOTED):
        return "has in brackets what others are not to see"
    return "has e-mail addresses in it" if whole.mails else None


def _are_mostly(column: Column, pattern: str, cells: Evidence) -> bool:
    return cells.matching(column.name, pattern) > _MOSTLY * column.filled


def _parts(cells: Evidence) -> _Parts:
    return _Parts(
        _best(cells, Meaning.NAME, lambda column: _may_be_whole(column, cells)),
        _best(cells, Meaning.FIRST, _in_templates),
        _best(cells, Meaning.LAST, _in_templates),
        _best(cells, Meaning.PREFERRED, _in_templates),
        _best(cells, Meaning.INFIX, _in_templates),
    )


def _may_be_whole(column: Column, cells: Evidence) -> bool:
    """Whether a column called like a name is one by its cells: below `Mitarbeiter` may stand numbers as well."""
    return column.mails * 2 < column.filled and not _are_mostly(column, _LETTERLESS, cells)


def _in_templates(column: Column) -> bool:
    """Whether a template can hold a column that can be named, for `|` separates names there."""
    return "|" not in column.name


def _best(cells: Evidence, meaning: Meaning, suits: Callable[[Column], bool]) -> Column | None:
    """Give the column with the best word for it.

    One that lacks half of its cells comes after those that do not, and so does one that holds what people log in with.
    """
    good = [column for column in cells.columns if column.meaning is meaning and column.is_usable and suits(column)]

    def worth(column: Column) -> tuple[bool, bool, int]:
        return column.filled * 2 < cells.rows, _are_mostly(column, _HANDLE, cells), column.rank

    return min(good, key=worth, default=None)


def _sorted_out(cells: Evidence, parts: _Parts) -> _Parts:
    """Tell a whole name from half of one: `Name, Vorname` and `Nombre, Apellidos` are two halves.

    A name that people go by and that has blanks is a whole one; one of several words that holds neither half is of
    somebody else.
    """
    whole, first, last, preferred = parts.whole, parts.first, parts.last, parts.preferred
    if preferred is not None and _are_mostly(preferred, _SPACED, cells):
        whole, preferred = (preferred if whole is None or whole.filled < preferred.filled else whole), None
    if whole is not None and _in_templates(whole):
        if first is not None and last is None and cells.containing(whole.name, first.name) < _MOSTLY:
            whole, last = None, whole
        elif last is not None and first is None and cells.containing(whole.name, last.name) < _MOSTLY:
            whole, first = None, whole
        elif first is not None and last is not None and _is_of_another(whole, (first, last), cells):
            whole = None
    return _Parts(whole, first, last, preferred, parts.infix)


def _is_of_another(whole: Column, halves: tuple[Column, Column], cells: Evidence) -> bool:
    apart = all(cells.containing(whole.name, half.name) < _MOSTLY for half in halves)
    return apart and _are_mostly(whole, _SPACED, cells)


def _both(parts: _Parts) -> Entry | None:
    first, last = parts.first or parts.preferred, parts.last
    if first is None or last is None:
        return None
    given = first.name
    if parts.preferred is not None and parts.preferred is not first:
        given = f"{parts.preferred.name}|{first.name}"
    last_comes_first = any(normal_form(last.name) == normal_form(word) for word in _LAST_COMES_FIRST)
    order = (last.name, given) if last_comes_first else (given, last.name)
    by = ", and the name that a person goes by where there is one" if "|" in given else ""
    how = "last and first name, as is usual in the language" if last_comes_first else "first and last name"
    chosen = Entry("name", _joined(*order), how + by, (*given.split("|"), last.name))
    return chosen if parts.infix is None else _with_infix(chosen, parts.infix, (given, last.name))


def _with_infix(chosen: Entry, infix: Column, order: tuple[str, str]) -> Entry:
    """Offer the name with what stands before the last one: whoever has none would get a blank more."""
    given, last = order
    reason = f"{chosen.reason}; {infix.name!r}, filled in {counted(infix.filled, 'row')}, belongs before the last"
    advice = ": have the export join the two, or use the line below, which leaves two blanks where it is empty"
    return replace(chosen, reason=reason + advice, others=(_joined(given, infix.name, last),))


def _joined(*names: str) -> str:
    return " ".join(f"{{{name}}}" for name in names)


def _why_whole(column: Column, cells: Evidence) -> str:
    empty = max(0, cells.rows - column.filled)
    what = "the whole name" if column.rank <= 0 else "the name that people are shown by"
    what += f"; {empty:,} of {cells.rows:,} rows have none" if empty else ""
    noted = cells.matching(column.name, _NOTED)
    return what + (f"; {noted:,} with more in brackets, which everybody in the app would see" if noted else "")


def _single(parts: _Parts) -> Entry | None:
    only = parts.first or parts.last or parts.preferred
    if only is None:
        return None
    return Entry("name", only.name, "the only column with a part of a name", (only.name,))


def _login(cells: Evidence) -> Entry | None:
    """Take what people log in with, when there is nothing better; never an address, which everybody would see."""
    found = _best(cells, Meaning.LOGIN, lambda column: column.mails * 2 < column.filled)
    if found is None:
        return None
    return Entry("name", found.name, "no column holds names; what people log in with stands in for it", (found.name,))
