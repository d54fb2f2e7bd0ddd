"""Texts that are no rosters are told for what they are, under any name; texts that only begin like them are read."""

from __future__ import annotations

import base64
import time

import pytest

from provisioner.roster.files.documents import document
from provisioner.roster.files.signature import LENGTH, identify

SQL = "a dump of a database (SQL)"
LDIF = "LDIF, as a directory writes its entries"
ERROR = "an error message of a server (JSON) and no roster"
SUMMARY = "a summary or a proof that provisioner has written, and no roster"
JSON = "JSON"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("-- MySQL dump 10.13  Distrib 8.0\n--\n", SQL),
        ("--\n-- PostgreSQL database dump\n--\n\nSET statement_timeout = 0;\n", SQL),
        ("/*!40101 SET NAMES utf8 */;\nDROP TABLE IF EXISTS `users`;\n", SQL),
        ("INSERT INTO users (uid, name) VALUES ('a1','Ann Lee');\n", SQL),
        ("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n", SQL),
        ("BEGIN;\nINSERT INTO users VALUES ('a1','Ann');\n", SQL),
        ("USE staff;\nINSERT INTO users VALUES ('a1','Ann');\n", SQL),
        ("INSERT INTO users (uid, name)\nVALUES ('a1', 'Ann');\n", SQL),
        ("INSERT INTO users (uid, name) VALUES\n('a1', 'Ann');\n", SQL),
        ("CREATE TABLE users\n(\n  uid text,\n  name text\n);\n", SQL),
        ("DROP TABLE IF EXISTS users, roles;\n", SQL),
        ("LOCK TABLES `users` WRITE;\n", SQL),
        ("version: 1\n\ndn: uid=ann,ou=people,dc=example\nuid: ann\n", LDIF),
        ("# extended LDIF\n#\n# LDAPv3\n\ndn: uid=ann,ou=people\n", LDIF),
        ("dn:: dWlkPWFubg= =\n", LDIF),
        ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ann\r\n", "vCards of an address book"),
        (
            "*************************** 1. row ***************************\nuid: a1\n",
            "what mysql shows of rows with \\G, a line for each cell",
        ),
        ("- uid: a1\n  name: Ann\n", "YAML"),
        ("---\nusers:\n  - uid: a1\n", "YAML"),
        ("From: x@y.z\nTo: a@b.c\nSubject: users,\n of today\nMIME-Version: 1.0\n\nhello\n", "an e-mail"),
        ("-----BEGIN PGP MESSAGE-----\n\nhQEMA\n", "encrypted"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", "encrypted"),
        ("age-encryption.org/v1\n-> X25519 x\n", "encrypted"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6633\n", "encrypted"),
        ('{"error":"unauthorized","message":"token expired"}', ERROR),
        ('{"error": {"code": 401, "message": "Invalid token"}}\n', ERROR),
        ('{"errors":[{"message":"Forbidden"}]}', ERROR),
        ('{"code":401,"message":"Unauthorized","success":false}', ERROR),
        ('{\n  "provisioner_plan": 3,\n  "roster": []', "a plan that provisioner has kept, and no roster"),
        ('{\n  "rows": 2,\n  "rejected": 0,\n  "created": 2,', SUMMARY),
        ('{\n  "users": 2,\n  "reversed": 2,\n  "kept": 0,', SUMMARY),
        (
            '{"started_at": "2026-01-01T00:00:00.000Z", "finished_at": "", "elapsed_seconds": 0.3, "stopped_by": "x",',
            SUMMARY,
        ),
        ('{\n  "jobs": [\n    {\n      "name": "a \\"b\\"",\n      "command": "run",\n      "shard": null,', SUMMARY),
        ('{"jobs": [{"name": "Ann", "command": "run"}]}', JSON),
        ('{"started_at": "2026-01-01T00:00:00.000Z", "finished_at": "", "people": []}', JSON),
        ('{\n  "message": "all as it was", \n  "app_id": "",\n  "base_url": "http://x/v3",', SUMMARY),
        ('{"rows": 2, "users": [{"uid": "a1", "name": "Ann"}]}', JSON),
        ("ID;PWXL;N;E\r\nP;PGeneral\r\n", "a symbolic link file (SYLK) of a spreadsheet program"),
        ("ID;PCALCOOO32\nB;Y3;X2\n", "a symbolic link file (SYLK) of a spreadsheet program"),
        ('TABLE\n0,1\n"EXCEL"\nVECTORS\n0,3\n', "a data interchange file (DIF) of a spreadsheet program"),
        (f"{base64.b64encode(bytes(range(256)))[:76].decode()}\nAAECAwQFBg==\n", "in base64"),
        (f"{base64.b64encode(bytes(range(256)))[:64].decode()}\r\nAAECAwQFBgcICQ\r\n", "in base64"),
        ("ID;PNAME;uid\nA;B;c\n", None),
        (f"{'uid' * 30}\n{'a' * 64}\n{'b' * 64}\n", None),
        ("TABLE,uid\n0,1\n", None),
        ("uid,name\na1,Ann\n", None),
        ("-- list of staff,\nuid,name\n", None),
        ("create,insert,set,uid,name\n", None),
        ("From,To,uid,name\n", None),
        ("error,message,uid\n", None),
    ],
)
def test_a_text_is_told_by_its_beginning(text: str, what: str | None) -> None:
    """Whatever its name says."""
    for start in (text.encode(), b"\xef\xbb\xbf\r\n" + text.encode()):
        found = identify(start)
        assert (found and found.what) == what


@pytest.mark.parametrize(
    "text",
    [
        '{"error":null,"uid":"a1","name":"Ann"}\n',
        '{"errors":[],"users":[{"uid":"a1"}]}',
        '{"status":"active","nr":5,"fullname":"Ann"}\n',
        '{"error":{"uid":"a1"}}',
        '{"errors":[{"message":"' + "x" * 5000 + '"}],"data":[{"uid":"a1"}]}',
        '{"errors":[' + '{"message":"x"},' * 2000 + '{}],"data":[{"uid":"a1"}]}',
    ],
)
def test_an_object_with_people_in_it_is_no_error_message(text: str) -> None:
    """It is JSON, which is read under its own name."""
    found = identify(text.encode()[:LENGTH])
    assert found is not None
    assert found.what == "JSON"


@pytest.mark.parametrize(
    ("start", "what"),
    [
        (";".join(["Numéro d'employé", "Prénom usuel", "Adresse e-mail"] * 10) + "\n", None),
        ("Begin;" + "one two three four;" * 100 + "'", SQL),
        ("/* a */" * 500, None),
        ("<!-- a -->" * 400, "XML"),
        ("-- a\n" * 800, None),
        ('{"error":"a",' * 300, "JSON"),
        ("A-b: c\n" * 500, None),
    ],
    ids=["header", "cells", "comments of SQL", "comments of XML", "lines", "facts", "fields of an e-mail"],
)
def test_no_beginning_is_read_in_more_ways_than_one(start: str, what: str | None) -> None:
    """What is looked at for each file takes no time, whatever stands in it."""
    begun = time.process_time()
    found = document(start.encode())
    assert (found and found.what, time.process_time() - begun < 1) == (what, True)
