"""Tests of stored users as lines of JSON: what goes out comes back the same, and what cannot be is refused."""

from dataclasses import replace

import orjson
import pytest

from provisioner.emulator.app.settings import Clock, EmulatorSettings
from provisioner.emulator.app.store import StoredUser, Token
from provisioner.emulator.endpoints.context import Tenant
from provisioner.emulator.snapshot import restore, snapshot

NOW = 1_700_000_000
ANN = StoredUser("ann", "Ann", 1_600_000_000, "boss", "https://a", "https://l", "away", {"k": 1}, ("x", "y"), 5, 6)


def tenant(**settings: bool) -> Tenant:
    return Tenant(EmulatorSettings(**settings), Clock(wall=lambda: NOW, monotonic=lambda: 0.0))  # type: ignore[arg-type]


def test_users_come_back_as_they_went() -> None:
    """Every member, the order of creation, and the tokens."""
    first, second = tenant(), tenant()
    first.store.put(ANN, [Token("ann", "ann_1", ANN.created_at), Token("ann", "ann_2", ANN.created_at)])
    first.store.put(replace(ANN, uid="bob", tags=None, deactivated_at=None))
    assert restore(second, snapshot(first.store)) == 2
    assert second.store.users == first.store.users
    assert list(second.store.users) == ["ann", "bob"]
    assert second.store.tokens("ann") == first.store.tokens("ann")


def test_a_line_is_one_json_object_with_every_member() -> None:
    """What was never set is null, so that each line has the same columns."""
    here = tenant()
    here.store.put(StoredUser("ann", "Ann", NOW))
    (line,) = snapshot(here.store)
    assert line.endswith(b"}\n")
    assert orjson.loads(line) == {
        "uid": "ann", "name": "Ann", "created_at": NOW, "role": "default", "avatar": None, "link": None,
        "status_message": None, "metadata": None, "tags": None, "updated_at": None, "deactivated_at": None,
        "last_active_at": None, "tokens": [],
    }  # fmt: skip


def test_a_uid_is_enough() -> None:
    """The name is the uid as it is stored, and the user was created now; blank lines are none."""
    here = tenant()
    assert restore(here, [b'{"uid":"Ann"}', b"  ", b""]) == 1
    assert here.store.users == {"ann": StoredUser("ann", "ann", NOW)}


def test_a_uid_is_kept_as_the_app_keeps_it() -> None:
    """An app that does not lower-case uids gets them as they are."""
    here = tenant(lowercase_uids=False)
    restore(here, [b'{"uid":"Ann"}'])
    assert list(here.store.users) == ["Ann"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"{", "line 2 is no JSON: "),
        (b"[]", 'line 2 is no user: it needs a "uid"'),
        (b'{"uid":1}', 'line 2 is no user: it needs a "uid"'),
        (b'{"uid":"b","mail":"x"}', "line 2: a user has no 'mail', only uid, name, created_at, "),
        (b'{"uid":"b","created_at":true}', "line 2: created_at is True, which is no int"),
        (b'{"uid":"b","tags":"x"}', "line 2: tags is 'x', which is no list"),
        (b'{"uid":"b","tags":["x",1]}', "line 2: tags is ['x', 1], which holds more than texts"),
    ],
)
def test_a_line_that_is_no_user_is_named_and_none_is_put_there(line: bytes, message: str) -> None:
    """All lines are read before the first user is put there."""
    here = tenant()
    with pytest.raises(ValueError, match="line 2") as error:
        restore(here, [b'{"uid":"ann"}', line])
    assert str(error.value).startswith(message)
    assert here.store.users == {}
