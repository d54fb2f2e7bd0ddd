"""What a sync would do, compared row by row with the state; nobody is asked and nothing is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from provisioner.journal.header import Identity
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import Action, Live, Outcome, Settlement, Standing, State, UserRequest
from provisioner.run.job import Run, make_job
from provisioner.settings.tables import Output, Settings, Sync
from provisioner.stop import Stopper
from provisioner.sync.plan.assessment import Preflight, preflight

IDENTITY = Identity("app1", "https://app1.api-eu.cometchat.io/v3")


class Company:
    """A roster and a state in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        with self.state():
            pass

    def state(self) -> SyncState:
        return SyncState(self.folder / "hr.db", IDENTITY, make=True)

    def preview(self, roster: str, look: Callable[[Preflight], Any], **sync: Any) -> Any:
        """Plan for a roster, and give what `look` sees of it."""
        (self.folder / "hr.csv").write_text(roster, encoding="utf-8")
        settings = Settings(sync=Sync(**sync), output=Output(file=self.folder / "hr.results.csv"))
        job = make_job([str(self.folder / "hr.csv")], settings)
        job = replace(job, outputs=replace(job.outputs, journal=self.folder / "hr.db"))

        async def main() -> Any:
            async with asyncio.timeout(60), preflight(Run.begin(job, Stopper()), None, IDENTITY) as ready:
                return await ready.recorder.run(lambda: look(ready))

        return asyncio.run(main())

    def changes(self, roster: str, **sync: Any) -> list[tuple[int, str, str, list[str], str]]:
        """Row, uid, action, fields and payload of each change."""

        def look(ready: Preflight) -> list[tuple[int, str, str, list[str], str]]:
            changes = chain.from_iterable(ready.planner.plan.pieces(1))
            return [(each.row, each.uid, each.action, list(each.fields), each.payload) for each in changes]

        found: list[tuple[int, str, str, list[str], str]] = self.preview(roster, look, **sync)
        return found

    def carry_out(self, roster: str, **sync: Any) -> None:
        """Bring the state to where it is after a good night."""

        def look(ready: Preflight) -> None:
            state = ready.state
            number = state.begin_night(1.0)
            for piece in ready.planner.plan.pieces(2):
                for each in piece:
                    met = state.met([each.uid]).get(each.uid)
                    key = met.key if met else state.new_key()
                    live = Live(each.live_hash, each.digests, Standing.ACTIVE)
                    if each.action == Action.DEACTIVATE and met is not None and met.live is not None:
                        live = met.live._replace(standing=Standing.DEACTIVATED)
                    state.sent([UserRequest(key, 1, each.uid, b"", each.body_hash, token=False)], 2.0)
                    done = Settlement(key, State.SETTLED, Outcome.UPDATED, 1, 200, settled_at=3.0, live=live)
                    state.settle([done])
            state.end_night(number, 4.0, ready.assessment.rows, {}, good=True)

        self.preview(roster, look, **sync)


@pytest.fixture
def company(tmp_path: Path) -> Company:
    return Company(tmp_path)


def test_everybody_is_created_in_the_roster_s_order(company: Company) -> None:
    """And nothing of them is changed in the state by planning."""
    roster = "uid,name\nBob,Bob\nann,Ann\n"
    assert [change[:4] for change in company.changes(roster)] == [(1, "bob", "create", []), (2, "ann", "create", [])]
    with company.state() as state:
        assert state.met(["ann", "bob"]) == {}


def test_the_same_roster_is_no_work(company: Company) -> None:
    """In any order, with columns in any order, with blanks around."""
    company.carry_out("uid,name,tags\nann,Ann,a;b\nbob,Bob,\n")
    assert company.changes("uid,name,tags\nann,Ann,a;b\nbob,Bob,\n") == []
    assert company.changes("tags,name,uid\n, Bob ,bob\nb;a,Ann,ANN\n") == []


def test_changes_are_found_field_by_field(company: Company) -> None:
    """Only what changed is in the payload; what became empty is taken away."""
    company.carry_out("uid,name,avatar,metadata.n\nann,Ann,https://x.test/a,1\nbob,Bob,,2\n")
    roster = "uid,name,avatar,metadata.n\nann,Anna,,1\nbob,Bob,,2.0\n"
    assert company.changes(roster) == [
        (1, "ann", "update", ["name", "avatar"], '{"name":"Anna","unset":["avatar"]}'),
        (2, "bob", "update", ["metadata"], '{"metadata":{"n":"2.0"}}'),
    ]


def test_a_dropped_column_changes_nobody(company: Company) -> None:
    """And one that comes back with other values changes those."""
    company.carry_out("uid,name,role\nann,Ann,nurse\nbob,Bob,nurse\n")
    assert company.changes("uid,name\nann,Ann\nbob,Bob\n") == []
    assert company.changes("uid,name,role\nann,Ann,nurse\nbob,Bob,\n") == [
        (2, "bob", "update", ["role"], '{"role":"default"}')
    ]


def test_a_cell_that_is_empty_when_its_column_is_back_is_a_change(company: Company) -> None:
    """Also of whom something was carried out while the roster had no such column; not of whom nothing was known."""
    company.carry_out("uid,name,avatar,tags\nann,Ann,https://x.test/a,a\nbob,Bob,https://x.test/b,b\ncy,Cy,,\n")
    company.carry_out("uid,name,tags\nann,Anna,a\nbob,Bob,b\ncy,Cyd,\n")
    assert company.changes("uid,name,tags\nann,Anna,a\nbob,Bob,b\ncy,Cyd,\n") == []
    roster = "uid,name,avatar,tags\nann,Anna,,a\nbob,Bob,,b\ncy,Cyd,,\n"
    assert company.changes(roster) == [
        (1, "ann", "update", ["avatar"], '{"unset":["avatar"]}'),
        (2, "bob", "update", ["avatar"], '{"unset":["avatar"]}'),
    ]
    company.carry_out(roster)
    assert company.changes(roster) == []


def test_leavers_come_last(company: Company) -> None:
    """Without a row; only when that is asked for."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\ncy,Cy\n")
    assert company.changes("uid,name\ncy,Cy II\n") == [(1, "cy", "update", ["name"], '{"name":"Cy II"}')]
    assert [change[:3] for change in company.changes("uid,name\ncy,Cy II\n", deactivate_leavers=True)] == [
        (1, "cy", "update"),
        (0, "ann", "deactivate"),
        (0, "bob", "deactivate"),
    ]


def test_a_returner_is_reactivated(company: Company) -> None:
    """With an update only if the row has changed since."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\ncy,Cy\n")
    company.carry_out("uid,name\ncy,Cy\n", deactivate_leavers=True)
    assert company.changes("uid,name\nann,Ann\nbob,Rob\ncy,Cy\n") == [
        (1, "ann", "reactivate", [], ""),
        (2, "bob", "reactivate", ["name"], '{"name":"Rob"}'),
    ]


def test_a_rejected_row_is_no_leaver_and_no_change(company: Company) -> None:
    """A row without a uid is nobody's, and holds leavers back."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\ncy,Cy\n")
    broken = "uid,name\nann,\nbob,Bob\n"
    assert [change[1:3] for change in company.changes(broken, deactivate_leavers=True)] == [("cy", "deactivate")]
    assert company.changes(broken + ",Cy\n", deactivate_leavers=True) == []


def test_whoever_is_in_the_roster_without_leading_zeros_is_no_leaver(company: Company) -> None:
    """On no night, how few they may be and whether their new rows are valid; a list of leavers lets them go."""
    company.carry_out("uid,name\n00042,Ann\n007,Bob\n000,Cy\n0x1,Di\n0815,Ed\n10000,Flo\n")
    shortened = "uid,name\n42,Ann\n7,\n0,Cy\nx1,Di\n10000,Flo\n"
    leaving = {"deactivate_leavers": True}
    created = [(1, "42", "create"), (3, "0", "create"), (4, "x1", "create")]
    gone = [(0, "0x1", "deactivate"), (0, "0815", "deactivate")]
    assert [change[:3] for change in company.changes(shortened, **leaving)] == created + gone
    company.carry_out(shortened, **leaving)
    assert company.changes(shortened, **leaving) == []
    (company.folder / "gone.csv").write_text("uid\n00042\n")
    approved = company.changes(shortened, approve=company.folder / "gone.csv", **leaving)
    assert [change[:3] for change in approved] == [(0, "00042", "deactivate")]


def test_the_plan_adds_up(company: Company) -> None:
    """Each row is one action, unchanged or rejected."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\ncy,Cy\n")
    roster = "uid,name,withAuthToken\nann,Ann,\nbob,Rob,\nnew,New,no\nnewer,New,\nbad,,\n"

    def look(ready: Preflight) -> tuple[Any, ...]:
        plan, leavers = ready.assessment.plan, ready.assessment.leavers
        return plan.actions, plan.unchanged, plan.tokens.total(), plan.updates, plan.touched, leavers.found

    numbers = company.preview(roster, look, deactivate_leavers=True)
    assert numbers == ({"create": 2, "update": 1, "reactivate": 0, "deactivate": 1}, 1, 1, 1, {"name": 1}, 1)


def duplicates(company: Company, roster: str, **sync: Any) -> tuple[Any, ...]:
    """Rows, rejected ones with the reason, those warned of, the changes and the leavers of a roster."""

    def look(ready: Preflight) -> tuple[Any, ...]:
        assessed = ready.assessment
        frames = [frame.drop_nulls("error_message") for frame in ready.surveyed.lines.frames()]
        rejected = [row for frame in frames for row in frame.select("row", "error_message").iter_rows()]
        warned = {code: found.first_rows for code, found in assessed.report.warnings.items()}
        changes = [(each.row, each.uid, each.action) for each in ready.planner.plan.first(9)]
        return assessed.rows, rejected, warned, changes, assessed.leavers.found

    found: tuple[Any, ...] = company.preview(roster, look, **sync)
    return found


def test_two_rows_that_contradict_each_other_are_both_rejected(company: Company) -> None:
    """Which is right cannot be known: the person stays as is and is no leaver. Each names the other, in any number."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\n")
    roster = "uid,name\nann,Anna\nbob,Bob\ncy,Cy\nANN,Ann\nann,Anna\nnew,\nnew,New\n"
    rest = "as well, which says otherwise, so neither is taken"
    assert duplicates(company, roster, deactivate_leavers=True) == (
        7,
        [
            (1, f"uid.duplicate: 'ann' is the uid of row 4 (line 5) {rest}"),
            (4, f"uid.duplicate: 'ann' is the uid of row 1 (line 2) {rest}"),
            (5, f"uid.duplicate: 'ann' is the uid of row 1 (line 2) {rest}"),
            (6, f"name.missing: no name, one is required; uid.duplicate: 'new' is the uid of row 7 (line 8) {rest}"),
            (7, f"uid.duplicate: 'new' is the uid of row 6 (line 7) {rest}"),
        ],
        {},
        [(3, "cy", "create")],
        0,
    )


def test_two_rows_that_say_the_same_are_one(company: Company) -> None:
    """In other letters, in any number, defective or not; the later ones are named in a warning."""
    company.carry_out("uid,name\nann,Ann\n")
    roster = "uid,name,role\nann,Anna,nurse\nbob,,\nANN, Anna ,NURSE\nbob,,\ncy,Cy,\nann,Anna,nurse\ncy,Cy,\n"
    warned = {"row.repeated": (3, 4, 6, 7)}
    changes = [(1, "ann", "update"), (5, "cy", "create")]
    assert duplicates(company, roster) == (3, [(2, "name.missing: no name, one is required")], warned, changes, 0)


def test_one_that_differs_in_the_token_it_wants_contradicts(company: Company) -> None:
    """What is asked for is a part of what a row says."""
    rows, rejected, warned, changes, _ = duplicates(company, "uid,name,withAuthToken\nann,Ann,yes\nann,Ann,no\n")
    assert (rows, [row for row, _ in rejected], warned, changes) == (2, [1, 2], {}, [])
    rows, rejected, warned, changes, _ = duplicates(company, "uid,name,withAuthToken\nann,Ann,yes\nann,Ann,TRUE\n")
    assert (rows, rejected, warned, changes) == (1, [], {"row.repeated": (2,)}, [(1, "ann", "create")])


@pytest.mark.sampled
@pytest.mark.parametrize(("one", "other"), [("maybe", "yes"), ("yes", "maybe"), ("maybe", "perhaps"), ("maybe", "")])
def test_a_word_that_is_not_understood_says_otherwise_than_any_other(company: Company, one: str, other: str) -> None:
    """Neither of two rows is taken for the other, whichever is defective."""
    roster = f"uid,name,withAuthToken\nann,Ann,{one}\nann,Ann,{other}\n"
    rows, rejected, warned, changes, _ = duplicates(company, roster)
    assert (rows, [row for row, _ in rejected], warned, changes) == (2, [1, 2], {}, [])
    assert all("uid.duplicate: 'ann' is the uid of row" in why for _, why in rejected)


@pytest.mark.slow
def test_a_plan_is_told_apart_by_what_it_would_do(company: Company) -> None:
    """Its digest is of the changes, its roster's of the rows."""

    def digests(roster: str, **sync: Any) -> tuple[str, str]:
        def look(ready: Preflight) -> tuple[str, str]:
            return ready.assessment.plan.digest, ready.assessment.plan.roster

        found: tuple[str, str] = company.preview(roster, look, **sync)
        return found

    company.carry_out("uid,name\nann,Ann\nbob,Bob\n")
    one = digests("uid,name\nann,Ann\nbob,Rob\n")
    assert digests("uid,name\nann,Ann\nbob,Rob\n") == one
    other = digests("uid,name\nann,Ann\nbob,Bobby\n")
    assert (other[0] != one[0], other[1] != one[1]) == (True, True)
    fewer = digests("uid,name\nbob,Rob\n")
    assert (fewer[0] == one[0], fewer[1] != one[1]) == (True, True)
    assert digests("uid,name\nbob,Rob\n", deactivate_leavers=True)[0] != one[0]


@pytest.mark.slow
def test_who_comes_back_is_no_measure_of_those_who_stayed(company: Company) -> None:
    """A field that is another one in all who return is none that is changed for half of the managed."""
    company.carry_out("uid,name\nann,Ann\nbob,Bob\ncy,Cy\n")
    company.carry_out("uid,name\ncy,Cy\n", deactivate_leavers=True)

    def look(ready: Preflight) -> dict[str, int]:
        return dict(ready.planner.plan.totals().altered)

    assert company.preview("uid,name\nann,Anna\nbob,Rob\ncy,Cy\n", look) == {}
    assert company.preview("uid,name\nann,Anna\nbob,Rob\ncy,Cyd\n", look) == {"name": 1}
