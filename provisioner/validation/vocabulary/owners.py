"""Whose a column is: of the person of its row, or of somebody or something else.

E-Mail (Eltern), Employee ID (Manager)   brackets may name another: of what else they hold nothing is known
coach.name, plan/id, Coach - Name        what stands before a separator has to be a person, or what programs wrap one in
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Final

from provisioner.validation.vocabulary.particulars import PROFILE
from provisioner.validation.vocabulary.synonyms import SYNONYMS, Meaning
from provisioner.validation.vocabulary.table import BRACKETS, forms_of, known_words, normal_form, unnumbered, words_of

PERSONS: Final = (
    "employee", "user", "worker", "person", "student", "pupil", "member", "customer", "client", "contact", "profile",
)  # fmt: skip
_PEOPLE: Final = (
    *(f"{person}s" for person in PERSONS), "people", "account", "Benutzer", "Nutzer", "utilisateur", "usuario",
    "ユーザー", "staff", "player", "learner", "Mitglied", "Mitglieder", "Kunde", "Kunden", "Klient", "Klienten",
    "Schüler", "Spieler", "Teilnehmer", "membre", "adhérent", "élève", "miembro", "socio", "alumno", "cliente",
    "lid", "leden", "Mitarbeiter", "сотрудник",
)  # fmt: skip
_WRAPPERS: Final = (
    "profile", "data", "attribute", "attributes", "field", "fields", "trait", "traits", "property", "properties",
    "metadata", "meta", "app", "core", "body", "payload", "node", "item", "items", "record", "records", "result",
    "results", "response", "entity", "object", "resource", "value", "values", "content", "row", "rows", "detail",
    "details", "info", "information", "general", "basic", "common", "custom", "standard", "default", "public",
    "private", "personal", "personnel", "work", "official", "job", "employment", "identity", "auth",
    "login", "membership", "claims", "Stammdaten", "Personalien", "Kontakt", "Kontaktdaten", "Allgemein", "dienstlich",
    "coordonnées", "identité", "datos", "dati", "dados", "gegevens", "基本情報",
)  # fmt: skip
"""What programs and forms put before what they know of a person; a number does not count either."""
SEPARATORS: Final = re.compile(r"\.(?=[^\s-])|[/:]|\s[-–—|>»›]\s")  # noqa: RUF001 - dashes
"""Behind an abbreviation stands a blank or a hyphen: `Dienstl. E-Mail`, `Pers.-Nr.`"""
_OF_A_TABLE: Final = re.compile(r"'?([^\[\]']*\w)'?\[([^\[\]]+)\]")
_SERVICES: Final = (
    "mfa", "2fa", "factor", "otp", "sso", "newsletter", "newsletters", "notification", "notifications",
    "marketing", "mailing", "mail", "sms", "push", "subscriptions", "VPN", "wifi", "WLAN", "license", "licence",
    "Lizenz", "licencia", "plan", "trial", "feature", "beta", "api", "sync", "forwarding", "devices", "card", "badge",
    "Karte", "Ausweis", "Schlüssel", "parking", "Parkplatz", "locker", "gym", "library", "Bibliothek",
    "Bücherei", "bibliothèque", "biblioteca", "Mensa", "canteen", "insurance", "Versicherung", "vaccination",
    "vaccine", "Impfung", "vaccin", "vacuna", "training", "Schulung", "Kurs", "consent", "Einwilligung", "Zahlung",
    "Beitrag", "visa", "permit", "probation", "Probezeit", "Abo",
)  # fmt: skip
"""What a person has that is active, or ends, on its own; in brackets, behind who is active, or has left."""
_LONGEST_WORDS: Final = 3  # of one thing, as `cost center name`
_OWNED: Final = frozenset({Meaning.EMAIL, Meaning.PHONE, Meaning.FIRST, Meaning.LAST, Meaning.AVATAR, Meaning.STATUS})
"""What may have its owner before it: `work phone`, and not `manager phone`."""
_SEEN: Final = frozenset({Meaning.ID, Meaning.LOGIN, Meaning.NAME, Meaning.STATUS})
_PARTS: Final = (
    Meaning.ID, Meaning.LOGIN, Meaning.EMAIL, Meaning.NAME, Meaning.FIRST, Meaning.LAST, Meaning.PREFERRED,
    Meaning.PHONE, Meaning.POSITION,
)  # fmt: skip
_AKIN: Final = {
    Meaning.ID: (Meaning.ID, Meaning.LOGIN, Meaning.POSITION), Meaning.STATUS: (Meaning.STATUS,),
    Meaning.NAME: (Meaning.NAME, Meaning.FIRST, Meaning.LAST, Meaning.PREFERRED, Meaning.POSITION),
}  # fmt: skip
"""What a column may be that is called two things, `Name/Vorname` and `Nr./ID`; an address has no id and no name."""
_REACHED: Final = frozenset({Meaning.EMAIL, Meaning.PHONE})
_REACHED_AT: Final = (
    "address", "addresses", "Adresse", "Anschrift", "dirección", "indirizzo", "communication", "Kommunikation",
    "primary", "main", "home", "business", "corporate", "legal", "preferred", "current",
)  # fmt: skip
"""What an address or a number may stand in besides, and no id and no name: `address.phone`."""

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
    "mgr", "supv", "vorges", "puoliso", "ektefelle", "ægtefælle", "házastárs", "σύζυγος", "pasangan",
)  # fmt: skip
"""Words for somebody else, whose address or number may stand in a person's row."""

_OTHERS_IN_BRACKETS: Final = (
    "coach", "mentor", "recruiter", "teacher", "sponsor", "billing", "partner", "child", "Ansprechpartner", "Betreuer",
    "Lehrer", "Kind", "Partnerin", "enfant", "hijo", "profesor", "parrain", "tuteur",
)  # fmt: skip
"""Words for others that may be what the rows are about as well, and are not where they only stand behind a word."""

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
    if any(word in form for word in forms_of(_OTHERS)):
        return True
    owned = _is_owned_by(text, _bodies())
    if owned is not None:
        return owned
    return any(form.startswith(body) and can_be_owned(form.removeprefix(body)) for body in _bodies())


def may_be_of(meaning: Meaning, column: str) -> bool:
    """Whether a column that holds something of a person by its last words may be his own by all the others.

    Brackets behind an id, a name and who is active may name neither a body nor a thing, for these are seen, or cannot
    be taken back; formats, days and programs in them say nothing.
    """
    text = unicodedata.normalize("NFKC", column)
    if is_of_another(BRACKETS.sub("", text)) or not _are_wrappers(text, meaning):
        return False
    remarks = [normal_form(word) for remark in BRACKETS.findall(text) for word in words_of(remark)]
    foreign = forms_of(_OTHERS_IN_BRACKETS) | (_bodies() | forms_of(_THINGS) if meaning in _SEEN else frozenset())
    if meaning is Meaning.STATUS:
        foreign |= _services()
    of_others = any(other in "".join(remarks) for other in forms_of(_OTHERS))
    return not (of_others or foreign.intersection(remarks) or (meaning is Meaning.ID and is_of_a_thing(text)))


def _are_wrappers(text: str, meaning: Meaning) -> bool:
    """Whether what stands before the last separator is a person, from the nearest on, or what one is wrapped in."""
    for part in reversed(SEPARATORS.split(BRACKETS.sub("", text))[:-1]):
        found = unnumbered(words_of(part))
        if found and found[-1] in people():
            return True
        is_wrapper = all(form in forms_of(_WRAPPERS) | people() for form in found)
        if not (is_wrapper or _is_akin("".join(unnumbered([part])), meaning)):
            return False
    return True


def dotted(text: str) -> str:
    """Write the column of a table of people, as data models have it, with a dot: Employees[Full Name]."""
    found = _OF_A_TABLE.fullmatch(text)
    return ".".join(found.groups()) if found and normal_form(words_of(found[1])[-1]) in people() else text


def _is_akin(form: str, meaning: Meaning) -> bool:
    """Whether a word is another for the same, or for what holds it: Nr./ID, emails.email, address.phone."""
    holds = meaning in _REACHED and (contact_in(form) is not None or form in forms_of(_REACHED_AT))
    return holds or _says(form, *_AKIN.get(meaning, _PARTS))


def contact_in(form: str) -> str | None:
    """Give the word for one address or number, of a word for one or for many: emails, phoneNumbers."""
    singulars = (form.removesuffix(end) for end in ("", "s", "es"))
    return next((single for single in singulars if _says(single, *_REACHED)), None)


def _says(form: str, *meanings: Meaning) -> bool:
    known = known_words().get(form)
    return known is not None and known.meaning in meanings


def is_of_a_thing(column: str) -> bool:
    """Whether a column may be about something that a person has or does: order.id, Device UUID."""
    return _is_owned_by(unicodedata.normalize("NFKC", column), forms_of(_THINGS)) or False


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
    return _says(form, *_OWNED)


@cache
def _bodies() -> frozenset[str]:
    besides = [word for key in _BODIES_BESIDES for word in PROFILE[key].split("|")]
    return forms_of((*_BODIES, *besides))


@cache
def people() -> frozenset[str]:
    """Give the words for people in each language; a profile is only what one is wrapped in."""
    return forms_of((*PERSONS, *_PEOPLE, *SYNONYMS[Meaning.NAME][-1].split("|"))) - forms_of(_WRAPPERS)


@cache
def _services() -> frozenset[str]:
    owned = {form for form, known in known_words().items() if known.meaning in {*_REACHED, Meaning.AVATAR}}
    return forms_of(_SERVICES) | owned
