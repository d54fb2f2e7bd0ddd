"""The parts of an .xlsx file, a zip archive of XML: which sheets there are, the texts they share, their formats.

Parts are read as a stream, so their size does not matter, and what a spreadsheet program never writes into them, a
document type and its entities, is refused and not followed.
"""

from __future__ import annotations

import posixpath
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from xml.parsers import expat
from zipfile import BadZipFile, ZipFile

from provisioner.errors import RosterError
from provisioner.roster.workbook.formats import NumberFormat, built_in, number_format

CHUNK: Final = 128 * 1024
_LONGEST_TEXT: Final = 4 * 1024 * 1024  # in characters; a cell has room for 32,767
_SPREADSHEET: Final = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_BOOK: Final = "officeDocument"
_TABLE: Final = "worksheet"
_ESCAPED: Final = re.compile("_x([0-9A-Fa-f]{4})_")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

Attributes = dict[str, str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet of a workbook; `part` is where it stands in the archive, `is_table` false for a chart."""

    name: str
    part: str
    is_hidden: bool
    is_table: bool


class Related(NamedTuple):
    """What a part refers to: its kind (`worksheet`, `styles`, …) and where it stands in the archive."""

    kind: str
    part: str


@dataclass(slots=True)
class Package:
    """An open workbook. Whatever is wrong with it is a RosterError.

    sheets   in the order of their tabs
    texts    those that the sheets share
    formats  number of a cell's style → what it makes of a number
    """

    path: Path
    archive: ZipFile
    sheets: list[Sheet] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    formats: list[NumberFormat | None] = field(default_factory=list)

    def read(self, part: str, parser: Parser) -> None:
        """Feed a whole part into a parser."""
        for _ in self.feed(part, parser):
            pass

    def feed(self, part: str, parser: Parser) -> Iterator[None]:
        """Feed a part into a parser, a piece at a time."""
        member = self._members.get(part.lower())
        if member is None:
            raise RosterError(f"{self.path} cannot be read as a workbook: {part} is missing in it")
        with readable(self.path), self.archive.open(member) as stream:
            yield from parser.feed(stream)

    def related(self, part: str) -> dict[str, Related]:
        """Give what a part refers to; the whole file is the part without a name."""
        folder, name = posixpath.split(part)
        relations = posixpath.join(folder, "_rels", f"{name}.rels")
        if relations.lower() not in self._members:
            return {}
        parser = _RelationParser()
        self.read(relations, parser)
        found = {}
        for relation in parser.found:
            target = posixpath.join("/", folder, relation.get("Target", "").replace("\\", "/"))
            kind = relation.get("Type", "").rpartition("/")[2]
            found[relation.get("Id", "")] = Related(kind, posixpath.normpath(target).lstrip("/"))
        return found

    @property
    def _members(self) -> Mapping[str, str]:
        """Part, in small letters → its name in the archive."""
        return {name.replace("\\", "/").lower(): name for name in self.archive.namelist()}


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what comes up while an archive is read into a RosterError."""
    try:
        yield
    except (BadZipFile, EOFError, zlib.error):
        raise RosterError(f"{path} cannot be read as a workbook: it is truncated, or not an .xlsx file") from None
    except LookupError:
        raise RosterError(f"{path} cannot be read as a workbook: a cell in it refers to what is not there") from None
    except (NotImplementedError, RuntimeError, expat.ExpatError, UnicodeDecodeError, ValueError) as error:
        raise RosterError(f"{path} cannot be read as a workbook: {error}") from None


class Parser:
    """Calls `start` and `end` with the elements of a part; `text` has what is between tags.

    An element's name is its namespace and its own: `TAGS` knows those of a spreadsheet. Whoever wants a text clears
    `text` before it; each end lets go of what nobody wanted.
    """

    def __init__(self) -> None:
        self.text: list[str] = []
        self._expat = expat.ParserCreate(namespace_separator=" ")
        self._expat.buffer_text = True
        self._expat.StartElementHandler = self.start
        self._expat.EndElementHandler = self.end
        self._expat.CharacterDataHandler = self.text.append
        self._expat.StartDoctypeDeclHandler = _refuse_doctype

    def feed(self, stream: IO[bytes]) -> Iterator[None]:
        """Parse a stream, a piece at a time."""
        while chunk := stream.read(CHUNK):
            self._expat.Parse(chunk, False)
            if sum(map(len, self.text)) > _LONGEST_TEXT:
                raise ValueError("a text in it is longer than any cell can be")
            yield
        self._expat.Parse(b"", True)
        yield

    def start(self, name: str, attributes: Attributes, /) -> None:
        """Begin an element."""

    def end(self, _name: str) -> None:
        """End an element."""
        self.text.clear()


_LOOKED_AT: Final = (
    *("sheet", "workbookPr", "si", "t", "rPh", "numFmt", "cellXfs", "xf"),
    *("row", "c", "f", "v", "is", "mergeCell"),
)
TAGS: Final[Mapping[str, str]] = {f"{namespace} {tag}": tag for namespace in _SPREADSHEET for tag in _LOOKED_AT}
"""What is looked at in a workbook, by the names a parser gives it."""


def _refuse_doctype(*_: Any) -> None:
    raise ValueError("it declares a document type, which no spreadsheet program does")


def unescaped(text: str) -> str:
    """Read a text as a workbook holds it: `_x000D_` is the character that XML has no place for."""
    if "_x" not in text:
        return text
    found = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return text if _SURROGATE.search(found) else found


@contextmanager
def open_package(path: Path) -> Iterator[Package]:
    """Open a workbook and read what its sheets share. Raises RosterError, OSError."""
    with readable(path):
        archive = ZipFile(path)
    with archive:
        package = Package(path, archive)
        book = next((each.part for each in package.related("").values() if each.kind == _BOOK), "xl/workbook.xml")
        if book.endswith(".bin"):
            raise RosterError(f"{path} is a binary workbook (.xlsb); save it as .xlsx")
        related, reader = package.related(book), _BookParser()
        package.read(book, reader)
        for name, relation, is_hidden in reader.sheets:
            kind, part = related.get(relation, Related("", ""))
            package.sheets.append(Sheet(name, part, is_hidden, kind == _TABLE))
        parts = {each.kind: each.part for each in related.values()}
        if "sharedStrings" in parts:
            package.read(parts["sharedStrings"], _TextParser(package.texts))
        if "styles" in parts:
            package.read(parts["styles"], _StyleParser(package.formats, since_1904=reader.since_1904))
        yield package


class _RelationParser(Parser):
    """Collects the attributes of relations, which have a namespace of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Attributes] = []

    def start(self, name: str, attributes: Attributes, /) -> None:
        if name.endswith(" Relationship"):
            self.found.append(attributes)


class _BookParser(Parser):
    """Collects name, relation and visibility of the sheets."""

    def __init__(self) -> None:
        super().__init__()
        self.sheets: list[tuple[str, str, bool]] = []
        self.since_1904 = False

    def start(self, name: str, attributes: Attributes, /) -> None:
        tag = TAGS.get(name)
        if tag == "workbookPr":
            self.since_1904 = attributes.get("date1904") in {"1", "true"}
        elif tag == "sheet":
            relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")
            is_hidden = attributes.get("state", "visible") != "visible"
            self.sheets.append((attributes.get("name", ""), relation, is_hidden))


class _TextParser(Parser):
    """Collects the shared texts, of several runs each, without the phonetic ones that explain how a name is read."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self._texts = texts
        self._runs: list[str] = []
        self._is_phonetic = False

    def start(self, name: str, _attributes: Attributes, /) -> None:
        self.text.clear()
        if TAGS.get(name) == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        tag = TAGS.get(name)
        if tag == "t" and not self._is_phonetic:
            self._runs.append("".join(self.text))
        elif tag == "rPh":
            self._is_phonetic = False
        elif tag == "si":
            self._texts.append(unescaped("".join(self._runs)))
            self._runs.clear()
        self.text.clear()


class _StyleParser(Parser):
    """Collects the number formats of the cells' styles; the codes come before the styles."""

    def __init__(self, formats: list[NumberFormat | None], *, since_1904: bool) -> None:
        super().__init__()
        self._formats = formats
        self._since_1904 = since_1904
        self._codes: dict[int, str] = {}
        self._are_of_cells = False

    def start(self, name: str, attributes: Attributes, /) -> None:
        tag = TAGS.get(name)
        if tag == "numFmt":
            self._codes.setdefault(int(attributes["numFmtId"]), attributes.get("formatCode", ""))
        elif tag == "cellXfs":
            self._are_of_cells = True
        elif tag == "xf" and self._are_of_cells:
            self._formats.append(self._format(int(attributes.get("numFmtId", "0"))))

    def end(self, name: str) -> None:
        super().end(name)
        if TAGS.get(name) == "cellXfs":
            self._are_of_cells = False

    def _format(self, number: int) -> NumberFormat | None:
        if (code := self._codes.get(number)) is not None:
            return number_format(code, since_1904=self._since_1904)
        return built_in(number, since_1904=self._since_1904)
