"""Which column becomes what, and why; and what is left out. No rule of the API is decided here: the proof judges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from provisioner.inspection.proposal.document import Entry, LeftOut, Proposal, Question
from provisioner.inspection.proposal.evidence import Column, Evidence
from provisioner.inspection.proposal.names import choose_name
from provisioner.inspection.proposal.uids import (
    choose_uid,
    could_be_chosen,
    how_to_mend,
    is_damaged,
    is_own_mail,
    tells_apart,
)
from provisioner.validation.fields.places import PRIVATE, MetadataPath, field_of
from provisioner.validation.vocabulary.leaving import source_of
from provisioner.validation.vocabulary.recognition import may_be_a_status, privacy_of
from provisioner.validation.vocabulary.standing import Standing, standing
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.wording import listed, printable

_NO_NAME: Final = "the header has no name for it: write one above it, or use this one under [columns]"
_NOT_APART: Final = "no column tells people apart: take one in which no two rows have the same, or add one"
_NOT_CALLED_SO: Final = (
    "no column is called like an id of a person: take one that everybody may see and that never changes, for a uid is "
    "public and cannot be changed, or add one"
)
_MAY_BE_A_STATUS: Final = (
    "it may tell who has left, or be about what its brackets name: if it tells who has left, make deactivated of it "
    "under [columns]"
)
_IDS: Final = (Meaning.ID, Meaning.LOGIN)
_HIDDEN: Final[Mapping[Meaning, str]] = {Meaning.EMAIL: "email", Meaning.PHONE: "phone"}
"""What other users are not to see → its key."""
_REASONS: Final[Mapping[Meaning | None, str]] = {
    Meaning.SECRET: "a secret, or too private: it is never sent",
    **dict.fromkeys(_IDS, "another id"),
    **dict.fromkeys((Meaning.EMAIL, Meaning.PHONE), "another one of its kind, or not filled as such"),
    **dict.fromkeys((Meaning.AVATAR, Meaning.PAGE), "another address"),
    **dict.fromkeys(
        (Meaning.NAME, Meaning.FIRST, Meaning.LAST, Meaning.PREFERRED, Meaning.MIDDLE, Meaning.INFIX, Meaning.READING),
        "another part or form of the name",
    ),
    Meaning.POSITION: "a number, which is not called an id",
    Meaning.PROFILE: "everybody in the app would see it: take the # before its line away to send it",
}
"""What a column is → why it becomes nothing."""


def propose(facts: Evidence, now: float, nameless: Sequence[str] = ()) -> Proposal:
    """Propose a mapping for a roster; `nameless` are columns that hold something below no name, `now` UNIX seconds."""
    uid = choose_uid(facts)
    name = choose_name(facts)
    chosen = [entry for entry in (uid, name) if entry is not None]
    entries = [*chosen, *_web(facts), *_claimed_in_vain(facts), *_private(facts)]
    questions = tuple(_questions(facts, uid, name))
    used = {column for entry in entries for column in entry.columns}
    kept_out = tuple(dict.fromkeys(column.name for column in facts.columns if _is_kept_out(column)))
    by_name = tuple(name for name in _by_name(facts, entries) if name not in kept_out)
    rest = [column for column in facts.columns if column.name not in {*used, *by_name}]
    leaving = _leaving(facts, now)
    left_out = (
        *(LeftOut(column.name, _why_left_out(column, facts, leaving)) for column in rest),
        *(LeftOut(name, _NO_NAME) for name in nameless),
    )
    suggestions = tuple(_suggestions(facts, used))
    offers = tuple(offer for offer in (_deactivated(leaving), _tags(facts)) if offer is not None)
    constraints = uid.constraints if uid else {}
    return Proposal(tuple(entries), suggestions, left_out, by_name, questions, constraints, kept_out, offers)


def _is_kept_out(column: Column) -> bool:
    """Whether a column is not to be sent but by a line of its own: it is secret, or private and seen by everybody."""
    secret_keys = any(privacy_of(key) is Meaning.SECRET for key in column.private_keys)
    private = column.meaning in _HIDDEN or bool(column.private_keys)
    return column.meaning is Meaning.SECRET or secret_keys or (column.is_seen and private)


def _private(facts: Evidence) -> Iterator[Entry]:
    """Give what other users do not see, each at a place of its own: a key can hold one value, or further keys."""
    places = [column.place for column in facts.columns]
    taken = [place[1:] for place in places if isinstance(place, tuple) and place[0] == PRIVATE]
    for column, what, path in _to_be_hidden(facts):
        if not any(path[: len(other)] == other or other[: len(path)] == path for other in taken):
            taken.append(path)
            reason = f"{what}: kept where other users do not see it"
            yield Entry(".".join((PRIVATE, *path)), column.name, reason, (column.name,), metadata=True)


def _to_be_hidden(facts: Evidence) -> Iterator[tuple[Column, str, MetadataPath]]:
    """Give the best of each kind with its path, and after them those that would be seen as keys of the metadata."""
    best = {meaning: column for meaning in _HIDDEN if (column := _first(facts, meaning)) is not None}
    for meaning, column in best.items():
        yield column, meaning.value, (_HIDDEN[meaning],)
    for column in _named(facts, *_HIDDEN):
        if column.known and isinstance(column.place, tuple) and column not in best.values():
            yield column, column.known.meaning.value, column.place


def _web(facts: Evidence) -> Iterator[Entry]:
    """Give the picture and the profile page; the cells tell which is which."""
    pages = [column for column in _named(facts, Meaning.PAGE, Meaning.AVATAR) if column.urls * 10 >= column.filled * 9]
    pictures = [column for column in pages if _is_picture(column)]
    if pictures:
        yield Entry("avatar", pictures[0].name, "addresses of pictures", (pictures[0].name,))
    rest = [column for column in pages if column.meaning is Meaning.PAGE and column not in pictures]
    if rest and not any(field_of(column.name) == "link" for column in facts.columns):
        yield Entry("link", rest[0].name, "addresses of profile pages", (rest[0].name,))


def _is_picture(column: Column) -> bool:
    return column.meaning is Meaning.AVATAR or column.pictures * 2 > column.filled


def _claimed_in_vain(facts: Evidence) -> Iterator[Entry]:
    """Take away from a field the column of its name, where its cells are none of what the field holds."""
    for column in facts.columns:
        name = field_of(column.name)
        if name == "role" and set(column.values) != {"default"}:
            found = listed([printable(value)[:20] for value in column.values], 3) or "many"
            reason = f"an app knows only the role default at first, the column says: {found}"
            yield Entry("role", {"value": "default"}, reason)
        elif name in {"avatar", "link"} and column.filled and not column.urls:
            yield Entry(name, {"value": ""}, f"the column {column.name!r} holds no addresses of the web")


def _named(facts: Evidence, *meanings: Meaning) -> list[Column]:
    """Give the columns of a meaning that can be used, the best word first."""
    good = [column for column in facts.columns if column.meaning in meanings and column.is_usable]
    return sorted(good, key=lambda column: column.rank)


def _first(facts: Evidence, meaning: Meaning) -> Column | None:
    found = _named(facts, meaning)
    if meaning is Meaning.EMAIL:
        # Another column does as well where none is called so: a log-in, or one in which no two rows share an address.
        own = [column for column in facts.columns if is_own_mail(column)]
        found = [each for each in (*found, *_named(facts, Meaning.LOGIN), *own) if each.mails * 2 > each.filled]
    return found[0] if found else None


def _suggestions(facts: Evidence, used: set[str]) -> Iterator[Entry]:
    """Give what could go into the metadata, which everybody in the app can see."""
    keys = set()
    for column in _named(facts, Meaning.PROFILE):
        key = column.known.key if column.known else ""
        if column.name not in used and key not in keys:
            keys.add(key)
            yield Entry(key, column.name, "everybody in the app would see it", (column.name,), metadata=True)


def _leaving(facts: Evidence, now: float) -> Standing | None:
    columns = [column for column in _named(facts, Meaning.STATUS) if column.place is None]
    made = ((column.name, source_of(column.name, [*column.values], column.unread)) for column in columns)
    sources = {name: source for name, source in made if source is not None}
    return standing(facts.frame, sources, now) if sources else None


def _deactivated(leaving: Standing | None) -> Entry | None:
    """Offer what says who is deactivated, with what a person has to look at."""
    if leaving is None:
        return None
    reason = "Who may not log in: created, and deactivated at once. Take the # away to use it"
    values = leaving.value if isinstance(leaving.value, list) else [leaving.value]
    if any(isinstance(value, dict) for value in values):
        reason += "; in a map true has to stand for those who are deactivated, so look it through"
        many = [value["column"] for value in values if "default" in value]
        reason += f". {printable(many[0])!r} has too many words to name them all: add each that says so" if many else ""
        reason += (
            ". As it stands it deactivates nobody: write true for each word that says so" if leaving.nobody else ""
        )
    if leaving.others:
        reason += (
            f". Not in it: {listed([printable(name) for name in leaving.others])}, for of a list only the first cell "
            "that is filled counts. To use all, make one column of them in the roster"
        )
    return Entry("deactivated", leaving.value, reason, leaving.used)


def _tags(facts: Evidence) -> Entry | None:
    """Give the lists of texts, of which tags can be made, where no column is called tags."""
    names = [column.name for column in facts.columns if _could_be_tags(column)]
    if not names or any(column.place == "tags" for column in facts.columns):
        return None
    value = names[0] if len(names) == 1 else {"columns": names}
    return Entry("tags", value, "Lists of texts, of which tags can be made: take the # away to use it", tuple(names))


def _could_be_tags(column: Column) -> bool:
    private = column.meaning in {Meaning.SECRET, *_HIDDEN}
    return column.has_lists and column.can_be_named and column.place is None and not private


def _questions(facts: Evidence, uid: Entry | None, name: Entry | None) -> Iterator[Question]:
    twice = [
        f"; two columns are called {column.name!r}" for column in facts.columns if column.repeated and column.known
    ]
    usable = [column for column in facts.columns if column.is_usable]
    if uid is None:
        likely = sorted(filter(could_be_chosen, usable), key=lambda column: (column.repeats, -column.legal))
        ids = [column for column in usable if column.meaning in _IDS]
        damaged = [f"; {each.name!r} is {how_to_mend(each, facts)}" for each in ids if is_damaged(each, facts)]
        apart = any(tells_apart(column, facts) for column in likely)
        reason = _NOT_CALLED_SO if apart else _NOT_APART
        yield Question("uid", reason + "".join((*twice, *damaged)), tuple(column.name for column in likely))
    if name is None:
        private = {Meaning.EMAIL, Meaning.PHONE, Meaning.SECRET, Meaning.STATUS}
        words = [column for column in usable if column.could_be_names]
        free = [column for column in words if column.meaning not in private]
        reason = "no column holds the names that people see in the chat"
        reason += "" if free else ": add one to the file"
        yield Question("name", reason + "".join(twice), tuple(column.name for column in free))


def _by_name(facts: Evidence, entries: Sequence[Entry]) -> Iterator[str]:
    """Name the columns that feed a field, or a key of the metadata, because they are called as it is."""
    given = {(*(("metadata",) if entry.metadata else ()), *entry.key.split(".")) for entry in entries}
    for column in facts.columns:
        place = column.place
        if place is not None and (("metadata", *place) if isinstance(place, tuple) else (place,)) not in given:
            yield column.name


def _why_left_out(column: Column, facts: Evidence, leaving: Standing | None) -> str:
    meaning = column.meaning
    if _is_kept_out(column) and meaning not in _HIDDEN:
        return _why_keys(column) if column.private_keys else _REASONS[Meaning.SECRET]
    if column.repeated:
        return "two columns have this name: rename one to use it"
    if not column.name:
        return "its key is empty: give it a name to use it"
    if not column.can_be_named:
        return "its name holds a brace: rename it to use it, or write the brace twice under [columns]"
    if _could_be_tags(column):
        return "it holds lists of texts: tags can be made of it, by a line under [columns]"
    if column.nested:
        return "it holds objects or lists: export what is in them as columns of their own to use it"
    if not column.filled:
        return "there is nothing in it"
    if meaning is Meaning.STATUS:
        return _why_status(column, leaving)
    if meaning is Meaning.BOT:
        return f"it says who is a program{_values(column)}; every row becomes a user: take the programs out"
    return _why_unused(column, facts)


def _why_unused(column: Column, facts: Evidence) -> str:
    meaning = column.meaning
    if field_of(column.name) == "role":
        return "a role has to be there in the app first; a map under [columns] says which cell means which role"
    if meaning in _IDS and is_damaged(column, facts):
        return f"another id, {how_to_mend(column, facts)}"
    if meaning in {Meaning.AVATAR, Meaning.PAGE} and not column.urls:
        return "its cells are no addresses that begin with https://"
    if meaning is Meaning.POSITION and column.counts_rows:
        return "it counts the rows"
    if may_be_a_status(column.name):
        return _MAY_BE_A_STATUS
    return _REASONS.get(meaning, "no field of a user is called like it")


def _why_status(column: Column, leaving: Standing | None) -> str:
    way = ""
    if column.unread.days:
        way = ", or write its days as 2026-12-31 or 31.12.2026, for these cannot be read"
    elif leaving is not None and column.name in leaving.used:
        way = ", or take the # before deactivated away"
    elif leaving is not None and column.name in leaving.others:
        way = f", or make one column of it and {listed([printable(name) for name in leaving.used])}"
    return f"it says who is active{_values(column)}; every row becomes a user: take out those who should not{way}"


def _why_keys(column: Column) -> str:
    """Say which keys of its objects are private, and what to do."""
    keys = [key for key in column.private_keys if column.is_seen or privacy_of(key) is Meaning.SECRET]
    held = f"what its objects hold under {listed([printable(key) for key in keys])}"
    why = f"everybody in the app would see {held}" if column.is_seen else f"{held} is secret, or too private"
    return f"{why}: take it out of the cells, and the column out of leave_out, to send the rest"


def _values(column: Column) -> str:
    shown = [f"{printable(value)[:20]}: {count:,}" for value, count in column.values.items()]
    return f" ({listed(shown, 4)})" if shown else ""
