"""The page: one file that holds all it needs, in which every value is text, and which never takes another's place."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from provisioner.errors import OutputError
from provisioner.files.cures import with_extra
from provisioner.inspection.report.content import content_of
from provisioner.inspection.report.figures import Figure
from provisioner.inspection.report.page import MARK, render, write_report
from tests.inspection.report.test_chapters import a_run, an_overview
from tests.inspection.report.test_content import DONE, some_sources
from tests.journal.course.test_points import a_point
from tests.rig.journals import a_journal

NASTY = '<script>alert("x")</script>'


class Outline(HTMLParser):
    """Tags in their order, and what is not closed in the order in which it was opened."""

    VOID = ("meta", "link", "br", "rect", "path", "line")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.wrong: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def a_page() -> str:
    summary = {
        **DONE, "roster": [NASTY], "outputs": {"results": NASTY},
        "defects": {NASTY: {"rows": 1, "first_rows": [1], "mend": NASTY}},
        "warnings": {"name.placeholder": {"rows": 1, "first_rows": [2], "mend": "write a name"}},
    }  # fmt: skip
    sources = some_sources(
        summary, overview=an_overview(course=[a_run(1, asked={"roster": [], NASTY: NASTY})]), uids={1: NASTY}
    )
    return render(content_of(sources), [Figure("Rate", NASTY, [("#2f6fde", NASTY)], "<svg></svg>", "<svg></svg>")], "")


def test_every_value_is_text() -> None:
    """A roster, an option or a uid that looks like markup is shown as what it is."""
    page = a_page()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 8


def test_the_page_is_well_formed_and_can_be_read_aloud() -> None:
    """Tags are closed as they were opened, one h1, every table has heads and a caption, every picture a text."""
    page = a_page()
    outline = Outline(page)
    assert (outline.open, outline.wrong) == ([], [])
    assert outline.tags.count("h1") == 1
    assert outline.tags.count("caption") == outline.tags.count("table") == outline.tags.count("thead") >= 4
    assert re.findall(r"<th(?! scope=| ?ead)", page) == []
    assert re.findall(r"<figure(?! role=\"img\" aria-label=)", page) == []


def test_nothing_is_fetched_and_nothing_runs() -> None:
    """No script, no address to load from, and a policy that forbids both."""
    page = a_page()
    assert (
        re.findall(r"<(?:script|link|iframe|img|object|embed|base)\b|\b(?:src|href|srcset)=|url\(|@import", page) == []
    )
    assert "default-src 'none'" in page


@pytest.fixture
def job(tmp_path: Path) -> Path:
    (tmp_path / "out.summary.json").write_text(json.dumps(DONE))
    a_journal(tmp_path / "out.journal.db")
    return tmp_path / "out.csv"


def test_a_report_is_the_owners_alone_and_is_replaced_by_the_next(job: Path) -> None:
    """Mode 0600: uids can be personal. No token of the journal is in it."""
    for _ in range(2):
        file = write_report(job)
    assert (file.name, file.stat().st_mode & 0o777) == ("out.report.html", 0o600)
    text = file.read_text(encoding="utf-8")
    assert MARK in text[:1000]
    assert "u1_secret" not in text


def test_a_file_that_is_no_report_of_ours_stays(job: Path) -> None:
    """Exit 2 with what to do, and not a byte of it changes."""
    file = job.with_name("out.report.html")
    file.write_text("<html>my own</html>")
    with pytest.raises(OutputError, match=r"out\.report\.html: is no report of provisioner"):
        write_report(job)
    assert file.read_text() == "<html>my own</html>"
    file.unlink()
    file.symlink_to("/nowhere/r.html")
    with pytest.raises(OutputError, match=r"out\.report\.html: is a link that leads nowhere; mount the disk"):
        write_report(job)
    assert str(file.readlink()) == "/nowhere/r.html"


def test_without_the_extra_the_page_has_its_tables_and_says_what_is_missing(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And how to get it."""
    from provisioner.inspection.report import page

    monkeypatch.setitem(sys.modules, "vl_convert", None)
    overview = an_overview(course=[a_run(1)], points=[a_point()])
    monkeypatch.setattr(
        page, "find_sources", lambda _: replace(some_sources(DONE, overview=overview), file=job.with_name("r.html"))
    )
    text = write_report(job).read_text(encoding="utf-8")
    assert f"are not installed: {with_extra('report')}" in text
    assert "came to its end" in text
