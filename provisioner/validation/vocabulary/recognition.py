"""What a column is by its name: the words of the table, however they are written.

Employee #, E-Mail (Arbeit), user.firstName, Prénom, 氏名(カナ)
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Final

from provisioner.validation.fields.places import field_of
from provisioner.validation.vocabulary.leaving import says_gone_of
from provisioner.validation.vocabulary.owners import (
    PERSONS,
    SEPARATORS,
    can_be_owned,
    contact_in,
    dotted,
    is_of_a_thing,
    is_of_another,
    may_be_of,
    people,
)
from provisioner.validation.vocabulary.particulars import PROFILE
from provisioner.validation.vocabulary.synonyms import SYNONYMS, Meaning
from provisioner.validation.vocabulary.table import (
    BRACKETS,
    Recognition,
    known_words,
    normal_form,
    unnumbered,
    words_of,
)

_OWNERS: Final = (
    *PERSONS, "primary", "work", "business", "corporate", "official", "legal", "preferred", "current", "public",
)  # fmt: skip
_KINDS: Final = ("primary", "work", "business", "corporate", "official", "office")
"""What may stand behind it: `Phone - Primary Work`."""
_VALUES: Final = ("value", "address", "number")
_OF_LISTS: Final = (*_KINDS, "home", "mobile", "personal", "private", "other", "main", "default")
"""What one of several addresses is for: `emails.home`."""
_MOST_OWNERS: Final = 3
_BESIDE_STATUS: Final = frozenset((
    "is", "are", "was", "has", "been", "ist", "est", "esta", "account", "user", "employee", "member", "login",
    "sign", "in",
    "credential", "flag", "date", "datum", "timestamp", "at", "on", "since", "until", "seit", "bis", "ab", "am", "now",
    "currently", "konto", "benutzer", "compte", "utilisateur", "cuenta", "usuario", "conta", "utente", "fecha",
    "data", "de",
))  # fmt: skip
"""What may stand beside a word for who is active, in any order: is_blocked, suspended_at, Account Disabled."""
_PRIVATE: Final = (Meaning.SECRET, Meaning.EMAIL, Meaning.PHONE)
_FIRST: Final = re.compile(rf".*?(?:{SEPARATORS.pattern}|\[)\s*(?=\S)", re.DOTALL)
_VALUE: Final = re.compile(r"(?<=\w)[./:]value$", re.IGNORECASE)
"""So interfaces that give each field a label call what is in it: `attributes.first_name.value`."""
_LEAST_SHARED: Final = 2
_SHARE: Final = 0.75  # of all columns, that begin with the name of their table
_LEAST_WITHIN: Final = 5  # letters of a word that counts within a longer one, as `Initialpasswort`
_RANK_BY_PART: Final = 9
_LONGEST: Final = 1_000  # what is longer is a row, or a whole text, that was taken for a name
_OF_FIELDS: Final = {
    "uid": Meaning.ID, "name": Meaning.NAME, "avatar": Meaning.AVATAR,
}  # fmt: skip


@lru_cache(maxsize=1 << 16)  # a proposal asks for each name again with each way to read the file
def recognise(column: str) -> Recognition | None:
    """Tell what a column is by its name; None for a name that nobody knows."""
    if len(column) > _LONGEST:
        return None
    if (meaning := _OF_FIELDS.get(field_of(column) or "")) is not None:
        return Recognition(meaning, -1)
    text = _VALUE.sub("", unicodedata.normalize("NFKC", column))
    found = _known(dotted(text)) or _known(text)
    if found is None and privacy_of(text) is Meaning.SECRET:
        return Recognition(Meaning.SECRET, _RANK_BY_PART)
    return found


def _known(text: str) -> Recognition | None:
    table = known_words()
    if (found := table.get(normal_form(text))) is not None:
        return found
    found = next((known for form in _forms(text) if (known := table.get(form)) is not None), None)
    if found is not None and (found.meaning is Meaning.PROFILE or may_be_of(found.meaning, text)):
        return found
    return None


@lru_cache(maxsize=1 << 16)  # the keys of objects come again in every row
def privacy_of(name: str) -> Meaning | None:
    """Tell what is private by the words at its end, or a secret by those at its beginning: an address, a number, or it.

    work_email, emergencyPhone2, Initial pw, Bruttogehalt, password new; not so email_verified
    """
    words = unnumbered(words_of(BRACKETS.sub("", _VALUE.sub("", name))))
    table = known_words()
    for start in range(len(words)):
        found = table.get("".join(words[start:]))
        if found is not None and found.meaning in _PRIVATE:
            return found.meaning
    for end in range(len(words) - 1, 0, -1):
        found = table.get(first := "".join(words[:end]))
        if found is not None and found.meaning is Meaning.SECRET and len(first) >= _LEAST_WITHIN:
            return found.meaning
    return next((meaning for meaning in _PRIVATE if words and words[-1].endswith(_endings()[meaning])), None)


def may_be_a_status(column: str) -> bool:
    """Whether a column would say who is active, or has left, but for what its brackets name: Gesperrt (Bibliothek)."""
    known = None if recognise(column) else recognise(BRACKETS.sub("", column))
    return known is not None and known.meaning is Meaning.STATUS


def missing_from(names: Iterable[str]) -> int:
    """Count what a header lacks: something that tells people apart, and something that they are called by.

    It takes the place of `rows.missing_fields` where nobody knows yet what the columns are called.
    """
    return _missing_from(recognise_all(names))


def recognise_all(names: Iterable[str]) -> dict[str, Recognition | None]:
    """Tell what the columns of a table are: each by its name, or by what is left of it without that of the table."""
    return {name: recognise(name) or recognise(bare) for name, bare in bare_names(names).items()}


def bare_names(names: Iterable[str]) -> dict[str, str]:
    """Give the names without the first parts that nearly all share, for these name the table: teachers.id, dbo.T.name.

    What stands beside them may not be a person's: in `id, name, coach.id, coach.name, …` they are of somebody else.
    """
    bare = {name: name for name in names}
    while first := _shared(list(bare.values())):
        bare = {name: left.removeprefix(first) for name, left in bare.items()}
    return bare


def _shared(names: Sequence[str]) -> str:
    firsts = Counter(found[0] for name in names if (found := _FIRST.match(name)))
    first, count = max(firsts.items(), key=lambda each: each[1], default=("", 0))
    if (
        count < _LEAST_SHARED
        or count < len(names) * _SHARE
        or is_of_another(f"{first}id")
        or is_of_a_thing(f"{first}id")
    ):
        return ""
    beside = {name: recognise(name) for name in names if not name.startswith(first)}
    return first if _missing_from(beside) == _missing_from({}) else ""


def _missing_from(columns: Mapping[str, Recognition | None]) -> int:
    found = {known.meaning for known in columns.values() if known is not None}
    told_apart = found & {Meaning.ID, Meaning.LOGIN, Meaning.EMAIL}
    called = found & {Meaning.NAME, Meaning.FIRST, Meaning.LAST, Meaning.PREFERRED}
    return (not told_apart) + (not called)


def nearest_columns(field: str, columns: Iterable[str]) -> list[str]:
    """Name the columns that may hold a user field, the best first: `uid` or `name`."""
    wanted = {
        "uid": (Meaning.ID, Meaning.LOGIN, Meaning.EMAIL),
        "name": (Meaning.NAME, Meaning.PREFERRED, Meaning.FIRST, Meaning.LAST),
    }[field]
    known = [(column, found) for column, found in recognise_all(columns).items() if found is not None]
    good = [(wanted.index(found.meaning), found.rank, column) for column, found in known if found.meaning in wanted]
    return [column for *_, column in sorted(good, key=lambda each: each[:2])]


@cache
def spellings() -> frozenset[str]:
    """Give all words, lower-cased: as they stand in the table, and without blanks or with a sign in their place."""
    groups = (*(group for groups in SYNONYMS.values() for group in groups), *PROFILE.values())
    words = {word.strip().lower() for group in groups for word in group.split("|")}
    return frozenset(word.replace(" ", between) for word in words for between in (" ", "", "_", "-"))


def _forms(text: str) -> Iterator[str]:
    """Give the forms in which a name may be known that is not as a whole: without brackets, and what stands before."""
    bare = BRACKETS.sub("", text)
    yield (form := normal_form(bare))
    if is_of_another(bare):
        return
    yield from _listed(bare)
    # user.firstName, user/login, urn:…:userName; but E-Mail: Mitarbeiter
    *before, last = SEPARATORS.split(bare)
    if normal_form(last) in people():
        yield normal_form("".join(before))
    yield normal_form(last)
    # Dienstl. E-Mail; but Abt. ID
    yield from filter(can_be_owned, map(normal_form, re.split(r"\.\s", last)[-1:]))
    yield from _without_owners(form)
    yield from _flags(last)


def _listed(name: str) -> Iterator[str]:
    """Give the word for what is in a list of addresses or numbers: emails.0.value, phones.work."""
    parts = unnumbered(re.split(r"[./:]", name))
    for at, part in enumerate(parts, 1):
        kinds = [each for each in parts[at:] if each not in _VALUES]
        if (single := contact_in(part)) is not None and all(kind in _OF_LISTS for kind in kinds):
            yield from ("".join((single, *kinds)), single)


def _flags(name: str) -> Iterator[str]:
    """Give the word for who is active or has left that is in a name beside what says nothing."""
    form = "".join(form for word in words_of(name) if (form := normal_form(word)) not in _BESIDE_STATUS)
    known = known_words().get(form)
    if known is not None and known.meaning is Meaning.STATUS and says_gone_of(form) is not None:
        yield form


def _without_owners(form: str) -> Iterator[str]:
    """Give what is left of a name without the words for whose, or which, it is; there are hardly ever three."""
    found = [form]
    for _ in range(_MOST_OWNERS):
        starts = [each.removeprefix(owner) for each in found for owner in _OWNERS if each.startswith(owner)]
        ends = [each.removesuffix(kind) for each in found for kind in _KINDS if each.endswith(kind)]
        found = list(dict.fromkeys([*starts, *ends]))
        yield from filter(can_be_owned, found)


@cache
def _endings() -> Mapping[Meaning, tuple[str, ...]]:
    """Give the words that count at the end of a longer one, by what is private about them."""
    words: dict[Meaning, list[str]] = {meaning: [] for meaning in _PRIVATE}
    for form, known in known_words().items():
        if known.meaning in words and len(form) >= _LEAST_WITHIN:
            words[known.meaning].append(form)
    return {meaning: tuple(forms) for meaning, forms in words.items()}
