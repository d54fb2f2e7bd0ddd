"""Workbooks for tests: by a library that writes them, and by hand where a library cannot write what people have."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import xlsxwriter  # type: ignore[import-untyped]

Fill = Callable[[Any, Any], None]

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
STRICT = "http://purl.oclc.org/ooxml/spreadsheetml/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"


def workbook(folder: Path, *sheets: tuple[str, Fill], name: str = "r.xlsx", **options: Any) -> Path:
    """Write a workbook with xlsxwriter; each sheet is filled by a function of the book and the sheet."""
    path = folder / name
    with xlsxwriter.Workbook(path, options) as book:
        for title, fill in sheets:
            fill(book, book.add_worksheet(title))
    return path


def table(*lines: Sequence[Any]) -> Fill:
    """Fill a sheet from its top left cell; None is no cell."""

    def fill(_: Any, sheet: Any) -> None:
        for number, line in enumerate(lines):
            sheet.write_row(number, 0, line)

    return fill


def texts(*lines: Sequence[str | None]) -> Fill:
    """Fill a sheet from its top left cell with texts, whatever they look like; None is no cell."""

    def fill(_: Any, sheet: Any) -> None:
        for number, line in enumerate(lines):
            for place, cell in enumerate(line):
                if cell is not None:
                    sheet.write_string(number, place, cell)

    return fill


def text(value: str, reference: str = "") -> str:
    """Write a cell that holds a text."""
    place = f' r="{reference}"' if reference else ""
    return f'<c{place} t="inlineStr"><is><t xml:space="preserve">{value}</t></is></c>'


def by_hand(
    folder: Path,
    *rows: str,
    behind: str = "",
    styles: str = "",
    texts: str | None = None,
    book: str = "",
    namespace: str = MAIN,
    declared: str = "",
    parts: Mapping[str, str] | None = None,
) -> Path:
    """Write a workbook of one sheet, `People`, whose XML is given.

    rows      what stands in `sheetData`
    behind    what comes after it
    styles    what stands in `styleSheet`
    texts     what stands in `sst`
    book      attributes of `workbookPr`
    declared  what stands before the root of the sheet
    parts     other parts of the archive, which replace those made here
    """
    sheet = f'{declared}<worksheet xmlns="{namespace}"><sheetData>{"".join(rows)}</sheetData>{behind}</worksheet>'
    related = [("worksheet", "worksheets/sheet1.xml"), ("styles", "styles.xml")]
    whole = {
        "_rels/.rels": _relations([("officeDocument", "xl/workbook.xml")]),
        "xl/workbook.xml": f'<workbook xmlns="{namespace}" xmlns:r="{_OFFICE}"><workbookPr {book}/><sheets>'
        '<sheet name="People" sheetId="1" r:id="r1"/></sheets></workbook>',
        "xl/worksheets/sheet1.xml": sheet,
        "xl/styles.xml": f'<styleSheet xmlns="{namespace}">{styles}</styleSheet>',
    }
    if texts is not None:
        related.append(("sharedStrings", "sharedStrings.xml"))
        whole["xl/sharedStrings.xml"] = f'<sst xmlns="{namespace}">{texts}</sst>'
    whole["xl/_rels/workbook.xml.rels"] = _relations(related)
    path = folder / "r.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**whole, **(parts or {})}.items():
            archive.writestr(name, content)
    return path


def edited(path: Path, cells: Mapping[str, str]) -> None:
    """Have a person mend texts of a sheet that was written row by row: what stands there → what comes instead."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"].decode()
    for before, after in cells.items():
        assert f">{before}</t>" in sheet, before
        sheet = sheet.replace(f">{before}</t>", f">{after}</t>")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else content)


@dataclass(frozen=True, slots=True)
class Seen:
    """What stands in the cells of a sheet beyond their text, by the name of the cell.

    filled    the cells of a colour
    comments  what is said of them
    """

    filled: frozenset[str]
    comments: Mapping[str, str]


def seen_in(path: Path) -> Seen:
    """Read fills and comments of the first sheet, by the parts of the file alone."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: ET.fromstring(archive.read(name)) for name in archive.namelist() if "xml" in name}
    within = {"m": MAIN}
    filled = [fill.find("m:patternFill/m:fgColor", within) is not None for fill in _all(parts, "styles", "fills/*")]
    styles = [filled[int(each.get("fillId", "0"))] for each in _all(parts, "styles", "cellXfs/*")]
    cells = parts["xl/worksheets/sheet1.xml"].iterfind(".//m:c", within)
    coloured = frozenset(cell.get("r", "") for cell in cells if styles[int(cell.get("s", "0"))])
    comments = {
        each.get("ref", ""): "".join(each.itertext())
        for name in parts
        if name.startswith("xl/comments")
        for each in parts[name].iterfind(".//m:comment", within)
    }
    return Seen(coloured, comments)


def _all(parts: Mapping[str, ET.Element], part: str, path: str) -> list[ET.Element]:
    folder, _, every = path.partition("/")
    return parts[f"xl/{part}.xml"].findall(f"m:{folder}/{every}", {"m": MAIN})


def _relations(targets: Sequence[tuple[str, str]]) -> str:
    each = "".join(
        f'<Relationship Id="r{number}" Type="{_OFFICE}/{kind}" Target="{target}"/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'<Relationships xmlns="{_PACKAGE}">{each}</Relationships>'
