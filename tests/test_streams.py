"""Standard output and error that are full, closed or not UTF-8: a command ends as its work has ended."""

from __future__ import annotations

import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from provisioner.streams import Trouble, answer, finish, say


def a_stream(number: int, encoding: str = "utf-8") -> Any:
    return os.fdopen(number, "w", encoding=encoding)


def test_a_text_that_can_be_printed_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """And nothing is to be told of it."""
    assert answer("ü\n") is None
    assert capsys.readouterr().out == "ü\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_what_an_encoding_lacks_is_escaped_so_that_json_stays_json(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever reads the summary gets every letter back."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    trouble = answer(json.dumps({"name": "Łü😀"}, ensure_ascii=False))
    assert trouble == Trouble("escaped", f"standard output is {encoding}, so some letters are written as \\u escapes")
    assert json.loads(raw.getvalue().decode(encoding)) == {"name": "Łü😀"}


def test_a_full_stream_is_told_and_does_not_fail_again_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left in the buffer goes nowhere."""
    with a_stream(os.open("/dev/full", os.O_WRONLY)) as full:
        monkeypatch.setattr(sys, "stdout", full)
        assert answer("x") == Trouble("not_printed", "No space left on device")


def test_a_reader_that_has_left_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """`| head` is no error to be told of."""
    reading, writing = os.pipe()
    os.close(reading)
    with a_stream(writing) as pipe:
        monkeypatch.setattr(sys, "stdout", pipe)
        trouble = answer("x")
    assert trouble is not None
    assert (trouble.what, trouble.broken) == ("not_printed", True)


def test_a_closed_stream_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As by a host that has closed it."""
    with (tmp_path / "out").open("w") as closed:
        pass
    monkeypatch.setattr(sys, "stdout", closed)
    trouble = answer("x")
    assert trouble is not None
    assert trouble.what == "not_printed"


@pytest.mark.parametrize("path", ["/dev/full", None])
def test_a_dead_stderr_takes_nothing_and_harms_nothing(path: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was to be said is lost, and that is all."""
    stream = a_stream(os.open(path, os.O_WRONLY)) if path else None
    monkeypatch.setattr(sys, "stderr", stream)
    assert say("x") is None  # type: ignore[func-returns-value]
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        stream.close()


def test_what_is_left_in_a_dead_stream_fails_nobody_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter flushes once more as it ends, and would make an exit code of its own of that."""
    streams = [a_stream(os.open("/dev/full", os.O_WRONLY)) for _ in ("stdout", "stderr")]
    for name, stream in zip(("stdout", "stderr"), streams, strict=True):
        stream.write("x")
        monkeypatch.setattr(sys, name, stream)
    finish()
    for stream in streams:
        stream.close()
