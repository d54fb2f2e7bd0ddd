"""A user as the API shows it: in a list, where only lists tell of it."""

from __future__ import annotations

from urllib.parse import parse_qs

from provisioner.model import UserRequest
from provisioner.sending.calls import NOBODY, Operation, Reply
from provisioner.sending.users.reading import Shown, read_deactivated
from provisioner.sending.verdicts import Verdict
from provisioner.stop import Stopper
from tests.rig import clock
from tests.rig.slots import an_exchanger

ALIKE = [f"1{number:05}" for number in range(10_500)]
"""Uids that begin as `1` does: more than ten pages of them."""


def shown(uids: list[str]) -> tuple[Shown, int]:
    """Look for the user `1` among these, who are all that the search finds; and how many pages were asked for."""
    asked: list[int] = []

    async def send(_: Operation, __: UserRequest, query: str) -> Reply:
        (page,) = parse_qs(query)["page"]
        asked.append(int(page))
        end = int(page) * 1000
        meta = {"pagination": {"total_pages": -(-len(uids) // 1000)}}
        return Reply(status=200, data={"items": [{"uid": uid} for uid in uids[end - 1000 : end]], "meta": meta})

    async def main() -> Shown:
        return await read_deactivated(an_exchanger(send, Stopper()), NOBODY._replace(uid="1"))

    return clock.run(main()), len(asked)


def test_a_deactivated_user_is_found_behind_all_whose_uids_begin_alike() -> None:
    """Whoever is in no page of the list is gone, and only that one: an undo keeps whom it takes for gone."""
    found, pages = shown([*ALIKE, "1"])
    assert (found.verdict, found.user, pages) == (Verdict.DONE, {"uid": "1"}, 11)
    found, pages = shown(ALIKE)
    assert (found.verdict, pages) == (Verdict.ABSENT, 11)
