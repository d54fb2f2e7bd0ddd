"""The nightly sync, night after night; and the judge of the simulated nights is no friend of ours."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.nights.company import Company, Profile, Row, changed, row_of, somebody
from benchmarks.nights.evidence import KILLED, Evidence, Session
from benchmarks.nights.ledger import Books, Kept, Known, kept
from benchmarks.nights.schedule import GUARDS, Kind, Options
from benchmarks.nights.shift import Report, simulation
from benchmarks.nights.verdict import CHECKS, history_wrong, judge
from benchmarks.rig import harness
from benchmarks.rig.victim import Victim
from tests.rig import forking
from tests.rig.command import (
    KEY,
    emulator,
    people,
    provisioner,
    rows,
    started,
    wait_until,
    write_roster,
)

NOTHING: dict[str, list[str]] = {name: [] for name in CHECKS}
SMALL = Options(people=160, nights=16, seed=1, kills=1, duration=1)


def _forked(arguments: list[str], folder: Path) -> harness.Finished:
    began = time.monotonic()
    ended = provisioner(*arguments[1:], cwd=folder, **harness.environment())
    return harness.Finished(ended.exit_code, 0.0, began, time.monotonic(), ended.stdout, ended.stderr)


def _simulated(options: Options, folder: Path) -> tuple[list[Report], list[str]]:
    with simulation(options, folder, _forked) as nights:
        return list(nights.nights()), nights.history()


@pytest.mark.slow
def test_nights_of_every_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed, cut short, struck, planned, changed by another hand: the directory equals the roster every time."""
    monkeypatch.setattr(Victim, "start", forking.victim)
    reports, history = _simulated(SMALL, tmp_path)
    assert [(report.number, report.offenders) for report in reports] == [(n, NOTHING) for n in range(1, 17)]
    assert history == []
    nights = {report.evidence.kind: report.evidence for report in reports}
    assert set(nights) == set(Kind) - {Kind.PLAIN}
    assert [session.exit_code for session in nights[Kind.KILLED].sessions][:1] == [KILLED]
    assert nights[Kind.QUIET].audit == nights[Kind.BLANK].audit == []
    assert any(report.evidence.expected.due - report.evidence.expected.named for report in reports)
    assert any(report.evidence.expected.named for report in reports)
    assert any(record["fault"] for record in nights[Kind.FAULTS].audit)


@pytest.mark.slow
def test_a_small_company_bears_no_broken_export(tmp_path: Path) -> None:
    """Thirty people: zeros lost, columns swapped, garbled or emptied, half of them, nobody, stray rows: no change."""
    reports, history = _simulated(Options(people=30, seed=2, bad_only=True), tmp_path)
    assert [(report.evidence.kind, report.offenders) for report in reports] == [
        (kind, NOTHING) for kind in (Kind.ADOPT, *GUARDS)
    ]
    assert history == []


@pytest.mark.slow
def test_who_comes_back_after_a_kill_costs_no_update(tmp_path: Path) -> None:
    """A deactivation that a kill left in doubt does not make the profile unknown; the leavers file is whole again."""
    limits = ("--deactivate-leavers", "--max-deactivations", "2")
    everybody, options = people(12), (*limits, "--json", "--state", "hr.state.db", "-o", "hr.csv")
    gone = [person["uid"] for person in everybody[10:]]
    with emulator(tmp_path) as app:

        def sync(number: int, *more: str) -> tuple[object, ...]:
            roster = write_roster(tmp_path / "hr-roster.csv", everybody[:number])
            return ("sync", roster, *options, *app.flags(), *more)

        assert provisioner(*sync(12, "--adopt"), cwd=tmp_path, COMETCHAT_API_KEY=KEY).exit_code == 0
        app.faults({"fault": "hang-after-commit", "route": "DELETE /users", "nth": 2})
        with started(*sync(10, "--max-in-flight", "1"), cwd=tmp_path, COMETCHAT_API_KEY=KEY) as night:
            wait_until(lambda: len([user for user in app.users().values() if user["deactivated_at"]]) == 2)
            wait_until(lambda: gone[0] in kept(tmp_path / "hr.state.db").settled)
            night.kill()
        app.faults()
        ended = provisioner(*sync(10), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (ended.exit_code, ended.summary["deactivated"]) == (0, 2)
        assert ended.summary["outputs"]["leavers"] == "hr.leavers.csv"
        assert [(line["uid"], line["will_be"]) for line in rows(tmp_path / "hr.leavers.csv")] == [
            (uid, "deactivated") for uid in gone
        ]
        before = len(app.lines("audit"))
        back = provisioner(*sync(12), cwd=tmp_path, COMETCHAT_API_KEY=KEY)
        assert (back.exit_code, back.summary["reactivated"]) == (0, 2)
        # The first one asks for the server's time; each gets a token for the one that was flushed.
        did = Counter(record["did"] for record in app.lines("audit")[before:])
        assert did == {"listed": 1, "reactivated": 2, "minted": 2}


@pytest.mark.campaign
@pytest.mark.parametrize("options", [Options(), Options(people=2000, seed=2, grace_nights=0)])
def test_thirty_nights(tmp_path: Path, options: Options) -> None:
    """Thirty nights of twenty thousand people, and of fewer who are deactivated at once."""
    reports, history = _simulated(options, tmp_path)
    assert [(report.number, report.offenders) for report in reports] == [(n, NOTHING) for n in range(1, 31)]
    assert history == []
    assert sum(bool(record["fault"]) for report in reports for record in report.evidence.audit) > 10


@pytest.mark.parametrize("seed", range(5))
def test_a_schedule_holds_every_kind(seed: int) -> None:
    """Thirty nights, or seventeen, begin with the adoption and hold every kind; the same seed, the same nights."""
    for nights in (17, 30):
        schedule = Options(nights=nights, seed=seed).schedule()
        assert (len(schedule), schedule[0], set(schedule)) == (nights, Kind.ADOPT, set(Kind))
        assert schedule == Options(nights=nights, seed=seed).schedule()


def test_a_company_moves_on() -> None:
    """One percent change, a few leave, join and return; nobody is two people."""
    company = Company(2000, Random(1))
    before = dict(company.employees)
    company.moves_on()
    after = company.employees
    assert len(set(before) - set(after)) == len(set(after) - set(before)) == len(company.gone) == 6
    assert sum(uid in after and after[uid] != profile for uid, profile in before.items()) in range(14, 21)
    gone = set(company.gone)
    company.moves_on()
    assert len(gone - set(company.gone)) == len(gone & set(company.employees)) == 2


def test_a_change_is_one() -> None:
    """No change leaves the meaning as it was, or takes a status message away."""
    random = Random(2)
    for _ in range(500):
        profile = somebody(random)
        new = changed(profile, random)
        assert new.shown() != profile.shown()
        assert bool(new.status) == bool(profile.status)


ANN, BOB, CAT, DAN, EVE, FAY, GUS, HAL = (
    Profile(name, email=f"{name}@example.com") for name in ("Ann", "Bob", "Cat", "Dan", "Eve", "Fay", "Gus", "Hal")
)
BEFORE = {
    "bob": Known(replace(BOB, name="Bobby")),
    "cat": Known(CAT),
    "dan": Known(replace(DAN, name="Danny"), active=False, absent=7),
    "eve": Known(EVE, absent=1),
    "gus": Known(GUS),
    "hal": Known(HAL, managed=False),
}
ROWS = [row_of("ann", ANN), row_of("bob", BOB), row_of("cat", CAT), row_of("dan", DAN)]
REJECTED = replace(row_of("fay", FAY), cells={**row_of("fay", FAY).cells, "name": ""}, rejected=True)


def test_the_books_know_what_has_to_come() -> None:
    """New, changed, the same, back and changed, rejected, out of grace and in grace; a stranger is no leaver."""
    books = Books(dict(BEFORE))
    expected = books.expect([*ROWS, REJECTED], 1)
    assert expected.outcomes == ["created", "updated", "unchanged", "reactivated", "rejected"]
    assert [set(each) for each in (expected.due, expected.in_grace, expected.reported)] == [{"eve"}, {"gus"}, set()]
    assert (expected.requests, expected.updates) == (6, 2)
    assert expected.touched == {"ann", "bob", "dan", "eve"}
    assert books.after(expected) == {
        "ann": Known(ANN, ours=True),
        "bob": Known(BOB),
        "cat": Known(CAT),
        "dan": Known(DAN),
        "eve": Known(EVE, active=False, absent=2, flushed=True),
        "gus": Known(GUS, absent=1),
        "hal": Known(HAL, managed=False),
    }


def test_the_books_know_whom_the_roster_names_as_deactivated() -> None:
    """A leaver at once, whose row waits; one who is away already, and one whom nobody knows, are nothing to do for."""
    books = Books(dict(BEFORE))
    left = [row_of(uid, profile, left=True) for uid, profile in (("cat", ANN), ("dan", DAN), ("zoe", ANN))]
    expected = books.expect([*left, row_of("bob", BEFORE["bob"].profile)], 9)
    assert expected.outcomes == ["updated", "unchanged", "unchanged", "unchanged"]
    assert (set(expected.due), set(expected.named), expected.requests) == ({"cat"}, {"cat"}, 2)
    assert books.after(expected)["cat"] == Known(CAT, active=False, flushed=True)


@pytest.mark.parametrize(("looking", "outcome", "requests"), [(True, "unchanged", 0), (False, "updated", 2)])
def test_the_books_know_what_a_night_can_know_of_a_stranger(looking: bool, outcome: str, requests: int) -> None:
    """One whose row was rejected on the night that read the app's users, and is mended: it is found by a create."""
    expected = Books(dict(BEFORE)).expect([row_of("hal", HAL)], 9, looking=looking)
    assert (expected.outcomes, expected.requests) == ([outcome], requests)


def test_the_books_hold_leavers_when_a_row_has_no_name() -> None:
    """Any leaver may be the person whose uid is missing; one whose row is rejected is there."""
    nameless = replace(row_of("gus", GUS), rejected=True, nameless=True)
    expected = Books(dict(BEFORE)).expect([nameless, replace(row_of("eve", EVE), rejected=True)], 0)
    assert expected.outcomes == ["rejected", "rejected"]
    assert [set(each) for each in (expected.due, expected.in_grace, expected.reported)] == [
        set(),
        set(),
        {"bob", "cat", "gus"},
    ]


def test_a_state_is_read_as_the_kill_left_it(tmp_path: Path) -> None:
    """Settled tonight is what belongs to the night that is not over; a failure is settled by nobody."""
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE users (uid, state, outcome, epoch, auth_token)")
        database.execute("CREATE TABLE nights (epoch, good)")
        database.executemany("INSERT INTO nights VALUES (?, ?)", [(1, 1), (2, 0)])
        users = [("a", "settled", "updated", 2, "t"), ("b", "settled", "updated", 1, None), ("c", "sent", "", 2, None)]
        database.executemany("INSERT INTO users VALUES (?, ?, ?, ?, ?)", [*users, ("d", "settled", "failed", 2, None)])
        database.commit()
    assert kept(path) == Kept(frozenset({"a"}), {"a": "t"})


def stored(profile: Profile, *tokens: str, gone: int | None = None) -> dict[str, Any]:
    """A user as the emulator tells of it."""
    shown = {"avatar": None, "link": None, "status_message": None, "tags": None, **profile.shown()}
    return {**shown, "deactivated_at": gone, "tokens": list(tokens)}


def record(seq: int, method: str, uid: str | None, did: str, **more: Any) -> dict[str, Any]:
    """One record of the audit, as far as the judge looks at it."""
    return {
        "seq": seq, "method": method, "path": "/users", "uid": uid, "did": did, "status": 200, "fault": None, **more,
    }  # fmt: skip


def line(row: str, uid: str, outcome: str, token: str = "") -> dict[str, str]:
    """One line of the results, as far as the judge looks at it."""
    return {"row": row, "uid": uid, "uid_input": uid if row else "", "outcome": outcome, "auth_token": token}


SUMMARY = {
    "rows": 5, "rejected": 1, "created": 1, "existing": 0, "updated": 1, "unchanged": 1, "reactivated": 1,
    "failed": 0, "pending": 0, "deactivated": 1, "sessions_flushed": 1, "requests": 6,
    "tokens": 1, "stopped_by": None, "exit_code": 1,
    "leavers": {"found": 2, "deactivated": 1, "failed": 0, "pending": 0, "in_grace": 1, "reported": 0},
}  # fmt: skip
PLAN = {
    "rows": 5, "rejected": 1, "create": 1, "update": 1, "reactivate": 1, "deactivate": 1, "unchanged": 1, "tokens": 1,
    "requests": {"core": 2, "standard": 4}, "flush": 1,
}  # fmt: skip


def innocent() -> Evidence:
    """Evidence of a night that did everything right: planned first, then carried out."""
    books = Books(dict(BEFORE))
    expected = books.expect([*ROWS, REJECTED], 1)
    others = {"gus": stored(GUS, "t-gus"), "hal": stored(HAL), "cat": stored(CAT)}
    return Evidence(
        kind=Kind.PLANNED,
        expected=expected,
        known=books.after(expected),
        before={
            "bob": stored(replace(BOB, name="Bobby")),
            "dan": stored(replace(DAN, name="Danny"), gone=1),
            "eve": stored(EVE, "t-eve"),
            **others,
        },
        users={
            "ann": stored(ANN, "t-ann"),
            "bob": stored(BOB),
            "dan": stored(DAN),
            "eve": stored(EVE, gone=9),
            **others,
        },
        audit=(
            record(1, "POST", "ann", "created"),
            record(2, "PUT", "bob", "updated"),
            record(3, "PUT", None, "reactivated"),
            record(4, "PUT", "dan", "updated"),
            record(5, "DELETE", "eve", "revoked"),
            record(6, "DELETE", None, "deactivated"),
        ),
        created={"ann": 1},
        deleted={},
        sessions=(Session("plan", 1, 1.0, PLAN, "", 1), Session("sync", 1, 1.0, SUMMARY, "", 1)),
        results=(
            line("1", "ann", "created", "t-ann"),
            line("2", "bob", "updated"),
            line("3", "cat", "unchanged"),
            line("4", "dan", "reactivated"),
            line("5", "fay", "rejected"),
            line("", "eve", "deactivated"),
        ),
        results_kept=False,
        leavers=frozenset({"eve", "gus"}),
        tokens={"ann": "t-ann"},
    )


def refused() -> Evidence:
    """Evidence of a night on which the export was empty, and nothing was done."""
    good = innocent()
    expected = Books(dict(BEFORE)).expect([], 1)
    fates = {"found": 4, "deactivated": 0, "failed": 0, "pending": 1, "in_grace": 3, "reported": 0}
    reasons: list[dict[str, Any]] = [{"reason": "empty_roster", "option": None, "examples": []}]
    document = {
        **dict.fromkeys(SUMMARY, 0), "stopped_by": "empty_roster", "exit_code": 3, "leavers": fates, "refused": reasons,
    }  # fmt: skip
    return replace(
        good,
        kind=Kind.EMPTY,
        expected=expected,
        known=BEFORE,
        users=good.before,
        audit=(),
        created={},
        sessions=(Session("sync", 3, 1.0, document, "", 1),),
        results_kept=True,
        leavers=frozenset({"bob", "cat", "eve", "gus"}),
        tokens={},
    )


def guarded(*examples: str, **changes: Any) -> Evidence:
    """The same evidence of a night on which the zeros of the uids were lost, with these examples of it."""
    reason = {
        "reason": "too_many_creates",
        "option": "--max-creates",
        "examples": [{"uid": uid} for uid in examples],
        **changes,
    }
    told = {"stopped_by": reason["reason"], "refused": [reason], "message": "(--max-creates 34%): ann, bob, cat"}
    return with_summary(replace(refused(), kind=Kind.ZEROS_LOST), **told)


def with_user(uid: str, user: Mapping[str, Any]) -> Evidence:
    """The same evidence with another user on the server."""
    good = innocent()
    return replace(good, users={**good.users, uid: user})


def with_line(number: int, changed_line: dict[str, str]) -> Evidence:
    """The same evidence with another line in the results, counted from 0."""
    good = innocent()
    return replace(good, results=(*good.results[:number], changed_line, *good.results[number + 1 :]))


def with_request(*records: dict[str, Any]) -> Evidence:
    """The same evidence with more requests in the audit, and in the summary."""
    good = innocent()
    return with_summary(replace(good, audit=(*good.audit, *records)), requests=6 + len(records))


def with_summary(evidence: Evidence, **changes: Any) -> Evidence:
    """The same evidence with other numbers in the summary."""
    last = replace(evidence.last, document={**evidence.document, **changes})
    return replace(evidence, sessions=(*evidence.sessions[:-1], last))


def with_plan(**changes: Any) -> Evidence:
    """The same evidence with other numbers in the plan."""
    good = innocent()
    return replace(good, sessions=(replace(good.sessions[0], document={**PLAN, **changes}), good.last))


def killed_first(settled: frozenset[str]) -> Evidence:
    """The same night, killed once, with what had been settled by then; ann is sent again."""
    good = with_request(record(7, "POST", "ann", "refused"))
    sessions = (
        Session("sync", KILLED, 1.0, None, "", 1),
        replace(good.last, begins=7, settled=settled),
    )
    return replace(good, kind=Kind.KILLED, sessions=sessions, in_doubt=2)


OFFENCES: Mapping[str, tuple[set[str], Callable[[], Evidence]]] = {
    "another exit code": (
        {"ended wrong"},
        lambda: replace(innocent(), sessions=(innocent().sessions[0], replace(innocent().last, exit_code=0))),
    ),
    "a traceback": (
        {"ended wrong"},
        lambda: replace(innocent(), sessions=(innocent().sessions[0], replace(innocent().last, told="Traceback"))),
    ),
    "stopped by something": ({"ended wrong"}, lambda: with_summary(innocent(), stopped_by="key")),
    "not stopped by the guard": ({"ended wrong"}, lambda: with_summary(refused(), stopped_by=None)),
    "a guard without its option": ({"ended wrong"}, lambda: guarded("ann", "bob", "cat", option=None)),
    "a guard with another reason": ({"ended wrong"}, lambda: guarded("ann", "bob", "cat", reason="too_many_leavers")),
    "a guard with two examples": ({"ended wrong"}, lambda: guarded("ann", "bob")),
    "a guard with an example that is not named": ({"ended wrong"}, lambda: guarded("ann", "bob", "zoe")),
    "a field that was not changed": ({"directory wrong"}, lambda: with_user("bob", stored(BEFORE["bob"].profile))),
    "a leaver that may still log in": ({"directory wrong"}, lambda: with_user("eve", stored(EVE))),
    "somebody who stays is deactivated": (
        {"directory wrong", "others touched"},
        lambda: with_user("gus", stored(GUS, "t-gus", gone=9)),
    ),
    "a user out of nowhere": ({"directory wrong"}, lambda: with_user("zoe", stored(ANN))),
    "a stranger that was changed and changed back": (
        {"others touched"},
        lambda: with_user("hal", {**stored(HAL), "updated_at": 9}),
    ),
    "an update for nothing": (
        {"others touched", "too many requests"},
        lambda: with_request(record(7, "PUT", "cat", "updated")),
    ),
    "a request on a bad night": (
        {"others touched", "too many requests"},
        lambda: with_summary(replace(refused(), audit=(record(1, "DELETE", None, "nothing"),)), requests=1),
    ),
    "a user changed on a bad night": (
        {"others touched"},
        lambda: replace(refused(), users={**refused().users, "eve": stored(EVE, "t-eve", gone=9)}),
    ),
    "results overwritten on a bad night": ({"results wrong"}, lambda: replace(refused(), results_kept=False)),
    "another outcome": ({"results wrong"}, lambda: with_line(1, line("2", "bob", "unchanged"))),
    "a row without a line": (
        {"results wrong"},
        lambda: replace(innocent(), results=(*innocent().results[:4], innocent().results[5])),
    ),
    "a leaver without a line": ({"results wrong"}, lambda: replace(innocent(), results=innocent().results[:5])),
    "a number that does not add up": ({"summary wrong"}, lambda: with_summary(innocent(), unchanged=2)),
    "leavers that do not add up": (
        {"summary wrong"},
        lambda: with_summary(innocent(), leavers={**innocent().document["leavers"], "reported": 1}),
    ),
    "a leaver that is not listed": ({"summary wrong"}, lambda: replace(innocent(), leavers=frozenset({"eve"}))),
    "a request that was not counted": ({"summary wrong"}, lambda: with_summary(innocent(), requests=5)),
    "another hand that was not seen": (
        {"summary wrong"},
        lambda: replace(innocent(), drift={"deleted": 1, "deactivated": 0, "strangers": 1, "changed": 0}),
    ),
    "a plan with another number": ({"plan wrong"}, lambda: with_plan(update=2)),
    "a plan that needs other requests": ({"plan wrong"}, lambda: with_plan(requests={"core": 2, "standard": 3})),
    "a plan that sends": (
        {"plan wrong"},
        lambda: replace(innocent(), sessions=(innocent().sessions[0], replace(innocent().last, begins=2))),
    ),
    "a request too many": ({"too many requests"}, lambda: with_request(record(7, "GET", "bob", "read"))),
    "created twice": ({"created twice"}, lambda: replace(innocent(), created={"ann": 2})),
    "no token in the results": (
        {"tokens wrong", "summary wrong"},
        lambda: with_line(0, line("1", "ann", "created")),
    ),
    "a token the server does not know": ({"tokens wrong"}, lambda: with_user("ann", stored(ANN, "t-other"))),
    "a leaver with a token left": ({"sessions wrong"}, lambda: with_user("eve", stored(EVE, "t-eve", gone=9))),
    "somebody who stays lost a token": ({"sessions wrong", "others touched"}, lambda: with_user("gus", stored(GUS))),
    "a leaver's token in the results": (
        {"sessions wrong", "summary wrong"},
        lambda: with_line(5, line("", "eve", "deactivated", "t-eve")),
    ),
    "sessions that were not counted": ({"summary wrong"}, lambda: with_summary(innocent(), sessions_flushed=0)),
    "settled, and sent again": ({"settled users sent again"}, lambda: killed_first(frozenset({"ann"}))),
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_the_judge_finds(offence: str) -> None:
    """Each offence is found by the checks that are there for it, and by no other."""
    found, evidence = OFFENCES[offence]
    assert {name for name, offenders in judge(evidence()).items() if offenders} == found


def test_every_check_can_fail() -> None:
    """There is no check that would let everything pass."""
    assert set().union(*(found for found, _ in OFFENCES.values())) == set(CHECKS)


def test_the_judge_allows_what_is_allowed() -> None:
    """A good night, a refused one, one killed with a change in doubt, and one with a reply lost are no offences."""
    more = [record(n, "POST", "ann", "refused") for n in (6, 7, 8)]
    struck = with_request(*more)
    lost = replace(struck, audit=({**struck.audit[0], "fault": "lost-reply"}, *struck.audit[1:]))
    again = replace(innocent(), created={"ann": 2}, deleted={"ann": 1})
    nights = [innocent(), refused(), guarded("ann", "bob", "cat"), killed_first(frozenset({"bob"})), lost, again]
    assert [judge(night) for night in nights] == [NOTHING] * len(nights)


def test_the_directory_may_be_read_page_by_page() -> None:
    """One request for each thousand users of either kind is allowed to those who ask for it, one at least."""
    good = replace(innocent(), kind=Kind.OTHER_HAND)
    assert (innocent().allowed, good.allowed) == (6, 8)
    many = {f"user-{n}": stored(ANN, gone=n % 2 or None) for n in range(2002)}
    assert replace(good, before=many).allowed == 6 + 2 + 2
    assert replace(good, drift={"deleted": 2}).allowed == 8 + 2 * 3


def test_each_sync_may_ask_for_the_time_once() -> None:
    """One that sends anything; more than one such request is too many, as is any on a night that changes nothing."""
    asking = record(7, "GET", None, "listed")
    assert (with_request(asking).allowed, with_request(asking, asking).allowed) == (7, 7)
    assert replace(refused(), audit=(asking,)).allowed == 0


def night(number: int, **changes: Any) -> dict[str, Any]:
    """One night of the command's history, as it is after the innocent one."""
    names = ("rows", "created", "updated", "unchanged", "reactivated", "deactivated", "rejected", "failed", "pending")
    told = {name: SUMMARY[name] for name in (*names, "requests", "stopped_by", "exit_code")}
    return {"night": number, "good": True, **told, **changes}


def test_the_history_is_held_against_what_was_run() -> None:
    """Plans are no nights, a killed one has no numbers, and every number counts."""
    done = innocent().sessions[1]
    sessions = [replace(done, exit_code=KILLED, document=None), innocent().sessions[0], done]
    first = night(1, stopped_by="killed", good=False, rows=None, requests=None)
    assert list(history_wrong([first, night(2)], sessions)) == []
    assert len(list(history_wrong([first], sessions))) == 1
    assert len(list(history_wrong([first, night(2, updated=9)], sessions))) == 1
    assert len(list(history_wrong([night(1), night(2)], sessions))) == 1
    early = replace(done, exit_code=5, document=None)
    assert list(history_wrong([first, night(2)], [sessions[0], early, done])) == []


def test_rows_are_respelt_without_another_meaning() -> None:
    """What a roster says is the same person and profile, whatever its letters; some rows break a rule."""
    company = Company(500, Random(4))
    rows: list[Row] = [row for _ in range(5) for row in company.export()]
    assert Counter(row.uid for row in rows) == Counter(dict.fromkeys(company.employees, 5))
    assert all(row.profile == company.employees[row.uid] for row in rows)
    assert any(row.cells["uid"].isupper() for row in rows)
    assert any(row.rejected for row in rows)
