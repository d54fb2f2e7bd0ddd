"""Texts that are no rosters, told by how they begin: web pages, XML, JSON under another name, pointers to a file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from provisioner.roster.files.text import marked_encoding


@dataclass(frozen=True, slots=True)
class Document:
    """A kind of text that is told by its beginning; see `signature.Signature`."""

    beginning: re.Pattern[str]
    what: str
    mend: str
    family: str = ""
    suffix: str = ""


def _begins(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


_WEB_PAGE: Final = r"(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body|meta|title|script|style|table|div)\b"
_TAG: Final = r"<[a-z][\w.:-]*(?:\s[^<>]*)?/?>\s*(?:<|[^\s,;|<][^,;|<]*</)"

DOCUMENTS: Final[Sequence[Document]] = (
    Document(
        _begins(r"version https://git-lfs\.github\.com/spec"),
        "the pointer that Git LFS keeps in place of the file",
        "fetch the file itself with git lfs pull",
    ),
    Document(
        _begins(
            r"(?=<\?xml|<Workbook).{0,2000}(?:progid=\"Excel\.Sheet\"|urn:schemas-microsoft-com:office:spreadsheet)"
        ),
        "an XML workbook of Excel 2003",
        "open it in a spreadsheet program and save it as .xlsx",
    ),
    Document(
        _begins(rf"(?:<\?xml[^>]*>\s*)?{_WEB_PAGE}"),
        "a web page (HTML) and no roster",
        "if it is a log-in or an error page, fetch the file again; if there is a table in it, open it in a spreadsheet "
        "program and save it as .xlsx",
    ),
    Document(
        _begins(rf"<\?xml|<!doctype|<!--|{_TAG}"), "XML", "export the people as CSV, or open it and save it as .xlsx"
    ),
    Document(_begins(r"\{\\rtf"), "a rich text document (RTF)", "export the people in it as CSV"),
    Document(
        _begins(r"\x1e\s*\{"),
        "a JSON text sequence: byte 0x1E is in front of each object",
        "take these bytes out (tr -d '\\036') and give the file a name that ends in .ndjson",
    ),
    Document(
        _begins(r"\[\s*(?:[\[{]|\]\s*\Z)|\{\s*(?:\"(?:[^\"\\]|\\.)*\"\s*:|\}\s*\Z)"),
        "JSON",
        "put it into a file whose name ends in .json",
        "json",
        ".json",
    ),
)


def document(start: bytes) -> Document | None:
    """Tell by its first bytes, behind marks and blanks, what a text is; None when it may be a roster."""
    encoding = marked_encoding(start) or "utf-8"
    text = start.decode(encoding, "ignore").lstrip("\ufeff \t\r\n\v\f")
    return next((kind for kind in DOCUMENTS if kind.beginning.match(text)), None)
