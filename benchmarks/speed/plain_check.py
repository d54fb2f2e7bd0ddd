"""The rules once more, as a tight loop of plain Python: what the validator's speed is compared with.

One pass, one set of uids, no function call of ours per cell, regular expressions made beforehand, JSON by orjson, and
a body only for a row without defects. It is generous to itself where that costs the validator time: numbers of a JSON
text may be rounded, blanks are those of `str.strip`, a defect is a code without words, and words for nothing, invisible
characters, the lists of other programs and the header once more are text like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

import orjson

COLUMNS: Final = ("uid", "name", "avatar", "link", "role", "statusMessage", "tags", "metadata", "withAuthToken")
"""The cells of a row, in this order; a missing one is the empty text or None."""

_NO_BLANK = r"\s\x00-\x1f\x7f-\x9f"
_URL: Final = re.compile(
    rf"[Hh][Tt][Tt][Pp][Ss]?://(?:[^/?#{_NO_BLANK}]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\\{_NO_BLANK}]+)(?::[0-9]*)?"
    rf"(?:[/?#][^{_NO_BLANK}]*)?"
)
_UID: Final = re.compile(r"[A-Za-z0-9-]+")
_ROLE: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")
_FALSE: Final = frozenset({"false", "no", "0", "f", "n"})
_BOOLEAN: Final = frozenset({"true", "yes", "1", "t", "y", "", *_FALSE})
_TOKEN_BYTES: Final = len(',"withAuthToken":true')


def judge(rows: Iterable[Sequence[str | None]]) -> Iterator[tuple[list[str], bytes]]:  # noqa: C901  (calls cost time)
    """Give the codes of each row's defects, and the body of a row that has none."""
    is_uid, is_url, is_role = _UID.fullmatch, _URL.fullmatch, _ROLE.fullmatch
    loads, dumps, fragment = orjson.loads, orjson.dumps, orjson.Fragment
    seen: set[str] = set()
    for uid, name, avatar, link, role, status, tags, metadata, wanted in rows:
        codes: list[str] = []
        body: dict[str, Any] = {}
        uid = uid.strip() if uid else ""
        name = name.strip() if name else ""
        if not uid:
            codes.append("uid.missing")
        if not name:
            codes.append("name.missing")
        if uid:
            if not is_uid(uid):
                codes.append("uid.charset")
            uid = uid.lower() if uid.isascii() else uid
            if len(uid) > 100:
                codes.append("uid.too_long")
            if uid in seen:
                codes.append("uid.duplicate")
            else:
                seen.add(uid)
            body["uid"] = uid
        if len(name) > 100:
            codes.append("name.too_long")
        body["name"] = name
        if avatar and (avatar := avatar.strip()):
            if len(avatar) > 3000:
                codes.append("avatar.too_long")
            body["avatar"] = avatar
        if link and (link := link.strip()):
            if len(link) > 3000:
                codes.append("link.too_long")
            body["link"] = link
        if avatar and not is_url(avatar):
            codes.append("avatar.not_a_url")
        if link and not is_url(link):
            codes.append("link.not_a_url")
        if role and (role := role.strip()):
            if not is_role(role):
                codes.append("role.charset")
            body["role"] = role.lower()
        if status and (status := status.strip()):
            body["statusMessage"] = status
        several: list[Any] = []
        if tags and (tags := tags.strip()):
            if tags[0] == "[":
                try:
                    given = loads(tags)
                except ValueError:
                    given = [0]
                if all(tag is None or type(tag) is str for tag in given):
                    several = [tag for item in given if item and (tag := item.strip())]
                else:
                    codes.append("tags.not_a_list")
            else:
                several = [tag for item in tags.split(";") if (tag := item.strip())]
            if len(several) > 25:
                codes.append("tags.too_many")
            if several and max(map(len, several)) > 100:
                codes.append("tags.too_long")
        if metadata and (metadata := metadata.strip()):
            try:
                value = loads(metadata)
                compact = dumps(value)
            except (ValueError, TypeError):  # the latter for what is nested too deep to be written
                value = None
            if type(value) is dict:
                if len(compact) > 5120:
                    codes.append("metadata.too_large")
                body["metadata"] = fragment(compact)
            else:
                codes.append("metadata.not_an_object")
        if several:
            body["tags"] = several
        wanted = wanted.strip().lower() if wanted else ""
        if wanted not in _BOOLEAN:
            codes.append("with_auth_token.not_a_boolean")
        if codes:
            yield codes, b""
            continue
        written = dumps(body)
        if len(written) + (0 if wanted in _FALSE else _TOKEN_BYTES) > 10240:
            yield ["body.too_large"], b""
        else:
            yield codes, written
