"""Leavers: what is to be done with each, and the list that a person approves of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import UsageError
from provisioner.results.findings import Findings
from provisioner.roster.formats.rows import Notice
from provisioner.sync.plan.leavers import (
    LeaverPolicy,
    Leavers,
    check_approved,
    holding,
    read_approved,
    sort_out,
    unread,
    write_leavers,
)
from provisioner.validation.rules import Found

GONE = [("ann", 0), ("bob", 1), ("cy", 2)]


def test_leavers_are_only_reported_unless_someone_says_otherwise() -> None:
    """The default deactivates nobody."""
    assert sort_out(GONE, LeaverPolicy(), nameless=0) == Leavers([], [], GONE)


def test_leavers_are_deactivated_when_that_is_asked_for() -> None:
    """Without grace, on the first night."""
    assert sort_out(GONE, LeaverPolicy(deactivate=True), nameless=0) == Leavers(GONE, [], [])


def test_grace_counts_the_good_nights_absent_before_this_one() -> None:
    """Two nights of grace: on the third night without them they go."""
    policy = LeaverPolicy(deactivate=True, grace_nights=2)
    assert sort_out(GONE, policy, nameless=0) == Leavers([("cy", 2)], [("ann", 0), ("bob", 1)], [])


def test_rows_without_a_uid_hold_every_leaver_back() -> None:
    """Any of them may be one of these people."""
    policy = LeaverPolicy(deactivate=True, grace_nights=1)
    assert sort_out(GONE, policy, nameless=1) == Leavers([], [], GONE)


def test_whose_uid_has_lost_its_zeros_stays_and_nobody_else() -> None:
    """Whatever the grace; but for those whom a person has approved of, or whom the roster names."""
    policy = LeaverPolicy(deactivate=True, grace_nights=1)
    kept = Leavers([("bob", 1)], [("ann", 0)], [("cy", 2)])
    assert sort_out(GONE, policy, nameless=0, shortened={"cy"}) == kept
    approving = replace(policy, approved=frozenset({"cy"}))
    assert sort_out(GONE, approving, nameless=0, shortened={"cy"}).due == [("cy", 2)]
    assert ("cy", 2) in sort_out(GONE, policy, nameless=0, shortened={"cy"}, named={"cy": 7}).due


def test_rows_that_look_to_hold_others_are_counted_whatever_became_of_them() -> None:
    """Rejected or only warned of; and the header, of which there is a notice, as of people on other sheets."""
    found = Findings(defects={"row.swallowed": Found(1, (1,))}, warnings={"row.quoted_whole": Found(2, (2, 3))})
    notices = [Notice("header.swallowed", ""), Notice("sheet.others", ""), Notice("roster.partial", "")]
    assert (holding(found, notices), holding(Findings(), []), unread(notices), unread([])) == (4, 0, 2, 0)


@pytest.mark.parametrize("policy", [LeaverPolicy(), LeaverPolicy(deactivate=True, grace_nights=9)])
@pytest.mark.parametrize("nameless", [0, 3])
def test_whom_the_roster_names_goes_at_once(policy: LeaverPolicy, nameless: int) -> None:
    """Nobody has to be sure of it, nor to wait; but for a list that a person has approved of."""
    due = sort_out(GONE, policy, nameless=nameless, named={"ann": 3}).due
    assert due == [("ann", 0)]
    approving = LeaverPolicy(approved=frozenset({"bob"}))
    assert sort_out(GONE, approving, nameless=nameless, named={"ann": 3}).due == [("bob", 1)]


@pytest.mark.parametrize("deactivate", [True, False])
@pytest.mark.parametrize("nameless", [0, 3])
def test_approved_leavers_go_and_nobody_else(deactivate: bool, nameless: int) -> None:
    """Whatever grace, flags and rows without a uid say: a person has looked."""
    policy = LeaverPolicy(deactivate, 9, frozenset({"bob"}))
    assert sort_out(GONE, policy, nameless=nameless) == Leavers([("bob", 1)], [], [("ann", 0), ("cy", 2)])


def test_the_list_can_be_read_back_as_approved(tmp_path: Path) -> None:
    """It says how long each has been away, tonight included, and what will be done.

    Last seen was whoever is there later than the last good night, too: in the roster of a night that was cut short.
    """
    path = tmp_path / "r.leavers.csv"
    leavers = Leavers([("ann", 0)], [("bob", 1)], [("007", 2)])
    write_leavers(path, leavers, {"ann": "Ann, the first", "007": "=James"}, [86400.0, 0.0])
    assert path.read_text() == (
        "uid,name,nights_absent,last_seen,will_be\n"
        'ann,"Ann, the first",1,1970-01-02T00:00:00Z,deactivated\n'
        "bob,,2,1970-01-01T00:00:00Z,kept: in grace\n"
        "007,'=James,3,,kept: reported\n"
    )
    named = Leavers([("ann", 0), ("bob", 1)], named={"ann": 3})
    write_leavers(path, leavers, {}, [86400.0, 0.0], seen={"ann": 90000.0, "bob": -5.0, "007": 5.0})
    assert pl.read_csv(path)["last_seen"].to_list() == [
        "1970-01-02T01:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T00:00:05Z",
    ]  # fmt: skip
    write_leavers(path.with_name("named.csv"), named, {}, [86400.0, 0.0])
    assert path.with_name("named.csv").read_text().splitlines()[1:] == [
        "ann,,0,,deactivated",
        "bob,,2,1970-01-01T00:00:00Z,deactivated",
    ]
    assert read_approved(path) == frozenset({"ann", "bob", "007"})
    assert leavers.found == 3


def test_a_stale_list_is_removed(tmp_path: Path) -> None:
    """Nobody approves of last week's leavers by mistake."""
    path = tmp_path / "r.leavers.csv"
    write_leavers(path, Leavers(GONE), {}, [])
    write_leavers(path, Leavers(), {}, [])
    write_leavers(path, Leavers(), {}, [])
    assert not path.exists()


def test_an_approved_list_may_come_from_a_spreadsheet(tmp_path: Path) -> None:
    """Byte order mark, other columns, blanks, capitals, empty cells, twice the same."""
    path = tmp_path / "approved.csv"
    path.write_text("\ufeffwho,uid\nAnn, ANN \nBob,bob\nnobody,\nAnn,ann\n", encoding="utf-8")
    assert read_approved(path) == frozenset({"ann", "bob"})


@pytest.mark.parametrize("name", ["approved.csv", "approved.txt", "approved", "approved.list"])
@pytest.mark.parametrize(
    "content",
    [
        "uid;name;nights_absent;last_seen;will_be\r\nann;Ann;1;;deactivated\r\n007;;2;;deactivated\r\n",
        "uid\tname\nann\tAnn\n007\t\n",
        "uid\nann\n007\n",
        'uid,name\n"ann","Ann, the\nfirst"\n"007","""Bond"""\n',
    ],
)
def test_an_approved_list_is_read_as_a_roster_is(tmp_path: Path, name: str, content: str) -> None:
    """Saved again by a spreadsheet of any country, and whatever it is called."""
    (tmp_path / name).write_bytes(content.encode())
    assert read_approved(tmp_path / name) == frozenset({"ann", "007"})


def test_an_approved_list_may_be_a_workbook(tmp_path: Path) -> None:
    """Whoever opens the list in a spreadsheet may save it as what that likes best."""
    pl.DataFrame({"uid": ["ann", "007"], "name": ["Ann", None]}).write_excel(tmp_path / "approved.xlsx")
    assert read_approved(tmp_path / "approved.xlsx") == frozenset({"ann", "007"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read (No such file or directory)"),
        (b"name\nann\n", "has no column uid; give the leavers file of the night before, or a part of it"),
        (b"uid\n\xff\xfe\n", 'is not UTF-8 (line 2, byte 5); save it as UTF-8 ("CSV UTF-8" in Excel), or as .xlsx'),
        ("uid\nann\n".encode("utf-16"), 'is UTF-16, not UTF-8; save it as UTF-8 ("CSV UTF-8" in Excel), or as .xlsx'),
        (
            b"uid\nann,bob\n",
            "row 1 (line 2, byte 8): 2 cells, but the header has 1; put cells that hold a comma in quotes",
        ),
        (
            b'uid,name\na1,"5" pipe"\na2,Bob\na3,"6" pipe"\n',
            "row 1 (line 2), column 'name' (byte 12): text after the closing quote",
        ),
    ],
)
def test_a_list_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, said: str) -> None:
    """In one sentence that names the option and the file."""
    path = tmp_path / "approved.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError) as caught:
        read_approved(path)
    assert str(caught.value).startswith(f"--approve {path}: {said}")
    assert "\n" not in str(caught.value)


def test_an_empty_file_is_no_list(tmp_path: Path) -> None:
    """Who wants nobody to go leaves the headings."""
    (tmp_path / "approved.csv").touch()
    with pytest.raises(UsageError, match=r"^--approve .*approved\.csv is empty: it has no bytes at all$"):
        read_approved(tmp_path / "approved.csv")


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    """Nor is what may not be read."""
    with pytest.raises(UsageError, match=r"cannot be read \(Is a directory\)"):
        read_approved(tmp_path)


def test_a_list_with_headings_only_approves_of_nobody(tmp_path: Path) -> None:
    """And is no error: everybody was taken out of it."""
    path = tmp_path / "approved.csv"
    path.write_text("uid,nights_absent,will_be\n")
    assert read_approved(path) == frozenset()


def test_strangers_are_named() -> None:
    """The first five, and how many more."""
    path = Path("a.csv")
    check_approved(path, [])
    with pytest.raises(UsageError) as caught:
        check_approved(path, [f"u{n}" for n in range(7)])
    assert str(caught.value) == (
        "--approve a.csv: 7 of its uids are no leavers of tonight (u0, u1, u2, u3, u4 and 2 more); "
        "take them out, or approve tonight's own list"
    )
