"""The limits and codes as data: complete, sourced, and what the code really uses."""

from __future__ import annotations

from dataclasses import asdict

from provisioner.validation.constraints import DEFECTS, LIMITS, Advice, Constraints


def test_the_defaults_are_those_of_the_table_and_each_has_a_source() -> None:
    """Nobody has to believe a number: its page and what it holds for stand beside it."""
    assert asdict(Constraints()) == {key: limit.default for key, limit in LIMITS.items()}
    assert [key for key, limit in LIMITS.items() if "CometChat docs" not in limit.source or not limit.meaning] == []


def test_the_codes_are_the_documented_ones_in_the_documented_order() -> None:
    """Scripts of users match on these names; they do not change."""
    assert list(DEFECTS) == [
        "row.header_again", "uid.missing", "name.missing", "uid.not_text", "name.not_text", "uid.placeholder",
        "uid.charset", "uid.too_long", "uid.rounded", "uid.duplicate", "name.too_long", "avatar.too_long",
        "link.too_long", "avatar.not_a_url", "link.not_a_url", "role.charset", "tags.not_a_list", "tags.too_many",
        "tags.too_long", "metadata.not_an_object", "metadata.too_large", "with_auth_token.not_a_boolean",
        "deactivated.not_a_boolean", "body.too_large", "role.unknown",
    ]  # fmt: skip
    assert all(advice.meaning and advice.mend for advice in DEFECTS.values())


def test_a_uid_that_is_an_object_is_mended_in_the_roster() -> None:
    """No line of `[columns]` names the member of an object, so none is advised."""
    said = "write the uid as a text or a number; of an object, write the member that is meant in its place"
    assert DEFECTS["uid.not_text"].mend == said


def test_how_to_mend_is_said_for_what_was_really_found() -> None:
    """Each kind by its sentence, the most frequent first; the rest by the general one; columns by their cells."""
    advice = Advice("wrong", "mend it", {"dots": "leave out the dots", "blanks": "leave out the blanks"})
    assert advice.mended(3, {}) == "mend it"
    assert advice.mended(3, {"dots": 1, "blanks": 2}) == "leave out the blanks; leave out the dots"
    assert advice.mended(3, {"dots": 2}) == "leave out the dots; mend it"
    assert advice.mended(3, {"dept": 1, "team": 2}) == "dept (1 cell), team (2 cells): mend it"


def test_of_very_many_columns_the_first_are_named() -> None:
    """As many as a screen has room for, and how many more there are."""
    columns = {f"c{number}": 1 for number in range(1200)}
    named = ", ".join(f"c{number} (1 cell)" for number in range(20))
    assert Advice("wrong", "mend it").mended(3, columns) == f"{named} and 1,180 more: mend it"


def test_only_limits_that_differ_are_overridden() -> None:
    """Nothing given, or the documented value: the documented limit holds."""
    given = Constraints(uid_max_length=50, name_max_length=100, tags_max=0)
    assert given.overridden == {"uid_max_length": 50, "tags_max": 0}
    assert Constraints(uid_allow_underscore=True).overridden == {"uid_allow_underscore": True}


def test_a_limit_is_described_with_its_unit() -> None:
    """With thousands apart, and a switch in words."""
    assert LIMITS["metadata_max_bytes"].described(5120) == "5,120 bytes"
    assert [LIMITS["uid_allow_underscore"].described(each) for each in (True, False)] == ["yes", "no"]
