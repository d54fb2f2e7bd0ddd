"""Answers of an API, written down or drawn at random."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from provisioner.sending.calls import Failure, Reply
from provisioner.sending.verdicts import BY_CODE


def refusal(status: int, code: str | None = None, details: dict[str, Any] | None = None) -> Reply:
    """Refuse, in the API's words when there is a code."""
    return Reply(status=status, code=code, message="no", details=details)


JSON_LIKE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["ada", "ada_1"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)
CODES = st.sampled_from([*BY_CODE, "ERR_BAD_REQUEST", "ERR_UID_NOT_FOUND"]) | st.text(max_size=10)
DATA = st.dictionaries(st.sampled_from(["uid", "authToken", "createdAt"]), JSON_LIKE)
REPLIES = st.builds(
    Reply,
    status=st.none() | st.integers(-1, 1000),
    failure=st.none() | st.sampled_from(Failure),
    data=st.none() | DATA,
    code=st.none() | CODES,
    message=st.none() | st.text(max_size=20),
    details=st.none() | st.dictionaries(st.sampled_from(["uid", "name", "tags.0"]), JSON_LIKE),
    retry_after=st.none() | st.floats(),
)
