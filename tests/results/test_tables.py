"""Tables that fit the console, and a console's text without its padding."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from provisioner.results.tables import WIDE, Entry, Listing, printed

LISTING = Listing(
    ("code", "rows", "how to mend"),
    [
        Entry((Text("uid.missing"), Text("12"), Text("give the row a uid")), Text("uid.missing  12 rows")),
        Entry((Text("a"), Text("3"), Text("mend it")), Text("a  3 rows")),
    ],
    numbers=frozenset({"rows"}),
)


def shown(width: int) -> list[str]:
    """The listing as a console of that width shows it."""
    return printed(lambda console: console.print(LISTING), width).splitlines()


def test_where_there_is_room_cells_stand_side_by_side() -> None:
    """Under their heads, numbers to the right."""
    assert shown(WIDE) == [
        "code         rows  how to mend",
        "uid.missing    12  give the row a uid",
        "a               3  mend it",
    ]


def test_where_there_is_none_the_last_cells_stand_below_a_title() -> None:
    """Nothing is left out, and no heads are needed."""
    assert shown(WIDE - 1) == ["uid.missing  12 rows", "    give the row a uid", "a  3 rows", "    mend it"]


def test_what_is_printed_has_no_padding_and_without_a_terminal_a_hundred_columns() -> None:
    """A file or a pipe has no width: wide enough to be read in one."""
    widths: list[int] = []

    def show(console: Console) -> None:
        widths.append(console.width)
        console.print(Text("a   "), Text("b"), sep="\n")

    assert printed(show) == "a\nb"
    assert widths == [100]
