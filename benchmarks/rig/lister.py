"""An app that has every user of a roster and lists them: `python -m benchmarks.rig.lister ROSTER --pages FILE`.

The far end where the app is read. Its pages are made once, of what would be sent for the rows, and lie in a file; to
answer costs little more than to send them.
"""

from __future__ import annotations

import argparse
import asyncio
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Final

from benchmarks.rig.harness import event_loop_factory
from benchmarks.rig.sink import NOBODY, Sink, serve
from provisioner.model import AuthTokens
from provisioner.roster.reader import open_roster
from provisioner.validation.constraints import Constraints
from provisioner.validation.fields.binding import bind
from provisioner.validation.survey import survey
from provisioner.validation.validator import Validator

PER_PAGE: Final = 1000
_PAGE: Final = re.compile(rb"GET /v3/users\?perPage=1000&page=(\d+)&withTags=true(&onlyDeactivated=true)?")
_META: Final = b'],"meta":{"pagination":{"total":%d,"count":%d,"per_page":1000,"current_page":%d,"total_pages":%d}}}'
_SHOWN: Final = b',"status":"offline","createdAt":1700000000}'


def users_of(roster: Path) -> Iterator[bytes]:
    """Give every user of a roster as the API would show it."""
    opened = open_roster(roster)
    binding = bind(opened.schema)
    known = survey(opened, binding, roster.parent)
    validator = Validator(binding, Constraints(), known, auth_tokens=AuthTokens.NONE)
    for batch in opened.batches():
        yield from (body.encode()[:-1] + _SHOWN for body in validator.check(batch).valid["body"].to_list())


class Lister(Sink):
    """Answers `GET /users` with the pages of a roster."""

    def __init__(self, users: Iterator[bytes], pages: IO[bytes]) -> None:
        super().__init__(latency=0.0)
        self._pages = pages
        self._places: list[tuple[int, int]] = []
        self.users = 0
        while page := list(islice(users, PER_PAGE)):
            begin = pages.tell()
            pages.write(b'{"data":[' + b",".join(page))
            self._places.append((begin, len(page)))
            self.users += len(page)
        self._end = pages.tell()

    def answer(self, start: bytes, body: bytes) -> bytes:
        """Give a page; the deactivated users are nobody."""
        if (asked := _PAGE.match(start)) is None:
            return super().answer(start, body)
        number = int(asked[1])
        if asked[2] or number > len(self._places):
            return self.reply(b"200 OK", NOBODY)
        begin, count = self._places[number - 1]
        end = self._places[number][0] if number < len(self._places) else self._end
        self._pages.seek(begin)
        meta = _META % (self.users, count, number, len(self._places))
        return self.reply(b"200 OK", self._pages.read(end - begin) + meta)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rig.lister", description="List the users of a roster.")
    parser.add_argument("roster", type=Path)
    parser.add_argument("--pages", type=Path, required=True, metavar="FILE", help="where the pages are kept")
    options = parser.parse_args()
    with options.pages.open("w+b") as pages, asyncio.Runner(loop_factory=event_loop_factory()) as runner:
        runner.run(serve([Lister(users_of(options.roster), pages)], "127.0.0.1", 0))


if __name__ == "__main__":
    main()
