"""What a file is whose lines are no JSON objects, and what to do about it: told when it cannot be read."""

from __future__ import annotations

import ast
import json
import re
from pathlib import PurePath
from typing import Final

from provisioner.errors import RosterError
from provisioner.roster.files.archive import Member
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.origin import Origin
from provisioner.roster.formats.jsonfile import read_to_end
from provisioner.roster.formats.ndjsonfile import NdjsonRoster, NotAnObjectError, open_ndjson
from provisioner.roster.formats.ndjsonline import no_number, parsed
from provisioner.roster.jsonshapes import slip, whole_value
from provisioner.wording import counted, shortened

_PYTHON: Final = re.compile(r"\{\s*'|\{.*:\s*(?:None|True|False)\s*[,}]")
_LONGEST_PYTHON: Final = 1024 * 1024
_BYTE_ORDER_MARK: Final = "\ufeff"
_SEPARATORS: Final = re.compile(r"[,;\t|]")
_JSON: Final = re.compile(r"[\[{\"\d-]|true|false|null")


def open_lines(origin: Origin, codec: str | None, limit: int | None = None) -> NdjsonRoster:
    """Open an NDJSON file; see `open_ndjson`. Raises RosterError, for what is another kind of file with what it is."""
    try:
        return open_ndjson(origin, codec, limit)
    except NotAnObjectError as error:
        what = what_it_is(error.line, origin, codec)
        if what is None:
            raise
        raise RosterError(f"{error.place}: {shortened(error.line)}: {what}") from None


def what_it_is(line: str, origin: Origin, codec: str | None) -> str | None:
    """Say what a file is, and how it can be read, by the line that is no JSON object; None when nobody knows."""
    if line.startswith(_BYTE_ORDER_MARK) and _is_object(line.removeprefix(_BYTE_ORDER_MARK)):
        return "a byte order mark stands before the object, as in files that were put together; take it away"
    if _PYTHON.match(line) and _is_python(line):
        return "it is a Python dict, no JSON; write each with json.dumps"
    if line.startswith("{") and line.endswith(",") and _is_object(line[:-1]):
        return (
            "a comma stands behind the object; take it away (in all lines: sed 's/,$//'), or make a JSON array of them"
        )
    if (word := _no_number(line)) is not None:
        return f"it holds {word}, which is no JSON; write null for it"
    if line.startswith(("{", "[")):
        return _other_json(line, origin, codec) or _slip(line)
    if not _JSON.match(line) and _SEPARATORS.search(line):
        return f"this looks like a CSV; if it is one, {_rename(origin, '.csv')}"
    return _slip(line)


def _slip(line: str) -> str | None:
    """Say what a person wrote that is no JSON, and what to do."""
    try:
        json.loads(line, parse_int=str)
    except json.JSONDecodeError as error:
        return slip(line, error.pos)
    except RecursionError:
        return None
    return None


def _is_object(line: str) -> bool:
    try:
        parsed(line)
    except ValueError:
        return False
    return True


def _is_python(line: str) -> bool:
    """Tell a dict as Python writes it, of which `json.dumps` makes JSON."""
    if len(line) > _LONGEST_PYTHON:
        return False
    try:
        return _is_object(json.dumps(ast.literal_eval(line)))
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False


def _no_number(line: str) -> str | None:
    try:
        return no_number(line)
    except (ValueError, RecursionError):
        return None


def _other_json(line: str, origin: Origin, codec: str | None) -> str | None:
    """Try whether it is read under the name of a JSON text, which may be an array, and objects over several lines."""
    try:
        users = read_to_end(origin, codec)
    except (RosterError, OSError):
        return None
    form = "a JSON array" if line.startswith("[") else "objects that go over several lines"
    if _is_whole(line):
        form = "objects of which several stand on one line"
    cure = f"{_rename(origin, '.json')}, which gives {counted(users, 'row')}"
    return f"the file is {form}, no object a line; {cure}"


def _is_whole(line: str) -> bool:
    """Tell whether a line begins with an object that ends in it."""
    try:
        return isinstance(whole_value(line)[0], dict)
    except (ValueError, RecursionError):
        return False


def _rename(origin: Origin, suffix: str) -> str:
    """Say how the file gets another suffix, before that of its compression."""
    inner = origin.packed if isinstance(origin, Compressed) else origin
    name = PurePath(inner.member if isinstance(inner, Member) else inner.name)
    packed = name.suffix if isinstance(origin, Compressed) else ""
    archive = "unpack the archive and " if isinstance(inner, Member) else ""
    return f"{archive}rename it to {PurePath(name.name.removesuffix(packed)).stem}{suffix}{packed}"
