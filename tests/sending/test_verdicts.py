"""What a reply means, row by row."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.sending.calls import Failure, Operation, Reply
from provisioner.sending.verdicts import BY_CODE, Verdict, believable, judge
from tests.rig.replies import DATA, REPLIES, refusal

CREATE, READ, UPDATE, MINT = Operation.CREATE, Operation.READ, Operation.UPDATE, Operation.MINT
FLUSH = Operation.FLUSH
ROLES = Operation.ROLES
ABOUT_A_USER = [CREATE, READ, UPDATE, MINT]
TAKEN = {"uid": ["The uid has already been taken."]}


ANSWERS_TO_A_CREATE = [
    # What the error guide and observed answers say of POST /users.
    (400, "ERR_BAD_REQUEST", Verdict.REFUSED),
    (400, "ERR_UID_ALREADY_EXISTS", Verdict.EXISTS),
    (401, "AUTH_ERR_APIKEY_NOT_FOUND", Verdict.STOP),
    (404, "AUTH_ERR_APIKEY_NOT_FOUND", Verdict.STOP),
    (401, "AUTH_ERR_EMPTY_APIKEY", Verdict.STOP),
    (401, "AUTH_ERR_EMPTY_APPID", Verdict.STOP),
    (401, "AUTH_ERR_INVALID_APPID", Verdict.STOP),
    (403, "AUTH_ERR_NO_ACCESS", Verdict.STOP),
    (402, "ERR_PLAN_QUOTA_RESTRICTION", Verdict.STOP),
    (402, "ERR_PLAN_RESTRICTION", Verdict.STOP),
    (402, "ERR_SUBSCRIPTION_EXPIRED", Verdict.STOP),
    (404, "ERR_API_NOT_FOUND", Verdict.STOP),
    (413, "ERR_BAD_REQUEST", Verdict.REFUSED),
    (417, "ERR_BAD_ERROR_RESPONSE", Verdict.IN_DOUBT),
    (429, "ERR_TOO_MANY_REQUESTS", Verdict.LIMITED),
    (500, "ERR_EXCEPTION", Verdict.IN_DOUBT),
    (500, "ERR_OPERATION_FAILED", Verdict.IN_DOUBT),
    (500, "ERR_MISSION_FAILED", Verdict.IN_DOUBT),
    (400, "ERR_WS_USER_CREATION_FAILED", Verdict.IN_DOUBT),
    (400, "ERR_WS_INIT_FAILED", Verdict.IN_DOUBT),
    (400, "ERR_INVALID_API_VERSION", Verdict.STOP),
    (404, "ERR_INVALID_API_VERSION", Verdict.STOP),
    (502, None, Verdict.IN_DOUBT),
    (503, None, Verdict.IN_DOUBT),
    (504, None, Verdict.IN_DOUBT),
    # The contract's own rows, and what has no code because something in between answered.
    (400, None, Verdict.IN_DOUBT),
    (413, None, Verdict.IN_DOUBT),
    (401, None, Verdict.STOP),
    (402, None, Verdict.STOP),
    (403, None, Verdict.STOP),
    (404, None, Verdict.STOP),
    (405, None, Verdict.STOP),
    (408, None, Verdict.IN_DOUBT),
    (409, None, Verdict.EXISTS),
    (409, "ERR_SOMETHING_NEW", Verdict.EXISTS),
    (418, "ERR_SOMETHING_NEW", Verdict.REFUSED),
    (422, "ERR_BAD_REQUEST", Verdict.REFUSED),
    (425, None, Verdict.IN_DOUBT),
    (429, None, Verdict.LIMITED),
    (500, None, Verdict.IN_DOUBT),
    (599, "ERR_SOMETHING_NEW", Verdict.IN_DOUBT),
    (301, None, Verdict.STOP),
    (307, None, Verdict.STOP),
    # A user that is not found says nothing about a create.
    (404, "ERR_UID_NOT_FOUND", Verdict.REFUSED),
    (400, "ERR_ROLE_NOT_FOUND", Verdict.REFUSED),
]


@pytest.mark.parametrize(("status", "code", "verdict"), ANSWERS_TO_A_CREATE)
def test_what_an_answer_to_a_create_means(status: int, code: str | None, verdict: Verdict) -> None:
    """Every status and code that POST /users was documented or seen to answer with."""
    assert judge(CREATE, refusal(status, code), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("operation", "status", "code", "verdict"),
    [
        (READ, 404, "ERR_UID_NOT_FOUND", Verdict.ABSENT),
        (UPDATE, 404, "ERR_UID_NOT_FOUND", Verdict.ABSENT),
        (MINT, 404, "ERR_UID_NOT_FOUND", Verdict.ABSENT),
        # A page of some proxy is no proof that a user is not there, nor of anything else.
        (READ, 404, None, Verdict.IN_DOUBT),
        (UPDATE, 404, None, Verdict.IN_DOUBT),
        (MINT, 404, None, Verdict.IN_DOUBT),
        (READ, 404, "ERR_API_NOT_FOUND", Verdict.STOP),
        (UPDATE, 404, "ERR_ROLE_NOT_FOUND", Verdict.REFUSED),
        (UPDATE, 400, "ERR_BAD_REQUEST", Verdict.REFUSED),
        (UPDATE, 409, "ERR_SOMETHING_NEW", Verdict.REFUSED),
        (UPDATE, 409, None, Verdict.IN_DOUBT),
        (UPDATE, 400, "ERR_UID_ALREADY_EXISTS", Verdict.REFUSED),
        (MINT, 403, "AUTH_ERR_NO_ACCESS", Verdict.STOP),
        (READ, 429, None, Verdict.LIMITED),
        (MINT, 500, "ERR_EXCEPTION", Verdict.IN_DOUBT),
        (FLUSH, 404, "ERR_UID_NOT_FOUND", Verdict.ABSENT),
        (FLUSH, 404, None, Verdict.IN_DOUBT),
        (FLUSH, 400, "ERR_AUTH_TOKENS_DELETE_FAILED", Verdict.REFUSED),
        # Nothing to flush is as good as flushed, whatever the status.
        (FLUSH, 404, "ERR_AUTH_TOKEN_NOT_FOUND", Verdict.DONE),
        (FLUSH, 403, "AUTH_ERR_NO_ACCESS", Verdict.STOP),
    ],
)
def test_what_an_answer_about_one_user_means(
    operation: Operation, status: int, code: str | None, verdict: Verdict
) -> None:
    """Only the API's own word makes a user absent; a 404 without it does not."""
    assert judge(operation, refusal(status, code), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("data", "verdict"),
    [({"success": True, "message": "Cleared."}, Verdict.DONE), ({"success": False}, Verdict.IN_DOUBT)],
)
def test_what_an_answer_to_a_flush_means(data: dict[str, Any], verdict: Verdict) -> None:
    """It names no user, so there is nothing more to hold it against."""
    assert judge(FLUSH, Reply(status=200, data=data), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(status=200, data={"items": []}), Verdict.DONE),
        (Reply(status=200, data={"role": "default"}), Verdict.REFUSED),
        (refusal(403, "AUTH_ERR_NO_ACCESS"), Verdict.REFUSED),
        (refusal(404, "ERR_API_NOT_FOUND"), Verdict.REFUSED),
        (refusal(404), Verdict.REFUSED),
        (refusal(405), Verdict.REFUSED),
        (refusal(400, "ERR_BAD_REQUEST"), Verdict.REFUSED),
        (refusal(400), Verdict.IN_DOUBT),
        (refusal(409), Verdict.IN_DOUBT),
        (refusal(401, "AUTH_ERR_APIKEY_NOT_FOUND"), Verdict.STOP),
        (refusal(429), Verdict.LIMITED),
        (refusal(500), Verdict.IN_DOUBT),
        (refusal(700), Verdict.IN_DOUBT),
    ],
)
def test_what_an_answer_about_the_roles_means(reply: Reply, verdict: Verdict) -> None:
    """To look at them is a courtesy: whoever may not, or cannot, goes on without."""
    assert judge(ROLES, reply, "", token=False) is verdict


@pytest.mark.parametrize(
    ("failure", "verdict"),
    [
        (Failure.UNREACHED, Verdict.UNREACHED),
        (Failure.PROXY, Verdict.UNREACHED),
        (Failure.BARRED, Verdict.STOP),
        (Failure.UNTRUSTED, Verdict.STOP),
        (Failure.TIMEOUT, Verdict.IN_DOUBT),
        (Failure.LOST, Verdict.IN_DOUBT),
        (Failure.UNREADABLE, Verdict.IN_DOUBT),
    ],
)
@pytest.mark.parametrize("operation", list(Operation))
def test_what_no_answer_means(operation: Operation, failure: Failure, verdict: Verdict) -> None:
    """A lost answer leaves doubt; a connection that was never made leaves none."""
    assert judge(operation, Reply(failure=failure, message="broken"), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("code", "details", "verdict"),
    [
        ("ERR_BAD_REQUEST", TAKEN, Verdict.EXISTS),
        ("ERR_BAD_REQUEST", {"uid": "The uid has already been taken."}, Verdict.EXISTS),
        ("ERR_BAD_REQUEST", {"uid": ["Too long.", "The uid has already been taken."]}, Verdict.EXISTS),
        # The words count in the field and under the code that mean it, nowhere else.
        ("ERR_BAD_REQUEST", {"name": ["The name has already been taken."]}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {"role": ["The role does not exist."]}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {"uid": ["The uid already exists in a bad form."]}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {"uid": None}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {"uid": {"0": "already been taken"}}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {"uid": [None, 7, ["already been taken"]]}, Verdict.REFUSED),
        ("ERR_BAD_REQUEST", {}, Verdict.REFUSED),
        ("ERR_SOMETHING_NEW", TAKEN, Verdict.REFUSED),
        # Without a code it is not the envelope of the API: it proves nothing, and what it says is not looked at.
        (None, TAKEN, Verdict.IN_DOUBT),
    ],
)
def test_the_older_form_of_the_duplicate_answer(code: str | None, details: dict[str, Any], verdict: Verdict) -> None:
    """Older versions say it in details.uid; the field is looked up, the text is not searched."""
    assert judge(CREATE, refusal(400, code, details), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("data", "token", "verdict"),
    [
        ({"uid": "ada"}, False, Verdict.DONE),
        ({"uid": "ada", "authToken": "ada_1"}, True, Verdict.DONE),
        ({"uid": "ada", "authToken": "ada_1"}, False, Verdict.DONE),
        ({"uid": "ada"}, True, Verdict.IN_DOUBT),
        ({"uid": "ada", "authToken": ""}, True, Verdict.IN_DOUBT),
        ({"uid": "ada", "authToken": None}, True, Verdict.IN_DOUBT),
        ({"uid": "ada", "authToken": 7}, True, Verdict.IN_DOUBT),
        ({"uid": "ada", "authToken": ["ada_1"]}, True, Verdict.IN_DOUBT),
        ({"uid": "grace"}, False, Verdict.IN_DOUBT),
        ({"uid": "Ada"}, False, Verdict.IN_DOUBT),
        ({"uid": None}, False, Verdict.IN_DOUBT),
        ({}, False, Verdict.IN_DOUBT),
        (None, False, Verdict.IN_DOUBT),
    ],
)
@pytest.mark.parametrize("status", [200, 201, 299])
def test_a_2xx_is_believed_only_for_our_user_and_with_the_token_asked_for(
    status: int, data: dict[str, Any] | None, token: bool, verdict: Verdict
) -> None:
    """Any 2xx will do, an answer about somebody else or without the token will not."""
    assert judge(CREATE, Reply(status=status, data=data), "ada", token=token) is verdict


@given(operation=st.sampled_from(Operation), reply=REPLIES, token=st.booleans())
def test_every_reply_has_a_verdict(operation: Operation, reply: Reply, token: bool) -> None:
    """`judge` is total, and DONE is a believable 2xx and nothing else."""
    verdict = judge(operation, reply, "ada", token=token)
    done = verdict is Verdict.DONE
    assert isinstance(verdict, Verdict)
    assert not done or (reply.failure is None and reply.status is not None and 200 <= reply.status < 300)
    assert not done or operation is ROLES or believable(reply, "ada", token=token)


LOST_ANSWERS = st.sampled_from([Failure.TIMEOUT, Failure.LOST, Failure.UNREADABLE]).map(
    lambda each: Reply(failure=each)
)
UNCLEAR_ANSWERS = st.tuples(st.integers(200, 299) | st.integers(500, 599), st.none() | DATA).map(
    lambda each: Reply(status=each[0], data=each[1])
)


@given(operation=st.sampled_from(ABOUT_A_USER), reply=LOST_ANSWERS | UNCLEAR_ANSWERS, token=st.booleans())
def test_whatever_may_have_created_the_user_is_never_taken_for_certain(
    operation: Operation, reply: Reply, token: bool
) -> None:
    """A lost answer, or a 5xx or 2xx without a code that says more, is never a failure of the row."""
    assert judge(operation, reply, "ada", token=token) in {Verdict.DONE, Verdict.IN_DOUBT}


@given(
    operation=st.sampled_from(Operation),
    status=st.integers(500, 599),
    code=st.sampled_from([*BY_CODE, "ERR_BAD_REQUEST", "ERR_UID_NOT_FOUND", "ERR_AUTH_TOKEN_NOT_FOUND"]),
    details=st.sampled_from([None, TAKEN]),
)
def test_a_5xx_is_in_doubt_whatever_its_body_says(
    operation: Operation, status: int, code: str, details: dict[str, Any] | None
) -> None:
    """Something broke: that the uid is taken, or the key wrong, is proved by a 4xx alone."""
    assert judge(operation, refusal(status, code, details), "ada", token=False) is Verdict.IN_DOUBT


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, Verdict.IN_DOUBT),
        (302, Verdict.STOP),
        (400, Verdict.EXISTS),
        (409, Verdict.EXISTS),
        (422, Verdict.EXISTS),
        (401, Verdict.STOP),
        (403, Verdict.STOP),
        (408, Verdict.IN_DOUBT),
        (429, Verdict.LIMITED),
    ],
)
def test_a_uid_is_taken_when_the_status_says_nothing_else(status: int, verdict: Verdict) -> None:
    """What an answer asks for by its status goes before the code."""
    assert judge(CREATE, refusal(status, "ERR_UID_ALREADY_EXISTS"), "ada", token=False) is verdict


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (Reply(status=200, data={"success": True, "message": "User with ada has been deleted."}), Verdict.DONE),
        (Reply(status=200, data={"deactivatedUids": ["ada"]}), Verdict.REFUSED),
        (Reply(status=200, data={"uid": "ada"}), Verdict.IN_DOUBT),
        (Reply(status=404, code="ERR_UID_NOT_FOUND"), Verdict.ABSENT),
        (Reply(status=404), Verdict.IN_DOUBT),
    ],
)
def test_a_delete_is_believed_when_it_says_that_it_was_one(reply: Reply, verdict: Verdict) -> None:
    """One that lost its body on the way has deactivated the user, and would do so again."""
    assert judge(Operation.DELETE, reply, "ada", token=False) is verdict
