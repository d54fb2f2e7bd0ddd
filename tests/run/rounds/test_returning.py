"""Rows that come back: whose they are, by what the journals of the rounds before know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from provisioner.journal.columns import Known, hash_of
from provisioner.journal.header import EMULATOR, Identity
from provisioner.journal.journal import Journal
from provisioner.journal.schema import BEFORE
from provisioner.model import Outcome, Settlement, State, UserRequest
from provisioner.results.resubmission import EarlierRounds
from provisioner.roster.formats.rows import RosterBatch
from provisioner.run.intake import CheckedBatch
from provisioner.run.rounds.returning import follow, foresee, take_over
from provisioner.validation.checked import Checked

OWNER = Identity("app", "http://localhost")
REPEAT = "uid.duplicate: 'ann' is the uid of row 1 already"
NO_URL = "avatar.not_a_url: 'x' is no URL"


def body_of(uid: str, name: str) -> bytes:
    return f'{{"uid":"{uid}","name":"{name}"}}'.encode()


def a_round(path: Path, owner: Identity = OWNER) -> Path:
    """Ann was created from row 1, Bob from row 2 was there before, of Cy in row 3 nothing is known for certain."""
    with Journal(path, owner) as journal:
        for key, (uid, outcome) in enumerate((("ann", Outcome.CREATED), ("bob", Outcome.EXISTING), ("cy", None)), 1):
            body = body_of(uid, "N")
            journal.sent([UserRequest(key, key, uid, body, hash_of(body), token=True)], 50.0)
            if outcome is not None:
                settled = Settlement(key, State.SETTLED, outcome, 1, auth_token=f"{uid}_t", created_at=7, mark=8)
                journal.settle([settled])
    return path


def fed_in(
    *people: tuple[str, str, object, str | None],
    rejected: str | None = None,
    token: bool = True,
    leaves: bool | None = None,
) -> CheckedBatch:
    """Rows from 11 on: uid, name, `_row` and `_errors`; all are valid, or rejected again with this message."""
    schema = {"uid": pl.String, "name": pl.String, "_row": pl.String, "_errors": pl.String}
    cells = [(uid, name, None if before is None else str(before), errors) for uid, name, before, errors in people]
    batch = RosterBatch(11, pl.DataFrame(cells, schema=schema, orient="row"))
    numbers = range(11, 11 + len(people))
    lines = pl.DataFrame(
        {
            "row": pl.Series(numbers, dtype=pl.Int64),
            "uid": [each[0] for each in people],
            "uid_input": [each[0] for each in people],
            "name": [each[1] for each in people],
            "error_code": pl.Series([rejected and rejected.partition(":")[0]] * len(people), dtype=pl.String),
            "error_message": pl.Series([rejected] * len(people), dtype=pl.String),
            "_row": pl.Series([each[2] for each in people], dtype=pl.Int64),
        }
    )
    bodies = [body_of(uid, name).decode() for uid, name, _, _ in people]
    valid = lines.select("row", "uid", token=pl.lit(token), deactivated=pl.lit(leaves, dtype=pl.Boolean))
    valid = valid.with_columns(pl.Series("body", bodies)).filter(rejected is None)
    return CheckedBatch(batch, Checked(lines, valid, lines.filter(rejected is not None), {}))


def known_after(path: Path, earlier: Sequence[Path], checked: CheckedBatch) -> tuple[dict[str, Known], list[str]]:
    """What the journal of the new round knows then, and why rows were rejected."""
    with Journal(path, OWNER) as journal:
        after = take_over(journal, EarlierRounds(earlier, earlier[:1]), checked).checked
        with_reason = after.lines["error_message"].drop_nulls().to_list()
        return journal.known(checked.checked.lines["uid"].to_list()), with_reason


def foreseen(own: Path, earlier: Sequence[Path], checked: CheckedBatch, owner: Identity | None = OWNER) -> list[str]:
    """Why rows would be rejected."""
    lines = foresee(own, EarlierRounds(earlier, earlier[:1]), owner, checked).checked.lines
    return lines["error_message"].drop_nulls().to_list()


ANN = Known(1, 11, hash_of(body_of("ann", "N")), "settled", "created", 1, "ann_t", 7, None, "", BEFORE, 8)


@pytest.mark.parametrize("rejected", [None, NO_URL], ids=["mended", "rejected again"])
def test_what_is_known_of_a_user_of_ours_goes_on(tmp_path: Path, rejected: str | None) -> None:
    """All of it, at the row's number now; so it is for the next round when the row is rejected once more."""
    first = a_round(tmp_path / "one.db")
    known, reasons = known_after(tmp_path / "two.db", [first], fed_in(("ann", "New", 1, NO_URL), rejected=rejected))
    assert known == {"ann": ANN._replace(doubt_hash=known["ann"].doubt_hash)}
    assert reasons == ([] if rejected is None else [NO_URL])
    again = fed_in(("zoe", "Zoe", 1, NO_URL), ("ann", "Newer", 11, NO_URL))
    third, reasons = known_after(tmp_path / "three.db", [tmp_path / "two.db", first], again)
    assert (third["ann"].row, third["ann"].ours, third["ann"].auth_token, reasons) == (12, BEFORE, "ann_t", [])


@pytest.mark.parametrize("made_of_it", [["x"], {"x": "y"}, b"\xff"], ids=["list", "object", "bytes"])
def test_what_is_no_text_any_more_says_nothing(tmp_path: Path, made_of_it: object) -> None:
    """Somebody has taken the reasons apart; the row is told by its uid and number all the same."""
    mended = fed_in(("ann", "New", 1, NO_URL))
    frame = mended.batch.frame.with_columns(_errors=pl.Series([made_of_it]))
    mended = replace(mended, batch=RosterBatch(11, frame))
    known, reasons = known_after(tmp_path / "two.db", [a_round(tmp_path / "one.db")], mended)
    assert (known["ann"].ours, known["ann"].row, reasons) == (BEFORE, 11, [])


def test_a_user_in_doubt_stays_so(tmp_path: Path) -> None:
    """Since the moment when it was sent: whether it is ours is told when it is asked for."""
    known, reasons = known_after(
        tmp_path / "two.db", [a_round(tmp_path / "one.db")], fed_in(("cy", "N", 3, NO_URL), ("cy2", "N", 3, NO_URL))
    )
    assert list(known) == ["cy"]
    assert (known["cy"].state, known["cy"].doubt_since, known["cy"].ours, reasons) == ("sent", 50.0, 0, [])


@pytest.mark.parametrize(
    ("person", "taken", "rejected"),
    [
        (("ann", "New", 1, NO_URL), True, False),
        (("ann", "New", 1, f"name.missing: no name; {REPEAT}"), False, True),
        (("ann", "New", 2, NO_URL), False, True),  # a row that is given the uid of another one
        (("ann", "New", 2, REPEAT), False, True),
        (("ann", "N", 2, REPEAT), True, False),  # just what was created
        (("ann", "New", None, NO_URL), False, False),  # added by hand
        (("bob", "New", 2, NO_URL), False, False),  # of others
        (("cy", "New", 9, NO_URL), False, False),
        (("eve", "New", 1, NO_URL), False, False),
    ],
)
def test_a_row_is_told_by_its_uid_and_number(
    tmp_path: Path, person: tuple[str, str, int | None, str], *, taken: bool, rejected: bool
) -> None:
    """Taken over, rejected as somebody else's, or a row like any other; a row rejected is told whose the uid is."""
    first = a_round(tmp_path / "one.db")
    known, reasons = known_after(tmp_path / "two.db", [first], fed_in(person))
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {first}"
    assert (bool(known), reasons) == (taken, [words] if rejected else [])
    for owner in (OWNER, None):
        assert foreseen(tmp_path / "none.db", [first], fed_in(person), owner) == reasons


@pytest.mark.parametrize(
    ("person", "rejected"),
    [
        (("bob", "New", 1, NO_URL), True),
        (("bob", "New", 1, f"name.missing: no name; {REPEAT.replace('ann', 'bob')}"), True),
        (("bob", "New", 2, NO_URL), False),
        (("bob", "N", 1, NO_URL), False),  # just what he was settled with
    ],
)
def test_the_uid_of_somebody_who_was_there_is_that_of_the_row_that_was_settled(
    tmp_path: Path, person: tuple[str, str, int, str], *, rejected: bool
) -> None:
    """Another row that is given it would overwrite him; so would one of a later round, whose number says nothing."""
    first = a_round(tmp_path / "one.db")
    words = [f"uid.duplicate: 'bob' is the uid of another user already, row 2 of the job of {first}"] * rejected
    assert known_after(tmp_path / "two.db", [first], fed_in(person)) == ({}, words)
    assert foreseen(tmp_path / "none.db", [first], fed_in(person)) == words
    assert foreseen(tmp_path / "none.db", [first], fed_in(person), Identity("other", "http://localhost")) == []
    words = [f"uid.duplicate: 'bob' is the uid of another user already, row 2 of the job of {first}"] * (
        person[1] != "N"
    )
    assert known_after(tmp_path / "three.db", [tmp_path / "two.db", first], fed_in(person)) == ({}, words)


@pytest.mark.parametrize(("before", "rejected"), [(11, False), (12, True)])
def test_whose_row_is_rejected_again_is_known_by_it_in_the_next_round(
    tmp_path: Path, before: int, *, rejected: bool
) -> None:
    """Bob was there before and has been settled: in round 3 his row is told from one that is given his uid."""
    first = a_round(tmp_path / "one.db")
    rounds = [tmp_path / "two.db", first]
    stood = fed_in(("bob", "New", 2, NO_URL), rejected=NO_URL)
    known, reasons = known_after(rounds[0], [first], stood)
    assert (known["bob"].row, known["bob"].state, known["bob"].ours, reasons) == (11, "pending", 0, [NO_URL])
    assert known_after(rounds[0], [first], stood) == (known, reasons)
    stray = fed_in(("bob", "Zed", 3, NO_URL))
    assert len(known_after(rounds[0], [first], stray)[1]) == len(foreseen(rounds[0], [first], stray)) == 1
    repeat = fed_in(("bob", "New", 2, NO_URL), rejected=REPEAT.replace("ann", "bob"))
    assert known_after(tmp_path / "repeat.db", [first], repeat)[0] == {}
    words = [f"uid.duplicate: 'bob' is the uid of another user already, row 2 of the job of {first}"] * rejected
    mended = fed_in(("bob", "Newer", before, NO_URL))
    assert known_after(tmp_path / "three.db", rounds, mended) == ({}, words)
    assert foreseen(tmp_path / "none.db", rounds, mended) == words


def test_a_number_is_that_of_the_last_round_alone(tmp_path: Path) -> None:
    """Row 1 of round 2 is not row 1 of the roster: who is given the uid of that one is somebody else."""
    first = a_round(tmp_path / "one.db")
    second = known_after(tmp_path / "two.db", [first], fed_in(("dee", "Dee", 1, NO_URL), rejected=NO_URL))
    assert second == ({}, [NO_URL])
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {first}"
    rounds, stray = [tmp_path / "two.db", first], fed_in(("ann", "Dee", 1, NO_URL))
    assert known_after(tmp_path / "three.db", rounds, stray) == ({}, [words])
    assert foreseen(tmp_path / "none.db", rounds, stray) == [words]
    same = fed_in(("ann", "N", 1, NO_URL), ("cy", "N", 3, NO_URL))
    known, reasons = known_after(tmp_path / "three.db", rounds, same)
    assert (list(known), reasons) == (["ann"], [])


@pytest.mark.parametrize(
    ("token", "leaves", "taken"),
    [(True, False, True), (False, None, False), (False, True, False)],
)
def test_a_row_that_says_otherwise_who_may_log_in_is_another_one(
    tmp_path: Path, *, token: bool, leaves: bool | None, taken: bool
) -> None:
    """Ann was created active and with a token: a repeat with her profile alone is not what was created."""
    first = a_round(tmp_path / "one.db")
    repeat = fed_in(("ann", "N", 2, REPEAT), token=token, leaves=leaves)
    known, reasons = known_after(tmp_path / "two.db", [first], repeat)
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {first}"
    assert (bool(known), reasons) == (taken, [] if taken else [words])


def test_whom_a_round_has_only_taken_over_it_gives_to_no_other_row(tmp_path: Path) -> None:
    """The same file was fed in before, with Ann's own row; now another one has her uid."""
    first, two = a_round(tmp_path / "one.db"), tmp_path / "two.db"
    known, _ = known_after(two, [first], fed_in(("ann", "New", 1, NO_URL), rejected=NO_URL))
    stray = fed_in(("ann", "Zed", 3, NO_URL))
    words = f"uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of {first}"
    assert known_after(two, [first], stray) == (known, [words])
    assert foreseen(two, [first], stray) == foreseen(two, [first], stray, None) == [words]
    for mended in (fed_in(("ann", "New", 1, NO_URL)), fed_in(("ann", "N", 3, NO_URL))):
        assert known_after(two, [first], mended) == (known, [])
        assert foreseen(two, [first], mended) == []


def test_what_the_own_journal_knows_is_the_newer(tmp_path: Path) -> None:
    """A round that goes on asks the one before nothing."""
    first, checked = a_round(tmp_path / "one.db"), fed_in(("ann", "New", 1, NO_URL))
    with Journal(tmp_path / "two.db", OWNER) as journal:
        body = body_of("ann", "New")
        journal.sent([UserRequest(1, 11, "ann", body, hash_of(body), token=True)], 60.0)
    known, _ = known_after(tmp_path / "two.db", [first], checked)
    assert (known["ann"].ours, known["ann"].state) == (0, "sent")


def test_a_check_foresees_nothing_of_whom_the_own_journal_knows(tmp_path: Path) -> None:
    """What a run would go on with is no row of somebody else."""
    first, stray = a_round(tmp_path / "one.db"), fed_in(("ann", "Other", 2, NO_URL))
    assert len(foreseen(tmp_path / "two.db", [first], stray)) == 1
    a_round(tmp_path / "two.db")
    assert foreseen(tmp_path / "two.db", [first], stray) == foreseen(tmp_path / "two.db", [first], stray, None) == []


@pytest.mark.parametrize(
    ("made_for", "asked", "reasons"),
    [(OWNER, None, 1), (OWNER, Identity("other", "http://localhost"), 0), (EMULATOR, None, 0), (EMULATOR, EMULATOR, 0)],
)
def test_a_check_believes_each_round_where_nobody_says_for_which_app_it_is(
    tmp_path: Path, made_for: Identity, asked: Identity | None, reasons: int
) -> None:
    """But none that was sent to the built-in emulator, which begins empty each time."""
    first, stray = a_round(tmp_path / "one.db", made_for), fed_in(("ann", "Other", 2, NO_URL))
    assert len(foreseen(tmp_path / "two.db", [first], stray, asked)) == reasons


@pytest.mark.parametrize("owner", [Identity("other", "http://localhost"), EMULATOR])
def test_users_of_another_app_are_not_taken_over(tmp_path: Path, owner: Identity) -> None:
    """They are not in this one."""
    first = a_round(tmp_path / "one.db", owner)
    assert known_after(tmp_path / "two.db", [first], fed_in(("ann", "New", 1, NO_URL))) == ({}, [])


def test_where_the_user_of_a_rejected_row_stands_is_known(tmp_path: Path) -> None:
    """The roster was sorted anew before Ann's row was rejected; a repeat of it says nothing of where she stands."""
    a_round(tmp_path / "one.db")
    with Journal(tmp_path / "one.db", OWNER) as journal:
        follow(journal, fed_in(("bob", "Bob", None, None), ("ann", "New", None, None), rejected=NO_URL), ())
        assert {uid: known.row for uid, known in journal.known(["ann", "bob", "cy"]).items()} == {
            "ann": 12, "bob": 11, "cy": 3,
        }  # fmt: skip
        follow(journal, fed_in(("ann", "New", None, None), rejected=REPEAT), ())
        assert journal.known(["ann"])["ann"].row == 12


def test_where_the_user_of_a_row_stands_is_known_whose_role_the_app_does_not_have(tmp_path: Path) -> None:
    """The rules let it pass; what is valid is told when it is sent."""
    a_round(tmp_path / "one.db")
    with Journal(tmp_path / "one.db", OWNER) as journal:
        follow(journal, fed_in(("bob", "Bob", None, None), ("ann", "New", None, None)), {12})
        assert {uid: known.row for uid, known in journal.known(["ann", "bob"]).items()} == {"ann": 12, "bob": 2}


def test_a_round_that_was_stopped_takes_over_who_is_rejected(tmp_path: Path) -> None:
    """Their rows can be mended before it goes on; of the others it says nothing yet."""
    first = a_round(tmp_path / "one.db")
    with Journal(tmp_path / "two.db", OWNER) as journal:
        for rejected in (None, NO_URL):
            checked = fed_in(("ann", "New", 1, NO_URL), rejected=rejected)
            assert take_over(journal, EarlierRounds([first], [first]), checked, rejected_only=True) == checked
            assert list(journal.known(["ann"])) == ([] if rejected is None else ["ann"])
