"""Calls of the API and their replies: what the life of a row needs to know of HTTP."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import blake2b
from math import isinf
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from provisioner.model import UserRequest

ANSWERED: Final = " (the API answered "
"""What stands between a sentence of ours and the API's own words, which can hold anything."""


class Budget(StrEnum):
    """The two groups in which CometChat counts calls (docs: REST API > Rate limits)."""

    CORE = "core"
    STANDARD = "standard"


class Operation(StrEnum):
    """A call of ours."""

    CREATE = "create"
    READ = "read"
    UPDATE = "update"
    MINT = "mint"
    ROLES = "roles"
    CREATE_ROLE = "create role"
    PROBE = "probe"
    LIST = "list"
    DEACTIVATE = "deactivate"
    REACTIVATE = "reactivate"
    DELETE = "delete"
    FLUSH = "flush"

    @property
    def budget(self) -> Budget:
        """The group it is counted in. Minting and deactivating are in no documented group: core is the stricter.

        Flushing auth tokens neither logs anybody in nor takes a user away: it is of the rest, which is standard.
        """
        return _BUDGETS[self]


_CORE: Final = (Operation.CREATE, Operation.MINT, Operation.DEACTIVATE, Operation.DELETE)
_BUDGETS: Final = dict.fromkeys(Operation, Budget.STANDARD) | dict.fromkeys(_CORE, Budget.CORE)


NOBODY: Final = UserRequest(0, 0, "", b"", "", token=False)
"""Stands in for the user in an operation that is about none."""


class Failure(StrEnum):
    """Why an exchange gave no answer that can be read."""

    UNREACHED = "could not connect"
    PROXY = "no way through the proxy"
    BARRED = "refused by the proxy"
    UNTRUSTED = "TLS certificate not accepted"
    TIMEOUT = "no answer in time"
    LOST = "connection lost"
    UNREADABLE = "answer unreadable"


class Reply(NamedTuple):
    """One answer of the API, or why there is none.

    status       HTTP status; null when no answer came
    data         the `data` member of a 2xx answer: an object, or a list under the key `items`
    code         `error.code`; null when the answer is not the API's error envelope, so that a refusal proves nothing
    message      what the server (or the network) said, secrets masked; as `code` and `details` on one line, escaped
    details      `error.details`: field → sentences
    retry_after  seconds the server asks us to wait (`Retry-After`, else the reset header less `Date`)
    limit        requests a minute the API says are allowed; null when the answer is not its own
    """

    status: int | None = None
    failure: Failure | None = None
    data: Mapping[str, Any] | None = None
    code: str | None = None
    message: str | None = None
    details: Mapping[str, Any] | None = None
    retry_after: float | None = None
    limit: int | None = None

    @property
    def answer(self) -> str:
        """Its status and its code, as far as there are any: `404 ERR_UID_NOT_FOUND`."""
        return " ".join(str(part) for part in (self.status, self.code) if part)

    @property
    def own(self) -> bool:
        """Whether it is the API's own answer: its data, or its error envelope, and no page of what stands between."""
        return self.data is not None or self.code is not None

    @property
    def why(self) -> str | None:
        """Why it is no answer to go by: the failure, with what could not be read, or what was said; null if nothing."""
        if self.failure is Failure.UNREADABLE and self.message:
            return f"{self.failure}: {self.message}"
        return str(self.failure) if self.failure is not None else self.message


_UNSAID: Final[Mapping[Operation, str]] = MappingProxyType(
    {
        Operation.ROLES: "holds no list of roles",
        Operation.CREATE_ROLE: "is not about the role that was to be made",
        Operation.PROBE: "holds no list of users",
        Operation.LIST: "holds no list of users",
        Operation.DEACTIVATE: "does not name the user",
        Operation.REACTIVATE: "does not name the user",
        Operation.DELETE: "does not say that it was done",
        Operation.FLUSH: "does not say that it was done",
    }
)


def unbelieved(operation: Operation, reply: Reply, uid: str) -> str:
    """Say why a 2xx answer is not believed; that it is not has been found before."""
    if (unsaid := _UNSAID.get(operation)) is not None:
        return f"the answer {unsaid}"
    if (named := (reply.data or {}).get("uid")) != uid:
        return "the answer names no uid" if named is None else "the answer is about another uid"
    return "the answer lacks the auth token that was asked for"


# Levels that are read of an answer that cannot be read as it is.
_DEEPEST: Final = 400
_STOOD_IN: Final = re.compile('"not readable: [0-9a-f]{16}"')
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[{]|[\]}]|-?\d[\d.eE+-]*+', re.DOTALL)


def document_of(raw: bytes) -> dict[str, Any] | None:
    """Read an answer; None when it is no JSON object.

    What lies too deep in it, and numbers that are too large, are read as texts that stand for them: one user who has
    such metadata must not hide the others of a page.
    """
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        try:
            document = orjson.loads(b"".join(_readable(raw)))
        except orjson.JSONDecodeError:
            return None
    return document if isinstance(document, dict) else None


def _readable(raw: bytes) -> Iterator[bytes]:
    """Give JSON piece by piece, with texts in place of what could not be read."""
    depth, at, cut = 0, 0, 0
    for token in _TOKEN.finditer(raw):
        match token[0][:1]:
            case b"[" | b"{":
                depth += 1
                if depth == _DEEPEST:
                    yield raw[at : token.start()]
                    cut = token.start()
            case b"]" | b"}":
                if depth == _DEEPEST:
                    at = token.end()
                    yield _stand_in(raw[cut:at])
                depth -= 1
            case b'"':
                pass
            case _ if depth < _DEEPEST and _is_too_large(token[0]):
                yield raw[at : token.start()] + _stand_in(token[0])
                at = token.end()
    yield raw[at:]


def _is_too_large(number: bytes) -> bool:
    try:
        return isinf(float(number))
    except ValueError:
        return False


def _stand_in(raw: bytes) -> bytes:
    """Give a text for what cannot be read: another one for anything else."""
    return b'"not readable: %s"' % blake2b(raw, digest_size=8).hexdigest().encode()


def is_readable(text: str) -> bool:
    """Whether a value (JSON text) is that of an answer, with nothing in it that only stands for what it was."""
    return _STOOD_IN.search(text) is None
