"""Texts that are no rosters, told by how they begin: web pages, XML, JSON under another name, dumps, encrypted ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from provisioner.roster.files.text import marked_encoding


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is, told by its beginning.

    what    continues `users.csv is …`
    mend    what to do when no other name helps
    family  what the name would say of it, as in `inputs.FAMILIES` or `inputs.COMPRESSIONS`; empty: not read at all
    suffix  the one it should have
    """

    what: str
    mend: str
    family: str = ""
    suffix: str = ""


_WEB_PAGE: Final = r"(?:(?><!--.*?-->)\s*)*+<(?:!doctype\s+html|html|head|body|meta|title|script|style|table|div)\b"
# An object that is a server's word on what went wrong; there are no people in it.
_ERROR_KEYS: Final = "error|errors|message|detail|fault|exception|error_description"
_ERROR_FACTS: Final = "code|status|statusCode|type|title|timestamp|path|request_?id|documentation_url|success|ok"
_FACT: Final = rf"\"(?:{_ERROR_KEYS}|{_ERROR_FACTS})\"\s*:\s*(?:\"[^\"]*\"|[\w.-]+)\s*"
_ERROR: Final = (
    rf"\{{\s*(?:{_FACT},\s*)*(?=\"(?:{_ERROR_KEYS})\"\s*:\s*\"[^\"]){_FACT}(?:,\s*{_FACT})*\}}\s*\Z|"
    # only of a text that is seen to its end: people may stand behind
    r"(?=.{0,4000}\Z)(?=.*\}\s*\Z)\{\s*\"(?:errors?|fault|exception)\"\s*:\s*(?:\{|\[\s*\{)(?!.*\"(?:uid|id|users?|userName|data|items|value)\"\s*:)"
)
# What we write ourselves about a run, a sync, an undo, one of them that was refused, a fleet or a proof.
_SUMMARY: Final = (
    r"\{\s*(?:\"rows\":\s*\d+,\s*\"rejected\":\s*\d+,\s*\"created?\":\s*\d|"
    r"\"users\":\s*\d+,\s*\"reversed\":\s*\d|"
    r"\"started_at\":\s*\"[^\"]*\",\s*\"finished_at\":\s*\"[^\"]*\",\s*\"elapsed_seconds\":\s*[\d.-]+,\s*\"stopped_by\":|"
    r"\"jobs\":\s*\[\s*\{\s*\"name\":\s*\"(?:[^\"\\]|\\.)*\",\s*\"command\":\s*\"\w+\",\s*\"shard\":|"
    r"\"message\":\s*\"[^\"]*\",\s*\"app_id\":\s*\"[^\"]*\",\s*\"base_url\":)"
)
_COMMENTS: Final = r"(?:--[^\n]*\n\s*|(?>/\*.*?\*/);?\s*|#[^\n]*\n\s*)*+"
_SQL: Final = (
    r"(?:CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMPORARY\s+)?(?:TABLE|DATABASE|SCHEMA|VIEW|TYPE)|DROP\s+(?:TABLE|DATABASE)|"
    r"INSERT\s+(?:IGNORE\s+)?INTO|SET\s+[@\w.]+\s*=|BEGIN(?:\s+TRANSACTION)?;|START\s+TRANSACTION|PRAGMA\s+\w+|"
    r"COPY\s+[^\n]+\sFROM\s+stdin|LOCK\s+TABLES|USE\s+[`\[\w]+\]?;)"
)
# A line of several cells that are words, as a header is: `Use case;uid;Name (de)`. Nothing is tried in two ways: a text
# that is none would be read for ever.
_WORDS: Final = r"[^\n,;\t|()=\'\"`\[\]]*"
_CELL: Final = rf"(?={_WORDS}[^\W_])(?>{_WORDS})(?:\([^\n,;()]*+\))?+[^\S\n\t]*+"
_CELLS: Final = rf"{_CELL}(?:[,;\t|]{_CELL})++(?:\n|\Z)"
_DUMP: Final = r"-- (?:MySQL|MariaDB|phpMyAdmin)|--\s*\n-- PostgreSQL"
_TAG: Final = r"<[a-z][\w.:-]*(?:\s[^<>]*)?/?>\s*(?:<|[^\s,;|<][^,;|<]*</)"

_DOCUMENTS: Final[Sequence[tuple[re.Pattern[str], Kind]]] = tuple(
    (re.compile(beginning, re.IGNORECASE | re.DOTALL), kind)
    for beginning, kind in (
        (
            r"version https://git-lfs\.github\.com/spec",
            Kind("the pointer that Git LFS keeps in place of the file", "fetch the file itself with git lfs pull"),
        ),
        (
            r"(?=<\?xml|<Workbook).{0,2000}(?:progid=\"Excel\.Sheet\"|urn:schemas-microsoft-com:office:spreadsheet)",
            Kind("an XML workbook of Excel 2003", "open it in a spreadsheet program and save it as .xlsx"),
        ),
        (
            rf"(?:<\?xml[^>]*>\s*)?{_WEB_PAGE}",
            Kind(
                "a web page (HTML) and no roster",
                "if it is a log-in or an error page, fetch the file again; if there is a table in it, open it in a "
                "spreadsheet program and save it as .xlsx",
            ),
        ),
        (
            rf"<\?xml|<!doctype|<!--|{_TAG}",
            Kind("XML", "export the people as CSV, or open it and save it as .xlsx"),
        ),
        (
            rf"{_DUMP}|{_COMMENTS}(?={_SQL})(?!{_CELLS})",
            Kind(
                "a dump of a database (SQL)",
                "load it into a database and name the people in it with --query, or export them as CSV",
            ),
        ),
        (
            rf"(?:version:\s*\d+\s+)?{_COMMENTS}dn::?\s+\S+=",
            Kind("LDIF, as a directory writes its entries", "export the people as CSV"),
        ),
        (r"BEGIN:VCARD", Kind("vCards of an address book", "export the people as CSV")),
        (
            r"\*{9,} +1\. row +\*{9,}",
            Kind(
                "what mysql shows of rows with \\G, a line for each cell",
                "ask without \\G, with --batch, and save it in a file whose name ends in .tsv",
            ),
        ),
        (
            r"(?:---[^\S\n]*\n\s*)?(?:[\w-]+:[^\S\n]*\n\s*)?-\s+[\w-]+:\s+\S",
            Kind("YAML", "write it as JSON or CSV"),
        ),
        (
            r"(?:[A-Z][\w-]+: [^\n]*\n(?:[ \t][^\n]*\n)*)*(?:MIME-Version|Content-Type): ",
            Kind("an e-mail", "save the file that is attached to it"),
        ),
        (
            r"-----BEGIN (?:PGP MESSAGE|AGE ENCRYPTED FILE|CMS|PKCS7)-----|age-encryption\.org/v1\n|\$ANSIBLE_VAULT;",
            Kind("encrypted", "decrypt it first"),
        ),
        (
            r"\{\s*\"provisioner_plan\"\s*:",
            Kind(
                "a plan that provisioner has kept, and no roster",
                "carry it out with provisioner sync, or give the roster that it was made from",
            ),
        ),
        (
            _SUMMARY,
            Kind(
                "a summary or a proof that provisioner has written, and no roster",
                "give the roster that it tells of, or its rejected rows (….rejected.csv)",
            ),
        ),
        (_ERROR, Kind("an error message of a server (JSON) and no roster", "mend the cause and fetch it again")),
        (
            r"(?-i:ID;P[A-Z]+\d*(?:;[NE])*\r?\n[BCFOPW];[A-Z])",
            Kind("a symbolic link file (SYLK) of a spreadsheet program", "open it there and save it as .xlsx"),
        ),
        (
            r"(?-i:TABLE\r?\n0,1\r?\n\")",
            Kind("a data interchange file (DIF) of a spreadsheet program", "open it there and save it as .xlsx"),
        ),
        (
            r"(?=(?-i:[^\n]*[a-z])(?-i:[^\n]*[A-Z]))([a-z0-9+/]{60,})\r?\n[a-z0-9+/]{4,}={0,2}\r?(?:\n|\Z)",
            Kind("in base64", "decode it first (base64 --decode)"),
        ),
        (r"\{\\rtf", Kind("a rich text document (RTF)", "export the people in it as CSV")),
        (
            r"\x1e\s*\{",
            Kind(
                "a JSON text sequence: byte 0x1E is in front of each object",
                "take these bytes out (tr -d '\\036') and give the file a name that ends in .ndjson",
            ),
        ),
        (
            r"\[\s*(?:[\[{]|\]\s*\Z)|\{\s*(?:\"(?:[^\"\\]|\\.)*\"\s*:|\}\s*\Z)",
            Kind("JSON", "put it into a file whose name ends in .json", "json", ".json"),
        ),
    )
)


@lru_cache(maxsize=4)  # a file that is opened again begins as it did
def document(start: bytes) -> Kind | None:
    """Tell by its first bytes, behind marks and blanks, what a text is; None when it may be a roster."""
    encoding = marked_encoding(start) or "utf-8"
    text = start.decode(encoding, "ignore").lstrip("\ufeff \t\r\n\v\f")
    return next((kind for beginning, kind in _DOCUMENTS if beginning.match(text)), None)
