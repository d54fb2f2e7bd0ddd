"""A file that holds a secret: from a pipe as well, never without end, and never shown where it may be the secret."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError
from provisioner.files.looking import UnreadableError
from provisioner.settings import secretfile
from provisioner.settings.secretfile import LARGEST, is_shown, looks_like_key, read_secret, secret_of

KEY = "0123456789abcdef0123456789abcdef01234567"


def test_a_pipe_is_read_once_and_remembered() -> None:
    """`<(vault read …)` gives a secret only once, and it is asked for twice: to be masked, and to be sent."""
    reading, writing = os.pipe()
    os.write(writing, KEY.encode())
    os.close(writing)
    path = Path(f"/dev/fd/{reading}")
    assert [read_secret(path), read_secret(path)] == [KEY, KEY]
    os.close(reading)


def test_a_named_pipe_is_read_to_its_end_whoever_is_there_first(tmp_path: Path) -> None:
    """Whoever writes may take its time."""
    os.mkfifo(tmp_path / "fifo")
    with ThreadPoolExecutor() as others:
        written = others.submit((tmp_path / "fifo").write_text, KEY)
        assert read_secret(tmp_path / "fifo") == KEY
        assert written.result(10) == len(KEY)


def test_a_pipe_that_nobody_writes_into_is_told_and_not_waited_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run hangs for ever without a word."""
    monkeypatch.setattr(secretfile, "PATIENCE", 0.01)
    os.mkfifo(tmp_path / "fifo")
    for _ in range(2):
        with pytest.raises(UnreadableError, match=r"^is a pipe that nobody has written into for 0 s$"):
            read_secret(tmp_path / "fifo")
        monkeypatch.setattr(secretfile, "PATIENCE", 0.4)


def test_what_is_too_large_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Whether it has an end or not."""
    (tmp_path / "large").write_bytes(b"k" * (LARGEST + 1))
    (tmp_path / "most").write_bytes(b"k" * LARGEST)
    for path in (tmp_path / "large", Path("/dev/zero")):
        with pytest.raises(UnreadableError, match=r"^holds more than 64 KiB, which no secret does; name another file$"):
            read_secret(path)
    assert read_secret(tmp_path / "most") == "k" * LARGEST


@pytest.mark.parametrize(
    ("name", "like_key", "shown"),
    [
        (KEY, True, False),
        (f"some/folder/{KEY}", True, False),
        (f"'{KEY}'", True, False),
        (KEY * 10, True, False),
        ("cometchat.key", True, True),
        ("keys/acme-production-tenant", True, True),
        ("key", True, True),
        ("hunter2", False, False),
        ("pass.word", False, False),
    ],
)
def test_what_is_given_as_the_file_is_not_shown_where_it_may_be_the_secret(
    name: str, like_key: bool, shown: bool
) -> None:
    """A key is known by its looks; a password may look like anything."""
    assert is_shown(Path(name), like_key=like_key) is shown
    with pytest.raises(ConfigurationError) as error:
        secret_of(Path(name), "t.key", "VARIABLE", like_key=like_key)
    assert str(error.value) == (
        f"t.key: {name} cannot be read (No such file or directory); name the file that holds the secret, or set "
        "VARIABLE"
        if shown
        else "t.key: there is no such file, and what was given is not shown, since it may be the secret itself; "
        "the name of a file that holds the secret belongs here, or set VARIABLE"
    )


def test_a_file_that_is_there_is_shown_whatever_it_is_called(tmp_path: Path) -> None:
    """Then it is a name."""
    (tmp_path / KEY).write_bytes(b"\xff")
    with pytest.raises(ConfigurationError, match=KEY):
        secret_of(tmp_path / KEY, "t.key", "VARIABLE", like_key=True)


def test_a_key_is_known_by_its_length_and_its_letters() -> None:
    """From twenty on."""
    assert [looks_like_key(each) for each in ("a" * 19, "a" * 20, "A1" * 20, "ACME_API_KEY_OF_PRODUCTION")] == [
        False,
        True,
        True,
        False,
    ]
