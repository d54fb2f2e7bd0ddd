"""Types in Parquet: what is text in a type of its own is read as that text, and nothing ends in a crash."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from provisioner.roster.formats.parquetfooter import footer_columns
from tests.rig.cases import SAMPLES, document, events, refusal, sent, users
from tests.rig.command import ROOT

TYPES = SAMPLES / "parquet-types"
ANN, BOB = {"uid": "a1", "name": "Ann"}, {"uid": "b2", "name": "Bob"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("p-uuid", [ANN | {"uid": str(uuid.UUID(int=1))}, BOB | {"uid": str(uuid.UUID(int=2))}]),
        ("p-json", [ANN | {"metadata": {"a": 1}}, BOB | {"metadata": {"b": 2}}]),
        ("p-json-noschema", [ANN | {"metadata": {"a": 1}}, BOB | {"metadata": {"b": 2}}]),
        ("p-binary", [ANN, BOB | {"name": "Zoë"}]),
        ("p-ext-unused", [ANN, BOB]),
        ("p-dict", [ANN | {"role": "default", "tags": ["x", "y"]}, BOB | {"tags": ["z"]}]),
        ("p-map", [ANN | {"metadata": {"dept": "R&D", "n": "1"}}, BOB]),
        ("p-nulltype", [ANN, BOB]),
        ("p-pandas-index", [ANN, BOB]),
        ("p-pandas-filtered", [BOB, ANN]),
    ],
)
def test_the_samples_are_read(tmp_path: Path, name: str, expected: list[dict[str, Any]]) -> None:
    """As the people that are in them."""
    assert users(TYPES / f"{name}.parquet", tmp_path) == expected


@pytest.mark.parametrize("kind", [pl.String(), pl.Binary()])
def test_a_nul_in_a_cell_is_told_with_its_row_whatever_the_text_is_kept_as(tmp_path: Path, kind: pl.DataType) -> None:
    """Bytes that are UTF-8 are text, with a NUL in one of them as without; numbers in bytes are none."""
    frame = pl.DataFrame(
        {"uid": ["a1", "b\0", "c3"], "name": ["Ann", "Bob", "Cy"], "n": ["\0\0\1", "\0\0\2", "\1\0\0"]}
    )
    frame.cast(kind).write_parquet(tmp_path / "r.parquet")
    found = document(tmp_path / "r.parquet", tmp_path)
    assert {code: each["first_rows"] for code, each in found["defects"].items()} == {"uid.charset": [2]}
    if isinstance(kind, pl.Binary):
        message = refusal(tmp_path / "r.parquet", tmp_path, columns={"metadata": {"n": "n"}})
        assert "column 'n' holds Binary, of which no metadata.n can be made" in message


def test_the_only_value_of_bytes_may_have_a_nul(tmp_path: Path) -> None:
    """One of one is not most of them."""
    frame = pl.DataFrame({"uid": ["a1", "b2"], "name": ["Ann", "Bob"], "role": [None, "x\0"]})
    frame.with_columns(pl.col("role").cast(pl.Binary)).write_parquet(tmp_path / "r.parquet")
    found = document(tmp_path / "r.parquet", tmp_path)
    assert [each["first_rows"] for each in found["defects"].values()] == [[2]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "p-timestamps",
            "column 'metadata.dur' holds Duration(time_unit='us'), of which no metadata.dur can be made; write",
        ),
        (
            "p-fixedbin-uuid",
            "column 'uid' holds Binary, of which no uid can be made; write it as text: a UUID as 6f9619ff",
        ),
        ("p-struct-name", "of which no name can be made; write the member that is meant"),
        ("p-tags-struct", "of which no tags can be made; write it as text, or as a list of texts"),
    ],
)
def test_a_type_of_which_no_field_can_be_made_is_refused(tmp_path: Path, name: str, message: str) -> None:
    """With the column, its type and what to do."""
    assert message in refusal(TYPES / f"{name}.parquet", tmp_path)


@pytest.mark.parametrize(
    ("name", "columns", "metadata"),
    [
        ("zones", {"joined": "joined"}, {"joined": "2024-01-01T12:00:00+00:00"}),
        ("zones", {"visits": "visits"}, {"visits": [{"at": "2024-01-01T12:00:00+00:00"}]}),
        ("zones", {}, None),
        ("date64", {"born": "born", "seen": "seen"}, {"born": "2024-01-01", "seen": "2024-01-01T00:00:00"}),
        (
            "date64",
            {"x": "days"},
            {"x": {"on": "2024-01-01", "at": ["2024-01-01T00:00:00"], "off": {"k": "2024-01-01"}}},
        ),
    ],
)
def test_moments_of_any_zone_and_dates_are_read(
    tmp_path: Path, name: str, columns: dict[str, str], metadata: dict[str, Any] | None
) -> None:
    """A zone that nothing else knows hinders no other column, and its moments are those in UTC."""
    mapping: dict[str, Any] = {"metadata": columns} if columns else {}
    ann, bob = users(ROOT / f"tests/rig/data/{name}.parquet", tmp_path, columns=mapping)
    assert (ann, bob) == (ANN | ({"metadata": metadata} if metadata else {}), BOB)


def test_twin_columns_are_refused_by_name(tmp_path: Path) -> None:
    """Polars reads neither of them."""
    message = refusal(SAMPLES / "same-names" / "p-dup.parquet", tmp_path)
    assert message.endswith("p-dup.parquet: two columns are named 'name'; rename or remove one")


def test_bytes_within_the_metadata_reject_the_row(tmp_path: Path) -> None:
    """The message names the member."""
    found = document(TYPES / "p-nested-bin.parquet", tmp_path)
    assert (found["rejected_by_code"], sent(found)) == ({"metadata.not_an_object": 1}, [BOB])
    rejected = pl.read_parquet(found["outputs"]["rejected"])
    assert "'photo' holds a value of type bytes" in rejected["_errors"].item()


def test_large_floats_of_32_bits_are_warned_of(tmp_path: Path) -> None:
    """They may be rounded; small ones are exact."""
    assert [event["event"] for event in events(TYPES / "p-float16-32.parquet", tmp_path)] == ["number.rounded"]
    path = tmp_path / "small.parquet"
    pl.DataFrame({"uid": pl.Series([1.0, None], dtype=pl.Float32), "name": ["a", "b"]}).write_parquet(path)
    assert events(path, tmp_path) == []


@pytest.mark.parametrize("kind", [pl.Float64(), pl.Float32()])
def test_floats_of_more_digits_than_they_hold_are_rounded_and_never_to_be_encoded(
    tmp_path: Path, kind: pl.DataType
) -> None:
    """As a uid: the digits are gone. Elsewhere, and where they are exact, they are no such defect."""
    path = tmp_path / "r.parquet"
    ids = pl.Series([1.2345678901234568e17, 2.0**60, -(2.0**70), None], dtype=kind)
    pl.DataFrame({"uid": ids, "name": ["a", "b", "c", "d"], "metadata.n": ids}).write_parquet(path)
    found = document(path, tmp_path)
    defects = {code: each["first_rows"] for code, each in found["defects"].items()}
    assert defects == {"uid.rounded": [1, 2, 3], "uid.missing": [4]}
    assert "encode" not in json.dumps(found["defects"])
    exact = pl.Series([2.0**53 - 1, 7.0], dtype=pl.Float64)
    pl.DataFrame({"uid": exact, "name": ["a", "b"]}).write_parquet(path)
    assert users(path, tmp_path) == [{"uid": "9007199254740991", "name": "a"}, {"uid": "7", "name": "b"}]
    pl.DataFrame({"uid": ["x", "y"], "name": ["a", "b"], "metadata.n": [2.0**60, 1.0]}).write_parquet(path)
    assert document(path, tmp_path)["exit_code"] == 0


def test_bytes_that_are_not_all_text_stay_bytes(tmp_path: Path) -> None:
    """Wherever the first such value is; unused they do not matter."""
    path = tmp_path / "b.parquet"
    photos = [b"text"] * 2_000 + [b"\xff\xd8"]
    people = {"uid": [f"u{row}" for row in range(2_001)], "name": ["n"] * 2_001}
    pl.DataFrame({**people, "photo": photos}).write_parquet(path, row_group_size=500)
    assert document(path, tmp_path)["rejected"] == 0
    message = refusal(path, tmp_path, columns={"name": "photo"})
    assert "column 'photo' holds Binary, of which no name can be made" in message


def test_a_footer_that_is_none_says_nothing(tmp_path: Path) -> None:
    """Whatever bytes stand there."""
    path = tmp_path / "x.parquet"
    for footer in (b"", b"\x15", b"\x19\xfc\xff\xff\xff\xff\x0f", b"\x1c" * 200, b"\x8b\x00"):
        path.write_bytes(b"PAR1" + footer + len(footer).to_bytes(4, "little") + b"PAR1")
        assert footer_columns(path) == ()


@pytest.mark.parametrize(
    "kind", [pl.Categorical(), pl.Enum([" Sales ", "", "NULL", "yes", "https://x/y", "uid", "name", "a1"])]
)
def test_texts_that_are_kept_in_a_dictionary_are_texts(tmp_path: Path, kind: pl.DataType) -> None:
    """Trimmed, and missing where the word says so, as others are; rejected rows have the type that the roster has."""
    plain = pl.DataFrame(
        {
            "uid": ["a1", "uid", "NULL", None],
            "name": [" Sales ", "name", "yes", "a1"],
            "avatar": ["NULL", None, "https://x/y", "yes"],
            "metadata.dept": [" Sales ", "", "NULL", "yes"],
        }
    )
    plain.cast(kind).write_parquet(tmp_path / "r.parquet")
    plain.write_parquet(tmp_path / "s.parquet")
    (tmp_path / "s").mkdir()
    kept, text = document(tmp_path / "r.parquet", tmp_path), document(tmp_path / "s.parquet", tmp_path / "s")
    assert sent(kept) == sent(text) == [{"uid": "a1", "name": "Sales", "metadata": {"dept": "Sales"}}]
    assert kept["defects"] == text["defects"]
    assert set(kept["defects"]) == {"row.header_again", "uid.missing", "uid.placeholder", "avatar.not_a_url"}
    rejected = pl.read_parquet(tmp_path / "checked.check.rejected.parquet")
    assert rejected.drop("_row", "_errors").cast(pl.String).equals(plain[1:])
    assert set(rejected.drop("_row", "_errors").dtypes) == {kind}
    again = rejected.cast({"_errors": pl.Categorical()})
    again.write_parquet(tmp_path / "s" / "again.parquet")
    assert document(tmp_path / "s" / "again.parquet", tmp_path / "s")["defects"].keys() == kept["defects"].keys()


@pytest.mark.parametrize(("second", "is_twice"), [("kkb", False), ("kka", True)])
@pytest.mark.parametrize(("name", "columns"), [("metadata", {}), ("more", {"metadata": {"more": "more"}})])
def test_a_map_in_which_a_key_comes_twice_is_refused(
    tmp_path: Path, second: str, is_twice: bool, name: str, columns: dict[str, Any]
) -> None:
    """Only one of the values can be read; no polars writes such a file, others do."""
    keys = pl.Series([[{"key": "kka", "value": "1"}, {"key": "kkb", "value": "2"}], [], None]).cast(
        pl.Map(pl.String(), pl.String())
    )
    path = tmp_path / "r.parquet"
    pl.DataFrame({"uid": ["a1", "b2", "c3"], "name": ["A", "B", "C"], name: keys}).write_parquet(
        path, compression="uncompressed", statistics=False
    )
    path.write_bytes(path.read_bytes().replace(b"kkb", second.encode()))
    if is_twice:
        said = "in one of its maps a key comes twice, of which one value would be lost; write each key once"
        assert refusal(path, tmp_path, columns=columns) == f"r.parquet: column {name!r}: {said}"
    else:
        found = users(path, tmp_path, columns=columns)[0]["metadata"]
        assert found == ({"more": {"kka": "1", "kkb": "2"}} if columns else {"kka": "1", "kkb": "2"})
