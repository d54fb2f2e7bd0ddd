"""What a reply means: a pure function over tables.

The statuses and codes are those of CometChat's error guide and of observed answers; see docs/api-notes.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final

from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.retry import STOPS_BY_CODE


class Verdict(Enum):
    """What a reply says about its operation, which decides what happens next with the row."""

    DONE = auto()  # the operation succeeded
    EXISTS = auto()  # the uid is taken
    ABSENT = auto()  # no active user has this uid
    REFUSED = auto()  # will fail again, however often it is sent
    LIMITED = auto()  # rate-limited, not processed: all requests pause
    IN_DOUBT = auto()  # may have succeeded
    UNREACHED = auto()  # certainly not processed
    STOP = auto()  # not caused by this row; every other row would get the same answer


BY_FAILURE: Final[Mapping[Failure, Verdict]] = MappingProxyType(
    {
        Failure.UNREACHED: Verdict.UNREACHED,
        Failure.PROXY: Verdict.UNREACHED,
        Failure.BARRED: Verdict.STOP,
        Failure.UNTRUSTED: Verdict.STOP,
        Failure.TIMEOUT: Verdict.IN_DOUBT,
        Failure.LOST: Verdict.IN_DOUBT,
        Failure.UNREADABLE: Verdict.IN_DOUBT,
    }
)

# By error code, for a 4xx only: their statuses are partly undocumented, see `_by_tables`.
BY_CODE: Final[Mapping[str, Verdict]] = MappingProxyType(
    {
        "ERR_UID_ALREADY_EXISTS": Verdict.EXISTS,
        "ERR_ROLE_ALREADY_EXISTS": Verdict.EXISTS,
        "ERR_TOO_MANY_REQUESTS": Verdict.LIMITED,
        **dict.fromkeys(STOPS_BY_CODE, Verdict.STOP),
        # The API failed halfway, or could not report what failed.
        "ERR_EXCEPTION": Verdict.IN_DOUBT,
        "ERR_OPERATION_FAILED": Verdict.IN_DOUBT,
        "ERR_MISSION_FAILED": Verdict.IN_DOUBT,
        "ERR_BAD_ERROR_RESPONSE": Verdict.IN_DOUBT,
        "ERR_WS_USER_CREATION_FAILED": Verdict.IN_DOUBT,
        "ERR_WS_INIT_FAILED": Verdict.IN_DOUBT,
    }
)

# By status, whatever the body says: none of these settles a row by itself; each stops or pauses the run, or is followed
# up.
BY_STATUS: Final[Mapping[int, Verdict]] = MappingProxyType(
    {
        401: Verdict.STOP,
        402: Verdict.STOP,
        403: Verdict.STOP,
        405: Verdict.STOP,
        407: Verdict.STOP,
        408: Verdict.IN_DOUBT,
        409: Verdict.EXISTS,
        417: Verdict.IN_DOUBT,
        425: Verdict.IN_DOUBT,
        429: Verdict.LIMITED,
    }
)

# By class of status. Redirects are not followed, because the key would be sent to another address. Another 4xx is a
# refusal only if the API itself says so, see `_proven`.
BY_CLASS: Final[Mapping[int, Verdict]] = MappingProxyType(
    {1: Verdict.IN_DOUBT, 2: Verdict.DONE, 3: Verdict.STOP, 4: Verdict.REFUSED, 5: Verdict.IN_DOUBT}
)


_OK: Final = 200


def judge(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    """Return what `reply` means for `operation` on `uid`; `token`: an auth token was requested."""
    if reply.failure is not None:
        return BY_FAILURE[reply.failure]
    if operation is Operation.CREATE and reply.status == _OK and reply.code is None:  # nearly all answers
        return Verdict.DONE if believable(reply, uid, token=token) else Verdict.IN_DOUBT
    return _judge_in_full(operation, reply, uid, token=token)


def _judge_in_full(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    status = reply.status or 0
    verdict = _by_tables(status, reply.code or "")
    if operation is Operation.ROLES:
        return _roles(status, verdict, reply)
    if operation is Operation.PROBE and status == 403 and reply.code:
        return Verdict.REFUSED  # a key that may not list users may still create them
    if verdict is Verdict.DONE:
        return _judge_success(operation, reply, uid, token=token)
    if status == 404 and verdict is Verdict.REFUSED:
        return _not_found(operation, reply)
    if verdict is Verdict.EXISTS and operation not in _CREATES:
        return _proven(reply)
    if verdict is Verdict.REFUSED:
        return Verdict.EXISTS if operation is Operation.CREATE and _already_taken(reply) else _proven(reply)
    return verdict


def _by_tables(status: int, code: str) -> Verdict:
    # In a 4xx the code is more specific than the status. Elsewhere it does not answer the request: a 5xx means that
    # something broke, whatever its body says. "The uid is taken" is not believed under a status that refuses the key.
    by_code, by_status = BY_CODE.get(code) if status // 100 == 4 else None, BY_STATUS.get(status)
    first, second = (by_status, by_code) if by_code is Verdict.EXISTS else (by_code, by_status)
    return first or second or BY_CLASS.get(status // 100, Verdict.IN_DOUBT)


_CREATES: Final = frozenset({Operation.CREATE, Operation.CREATE_ROLE})


def _judge_success(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    """Judge a 2xx answer: each operation has its own proof that it was done."""
    data = reply.data or {}
    match operation:
        case Operation.DEACTIVATE | Operation.REACTIVATE:
            return _judge_lists(operation, data, uid)
        case Operation.DELETE:
            return _judge_delete(data)
        case Operation.LIST | Operation.PROBE:
            done = isinstance(data.get("items"), list)
        case Operation.FLUSH:  # names no user: documented are only `success` and a sentence
            done = data.get("success") is not False
        case Operation.CREATE_ROLE:
            done = isinstance(role := data.get("role"), str) and role.lower() == uid
        case _:
            done = believable(reply, uid, token=token)
    return Verdict.DONE if done else Verdict.IN_DOUBT


def believable(reply: Reply, uid: str, *, token: bool) -> bool:
    """Return whether a 2xx answer names our user and holds the token that was requested."""
    data = reply.data
    if data is None or data.get("uid") != uid:
        return False
    auth_token = data.get("authToken")
    return not token or (isinstance(auth_token, str) and auth_token != "")


# Operations whose address names one user; all other addresses have to exist.
_ABOUT_ONE: Final = frozenset({Operation.READ, Operation.UPDATE, Operation.MINT, Operation.FLUSH, Operation.DELETE})


def _proven(reply: Reply) -> Verdict:
    # Only the API's error envelope proves a refusal. A proxy's page or a truncated answer proves nothing: the part that
    # is missing may have said that the uid is taken, by a user that this job created.
    return Verdict.REFUSED if reply.code else Verdict.IN_DOUBT


# Calls about several users answer with lists of uids: those that were changed, and those that were in that state
# already. Users in `notFound` do not exist.
_LISTS: Final[Mapping[Operation, tuple[str, str]]] = MappingProxyType(
    {
        Operation.DEACTIVATE: ("deactivatedUids", "alreadyDeactivatedUids"),
        Operation.REACTIVATE: ("reactivatedUids", "nonDeactivatedUids"),
    }
)


def _judge_lists(operation: Operation, data: Mapping[str, Any], uid: str) -> Verdict:
    lists = [data.get(name) for name in _LISTS[operation]]
    if any(isinstance(each, list) and uid in each for each in lists):
        return Verdict.DONE
    missing = data.get("notFound")
    return Verdict.ABSENT if isinstance(missing, list) and uid in missing else Verdict.IN_DOUBT


def _judge_delete(data: Mapping[str, Any]) -> Verdict:
    # The answer names no user: `{"success": true, "message": …}`. A request whose body was lost on the way only
    # deactivates the user, and is answered with those lists; sending it again would not help.
    if any(isinstance(data.get(name), list) for name in _LISTS[Operation.DEACTIVATE]):
        return Verdict.REFUSED
    return Verdict.DONE if data.get("success") is True else Verdict.IN_DOUBT


# The user has no auth token: there is nothing to flush.
_NO_TOKENS: Final = "ERR_AUTH_TOKEN_NOT_FOUND"


def _roles(status: int, verdict: Verdict, reply: Reply) -> Verdict:
    # Checking roles is optional: a key that may not list them, or an API without them, is no reason to stop.
    if verdict is Verdict.DONE:
        return Verdict.DONE if "items" in (reply.data or {}) else Verdict.REFUSED
    if status in {403, 404, 405}:
        return Verdict.REFUSED
    return _proven(reply) if verdict in {Verdict.REFUSED, Verdict.EXISTS} else verdict


def _not_found(operation: Operation, reply: Reply) -> Verdict:
    if operation is Operation.FLUSH and reply.code == _NO_TOKENS:
        return Verdict.DONE
    # An address that names no user has to exist: there, a 404 without a code means that the base URL is wrong.
    if operation not in _ABOUT_ONE and not reply.code:
        return Verdict.STOP
    absent = reply.code == "ERR_UID_NOT_FOUND" and operation is not Operation.CREATE
    return Verdict.ABSENT if absent else _proven(reply)


def _already_taken(reply: Reply) -> bool:
    # The older form of the duplicate answer. Only the details of `uid` are searched, never the whole body:
    # "role does not exist" must not match.
    if reply.code != "ERR_BAD_REQUEST" or not reply.details:
        return False
    message = reply.details.get("uid")
    sentences = message if isinstance(message, list) else [message]
    return any(isinstance(each, str) and "already been taken" in each for each in sentences)
