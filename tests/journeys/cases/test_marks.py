"""Byte order marks: whatever text begins with one or two is simply read."""

from __future__ import annotations

import codecs
import gzip
from pathlib import Path

import pytest

from tests.rig.cases import SAMPLES, users

ZOE = [{"uid": "a1", "name": "Zoë"}]
TEXTS = {
    "r.csv": "uid,name\na1,Zoë\n",
    "r.tsv": "uid\tname\na1\tZoë\n",
    "r.txt": "uid;name\r\na1;Zoë\r\n",
    "r.ndjson": '{"uid":"a1","name":"Zoë"}\n',
    "r.json": '[{"uid":"a1","name":"Zoë"}]',
}


@pytest.mark.sampled
@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF8 * 2, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
    ],
)
def test_a_text_with_a_mark_is_read(tmp_path: Path, name: str, packed: bool, mark: bytes, encoding: str) -> None:
    """Either byte order, whatever separates the cells, compressed too."""
    data = mark + TEXTS[name].encode(encoding)
    path = tmp_path / (f"{name}.gz" if packed else name)
    path.write_bytes(gzip.compress(data) if packed else data)
    assert users(path, tmp_path) == ZOE


@pytest.mark.parametrize(
    ("name", "names"),
    [
        ("utf16-bom.csv", ["Zoë"]),
        ("double-bom.csv", ["Ann"]),
        ("bom.ndjson", ["Ann"]),
        ("utf8-plain.csv", ["Zoë Müller", "Łukasz"]),
    ],
)
def test_the_samples_are_read(tmp_path: Path, name: str, names: list[str]) -> None:
    """As the people that are in them."""
    assert [user["name"] for user in users(SAMPLES / "marks" / name, tmp_path)] == names
