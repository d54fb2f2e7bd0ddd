"""What a sync refuses to do: each guard at its boundary, in companies of every size."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.settings.tables import Sync
from provisioner.settings.values import LEAST_CHANGED, LEAST_DEACTIVATIONS, LEAST_REJECTED, Allowance, parse_allowance
from provisioner.sync.plan.guards import Example, Limits, Refusal, Tonight, refusals

DEFAULTS = Sync()
LIMITS = Limits(DEFAULTS.max_deactivations, DEFAULTS.max_rejected, DEFAULTS.max_creates, DEFAULTS.max_updates)
QUIET = Tonight(
    rows=1000, rejected=0, managed=1000, expected=1000, lacking=0, leaving=0, approved=False, creates=0, absent=0,
    changed={}, adopting=False, codes={},
)  # fmt: skip


def reasons(night: Tonight, limits: Limits = LIMITS) -> list[str]:
    return [refusal.reason for refusal in refusals(night, limits)]


def test_a_quiet_night_is_let_through() -> None:
    """Nothing to refuse."""
    assert reasons(QUIET) == []


def test_an_empty_roster_is_refused() -> None:
    """Once: that everybody is missing goes without saying."""
    night = replace(QUIET, rows=0, lacking=1000, leaving=1000)
    assert list(refusals(night, LIMITS)) == [Refusal("empty_roster", "the roster has no rows; look at the export")]


def test_an_empty_roster_is_refused_on_the_first_night_too() -> None:
    """There is nobody yet who could be missing."""
    assert reasons(replace(QUIET, rows=0, managed=0, expected=0, adopting=True)) == ["empty_roster"]


@pytest.mark.parametrize(
    ("lacking", "expected", "refused"),
    [(250, 1000, True), (249, 1000, False), (2, 2, False), (3, 3, True), (3, 12, True), (3, 13, False), (0, 0, False)],
)
def test_a_roster_that_lacks_a_quarter_is_refused(lacking: int, expected: int, refused: bool) -> None:
    """A quarter of those the last good night named, and more than two people."""
    assert reasons(replace(QUIET, expected=expected, lacking=lacking)) == (["shrunken_roster"] if refused else [])


@given(expected=st.integers(0, 10**7), lacking=st.integers(0, 10**7))
def test_the_quarter_is_exact(expected: int, lacking: int) -> None:
    """No rounding of the share lets one person more or less go."""
    lacking = min(lacking, expected)
    refused = lacking > 2 and Fraction(lacking, expected) >= Fraction(1, 4)
    assert reasons(replace(QUIET, expected=expected, lacking=lacking)) == (["shrunken_roster"] if refused else [])


@pytest.mark.parametrize(
    ("rejected", "rows", "borne", "refused"),
    [
        (50, 1000, LIMITS.rejected, False),
        (51, 1000, LIMITS.rejected, True),
        (1, 18, LIMITS.rejected, False),
        (3, 18, LIMITS.rejected, False),
        (4, 18, LIMITS.rejected, True),
        (3, 1000, Allowance(number=3), False),
        (4, 1000, Allowance(number=3), True),
        (1, 1000, Allowance(number=0), True),
        (1, 1000, parse_allowance("0%", LEAST_REJECTED), True),
        (1000, 1000, Allowance(share=1.0), False),
    ],
)
def test_too_many_rejected_rows_are_refused(rejected: int, rows: int, borne: Allowance, refused: bool) -> None:
    """A number or a share of tonight's rows; of a few rows three."""
    expected = ["too_many_rejected"] if refused else []
    assert reasons(replace(QUIET, rows=rows, rejected=rejected), replace(LIMITS, rejected=borne)) == expected


@given(rejected=st.integers(1, 10**6), rows=st.integers(1, 10**6), borne=st.sampled_from(["0", "0%", "3", "5%"]))
def test_what_would_let_rejected_rows_through_is_enough(rejected: int, rows: int, borne: str) -> None:
    """A share where a share was set, else a number: with it the same night is let through."""
    night = replace(QUIET, rows=rows, rejected=min(rejected, rows))
    limits = replace(LIMITS, rejected=parse_allowance(borne, LEAST_REJECTED))
    for refusal in refusals(night, limits):
        enough = refusal.message.rpartition("--max-rejected ")[2]
        assert enough.endswith("%") == borne.endswith("%")
        assert reasons(night, replace(LIMITS, rejected=parse_allowance(enough, LEAST_REJECTED))) == []


def test_the_examples_of_rejected_rows_are_rows() -> None:
    """The sentence has counted what is wrong: a row's whole message, which the summary has, would say it once more."""
    (refusal,) = refusals(replace(QUIET, rejected=51, codes={"uid.missing": 50, "uid.duplicate": 1}), LIMITS)
    examples = (
        Example("row 5", "row 5", None, "uid.missing: no uid, one is required"),
        Example("00025", "row 9", "00025", "uid.duplicate: '00025' is the uid of row 3"),
    )
    told = refusal.with_examples(examples)
    assert (told.message, told.examples) == (f"{refusal.message}; for example row 5, 00025 (row 9)", examples)


@pytest.mark.parametrize(
    ("leaving", "managed", "borne", "refused"),
    [
        (50, 1000, LIMITS.deactivations, False),
        (51, 1000, LIMITS.deactivations, True),
        (10, 199, LIMITS.deactivations, False),
        (11, 199, LIMITS.deactivations, True),
        (10, 100, LIMITS.deactivations, False),
        (9, 99, LIMITS.deactivations, False),
        (3, 30, LIMITS.deactivations, False),
        (4, 30, LIMITS.deactivations, True),
        (1, 19, LIMITS.deactivations, False),
        (2, 19, LIMITS.deactivations, True),
        (1, 3, LIMITS.deactivations, False),
        (1, 1, LIMITS.deactivations, False),
        (2, 3, LIMITS.deactivations, True),
        (1, 1000, Allowance(number=0), True),
        (1, 1000, parse_allowance("0%", LEAST_DEACTIVATIONS, tenth=True), True),
        (11, 20, Allowance(number=11), False),
    ],
)
def test_too_many_leavers_are_refused(leaving: int, managed: int, borne: Allowance, refused: bool) -> None:
    """A share of the managed users, of a few a tenth and at least one, or a number as it stands."""
    expected = ["too_many_leavers"] if refused else []
    assert reasons(replace(QUIET, leaving=leaving, managed=managed), replace(LIMITS, deactivations=borne)) == expected


@pytest.mark.parametrize(
    ("creates", "absent", "managed", "borne", "refused"),
    [
        (341, 341, 1000, LIMITS.creates, True),
        (340, 340, 1000, LIMITS.creates, False),
        (500, 341, 1000, LIMITS.creates, True),
        (500, 340, 1000, LIMITS.creates, False),
        (61, 60, 60, LIMITS.creates, True),
        (500, 0, 1000, LIMITS.creates, False),
        (4, 4, 5, LIMITS.creates, True),
        (3, 5, 5, LIMITS.creates, False),
        (60, 60, 60, Allowance(number=60), False),
        (2, 2, 60, Allowance(number=1), True),
        (60, 60, 60, parse_allowance("100%", LEAST_CHANGED), False),
    ],
)
def test_ids_that_have_changed_are_refused(
    creates: int, absent: int, managed: int, borne: Allowance, refused: bool
) -> None:
    """More than a third created anew, and more than three, while more than a third are absent: growth alone is none."""
    night = replace(QUIET, creates=creates, absent=absent, managed=managed)
    assert reasons(night, replace(LIMITS, creates=borne)) == (["too_many_creates"] if refused else [])
    assert reasons(replace(night, adopting=True), replace(LIMITS, creates=borne)) == []


@pytest.mark.parametrize(
    ("changed", "managed", "borne", "refused"),
    [
        ({"name": 501}, 1000, LIMITS.updates, True),
        ({"name": 500, "tags": 500, "role": 400}, 1000, LIMITS.updates, False),
        ({"name": 4}, 4, LIMITS.updates, True),
        ({"name": 3}, 3, LIMITS.updates, False),
        ({"metadata": 60}, 60, parse_allowance("100%", LEAST_CHANGED), False),
        ({"metadata": 6}, 60, Allowance(number=5), True),
    ],
)
def test_a_field_that_changes_for_most_is_refused(
    changed: dict[str, int], managed: int, borne: Allowance, refused: bool
) -> None:
    """The same field of more than half, and of more than three; changes spread over several fields go on."""
    night, limits = replace(QUIET, changed=changed, managed=managed), replace(LIMITS, updates=borne)
    assert [(each.reason, each.field) for each in refusals(night, limits)] == (
        [("too_many_updates", max(changed, key=lambda name: changed[name]))] if refused else []
    )
    assert reasons(replace(night, adopting=True), limits) == []


@pytest.mark.parametrize(
    ("woken", "managed", "borne", "refused"),
    [
        (20, 20, LIMITS.updates, True),
        (10, 20, LIMITS.updates, False),
        (11, 20, LIMITS.updates, True),
        (3, 0, LIMITS.updates, False),
        (4, 0, LIMITS.updates, True),
        (3, 20, Allowance(number=2), True),
        (20, 20, Allowance(share=1.0), False),
    ],
)
def test_too_many_who_are_reactivated_are_refused(woken: int, managed: int, borne: Allowance, refused: bool) -> None:
    """As many as half of those who may log in, and more than three: the column that says who has left is empty."""
    night, limits = replace(QUIET, woken=woken, managed=managed), replace(LIMITS, updates=borne)
    assert reasons(night, limits) == (["too_many_reactivations"] if refused else [])
    assert reasons(replace(night, adopting=True), limits) == []


@given(woken=st.integers(1, 10**6), managed=st.integers(0, 10**6), changed=st.integers(0, 10**6))
def test_what_would_let_the_reactivated_through_is_enough(woken: int, managed: int, changed: int) -> None:
    """A share where one does, else a number, which does for every field that is changed besides."""
    night = replace(QUIET, woken=woken, managed=managed, changed={"name": min(changed, managed)})
    for refusal in (each for each in refusals(night, LIMITS) if each.reason == "too_many_reactivations"):
        enough = parse_allowance(refusal.message.rpartition("--max-updates ")[2], LEAST_CHANGED)
        assert reasons(night, replace(LIMITS, updates=enough)) == []


def test_approved_leavers_are_not_counted() -> None:
    """A person has looked at each of them."""
    assert reasons(replace(QUIET, leaving=900, absent=900, approved=True)) == []


def test_approval_lets_nothing_else_through() -> None:
    """Those who lack besides, rows that are rejected, ids and fields are no matter of approved leavers."""
    night = replace(QUIET, lacking=300, rejected=100, leaving=400, creates=400, absent=400, approved=True)
    assert reasons(night) == ["too_many_creates", "shrunken_roster", "too_many_rejected"]


def test_every_reason_is_told_at_once() -> None:
    """With the numbers, the option and what to do; the most telling one first."""
    night = replace(
        QUIET, rows=600, lacking=400, rejected=100, leaving=400, creates=350, absent=400, changed={"name": 600},
        codes={"name.too_long": 20, "uid.missing": 80},
    )  # fmt: skip
    assert [(refusal.option, refusal.message) for refusal in refusals(night, LIMITS)] == [
        (
            "--max-creates",
            (
                "350 users would be created while 400 of 1,000 are absent (--max-creates 34%): their ids have changed; "
                "look at the export"
            ),
        ),
        (
            "--max-updates",
            (
                "the name of 600 of 1,000 users would be changed (--max-updates 50%): a column was swapped or emptied, "
                "or is read in an encoding that is not its own, of which the warnings tell; look at the export"
            ),
        ),
        (
            "--approve",
            (
                "the roster lacks 400 of 1,000 people, a quarter or more; look at the export; if they have all left, "
                "give the leavers file to --approve"
            ),
        ),
        (
            "--max-rejected",
            (
                "100 of 600 rows are rejected, more than 30, the limit for 600 (--max-rejected 5%): uid.missing 80, "
                "name.too_long 20; "
                "mend them, they are in the rejected file, or allow as many with --max-rejected 17%"
            ),
        ),
        (
            "--max-deactivations",
            (
                "400 of 1,000 users would be deactivated, more than 50, the limit for 1,000 (--max-deactivations 5%); "
                "see the leavers file, and give it to --approve if they have all left"
            ),
        ),
    ]


@pytest.mark.parametrize(("drifted", "blamed"), [(4, True), (1, True), (0, False)])
def test_what_another_hand_has_changed_is_not_blamed_on_the_export(drifted: int, blamed: bool) -> None:
    """As far as no more than is borne is left without it; the share that is named is enough."""
    night = replace(QUIET, changed={"name": 4}, drifted={"name": drifted}, managed=5, looking=True)
    [refusal] = refusals(night, LIMITS)
    unknown = (Example("u1", "name", None, "A", unknown=True),)
    message = "the name of 4 of 5 users would be changed (--max-updates 50%): another hand has changed it in the app, "
    told = "and it would be put back; if that is right, allow as many with --max-updates 80%"
    if blamed:
        assert refusal.with_examples(unknown).message == f"{message}{told}; for example u1: name (not known) → 'A'"
    assert ("look at the export" in refusal.message) is not blamed
    assert reasons(night, replace(LIMITS, updates=parse_allowance("80%", LEAST_CHANGED))) == []


def test_what_nobody_has_looked_at_is_not_known() -> None:
    """And --refresh reads it, unless it has."""
    unknown = (Example("u1", "avatar", None, None, unknown=True),)
    for looking in (False, True):
        [refusal] = refusals(replace(QUIET, changed={"avatar": 4}, managed=5, looking=looking), LIMITS)
        told = refusal.with_examples(unknown).message
        assert ("--refresh reads what they have" in told, "avatar (not known) → nothing" in told) == (not looking, True)


def test_what_a_kept_plan_has_settled_is_for_a_new_one() -> None:
    """A list that is given with a kept plan is refused, and so is another look at the app."""
    shrunken = replace(QUIET, managed=40, expected=40, lacking=20, leaving=20, changed={"name": 40}, kept=True)
    field, lacks, leave = refusals(shrunken, LIMITS)
    assert not field.unread
    assert lacks.message.endswith("if they have all left, give the leavers file to --approve of a new plan")
    assert leave.message.endswith("give it to --approve of a new plan if they have all left")


def test_examples_are_told_with_old_and_new_value() -> None:
    """In the sentence for people, and as members for machines."""
    examples = (Example("007", "name", "Zoë", "ZoÃ«"), Example("008", "avatar", "https://x.test/a", None))
    told = Refusal("too_many_updates", "so many", "--max-updates", "name").with_examples(examples)
    assert told.message == "so many; for example 007: name 'Zoë' → 'ZoÃ«', 008: avatar 'https://x.test/a' → nothing"
    assert next(each.document for each in told.examples) == {"uid": "007", "field": "name", "old": "Zoë", "new": "ZoÃ«"}
    assert Refusal("x", "y").with_examples(()) == Refusal("x", "y")


@given(percent=st.integers(1, 100), total=st.integers(0, 10**7), least=st.integers(0, 20))
def test_a_share_is_exact(percent: int, total: int, least: int) -> None:
    """29 % of 100 people are 29 of them, whatever binary fractions make of it."""
    assert parse_allowance(f"{percent}%", least).of(total) == max(least, total * percent // 100)


@given(total=st.integers(0, 10**7))
def test_the_default_fits_every_size(total: int) -> None:
    """5 % may leave, but at least a tenth up to ten people, and never less than one."""
    assert LIMITS.deactivations.of(total) == max(total * 5 // 100, min(10, total // 10), 1)
    assert parse_allowance("5%", LEAST_DEACTIVATIONS, tenth=True) == LIMITS.deactivations


def test_an_allowance_is_shown_as_it_is_written() -> None:
    """In messages that name the option."""
    assert [str(Allowance(number=7)), str(Allowance(share=0.05)), str(Allowance(share=0.025))] == ["7", "5%", "2.5%"]
