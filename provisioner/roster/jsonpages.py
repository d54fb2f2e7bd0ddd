"""What JSON tells of the list in it: whether it is all, or a page of it.

{"users": […], "total": 2}                  all, where there are two
{"users": […], "count": 2, "next": "/2"}    a page
{"users": […], "total": 4}  […]             all, where there are four in both files

A member is told by the parts of its name, of which each service has put together its own: `nextPageUrl`, `has_more`,
`totalSetSize`, `PaginationToken`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

_TOTAL, _COUNT, _SIZE, _PAGES = "total", "count", "size", "pages"
_NEXT, _PREVIOUS, _BROKEN = "next", "previous", "broken"
_POSITION: Final = "position"
"""Where the page ends, which the last one tells as well in many a service."""
_END: Final = "end"
_UNTOLD: Final = ("", 0)

_THINGS: Final = (
    "users?|people|persons?|members?|employees?|accounts?|contacts?|students?|items?|results?|records?|rows?|elements?|"
    "entry|entries|hits?|match(?:es)?|nodes?|docs|resources?|data|directory|list|set"
)
_WHERE: Final = (
    "pages?(?:number|id)?|paging|pagination|links?|ur[il]|href|path|token|cursor|marker|bookmark|offset|key|start|"
    "index|batch|skip|scroll(?:id)?"
)
_COUNTED: Final = f"(?:{_THINGS}|all|grand|full|overall|available|found|size|number|of|x|odata|total|count)*"
_PAGED: Final = "(?:page|paging|pagination|skip|resume|resumption|end|last)*"
_ASKED: Final = (
    f"(?:{_THINGS}|pages?|paging|pagination|links?|cursor|odata|x|has|have|is|are|was|at|on|the|there|load|all)*"
)
_EXCEEDED: Final = "exceeded(?:transfer|size|time)?limit|(?:transfer|size|time)?limitexceeded"
_LEADING: Final = f"(?:{_THINGS}|{_WHERE}|available|exists?|indicator|flag|of|in|the|to|load|collection)*"
_AHEAD: Final = f"{_ASKED}(?:next|more|after|continuation|continue|lastevaluated){_LEADING}"
_LAST: Final = f"{_ASKED}(?:last|final|end|complete|completed|done|finished|exhausted|eof){_LEADING}"

_ABOUT_THE_LIST: Final = (
    f"(?:response|search|collection|{_THINGS})*"
    "(?:pages?|pageable|pager|paging|pagination|meta(?:data)?|additionaldata|links?|info|summary|resultset)"
    "(?:info|information|meta(?:data)?|details?)?"
)
_OF_WHAT: Final = frozenset({"of", "unit", "units", "what"})
"""Members beside a number that say of what it is: not of users."""

_NOTHING: Final = "0*|-1?|false|no|none|null|nil|n/a"
_NO_PAGE: Final = re.compile(f"{_NOTHING}|end|eof|last|done|finished|complete")
_NO_TROUBLE: Final = re.compile(f"{_NOTHING}|ok|success|successful|(?:no|0) errors?(?: found)?|200")
_CODES: Final = frozenset({"code", "status", "errorcode", "statuscode"})
_DATE: Final = re.compile(r"(?:\d{4}-\d\d-\d\d|\d\d?\.\d\d?\.\d{4}).*|[+-]?\d\d?:\d\d(?::\d\d)?")
_MAYBE_A_DATE: Final = re.compile("(?:next|prev|previous|after|before)(?:load|batch|start)?|offset")
"""Members that lead to another page, or tell when one was or will be made."""
_NO_SIGN: Final = re.compile(r"[^a-z]")
_THOUSANDS: Final = re.compile(r"(?<=\d)[,' \u00a0\u2019\u202f](?=\d{3}(?!\d))")
_MOST: Final = 10**15
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
        name, number = _plain(path.rpartition(".")[2]), _number(value)
        if isinstance(value, dict) and re.fullmatch(_ABOUT_THE_LIST, name) and path.count(".") < _DEEPEST:
            told = {_plain(key): each for key, each in value.items()}
            is_of_others = not _OF_WHAT.isdisjoint(told)
            for key, each in value.items():
                is_this_page = "self" in told and each == told["self"]
                if not is_this_page and not (is_of_others and _number(each)):
                    self.note(f"{path}.{key}", each)
            return
        for what, names, tells in _TOLD:
            if re.fullmatch(names, name) and number >= self.said.get(what, _UNTOLD)[1] and tells(name, value):
                self.said[what] = path, number

    def told(self, what: str) -> tuple[str, int]:
        """Give the member by which a number of users or pages is told, and the number; 0 where none is.

        A count may be of the page, so a total beats it; and it may be how many users a page can have.
        """
        if what == _TOTAL and what not in self.said:
            count = self.said.get(_COUNT, _UNTOLD)
            return _UNTOLD if count[1] == self.number(_SIZE) else count
        return self.said.get(what, _UNTOLD)

    def number(self, what: str) -> int:
        """Give the number that is told, see `told`."""
        return self.told(what)[1]

    def leads(self, what: str) -> str | None:
        """Name the member by which there are more users, behind these or before; null where nothing says so."""
        is_told_better = not self.rows or not self.said.keys().isdisjoint({_END, _TOTAL, _PAGES})
        told = self.said.get(what) or (None if what == _PREVIOUS or is_told_better else self.said.get(_POSITION))
        return told and told[0]


def only_part(pages: Sequence[Page], again: int = 0) -> str | None:
    """Say by what pages tell that there are more than these; None where they tell nothing, or there are not.

    Pages that tell one total are those of one list, and so are all that hold it together. Of others one is the last,
    and one the first. The total of a page that has so many itself may be its own.

    again  rows of people who have come in an earlier row: of a page that was fetched twice, or moved on meanwhile
    """
    short: list[tuple[Page, str, int]] = []
    for page in pages:
        if _BROKEN in page.said:
            return _partly(page, f"by {page.said[_BROKEN][0]}")
        if what := next(filter(page.number, (_TOTAL, _PAGES)), None):
            there = _there(page, what, pages, again)
            if there < page.number(what):
                short.append((page, what, there))
    if short and not _hold_it_together([page for page, *_ in short], pages, again):
        page, what, there = short[0]
        member, number = page.told(what)
        return _partly(page, f"{member} is {number}, and there {'is' if there == 1 else 'are'} {there}")
    for what in (_NEXT, _PREVIOUS):
        telling = [page for page in pages if not page.is_alone]
        if telling and all(each.leads(what) and each.number(_TOTAL) <= each.rows for each in telling):
            return _partly(telling[0], f"by {telling[0].leads(what)}")
    return None


def _there(page: Page, what: str, pages: Sequence[Page], again: int) -> int:
    """Count the users, or the pages, of those that tell the same number of them as one does.

    There are no more users than people in all files, and as many rows as a page has that come again may be a page.
    More users than that are of several lists, of which one that is short lacks some.
    """
    number = page.number(what)
    alike = [each.rows for each in pages if each.number(what) == number]
    if what == _PAGES:
        return max(1, len(alike) - again // max(1, min(alike)))
    there = min(sum(alike), _people(pages, again)) if len(alike) > 1 else page.rows
    are_several = there > number > page.rows and there % number
    return page.rows if are_several and max(alike) <= number else there


def _hold_it_together(short: Sequence[Page], pages: Sequence[Page], again: int) -> bool:
    """Whether pages whose total grew while they were fetched, and those that tell no number, are just so many."""
    there = sum(each.rows for each in pages if each in short or not (each.number(_TOTAL) or each.number(_PAGES)))
    return min(there, _people(pages, again)) == max(each.number(_TOTAL) for each in short)


def _people(pages: Sequence[Page], again: int) -> int:
    return sum(each.rows for each in pages) - again


def _partly(page: Page, told: str) -> str:
    return (
        f"{page.name} says of itself that it is not all ({told}); get the other pages too and name all of them, or, "
        "where it is all, write its list alone"
    )


def _plain(name: str) -> str:
    return _NO_SIGN.sub("", name.casefold())


def _number(value: object) -> int:
    """Give the whole number that a value is, however it is written: 40, "40", 40.0, 4e1, "1,200"; 0 for none."""
    try:
        number = float(_THOUSANDS.sub("", value)) if isinstance(value, str) else 0
    except ValueError:
        return 0
    return int(number) if 0 < number < _MOST else 0


def _is_number(_: str, value: object) -> bool:
    return _number(value) > 0


def _is_yes(_: str, value: object) -> bool:
    return str(value).casefold() in {"true", "yes", "y"}


def _is_no(_: str, value: object) -> bool:
    return str(value).casefold() in {"false", "no", "n"}


def _is_page(name: str, value: object) -> bool:
    """Tell what leads to another page from what is empty, says no, or is not what it is called."""
    is_date = _MAYBE_A_DATE.fullmatch(name) and isinstance(value, str) and _DATE.fullmatch(value)
    is_sentence = isinstance(value, str) and " " in value.strip()
    return not _is_no_page(name, value) and not is_date and not is_sentence


def _is_no_page(_: str, value: object) -> bool:
    return not _is_something(value, _NO_PAGE)


def _is_position(name: str, value: object) -> bool:
    """Tell a place in the list from the number of rows before it, which says nothing of what is behind."""
    return _is_page(name, value) and not (name.endswith("offset") and _number(value))


def _is_trouble(_: str, value: object) -> bool:
    """Tell an error; one with a code is told by the code."""
    if not isinstance(value, dict):
        return _is_something(value, _NO_TROUBLE)
    codes = {key: each for key, each in value.items() if _plain(key) in _CODES}
    return _is_something(codes or value, _NO_TROUBLE)


def _is_something(value: object, nothing: re.Pattern[str]) -> bool:
    values = value.values() if isinstance(value, dict) else [value]
    return any(
        bool(each) if isinstance(each, dict | list) else nothing.fullmatch(str(each).strip().casefold()) is None
        for each in values
    )


# Texts, made patterns of where one is looked for: to make them takes longer than a small CSV is read in.
_TOLD: Final[Sequence[tuple[str, str, Callable[[str, object], bool]]]] = (
    (_TOTAL, f"{_COUNTED}total{_COUNTED}", _is_number),
    (_COUNT, f"{_COUNTED}(?:count|found|n(?:b|um)(?=.)|numberof){_COUNTED}", _is_number),
    (_SIZE, f"(?:{_THINGS}|pages?|max|per)*(?:size|limit|perpage|maxresults|top|take)", _is_number),
    (_PAGES, "x?(?:total|count|nb|num|numberof)pages?(?:count|number)?", _is_number),
    (_PAGES, "x?pages?(?:total|count)|pages|lastpage(?:number)?", _is_number),
    (_NEXT, _AHEAD, _is_page),
    (_NEXT, _LAST, _is_no),
    (_END, _AHEAD, _is_no_page),
    (_END, _LAST, _is_yes),
    (_POSITION, f"{_PAGED}cursor|{_PAGED}marker|{_PAGED}bookmark|{_PAGED}offset|{_PAGED}(?<=.)token", _is_position),
    (_PREVIOUS, f"{_ASKED}(?:prev|previous|before){_LEADING}", _is_page),
    (_PREVIOUS, f"{_ASKED}first{_LEADING}", _is_no),
    (_BROKEN, f"{_ASKED}(?:partial|truncated|incomplete|timedout|errors?|{_EXCEEDED})(?:{_THINGS})*", _is_trouble),
)
"""What services tell beside a list: what it is, how a member is called that tells it (without capitals and signs), and
whether its value does."""
