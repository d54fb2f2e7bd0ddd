"""Promises 1 to 4 under SIGKILL and a hostile network; and the judge of the crash campaign is no friend of ours."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from benchmarks.crash.campaign import Options
from benchmarks.crash.chaos import campaign, each_fault
from benchmarks.crash.ledger import Fate, Ledger, _same
from benchmarks.crash.scenario import Kind, Person, hostility, population
from benchmarks.crash.verdict import CHECKS, Evidence, Run, judge
from benchmarks.rig.victim import Victim
from provisioner.emulator.app.faults import Fault
from tests.rig import forking

NOTHING: dict[str, list[str]] = {name: [] for name in CHECKS}


def test_killed_and_struck_by_every_fault_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every fault on a create, on a read and on a mint, and four SIGKILLs: nothing lost, doubled or misreported."""
    monkeypatch.setattr(Victim, "start", forking.victim)
    report = campaign(
        Options(rows=300, kills=4, edits=1, seed=5, faults="once", jitter=0.03, per_minute=12_000), tmp_path
    )
    assert report.offenders == NOTHING
    assert report.figures["kills"] == 4
    assert set(report.figures["faults"]) == {fault.value for fault in Fault}


@pytest.mark.slow
def test_disabled_accounts_killed_on_their_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A third of the accounts is disabled, some are enabled again in between: each ends as the roster says."""
    monkeypatch.setattr(Victim, "start", forking.victim)
    report = campaign(
        Options(rows=80, kills=3, edits=1, seed=3, disabled=0.3, jitter=0.03, per_minute=12_000), tmp_path
    )
    assert report.offenders == NOTHING
    assert report.figures["kills"] == 3
    assert report.figures["deactivated"] > 10


@pytest.mark.campaign
@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(seed=7, rows=500, kills=100, edits=6, disabled=0.2),
        Options(seed=8, rows=500, kills=100, edits=6, disabled=0.2, on_existing="update"),
        Options(seed=2, rows=1500, kills=60, clock_skew=-180, auth_tokens="all", on_existing="update"),
    ],
)
def test_killed_hundreds_of_times(tmp_path: Path, options: Options) -> None:
    """Hundreds of SIGKILLs, a tenth of all requests struck, the clock three minutes off: exact all the same."""
    report = campaign(options, tmp_path)
    assert report.offenders == NOTHING
    assert report.figures["kills"] == options.kills
    assert set(report.figures["killed while"]) == {"starting", "reading", "sending", "writing"}


@pytest.mark.campaign
def test_each_fault_by_itself(tmp_path: Path) -> None:
    """A tenth of all requests struck by one fault, for every fault, and four SIGKILLs each."""
    reports = list(each_fault(Options(rows=300, kills=4, edits=1), tmp_path))
    assert {report.options.faults: report.offenders for report in reports} == {each.value: NOTHING for each in Fault}
    assert all(report.figures["faults"][report.options.faults] for report in reports)


def test_a_population_holds_rows_of_every_kind() -> None:
    """The same seed gives the same people; a duplicate is one of an earlier row, whatever its case."""
    people = population(500, Random(3))
    assert people == population(500, Random(3))
    assert {person.kind for person in people} == set(Kind)
    for person in people:
        earlier = {each.uid.lower() for each in people[: person.row - 1]}
        assert (person.uid.lower() in earlier) == (person.kind is Kind.DUPLICATE)


def test_a_name_that_is_no_fault_is_refused() -> None:
    """Nothing is started for a fault that does not exist."""
    with pytest.raises(ValueError, match="lost-replies"):
        hostility("lost-replies", 0.1, [])


PEOPLE = (
    Person(1, "ann", "Ann", "", Kind.NEW),
    Person(2, "bob", "Bob", "no", Kind.NEW),
    Person(3, "cat", "Cat", "", Kind.OTHER),
    Person(4, "dan", "Dan", "", Kind.DEACTIVATED),
    Person(5, "ANN", "Ann", "", Kind.DUPLICATE),
    Person(6, "e e", "Eve", "", Kind.INVALID),
    Person(7, "fay", "Fay", "", Kind.NEW, left=True),
)


def line(row: int, outcome: str, token: str = "", created_at: str = "") -> dict[str, str]:
    """One line of the results, as far as the judge looks at it."""
    person = PEOPLE[row - 1]
    said = {"error_code": "deactivated" if person.left else "", "error_message": ""}
    return {
        "row": str(row), "uid_input": person.uid, "outcome": outcome, "auth_token": token, "created_at": created_at,
        **said,
    }  # fmt: skip


def record(at: float, uid: str, did: str) -> dict[str, Any]:
    """One record of the audit, as far as the judge looks at it."""
    return {"monotonic": at, "method": "POST", "path": "/users", "group": "core", "uid": uid, "did": did}


SUMMARY = {
    "rows": 7, "rejected": 2, "created": 3, "existing": 2, "updated": 0, "failed": 0, "pending": 0,
    "requests": 6, "tokens": 1, "deactivated": 1, "stopped_by": None, "exit_code": 1,
}  # fmt: skip


def innocent() -> Evidence:
    """Evidence of one run that did everything right."""
    return Evidence(
        people=PEOPLE,
        auth_tokens="created",
        on_existing="skip",
        results=(
            line(1, "created", "t-ann", "7"),
            line(2, "created", "", "7"),
            *(line(row, outcome) for row, outcome in ((3, "existing"), (4, "existing"), (5, "rejected"))),
            line(6, "rejected"),
            line(7, "created", "", "7"),
        ),
        runs=(Run(10.0, 20.0, 1, None, None, SUMMARY),),
        before={uid: {"uid": uid, "name": "Old", "tokens": []} for uid in ("cat", "dan")},
        users={
            "ann": {"name": "Ann", "tokens": ["t-ann"]},
            "bob": {"name": "Bob", "tokens": []},
            "cat": {"name": "Old", "tokens": ["t-cat"]},
            "dan": {"name": "Old", "tokens": [], "deactivated_at": 3},
            "fay": {"name": "Fay", "tokens": [], "deactivated_at": 9},
        },
        audit=(
            record(11, "ann", "created"),
            record(12, "bob", "created"),
            record(13, "cat", "refused"),
            record(14, "dan", "refused"),
            record(15, "fay", "created"),
            record(16, "", "deactivated"),
        ),
        ledger=Ledger(first={"ann": (Fate("created", "t-ann", 7), 20.0)}),
        rates={"core": 60},
    )


def with_line(changed: dict[str, str]) -> Evidence:
    """The same evidence with another line about a row."""
    good = innocent()
    results = tuple(changed if each["row"] == changed["row"] else each for each in good.results)
    return replace(good, results=results)


def with_request(*records: dict[str, Any]) -> Evidence:
    """The same evidence with more requests in the audit, before the run unless they say otherwise."""
    good = innocent()
    return replace(good, audit=(*good.audit, *records))


def with_run(**changes: Any) -> Evidence:
    """The same evidence with another run."""
    good = innocent()
    return replace(good, runs=(replace(good.runs[0], **changes),))


def with_user(uid: str, user: Mapping[str, Any]) -> Evidence:
    """The same evidence with another user on the server."""
    good = innocent()
    return replace(good, users={**good.users, uid: user})


def minute(number: int) -> list[dict[str, Any]]:
    """That many requests within the minute before the run, evenly spread."""
    return [record(-60 + n * 59 / number, "ann", "refused") for n in range(number)]


OFFENCES: Mapping[str, tuple[set[str], Callable[[], Evidence]]] = {
    "a row without a line": (
        {"rows lost", "sums wrong"},
        lambda: replace(innocent(), results=(*innocent().results[:5], innocent().results[6])),
    ),
    "two lines for a row": (
        {"rows lost", "sums wrong"},
        lambda: replace(innocent(), results=(*innocent().results, line(6, "rejected"))),
    ),
    "lines in another order": ({"rows lost"}, lambda: replace(innocent(), results=innocent().results[::-1])),
    "a row that failed": ({"rows not settled in the end", "sums wrong"}, lambda: with_line(line(4, "failed"))),
    "a broken row that was sent": (
        {"rows not settled in the end", "sums wrong"},
        lambda: with_line(line(6, "existing")),
    ),
    "a run with a failed row": ({"rows failed", "sums wrong"}, lambda: with_run(summary={**SUMMARY, "failed": 1})),
    "a user created twice": ({"users created twice"}, lambda: with_request(record(5, "ann", "created"))),
    "created, but there before": (
        {"misreported as created", "profiles wrong", "tokens missing", "sums wrong"},
        lambda: with_line(line(3, "created")),
    ),
    "existing, but created by us": ({"misreported as existing", "sums wrong"}, lambda: with_line(line(2, "existing"))),
    "existing, where updates were asked for": (
        {"misreported as existing"},
        lambda: replace(innocent(), on_existing="update"),
    ),
    "no token": (
        {"tokens missing", "settled rows changed", "sums wrong"},
        lambda: with_line(line(1, "created", "", "7")),
    ),
    "a token the server does not know": (
        {"tokens wrong"},
        lambda: with_user("ann", {"name": "Ann", "tokens": ["t-other"]}),
    ),
    "a token that was not asked for": (
        {"tokens wrong", "sums wrong"},
        lambda: with_line(line(3, "existing", "t-cat")),
    ),
    "a request about a settled row": (
        {"settled rows sent again"},
        lambda: with_request(record(20, "ann", "read")),
    ),
    "another creation time than was journaled": (
        {"settled rows changed"},
        lambda: with_line(line(1, "created", "t-ann", "8")),
    ),
    "somebody else's profile overwritten": (
        {"profiles wrong"},
        lambda: with_user("cat", {"name": "Cat", "tokens": []}),
    ),
    "a disabled account that is active": (
        {"standings wrong"},
        lambda: with_user("fay", {"name": "Fay", "tokens": []}),
    ),
    "a disabled account with a living token": (
        {"standings wrong"},
        lambda: with_user("fay", {"name": "Fay", "tokens": ["t"], "deactivated_at": 9}),
    ),
    "a disabled account that is not told": (
        {"standings wrong", "sums wrong"},
        lambda: with_line({**line(7, "created", "", "7"), "error_code": ""}),
    ),
    "somebody deactivated who should not be": (
        {"standings wrong"},
        lambda: with_user("bob", {"name": "Bob", "tokens": [], "deactivated_at": 9}),
    ),
    "a user out of nowhere": ({"profiles wrong"}, lambda: with_user("zoe", {"name": "Zoe", "tokens": []})),
    "a request that was not counted": ({"sums wrong"}, lambda: with_request(record(15, "bob", "refused"))),
    "a minute too full": ({"over the rate"}, lambda: with_request(*minute(61))),
    "a second too full": ({"over the rate"}, lambda: with_request(*[record(5, "bob", "refused")] * 27)),
    "a crash of its own": ({"runs ended wrong"}, lambda: with_run(exit_code=70)),
    "stopped by what nobody had laid": (
        {"runs ended wrong"},
        lambda: with_run(exit_code=4, ambush="key", summary={**SUMMARY, "stopped_by": "plan"}),
    ),
}


@pytest.mark.parametrize("offence", OFFENCES)
def test_the_judge_finds(offence: str) -> None:
    """Each offence is found by the checks that are there for it, and by no other."""
    assert judge(innocent()) == NOTHING
    found, evidence = OFFENCES[offence]
    assert {name for name, offenders in judge(evidence()).items() if offenders} == found


def test_every_check_can_fail() -> None:
    """There is no check that would let everything pass."""
    assert set().union(*(found for found, _ in OFFENCES.values())) == set(CHECKS)


def test_the_judge_allows_what_is_allowed() -> None:
    """A run that is killed, a full minute, and the stop that was laid in wait are no offences."""
    summary = {**SUMMARY, "stopped_by": "key"}
    stopped = Run(-90.0, -80.0, 4, None, "key", {**summary, "requests": 0})
    killed = Run(-70.0, -61.0, -9, "sending", None, None)
    good = with_request(*minute(60))
    assert judge(replace(good, runs=(stopped, killed, *good.runs))) == NOTHING


def _journal(path: Path, *fates: tuple[str, str, str], body: str = "b") -> Path:
    with sqlite3.connect(path) as database:
        database.execute("DROP TABLE IF EXISTS users")
        database.execute("CREATE TABLE users (uid, state, outcome, auth_token, created_at, body_hash)")
        database.executemany(f"INSERT INTO users VALUES (?, ?, ?, 't', 1, '{body}')", fates)
    database.close()
    return path


def test_the_ledger_notes_what_was_settled_first_and_what_became_of_it(tmp_path: Path) -> None:
    """Rows in doubt and failed ones are not settled; a settled one that is forgotten or changed is told."""
    ledger, path = Ledger(), tmp_path / "x.db"
    ledger.take(path, 1.0)
    assert (ledger.first, ledger.wrong) == ({}, [])
    ledger.take(_journal(path, ("a", "settled", "created"), ("b", "sent", "pending"), ("c", "settled", "failed")), 2.0)
    ledger.take(_journal(path, ("a", "settled", "created"), ("b", "settled", "existing")), 3.0)
    assert ledger.first == {"a": (Fate("created", "t", 1), 2.0), "b": (Fate("existing", "t", 1), 3.0)}
    assert ledger.wrong == []
    ledger.take(_journal(path, ("a", "settled", "existing"), ("b", "sent", "existing")), 4.0)
    assert [text.partition(":")[0] for text in ledger.wrong] == ["a", "b"]


def test_the_ledger_lets_an_edited_row_be_sent_again_and_holds_it_to_its_fate(tmp_path: Path) -> None:
    """A row that was settled may be taken up when it was edited; it ends as it had ended before."""
    ledger, path = Ledger(), tmp_path / "x.db"
    ledger.take(_journal(path, ("a", "settled", "created"), ("b", "settled", "created")), 1.0)
    ledger.reopen({"a", "b", "c"})
    ledger.take(_journal(path, ("a", "sent", "pending"), ("b", "sent", "pending")), 2.0)
    assert (ledger.first, ledger.wrong) == ({}, [])
    # Killed before the edit was come to: the row is settled as it was, and still open.
    ledger.take(_journal(path, ("a", "settled", "created"), ("b", "settled", "created")), 2.5)
    assert (ledger.first, ledger.wrong) == ({}, [])
    ledger.take(_journal(path, ("a", "settled", "created"), ("b", "settled", "existing"), body="new"), 3.0)
    assert ledger.first["a"] == (Fate("created", "t", 1), 3.0)
    assert [text.partition(":")[0] for text in ledger.wrong] == ["b"]


def test_the_ledger_tells_a_damaged_journal(tmp_path: Path) -> None:
    """A file that SQLite cannot read is an offence, not the end of the campaign."""
    path = tmp_path / "x.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4000)
    ledger = Ledger()
    ledger.take(path, 1.0)
    assert len(ledger.wrong) == 1


def test_an_edit_may_bring_to_light_when_a_user_was_created(tmp_path: Path) -> None:
    """That is no other fate: of a user who was there before, the refusal that told so says nothing of it."""
    known, unknown = Fate("existing", None, 7), Fate("existing", None, None)
    ledger = Ledger(reopened={"a": unknown, "b": known})
    path = tmp_path / "x.db"
    ledger.take(_journal(path, ("a", "settled", "existing")), 1.0)
    assert [text.partition(",")[0] for text in ledger.wrong] == ["a: settled as Fate(outcome='existing'"]
    assert (_same(unknown, known), _same(known, unknown), _same(unknown, Fate("created", None, 7))) == (
        True,
        False,
        False,
    )
