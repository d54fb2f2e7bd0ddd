"""Judges the rows of a roster: a batch comes in, what is to be sent and what is rejected, and why, comes out.

fields (trimmed, read) → rules and warnings → bodies → sizes → Checked
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import polars as pl

from provisioner.model import FIELDS, TOKEN_BYTES, AuthTokens
from provisioner.roster.formats.rows import RosterBatch
from provisioner.roster.shard import Shard
from provisioner.validation.checked import REPEATS, Checked, rejected_rows
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields import cells
from provisioner.validation.fields.binding import Binding
from provisioner.validation.fields.places import FIELD_WORDS
from provisioner.validation.fields.structured.bodies import write_bodies
from provisioner.validation.fields.structured.metadata import read_metadata
from provisioner.validation.fields.structured.tags import read_tags
from provisioner.validation.lookalikes import Lookalikes, Persons, Uids
from provisioner.validation.oddities import mojibake
from provisioner.validation.oddities.cleaning import Cleaning
from provisioner.validation.oddities.entries import fed_again, numbers_before
from provisioner.validation.oddities.marks import Marks
from provisioner.validation.oddities.suspicions import suspicions
from provisioner.validation.rules import (
    BODY_TOO_LARGE,
    OTHER_ROWS,
    OVERRULED,
    Found,
    Place,
    Rule,
    body_rule,
    broken_rules,
    found,
    found_in,
    no_place,
    places,
    rules,
)
from provisioner.validation.vocabulary.leaving import as_meant, deactivated, wants_token
from provisioner.validation.warnings import OVERRULED_WARNINGS, REPEATED, warning_rules

if TYPE_CHECKING:  # the rules need what a survey found, and have nothing to do with files
    from provisioner.validation.survey import Survey

_TEXT_FIELDS = tuple(name for name in FIELD_WORDS if name not in {"uid", "metadata", "tags"})
_READ = ("tags", "tags_defect", "metadata", "metadata_defect")


class Validator:
    """Applies the rules to the batches of one roster, which must come in order and once each.

    All it remembers from batch to batch is where the values that the survey found repeated came first. With
    `strict` a row with a warning is rejected; `place` says how the owner of the roster sees a row. With `persons` rows
    of one uid are one row when they say the same, and all rejected when they do not; without, the first one is taken.
    With `shard` the rows of others are only looked at for their likeness to those of the shard. Unless it `writes`,
    bodies are not written that cannot be too large. At `now` (UNIX seconds) it is decided who has left by a date.
    """

    def __init__(
        self,
        binding: Binding,
        constraints: Constraints,
        survey: Survey,
        *,
        auth_tokens: AuthTokens,
        strict: bool = False,
        place: Place = no_place,
        persons: Persons | None = None,
        shard: Shard | None = None,
        writes: bool = True,
        now: float = 0.0,
    ) -> None:
        self._binding, self._constraints = binding, constraints
        self._auth_tokens, self._strict, self._place = auth_tokens, strict, place
        self._shard, self._writes = shard, writes
        self._uids, self._persons = Uids(survey.repeated, persons), persons is not None
        self._lookalikes = Lookalikes(binding, survey.respelled, survey.shared_emails)
        self._leaving, self._now = binding.fields.get("deactivated"), now
        self._rules = rules(
            constraints,
            encoded_uids=binding.encodes_uids,
            persons=self._persons,
            leaving=self._leaving is not None,
        )
        again = fed_again(binding.schema)
        self._warnings = warning_rules(survey.digits, survey.tags_separator, rounded=survey.rounded, fed_again=again)
        self._is_broken, self._is_odd = _judging(self._rules), _judging(self._warnings)
        self._cleaning = Cleaning(binding)
        self._marks, self._usual = Marks(binding, survey.shape), (survey.tags_separator, survey.addressed)
        self._rejected_firsts: set[int] = set()
        self._body_rule = body_rule(constraints)

    def check(self, batch: RosterBatch) -> Checked:
        """Sort the rows of a batch into valid and rejected ones.

        uid   name   rules                   body          goes to
        ann   Ann    kept                    fits          valid, with the body `{"uid":"ann","name":"Ann"}`
        tim   test   kept; name.placeholder  fits          valid and warned of; rejected when strict
        eve   Eve…   kept                    too large     rejected: body.too_large
        b b   Bob    uid.charset             not written   rejected: uid.charset
        """
        fields, repeated = self._taken(self._fields(batch))
        broken = fields.select(self._is_broken)
        broken = _overruled(broken, broken, OVERRULED)
        warned = fields.select(self._is_odd)
        warned = _overruled(warned, broken.hstack(warned), OVERRULED_WARNINGS)
        sound = ~_any(broken)
        written = self._written(fields.filter(sound)).hstack(warned.filter(sound))
        good = self._good(written)
        defective = _stacked(fields.hstack(broken).hstack(warned).filter(~sound), written.filter(~good))
        defective = self._of_rejected_firsts(defective)
        lines = _lines(batch, fields, self._verdicts(defective))
        defects = found(fields, broken, self._rules) | found(written, written, [self._body_rule])
        warnings = repeated | found(fields, warned, self._warnings)
        if self._strict:
            defects, warnings = defects | warnings, {}
        valid = written.filter(good)
        firsts, repeats = valid["row"].filter(valid["comes_again"]), self._repeats(defective)
        return Checked(lines, _sent(valid), rejected_rows(batch, lines), defects, warnings, firsts, repeats)

    def contents(self, batch: RosterBatch) -> Iterator[tuple[int, str, str]]:
        """Give row number, uid and what the row says of those rows whose uid may come again, for `Persons`."""
        fields = self._fields(batch)
        again = fields.filter("comes_again")
        meanings = {"withAuthToken": wants_token(pl.col("withAuthToken")), "leaves": pl.col("deactivated")}
        said = [name for name in (*_TEXT_FIELDS, *_READ) if name not in {"role", *meanings}]
        meant = [as_meant(pl.col(name), each) for name, each in meanings.items() if name in again.columns]
        content = pl.struct(*said, pl.col("role").str.to_lowercase(), *meant)
        return again.select("row", "uid", content.struct.json_encode().alias("content")).iter_rows()

    def _taken(self, fields: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, Found]]:
        """Leave out the rows that are one with an earlier one, and warn of them; with `strict` they are rejected."""
        repeats = fields["repeats_row"].is_not_null()
        if self._strict or not repeats.any():
            return fields, {}
        return fields.filter(~repeats), {REPEATED.code: found_in(fields["row"], repeats)}

    def _fields(self, batch: RosterBatch) -> pl.DataFrame:
        """Read the cells of every field; see `provisioner.validation.rules` for the columns."""
        binding = self._binding
        frame = self._cleaning.people(batch.frame)
        texts = cells.read(frame, {name: binding.fields.get(name) for name in _TEXT_FIELDS}, binding)
        uid_input = cells.as_it_stands(binding.fields["uid"], binding)
        uids = cells.uids(frame, binding)
        marked, sent = self._marks.of(batch, frame, uids), uids
        uids = _without(uids, [marked["header_again"]])
        identities = _without(uids, [marked[name] for name in ("uid_word", "uid_rounded", "uid_not_text")])
        fields = (
            batch.frame.select(batch.numbers.alias("row"), uid_input.alias("uid_input"))
            .with_columns(uids, *self._uids.columns(identities, batch.numbers))
            .with_columns(**marked)
            .hstack(texts.with_columns(name_suspicious=mojibake.suspicious(texts["name"])))
            .hstack(read_tags(frame, binding, self._constraints.tag_max_length))
            .hstack(read_metadata(frame, binding))
            .hstack(self._left(frame))
        )
        odd = suspicions(batch.remarks, frame, binding, fields, self._cleaning.words(frame), *self._usual)
        fields = fields.with_columns(**odd).hstack(self._lookalikes.columns(frame, fields))
        if self._shard is not None:
            fields = fields.filter(pl.Series(self._shard.holds(sent), dtype=pl.Boolean))
        return fields.with_columns(places(fields[name], self._place) for name in OTHER_ROWS)

    def _left(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Give `deactivated`, and `leaves` beside it where a column says so."""
        if self._leaving is None:
            return pl.DataFrame([cells.column_of(None, frame.height, pl.Boolean).alias("deactivated")])
        said = cells.read(frame, {"leaves": self._leaving}, self._binding)
        return said.with_columns(deactivated=deactivated(pl.col("leaves"), self._now))

    def _of_rejected_firsts(self, defective: pl.DataFrame) -> pl.DataFrame:
        """Add `first_rejected`: whether the earlier row with the same uid is rejected as well."""
        if defective["comes_again"].any():
            self._rejected_firsts.update(defective.filter(pl.col("comes_again") & pl.col("first_row").is_null())["row"])
        if defective["first_row"].null_count() == defective.height:
            return defective.with_columns(first_rejected=pl.lit(value=False))
        return defective.with_columns(first_rejected=pl.col("first_row").is_in(list(self._rejected_firsts)))

    def _repeats(self, defective: pl.DataFrame) -> pl.DataFrame:
        """Give `Checked.repeats`; none where persons were compared, of whom no row is taken anyway."""
        again = defective.filter(pl.col("first_row").is_not_null() & ~pl.col("first_rejected"))
        if self._persons or again.is_empty():
            return pl.DataFrame(schema=REPEATS)
        told = self._verdicts(again.with_columns(first_rejected=pl.lit(value=True)))
        return again.select("row", "first_row").with_columns(told["error_message"])

    def _written(self, sound: pl.DataFrame) -> pl.DataFrame:
        """Add what is sent to rows that keep the rules: `body`, `token`, `request_bytes`, and whether that is too much.

        Nobody who is deactivated gets one.

        withAuthToken   body                           token   request_bytes   body.too_large
        yes             {"uid":"ann","name":"Ann"}     true    26 + 21         false
        """
        token = pl.repeat(value=False, n=pl.len())
        if self._auth_tokens is not AuthTokens.NONE:
            token = wants_token(pl.col("withAuthToken")) & ~pl.col("deactivated").fill_null(value=False)
        spliced = pl.when("token").then(TOKEN_BYTES).otherwise(0)
        size = (pl.col("body").str.len_bytes() + spliced).cast(pl.Int64)
        most = 0 if self._writes else self._constraints.body_max_bytes
        written = sound.with_columns(write_bodies(sound, above=most), token.alias("token"))
        return written.with_columns(size.alias("request_bytes")).with_columns(_judging([self._body_rule]))

    def _good(self, written: pl.DataFrame) -> pl.Series:
        """Tell which of the written rows are sent: those that fit, and with `strict` are not warned of either."""
        fits = ~written[BODY_TOO_LARGE]
        return fits & ~_any(written.select(rule.code for rule in self._warnings)) if self._strict else fits

    def _verdicts(self, defects: pl.DataFrame) -> pl.DataFrame:
        """Put the defects of each row in words: `row`, `error_code` of the first one, `error_message` of all."""
        every = [*self._rules, self._body_rule, *(self._warnings if self._strict else ())]
        every = broken_rules(defects, every)
        if not every:
            return pl.DataFrame(schema={"row": pl.Int64(), "error_code": pl.String(), "error_message": pl.String()})
        first = pl.coalesce([pl.when(pl.col(rule.code)).then(pl.lit(rule.code)) for rule in every])
        message = pl.concat_str([rule.message for rule in every], separator="; ", ignore_nulls=True)
        return defects.select("row", first.alias("error_code"), message.alias("error_message"))


def _judging(judges: Sequence[Rule]) -> list[pl.Expr]:
    """Give a Boolean column without nulls for each rule, true where it is broken; as costly to write as to ask."""
    return [rule.broken.fill_null(value=False).alias(rule.code) for rule in judges]


def _overruled(judged: pl.DataFrame, known: pl.DataFrame, overruled: Mapping[str, frozenset[str]]) -> pl.DataFrame:
    """Take out what only follows from something else that was found in the row."""
    for code, others in overruled.items():
        if known[code].any():
            judged = judged.with_columns(judged[name] & ~known[code] for name in judged.columns if name in others)
    return judged


def _without(texts: pl.Series, unwanted: Iterable[cells.Column]) -> pl.Series:
    """Take the texts out of the rows in which one of these is true."""
    for each in unwanted:
        if isinstance(each, pl.Series) and each.any():
            texts = texts.clone().scatter(each.arg_true(), None)
    return texts


def _any(broken: pl.DataFrame) -> pl.Series:
    return broken.select(pl.any_horizontal(pl.all())).to_series()


def _stacked(unsound: pl.DataFrame, unfit: pl.DataFrame) -> pl.DataFrame:
    """Put the rows that break a rule and those that are written in vain under each other, null where one knows less."""
    return pl.concat([unsound, unfit.drop("body", "token")], how="diagonal")


def _lines(batch: RosterBatch, fields: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.lines`: every row, with the verdict of those that have one."""
    lines = fields.select("row", "uid", "uid_input", "name").join(verdicts, on="row", how="left", maintain_order="left")
    before = numbers_before(batch.frame)
    return lines if before is None else lines.with_columns(before.gather(batch.positions(lines["row"])))


def _sent(good: pl.DataFrame) -> pl.DataFrame:
    """Give `Checked.valid`."""
    filled = pl.sum_horizontal(pl.col(name).is_not_null().cast(pl.Int64) * (1 << at) for at, name in enumerate(FIELDS))
    role = pl.col("role").str.to_lowercase()
    return good.select("row", "uid", "body", "token", role, "deactivated", filled.alias("filled"))
