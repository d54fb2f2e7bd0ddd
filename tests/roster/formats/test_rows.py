"""What every format gives: the next item is made while the last is worked on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from provisioner.roster.formats.rows import one_ahead, with_names_above


def test_items_made_ahead_are_the_same_in_the_same_order() -> None:
    assert list(one_ahead(iter([1, None, 3]))) == [1, None, 3]


def test_an_error_comes_up_where_its_item_would_have_been_given() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="no second"):
        next(ahead)


@pytest.mark.parametrize(
    ("header", "above", "names"),
    [
        ({2: "Last", 3: "First"}, [{1: "No.", 2: "Name"}], {1: "No.", 2: "Last", 3: "First"}),
        ({2: "Last", 1: " "}, [{1: "No.", 4: "Team"}], {1: "No.", 2: "Last", 4: "Team"}),
        ({2: "Last"}, [{1: "No.", 3: "Team"}, {3: "Group", 4: "Site"}], {1: "No.", 2: "Last", 3: "Group", 4: "Site"}),
        ({2: "Last"}, [{1: "Staff"}], {2: "Last"}),
        ({2: "Last"}, [{1: "No.", 3: "Team"}, {1: "Staff", 3: ""}], {2: "Last"}),
        ({2: "Last"}, [], {2: "Last"}),
    ],
)
def test_a_heading_of_several_lines_is_read_as_a_person_reads_it(
    header: dict[int, str], above: list[dict[int, str]], names: dict[int, str]
) -> None:
    """The lowest name of a column counts, and a line of one cell is a title: neither it nor what is above it names."""
    assert with_names_above(header, above) == names
