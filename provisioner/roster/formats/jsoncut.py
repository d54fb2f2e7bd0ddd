"""Cuts the users of a JSON text out of it, as they stand, without ever holding more of the text than one of them.

[{"uid": "a1"}, {"uid": "b2"}]                        an array of objects
{"total": 2, "users": [{"uid": "a1"}, …]}             one object with a single member that is an array of objects
{"uid": "a1"} {"uid": "b2"}                           objects one after the other, usually one a line
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from provisioner.errors import EmptyRosterError, RosterError
from provisioner.roster import jsonshapes
from provisioner.roster.encodings.readings import NotUtf8Error
from provisioner.roster.files.text import TextStream
from provisioner.roster.formats.ndjsonline import no_number
from provisioner.roster.jsonpages import Page
from provisioner.wording import json_error, shortened

MIB: Final = 1024 * 1024
LONGEST: Final = 64 * MIB
"""As many characters may be one value."""

_CHUNK: Final = MIB // 4
_LONGEST_TOKEN: Final = 16  # an error so near to the end of what was read may be none when more is read
_BLANKS: Final = re.compile(r"[ \t\r\n]*")


class _CutOffError(Exception):
    """The text ends where a value goes on."""


class JsonCutter:
    """The users of one JSON text, in order; `rows` of them there were so far; `page` is what is told of their list.

    is_row  tells by its keys whether an object is a user itself, and no wrapping round a list of them
    """

    def __init__(self, name: str, stream: TextStream, is_row: Callable[[list[str]], bool]) -> None:
        self.rows = 0
        self.page = Page(name, is_alone=True)
        self._name, self._stream, self._is_row = name, stream, is_row
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._text, self._at, self._bytes, self._last, self._ended = "", 0, 0, 0, False
        self._lines, self._lined = 0, 0  # that end before this place in the text
        self._begun = 1  # the line in which the last object begins

    def elements(self) -> Iterator[str]:
        """Give the text of each user on one line. Raises RosterError, with the row for what is none, OSError."""
        try:
            first = self._next()
            if first == "[":
                self._at += 1
                yield from self._array()
                self._end()
            elif first == "{":
                yield from self._objects()
            else:
                what = f"it begins with {self._found()}" if first else "it holds nothing but blanks"
                kind = RosterError if first else EmptyRosterError
                raise kind(
                    f"{self._name} is no JSON: {what}; a .json roster is an array of objects, an object with such an "
                    "array, or one object a line"
                )
        except _CutOffError:
            where = f"it ends behind row {self.rows}" if self.rows else "what begins in it has no end"
            raise RosterError(f"{self._name} is cut off: {where}; fetch or copy it again") from None

    def _objects(self) -> Iterator[str]:
        """Give objects one after the other, or the users that a single one wraps."""
        whole = self._first()
        if whole is None:
            yield from self._wrapped()
            return
        value, text = whole
        self._begun = self._line()
        self._at += len(text)
        if not self._next() and (what := jsonshapes.other_shape(value, self._is_row)) is not None:
            raise RosterError(f"{self._name}: {what}")
        may_wrap = len(text) > MIB or any(isinstance(each, list) for each in value.values())
        if not self._next() and may_wrap and not self._is_row([*value]):
            self._lines, self._lined = self._begun - 1, 0
            self._text, self._at = text, 0  # nothing stands behind it, so there is nothing to be lost
            yield from self._wrapped()
            return
        yield self._counted(text)
        while first := self._next():
            if first == ",":
                self._fail(jsonshapes.UNWRAPPED)
            yield self._counted(self._object(first))

    def _first(self) -> tuple[dict[str, object], str] | None:
        """Read the first object, and its text; None where it goes on in its list of users, or is too long."""
        most = MIB
        while (whole := self._value(most)) is None and most < LONGEST:
            keys = jsonshapes.keys_before_list(self._text[self._at :])
            if keys is not None and not self._is_row(keys):
                return None
            most *= 2
        return whole

    def _wrapped(self) -> Iterator[str]:
        """Give the elements of the one member that is an array of objects, whatever stands before and behind it."""
        arrays: list[str] = []
        others: list[str] = []
        keys: list[str] = []
        kept: dict[str, object] = {}
        page, first = Page(self._name), ""
        self._at += 1
        while self._next() != "}":
            key = self._key()
            keys.append(key)
            if self._next() != "[":
                value, _ = self._take()
                page.note(key, value)
                if not arrays and self._bytes <= LONGEST:
                    kept[key] = value
            elif (other := self._other_array(key)) is not None:
                others.append(other)
                page.note(key, other)
            else:
                arrays.append(key)
                kept.clear()
                if len(arrays) > 1:
                    raise RosterError(f"{self._name}: {jsonshapes.either(*arrays)}")
                for text in self._array():
                    first = first or text
                    yield text
            self._separator("}", "a member")
        self._at += 1
        self._refuse_both(keys, arrays, first)
        self._end()
        if not arrays:
            self._refuse_without_list(others, kept if self._bytes <= LONGEST else None)
        self.page = page

    def _refuse_without_list(self, others: list[str], kept: dict[str, object] | None) -> None:
        """Refuse an object without a list of objects, unless it has `others` and all of them are empty."""
        if what := next(filter(None, others), None):
            self._fail(what)
        if not others:
            raise RosterError(f"{self._name}{jsonshapes.no_list(kept, self._is_row)}")
        if kept is not None and (what := jsonshapes.other_shape(kept, self._is_row)) is not None:
            raise RosterError(f"{self._name}: {what}")

    def _refuse_both(self, keys: list[str], arrays: list[str], first: str) -> None:
        """Refuse an object that is a user by its keys as those in its list are; the first of them tells."""
        if first and self._is_row(keys) and self._is_row([*jsonshapes.whole_value(first)[0]]):
            raise RosterError(f"{self._name}: {jsonshapes.both_users(arrays)}")

    def _counted(self, text: str) -> str:
        """Count a user, whose text goes on one line: within a text no line ends."""
        if (word := no_number(text)) is not None:
            self._fail(f"{shortened(text)} holds {word}, which is no JSON; write null for it", self._begun)
        self.rows += 1
        if "\n" not in text and "\r" not in text:
            return text
        return " ".join(filter(None, map(str.strip, text.replace("\r", "\n").split("\n"))))

    def _key(self) -> str:
        if self._expected() != '"':
            self._fail(f"{shortened(self._excerpt())} where the name of a member is expected{self._mend()}")
        key = str(self._take()[0])
        if self._expected() != ":":
            self._fail(f"no : behind {shortened(key)}")
        self._at += 1
        return key

    def _take(self) -> tuple[dict[str, object], str]:
        """Read a value and go past it; give it, and its text."""
        found = self._value(LONGEST)
        if found is None:
            self._fail(f"a value is longer than {LONGEST // MIB} MiB")
        self._at += len(found[1])
        return found

    def _other_array(self, key: str) -> str | None:
        """Go into a list, and past it where it holds no objects: what its first element is; nothing for an empty one.

        Null for a list of objects, and for an empty one that is called what people are.
        """
        self._at += 1
        first = self._expected()
        is_of_people = key.casefold() in jsonshapes.PEOPLE
        if first == "{" or (first == "]" and is_of_people):
            return None
        what = "" if first == "]" else self._no_object(f" of {shortened(key)}")
        if what and is_of_people:
            self._fail(what)
        while self._next() != "]":
            self._take()
            self._separator("]", f"an element of {shortened(key)}")
        self._at += 1
        return what

    def _separator(self, end: str, what: str) -> bool:
        """Go past a comma, or up to the end of what holds it, and tell which: whether it goes on."""
        separator = self._expected()
        if separator == ",":
            self._at += 1
        elif separator != end:
            self._fail(f"neither , nor {end} follows {what}, but {self._found()}")
        return separator == ","

    def _no_object(self, of: str = "") -> str:
        return f"element{of} {shortened(self._excerpt())} is {jsonshapes.no_object(self._excerpt())}"

    def _array(self) -> Iterator[str]:
        """Give the objects of a list, from its first element on."""
        goes_on = self._next() != "]"
        while goes_on:
            yield self._counted(self._object(self._expected()))
            goes_on = self._separator("]", "an object")
        self._at += 1

    def _object(self, first: str) -> str:
        """Go past the next element, which has to be an object, and give its text."""
        if first == "]":
            self._fail("no object follows the comma; take that comma away")
        if first != "{":
            self._fail(f"{self._no_object()}{self._mend()}")
        self._begun = self._line()
        return self._take()[1]

    def _value(self, at_most: int) -> tuple[dict[str, object], str] | None:
        """Read the value that begins here, and its text; None when it is longer than that many characters."""
        while True:
            try:
                value, end = jsonshapes.whole_value(self._text, self._at)
                # A number may go on in what has not been read.
                if end < len(self._text) or not self._more():
                    return value, self._text[self._at : end]
            except RecursionError:
                self._fail("objects or lists that are nested too deeply")
            except json.JSONDecodeError as error:
                if self._is_broken(error):
                    known = self._mend(error.pos) or "; write the file with a program's JSON encoder, such as json.dump"
                    self._fail(f"{shortened(self._excerpt())} is no JSON ({json_error(error)}){known}")
                if len(self._text) - self._at > at_most:
                    return None
                self._more(len(self._text) - self._at)

    def _is_broken(self, error: json.JSONDecodeError) -> bool:
        """Tell a value that is wrong from one that only has not been read to its end."""
        goes_on = error.msg.startswith("Unterminated string")
        if not self._ended:
            return not goes_on and len(self._text) - error.pos > _LONGEST_TOKEN
        if goes_on or error.pos >= len(self._text.rstrip()):
            raise _CutOffError
        return True

    def _next(self) -> str:
        """Go to the next character that is no blank and give it; nothing at the end."""
        while True:
            match = _BLANKS.match(self._text, self._at)
            self._at = match.end() if match else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _expected(self) -> str:
        """Go to the next character that is no blank, where the text may not end, and give it."""
        if not (found := self._next()):
            raise _CutOffError
        return found

    def _more(self, size: int = 0) -> bool:
        """Read on, at least so much; what lies before is let go. False at the end."""
        data = b"" if self._ended else self._stream.read(max(_CHUNK, size))
        self._last = len(data)
        try:
            read = self._decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            place = f"{self._name}: behind row {self.rows}{self._byte(error)}: "
            raise NotUtf8Error.at(place, bytes(error.object), error.start) from None
        self._bytes += len(data)
        self._ended = self._ended or not data
        self._line()
        self._text, self._at, self._lined = self._text[self._at :] + read, 0, 0
        return bool(data)

    def _byte(self, error: UnicodeDecodeError) -> str:
        """Say where in the file a byte is; what the decoder kept of the chunk before belongs to its object."""
        start = self._stream.origin
        pending = len(error.object) - self._last
        return "" if start is None else f" (byte {start + self._bytes - pending + error.start})"

    def _end(self) -> None:
        if self._next():
            mend = self._mend() or "; take it away, or write all users in one list"
            self._fail(f"{shortened(self._excerpt())} stands behind the end of the users{mend}")

    def _excerpt(self) -> str:
        return self._text[self._at : self._at + 60]

    def _found(self) -> str:
        """Show what stands here, with what to do about it where that is known."""
        return f"{shortened(self._excerpt())}{self._mend()}"

    def _mend(self, at: int | None = None) -> str:
        known = jsonshapes.slip(self._text, self._at if at is None else at)
        return f"; {known}" if known else ""

    def _line(self) -> int:
        # Counted on from the last time: each row asks, and a text holds thousands of them.
        self._lines += self._text.count("\n", self._lined, self._at)
        self._lined = self._at
        return self._lines + 1

    def _fail(self, what: str, line: int | None = None) -> NoReturn:
        raise RosterError(f"{self._name}: row {self.rows + 1} (line {line or self._line()}): {what}") from None
