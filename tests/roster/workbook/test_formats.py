"""What a number format does: pad with zeros, make a moment of a number, or nothing that counts."""

from __future__ import annotations

import pytest

from provisioner.roster.workbook.formats import built_in, number_format


def shown(code: str, number: float) -> str | None:
    """What a code makes of a number; null for the number itself."""
    form = number_format(code)
    return form(number) if form else None


@pytest.mark.parametrize(
    ("code", "number", "text"),
    [
        ("00000", 42, "00042"),
        ("00000", 0, "00000"),
        ("00000", 123456, "123456"),
        ("00000", -42, "-00042"),
        ("00000", 7.6, "00008"),
        ("00", 2.5, "03"),
        ("0000000000", 1e9, "1000000000"),
        ("#000", 7, "007"),
        ('"EMP"0000', 42, "EMP0042"),
        ("\\E\\M\\P0000", 42, "EMP0042"),
        ('0000"-X"', 42, "0042-X"),
        ("000\\-00\\-0000", 12345678, "012-34-5678"),
        ("000-00-0000", 123456789, "123-45-6789"),
        ("00000-0000", 12345, "00001-2345"),
        ("(000) 000-0000", 5551234567, "(555) 123-4567"),
        ("[$-409]00000", 42, "00042"),
        ("[Red]00000", 42, "00042"),
        ("00000_)", 42, "00042"),
        ("* 00000", 42, "00042"),
        ("00000;-00000", -42, "-00042"),
        ("00000;(00000)", -42, "(00042)"),
        ('00000;[Red]-00000;"-"', 42, "00042"),
        ("00000;-00000;00", 0, "00"),
        ("[<=99999]00000;00000-0000", 1234, "01234"),
        ("[<=99999]00000;00000-0000", 12345678, "01234-5678"),
        ("00000;@", 42, "00042"),
    ],
)
def test_a_format_that_pads_gives_what_is_seen(code: str, number: float, text: str) -> None:
    """Ids and postal codes live by their zeros: whatever stands around the places is shown too."""
    assert shown(code, number) == text


@pytest.mark.parametrize(
    "code",
    [
        "General", "0", "0.00", "#,##0", "#,##0.00", "0%", "0.00%", "0.00E+00", "##0.0E+0", "# ?/?", "# ??/??", "@", "",
        "000.00", "000,000", "00%", '"€" #,##0.00', "[$€-407] 00", '"EMP"0', "_(* #,##0_)", "00/00", "[Red]General",
        "###-####", '"Days"', "\\d\\a\\y0", ";;;",
    ],
)  # fmt: skip
def test_no_other_format_changes_a_number(code: str) -> None:
    """Per cent, currency, thousands and fractions are dress; so are letters of dates in quotes."""
    assert [shown(code, number) for number in (0, 42, -7, 0.25)] == [None] * 4


@pytest.mark.parametrize(
    "code",
    [
        "yyyy-mm-dd", "d/m/yy", "mmm-yy", "dddd", "h:mm AM/PM", "[$-F800]dddd, mmmm dd, yyyy", "yyyy\\-mm\\-dd;@",
        '[$-411]ggge"年"m"月"d"日"', "mm:ss.0", "[Red]dd.mm.yyyy", "YYYY-MM-DD",
    ],
)  # fmt: skip
def test_a_date_is_a_date_in_whatever_dress(code: str) -> None:
    """The format shows that a number is one; how it shows it does not matter."""
    assert (shown(code, 45413), shown(code, 45413.5625)) == ("2024-05-01", "2024-05-01T13:30:00")


@pytest.mark.parametrize("code", ["[h]:mm", "[h]:mm:ss", "[mm]:ss", "[SS]"])
def test_hours_that_run_on_are_a_length_of_time(code: str) -> None:
    """And no date of the year 1900."""
    assert shown(code, 1.5) == "36:00:00"


def test_formats_without_a_code_are_known_by_their_number() -> None:
    """Those of East Asia too."""
    kinds: dict[str | None, list[int]] = {}
    for number in range(164):
        if (form := built_in(number)) is not None:
            kinds.setdefault(form(1.5), []).append(number)
    assert kinds["36:00:00"] == [46, 79]
    assert kinds["1900-01-01T12:00:00"][:9] == list(range(14, 23))
    assert {0, 1, 2, 9, 10, 37, 44, 48, 49, 82, 163}.isdisjoint(kinds["1900-01-01T12:00:00"])
