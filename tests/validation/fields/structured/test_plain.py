"""Objects that need not be parsed: what is taken for one is one, and no key comes twice in it."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from provisioner.validation.fields.structured.metadata import read_metadata
from provisioner.validation.fields.structured.plain import compact_objects
from tests.rig.checking import bound

USUAL = [
    '{"dept":"x","@private":{"email":"a@e.org","phone":"1"},"langs":["en","nb"]}',
    '{"dept":"y","langs":[]}',
    '{"site":"faro","dept":"z"}',
]


@pytest.mark.parametrize("crowd", [1, 1_000])
@pytest.mark.parametrize(
    ("text", "compact"),
    [
        ('{"dept":"x", "langs": ["a", "b"]}', '{"dept":"x","langs":["a","b"]}'),
        ('{"dept": "a: b, c"}', '{"dept":"a: b, c"}'),
        ('{"dept":"x","dept":"y"}', None),
        ('{"@private":{"email":"a","email":"b"}}', None),
        ('{"dept":"x",', None),
        ('{"dept":"x","', None),
        ('{"dept":"x"}}', None),
        ('{"dept":"x"} {"dept":"x"}', None),
        ('{"dept":"x"', None),
        ('{"dept":x}', None),
        ('{"dept":1.5}', None),
        ('{"dept":", "}', None),
        ('{"dept":"\\u0041"}', None),
        ('["dept"]', None),
        (None, None),
    ],
)
def test_only_what_is_whole_and_has_each_key_once_is_plain(text: str | None, compact: str | None, crowd: int) -> None:
    """Whether there are many like it or few; the blanks of programs go."""
    given = pl.Series("text", [*USUAL * crowd, text], pl.String)
    if text == '{"dept":", "}':
        given = given.head(0).extend(pl.Series("text", ['{"a": ", "}'] * len(given)))
        compact = None
    assert compact_objects(given).to_list()[-1] == compact


def test_plain_objects_are_told_in_small_rosters_and_in_large_ones() -> None:
    """The keys may be missing here and there; those of an object within are as one of the sample has them."""
    for crowd in (1, 1_000):
        assert compact_objects(pl.Series("text", USUAL * crowd)).to_list() == USUAL * crowd


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b", "c d", "e.f", "ü", "(x", "", " y", "z,", "^$"]),
            st.recursive(
                st.sampled_from(["x", "", ", ", ": ", 'q"', "é", 1, 0, -5, True, None]), st.lists, max_leaves=3
            )
            | st.dictionaries(st.sampled_from(["a", "b", "k"]), st.sampled_from(["x", 2, None, ": "])),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
)
def test_many_rows_are_read_as_each_is_alone(objects: list[dict[str, object]], separators: tuple[str, str]) -> None:
    """What a sample of them has in common speeds them up and changes nothing."""
    texts = [json.dumps(each, ensure_ascii=False, separators=separators) for each in objects]
    frame = pl.DataFrame({"metadata": texts * 1_100})
    read = read_metadata(frame, bound(frame, {})).unique()
    compact = {json.dumps(each, ensure_ascii=False, separators=(",", ":")) for each in objects}
    assert set(read.rows()) == {(each, None, None) for each in compact}


def test_objects_of_very_many_keys_are_read_all_the_same() -> None:
    """A pattern of all of them would be longer than polars takes, or take seconds to be made."""
    objects: list[dict[str, object]] = [
        {f"k{row * 7 % 64}": {f"q{row * 11 % 30 + key}": 1 for key in range(40)}} for row in range(1_100)
    ]
    objects.append({f"k{key}": key for key in range(3_000)})
    texts = [json.dumps(each, separators=(",", ":")) for each in objects]
    frame = pl.DataFrame({"metadata": texts})
    assert read_metadata(frame, bound(frame, {})).rows() == [(text, None, None) for text in texts]
