"""A run is taken back, exactly and only that: the real command against the emulator."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import stat
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from provisioner.journal.undo.telling import is_taken_back
from tests.rig.between import Between, standing_between
from tests.rig.command import (
    KEY,
    Finished,
    RunningEmulator,
    emulator,
    provisioner,
    rows,
    start,
    wait_until,
)

LONG_AGO = 1_700_000_000
# What is there before: strangers whom the roster does not name, and people whom it does.
BEFORE: list[dict[str, Any]] = [
    {"uid": "stranger", "name": "Stranger", "created_at": LONG_AGO, "tags": ["x"]},
    {
        "uid": "old-full", "name": "Full as it was", "created_at": LONG_AGO, "updated_at": LONG_AGO + 5,
        "role": "member",
        "avatar": "https://a.example/1.png", "link": "https://l.example", "status_message": "here",
        "metadata": {"b": [1, 2.5], "a": {"x": None}}, "tags": ["one", "two"],
    },
    {"uid": "old-bare", "name": "Bare as it was", "created_at": LONG_AGO},
    {"uid": "old-away", "name": "Away", "created_at": LONG_AGO, "deactivated_at": LONG_AGO + 9},
]  # fmt: skip
HEAD = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags")
FULL = ("https://n.example/2.png", "https://n.example", "default", "new", '{"k": 1}', "red;blue")
ROSTER = [
    *(((f"new-{n}", f"New {n}", *FULL)) for n in range(1, 6)),
    ("old-full", "Full, new", *FULL),
    ("old-bare", "Bare, new", "https://n.example/3.png", "https://n.example/b", "member", "", '{"k": 2}', "green"),
    ("old-away", "Away, new", *FULL),
]
TIMES = {"updated_at", "created_at", "deactivated_at", "tokens"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningEmulator]:
    with emulator(tmp_path, "--role", "member") as running:
        running.seed(*BEFORE)
        yield running


def later(api: RunningEmulator, uid: str, **changed: Any) -> None:
    """Have somebody else change a user at a time that is certainly later."""
    user = api.users()[uid]
    api.seed({**user, "updated_at": user["created_at"] + 10**6, **changed})


def command(name: str, folder: Path, api: RunningEmulator, *more: object) -> tuple[object, ...]:
    (folder / "provisioner.toml").write_text("[retry]\nbackoff_base = 0.05\nbackoff_max = 0.2\n")
    return (name, *(("roster.csv", "-o") if name == "run" else ()), "out.csv", *api.flags(), "--json", *more)


def run(folder: Path, api: RunningEmulator, *more: object, people: Sequence[tuple[str, ...]] = ROSTER) -> Finished:
    with (folder / "roster.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *people])
    return provisioner(*command("run", folder, api, *more), cwd=folder, COMETCHAT_API_KEY=KEY)


def undo(folder: Path, api: RunningEmulator, *more: object) -> Finished:
    return provisioner(*command("undo", folder, api, "--yes", *more), cwd=folder, COMETCHAT_API_KEY=KEY)


def profiles(api: RunningEmulator) -> dict[str, dict[str, Any]]:
    """Everybody, but for times and tokens; what is empty is not there."""
    return {
        uid: {name: value for name, value in user.items() if name not in TIMES and value not in (None, [], {})}
        for uid, user in api.users().items()
    }


def active(api: RunningEmulator) -> set[str]:
    return {uid for uid, user in api.users().items() if user["deactivated_at"] is None}


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    """Uid → verdict, and what was done or why not."""
    return {line["uid"]: (line["verdict"], line["done"] or line["reason"]) for line in rows(folder / "out.undo.csv")}


def signs_of_life(folder: Path) -> bool:
    """Whether a run has recorded how it goes."""
    with closing(sqlite3.connect(f"file:{folder / 'out.journal.db'}?mode=ro", uri=True)) as journal:
        return bool(journal.execute("SELECT EXISTS (SELECT 1 FROM pace)").fetchone()[0])


@pytest.mark.slow
def test_a_run_is_taken_back_field_by_field(api: RunningEmulator, tmp_path: Path) -> None:
    """Created users are deactivated, updated ones are as they were; strangers are not asked about."""
    before, here = profiles(api), active(api)
    assert run(tmp_path, api, "--on-existing", "update").exit_code == 0
    changed, place = profiles(api), len(api.lines("audit"))
    assert {uid for uid in before if before[uid] != changed[uid]} == {"old-full", "old-bare"}
    done = undo(tmp_path, api)
    assert (done.exit_code, done.stderr.count("Traceback")) == (0, 0), done
    after = profiles(api)
    assert ({uid: after[uid] for uid in before}, active(api)) == (before, here)
    assert set(after) - set(before) == {f"new-{n}" for n in range(1, 6)}
    assert verdicts(tmp_path) == {
        **{f"new-{n}": ("reversed", "deactivated") for n in range(1, 6)},
        "old-full": ("reversed", "restored"),
        "old-bare": ("reversed", "restored"),
    }
    touched = {record["uid"] for record in api.lines("audit")[place:] if record["uid"]}
    assert touched.isdisjoint({"stranger", "old-away"})
    summary = json.loads((tmp_path / "out.undo.summary.json").read_text())
    assert (summary, summary["users"], summary["done"]) == (
        done.summary, 7, {"deactivated": 5, "deleted": 0, "restored": 2},
    )  # fmt: skip
    for name in ("out.undo.csv", "out.journal.db"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.slow
def test_whoever_stays_after_all_is_brought_up_to_date_by_the_next_run(api: RunningEmulator, tmp_path: Path) -> None:
    """Which body is there nobody knows when a create without an answer turns out to be ours: its row was edited."""
    (tmp_path / "once.toml").write_text("[retry]\nmax_attempts = 1\n")
    for name, fault in (("New 1", "lost-reply"), ("Edited", "error-before-commit")):
        api.faults({"fault": fault, "uid": "new-1", "route": "POST /users"})
        assert run(tmp_path, api, "-c", "once.toml", people=[("new-1", name, *FULL)]).summary["failed"] == 1
    later(api, "new-1", updated_at=None, last_active_at=api.users()["new-1"]["created_at"] + 9)
    assert undo(tmp_path, api).exit_code == 1
    assert verdicts(tmp_path) == {"new-1": ("kept", "logged_in")}
    assert run(tmp_path, api, people=[("new-1", "Edited", *FULL)]).summary["edited"] == 1
    assert api.users()["new-1"]["name"] == "Edited"


@pytest.mark.slow
def test_tokens_of_users_who_were_there_are_counted_also_when_they_were_put_back(
    api: RunningEmulator, tmp_path: Path
) -> None:
    """Nobody takes them back: by every undo, until a run has settled the row anew."""
    asked = ("--on-existing", "update", "--auth-tokens", "all")
    assert run(tmp_path, api, *asked, people=[ROSTER[0], ROSTER[6]]).summary["tokens"] == 2
    for _ in range(2):
        done = undo(tmp_path, api).summary
        assert (done["reversed"], done["tokens_left"]) == (2, 1)
    assert len(api.users()["old-bare"]["tokens"]) == 1


@pytest.mark.slow
def test_who_fails_once_more_does_not_stop_each_undo(api: RunningEmulator, tmp_path: Path) -> None:
    """They are tried first, so that the others behind them would never be reached."""
    assert run(tmp_path, api, people=[(f"p-{n:02}", "P", *FULL) for n in range(20)]).exit_code == 0
    asked = command("undo", tmp_path, api, "--yes", "--max-in-flight", 1)
    (tmp_path / "provisioner.toml").write_text("[run]\nmax_failures = 1\n[retry]\nmax_attempts = 1\n")
    api.faults(*({"fault": "error-before-commit", "uid": f"p-{n:02}", "nth": 1, "times": 99} for n in range(2)))
    ended = []
    for _ in range(2):
        done = provisioner(*asked, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        ended.append((done.exit_code, done.summary["failed"], done.summary["reversed"]))
    assert ended == [(3, 2, 0), (1, 2, 18)]


@pytest.mark.slow
def test_what_an_update_emptied_is_put_back(api: RunningEmulator, tmp_path: Path) -> None:
    """An empty object or list is nothing to the API, and no other hand's work to an undo."""
    before = profiles(api)
    emptied = ("old-full", "Full as it was", *FULL[:4], "{}", "")
    assert run(tmp_path, api, "--on-existing", "update", people=[emptied]).exit_code == 0
    assert "metadata" not in profiles(api)["old-full"]
    assert undo(tmp_path, api).exit_code == 0
    assert (verdicts(tmp_path), profiles(api)) == ({"old-full": ("reversed", "restored")}, before)


@pytest.mark.slow
def test_whom_the_roster_had_deactivated_is_taken_back_as_well(api: RunningEmulator, tmp_path: Path) -> None:
    """Ours stay deactivated, who was there before is back as before; whom another hand has woken is left awake."""
    (tmp_path / "left.toml").write_text(
        '[columns]\ndeactivated = { column = "statusMessage", map = { "new" = true } }\n'
    )
    before, here = profiles(api), active(api)
    left = ("-c", "left.toml")
    assert run(tmp_path, api, "--on-existing", "update", *left).summary["deactivated"] == 6
    assert active(api) == {"stranger", "old-bare"}
    api.another_hand("PUT", "/users", {"uidsToActivate": ["new-5"]})
    assert undo(tmp_path, api, *left).exit_code == 1
    after = profiles(api)
    assert ({uid: after[uid] for uid in before}, active(api)) == (before, here | {"new-5"})
    assert verdicts(tmp_path) == {
        **{f"new-{n}": ("reversed", "deactivated") for n in range(1, 5)},
        "new-5": ("kept", "reactivated"),
        "old-full": ("reversed", "restored"),
        "old-bare": ("reversed", "restored"),
    }
    assert run(tmp_path, api, "--on-existing", "update", *left).exit_code == 0
    assert active(api) == {"stranger", "old-bare", "new-5"}
    undo(tmp_path, api, *left, "--permanent", api.url)
    assert profiles(api) == {**before, "new-5": after["new-5"]}


@pytest.mark.slow
def test_whom_another_hand_has_woken_stays_so_whatever_is_open_of_our_update(
    api: RunningEmulator, tmp_path: Path
) -> None:
    """The update was lost once before it was answered, so that its time says nothing: that the user is active does."""
    (tmp_path / "left.toml").write_text('[columns]\ndeactivated = { column = "name", map = { "Bare, new" = true } }\n')
    left = ("-c", "left.toml")
    api.faults({"fault": "lost-reply", "uid": "old-bare", "route": "PUT /users/{uid}"})
    assert run(tmp_path, api, "--on-existing", "update", *left, people=ROSTER[6:7]).summary["deactivated"] == 1
    api.another_hand("PUT", "/users", {"uidsToActivate": ["old-bare"]})
    changed = profiles(api)["old-bare"]
    undo(tmp_path, api, *left)
    assert verdicts(tmp_path) == {"old-bare": ("kept", "reactivated")}
    assert profiles(api)["old-bare"] == changed


@pytest.mark.slow
def test_whom_an_undo_has_put_back_in_part_and_woken_was_woken_by_it(api: RunningEmulator, tmp_path: Path) -> None:
    """Every undo after it says the same, and the next run deactivates the user again, as the roster says."""
    (tmp_path / "left.toml").write_text(
        '[columns]\ndeactivated = { column = "statusMessage", map = { "new" = true } }\n'
    )
    asked: dict[str, Any] = {"people": [("old-bare", "Bare, new", *FULL)]}
    left = ("--on-existing", "update", "-c", "left.toml")
    for _ in range(2):
        assert run(tmp_path, api, *left, **asked).summary["deactivated"] == 1
        assert "old-bare" not in active(api)
        for _ in range(2):
            undo(tmp_path, api, "-c", "left.toml")
            assert verdicts(tmp_path) == {"old-bare": ("kept", "not_clearable")}
            assert "old-bare" in active(api)


@pytest.mark.slow
def test_whoever_was_put_back_in_part_is_open_again(api: RunningEmulator, tmp_path: Path) -> None:
    """As one who was put back altogether: status counts the row, merge refuses the results, and a run updates again."""
    asked: dict[str, Any] = {"people": [("old-bare", "Bare, new", *FULL)]}
    again, journal = ("--on-existing", "update"), tmp_path / "out.journal.db"
    assert run(tmp_path, api, *again, **asked).summary["updated"] == 1
    undo(tmp_path, api)
    assert verdicts(tmp_path) == {"old-bare": ("kept", "not_clearable")}
    status = json.loads(provisioner("status", "out.csv", "--json", cwd=tmp_path).stdout)
    assert (status["outcomes"], status["next_run"]["pending"]) == ({"pending": 1}, 1)
    assert (is_taken_back(journal), is_taken_back(journal, 0.0)) == (True, True)
    done = run(tmp_path, api, *again, **asked).summary
    assert (done["updated"], done["requests"] > 0, api.users()["old-bare"]["name"]) == (1, True, "Bare, new")
    assert not is_taken_back(journal)
    undo(tmp_path, api)
    assert verdicts(tmp_path) == {"old-bare": ("kept", "not_clearable")}
    assert api.users()["old-bare"]["name"] == "Bare as it was"


@pytest.mark.slow
def test_what_another_hand_did_after_an_undo_in_part_is_what_the_next_one_puts_back(
    api: RunningEmulator, tmp_path: Path
) -> None:
    """Only of what could not be put back the old profile stays the one that is kept; what was emptied stays empty."""
    again, asked = ("--on-existing", "update"), [("old-bare", "Bare, new", *FULL)]
    api.seed({**BEFORE[2], "avatar": "https://a.example/1.png"})
    assert run(tmp_path, api, *again, people=asked).exit_code == 0
    undo(tmp_path, api)
    user = api.users()["old-bare"]
    wait_until(lambda: int(time.time()) > user["updated_at"])
    api.another_hand("PUT", "/users/old-bare", {"name": "By hand", "tags": ["hand"], "unset": ["avatar"]})
    undo(tmp_path, api)
    told = verdicts(tmp_path), is_taken_back(tmp_path / "out.journal.db")
    assert told == ({"old-bare": ("kept", "changed")}, True)
    for _ in range(2):
        before = profiles(api)["old-bare"]
        assert (before["name"], before["tags"], "avatar" in before) == ("By hand", ["hand"], False)
        assert run(tmp_path, api, *again, people=asked).summary["updated"] == 1
        assert profiles(api)["old-bare"]["name"] == "Bare, new"
        undo(tmp_path, api)
        assert (verdicts(tmp_path), profiles(api)["old-bare"]) == ({"old-bare": ("kept", "not_clearable")}, before)


@pytest.mark.slow
@pytest.mark.parametrize("columns", ["", 'deactivated = { column = "statusMessage", map = { "new" = true } }'])
def test_whoever_was_put_back_in_part_and_left_alone_since_stays_settled(
    api: RunningEmulator, tmp_path: Path, columns: str
) -> None:
    """A run that skips the user has touched nothing: an undo after it says the same of it, and opens no row."""
    (tmp_path / "left.toml").write_text(f"[columns]\n{columns}\n")
    left, journal = ("-c", "left.toml"), tmp_path / "out.journal.db"
    asked = [("old-bare", "Bare, new", *FULL)]
    assert run(tmp_path, api, *left, "--on-existing", "update", people=asked).exit_code == 0
    undo(tmp_path, api, *left)
    before = api.users()["old-bare"]
    assert run(tmp_path, api, *left, people=asked).summary["existing"] == 1
    for _ in range(2):
        undo(tmp_path, api, *left)
        assert verdicts(tmp_path) == {"old-bare": ("kept", "not_clearable")}
        status = json.loads(provisioner("status", "out.csv", "--json", cwd=tmp_path).stdout)
        assert status["outcomes"] == {"existing": 1}
        assert not is_taken_back(journal)
    assert api.users()["old-bare"] == before


@pytest.mark.slow
def test_what_was_put_back_by_an_undo_that_was_killed_is_no_other_hands(api: RunningEmulator, tmp_path: Path) -> None:
    """All but the status message is back when it is killed; another one says so, and so does every one after it."""
    assert run(tmp_path, api, "--on-existing", "update", people=[("old-bare", "Bare, new", *FULL)]).exit_code == 0
    # Times are whole seconds, and the undo is to be later than the run.
    wait_until(lambda: int(time.time()) > api.users()["old-bare"]["updated_at"])
    api.faults({"fault": "hang-after-commit", "route": "PUT /users/{uid}"})
    victim = start(*command("undo", tmp_path, api, "--yes"), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: api.users()["old-bare"]["name"] == "Bare as it was")
    victim.kill()
    victim.end()
    for _ in range(2):
        assert undo(tmp_path, api).exit_code == 1
        assert verdicts(tmp_path) == {"old-bare": ("kept", "not_clearable")}


@pytest.mark.slow
def test_whom_a_run_creates_between_two_undos_is_taken_back_by_the_second(api: RunningEmulator, tmp_path: Path) -> None:
    """The first was stopped when it had found an older user in its place: that says nothing of the run after it."""
    api.seed({"uid": "new-1", "name": "Older", "created_at": LONG_AGO})
    people = [(uid, uid.upper(), *FULL) for uid in ("new-1", "new-2", "new-3")]
    lost = {"fault": "error-before-commit", "uid": "new-1", "route": "POST /users", "times": 20}
    api.faults(lost)
    (tmp_path / "once.toml").write_text("[retry]\nmax_attempts = 1\n")
    assert run(tmp_path, api, "-c", "once.toml", people=people).summary["failed"] == 1
    revoked = {"fault": "revoke-key", "uid": "new-3", "route": "GET /users/{uid}"}
    api.faults(revoked)
    stopped = undo(tmp_path, api, "--max-in-flight", 1)
    assert (stopped.summary["untouched"], stopped.summary["pending"]) == (1, 1), stopped.stderr
    api.faults()
    api.another_hand("DELETE", "/users/new-1", {"permanent": True})
    assert run(tmp_path, api, people=people).exit_code == 0
    assert "new-1" in active(api)
    ended = undo(tmp_path, api)
    assert (ended.exit_code, ended.summary["users"], ended.summary["untouched"]) == (0, 3, 0)
    assert verdicts(tmp_path) == {uid: ("reversed", "deactivated") for uid, *_ in people}
    assert active(api).isdisjoint({uid for uid, *_ in people})


@pytest.mark.sampled
@pytest.mark.parametrize("fault", ["hang-after-commit", "hang-before-commit"])
@pytest.mark.parametrize("before", [False, True], ids=["active", "deactivated"])
def test_what_an_undo_for_good_had_deleted_when_it_was_killed_is_told_as_deleted(
    api: RunningEmulator, tmp_path: Path, fault: str, before: bool
) -> None:
    """By the next undo, which deletes nobody itself: who is in neither list is gone for good, by our hand."""
    assert run(tmp_path, api, people=ROSTER[:2]).exit_code == 0
    if before:
        assert undo(tmp_path, api).exit_code == 0
    api.faults({"fault": fault, "uid": "new-2", "route": "DELETE /users/{uid}"})
    asked = command("undo", tmp_path, api, "--yes", "--permanent", api.url, "--max-in-flight", 1)
    place = len(api.lines("audit"))
    victim = start(*asked, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(line["fault"] == fault for line in api.lines("audit")[place:]))
    victim.kill()
    victim.end()
    api.faults()
    gone = fault == "hang-after-commit"
    assert ("new-2" in api.users()) is not gone
    assert undo(tmp_path, api).exit_code == 0
    assert verdicts(tmp_path) == {
        "new-1": ("reversed", "deleted"),
        "new-2": ("reversed", "deleted" if gone else "deactivated"),
    }
    told = provisioner("show", "new-2", "out.csv", cwd=tmp_path).stdout
    assert f"reversed {'deleted' if gone else 'deactivated'}" in told


@pytest.mark.slow
def test_whoever_another_hand_has_made_anew_is_never_deleted_for_good(api: RunningEmulator, tmp_path: Path) -> None:
    """Also when that user is deactivated, as ours were: by an undo before, or as the roster said."""
    (tmp_path / "left.toml").write_text(
        '[columns]\ndeactivated = { column = "name", map = { "New 4" = true, "New 5" = false } }\n'
    )
    left = ("-c", "left.toml")
    assert run(tmp_path, api, people=ROSTER[:3]).exit_code == 0
    assert undo(tmp_path, api).summary["done"]["deactivated"] == 3
    assert run(tmp_path, api, *left, people=ROSTER[3:5]).summary["deactivated"] == 1
    for uid in ("new-1", "new-4"):
        made = api.users()[uid]["created_at"]
        later(api, uid, name="Stranger", created_at=made + 5, updated_at=None, deactivated_at=made + 9)
    made = api.users()["new-2"]["created_at"]
    later(api, "new-2", name="By hand", updated_at=made + 5, deactivated_at=made + 9)
    users = api.users()
    told = provisioner(
        *command("undo", tmp_path, api, "--dry-run", "--permanent", api.url), cwd=tmp_path, COMETCHAT_API_KEY=KEY
    )
    done = undo(tmp_path, api, "--permanent", api.url)
    assert verdicts(tmp_path) == {
        "new-1": ("kept", "another_user"),
        "new-2": ("kept", "changed"),
        "new-3": ("reversed", "deleted"),
        "new-4": ("kept", "another_user"),
        "new-5": ("reversed", "deleted"),
    }
    assert api.users() == {uid: user for uid, user in users.items() if uid not in {"new-3", "new-5"}}
    assert done.summary["requests"] <= told.summary["estimate"]["requests"]


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["ended", "killed"])
def test_a_run_after_an_undo_overwrites_nothing_of_another_hand(
    api: RunningEmulator, tmp_path: Path, *, killed: bool
) -> None:
    """Strangers in the place of ours are strangers, active or not; what another hand made of ours is kept and named."""
    assert run(tmp_path, api, people=ROSTER[:5]).exit_code == 0
    if killed:
        api.faults({"fault": "hang-before-commit", "route": "DELETE /users", "times": 5})
        victim = start(*command("undo", tmp_path, api, "--yes"), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: sum(line["fault"] == "hang-before-commit" for line in api.lines("audit")) == 5)
        victim.kill()
        victim.end()
        api.faults()
    else:
        assert undo(tmp_path, api).summary["reversed"] == 5
    made = api.users()["new-1"]["created_at"]
    later(api, "new-1", name="By hand", updated_at=made + 9, deactivated_at=None)
    assert run(tmp_path, api, "--on-existing", "fail", people=ROSTER[:1]).exit_code == 0
    (row,) = rows(tmp_path / "out.csv")
    assert (row["outcome"], row["error_code"]) == ("created", "changed")
    later(api, "new-2", name="Stranger", created_at=made + 5, updated_at=None, deactivated_at=None)
    later(api, "new-3", name="Stranger", created_at=made + 5, updated_at=None, deactivated_at=made + 9)
    api.another_hand("DELETE", "/users/new-4", {"permanent": True})
    left, place = api.users(), len(api.lines("audit"))
    ended = run(tmp_path, api, people=ROSTER[:5])
    told = {
        row["uid"]: (row["outcome"], row["error_code"], bool(row["auth_token"])) for row in rows(tmp_path / "out.csv")
    }
    assert told == {
        "new-1": ("created", "changed", True),
        "new-2": ("existing", "", False),
        "new-3": ("existing", "deactivated", False),
        "new-4": ("created", "", True),
        "new-5": ("created", "", True),
    }
    assert (ended.exit_code, api.users()["new-2"], api.users()["new-3"]) == (0, left["new-2"], left["new-3"])
    assert {"new-4", "new-5"} < active(api)
    assert run(tmp_path, api, "--on-existing", "fail", people=ROSTER[:5]).summary["failed"] == 2
    assert (api.users()["new-1"]["name"], api.users()["new-2"], api.users()["new-3"]) == (
        "By hand", left["new-2"], left["new-3"],
    )  # fmt: skip
    changed = {line["uid"] for line in api.lines("audit")[place:] if line["did"] in {"updated", "reactivated"}}
    assert changed <= {"new-5"}
    undo(tmp_path, api)
    assert verdicts(tmp_path) == {
        "new-1": ("kept", "changed"),
        "new-4": ("reversed", "deactivated"),
        "new-5": ("reversed", "deactivated"),
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "ours"),
    [
        ({"fault": "hang-before-commit", "route": "GET /users", "nth": 2}, False),
        ({"fault": "error-before-commit", "route": "GET /users", "times": 99}, False),
        ({"fault": "error-before-commit", "route": "POST /users/{uid}/auth_tokens", "times": 99}, False),
        ({"fault": "hang-after-commit", "route": "PUT /users/{uid}"}, True),
        ({"fault": "hang-after-commit", "route": "PUT /users"}, True),
    ],
    ids=["killed while looking", "failed look", "failed mint", "killed while updating", "killed while reactivating"],
)
def test_a_change_is_only_ours_once_a_request_of_ours_about_the_user_may_have_left(
    api: RunningEmulator, tmp_path: Path, fault: Mapping[str, Any], *, ours: bool
) -> None:
    """After an undo a run that changed nothing, killed or failed, lets no later run overwrite what another hand did."""
    assert run(tmp_path, api, people=ROSTER[:1]).exit_code == 0
    assert undo(tmp_path, api).exit_code == 0
    made = api.users()["new-1"]["created_at"]
    if not ours:
        later(api, "new-1", name="By hand", updated_at=made + 9, deactivated_at=None)
    api.faults(fault)
    limits = ("--no-check-roles", "--max-failures", "100%")
    if fault["fault"].startswith("hang"):
        place = len(api.lines("audit"))
        victim = start(*command("run", tmp_path, api, *limits), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: any(line["fault"] == fault["fault"] for line in api.lines("audit")[place:]))
        victim.kill()
        victim.end()
    else:
        assert run(tmp_path, api, *limits, people=ROSTER[:1]).exit_code == 1
    api.faults()
    if ours:
        later(api, "new-1", updated_at=made + 9, deactivated_at=None)
    assert run(tmp_path, api, people=ROSTER[:1]).exit_code == 0
    (row,) = rows(tmp_path / "out.csv")
    assert (row["outcome"], row["error_code"], api.users()["new-1"]["name"]) == (
        ("created", "", "New 1") if ours else ("created", "changed", "By hand")
    )


@pytest.mark.slow
@pytest.mark.parametrize("permanent", [False, True], ids=["deactivated", "deleted"])
def test_whom_a_killed_run_was_bringing_back_is_taken_back_again(
    api: RunningEmulator, tmp_path: Path, *, permanent: bool
) -> None:
    """The user is active by our hand, though no run has said so."""
    assert run(tmp_path, api, people=ROSTER[:1]).exit_code == 0
    assert undo(tmp_path, api).exit_code == 0
    api.faults({"fault": "hang-before-commit", "route": "PUT /users/{uid}"})
    place = len(api.lines("audit"))
    victim = start(*command("run", tmp_path, api), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(line["fault"] is not None for line in api.lines("audit")[place:]))
    victim.kill()
    victim.end()
    api.faults()
    assert "new-1" in active(api)
    assert undo(tmp_path, api, *(("--permanent", api.url) if permanent else ())).exit_code == 0
    assert verdicts(tmp_path) == {"new-1": ("reversed", "deleted" if permanent else "deactivated")}
    assert "new-1" not in active(api)


@pytest.mark.slow
@pytest.mark.parametrize("away", [False, True], ids=["active", "deactivated"])
def test_an_undo_that_was_to_deactivate_claims_no_deletion(api: RunningEmulator, tmp_path: Path, *, away: bool) -> None:
    """Killed before its request got through, it finds that another hand has deleted the user and made the uid anew."""
    assert run(tmp_path, api, people=ROSTER[:2]).exit_code == 0
    api.faults({"fault": "hang-before-commit", "route": "DELETE /users"})
    place = len(api.lines("audit"))
    victim = start(*command("undo", tmp_path, api, "--yes", "--max-in-flight", 1), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(line["fault"] == "hang-before-commit" for line in api.lines("audit")[place:]))
    victim.kill()
    victim.end()
    api.faults()
    made = api.users()["new-1"]["created_at"]
    later(api, "new-1", name="Stranger", created_at=made + 5, deactivated_at=made + 9 if away else None)
    stranger = api.users()["new-1"]
    assert undo(tmp_path, api).exit_code == 1
    assert verdicts(tmp_path) == {"new-1": ("kept", "another_user"), "new-2": ("reversed", "deactivated")}
    assert api.users()["new-1"] == stranger


@pytest.mark.slow
@pytest.mark.parametrize("lasted", [True, False])
def test_whom_others_created_after_a_killed_run_is_not_taken_for_its_own(
    api: RunningEmulator, tmp_path: Path, *, lasted: bool
) -> None:
    """Not by an undo, though the uid was recorded as sent; who was created while the run lasted is taken back."""
    script = [{"fault": "hang-after-commit", "uid": "new-1"}, {"fault": "hang-before-commit", "uid": "new-2"}]
    api.faults(*({**each, "route": "POST /users"} for each in script))
    with (tmp_path / "roster.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *ROSTER[:2]])
    victim = start(*command("run", tmp_path, api), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: sum(line["fault"] is not None for line in api.lines("audit")) == 2)
    if lasted:
        wait_until(lambda: signs_of_life(tmp_path))
    victim.kill()
    victim.end()
    api.faults()
    made = api.users()["new-1"]["created_at"]
    api.seed({"uid": "new-2", "name": "Stranger", "created_at": made + 600})
    for _ in range(2):
        assert undo(tmp_path, api, "--permanent", api.url).exit_code == 1
        assert verdicts(tmp_path) == {"new-1": ("reversed", "deleted"), "new-2": ("kept", "created_later")}
    assert api.users()["new-2"]["name"] == "Stranger"
    ended = run(tmp_path, api, "--on-existing", "fail", people=ROSTER[:2])
    assert (ended.exit_code, ended.summary["created"], ended.summary["failed"]) == (1, 1, 1)
    assert api.users()["new-2"]["name"] == "Stranger"
    undo(tmp_path, api)
    assert verdicts(tmp_path) == {"new-1": ("reversed", "deactivated")}
    assert "new-2" in active(api)


def replace_by_another(api: RunningEmulator, uid: str, **profile: Any) -> None:
    """Have somebody else delete a user, and create another one under the uid later."""
    made = api.users()[uid]["created_at"]
    api.another_hand("DELETE", f"/users/{uid}", {"permanent": True})
    api.seed({"uid": uid, "created_at": made + 100, **profile})


@pytest.mark.slow
def test_a_token_that_is_minted_later_hides_no_change_of_another_hand(api: RunningEmulator, tmp_path: Path) -> None:
    """It is told by the run that mints, and an undo for good keeps the user."""
    assert run(tmp_path, api, "--auth-tokens", "none", people=ROSTER[:2]).summary["created"] == 2
    later(api, "new-1", name="By hand")
    assert run(tmp_path, api, people=ROSTER[:2]).summary["tokens"] == 2
    told = {row["uid"]: (row["outcome"], row["error_code"]) for row in rows(tmp_path / "out.csv")}
    assert told == {"new-1": ("created", "changed"), "new-2": ("created", "")}
    assert undo(tmp_path, api, "--permanent", api.url).exit_code == 1
    assert verdicts(tmp_path) == {"new-1": ("kept", "changed"), "new-2": ("reversed", "deleted")}


@pytest.mark.slow
@pytest.mark.parametrize("undone", [False, True])
def test_what_was_kept_of_one_is_never_put_back_onto_another(
    api: RunningEmulator, tmp_path: Path, *, undone: bool
) -> None:
    """Updated, deleted and created anew by another hand, and updated again; also when an undo has seen that between."""
    updating = ("--on-existing", "update")
    assert run(tmp_path, api, *updating, people=ROSTER[5:7]).summary["updated"] == 2
    replace_by_another(api, "old-full", name="Somebody else", status_message="mine")
    if undone:
        undo(tmp_path, api)
        assert verdicts(tmp_path) == {"old-full": ("kept", "another_user"), "old-bare": ("reversed", "restored")}
    edited = [(person[0], "Once more", *person[2:]) for person in ROSTER[5:7]]
    assert run(tmp_path, api, *updating, people=edited).summary["updated"] == 2
    assert undo(tmp_path, api).summary["kept"] == 0
    there = profiles(api)
    # A role cannot be taken away, only set back to the one that everybody has who has none.
    assert there["old-full"].pop("role") == "default"
    assert there["old-full"] == {"uid": "old-full", "name": "Somebody else", "status_message": "mine"}
    assert there["old-bare"]["name"] == "Bare as it was"


@pytest.mark.slow
@pytest.mark.parametrize("undone", [False, True])
def test_a_stranger_in_the_place_of_ours_is_one_in_every_run(
    api: RunningEmulator, tmp_path: Path, *, undone: bool
) -> None:
    """Neither an edit nor a token that is still wanted is sent, whether an undo has seen that stranger or not."""
    failing = ("--on-existing", "fail")
    assert run(tmp_path, api, *failing, "--auth-tokens", "none", people=ROSTER[:3]).summary["created"] == 3
    for uid in ("new-1", "new-2"):
        replace_by_another(api, uid, name="Stranger")
    strangers = {uid: api.users()[uid] for uid in ("new-1", "new-2")}
    if undone:
        undo(tmp_path, api)
        assert [verdicts(tmp_path)[uid] for uid in strangers] == [("kept", "another_user")] * 2
    edited = [("new-1", "Edited", *FULL), *ROSTER[1:3]]
    ended = run(tmp_path, api, *failing, people=edited)
    assert (ended.summary["created"], ended.summary["failed"], ended.summary["tokens"]) == (1, 2, 1)
    undo(tmp_path, api)
    assert verdicts(tmp_path) == {"new-3": ("reversed", "deactivated")}
    assert {uid: api.users()[uid] for uid in strangers} == strangers


def killed_at(
    api: RunningEmulator, folder: Path, fault: str, route: str, *more: object, people: Sequence[tuple[str, ...]]
) -> None:
    """Kill a run while a request hangs."""
    with (folder / "roster.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *people])
    api.faults({"fault": fault, "route": route})
    seen = len(api.lines("audit"))
    victim = start(*command("run", folder, api, *more), cwd=folder, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(line["fault"] == fault for line in api.lines("audit")[seen:]))
    victim.kill()
    victim.end()
    api.faults()


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", "fail", "update"])
def test_whoever_has_the_uid_of_one_who_was_met_is_nobody_the_job_knows(
    api: RunningEmulator, tmp_path: Path, policy: str
) -> None:
    """Killed at the look before an update, and the user then deleted and created anew: no token of the dead one."""
    everything = ("--on-existing", "update", "--auth-tokens", "all")
    assert run(tmp_path, api, *everything, people=ROSTER[5:6]).summary["tokens"] == 1
    edited = [("old-full", "Once more", *FULL)]
    killed_at(api, tmp_path, "hang-before-commit", "GET /users/{uid}", *everything, people=edited)
    replace_by_another(api, "old-full", name="Somebody else")
    assert run(tmp_path, api, "--on-existing", policy, people=edited).exit_code == (1 if policy == "fail" else 0)
    (row,) = rows(tmp_path / "out.csv")
    outcome = {"skip": "existing", "fail": "failed", "update": "updated"}[policy]
    assert (row["outcome"], row["auth_token"]) == (outcome, "")
    undo(tmp_path, api)
    assert profiles(api)["old-full"]["name"] == "Somebody else"


@pytest.mark.slow
@pytest.mark.parametrize("created", [True, False])
def test_a_stranger_in_the_place_of_whom_the_roster_has_deactivated_is_left_alone(
    api: RunningEmulator, tmp_path: Path, *, created: bool
) -> None:
    """Neither deactivated where that was still open, nor woken where it was done."""
    uid = "new-1" if created else "old-full"
    people = ROSTER[:1] if created else ROSTER[5:6]
    for name, says in (("off.toml", "true"), ("on.toml", "false")):
        column = f'[columns]\ndeactivated = {{ column = "name", map = {{ "{people[0][1]}" = {says} }} }}\n'
        (tmp_path / name).write_text(f"{column}[retry]\nbackoff_base = 0.05\nbackoff_max = 0.2\n")
    if created:
        script = [{"fault": "error-before-commit", "route": "DELETE /users", "times": 99}]
        api.faults(*script)
    run(tmp_path, api, "-c", "off.toml", "--on-existing", "update", people=people)
    api.faults()
    replace_by_another(api, uid, name="Stranger")
    if not created:
        api.another_hand("DELETE", "/users", {"uidsToDeactivate": [uid]})
    left = api.users()[uid]
    ended = run(tmp_path, api, "-c", "off.toml" if created else "on.toml", people=people)
    (row,) = rows(tmp_path / "out.csv")
    assert (row["outcome"], row["error_code"]) == ("existing", "" if created else "deactivated"), ended.stderr
    assert api.users()[uid] == left


@pytest.mark.slow
def test_nobody_is_deleted_for_good_of_whom_it_is_not_known_who_that_is(api: RunningEmulator, tmp_path: Path) -> None:
    """The answer to the create told no time, as a journal shows it; to deactivate can be taken back."""
    assert run(tmp_path, api, people=ROSTER[:2]).summary["created"] == 2
    with closing(sqlite3.connect(tmp_path / "out.journal.db")) as journal, journal:
        journal.execute("UPDATE users SET created_at = NULL, mark = NULL WHERE uid = 'new-1'")
    assert undo(tmp_path, api, "--permanent", api.url).exit_code == 1
    assert verdicts(tmp_path) == {"new-1": ("kept", "undated"), "new-2": ("reversed", "deleted")}
    assert undo(tmp_path, api).exit_code == 0
    assert verdicts(tmp_path)["new-1"] == ("reversed", "deactivated")


@pytest.mark.slow
def test_whoever_is_gone_for_good_is_created_where_the_roster_has_it(api: RunningEmulator, tmp_path: Path) -> None:
    """Updated by a run, then deleted by another hand; and whoever is only deactivated is told as that."""
    updating = ("--on-existing", "update")
    assert run(tmp_path, api, *updating, people=ROSTER[5:7]).summary["updated"] == 2
    api.another_hand("DELETE", "/users/old-full", {"permanent": True})
    api.another_hand("DELETE", "/users", {"uidsToDeactivate": ["old-bare"]})
    edited = [(person[0], "Once more", *person[2:]) for person in ROSTER[5:7]]
    assert run(tmp_path, api, *updating, people=edited).exit_code == 0
    told = {row["uid"]: (row["outcome"], row["error_code"]) for row in rows(tmp_path / "out.csv")}
    assert told == {"old-full": ("created", ""), "old-bare": ("existing", "deactivated")}
    assert undo(tmp_path, api).exit_code == 1
    assert verdicts(tmp_path) == {"old-full": ("reversed", "deactivated"), "old-bare": ("kept", "gone")}


@pytest.mark.slow
def test_tags_that_a_later_roster_brings_along_are_put_back(api: RunningEmulator, tmp_path: Path) -> None:
    """They are read before the first update that sets them; the rest is what was there before the first.

    Before each later one it is seen that the profile that was kept is of that user.
    """
    before = profiles(api)
    tagless = [(*person[:-1], "") for person in ROSTER[5:7]]
    assert run(tmp_path, api, "--on-existing", "update", people=tagless).summary["updated"] == 2
    changed = [(person[0], "Once more", *person[2:]) for person in ROSTER[5:7]]
    for _ in range(2):
        place = len(api.lines("audit"))
        assert run(tmp_path, api, "--on-existing", "update", people=changed).summary["updated"] == 2
        asked = [(line["method"], line["path"], line["uid"]) for line in api.lines("audit")[place:]]
        reads = {uid for method, path, uid in asked if (method, path) == ("GET", "/users/{uid}")}
        assert reads == {"old-full", "old-bare"}, "the first time for the tags, then to see who that is"
        assert profiles(api)["old-full"]["tags"] == ["red", "blue"]
        changed = [(person[0], "And again", *person[2:]) for person in ROSTER[5:7]]
    assert undo(tmp_path, api).exit_code == 0
    assert profiles(api) == before


@pytest.mark.slow
def test_what_cannot_be_read_before_an_update_is_not_overwritten(api: RunningEmulator, tmp_path: Path) -> None:
    """The list that shows the tags has no answer: the row fails, and the next run takes it up again."""
    before = profiles(api)
    asked = ("--on-existing", "update", "--no-check-roles", "--max-failures", "100%")
    fault = {"fault": "error-before-commit", "route": "GET /users", "nth": 1, "times": 99}
    api.faults(fault)
    assert run(tmp_path, api, *asked, people=ROSTER[5:6]).summary["failed"] == 1
    assert profiles(api) == before
    api.faults()
    assert run(tmp_path, api, *asked, people=ROSTER[5:6]).summary["updated"] == 1
    assert undo(tmp_path, api).exit_code == 0
    assert profiles(api) == before


@pytest.mark.slow
def test_a_later_run_does_not_make_a_killed_one_last_longer(tmp_path: Path) -> None:
    """A stranger of long after the kill is kept, whatever other rows a run has sent since; an hour lies in between."""
    script = [{"fault": "hang-before-commit", "uid": "new-2", "route": "POST /users"}]
    with emulator(tmp_path, "--clock-skew", "-3600s") as hour_ago:
        hour_ago.faults(*script)
        with (tmp_path / "roster.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEAD, ROSTER[1]])
        victim = start(*command("run", tmp_path, hour_ago, "--no-check-roles"), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        wait_until(lambda: any(line["fault"] is not None for line in hour_ago.lines("audit")))
        wait_until(lambda: signs_of_life(tmp_path))
        victim.kill()
        victim.end()
    with emulator(tmp_path, "--port", hour_ago.url.split(":")[-1].split("/")[0]) as api:
        api.seed({"uid": "new-2", "name": "Stranger", "created_at": int(time.time()) - 600})
        assert run(tmp_path, api, "--no-check-roles", people=ROSTER[2:3]).summary["created"] == 1
        assert undo(tmp_path, api, "--permanent", api.url).exit_code == 1
        assert verdicts(tmp_path) == {"new-2": ("kept", "created_later"), "new-3": ("reversed", "deleted")}
        assert api.users()["new-2"]["name"] == "Stranger"


@pytest.mark.slow
def test_undone_for_good_everything_is_as_before(api: RunningEmulator, tmp_path: Path) -> None:
    """`--permanent` with the app's name leaves no trace; with another it is refused, and nothing is sent."""
    before = profiles(api)
    assert run(tmp_path, api, "--on-existing", "update").exit_code == 0
    for other, told in (("other-app", "other-app"), ("0f" * 20, "***")):
        refused = undo(tmp_path, api, "--permanent", other)
        assert (refused.exit_code, refused.summary["stopped_by"], profiles(api) == before) == (2, "usage", False)
        assert f"error: --permanent {told}: this is about " in refused.stderr
        assert "0f" * 20 not in refused.stderr
    assert undo(tmp_path, api, "--permanent", api.url).exit_code == 0
    assert profiles(api) == before


class Stripping(Between):
    """Takes the body of a `DELETE` of one user away, as some proxies do: it only deactivates then."""

    on = True

    def handed_on(self, body: bytes) -> bytes:
        """Let all others have theirs."""
        return b"" if self.on and self.command == "DELETE" and not self.path.endswith("/users") else body


@pytest.mark.slow
@pytest.mark.parametrize("then", ["undone for good", "undone", "run"])
def test_whom_a_deletion_only_deactivated_is_known_to_be_deactivated_by_us(
    api: RunningEmulator, tmp_path: Path, then: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failed, and not kept as another hand's: the same undo deletes the user, once the way is clear; a run wakes it."""
    with standing_between(Stripping, api) as url:
        behind = ("--base-url", url)
        assert run(tmp_path, api, *behind, people=ROSTER[:1]).summary["created"] == 1
        for _ in range(2):
            assert undo(tmp_path, api, *behind, "--permanent", url).exit_code == 1
            assert verdicts(tmp_path) == {"new-1": ("failed", "not_permanent")}
            assert api.users()["new-1"]["deactivated_at"] is not None
        monkeypatch.setattr(Stripping, "on", False)
        if then == "run":
            assert run(tmp_path, api, *behind, people=ROSTER[:1]).summary["created"] == 1
            assert "new-1" in active(api)
        else:
            for_good = then == "undone for good"
            assert undo(tmp_path, api, *behind, *(("--permanent", url) if for_good else ())).exit_code == 0
            assert verdicts(tmp_path) == {"new-1": ("reversed", "deleted" if for_good else "deactivated")}
            assert ("new-1" in api.users()) is not for_good


class Beyond(Between):
    """Shows a number that no double holds, in place of the text that stands for it in the app."""

    def handed_back(self, body: bytes, status: int, answer: bytes) -> tuple[int, bytes]:
        """All else is as it is."""
        return super().handed_back(body, status, answer.replace(b'"huge"', b"1e400"))


@pytest.mark.slow
def test_metadata_that_cannot_be_read_is_not_put_back_as_something_else(api: RunningEmulator, tmp_path: Path) -> None:
    """A text that stands for it was, and was told as restored."""
    api.seed({"uid": "old-huge", "name": "As it was", "created_at": LONG_AGO, "metadata": {"n": "huge"}})
    with standing_between(Beyond, api) as url:
        behind = ("--base-url", url)
        people = [("old-huge", "New", "", "", "", "", '{"k": 1}', "")]
        assert run(tmp_path, api, *behind, "--on-existing", "update", people=people).summary["updated"] == 1
        assert undo(tmp_path, api, *behind).exit_code == 1
    [line] = rows(tmp_path / "out.undo.csv")
    told = "put back, but for what the API did not tell before the update: metadata"
    assert (line["verdict"], line["reason"], line["message"]) == ("kept", "not_told", told)
    user = api.users()["old-huge"]
    assert (user["name"], user["metadata"]) == ("As it was", {"k": 1})


@pytest.mark.slow
@pytest.mark.parametrize("first", ["for good", "twice"])
@pytest.mark.parametrize(
    ("hand", "told"),
    [
        (("reactivated",), ("kept", "reactivated")),
        (("deleted",), ("kept", "gone")),
        (("deleted", "made anew"), ("kept", "another_user")),
    ],
    ids=" and ".join,
)
def test_what_another_hand_does_after_a_deletion_that_only_deactivated_is_not_ours(
    api: RunningEmulator, tmp_path: Path, first: str, hand: tuple[str, ...], told: tuple[str, str]
) -> None:
    """Whoever was woken is not deleted, and whoever others have deleted is not told as deleted by us."""
    with standing_between(Stripping, api) as url:
        behind = ("--base-url", url)
        assert run(tmp_path, api, *behind, people=ROSTER[:1]).summary["created"] == 1
        if first == "twice":
            assert undo(tmp_path, api, *behind).exit_code == 0
        assert undo(tmp_path, api, *behind, "--permanent", url).exit_code == 1
        time.sleep(1.1)  # the API tells times in whole seconds
        for each in hand:
            if each == "reactivated":
                api.another_hand("PUT", "/users", {"uidsToActivate": ["new-1"]})
            elif each == "deleted":
                api.another_hand("DELETE", "/users/new-1", {"permanent": True})
            else:
                api.another_hand("POST", "/users", {"uid": "new-1", "name": "Other"})
        before = profiles(api)
        ended = undo(tmp_path, api, *behind, "--permanent", url)
        assert (ended.exit_code, verdicts(tmp_path), profiles(api)) == (1, {"new-1": told}, before)


@pytest.mark.slow
def test_what_another_hand_has_touched_is_kept_and_named(api: RunningEmulator, tmp_path: Path) -> None:
    """Changed, logged in, deactivated, deleted, created anew; and what the API cannot take away."""
    people = [*ROSTER, ("old-last", "Last", "", "", "", "said by us", "", "")]
    api.seed({"uid": "old-last", "name": "Last as it was", "created_at": LONG_AGO})
    assert run(tmp_path, api, "--on-existing", "update", people=people).exit_code == 0
    later(api, "new-1", name="Changed")
    later(api, "new-2", updated_at=None, last_active_at=api.users()["new-2"]["created_at"] + 5)
    api.another_hand("DELETE", "/users", {"uidsToDeactivate": ["new-3"]})
    api.another_hand("DELETE", "/users/new-4", {"permanent": True})
    later(api, "old-full", link="https://changed.example")
    left = profiles(api)
    done = undo(tmp_path, api)
    assert done.exit_code == 1
    assert verdicts(tmp_path) == {
        "new-1": ("kept", "changed"),
        "new-2": ("kept", "logged_in"),
        "new-3": ("kept", "gone"),
        "new-4": ("kept", "gone"),
        "new-5": ("reversed", "deactivated"),
        "old-full": ("kept", "changed"),
        "old-bare": ("reversed", "restored"),
        "old-last": ("kept", "not_clearable"),
    }
    now = profiles(api)
    assert {uid for uid in left if left[uid] != now.get(uid)} == {"old-bare", "old-last"}
    assert now["old-last"] == {
        "uid": "old-last",
        "name": "Last as it was",
        "role": "default",
        "status_message": "said by us",
    }
    place = len(api.lines("audit"))
    again = undo(tmp_path, api)
    did = {record["did"] for record in api.lines("audit")[place:]}
    assert (again.exit_code, again.summary["kept"], did - {"refused"}) == (1, 6, {"read", "listed"})


@pytest.mark.slow
def test_run_undo_run(api: RunningEmulator, tmp_path: Path) -> None:
    """All created again, with tokens that work; after an undo for good as well; and each can be undone once more."""
    for more in ((), ("--permanent", api.url), ()):
        first = run(tmp_path, api)
        assert (first.exit_code, first.summary["created"], first.summary["tokens"]) == (0, 5, 5), first
        told = {row["uid"]: row["auth_token"] for row in rows(tmp_path / "out.csv") if row["outcome"] == "created"}
        assert all(api.accepts(uid, token) for uid, token in told.items())
        assert run(tmp_path, api).summary["requests"] == 0
        assert undo(tmp_path, api, *more).summary["reversed"] == 5
        assert undo(tmp_path, api, *more).summary["requests"] == 0
        assert active(api) == {"stranger", "old-full", "old-bare"}
    assert undo(tmp_path, api, "--permanent", api.url).summary["done"] == {
        "deactivated": 0,
        "deleted": 5,
        "restored": 0,
    }
    assert set(api.users()) == {user["uid"] for user in BEFORE}


@pytest.mark.slow
def test_a_dry_run_after_an_undo_tells_what_it_takes_to_bring_everybody_back(
    api: RunningEmulator, tmp_path: Path
) -> None:
    """To reactivate, update and give a token to each of those who were created; the others need nothing more."""
    run(tmp_path, api)
    undo(tmp_path, api)
    foreseen = run(tmp_path, api, "--dry-run").summary["estimate"]["requests"]
    asked_for_the_time = 1
    assert run(tmp_path, api).summary["requests"] == foreseen + asked_for_the_time


@pytest.mark.slow
def test_a_dry_run_tells_all_requests_of_the_rows_that_the_journal_knows(api: RunningEmulator, tmp_path: Path) -> None:
    """To read, to update and to mint, under whatever is asked now; the server's time is asked for besides."""
    there = ROSTER[:-1]
    edited = [(uid, f"{name} again", *more) for uid, name, *more in there]
    everything = ("--on-existing", "update", "--auth-tokens", "all")
    told: list[int] = []
    for people, asked in (
        (there, ()),
        (there, everything),
        (edited, ()),
        (there, everything),
        (there, ("--on-existing", "fail")),
    ):
        foreseen = run(tmp_path, api, *asked, "--dry-run", people=people).summary["estimate"]
        assert run(tmp_path, api, *asked, people=people).summary["requests"] == foreseen["requests"] + 1
        told.append(foreseen["requests"])
    # All created; 2 read (and listed), updated and minted for; 5 read and updated; 7 read and updated; 2 created.
    assert told == [7, 8, 10, 14, 2]


@pytest.mark.slow
def test_a_dry_run_of_an_undo_promises_no_fewer_requests_than_it_takes(api: RunningEmulator, tmp_path: Path) -> None:
    """Whom the roster has deactivated is looked for in a list, reactivated and put back; the time is asked for once."""
    (tmp_path / "left.toml").write_text('[columns]\ndeactivated = { column = "name", map = { "Bare, new" = true } }\n')
    left = ("-c", "left.toml")
    assert run(tmp_path, api, "--on-existing", "update", *left, people=ROSTER[6:7]).summary["deactivated"] == 1
    told = provisioner(*command("undo", tmp_path, api, "--dry-run", *left), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (told.summary["estimate"]["requests"], undo(tmp_path, api, *left).summary["requests"]) == (5, 5)


@pytest.mark.slow
def test_nobody_is_asked_where_nobody_is(api: RunningEmulator, tmp_path: Path) -> None:
    """Without --yes nothing is sent off a terminal: exit 2 and one sentence; --dry-run says what would be done."""
    assert run(tmp_path, api, "--on-existing", "update").exit_code == 0
    place = len(api.lines("audit"))
    refused = provisioner(*command("undo", tmp_path, api), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (refused.exit_code, refused.summary["message"]) == (
        2, "nobody is there to be asked; look with --dry-run, then give --yes",
    )  # fmt: skip
    told = provisioner(*command("undo", tmp_path, api, "--dry-run"), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert told.summary["would"] == {"deactivate": 5, "restore": 2, "look_up": 0, "reversed_before": 0}
    assert (told.exit_code, len(api.lines("audit")), (tmp_path / "out.undo.csv").exists()) == (0, place, False)
    asked = command("undo", tmp_path, api, "--yes")
    with (tmp_path / "provisioner.toml").open("a") as config:
        config.write("[run]\ndry_run = true\n")
    again = provisioner(*asked, cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    assert (again.exit_code, again.summary["would"], len(api.lines("audit"))) == (0, told.summary["would"], place)


def test_what_was_interrupted_goes_on(api: RunningEmulator, tmp_path: Path) -> None:
    """SIGINT ends an undo with 130 and a summary; killed and gone on, nobody is deactivated twice."""
    many = [(f"many-{n:03}", f"Many {n}", *FULL) for n in range(200)]
    assert run(tmp_path, api, people=many).exit_code == 0
    slow = ("--requests-per-minute", 1200, "--share", "100%")
    place = len(api.lines("audit"))
    undoing = start(*command("undo", tmp_path, api, "--yes", *slow), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(each["did"] == "deactivated" for each in api.lines("audit")[place:]))
    os.kill(undoing.process.pid or 0, signal.SIGINT)
    stopped = undoing.end()
    assert (stopped.exit_code, stopped.summary["stopped_by"], stopped.summary["users"]) == (130, "sigint", 200)
    assert stopped.summary["pending"] > 0
    undoing = start(*command("undo", tmp_path, api, "--yes", *slow), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    gone = len(api.lines("audit"))
    wait_until(lambda: any(each["did"] == "deactivated" for each in api.lines("audit")[gone:]))
    undoing.kill()
    assert undo(tmp_path, api).summary["reversed"] == 200
    # One more looks again at whoever was kept, though an undo was killed in between.
    assert undo(tmp_path, api).summary["requests"] == 0
    done = [each["uid"] for each in api.lines("audit")[place:] if each["did"] == "deactivated"]
    assert (len(done), len(set(done))) == (200, 200)


@pytest.mark.slow
@pytest.mark.parametrize("place", ["out.undo.csv", "out.undo.summary.json"])
def test_an_undo_whose_list_cannot_be_written_tells_its_counts_and_the_same_command_ends_it(
    api: RunningEmulator, tmp_path: Path, place: str
) -> None:
    """What was taken back is known to the journal; the cure names no other output."""
    assert run(tmp_path, api).exit_code == 0
    (tmp_path / place).mkdir()
    refused, before = undo(tmp_path, api), len(api.lines("audit"))
    assert (refused.exit_code, refused.summary["message"].partition(";")[0]) == (2, f"{place}: is a folder")
    (tmp_path / place).rmdir()
    slow = ("--yes", "--requests-per-minute", 300, "--share", "100%")
    undoing = start(*command("undo", tmp_path, api, *slow), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
    wait_until(lambda: any(each["did"] == "deactivated" for each in api.lines("audit")[before:]))
    (tmp_path / place).mkdir()
    ended = undoing.end()
    (stopped,) = ended.events("run.stopped")
    why = "cannot be written (Is a directory); make room or mend that, then run the same command again"
    assert (ended.exit_code, stopped["message"], ended.summary["message"]) == (3, *[f"{place}: {why}"] * 2)
    assert (ended.summary["users"], ended.summary["reversed"], ended.summary["exit_code"]) == (5, 5, 3)
    (tmp_path / place).rmdir()
    again = undo(tmp_path, api)
    assert (again.exit_code, again.summary["reversed"]) == (0, 5), again.stderr
    assert verdicts(tmp_path) == {f"new-{n}": ("reversed", "deactivated") for n in range(1, 6)}
