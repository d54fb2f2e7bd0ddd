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
    """What happens next with a row, after a reply."""

    DONE = auto()  # the operation was carried out
    EXISTS = auto()  # the uid is taken
    ABSENT = auto()  # no active user has this uid
    REFUSED = auto()  # never going to work as it stands
    LIMITED = auto()  # not processed: everyone waits
    IN_DOUBT = auto()  # may have been carried out
    UNREACHED = auto()  # certainly not carried out
    STOP = auto()  # not this row's fault, and no other will fare better


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

# What the codes of a 4xx mean, whose statuses are in part undocumented: see `_by_tables`.
BY_CODE: Final[Mapping[str, Verdict]] = MappingProxyType(
    {
        "ERR_UID_ALREADY_EXISTS": Verdict.EXISTS,
        "ERR_ROLE_ALREADY_EXISTS": Verdict.EXISTS,
        "ERR_TOO_MANY_REQUESTS": Verdict.LIMITED,
        **dict.fromkeys(STOPS_BY_CODE, Verdict.STOP),
        # The API began and then failed, or could not even say what failed.
        "ERR_EXCEPTION": Verdict.IN_DOUBT,
        "ERR_OPERATION_FAILED": Verdict.IN_DOUBT,
        "ERR_MISSION_FAILED": Verdict.IN_DOUBT,
        "ERR_BAD_ERROR_RESPONSE": Verdict.IN_DOUBT,
        "ERR_WS_USER_CREATION_FAILED": Verdict.IN_DOUBT,
        "ERR_WS_INIT_FAILED": Verdict.IN_DOUBT,
    }
)

# What these statuses mean does not hang on the body: each ends the run or holds it, or is looked into further, and none
# of them settles a row by itself.
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

# Redirects are not followed: the key would go where it was not meant to go. A 4xx refuses only when the API says so in
# its own words, see `_proven`.
BY_CLASS: Final[Mapping[int, Verdict]] = MappingProxyType(
    {1: Verdict.IN_DOUBT, 2: Verdict.DONE, 3: Verdict.STOP, 4: Verdict.REFUSED, 5: Verdict.IN_DOUBT}
)


_OK: Final = 200


def judge(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    """Say what `reply` means for `operation` on `uid`; `token` tells whether an auth token was asked for."""
    if reply.failure is not None:
        return BY_FAILURE[reply.failure]
    if operation is Operation.CREATE and reply.status == _OK and reply.code is None:  # nearly all answers
        return Verdict.DONE if believable(reply, uid, token=token) else Verdict.IN_DOUBT
    return _looked_up(operation, reply, uid, token=token)


def _looked_up(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    status = reply.status or 0
    verdict = _by_tables(status, reply.code or "")
    if operation is Operation.ROLES:
        return _roles(status, verdict, reply)
    if operation is Operation.PROBE and status == 403 and reply.code:
        return Verdict.REFUSED  # a key that may not look may create all the same
    if verdict is Verdict.DONE:
        return _carried_out(operation, reply, uid, token=token)
    if status == 404 and verdict is Verdict.REFUSED:
        return _not_found(operation, reply)
    if verdict is Verdict.EXISTS and operation not in _CREATES:
        return _proven(reply)
    if verdict is Verdict.REFUSED:
        return Verdict.EXISTS if operation is Operation.CREATE and _already_taken(reply) else _proven(reply)
    return verdict


def _by_tables(status: int, code: str) -> Verdict:
    # A code says more than the status of a 4xx. Under no other it is an answer of the API to what was asked: a 5xx says
    # that something broke, whatever else it holds. And that a uid is taken is not said by who wants another key.
    said, own = BY_CODE.get(code) if status // 100 == 4 else None, BY_STATUS.get(status)
    first, second = (own, said) if said is Verdict.EXISTS else (said, own)
    return first or second or BY_CLASS.get(status // 100, Verdict.IN_DOUBT)


_CREATES: Final = frozenset({Operation.CREATE, Operation.CREATE_ROLE})


def _carried_out(operation: Operation, reply: Reply, uid: str, *, token: bool) -> Verdict:
    """Say what a 2xx answer means: each operation is believed by what its own answer names."""
    data = reply.data or {}
    match operation:
        case Operation.DEACTIVATE | Operation.REACTIVATE:
            return _listed(operation, data, uid)
        case Operation.DELETE:
            return _deleted(data)
        case Operation.LIST | Operation.PROBE:
            done = isinstance(data.get("items"), list)
        case Operation.FLUSH:  # it names no user: what is documented of it is `success` and a sentence
            done = data.get("success") is not False
        case Operation.CREATE_ROLE:
            done = isinstance(role := data.get("role"), str) and role.lower() == uid
        case _:
            done = believable(reply, uid, token=token)
    return Verdict.DONE if done else Verdict.IN_DOUBT


def believable(reply: Reply, uid: str, *, token: bool) -> bool:
    """Whether a 2xx answer is about our user and holds the token that was asked for."""
    data = reply.data
    if data is None or data.get("uid") != uid:
        return False
    given = data.get("authToken")
    return not token or (isinstance(given, str) and given != "")


# Operations at the address of one user; all others are at an address that has to be there.
_ABOUT_ONE: Final = frozenset({Operation.READ, Operation.UPDATE, Operation.MINT, Operation.FLUSH, Operation.DELETE})


def _proven(reply: Reply) -> Verdict:
    # Only the API's error envelope refuses anything. A page of a proxy, or half an answer, proves nothing: what is
    # missing of it may have said that the uid is taken, and the user may be ours.
    return Verdict.REFUSED if reply.code else Verdict.IN_DOUBT


# Calls about many users answer with lists of uids: the one for those that were changed, and the one for those that
# were so already. Who is in `notFound` does not exist.
_LISTS: Final[Mapping[Operation, tuple[str, str]]] = MappingProxyType(
    {
        Operation.DEACTIVATE: ("deactivatedUids", "alreadyDeactivatedUids"),
        Operation.REACTIVATE: ("reactivatedUids", "nonDeactivatedUids"),
    }
)


def _listed(operation: Operation, data: Mapping[str, Any], uid: str) -> Verdict:
    lists = [data.get(name) for name in _LISTS[operation]]
    if any(isinstance(each, list) and uid in each for each in lists):
        return Verdict.DONE
    missing = data.get("notFound")
    return Verdict.ABSENT if isinstance(missing, list) and uid in missing else Verdict.IN_DOUBT


def _deleted(data: Mapping[str, Any]) -> Verdict:
    # It names nobody: `{"success": true, "message": …}`. A request that lost its body on the way only deactivates, and
    # is answered as that is; sent again it would fare no better.
    if any(isinstance(data.get(name), list) for name in _LISTS[Operation.DEACTIVATE]):
        return Verdict.REFUSED
    return Verdict.DONE if data.get("success") is True else Verdict.IN_DOUBT


# Said of a user who has no auth token: there is nothing to flush.
_NO_TOKENS: Final = "ERR_AUTH_TOKEN_NOT_FOUND"


def _roles(status: int, verdict: Verdict, reply: Reply) -> Verdict:
    # Looking at the roles is a courtesy: a key that may not, or an API without them, is no reason to stop.
    if verdict is Verdict.DONE:
        return Verdict.DONE if "items" in (reply.data or {}) else Verdict.REFUSED
    if status in {403, 404, 405}:
        return Verdict.REFUSED
    return _proven(reply) if verdict in {Verdict.REFUSED, Verdict.EXISTS} else verdict


def _not_found(operation: Operation, reply: Reply) -> Verdict:
    if operation is Operation.FLUSH and reply.code == _NO_TOKENS:
        return Verdict.DONE
    # Where the address names no user there is nothing to find: a 404 without a code comes from a wrong address.
    if operation not in _ABOUT_ONE and not reply.code:
        return Verdict.STOP
    absent = reply.code == "ERR_UID_NOT_FOUND" and operation is not Operation.CREATE
    return Verdict.ABSENT if absent else _proven(reply)


def _already_taken(reply: Reply) -> bool:
    # The older form of the duplicate answer. The field is looked up, never the whole body searched:
    # "role does not exist" must not match.
    if reply.code != "ERR_BAD_REQUEST" or not reply.details:
        return False
    message = reply.details.get("uid")
    sentences = message if isinstance(message, list) else [message]
    return any(isinstance(each, str) and "already been taken" in each for each in sentences)
