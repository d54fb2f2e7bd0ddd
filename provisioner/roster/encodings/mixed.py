"""Parts of a roster in different encodings: no one that is named reads them all, so the cure is another file.

a.csv    UTF-8
b.csv    Windows-1252     save b.csv as UTF-8
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from provisioner.roster.encodings.readings import NotUtf8Error
from provisioner.roster.files.compression import Compressed
from provisioner.roster.files.inputs import TEXTS, InputFile, Location
from provisioner.roster.files.origin import LocalFile, Origin
from provisioner.roster.files.text import is_utf8
from provisioner.roster.formats.rows import LOOKS_LIKE_UTF8, Notice
from provisioner.wording import listed


class PartEncodings:
    """What the text files of a roster are, as far as they are on a disk: read when something is to be said of one."""

    def __init__(self, files: Sequence[InputFile] = ()) -> None:
        self._files = [file for file in files if file.location is Location.FILE and file.family in TEXTS]

    def explained(self, error: NotUtf8Error) -> NotUtf8Error:
        """Give the error with the cure that works where other parts are UTF-8. Raises OSError."""
        utf8, others = self._sorted()
        if not utf8:
            return error
        are = f"{listed(utf8)} {'is' if len(utf8) == 1 else 'are'}"
        return error.with_cure(f"{are} UTF-8, so no --encoding reads all parts: save {listed(others)} as UTF-8")

    def noticed(self, notices: Sequence[Notice]) -> Sequence[Notice]:
        """Give what is said of the parts; that one is UTF-8 with the cure that works where others are not."""
        if all(notice.code != LOOKS_LIKE_UTF8 for notice in notices) or not (others := self._sorted()[1]):
            return notices
        cure = f"{listed(others)} {'is' if len(others) == 1 else 'are'} not: save as UTF-8 what is not, then leave out"
        return [
            replace(notice, message=notice.message.replace("; leave out", f"; {cure}"))
            if notice.code == LOOKS_LIKE_UTF8
            else notice
            for notice in notices
        ]

    def _sorted(self) -> tuple[list[str], list[str]]:
        """Name the files that are UTF-8, and those that are not; those of nothing but ASCII are either."""
        kinds = {file.name: is_utf8(_origin(file)) for file in self._files}
        return [name for name, kind in kinds.items() if kind], [name for name, kind in kinds.items() if kind is False]


def _origin(file: InputFile) -> Origin:
    plain = LocalFile(Path(file.where))
    return Compressed(plain, file.compression) if file.compression else plain
