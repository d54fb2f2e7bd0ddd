"""Rejected rows that are fed in again: names that do not grow, and uids that the rounds before have settled."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import JournalError
from provisioner.journal.columns import hash_of
from provisioner.journal.header import Identity
from provisioner.journal.journal import Journal
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.results.resubmission import SET_ASIDE, EarlierRounds, default_results, earlier_journals, mended_from
from provisioner.roster.formats.rows import RosterBatch
from provisioner.validation.checked import Checked

DUPLICATE = "uid.duplicate: 'ann' is the uid of row 1 already"


@pytest.mark.parametrize(
    ("stem", "results"),
    [
        ("users", "users.results.csv"),
        ("users.results", "users.results.results.csv"),
        ("users.results.rejected", "users.round2.results.csv"),
        ("users.results.check.rejected", "users.round2.results.csv"),
        ("users.round2.results.rejected", "users.round3.results.csv"),
        ("users.round9.results.check.rejected", "users.round10.results.csv"),
        ("users.results.rejected.20261128T071922-2", "users.round2.results.csv"),
        ("users.rejected", "users.rejected.results.csv"),
        ("round2", "round2.results.csv"),
    ],
)
def test_the_results_of_a_round_are_counted(stem: str, results: str) -> None:
    """`X.results.rejected` is round 2 of X, whatever wrote it; other names are other jobs."""
    assert default_results(stem) == Path(results)


def test_the_journals_of_all_rounds_before_are_found(tmp_path: Path) -> None:
    """Beside the rejected file, the last first; those that are not there are left out."""
    for name in ("u.results", "u.round2.results", "u.round3.results", "out"):
        (tmp_path / f"{name}.journal.db").touch()

    def found(name: str) -> list[str]:
        return [each.name for each in earlier_journals([tmp_path / name])]

    assert found("u.round3.results.rejected.csv") == [
        "u.round3.results.journal.db", "u.round2.results.journal.db", "u.results.journal.db",
    ]  # fmt: skip
    assert found("u.results.check.rejected.parquet") == ["u.results.journal.db"]
    assert found("out.rejected.csv") == ["out.journal.db"]
    assert found("u.csv") == found("none.results.rejected.csv") == []


def summary(results: Path, *, roster: list[Path], merged: list[Path] | None = None) -> None:
    """What a run, or a merge, says of the files beside it."""
    document = {"roster": list(map(str, roster)), "digests": {}, "merged": list(map(str, merged or []))}
    results.with_suffix(".summary.json").write_text(json.dumps(document))


def test_merged_results_have_the_journals_of_what_they_were_merged_of(tmp_path: Path) -> None:
    """Of shards, of a round in shards, of merged results that were merged again, and of shards that were moved."""
    shards, round2 = tmp_path / "u.shards", tmp_path / "u.round2.shards"
    for folder in (shards, round2):
        folder.mkdir()
        for number in (1, 2):
            (folder / f"shard-{number}-of-2.results.csv").touch()
            (folder / f"shard-{number}-of-2.results.journal.db").touch()
    first, second, every = (tmp_path / f"{name}.csv" for name in ("u.results", "u.round2.results", "all"))
    summary(first, roster=[tmp_path / "u.csv"], merged=sorted(shards.glob("*.csv")))
    gone = [Path("/elsewhere/u.round2.shards") / each.name for each in sorted(round2.glob("*.csv"))]
    summary(second, roster=[tmp_path / "u.results.rejected.csv"], merged=gone)
    first.touch()
    second.touch()
    summary(every, roster=[tmp_path / "u.csv"], merged=[first, second])
    journals = {folder: sorted(folder.glob("*.db")) for folder in (shards, round2)}
    assert earlier_journals([tmp_path / "u.results.rejected.csv"]) == journals[shards]
    assert earlier_journals([tmp_path / "u.round2.results.rejected.csv"]) == journals[round2] + journals[shards]
    rounds = EarlierRounds.of([tmp_path / "u.round2.results.rejected.csv", tmp_path / "u.csv"])
    assert rounds == EarlierRounds(journals[round2] + journals[shards], tuple(journals[round2]))
    assert earlier_journals([tmp_path / "all.rejected.csv"]) == journals[shards] + journals[round2]


def test_rounds_that_are_called_otherwise_are_found_by_what_was_recorded(tmp_path: Path) -> None:
    """Each says of which roster it was; two that were written in turn are looked at once."""
    for name in ("out", "again"):
        (tmp_path / f"{name}.journal.db").touch()
    summary(tmp_path / "again.csv", roster=[tmp_path / "out.rejected.csv"])
    summary(tmp_path / "out.csv", roster=[tmp_path / "u.csv"])
    both = [tmp_path / "again.journal.db", tmp_path / "out.journal.db"]
    assert earlier_journals([tmp_path / "again.rejected.csv"]) == both
    summary(tmp_path / "out.csv", roster=[tmp_path / "again.rejected.csv"])
    assert earlier_journals([tmp_path / "again.rejected.csv"]) == both


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A job that created ann as `Ann` and failed with bob."""
    path = tmp_path / "u.results.journal.db"
    with Journal(path, Identity("", "http://localhost")) as opened:
        for key, uid, outcome in ((1, "ann", Outcome.CREATED), (2, "bob", Outcome.FAILED)):
            body = body_of(uid, uid.title())
            opened.sent([UserRequest(key, key, uid, body, hash_of(body), token=False)], 1.0)
            opened.settle([Settlement(key, State.SETTLED, outcome, 1, settled_at=2.0)])
    return path


def body_of(uid: str, name: str) -> bytes:
    return f'{{"uid":"{uid}","name":"{name}"}}'.encode()


def fed_in(
    uid: str, name: str, errors: str | None, *, token: bool = False, leaves: bool | None = None
) -> tuple[RosterBatch, Checked]:
    """A row that the rules let pass."""
    schema = {"uid": pl.String, "name": pl.String, "_errors": pl.String}
    batch = RosterBatch(7, pl.DataFrame([(uid, name, errors)], schema=schema, orient="row"))
    line = {"row": 7, "uid": uid, "uid_input": uid, "error_code": None, "error_message": None}
    lines = pl.DataFrame([line], schema_overrides={"error_code": pl.String, "error_message": pl.String})
    valid = {"row": [7], "uid": [uid], "body": [body_of(uid, name).decode()], "token": [token], "deactivated": [leaves]}
    return batch, Checked(lines, pl.DataFrame(valid, schema_overrides={"deactivated": pl.Boolean}), lines.clear(), {})


@pytest.mark.parametrize(
    ("uid", "name", "errors", "collides"),
    [
        ("ann", "Other", DUPLICATE, True),
        ("ann", "Ann", DUPLICATE, False),  # just what was settled: the same person twice
        ("eve", "Other", DUPLICATE, False),  # mended
        ("bob", "Other", DUPLICATE, False),  # not settled: whoever has this uid, it is nobody of ours
        ("ann", "Other", "name.missing: there is no name", False),
        ("ann", "Other", f"{DUPLICATE}; name.missing: there is no name", False),
        ("ann", "Other", "", False),
        ("ann", "Other", None, False),
    ],
)
def test_a_repeat_that_is_another_person_is_rejected_again(
    journal: Path, uid: str, name: str, errors: str | None, *, collides: bool
) -> None:
    """A row whose only defect was its uid and that differs from what the uid was settled with; the user is named."""
    checked = EarlierRounds([journal]).reject_repeats(*fed_in(uid, name, errors))
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {journal}"
    assert checked.lines["error_message"].to_list() == ([words] if collides else [None])
    assert (len(checked.valid), len(checked.rejected)) == ((0, 1) if collides else (1, 0))


@pytest.mark.parametrize(
    ("token", "leaves", "collides"),
    [(False, False, False), (False, True, True), (True, None, True)],
)
def test_a_repeat_that_says_otherwise_who_may_log_in_is_rejected_again(
    journal: Path, *, token: bool, leaves: bool | None, collides: bool
) -> None:
    """Its profile is what the uid was settled with; what stands beside it would be done to the user all the same."""
    checked = EarlierRounds([journal]).reject_repeats(*fed_in("ann", "Ann", DUPLICATE, token=token, leaves=leaves))
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {journal}"
    assert checked.lines["error_message"].to_list() == ([words] if collides else [None])


@pytest.mark.parametrize(
    ("errors", "stays"),
    [
        (DUPLICATE, True),
        (f"  {DUPLICATE} ", True),
        ("uid.duplicate: 'ann' (of 'Ann Lee') is the uid of row 1 (sheet row 2) already", True),
        ("uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of u.results.journal.db", True),
        ("uid.duplicate: 'ann' is the uid of another user already, as _errors says", True),
        ("uid.duplicate: 'anna' is the uid of row 1 already", False),
        ("uid.duplicate: 'ann' is the uid of row 1 already, which is rejected too", False),
        ("uid.duplicate: 'ann' is the uid of row 1 as well, which says otherwise, so neither is taken", False),
        ("", False),
    ],
)
def test_a_repeat_that_nobody_touched_stays_one_though_no_journal_is_there(errors: str, *, stays: bool) -> None:
    """What was said of it is enough; not where the other row may have been deleted, nor of another uid."""
    checked = EarlierRounds([]).reject_repeats(*fed_in("ann", "Other", errors))
    words = "uid.duplicate: 'ann' is the uid of another user already, as _errors says"
    assert checked.lines["error_message"].to_list() == ([words] if stays else [None])
    assert (len(checked.valid), len(checked.rejected)) == ((0, 1) if stays else (1, 0))


def test_a_journal_that_cannot_be_read_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    """Whom its round has settled would be taken for nobody's; once it is moved away, nobody asks it."""
    journal = tmp_path / "u.results.journal.db"
    journal.write_text("no journal")
    with pytest.raises(JournalError, match=f"{journal}: cannot be used as a journal .* move it away"):
        EarlierRounds.of([tmp_path / "u.results.rejected.csv"])
    journal.unlink()
    assert EarlierRounds.of([tmp_path / "u.results.rejected.csv"]) == EarlierRounds([])


def test_what_rejected_rows_were_is_known_by_the_summary_beside_them(tmp_path: Path) -> None:
    """As they were written, whatever a person has made of them since; those set aside are older than that."""
    (tmp_path / "u.results.summary.json").write_text(json.dumps({"roster": ["u.csv"], "digests": {"rejected": "abc"}}))
    names = ("u.results.rejected.csv", "u.results.rejected.20260131T100000.csv", "x.results.rejected.csv", "u.csv")
    found = [mended_from([tmp_path / name]) for name in names]
    assert found == ["abc", SET_ASIDE, None, None]
