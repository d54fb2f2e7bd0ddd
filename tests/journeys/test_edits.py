"""Rows that were edited, and settings that ask for more, between two runs of one job: the real command, real kills."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest

from tests.rig.command import (
    KEY,
    PATIENCE,
    Finished,
    RunningEmulator,
    emulator,
    people,
    provisioner,
    rows,
    start,
    started,
    wait_until,
    write_roster,
)

THERE = ("person-00003", "person-00004")


def run(api: RunningEmulator, folder: Path, *more: object) -> Finished:
    return provisioner(
        "run", "people.csv", *api.flags(), "-o", "out.csv", "--json", *more, cwd=folder, COMETCHAT_API_KEY=KEY
    )


def roster(folder: Path, edits: Mapping[int, str] | None = None) -> None:
    """Six people; some have another name by now."""
    made = people(6)
    for number, name in (edits or {}).items():
        made[number - 1]["name"] = name
    write_roster(folder / "people.csv", made)


def told(folder: Path) -> dict[str, tuple[str, str]]:
    """Uid → outcome and token."""
    return {row["uid"]: (row["outcome"], row["auth_token"]) for row in rows(folder / "out.csv")}


def there_before(folder: Path) -> str:
    """A file of two users that are there before the first run."""
    users = [{"uid": uid, "name": "As it was", "created_at": 1_700_000_000} for uid in THERE]
    (folder / "users.ndjson").write_text("\n".join(map(json.dumps, users)))
    return "users.ndjson"


@pytest.mark.sampled
@pytest.mark.parametrize("policy", ["skip", "update", "fail"])
def test_an_edited_row_is_brought_up_to_date_and_stays_created(tmp_path: Path, policy: str) -> None:
    """A look and one PUT, whatever `--on-existing` says; token and time stay; then there is nothing left to send."""
    roster(tmp_path)
    with emulator(tmp_path) as api:
        assert run(api, tmp_path).exit_code == 0
        before, sent = told(tmp_path), len(api.lines("audit"))
        roster(tmp_path, {2: "Mended"})
        again = run(api, tmp_path, "--on-existing", policy)
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 6, 1)
        assert [(each["method"], each["uid"]) for each in api.lines("audit")[sent:] if each["uid"]] == [
            ("GET", "person-00002"),
            ("PUT", "person-00002"),
        ]
        assert api.users()["person-00002"]["name"] == "Mended"
        assert told(tmp_path) == before
        idle = run(api, tmp_path, "--on-existing", policy)
        assert (idle.summary["requests"], idle.summary["edited"]) == (0, 0)


@pytest.mark.slow
def test_an_edit_that_is_killed_on_the_wire_is_still_about_a_user_of_ours(tmp_path: Path) -> None:
    """The PUT hangs, the run is killed: the next one calls the user created, with its first token."""
    roster(tmp_path)
    fault = {"fault": "hang-before-commit", "route": "PUT /users/{uid}"}
    (tmp_path / "hang.json").write_text(json.dumps({"script": [fault]}))
    with emulator(tmp_path, "--fault-script", tmp_path / "hang.json") as api:
        assert run(api, tmp_path).exit_code == 0
        before = told(tmp_path)
        roster(tmp_path, {2: "Mended"})
        victim = start("run", "people.csv", *api.flags(), "-o", "out.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: any(each["method"] == "PUT" for each in api.lines("audit")))
        victim.kill()
        again = run(api, tmp_path)
        assert (again.exit_code, again.summary["created"], again.summary["edited"]) == (0, 6, 1), again.stderr
        assert told(tmp_path) == before
        assert api.users()["person-00002"]["name"] == "Mended"


FILLED = {
    "uid": "ann", "name": "Ann", "avatar": "https://a.b/1", "link": "https://a.b/2", "role": "admin",
    "metadata": '{"a":1}', "tags": "x;y",
}  # fmt: skip
EMPTIED = {**dict.fromkeys(FILLED, ""), "uid": "ann", "name": "Ann"}


def _comma(row: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame([row]).write_csv(file)
    return file.getvalue()


def _semicolon(row: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame([row]).write_csv(file, separator=";")
    return file.getvalue()


def _compressed(row: Mapping[str, str]) -> bytes:
    return gzip.compress(json.dumps(row).encode() + b"\n")


def _parquet(row: Mapping[str, str]) -> bytes:
    file = io.BytesIO()
    pl.DataFrame([row]).write_parquet(file)
    return file.getvalue()


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("name", "written"),
    [("p.csv", _comma), ("p.csv", _semicolon), ("p.ndjson.gz", _compressed), ("p.parquet", _parquet)],
    ids=["comma", "semicolon", "compressed", "parquet"],
)
def test_emptied_cells_of_a_row_of_ours_empty_the_user(
    tmp_path: Path, name: str, written: Callable[[Mapping[str, str]], bytes]
) -> None:
    """By the one PUT that says the rest: the proof finds the user as the roster has it, and an undo takes it back."""

    def told(*command: object) -> Finished:
        return provisioner(*command, *api.flags(), "--json", cwd=tmp_path, COMETCHAT_API_KEY=KEY)

    with emulator(tmp_path, "--role", "admin") as api:
        (tmp_path / name).write_bytes(written(FILLED))
        assert told("run", name, "-o", "out.csv").summary["created"] == 1
        assert api.users()["ann"]["avatar"] == "https://a.b/1"
        (tmp_path / name).write_bytes(written(EMPTIED))
        again = told("run", name, "-o", "out.csv").summary
        assert (again["created"], again["edited"]) == (1, 1)
        assert [each["method"] for each in api.lines("audit") if each["uid"]] == ["POST", "GET", "PUT"]
        ann = api.users()["ann"]
        fields = ("name", "avatar", "link", "role", "metadata", "tags")
        assert [ann[field] or None for field in fields] == ["Ann", None, None, "default", None, None]
        assert told("run", name, "-o", "out.csv").summary["requests"] == 0
        assert told("verify", name, "-o", "out.csv").exit_code == 0
        undone = told("undo", "out.csv", "--yes")
        assert (undone.exit_code, api.users()["ann"]["deactivated_at"] is None) == (0, False), undone.stderr


@pytest.mark.slow
def test_what_others_have_filled_stays_when_a_row_of_ours_is_edited(tmp_path: Path) -> None:
    """Of columns that are empty for the user, and were: photo, role, tags and metadata. One that is emptied goes."""
    columns = "uid,name,avatar,link,role,tags,metadata.dept"
    with emulator(tmp_path, "--role", "admin") as api:
        (tmp_path / "people.csv").write_text(f"{columns}\nann,Ann,,https://a.b/2,,,\n")
        assert run(api, tmp_path).summary["created"] == 1
        given = {"avatar": AVATAR, "role": "admin", "tags": ["vip"], "metadata": {"theme": "dark"}}
        api.another_hand("PUT", "/users/ann", given)
        for name, link in (("Ann Lee", "https://a.b/2"), ("Ann Poe", ""), ("Ann Roe", "")):
            (tmp_path / "people.csv").write_text(f"{columns}\nann,{name},,{link},,,\n")
            assert run(api, tmp_path).summary["edited"] == 1
            ann = api.users()["ann"]
            assert {field: ann[field] for field in ("name", "link", *given)} == {
                "name": name, "link": link or None, **given,
            }  # fmt: skip
        assert run(api, tmp_path).summary["requests"] == 0


@pytest.mark.slow
def test_what_a_refused_edit_would_have_filled_is_not_ours(tmp_path: Path) -> None:
    """The photo that somebody gives the user after the refusal stays with the next edit."""
    with emulator(tmp_path) as api:
        rows_of_ann = ["Ann,,", f"Ann,{AVATAR},ghost", "Anna,,"]
        codes = []
        for at, row in enumerate(rows_of_ann):
            (tmp_path / "people.csv").write_text(f"uid,name,avatar,role\nann,{row}\n")
            codes.append(run(api, tmp_path, "--no-check-roles").exit_code)
            if at == 1:
                api.another_hand("PUT", "/users/ann", {"avatar": "https://a.b/own"})
        ann = api.users()["ann"]
        assert (codes, ann["name"], ann["avatar"]) == ([0, 1, 0], "Anna", "https://a.b/own")


@pytest.mark.slow
def test_what_a_create_without_an_answer_has_filled_is_emptied_by_the_next_edit(tmp_path: Path) -> None:
    """The row was in doubt already when the photo came into it, and the photo is gone from it before the doubt is."""
    (tmp_path / "provisioner.toml").write_text("[retry]\nmax_attempts = 1\n")
    with emulator(tmp_path, "--fault", "error-before-commit@2", "--fault", "lost-reply@4") as api:
        codes = []
        for avatar in ("", AVATAR, ""):
            (tmp_path / "people.csv").write_text(f"uid,name,avatar\nann,Ann,{avatar}\n")
            codes.append(run(api, tmp_path).exit_code)
        assert (codes, api.users()["ann"]["avatar"]) == ([1, 1, 0], None)


@pytest.mark.slow
def test_what_a_lost_run_has_filled_is_emptied_by_an_edit(tmp_path: Path) -> None:
    """The copy of the journal that goes on does not know of it."""
    with emulator(tmp_path) as api:
        for name, avatar in (("Ann", ""), ("Ann", AVATAR)):
            (tmp_path / "people.csv").write_text(f"uid,name,avatar\nann,{name},{avatar}\n")
            assert run(api, tmp_path).exit_code == 0
            if not avatar:
                assert provisioner("backup", "out.csv", "safe.db", cwd=tmp_path).exit_code == 0
        for each in tmp_path.glob("out.journal.db*"):
            each.unlink()
        (tmp_path / "safe.db").rename(tmp_path / "out.journal.db")
        (tmp_path / "people.csv").write_text("uid,name,avatar\nann,Anna,\n")
        assert run(api, tmp_path).summary["edited"] == 1
        ann = api.users()["ann"]
        assert (ann["name"], ann["avatar"]) == ("Anna", None)


@pytest.mark.slow
def test_what_an_undo_of_a_round_has_put_back_is_emptied_by_the_next_run(tmp_path: Path) -> None:
    """Though this round had emptied it itself, before it was taken back."""
    head = "uid,name,avatar"
    with emulator(tmp_path) as api:
        for row in (f"ann,Ann,{AVATAR}", f"ann,,{AVATAR}"):
            (tmp_path / "people.csv").write_text(f"{head}\n{row}\n")
            run(api, tmp_path)
        mended = tmp_path / "out.rejected.csv"
        mended.write_text(mended.read_text().replace(f"ann,,{AVATAR}", "ann,Ann Lee,"))
        round2 = ("run", "out.rejected.csv", *api.flags(), "-o", "out2.csv")
        avatars = []
        for command in (round2, ("undo", "out2.csv", *api.flags(), "--yes"), round2):
            assert provisioner(*command, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
            avatars.append(api.users()["ann"]["avatar"])
        assert avatars == [None, AVATAR, None]


@pytest.mark.slow
def test_a_column_that_is_gone_empties_nobody(tmp_path: Path) -> None:
    """The roster has no source for the avatar any more, so what becomes of it is none of its business."""
    (tmp_path / "people.csv").write_text("uid,name,avatar\nann,Ann,https://a.b/1\n")
    with emulator(tmp_path) as api:
        assert run(api, tmp_path).summary["created"] == 1
        (tmp_path / "people.csv").write_text("uid,name\nann,Anna\n")
        assert run(api, tmp_path).summary["edited"] == 1
        assert (api.users()["ann"]["name"], api.users()["ann"]["avatar"]) == ("Anna", "https://a.b/1")


AVATAR = "https://a.b/1"


def _without_its_column(api: RunningEmulator, folder: Path, *, killed: bool) -> None:
    """Have two people created with avatars, and one of them edited while the roster has no column for these.

    killed  the answer to the create is lost with the process, and the run after it finds the user as it has it
    """
    (folder / "people.csv").write_text(f"uid,name,avatar\nann,Ann,{AVATAR}\nbob,Bob,{AVATAR}\n")
    if killed:
        api.faults({"fault": "hang-after-commit", "route": "POST /users"})
        with started("run", "people.csv", *api.flags(), "-o", "out.csv", cwd=folder, COMETCHAT_API_KEY=KEY) as victim:
            wait_until(lambda: "ann" in api.users())
            victim.kill()
        api.faults()
    else:
        assert run(api, folder).summary["created"] == 2
    (folder / "people.csv").write_text(f"uid,name\nann,{'Ann' if killed else 'Anna'}\nbob,Bob\n")
    assert run(api, folder).exit_code == 0
    assert api.users()["ann"]["avatar"] == AVATAR


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["edited", "found after a kill"])
def test_a_cell_that_is_empty_when_its_column_is_back_empties_the_user(tmp_path: Path, killed: bool) -> None:
    """Though the row was settled just so without the column; once, and then there is nothing left to send."""
    with emulator(tmp_path) as api:
        _without_its_column(api, tmp_path, killed=killed)
        (tmp_path / "people.csv").write_text(f"uid,name,avatar\nann,{'Ann' if killed else 'Anna'},\nbob,Bob,{AVATAR}\n")
        dry = run(api, tmp_path, "--dry-run").summary
        emptied = run(api, tmp_path)
        assert (emptied.summary["created"], emptied.summary["edited"], dry["estimate"]["requests"]) == (2, 2, 4)
        assert {uid: user["avatar"] for uid, user in api.users().items()} == {"ann": None, "bob": AVATAR}
        assert run(api, tmp_path).summary["requests"] == 0
        proof = ("verify", "people.csv", *api.flags(), "-o", "out.csv")
        assert provisioner(*proof, cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0


@pytest.mark.slow
def test_emptied_cells_of_a_user_that_was_there_before_leave_what_it_has(tmp_path: Path) -> None:
    """`--on-existing update` sets what the row says, and no more."""
    (tmp_path / "people.csv").write_text(f"uid,name,avatar\n{THERE[0]},Ann,https://a.b/1\n")
    with emulator(tmp_path, "--users", there_before(tmp_path)) as api:
        assert run(api, tmp_path, "--on-existing", "update").summary["updated"] == 1
        (tmp_path / "people.csv").write_text(f"uid,name,avatar\n{THERE[0]},Anna,\n")
        assert run(api, tmp_path, "--on-existing", "update").summary["updated"] == 1
        user = api.users()[THERE[0]]
        assert (user["name"], user["avatar"]) == ("Anna", "https://a.b/1")


@pytest.mark.slow
def test_settings_that_ask_for_more_take_up_those_that_fall_short(tmp_path: Path) -> None:
    """Existing ones are updated, get tokens, or fail, as it is asked for now: without `--restart`."""
    roster(tmp_path)
    with emulator(tmp_path, "--users", there_before(tmp_path)) as api:
        assert (first := run(api, tmp_path)).summary["existing"] == 2, first.stderr
        tokens = {uid: token for uid, (_, token) in told(tmp_path).items()}
        more = run(api, tmp_path, "--auth-tokens", "all")
        assert (more.exit_code, more.summary["existing"], more.summary["tokens"]) == (0, 2, 6)
        assert all(api.accepts(uid, token) for uid, (_, token) in told(tmp_path).items())
        updated = run(api, tmp_path, "--on-existing", "update")
        assert (updated.summary["updated"], updated.summary["edited"]) == (2, 0)
        assert {api.users()[uid]["name"] for uid in THERE} == {"Person 3", "Person 4"}
        failed = run(api, tmp_path, "--on-existing", "fail")
        assert (failed.exit_code, failed.summary["failed"], failed.summary["created"]) == (1, 2, 4)
        kept = {uid: token for uid, (outcome, token) in told(tmp_path).items() if outcome == "created"}
        assert kept == {uid: token for uid, token in tokens.items() if uid not in THERE}


@pytest.mark.slow
def test_an_edited_row_of_a_user_that_was_there_before_is_told_as_it_is(tmp_path: Path) -> None:
    """Under `skip` it is left alone, and the summary does not say that all was settled; `update` carries it out."""
    roster(tmp_path)
    with emulator(tmp_path, "--users", there_before(tmp_path)) as api:
        run(api, tmp_path)
        roster(tmp_path, {3: "Mended"})
        skipped = provisioner("run", "people.csv", *api.flags(), "-o", "out.csv", cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        # Only the server's time was asked for.
        assert "1 request in" in skipped.stdout
        assert "settled every valid row" not in skipped.stdout
        updated = run(api, tmp_path, "--on-existing", "update")
        assert (updated.summary["updated"], updated.summary["created"]) == (2, 4)
        assert api.users()["person-00003"]["name"] == "Mended"


@pytest.mark.slow
def test_disabled_accounts_are_not_brought_to_life(tmp_path: Path) -> None:
    """Created and deactivated in one go, without a token; killed in between, the next run finishes it."""
    people_of = "uid,name,left\n" + "".join(f"p{n},P {n},{'yes' if n % 5 == 0 else ''}\n" for n in range(40))
    (tmp_path / "people.csv").write_text(people_of)
    (tmp_path / "left.toml").write_text('[columns]\ndeactivated = "left"\n')
    with emulator(tmp_path) as api:
        dry = run(api, tmp_path, "-c", "left.toml", "--dry-run")
        assert (dry.summary["estimate"]["requests"], dry.summary["pending"]) == (48, 40)
        api.faults({"fault": "hang-after-commit", "route": "DELETE /users", "nth": 3})
        started = start(
            "run", "people.csv", *api.flags(), "-o", "out.csv", "-c", "left.toml", cwd=tmp_path, COMETCHAT_API_KEY=KEY
        )
        wait_until(lambda: sum(user["deactivated_at"] is not None for user in api.users().values()) >= 3)
        started.kill()
        api.faults()
        ended = run(api, tmp_path, "-c", "left.toml")
        assert (ended.exit_code, ended.summary["created"], ended.summary["deactivated"]) == (0, 40, 8)
        assert ended.summary["tokens"] == 32
        gone = {uid for uid, user in api.users().items() if user["deactivated_at"] is not None}
        assert gone == {f"p{n}" for n in range(0, 40, 5)}
        assert not any(api.users()[uid]["tokens"] for uid in gone)
        assert {row["uid"] for row in rows(tmp_path / "out.csv") if row["error_code"] == "deactivated"} == gone
        assert "reactivated" not in {record["did"] for record in api.lines("audit")}
        sent = len(api.lines("audit"))
        assert run(api, tmp_path, "-c", "left.toml").exit_code == 0
        (tmp_path / "people.csv").write_text(people_of.replace("p5,P 5,yes", "p5,P 5,no"))
        assert len(api.lines("audit")) == sent
        back = run(api, tmp_path, "-c", "left.toml")
        assert (back.exit_code, back.summary["deactivated"], back.summary["tokens"]) == (0, 7, 33)
        assert api.users()["p5"]["deactivated_at"] is None


@pytest.mark.slow
def test_a_user_that_another_hand_has_deleted_is_told_with_a_cure_that_helps(tmp_path: Path) -> None:
    """One of ours whose row was edited, and somebody else's who is to come back: an --output of their own has both."""

    def carried_out(api: RunningEmulator, output: str, ann: str, bob: str) -> list[tuple[str, str]]:
        (tmp_path / "r.csv").write_text(f"uid,name,off\nann,{ann},no\nbob,Bob,{bob}\n")
        options = ("-o", output, "--on-existing", "update")
        provisioner("run", "r.csv", *api.flags(), *options, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        return [(line["outcome"], line["error_message"]) for line in rows(tmp_path / output)]

    (tmp_path / "provisioner.toml").write_text('[columns]\ndeactivated = "off"\n')
    with emulator(tmp_path) as api:
        api.another_hand("POST", "/users", {"uid": "bob", "name": "Bob"})
        assert [outcome for outcome, _ in carried_out(api, "x.csv", "Ann", "yes")] == ["created", "updated"]
        for uid in ("ann", "bob"):
            api.another_hand("DELETE", f"/users/{uid}", {"permanent": True})
        anew = "feed this row in by itself, with another --output, to have the user created anew"
        ours = "this job created the user, and another hand has deactivated or deleted it since"
        assert carried_out(api, "x.csv", "Anna", "no") == [
            ("failed", f"{ours}; reactivate it and run again, or, if it is deleted, {anew}"),
            ("failed", f"another hand has deleted the user since; {anew}"),
        ]
        assert carried_out(api, "y.csv", "Anna", "no") == [("created", ""), ("created", "")]


@pytest.mark.slow
def test_a_rehearsal_goes_on_with_an_edited_roster_and_after_a_kill(tmp_path: Path) -> None:
    """The built-in emulator begins empty each time: what is sent again is created again, and each row is told once."""
    command = ("run", "people.csv", "--emulator", "-o", "out.csv", "--json")
    roster(tmp_path)
    assert provisioner(*command, cwd=tmp_path).summary["created"] == 6
    roster(tmp_path, {1: "Ann", 2: "Bob"})
    again = provisioner(*command, cwd=tmp_path)
    assert (again.exit_code, again.summary["created"], again.summary["requests"]) == (0, 6, 3)
    write_roster(tmp_path / "people.csv", people(400))
    with started(*command, "--requests-per-minute", "6000", cwd=tmp_path) as process:
        wait_until(lambda: settled_in(tmp_path / "out.journal.db") > 30)
        process.kill()
    resumed = provisioner(*command, cwd=tmp_path)
    assert (resumed.exit_code, resumed.summary["created"]) == (0, 400)
    assert {outcome for outcome, token in told(tmp_path).values() if token} == {"created"}
    assert len(rows(tmp_path / "out.csv")) == len(told(tmp_path)) == 400


def settled_in(journal: Path) -> int:
    """Count the rows that a journal knows as settled."""
    with closing(sqlite3.connect(journal)) as database:
        (number,) = database.execute("SELECT count(*) FROM users WHERE state = 'settled'").fetchone()
    return int(number)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "outcome"),
    [(("--on-existing", "skip"), "created"), (("--on-existing", "update"), "updated")],
    ids=["edited", "to be updated"],
)
def test_rows_that_a_stopped_run_has_not_reached_are_pending(
    tmp_path: Path, more: tuple[str, str], outcome: str
) -> None:
    """Though an earlier run was done with them, in results and summary. The next run goes on with all."""
    made = people(300)
    there = [{"uid": each["uid"], "name": "As it was", "created_at": 1_700_000_000} for each in made]
    (tmp_path / "users.ndjson").write_text("\n".join(map(json.dumps, there if outcome == "updated" else [])))
    write_roster(tmp_path / "people.csv", made)
    with emulator(tmp_path, "--users", "users.ndjson") as api:
        assert run(api, tmp_path).exit_code == 0
        tokens = {uid: token for uid, (_, token) in told(tmp_path).items()}
        edited = [{**each, "name": "Mended"} for each in made[:-1]]
        write_roster(tmp_path / "people.csv", [*edited, made[-1]])
        stopped = provisioner(
            "run",
            "people.csv",
            *api.flags(),
            "-o",
            "out.csv",
            "--json",
            *more,
            cwd=tmp_path,
            COMETCHAT_API_KEY="0" * 40,
        )
        done = 1 if outcome == "created" else 0  # the row that nobody has edited
        assert (stopped.exit_code, stopped.summary["pending"], stopped.summary["created"]) == (4, 300 - done, done)
        assert {uid: token for uid, (_, token) in told(tmp_path).items()} == tokens
        again = run(api, tmp_path, *more)
        assert (again.exit_code, again.summary[outcome]) == (0, 300)
        assert {user["name"] for user in api.users().values()} == {"Mended", made[-1]["name"]}
        assert {uid: token for uid, (_, token) in told(tmp_path).items()} == tokens
        assert run(api, tmp_path, *more).summary["requests"] == 0


@pytest.mark.slow
def test_rows_that_waited_for_a_worker_when_a_run_was_stopped_are_as_they_were(tmp_path: Path) -> None:
    """Whoever takes the edit back has nothing sent for them, and nobody is created whom others have deleted since."""
    made = people(300)
    there = [{"uid": each["uid"], "name": "As it was", "created_at": 1_700_000_000} for each in made]
    (tmp_path / "users.ndjson").write_text("\n".join(map(json.dumps, there)))
    write_roster(tmp_path / "people.csv", made)
    with emulator(tmp_path, "--users", "users.ndjson", "--latency", "20ms") as api:
        update = ("--on-existing", "update")
        assert run(api, tmp_path, *update).summary["updated"] == 300
        write_roster(tmp_path / "people.csv", [{**each, "name": "Mended"} for each in made])
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv", *update, "--max-in-flight", "2")
        with started(*command, "--requests-per-minute", "600", cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: "Mended" in {user["name"] for user in api.users().values()})
            process.terminate()
            process.wait(PATIENCE)
        summary = json.loads((tmp_path / "out.summary.json").read_text())
        touched = {user["uid"] for user in api.users().values() if user["name"] == "Mended"}
        assert (summary["exit_code"], summary["pending"]) == (143, 300 - len(touched))
        assert 300 - 2 <= settled_in(tmp_path / "out.journal.db") <= 300
        gone = made[200]["uid"]
        api.another_hand("DELETE", f"/users/{gone}", {"permanent": True})
        write_roster(tmp_path / "people.csv", made)
        again = run(api, tmp_path, *update)
        assert (again.exit_code, again.summary["updated"]) == (0, 300)
        assert again.summary["requests"] <= 2 * (len(touched) + 2) + 1
        assert gone not in api.users()


@pytest.mark.slow
def test_what_a_run_has_not_come_to_is_pending_also_when_its_journal_is_lost(tmp_path: Path) -> None:
    """Rows that waited, and all behind them: none of them is told as created, with a name that was never sent."""
    made = people(3000)
    write_roster(tmp_path / "people.csv", made)
    with emulator(tmp_path) as api:
        assert run(api, tmp_path).summary["created"] == 3000
        write_roster(tmp_path / "people.csv", [{**each, "name": "Mended"} for each in made])
        command = ("run", "people.csv", *api.flags(), "-o", "out.csv", "--max-in-flight", "4")
        with started(*command, "--requests-per-minute", "3000", cwd=tmp_path, COMETCHAT_API_KEY=KEY) as process:
            wait_until(lambda: "Mended" in {user["name"] for user in api.users().values()})
            (tmp_path / "out.journal.db").rename(tmp_path / "away.db")
            process.wait(PATIENCE)
        summary = json.loads((tmp_path / "out.summary.json").read_text())
        mended = {user["uid"] for user in api.users().values() if user["name"] == "Mended"}
        assert (summary["exit_code"], summary["stopped_by"], summary["created"]) == (3, "storage", len(mended))
        assert {uid for uid, (outcome, _) in told(tmp_path).items() if outcome == "created"} == mended
        again = run(api, tmp_path)
        assert (again.exit_code, again.summary["created"]) == (0, 3000)
        assert {user["name"] for user in api.users().values()} == {"Mended"}
