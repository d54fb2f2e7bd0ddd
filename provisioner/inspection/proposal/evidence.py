"""What the cells of the columns are like: how many there are, how many differ, which could be uids or addresses.

Personalnr   50 filled, 50 different, 50 legal           can be a uid
E-Mail       48 filled, 47 different, 0 legal, 48 mails  can be made one
Foto         12 filled, 12 addresses of the web          can be an avatar
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from typing import Final

import polars as pl

from provisioner.roster.columns import all_named, named, unnamed
from provisioner.roster.formats.rows import NOT_TEXT, Roster, RosterBatch
from provisioner.validation.constraints import MEANT_SO, UID_KINDS
from provisioner.validation.fields.cells import column_text
from provisioner.validation.fields.mapping import NULL_VALUES
from provisioner.validation.fields.places import PRIVATE, MetadataPath, place_of
from provisioner.validation.fields.source import Encoding
from provisioner.validation.fields.uidencoding import LONGEST_UID, UidForm, encoded
from provisioner.validation.oddities.persons import are_people
from provisioner.validation.oddities.uidforms import kind_of_uid
from provisioner.validation.rules import URL
from provisioner.validation.uidnumbers import SCIENTIFIC, counts_rows
from provisioner.validation.vocabulary.leaving import READ, Unread, unread
from provisioner.validation.vocabulary.privacy import keys_in_columns, known_by_name, private_keys
from provisioner.validation.vocabulary.recognition import bare_names
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import Recognition
from provisioner.validation.warnings import WARNINGS

MOST_ROWS: Final = 100_000
"""So many rows are looked at; of a wide roster fewer, so that there are at most `MOST_CELLS`."""
MOST_CELLS: Final = 5_000_000

# So MongoDB, CouchDB and Elasticsearch call the id of each document; else a name with _ in front is a program's own.
_DOCUMENT: Final = "_id"
_NAMELESS: Final = re.compile(r"_column_\d+")
_MAIL: Final = r"^[^\s@]+@[^\s@]+$"
_PICTURE: Final = r"(?i)\.(?:png|jpe?g|gif|webp|svg|bmp)(?:[?#].*)?$|gravatar|avatar|photo|picture|/image"
_UUID: Final = r"(?i)^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$"
# ULIDs, and hexadecimals of 12 and 16 bytes; digits alone may be an account, and so may two letters before digits.
_MADE: Final = r"(?i)^(?:[0-7][0-9a-hjkmnp-tv-z]{25}|[0-9a-f]{24}|[0-9a-f]{32})$"
_LETTER_WITHIN: Final = r"^..\d*[A-Za-z]"
_NUMBER: Final = r"^[A-Za-z]{0,6}-?\d{1,6}$"
_WORDS: Final = r"^[^\d@]*\p{L}[^\d@]*$"
_FEW: Final = 6
_FEW_WORDS: Final = 48
"""So many words of who is active are looked at, for each of them is to stand in a map."""
_SIGNS_LOOKED_AT: Final = 1000
_SHORTENED: Final = "uid.scientific"
_MENDS: Final[Mapping[str, str]] = {
    **{kind: mend for kind, mend in UID_KINDS.items() if kind not in MEANT_SO},
    _SHORTENED: f"{WARNINGS[_SHORTENED].meaning}: {WARNINGS[_SHORTENED].mend}",
}
"""What a program has made of an id → how to mend it, as a check says it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what its name says, and what its cells are like. Counts are of rows.

    known        what the name says; of a column that is a key of the metadata, what is private about it
    filled       there is something in the cell
    distinct     cells that differ, as uids: in lower case
    spelled      cells that differ as they stand
    legal        cells that are uids as they stand
    underscored  cells that would be uids if `_` were allowed
    mails, urls, pictures   cells that are e-mail addresses, addresses of the web, addresses of pictures
    made         cells that are ids as only programs make them
    numbered     cells that are short numbers, letters before them or not
    worded       cells of letters, without digits and `@`
    values       the values there are and how often each comes, most frequent first; empty when there are many
    unread       what does not say whether somebody is deactivated, of a column that says who is active
    counts_rows  its cells are 1, 2, 3 … or 0, 1, 2 …, in whatever way they are written
    nested       its cells are objects or lists
    has_lists    its cells are lists of texts
    repeated     another column has the same name
    private_keys keys of the objects in its cells that hold something private, dotted
    """

    name: str
    known: Recognition | None
    filled: int = 0
    distinct: int = 0
    spelled: int = 0
    legal: int = 0
    underscored: int = 0
    mails: int = 0
    urls: int = 0
    pictures: int = 0
    made: int = 0
    numbered: int = 0
    worded: int = 0
    values: Mapping[str, int] = field(default_factory=dict)
    unread: Unread = READ
    counts_rows: bool = False
    nested: bool = False
    has_lists: bool = False
    repeated: bool = False
    private_keys: tuple[str, ...] = ()

    @property
    def meaning(self) -> Meaning | None:
        """What its name says that it is, if that says anything."""
        return self.known.meaning if self.known else None

    @property
    def rank(self) -> int:
        """How good a word its name is for that: the lower, the better."""
        return self.known.rank if self.known else 0

    @property
    def place(self) -> str | MetadataPath | None:
        """What it feeds by its name: a field, a place in the metadata, or nothing."""
        return place_of(self.name)

    @property
    def is_seen(self) -> bool:
        """Whether everybody in the app would see what is in it, because it is metadata by its name."""
        return self.place == "metadata" or (isinstance(self.place, tuple) and self.place[0] != PRIVATE)

    @property
    def repeats(self) -> int:
        """Cells that are like an earlier one."""
        return self.filled - self.distinct

    @property
    def are_mails(self) -> bool:
        """Whether most cells are e-mail addresses."""
        return self.mails * 2 > self.filled

    @property
    def differ_in_case(self) -> bool:
        """Whether some cells differ in upper and lower case only; addresses that do are one."""
        return self.distinct < self.spelled and not self.are_mails

    @property
    def could_be_names(self) -> bool:
        """Whether most cells are words, and most differ: no dates, no numbers, nothing that many share."""
        return min(self.worded, self.distinct) * 2 > self.filled

    @property
    def can_be_named(self) -> bool:
        """Whether `[columns]` can name it: not by an empty key, and a brace in a name begins a template there."""
        return not (self.repeated or not self.name or "{" in self.name or "}" in self.name)

    @property
    def is_usable(self) -> bool:
        """Whether a field can be made of it: it can be named, and holds something that is a text."""
        return self.can_be_named and self.filled > 0 and not self.nested


@dataclass(frozen=True)
class Evidence:
    """The first rows of a roster, trimmed, as text; null where nothing stands.

    columns   in the roster's order, without those that begin with `_`
    whole     there are no more rows
    nameless  what columns are called that hold something below a header that does not name them
    """

    frame: pl.DataFrame
    columns: tuple[Column, ...]
    whole: bool
    nameless: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return self.frame.height

    def containing(self, whole: str, part: str) -> float:
        """Give the share of rows in which the one cell holds the other, of those that have both."""
        contains = named(whole).str.to_lowercase().str.contains(named(part).str.to_lowercase(), literal=True)
        return float(self.frame.select(contains.mean()).item() or 0.0)

    def matching(self, column: str, pattern: str) -> int:
        """Count the cells of a column that are like a pattern."""
        return _count(unnamed(self.frame, column).drop_nulls(), pattern)

    def as_uids(self, column: str, encoding: Encoding, *, lower: bool) -> UidForm:
        """Say what an encoding makes of a column."""
        uids = self.frame.select(encoded(named(column), encoding, lower=lower)).to_series().drop_nulls()
        return UidForm(uids.n_unique(), int((~_is_legal(uids, "-")).sum()))

    def signs(self, column: str) -> str:
        """Give the characters of a column that no uid can hold, a few of them."""
        found = unnamed(self.frame, column).drop_nulls().str.replace_all(r"[A-Za-z0-9-]", "").head(_SIGNS_LOOKED_AT)
        return "".join(dict.fromkeys("".join(found)))[:_FEW]

    def damage(self, column: str) -> Mapping[str, int]:
        """Count the cells that are no uids because a program has changed or wrapped them: how to mend it → how many."""
        cells = unnamed(self.frame, column).drop_nulls()
        odd = cells.filter(~_is_legal(cells, "_-"))
        uids = pl.DataFrame({"uid": odd.str.to_lowercase(), "uid_input": odd})
        shortened = pl.when(pl.col("uid").str.contains(SCIENTIFIC)).then(pl.lit(_SHORTENED))
        kinds = uids.select(pl.coalesce(shortened, kind_of_uid())).to_series()
        return {_MENDS[kind]: count for kind, count in Counter(kinds).most_common() if kind in _MENDS}


def gather(roster: Roster) -> Evidence:
    """Read the first rows of a roster. Raises RosterError where it is broken."""
    frames: list[pl.DataFrame] = []
    structs: set[str] = set()
    objects: Counter[str] = Counter()
    keys: dict[str, dict[str, None]] = defaultdict(dict)
    rows, whole = 0, True
    with closing(each for each in roster.batches()) as batches:
        for batch in batches:
            names = [name for name in batch.frame.columns if _is_own(name) or name.startswith("_column_")]
            most = min(MOST_ROWS, MOST_CELLS // max(1, len(names)))
            texts, nested = _texts(batch.frame.select(all_named(names)).head(max(0, most - rows)))
            structs.update(nested)
            for name in nested:
                keys[name].update(keys_in_columns(unnamed(batch.frame, name).head(texts.height)))
            objects.update(_objects(batch, texts.height))
            rows += texts.height
            frames.append(texts)
            if not (whole := texts.height == batch.frame.height):
                break
    frame = (
        pl.concat(frames, how="diagonal") if frames else pl.DataFrame(schema=dict.fromkeys(roster.schema, pl.String))
    )
    own = [name for name in frame.columns if _is_own(name)]
    # In a roster of several files a column may be a list in one and a text in the others.
    structs |= {name for name in own if objects[name] * 2 > frame[name].count()}
    found = (
        _column(name, bare, unnamed(frame, name), keys[name], nested=name in structs, repeated=name in roster.repeated)
        for name, bare in bare_names(own).items()
    )
    columns = tuple(replace(each, has_lists=roster.schema.get(each.name) == pl.List(pl.String)) for each in found)
    nameless = tuple(name for name in frame.columns if _NAMELESS.fullmatch(name) and frame[name].count())
    return Evidence(frame.select(all_named(own)), columns, whole, nameless)


def _is_own(name: str) -> bool:
    """Whether a column may say something of a person."""
    return name == _DOCUMENT or not name.startswith("_")


def _objects(batch: RosterBatch, rows: int) -> dict[str, int]:
    """Count the cells of the first rows that are objects or lists, by column; true and false are neither."""
    return {
        name: int((cells & ~unnamed(batch.frame, name).is_in(["true", "false"])).head(rows).sum())
        for name, cells in batch.cells.get(NOT_TEXT, {}).items()
    }


def _texts(frame: pl.DataFrame) -> tuple[pl.DataFrame, list[str]]:
    """Give the cells as trimmed text, null where nothing stands, and the columns of which none can be made."""
    nested = [
        name for name, kind in frame.schema.items() if kind.is_nested() or kind in {pl.Binary, pl.Object, pl.Duration}
    ]
    kinds = {name: column_text(name, kind) for name, kind in frame.schema.items() if name not in nested}
    texts = frame.select(
        *(kinds.get(name, pl.lit(None, pl.String)).str.strip_chars().alias(name) for name in frame.columns)
    )
    missing = pl.all().is_in(["", *NULL_VALUES])
    return texts.select(pl.when(~missing).then(pl.all())), nested


def _column(
    name: str, bare: str, cells: pl.Series, keys: Mapping[str, None], *, nested: bool, repeated: bool
) -> Column:
    filled = cells.drop_nulls()
    mails = _count(filled, _MAIL)
    known = known_by_name(name, place_of(name), are_mails=mails * 2 > len(filled), bare=bare)
    column = Column(name, known, len(filled), nested=nested, repeated=repeated)
    if cells.is_empty():
        return _unseen(column)
    column = replace(column, private_keys=private_keys(filled, keys, nested=nested))
    if nested or filled.is_empty():
        return column
    says_standing = column.meaning is Meaning.STATUS
    return replace(
        column,
        known=None if known is not None and known.is_doubtful and not are_people(filled) else known,
        distinct=filled.str.to_lowercase().n_unique(),
        spelled=filled.n_unique(),
        legal=int(_is_legal(filled, "-").sum()),
        underscored=int(_is_legal(filled, "_-").sum()),
        made=_count(filled, _UUID) + _count(filled.filter(filled.str.contains(_LETTER_WITHIN)), _MADE),
        numbered=_count(filled, _NUMBER),
        worded=_count(filled, _WORDS),
        mails=mails,
        urls=_count(filled, URL),
        pictures=_count(filled.filter(filled.str.contains(URL)), _PICTURE),
        values=_values(filled, _FEW_WORDS if says_standing else _FEW),
        unread=unread(filled) if says_standing else READ,
        counts_rows=counts_rows(filled),
    )


def _unseen(column: Column) -> Column:
    """Take a column of a roster without rows for what its name says."""
    mails, pictures = int(column.meaning is Meaning.EMAIL), int(column.meaning is Meaning.AVATAR)
    urls, words = int(column.meaning in {Meaning.AVATAR, Meaning.PAGE}), 1 - mails
    one = replace(column, filled=1, distinct=1, spelled=1, nested=False)
    return replace(one, legal=words, underscored=words, worded=words, mails=mails, urls=urls, pictures=pictures)


def _is_legal(cells: pl.Series, signs: str) -> pl.Series:
    return cells.str.contains(rf"^[A-Za-z0-9{signs}]{{1,{LONGEST_UID}}}$")


def _count(cells: pl.Series, pattern: str) -> int:
    return int(cells.str.contains(pattern).sum())


def _values(filled: pl.Series, most: int) -> dict[str, int]:
    counts = filled.value_counts(sort=True)
    return {} if counts.height > most else dict(counts.iter_rows())
