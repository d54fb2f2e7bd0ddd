"""Writes the sample rosters of this folder: `python samples/make_samples.py [-o FOLDER]`.

The people work for Lantern Ferries, which does not exist. Every choice is drawn from a hash of what is chosen
and for whom, so the files are the same with every version of Python.
"""

from __future__ import annotations

import argparse
import csv
import functools
import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import polars as pl
from make_people import write_mended, write_people

T = TypeVar("T")
Row = dict[str, Any]

PEOPLE: Final = 200
HR_PEOPLE: Final = 60
NIGHT_PEOPLE: Final = 40

# The first of the scripts: their names spell an e-mail address once the accents are gone.
LATIN_SCRIPTS: Final = 5
NOT_DECOMPOSED: Final = str.maketrans(
    {"ø": "o", "æ": "ae", "ð": "d", "þ": "th", "ł": "l", "đ": "d", "\u0131": "i", "ß": "ss"}
)

DEPARTMENTS: Final = {
    "Bridge": ("Captain", "Chief Mate", "Helmsman", "Lookout"),
    "Engine Room": ("Chief Engineer", "Second Engineer", "Motorman", "Electrician"),
    "Deck & Cargo": ("Boatswain", "Deckhand", "Loading Officer", "Lashing Crew"),
    "Ticketing": ("Ticket Agent", "Shift Lead", "Group Bookings", "Refunds"),
    "Catering": ("Head Chef", "Cook", "Barista", "Steward"),
    "People & Finance": ("Controller", "Payroll Clerk", "Recruiter", "Auditor"),
}
TAGS: Final = (
    "first aid",
    "night shift",
    "fire warden",
    "crane licence",
    "trainee",
    "union rep",
    "海上",
    "радіо",
)
STATUSES: Final = (
    *(None, None, None, None, "On board until six 🚢", "Back on Monday", "At the pier, berth 4"),
    'Ask me about the "Fog Signal"',
    "On leave.\nCover: the duty officer",
    "Split shift:\r\nsix to ten, four to eight",
)
PRONOUNS: Final = (None, "she/her", "he/him", "they/them")
LANGUAGES: Final = (None, ("en",), ("en", "nb"), ("fr", "nl", "en"), ("tr", "de"))
SHIFTS: Final = (("05:30", 8), ("13:30", 8), ("21:30", 10), ("08:00", 6))
ROLES: Final = (None, None, "default", "Default")
UIDS: Final = ("{:06}", "LF-{:05}", "crew-{}", "lf-{:05}-b")
TOKENS: Final = (None, None, None, True, False)
USERS: Final = pl.Schema(
    {
        **dict.fromkeys(("uid", "name", "avatar", "link", "role", "status_message"), pl.String()),
        "tags": pl.List(pl.String()),
        "metadata": pl.Struct(
            {
                "pronouns": pl.String(),
                "languages": pl.List(pl.String()),
                "shift": pl.Struct({"starts": pl.String(), "hours": pl.Int64()}),
                "desk": pl.Int64(),
                "note": pl.String(),
            }
        ),
        "metadata.department": pl.String(),
        "metadata.@private.email": pl.String(),
        "withAuthToken": pl.Boolean(),
    }
)
SPELLINGS: Final = {True: ("true", "yes", "1", "T"), False: ("no", "0", "f", "False")}


def draw(choices: Sequence[T], what: str, row: int) -> T:
    """Choose one for this row; the same one whenever it is asked."""
    digest = hashlib.blake2b(f"{what} {row}".encode(), digest_size=8).digest()
    return choices[int.from_bytes(digest) % len(choices)]


@functools.cache
def scripts() -> list[tuple[str, list[str], list[str]]]:
    """Read `names.txt`: how a name is put together, given names, family names, for each script."""
    text = (Path(__file__).parent / "names.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line]
    return [(lines[at], lines[at + 1].split(), lines[at + 2].split()) for at in range(0, len(lines), 3)]


def full_name(row: int) -> str:
    """Give each of the 200 rows a name of its own, the scripts in turn."""
    table = scripts()
    order, given, family = table[row % len(table)]
    turn = row // len(table) % len(given)
    return order.format(given=given[turn], family=family[(7 * turn + row) % len(family)])


def person(row: int) -> Row:
    """Make the person of a row, valid in every respect."""
    number = 400 + 7 * row
    starts, hours = draw(SHIFTS, "shift", row)
    metadata = {
        "pronouns": draw(PRONOUNS, "pronouns", row),
        "languages": draw(LANGUAGES, "languages", row),
        "shift": {"starts": starts, "hours": hours},
        "desk": draw((None, 100 + row), "desk", row),
    }
    return {
        "uid": draw(UIDS, "uid", row).format(number),
        "name": full_name(row),
        "avatar": draw((None, *3 * [f"https://cdn.example.com/avatars/{number:06}.jpg"]), "avatar", row),
        "link": draw((None, f"https://people.example.com/crew/{number}?lang=en&tab=rota"), "link", row),
        "role": draw(ROLES, "role", row),
        "status_message": draw(STATUSES, "status", row),
        "tags": some_tags(row) or None,
        "metadata": {key: value for key, value in metadata.items() if value is not None},
        "metadata.department": draw(tuple(DEPARTMENTS), "department", row),
        "metadata.@private.email": f"crew.{number:06}@example.com",
        "withAuthToken": draw(TOKENS, "token", row),
    }


def some_tags(row: int) -> list[str]:
    """Choose up to three tags, none twice."""
    count = draw((0, 1, 2, 3), "tags", row)
    return list(dict.fromkeys(draw(TAGS, f"tag {each}", row) for each in range(count)))


def long_url(length: int) -> str:
    """Make a signed URL of exactly `length` characters."""
    start = "https://cdn.example.com/avatars/original.jpg?signature="
    return start + (hashlib.sha256(start.encode()).hexdigest() * 50)[: length - len(start)]


def long_text(length: int) -> str:
    """Make a text of exactly `length` characters."""
    return ("Handover: lights checked, ramp greased, no remarks. " * 100)[: length - 1] + "."


# Row → what is special about a valid person: the edges of the rules, and text that is easily broken.
SPECIAL: Final[Mapping[int, Row]] = {
    3: {"name": "Zoë 🌻 Lindqvist", "status_message": "🏳️‍🌈 she/her · ask me anything"},
    9: {
        "name": "Bergen Terminal 🇳🇴",
        "status_message": "Shared account of the terminal 👨‍👩‍👧‍👦",
        "withAuthToken": False,
    },
    17: {"name": "Jose\u0301 Nu\u0301n\u0303ez", "status_message": "My accents are combining marks"},
    29: {
        "uid": "  LF-00603  ",
        "name": "\u00a0Moyo Àjọkẹ́ 👍🏽 ",
        "status_message": "  Blanks at both ends are cut off  ",
    },
    34: {"uid": "contractor-" + "0" * 89, "status_message": "100 characters, the longest uid there is"},
    47: {
        "name": "Dame " + "Wilhelmina-Alexandrina-" * 4 + "Xun",
        "status_message": "100 characters, the longest name",
    },
    55: {
        "tags": [f"certificate {number:02}" for number in range(1, 26)],
        "status_message": "25 tags, all allowed",
    },
    68: {
        "tags": ["night; deep water", "crane, 40 t"],
        "status_message": "Tags that hold separators, as a JSON array",
    },
    82: {
        "link": "HTTPS://people.example.com/crew/974?q=a%20b#rota",
        "status_message": "A scheme in capitals will do",
    },
    97: {"status_message": 'Quoted: "Fog", she said,\n"is only weather."'},
}

# Row → what makes it break the rules. With `AS_TEXT` each rule is broken once.
DEFECTIVE: Final[Mapping[int, Row]] = {
    12: {"uid": None},
    25: {"name": None},
    38: {"uid": "galina.kovalchuk@example.com", "name": "Галина Ковальчук"},
    51: {"uid": "subcontractor-" + "0" * 87},
    64: {"name": "Moyo Àjọkẹ́", "uid": " lf-00603\t"},
    77: {"name": "Dame " + "Wilhelmina-Alexandrina-" * 4 + "Xuan"},
    90: {"avatar": long_url(3001)},
    103: {"avatar": "avatars/001121.jpg"},
    116: {"link": long_url(3001)},
    129: {"link": "people.example.com/crew/1303"},
    142: {"role": "shift lead"},
    155: {"tags": [f"certificate {number:02}" for number in range(1, 27)]},
    168: {"tags": ["everything that was ever said about the crane licence of " * 2]},
    181: {"metadata": {"note": long_text(5200)}},
    194: {"avatar": long_url(3000), "link": long_url(3000), "metadata": {"note": long_text(4600)}},
}

# Row → cells of the CSV that no Parquet type can hold. Such a row breaks another rule as well, so that it is
# rejected from both files, and by the same first code.
AS_TEXT: Final[Mapping[int, Row]] = {
    25: {"metadata": '{"pronouns": "they/them"'},
    38: {"tags": '["first aid", "trainee"', "withAuthToken": "later"},
}


def people() -> list[Row]:
    """Make all 200, row 1 first."""
    changes = {**SPECIAL, **DEFECTIVE}
    return [person(row) | changes.get(row, {}) for row in range(1, PEOPLE + 1)]


def compact(value: object) -> str:
    """Write JSON as it will be sent."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def as_cells(row: int, who: Row) -> Row:
    """Give the same row as text, in the spellings that rosters come with."""
    tags, token = who["tags"] or [], who["withAuthToken"]
    # A tag that holds the separator can only be told in JSON.
    in_json = row % 10 == 0 or any(";" in tag for tag in tags)
    return {
        **who,
        "tags": compact(tags) if tags and in_json else ";".join(tags),
        "metadata": compact(who["metadata"]),
        "withAuthToken": None if token is None else draw(SPELLINGS[token], "spelling", row),
        **AS_TEXT.get(row, {}),
    }


def hr_row(row: int) -> Row:
    """Give a row as a personnel system exports it: names of its own, and more than was asked for."""
    table = scripts()[:LATIN_SCRIPTS]
    turn, script = divmod(row, len(table))
    _, given, family = table[script]
    first = given[(turn + 3) % len(given)]
    last = family[(8 * turn + turn // len(given) + script) % len(family)] if row != 42 else ""
    number = f"{7000 + 13 * row:06}"
    department = draw(tuple(DEPARTMENTS), "hr department", row)
    groups = dict.fromkeys(draw(TAGS, f"hr group {each}", row) for each in range(draw((0, 1, 2, 3), "groups", row)))
    return {
        "employee_id": number,
        "first_name": first,
        "last_name": last,
        "work_email": f"{mailbox(first, last)}@example.com",
        "dept": department,
        "job_title": draw(DEPARTMENTS[department], "job title", row),
        "photo_url": draw(("", f"https://cdn.example.com/photos/{number}.jpg"), "photo", row),
        "groups": ", ".join(groups),
        "active": draw(("Y", "Y", "Y", "N"), "active", row),
        "hired_on": f"20{draw(range(10, 25), 'year', row)}-{row % 12 + 1:02}-{draw((1, 15), 'day', row):02}",
        "manager_id": f"{7000 + 13 * (1 + row % 6):06}",
    }


def night_row(row: int, **changed: str) -> Row:
    """Give a member of the crew as the export of a night has it."""
    department = draw(tuple(DEPARTMENTS), "department", row)
    return {"uid": f"crew-{row:03}", "name": full_name(row), "metadata.department": department, **changed}


def nights() -> dict[str, list[Row]]:
    """Give the exports of five nights: two good ones, one cut short, one without a department, one mended."""
    monday = {row: night_row(row) for row in range(1, NIGHT_PEOPLE + 1)}
    tuesday = {row: who for row, who in monday.items() if row not in (39, 40)}
    tuesday |= {7: night_row(7, name="Solveig Nyborg"), 41: night_row(41), 42: night_row(42)}
    tuesday[12] = night_row(12, **{"metadata.department": "Ticketing"})
    thursday = {row: who for row, who in tuesday.items() if not 20 <= row <= 31}
    friday = {**thursday, 25: tuesday[25], 43: night_row(43, uid="crew 043")}
    cut = dict(list(tuesday.items())[: len(tuesday) // 2])
    named = {"monday": monday, "tuesday": tuesday, "wednesday": cut, "thursday": thursday, "friday": friday}
    return {night: [rows[row] for row in sorted(rows)] for night, rows in named.items()}


def mailbox(*names: str) -> str:
    """Spell names in ASCII, as mail administrators do."""
    text = ".".join(filter(None, names)).lower().translate(NOT_DECOMPOSED)
    letters = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in letters if letter.isascii() and (letter.isalnum() or letter in ".-"))


def write_csv(path: Path, rows: Sequence[Row], *, encoding: str, line_end: str) -> None:
    """Write rows of one shape, quoting what needs it."""
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator=line_end)
        writer.writeheader()
        writer.writerows(rows)


def write_samples(folder: Path) -> None:
    """Write users.csv, users.parquet, hr_export.csv, the exports of five nights and people.xlsx to `folder`."""
    everyone = people()
    cells = [as_cells(row, who) for row, who in enumerate(everyone, start=1)]
    write_csv(folder / "users.csv", cells, encoding="utf-8", line_end="\n")
    pl.DataFrame(everyone, schema=USERS).write_parquet(folder / "users.parquet")
    export = [hr_row(row) for row in range(1, HR_PEOPLE + 1)]
    # A byte order mark and Windows line ends: what such exports really look like.
    write_csv(folder / "hr_export.csv", export, encoding="utf-8-sig", line_end="\r\n")
    (folder / "nights").mkdir(exist_ok=True)
    for night, rows in nights().items():
        write_csv(folder / "nights" / f"{night}.csv", rows, encoding="utf-8", line_end="\n")
    write_people(folder / "people.xlsx")
    write_mended(folder / "people.mended.xlsx")


def main() -> None:
    """Write the samples over those in this folder, or to another one."""
    parser = argparse.ArgumentParser(description="Write the sample rosters.")
    parser.add_argument("-o", "--output", type=Path, default=Path(__file__).parent, metavar="FOLDER")
    write_samples(parser.parse_args().output)


if __name__ == "__main__":
    main()
