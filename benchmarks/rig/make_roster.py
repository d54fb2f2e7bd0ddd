"""Writes a roster of any size: `python -m benchmarks.rig.make_roster --rows 1000000 -o roster.csv`.

Row i of a seed is a function of the seed and i alone. So the same call gives the same roster, a longer roster
begins with the shorter one, a CSV and a Parquet roster hold the same text, and no row has to be remembered.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final, Literal

import polars as pl
from polars.io.plugins import register_io_source

Format = Literal["csv", "parquet"]

BATCH_ROWS: Final = 50_000
SCHEMA: Final = pl.Schema(
    dict.fromkeys(
        ("uid", "name", "avatar", "link", "role", "statusMessage", "tags", "metadata", "withAuthToken"),
        pl.String(),
    )
)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


GIVEN = _words("""
Amara Bruno Chiara Dmitri Élodie Fatima Grace Henrik Ines João Katarzyna Łukasz Maeve Niamh Ørjan Şirin
Ольга Игорь Наталья Юрий Ελένη Νίκος მარიამ გიორგი أمينة يوسف דוד נועה आरती विक्रम ஆனந்த் สมชาย
""")
FAMILY = _words("""
Andersson Benedetti Carvalho Dąbrowski Eriksen Fontaine Grünwald Hughes Ivanović Jensen Kowalczyk Lefèvre
Moreau Novák O'Brien Petrović Кузнецова Мельник Παπαδάκης Αλεξίου ბერიძე კაპანაძე حداد منصور כהן לוי शर्मा
वर्मा சுப்பிரமணியம் วงศ์สวัสดิ์ 🌊 Þórsdóttir
""")
DEPARTMENTS = _words("bridge engine-room ticketing terminals catering finance people it")
TITLES = (
    "deckhand",
    "second engineer",
    "ticket agent",
    "shift lead",
    "cook",
    "controller",
    "recruiter",
    "analyst",
)
SITES = _words("aalesund bremen cadiz dover esbjerg faro genoa hull")
SHIFTS = ("early", "late", "night", "on-call")
STATUSES = ("On shift until six 🚢", "Back on Monday", "Ask me about “fog signals”", None)

METADATA = (
    '{{"department":"{}","title":"{}","site":"{}","desk":{},"hired":"20{}-{}-{}","remote":{},'
    '"languages":["en","nb"],"@private":{{"email":"{}@example.com","phone":"+1555{}"}}}}'
)


def _word(value: int) -> pl.Expr:
    return pl.lit(value % (1 << 64), dtype=pl.UInt64())


def _bits(index: pl.Expr, seed: int) -> pl.Expr:
    """64 well-stirred bits per row: splitmix64 (Steele, Lea, Flood 2014); UInt64 arithmetic wraps."""
    bits = index.cast(pl.UInt64()) * _word(0x9E3779B97F4A7C15) + _word(seed * 0xD1342543DE82EF95)
    bits = (bits ^ (bits // _word(1 << 30))) * _word(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits // _word(1 << 27))) * _word(0x94D049BB133111EB)
    return bits ^ (bits // _word(1 << 31))


def _below(limit: int, place: int) -> pl.Expr:
    """Draw a number below `limit`, from the row's bits at `place` and up."""
    return pl.col("bits") // _word(1 << place) % _word(limit)


def _one_of(words: Sequence[str | None], place: int) -> pl.Expr:
    return pl.lit(pl.Series(words, dtype=pl.String())).gather(_below(len(words), place))


def _digits(number: pl.Expr, width: int) -> pl.Expr:
    return number.cast(pl.String()).str.zfill(width)


def _uid(index: pl.Expr) -> pl.Expr:
    return pl.concat_str(pl.lit("staff-"), _digits(index, 9))


def _clean_fields() -> dict[str, pl.Expr]:
    """Give the fields of a valid row, about 500 bytes in all, over the columns `index` and `bits`."""
    number, uid = _digits(pl.col("index"), 9), _uid(pl.col("index"))
    department, site = _one_of(DEPARTMENTS, 12), _one_of(SITES, 15)
    deck = pl.format("deck {}", _below(12, 24))
    metadata = pl.format(
        METADATA,
        *(department, _one_of(TITLES, 28), site, _below(900, 31)),
        *(_digits(_below(14, 41) + 10, 2), _digits(_below(12, 46) + 1, 2), _digits(_below(28, 51) + 1, 2)),
        *(_one_of(("true", "false"), 56), uid, _digits(_below(10_000_000, 24), 7)),
    )
    return {
        "uid": uid,
        "name": pl.concat_str(_one_of(GIVEN, 0), _one_of(FAMILY, 6), separator=" "),
        "avatar": pl.format("https://cdn.example.com/avatars/{}/{}.jpg?size=256", site, number),
        "link": pl.format("https://people.example.com/directory/{}/{}", department, uid),
        "role": _one_of(("default", None), 20),
        "statusMessage": _one_of(STATUSES, 21),
        "tags": pl.concat_str(department, site, _one_of(SHIFTS, 18), deck, separator=";"),
        "metadata": metadata,
        "withAuthToken": pl.lit(None, dtype=pl.String()),
    }


def _long_url(length: int) -> pl.Expr:
    start = "https://cdn.example.com/"
    return pl.lit(start + "x" * (length - len(start)))


def _long_metadata(size: int) -> pl.Expr:
    return pl.lit('{"note":"' + "x" * (size - len('{"note":""}')) + '"}')


# Defect code → the cells that make a valid row break this rule and no other. The first one leaves the uid
# alone: then row 1 keeps its uid even in a roster of nothing but defects, and `uid.duplicate` can repeat it.
DEFECTS: Final[Mapping[str, Mapping[str, pl.Expr]]] = {
    "name.missing": {"name": pl.lit(" ")},
    "uid.missing": {"uid": pl.lit(None, dtype=pl.String())},
    "uid.charset": {"uid": pl.format("{}@example.com", "uid")},
    "uid.too_long": {"uid": pl.format("{}-{}", "uid", pl.lit("x" * 100))},
    "uid.duplicate": {"uid": pl.format(" {} ", _uid(pl.lit(0)).str.to_uppercase())},
    "name.too_long": {"name": pl.lit("Ö" * 101)},
    "avatar.too_long": {"avatar": _long_url(3001)},
    "avatar.not_a_url": {"avatar": pl.format("avatars/{}.jpg", "uid")},
    "link.too_long": {"link": _long_url(3001)},
    "link.not_a_url": {"link": pl.lit("people.example.com")},
    "role.charset": {"role": pl.lit("shift lead")},
    "tags.not_a_list": {"tags": pl.lit('["bridge", 7]')},
    "tags.too_many": {"tags": pl.lit(";".join(f"crew {number}" for number in range(1, 27)))},
    "tags.too_long": {"tags": pl.lit("é" * 101)},
    "metadata.not_an_object": {"metadata": pl.lit('["bridge"]')},
    "metadata.too_large": {"metadata": _long_metadata(5121)},
    "with_auth_token.not_a_boolean": {"withAuthToken": pl.lit("maybe")},
    "body.too_large": {
        "avatar": _long_url(3000),
        "link": _long_url(3000),
        "metadata": _long_metadata(5000),
    },
}


def batch(first: int, rows: int, *, seed: int, invalid: Fraction) -> pl.DataFrame:
    """Make `rows` rows of the endless roster of this seed, from row `first` on; the top one is row 0.

    Of the first n rows exactly floor(n * invalid) break a rule, spread evenly, each by the next defect code
    in turn.
    """
    broken_before = pl.col("index") * invalid.numerator // invalid.denominator
    broken_after = (pl.col("index") + 1) * invalid.numerator // invalid.denominator
    frame = (
        pl.select(index=pl.int_range(first, first + rows))
        .with_columns(bits=_bits(pl.col("index"), seed))
        .with_columns(
            **_clean_fields(),
            defect=pl.when(broken_after > broken_before).then(broken_before % len(DEFECTS)),
        )
    )
    parts = [frame.filter(pl.col("defect").is_null())]
    parts += [
        frame.filter(pl.col("defect") == number).with_columns(**cells) for number, cells in enumerate(DEFECTS.values())
    ]
    return pl.concat(parts).sort("index").select(SCHEMA.names())


def batches(rows: int, *, seed: int, invalid: Fraction) -> Iterator[pl.DataFrame]:
    """Give the roster in pieces of at most `BATCH_ROWS` rows, each made when it is asked for."""
    for first in range(0, rows, BATCH_ROWS):
        yield batch(first, min(BATCH_ROWS, rows - first), seed=seed, invalid=invalid)


def write_roster(path: Path, rows: int, *, seed: int = 1, invalid: Fraction | str = "0", form: Format) -> None:
    """Write a roster of `rows` rows to `path`; memory does not grow with `rows`.

    `invalid` is the share of rows that break a rule, from 0 to 1. A Parquet roster gets one row group for
    each `BATCH_ROWS` rows.
    """
    share = Fraction(invalid)

    def source(
        columns: list[str] | None, _predicate: pl.Expr | None, _rows: int | None, _size: int | None
    ) -> Iterator[pl.DataFrame]:
        for frame in batches(rows, seed=seed, invalid=share):
            yield frame if columns is None else frame.select(columns)

    roster = register_io_source(source, schema=SCHEMA)
    if form == "csv":
        roster.sink_csv(path)
    else:
        roster.sink_parquet(path, row_group_size=BATCH_ROWS)


def percentage(text: str) -> Fraction:
    """Read `2%` or `0.02` as an exact fraction from 0 to 1; anything else is a ValueError."""
    try:
        share = Fraction(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ZeroDivisionError:
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise ValueError(f"not a share: {text!r}")
    return share


def whole_number(text: str) -> int:
    """Read a number from 0 up; anything else is a ValueError."""
    if (number := int(text)) < 0:
        raise ValueError(f"not a number of rows: {text!r}")
    return number


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rig.make_roster", description="Write a roster.")
    parser.add_argument("--rows", type=whole_number, required=True, help="rows to write")
    parser.add_argument("--format", choices=("csv", "parquet"), help="default: by the suffix of FILE")
    parser.add_argument("--seed", type=int, default=1, help="another number, other rows (default 1)")
    parser.add_argument("--invalid", type=percentage, default=Fraction(0), help="share that breaks a rule: 2%%")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FILE")
    options = parser.parse_args()
    form = options.format or options.output.suffix.removeprefix(".")
    if form not in ("csv", "parquet"):
        parser.error(f"{options.output}: say --format csv or --format parquet")
    try:
        write_roster(options.output, options.rows, seed=options.seed, invalid=options.invalid, form=form)
    except OSError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
