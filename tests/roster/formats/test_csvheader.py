"""The header: names, line end, delimiter and length."""

from __future__ import annotations

from pathlib import Path

from provisioner.roster.files.origin import LocalFile
from provisioner.roster.files.text import open_text
from provisioner.roster.formats.csvheader import Header, read_header


def test_the_header_is_the_first_line_that_is_not_blank(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b"\n\r\nuid;;name\r\na;b;c\r\n")
    with open_text(LocalFile(path), None) as stream:
        assert read_header("r.csv", stream) == Header(("uid", "_column_2", "name"), b"\n", ";", 14)
