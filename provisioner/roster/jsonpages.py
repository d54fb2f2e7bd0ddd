"""What JSON tells of the list in it: whether it is all, or a page of it.

{"users": […], "total": 2}                  all, where there are two
{"users": […], "count": 2, "next": "/2"}    a page
{"users": […], "total": 4}  […]             all, where there are four in both files
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

_TOTAL, _PAGES, _NEXT, _PREVIOUS, _BROKEN = "total", "pages", "next", "previous", "broken"
_SAYS: Final = {
    name: what
    for what, names in {
        _TOTAL: "total count totalcount totalresults totalrecords totalitems totalelements totalrows totalsize "
        "totalhits totalusers odatacount",
        _PAGES: "pages totalpages pagecount lastpage",
        _NEXT: "next nextlink odatanextlink nextpage nextpagetoken nextpagelink nextpageurl nexturl nexttoken "
        "nextcursor nextmarker nextoffset nextrecordsurl hasnext hasnextpage hasmore more morerecords moreresults "
        "continuation continuationtoken lastevaluatedkey",
        _PREVIOUS: "previous prev previouspage prevpage previouslink previouspageurl prevpageurl haspreviouspage",
        _BROKEN: "partial truncated istruncated incomplete incompleteresults error errors",
    }.items()
    for name in names.split()
}
"""What services tell beside a list: name of a member, without capitals and signs → what is told by it."""
_DONE: Final = frozenset({"done", "complete", "iscomplete", "islast", "islastpage", "last"})
_ABOUT_THE_LIST: Final = frozenset(
    {"meta", "metadata", "page", "pageinfo", "paging", "pagination", "links", "info", "responsemetadata"}
)
_OF_WHAT: Final = frozenset({"of", "unit", "units", "what"})
"""Members beside a number that say of what it is: not of users."""

_NOTHING: Final = frozenset({"", "0", "-1", "false", "no", "none", "null"})
_NO_PAGE: Final = _NOTHING | {"end", "eof", "last", "done", "finished", "complete"}
_NO_TROUBLE: Final = _NOTHING | {"ok", "success", "successful", "no error", "no errors", "0 errors", "200"}
_CODES: Final = frozenset({"code", "status", "errorcode", "statuscode"})
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d.*")
_NUMBERS: Final = (_TOTAL, _PAGES)
_NO_SIGN: Final = re.compile(r"[^a-z]")
_LONGEST_NUMBER: Final = 15
_DEEPEST: Final = 3


@dataclass(slots=True)
class Page:
    """What an object tells of the list of users in it: whether it is all, or which part.

    name      what messages call the file
    is_alone  whether it is the list alone, beside which nothing is told
    rows      users in the list
    said      what is told → the member that tells it, and its number where it is one
    """

    name: str
    is_alone: bool = False
    rows: int = 0
    said: dict[str, tuple[str, int]] = field(default_factory=dict)

    def note(self, path: str, value: object) -> None:
        """Take in one more member of the object; of those that tell a number the greatest counts."""
        name = _plain(path.rpartition(".")[2])
        if isinstance(value, dict) and name in _ABOUT_THE_LIST and path.count(".") < _DEEPEST:
            told = {_plain(key): each for key, each in value.items()}
            for key, each in value.items():
                is_number_of_others = _SAYS.get(_plain(key)) in _NUMBERS and not _OF_WHAT.isdisjoint(told)
                if not is_number_of_others and (_SAYS.get(_plain(key)) != _NEXT or each != told.get("self")):
                    self.note(f"{path}.{key}", each)
        elif what := _NEXT if name in _DONE else _SAYS.get(name):
            number = int(value) if isinstance(value, str) and _is_number(value) else 0
            if _is_told(what, name, value, number) and number >= self.said.get(what, ("", 0))[1]:
                self.said[what] = path, number

    def number(self, what: str) -> int:
        """Give the number of users or pages that is told; 0 for none."""
        return self.said.get(what, ("", 0))[1]


def only_part(pages: Sequence[Page]) -> str | None:
    """Say by what pages tell that there are more than these; None where they tell nothing, or there are not.

    Pages that tell one total are those of one list, and so are all that hold it together. Of others one is the last,
    and one the first. The total of a page that has so many itself may be its own.
    """
    short: list[tuple[Page, str, int]] = []
    for page in pages:
        if _BROKEN in page.said:
            return _partly(page, f"by {page.said[_BROKEN][0]}")
        if what := next((what for what in _NUMBERS if what in page.said), None):
            there = _there(page, what, pages)
            if there < page.number(what):
                short.append((page, what, there))
    if short and not _hold_it_together([page for page, *_ in short], pages):
        page, what, there = short[0]
        member, number = page.said[what]
        return _partly(page, f"{member} is {number}, and there {'is' if there == 1 else 'are'} {there}")
    for what in (_NEXT, _PREVIOUS):
        telling = [page for page in pages if not page.is_alone]
        if telling and all(what in each.said and each.number(_TOTAL) <= each.rows for each in telling):
            return _partly(telling[0], f"by {telling[0].said[what][0]}")
    return None


def _there(page: Page, what: str, pages: Sequence[Page]) -> int:
    """Count the users, or the pages, of those that tell the same number of them as one does."""
    alike = [each.rows for each in pages if each.number(what) == page.number(what)]
    return sum(alike) if what == _TOTAL else len(alike)


def _hold_it_together(short: Sequence[Page], pages: Sequence[Page]) -> bool:
    """Whether pages whose total grew while they were fetched, and lists that tell nothing, are just so many."""
    there = sum(each.rows for each in pages if each in short or each.is_alone)
    return there == max(each.number(_TOTAL) for each in short)


def _partly(page: Page, told: str) -> str:
    return (
        f"{page.name} says of itself that it is not all ({told}); get the other pages too and name all of them, or, "
        "where it is all, write its list alone"
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _plain(name: str) -> str:
    return _NO_SIGN.sub("", name.casefold())


def _is_told(what: str, name: str, value: object, number: int) -> bool:
    """Tell a member that says anything from one that is empty, says no, or is not what it is called."""
    if what in _NUMBERS:
        return number > 0
    if name in _DONE:
        return value is False
    if what == _BROKEN:
        return _is_trouble(value)
    is_date = name == "next" and isinstance(value, str) and _DATE.fullmatch(value)
    is_sentence = isinstance(value, str) and " " in value.strip()
    return _is_something(value, _NO_PAGE) and not is_date and not is_sentence


def _is_trouble(value: object) -> bool:
    """Tell an error; one with a code is told by the code."""
    if not isinstance(value, dict):
        return _is_something(value, _NO_TROUBLE)
    codes = {key: each for key, each in value.items() if _plain(key) in _CODES}
    return _is_something(codes or value, _NO_TROUBLE)


def _is_something(value: object, nothing: frozenset[str]) -> bool:
    values = value.values() if isinstance(value, dict) else [value]
    return any(
        bool(each) if isinstance(each, dict | list) else str(each).strip().casefold() not in nothing for each in values
    )
