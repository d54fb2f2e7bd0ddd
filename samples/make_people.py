"""The sheet of a personnel office that `docs/import.md` imports, and its rejected rows as somebody has mended them.

A title, a heading of two rows with merged cells, numbers that only their format shows in full, and fourteen rows
that no user can be made of.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import xlsxwriter

STAFF: Final = 62
HEADING: Final = (
    *("Personal-Nr.", "Anrede", "Nachname", "Vorname", "E-Mail"),
    *("Telefon", "Foto", "Abteilung", "Standort", "Eintritt"),
)
MERGED: Final = {(0, 0): "Personal-Nr.", (1, 1): "Anrede", (2, 3): "Name", (4, 6): "Kontakt"}
GIVEN: Final = (
    *("Jürgen", "Zoë", "Björn", "Käthe", "Günther", "Änne", "Sören", "Özlem", "Uwe", "Renée", "Jörg", "Anna-Lena"),
    *("Karl-Heinz", "Bärbel", "Götz", "Wiebke", "Torsten", "Silke", "Volker", "Kübra", "Ingo", "Frauke", "Detlef"),
)
FAMILY: Final = (
    *("Müller", "Groß", "von der Heyde", "Özdemir", "Schäfer", "Weiß", "Krüger", "Böhm", "Jäger", "Strauß", "Köhler"),
    *("Freiherr zu Knyphausen", "Lütjens", "Straßburger", "Bührle", "Hörmann", "Vogt"),
)
TEAMS: Final = ("Brücke", "Maschine", "Service", "Verwaltung")
SITES: Final = ("Kiel", "Lübeck", "Büsum")
FIRST_NUMBER: Final = 17
FIRST_ROW: Final = 4  # below a title, a blank row and the heading, counted from 0
ASCII: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ë": "e", "é": "e", " ": "-"})

# Row → what stands in some of its cells. Rows 39 and 56 are there twice: as another person's number, and as a whole.
DEFECTS: Final[Mapping[int, Mapping[str, Any]]] = {
    **{row: {"Personal-Nr.": None} for row in (4, 21, 42)},
    8: {"Personal-Nr.": "neu (folgt)"},
    16: {"Personal-Nr.": "17/2"},
    34: {"Personal-Nr.": "extern?"},
    **{row: {"Nachname": None, "Vorname": None} for row in (12, 49)},
    26: {"Nachname": f"Freifrau {'von und zu ' * 10}Ostholstein"},
    10: {"Foto": "foto.jpg"},
    31: {"Foto": "siehe Intranet"},
    53: {"Foto": "S:\\Fotos\\53.jpg"},
    39: {"Personal-Nr.": FIRST_NUMBER + 3 * 12},
}
TWICE: Final = {56: 22}

# Row → what the office writes instead. Row 56 is deleted: it is the same person.
MENDED: Final[Mapping[int, Mapping[str, str]]] = {
    4: {"Personal-Nr.": "00801"},
    21: {"Personal-Nr.": "00802"},
    42: {"Personal-Nr.": "00803"},
    8: {"Personal-Nr.": "00804"},
    16: {"Personal-Nr.": "00805"},
    34: {"Personal-Nr.": "00806"},
    12: {"Nachname": "Petersen", "Vorname": "Maike"},
    49: {"Nachname": "Thomsen", "Vorname": "Ole"},
    26: {"Nachname": "Freifrau von Ostholstein"},
    10: {"Foto": ""},
    31: {"Foto": ""},
    53: {"Foto": ""},
    39: {"Personal-Nr.": "00807"},
}


def member(row: int) -> dict[str, Any]:
    """Give a row of the sheet by the names of its columns, as the office has it."""
    turn = row - 1
    given, family = GIVEN[turn % len(GIVEN)], FAMILY[turn * 7 % len(FAMILY)]
    number = FIRST_NUMBER + 3 * turn
    person = {
        "Personal-Nr.": number,
        "Anrede": "Herr" if turn % 2 else "Frau",
        "Nachname": family,
        "Vorname": given,
        "E-Mail": f"{given}.{family}@example.com".lower().translate(ASCII),
        "Telefon": f"0431 / 55 {100 + turn}",
        "Foto": f"https://cdn.example.com/fotos/{number:05}.jpg" if turn % 3 else None,
        "Abteilung": TEAMS[turn % len(TEAMS)],
        "Standort": SITES[turn % len(SITES)],
        "Eintritt": date(2010, 1, 15) + timedelta(days=83 * turn),
    }
    return member(TWICE[row]) if row in TWICE else {**person, **DEFECTS.get(row, {})}


def write_people(path: Path) -> None:
    """Write the sheet."""
    with _book(path) as book:
        sheet = book.add_worksheet("Stammdaten")
        book.add_worksheet("Legende").write(0, 0, "Stand: 27. November")
        title, head = book.add_format({"bold": True, "font_size": 14}), book.add_format({"bold": True, "border": 1})
        number, day = book.add_format({"num_format": "00000"}), book.add_format({"num_format": "dd.mm.yyyy"})
        sheet.merge_range(0, 0, 0, len(HEADING) - 1, "Lantern Ferries, Niederlassung Kiel: Personalliste", title)
        for column, name in enumerate(HEADING):
            group = next((span for span in MERGED if span[0] <= column <= span[1]), (column, column))
            if group[0] == group[1]:
                sheet.merge_range(2, column, 3, column, name, head)
                continue
            sheet.write(3, column, name, head)
            if column == group[0]:
                sheet.merge_range(2, column, 2, group[1], MERGED[group], head)
        for row in range(1, STAFF + 1):
            for column, value in enumerate(member(row).values()):
                place = (FIRST_ROW + row - 1, column)
                if isinstance(value, date):
                    sheet.write_datetime(*place, datetime(value.year, value.month, value.day), day)  # noqa: DTZ001
                elif isinstance(value, int):
                    sheet.write_number(*place, value, number)
                elif value is not None:
                    sheet.write_string(*place, value)


def write_mended(path: Path) -> None:
    """Write the rejected rows as they are once they are mended: text in every cell, as they came back."""
    with _book(path) as book:
        sheet = book.add_worksheet("rejected")
        sheet.write_row(0, 0, [*HEADING, "_row", "_errors"])
        for at, row in enumerate(sorted(MENDED), start=1):
            cells = {**member(row), **MENDED[row]}
            number = cells["Personal-Nr."]
            cells["Personal-Nr."] = f"{number:05}" if isinstance(number, int) else number
            for column, value in enumerate([*cells.values(), row]):
                if value not in {None, ""}:
                    sheet.write_string(at, column, str(value))


def _book(path: Path) -> Any:
    """Begin a workbook that is the same whenever it is written."""
    book = xlsxwriter.Workbook(path)
    book.set_properties({"created": datetime(2026, 1, 1)})  # noqa: DTZ001
    return book
