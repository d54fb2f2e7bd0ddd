"""Calls are counted as CometChat counts them."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from provisioner.sending.calls import Budget, Failure, Operation, Reply, document_of, is_readable, unbelieved


def test_every_operation_is_counted_in_a_group() -> None:
    """Creating, deactivating, deleting and minting in the core group, where less is allowed; all else in the other."""
    core = {each for each in Operation if each.budget is Budget.CORE}
    assert core == {Operation.CREATE, Operation.DEACTIVATE, Operation.DELETE, Operation.MINT}
    assert {each.budget for each in set(Operation) - core} == {Budget.STANDARD}


def test_a_reply_that_tells_nothing_holds_nothing() -> None:
    """What an operation ends with that was stopped before its first request."""
    assert set(Reply()) == {None}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply(failure=Failure.LOST, message="reset by peer"), "connection lost"),
        (Reply(status=200, failure=Failure.UNREADABLE, message="no data"), "answer unreadable: no data"),
        (Reply(status=500, message="Oops."), "Oops."),
        (Reply(), None),
    ],
)
def test_a_reply_says_why_there_is_nothing_to_go_by(reply: Reply, why: str | None) -> None:
    """The failure, with what could not be read; else what the server said."""
    assert reply.why == why


@pytest.mark.parametrize(
    ("operation", "data", "why"),
    [
        (Operation.CREATE, {"uid": "bob"}, "the answer is about another uid"),
        (Operation.CREATE, {"name": "Ann"}, "the answer names no uid"),
        (Operation.CREATE, {"uid": "ann"}, "the answer lacks the auth token that was asked for"),
        (Operation.MINT, {"uid": "ann", "authToken": ""}, "the answer lacks the auth token that was asked for"),
        (Operation.UPDATE, {}, "the answer names no uid"),
        (Operation.LIST, {}, "the answer holds no list of users"),
        (Operation.DEACTIVATE, {}, "the answer does not name the user"),
        (Operation.FLUSH, {"success": False}, "the answer does not say that it was done"),
        (Operation.CREATE_ROLE, {}, "the answer is not about the role that was to be made"),
    ],
)
def test_what_was_not_believed_is_said(operation: Operation, data: dict[str, Any], why: str) -> None:
    """An answer of 200 holds no words of its own for it."""
    assert unbelieved(operation, Reply(status=200, data=data), "ann") == why


@pytest.mark.parametrize(
    "odd",
    [
        b"[" * 1100 + b"]" * 1100,
        b'{"a":' * 30_000 + b"1" + b"}" * 30_000,
        b"9" * 5000,
        b"-1e400",
        b'["[", "\\"]", 1e-400, {"b": [1e999]}]',
    ],
    ids=["lists", "objects", "digits", "exponent", "among others"],
)
def test_one_odd_user_does_not_hide_the_others(odd: bytes) -> None:
    """What cannot be read of it is read as a text, which is another one for anything else."""
    page = b'{"data": [{"uid": "ann", "n": 1.5, "name": "\xc3\xa4"}, {"uid": "bob", "metadata": {"a": %s, "b": 2}}]}'
    document = document_of(page % odd)
    assert document is not None
    ann, bob = document["data"]
    assert (ann, bob["uid"], bob["metadata"]["b"]) == ({"uid": "ann", "n": 1.5, "name": "\u00e4"}, "bob", 2)
    other = document_of(page % odd.replace(b"9", b"8").replace(b"1", b"2").replace(b"[]", b"[3]"))
    assert other is not None
    assert other != document


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[1]", b'{"data": [', b"[" * 100_000, b'{"a": \xff}', b"NaN"])
def test_what_is_no_json_object_is_none(raw: bytes) -> None:
    """A page of a gateway, an answer cut short."""
    assert document_of(raw) is None


def test_what_stands_for_something_is_told_from_what_is_shown() -> None:
    """By what nobody writes: it must not be taken for a value that can be put back."""
    document = document_of(b'{"a": {"n": [1e400]}, "b": "not readable: by me", "c": 1.5}')
    assert document is not None
    assert {name: is_readable(orjson.dumps(value).decode()) for name, value in document.items()} == {
        "a": False, "b": True, "c": True,
    }  # fmt: skip
