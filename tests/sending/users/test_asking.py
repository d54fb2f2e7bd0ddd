"""Asking the app what a roster needs of it: a request for each question, none for what nobody wants to know."""

from __future__ import annotations

from collections.abc import Sequence

from structlog.testing import capture_logs

from provisioner.model import UserRequest
from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.users.asking import ask_needs
from provisioner.sending.users.needs import Needs, Room
from provisioner.stop import Stopper
from tests.rig import clock
from tests.rig.slots import an_exchanger

USERS = Reply(status=200, data={"items": [{"uid": "a"}, {"uid": "b"}]})
ROLES = Reply(status=200, data={"items": [{"role": "default"}, {"role": "crew"}]})
SILENT = Reply(failure=Failure.UNREACHED, message="nobody there")
ANSWERS = {Operation.LIST: USERS, Operation.ROLES: ROLES}


def asked(
    most: int | None, roles: Sequence[str] | None, answers: dict[Operation, Reply] = ANSWERS
) -> tuple[Needs, list[tuple[Operation, str]]]:
    sent: list[tuple[Operation, str]] = []

    async def send(operation: Operation, request: UserRequest, query: str) -> Reply:
        sent.append((operation, query))
        return answers[operation]

    async def main() -> Needs:
        return await ask_needs(an_exchanger(send, Stopper()), most, 3, roles)

    return clock.run(main()), sent


def test_each_question_is_one_request() -> None:
    """The users by the first page of their list, deactivated ones too; the roles only where one is doubtful."""
    everybody = (Operation.LIST, "perPage=1000&page=1&withDeactivated=true")
    assert asked(4, ["boss"]) == (Needs(Room(4, 2, 3), ["boss"], []), [everybody, (Operation.ROLES, "")])
    assert asked(None, ["default"]) == (Needs(None, [], []), [])
    assert asked(4, None) == (Needs(Room(4, 2, 3)), [everybody])


def test_an_app_that_does_not_answer_leaves_it_open() -> None:
    """After a while, and without ending anything."""
    with capture_logs() as logs:
        needs, _ = asked(4, ["boss"], {Operation.LIST: SILENT, Operation.ROLES: SILENT})
    assert needs == Needs(Room(4, None, 3))
    assert [log["event"] for log in logs if log["log_level"] == "warning"] == ["api.unreachable", "app.not_asked"]


def test_an_app_that_refuses_leaves_it_open() -> None:
    """With the reason of each."""
    no = Reply(status=403, code="AUTH_ERR_NO_ACCESS", message="no")
    with capture_logs() as logs:
        needs, _ = asked(4, ["boss"], {Operation.LIST: no, Operation.ROLES: no})
    assert needs == Needs(Room(4, None, 3))
    assert [log["event"] for log in logs] == ["app.users_unknown"]


def test_roles_that_the_app_refuses_to_tell_are_left_open() -> None:
    """None of them passes for missing; the warning says what to do, as the end of a run would."""
    no = Reply(status=401, code="AUTH_ERR_APIKEY_NOT_FOUND", message="no")
    with capture_logs() as logs:
        needs, sent = asked(None, ["boss"], {Operation.ROLES: no})
    assert (needs, len(sent)) == (Needs(), 1)
    (warning,) = logs
    assert (warning["event"], warning["log_level"]) == ("app.not_asked", "warning")
    assert warning["reason"].startswith("the API key is not accepted; check the API key")
