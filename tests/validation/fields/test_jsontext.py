"""JSON as expressions: what `orjson` writes, without a Python object being made."""

from __future__ import annotations

from tests.rig.checking import check


def test_the_body_has_a_fixed_order_and_nothing_escaped_that_need_not_be() -> None:
    """Bytes count towards a limit, and the journal compares bodies by hash."""
    checked = check([{
        "withAuthToken": "true", "tags": "x;y", "metadata": '{ "b" : "é/\\u00e9\\u0001" , "a" : null }',
        "statusMessage": 'say "hi"\\\n\x7f', "role": "Member", "link": 'https://e.org/"\\', "avatar": "https://e.org/ä",
        "name": " Zoë\u2028😀 ", "uid": " AnN ",
    }])  # fmt: skip
    assert checked.valid.drop("role").rows() == [(
        1,
        "ann",
        ('{"uid":"ann","name":"Zoë\u2028😀","avatar":"https://e.org/ä","link":"https://e.org/\\"\\\\",'
        '"role":"member","statusMessage":"say \\"hi\\"\\\\\\n\x7f","metadata":{"b":"é/é\\u0001","a":null},'
        '"tags":["x","y"]}'),
        False,
    )]  # fmt: skip
