"""What a person sees in the cells of a workbook is what is read, or a warning says otherwise."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.roster.workbook.file import open_workbook
from tests.rig.workbooks import workbook

# A cell: how it is written, its number format, what a person sees, and whether a mark has to say that it is not exact.
Cell = tuple[Any, str | None, str | None, bool]

LETTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0\r\ufffe\uffff")
TEXT = st.text(LETTERS, min_size=1, max_size=20).filter(lambda text: text.strip() != "")


def exact(number: float) -> str:
    """Write a number with fifteen digits at most, and without an exponent."""
    text = f"{Decimal(f'{number:.15g}').normalize():f}"
    return "0" if text == "-0" else text


texts = TEXT.map(lambda text: (text, None, text, False))
digits = st.from_regex(r"[0-9]{1,25}", fullmatch=True).map(lambda text: (text, "0", text, False))
whole = st.integers(-(10**15) + 1, 10**15 - 1).map(lambda number: (number, None, str(number), False))
long = st.integers(10**15, 10**20).map(lambda number: (number, None, None, True))
padded = st.tuples(st.integers(0, 10**9), st.integers(2, 12)).map(
    lambda pair: (pair[0], "0" * pair[1], str(pair[0]).zfill(pair[1]), False)
)
prefixed = st.integers(0, 10**6).map(lambda number: (number, '"EMP-"00000', f"EMP-{number:05}", False))
dressed = st.tuples(
    st.integers(-(10**6), 10**6).map(lambda number: number / 4), st.sampled_from(["0%", "#,##0.00", "0.00E+00", "0"])
).map(lambda pair: (pair[0], pair[1], exact(pair[0]), False))
days = st.dates(min_value=dt.date(1900, 1, 1)).map(lambda day: (day, "d mmm yy", day.isoformat(), False))
moments = st.datetimes(min_value=dt.datetime(1901, 1, 1), max_value=dt.datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: (moment.replace(microsecond=0), "hh:mm", None, False)
)
truths = st.booleans().map(lambda truth: (truth, None, "true" if truth else "false", False))
cells = st.one_of(texts, digits, whole, long, padded, prefixed, dressed, days, moments, truths)


def iso(moment: dt.datetime) -> str:
    """Write a moment; at midnight it is a day."""
    return moment.date().isoformat() if moment.time() == dt.time() else moment.isoformat()


def write(book: Any, sheet: Any, place: tuple[int, int], cell: Cell) -> str | None:
    """Write a cell, and give what a person sees in it."""
    value, code, text, is_rounded = cell
    form = book.add_format({"num_format": code}) if code else None
    if isinstance(value, str):
        sheet.write_string(*place, value, form)
    elif isinstance(value, dt.date):
        sheet.write_datetime(*place, value, form)
    else:
        sheet.write(*place, value, form)
    if isinstance(value, dt.datetime):
        return iso(value)
    return exact(value) if is_rounded else text


def is_as_seen(text: str, seen: str, *, is_rounded: bool) -> bool:
    """Whether what was read is what is seen; of a number that is marked its first digits have to be."""
    return abs(float(text) / float(seen) - 1) < 1e-14 if is_rounded else text == seen


ROW = st.tuples(cells, cells, st.booleans(), st.integers(0, 2))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, min_size=1, max_size=8), shared=st.booleans())
def test_what_is_seen_is_what_is_read(tmp_path: Path, rows: list[tuple[Cell, Cell, bool, int]], shared: bool) -> None:
    """Texts, ids, padded and dressed numbers, dates, truths; with blank and hidden rows between them."""
    expected: list[list[str | None]] = []
    places = []

    def fill(book: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["uid", "name"])
        at = 1
        for first, second, is_hidden, blank in rows:
            at += blank
            expected.append([write(book, sheet, (at, column), cell) for column, cell in enumerate((first, second))])
            if is_hidden:
                sheet.set_row(at, None, None, {"hidden": True})
            at += 1
            places.append(f"sheet row {at}")

    roster = open_workbook(workbook(tmp_path, ("S", fill), in_memory=True, constant_memory=not shared))
    (batch,) = roster.batches()
    rounded = batch.cells.get("rounded", {})
    none = [False] * len(rows)
    for column, name in enumerate(("uid", "name")):
        marks = [(first, second)[column][3] for first, second, *_ in rows]
        assert (list(rounded[name]) if name in rounded else none) == marks
        seen = [row[column] or "" for row in expected]
        for text, wanted, mark in zip(batch.frame[name], seen, marks, strict=True):
            assert is_as_seen(text, wanted, is_rounded=mark), (text, wanted)
    assert [roster.place(row) for row in range(1, len(rows) + 1)] == places
    assert batch.remarks.get("row.hidden", []) == [index for index, row in enumerate(rows) if row[2]]
