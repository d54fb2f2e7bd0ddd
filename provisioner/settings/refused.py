"""What is said of a setting that was refused: how a line is written that lacks its quotes, and never a secret."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Final

from provisioner.errors import ConfigurationError
from provisioner.logs.masking import MASK
from provisioner.roster.database.address import NO_PASSWORD, WEB, holds_password, parse_address
from provisioner.settings.secretfile import looks_like_key

NO_PLACE: Final = "a key does not belong in a config file: set COMETCHAT_API_KEY, or name a file in api_key_file"

# A line `key = value`, a key that needs no quotes, and a value that does: a text, a template, a number with a unit.
_LINE: Final = re.compile(r"""\s*(?P<key>"[^"]*"|'[^']*'|[^"'=\[\]{}#]+?)\s*=\s*(?P<value>[^#]*?)\s*(?:#.*)?""")
_TABLE: Final = re.compile(r"\s*\[+\s*([^\].\s]*)")
_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*")
_UNQUOTED: Final = re.compile(r"""[^\W\d][^"'\[\]{}]*|\{[^"'=]*|[\d.]+\s*[A-Za-z%][^"'\[\]{}]*|[a-z]+:[^"']*""")
_TRUTHS: Final = {"yes": "true", "on": "true", "true": "true", "no": "false", "off": "false", "false": "false"}

# What a key of the file is called whose value is a secret, misspelled or not; `tokens_to` is the name of a file.
_PASSWORD_KEY: Final = re.compile(r"passw|pwd", re.IGNORECASE)
_SECRET_KEY: Final = re.compile(r"api_?-?key|key\b|secret|credential|authoriz|bearer|token\b", re.IGNORECASE)
# The form of a key; a name of a column of that length has no digits among its letters, as a rule.
_KEY_LIKE: Final = re.compile(r"(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z0-9]{16,}")
# The keys of an app are forty hex digits; its id is sixteen letters and digits or so.
_KEY_OF_AN_APP: Final = r"[0-9a-f]{40,}"
_NAMED: Final = re.compile(r"(?:key|secret|token|passw\w*|pwd)\s*[=:]", re.IGNORECASE)
# All that may be a password, which may hold any character, an @ too; and one before which no // stands.
_USER: Final = re.compile(r"(//).*@|(?<=['\"])(?:(?!//)[^'\"])*:(?:(?!//)[^'\"])*@", re.DOTALL)
_QUERY: Final = re.compile(r"(://[^?'\"]*)\?[^'\"]+")


def shown(text: str) -> str:
    """Show what was refused, without what may be secret in an address and what looks like a key."""
    text = _QUERY.sub(r"\1?***", _USER.sub(r"\1***@", text))
    return _KEY_LIKE.sub("***", text)


def without_key(text: str, key: str = "") -> str:
    """Mask in an app id or an address the key, if it looks like one or is all of it, and what can only be a key."""
    if key and text.casefold() == key.casefold():
        return MASK
    ours = [re.escape(key)] if looks_like_key(key) else []
    return re.sub("|".join([*ours, _KEY_OF_AN_APP]), MASK, text, flags=re.IGNORECASE)


def refuse_misplaced_key(given: Mapping[str, str | None], key: str = "") -> None:
    """Raise `ConfigurationError` when a key stands in an app id or an address.

    The name of a host is asked for in the clear, and a journal keeps it: nobody sends there, and nothing is made.
    given  what is given under which name
    key    the one that is set, however it looks
    """
    for name, text in given.items():
        if text and without_key(text, key) != text:
            what = "the API key itself" if key.casefold() in text.casefold() and key else "what can only be an API key"
            cure = "give the app id, which stands beside the key in the dashboard; the key belongs in COMETCHAT_API_KEY"
            raise ConfigurationError(f"{name}: {what} stands where the app id belongs; {cure}")


def check_address(given: str, origin: str) -> None:
    """Refuse an address that cannot be one, or that holds a password; raises ConfigurationError that quotes nothing."""
    try:
        parse_address(given)
    except ConfigurationError as error:
        raise ConfigurationError(f"{origin}: {error}") from None


def mended(text: str, message: str) -> str:
    """Say how a line is written that is no TOML for want of quotes, around its value or around its key.

    message  what the parser said of the text; the sentence begins with `; `, and is empty when the line lacks none
    """
    found = re.search(r"at line (\d+)", message)
    lines = text.split("\n")[: int(found[1])] if found else []
    parts = _LINE.fullmatch(lines[-1]) if lines else None
    if parts is None or shown(parts["key"]) != parts["key"]:
        return ""
    key, value = parts["key"], parts["value"]
    # In an address a # may be a part of it, and only what stands behind it tells that there is a password.
    whole = lines[-1].partition("=")[2].strip() if "://" in value else value
    if belongs_elsewhere := _elsewhere(key, whole, in_columns=_table(lines) == "columns"):
        return f"; {belongs_elsewhere}"
    if value.lower() in _TRUTHS:
        return f"; write {key} = {_TRUTHS[value.lower()]}" if value != _TRUTHS[value.lower()] else ""
    return _in_quotes(key, value, secret=_may_be_secret(key, whole))


def _table(lines: list[str]) -> str:
    """Give the first part of the name of the table that the last of these lines is in."""
    headers = [match[1] for line in lines if (match := _TABLE.match(line))]
    return headers[-1].strip("\"'") if headers else ""


def _elsewhere(key: str, value: str, *, in_columns: bool) -> str:
    """Say where a secret belongs that stands in the file; in `columns` a value is the name of a column."""
    if "://" in value and holds_password(value) and not WEB.match(value):
        return NO_PASSWORD
    if in_columns or "file" in key.lower():
        return ""
    if _PASSWORD_KEY.search(key):
        return NO_PASSWORD
    return NO_PLACE if _SECRET_KEY.search(key) else ""


def _in_quotes(key: str, value: str, *, secret: bool) -> str:
    bare = bool(_BARE_KEY.fullmatch(key)) or key[0] in "\"'"
    name = key if bare else json.dumps(key, ensure_ascii=False)
    unquoted = bool(_UNQUOTED.fullmatch(value))
    if bare and not unquoted:
        return ""
    if not secret:
        return f"; put it in quotes: {name} = {json.dumps(value, ensure_ascii=False) if unquoted else value}"
    what = [f"the key {key}"] * (not bare) + [f"the value of {key}"] * unquoted
    without = ", without a user name, a query or a fragment" if WEB.match(value) else ""
    return f"; put {' and '.join(what)} in quotes{without}"


def _may_be_secret(key: str, value: str) -> bool:
    """Tell it by the name of the key and by the form of the value: then the value is not repeated."""
    named = any(each.search(key) for each in (_PASSWORD_KEY, _SECRET_KEY)) or _NAMED.search(value)
    quoted = f"'{value}'"
    return bool(named) or holds_password(value) or shown(quoted) != quoted
