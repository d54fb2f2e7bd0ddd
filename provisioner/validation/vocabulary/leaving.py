"""Whether somebody is deactivated, by a cell that says so: true or false, or the day from which on.

cell                         now: 2026-12-01T09:30Z
yes                          deactivated
2026-12-01                   deactivated: from the beginning of that day on, UTC
2026-12-01T12:00+02:00       not yet: a time without a zone is UTC
1.12.2026                    as 2026-12-01: with points the day stands before the month; with slashes nobody knows
infinity                     never: databases have this word for the day that does not come, and -infinity
+10000-01-01                 never: no clock gets there
(empty)                      not deactivated
next week                    none of it: a defect
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import polars as pl

from provisioner.validation.vocabulary.table import BRACKETS, words_of

TRUE: Final = ("true", "yes", "1", "t", "y")
FALSE: Final = ("false", "no", "0", "f", "n")

# What databases have for a day that does not come, and for one before all others.
_NEVER: Final = "infinity"
_ALWAYS: Final = "-infinity"
# So a typed column writes the year 10000: 9999-12-31, which many a database has for never, in a zone further east.
_FAR_AHEAD: Final = r"^\+\d{5,6}-\d\d-\d\d(?:t|$)"

_POINTED: Final = r"\.\d\d?\.\d{4}"
_MOMENT: Final = (
    # One way to match at each character: with two, as of `a|b`, polars takes twice as long to cut a cell.
    rf"^(?P<day>\d(?:\d(?:\d\d-\d\d-\d\d|{_POINTED})|{_POINTED}))"
    r"(?:[Tt ](?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,]\d{1,9})?)?"
    r" ?(?:[Zz]|(?P<sign>[+-])(?P<east>\d\d):?(?P<past>\d\d)(?::(?P<odd>\d\d))?)?)?$"
)
_MINUTE, _HOUR = 60, 3600

# Patterns as text: compiled when one is first needed, as on most starts none is.
# What a column is called in which true says that somebody has left, or that somebody has not.
_SAYS_GONE: Final = (
    r"(?i)disabl|suspend|suspensi|block|banned|locked|in-?a[ck]ti|d[eé]s?-?a[ck]tiv|inatti|disatti|inativ|desativ|nieakty|"
    r"neakt|неактив|deleted|archiv|terminat|leaver|withdrawn|resign|offboarded|deprovision|bloqu|blocc|geblok|zablok|"
    r"заблок|deshabilit|desabilit|gesperrt|sperret|spärrad|spærret|gelöscht|supprimé|sospeso|pasif|austritt|ausgetreten|"
    r"ausgeschieden|kündigung|sortie|départ|\bbaja|cessazione|desligamento|uit.?dienst|zwoln|уволен|退職|退会|無効|"
    r"削除|停止|停用|禁用|离职|離職|퇴사|퇴직"
)
_SAYS_ACTIVE: Final = (
    r"(?i)activ|aktiv|enabled|actif|attiv|ativo|actief|aktif|aktyw|актив|habilitad|有効|在籍|在職|在职|启用|재직"
)
# A day behind it is the last on which somebody is disabled, or active.
_SAYS_UNTIL: Final = r"(?i)\b(?:until|bis|jusqu|hasta|fino|até|tot)|まで"
# Words of a status that say that somebody has left, or may not log in.
_GONE: Final = (
    r"^(?:in-?a[ck]t[ií]|inatti|inati|de-?a[ck]ti|désacti|disatti|disabl|deprov|terminat|separated|leaver|resign|"
    r"left(?:$| the | us$| company)|suspen|block(?:ed|iert|$)|bann|locked|delet|archiv(?!ist)|former|ex-(?!pat)|"
    r"deceased|withdrawn|dismiss|"
    r"(?:quit|fired)$|ausge(?:treten|schieden)|ehemalig|entlassen|gekündigt|gesperrt|(?:parti|sorti)e?$|démission|"
    r"licenci(?:é|ee?s?$|ement)|bloqu|(?:dad[ao] )?(?:de )?baja(?:$|\W+(?:definitiv|volunt|en (?:la )?empresa|"
    r"por (?:despido|dimisi|renuncia|jubil|fin)))|cesad|cesante|"
    r"cessa|dimess|licenzi|bloccat|sospes|deslig|demitid|rescindid|uit dienst|geblok|ontslag|vertrokken|"
    r"退|無効|停止|停用|禁用|未启用|未啟用|已?(?:离职|離職|停用|禁用)|퇴사|퇴직|비활성|уволен|звільн|неактив|заблок|"
    r"pasif|nieaktywn|zwolnion|zablok|neaktivn|nonaktif|معطل|موقوف|محظور|مستقيل|חסום|מושבת|מושעה|עזב|"
    r"ανενεργ|απενεργ|αποχώρησ|ngừng|đã nghỉ|nghỉ việc|thôi việc|đã thôi|vô hiệu|bị kh[oó][aá]|"
    r"ลาออก|ปิดใช้งาน|ระงับ|เลิกจ้าง|พ้นสภาพ|निष्क्रिय)"
)
# Of somebody who is to leave, on a day that may come, or is away for a time: a person has to judge.
_IN_DOUBT: Final = (
    r"予定|예정|pending|notice|serving|planned|scheduled|upcoming|future|request|terminating|resigning|resignation|"
    r"\d{4}|\d\.|geplant|bevorstehend|beantragt|prévu|previst|pendient|pendente|attesa|gepland|aangevraagd|planowan|"
    r"leave(?!r)|matern|patern|parental|medical|médic|elternzeit|mutterschutz|congé"
)
# Not active, not employed any more: a no before what says that somebody is.
_NOT_ACTIVE: Final = (
    r"^(?:no[nt]?|no longer|nicht(?: mehr)?|niet(?: meer)?|n[ãa]o|plus|nie|не|ne|nu|ikke|inte|ej|ei|tidak|nem|غير|"
    r"לא|μη|δεν είναι|không(?: còn)?|ไม่(?:ได้)?)[ -]*(?:currently |mehr )?"
    r"(?:a[ck]t[iíy]|atti[vf]|ativ|enabled|employed|en poste|abilitat|habilitad|beschäftigt|in dienst|актив|работает|"
    r"نشط|مفع|فعال|פעיל|ενεργ|hoạt động|làm việc|(?:เปิด)?ใช้งาน)"
    r"|^aktif değil"
)
# What says yes and no in the languages in which such columns are known, as people and spreadsheets write it.
_YES: Final = frozenset((
    *TRUE, "1.0", "s", "j", "x", "✓", "✔", "on", "wahr", "vrai", "verdadero", "vero", "verdadeiro", "waar",
    "истина", "doğru",
    "ja", "oui", "sí", "si", "sì", "sim", "はい", "是", "예", "네", "да", "evet", "نعم", "כן", "có", "ใช่",
    "○", "有", "有効",
    "ναι",  # noqa: RUF001 - Greek
))  # fmt: skip
_NO: Final = frozenset((
    *FALSE, "0.0", "-", "off", "falsch", "faux", "falso", "onwaar", "ложь", "yanliş", "nein", "non", "não", "nao",
    "nee",
    "いいえ", "否", "아니오", "아니요", "нет", "hayir", "لا", "לא", "όχι", "không", "ไม่", "無", "無効",
    "yanlış", "hayır", "×",  # noqa: RUF001 - Turkish; the cross that Japanese has for no
))  # fmt: skip
# In Active Directory a number of which each bit says something: the second that the account is disabled.
_IS_OF_BITS: Final = r"(?i)^user ?account ?control$"
_DISABLED: Final = 2
# Days that `deactivated` does not read, for nobody knows which is the month, or they are written out.
_DAY: Final = (
    r"^(?:\d{1,4}[/.-]\d{1,2}[/.-]\d{1,4}\b|\d{8}$|\p{L}{3,9}\.? \d{1,2},? \d{4}\b|"
    r"\d{1,2}[. -]+\p{L}{3,9}[. -]+\d{2,4}\b)"
)


def deactivated(text: pl.Expr, now: float) -> pl.Expr:
    """Tell whether somebody is deactivated (Boolean, null for a cell that says none of it); `now` is UNIX seconds.

    text  of the cells, trimmed and null where they are empty
    """
    word = text.str.to_lowercase()
    is_never = word.is_in([*FALSE, _NEVER]) | word.str.contains(_FAR_AHEAD)
    said = pl.when(text.is_null() | is_never).then(statement=False)
    return said.when(word.is_in([*TRUE, _ALWAYS])).then(statement=True).otherwise(_moment(text) <= now)


class Unread(NamedTuple):
    """How many cells `deactivated` does not read as they stand, and how many of these are days."""

    cells: int = 0
    days: int = 0


READ: Final = Unread()
"""All cells are read."""


def unread(cells: pl.Series) -> Unread:
    """Count the texts that say neither whether somebody is deactivated nor from which day on."""
    odd = cells.filter(cells.to_frame("cell").select(deactivated(pl.col("cell"), 0).is_null()).to_series())
    return Unread(len(odd), int(odd.str.contains(_DAY).sum()))


def source_of(column: str, values: Sequence[str], odd: Unread) -> Any:
    """Propose what `deactivated` is made of under `[columns]`, from a column that says who is active.

    values  that the column has, all of them; empty when they are many

    None where that would deactivate nobody who is meant: a day cannot be read, or words are not known.

    Austritt, 2026-12-31          Austritt
    Active, 2020-01-01            None: the day says from when on somebody is active
    is_active, true and false     a map that turns them round
    Status, active and inactive   a map; a word that nobody knows deactivates nobody
    """
    is_turned = says_gone_of(column) is False or re.search(_SAYS_UNTIL, _spaced(column)) is not None
    read = pl.DataFrame({"value": values}, schema={"value": pl.String}).select(deactivated(pl.col("value"), 0))
    words = [value for value in values if value.lower() in (*TRUE, *FALSE)]
    dates = {value for value, known in zip(values, read.to_series(), strict=True) if known is not None} - {*words}
    if odd.days or (is_turned and (dates or not values)):
        return None
    if not odd.cells and not (words and not says_gone_of(column)):
        return column
    if not values:
        return {"column": column, "map": {"terminated": True}, "default": False}
    entries = {each: _is_gone(column, each) for each in values if each not in dates}
    if not dates and not any(entries.values()) and not _are_known(column, values):
        return None
    return {"column": column, "map": entries}


def says_gone_of(column: str) -> bool | None:
    """Tell what true means in a column: that somebody has left, or has not; None where it asks neither.

    What stands in brackets counts where nothing else says it, and asks neither when it names both.
    """
    for name in map(_spaced, (BRACKETS.sub("", column), column)):
        gone, active = re.search(_SAYS_GONE, name), re.search(_SAYS_ACTIVE, re.sub(_SAYS_GONE, "", name))
        if gone or active:
            return None if gone and active else gone is not None
    return None


def _spaced(column: str) -> str:
    return " ".join(words_of(column))


def _are_known(column: str, values: Sequence[str]) -> bool:
    """Tell whether a column may deactivate nobody: it says no of all, or it is a status, of which a person judges.

    Of who is active an empty cell may be the no.
    """
    says_gone = says_gone_of(column)
    return all(value.lower() in _NO for value in values) if says_gone else says_gone is None


def _is_gone(column: str, value: str) -> bool:
    """Tell what a word means; false where nobody knows, or a person has to judge.

    Yes and no mean something only where the column asks: 無効, no to 有効, is a status of those who are disabled.
    """
    word, says_gone = value.lower(), says_gone_of(column)
    if re.search(_IS_OF_BITS, _spaced(column)) and word.isdecimal():
        return bool(int(word) & _DISABLED)
    if word in _YES:
        return bool(says_gone)
    if word in _NO and says_gone is not None:
        return not says_gone
    return not re.search(_IN_DOUBT, word) and any(re.search(words, word) for words in (_GONE, _NOT_ACTIVE))


def wants_token(text: pl.Expr) -> pl.Expr:
    """Tell whether a cell asks for an auth token, as one that is missing does (Boolean, null where it says neither)."""
    word = text.str.to_lowercase()
    return pl.when(text.is_null() | word.is_in(TRUE)).then(statement=True).when(word.is_in(FALSE)).then(statement=False)


def as_meant(text: pl.Expr, meaning: pl.Expr) -> pl.Expr:
    """Give what cells mean (Boolean) as texts, under their name; a word that means neither is itself in lower case."""
    return pl.when(meaning.is_null()).then(text.str.to_lowercase()).otherwise(meaning.cast(pl.String))


def _moment(text: pl.Expr) -> pl.Expr:
    """Give the moment in UNIX seconds (Int64); null for what is none, such as the 30th of February."""
    parts = text.str.extract_groups(_MOMENT).struct
    said = parts.field("day")
    pointed = pl.when(said.str.contains(".", literal=True)).then(said)
    days = (said.str.to_date("%Y-%m-%d", strict=False), pointed.str.to_date("%d.%m.%Y", strict=False))
    day = pl.coalesce(days).dt.epoch("s")
    hour, minute, second, east, past, odd = (_number(parts.field(name)) for name in _BELOW)
    west = pl.when(parts.field("sign") == "-").then(1).otherwise(-1) * (east * _HOUR + past * _MINUTE + odd)
    sound = pl.all_horizontal([_number(parts.field(name)) < limit for name, limit in _BELOW.items()])
    return pl.when(sound).then(day + hour * _HOUR + minute * _MINUTE + second + west)


# What each part has to be below; a leap second is none that a clock of UNIX seconds knows.
_BELOW: Final = {"hour": 24, "minute": 60, "second": 60, "east": 24, "past": 60, "odd": 60}


def _number(part: pl.Expr) -> pl.Expr:
    return part.cast(pl.Int64).fill_null(0)
