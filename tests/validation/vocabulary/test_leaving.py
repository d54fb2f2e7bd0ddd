"""Whether somebody is deactivated: words, days and times, each with its other side."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.validation.vocabulary.leaving import (
    FALSE,
    TRUE,
    as_meant,
    deactivated,
    says_gone_of,
    source_of,
    unread,
    wants_token,
)

NOW = datetime(2026, 12, 1, 9, 30, tzinfo=UTC)
AWARE = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001 - the zone is drawn
    datetime(2200, 1, 1),  # noqa: DTZ001 - likewise
    timezones=st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)


def told(*cells: str | None, now: datetime = NOW) -> list[bool | None]:
    frame = pl.DataFrame({"cell": cells}, schema={"cell": pl.String})
    return frame.select(gone=deactivated(pl.col("cell"), now.timestamp()))["gone"].to_list()


def test_a_word_says_it_in_any_case() -> None:
    """Those of any boolean; an empty cell is nobody who has left."""
    assert told(*TRUE, *map(str.upper, TRUE)) == [True] * 10
    assert told(*FALSE, *map(str.upper, FALSE), None) == [False] * 11


@pytest.mark.parametrize(
    ("cell", "gone"),
    [
        ("2026-12-01", True),
        ("2026-12-02", False),
        ("1999-12-31", True),
        ("2026-12-01T09:30", True),
        ("2026-12-01 09:30:01", False),
        ("2026-12-01T09:30:00.000000000", True),
        ("2026-12-01T11:30+02:00", True),
        ("2026-12-01T11:29+01:00", False),
        ("2026-12-01t04:30:00-0500", True),
        ("2026-12-01 09:30:01Z", False),
        ("2028-02-29", False),
        ("01.12.2026", True),
        ("02.12.2026", False),
        ("1.2.2026", True),
        ("2.12.2026", False),
        ("01.12.2026 09:30", True),
        ("1.12.2026 09:30:01", False),
        ("1.12.2026T11:29+01:00", False),
        ("infinity", False),
        ("-Infinity", True),
        ("+10000-01-01T08:59:59+09:00", False),
        ("+262071-03-02", False),
        ("2026-12-01T09:30:00-00:00:01", False),
        ("2026-12-01T09:30:00+00:00:01", True),
        ("1900-01-01T05:21:10+05:21:10", True),
    ],
)
def test_a_day_counts_from_its_beginning_and_a_time_from_then_on(cell: str, gone: bool) -> None:
    """By UTC, unless the cell names another zone."""
    assert told(cell) == [gone]


@pytest.mark.parametrize(
    "cell",
    [
        "maybe", "2", "2026-02-30", "2026-13-01", "2026-12-01T24:00", "2026-12-01T09:60", "2026-12-01T09:30:60",
        "2026-12-01T09:30+24:00", "2026-12-01T", "20261201", "12/01/2026", "2026-12-01Z", "0000-00-00",
        "2026-12-1", "-2026-12-01", "46357", "30.02.2026", "12.31.2026", "1.12.26", "2026.12.01", "1.12.2026T",
        "1..2026", "001.12.2026", "1.12.2026.", "1/12/2026", "1-12-2026", "0.12.2026",
        "+2026-12-01", "+10000", "2026-12-01T09:30+01:00:60",
    ],
)  # fmt: skip
def test_anything_else_is_neither(cell: str) -> None:
    """It is a defect, never guessed: no day that the calendar lacks, no order of day and month."""
    assert told(cell) == [None]


@given(AWARE, AWARE)
def test_python_tells_the_same_of_any_moment(left: datetime, now: datetime) -> None:
    """To the second, in any zone."""
    left = left.replace(microsecond=0)
    assert told(left.isoformat(), now=now) == [left <= now]


def test_words_that_mean_the_same_are_one_and_others_are_themselves() -> None:
    """So rows are compared: a word that means nothing is like no other, in whatever case."""
    frame = pl.DataFrame({"text": ["yes", "TRUE", None, "no", "F", "Maybe", "maybe", "perhaps"]})
    text = pl.col("text")
    assert frame.select(wants_token(text)).to_series().to_list() == [True, True, True, False, False, None, None, None]
    meant = frame.select(as_meant(text, deactivated(text, 0))).to_series().to_list()
    assert meant == ["true", "true", "false", "false", "false", "maybe", "maybe", "perhaps"]


def proposed(column: str, *cells: str) -> object:
    return source_of(column, [*dict.fromkeys(cells)], unread(pl.Series(cells)))


@pytest.mark.parametrize(
    ("column", "yes", "no"),
    [
        ("Active", "Y", "No"), ("Actif", "Oui", "Non"), ("Aktiv", "Ja", "Nein"), ("Activo", "S\u00ed", "No"),
        ("Attivo", "S\u00ec", "No"), ("Ativo", "Sim", "N\u00e3o"), ("Actief", "Ja", "Nee"),
        ("\u6709\u52b9", "\u306f\u3044", "\u3044\u3044\u3048"), ("Aktiv", "WAHR", "FALSCH"),
        ("Actif", "VRAI", "FAUX"), ("Attivo", "VERO", "FALSO"), ("Activo", "VERDADERO", "FALSO"),
        ("Actief", "WAAR", "ONWAAR"), ("Enabled", "enabled", "disabled"), ("Actif", "Actif", "Parti"),
    ],
)  # fmt: skip
def test_the_words_of_a_language_are_mapped_in_the_sense_of_the_column(column: str, yes: str, no: str) -> None:
    """Yes to who is active is no to who has left."""
    assert proposed(column, yes, no) == {"column": column, "map": {yes: False, no: True}}


@pytest.mark.parametrize(("yes", "no"), [("Ja", "Nein"), ("WAHR", "FALSCH"), ("Oui", "Non"), ("X", "-")])
def test_the_words_of_a_language_say_who_has_left_as_well(yes: str, no: str) -> None:
    """Of somebody who is blocked, yes is yes; no other word is needed for that."""
    assert proposed("Gesperrt", yes, no) == {"column": "Gesperrt", "map": {yes: True, no: False}}
    assert proposed("Gesperrt", no) == {"column": "Gesperrt", "map": {no: False}}


@pytest.mark.parametrize(
    ("column", "active", "gone"),
    [
        ("ステータス", "有効", ["無効", "退職済"]),
        ("在职状态", "在职", ["已离职", "离职"]),
        ("Status", "Aktiv", ["Nicht aktiv", "nicht mehr aktiv", "Inaktiv"]),
        ("stato", "Attivo", ["Non attivo", "Inattivo"]),
        ("status", "Actief", ["Niet actief", "Niet meer in dienst"]),
        ("statut", "Actif", ["Non actif", "plus actif"]),
        ("estado", "Activo", ["No activo", "De baja", "Baja", "Dado de baja", "Cesante"]),
        ("estado", "Baja médica", ["Baja definitiva"]),
        ("situação", "Ativo", ["Não ativo", "Rescindido"]),
        ("employment status", "Active", ["Left the company", "No longer employed", "Not currently active", "Quit"]),
        ("الحالة", "نشط", ["غير نشط"]),
        ("סטטוס", "פעיל", ["לא פעיל"]),  # noqa: RUF001 - other letters
        ("κατάσταση", "Ενεργός",
         ["Ανενεργός", "μη ενεργός"]),
        ("trạng thái", "Đang làm việc", ["Đã nghỉ việc", "Không hoạt động"]),
        ("สถานะ", "ใช้งาน", ["ไม่ใช้งาน"]),
        ("статус", "Активен", ["Не активен"]),  # noqa: RUF001 - other letters
        ("durum", "Aktif", ["Aktif değil", "Pasif"]),
    ],
)  # fmt: skip
def test_not_active_is_known_in_the_languages_of_the_columns(column: str, active: str, gone: list[str]) -> None:
    """By a word of its own, or by a no before the word for active."""
    assert proposed(column, active, *gone) == {"column": column, "map": {active: False} | dict.fromkeys(gone, True)}


FLAGS = ("block user", "blocked", "soft deleted", "is disabled", "archived", "banned", "locked", "suspended")


@pytest.mark.parametrize("column", FLAGS)
def test_a_flag_of_who_has_left_is_taken_as_it_stands(column: str) -> None:
    """However it is called."""
    assert proposed(column, "0", "1") == column
    assert proposed(column, "0.0", "1.0") == {"column": column, "map": {"0.0": False, "1.0": True}}


def test_a_flag_of_which_nobody_would_be_deactivated_gives_no_line() -> None:
    """Its words are not known, or only one side of them is there, and the other may be an empty cell."""
    assert proposed("Active", "X") is None
    assert proposed("Active", "ok", "hm") is None
    assert proposed("Status", "ok", "hm") == {"column": "Status", "map": {"ok": False, "hm": False}}
    assert proposed("Active", "yes", "no", "hm") == {"column": "Active", "map": {"yes": False, "no": True, "hm": False}}


@pytest.mark.parametrize(
    "day", ["05/31/2024", "31/05/2024 18:00", "31-05-2024", "2024/05/31", "20240531", "May 31, 2024", "31. Mai 2024"]
)
def test_days_that_cannot_be_read_give_no_line(day: str) -> None:
    """Not even beside some that can be: no map makes a day of them."""
    assert unread(pl.Series([day, "2024-05-31", "unknown"])) == (2, 1)
    assert proposed("Termination Date", "2024-05-31", day) is None
    assert source_of("Termination Date", [], unread(pl.Series([day]))) is None
    assert proposed("Termination Date", "2024-05-31") == "Termination Date"


@pytest.mark.parametrize(
    "column", ["Active", "Enabled", "Actif", "is_active", "\u6709\u52b9", "banned_until", "gesperrt bis"]
)
def test_a_day_from_which_on_somebody_is_active_gives_no_line(column: str) -> None:
    """Nor one until which somebody is banned: everybody else would be deactivated, or the wrong ones."""
    days = [f"2020-01-{day:02}" for day in range(1, 20)]
    assert proposed(column, days[0], days[1]) is None
    assert source_of(column, [], unread(pl.Series(days))) is None
    assert proposed(column, days[0], "unknown") is None


def test_of_many_words_in_a_column_of_who_is_active_there_is_no_line() -> None:
    """Whatever they are, terminated is none of them."""
    assert source_of("Active", [], unread(pl.Series([f"x{n}" for n in range(50)]))) is None


@pytest.mark.parametrize(
    "word",
    [
        "Licencia por maternidad", "Licencia", "Licenciado", "Baja maternidad", "Baja IT", "Baja paternal",
        "Baja laboral",
        "Baja temporal", "\u9000\u8077\u4e88\u5b9a", "Gek\u00fcndigt zum 31.12.2027", "Resigned - serving notice",
        "Termination pending", "Terminating", "Ex-pat", "Expat", "Block release", "Disability leave", "Disability",
        "Suspended (maternity)", "Inactive - leave", "Archivist", "Left 2027", "Resignation requested",
    ],
)  # fmt: skip
def test_who_is_on_leave_or_still_to_leave_is_for_a_person_to_judge(word: str) -> None:
    """Such a word deactivates nobody, as one that is not known does not."""
    assert proposed("Status", "gone", word, "Left") == {
        "column": "Status", "map": {"gone": False, word: False, "Left": True},
    }  # fmt: skip


@pytest.mark.parametrize(
    "word",
    ["Licenci\u00e9", "Licenciement", "licencie", "Baja definitiva", "Baja voluntaria", "Baja por despido",
     "Ex-employee",
     "Blocked", "blockiert", "Disabled", "Leaver", "\u9000\u8077", "Gek\u00fcndigt", "Resigned", "Archived",
     "Terminated"],
)  # fmt: skip
def test_who_has_left_is_known(word: str) -> None:
    """Words near those that a person has to judge."""
    assert proposed("Status", word) == {"column": "Status", "map": {word: True}}


@pytest.mark.parametrize(
    ("column", "says_gone"),
    [
        ("Inaktiv", True), ("isInactive", True), ("Inactif", True), ("Bloqueado", True), ("deshabilitado", True),
        ("Zablokowany", True), ("\u7121\u52b9", True), ("fecha_baja", True), ("Account Disabled", True), ("Leaver",
        True),
        ("Compte actif", False), ("isEnabled", False), ("Aktywny", False), ("habilitado", False), ("Attivo", False),
        ("\u5728\u7c4d\u30d5\u30e9\u30b0", False), ("Status", None), ("Vertragsende", None),
        ("Status (active=1, disabled=0)", None), ("Status (aktiv)", False), ("Active (1 = suspended)", False),
        ("[is_active]", False), ("Austritt (leer = aktiv)", True),
    ],
)  # fmt: skip
def test_what_true_means_is_told_by_the_name(column: str, says_gone: bool | None) -> None:
    """Not active is the other way round, in one word as well."""
    assert says_gone_of(column) is says_gone


def test_bits_of_an_account_say_that_it_is_disabled() -> None:
    """As Active Directory writes them."""
    assert proposed("userAccountControl", "512", "514", "66048", "66050") == {
        "column": "userAccountControl", "map": {"512": False, "514": True, "66048": False, "66050": True},
    }  # fmt: skip
