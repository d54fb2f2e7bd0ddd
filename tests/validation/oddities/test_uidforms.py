"""What uids look like, and how each is mended: the cures are taken."""

from __future__ import annotations

import polars as pl
import pytest

from provisioner.settings.tables import Settings
from provisioner.validation.constraints import DEFECTS, UID_KINDS, Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.fields.cells import uids
from provisioner.validation.fields.mapping import parse_mapping
from provisioner.validation.fields.source import Encoding
from provisioner.validation.oddities.uidforms import EncodedEmails
from tests.rig.checking import check, check_warnings, people, warnings

FORMS = {
    "1000.0": "numbers with .0",
    "7,00": "numbers with .0", "ann@example.org": "e-mail addresses", "a_b": "underscores",
    "Ann@example.org": "e-mail addresses with capitals", "\\.": "end marks of COPY",
        "{6F9619FF-8B86}": "braces", "'a1'": "single quotes", "\u201ca1\u201d": "typographic quotes",
    '="00123"': "formulas", "13:30:00": "times", "2026-04-03T12:30:00.5": "times", "2026-04-03T12:30+02:00": "times",
    "a\u200bb": "invisible characters", "a b": None, "é": None,
}  # fmt: skip


def test_how_to_mend_speaks_of_what_is_there() -> None:
    """Several forms in one column are several sentences; what is none of them keeps the general one."""
    found = check([{"uid": uid, "name": "n"} for uid in FORMS]).defects["uid.charset"]
    assert set(found.kinds) == {kind for kind in FORMS.values() if kind} == set(UID_KINDS)
    mend = DEFECTS["uid.charset"].mended(found.rows, found.kinds)
    assert all(sentence in mend for sentence in (*UID_KINDS.values(), DEFECTS["uid.charset"].mend))


@pytest.mark.slow
def test_the_cures_cure() -> None:
    """`encode` for e-mail addresses and anything else, `uid_allow_underscore` for underscores."""
    for encode in ({"encode": "cometchat"}, {"encode": "uuid5", "namespace": "dns"}):
        settings = Settings(columns=parse_mapping({"uid": {"column": "email", **encode}}))
        for uid in FORMS:
            rows = [{"email": uid, "name": "Ann"}]
            assert check(rows, mapping=settings.columns, constraints=settings.constraints).defects == {}
    assert check([{"uid": "a_b", "name": "A"}], constraints=Constraints(uid_allow_underscore=True)).defects == {}


@pytest.mark.parametrize("uid", ["Jan-02", "3-Apr", "02-jan", "31-DEC", "may-99", "2024-03-01", "1999-12-31"])
def test_dates_of_a_spreadsheet_are_warned_of(uid: str) -> None:
    """A day or two figures of a year and the short English name of a month, in any case, or a whole date."""
    frame = pl.DataFrame({"uid": [uid, "u-1"], "name": "Ann"})
    assert warnings(frame) == {"uid.looks_like_a_date": (1,)}


@pytest.mark.parametrize(
    "uid",
    ["mar1", "2024-13-01", "1024-03-01", "2024-3-01", "a024-03-01", "jan-2", "32-jan", "jan-002", "a3-apr", "3-apri"],
)
def test_what_is_no_such_date_is_not(uid: str) -> None:
    """Nothing else that begins or ends like one."""
    assert warnings(pl.DataFrame({"uid": [uid], "name": "Ann"})) == {}


def test_floats_of_32_bits_are_warned_of_where_they_may_be_rounded() -> None:
    """Beyond 2 to the 24th, and only where they feed the uid."""
    frame = pl.DataFrame({"uid": [2.0**24 - 1, 2.0**24, None], "name": "Ann"}, schema_overrides={"uid": pl.Float32})
    assert warnings(frame) == {"uid.looks_rounded": (2,)}
    other = people().with_columns(pl.Series("metadata.n", [2.0**30], dtype=pl.Float32))
    assert warnings(other) == {}


ADDRESSED = "mfxg4qdfpbqw24dmmuxg64th"
"""ann@example.org in base32."""


@pytest.mark.parametrize(
    ("uid", "encoding"),
    [
        (ADDRESSED, Encoding.BASE32),
        (ADDRESSED.upper(), Encoding.BASE32),
        ("616e6e406578616d706c652e6f7267", Encoding.HEX),
        ("ann", None),
        ("mzxw6ytboi", None),
        ("6f9619ff-8b86-d011-b42d-00c04fc964ff", None),
        ("666f6f626172", None),
        ("007", None),
    ],
)
def test_uids_that_are_addresses_in_another_form_are_found(uid: str, encoding: Encoding | None) -> None:
    """Made by whoever exported the roster: base32 or hex of an e-mail address, and nothing else that looks so."""
    frame = pl.DataFrame({"uid": [None, "u-1", uid], "name": "Ann"})
    binding = bind(frame.schema)
    found = EncodedEmails(binding)
    found.add(frame, uids(frame, binding), pl.arange(0, frame.height, eager=True))
    assert found.found is encoding


@pytest.mark.parametrize(("encode", "told"), [("base32", True), ("hex", True), ("slug", False), ("cometchat", False)])
def test_addresses_that_the_mapping_encodes_are_found_in_any_row(encode: str, told: bool) -> None:
    """Also where only the last of many rows has one."""
    mapping = parse_mapping({"uid": ["id", {"column": "mail", "encode": encode}]})
    frame = pl.DataFrame({"id": ["a"] * 500 + [None], "mail": [None] * 500 + [" ann@example.org"], "name": "Ann"})
    binding = bind(frame.schema, mapping)
    found = EncodedEmails(binding)
    found.add(frame, uids(frame, binding), pl.arange(0, frame.height, eager=True))
    assert found.found == (encode if told else None)


def addresses(*odd: str | None, usual: int = 8) -> pl.DataFrame:
    """Rows with addresses, and some others behind them."""
    return pl.DataFrame({"mail": [f"p{n}@x.example" for n in range(usual)] + list(odd), "name": "Ann"})


@pytest.mark.parametrize("encode", ["base32", "hex", "slug", "cometchat"])
@pytest.mark.parametrize(
    "odd", ["kein", "kaethe.nagel11 @ acme.example", "ann@acme", "a@x.example b@x.example", "12", "@x.example"]
)
def test_what_is_encoded_among_addresses_and_is_none_is_warned_of(encode: str, odd: str) -> None:
    """Whatever the encoding makes of it; an empty cell is a missing uid, and blanks around an address are nothing."""
    frame = addresses(" ann@x.example ", odd, None, " ")
    assert warnings(frame, {"uid": {"column": "mail", "encode": encode}}) == {"uid.not_an_address": (10,)}


@pytest.mark.parametrize(("usual", "is_odd"), [(8, True), (7, False), (0, False)])
def test_other_texts_are_odd_where_nearly_all_are_addresses(usual: int, is_odd: bool) -> None:
    """Four of five."""
    frame = addresses("ann", "bob", usual=usual)
    expected = {"uid.not_an_address": (usual + 1, usual + 2)} if is_odd else {}
    assert warnings(frame, {"uid": {"column": "mail", "encode": "base32"}}) == expected


def test_only_the_texts_that_become_uids_encoded_count() -> None:
    """Each source by itself: ids beside the addresses are none of them, encoded or not."""
    frame = addresses("ann", "bob", None, usual=8).with_columns(id=pl.Series([None] * 9 + ["b-1", "c-1"]))
    base32 = {"encode": "base32"}
    assert warnings(frame, {"uid": ["id", {"column": "mail", **base32}]}) == {"uid.not_an_address": (9,)}
    assert warnings(frame, {"uid": [{"column": "mail", **base32}, {"column": "id", **base32}]}) == {
        "uid.not_an_address": (9, 10)
    }
    assert warnings(frame, {"uid": {"column": ["id", "mail"], **base32}}) == {"uid.not_an_address": (9,)}
    assert warnings(frame, {"uid": ["mail", {"column": "id", **base32}]}) == {}


def test_a_word_for_nothing_in_a_list_is_no_text_that_becomes_a_uid() -> None:
    """It is no odd one itself, and hides none behind it; alone it is one, which is no address."""
    frame = addresses("NULL", "ann", usual=8).with_columns(id=pl.Series(["\\N"] * 9 + ["NULL"]))
    encoded = {"column": "mail", "encode": "hex"}
    for form in ([encoded, "id"], ["id", encoded]):
        assert warnings(frame, {"uid": form}) == {"uid.not_an_address": (10,)}
    assert warnings(frame, {"uid": encoded}) == {"uid.not_an_address": (9, 10)}


def test_the_message_shows_the_text_and_strict_rejects_it() -> None:
    """As it stands in the roster, not as it is encoded."""
    checked = check_warnings(addresses(" kein "), {"uid": {"column": "mail", "encode": "base32"}}, strict=True)
    assert checked.lines.drop_nulls("error_message").select("row", "error_message").rows() == [
        (9, "uid.not_an_address: 'kein' is no e-mail address, as nearly all others are that become uids")
    ]
