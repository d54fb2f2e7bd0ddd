"""Nothing that a person has made is overwritten: the real command, again and again on the same names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.command import KEY, RunningEmulator, emulator, provisioner, rows, write_roster

PEOPLE = [
    {"uid": "ann", "name": "Ann"},
    {"uid": "b b", "name": "Bob"},
    {"uid": "ANN", "name": "Other"},
    {"uid": "cy", "name": "Cy"},
]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningEmulator]:
    """An emulator for all of these."""
    with emulator(tmp_path_factory.mktemp("app")) as running:
        yield running


@pytest.mark.slow
def test_a_check_touches_no_file_of_a_run(tmp_path: Path) -> None:
    """`validate` and `--dry-run` leave mended cells and the record of the run as they are, to the byte."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    provisioner("run", "u.csv", "--emulator", cwd=tmp_path)
    mended = (tmp_path / "u.results.rejected.csv").read_text().replace("b b", "b-b")
    (tmp_path / "u.results.rejected.csv").write_text(mended)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    checked = provisioner("validate", "u.csv", "-q", cwd=tmp_path)
    dry = provisioner("run", "u.csv", "--emulator", "--dry-run", "--json", cwd=tmp_path)
    assert (checked.exit_code, checked.stderr, dry.exit_code) == (1, "", 1)
    after = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert {name: content for name, content in after.items() if name in before} == before
    assert sorted(set(after) - set(before)) == ["u.results.check.rejected.csv", "u.results.check.summary.json"]
    assert dry.summary["estimate"] == {"requests": 0, "seconds": 0.0, "settled": 2}


@pytest.mark.slow
def test_a_dry_run_with_a_wrong_option_touches_no_file_of_a_run(tmp_path: Path) -> None:
    """Also when it is refused before its settings are known."""
    write_roster(tmp_path / "u.csv", PEOPLE[:1])
    assert provisioner("run", "u.csv", "--emulator", cwd=tmp_path).exit_code == 0
    before = (tmp_path / "u.results.summary.json").read_bytes()
    for wrong in (("--limit", "-1"), ("--share", "0")):
        assert provisioner("run", "u.csv", "--emulator", "--dry-run", *wrong, cwd=tmp_path).exit_code == 2
        assert (tmp_path / "u.results.summary.json").read_bytes() == before


@pytest.mark.slow
def test_a_run_sets_a_file_aside_that_somebody_has_begun_to_mend(tmp_path: Path) -> None:
    """Its own file of the run before is overwritten, or removed, as ever."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    command = ("run", "u.csv", "--emulator")
    for _ in range(2):
        ended = provisioner(*command, cwd=tmp_path)
        assert ended.events("file.set_aside") == []
    mended = (tmp_path / "u.results.rejected.csv").read_text().replace("b b", "b-b")
    (tmp_path / "u.results.rejected.csv").write_text(mended)
    (told,) = provisioner(*command, cwd=tmp_path).events("file.set_aside")
    assert (tmp_path / told["kept_as"]).read_text() == mended
    assert "b b,Bob" in (tmp_path / "u.results.rejected.csv").read_text()
    write_roster(tmp_path / "u.csv", [PEOPLE[0]])
    assert provisioner(*command, cwd=tmp_path).exit_code == 0
    assert not (tmp_path / "u.results.rejected.csv").exists()


@pytest.mark.sampled
@pytest.mark.parametrize("options", [(), ("--json",), ("-o", "all.parquet")])
def test_a_merge_tells_that_it_sets_a_mended_file_aside(tmp_path: Path, options: tuple[str, ...]) -> None:
    """As a run does; its own file of the merge before is overwritten without a word."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    for number in (1, 2):
        provisioner("run", "u.csv", "--emulator", "--shard", f"{number}/2", cwd=tmp_path)
    command = ("merge", "u.shards", *options)
    assert [provisioner(*command, cwd=tmp_path).stderr for _ in range(2)] == ["", ""]
    (path,) = tmp_path.glob("*.rejected.csv")
    written = path.read_text()
    path.write_text(written.replace("b b", "b-b"))
    ended = provisioner(*command, cwd=tmp_path)
    (told,) = ended.events("file.set_aside")
    assert (ended.exit_code, told["level"], told["file"]) == (1, "warning", path.name)
    assert told["reason"] == "it is not what was written there last, so it may hold somebody's work"
    assert (tmp_path / told["kept_as"]).read_text() == written.replace("b b", "b-b")
    assert path.read_text() == written


def test_a_command_that_ends_early_tells_what_it_sets_aside_for_its_summary(tmp_path: Path) -> None:
    """Its log had not begun when it was found that the config is none."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    (tmp_path / "u.results.summary.json").write_text("my notes")
    (tmp_path / "provisioner.toml").write_text("[run]\nno_such_key = 1\n")
    ended = provisioner("run", "u.csv", "--emulator", cwd=tmp_path)
    (told,) = ended.events("results.set_aside")
    assert ended.exit_code == 2
    assert [(tmp_path / each).read_text() for each in told["kept_as"]] == ["my notes"]


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("file", "first", "command"),
    [
        ("r.csv", ["run u.csv -o r.csv"], "run u.csv -o r.csv"),
        ("r.parquet", ["run u.csv -o r.parquet"], "run u.csv -o r.parquet"),
        ("r.differences.csv", ["run u.csv -o r.csv"], "verify u.csv -o r.csv"),
        ("r.undo.csv", ["run u.csv -o r.csv"], "undo r.csv --yes"),
        ("p.json", [], "plan u.csv --state s.db --adopt -o p.json"),
        ("n.csv", [], "sync u.csv --state s.db --adopt -o n.csv"),
        ("n.differences.csv", ["sync u.csv --state s.db --adopt -o n.csv"], "verify u.csv --state s.db -o n.csv"),
    ],
)
def test_every_file_that_a_person_has_made_is_set_aside(
    app: RunningEmulator, tmp_path: Path, file: str, first: list[str], command: str
) -> None:
    """Whatever command writes it: a file of another kind, and our own once it was edited, but not as it was written."""
    write_roster(tmp_path / "u.csv", [{"uid": "ann", "name": "Ann"}, {"uid": "bob", "name": "Bob"}])

    def told(line: str) -> list[bytes]:
        ended = provisioner(*line.split(), *app.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert ended.exit_code in {0, 1}, ended.stderr
        events = [each for name in ("file", "results") for each in ended.events(f"{name}.set_aside")]
        kept = [[each["kept_as"]] if isinstance(each["kept_as"], str) else each["kept_as"] for each in events]
        return [(tmp_path / name).read_bytes() for names in kept for name in names]

    assert [told(line) for line in first] == [[] for _ in first]
    path = tmp_path / file
    if not path.exists():
        path.write_bytes(b"notes of mine\n")
        assert told(command) == [b"notes of mine\n"]
    assert told(command) == []
    edited = path.read_bytes() + b"my remark\n"
    path.write_bytes(edited)
    assert told(command) == [edited]
    assert b"my remark" not in path.read_bytes()


@pytest.mark.slow
def test_the_results_of_another_roster_of_the_same_name_are_kept(tmp_path: Path) -> None:
    """They may hold the only tokens; the warning says whose they are."""
    for folder, uid in (("a", "ann"), ("b", "bob")):
        (tmp_path / folder).mkdir()
        write_roster(tmp_path / folder / "u.csv", [{"uid": uid, "name": "N"}])
    provisioner("run", "a/u.csv", "--emulator", cwd=tmp_path)
    results = (tmp_path / "u.results.csv").read_bytes()
    (told,) = provisioner("run", "b/u.csv", "--emulator", cwd=tmp_path).events("results.set_aside")
    assert told["reason"] == f"they belong to another roster, {tmp_path / 'a/u.csv'}"
    assert results in [(tmp_path / name).read_bytes() for name in told["kept_as"]]
    assert [row["uid"] for row in rows(tmp_path / "u.results.csv")] == ["bob"]


@pytest.mark.slow
def test_the_results_of_a_journal_that_was_emptied_are_kept(app: RunningEmulator, tmp_path: Path) -> None:
    """As if it had been deleted: the only tokens are in them. There is nothing that an undo could go by."""
    write_roster(tmp_path / "u.csv", [{"uid": "kept-ann", "name": "Ann"}])
    command = ("run", "u.csv", "-o", "r.csv", *app.flags())
    assert provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
    results, journal = (tmp_path / "r.csv").read_bytes(), tmp_path / "r.journal.db"
    journal.write_bytes(b"")
    refused = provisioner("undo", "r.csv", "--yes", *app.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "r.journal.db: holds nothing: no run has recorded anything in it, or it was emptied" in refused.stderr
    assert journal.read_bytes() == b""
    (told,) = provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).events("results.set_aside")
    assert (tmp_path / told["kept_as"]).read_bytes() == results


@pytest.mark.slow
def test_a_duplicate_fed_in_unchanged_is_rejected_again_round_after_round(tmp_path: Path) -> None:
    """It may be another person, who would be lost with exit 0. The names of the rounds do not grow."""
    write_roster(tmp_path / "u.csv", PEOPLE)
    provisioner("run", "u.csv", "--emulator", cwd=tmp_path)
    mended = (tmp_path / "u.results.rejected.csv").read_text().replace("b b", "b-b")
    (tmp_path / "u.results.rejected.csv").write_text(mended)
    for number in (2, 3):
        before = "u" if number == 2 else "u.round2"
        ended = provisioner("run", f"{before}.results.rejected.csv", "--emulator", "--json", cwd=tmp_path)
        assert (ended.exit_code, ended.summary["rejected"]) == (1, 1), ended.stderr
        (row,) = rows(tmp_path / f"u.round{number}.results.rejected.csv")
        assert row["_errors"] == (
            "uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of u.results.journal.db"
        )
    write_roster(tmp_path / "u.round3.results.rejected.csv", [{**row, "name": "Ann"}])
    same = provisioner("run", "u.round3.results.rejected.csv", "--emulator", "--json", cwd=tmp_path)
    assert same.exit_code == 0


@pytest.mark.slow
def test_a_dry_run_tells_what_is_still_to_be_sent(tmp_path: Path) -> None:
    """By the job's journal, which it only looks at; with `--restart`, and without a journal, that is everybody.

    So it is after a rehearsal, of which a real run goes on with nothing.
    """
    write_roster(tmp_path / "u.csv", [PEOPLE[0]])
    provisioner("run", "u.csv", "--emulator", "-o", "r.csv", cwd=tmp_path)
    write_roster(tmp_path / "u.csv", [PEOPLE[0], PEOPLE[3]])
    dry = ("run", "u.csv", "--emulator", "--dry-run", "-o", "r.csv")
    assert "it would take 1 request and at least 1 s; 1 row settled already" in provisioner(*dry, cwd=tmp_path).stdout
    assert provisioner(*dry, "--restart", "--json", cwd=tmp_path).summary["estimate"]["requests"] == 2
    real = ("run", "u.csv", "--dry-run", "--base-url", "http://localhost:9", "-o", "r.csv", "--json")
    assert provisioner(*real, cwd=tmp_path).summary["estimate"]["requests"] == 2
    assert json.loads((tmp_path / "r.summary.json").read_text())["rows"] == 1
