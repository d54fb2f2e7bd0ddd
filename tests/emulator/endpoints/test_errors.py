"""Tests of the error envelope and of the words of each refusal."""

import orjson
import pytest

from provisioner.emulator.app.audit import Did
from provisioner.emulator.endpoints import errors
from provisioner.emulator.endpoints.errors import ApiError, envelope, masked

KEY = "0123456789abcdef"


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (errors.no_such_endpoint(), 404, "ERR_API_NOT_FOUND"),
        (errors.no_key(), 401, "AUTH_ERR_EMPTY_APIKEY"),
        (errors.unknown_key(KEY), 401, "AUTH_ERR_APIKEY_NOT_FOUND"),
        (errors.scope_too_small(KEY), 403, "AUTH_ERR_NO_ACCESS"),
        (errors.too_many_requests({"Retry-After": "3"}), 429, "ERR_TOO_MANY_REQUESTS"),
        (errors.body_too_large(10), 413, "ERR_BAD_REQUEST"),
        (errors.invalid({"uid": ["wrong"]}), 400, "ERR_BAD_REQUEST"),
        (errors.uid_taken("ann"), 400, "ERR_UID_ALREADY_EXISTS"),
        (errors.uid_taken("ann", 409), 409, "ERR_UID_ALREADY_EXISTS"),
        (errors.quota_reached(), 402, "ERR_PLAN_QUOTA_RESTRICTION"),
        (errors.uid_not_found("ann"), 404, "ERR_UID_NOT_FOUND"),
        (errors.token_not_found(), 404, "ERR_AUTH_TOKEN_NOT_FOUND"),
        (errors.role_taken("boss"), 400, "ERR_ROLE_ALREADY_EXISTS"),
        (errors.role_not_found("boss"), 404, "ERR_ROLE_NOT_FOUND"),
        (errors.role_not_deletable("default"), 400, "ERR_ROLE_DELETE_DENIED"),
    ],
    ids=lambda value: value.code if isinstance(value, ApiError) else None,
)
def test_a_refusal_has_its_status_and_its_code(refusal: ApiError, status: int, code: str) -> None:
    """Clients branch on these two; the answer, the audit and the body name the same code."""
    answer = refusal.answer()
    assert (answer.status, answer.code, answer.did) == (status, code, Did.REFUSED)
    assert orjson.loads(answer.body)["error"]["code"] == code
    assert KEY not in answer.body.decode()


def test_the_envelope_is_that_of_the_api() -> None:
    """The message stands twice unless there is one for developers; only a validation has details."""
    assert orjson.loads(envelope("C", "text")) == {
        "error": {"message": "text", "devMessage": "text", "source": "chat-api", "code": "C"}
    }
    assert orjson.loads(envelope("C", "text", "more", {"uid": ["wrong"]})) == {
        "error": {
            "message": "text", "devMessage": "more", "source": "chat-api", "details": {"uid": ["wrong"]}, "code": "C",
        }
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "shown"),
    [("", ""), ("secret", "******"), ("0123456789", "**********"), ("0123456789a", "01234*6789a")],
)
def test_a_key_is_echoed_with_its_middle_hidden(key: str, shown: str) -> None:
    """A short one is hidden whole."""
    assert masked(key) == shown


def test_the_headers_of_a_429_go_with_it() -> None:
    """When to come back is told by headers."""
    assert errors.too_many_requests({"Retry-After": "3"}).answer().headers == {"Retry-After": "3"}
