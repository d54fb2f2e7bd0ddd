"""Bodies of requests: what they say, in which order, and how long they are at the most."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from provisioner.model import FIELDS, TOKEN_BYTES
from provisioner.validation.fields.structured.bodies import most_bytes, write_bodies
from tests.rig.checking import check


def test_the_fields_that_a_body_fills_are_told() -> None:
    """A bit for each, in the order of `FIELDS`; what stands for nothing fills none."""
    full = {"uid": "a", "name": "A", "avatar": "https://e.org/", "link": "https://e.org/", "role": "r",
            "statusMessage": "s", "metadata": "{}", "tags": "x"}  # fmt: skip
    rows = [{"uid": "a", "name": "A"}, *({"uid": "a", "name": "A", field: full[field]} for field in FIELDS[1:]), full]
    given = [{**dict.fromkeys(full, ""), **row, "uid": f"u{at}"} for at, row in enumerate(rows)]
    assert check(given).valid["filled"].to_list() == [1, 3, 5, 9, 17, 33, 65, 127]


def test_the_body_has_a_fixed_order_and_nothing_escaped_that_need_not_be() -> None:
    """Bytes count towards a limit, and the journal compares bodies by hash."""
    checked = check([{
        "withAuthToken": "true", "tags": "x;y", "metadata": '{ "b" : "é/\\u00e9\\u0001" , "a" : null }',
        "statusMessage": 'say "hi"\\\n\x7f', "role": "Member", "link": 'https://e.org/"\\', "avatar": "https://e.org/ä",
        "name": " Zoë\u2028😀 ", "uid": " AnN ",
    }])  # fmt: skip
    assert checked.valid.drop("role", "deactivated", "filled").rows() == [(
        1,
        "ann",
        ('{"uid":"ann","name":"Zoë\u2028😀","avatar":"https://e.org/ä","link":"https://e.org/\\"\\\\",'
        '"role":"member","statusMessage":"say \\"hi\\"\\\\\\n\x7f","metadata":{"b":"é/é\\u0001","a":null},'
        '"tags":["x","y"]}'),
        False,
    )]  # fmt: skip


_FIELDS = ("uid", "name", "avatar", "link", "role", "statusMessage", "metadata", "tags")


@given(st.lists(st.lists(st.none() | st.text(max_size=30), min_size=8, max_size=8), min_size=1, max_size=3))
def test_no_body_is_longer_than_it_may_be_at_most(rows: list[list[str | None]]) -> None:
    """Whatever has to be escaped in it, and with a token asked for."""
    fields = pl.DataFrame(rows, schema=dict.fromkeys(_FIELDS, pl.String), orient="row")
    bodies = write_bodies(fields.with_columns(name_suspicious=pl.lit(value=True)))
    for body, most in zip(bodies, most_bytes(fields), strict=True):
        assert len(body.encode()) + TOKEN_BYTES <= most


def test_a_body_leaves_out_what_is_missing() -> None:
    """Uid and name are always there; metadata and tags are JSON already; a role is sent in lower case."""
    missing = {"avatar": None, "link": None, "role": None, "statusMessage": None, "metadata": None, "tags": None}
    full = {"avatar": "https://e/a", "link": "https://e/l", "role": "Boss", "statusMessage": 'so "so"',
            "metadata": '{"k":1}', "tags": '["t"]'}  # fmt: skip
    rows = [{"uid": "a", "name": "A\n", **missing}, {"uid": "b", "name": "B", **full}]
    schema = dict.fromkeys(("uid", "name", *missing), pl.String)
    fields = pl.DataFrame(rows, schema=schema).with_columns(name_suspicious=pl.lit(value=True))
    bodies = [json.loads(text) for text in write_bodies(fields)]
    assert bodies == [
        {"uid": "a", "name": "A\n"},
        {"uid": "b", "name": "B", **full, "role": "boss", "metadata": {"k": 1}, "tags": ["t"]},
    ]
