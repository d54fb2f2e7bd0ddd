"""What parts tell of themselves, and which of them may stand in one file."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import JournalError, OutputError
from provisioner.files.looking import digest_of
from provisioner.journal.header import EMULATOR, Identity
from provisioner.journal.journal import Journal
from provisioner.results.merging.merge import merge
from provisioner.results.merging.rounds import merge_rounds
from provisioner.results.outputs import journal_of
from provisioner.results.summary import Summary
from tests.results.merging.test_merge import lines, shard
from tests.results.merging.test_rounds import FIRST, OF_FIRST, SECOND, job

HERE, THERE = Identity("app1", "https://app1.api-eu.cometchat.io/v3"), Identity("", "http://localhost:9/v3")
SAME = Identity("", "https://App1.api-eu.cometchat.io:443/v3/")

Made = Callable[[Path], tuple[list[Path], Callable[[], Summary]]]


def of_shards(folder: Path) -> tuple[list[Path], Callable[[], Summary]]:
    """Two shards, and what merges them."""
    parts = [shard(folder / "s", n, lines(rows)) for n, rows in ((1, [2, 3, 9]), (2, [1, 4, 5, 6, 7, 8]))]
    return parts, lambda: merge(folder / "s", folder / "all.csv")


def of_rounds(folder: Path) -> tuple[list[Path], Callable[[], Summary]]:
    """A run and its mended round, and what merges them."""
    parts = [job(folder, "u.results.csv", FIRST), job(folder, "u.round2.results.csv", SECOND, OF_FIRST)]
    return parts, lambda: merge_rounds(parts, folder / "all.csv")


both = pytest.mark.parametrize("made", [of_shards, of_rounds])


def sent_to(parts: list[Path], *apps: Identity | None) -> None:
    """Have journals beside results say where these were sent; null for one that has none."""
    for part, app in zip(parts, apps, strict=True):
        if app is not None:
            with Journal(journal_of(part), app):
                pass


@both
@pytest.mark.parametrize("rehearsed", [0, 1])
@pytest.mark.parametrize("other", [HERE, None])
def test_a_rehearsal_is_not_merged_with_what_was_sent(
    tmp_path: Path, made: Made, rehearsed: int, other: Identity | None
) -> None:
    """Whichever is the former, and whether the journal of the other is there or not: nobody is told who is not."""
    parts, merged = made(tmp_path)
    sent_to(parts, *((EMULATOR, other) if rehearsed == 0 else (other, EMULATOR)))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OutputError) as refused:
        merged()
    assert str(refused.value) == (
        f"{parts[rehearsed]}: is of a rehearsal with the built-in emulator, and {parts[1 - rehearsed]} is not; "
        "run the former again without the emulator, then merge"
    )
    assert sorted(tmp_path.iterdir()) == before


@both
def test_what_was_sent_to_two_apps_is_not_merged(tmp_path: Path, made: Made) -> None:
    """Users of the one are none of the other."""
    parts, merged = made(tmp_path)
    sent_to(parts, HERE, THERE)
    said = f"{parts[0]}: was sent to {HERE}, and {parts[1]} to {THERE}; run again, with --restart, what went to the"
    with pytest.raises(OutputError, match=re.escape(said)):
        merged()


def copied_from(parts: list[Path], *addresses: str) -> None:
    """Have summaries say where a part was sent whose journal was not copied with it."""
    for part, address in zip(parts, addresses, strict=True):
        summary = part.with_suffix(".summary.json")
        summary.write_text(json.dumps({**json.loads(summary.read_bytes()), "base_url": address}))


@both
def test_where_it_was_sent_is_known_without_the_journal(tmp_path: Path, made: Made) -> None:
    """Results and summary alone are copied from a machine; what was merged of them says it in its turn."""
    parts, merged = made(tmp_path)
    copied_from(parts, HERE.address, THERE.address)
    with pytest.raises(OutputError, match=re.escape(f"was sent to app (none) at {HERE.address}, and {parts[1]} to")):
        merged()
    sent_to(parts, None, SAME)
    copied_from(parts, HERE.address, HERE.address)
    assert merged().document["base_url"] == HERE.address


@both
@pytest.mark.parametrize("apps", [(HERE, SAME), (HERE, None), (None, None), (EMULATOR, EMULATOR)])
def test_what_was_sent_to_one_app_is_merged(tmp_path: Path, made: Made, apps: tuple[Identity | None, ...]) -> None:
    """However its address is spelled; where a journal is not there, nothing is said against it."""
    parts, merged = made(tmp_path)
    sent_to(parts, *apps)
    assert merged().emulated is (apps[0] == EMULATOR)


@pytest.mark.parametrize("flag", [{"emulator": True}, {}])
def test_merged_shards_are_of_the_app_of_their_shards(tmp_path: Path, flag: dict[str, Any]) -> None:
    """A merge leaves no journal: what tells is its summary, and the journals of what it was made of."""
    parts, _ = of_rounds(tmp_path)
    of = job(tmp_path, "shard-1.csv", FIRST)
    first = job(tmp_path, parts[0].name, FIRST, merged=[str(of)], **flag)
    sent_to([of, parts[1]], EMULATOR, HERE)
    with pytest.raises(OutputError, match=rf"^{re.escape(str(first))}: is of a rehearsal with the built-in"):
        merge_rounds(parts, tmp_path / "all.csv")


@both
@pytest.mark.parametrize("killed", [0, 1])
def test_results_of_a_run_before_one_that_was_killed_are_not_merged(tmp_path: Path, made: Made, killed: int) -> None:
    """Rows that it has carried out would be told as they were before; what runs it again is told."""
    parts, merged = made(tmp_path)
    again = f"run shard {killed + 1}/2 again" if made is of_shards else "run that round again"
    with Journal(journal_of(parts[killed]), HERE) as journal:
        number = journal.course.begin(2e9, "run", {}) or 0
        journal.course.end(number, 2e9 + 1, None, 0)  # while it wrote its results
    before = sorted(tmp_path.iterdir())
    said = "the last run did not come to its end, so these are of one before it"
    with pytest.raises(OutputError, match=rf"^{re.escape(str(parts[killed]))}: {said}; {again}, then merge$"):
        merged()
    assert sorted(tmp_path.iterdir()) == before
    with Journal(journal_of(parts[killed]), HERE) as journal:
        journal.course.told()
    assert merged().counts.rows == (9 if made is of_shards else 4)


@both
def test_results_of_a_run_whose_journal_took_no_more_are_merged(tmp_path: Path, made: Made) -> None:
    """They are of that very run, as their summary says, and have what it left open as pending."""
    parts, merged = made(tmp_path)
    with Journal(journal_of(parts[0]), HERE) as journal:
        journal.course.begin(100.0, "run", {})
    summary = parts[0].with_suffix(".summary.json")
    times = {"started_at": "1970-01-01T00:01:39.500Z", "finished_at": "1970-01-01T00:01:41.000Z"}
    summary.write_text(json.dumps(json.loads(summary.read_bytes()) | times))
    assert merged().counts.rows == (9 if made is of_shards else 4)


@both
@pytest.mark.parametrize("wrong", ["notes", "an index with another name"])
def test_results_whose_journal_cannot_be_read_are_not_merged(tmp_path: Path, made: Made, wrong: str) -> None:
    """Nobody knows whether they are of its last run."""
    parts, merged = made(tmp_path)
    path = journal_of(parts[0])
    if wrong == "notes":
        path.write_text(wrong)
    else:
        with Journal(path, HERE) as journal:
            journal.course.begin(1.0, "run", {})
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(f"{name}.kept").write_bytes(path.with_name(name).read_bytes())
        for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
            path.with_name(f"{name}.kept").rename(path.with_name(name))
        path.with_name("other").hardlink_to(f"{path}-shm")
    with pytest.raises(JournalError, match=r": cannot be read \(.+\), so nobody knows whether the results are of its"):
        merged()


def with_tokens_apart(part: Path) -> Path:
    """Have a summary name a file of auth tokens, which holds none; that file."""
    summary, tokens = part.with_suffix(".summary.json"), part.with_name("tokens.csv")
    tokens.write_text("row,uid,auth_token\n")
    document = json.loads(summary.read_bytes())
    document["tokens"] = 0
    document["outputs"]["tokens"], document["digests"] = str(tokens), {"tokens": digest_of(tokens)}
    summary.write_text(json.dumps(document))
    return tokens


@both
@pytest.mark.parametrize("what", ["results", "summary", "tokens", "folder"])
def test_what_must_not_be_read_is_told(nobody: Path, made: Made, what: str) -> None:
    """Those of another user are there: what helps is to be let read them, and not to run anything again."""
    (folder := nobody / "folder").mkdir()
    parts, _ = made(folder)
    tokens = with_tokens_apart(parts[1])
    for part in parts:  # of what they hold
        document = json.loads((summary := part.with_suffix(".summary.json")).read_bytes())
        summary.write_text(json.dumps({**document, "digests": {**document["digests"], "results": digest_of(part)}}))
    file = {"results": parts[1], "summary": parts[1].with_suffix(".summary.json"), "tokens": tokens}.get(what)
    path, mode = (file, 0o600) if file is not None else (parts[0].parent, 0o700)

    def merged() -> Summary:
        if made is of_shards:
            return merge(parts[0].parent, nobody / "all.csv", nobody / "t.csv")
        return merge_rounds(parts, nobody / "all.csv", nobody / "t.csv")

    path.chmod(0)
    told = path if file is not None or made is of_shards else parts[0]
    said = rf"^{re.escape(str(told))}: cannot be read \(Permission denied\); check its owner and mode, and those of its"
    with pytest.raises(OutputError, match=said):
        merged()
    path.chmod(mode)
    assert merged().counts.rows == (9 if made is of_shards else 4)


@both
def test_a_part_whose_last_run_was_refused_is_what_it_was(tmp_path: Path, made: Made) -> None:
    """Nothing was sent, and its results are the same: the summary of the refusal keeps that of the run."""
    parts, merged = made(tmp_path)
    whole = merged().document
    for part in parts:
        summary = part.with_suffix(".summary.json")
        refusal = {"exit_code": 2, "outputs": {"summary": str(summary)}, "last_run": json.loads(summary.read_bytes())}
        summary.write_text(json.dumps(refusal))
    assert merged().document == whole
