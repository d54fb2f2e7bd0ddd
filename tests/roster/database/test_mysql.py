"""Rows of MySQL, from a real server where there is one, MariaDB: types, refusals."""

from __future__ import annotations

import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pymysql
import pytest

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


class AskingForRsa(socketserver.BaseRequestHandler):
    """Greets as MySQL 8 without TLS does, wants the password encrypted, and gives something else than a key for it."""

    def handle(self) -> None:
        can = 0x1 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x10000 | 0x20000 | 0x80000
        greeting = b"\x0a8.0.36\0" + struct.pack("<I", 1) + b"A" * 8 + b"\0" + struct.pack("<H", can & 0xFFFF)
        greeting += b"\x2d" + struct.pack("<HH", 2, can >> 16) + bytes([21]) + b"\0" * 10
        self._send(0, greeting + b"A" * 12 + b"\0caching_sha2_password\0")
        self._send(self._read() + 1, b"\x01\x04")  # all of the log-in
        self._send(self._read() + 1, b"\x01-----BEGIN PUBLIC KEY-----\nabc\n-----END PUBLIC KEY-----\n")

    def _send(self, number: int, data: bytes) -> None:
        self.request.sendall(struct.pack("<I", len(data))[:3] + bytes([number]) + data)

    def _read(self) -> int:
        """Read a packet, and give its number."""
        with self.request.makefile("rb", buffering=0) as sent:
            head = sent.read(4)
            sent.read(int.from_bytes(head[:3], "little"))
        return int(head[3])


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
