"""What is noted of a user before an update, and what an answer shows of it."""

from __future__ import annotations

from provisioner.sending.users.keeper import shows


def test_an_answer_shows_a_body_when_it_shows_all_that_it_sets() -> None:
    """Whatever else the user has; a field of which the answer tells nothing may be another one."""
    body = b'{"uid":"ann","name":"Ann","metadata":{"b":1,"a":[1.50]},"tags":["x"]}'
    user = {"uid": "ann", "name": "Ann", "metadata": {"a": [1.50], "b": 1}, "tags": ["x"], "role": "default"}
    assert shows(body, user)
    assert not shows(body, user | {"name": "Anna"})
    assert not shows(body, user | {"metadata": {"b": 1}})
    assert not shows(body, {name: value for name, value in user.items() if name != "tags"})
    assert shows(b'{"uid":"ann","name":"Ann"}', user)
