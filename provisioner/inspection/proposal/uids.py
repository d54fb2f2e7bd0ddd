"""What tells people apart: an id as it stands, or what a uid can be made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from provisioner.inspection.proposal.document import Entry
from provisioner.inspection.proposal.evidence import Column, Evidence
from provisioner.validation.fields.source import Encoding
from provisioner.validation.vocabulary.owners import is_of_a_thing, is_of_another, may_be_of
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.wording import counted, printable

TOLERATED: Final = 0.2
"""So many cells of a column may be no uids, or not be there, and it is still the one: the rows are rejected."""

ENCODINGS: Final = (Encoding.BASE32, Encoding.SLUG, Encoding.HEX)
"""In the order in which they are tried: one that loses nothing first."""

_WORDS: Final = (Meaning.ID, Meaning.LOGIN, Meaning.EMAIL)
_CHOSEN: Final = frozenset({None, *_WORDS, Meaning.POSITION})
"""What a column may be that a person could make uids of."""


_Way: TypeAlias = Callable[[Column, Evidence], Entry | None]


def choose_uid(facts: Evidence) -> Entry | None:
    """Choose what tells people apart: an id, else a log-in, else a number, else an address.

    Of several, one that is a uid as it stands comes before one that has to be made one.
    """
    numbers = tuple(column.name for column in _serving(facts, Meaning.POSITION) if _may_be_id(column, facts))
    if (called := _called_so(facts, Meaning.ID, Meaning.LOGIN)) is not None:
        return replace(called, others=numbers) if isinstance(called.value, dict) else called
    address = _called_so(facts, Meaning.EMAIL) or _first(list(filter(is_own_mail, facts.columns)), facts, _encoded)
    free = [column for column in facts.columns if _says_nothing(column) and could_be_chosen(column)]
    apart = [column for column in free if tells_apart(column, facts)]
    if (number := _first([column for column in apart if _is_number(column)], facts, _numbered)) is not None:
        return replace(number, others=(address.value,) if address else ())
    if address is not None:
        return replace(address, others=numbers)
    return _first(apart, facts, _made, _numbered) or _first(free, facts, _counting)


def _called_so(facts: Evidence, *meanings: Meaning) -> Entry | None:
    """Choose by what columns are called, the better meaning and the better word first."""
    for meaning in meanings:
        columns = sorted(_serving(facts, meaning), key=lambda column: column.rank)
        if (uid := _first(columns, facts, _told_apart, _encoded, _damaged, _as_it_stands)) is not None:
            return uid
    return None


def _may_be_id(column: Column, facts: Evidence) -> bool:
    """Whether a column that is called a number holds ids: it does not count the rows, and nearly all are uids."""
    return not column.counts_rows and could_be_chosen(column) and _as_it_stands(column, facts) is not None


def _is_number(column: Column) -> bool:
    """Whether a column is called a number, and not that of a row."""
    return column.meaning is Meaning.POSITION and column.rank == 0


def _first(columns: Sequence[Column], facts: Evidence, *ways: _Way) -> Entry | None:
    """Give what the first way makes of the first column of which it makes something, else the second way, and so on."""
    return next((uid for way in ways for column in columns if (uid := way(column, facts)) is not None), None)


def _serving(facts: Evidence, meaning: Meaning) -> Iterator[Column]:
    """Give the columns of a meaning in which nearly every row has something, and hardly two the same."""
    for column in facts.columns:
        if column.meaning is not meaning or not column.is_usable:
            continue
        enough = column.filled >= (1 - TOLERATED) * facts.rows
        alike = column.filled - (column.spelled if column.differ_in_case else column.distinct)
        if enough and alike <= _most_repeats(column) and (column.spelled > 1 or facts.rows < 2):
            yield column


def _most_repeats(column: Column) -> float:
    return max(1, TOLERATED * column.filled)


def _told_apart(column: Column, facts: Evidence) -> Entry | None:
    """Take a column as it stands, if the app, which lowers uids, tells its cells apart."""
    return None if column.differ_in_case else _as_it_stands(column, facts)


def _as_it_stands(column: Column, facts: Evidence) -> Entry | None:
    """Take a column whose cells are uids, nearly all of them."""
    tolerated = TOLERATED * column.filled
    if column.filled - column.underscored > tolerated or column.repeats > _most_repeats(column):
        return None
    constraints = {}
    if column.underscored > column.legal:
        why = (
            f"{column.underscored - column.legal:,} of the ids hold _, of which the API's pages say both: try one first"
        )
        constraints["uid_allow_underscore"] = (True, why)
    elif column.filled - column.legal > tolerated:
        return None
    return replace(_taken(column, _why_uid(column, facts)), constraints=constraints)


def _taken(column: Column, reason: str) -> Entry:
    return Entry("uid", column.name, reason, (column.name,))


def _damaged(column: Column, facts: Evidence) -> Entry | None:
    """Take a column that will hold the ids once the roster is mended."""
    if not is_damaged(column, facts):
        return None
    reason = f"{', '.join(_looks(column, facts))}, but {how_to_mend(column, facts)}"
    return _taken(column, reason)


def is_damaged(column: Column, facts: Evidence) -> bool:
    """Whether many cells are no uids, and most of them were some before a program changed or wrapped them."""
    odd = column.filled - column.underscored
    if column.are_mails or column.nested or odd <= TOLERATED * column.filled:
        return False
    return sum(facts.damage(column.name).values()) > max(TOLERATED * column.filled, odd / 2)


def how_to_mend(column: Column, facts: Evidence) -> str:
    """Say how the damaged cells of a column are mended, as a check does; empty when there are none."""
    damage = facts.damage(column.name)
    cells = counted(sum(damage.values()), "cell")
    return f"to be mended in the roster first ({cells}): {'; '.join(damage)}" if damage else ""


def _why_uid(column: Column, facts: Evidence) -> str:
    parts = _looks(column, facts)
    if illegal := column.filled - column.underscored:
        parts.append(f"{illegal:,} with signs that a uid cannot hold")
    return ", ".join(parts)


def _looks(column: Column, facts: Evidence) -> list[str]:
    what = column.meaning.value if column.meaning else "an id"
    lacking = max(0, facts.rows - column.filled)  # of a roster without rows each column counts as one
    return [
        what,
        f"{counted(lacking, 'row')} without one" if lacking else "in every row",
        f"{column.repeats:,} that come again" if column.repeats else "no two alike",
    ]


def _encoded(column: Column, facts: Evidence) -> Entry | None:
    """Make uids of a column whose cells are none, by the first encoding that keeps them apart.

    Never of what is damaged: the app would not find these ids again.
    """
    if is_damaged(column, facts):
        return None
    mails = column.are_mails
    least = column.spelled if column.differ_in_case else column.distinct
    for encoding in ENCODINGS:
        form = facts.as_uids(column.name, encoding, lower=mails)
        if form.illegal <= TOLERATED * column.filled and form.distinct >= least:
            value = {"column": column.name, "encode": encoding.value} | ({"lower": True} if mails else {})
            reason = f"{_why_none(facts, column)}, so they are encoded; your app has to do the same at log-in"
            return Entry("uid", value, reason + _besides(facts, column), (column.name,))
    return None


def _besides(facts: Evidence, column: Column) -> str:
    """Say what else is to be known of a column that is encoded."""
    if column.are_mails:
        return '. Others can turn such a uid back into the address: encode = "uuid5" with a namespace hides it'
    return f"; {mend}" if (mend := how_to_mend(column, facts)) else ""


def _why_none(facts: Evidence, column: Column) -> str:
    if column.are_mails:
        return "e-mail addresses, which no uid can be"
    what = "ids"
    if column.legal < column.filled:
        signs = facts.signs(column.name)
        what += f" that hold {printable(signs)}, which no uid can" if signs.strip() else ", some of which no uid can be"
    if column.differ_in_case:
        what += ", some of which differ in upper and lower case only, which makes one uid of them"
    return what


def _made(column: Column, _: Evidence) -> Entry | None:
    """Take a column that is called like nothing, and in which a program has put ids."""
    if column.made < column.filled:
        return None
    reason = "no column is called like an id; every cell of this is one that a program makes, and no two are alike"
    return _taken(column, reason)


def _numbered(column: Column, _: Evidence) -> Entry | None:
    """Take a column that is called a number and nothing more, and in which everybody has a short one."""
    if column.meaning is None or column.numbered < column.filled or column.counts_rows:
        return None
    reason = "no column is called like an id; this is a number, in every row, no two alike"
    return _taken(column, reason)


def _counting(column: Column, _: Evidence) -> Entry | None:
    """Take a column that counts the rows, which is better than nothing."""
    if not column.counts_rows:
        return None
    reason = "it only counts the rows: let everybody keep his number when others come and go, or choose another"
    return _taken(column, reason)


def tells_apart(column: Column, facts: Evidence) -> bool:
    """Whether every row has a cell, no two have the same, and all can be uids as they stand."""
    return column.filled == column.distinct == column.legal == facts.rows > 0


def could_be_chosen(column: Column) -> bool:
    """Whether a person could make a uid of a column: it is no name, nothing private but an address, and his own."""
    free = column.place in {None, "uid"}
    return free and column.meaning in _CHOSEN and not is_of_another(column.name) and not is_of_a_thing(column.name)


def _says_nothing(column: Column) -> bool:
    return column.is_usable and may_be_of(Meaning.ID, column.name) and column.meaning in {None, Meaning.POSITION}


def is_own_mail(column: Column) -> bool:
    """Whether a column whose name says nothing holds addresses, of which no two rows share one."""
    if column.meaning is not None or column.place is not None or not column.can_be_named:
        return False
    return may_be_of(Meaning.EMAIL, column.name) and column.are_mails and not column.repeats
