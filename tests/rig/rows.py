"""Rows at and around every boundary of the rules, in families; the same ones every time.

A row is cells by column; what it does not name is missing, but for `uid` and `name`. `UID` stands for a text of
six characters that no other row has.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, product
from typing import Any, TypeAlias

import polars as pl

Row: TypeAlias = dict[str, Any]

UID = "{uid}"
WHITE = "\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
LOOKALIKES = "\x00\x08\x1b\x1c\x1d\x1e\x1f\x7f\u00ad\u115f\u180e\u200b\u200c\u200d\u200e\u2060\u2800\u3164\ufeff"
PLANES = ("a", "é", "中", "😀", "e\u0301", "👩‍👩‍👧‍👦", "\x7f", "\ufeff\u200b")
FOLDING = "\u212a\u212b\u0131\u0130\u017f\u1e9e\ufb01\uff21\uff41\uff11\u0661\u0967\u0410\u0430\u03a3\u03c2\U00010400"
# Deeper tags end the run as yet: `test_boundaries` holds that bug.
DEEPEST = 254
TEXTS = ("uid", "name", "avatar", "link", "role", "statusMessage", "tags", "metadata", "withAuthToken")
VALID = {
    "uid": "uid{uid}", "name": "Ann Lee", "avatar": "https://e.org/a", "link": "HTTP://e.org/l", "role": "Member",
    "statusMessage": "out to sea", "tags": "x;y", "metadata": '{"a": "b c"}', "withAuthToken": "Yes",
}  # fmt: skip


def boundary_rows(number: int, seed: int = 1) -> list[Row]:
    """Give all families, shuffled, then mixtures of them up to `number` rows; uids come twice only on purpose.

    Nothing is laid upon a header: that would be the header of another table, which refuses the roster.
    """
    source, own = random.Random(seed), list(headers())
    several = list(chain.from_iterable(families(source)))
    small = [row for row in several if sum(len(cell or "") for cell in row.values()) < 300]
    several += [mixture(source, small) for _ in range(number - len(several) - len(own))] + own
    source.shuffle(several)
    border = [{"uid": uid} for uid in ("Twice", "twice", " TWICE ", "once-more", "\u00a0ONCE-more\t")]
    several[997 : 997 + len(border)] = border
    return [filled(row, index) for index, row in enumerate(several)]


def families(source: random.Random) -> Iterator[Iterable[Row]]:
    """Give the families of rows that break, or nearly break, one rule."""
    yield lengths()
    yield spaces()
    yield characters()
    yield booleans()
    yield urls(source, 5000)
    yield tags()
    yield json_values()
    yield depths()
    yield metadata_sizes()
    yield body_sizes()
    yield duplicates()
    yield nothings()
    yield unseen()
    yield arrays()


SCALARS = pl.Struct({"s": pl.String, "i": pl.Int64, "b": pl.Boolean, "é": pl.Struct({"s": pl.String, "u": pl.UInt8})})
MIXED = pl.Struct(
    {"s": pl.String, "f": pl.Float64, "l": pl.List(pl.String), "o": pl.Struct({"f": pl.Float64, "s": pl.String})}
)
NATIVE = {
    "whole": {
        "uid": pl.Int64,
        "withAuthToken": pl.Boolean,
        "tags": pl.List(pl.String),
        "metadata": SCALARS,
        "metadata.b": pl.Int16,
    },
    "fractional": {
        "uid": pl.Float64,
        "withAuthToken": pl.Float32,
        "tags": pl.List(pl.Int64),
        "metadata": MIXED,
        "name": pl.Int32,
    },
    "unsigned": {"uid": pl.UInt64, "withAuthToken": pl.UInt8, "role": pl.Categorical(), "metadata.n": pl.UInt64},
}
"""Rosters of Parquet types: their columns that hold no text."""


def native_rows(kind: str, number: int = 3000, seed: int = 3) -> list[Row]:
    """Give rows of one of the `NATIVE` rosters; a `metadata.b` or `metadata.n` is a number of its own."""
    source = random.Random(f"{seed} {kind}")
    whole = (*range(10), *(source.randrange(10**15) for _ in range(number)))
    texts = ("", " ", "v", " v\u2003", "é" * 2500, "x" * 5000, '"\\\x01', "😀", "\ufeff", None)
    values: dict[Any, Sequence[Any]] = {
        pl.Int64: (None, -1, 2**63 - 1, -(2**63), *whole),
        pl.UInt64: (None, 2**64 - 1, 2**63, *whole),
        pl.Float64: (None, math.nan, 1.5, -2.0, 2.0**53 - 1, *map(float, whole)),
        pl.Float32: (None, math.nan, 0.0, 1.0, 2.0, 0.5),
        pl.UInt8: (None, 0, 1, 2, 255),
        pl.Int32: (None, 0, 7, -(2**31)),
        pl.Int16: (None, 0, -(2**15), 12),
        pl.Boolean: (None, True, False),
        pl.String: texts,
        pl.Categorical(): (None, "", " Member ", "no role", "r" * 101),
    }

    def value(type_: Any) -> Any:
        if isinstance(type_, pl.Struct):
            return None if source.random() < 0.1 else {field.name: value(field.dtype) for field in type_.fields}
        if isinstance(type_, pl.List):
            items = [f"tag {value(pl.Int32)}", *texts[:4], None] if type_.inner == pl.String else values[pl.Int64]
            return None if source.random() < 0.2 else source.choices(items, k=source.choice((0, 1, 3, 30)))
        return source.choice(values[type_])

    return [{"name": "Ann", **{name: value(type_) for name, type_ in NATIVE[kind].items()}} for _ in range(number)]


def filled(row: Row, index: int) -> Row:
    """Put the row's own text where `UID` stands, and give it a uid and a name if it says nothing of them."""
    cells = {"uid": UID, "name": "Ann", **row}
    return {key: cell.replace(UID, f"u{index:05}") if key == "uid" and cell else cell for key, cell in cells.items()}


def mixture(source: random.Random, several: Sequence[Row]) -> Row:
    """Lay some rows upon one another: it is in such that the order of the codes shows."""
    mixed: Row = {}
    for row in source.sample(several, source.randrange(2, 6)):
        mixed |= row
    return mixed


def up_to(text: str, length: int) -> str:
    """Repeat a text to a length in code points."""
    return (text * length)[:length]


def lengths() -> Iterator[Row]:
    limits = {
        "uid": (100, UID), "name": (100, ""), "role": (100, ""), "tags": (100, ""),
        "avatar": (3000, "https://e.org/"), "link": (3000, "http://e.org?"),
    }  # fmt: skip
    for (column, (limit, start)), plane, more in product(limits.items(), PLANES, (-1, 0, 1)):
        taken = 6 if start == UID else len(start)
        text = start + up_to(plane, limit + more - taken)
        yield from ({column: around.format(text) if column != "uid" else text} for around in ("{}", "\u3000{}\n"))
    yield from ({"statusMessage": up_to(plane, 2000)} for plane in PLANES)


def spaces() -> Iterator[Row]:
    shapes = ("{0}{1}{2}", "{1}{2}{0}", "{0}{1}{2}{0}{0}", "{1}{0}{2}", "{0}")
    for mark, column, shape in product(WHITE + LOOKALIKES, TEXTS, shapes):
        text = VALID[column]
        yield {column: shape.replace("{0}", mark).replace("{1}", text[:3]).replace("{2}", text[3:])}
    for mark in WHITE + LOOKALIKES:
        yield from ({"tags": text.replace("_", mark)} for text in ("x_;_y", "_;_;x", "x;_", "_;_", '["_x_", "_"]'))
        yield {"tags": json.dumps([f"{mark}x", mark, f"y{mark}"])}
        yield {"metadata": json.dumps({"a": f"{mark}x{mark}", mark: mark}, ensure_ascii=False)}
        yield {"metadata": f'{mark}{{{mark}"a"{mark}:{mark}1{mark},"b":2{mark}}}{mark}'}


def characters() -> Iterator[Row]:
    for code, shape in product([*range(0x180), *map(ord, FOLDING)], ("{0}{1}", "{1}{0}", "{1}{0}b")):
        yield {"uid": shape.format(chr(code), UID).replace(f"{{{UID}}}", UID)}
        yield {"role": shape.format(chr(code), "Ro")}
    yield from ({"statusMessage": chr(code), "name": f"<{chr(code)}>"} for code in range(0x100))


def booleans() -> Iterator[Row]:
    for word in ("true", "yes", "1", "t", "y", "false", "no", "0", "f", "n"):
        for cases in product(*((letter, letter.upper()) for letter in word)):
            yield {"withAuthToken": "".join(cases)}
    odd = (
        "on", "off", "2", "01", "1.0", "-1", "ja", "null", "none", "tru", "truee", "y y", "'true'", '"true"',
        "\uff54rue", "ye\u017f", "\u0422RUE", "\u2469", "\uff11", "\u0661", "\u00bd", "\ufb01", "+1", "1e0", "TRUE.",
        "n\u0000", "Y\u200b",
    )  # fmt: skip
    yield from ({"withAuthToken": word} for word in odd)


def urls(source: random.Random, number: int) -> Iterator[Row]:
    schemes = (
        "http", "https", "http", "https", "HtTpS", "ftp", "", "https:", "http\u017f", "\uff48ttp", "mailto",
        "view http",
    )  # fmt: skip
    marks = (*["://"] * 12, ":/", ":", ":\\\\", "//", ":// ")
    users = (*[""] * 10, "u@", "u:p@", "a@b@", "@", "u[@", "u\\@", "u%40@", "u p@", "ü@", "u:@", ":@")
    hosts = (
        *["e.org"] * 12, "", "[::1]", "[::1", "::1", "[]", "[v1.a]", "[fe80::1%25en0]", "[FF02::1.2.3.4]",
        "münchen.example", "xn--mnchen-3ya.example", "日本", "127.0.0.1", "e_x", "e\\x", "\\", "e\x00", "e\x7f",
        "e\x85", "e\u2003", "a b", "e[", "e]", ".", "-", "😀", "e%20", "\ufeff", "e\u200b", "[::1]x", "x[::1]",
    )  # fmt: skip
    ports = (
        *[""] * 10, ":", ":80", ":0", ":99999", ":8x", ":-1", ":80:80", ":\uff18", ": 80", ":\u0663", ":" + "9" * 50,
    )  # fmt: skip
    rests = (
        *[""] * 4, "/", "?", "#", "/p?q#f", "/a b", "/\x00", "/\\", "/é", "/\u200b", "/\ufeff", "\\p", "/@", "?@:",
        "//", "/[x]", "/\x1c", "/\x9f", "/a\tb", "/a\nb", '/"', "#a#b", "/%00", "/\u2028", "/\U000e0001",
        "/" + "x" * 200,
    )  # fmt: skip
    for at in range(number):
        parts = (source.choice(each) for each in (schemes, marks, users, hosts, ports, rests))
        yield {("avatar", "link")[at % 2]: "".join(parts)}


def tags() -> Iterator[Row]:
    for number, tag, empty in product((1, 2, 24, 25, 26, 27), ("t", "é", "😀 x", 'a"b', "\\", ","), (False, True)):
        several = [tag, *(f"{tag}{n}" for n in range(number - 1)), *([" ", ""] if empty else [])]
        yield from ({"tags": text} for text in (";".join(several), " ; ".join(several), f";{';'.join(several)};"))
        yield {"tags": json.dumps(several)}
        yield {"tags": json.dumps([*several, None] if empty else several, ensure_ascii=False)}
        yield {"tags": json.dumps(several, separators=(",", ":"), ensure_ascii=False)}
    for plane, length, place in product(PLANES, (99, 100, 101), range(3)):
        several = ["x", "y"]
        several.insert(place, up_to(plane, length))
        yield from (
            {"tags": text} for text in (";".join(several), json.dumps(several), json.dumps([f" {several[place]}\n"]))
        )
    yield from (
        {"tags": text}
        for text in ("", ";", ";;;", "[]", "[ ]", '[""]', "[null]", "2024", "true", '"a"', "{}", "[", "]")
    )


VALUES = (
    "0", "1", "-1", "-0", "-0.0", "0.0", "1.0", "1.50", "00", "01", "+1", "1.", ".5", "0x10", "1_0", "1e2", "1E2",
    "1e+2", "1e-7", "1e308", "1.8e308", "1e309", "1e400", "-1e400", "1e-400", "123456789012345", "1234567890123456",
    "9007199254740993", "9223372036854775807", "9223372036854775808", "18446744073709551615", "18446744073709551616",
    "-9223372036854775809", "12345678901234567890123456789", "0.1", "0.1234567890123", "0.12345678901234567890",
    "100000000000000000.5", "9" * 400, "1" + "0" * 5000, "NaN", "nan", "Infinity", "-Infinity", "inf", "true",
    "false", "null", "True", "None", "nul", "truefalse", '""', '"x"', '" "', '"é"', '"\\u00e9"', '"😀"',
    '"\\ud83d\\ude00"', '"\\ud800"', '"\\udc00"', '"\\udc00\\ud800"', '"\\u0000"', '"\\u001f"', '"\\/"',
    '"\\b\\f\\n\\r\\t"', '"\\x41"', '"\\u12"', '"\\U0001F600"', '"\t"', '"\n"', '"\x00"', '"\x7f"', "\"'\"", "'x'",
    '"x', 'x"', '"\\"', '"\\""', '", "', '": "', '","', '"{"', '"}]"', '"\u2028"', '"\ufeff"', '"\x85"', "[]", "{}",
    "[[]]", "[1,]", "[,1]", "[1 2]", '{"a":1}', '{"a":1,}', '{"a"}', "{1:2}", "{a:1}", '{"a":1 "b":2}', "// x\n1",
    "/* */1", "", " ", "undefined",
)  # fmt: skip


def json_values() -> Iterator[Row]:
    metadata = (
        '{"k":_}', '{"k": _}', ' { "k" :\t_ }\n', '{"a":1, "k":_, "z":[2, 3]}', '{"o":{"k":_}}',
        '{"o": {"k": _}, "p": 1}', '{"l":[_]}', '{"l": [1, _, "x"]}', '{"d":{"e":{"f":_}}}', '{"k":_,"k":2}',
        '{"k": 1, "k": _}', "_", '{"k":_} x', '{"k":_}{}', '{"k":_', '\ufeff{"k":_}', '{_:1}', '{"k":_}\x00',
        '[{"k":_}]',
    )  # fmt: skip
    for value, shape in product(VALUES, metadata):
        yield {"metadata": shape.replace("_", value)}
    for value, shape in product(
        VALUES, ("_", "[_]", '["a",_]', '["a", _ , "b"]', '["a";_', '["a"] _', "a;_;b", " [_]")
    ):
        yield {"tags": shape.replace("_", value)}


def depths() -> Iterator[Row]:
    for depth, inner in product(
        (1, 2, 3, 10, 200, 252, 253, 254, 255, 256, 500, 1000, 1023, 1024, 1025, 3000, 100_000), ("1", '"x, y"')
    ):
        yield {"metadata": '{"a":' * depth + inner + "}" * depth}
        yield {"metadata": '{"a":' + "[" * (depth - 1) + inner + "]" * (depth - 1) + "}"}
        yield {"metadata": '{"a": [' * (depth // 2) + inner + "]}" * (depth // 2)}
        yield {"metadata": '{"a":' * depth}
        yield {"tags": "[" * min(depth, DEEPEST) + inner + "]" * min(depth, DEEPEST)}


# How a character stands in a JSON text, and its bytes in compact JSON.
UNITS = (
    ("x", 1), ("é", 2), ("中", 3), ("😀", 4), ('\\"', 2), ("\\\\", 2), ("\\n", 2), ("\\u0001", 6), ("\\u001F", 6),
    ("\\u0041", 1), ("\\u00e9", 2), ("\\u4e2d", 3), ("\\ud83d\\ude00", 4), ("\\/", 1), ("\x7f", 1), ("\u2028", 3),
    (", ", 2), (": ", 2),
)  # fmt: skip


def metadata_sizes() -> Iterator[Row]:
    shapes = (
        ('{"k":"_"}', 8), ('{ "k" : "_" }', 8), ('{"k": "_", "l": [1, 2]}', 18), ('{"é":{"k":"_"}}', 15),
        ('{"k":["_",null]}', 15), ('{"k": "_", "n": 123456789012345678901234567890}', 43), ('\u3000{"k":"_"}\n', 8),
    )  # fmt: skip
    for (unit, width), (shape, fixed), size in product(UNITS, shapes, (5119, 5120, 5121)):
        yield {"metadata": shape.replace("_", content(unit, width, size - fixed))}


def content(unit: str, width: int, size: int) -> str:
    """Give `size` bytes of a unit that takes `width`, filled up with `x`."""
    return unit * (size // width) + "x" * (size % width)


def body_sizes() -> Iterator[Row]:
    # A character, and its bytes in compact JSON.
    kinds = (
        ("x", 1), ("é", 2), ("中", 3), ("😀", 4), ('"', 2), ("\\", 2), ("\n", 2), ("\x01", 6), ("\x7f", 1),
        ("\u2028", 3),
    )  # fmt: skip
    fixed = len('{"uid":"u00000","name":"Ann","statusMessage":".."}')
    given = ',"metadata":{"k":"m"},"tags":["t","é"]'
    token = len(',"withAuthToken":true')
    for (text, width), size, word in product(kinds, (10239, 10240, 10241), ("yes", "no", None)):
        room = size - fixed - (0 if word == "no" else token)
        yield {"statusMessage": "." + content(text, width, room) + ".", "withAuthToken": word}
        room -= len(given.encode())
        row = {"metadata": '{"k": "m"}', "tags": '["t", "\\u00e9"]', "withAuthToken": word}
        yield row | {"statusMessage": "." + content(text, width, room) + "."}


def duplicates() -> Iterator[Row]:
    for number in range(60):
        uid = f"Same-{number % 50:02}"
        spellings = (
            uid, uid.upper(), uid.lower(), f" {uid}", f"{uid}\u00a0", f"\u2003{uid.swapcase()}\n", f"\ufeff{uid}",
            f"{uid}\x1f",
        )  # fmt: skip
        yield from ({"uid": spelling} for spelling in spellings)
        yield {"uid": uid, "name": " "}
    odd = (
        "k-sign", "\u212a-sign", "K-SIGN", "a_b", "A_B", " a_b", "\u017f", "s", "S", "\u0131", "I", "i", "\u0130",
        "é", "É", "e\u0301",
    )  # fmt: skip
    yield from ({"uid": uid} for uid in odd * 2)
    yield from ({"uid": "L" * 101, "name": name} for name in ("Ann", "", None))
    yield from ({"uid": uid} for uid in (None, "", " ", "\u3000", None, "") * 5)


UNSEEN_LETTERS = "\u00ad\u061c\u180e\u200b\u200d\u200e\u202e\u2060\u2064\u2066\u206f\ufeff"
WORDS = (
    "NULL", "null", "Null", r"\N", r"\n", "None", "nan", "NaN", "N/A", "n/a", "#N/A", "#n/a", "undefined", "nil", "-",
)  # fmt: skip


def nothings() -> Iterator[Row]:
    """Words for nothing in every field, alone, with blanks around them, and in longer text."""
    for word, field in product(WORDS, TEXTS):
        yield from ({field: cell} for cell in (word, f" {word}", f"{word}\u00a0", f"{word}s", f"{word} {word}"))
    yield from ({"uid": word, "name": name} for word in WORDS for name in ("Ann", None) for _ in range(2))


def unseen() -> Iterator[Row]:
    """What cannot be seen at the ends of texts and within, mixed with blanks."""
    for letter, field in product(UNSEEN_LETTERS, ("uid", "name")):
        text = UID if field == "uid" else "Ann"
        forms = (f"{letter}_", f"_{letter}", f" {letter} _\u2003{letter}", f"_{letter}_", letter, f"{letter} {letter}")
        yield from ({field: form.replace("_", text)} for form in forms)


def arrays() -> Iterator[Row]:
    """Postgres arrays, Python's lists, and what only looks like either."""
    items = (
        "", " ", "a", "a,b", " a , b ", '"a"', '"a b",c', '"a,b"',
        '"a\\"b"', '"a\\\\b"', '""', 'a"b', '"a"b', "a,", ",a", "a,,b",
        "NULL", "null,a", '"NULL"', "{a}", "{a},{b}", "a}", "a b;c", "'a'", "'a', 'b'",
        "'a',", "'a', 1", "1", "'a", "é,中", '"a', "a\\",
    )  # fmt: skip
    yield from ({"tags": f"{left}{item}{right}"} for item in items for left, right in ("{}", "[]", "()", "{;"))
    yield from (
        {"metadata": text}
        for text in ("[]", "null", " [] ", "[ ]", '"{}"', "{'a': 1}", '{"a": True}', "{\u201ca\u201d: 1}")
    )


def headers() -> Iterator[Row]:
    """The header once more, as it stands, with blanks and quotes, in another case and with less, and nearly it."""
    names = {name: name for name in TEXTS}
    yield names
    yield {name: f" '{name}'\u200b" for name in TEXTS}
    yield names | {"tags": None}
    yield {name: name.upper() for name in TEXTS}
    yield {"uid": "Uid", "name": "NAME"}
    yield {"uid": "uid", "tags": "tags"}
    yield {"uid": "uid", "name": "Uma Idle"}


def single_column_rows(seed: int = 2) -> list[Row]:
    """Give rows with columns for single metadata keys beside, or instead of, an object."""
    return [filled(row, index) for index, row in enumerate(single_columns(random.Random(seed)))]


def single_columns(source: random.Random) -> Iterator[Row]:
    objects = (
        None, " ", "{}", '{"note": "old", "x": 1}', '{"a": {"b": 1}}', '{"a": 5}', "[]", '{"note":', '{"n": 1e400}',
        '{"n": 1.5}',
    )  # fmt: skip
    cells = (
        None, "", " ", "v", " v ", "\u3000é\t", "\u200b", '"', "\\", "\x01", "😀", '{"a":1}', "true", "12", "\x1f",
        "\ufeff", ", ", ": ",
    )  # fmt: skip
    for whole, note, deep in product(objects, cells, cells):
        row = {"metadata": whole, "metadata.note": note, "metadata.a.b": deep}
        yield row | {"Metadata.@private.email": source.choice(cells)}
    for (unit, width), more in product((("x", 1), ("é", 2), ("中", 3), ("😀", 4), ('"', 2), ("\x01", 6)), (-1, 0, 1)):
        size = 5120 + more - len('{"note":".."}')
        yield {"metadata.note": "." + content(unit, width, size) + "."}
        size -= len('"x":1,')
        yield {"metadata.note": "." + content(unit, width, size) + ".", "metadata": '{ "x": 1 }'}
