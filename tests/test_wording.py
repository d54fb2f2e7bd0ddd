"""How counts, durations, lists, times and errors are said."""

from __future__ import annotations

import pytest

from provisioner.wording import (
    counted,
    duration,
    first_line,
    iso_time,
    json_error,
    json_text,
    listed,
    nearest,
    printable,
    read_exactly,
    shortened,
)


@pytest.mark.parametrize(("number", "said"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_a_count_is_said_with_its_noun(number: int, said: str) -> None:
    """One of a thing is no plural, and thousands are set apart."""
    assert counted(number, "row") == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (0.1, "1 s"), (59, "59 s"), (59.5, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")],
)
def test_a_duration_is_said_in_the_units_that_matter(seconds: float, said: str) -> None:
    """Rounded up: nobody is told less than it takes."""
    assert duration(seconds) == said


def test_a_value_is_shown_in_quotes_on_one_line_and_not_for_ever() -> None:
    """Forty characters at most, and no control character reaches the terminal."""
    assert shortened("a\tb\x1b") == r"'a\tb\x1b'"
    assert shortened("x" * 40) == f"'{'x' * 40}'"
    assert shortened("x" * 41) == f"'{'x' * 40}…'"
    assert [printable("users.csv"), printable("a\nb")] == ["users.csv", r"a\nb"]


@pytest.mark.parametrize(
    ("words", "said"),
    [([], ""), (["a"], "a"), (list("abcde"), "a, b, c, d, e"), (list("abcdefg"), "a, b, c, d, e and 2 more")],
)
def test_the_first_of_many_are_named(words: list[str], said: str) -> None:
    """Five by default, and how many more there are."""
    assert listed(words) == said
    assert listed(["a"] * 2_005).endswith("a and 2,000 more")
    assert listed(words, at_most=100) == ", ".join(words)


@pytest.mark.parametrize(
    ("error", "said"), [(ValueError("one\ntwo"), "one"), (ValueError(""), "ValueError"), (KeyError("x"), "'x'")]
)
def test_an_error_is_said_in_its_first_line(error: Exception, said: str) -> None:
    """One that says nothing has at least a name."""
    assert first_line(error) == said


def test_a_json_error_is_said_without_the_place() -> None:
    """The text itself has been shown beside it."""
    assert json_error(ValueError("unexpected end of data: line 1 column 5 (char 4)")) == "unexpected end of data"


def test_the_nearest_name_is_asked_for() -> None:
    """In the spelling in which it is known; nothing when none is near."""
    assert nearest("NAM", ("uid", "Name")) == "; did you mean 'Name'?"
    assert nearest("xyzzy", ("uid", "name")) == ""


def test_a_time_is_given_in_utc() -> None:
    """As documents have it, to the millisecond unless told otherwise."""
    assert iso_time(0.5) == "1970-01-01T00:00:00.500Z"
    assert iso_time(1_790_000_000, "seconds") == "2026-09-21T14:13:20Z"


def test_a_time_that_no_calendar_has_is_its_number() -> None:
    """Such as one of milliseconds, which a journal of an earlier version may hold."""
    assert [iso_time(each, "seconds") for each in (253_402_300_799, 253_402_300_800, 1.7e12, 9e15)] == [
        "9999-12-31T23:59:59Z",
        "253402300800",
        "1700000000000",
        "9000000000000000",
    ]


def test_json_keeps_every_letter() -> None:
    """Indented for people, in one line for machines; what JSON does not know is refused unless there is a reading."""
    assert json_text({"a": ["ä"]}) == '{\n  "a": [\n    "ä"\n  ]\n}'
    assert json_text({"a": {1}}, None, str) == '{"a": "{1}"}'
    with pytest.raises(TypeError):
        json_text({1})


@pytest.mark.parametrize(
    "number", ["1", "-7", "1.5", "0.1234567890123456789012345", "1.50", "1e5", "9" * 30, "9" * 700, "-" + "9" * 5000]
)
def test_numbers_of_json_are_written_as_they_were_read(number: str) -> None:
    """To the digit, whatever a float or Python makes of them; no text is taken for one."""
    text = f'{{"a": [{number}, "{number}"]}}'
    assert json_text(read_exactly(text), None) == text
    assert read_exactly(text)["a"][0] == pytest.approx(float(number))
