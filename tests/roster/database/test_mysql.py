"""Rows of MySQL, from a real server where there is one, MariaDB: types, refusals."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymysql
import pytest
from pymysql.constants import FIELD_TYPE

from provisioner.errors import RosterError
from provisioner.files.cures import with_extra
from provisioner.roster.database.address import Query, parse_address
from provisioner.roster.database.answer import ask
from tests.rig.databases import PASSWORD, mariadb

pytestmark = pytest.mark.process

MADE = """
    CREATE TABLE people (
        id BIGINT UNSIGNED PRIMARY KEY, name VARCHAR(50) CHARACTER SET utf8mb4, score DECIMAL(10, 2), f DOUBLE,
        active BOOLEAN, born DATE, joined DATETIME, at TIME, meta JSON, grade ENUM('a', 'b'), note TEXT
    )
"""
PERSON = """
    INSERT INTO people VALUES (18446744073709551615, 'Zoë 😀', 12.50, 0.5, TRUE, '2026-01-31', '2026-01-31 12:00',
        '12:30:00', '{"a": 1}', 'b', NULL)
"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with mariadb() as where:
        parsed = parse_address(where).given.rpartition("@")[2]
        host, _, rest = parsed.partition(":")
        port, _, database = rest.partition("/")
        with closing(
            pymysql.connect(host=host, port=int(port), user="app", password=PASSWORD, database=database)
        ) as link:
            link.cursor().execute(MADE)
            link.cursor().execute(PERSON)
            link.commit()
        yield where


def rows(address: str, sql: str, folder: Path, password: str = PASSWORD) -> list[dict[str, Any]]:
    kept = ask(Query(sql, parse_address(address), password), folder, lambda: None)
    with closing(kept):
        return [row for batch in kept.open(None).batches() for row in batch.frame.to_dicts()]


def test_types_are_those_of_the_server(address: str, tmp_path: Path) -> None:
    """Also of a column that holds nothing; JSON, a time of day and an enumeration are their text."""
    assert rows(address, "SELECT * FROM people", tmp_path) == [
        {
            "id": 18446744073709551615, "name": "Zoë 😀", "score": Decimal("12.50"), "f": 0.5, "active": 1,
            "born": date(2026, 1, 31), "joined": datetime(2026, 1, 31, 12), "at": "12:30:00", "meta": '{"a": 1}',  # noqa: DTZ001 - it has no zone
            "grade": "b", "note": None,
        }
    ]  # fmt: skip
    assert rows(address, "SELECT id AS uid FROM people WHERE FALSE", tmp_path) == []


@pytest.mark.parametrize(
    ("sql", "password", "message"),
    [
        ("SELECT nme FROM people", PASSWORD, "MySQL: Unknown column 'nme' in 'SELECT'"),
        ("SELECT 1 AS a, 2 AS a", PASSWORD, "two columns are named 'a'; give one another name with AS"),
        ("DELETE FROM people", PASSWORD, "MySQL: Cannot execute statement in a READ ONLY transaction"),
        ("SET @a = 1", PASSWORD, "it is no query that gives rows"),
        ("SELECT 1", "wr0ng-Pw", "MySQL: Access denied for user 'app'@"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence(
    address: str, tmp_path: Path, sql: str, password: str, message: str
) -> None:
    """In the server's words; no password in it."""
    with pytest.raises(RosterError) as refused:
        rows(address, sql, tmp_path, password)
    told = str(refused.value)
    assert told.lower().startswith(f"query of hr: {message}".lower()), told
    assert "wr0ng" not in told


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            "?sslmode=require",
            "the address has a parameter 'sslmode', which means nothing here; take it out, or give ssl_ca",
        ),
        ("?ssl_ca=/no/ca.pem", "/no/ca.pem: no such file; ssl_ca in the address has to name one"),
    ],
)
def test_a_parameter_that_cannot_be_minded_is_refused(tmp_path: Path, parameters: str, message: str) -> None:
    """Nobody who asks for an encrypted connection logs in over another."""
    with pytest.raises(RosterError) as refused:
        rows(f"mysql://app@127.0.0.1:1/hr{parameters}", "SELECT 1", tmp_path)
    assert str(refused.value).startswith(f"query of hr: {message}")


class Speaking(socketserver.BaseRequestHandler):
    """Speaks as MySQL 8 does, as far as a log-in and answers go."""

    def _greet(self, method: bytes) -> None:
        can = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x10000 | 0x20000 | 0x80000
        greeting = b"\x0a8.0.36\0" + struct.pack("<I", 1) + b"A" * 8 + b"\0" + struct.pack("<H", can & 0xFFFF)
        greeting += b"\x2d" + struct.pack("<HH", 2, can >> 16) + bytes([21]) + b"\0" * 10
        self._send(0, greeting + b"A" * 12 + b"\0" + method + b"\0")

    def _send(self, number: int, data: bytes) -> None:
        self.request.sendall(struct.pack("<I", len(data))[:3] + bytes([number % 256]) + data)

    def _read(self) -> tuple[int, bytes]:
        """Read a packet: its number, and what it holds."""
        with self.request.makefile("rb", buffering=0) as sent:
            head = sent.read(4)
            return int(head[3]), sent.read(int.from_bytes(head[:3], "little"))


class AskingForRsa(Speaking):
    """Wants the password encrypted, and gives something else than a key for it."""

    def handle(self) -> None:
        self._greet(b"caching_sha2_password")
        self._send(self._read()[0] + 1, b"\x01\x04")  # all of the log-in
        self._send(self._read()[0] + 1, b"\x01-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n")


class Answering(Speaking):
    """Lets everybody in, and answers each SELECT with one column of values, which MySQL sends as texts."""

    kind: int
    values: Iterable[str]
    sent: int

    def handle(self) -> None:
        self._greet(b"mysql_native_password")
        number, said = self._read()
        with suppress(OSError):  # whoever asked has left in the middle
            while not said.startswith(b"\x03SELECT"):
                self._send(number + 1, b"\0\0\0\2\0\0\0")
                number, said = self._read()
            texts = 45 if self.kind == FIELD_TYPE.VAR_STRING else 63
            column = b"\3def\0\0\0\1v\0\x0c" + struct.pack("<HIBHB", texts, 100, self.kind, 0, 0) + b"\0\0"
            for number, packet in enumerate((b"\1", column, b"\xfe\0\0\2\0"), 1):
                self._send(number, packet)
            type(self).sent = 0
            for value in self.values:
                self._send(self.sent + 4, bytes([len(value)]) + value.encode())
                type(self).sent += 1
            self._send(self.sent + 4, b"\xfe\0\0\2\0")


@contextmanager
def answering(kind_: int, values_: Iterable[str]) -> Iterator[tuple[str, type[Answering]]]:
    """Give the address of a server that answers so, once."""

    class Handler(Answering):
        kind, values = kind_, values_

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.handle_request, daemon=True)
        thread.start()
        yield f"mysql://app@127.0.0.1:{server.server_address[1]}/hr", Handler
        thread.join(20)


def test_a_time_of_day_stays_as_the_server_has_it(tmp_path: Path) -> None:
    """With its zero; a time may be below zero, and longer than a day."""
    times = ["09:05:00", "-01:30:00", "838:59:59", "12:30:00.250000"]
    with answering(FIELD_TYPE.TIME, times) as (where, _):
        assert [row["v"] for row in rows(where, "SELECT v", tmp_path)] == times


def test_bits_are_the_number_that_they_are(tmp_path: Path) -> None:
    """Of one bit many programs make a boolean."""
    with answering(FIELD_TYPE.BIT, ["\0", "\1", "\1\2"]) as (where, _):
        assert [row["v"] for row in rows(where, "SELECT v", tmp_path)] == [0, 1, 258]


def test_a_day_that_is_none_is_told_with_its_column(tmp_path: Path) -> None:
    """MySQL has such days where nobody knows one."""
    days = ["2026-01-31", "0000-00-00"]
    with answering(FIELD_TYPE.DATE, days) as (where, _), pytest.raises(RosterError) as refused:
        rows(where, "SELECT v", tmp_path)
    told = str(refused.value)
    assert told.startswith("query of hr: behind row 0 the column 'v' has a value that is none of its type (unexpected")
    assert told.endswith('"0000-00-00"); write it as text with CAST(… AS CHAR)')


def test_what_ends_early_does_not_wait_for_the_rest_of_the_answer(tmp_path: Path) -> None:
    """Neither an interruption nor a full disk: it may be hours long."""

    def interrupted() -> None:
        raise LookupError

    many = (f"u{number}" for number in range(1_000_000))
    with answering(FIELD_TYPE.VAR_STRING, many) as (where, server), pytest.raises(LookupError):
        ask(Query("SELECT v", parse_address(where), PASSWORD), tmp_path, interrupted)
    assert server.sent < 1_000_000


@pytest.mark.parametrize("installed", [True, False])
def test_the_log_in_of_mysql_8_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    """Without the package that encrypts the password, and with it where there is no key."""
    if installed:
        pytest.importorskip("cryptography")
    monkeypatch.setattr("pymysql._auth._have_cryptography", installed)
    without = "the server wants the password encrypted, for which the package cryptography is missing"
    no_key = "what the server sent for the password to be encrypted with is no key; check host and port in --database"
    with socketserver.TCPServer(("127.0.0.1", 0), AskingForRsa) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        with pytest.raises(RosterError) as refused:
            rows(f"mysql://app@127.0.0.1:{server.server_address[1]}/hr", "SELECT 1", tmp_path)
    said = no_key if installed else f"{without}; {with_extra('sql')}"
    assert str(refused.value) == f"query of hr: {said}"
