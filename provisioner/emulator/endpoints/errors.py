"""The error envelope, and the words the API has for each refusal.

Texts are those seen in published samples and reports where there are any; clients are told to branch on the
code, never on the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import orjson

from provisioner.emulator.app.audit import Did
from provisioner.emulator.endpoints.answers import Answer

Details = Mapping[str, Sequence[str]]


class ApiError(Exception):
    """A request that is answered with an error and changes nothing."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        dev_message: str | None = None,
        details: Details | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}
        self.body = envelope(code, message, dev_message, details)

    def answer(self) -> Answer:
        """Give the answer that tells the refusal."""
        return Answer(self.status, self.body, Did.REFUSED, self.code, headers=self.headers)


def envelope(code: str, message: str, dev_message: str | None = None, details: Details | None = None) -> bytes:
    """Write the error envelope; only a validation has details."""
    error: dict[str, object] = {
        "message": message,
        "devMessage": dev_message or message,
        "source": "chat-api",
    }
    if details:
        error["details"] = details
    return orjson.dumps({"error": {**error, "code": code}})


def masked(key: str) -> str:
    """Hide a key but for its first and last five characters, as the API does when it echoes one."""
    return f"{key[:5]}{'*' * (len(key) - 10)}{key[-5:]}" if len(key) > 10 else "*" * len(key)


def no_such_endpoint() -> ApiError:
    """Refuse a path or method that is none of the API's."""
    return ApiError(404, "ERR_API_NOT_FOUND", "The API endpoint is invalid. Please verify the API call.")


def no_key() -> ApiError:
    """Refuse a request without a key."""
    return ApiError(401, "AUTH_ERR_EMPTY_APIKEY", "The apiKey is missing. Please send it in the apikey header.")


def unknown_key(key: str) -> ApiError:
    """Refuse a key that is not, or no longer, one of the app's."""
    return ApiError(
        401,
        "AUTH_ERR_APIKEY_NOT_FOUND",
        f"The key {masked(key)} does not exist. Please use correct apiKey.",
        f"The {masked(key)} key doesn't work. Please use correct apiKey.",
    )


def scope_too_small(key: str) -> ApiError:
    """Refuse a key that may not do this."""
    return ApiError(
        403,
        "AUTH_ERR_NO_ACCESS",
        f"The key {masked(key)} cannot be used to perform this operation. "
        "Please use API key with a correct scope to perform the operation.",
        f"The {masked(key)} key does not have enough clearance. "
        "To perform the operation, please use the API key with the correct scope.",
    )


def too_many_requests(headers: Mapping[str, str]) -> ApiError:
    """Refuse a request over the rate limit; it is not processed."""
    return ApiError(
        429,
        "ERR_TOO_MANY_REQUESTS",
        "Too many requests. Please try again after some time.",
        headers=headers,
    )


def body_too_large(limit: int) -> ApiError:
    """Refuse a body of more than `limit` bytes; the status is an assumption, no public source shows it."""
    return ApiError(413, "ERR_BAD_REQUEST", f"The request body may not be greater than {limit} bytes.")


def invalid(details: Details) -> ApiError:
    """Refuse a request with everything that is wrong with its fields."""
    return ApiError(400, "ERR_BAD_REQUEST", "Failed to validate the data sent with the request.", details=details)


def uid_taken(uid: str, status: int = 400) -> ApiError:
    """Refuse a uid that an active or deactivated user has."""
    text = f"The uid {uid} already exists. Please use another uid or try after permanently deleting the user."
    return ApiError(status, "ERR_UID_ALREADY_EXISTS", text)


def quota_reached() -> ApiError:
    """Refuse a user more than the plan allows."""
    text = "The allowed limit for this feature has been reached."
    return ApiError(402, "ERR_PLAN_QUOTA_RESTRICTION", text)


def uid_not_found(uid: str) -> ApiError:
    """Refuse a uid that no user has, or only a deactivated one."""
    return ApiError(
        404,
        "ERR_UID_NOT_FOUND",
        f"The UID {uid} does not exist, please make sure you have created a user with UID {uid}.",
        f"The UID {uid} does not exist, so please make sure you have created a user with UID {uid}.",
    )


def token_not_found() -> ApiError:
    """Refuse a token the user does not have; the token is not echoed."""
    return ApiError(404, "ERR_AUTH_TOKEN_NOT_FOUND", "The auth token does not exist.")


def log_in_refused() -> ApiError:
    """Refuse to log anybody in by an auth token that is not there, as the SDK is answered; the status is assumed."""
    text = "The auth token does not exist. Please make sure you are logged in and have a valid auth token."
    return ApiError(401, "AUTH_ERR_AUTH_TOKEN_NOT_FOUND", text)


def role_taken(role: str) -> ApiError:
    """Refuse a role that exists."""
    return ApiError(400, "ERR_ROLE_ALREADY_EXISTS", f"The role {role} already exists. Please use another role.")


def role_not_found(role: str) -> ApiError:
    """Refuse a role that does not exist."""
    return ApiError(404, "ERR_ROLE_NOT_FOUND", f"The role {role} does not exist.")


def role_not_deletable(role: str) -> ApiError:
    """Refuse to delete the role every app has."""
    return ApiError(400, "ERR_ROLE_DELETE_DENIED", f"The role {role} cannot be deleted.")
