"""What a column is by its name: the words of the table, however they are written.

Employee #, E-Mail (Arbeit), user.firstName, Prénom, 氏名(カナ)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

from provisioner.validation.fields.places import field_of
from provisioner.validation.vocabulary.besides import PROFILE
from provisioner.validation.vocabulary.synonyms import SYNONYMS, Meaning

_BRACKETS: Final = re.compile(r"\(.*?\)|\[.*?\]|\{.*?\}|<.*?>", re.DOTALL)
_PERSONS: Final = (
    "employee",
    "user",
    "worker",
    "person",
    "student",
    "pupil",
    "member",
    "customer",
    "client",
    "contact",
    "profile",
)
_OWNERS: Final = (
    *_PERSONS, "primary", "work", "business", "corporate", "official", "legal", "preferred", "current", "public",
)  # fmt: skip
_KINDS: Final = ("primary", "work", "business", "corporate", "official", "office")
"""What may stand behind it: `Phone - Primary Work`."""
_MOST_OWNERS: Final = 3
_OWNED: Final = frozenset({Meaning.EMAIL, Meaning.PHONE, Meaning.FIRST, Meaning.LAST, Meaning.AVATAR, Meaning.STATUS})
"""What may have its owner before it: `work phone`, and not `manager phone`."""

_OTHERS: Final = (
    "manager", "supervisor", "boss", "reports to", "guardian", "parent", "mother", "father", "emergency", "next of kin",
    "Vorgesetzte", "Eltern", "Erziehungsberechtigte", "Mutter", "Vater", "Notfall", "responsable", "urgence", "parents",
    "padre", "madre", "tutor", "emergencia", "上司", "保護者", "緊急", "responsabile", "leidinggevende", "ouder",
    "account owner", "record owner", "created by", "updated by", "modified by", "invited by", "referred by",
    "assigned to", "assignee", "approver", "assistant", "spouse", "上级", "上級", "主管", "家长", "家長", "紧急",
    "상사", "보호자", "비상", "руководител", "родител", "керівник", "przełożon", "rodzic", "nadřízen", "rodič",
    "esimies", "huoltaja", "vårdnadshavare", "foresatt", "yönetici", "المدير", "ولي الأمر", "מנהל",
    "husband", "wife", "Ehepartner", "Ehegatt", "Ehefrau", "Ehemann", "conjoint", "époux", "épouse", "cónyuge",
    "esposo", "esposa", "coniuge", "cônjuge", "echtgeno", "配偶者", "配偶", "배우자", "супруг", "małżon", "manžel",
    "puoliso", "ektefelle", "ægtefælle", "házastárs", "σύζυγος", "pasangan",
)  # fmt: skip
"""Words for somebody else, whose address or number may stand in a person's row."""

_BODIES: Final = (
    "owner", "org", "school", "university", "club", "agency", "vendor", "supplier", "branch", "location", "site",
    "workspace", "tenant", "project", "Schule", "Verein", "école", "escuela", "colegio", "scuola", "escola",
    "vereniging", "学校",
)  # fmt: skip
_BODIES_BESIDES: Final = ("company", "department", "team", "class", "title")
"""What a person belongs to: words, and keys of what is known besides. The address behind such a word is not his own."""

_THINGS: Final = (
    "order", "purchase", "invoice", "payment", "transaction", "booking", "reservation", "ticket", "subscription",
    "device", "session", "request", "message", "document", "product", "asset", "vehicle", "Bestellung", "Auftrag",
    "Rechnung", "Buchung", "Gerät", "commande", "facture", "pedido", "factura", "注文", "ordine", "fattura",
    "bestelling",
)  # fmt: skip
"""What a person has or does: words. An id behind such a word is not a person's."""

# The dotless i is what I is in Turkish, in lower case; a letter that is an apostrophe is written as one mostly.
_ALIKE: Final = str.maketrans({"#": " number ", "№": " number ", "\u0131": "i", "\u02bc": "'"})
_LONGEST_WORDS: Final = 3  # of one thing, as `cost center name`
_HUMP: Final = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])")

_PRIVATE: Final = (Meaning.SECRET, Meaning.EMAIL, Meaning.PHONE)
_LEAST_WITHIN: Final = 5  # letters of a word that counts within a longer one, as `Initialpasswort`
_RANK_BY_PART: Final = 9
_DOUBTFUL_NAMES: Final = 2  # the group of words for people

_OF_FIELDS: Final = {
    "uid": Meaning.ID, "name": Meaning.NAME, "avatar": Meaning.AVATAR,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a name says of a column.

    rank  how good a word it is for that; 0 is the best
    key   of the metadata, for what is known of a person besides
    """

    meaning: Meaning
    rank: int
    key: str = ""

    @property
    def is_doubtful(self) -> bool:
        """Whether the cells have to say it as well: below `Employee` may stand a name, a number, or a yes."""
        return self.meaning is Meaning.NAME and self.rank >= _DOUBTFUL_NAMES


@lru_cache(maxsize=1 << 16)  # a proposal asks for each name again with each way to read the file
def recognise(column: str) -> Recognition | None:
    """Tell what a column is by its name; None for a name that nobody knows."""
    if (meaning := _OF_FIELDS.get(field_of(column) or "")) is not None:
        return Recognition(meaning, -1)
    table = _table()
    for form in _forms(column):
        if (found := table.get(form)) is not None:
            return None if found.meaning is Meaning.ID and is_of_a_thing(column) else found
    if privacy_of(column) is Meaning.SECRET:
        return Recognition(Meaning.SECRET, _RANK_BY_PART)
    return None


@lru_cache(maxsize=1 << 16)  # the keys of objects come again in every row
def privacy_of(name: str) -> Meaning | None:
    """Tell what is private by the words at its end, or a secret by those at its beginning: an address, a number, or it.

    work_email, emergencyPhone2, Initial pw, Bruttogehalt, password new; not so email_verified
    """
    words = [form for word in _words(_BRACKETS.sub("", name)) if (form := normal_form(word).rstrip("0123456789"))]
    table = _table()
    for start in range(len(words)):
        found = table.get("".join(words[start:]))
        if found is not None and found.meaning in _PRIVATE:
            return found.meaning
    for end in range(len(words) - 1, 0, -1):
        found = table.get(first := "".join(words[:end]))
        if found is not None and found.meaning is Meaning.SECRET and len(first) >= _LEAST_WITHIN:
            return found.meaning
    return next((meaning for meaning in _PRIVATE if words and words[-1].endswith(_endings()[meaning])), None)


def missing_from(names: Iterable[str]) -> int:
    """Count what a header lacks: something that tells people apart, and something that they are called by.

    It takes the place of `rows.missing_fields` where nobody knows yet what the columns are called.
    """
    found = {known.meaning for name in names if (known := recognise(name)) is not None}
    told_apart = found & {Meaning.ID, Meaning.LOGIN, Meaning.EMAIL}
    called = found & {Meaning.NAME, Meaning.FIRST, Meaning.LAST, Meaning.PREFERRED}
    return (not told_apart) + (not called)


def nearest_columns(field: str, columns: Iterable[str]) -> list[str]:
    """Name the columns that may hold a user field, the best first: `uid` or `name`."""
    wanted = {
        "uid": (Meaning.ID, Meaning.LOGIN, Meaning.EMAIL),
        "name": (Meaning.NAME, Meaning.PREFERRED, Meaning.FIRST, Meaning.LAST),
    }[field]
    known = [(column, found) for column in columns if (found := recognise(column)) is not None]
    good = [(wanted.index(found.meaning), found.rank, column) for column, found in known if found.meaning in wanted]
    return [column for *_, column in sorted(good, key=lambda each: each[:2])]


@cache
def spellings() -> frozenset[str]:
    """Give all words, lower-cased: as they stand in the table, and without blanks or with a sign in their place."""
    groups = (*(group for groups in SYNONYMS.values() for group in groups), *PROFILE.values())
    words = {word.strip().lower() for group in groups for word in group.split("|")}
    return frozenset(word.replace(" ", between) for word in words for between in (" ", "", "_", "-"))


def is_of_another(column: str) -> bool:
    """Whether a column may be about somebody or something else than the person of its row.

    manager.email, companyPhoto, Team Lead Phone; not so `company.user.email`
    """
    text = unicodedata.normalize("NFKC", column)
    form = normal_form(text)
    if any(word in form for word in _others()):
        return True
    owned = _is_owned_by(text, _bodies())
    if owned is not None:
        return owned
    return any(form.startswith(body) and _is_owned(form.removeprefix(body)) for body in _bodies())


def is_of_a_thing(column: str) -> bool:
    """Whether a column may be about something that a person has or does: order.id, Device UUID."""
    return _is_owned_by(unicodedata.normalize("NFKC", column), _things()) or False


def _is_owned_by(text: str, owners: frozenset[str]) -> bool | None:
    """Tell what the words before the last one belong to: one of some owners, a person (False), or nobody knows."""
    words = [normal_form(word) for word in _words(text)][:-1]
    for end in range(len(words), 0, -1):
        if words[end - 1] in _PERSONS:
            return False
        if any("".join(words[max(0, end - many) : end]) in owners for many in range(1, _LONGEST_WORDS + 1)):
            return True
    return None


def _words(text: str) -> list[str]:
    return re.split(r"[\W_]+", _HUMP.sub(" ", text))


def normal_form(name: str) -> str:
    """Give a name as it is compared: letters and digits only, without case and accents."""
    text = unicodedata.normalize("NFKD", name.translate(_ALIKE))
    return "".join(letter for letter in text.casefold() if letter.isalnum())


def _forms(column: str) -> Iterator[str]:
    """Give the forms in which a name may be known: whole, without brackets, without what stands before it."""
    text = unicodedata.normalize("NFKC", column)
    yield normal_form(text)
    bare = _BRACKETS.sub("", text)
    yield (form := normal_form(bare))
    if is_of_another(bare):
        return
    # user.firstName, user/login, urn:…:userName
    yield normal_form(re.split(r"[./:]", bare)[-1])
    yield from _without_owners(form)


def _without_owners(form: str) -> Iterator[str]:
    """Give what is left of a name without the words for whose, or which, it is; there are hardly ever three."""
    found = [form]
    for _ in range(_MOST_OWNERS):
        starts = [each.removeprefix(owner) for each in found for owner in _OWNERS if each.startswith(owner)]
        ends = [each.removesuffix(kind) for each in found for kind in _KINDS if each.endswith(kind)]
        found = list(dict.fromkeys([*starts, *ends]))
        yield from filter(_is_owned, found)


def _is_owned(form: str) -> bool:
    known = _table().get(form)
    return known is not None and known.meaning in _OWNED


@cache
def _others() -> frozenset[str]:
    return frozenset(normal_form(unicodedata.normalize("NFKC", word)) for word in _OTHERS)


@cache
def _endings() -> Mapping[Meaning, tuple[str, ...]]:
    """Give the words that count at the end of a longer one, by what is private about them."""
    words: dict[Meaning, list[str]] = {meaning: [] for meaning in _PRIVATE}
    for form, known in _table().items():
        if known.meaning in words and len(form) >= _LEAST_WITHIN:
            words[known.meaning].append(form)
    return {meaning: tuple(forms) for meaning, forms in words.items()}


@cache
def _things() -> frozenset[str]:
    return frozenset(normal_form(word) for word in _THINGS)


@cache
def _bodies() -> frozenset[str]:
    besides = [word for key in _BODIES_BESIDES for word in PROFILE[key].split("|")]
    return frozenset(normal_form(unicodedata.normalize("NFKC", word)) for word in (*_BODIES, *besides))


@cache
def _table() -> dict[str, Recognition]:
    """Give the table by normal form; a word that stands in it twice is what it is first."""
    table: dict[str, Recognition] = {}
    for meaning, groups in SYNONYMS.items():
        for rank, group in enumerate(groups):
            for word in group.split("|"):
                table.setdefault(normal_form(unicodedata.normalize("NFKC", word)), Recognition(meaning, rank))
    for key, words in PROFILE.items():
        for word in words.split("|"):
            table.setdefault(normal_form(unicodedata.normalize("NFKC", word)), Recognition(Meaning.PROFILE, 0, key))
    return table
