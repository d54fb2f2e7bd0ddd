"""The app read for a proof: in few requests, and nobody is called missing or different by a list that shifts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qs

import pytest

from provisioner.errors import DirectoryError, ExitCode
from provisioner.inspection.proof.ledger import Expected, Ledger
from provisioner.inspection.proof.reading import Reading, read_app
from provisioner.inspection.proof.stored import Terms, profile_of
from provisioner.model import UserRequest
from provisioner.sending.calls import Operation, Reply
from provisioner.sending.users.reading import SINGLY
from provisioner.stop import Stop, Stopper
from tests.rig import clock
from tests.rig.slots import an_exchanger

FIELDS = frozenset({"name", "tags"})
T = TypeVar("T")


@dataclass
class App:
    """An app with users, and the habits of its lists.

    per_page   users on a page, whatever is asked for
    on_page    called before a page is given, with its number: somebody comes or goes
    searches   whether `searchKey` is understood
    """

    users: list[dict[str, Any]]
    per_page: int = 3
    on_page: Callable[[App, int], None] = lambda *_: None
    searches: bool = True
    counts: bool = True
    asked: list[str] = field(default_factory=list)
    reads: dict[str, Reply] = field(default_factory=dict)

    async def send(self, operation: Operation, request: UserRequest, query: str) -> Reply:
        await asyncio.sleep(0)
        if operation is Operation.READ:
            self.asked.append(f"read {request.uid}")
            return self._one(request.uid)
        assert operation is Operation.LIST
        asked = {name: values[0] for name, values in parse_qs(query).items()}
        gone = asked.get("onlyDeactivated") == "true"
        key = asked.get("searchKey", "")
        self.asked.append(f"search {key}" if key else f"page {asked['page']}{' of the deactivated' if gone else ''}")
        if key and not self.searches:
            return Reply(status=400, code="ERR_BAD_REQUEST", message="no such parameter")
        if not key:
            self.on_page(self, int(asked["page"]))
        listed = [user for user in self.users if bool(user.get("gone")) is gone and user["uid"].startswith(key)]
        start = (int(asked["page"]) - 1) * self.per_page
        pages = -(-len(listed) // self.per_page)
        meta = {"meta": {"pagination": {"total_pages": pages}}} if self.counts else {}
        return Reply(status=200, data={"items": listed[start : start + self.per_page], **meta})

    def _one(self, uid: str) -> Reply:
        if uid in self.reads:
            return self.reads[uid]
        user = next((user for user in self.users if user["uid"] == uid and not user.get("gone")), None)
        if user is None:
            return Reply(status=404, code="ERR_UID_NOT_FOUND", message="no such user")
        return Reply(status=200, data={name: value for name, value in user.items() if name != "tags"})


def user(number: int, **more: Any) -> dict[str, Any]:
    return {"uid": f"u{number:04}", "name": f"User {number}", "tags": ["t"], **more}


def read(
    folder: Path, app: App, expected: Sequence[int], stopper: Stopper | None = None
) -> tuple[Reading | None, list[tuple[str, str]]]:
    """Read an app of which users of these numbers are expected: how that went, and who is not as expected."""
    stopper = Stopper() if stopper is None else stopper
    ledger = Ledger(folder, Terms(FIELDS))
    ledger.expect(Expected(user(number)["uid"], profile_of(user(number), FIELDS)) for number in expected)

    async def main() -> Reading | None:
        async def in_thread(call: Callable[[], T]) -> T:
            await asyncio.sleep(0)
            return call()

        return await read_app(an_exchanger(app.send, stopper), ledger, in_thread)

    try:
        reading = clock.run(main())
        return reading, [(each.uid, each.standing) for each in ledger.unlike()]
    finally:
        ledger.close()


def test_a_clean_app_costs_its_pages(tmp_path: Path) -> None:
    """Of active users, then of deactivated ones; nobody is asked for singly."""
    app = App([user(number) for number in range(7)])
    assert read(tmp_path, app, range(7)) == (Reading(4, by_pages=True, singly=0, unconfirmed=0), [])
    assert app.asked == ["page 1", "page 2", "page 3", "page 1 of the deactivated"]


def test_a_few_users_of_a_large_app_are_asked_for_one_by_one(tmp_path: Path) -> None:
    """When that is fewer requests; whoever stands on the first page needs none."""
    app = App([user(number) for number in range(90)])
    app.users[40]["name"], app.users[50]["gone"] = "Other", True
    reading, unlike = read(tmp_path, app, [1, 30, 40, 50, 99])
    assert unlike == [("u0040", "active"), ("u0050", "deactivated"), ("u0099", "missing")]
    assert reading == Reading(1, by_pages=False, singly=4, unconfirmed=0)
    assert sorted(app.asked) == [
        "page 1", "read u0099", "search u0030", "search u0040", "search u0050", "search u0050", "search u0099",
        "search u0099",
    ]  # fmt: skip


@pytest.mark.parametrize("deactivated", [False, True])
def test_a_uid_with_which_many_others_begin_is_found_all_the_same(tmp_path: Path, deactivated: bool) -> None:
    """The search goes on to the page that has it: tags count, and so does who is deactivated."""
    app = App([{**user(number), "uid": f"u0001{number}", "gone": deactivated} for number in range(9)])
    app.users += [user(1, tags=["x"], gone=deactivated), *map(user, range(2, 30))]
    assert read(tmp_path, app, [1])[1] == [("u0001", "deactivated" if deactivated else "active")]
    assert app.asked == ["page 1", *["search u0001"] * (5 if deactivated else 4)]


@pytest.mark.parametrize("by_pages", [False, True])
def test_what_a_search_does_not_come_to_is_as_the_list_has_it_or_left_open(tmp_path: Path, by_pages: bool) -> None:
    """Ten pages are looked through; tags that were not seen are not taken for the roster's."""
    app = App([{**user(number), "uid": f"u0001{number:02}"} for number in range(40)])
    app.users += [user(1, tags=["x"]), *map(user, range(2, 30))]
    expected = range(1, 30) if by_pages else [1]
    assert read(tmp_path, app, expected)[1] == ([("u0001", "active")] if by_pages else [])
    app.users[40]["gone"] = True
    assert read(tmp_path, app, range(1, 30))[1] == [("u0001", "deactivated")]


def test_a_user_whom_a_shifting_list_skips_is_not_missing(tmp_path: Path) -> None:
    """Somebody is deleted between two pages, so that somebody else moves to the page that was read."""

    def somebody_goes(app: App, number: int) -> None:
        if number == 2 and app.users[0]["uid"] == "u0000":
            del app.users[0]

    app = App([user(number) for number in range(7)], on_page=somebody_goes)
    reading, unlike = read(tmp_path, app, range(1, 7))
    assert (unlike, reading and reading.singly) == ([], 1)
    assert app.asked[-1] == "search u0003"


def test_a_user_who_was_changed_back_meanwhile_does_not_differ(tmp_path: Path) -> None:
    """The last word is that of the answer about this user."""

    def changed_back(app: App, number: int) -> None:
        if number == 2:
            app.users[0]["name"] = "User 0"

    app = App([user(number) for number in range(5)], on_page=changed_back)
    app.users[0]["name"] = "Other"
    assert read(tmp_path, app, range(5))[1] == []


def test_somebody_who_comes_or_goes_meanwhile_is_as_asked_for_last(tmp_path: Path) -> None:
    """Created while others were listed: there. Deactivated: told as such."""

    def news(app: App, number: int) -> None:
        if number == 2:
            app.users.append(user(6))
            app.users[0]["gone"] = True

    app = App([user(number) for number in range(6)], on_page=news)
    assert read(tmp_path, app, range(7))[1] == [("u0000", "deactivated")]


def test_an_app_that_counts_no_pages_is_read_to_its_end(tmp_path: Path) -> None:
    """Until a page is empty."""
    app = App([user(number) for number in range(4)], counts=False)
    assert read(tmp_path, app, range(4)) == (Reading(4, by_pages=True, singly=0, unconfirmed=0), [])


def test_no_more_than_a_thousand_are_asked_for_singly(tmp_path: Path) -> None:
    """When everything is wrong, it is told of how many only the list tells."""
    app = App([user(1)], per_page=1000)
    reading, unlike = read(tmp_path, app, range(SINGLY + 6))
    assert (len(unlike), reading) == (SINGLY + 5, Reading(2, by_pages=True, singly=SINGLY, unconfirmed=5))


def test_an_api_that_cannot_search_is_asked_for_each_user(tmp_path: Path) -> None:
    """Its tags, which only lists show, are as the list has shown them, or left open."""
    app = App([user(number) for number in range(4)], searches=False)
    app.users[0]["name"], app.users[1]["tags"] = "Other", ["x"]
    reading, unlike = read(tmp_path, app, range(5))
    assert unlike == [("u0000", "active"), ("u0001", "active"), ("u0004", "missing")]
    assert reading == Reading(3, by_pages=True, singly=3, unconfirmed=0)


def test_answers_about_somebody_else_are_not_believed(tmp_path: Path) -> None:
    """Exit 4: of nobody is said what cannot be told."""
    app = App([user(number) for number in range(4)], reads={"u0004": Reply(status=200, data=user(3))})
    with pytest.raises(DirectoryError, match="u0004: the API does not tell how this user is") as caught:
        read(tmp_path, app, range(5))
    assert caught.value.exit_code is ExitCode.API


def test_a_stop_ends_the_reading(tmp_path: Path) -> None:
    """Nothing is proved."""
    stopper = Stopper()

    def interrupted(_: App, number: int) -> None:
        if number == 2:
            stopper.request(Stop("sigint", "interrupted", ExitCode.SIGINT))

    app = App([user(number) for number in range(40)], on_page=interrupted)
    assert read(tmp_path, app, range(40), stopper)[0] is None
    assert len(app.asked) < 10
