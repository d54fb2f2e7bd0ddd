"""What CometChat allows a user to be, as data: the limits with their sources, and the codes of all defects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Final, TypeVar

from provisioner.wording import counted, listed

T = TypeVar("T", int, bool)

COLUMNS_NAMED: Final = 20
"""As many columns are named in one sentence."""

_LIMIT: Final = "limit"


@dataclass(frozen=True, slots=True)
class Advice:
    """What a code means, and how to mend it: one imperative sentence for somebody at a spreadsheet.

    kinds  what may be found under this code → how to mend just that
    """

    meaning: str
    mend: str
    kinds: Mapping[str, str] = field(default_factory=dict)

    def mended(self, rows: int, kinds: Mapping[str, int]) -> str:
        """Say how to mend what was found in so many rows: each kind by its own sentence, the rest by the general one.

        Kinds without a sentence of their own are the columns in which it was found, of which the first are named.
        """
        known = sorted((kind for kind in kinds if kind in self.kinds), key=lambda kind: -kinds[kind])
        sentences = list(dict.fromkeys(self.kinds[kind] for kind in known))
        if sum(kinds[kind] for kind in known) < rows:
            sentences.append(self.mend)
        named = [f"{name} ({counted(kinds[name], 'cell')})" for name in kinds if name not in self.kinds]
        columns = listed(named, COLUMNS_NAMED)
        return f"{columns}: {'; '.join(sentences)}" if columns else "; ".join(sentences)


AS_OF = "November 2026"
"""When the pages named as sources were read."""

_CREATE = "CometChat docs, REST API > Users > Create user (copy of 2025-2026)"
_PROPERTIES = "CometChat docs, Articles > Properties and constraints (copy of 2025-2026)"


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a limit comes from: its default in `unit`s, what it holds for, and the page that says so.

    least  the lowest value that a config may give a limit that is a number
    """

    default: int | bool
    unit: str
    meaning: str
    source: str
    least: int = 1

    def described(self, value: int | bool) -> str:
        """Give a value of this limit as a person reads it: `5,120 bytes`, `no`."""
        if isinstance(value, bool):
            return "yes" if value else "no"
        return f"{value:,} {self.unit}"


def _limit(default: T, unit: str, meaning: str, source: str = _CREATE, least: int = 1) -> T:
    return field(default=default, metadata={_LIMIT: Limit(default, unit, meaning, source, least)})


@dataclass(frozen=True, slots=True)
class Constraints:
    """The limits a row is judged by, as documented unless a config says otherwise. Characters are code points.

    All there is to know of a limit stands here, once: `[constraints]`, the printed list and the README are held to it.
    """

    uid_max_length: int = _limit(100, "characters", "longest uid")
    uid_allow_underscore: bool = _limit(
        False,
        "yes or no",
        "whether a uid may hold _; the stricter page has letters, digits and dashes only",
        f"{_CREATE}; {_PROPERTIES} allows it",
    )
    name_max_length: int = _limit(100, "characters", "longest name")
    url_max_length: int = _limit(3000, "characters", "longest avatar or link", _PROPERTIES)
    role_max_length: int = _limit(100, "characters", "longest role id", _PROPERTIES)
    tags_max: int = _limit(25, "tags", "most tags of a user", least=0)
    tag_max_length: int = _limit(100, "characters", "longest tag")
    metadata_max_bytes: int = _limit(5120, "bytes", "largest metadata, as compact UTF-8 JSON (5 KB)", least=2)
    body_max_bytes: int = _limit(10240, "bytes", "largest request body (10 KB)", least=2)

    @property
    def overridden(self) -> dict[str, int | bool]:
        """Those of the limits that are not the documented ones."""
        return {name: value for name, value in asdict(self).items() if value != LIMITS[name].default}


LIMITS: Mapping[str, Limit] = MappingProxyType({each.name: each.metadata[_LIMIT] for each in fields(Constraints)})
"""Field of `Constraints` → its default and where that comes from."""


@dataclass(frozen=True, slots=True)
class Beyond:
    """A limit of the create page that no create can break by itself.

    limit   as documented, in words
    handled what is done about it here
    """

    limit: str
    handled: str
    source: str = _CREATE


BEYOND: Mapping[str, Beyond] = MappingProxyType(
    {
        "groups of a user": Beyond("2,000", "nobody is put into a group"),
        "friends of a user": Beyond("1,000", "nobody is made a friend"),
        "auth tokens of a user": Beyond(
            "100; the oldest of more than that are archived",
            "a token is asked for once for each user that is created, and a recorded one is never asked for again; "
            "those that are minted all the same are counted, 90 at most; --auth-tokens none asks for none",
        ),
        "bot users of an app": Beyond("25", "no user is made a bot"),
        "users of an app": Beyond(
            "none, but the free plan has been seen to stop at 100",
            "max_users under [api] has plan, --dry-run and doctor hold it against the app's count; a plan that is used "
            "up stops a run (exit 4), which goes on once there is room",
        ),
    }
)
"""What is limited → how, by the create page, and what is done about it: the other half of that page's table."""


OBJECT, NO_TEXT = "an object", "no text"
PYTHON, TYPOGRAPHIC, NESTED, PHP, ARROWS = "Python", "typographic quotes", "JSON in JSON", "PHP", "hstore or Ruby"
TWICE = "a key twice"
"""Kinds of what is nearly JSON."""

EMAILS_WITH_CAPITALS: Final = "e-mail addresses with capitals"
ENCODED_EMAILS: Final = 'uid = { column = "email", encode = "cometchat" }'
"""An example, in place of which a report says it of the roster's own column."""

UID_KINDS: Final[Mapping[str, str]] = {
    "numbers with .0": "numbers with .0: write them as text, so format the uid column as text and export it again",
    **dict.fromkeys(
        ("e-mail addresses", EMAILS_WITH_CAPITALS),
        "e-mail addresses: make uids of them as the app does at log-in, with encode under [columns]: "
        f'{ENCODED_EMAILS}, or "uuid5" with a namespace, which shows nobody the address',
    ),
    "end marks of COPY": r"\. is the end mark of PostgreSQL's COPY and no person: delete the row",
    "underscores": "underscores: set uid_allow_underscore = true under [constraints] if the app takes them, "
    "or write - in their place",
    "braces": "braces: leave out the braces",
    "single quotes": "the cells are in single quotes: leave them out, or write straight double quotes",
    "typographic quotes": "the quotes are typographic: leave them out, or write straight double quotes",
    "times": "times, which a spreadsheet may have made of ids: format the uid column as text and export it again",
    "formulas": 'formulas of a spreadsheet: write 00123 where ="00123" stands',
    "invisible characters": r"invisible characters: delete what the message shows as \u200b and the like",
}
"""What is in a uid that is refused → how to mend it."""

MEANT_SO: Final = frozenset({"e-mail addresses", EMAILS_WITH_CAPITALS, "underscores"})
"""Those of them that are no damage: the roster has them as they are meant, and the config makes uids of them."""


DEFECTS: Mapping[str, Advice] = MappingProxyType(
    {
        "row.header_again": Advice("the row is the header once more", "delete the row"),
        "uid.missing": Advice("there is no uid", "give the row a uid"),
        "name.missing": Advice("there is no name", "give the row a name"),
        "uid.not_text": Advice(
            "the uid is a JSON object, list or boolean",
            "write the uid as a text or a number; of an object, write the member that is meant in its place",
        ),
        "name.not_text": Advice(
            "the name is a JSON object, list or boolean", "write the name as one text, such as the full name"
        ),
        "uid.placeholder": Advice("the uid is a word for nothing, such as NULL or n/a", "give the row a uid"),
        "uid.charset": Advice(
            "the uid holds something other than ASCII letters, digits and -",
            "write the uid with the letters A to Z, digits and - only; where most uids are such, make uids of all with "
            "encode under [columns], as the app does at log-in",
            UID_KINDS,
        ),
        "uid.too_long": Advice("the uid is too long", "shorten the uid"),
        "uid.rounded": Advice(
            "the uid is a number of more than 15 digits in a workbook or a float, which keep 15: the others are gone",
            "format the uid column as text and export it from the source again, because the digits are gone",
        ),
        "uid.duplicate": Advice(
            "an earlier row of the roster has this uid",
            "delete the row when it is the same person, or give it a uid of its own",
        ),
        "name.too_long": Advice("the name is too long", "shorten the name"),
        "avatar.too_long": Advice(
            "the avatar's URL is too long", "use a shorter address for the avatar, or empty the cell"
        ),
        "link.too_long": Advice("the link's URL is too long", "use a shorter address for the link, or empty the cell"),
        "avatar.not_a_url": Advice(
            "the avatar is no absolute http or https URL",
            "write the avatar's whole address, beginning with https://, or empty the cell",
        ),
        "link.not_a_url": Advice(
            "the link is no absolute http or https URL",
            "write the link's whole address, beginning with https://, or empty the cell",
        ),
        "role.charset": Advice(
            "the role is too long or holds something other than ASCII letters, digits, - and _",
            "use the id of a role as the CometChat dashboard shows it, or empty the cell",
        ),
        "tags.not_a_list": Advice(
            "the tags begin like a JSON array but are no JSON array of strings, or are a JSON object",
            'write the tags as ["a", "b", "c"], or begin the cell with something else than [',
            {
                PYTHON: 'the tags are a list of Python: write JSON, which has double quotes, as ["a", "b", "c"]',
                PHP: "the tags are an array that PHP has serialized: write JSON, as json_encode does",
                OBJECT: 'the tags are an object: write its texts as ["a", "b", "c"]',
                NO_TEXT: 'write each tag as a text in double quotes: ["a", "b", "c"]',
            },
        ),
        "tags.too_many": Advice("there are too many tags", "keep only the tags that the app needs"),
        "tags.too_long": Advice("one of the tags is too long", "shorten the tag, or split it if it is several"),
        "metadata.not_an_object": Advice(
            "the metadata are no JSON object",
            'write the metadata as {"key": "value"}, or empty the cell',
            {
                PYTHON: "it is Python and not JSON: JSON has double quotes, true, false and null",
                PHP: "it is what PHP has serialized and not JSON: write JSON, as json_encode does",
                ARROWS: "it is hstore or Ruby and not JSON: write JSON, as hstore_to_json and to_json do",
                TYPOGRAPHIC: "the quotes are typographic: JSON needs straight quotes",
                NESTED: "it is JSON in a JSON string: write the object itself, without the quotes around it",
                TWICE: "a key comes twice in one object: rename or remove one",
            },
        ),
        "metadata.too_large": Advice("the metadata are too large", "keep only the metadata that the app needs"),
        "with_auth_token.not_a_boolean": Advice(
            "withAuthToken is neither true nor false", "write true or false, or empty the cell"
        ),
        "deactivated.not_a_boolean": Advice(
            "whether the user is deactivated is neither true nor false, nor a date",
            "write true, false or the day from which on, such as 2026-12-31 or 31.12.2026, or empty the cell",
        ),
        "body.too_large": Advice(
            "the whole request is too large", "shorten the longest cells of the row, such as avatar, link and metadata"
        ),
        "role.unknown": Advice(
            "the app has no such role (known only in a run, from the API)",
            "make the role in the CometChat dashboard, or use one that is there",
        ),
    }
)
"""Code of a defect → its advice, in the order in which the defects of a row are reported."""
