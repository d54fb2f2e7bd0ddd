"""Whose a column is: of the person of its row, or of somebody or something else."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Final

from provisioner.validation.vocabulary.besides import PROFILE
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import known_words, normal_form, words_of

PERSONS: Final = (
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
_LONGEST_WORDS: Final = 3  # of one thing, as `cost center name`
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
    return any(form.startswith(body) and can_be_owned(form.removeprefix(body)) for body in _bodies())


def is_of_a_thing(column: str) -> bool:
    """Whether a column may be about something that a person has or does: order.id, Device UUID."""
    return _is_owned_by(unicodedata.normalize("NFKC", column), _things()) or False


def _is_owned_by(text: str, owners: frozenset[str]) -> bool | None:
    """Tell what the words before the last one belong to: one of some owners, a person (False), or nobody knows."""
    words = [normal_form(word) for word in words_of(text)][:-1]
    for end in range(len(words), 0, -1):
        if words[end - 1] in PERSONS:
            return False
        if any("".join(words[max(0, end - many) : end]) in owners for many in range(1, _LONGEST_WORDS + 1)):
            return True
    return None


def can_be_owned(form: str) -> bool:
    """Whether a normal form is a word that may have its owner before it."""
    known = known_words().get(form)
    return known is not None and known.meaning in _OWNED


@cache
def _others() -> frozenset[str]:
    return frozenset(normal_form(unicodedata.normalize("NFKC", word)) for word in _OTHERS)


@cache
def _things() -> frozenset[str]:
    return frozenset(normal_form(word) for word in _THINGS)


@cache
def _bodies() -> frozenset[str]:
    besides = [word for key in _BODIES_BESIDES for word in PROFILE[key].split("|")]
    return frozenset(normal_form(unicodedata.normalize("NFKC", word)) for word in (*_BODIES, *besides))
