"""Rows that were created, then rejected, mended and fed in: they are of the job that created them, in every round."""

from __future__ import annotations

import gzip
import io
import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest

from tests.rig.command import KEY, Finished, RunningEmulator, emulator, provisioner, rows, start, wait_until
from tests.rig.journals import as_format_2

Row = Mapping[str, str]
Written = Callable[[Sequence[Row]], bytes]
ANN, BOB = {"uid": "ann", "name": "Ann", "avatar": ""}, {"uid": "bob", "name": "Bob", "avatar": ""}
BROKEN = {"uid": "ann", "name": "Anna", "avatar": "nourl"}
PEOPLE = (("dup", "Ann"), ("dup", "Anna"), ("cy!", "Cy"))


def run(api: RunningEmulator, folder: Path, *more: object) -> Finished:
    return provisioner("run", *more, *api.flags(), "--json", cwd=folder, COMETCHAT_API_KEY=KEY)


def told(path: Path) -> dict[str, tuple[str, str]]:
    """Uid → outcome and token."""
    return {row["uid"]: (row["outcome"], row["auth_token"]) for row in rows(path)}


def asked(api: RunningEmulator, sent: int = 0) -> list[tuple[str, str]]:
    """What was asked about users: method and uid."""
    return [(each["method"], each["uid"]) for each in api.lines("audit")[sent:] if each["uid"]]


def comma(people: Sequence[Row]) -> bytes:
    return pl.DataFrame(people).write_csv().encode()


def semicolon(people: Sequence[Row]) -> bytes:
    return pl.DataFrame(people).write_csv(separator=";").encode()


def compressed(people: Sequence[Row]) -> bytes:
    return gzip.compress("".join(json.dumps(each) + "\n" for each in people).encode())


def parquet(people: Sequence[Row]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame(people).write_parquet(file)
    return file.getvalue()


def mend(path: Path, old: str = "nourl", new: str = "https://a.b/1") -> None:
    """Mend what is in a rejected file, whatever its form."""
    if path.suffix == ".parquet":
        pl.read_parquet(path).with_columns(pl.col(pl.String).str.replace(old, new, literal=True)).write_parquet(path)
    else:
        path.write_text(path.read_text().replace(old, new))


def created_and_rejected(api: RunningEmulator, folder: Path, name: str = "r.csv", written: Written = comma) -> None:
    """Ann and Bob are created, and then the row of Ann is rejected."""
    (folder / name).write_bytes(written([ANN, BOB]))
    assert run(api, folder, name).summary["created"] == 2
    (folder / name).write_bytes(written([BROKEN, BOB]))
    ended = run(api, folder, name).summary
    assert (ended["created"], ended["rejected"]) == (1, 1)


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "written", "policy"),
    [
        ("r.csv", comma, "skip"),
        ("r.csv", semicolon, "update"),
        ("r.ndjson.gz", compressed, "fail"),
        ("r.parquet", parquet, "skip"),
    ],
    ids=["comma", "semicolon, update", "compressed, fail", "parquet"],
)
def test_a_row_of_ours_that_comes_back_mended_stays_created(
    tmp_path: Path, name: str, written: Written, policy: str
) -> None:
    """Its edit is carried out by one PUT, its token is in the results, whatever `--on-existing` says."""
    with emulator(tmp_path) as api:
        (tmp_path / name).write_bytes(written([ANN, BOB]))
        assert run(api, tmp_path, name).summary["created"] == 2
        before = told(tmp_path / "r.results.csv")
        (tmp_path / name).write_bytes(written([BROKEN, BOB]))
        assert run(api, tmp_path, name).summary["rejected"] == 1
        (rejected,) = tmp_path.glob("r.results.rejected.*")
        mend(rejected)
        assert provisioner("validate", rejected.name, cwd=tmp_path).exit_code == 0
        sent = len(api.lines("audit"))
        again = run(api, tmp_path, rejected.name, "--on-existing", policy)
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 1), again.stderr
        assert told(tmp_path / "r.round2.results.csv") == {"ann": before["ann"]}
        assert {method for method, _ in asked(api, sent)} == {"PUT", "GET"}
        ann = api.users()["ann"]
        assert (ann["name"], ann["avatar"], len(ann["tokens"])) == ("Anna", "https://a.b/1", 1)
        idle = run(api, tmp_path, rejected.name, "--on-existing", policy)
        assert (idle.exit_code, idle.summary["created"], idle.summary["requests"]) == (0, 1, 0)
        merged = provisioner("merge", "r.results.csv", "r.round2.results.csv", "-o", "all.csv", cwd=tmp_path)
        assert (merged.exit_code, told(tmp_path / "all.csv")) == (0, before)


@pytest.mark.slow
def test_a_row_that_is_as_it_was_created_again_needs_no_request(tmp_path: Path) -> None:
    """The edit is taken back: created, with its token, and nothing is sent about Ann."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        (tmp_path / "r.results.rejected.csv").write_text(
            (tmp_path / "r.results.rejected.csv").read_text().replace("Anna,nourl", "Ann,")
        )
        sent = len(api.lines("audit"))
        again = run(api, tmp_path, "r.results.rejected.csv").summary
        assert (again["created"], again["edited"], again["tokens"], asked(api, sent)) == (1, 0, 1, [])


@pytest.mark.slow
def test_a_third_round_knows_whom_the_first_has_created(tmp_path: Path) -> None:
    """Rejected in the second round once more, under another number; the row stands elsewhere in each of the files."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        before = told(tmp_path / "r.results.csv")["bob"]
        (tmp_path / "r.csv").write_bytes(comma([{"uid": "x x", "name": "X", "avatar": ""}, BOB, BROKEN]))
        assert run(api, tmp_path, "r.csv").summary["rejected"] == 2
        second = tmp_path / "r.results.rejected.csv"
        mend(second, "x x", "x-x")
        ended = run(api, tmp_path, second.name)
        assert (ended.exit_code, ended.summary["created"], ended.summary["rejected"]) == (1, 1, 1)
        mend(tmp_path / "r.round2.results.rejected.csv")
        third = run(api, tmp_path, "r.round2.results.rejected.csv")
        assert (third.exit_code, third.summary["created"], third.summary["edited"]) == (0, 1, 1), third.stderr
        assert api.users()["ann"]["avatar"] == "https://a.b/1"
        results = ["r.results.csv", "r.round2.results.csv", "r.round3.results.csv"]
        assert provisioner("merge", *results, "-o", "all.csv", cwd=tmp_path).exit_code == 0
        together = told(tmp_path / "all.csv")
        assert {uid: outcome for uid, (outcome, _) in together.items()} == dict.fromkeys(
            ("x-x", "bob", "ann"), "created"
        )
        assert together["bob"] == before
        assert all(api.accepts(uid, token) for uid, (_, token) in together.items())


@pytest.mark.sampled
@pytest.mark.parametrize("policy", ["skip", "update"])
@pytest.mark.parametrize("name", ["Other", ""], ids=["repeat", "repeat and more"])
def test_another_row_with_the_uid_of_a_user_of_ours_is_rejected(tmp_path: Path, name: str, policy: str) -> None:
    """A repeat that has kept its uid, also when something else was mended; and one that is given the uid by hand."""
    other = {"uid": "ann", "name": name, "avatar": ""}
    stray = {"uid": "a nn", "name": "Third", "avatar": ""}
    (tmp_path / "r.csv").write_bytes(comma([ANN, other, stray]))
    with emulator(tmp_path) as api:
        assert run(api, tmp_path, "r.csv").summary["created"] == 1
        text = (tmp_path / "r.results.rejected.csv").read_text()
        (tmp_path / "r.results.rejected.csv").write_text(text.replace('ann,""', "ann,Other").replace("a nn", "ann"))
        # Each for itself: together one would be the repeat of the other.
        header, *lines = (tmp_path / "r.results.rejected.csv").read_text().splitlines()
        for line in lines:
            (tmp_path / "r.results.rejected.csv").write_text(f"{header}\n{line}\n")
            checks = [
                provisioner("validate", "r.results.rejected.csv", "--json", cwd=tmp_path),
                run(api, tmp_path, "r.results.rejected.csv", "--on-existing", policy, "--dry-run"),
            ]
            for check in checks:
                assert (check.exit_code, check.summary["rejected_by_code"]) == (1, {"uid.duplicate": 1}), line
            again = run(api, tmp_path, "r.results.rejected.csv", "--on-existing", policy)
            assert (again.exit_code, again.summary["rejected_by_code"]) == (1, {"uid.duplicate": 1}), line
            (row,) = rows(tmp_path / "r.round2.results.csv")
            assert row["error_message"] == (
                "uid.duplicate: 'ann' is the uid of another user already, row 1 of the job of r.results.journal.db"
            )
        assert api.users()["ann"]["name"] == "Ann"


@pytest.mark.slow
def test_a_repeat_of_a_row_with_an_unknown_role_takes_its_uid_once_that_row_is_deleted(tmp_path: Path) -> None:
    """Nobody was created with it: both rows were rejected, and the repeat says so."""
    ann, repeat = ({"uid": "ann", "name": name, "role": role} for name, role in (("Ann", "nosuch"), ("Anna", "")))
    (tmp_path / "r.csv").write_bytes(comma([ann, repeat]))
    with emulator(tmp_path) as api:
        first = run(api, tmp_path, "r.csv").summary
        header, _, line = (tmp_path / "r.results.rejected.csv").read_text().splitlines()
        (tmp_path / "r.results.rejected.csv").write_text(f"{header}\n{line}\n")
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert api.users()["ann"]["name"] == "Anna"
    assert first["rejected_by_code"] == {"role.unknown": 1, "uid.duplicate": 1}
    assert line.endswith("uid.duplicate: 'ann' is the uid of row 1 (line 2) already, which is rejected too\"")
    assert (again.exit_code, again.summary["created"]) == (0, 1), again.stderr


@pytest.mark.slow
def test_a_row_of_ours_with_an_unknown_role_comes_back_mended(tmp_path: Path) -> None:
    """It stood elsewhere when its user was created: what the app says of a role moves it as a rule of ours does."""
    ann, bob, zoe = ({"uid": uid, "name": uid, "role": ""} for uid in ("ann", "bob", "zoe"))
    with emulator(tmp_path) as api:
        (tmp_path / "r.csv").write_bytes(comma([bob, ann]))
        assert run(api, tmp_path, "r.csv").summary["created"] == 2
        before = told(tmp_path / "r.results.csv")
        (tmp_path / "r.csv").write_bytes(comma([zoe, bob, {**ann, "name": "Anna", "role": "nosuch"}]))
        assert run(api, tmp_path, "r.csv").summary["rejected_by_code"] == {"role.unknown": 1}
        mend(tmp_path / "r.results.rejected.csv", "Anna,nosuch", "Anna,")
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 1), again.stderr
        assert api.users()["ann"]["name"] == "Anna"
    assert told(tmp_path / "r.round2.results.csv") == {"ann": before["ann"]}


@pytest.mark.slow
def test_a_row_of_ours_that_a_stopped_run_rejected_comes_back_mended(tmp_path: Path) -> None:
    """The run had stopped before it came there: it counts and explains every row all the same."""
    many = [{"uid": f"u{number}", "name": "N", "avatar": ""} for number in range(60_000)]
    with emulator(tmp_path) as api:
        (tmp_path / "r.csv").write_bytes(comma([ANN]))
        assert run(api, tmp_path, "r.csv").summary["created"] == 1
        before = told(tmp_path / "r.results.csv")
        (tmp_path / "r.csv").write_bytes(comma([*many, BROKEN]))
        wrong = provisioner("run", "r.csv", *api.flags(), "--json", cwd=tmp_path, COMETCHAT_API_KEY="f" * 40)
        assert (wrong.exit_code, wrong.summary["rejected"], wrong.summary["pending"]) == (4, 1, len(many))
        mend(tmp_path / "r.results.rejected.csv")
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 1), again.stderr
    assert told(tmp_path / "r.round2.results.csv") == before


@pytest.mark.slow
def test_a_repeat_that_nobody_touched_changes_nobody(tmp_path: Path) -> None:
    """Two rows for one person that differ in who leaves, or in who is given a token: the first one stands."""
    asked_for = {"dup": ("no", "yes"), "gone": ("yes", "no"), "mute": ("no", "no")}
    tokens = {"mute": ("no", "yes")}
    (tmp_path / "r.csv").write_bytes(
        comma(
            [
                {"uid": uid, "name": "N", "left": left[place], "withAuthToken": tokens.get(uid, ("", ""))[place]}
                for place in (0, 1)
                for uid, left in asked_for.items()
            ]
        )
    )
    (tmp_path / "provisioner.toml").write_text('[columns]\ndeactivated = "left"\n')
    with emulator(tmp_path) as api:
        first = run(api, tmp_path, "r.csv").summary
        before, sent, results = api.users(), len(api.lines("audit")), told(tmp_path / "r.results.csv")
        checked = provisioner("validate", "r.results.rejected.csv", cwd=tmp_path)
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (api.users(), asked(api, sent)) == (before, [])
        idle = run(api, tmp_path, "r.csv")
    assert (first["created"], first["rejected_by_code"]) == (3, {"uid.duplicate": 3})
    assert (checked.exit_code, again.exit_code) == (1, 1)
    assert again.summary["rejected_by_code"] == {"uid.duplicate": 3}
    assert told(tmp_path / "r.results.csv") == results
    assert idle.summary["requests"] == 0


@pytest.mark.slow
def test_a_repeat_changes_nobody_also_where_somebody_has_deleted_the_reasons(tmp_path: Path) -> None:
    """Whoever has mended the rows has no use for them; that a repeat was left among them is told by its number."""
    (tmp_path / "r.csv").write_bytes(comma([{"uid": uid, "name": name} for uid, name in PEOPLE]))
    with emulator(tmp_path) as api:
        assert run(api, tmp_path, "r.csv", "--on-existing", "update").summary["created"] == 1
        rejected = tmp_path / "r.results.rejected.csv"
        pl.read_csv(rejected).drop("_errors").with_columns(pl.col("uid").str.replace("!", "")).write_csv(rejected)
        again = run(api, tmp_path, "r.results.rejected.csv", "--on-existing", "update")
        assert {uid: each["name"] for uid, each in api.users().items()} == {"dup": "Ann", "cy": "Cy"}
    assert (again.exit_code, again.summary["rejected_by_code"]) == (1, {"uid.duplicate": 1})
    merged = provisioner("merge", "r.results.csv", "r.round2.results.csv", "-o", "all.csv", cwd=tmp_path)
    assert [(each["row"], each["uid"], each["outcome"]) for each in rows(tmp_path / "all.csv")] == [
        ("1", "dup", "created"),
        ("2", "dup", "rejected"),
        ("3", "cy", "created"),
    ], merged.stderr


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["hang-before-commit", "hang-after-commit"])
def test_a_round_that_is_killed_goes_on_with_a_user_of_ours(tmp_path: Path, fault: str) -> None:
    """While the PUT is on the wire: the same command again calls the user created, with its first token."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        token = api.users()["ann"]["tokens"]
        mend(tmp_path / "r.results.rejected.csv")
        api.faults({"fault": fault, "route": "PUT /users/{uid}"})
        victim = start("run", "r.results.rejected.csv", *api.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: any(each["method"] == "PUT" for each in api.lines("audit")))
        victim.kill()
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["tokens"]) == (0, 1, 1), again.stderr
        assert (api.users()["ann"]["name"], api.users()["ann"]["tokens"]) == ("Anna", token)
        assert api.accepts("ann", told(tmp_path / "r.round2.results.csv")["ann"][1])


@pytest.mark.slow
def test_a_user_in_doubt_of_the_round_before_is_resolved(tmp_path: Path) -> None:
    """The first run was killed when Ann was there and her answer was not; her row was rejected from then on."""
    (tmp_path / "r.csv").write_bytes(comma([ANN]))
    with emulator(tmp_path) as api:
        api.faults({"fault": "hang-after-commit", "route": "POST /users"})
        victim = start("run", "r.csv", *api.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: "ann" in api.users())
        victim.kill()
        (tmp_path / "r.csv").write_bytes(comma([BROKEN]))
        assert run(api, tmp_path, "r.csv").summary["rejected"] == 1
        mend(tmp_path / "r.results.rejected.csv")
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 1), again.stderr
        assert api.users()["ann"]["name"] == "Anna"
        assert api.accepts("ann", told(tmp_path / "r.round2.results.csv")["ann"][1])


@pytest.mark.slow
def test_the_rows_of_another_app_are_nobodys(tmp_path: Path) -> None:
    """Rehearsed against one app, the rejected rows run against another: whom the first created is not there."""
    for folder in ("first", "second"):
        (tmp_path / folder).mkdir()
    with emulator(tmp_path / "first") as rehearsal, emulator(tmp_path / "second") as api:
        created_and_rejected(rehearsal, tmp_path)
        mend(tmp_path / "r.results.rejected.csv")
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 0), again.stderr
        assert asked(api)[-1] == ("POST", "ann")
        assert rehearsal.users()["ann"]["name"] == "Ann"


@pytest.mark.slow
def test_an_undo_of_a_round_puts_back_what_it_did(tmp_path: Path) -> None:
    """The user was created by the round before, and stays: with the old profile, and to be brought up to date again."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        mend(tmp_path / "r.results.rejected.csv")
        assert run(api, tmp_path, "r.results.rejected.csv").exit_code == 0
        token = told(tmp_path / "r.round2.results.csv")["ann"]
        undo = ("undo", "r.round2.results.csv", *api.flags(), "--yes", "--json")
        undone = provisioner(*undo, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (undone.exit_code, undone.summary["reversed"], undone.summary["kept"]) == (0, 1, 0), undone.stderr
        ann = api.users()["ann"]
        assert (ann["name"], ann["avatar"] or None, ann["deactivated_at"]) == ("Ann", None, None)
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"]) == (0, 1)
        assert (told(tmp_path / "r.round2.results.csv")["ann"], api.users()["ann"]["name"]) == (token, "Anna")


@pytest.mark.slow
@pytest.mark.parametrize(("before", "name"), [("no", "Ann"), ("no", "Anna"), ("yes", "Anna")])
def test_an_undo_of_a_round_wakes_whom_it_has_deactivated_and_nobody_else(
    tmp_path: Path, before: str, name: str
) -> None:
    """Ann leaves by the round, with another name or the same; whom the round before had deactivated stays so."""
    (tmp_path / "provisioner.toml").write_text(
        '[columns]\ndeactivated = { column = "left", map = { "yes" = true, "no" = false } }\n'
    )
    with emulator(tmp_path) as api:
        for avatar in ("", "nourl"):
            (tmp_path / "r.csv").write_bytes(comma([{**ANN, "avatar": avatar, "left": before}]))
            run(api, tmp_path, "r.csv")
        mend(tmp_path / "r.results.rejected.csv", f"Ann,nourl,{before}", f"{name},,yes")
        left = api.users()["ann"]
        assert run(api, tmp_path, "r.results.rejected.csv").summary["deactivated"] == 1
        assert (api.users()["ann"]["name"], bool(api.users()["ann"]["deactivated_at"])) == (name, True)
        for _ in range(2):
            undo = ("undo", "r.round2.results.csv", *api.flags(), "--yes", "--json")
            undone = provisioner(*undo, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            ann = api.users()["ann"]
            if before == "no":
                assert (undone.exit_code, undone.summary["done"]["restored"]) == (0, 1), undone.stderr
                assert (ann["name"], ann["deactivated_at"]) == (left["name"], None)
            else:
                assert (undone.exit_code, undone.summary["kept_by_reason"]) == (1, {"deactivated_before": 1})
                assert (ann["name"], bool(ann["deactivated_at"])) == (name, True)
        assert run(api, tmp_path, "r.results.rejected.csv").summary["deactivated"] == 1
        assert (api.users()["ann"]["name"], bool(api.users()["ann"]["deactivated_at"])) == (name, True)


AGAIN = [
    ("no", "Anna", None, None),
    ("no", "Ann", None, None),
    ("no", "Anna", "PUT /users/{uid}", None),
    ("no", "Anna", "DELETE /users", None),
    ("no", "Anna", None, "changed"),
    ("yes", "Anna", None, "deactivated_before"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("after", "name", "killed", "kept"), AGAIN)
def test_an_undo_of_a_round_deactivates_again_whom_it_has_woken(
    tmp_path: Path, after: str, name: str, killed: str | None, kept: str | None
) -> None:
    """Ann had left, by a run that was killed in that: her old name is back, and her token of this round is none."""
    (tmp_path / "provisioner.toml").write_text(
        '[columns]\ndeactivated = { column = "left", map = { "yes" = true, "no" = false } }\n'
    )
    with emulator(tmp_path) as api:
        (tmp_path / "r.csv").write_bytes(comma([{**ANN, "left": "yes"}]))
        api.faults({"fault": "hang-after-commit", "route": "DELETE /users"})
        victim = start("run", "r.csv", *api.flags(), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: bool(api.users().get("ann", {}).get("deactivated_at")))
        victim.kill()
        (tmp_path / "r.csv").write_bytes(comma([{**ANN, "avatar": "nourl", "left": "yes"}]))
        run(api, tmp_path, "r.csv")
        mend(tmp_path / "r.results.rejected.csv", "Ann,nourl,yes", f"{name},,{after}")
        assert run(api, tmp_path, "r.results.rejected.csv").summary["created"] == 1
        if kept == "changed":
            wait_until(lambda: int(time.time()) > api.users()["ann"]["updated_at"])
            api.another_hand("PUT", "/users/ann", {"metadata": {"by": "hand"}})
        undo = ("undo", "r.round2.results.csv", *api.flags(), "--yes", "--json")
        if killed is not None:
            api.faults({"fault": "hang-after-commit", "route": killed})
            sent, method = len(api.lines("audit")), killed.partition(" ")[0]
            victim = start(*undo, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
            wait_until(lambda: any(each["method"] == method for each in api.lines("audit")[sent:]))
            victim.kill()
        undone = provisioner(*undo, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        ann = api.users()["ann"]
        assert undone.summary["kept_by_reason"] == ({} if kept is None else {kept: 1}), undone.stderr
        assert (ann["name"], bool(ann["deactivated_at"])) == (name if kept else "Ann", kept != "changed")
        assert len(ann["tokens"]) == (kept == "changed")
        idle = provisioner(*undo, cwd=tmp_path, COMETCHAT_API_KEY=KEY).summary
        assert (idle["reversed"], idle["kept_by_reason"]) == (
            undone.summary["reversed"],
            undone.summary["kept_by_reason"],
        )
        assert api.users()["ann"] == ann
        again = run(api, tmp_path, "r.results.rejected.csv")
        back = api.users()["ann"]
        assert (again.exit_code, back["name"], bool(back["deactivated_at"])) == (0, name, after == "yes")
        if after == "no":
            assert api.accepts("ann", told(tmp_path / "r.round2.results.csv")["ann"][1])


@pytest.mark.slow
def test_a_round_of_an_earlier_version_knows_whom_it_has_created(tmp_path: Path) -> None:
    """Its journal has an older format, and stays as it is: created, with the token of then, and the edit is sent."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        mend(tmp_path / "r.results.rejected.csv")
        as_format_2(tmp_path / "r.results.journal.db")
        kept = (tmp_path / "r.results.journal.db").read_bytes()
        again = run(api, tmp_path, "r.results.rejected.csv")
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 1, 1)
        assert api.accepts("ann", told(tmp_path / "r.round2.results.csv")["ann"][1])
        assert (tmp_path / "r.results.journal.db").read_bytes() == kept


@pytest.mark.slow
def test_a_round_whose_journal_cannot_be_read_is_not_taken_for_one_that_knows_nobody(tmp_path: Path) -> None:
    """Ann would be told as somebody else's, without her token and her edit; where it is moved away, that is said."""
    with emulator(tmp_path) as api:
        created_and_rejected(api, tmp_path)
        mend(tmp_path / "r.results.rejected.csv")
        journal = tmp_path / "r.results.journal.db"
        kept = journal.read_bytes()
        journal.write_bytes(kept[:5000])
        refused = run(api, tmp_path, "r.results.rejected.csv")
        checked = provisioner("validate", "r.results.rejected.csv", cwd=tmp_path)
        assert (refused.exit_code, checked.exit_code) == (2, 2)
        assert "move it away, and whom that round has created counts as somebody else's user" in refused.stderr
        assert not list(tmp_path.glob("r.round2.results.journal*"))
        journal.unlink()
        assert run(api, tmp_path, "r.results.rejected.csv").summary["existing"] == 1
