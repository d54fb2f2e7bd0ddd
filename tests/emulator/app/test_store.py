"""Tests of what one app holds, in memory: users in their order, their tokens, deactivated uids."""

import pytest

from provisioner.emulator.app.store import Ending, Role, Store, StoredUser, Token, TokenLife

NOW = 1_700_000_000


@pytest.fixture
def store() -> Store:
    made = Store(tokens_per_user=2)
    made.create("ann", {"name": "Ann", "statusMessage": "away", "tags": ("x",)}, NOW)
    return made


def test_a_user_is_made_of_the_apis_fields(store: Store) -> None:
    """The API's names become ours; what was not given is not set."""
    assert store.users == {"ann": StoredUser("ann", "Ann", NOW, status_message="away", tags=("x",))}


def test_what_was_never_set_is_not_shown(store: Store) -> None:
    """Absent, not null; tags only where they are asked for."""
    shown = {
        "uid": "ann", "name": "Ann", "status": "offline", "statusMessage": "away", "role": "default", "createdAt": NOW,
    }  # fmt: skip
    assert store.users["ann"].public(with_tags=False) == shown
    assert store.users["ann"].public(with_tags=True) == {**shown, "tags": ("x",)}


def test_an_update_changes_clears_and_keeps(store: Store) -> None:
    """Given fields change, those in `unset` are cleared, the rest stays."""
    updated = store.update("ann", {"name": "Anne"}, ["statusMessage"], NOW + 1)
    assert updated == StoredUser("ann", "Anne", NOW, tags=("x",), updated_at=NOW + 1)
    assert store.users["ann"] is updated


def test_a_deactivated_user_keeps_its_uid_and_its_tokens(store: Store) -> None:
    """It cannot be found among the active ones until it is shown again."""
    token = store.mint("ann", NOW)
    store.deactivate("ann", NOW + 1)
    assert store.active("ann") is None
    assert store.users["ann"].deactivated_at == NOW + 1
    store.reactivate("ann")
    assert store.active("ann") == store.users["ann"]
    assert store.tokens("ann") == (token,)


def test_a_deleted_user_is_forgotten_with_its_tokens(store: Store) -> None:
    """The uid is free again, and a new user of that uid has no token."""
    store.mint("ann", NOW)
    store.delete("ann", 9)
    assert store.users == {}
    store.create("ann", {"name": "Ann"}, NOW)
    assert store.tokens("ann") == ()


def test_the_oldest_token_goes_when_there_are_too_many(store: Store) -> None:
    """No more tokens than the app allows, the newest of them."""
    first, second, third = (store.mint("ann", NOW + number) for number in range(3))
    assert store.tokens("ann") == (second, third)
    assert store.token("ann", first.value) is None
    assert store.token("ann", third.value) == third


def test_tokens_are_revoked_one_by_one_or_all_at_once(store: Store) -> None:
    """Whoever is not meant keeps theirs."""
    store.create("bob", {"name": "Bob"}, NOW)
    kept, first, second = store.mint("bob", NOW), store.mint("ann", NOW), store.mint("ann", NOW)
    store.revoke(first, 8)
    assert store.tokens("ann") == (second,)
    store.flush("ann", 9)
    assert (store.tokens("ann"), store.tokens("bob")) == ((), (kept,))


def test_the_life_of_every_token_is_known(store: Store) -> None:
    """When it ended and what ended it, those that have ended first; and whose a living one is."""
    store.create("bob", {"name": "Bob"}, NOW)
    first, second, third = (store.mint("ann", NOW + number) for number in range(3))
    store.revoke(second, NOW + 5)
    store.flush("ann", NOW + 6)
    fourth, fifth = store.mint("ann", NOW + 7), store.mint("bob", NOW + 7)
    assert [store.owner(each.value) for each in (third, fourth, fifth)] == [
        None,
        store.users["ann"],
        store.users["bob"],
    ]
    store.delete("bob", NOW + 8)
    assert store.owner(fifth.value) is None
    assert list(store.lives()) == [
        TokenLife(first, NOW + 2, Ending.PUSHED_OUT), TokenLife(second, NOW + 5, Ending.REVOKED),
        TokenLife(third, NOW + 6, Ending.FLUSHED), TokenLife(fifth, NOW + 8, Ending.DELETED), TokenLife(fourth),
    ]  # fmt: skip


def test_the_owner_of_a_token_from_elsewhere_is_found(store: Store) -> None:
    """Whatever form it has."""
    store.put(store.users["ann"], [Token("ann", "t-1", NOW)])
    assert store.owner("t-1") == store.users["ann"]
    assert store.owner("t-2") is None


def test_a_token_names_its_user_and_is_never_printed(store: Store) -> None:
    """Two tokens of one second differ, and `repr` shows neither."""
    one, other = store.mint("ann", NOW), store.mint("ann", NOW)
    assert one.value != other.value
    assert one.value.startswith(f"ann_{NOW}")
    assert one.value not in repr(one)
    assert one.public() == {"uid": "ann", "authToken": one.value, "createdAt": NOW}


def test_users_are_selected_in_order_of_creation(store: Store) -> None:
    """Those that are wanted, the oldest first."""
    for uid in ("zoe", "bob"):
        store.create(uid, {"name": uid}, NOW)
    assert [user.uid for user in store.select(lambda user: user.uid != "ann")] == ["zoe", "bob"]


def test_a_role_shows_what_was_set() -> None:
    """Members that were never set are absent."""
    assert Role("boss", "Boss", NOW).public() == {"role": "boss", "name": "Boss", "createdAt": NOW}
    assert Role("boss", "Boss", NOW, settings={"a": 1}).public()["settings"] == {"a": 1}
