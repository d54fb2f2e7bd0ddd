"""Database servers of this machine, each started for a test in a folder of its own; where there is none, tests skip."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

PASSWORD = "s3cret-Pw"
PATIENCE = 60.0


@contextmanager
def postgresql() -> Iterator[str]:
    """Give the address of a PostgreSQL that lets `app` in, with `PASSWORD`; it has the database `postgres`."""
    programs = _programs("initdb", "/usr/lib/postgresql/*/bin")
    with _folder("postgres") as (folder, user):
        (folder / "pw").write_text(PASSWORD)
        data, port = folder / "data", _free_port()
        _call([programs / "initdb", "-D", data, "-A", "scram-sha-256", "--pwfile", folder / "pw", "-U", "app"], user)
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        control = [programs / "pg_ctl", "-D", data, "-l", folder / "log", "-w"]
        _call([*control, "-o", options, "start"], user)
        try:
            yield f"postgresql://app@127.0.0.1:{port}/postgres"
        finally:
            _call([*control, "-m", "immediate", "stop"], user)


@contextmanager
def mariadb() -> Iterator[str]:
    """Give the address of a MariaDB that lets `app` in, with `PASSWORD`; it has the database `hr`."""
    programs, install = _programs("mariadbd", "/usr/sbin"), _programs("mariadb-install-db", "/usr/bin")
    with _folder("mysql") as (folder, user):
        data, port, begin = folder / "data", _free_port(), folder / "begin.sql"
        _call([install / "mariadb-install-db", f"--datadir={data}", "--auth-root-authentication-method=normal"], user)
        grant = f"CREATE USER app@'127.0.0.1' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON hr.* TO app@'127.0.0.1';"
        begin.write_text(f"CREATE DATABASE hr;\n{grant.replace('; ', ';' + os.linesep)}\n")
        begin.chmod(0o644)
        command = [
            programs / "mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={folder}/s", f"--port={port}",
            "--bind-address=127.0.0.1", f"--init-file={begin}", f"--pid-file={folder}/pid",
        ]  # fmt: skip
        server = subprocess.Popen(
            list(map(str, command)), user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait_for(port)
            yield f"mysql://app@127.0.0.1:{port}/hr"
        finally:
            server.kill()
            server.wait(PATIENCE)


def _programs(name: str, folders: str) -> Path:
    """Find the folder of a program, or skip the test."""
    if found := shutil.which(name):
        return Path(found).resolve().parent
    root = Path("/")
    there = sorted(path for path in root.glob(folders.removeprefix("/")) if (path / name).exists())
    if not there:
        pytest.skip(f"{name} is not installed")
    return there[-1]


@contextmanager
def _folder(user: str) -> Iterator[tuple[Path, str | None]]:
    """Make a folder for a server, and say who it runs as: servers refuse to run as root."""
    as_user = user if os.geteuid() == 0 else None
    if as_user is not None and as_user not in {each.pw_name for each in pwd.getpwall()}:
        pytest.skip(f"there is no user {user}")
    with tempfile.TemporaryDirectory(prefix="server-") as folder:
        if as_user is not None:
            shutil.chown(folder, as_user)
        yield Path(folder), as_user


def _call(command: Sequence[object], user: str | None) -> None:
    subprocess.run(
        list(map(str, command)), user=user, check=True, timeout=PATIENCE, stdout=subprocess.DEVNULL, cwd="/",
        stderr=subprocess.DEVNULL,
    )  # fmt: skip


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as greeting:
                if greeting.recv(1):
                    return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")
