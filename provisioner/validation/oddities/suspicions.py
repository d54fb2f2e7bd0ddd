"""What the warnings have to know of a row beyond its fields, found once for a batch.

    uid_date, uid_imprecise, name_control   Boolean   see the modules beside this one
    uid_unaddressed     String           what is encoded as the uid, where nearly all others are e-mail addresses
    name_damage         String           how the name was damaged: a key of `mojibake.DAMAGES`
    word_columns        List of String   the columns that hold a word for nothing which is sent as it stands
    tags_unsplit        Boolean          the tags hold the separator that nearly all others hold
    remarked <code>     Boolean          the reader, `_row`, or a cell below no name has that to say of the row
    said <code>         String           what an earlier round said of it and still holds; of rows fed in again
    metadata_characters Int64            code points of the metadata; null for at most `METADATA_CHARACTERS` bytes

Only the few rows that may be suspect are looked at closely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import polars as pl

from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.cells import NO_TEXT, NOWHERE, Column, column_of, true_at
from provisioner.validation.oddities import entries, headers, mojibake, tagforms, uidforms

METADATA_CHARACTERS = 1600

REMARKS: Mapping[str, str] = MappingProxyType(
    {
        "row.swallowed": "a cell holds what looks like a row of this file",
        "row.quoted_whole": "the whole line is in quotes, so all of it is the first cell",
        "row.hidden": "the row is hidden in the workbook",
        "row.unnamed_column": "a cell stands in a column without a name, so nothing is made of it",
        "row.number_lost": "_row holds no number, so it is not known which row this was",
    }
)
"""Warning that is about a row as it is read → what the message says; `RosterBatch.remarks` has the rows of most."""


def suspicions(
    remarks: Mapping[str, Sequence[int]],
    frame: pl.DataFrame,
    binding: Binding,
    fields: pl.DataFrame,
    words: pl.Series | None,
    tags_separator: str | None,
    addressed: Sequence[bool],
) -> dict[str, Column]:
    """Give the columns that are named above.

    `remarks` has what the reader says of single rows (indexes), `frame` the cells of the batch cleaned, `words` the
    columns with a word for nothing, `tags_separator` and `addressed` what the survey found.
    """
    swallowed = [*remarks.get("row.swallowed", ()), *entries.still_swallowed(frame)]
    remarks = {
        **remarks,
        "row.swallowed": swallowed,
        "row.unnamed_column": headers.below_no_name(frame, binding),
        "row.number_lost": entries.unplaced(frame),
    }
    unsplit = tagforms.unsplit_rows(frame, binding, tags_separator)
    remarked = {code: pl.Series(remarks.get(code, ()), dtype=pl.UInt32) for code in REMARKS}
    return {
        "uid_date": uidforms.dates(fields["uid"]),
        "uid_imprecise": uidforms.imprecise(frame, binding),
        "uid_unaddressed": uidforms.unaddressed(frame, binding, addressed),
        "tags_unsplit": NOWHERE if unsplit is None else unsplit,
        **{f"remarked {code}": true_at(rows, frame.height) for code, rows in remarked.items()},
        "word_columns": pl.lit(None, pl.List(pl.String)) if words is None else words,
        "metadata_characters": _long(fields["metadata"]),
        **_suspicious_names(fields["name"], fields["name_suspicious"]),
        **entries.of_others(frame, fields, binding),
    }


def _long(metadata: pl.Series) -> Column:
    """Count the characters where there are so many bytes that there may be too many."""
    is_long = metadata.str.len_bytes() > METADATA_CHARACTERS
    if not is_long.any():
        return pl.lit(None, pl.Int64)
    long, characters = is_long.arg_true(), column_of(None, len(metadata), pl.Int64)
    return characters.scatter(long, metadata.gather(long).str.len_chars().cast(pl.Int64))


def _suspicious_names(names: pl.Series, suspicious: pl.Series) -> dict[str, Column]:
    if not suspicious.any():
        return {"name_damage": NO_TEXT, "name_control": NOWHERE}
    at = suspicious.arg_true()
    close = names.gather(at)
    damage = column_of(None, len(names), pl.String).scatter(at, mojibake.damages(close))
    control = true_at(at.filter(close.str.contains(mojibake.CONTROL)), len(names))
    return {"name_damage": damage, "name_control": control}
