"""How a file is to be read: encoding, delimiter, sheet and header row, found by what its columns are called.

The reader finds most of it by itself, once it knows what a header looks like: `missing_from`. Where it cannot, the ways
to read the file are tried one by one, and the one is taken in which the most columns are known; of encodings that
know as many, the one in which the cells read best, and none where that cannot be told.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from provisioner.errors import EmptyRosterError, RosterError
from provisioner.inspection.proposal.evidence import Evidence, gather
from provisioner.roster.columns import outlined
from provisioner.roster.csv.file import CsvRoster
from provisioner.roster.csv.header import LINES_SEARCHED
from provisioner.roster.encodings.alphabets import COMMONEST, Reading, differing, is_ordinary, likely, rivals
from provisioner.roster.encodings.readings import UndecodedError, wide_encoding
from provisioner.roster.files.inputs import TEXTS, Inputs, Location
from provisioner.roster.formats.rows import ANOTHER_HEADER, OTHER_SHEETS, Roster
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.roster.workbook.file import WorkbookRoster
from provisioner.roster.workbook.package import open_package
from provisioner.roster.wrapped import maybe_partial
from provisioner.validation.vocabulary.recognition import missing_from, recognise_all
from provisioner.wording import listed, shortened

_BY_HEADER: Final = ("cp1252", "cp932", "euc_jp", "gb18030", "cp1251", "mac_roman")
"""What is tried as well where a text is not UTF-8: columns that are known say more than how the cells read."""
_MOST: Final = 4
_WIDE: Final = ("utf-16-le", "utf-16-be")
_RARE_DELIMITERS: Final = ("^", "~", ":", "!")
_CHUNK: Final = 1024 * 1024
_TRIED: Final = 50  # rows that are enough to see whether a line is the header


@dataclass(frozen=True, slots=True)
class Opened:
    """A roster that can be read, how, and what is in it.

    options  how it was opened
    tried    what the reader did not find by itself: name of a setting of `[run]` → its value
    notices  what is to be known of how it was read
    columns  the names of its columns
    sheet    the one that is read where others have people too; null where there are none
    rival    the encoding that is the likeliest but for the one that was found; null where there is none
    is_tied  whether that one is as likely, and only less common
    cell     the first by which the encoding was found
    """

    options: RosterOptions
    evidence: Evidence
    tried: dict[str, str | int]
    notices: tuple[str, ...]
    columns: tuple[str, ...]
    sheet: str | None = None
    rival: str | None = None
    is_tied: bool = False
    cell: str = ""


def open_unknown(inputs: Inputs, given: RosterOptions, folder: Path) -> Opened:
    """Open a roster of which nothing is known, and read its first rows. Raises RosterError for what cannot be read.

    given   what a person has said of it
    folder  where that is kept which can be read only once
    """
    given = replace(given, missing=missing_from)
    found: list[Opened] = []
    trouble: RosterError | None = None
    encodings = _encodings(inputs, given)
    for encoding in encodings:
        try:
            found.append(_opened(inputs, replace(given, encoding=encoding), given, folder))
        except EmptyRosterError:
            raise
        except RosterError as error:
            trouble = trouble or error
    if trouble is not None and not found:
        raise trouble
    most = max(_known(each.columns) for each in found)
    return _clear(inputs, [each for each in found if _known(each.columns) == most], encodings)


def _clear(inputs: Inputs, found: Sequence[Opened], encodings: Mapping[str | None, Reading | None]) -> Opened:
    """Give the likeliest. Raises RosterError where others are as likely by the cells, and it does not read as usual."""
    by_reading = {reading: each for each in found if (reading := encodings[each.options.encoding]) is not None}
    if encodings[found[0].options.encoding] is None:
        return found[0]
    best, *others = by_reading
    best, tied = rivals(best, others)
    if tied and not is_ordinary(best):
        common = [each for each in others if each.encoding == COMMONEST and each not in (best, *tied)]
        ways = [best, *tied, *common]
        shown = zip(differing(ways), ways, strict=True)
        reads = ", ".join(f"{shortened(_spaced(cell))} in {each.encoding}" for cell, each in shown)
        what = f"the text is not UTF-8, and which of several encodings it is in cannot be told: it reads {reads}"
        raise RosterError(f"{listed(inputs.names, 3)}: {what}; name the one that reads right with --encoding")
    rival = next(iter(tied or others), None)
    named = rival.encoding if rival else None
    return replace(by_reading[best], rival=named, is_tied=bool(tied), cell=best.cells[0])


def _spaced(cell: str) -> str:
    return cell.replace("\u00a0", " ")


def _opened(inputs: Inputs, options: RosterOptions, given: RosterOptions, folder: Path) -> Opened:
    options, roster = _best_way(inputs, options, folder)
    with closing(roster):
        below = _names_again(inputs, options, folder, roster)
        if below is None:
            return _looked_at(roster, options, given)
    with closing(open_roster(inputs, below, folder)) as roster:
        return _looked_at(roster, below, given)


def _looked_at(roster: Roster, options: RosterOptions, given: RosterOptions) -> Opened:
    _refuse_cells(roster)
    evidence = gather(roster)
    names = ("encoding", "delimiter", "sheet", "header_row")
    tried = {name: value for name in names if (value := getattr(options, name)) != getattr(given, name)}
    if tried.get("header_row") == 1:  # that is where it is looked for
        del tried["header_row"]
    found = maybe_partial(roster).notices()
    # A second header may lack what the first one has: it is no better for that.
    told = (each for each in found if given.header_row is not None or each.code != ANOTHER_HEADER)
    notices = tuple(notice.message for notice in told)
    return Opened(options, evidence, tried, notices, tuple(roster.columns), _sheet_of_several(roster))


def _sheet_of_several(roster: Roster) -> str | None:
    """Name the sheet that is read where others have people too; null where files have it under several names."""
    read = roster.sheets.read
    return next(iter(read)) if len(read) == 1 and any(each.code == OTHER_SHEETS for each in roster.notices()) else None


def _refuse_cells(roster: Roster) -> None:
    """Tell a roster without a header by its first line. Raises RosterError."""
    cells = [name for name in roster.columns if _is_address(name)]
    if cells and _known(roster.columns) <= len(cells):
        what = f"its first line looks like a row of data ({shortened(cells[0])}), not like the names of columns"
        raise RosterError(f"{roster.name}: {what}; put a line with the names above it, such as uid,name")


def _encodings(inputs: Inputs, given: RosterOptions) -> Mapping[str | None, Reading | None]:
    """Give the encodings a text may be in, the likeliest first, and how it reads in those that are likely by that.

    UTF-8 alone when that is what it is, or when nobody can look before.
    """
    file = inputs.files[0]
    plain = file.location is Location.FILE and file.family in TEXTS and not file.compression
    if given.encoding is not None or not plain or len(inputs.files) > 1:
        return {given.encoding: None}
    try:
        start = _not_utf8(Path(file.where))
    except OSError:
        start = None
    if start is None:
        return {None: None}
    if b"\0" in start:
        return dict.fromkeys((wide_encoding(start), *_WIDE))
    by_cells: dict[str | None, Reading | None] = {each.encoding: each for each in likely(start)[:_MOST]}
    return by_cells | {name: None for name in _BY_HEADER if name not in by_cells}


def _not_utf8(path: Path) -> bytes | None:
    """Give the lines of a text from the first that is no UTF-8, or its start where that holds zeros.

    None where it is UTF-8, or a mark says what it is. Raises OSError.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        start = chunk = file.read(_CHUNK)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return None
        if b"\0" in start[:1000]:
            return start
        while chunk:
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                read = bytes(error.object)
                return read[read.rfind(b"\n", 0, error.start) + 1 :] + file.read(_CHUNK) + file.readline(_CHUNK)
            chunk = file.read(_CHUNK)
    return None


def _best_way(inputs: Inputs, options: RosterOptions, folder: Path) -> tuple[RosterOptions, Roster]:
    """Find how the most columns are known, and open it so: as the reader finds it, if that is a header, or by trying.

    A workbook is read whole to be opened.
    """
    refused: RosterError | None = None
    score = (0, 0)
    try:
        roster = open_roster(inputs, options, folder)
    except (EmptyRosterError, UndecodedError):  # in whatever way it is read
        raise
    except RosterError as error:
        refused = error
    else:
        if not missing_from(roster.columns):
            return options, roster
        score = _score(roster)
        roster.close()
    best = options
    for way in _ways(inputs, options):
        with suppress(RosterError), closing(open_roster(inputs, replace(way, limit=_TRIED), folder)) as roster:
            if (found := _score(roster)) > score and _can_be_meant(roster, way, found):
                best, score, refused = way, found, None
    if refused is not None:
        raise refused
    return best, open_roster(inputs, best, folder)


def _can_be_meant(roster: Roster, way: RosterOptions, score: tuple[int, int]) -> bool:
    """Whether a way of reading is more than a coincidence: something is known, or several names stand side by side."""
    if score[0]:
        return score[0] > sum(map(_is_address, roster.columns))
    return way.delimiter not in _RARE_DELIMITERS and score[1] > 1 and not any(map(_is_cell, roster.columns))


def _ways(inputs: Inputs, options: RosterOptions) -> Iterator[RosterOptions]:
    """Give the ways in which a file may be meant; none for a roster of several, or one that can be read only once."""
    file = inputs.files[0]
    if len(inputs.files) > 1 or file.location is not Location.FILE:
        return
    sheets: Sequence[str | None] = [options.sheet]
    if file.family == "workbook" and options.sheet is None:
        sheets = _sheets(Path(file.where))
    delimiters: Sequence[str | None] = [options.delimiter]
    if file.family == "csv" and options.delimiter is None:
        delimiters = [None, *_RARE_DELIMITERS]
    headers = range(1, LINES_SEARCHED + 1) if file.family in {"csv", "tsv", "workbook"} else ()
    for sheet in sheets:
        for delimiter in delimiters:
            for row in headers if options.header_row is None else [options.header_row]:
                yield replace(options, sheet=sheet, delimiter=delimiter, header_row=row)


def _sheets(path: Path) -> list[str | None]:
    try:
        with open_package(path) as package:
            return [sheet.name for sheet in package.sheets if sheet.is_table and not sheet.is_hidden]
    except (RosterError, OSError):
        return []


def _score(roster: Roster) -> tuple[int, int]:
    """Say how much a roster looks as if its header were one: columns that are known, then columns with a name.

    What looks like a cell (a number, an address) is no name.
    """
    named = [name for name in roster.columns if not name.startswith("_")]
    cells = sum(map(_is_cell, named))
    return _known(named), len(named) - 3 * cells


def _is_cell(name: str) -> bool:
    """Whether what should be the name of a column is more like what stands below it: an address, or a number."""
    return _is_address(name) or re.fullmatch(r"[\d\s.,/:+-]*\d[\d\s.,/:+-]*", name.strip()) is not None


def _is_address(name: str) -> bool:
    return re.fullmatch(r"[^\s@]+@[^\s@]+\.\w+|https?://\S*", name.strip()) is not None


def _known(names: Sequence[str]) -> int:
    return sum(1 for known in recognise_all(names).values() if known is not None)


def _header_line(roster: Roster) -> int | None:
    """Give the number of the header's row or line; None for a file that has none."""
    match roster:
        case WorkbookRoster():
            return roster.header_row
        case CsvRoster():
            return roster.header.line
    return None


def _names_again(inputs: Inputs, options: RosterOptions, folder: Path, roster: Roster) -> RosterOptions | None:
    """Look for a second header: below the names for programs some exports have one for people, which is no person."""
    line = _header_line(roster)
    first = next(iter(roster.batches()), None) if line is not None else None
    if line is None or first is None or not first.frame.height:
        return None
    cells = [str(cell or "") for cell in outlined(first.frame.head(1), first.frame.columns).row(0)]
    if _known(cells) < max(2, _known(roster.columns) // 2):
        return None
    for row in range(line + 1, line + 3):
        below = replace(options, header_row=row)
        with suppress(RosterError), closing(open_roster(inputs, below, folder)) as again:
            if all(cell in {"", name} for cell, name in zip(cells, again.columns, strict=False)):
                return below
    return None
