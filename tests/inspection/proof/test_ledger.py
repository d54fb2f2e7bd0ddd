"""Where both sides of a proof meet: who is as expected, who is not, and what is none of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provisioner.errors import OutputError
from provisioner.inspection.proof.ledger import Expected, Ledger, Totals, Unlike
from provisioner.inspection.proof.stored import FieldDifference, Terms, profile_of
from provisioner.model import Standing

ACTIVE, DEACTIVATED = Standing.ACTIVE, Standing.DEACTIVATED
FIELDS = frozenset({"name", "statusMessage", "tags"})
Make = Callable[..., Ledger]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Make]:
    """Makes a ledger that expects these: uid → profile."""
    ledgers = []

    def make(stays: frozenset[str] = frozenset(), **users: dict[str, Any]) -> Ledger:
        ledger = Ledger(tmp_path, Terms(FIELDS, stays))
        ledgers.append(ledger)
        ledger.expect(Expected(uid, profile_of(user, FIELDS)) for uid, user in users.items())
        return ledger

    yield make
    for ledger in ledgers:
        ledger.close()


def user(uid: str, **more: Any) -> dict[str, Any]:
    return {"uid": uid, "name": uid.upper(), **more}


def unlike(ledger: Ledger) -> list[tuple[str, str, list[str]]]:
    return [(each.uid, each.standing, [one.field for one in each.differences]) for each in ledger.unlike()]


def test_who_is_as_expected_and_who_is_not(made: Make) -> None:
    """In the order of the roster; strangers are none of ours, a deactivated user is only that."""
    ledger = made(zoe=user("zoe"), ann=user("ann"), bob=user("bob"), cy=user("cy"))
    ledger.meet([user("Ann"), user("stranger"), {**user("bob"), "name": "Bo"}], ACTIVE)
    ledger.meet([{**user("cy"), "name": "Cy"}], DEACTIVATED)
    assert list(ledger.unlike()) == [
        Unlike("zoe", "active", "missing", True, ()),
        Unlike("bob", "active", "active", True, (FieldDifference("name", "BOB", "Bo"),)),
        Unlike("cy", "active", "deactivated", True, ()),
    ]
    totals = ledger.totals()
    assert totals == Totals(users=4, matching=1, differing=1, missing=1, deactivated=1, fields=totals.fields)
    assert totals.fields == {"name": 1}


def test_whoever_is_shown_twice_is_as_shown_last(made: Make) -> None:
    """Pages shift; and who is asked for singly is as that answer has it, or lost."""
    ledger = made(ann=user("ann"), bob=user("bob"), cy=user("cy"))
    ledger.meet([{**user("ann"), "name": "Old"}, user("bob"), user("cy")], ACTIVE)
    ledger.meet([user("ann")], ACTIVE)
    ledger.meet([user("bob")], DEACTIVATED)
    ledger.lose("cy")
    ledger.lose("nobody")
    assert unlike(ledger) == [("bob", "deactivated", []), ("cy", "missing", [])]


def test_what_is_shown_of_nobody_is_not_compared(made: Make) -> None:
    """A field that one user is shown with is told of everybody, those of earlier pages included."""
    ledger = made(ann=user("ann", statusMessage="hi"), bob=user("bob", statusMessage="ho"))
    ledger.meet([user("ann"), user("bob")], ACTIVE)
    assert (set(ledger.untold), unlike(ledger)) == ({"statusMessage"}, [])
    roster, app = ledger.digests()
    assert roster == app
    ledger.meet([user("stranger", statusMessage="there is such a thing")], ACTIVE)
    assert (set(ledger.untold), unlike(ledger)) == (
        set(),
        [("ann", "active", ["statusMessage"]), ("bob", "active", ["statusMessage"])],
    )
    roster, app = ledger.digests()
    assert roster != app


def test_null_is_told_as_well(made: Make) -> None:
    """An API that shows a field as null says that nobody has it."""
    ledger = made(ann=user("ann", statusMessage="hi"))
    ledger.meet([user("ann", statusMessage=None)], ACTIVE)
    assert unlike(ledger) == [("ann", "active", ["statusMessage"])]


def test_tags_are_told_by_lists_alone(made: Make) -> None:
    """An answer about one user that has none leaves them open; one that has them tells."""
    ledger = made(ann=user("ann", tags=["a"]), bob=user("bob", tags=["a"]))
    ledger.meet([user("ann")], ACTIVE, by_list=False)
    assert "tags" in ledger.untold
    ledger.meet([user("bob")], ACTIVE)
    assert unlike(ledger) == [("bob", "active", ["tags"])]
    ledger.meet([user("ann", tags=["b"])], ACTIVE, by_list=False)
    assert unlike(ledger) == [("ann", "active", ["tags"]), ("bob", "active", ["tags"])]


def test_what_an_answer_about_one_user_shows_says_nothing_of_those_whom_only_a_list_has_shown(made: Make) -> None:
    """Of them it stays open what lists show of nobody; it is said of how many, and the digests leave it out."""
    ledger = made(**{uid: user(uid, statusMessage="hi", tags=["t"]) for uid in ("ann", "bob", "cy")})
    ledger.meet([user(uid, tags=["t"]) for uid in ("ann", "bob", "cy")], ACTIVE)
    ledger.meet([user("cy", statusMessage="ho")], ACTIVE, by_list=False)
    assert unlike(ledger) == [("cy", "active", ["statusMessage"])]
    assert (set(ledger.untold), ledger.left_open()) == (set(), {"statusMessage": (2, "ann")})
    ledger.meet([user("cy", statusMessage="hi")], ACTIVE, by_list=False)
    assert (unlike(ledger), len(set(ledger.digests()))) == ([], 1)


def test_what_an_answer_leaves_out_is_open_unless_a_list_has_told_it(made: Make) -> None:
    """It is never taken for what the roster has; what answers show of others, this user does not have."""
    ledger = made(**{uid: user(uid, statusMessage="hi", tags=["t"]) for uid in ("ann", "bob", "cy")})
    ledger.meet([user("bob", tags=["x"]), user("cy", tags=["t"])], ACTIVE)
    ledger.meet([user("ann")], ACTIVE, by_list=False)
    ledger.meet([user("bob")], ACTIVE, by_list=False)
    assert unlike(ledger) == [("bob", "active", ["tags"])]
    assert ledger.left_open() == {"tags": (1, "ann")}
    ledger.meet([user("cy", statusMessage="hi")], ACTIVE, by_list=False)
    assert unlike(ledger) == [("ann", "active", ["statusMessage"]), ("bob", "active", ["statusMessage", "tags"])]


def test_whom_a_list_has_shown_as_deactivated_is_so_unless_all_of_it_was_searched(made: Make) -> None:
    """That no such user is active says nothing against it."""
    ledger = made(ann=user("ann"), bob=user("bob"))
    ledger.meet([user("ann")], DEACTIVATED)
    ledger.meet([user("bob")], ACTIVE)
    for uid in ("ann", "bob"):
        ledger.lose(uid, everywhere=False)
    assert unlike(ledger) == [("ann", "deactivated", []), ("bob", "missing", [])]
    ledger.lose("ann")
    assert unlike(ledger) == [("ann", "missing", []), ("bob", "missing", [])]


def test_what_no_sync_can_empty_stays_as_it_is(made: Make) -> None:
    """Only where the roster has nothing."""
    ledger = made(frozenset({"statusMessage"}), ann=user("ann"), bob=user("bob", statusMessage="hi"))
    ledger.meet([user("ann", statusMessage="old"), user("bob", statusMessage="old")], ACTIVE)
    assert unlike(ledger) == [("bob", "active", ["statusMessage"])]


def test_leavers_are_as_the_state_has_them(made: Make) -> None:
    """Whoever the roster names, valid or not, is no leaver; one who was deleted since has left all the same."""
    ledger = made(ann=user("ann"))
    ledger.name(["rejected"])
    ledger.expect_leavers([(uid, "deactivated") for uid in ("gone", "deleted", "woken", "ann", "rejected")])
    ledger.expect_leavers([("kept", "active"), ("lost", "active")])
    ledger.meet([user("ann"), user("woken"), user("kept")], ACTIVE)
    ledger.meet([user("gone")], DEACTIVATED)
    assert list(ledger.unlike()) == [
        Unlike("woken", "deactivated", "active", False, ()),
        Unlike("lost", "active", "missing", False, ()),
    ]
    totals = ledger.totals()
    assert (totals.users, totals.matching, totals.leavers, totals.leavers_unlike) == (1, 1, 5, 2)


def test_whom_the_roster_has_deactivated_is_to_be_that(made: Make) -> None:
    """With its profile; whoever can log in all the same, or is not there, is told; both digests agree in the end."""
    ledger, profile = made(ann=user("ann")), profile_of(user("bob"), FIELDS)
    ledger.expect(Expected(uid, profile, DEACTIVATED) for uid in ("bob", "cat", "dan", "eve"))
    ledger.meet([user("ann"), user("cat", name="BOB")], ACTIVE)
    ledger.meet([user("bob"), user("eve", name="Eve")], DEACTIVATED)
    assert unlike(ledger) == [("cat", "active", []), ("dan", "missing", []), ("eve", "deactivated", ["name"])]
    totals = ledger.totals()
    assert totals == Totals(5, 2, 1, 1, 0, 1, totals.fields)
    assert len(set(ledger.digests())) == 2
    ledger.meet([user(uid, name="BOB") for uid in ("cat", "dan", "eve")], DEACTIVATED)
    assert unlike(ledger) == []
    assert len(set(ledger.digests())) == 1


def test_a_leaver_whom_a_sync_is_told_of_need_not_be_there(made: Make) -> None:
    """Nobody is created to be deactivated, and other changes of the row wait; only one who can log in is told."""
    ledger, profile = made(ann=user("ann")), profile_of(user("bob"), FIELDS)
    ledger.expect(Expected(uid, profile, DEACTIVATED, away=True) for uid in ("bob", "cat", "dan"))
    ledger.meet([user("ann"), user("dan")], ACTIVE)
    ledger.meet([user("bob", name="Old")], DEACTIVATED)
    assert unlike(ledger) == [("dan", "active", [])]
    assert (ledger.totals().matching, ledger.totals().active, len(set(ledger.digests()))) == (3, 1, 2)
    ledger.meet([user("dan")], DEACTIVATED)
    assert (unlike(ledger), len(set(ledger.digests()))) == ([], 1)


def test_a_role_that_the_app_lacks_rejects_its_rows(made: Make) -> None:
    """They are compared no more, and name their users all the same: those are no leavers."""
    ledger, profile = made(ann=user("ann")), profile_of(user("bob"), FIELDS)
    ledger.expect([Expected("bob", profile, role="boss"), Expected("cat", profile, role="member")])
    ledger.meet([user("ann"), user("cat", name="BOB")], ACTIVE)
    assert [(each.uid, each.role) for each in ledger.unlike()] == [("bob", "boss")]
    assert (ledger.reject({"boss", "nobody's"}), unlike(ledger), ledger.totals().users) == (1, [], 2)
    ledger.expect_leavers([("bob", "deactivated")])
    assert ledger.totals().leavers == 0


def test_the_digests_are_made_as_the_page_says(made: Make) -> None:
    """SHA-256 over the lines `uid TAB sha256(profile)`, sorted by uid; whoever cannot log in has none by the app."""
    ledger = made(zoe=user("zoe"), ann=user("ann", tags=["b", "a"]), cy=user("cy"))
    ledger.meet([user("zoe"), user("ann", tags=["a", "b"]), user("stranger")], ACTIVE)
    ledger.meet([user("cy")], DEACTIVATED)

    def line(uid: str, profile: str) -> str:
        return f"{uid}\t{hashlib.sha256(profile.encode()).hexdigest()}\n"

    ann = line("ann", '{"name":"ANN","tags":["a","b"]}')
    cy, zoe = line("cy", '{"name":"CY"}'), line("zoe", '{"name":"ZOE"}')
    expected = [hashlib.sha256(text.encode()).hexdigest() for text in (ann + cy + zoe, ann + zoe)]
    assert list(ledger.digests()) == expected


def test_nobody_can_find_the_file(tmp_path: Path) -> None:
    """It has lost its name before anything is in it; a folder that takes no file is told."""
    ledger = Ledger(tmp_path, Terms(FIELDS))
    ledger.expect([Expected(f"u{number}", b"x" * 1000) for number in range(100)])
    assert list(tmp_path.iterdir()) == []
    ledger.close()
    with pytest.raises(OutputError, match="no file can be made there"):
        Ledger(tmp_path / "nowhere", Terms(FIELDS))
