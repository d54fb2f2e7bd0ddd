"""Tests of the table of endpoints: which path is which, before anything is done."""

import pytest

from provisioner.emulator.app.limits import Group
from provisioner.emulator.endpoints import tokens, users
from provisioner.emulator.endpoints.routes import NOWHERE, PREFIX, ROUTES, find


@pytest.mark.parametrize(("method", "template"), ROUTES)
def test_every_endpoint_is_found_by_its_path(method: str, template: str) -> None:
    """With what fills the braces."""
    path = template.replace("{uid}", "ann").replace("{token}", "t1").replace("{role}", "boss")
    found = find(method, PREFIX + path)
    assert (found.template, found.route) == (template, ROUTES[method, template])
    assert found.parts == {
        name: value for name, value in (("uid", "ann"), ("token", "t1"), ("role", "boss")) if f"{{{name}}}" in template
    }


@pytest.mark.parametrize(
    "path",
    ["/users", "/v4/users", "/v3", "/v3/", "/v3/nothing", "/v3/users/", "/v3//users", "/v3/users/a/tokens"],
)  # fmt: skip
def test_any_other_path_leads_nowhere(path: str) -> None:
    """An empty segment is none, and so is a path below an endpoint."""
    assert find("GET", path) == NOWHERE


def test_a_known_path_with_another_method_has_no_route() -> None:
    """The template is still known, for the audit."""
    found = find("PATCH", "/v3/users/ann")
    assert (found.template, found.route, found.parts) == ("/users/{uid}", None, {"uid": "ann"})


def test_a_segment_is_decoded_after_the_path_was_taken_apart() -> None:
    """A slash that was encoded stays in its segment."""
    assert find("GET", "/v3/users/a%2Fb%20c").parts == {"uid": "a/b c"}


def test_an_auth_only_key_could_create_and_mint_and_nothing_else() -> None:
    """Those two and no other are open to it, when the switch is on."""
    assert {route.handle for route in ROUTES.values() if route.auth_only} == {users.create, tokens.mint}


def test_what_creates_mints_and_deletes_counts_as_core() -> None:
    """The stricter reading of the two limits."""
    assert {call for call, route in ROUTES.items() if route.group is Group.CORE} == {
        ("POST", "/users"),
        ("DELETE", "/users"),
        ("DELETE", "/users/{uid}"),
        ("POST", "/users/{uid}/auth_tokens"),
    }
