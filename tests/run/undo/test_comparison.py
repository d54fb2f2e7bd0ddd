"""Whether a user is as this job left it, and what puts back what it was: every way through, on values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from provisioner.journal.undo.reversals import Candidate
from provisioner.run.undo.comparison import Finding, Restoration, changed_since, restoration, stands, stays
from provisioner.sending.users import profile, trace

MADE, MARK = 1_000, 2_000
OLD = {"name": '"Ann"', "link": '"https://l"', "metadata": '{"a":1}'}
SET = {"name": '"New"', "avatar": '"https://a"', "role": '"member"', "metadata": '{"b":2}', "tags": '["x"]'}
OURS = {
    "name": "New",
    "avatar": "https://a",
    "role": "member",
    "metadata": {"b": 2},
    "tags": ["x"],
    "link": "https://l",
}
BEFORE = {"name": "Ann", "link": "https://l", "metadata": {"a": 1}, "role": "default"}
PUT_BACK = b'{"name":"Ann","role":"default","metadata":{"a":1},"tags":[],"unset":["avatar"]}'


def candidate(**changed: Any) -> Candidate:
    """A user that this job updated, and whose update was answered."""
    usual: dict[str, Any] = {
        "key": 1, "uid": "u", "row": 1, "ours": 0, "withdrawn": 0, "doubt_since": None, "sent_at": 0.0,
        "created_at": MADE, "mark": MARK, "sent": 0, "attempts": 0, "kind": "kept", "before": profile.packed(OLD),
        "untold": 0, "fields": trace.bits_of(SET), "carried": trace.entry_of(SET), "confirmed": 1,
        "doubted": 0,
    }  # fmt: skip
    return Candidate(**usual | changed)


def user(fields: Mapping[str, Any], updated: int | None = MARK, **more: Any) -> dict[str, Any]:
    times = {"createdAt": MADE} | ({} if updated is None else {"updatedAt": updated})
    return {"uid": "u", **fields, **times, **more}


EMPTIED = {"name": '"New"', "avatar": None, "link": None, "tags": None}
EMPTYING = {"fields": trace.bits_of(EMPTIED), "carried": trace.entry_of(EMPTIED)}


def test_what_an_update_emptied_is_put_back_and_what_was_empty_is_not_missed() -> None:
    """Ann had a link and no avatar: the link comes back, and that no avatar is shown hides nothing."""
    found = restoration(candidate(**EMPTYING), user({"name": "New", "metadata": {"a": 1}}), (), sent=False)
    assert found == Restoration(Finding.OURS, b'{"name":"Ann","link":"https://l"}')
    other = user({"name": "New", "link": "https://other"})
    assert restoration(candidate(**EMPTYING), other, (), sent=False) == Restoration(Finding.CHANGED)


UNANSWERED = {"confirmed": 0, "mark": None}


@pytest.mark.parametrize(
    ("each", "now", "sent", "expected"),
    [
        (candidate(), user(OURS), False, Restoration(Finding.OURS, PUT_BACK)),
        (candidate(), user(OURS, None), False, Restoration(Finding.OURS, PUT_BACK)),
        (candidate(), user(OURS, MARK + 1), False, Restoration(Finding.CHANGED)),
        (candidate(), user({**OURS, "name": "Third"}), False, Restoration(Finding.CHANGED)),
        (candidate(), user({**OURS, "link": "https://other"}), False, Restoration(Finding.OURS, PUT_BACK)),
        (candidate(), user(BEFORE, MARK + 1), False, Restoration(Finding.OURS)),
        (candidate(), user(BEFORE, MARK + 1), True, Restoration(Finding.OURS)),
        (candidate(**UNANSWERED), user(BEFORE, 1_500), False, Restoration(Finding.UNTOUCHED)),
        (candidate(**UNANSWERED), user(OURS, 3_000), False, Restoration(Finding.OURS, PUT_BACK)),
        (candidate(**UNANSWERED), user({**OURS, "name": "Third"}, 3_000), False, Restoration(Finding.CHANGED)),
        (candidate(**UNANSWERED), user(BEFORE, 1_500), True, Restoration(Finding.OURS)),
        (candidate(doubted=1), user(OURS, MARK + 1), False, Restoration(Finding.OURS, PUT_BACK)),
        (candidate(doubted=1), user({**OURS, "name": "Third"}, MARK + 1), False, Restoration(Finding.CHANGED)),
        (candidate(doubted=1), user(BEFORE, MARK + 1), False, Restoration(Finding.OURS)),
        # A link was never set by this job: whoever has changed it is another hand.
        (candidate(doubted=1), user({**OURS, "link": "https://other"}, MARK + 1), False, Restoration(Finding.CHANGED)),
        (candidate(doubted=1), user({**OURS, "link": ""}, MARK + 1), True, Restoration(Finding.CHANGED)),
        (candidate(**UNANSWERED), user({**OURS, "link": "https://other"}), False, Restoration(Finding.CHANGED)),
        (candidate(**UNANSWERED), user({**BEFORE, "link": "https://other"}), False, Restoration(Finding.UNTOUCHED)),
        (candidate(confirmed=0), user(OURS), False, Restoration(Finding.OURS, PUT_BACK)),
    ],
)
def test_an_updated_user(each: Candidate, now: dict[str, Any], sent: bool, expected: Restoration) -> None:
    """As we left it, it gets back what it was; by another hand, it is let be; in doubt, values tell."""
    assert restoration(each, now, (), sent=sent) == expected


def test_a_status_message_is_not_taken_away_again() -> None:
    """All else is put back; once that is done, nothing is sent any more."""
    said = {**SET, "statusMessage": '"hi"'}
    each = candidate(fields=trace.bits_of(said), carried=trace.entry_of(said))
    found = restoration(each, user({**OURS, "statusMessage": "hi"}), (), sent=False)
    assert found == Restoration(Finding.OURS, PUT_BACK, stuck=("statusMessage",))
    left = candidate(fields=trace.bits_of({"statusMessage"}), carried=trace.entry_of(said), mark=3_000)
    again = restoration(left, user({**BEFORE, "statusMessage": "hi"}, 3_000), (), sent=False)
    assert again == Restoration(Finding.OURS, b"", stuck=("statusMessage",))


def test_what_the_api_does_not_tell_is_not_made_up() -> None:
    """Tags that no list told, before or now; a field that is shown neither before nor after we have set it."""
    without = PUT_BACK.replace(b'"tags":[],', b"")
    tags = {"tags"}
    shown = {name: value for name, value in OURS.items() if name != "tags"}
    found = restoration(candidate(untold=trace.bits_of(tags)), user(OURS), (), sent=False)
    assert found == Restoration(Finding.OURS, without, lost=("tags",))
    assert restoration(candidate(), user(shown), tags, sent=False) == found
    assert restoration(candidate(), user(shown), (), sent=False) == found


@pytest.mark.parametrize(
    ("now", "why"),
    [
        (user({}, None), None),
        (user({}, MARK), None),
        (user({}, MARK + 1), "changed"),
        (user({}, lastActiveAt=MADE), None),
        (user({}, lastActiveAt=MADE + 1), "logged_in"),
        ({**user({}), "createdAt": MADE + 7}, "another_user"),
    ],
)
def test_a_created_user(now: dict[str, Any], why: str | None) -> None:
    """By the server's times: created, changed, and logged in."""
    assert changed_since(candidate(ours=1, kind=None, carried=None), now) == why


AWAY = {"ours": 3, "parted_before": 1}


@pytest.mark.parametrize(
    ("each", "now", "why"),
    [
        ({"parted": 1, "away": 1}, user({}), "reactivated"),
        ({}, user({}, MARK + 1, lastActiveAt=MARK + 1), None),
        ({**AWAY, "parted": 1}, user({}), "reactivated"),
        ({**AWAY, "parted": 1, "withdrawn": 2}, user({}), None),
        (AWAY, user({}), None),
        (AWAY, user({}, MARK + 1), "changed"),
        (AWAY, user({}, lastActiveAt=MARK), None),
        (AWAY, user({}, lastActiveAt=MARK + 1), "logged_in"),
        ({**AWAY, "confirmed": 0}, user({}, MARK + 1), None),
        ({**AWAY, "mark": None}, user({}, MARK + 1), None),
    ],
)
def test_an_active_user_who_had_been_deactivated(each: dict[str, Any], now: dict[str, Any], why: str | None) -> None:
    """By this job, and again by another hand's doing active; or by an earlier round, and active by this one's."""
    assert stands(candidate(**each), now, sent=False) == why
    assert stands(candidate(**each), now, sent=True) is None


def test_who_is_deactivated_as_an_earlier_round_has_left_it_is_not_woken() -> None:
    """Only its profile is to be put back; where this round had woken it, another hand has deactivated it."""
    ours, changed, same = Restoration(Finding.OURS, b"{}"), Restoration(Finding.CHANGED), Restoration(Finding.OURS)
    kept, gone = candidate(**AWAY, parted=1), candidate(**AWAY)
    assert [stays(kept, found, away=True) for found in (ours, changed, same)] == [*["deactivated_before"] * 2, None]
    assert [stays(gone, found, away=True) for found in (ours, changed, same)] == ["gone", "gone", None]
    assert [stays(gone, found, away=False) for found in (ours, changed, same)] == [None, "changed", None]


def test_a_created_user_whose_edit_was_not_answered() -> None:
    """A later time is ours when the fields have the values that we sent."""
    each = candidate(ours=1, kind="own", confirmed=0)
    assert changed_since(each, user(OURS, MARK + 9)) is None
    assert changed_since(each, user({**OURS, "name": "Third"}, MARK + 9)) == "changed"


def test_what_the_api_shows_in_its_own_form_is_ours() -> None:
    """An update that was not answered: another double's digits, an empty list, a role in lower case are no change."""
    said = {"role": '"Nurse"', "metadata": '{"lat":0.10000000000000001,"e":{}}', "tags": '["a","a"]'}
    each = candidate(**UNANSWERED, fields=trace.bits_of(said), carried=trace.entry_of(said))
    stored = {"role": "nurse", "metadata": {"lat": 0.1, "e": []}, "tags": ["a"]}
    kept = {"name": "Ann ", "link": "https://l"}
    found = restoration(each, user({**kept, **stored}, 3_000), (), sent=False)
    assert found == Restoration(Finding.OURS, b'{"role":"default","metadata":{"a":1},"tags":[]}')
    third = user({**kept, **stored, "metadata": {"lat": 0.2, "e": []}}, 3_000)
    assert restoration(each, third, (), sent=False) == Restoration(Finding.CHANGED)
