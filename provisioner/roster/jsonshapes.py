"""What JSON is that does not mean what it seems to: no list of users, a part of one, a key twice, or nearly JSON.

Of a key that comes twice most programs take the last value, some the first, and none says so. It is looked for only
where a text has more ends of keys than what was made of it has keys.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from provisioner.wording import shortened

PEOPLE: Final = frozenset({"users", "people", "persons", "members", "employees", "accounts", "contacts", "students"})
"""What a list of the users is called; one that is called so is no other list."""

# What services call the list of what was asked for.
_RESULTS: Final = frozenset({"hits", "items", "results", "data", "records", "rows", "nodes", "value", "resources"})
UNWRAPPED: Final = (
    "a comma stands between the objects, as in an array without its brackets; take all such commas away, or put [ "
    "before the first object and ] behind the last, with no comma there"
)
"""Why objects one after the other cannot be read, and what helps."""
_LISTED: Final = "write them as a list, such as with "

END_OF_KEY: Final = r'(?:[^\\]|\\\\)"\s*:'
"""Matches the end of a key, or what looks like one within a string. An escaped quote, as JSON in a string has, is none.

A text has at least as many of them as members, those further in too.
"""

_SEEN: Final = 200
_KINDS: Final = {"[": "a list", '"': "a text"} | dict.fromkeys("-0123456789", "a number")
_WORDS: Final = frozenset({"true", "false", "null"})
_SURPLUS_COMMA: Final = re.compile(r",?\s*([}\]])")
_PLAIN_KEY: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
_WORD: Final = re.compile(r"[A-Za-z_$][\w$-]*")
_MEMBER: Final = re.compile(r'\s*[{,]\s*("(?:[^"\\]|\\.)*+")\s*:\s*')
_LIST_OF_OBJECTS: Final = re.compile(r"\[\s*\{")

whole_value = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode
"""Reads the value that begins at a place of a text. Numbers stay text: Python refuses those of over 4300 digits."""


def slip(text: str, at: int) -> str | None:
    """Say what a person wrote where a text is no JSON any more, and what to do; None for what is not known.

    [{"a": 1},]   {"a": 1} // note   {'a': 1}   {a: True}
    """
    before, rest = text[max(0, at - _SEEN) : at].rstrip()[-1:], text[at : at + _SEEN].lstrip()
    if rest.startswith(("//", "/*", "#")):
        return "JSON has no comments; take all of them away"
    if (end := _SURPLUS_COMMA.match(rest)) and (before == "," or rest.startswith(",")):
        return f"a comma stands before {end[1]} with nothing between them; take it away"
    if rest.startswith("'"):
        return "its quotes are single; JSON has double quotes around keys and texts"
    if rest.startswith(("\u201c", "\u201d", "\u201e")):
        return "its quotes are typographic; JSON has straight quotes around keys and texts"
    word = _WORD.match(rest)
    if word and word[0] in {"True", "False", "None"}:
        return f"{word[0]} is Python; JSON has true, false and null"
    is_value = word and word[0] in _WORDS and not rest[word.end() :].lstrip().startswith(":")
    if word and not is_value and before in {"{", "[", ",", ":"}:
        return f"{shortened(word[0])} stands without quotes; JSON has double quotes around keys and texts"
    return None


def no_object(text: str) -> str:
    """Say what a text begins with where an object is expected and none begins."""
    word = _WORD.match(text)
    kind = word[0] if word and word[0] in _WORDS else _KINDS.get(text[:1])
    return f"{kind}, no object" if kind else "no JSON"


def other_shape(value: dict[str, Any], is_row: Callable[[list[str]], bool]) -> str | None:
    """Say how the users stand in an object that is no user or has no list of them; None when nobody knows.

    {"uid": {"0": "a1"}, "name": {"0": "Ann"}}       by columns
    {"a1": {"uid": "a1", "name": "Ann"}}             each under a key of its own
    {"users": {"a1": {"name": "Ann"}}}               each under its uid
    {"users": null}                                  in no list where there should be one
    {"data": {"users": [{"uid": "a1"}]}}             in a list further in, perhaps beside an empty one
    {"uid": "g", "name": "Group", "users": [{…}]}    in a list, or it is one itself: not clear
    """
    members, keys = list(value.values()), [*value]
    by_columns = is_row(keys) and all(isinstance(each, dict | list) for each in members)
    if by_columns or _is_split(value):
        return "it is a table by columns, as pandas writes it; write it with orient='records'"
    if is_row(keys):
        return next((both_users(path) for path, list_ in _lists(value) if _any_row(list_, is_row)), None)
    if none := [key for key, each in value.items() if key.casefold() in PEOPLE and each in (None, {})]:
        return f"its {shortened(none[0])} holds nothing, and is no list; fetch it again, or write [] if there is nobody"
    lists = {key: each for key, each in value.items() if isinstance(each, list)}
    if any(each or key.casefold() in PEOPLE | _RESULTS for key, each in lists.items()):
        return None
    objects = {key: each for key, each in value.items() if isinstance(each, dict)}
    if objects and len(objects) == len(value) and all(is_row([*each]) for each in objects.values()):
        return f"each user stands under a key of its own; {_LISTED}jq '[.[]]'"
    further = [
        path for path, list_ in _lists(value) if path[-1].casefold() in PEOPLE | _RESULTS and _are_objects(list_)
    ]
    if len(further) != 1:
        return None if lists else _under_uids(value)  # an empty list, such as of errors, says nothing
    path = ".".join(further[0])
    way = _way(further[0])
    return f"the list of users is further in, at {shortened(path)}; write it alone, such as with jq '{way}'"


def both_users(path: Sequence[str]) -> str:
    """Say that an object could be the user as well as those in its list at a path of members, with both ways out."""
    return (
        f"it is one object with the columns of a user, and its list {shortened('.'.join(path))} holds such objects "
        f"too, so it is not clear which are the users; write the list alone, such as with jq '{_way(path)}', or put [ "
        "before the object and ] behind it where it is the user"
    )


def either(one: str, other: str) -> str:
    """Say that either of two lists may hold the users; all else is to stay, for it may say that there are more pages.

    users, links   fields, employees   data, order      jq 'del(.links)'   'del(.fields)'   'del(.order)'
    """
    surplus = one if one.casefold() not in PEOPLE | _RESULTS else other
    return (
        f"{shortened(one)} and {shortened(other)} are lists both, so it is not clear which holds the users; take the "
        f"other out of the object and leave all else in it, such as with jq 'del({_way([surplus])})'"
    )


def keys_before_list(text: str) -> list[str] | None:
    """Give the keys of an object that is cut off within a list of objects, that of the list last; None elsewhere.

    {"total": 2, "users": [{"uid":      total, users
    {"uid": "a1", "about": "I am        None
    """
    keys: list[str] = []
    at = 0
    while match := _MEMBER.match(text, at):
        keys.append(json.loads(match[1]))
        try:
            _, at = whole_value(text, match.end())
        except json.JSONDecodeError:
            return keys if _LIST_OF_OBJECTS.match(text, match.end()) else None
    return None


def no_list(whole: dict[str, Any] | None, is_row: Callable[[list[str]], bool]) -> str:
    """Say of an object without a list of users at its top where they are; null for one that was not kept whole."""
    if whole is not None and (what := other_shape(whole, is_row)) is not None:
        return f": {what}"
    return (
        " is one object, and none of its members is a list; a .json roster is an array of objects, an object with such "
        "an array, or one object a line; where the list is further in, write it alone, such as with jq "
        f"'.data.users' for users in data; where users stand under their uids, {listed()}"
    )


def _way(path: Sequence[str]) -> str:
    """Write a path of members as jq has it."""
    way = "".join(f".{each}" if _PLAIN_KEY.fullmatch(each) else f"[{json.dumps(each)}]" for each in path)
    return way if way.startswith(".") else f".{way}"


def _lists(value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Give the lists in an object, and in the objects in it however deep, each with its path; the next ones first."""
    inner: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), value)]
    for path, each in inner:  # grows while it is gone through, for recursion has an end before nesting has
        for key, member in each.items():
            if isinstance(member, list):
                yield (*path, key), member
            elif isinstance(member, dict):
                inner.append(((*path, key), member))


def _any_row(values: list[Any], is_row: Callable[[list[str]], bool]) -> bool:
    return any(isinstance(each, dict) and is_row([*each]) for each in values)


def _is_split(value: dict[str, Any]) -> bool:
    """Tell a table of names and rows, with an index or without; a list of objects called `data` is one of users."""
    rows = value.get("data")
    return value.keys() - {"index"} == {"columns", "data"} and isinstance(rows, list) and not _are_objects(rows)


def _under_uids(value: dict[str, Any]) -> str | None:
    """Say how to write users as a list that stand under their uids, at the top or in the only member.

    They are told by a key that all of them have, and that holds no object or list.
    """
    path = next(iter(value)) if len(value) == 1 else None
    users = value[path] if path is not None else value
    if not isinstance(users, dict) or len(users) < 1 + (path is None) or not _are_objects(list(users.values())):
        return None
    plain = [{key for key, each in user.items() if not isinstance(each, dict | list)} for user in users.values()]
    if not set.intersection(*plain):
        return None
    return f"each user stands under its uid, as Firebase exports them; {listed(path)}"


def listed(member: str | None = None) -> str:
    """Say how to make a list of users that stand under their uids, at the top or in a member."""
    inner = "" if member is None else f".[{json.dumps(member)}] | "
    return f"{_LISTED}jq '[{inner}to_entries[] | .value + {{uid: .key}}]'"


def _are_objects(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(each, dict) for each in values)


def key_twice(text: str, value: dict[str, Any], ends: int | None) -> str | None:
    r"""Name a key that comes twice in one object of a text; None when there is none.

    value  what was made of it, each key once
    ends   how often `END_OF_KEY` is in it; null when nobody has counted

    {"a":1,"b":{"c":1}}    three ends, three keys     None
    {"a":":","\":":1}      as many, whatever is in it  None
    {"a":1,"a":2}          two ends, one key          a

    Raises RecursionError for what is nested too deeply.
    """
    if ends == len(value) or ends == keys_within(value):
        return None
    return next(iter(repeated(text)), None)


def keys_within(value: Any) -> int:
    """Count the keys of an object or list, and of all those within it."""
    if isinstance(value, dict):
        return len(value) + sum(keys_within(item) for item in value.values() if isinstance(item, dict | list))
    return sum(keys_within(item) for item in value if isinstance(item, dict | list))


def repeated(value: str | bytes) -> list[str]:
    """Name the keys of a JSON text that come twice in one of its objects."""
    found: list[str] = []

    def look(members: list[tuple[str, Any]]) -> None:
        if len({key for key, _ in members}) < len(members):
            found.extend(key for key, times in Counter(key for key, _ in members).items() if times > 1)

    json.loads(value, object_pairs_hook=look, parse_int=str, parse_float=str)
    return found
