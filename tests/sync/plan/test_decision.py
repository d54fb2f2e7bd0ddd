"""What has to be done for one row: every combination of what is known, against a plain model of the server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from provisioner.model import FIELDS, Action, Live, Standing
from provisioner.sending.users import profile
from provisioner.sync.plan.decision import Decision, Wanted, decide

ALL = frozenset(FIELDS)
ANN = {"name": '"Ann"', "avatar": '"https://x.test/a"', "role": '"nurse"', "tags": '["a","b"]'}
ANNA = {"name": '"Anna"', "role": '"nurse"', "tags": '["b"]', "metadata": '{"n":1}'}
ACTIVE, DEACTIVATED = Standing.ACTIVE, Standing.DEACTIVATED


def wanted(members: Mapping[str, str], body_hash: str = "new", managed: frozenset[str] = ALL) -> Wanted:
    return Wanted(body_hash, members, profile.digests(members), managed)


def live(members: Mapping[str, str] | None, standing: Standing = ACTIVE, body_hash: str | None = "old") -> Live:
    return Live(body_hash, None if members is None else profile.digests(members), standing)


def test_a_body_is_read_into_what_is_wanted() -> None:
    """The uid is no field of a profile."""
    body = '{"uid":"ann","name":"Ann","avatar":"https://x.test/a","role":"nurse","tags":["a","b"]}'
    read = Wanted.of(body, "new", ALL)
    assert read == Wanted("new", {"uid": '"ann"', **ANN}, profile.digests(ANN), ALL)


def test_a_user_that_is_as_the_roster_has_it_costs_nothing() -> None:
    """Known by the hash of its row, or by its digests."""
    assert decide(wanted(ANN, "same"), live(None, body_hash="same"), exists=True) is None
    assert decide(wanted(ANN), live(ANN), exists=True) is None


def test_a_user_that_does_not_exist_is_created() -> None:
    """The update that it needs should it exist after all says everything."""
    decision = decide(wanted(ANN), None, exists=False)
    body = b'{"name":"Ann","avatar":"https://x.test/a","role":"nurse","tags":["a","b"],"unset":["link","metadata"]}'
    assert decision == Decision(Action.CREATE, (), body, live(ANN, body_hash="new"))


def test_an_update_says_only_what_has_changed() -> None:
    """Changed, new and emptied fields, in the order of the profile."""
    assert decide(wanted(ANNA), live(ANN), exists=True) == Decision(
        Action.UPDATE,
        ("name", "avatar", "metadata", "tags"),
        b'{"name":"Anna","metadata":{"n":1},"tags":["b"],"unset":["avatar"]}',
        live(ANNA, body_hash="new"),
    )


def test_a_field_the_roster_has_no_column_for_is_left_alone() -> None:
    """It is not said, and what was known of it stays known."""
    managed = frozenset({"name", "tags"})
    decision = decide(wanted({"name": '"Anna"', "tags": '["a","b"]'}, managed=managed), live(ANN), exists=True)
    known = live({**ANN, "name": '"Anna"'}, body_hash="new+13")
    assert decision == Decision(Action.UPDATE, ("name",), b'{"name":"Anna"}', known)
    emptied = wanted({"name": '"Anna"', "tags": '["a","b"]'}, managed=managed | {"avatar"})
    again = decide(emptied, known, exists=True)
    assert again is not None
    assert (again.fields, again.payload, again.after.body_hash) == (("avatar",), b'{"unset":["avatar"]}', "new+3")


def test_a_column_that_is_dropped_changes_nobody() -> None:
    """The row is another one, and nothing is to be done."""
    managed = frozenset({"name", "role", "tags"})
    fewer = {name: text for name, text in ANN.items() if name in managed}
    assert decide(wanted(fewer, managed=managed), live(ANN), exists=True) is None


@pytest.mark.parametrize(
    ("live_hash", "managed", "fields", "payload", "after"),
    [
        ("new+13", {"name", "avatar"}, ("avatar",), b'{"unset":["avatar"]}', "new+3"),
        ("new+1", {"name"}, None, b"", ""),
        ("old+13", {"name", "avatar"}, ("name", "avatar"), b'{"name":"Ann","unset":["avatar"]}', "new+2356"),
        ("old+1", {"name"}, ("name",), b'{"name":"Ann"}', "new+12356"),
    ],
)
def test_what_a_user_may_have_besides_its_row_goes_once_it_has_a_column(
    live_hash: str, managed: set[str], fields: tuple[str, ...] | None, payload: bytes, after: str
) -> None:
    """Nothing but the hash is known of whom a run left: of the same row no more is said, and the rest stays known.

    Of another row it is not known which fields it had: any may be there that has no column now.
    """
    row = wanted({"name": '"Ann"'}, managed=frozenset(managed))
    decision = decide(row, live(None, body_hash=live_hash), exists=True)
    told = decision and (decision.fields, decision.payload, decision.after.body_hash)
    assert told == (None if fields is None else (fields, payload, after))


@pytest.mark.parametrize("body_hash", ["old", "new"])
def test_a_returner_whose_row_is_the_same_is_only_reactivated(body_hash: str) -> None:
    """Known by the hash or by the digests: no update."""
    known = live(ANN, DEACTIVATED, body_hash)
    assert decide(wanted(ANN), known, exists=True) == Decision(Action.REACTIVATE, (), b"", live(ANN, body_hash="new"))


def test_a_returner_whose_row_has_changed_is_reactivated_and_updated() -> None:
    """With only what has changed."""
    decision = decide(wanted({**ANN, "name": '"Anna"'}), live(ANN, DEACTIVATED), exists=True)
    known = live({**ANN, "name": '"Anna"'}, body_hash="new")
    assert decision == Decision(Action.REACTIVATE, ("name",), b'{"name":"Anna"}', known)


@pytest.mark.parametrize(
    ("last", "action"),
    [
        (None, Action.UPDATE),
        (Action.UPDATE, Action.UPDATE),
        (Action.REACTIVATE, Action.REACTIVATE),
        (Action.DEACTIVATE, Action.REACTIVATE),
        (Action.CREATE, Action.CREATE),
    ],
)
def test_what_is_in_doubt_is_done_again_in_full(last: Action | None, action: Action) -> None:
    """A create too, though the user was there once: only a create can tell that it was ours, and has its token."""
    decision = decide(wanted(ANN), None, exists=True, last=last)
    assert decision is not None
    assert (decision.action, decision.after) == (action, live(ANN, body_hash="new"))
    assert decision.payload == decide(wanted(ANN), None, exists=False).payload  # type: ignore[union-attr]


@pytest.mark.parametrize("last", [Action.UPDATE, Action.REACTIVATE, Action.DEACTIVATE])
@pytest.mark.parametrize(("unsure", "after"), [(ANN, "new+136"), ({"name": '"A"'}, "new"), (None, "new+12356")])
def test_what_is_not_managed_while_in_doubt_goes_once_it_has_a_column(
    last: Action, unsure: dict[str, str] | None, after: str
) -> None:
    """What may be there remains known, and where nothing is known of it, any field may be there."""
    may_be = None if unsure is None else profile.digests(unsure)
    row = wanted({"name": '"Ann"'}, managed=frozenset({"name"}))
    decision = decide(row, None, exists=True, last=last, unsure=may_be)
    assert decision is not None
    assert (decision.fields, decision.payload, decision.after.body_hash) == (("name",), b'{"name":"Ann"}', after)
    back = decide(wanted({"name": '"Ann"'}, managed=frozenset({"name", "avatar"})), decision.after, exists=True)
    told = back and (back.action, back.fields, back.payload)
    assert told == ((Action.UPDATE, ("avatar",), b'{"unset":["avatar"]}') if "1" in after else None)


@pytest.mark.parametrize(("exists", "last"), [(False, None), (True, Action.CREATE)])
def test_who_is_created_has_its_row_and_no_more(exists: bool, last: Action | None) -> None:
    """Whatever the one before it had."""
    row = wanted({"name": '"Ann"'}, managed=frozenset({"name"}))
    decision = decide(row, None, exists=exists, last=last, unsure=profile.digests(ANN))
    made = live({"name": '"Ann"'}, body_hash="new")
    assert decision == Decision(Action.CREATE, (), b'{"name":"Ann"}', made)


# --- against a model of the server -----------------------------------------------------------------------------------


@dataclass
class Server:
    """One user, or none; does with each action what the API and `changes` do."""

    user: dict[str, Any] | None
    active: bool = True

    def create(self, body: Mapping[str, Any], update: bytes) -> None:
        if self.user is None:
            self.user, self.active = dict(body), True
            return
        self.active = True
        self.put(update)

    def put(self, body: bytes) -> None:
        assert self.user is not None
        assert self.active
        if body:
            sent = json.loads(body)
            unset = sent.pop("unset", [])
            self.user = {name: value for name, value in {**self.user, **sent}.items() if name not in unset}

    def carry_out(self, decision: Decision, body: Mapping[str, Any]) -> None:
        match decision.action:
            case Action.CREATE:
                self.create(body, decision.payload)
            case Action.UPDATE:
                assert decision.payload, "an update that says nothing"
                self.put(decision.payload)
            case Action.REACTIVATE:
                self.active = True
                self.put(decision.payload)
            case Action.DEACTIVATE:
                raise AssertionError("nobody in the roster is deactivated")

    @property
    def shown(self) -> dict[str, Any]:
        assert self.user is not None
        plain = {name: value for name, value in self.user.items() if value not in ("", [])}
        return {name: sorted(value) if name == "tags" else value for name, value in plain.items()}


def loaded(members: Mapping[str, str]) -> dict[str, Any]:
    return {name: json.loads(text) for name, text in members.items()}


def without_default(user: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in user.items() if (name, value) != ("role", "default")}


KNOWN = ["nothing", "doubt", "all", "digests", "existence"]
# What is known for certain is true: of nobody, nothing is.
SERVERS = [*product([None], ["nothing", "doubt"]), *product(product([ANN, ANNA], [True, False]), KNOWN)]


@pytest.mark.parametrize(("there", "known"), SERVERS)
@pytest.mark.parametrize("last", [None, *Action])
@pytest.mark.parametrize("row", [ANN, ANNA])
def test_the_server_ends_as_the_roster_has_it(
    there: tuple[dict[str, str], bool] | None, known: str, last: Action | None, row: dict[str, str]
) -> None:
    """Whatever was there and however much of it is known for certain; and what is known then is true."""
    profile_there, active = there or (None, True)
    server = Server(loaded(profile_there) if profile_there else None, active)
    certain = {
        "nothing": None,
        "doubt": None,
        "all": Live(repr(profile_there), profile.digests(profile_there or {}), ACTIVE if active else DEACTIVATED),
        "digests": Live(None, profile.digests(profile_there or {}), ACTIVE if active else DEACTIVATED),
        "existence": Live(None, None, ACTIVE if active else DEACTIVATED),
    }[known]
    decision = decide(wanted(row, repr(row)), certain, exists=known != "nothing", last=last)
    if decision is not None:
        if known == "doubt" and (there is None or not active) and decision.action is Action.UPDATE:
            # The update meets a 404; `changes` then does what it takes.
            server.create(loaded(row), decision.payload)
        elif known == "doubt" and there is None and decision.action is Action.REACTIVATE:
            server.create(loaded(row), decision.payload)
        else:
            server.carry_out(decision, loaded(row))
        assert decision.after == Live(repr(row), profile.digests(row), ACTIVE)
    assert server.active
    assert without_default(server.shown) == loaded(row)
    if known in {"all", "digests"} and there is not None and active:
        assert (decision is None) is (profile_there == row)
