"""The reader: every row comes back as it was written, and every broken file is told with its place."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provisioner.errors import ConfigurationError, RosterError, UsageError
from provisioner.roster.csv.blocks import BlockSizes
from provisioner.roster.csv.file import open_csv
from provisioner.roster.csv.header import HeaderOptions
from provisioner.roster.formats.parquetfile import open_parquet
from provisioner.roster.formats.rows import Roster
from provisioner.roster.reader import RosterOptions, open_roster
from provisioner.validation.vocabulary.recognition import recognise
from tests.rig.sampling import examples

HEADER = b"uid,name\n"
TINY = BlockSizes(first=7, block=5, longest_row=1000, first_batch=1, batch=2)


def rows_of(roster: Roster) -> list[tuple[object, ...]]:
    """All rows, once it is sure that they are numbered without a gap."""
    rows: list[tuple[object, ...]] = []
    for batch in roster.batches():
        assert batch.first_row == len(rows) + 1
        assert tuple(batch.frame.columns) == roster.columns
        rows += batch.frame.rows()
    return rows


def read(
    tmp_path: Path,
    data: bytes,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    limit: int | None = None,
) -> object:
    """The rows of a CSV, or what its reader says is wrong with it."""
    path = tmp_path / "r.csv"
    path.write_bytes(data)
    try:
        return rows_of(open_roster(path, RosterOptions(encoding=encoding, delimiter=delimiter, limit=limit)))
    except UsageError as error:
        return str(error).replace(str(path), "r.csv")


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (HEADER, []),
        (b"uid,name", []),
        (HEADER + b"007, Ann ", [("007", " Ann ")]),
        (HEADER + b'1,""\n2,\n3\n,\n', [("1", ""), ("2", None), ("3", None)]),
        (HEADER + b"\n\na,b\n\n\nc,d\n\n", [("a", "b"), ("c", "d")]),
        (HEADER + b"\r\na,b\r\n\r\n,\r\n", [("a", "b")]),
        (b"\n\r\n" + HEADER + b"a,b", [("a", "b")]),
        (b"\xef\xbb\xbf" + HEADER + b"a,b", [("a", "b")]),
        (HEADER + b'"a\n\n\nb","c,""d"""\n\n', [("a\n\n\nb", 'c,"d"')]),
        (HEADER + b'\n"a\r\n\r\n",b\r\n', [("a\r\n\r\n", "b")]),
        (b'uid,name\ra,b\r\r"c\r\r","d\n"\re,f', [("a", "b"), ("c\r\r", "d\n"), ("e", "f")]),
        (HEADER + b'Ann "AA" Lee,5" x 6"\n', [('Ann "AA" Lee', '5" x 6"')]),
        (HEADER + b'x,5"\ny,6"\n5",x\n"c\n",d\n', [("x", '5"'), ("y", '6"'), ('5"', "x"), ("c\n", "d")]),
        (HEADER + b'a, "b"\t\n "c" ,d,,\n', [("a", "b"), ("c", "d")]),
        (HEADER + b"a,b\x00c\n \t,\xc2\xa0\n", [("a", "b\x00c")]),
        (b'uid\n""\n\n x\n', [(" x",)]),
    ],
)
def test_csv_rows_are_text_as_it_stands_and_blank_lines_are_none(tmp_path: Path, data: bytes, rows: object) -> None:
    assert read(tmp_path, data) == rows


def test_column_names_stay_as_they_are_and_nameless_columns_get_one(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(b'" UID ","a ""b""\n",, \nx,y,z\n')
    roster = open_roster(path)
    assert roster.columns == (" UID ", 'a "b"\n', "_column_3", "_column_4")
    assert dict(roster.schema) == dict.fromkeys(roster.columns, pl.String())
    assert rows_of(roster) == [("x", "y", "z", None)]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "r.csv is empty: it has no bytes at all"),
        (b"\xef\xbb\xbf\n\r\n", "r.csv has no header: it holds nothing but blank lines"),
        (HEADER + b"a,b\nc,d,e,\n", ("r.csv: row 2 (line 3, byte 17): 4 cells, but the header has 2; "
         "put cells that hold a comma in quotes")),
        (HEADER + b"\na,b\n\n\nc,d,e", ("r.csv: row 2 (line 6, byte 20): 3 cells, but the header has 2; "
         "put cells that hold a comma in quotes")),
        (HEADER + b'a,b\nc,"d\ne,f\n', ("r.csv: row 2 (line 3), column 'name' (byte 15): a quote (\") that is "
         "never closed; close it, or double it where it is part of the text")),
        (HEADER + b'a,"b" c\n', ("r.csv: row 1 (line 2), column 'name' (byte 11): text after the closing quote; "
         "a quote inside a quoted cell must be doubled")),
        (HEADER + b'x,{"a":1,"b":2}\n', ("r.csv: row 1 (line 2), column 'name' (byte 11): the cell holds quotes and "
         "what separates cells; put it in quotes and double the quotes in it")),
        (b"\xef\xbb\xbf" + HEADER + b"a,b\nc,Jos\xe9\n", ("r.csv: row 2 (line 3), column 'name' (byte 21): byte 0xE9 "
         "is not UTF-8; it reads 'José' in cp1252, 'Josй' in cp1251; name the one that reads right with --encoding")),
        (HEADER + b"a,\x81\xe9\n", ("r.csv: row 1 (line 2), column 'name' (byte 11): byte 0x81 is not UTF-8; "
         "it reads 'Ѓй' in cp1251, 'Бй' in mac_cyrillic, 'Бщ' in cp866; "
         "name the one that reads right with --encoding")),
        (b"uid,na\xefme\n", ("r.csv: in the header, byte 0xEF is not UTF-8; it reads 'naïme' in cp1252, 'naďme' in "
         "cp1250, 'naļme' in cp1257; name the one that reads right with --encoding")),
        (b'uid,"name\na,b\n', ('r.csv: in the header, line 1, column 2 (byte 4): a quote (") that is never closed; '
         "close it, or double it where it is part of the text")),
        (b"uid;name\na;b;c\n", ("r.csv: row 1 (line 2, byte 13): 3 cells, but the header has 2; "
         "put cells that hold a semicolon in quotes")),
        ("uid,name\n".encode("utf-16-be"), "r.csv is UTF-16 or binary; if it is text, try --encoding utf-16-be"),
        ("Łuid,name\n".encode("utf-16-be"), "r.csv is UTF-16 or binary; if it is text, try --encoding utf-16-be"),
        ("uid,Łame\n".encode("utf-32-le"), "r.csv is UTF-32 or binary; if it is text, try --encoding utf-32-le"),
        ("\nuid,Łame\n".encode("utf-32-be"), "r.csv is UTF-32 or binary; if it is text, try --encoding utf-32-be"),
        (b"PK\x03\x04...", "r.csv is a zip archive or a workbook that is cut off or damaged; fetch or copy it again"),
        (b"PAR1....", "r.csv is a Parquet file; rename it to r.parquet"),
        (b"x" * 1_200_000, "r.csv: its first line does not end within 1 MiB; is this a CSV file?"),
    ],
)  # fmt: skip
def test_a_broken_csv_is_told_with_its_place_and_what_to_do(tmp_path: Path, data: bytes, message: str) -> None:
    assert read(tmp_path, data) == message


@pytest.mark.parametrize(
    ("header", "delimiter"),
    [
        ("uid,name", ","),
        ("uid;name", ";"),
        ("uid\tname", "\t"),
        ("uid|name", "|"),
        ("uid", ","),
        ("id;mail", ";"),
        ('uid,"a;b;c;d"', ","),
        ('"uid";"a,b,c,d"', ";"),
        ("a,b;c,d", ","),
        ("a,b;c", ","),
        ("a;b\tc", ";"),
        ("a|b\tc", "\t"),
        ("UID; Name ;x,y,z,w", ";"),
        ("first, last and more, of it;uid", ";"),
        ('"uid";"say ""hi"", all"', ";"),
    ],
)
def test_the_delimiter_is_what_gives_uid_and_name_else_what_is_there_most_often(
    tmp_path: Path, header: str, delimiter: str
) -> None:
    """Outside quotes; two as frequent ones are decided in the order comma, semicolon, tab, vertical bar."""
    (tmp_path / "r.csv").write_text(f"{header}\n")
    assert open_roster(tmp_path / "r.csv").rejected_delimiter == delimiter


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|", "^"])
def test_a_named_delimiter_is_taken_at_its_word(tmp_path: Path, delimiter: str) -> None:
    """Cells may hold the others, line ends, and the delimiter itself in quotes."""
    odd = f",;\t|^\n{delimiter}"
    data = f'uid{delimiter}name\n\na{delimiter}"{odd}"\n\nb{delimiter}Bob\n'.encode()
    assert read(tmp_path, data, delimiter=delimiter) == [("a", odd), ("b", "Bob")]


def test_a_delimiter_that_is_not_the_files_own_makes_one_column(tmp_path: Path) -> None:
    assert read(tmp_path, b"id,mail\na,b\n", delimiter=";") == [("a,b",)]


@pytest.mark.parametrize("suffix", [".tsv", ".tab"])
def test_tabs_separate_what_is_named_so_unless_it_is_told_otherwise(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"r{suffix}"
    path.write_text("uid\tname, title; and more\na\tAnn, Dr; x\n")
    assert rows_of(open_roster(path)) == [("a", "Ann, Dr; x")]
    assert open_roster(path).rejected_delimiter == "\t"
    assert open_roster(path, RosterOptions(delimiter=";")).columns == ("uid\tname, title", " and more")


@pytest.mark.parametrize(
    "cell", ['"Ann \\"Bee\\" Lee"', '"Ann \\"Bee\\"\nLee"', '"Ann\\\\"', '"Ann""s"', "Ann\\", 'Ann "Bee"']
)
def test_an_escape_means_the_same_between_tabs_as_between_commas(tmp_path: Path, cell: str) -> None:
    """Also where one cell only is quoted."""
    csv_file, tsv_file = tmp_path / "r.csv", tmp_path / "r.tsv"
    csv_file.write_text(f"uid,name\na,{cell}\nb,Bob\n")
    tsv_file.write_text(f"uid\tname\na\t{cell}\nb\tBob\n")
    escape = RosterOptions(escape="\\")
    assert rows_of(open_roster(tsv_file, escape)) == rows_of(open_roster(csv_file, escape))


def test_the_escape_of_a_roster_is_none_in_its_rejected_rows(tmp_path: Path) -> None:
    """Also where the only quoted cell ends with it."""
    path = tmp_path / "r.tsv"
    path.write_text('uid\tname\t_row\t_errors\na\t"Ann ""Bee"" \\"\t1\tx\n')
    assert rows_of(open_roster(path, RosterOptions(escape="\\"))) == [("a", 'Ann "Bee" \\', "1", "x")]


@pytest.mark.parametrize("suffix", [".tsv", ".csv"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_nor_is_it_in_whatever_encoding_they_were_saved_anew(tmp_path: Path, encoding: str, suffix: str) -> None:
    """Where there is no mark that says which it is, it is named; a column name may hold a line end."""
    path = tmp_path / f"r.rejected{suffix}"
    path.write_text('uid\t"na\nme"\t_row\t_errors\na\t"Änn ""Bee"" \\"\t1\tx\n', encoding)
    options = RosterOptions(escape="\\", encoding="utf-16-le" if encoding == "utf-16-le" else None, header_row=4)
    assert rows_of(open_roster(path, options)) == [("a", 'Änn "Bee" \\', "1", "x")]


@pytest.mark.parametrize("names", ["arm_row\tmy_errors", "_row\tmy_errors", "_rows\t_errors"])
def test_columns_whose_names_hold_those_of_rejected_rows_are_others(tmp_path: Path, names: str) -> None:
    """The escape of the roster stays one."""
    path = tmp_path / "r.tsv"
    path.write_text(f'uid\tname\t{names}\na\tAnn\t"a\\"b"\tz\n')
    assert rows_of(open_roster(path, RosterOptions(escape="\\"))) == [("a", "Ann", 'a"b', "z")]


@pytest.mark.parametrize("named", ['"desk\nno"', "desk", '"5"" pipe"'])
def test_rejected_rows_are_utf8_whatever_the_encoding_of_their_roster(tmp_path: Path, named: str) -> None:
    """Without the mark that says so, too."""
    path = tmp_path / "r.rejected.csv"
    path.write_text(f"uid,{named},_row,_errors\na,Jörg,1,x\n")
    assert rows_of(open_roster(path, RosterOptions(encoding="cp1252"))) == [("a", "Jörg", "1", "x")]


@pytest.mark.parametrize(
    ("more", "encoding"),
    [('"_row":1,"_errors":"x"', "utf-8"), ('"job":{"_row":1,"_errors":"x"}', "cp1252"), ('"_row":1', "cp1252")],
)
def test_rejected_lines_are_told_by_their_keys(tmp_path: Path, more: str, encoding: str) -> None:
    """Those of an object within one are none."""
    path = tmp_path / "r.rejected.ndjson"
    path.write_text(f'{{"uid":"a","name":"Jörg",{more}}}\n', encoding)
    batch = next(iter(open_roster(path, RosterOptions(encoding="cp1252")).batches()))
    assert batch.frame["name"].to_list() == ["Jörg"]


@pytest.mark.parametrize(
    "text",
    [
        '{"data":[{"uid":"z0","name":"Zoë","_row":1,"_errors":"x"}]}',
        '[{"uid":"u9","name":"Zoë"},{"uid":"u0","name":"Zoë","_row":1,"_errors":"x"}]',
        '[{"uid":"u9","name":"Zoë"},\n{"_errors" : "x", "uid":"u0","name":"Zoë","_row" : 1}]',
    ],
)
@pytest.mark.parametrize("encoding", ["cp1252", "utf-16-le"])
def test_rejected_objects_are_told_within_an_object_and_behind_new_ones(
    tmp_path: Path, text: str, encoding: str
) -> None:
    """Whatever is put around or before them is UTF-8 as they are."""
    path = tmp_path / "r.json"
    path.write_text(text, "utf-8")
    batch = next(iter(open_roster(path, RosterOptions(encoding=encoding)).batches()))
    assert {*batch.frame["name"]} == {"Zoë"}


@pytest.mark.parametrize("suffix", [".ndjson", ".json", ".csv", ".tsv"])
@pytest.mark.parametrize("saved", ["utf-16", "utf-32", "utf-8-sig"])
def test_rejected_rows_saved_with_a_mark_are_what_it_says(tmp_path: Path, suffix: str, saved: str) -> None:
    """Whatever the encoding of their roster."""
    path, tab = tmp_path / f"r.rejected{suffix}", "," if suffix == ".csv" else "\t"
    line = '{"uid":"a","name":"Zoë","_row":"1","_errors":"x"}\n'
    path.write_text(line if "json" in suffix else "uid,name,_row,_errors\na,Zoë,1,x\n".replace(",", tab), saved)
    batch = next(iter(open_roster(path, RosterOptions(encoding="cp1252")).batches()))
    assert batch.frame.select("uid", "name", "_row", "_errors").rows() == [("a", "Zoë", "1", "x")]


@pytest.mark.parametrize("form", ["[{}]", "\n[\n  {},\n  {}\n]\n", "\r\n{}"])
def test_rejected_objects_are_told_by_their_keys_in_an_array_too(tmp_path: Path, form: str) -> None:
    """Whoever mends them may have made one of the lines, one object over several of them."""
    path = tmp_path / "r.json"
    for more, encoding in [({"_row": 1e400, "_errors": ""}, "utf-8"), ({}, "cp1252")]:
        one = json.dumps({"uid": "a", "name": "Jörg", **more}, ensure_ascii=False, indent=2)
        path.write_text(form.replace("{}", one.replace("Infinity", "1e400")), encoding, newline="")
        batch = next(iter(open_roster(path, RosterOptions(encoding="cp1252")).batches()))
        assert {*batch.frame["name"]} == {"Jörg"}


@pytest.mark.parametrize(
    ("delimiter", "named"),
    [(";", "a semicolon"), ("\t", "a tab"), ("|", "a vertical bar"), ("^", "'^'"), (",", "a comma")],
)
def test_defects_are_found_with_any_delimiter(tmp_path: Path, delimiter: str, named: str) -> None:
    """The second look knows it, and speaks of the one at hand."""
    start = f"uid{delimiter}name\na{delimiter}b\n"
    too_many = f"row 2 (line 3, byte 17): 3 cells, but the header has 2; put cells that hold {named} in quotes"
    assert read(tmp_path, f"{start}c{delimiter}d{delimiter}e\n".encode(), delimiter=delimiter) == f"r.csv: {too_many}"
    found = read(tmp_path, f'{start}c{delimiter}"d" e\n'.encode(), delimiter=delimiter)
    assert str(found).startswith("r.csv: row 2 (line 3), column 'name' (byte 15): text after the closing quote; ")


def test_one_very_long_cell_is_no_obstacle(tmp_path: Path) -> None:
    cell = "x\n" * 1_500_000
    data = f'uid,name\na,b\nc,"{cell}"\nd,e\n'.encode()
    assert read(tmp_path, data) == [("a", "b"), ("c", cell), ("d", "e")]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32", "cp1252", "UTF8", "utf-8-sig", "latin-1"])
def test_other_encodings_are_read_when_they_are_named(tmp_path: Path, encoding: str) -> None:
    text = 'uid,name\r\na,"é\n"\r\n' + "b,ÿü\r\n" * 400
    assert read(tmp_path, text.encode(encoding), encoding=encoding) == [("a", "é\n"), *([("b", "ÿü")] * 400)]


def test_an_encoding_that_does_not_fit_is_told_with_the_byte(tmp_path: Path) -> None:
    hint = "another encoding may be, or it is cut off: export it as UTF-8"
    expected = f"r.csv is not cp1252 at byte 12; {hint}"
    assert read(tmp_path, HEADER + b"a,b\x81\n", encoding="cp1252") == expected
    truncated = "uid,name\na,b".encode("utf-16-le")[:-1]
    assert read(tmp_path, truncated, encoding="utf-16-le") == f"r.csv is not utf-16-le at byte 22; {hint}"


@pytest.mark.parametrize(
    ("text", "encoding", "at"),
    [("uid,name\na,Á\n", "cp1252", " at byte 12"), ("uid,name\na,b\n", "utf-16", ""), ("uid,name\na,é\n", "ascii", "")],
)
def test_a_text_of_utf8_that_another_encoding_is_named_for_is_told_as_that(
    tmp_path: Path, text: str, encoding: str, at: str
) -> None:
    """Exported once more it would be what it is; the cure is tried."""
    told = str(read(tmp_path, text.encode(), encoding=encoding))
    assert told.startswith(f"r.csv is not {encoding}{at}")
    assert told.endswith("; it is UTF-8: give --encoding utf-8")
    assert read(tmp_path, text.encode(), encoding="utf-8") == [("a", text[-2])]


@pytest.mark.parametrize(
    ("text", "encoding"), [(b"a1,\x1b$B-jED\x1b(B", "iso2022_jp"), (b"a1,~{:O<", "hz"), (b"a1,Zo+2AA-", "utf-7")]
)
def test_ascii_that_another_encoding_is_named_for_may_be_in_it_but_for_a_letter(
    tmp_path: Path, text: bytes, encoding: str
) -> None:
    """Read as UTF-8 its names would be garbage."""
    told = str(read(tmp_path, b"uid,name\n" + text + b"\n", encoding=encoding))
    assert told.endswith("; another encoding may be, or it is cut off: export it as UTF-8"), told


@pytest.mark.parametrize("named", ["utf-16", "utf-16-be", "utf-32"])
@pytest.mark.parametrize(("written", "name"), [("iso2022_jp", "山田太郎"), ("utf-7", "Zoë Müller")])
def test_escaped_letters_that_a_wide_encoding_is_named_for_are_told_with_theirs(
    tmp_path: Path, written: str, name: str, named: str
) -> None:
    """The text is ASCII, and yet none of UTF-8; the cure is tried."""
    data = f"uid,name\na,{name}\nb,{name}\n".encode(written) + b"c,C\n"
    told = str(read(tmp_path, data[: len(data) // 4 * 4 - 1], encoding=named))
    assert re.search(rf"its letters beyond ASCII are escaped \('.+'\); give --encoding {written}$", told), told
    assert read(tmp_path, data, encoding=written) == [("a", name), ("b", name), ("c", "C")]


@pytest.mark.parametrize("encoding", ["base64", "klingon", "rot13", "undefined", "a\x00b"])
def test_what_is_no_text_encoding_is_a_configuration_error(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(HEADER)
    with pytest.raises(ConfigurationError, match="is no text encoding"):
        open_roster(path, RosterOptions(encoding=encoding))


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_behind_the_limit_nothing_exists_not_even_a_defect(tmp_path: Path, limit: int) -> None:
    data = HEADER + b'a,b\n\nc,d\ne,f\ng,"h" i\n'
    assert read(tmp_path, data, limit=limit) == [("a", "b"), ("c", "d"), ("e", "f")][:limit]
    assert "row 4" in str(read(tmp_path, data, limit=4))


def test_paths_that_are_no_roster_are_told_as_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "r.doc").write_text("uid,name\n")
    (tmp_path / "r.parquet.gz").write_bytes(gzip.compress(b"PAR1"))
    (tmp_path / "none.csv").symlink_to("none.csv")
    (tmp_path / "short.parquet").write_bytes(b"PAR1....")
    (tmp_path / "no.parquet").write_bytes(b"uid,name\n")
    for name, message in [
        ("nothing.csv", "nothing.csv: no such file"),
        ("none.csv", "none.csv cannot be read: Too many levels of symbolic links"),
        ("", "is a folder; name it alone, or name the files in it"),
        ("r.doc", ("r.doc: a roster ends in one of .csv, .txt, .tsv, .tab, .ndjson, .jsonl, .json, .parquet, .xlsx, "
         ".zip (texts also in .gz, .zst, .bz2, .xz); rename it")),
        ("r.parquet.gz", "r.parquet.gz: a compressed .parquet file is not read; unpack it first"),
        ("short.parquet", "short.parquet is a truncated Parquet file (it does not end with PAR1)"),
        ("no.parquet", "no.parquet is text and no .parquet file; rename it to no.csv"),
    ]:  # fmt: skip
        with pytest.raises(RosterError) as raised:
            open_roster(tmp_path / name)
        assert str(raised.value).endswith(message)


def test_progress_runs_up_to_all_rows_and_bytes(tmp_path: Path) -> None:
    rows = 3000
    frame = pl.DataFrame({"uid": [f"u{row}" for row in range(rows)], "name": ["n"] * rows})
    frame.write_csv(tmp_path / "r.csv")
    frame.write_parquet(tmp_path / "r.parquet")
    for name in ("r.csv", "r.parquet"):
        roster = open_roster(tmp_path / name)
        calls = Calls()
        sizes = [batch.frame.height for batch in roster.batches(calls)]
        assert (sum(sizes), sizes[0], calls.made[-1], calls.made) == (
            rows,
            1000,
            (rows, roster.size),
            sorted(calls.made),
        )


class Calls:
    """Keeps the calls of a progress callback."""

    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []

    def __call__(self, rows: int, size: int) -> None:
        self.made.append((rows, size))


# No names of columns among them: a line that holds some is taken for the header, or for another one. And no separators
# of ASCII, which are blank to Python alone.
cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\x1c\x1d\x1e\x1f") | st.sampled_from('",;\t\n\r \'"'),
    max_size=8,
).filter(lambda cell: recognise(cell) is None)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    width=st.integers(2, 4),
    data=st.data(),
    quoting=st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
    end=st.sampled_from(["\n", "\r\n"]),
    first=st.integers(1, 40),
    block=st.integers(1, 40),
    bom=st.booleans(),
    delimiter=st.sampled_from(",;\t|^"),
)
def test_what_the_csv_module_writes_is_read_back_whatever_the_block_size(
    tmp_path: Path,
    width: int,
    data: st.DataObject,
    quoting: Literal[0, 1, 2],
    end: str,
    first: int,
    block: int,
    bom: bool,
    delimiter: str,
) -> None:
    """Block ends fall into quoted cells, between CR and LF, and into characters of several bytes."""
    rows = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=12))
    if quoting == csv.QUOTE_MINIMAL and end == "\n":
        # There the csv module leaves a CR without quotes, and at the end of a line it is part of the line end.
        rows = [[cell.replace("\r", "") for cell in row] for row in rows]
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=quoting, lineterminator=end, delimiter=delimiter)
    writer.writerows([[f"column {number}" for number in range(width)], *rows])
    path = tmp_path / "r.csv"
    path.write_bytes(text.getvalue().encode("utf-8-sig" if bom else "utf-8"))
    sizes = BlockSizes(first=first, block=block, first_batch=2, batch=3)
    found = [
        tuple(cell or "" for cell in row)
        for row in rows_of(open_csv(path, None, HeaderOptions(delimiter), sizes=sizes))
    ]
    assert found == [tuple(row) for row in rows if any(cell.strip() for cell in row)]


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=60) | st.text(st.sampled_from('a,"\n\r;é'), max_size=40).map(str.encode))
def test_any_bytes_at_all_give_rows_or_a_roster_error(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(HEADER + data)
    try:
        rows = rows_of(open_csv(path, sizes=TINY))
    except RosterError as error:
        assert str(error).startswith(str(path))  # noqa: PT017 - either outcome is right
    else:
        assert all(len(row) == 2 for row in rows)


@pytest.mark.sampled
@pytest.mark.parametrize("group", [3, 1000, 100_000])
def test_a_parquet_file_gives_its_rows_and_types_whatever_its_row_groups(tmp_path: Path, group: int) -> None:
    path, rows = tmp_path / "r.parquet", 5000
    frame = pl.DataFrame({"uid": range(rows), "name": ["n"] * rows, "tags": [["a", None]] * rows})
    frame.write_parquet(path, row_group_size=group)
    roster = open_roster(path)
    assert (roster.columns, dict(roster.schema)) == (("uid", "name", "tags"), frame.schema)
    for _ in range(2):
        batches = list(roster.batches())
        assert pl.concat([batch.frame for batch in batches]).equals(frame)
        assert [batch.first_row for batch in batches][:2] == [1, 1001]
    assert rows_of(open_roster(path, RosterOptions(limit=1500))) == frame.head(1500).rows()
    assert rows_of(open_roster(path, RosterOptions(limit=0))) == []


def test_a_parquet_slice_takes_about_the_memory_it_is_meant_to(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({"uid": [f"{row:01000d}" for row in range(20_000)]}).write_parquet(path, row_group_size=20_000)
    roster = open_parquet(path)
    small = replace(roster, slice_bytes=2_000_000)
    assert max(batch.frame.height for batch in small.batches()) <= 2000


def test_damage_inside_a_parquet_file_is_a_roster_error_with_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    pl.DataFrame({"uid": [f"u{row}" for row in range(9000)]}).write_parquet(path, row_group_size=3000)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    with pytest.raises(RosterError, match=r"rows \d+ to \d+ cannot be read|cannot be read as Parquet"):
        rows_of(open_roster(path))
