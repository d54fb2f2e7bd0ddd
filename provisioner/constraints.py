"""What CometChat allows a user to be, as data: the limits with their sources, and the codes of all defects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Constraints:
    """The limits a row is judged by; the defaults are those of `LIMITS`. Lengths are in Unicode code points."""

    uid_max_length: int = 100
    uid_allow_underscore: bool = False
    name_max_length: int = 100
    url_max_length: int = 3000
    role_max_length: int = 100
    tags_max: int = 25
    tag_max_length: int = 100
    metadata_max_bytes: int = 5120
    body_max_bytes: int = 10240


@dataclass(frozen=True, slots=True)
class Limit:
    """Where a limit comes from: its default in `unit`s, what it holds for, and the page that says so."""

    default: int | bool
    unit: str
    meaning: str
    source: str


_CREATE = "CometChat docs, REST API > Users > Create user (copy of 2025-2026)"
_PROPERTIES = "CometChat docs, Articles > Properties and constraints (copy of 2025-2026)"

LIMITS: Mapping[str, Limit] = MappingProxyType(
    {
        "uid_max_length": Limit(100, "characters", "longest uid", _CREATE),
        "uid_allow_underscore": Limit(
            False,
            "yes or no",
            "whether a uid may hold _; the stricter page has letters, digits and dashes only",
            f"{_CREATE}; {_PROPERTIES} allows it",
        ),
        "name_max_length": Limit(100, "characters", "longest name", _CREATE),
        "url_max_length": Limit(3000, "characters", "longest avatar or link", _PROPERTIES),
        "role_max_length": Limit(100, "characters", "longest role id", _PROPERTIES),
        "tags_max": Limit(25, "tags", "most tags of a user", _CREATE),
        "tag_max_length": Limit(100, "characters", "longest tag", _CREATE),
        "metadata_max_bytes": Limit(5120, "bytes", "largest metadata, as compact UTF-8 JSON (5 KB)", _CREATE),
        "body_max_bytes": Limit(10240, "bytes", "largest request body (10 KB)", _CREATE),
    }
)
"""Field of `Constraints` → its default and where that comes from."""

DEFECTS: Mapping[str, str] = MappingProxyType(
    {
        "uid.missing": "there is no uid",
        "name.missing": "there is no name",
        "uid.charset": "the uid holds something other than ASCII letters, digits and -",
        "uid.too_long": "the uid is too long",
        "uid.duplicate": "an earlier row of the roster has this uid",
        "name.too_long": "the name is too long",
        "avatar.too_long": "the avatar's URL is too long",
        "link.too_long": "the link's URL is too long",
        "avatar.not_a_url": "the avatar is no absolute http or https URL",
        "link.not_a_url": "the link is no absolute http or https URL",
        "role.charset": "the role is too long or holds something other than ASCII letters, digits, - and _",
        "tags.not_a_list": "the tags begin like a JSON array but are no JSON array of strings",
        "tags.too_many": "there are too many tags",
        "tags.too_long": "one of the tags is too long",
        "metadata.not_an_object": "the metadata are no JSON object",
        "metadata.too_large": "the metadata are too large",
        "with_auth_token.not_a_boolean": "withAuthToken is neither true nor false",
        "body.too_large": "the whole request is too large",
        "role.unknown": "the app has no such role (known only in a run, from the API)",
    }
)
"""Code of a defect → what it means, in the order in which the defects of a row are reported."""
