"""The app's users as the API lists them: every page, whatever the pages look like."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import pytest

from provisioner.errors import DirectoryError, ExitCode
from provisioner.journal.header import Identity
from provisioner.journal.state.managed import Adoption
from provisioner.journal.state.syncstate import SyncState
from provisioner.model import FIELDS, Live, Standing, UserRequest
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.users import profile
from provisioner.sending.users.reading import SINGLY
from provisioner.stop import Stop, Stopper
from provisioner.sync.plan.directory import Directory, Shown, look_for_missing, read_directory, replaced
from tests.rig import clock
from tests.rig.slots import an_exchanger

T = TypeVar("T")
ACTIVE, DEACTIVATED = Standing.ACTIVE, Standing.DEACTIVATED


@pytest.fixture
def state(tmp_path: Path) -> Iterator[SyncState]:
    with SyncState(tmp_path / "hr.db", Identity("app1", "https://x.test/v3"), make=True) as state:
        yield state


def user(uid: str, **more: Any) -> dict[str, Any]:
    return {"uid": uid, "name": uid.upper(), "role": "default", "createdAt": 5, **more}


def page(users: Sequence[Any], total: int | None = None) -> Reply:
    meta = {} if total is None else {"meta": {"pagination": {"total_pages": total}}}
    return Reply(status=200, data={"items": users, **meta})


async def in_thread(call: Callable[[], T]) -> T:
    return call()


def read(
    state: SyncState, answers: Sequence[Reply], stopper: Stopper | None = None
) -> tuple[bool, Directory, list[str]]:
    """Read a directory from scripted answers: whether it was read, it, and the queries."""
    directory, asked = Directory(state.database), []
    stopper = stopper or Stopper()

    async def send(operation: Operation, request: UserRequest, query: str) -> Reply:
        assert operation is Operation.LIST
        asked.append(query)
        return answers[len(asked) - 1]

    told = clock.run(read_directory(an_exchanger(send, stopper), directory, in_thread))
    assert len(asked) == len(answers)
    return told, directory, asked


def digests(**members: str) -> bytes:
    return profile.digests(members)


def test_active_users_then_deactivated_ones_are_read_page_by_page(state: SyncState) -> None:
    """A thousand at a time, with tags, as many pages as there are said to be."""
    answers = [page([user("ann")], 2), page([user("bob", avatar="x")], 2), page([user("cy", deactivatedAt=9)], 1)]
    told, directory, asked = read(state, answers)
    assert (told, directory.pages) == (True, 3)
    assert asked == [
        "perPage=1000&page=1&withTags=true",
        "perPage=1000&page=2&withTags=true",
        "perPage=1000&page=1&withTags=true&onlyDeactivated=true",
    ]
    assert directory.find(["ann", "bob", "cy", "nobody"]) == {
        "ann": Shown(digests(name='"ANN"'), ACTIVE, 5),
        "bob": Shown(digests(name='"BOB"', avatar='"x"'), ACTIVE, 5),
        "cy": Shown(digests(name='"CY"'), DEACTIVATED, 5),
    }


def test_without_a_word_on_pages_it_goes_on_until_there_is_nobody(state: SyncState) -> None:
    """An API that counts nothing, or nonsense."""
    empty = page([])
    nonsense = Reply(status=200, data={"items": [user("bob")], "meta": {"pagination": {"total_pages": "two"}}})
    told, directory, asked = read(state, [page([user("ann")]), nonsense, empty, empty])
    assert (told, len(asked), set(directory.find(["ann", "bob"]))) == (True, 4, {"ann", "bob"})


def test_an_api_that_knows_no_pages_is_not_asked_for_ever(state: SyncState) -> None:
    """The same users on each page, and no word on how many there are."""
    with pytest.raises(DirectoryError, match=r"page 2 \(it is the page before it once more\)"):
        read(state, [page([user("ann"), user("bob")])] * 2)


@pytest.mark.parametrize(
    ("uids", "said"),
    [
        (["ann", "ann"], r"page 2 \(it is the page before it once more\)"),
        (["ann", "bob", "ann"], r"page 3 \(it is page 1 once more\)"),
    ],
)
@pytest.mark.parametrize("total", [3, 10**9, None])
def test_a_page_that_comes_again_is_not_whole(state: SyncState, uids: list[str], said: str, total: int | None) -> None:
    """However many pages are promised: whoever should stand on it would pass for deleted."""
    with pytest.raises(DirectoryError, match=said):
        read(state, [page([user(uid), user("cy")], total) for uid in uids])


def test_a_user_on_two_pages_counts_once(state: SyncState) -> None:
    """Pages shift while users come and go: what was read last is right."""
    answers = [page([user("ann", name="Old")], 2), page([user("ann", name="New")], 2), page([], 0)]
    directory = read(state, answers)[1]
    assert directory.find(["ann"]) == {"ann": Shown(digests(name='"New"'), ACTIVE, 5)}


def test_odd_fields_of_a_user_are_none(state: SyncState) -> None:
    """Nothing that a server may say of a user ends a night."""
    told, directory, _ = read(state, [page([user("ann", createdAt="soon", metadata={}, tags=None)], 1), page([], 1)])
    assert (told, directory.find(["ann"])) == (True, {"ann": Shown(digests(name='"ANN"'), ACTIVE, None)})


@pytest.mark.parametrize("odd", [{"name": "x"}, {"uid": 7}, "ann", None, [1]])
def test_a_list_with_something_that_is_no_user_is_not_whole(state: SyncState, odd: Any) -> None:
    """Who is meant cannot be told, and would be taken for one who is gone."""
    with pytest.raises(DirectoryError, match=r"page 1 \(it lists something that is no user\); nothing was changed"):
        read(state, [page([user("ann"), odd], 1)])


def test_a_list_that_ends_before_its_last_page_is_not_whole(state: SyncState) -> None:
    """Everybody on the pages that are missing would be taken for one who is gone."""
    with pytest.raises(DirectoryError, match=r"page 2 \(it is empty, and 3 pages are promised\)"):
        read(state, [page([user("ann")], 3), page([], 3)])


@pytest.mark.parametrize("member", ["statusMessage", "metadata"])
def test_what_lists_may_leave_out_is_learned_from_what_they_show(state: SyncState, member: str) -> None:
    """Nobody shown with it: it cannot be told whether anybody has it."""
    always = {"name", "avatar", "link", "role", "tags"}
    assert read(state, [page([user("ann")], 1), page([], 1)])[1].fields == always
    value = {"k": 1} if member == "metadata" else "hi"
    assert read(state, [page([user("bob", **{member: value})], 1), page([], 1)])[1].fields == always | {member}


@pytest.mark.parametrize(
    "answer",
    [
        Reply(status=400, code="ERR_BAD_REQUEST", message="The perPage may not be greater than 100."),
        Reply(status=404, code="ERR_NOT_FOUND", message="No."),
    ],
)
def test_an_api_that_does_not_tell_ends_the_night(state: SyncState, answer: Reply) -> None:
    """Exit 4, with what the API said: nobody is changed blindly."""
    with pytest.raises(DirectoryError, match="the app's users cannot be listed: page 1") as caught:
        read(state, [answer])
    assert (caught.value.exit_code, str(answer.message) in str(caught.value)) == (ExitCode.API, True)


def test_answers_that_are_no_list_are_asked_for_again(state: SyncState) -> None:
    """And given up after so many attempts."""
    with pytest.raises(DirectoryError):
        read(state, [Reply(status=200, data={"uid": "ann"})] * 3)
    assert read(state, [Reply(status=500), page([], 1), page([], 1)])[0] is True


def test_a_stop_ends_the_reading(state: SyncState) -> None:
    """Nothing more is asked."""
    stopper = Stopper()
    stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))
    assert read(state, [], stopper)[0] is False


def test_drift_counts_what_another_hand_did(state: SyncState) -> None:
    """Deleted and deactivated users of the state, and those that are none of it."""
    live = Live("h", b"", ACTIVE)
    away = Live("h", b"", DEACTIVATED)
    state.adopt([Adoption(uid, 1, live, None) for uid in ("here", "gone", "asleep")], 1.0)
    state.adopt([Adoption("left", 1, away, None), Adoption("left-and-gone", 1, away, None)], 1.0)
    directory = Directory(state.database)
    state.adopt([Adoption("back", 1, away, None)], 1.0)
    state.adopt(
        [Adoption("other", 1, live, 99), Adoption("other-asleep", 1, live, 99), Adoption("awake", 1, away, 99)], 1.0
    )
    directory.add([user("here"), user("stranger"), user("back"), user("other"), user("awake")], ACTIVE)
    directory.add([user("asleep"), user("left"), user("old stranger"), user("other-asleep")], DEACTIVATED)
    told = {"deleted": 1, "deactivated": 1, "reactivated": 1, "replaced": 3, "strangers": 2}
    assert directory.drift() == told
    assert sorted(directory.woken()) == ["awake", "back"]
    assert sorted(directory.replaced()) == [(uid, 5) for uid in ("awake", "other", "other-asleep")]


def test_whom_another_hand_has_changed_is_told_with_what_is_shown(state: SyncState) -> None:
    """Not who is as known, in doubt or unknown; fields that the list does not tell of are as known."""
    same, other = (Live("h", digests(name=name, metadata='{"a":1}'), ACTIVE) for name in ('"SAME"', '"Was"'))
    known = (("same", same), ("other", other), ("gone", other))
    state.adopt([Adoption(uid, 1, live, 5) for uid, live in known], 1.0)
    _, directory, _ = read(state, [page([user("same"), user("other"), user("new")]), page([]), page([])])
    assert directory.others() == ["other", "gone"]
    drift = list(directory.drifted(state.met(["same", "other", "gone", "new"])))
    assert drift == [("other", digests(name='"OTHER"', metadata='{"a":1}'))]
    state.note_others(drift, [])
    lives = {uid: met.live for uid, met in state.met(["same", "other", "gone"]).items()}
    assert lives == {"same": same, "other": Live(None, drift[0].digests, ACTIVE), "gone": other}


def test_who_is_shown_just_as_known_is_steady(state: SyncState) -> None:
    """Not who is shown otherwise, in doubt, deactivated on either side, unknown, or known without a profile."""
    uids = ("steady", "changed", "doubted", "asleep", "left", "bare", "new")
    live = {uid: Live("h", digests(name=f'"{uid.upper()}"', metadata='{"a":1}'), ACTIVE) for uid in uids}
    live["changed"] = live["steady"]
    live["left"] = live["left"]._replace(standing=DEACTIVATED)
    state.adopt([Adoption(uid, 1, live[uid], 5) for uid in uids[:-1]], 1.0)
    state.keep_profiles([(uid, profile.packed({"name": '"x"'})) for uid in uids if uid != "bare"])
    state.database.execute("UPDATE users SET certain = 0 WHERE uid = 'doubted'")
    shown = [user(uid) for uid in uids if uid != "asleep"]
    _, directory, _ = read(state, [page(shown), page([]), page([user("asleep")]), page([])])
    assert directory.steady(state.met(uids), directory.find(uids)) == ["steady"]


ODD = {"name": '"Ann "', "metadata": '{"lat":51.520006599999998,"e":{},"t":" x"}', "tags": '["a","a"]'}
AS_STORED = {"name": "Ann", "metadata": {"t": "x", "lat": 51.520006599999996, "e": []}, "tags": ["a"]}


def test_whoever_is_shown_as_the_api_stores_it_is_as_known(state: SyncState) -> None:
    """By the profile that is kept; another value is another hand's, in its own field."""
    kept = profile.digests(ODD)
    live = Live("h", kept, ACTIVE)
    state.adopt([Adoption(uid, 1, live, 5) for uid in ("same", "other", "bare")], 1.0)
    state.keep_profiles([(uid, profile.packed(ODD)) for uid in ("same", "other")])
    others = {**AS_STORED, "tags": ["b"]}
    users = [user("same", **AS_STORED), user("other", **others), user("bare", **AS_STORED)]
    _, directory, _ = read(state, [page(users), page([]), page([])])
    known = state.met(["same", "other", "bare"])
    drift = {each.uid: profile.same(each.digests, kept) for each in directory.drifted(known)}
    all_fields = frozenset(FIELDS)
    assert drift == {"other": all_fields - {"tags"}, "bare": all_fields - {"name", "metadata", "tags"}}
    assert {each.uid for each in directory.otherwise(known)[0]} == {"other", "bare"}


def test_how_users_are_found_for_whom_something_is_planned_is_recorded(state: SyncState) -> None:
    """Changed, deactivated or gone: the state has them as they are, and not as they were once carried out."""
    live = Live("h", digests(name='"NAME"'), ACTIVE)
    uids = ("name", "changed", "asleep", "gone")
    state.adopt([Adoption(uid, 1, live, 5) for uid in uids], 1.0)
    state.database.execute("UPDATE users SET auth_token = 'old', ours = 1, profile = x'00' WHERE uid = 'gone'")
    asleep = {**user("asleep"), "name": "NAME", "deactivatedAt": 9}
    _, directory, _ = read(state, [page([user("name"), user("changed")]), page([]), page([asleep]), page([])])
    assert (directory.others(), directory.gone()) == (["changed", "asleep", "gone"], ["gone"])
    found, missing = directory.otherwise(state.met([*uids, "new"]))
    changed = digests(name='"CHANGED"')
    assert sorted(found) == [("asleep", live.digests, "deactivated"), ("changed", changed, "active")]
    assert missing == [(state.met(["gone"])["gone"].key,)]
    state.note_found(found, missing)
    met = state.met(uids)
    assert {uid: (each.live, each.exists) for uid, each in met.items()} == {
        "name": (live, True),
        "changed": (Live(None, changed, ACTIVE), True),
        "asleep": (live._replace(standing=DEACTIVATED), True),
        "gone": (None, False),
    }
    assert state.carried_out(uids) == []
    [former] = state.database.execute("SELECT auth_token, created_at, ours FROM former")
    assert (former, state.known(["gone"])["gone"].auth_token) == (("old", 5, 1), None)


def test_who_was_created_in_place_of_another_is_somebody_else(state: SyncState) -> None:
    """By the time of its creation: the token of the one before is worth nothing, and nothing is known of this one."""
    live = Live("h", digests(name='"ANN"'), ACTIVE)
    state.adopt([Adoption(uid, 1, live, at) for uid, at in (("same", 3), ("other", 99), ("untold", None))], 1.0)
    state.database.execute("UPDATE users SET auth_token = 'old', ours = 1")
    _, directory, _ = read(state, [page([user("same"), user("other"), user("untold")]), page([]), page([])])
    uids = ["same", "other", "untold"]
    found = list(replaced(state.met(uids), directory.find(uids)))
    assert found == [("other", 5)]
    state.note_others([], found)
    known = {uid: (each.auth_token, each.ours) for uid, each in state.known(["same", "other", "untold"]).items()}
    assert known == {"same": ("old", 1), "other": (None, 0), "untold": ("old", 1)}
    assert state.met(["other"])["other"].live == Live(None, None, ACTIVE)


def test_a_new_reading_forgets_the_last_one(state: SyncState) -> None:
    """It lives in the connection of the state."""
    Directory(state.database).add([user("ann")], ACTIVE)
    assert Directory(state.database).find(["ann"]) == {}


# --- who stands in no list --------------------------------------------------------------------------------------------


def look_for(
    state: SyncState, there: Sequence[dict[str, Any]], *, searches: bool = True
) -> tuple[Directory, list[str]]:
    """Look for whom an empty list lacks, in an app that has these users: the directory, and what was asked."""
    directory, asked = Directory(state.database), list[str]()

    async def send(operation: Operation, request: UserRequest, query: str) -> Reply:
        if operation is Operation.READ:
            asked.append(f"read {request.uid}")
            shown = [each for each in there if each["uid"] == request.uid and "deactivatedAt" not in each]
            return Reply(status=200, data=shown[0]) if shown else Reply(status=404, code="ERR_UID_NOT_FOUND")
        wanted = parse_qs(query)
        asked.append(f"{'deactivated' if 'onlyDeactivated' in wanted else 'active'} {wanted['searchKey'][0]}")
        if not searches:
            return Reply(status=400, code="ERR_BAD_REQUEST", message="no such parameter")
        listed = [each for each in there if ("deactivatedAt" in each) is ("onlyDeactivated" in wanted)]
        return page([each for each in listed if each["uid"].startswith(wanted["searchKey"][0])], 1)

    clock.run(look_for_missing(an_exchanger(send, Stopper()), directory, in_thread))
    return directory, asked


def managing(state: SyncState, *uids: str) -> None:
    state.adopt([Adoption(uid, 1, Live("h", digests(name=f'"{uid.upper()}"'), ACTIVE), 5) for uid in uids], 1.0)


def test_who_stands_in_no_list_is_asked_for(state: SyncState) -> None:
    """There, deactivated, or gone: only that which is known is said of anybody."""
    managing(state, "ann", "bob", "cy")
    directory, asked = look_for(state, [user("ann"), user("bob", deactivatedAt=9)])
    lists = {f"active {uid}" for uid in ("ann", "bob", "cy")} | {f"deactivated {uid}" for uid in ("bob", "cy")}
    assert sorted(asked) == sorted([*lists, "read cy"])
    assert {uid: shown.standing for uid, shown in directory.find(["ann", "bob", "cy"]).items()} == {
        "ann": ACTIVE,
        "bob": DEACTIVATED,
    }
    assert (directory.gone(), directory.others()) == (["cy"], ["bob", "cy"])
    assert directory.drift() == {"deleted": 1, "deactivated": 1, "reactivated": 0, "replaced": 0, "strangers": 0}


def test_tags_that_an_answer_does_not_tell_are_as_known(state: SyncState) -> None:
    """Of whom no search shows, only the answer about that user tells; what else is changed is seen."""
    known = Live("h", digests(name='"ANN"', tags='["a"]'), ACTIVE)
    state.adopt([Adoption("ann", 1, known, 5), Adoption("bob", 1, known, 5)], 1.0)
    directory, _ = look_for(state, [user("ann"), user("bob")], searches=False)
    bob = digests(name='"BOB"', tags='["a"]')
    assert {uid: each.digests for uid, each in directory.find(["ann", "bob"]).items()} == {
        "ann": known.digests,
        "bob": bob,
    }


def test_nobody_is_asked_for_when_the_list_is_whole(state: SyncState) -> None:
    """Nor is anybody who is known to be gone already."""
    assert look_for(state, [user("ann")])[1] == []


def test_who_may_only_be_deactivated_is_left_as_known(state: SyncState) -> None:
    """An API that cannot search tells who is active, and of nobody else whether it is gone."""
    managing(state, "ann", "bob")
    directory, _ = look_for(state, [user("ann")], searches=False)
    assert (list(directory.find(["ann", "bob"])), directory.gone(), directory.drift()["deleted"]) == (["ann"], [], 0)
    assert directory.otherwise(state.met(["ann", "bob"])) == ([], [])


@pytest.mark.parametrize("planned", [True, False])
def test_of_many_who_are_gone_a_thousand_are_seen_to_be(state: SyncState, planned: bool) -> None:
    """The others stay as they are known, but for those whom a row creates, which finds out by itself."""
    uids = [f"u{number:04}" for number in range(SINGLY + 5)]
    managing(state, *uids)
    state.plan(uids if planned else [])
    directory, asked = look_for(state, [])
    assert len(asked) == 3 * SINGLY
    assert (len(directory.gone()), directory.drift()["deleted"]) == (SINGLY, SINGLY)
    found, missing = directory.otherwise(state.met(uids))
    assert (found, len(missing)) == ([], len(uids) if planned else SINGLY)


def test_a_list_that_lacks_many_of_whom_one_is_there_is_not_whole(state: SyncState) -> None:
    """A thousand are asked for, and they tell."""
    uids = [f"u{number:04}" for number in range(SINGLY + 5)]
    managing(state, *uids)
    with pytest.raises(DirectoryError) as caught:
        look_for(state, [user("u0000")])
    assert (caught.value.exit_code, str(caught.value)) == (
        ExitCode.API,
        (
            "the app's users cannot be listed whole: the list lacks 1,005 users of the state, and 1 of the 1,000 "
            "who were asked for are there; nothing was changed, run again"
        ),
    )
