"""What a summary remembers of the files beside it: nothing that a person has made is overwritten."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from provisioner.files.looking import digest_of
from provisioner.files.writing import SHARED, written_whole
from provisioner.logs.events import set_up
from provisioner.results import manifest
from provisioner.results.manifest import (
    NOTHING_RECORDED,
    Record,
    Source,
    begun_beside,
    known_digest,
    places,
    read_record,
    remove_other,
    rewrite,
    set_others_aside,
    written_last,
)
from provisioner.results.outputs import Outputs, state_of
from provisioner.results.summary import write_summary
from provisioner.roster.files.inputs import Sheets, find_inputs


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    set_up(format_="json")
    return tmp_path


def test_a_record_comes_back_from_the_summary_that_holds_it(here: Path) -> None:
    """What is no summary, or an older one, says nothing."""
    record = Record(("/hr/users.csv",), {"rejected": "ab"})
    write_summary(here / "s.json", {"rows": 1, **record.document})
    assert read_record(here / "s.json") == record
    for text in ("", "[]", "{}", '{"roster": 1, "digests": {}}', '{"roster": [], "digests": []}', "\xff"):
        (here / "s.json").write_text(text, encoding="latin-1")
        assert read_record(here / "s.json") == NOTHING_RECORDED
    assert read_record(here / "none.json") == NOTHING_RECORDED


def test_a_place_is_known_from_any_folder_and_shows_no_secret(here: Path) -> None:
    """Paths are absolute; an address is told without its query; standard input is no place."""
    found = places(find_inputs(["a.csv", "s3://bucket/users.csv?key=x", "-"]))
    assert found == (str(here / "a.csv"), "s3://bucket/users.csv", "standard input")


@pytest.mark.parametrize(
    ("before", "written", "after", "kept"),
    [
        ("old", "old", "new", False),  # ours: overwritten
        ("mended", "old", "new", True),
        ("mended", None, "new", True),  # nobody knows who wrote it
        ("new", None, "new", False),  # ours, by a run that was killed before it could record it
        ("mended", "old", None, True),  # nothing is rejected any more, and still nothing is lost
        ("old", "old", None, False),
        (None, "old", "new", False),
        (None, None, None, False),
    ],
)
def test_only_what_was_written_last_is_overwritten(
    here: Path, before: str | None, written: str | None, after: str | None, *, kept: bool
) -> None:
    """Anything else is set aside under a name with the time, and that is told."""
    path, copy = here / "r.rejected.csv", here / "copy"
    if written is not None:
        copy.write_text(written)
    if before is not None:
        path.write_text(before)

    def write() -> None:
        path.unlink(missing_ok=True) if after is None else path.write_text(after)

    with capture_logs() as events:
        digest = rewrite(path, digest_of(copy), write)
    aside = [each for each in here.glob("r.rejected.*.csv") if each != path]
    assert [each.read_text() for each in aside] == ([before] if kept else [])
    assert [(each["event"], each["kept_as"]) for each in events] == [("file.set_aside", str(each)) for each in aside]
    assert (digest, path.exists()) == (digest_of(path), after is not None)


def test_what_was_put_in_place_is_known_before_a_summary_tells_of_it(here: Path) -> None:
    """Written anew and killed before the summary: it is ours; mended since it is somebody's. The note goes with it."""
    path = here / "r.rejected.csv"

    def write(text: str) -> str | None:
        def whole() -> None:
            with written_whole(path, SHARED) as temporary:
                temporary.write_text(text)

        return rewrite(path, None, whole)

    with capture_logs() as events:
        first, second = write("first"), write("second")
    assert (events, [each.name for each in here.glob("r.*")]) == ([], ["r.rejected.csv"])
    assert (first != second, second, known_digest(path, "old")) == (True, digest_of(path), second)
    path.write_text("mended")
    assert known_digest(path, "old") == "old"
    with capture_logs() as events:
        third = write("third")
    assert [Path(each["kept_as"]).read_text() for each in events] == ["mended"]
    write_summary(here / "s.json", {"outputs": {"rejected": str(path)}, "digests": {"rejected": third}})
    assert list(here.glob(".*")) == []


@pytest.mark.parametrize(
    "make",
    [
        lambda note: note.symlink_to("other"),
        lambda note: note.symlink_to("nothing"),
        lambda note: note.hardlink_to("other"),
        lambda note: note.write_text("precious\n"),
    ],
    ids=["link", "link to nowhere", "hard link", "somebody's file"],
)
def test_what_has_the_name_of_a_note_and_is_none_stays_as_it_is(here: Path, make: Callable[[Path], object]) -> None:
    """Nothing is noted then, and what is written is known all the same once a summary tells of it."""
    path, note, other = here / "r.csv", here / ".r.csv.written", here / "other"
    other.write_text("precious\n")
    make(note)

    def whole() -> None:
        with written_whole(path, SHARED) as temporary:
            temporary.write_text("new")

    digest = rewrite(path, None, whole)
    write_summary(here / "s.json", {"outputs": {"results": str(path)}, "digests": {"results": digest}})
    assert (digest, known_digest(path, None)) == (digest_of(path), None)
    assert {each.name for each in here.iterdir()} == {"r.csv", ".r.csv.written", "other", "s.json"}
    assert [each.read_text() for each in (other, note) if each.exists()][-1] == "precious\n"


def test_a_write_that_fails_tells_what_was_set_aside_for_it(here: Path) -> None:
    """Otherwise the file would be gone from its name without a word."""
    path = here / "r.rejected.csv"
    path.write_text("mended")

    def fail() -> None:
        raise OSError

    with capture_logs() as events, pytest.raises(OSError, match=r"^$"):
        rewrite(path, None, fail)
    assert [Path(each["kept_as"]).read_text() for each in events] == ["mended"]
    assert list(here.glob(".*")) == []


@pytest.mark.parametrize(
    ("recorded", "roster", "theirs"),
    [
        (["/elsewhere/users.csv"], ["users.csv"], True),
        (["/elsewhere/users.parquet"], ["users.csv"], True),
        (["{here}/users.csv"], ["users.csv"], False),
        (["{here}/users.csv", "{here}/more.csv"], ["more.csv", "users.csv"], False),  # a part has been added
        (["/elsewhere/people.csv"], ["users.csv"], False),  # another name: an --output that was asked for
        ([], ["users.csv"], False),  # nobody knows
    ],
)
@pytest.mark.parametrize("check", [False, True])
def test_what_belongs_to_another_roster_of_the_same_name_is_set_aside(
    here: Path, recorded: list[str], roster: list[str], *, theirs: bool, check: bool
) -> None:
    """All but the journal, which knows users by their uid; the warning says whose they were. A check has its own."""
    inputs = find_inputs(roster)
    outputs = Outputs.beside(here / "r.csv", ".csv", inputs.paths, check=check)
    for path in outputs.paths():
        path.write_text("theirs")
    before = tuple(each.format(here=here) for each in recorded)
    write_summary(outputs.summary, Record(before).document)
    with capture_logs() as events:
        set_others_aside(outputs, Source(places(inputs), inputs.stem), check=check)
    gone = {path for path in outputs.paths() if not path.exists()}
    expected = {outputs.rejected, outputs.summary} | (set() if check else {outputs.results})
    assert gone == (expected if theirs else set())
    assert [recorded[0] in each["reason"] for each in events] == ([True] if theirs else [])


HERE, SUB = Sheets(frozenset({"Munich"}), frozenset({"Berlin"})), Sheets(frozenset({"Munich"}), frozenset({"Old"}))


@pytest.mark.parametrize(
    ("recorded", "now", "whose"),
    [
        (
            Record(("{here}/a.x",), sheets=("Berlin",)),
            Source(("{here}/a.x",), "a", HERE),
            "sheet 'Berlin' of {here}/a.x",
        ),
        (Record(("{here}/a.x",), sheets=("Munich",)), Source(("{here}/a.x",), "a", HERE), None),
        (Record(("{here}/a.x",), sheets=("Berlin",)), Source(("{here}/a.x",), "a", SUB), None),  # it was renamed
        (Record(("{here}/a.x",)), Source(("{here}/a.x",), "a", HERE), None),  # of an earlier version
        (Record(("/b/a.x",), sheets=("Berlin",)), Source(("{here}/a.x",), "a", HERE), None),  # of another folder
        (Record(("query of hr",), query="1"), Source(("query of hr",), "hr", query="2"), "another query of hr"),
        (Record(("query of hr",), query="1"), Source(("query of hr",), "hr", query="1"), None),
        (Record(("query of hr",)), Source(("query of hr",), "hr", query="1"), None),
        (Record(("{here}/a.x", "{here}/b.x")), Source(("{here}/a.x",), "a"), "{here}/a.x and 1 more"),
        (Record(("{here}/a.x", "{here}/c.x")), Source(("{here}/a.x",), "a"), None),  # deleted
        (Record(("{here}/a.x",)), Source(("{here}/a.x", "{here}/b.x"), "a"), None),  # grown
        (Record(("{here}/a.x", "{here}/b.x")), Source(("{here}/b.x",), "b"), None),  # an --output that was asked for
        (NOTHING_RECORDED, Source(("{here}/a.x",), "a", HERE), None),
    ],
)
@pytest.mark.parametrize("told_by", ["journal", "summary"])
def test_a_journal_that_was_begun_for_other_rows_of_the_same_files_is_known(
    here: Path, recorded: Record, now: Source, whose: str | None, told_by: str
) -> None:
    """By what it keeps itself, else by the summary. What has grown or was deleted is the same roster, edited."""

    def files(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.format(here=here) for name in names)

    for name in ("a.x", "b.x"):
        (here / name).touch()
    outputs = Outputs.beside(here / "r.csv", ".csv", [])
    before = replace(recorded, roster=files(recorded.roster))
    if told_by == "summary":
        write_summary(outputs.summary, before.document)
    found = begun_beside(
        outputs, replace(now, files=files(now.files)), json.dumps(before.document) if told_by == "journal" else None
    )
    assert found == (whose and whose.format(here=here))


def test_what_a_roster_is_comes_back_from_the_journal_that_keeps_it(here: Path) -> None:
    """As its record, which a summary holds as well; text that nobody can read says nothing."""
    source = Source((str(here / "a.xlsx"),), "a", HERE)
    assert json.loads(source.text) == {"roster": [str(here / "a.xlsx")], "digests": {}, "sheets": ["Munich"]}
    write_summary(here / "s.json", source.recorded({"rejected": "ab", "results": None}).document)
    assert read_record(here / "s.json") == Record(source.files, {"rejected": "ab"}, sheets=("Munich",))
    outputs = Outputs.beside(here / "r.csv", ".csv", [])
    assert [begun_beside(outputs, source, text) for text in ("", "[]", '{"roster": 1}')] == [None, None, None]


def test_a_pipe_in_the_place_of_a_summary_says_nothing_and_keeps_nobody_waiting(here: Path) -> None:
    """Whoever opens it would wait for who writes into it, also when it comes there while a run sends."""
    summary = here / "r.summary.json"
    os.mkfifo(summary)
    (here / "r.rejected.csv").write_text("mended")
    assert manifest.read_record(summary) == manifest.NOTHING_RECORDED
    assert (written_last(summary, "rejected"), state_of(here / "r.csv")) == (None, None)
    remove_other(summary, here / "r.rejected.xlsx")
    write_summary(summary, {"rows": 1})
    assert json.loads(summary.read_bytes()) == {"rows": 1}
    kept = sorted((each.suffix, each.is_fifo()) for each in here.iterdir())
    assert kept == [(".csv", False), (".json", False), (".json", True)]
