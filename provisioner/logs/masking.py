"""Secrets in texts: found however they are written, in a part as well, and put out of sight."""

from __future__ import annotations

import base64
import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from itertools import takewhile
from typing import Any, Final, TypeAlias

Event = MutableMapping[str, Any]

MASK: Final = "***"
# Members that hold a secret by their name, in whatever spelling.
_SECRET_NAMES: Final = re.compile(r"(api_?key|auth_?token|authorization|password|secret)", re.IGNORECASE)
# Members of an event that hold words of ours alone, which a secret that is as short and plain as they are hides from
# whoever reads the log by machine: what they say is known anyway.
_OURS: Final = frozenset({"event", "level", "timestamp"})
_EVENT: Final = re.compile(r"[a-z_]+(?:\.[a-z_]+)+")
_STOPPED: Final = frozenset({"run.stopped", "sync.refused"})
"""Events whose `reason` is one stable word, see `provisioner.stop.Stop`; in others it may be what a server has said."""
# The documented form of an auth token: uid, underscore, ten digits of seconds, thirty hex digits.
_TOKEN: Final = re.compile(r"_\d{10}[0-9a-f]{30}")

# Of a secret at least twice as long, so many characters in a row are as good as a part of it; fewer, such as the last
# four that servers like to show, are of no use to anybody, and would be found in much that is no secret.
_PART: Final = 8
# As long as a key at least: what is shorter may be a word, and stands in uids and names by chance.
_UNMISTAKABLE: Final = 20
# How deep an answer is looked into; no message of an API goes half as far.
_DEEPEST: Final = 32
# How a character is written in JSON (escaped once or again), in an address and in HTML; nothing in it repeats without
# bound, so that no text is slow to read.
_ESCAPE: Final = re.compile(
    r"(?:\\{1,8}u\{?0{0,4}|\\{1,8}x|%(?:25){0,4}|&(?:amp;){0,4}#x0{0,6})([0-9a-f]{2})[};]?"
    r"|&(?:amp;){0,4}#0{0,6}([0-9]{2,3});?",
    re.IGNORECASE,
)

# A letter, digit or sign that nobody has to escape in JSON, escaped all the same.
_ESCAPED_ASCII: Final = re.compile(rb"\\u00[2-7]")

_Span: TypeAlias = tuple[int, int]


class Secret:
    """What stands in no text, whole or eight characters of it in a row: in any case, escaped, in hex or base64.

    `unmistakable`: where it stands, it stands for itself. Any other is not looked for in what is compared: masked, the
    users of an app would be others, and nobody could be told by a uid.
    """

    def __init__(self, value: str) -> None:
        self.unmistakable = len(value) >= _UNMISTAKABLE
        least = _PART if len(value) >= 2 * _PART else len(value)
        self._forms = [_Form(value, least)] if value else []
        # What is shorter than a part has codes so short that they would be found anywhere.
        if len(value) >= _PART:
            raw = value.encode(errors="surrogateescape")
            self._forms.append(_Form(raw.hex(), 2 * least))
            self._forms += [_Form(coded, (8 * least - 4) // 6) for coded in _base64(raw)]
        self._pieces = tuple(dict.fromkeys(piece for form in self._forms for piece in form.pieces))
        spelled = {value, value.lower(), value.upper()} - {""}
        self._spelled = [each.encode(errors="surrogateescape") for each in spelled]

    def may_stand_in(self, raw: bytes) -> bool:
        """Look for it in JSON, quickly: as it is, in small or capital letters, or escaped; in no other code."""
        return any(map(raw.__contains__, self._spelled)) or (b"\\u00" in raw and bool(_ESCAPED_ASCII.search(raw)))

    def masked(self, text: str) -> str:
        """Mask it in a text; a part of it as far as it goes."""
        if "\\" in text or "%" in text or "&" in text:
            text = self._without(text, *_unescaped(text))
        return self._without(text, text, range(len(text) + 1))  # a secret may itself look escaped

    def masked_in(self, value: Any, depth: int = _DEEPEST) -> Any:
        """Mask it in every text of what was JSON, names of members included; what lies too deep is masked whole."""
        match value:
            case str():
                return self.masked(value)
            case dict() | list() if not depth:
                return MASK
            case dict():
                return {self.masked(name): self.masked_in(each, depth - 1) for name, each in value.items()}
            case list():
                return [self.masked_in(each, depth - 1) for each in value]
            case _:
                return value

    def _without(self, text: str, characters: str, starts: Sequence[int]) -> str:
        """Mask it in a text that reads as these characters, each of which starts there in the text."""
        lowered = _lowered(characters)
        if not any(map(lowered.__contains__, self._pieces)):  # nearly always, and there may be a text for each row
            return text
        spans = sorted(span for form in self._forms for span in form.spans(lowered))
        kept: list[_Span] = []
        for begin, end in spans:
            if kept and begin < kept[-1][1]:
                kept[-1] = (kept[-1][0], max(end, kept[-1][1]))
            else:
                kept.append((begin, end))
        for begin, end in reversed(kept):
            text = text[: starts[begin]] + MASK + text[starts[end] :]
        return text


class _Form:
    """One way in which a secret is written, in whatever case.

    least  so many characters of it in a row are a part that is to be masked
    """

    def __init__(self, value: str, least: int) -> None:
        self._value, self._least = _lowered(value), min(least, len(value))
        # However a part lies, it holds one of these pieces as a whole.
        size = (self._least + 1) // 2 if self._least < len(value) else len(value)
        starts = range(0, len(value) - size + 1, self._least - size + 1)
        self.pieces = tuple(dict.fromkeys(self._value[start : start + size] for start in starts))

    def spans(self, text: str) -> Iterator[_Span]:
        """Say from where to where it, or a part of it, stands in a text of small letters."""
        for piece in self.pieces:
            at = text.find(piece)
            while at >= 0:
                begin, end = self._reach(text, at, piece)
                if end - begin >= self._least:
                    yield begin, end
                at = text.find(piece, end)

    def _reach(self, text: str, at: int, piece: str) -> _Span:
        """Say from where to where a text is as the secret is around this piece, wherever in the secret that stands."""
        value = self._value
        left, right = text[max(at - len(value), 0) : at][::-1], text[at : at + len(value)]
        reaches = [
            (at - _alike(value[:start][::-1], left), at + _alike(value[start:], right))
            for start in range(len(value) - len(piece) + 1)
            if value.startswith(piece, start)
        ]
        return max(reaches, key=lambda reach: reach[1] - reach[0])


def _base64(raw: bytes) -> list[str]:
    """Give what every base64 text that holds these bytes has of them, in both alphabets, wherever they begin in it."""
    found = []
    for before, begin in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(bytes(before) + raw).decode()[begin : (len(raw) + before) * 8 // 6]
        found += [coded, coded.replace("+", "-").replace("/", "_")]
    return list(dict.fromkeys(found))


def _unescaped(text: str) -> tuple[str, list[int]]:
    """Give the characters that a text has when its escapes are read, and where each starts in it, its end included."""
    characters: list[str] = []
    starts: list[int] = []
    done = 0
    for escape in _ESCAPE.finditer(text):
        begin, (digits, decimal) = escape.start(), escape.groups()
        characters += [text[done:begin], chr(int(digits, 16) if digits else int(decimal))]
        starts += range(done, begin + 1)
        done = escape.end()
    return "".join([*characters, text[done:]]), [*starts, *range(done, len(text) + 1)]


def _lowered(text: str) -> str:
    """Give a text in small letters, each where it was."""
    lowered = text.lower()
    return lowered if len(lowered) == len(text) else "".join(each.lower()[0] for each in text)


def _alike(one: str, other: str) -> int:
    """Count how many characters two texts begin with that are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


class Redactor:
    """A structlog processor that masks secrets in every value, nested ones and tracebacks included.

    secrets  values to be masked wherever they stand, and long parts of them
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = [Secret(secret) for secret in secrets]

    def __call__(self, _logger: object, _method: str, event: Event) -> Event:
        """Mask one event of ours, but for its name and what else is said in words of ours alone."""
        name = str(event.get("event"))
        ours = (_OURS if _EVENT.fullmatch(name) else frozenset()) | ({"reason"} if name in _STOPPED else set())
        return self._members(event) | {each: event[each] for each in ours & event.keys()}

    def mask(self, value: Any) -> Any:
        """Mask one value."""
        match value:
            case None | bool() | int() | float():
                return value
            case Mapping():
                return self._members(value)
            case tuple() if hasattr(value, "_asdict"):
                return self._members(value._asdict())
            case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
                names = [field.name for field in dataclasses.fields(value)]
                return self._members({name: getattr(value, name) for name in names})
            case list() | tuple() | set() | frozenset():
                return [self.mask(each) for each in value]
            case _:
                return self.mask_text(str(value))

    def _members(self, members: Mapping[Any, Any]) -> dict[str, Any]:
        return {
            self.mask_text(str(key)): MASK if _SECRET_NAMES.search(str(key)) else self.mask(value)
            for key, value in members.items()
        }

    def mask_text(self, text: str) -> str:
        """Mask a text."""
        for secret in self._secrets:
            text = secret.masked(text)
        return _TOKEN.sub("_" + MASK, text)
