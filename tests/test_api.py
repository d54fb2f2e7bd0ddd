"""The Python API: what the commands do, without printing, logging, signals or an end of the process."""

from __future__ import annotations

import asyncio
import pickle
import re
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import structlog

from provisioner import api
from provisioner.errors import ConfigurationError, ExitCode, NoResultsError, OutputError, RosterError, UsageError
from provisioner.journal.journal import JournalReader
from provisioner.results.formats.outcomes import RESULT_SCHEMA
from tests.rig.command import ROOT
from tests.rig.workbooks import table, workbook

PEOPLE = "uid,name\nann,Ann Lee\nbob,\ncy,Cy Fox\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a roster in it; the environment holds nothing of anybody's."""
    monkeypatch.chdir(tmp_path)
    structlog.reset_defaults()
    for name in ("COMETCHAT_API_KEY", "COMETCHAT_APP_ID", "COMETCHAT_REGION", "COMETCHAT_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "users.csv").write_text(PEOPLE)
    return tmp_path


def emulated(**tables: object) -> api.Settings:
    """Settings for a run with the built-in emulator."""
    return api.settings(api={"emulator": True}, **tables)  # type: ignore[arg-type]


def test_validate_gives_a_summary_and_sends_nothing(folder: Path) -> None:
    """Valid rows are pending; the rejected file and the summary are written."""
    summary = api.validate("users.csv")
    assert (summary.exit_code, summary.document["pending"], summary.document["rejected"]) == (ExitCode.ROWS_LEFT, 2, 1)
    assert sorted(path.name for path in folder.iterdir()) == [
        "users.csv", "users.results.check.rejected.csv", "users.results.check.summary.json",
    ]  # fmt: skip


def test_run_creates_users_and_goes_on_where_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    """Results are a lazy frame with every row in its place; the same call again sends nothing. Nothing is printed."""
    first, second = api.run("users.csv", emulated()), api.run(["users.csv"], emulated())
    assert [(each.document["created"], each.document["requests"]) for each in (first, second)] == [(2, 3), (2, 0)]
    found = api.results(second)
    assert found.collect_schema() == pl.Schema(RESULT_SCHEMA)
    rows = found.select("row", "uid", "outcome", pl.col("auth_token").is_not_null()).collect().rows()
    assert rows == [(1, "ann", "created", True), (2, "bob", "rejected", False), (3, "cy", "created", True)]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ndjson"])
def test_results_are_read_back_from_each_format(suffix: str) -> None:
    """With the same columns, types and rows."""
    api.run("users.csv", emulated(output={"file": f"out{suffix}"}))
    found = api.results(f"out{suffix}").collect()
    assert found.schema == pl.Schema(RESULT_SCHEMA)
    assert found["outcome"].to_list() == ["created", "rejected", "created"]


def test_nothing_was_written_where_nothing_was_sent() -> None:
    """A check has no results to give."""
    with pytest.raises(FileNotFoundError, match="nothing was sent"):
        api.results(api.validate("users.csv"))
    with pytest.raises(FileNotFoundError, match="nothing was sent"):
        api.results(api.run("users.csv", emulated(run={"dry_run": True})))


def as_file(folder: Path, name: str, data: bytes | None) -> Path:
    """A file of that name with these bytes; a folder without any."""
    path = folder / name
    path.mkdir() if data is None else path.write_bytes(data)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".ndjson", ".xlsx"])
def test_results_that_are_not_there_are_an_error_of_ours(folder: Path, suffix: str) -> None:
    """And as before one of a file that is not found."""
    for expected in (NoResultsError, FileNotFoundError):
        with pytest.raises(expected, match=r"missing\.\w+: no such file; name the results file of a run or a sync$"):
            api.results(folder / f"missing{suffix}")


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("folder.csv", None, "folder.csv cannot be read: Is a directory"),
        ("folder.xlsx", None, "folder.xlsx cannot be read: Is a directory"),
        ("users.txt", b"x", "users.txt: results are read from .csv, .parquet, .ndjson and .xlsx"),
        ("roster.csv", b"uid,name\na,b\n", "roster.csv is no results file, for it has no column 'row'; name the"),
        ("roster.ndjson", b'{"uid":"a1"}\n', "roster.ndjson is no results file, for it has no column 'row'; name the"),
        ("empty.csv", b"", "empty.csv is no results file, or is damaged: empty CSV"),
        ("text.parquet", b"uid,name\na,b\n", "text.parquet is no results file, or is damaged: parquet: "),
        ("text.ndjson", b"uid,name\na,b\n", "text.ndjson is no results file, or is damaged: "),
    ],
)
def test_what_holds_no_results_is_an_error_of_ours(folder: Path, name: str, data: bytes | None, message: str) -> None:
    """Told when it is named, before anything is collected."""
    with pytest.raises(OutputError, match=re.escape(message)) as raised:
        api.results(as_file(folder, name, data))
    assert len(str(raised.value).splitlines()) == 1


def test_a_workbook_that_holds_no_results_is_an_error_of_ours(folder: Path) -> None:
    """It is opened when it is collected."""
    with pytest.raises(RosterError, match=r"it is truncated, or not an \.xlsx file"):
        api.results(as_file(folder, "text.xlsx", b"uid,name")).collect()
    path = workbook(folder, ("people", table(("uid", "name"), ("a1", "Ann"))))
    with pytest.raises(OutputError, match="is no results file, for it has no column 'row'"):
        api.results(path).collect()


@pytest.mark.slow
def test_a_plan_and_a_sync_of_it(folder: Path) -> None:
    """What a plan says is what a sync does, and both give what they add up to."""
    (folder / "users.csv").write_text("uid,name\nann,Ann Lee\ncy,Cy Fox\n")
    sync = {"state": "hr.db", "adopt": True}

    async def night() -> tuple[int, int, bool]:
        from provisioner.emulator.app.settings import EmulatorSettings
        from provisioner.emulator.server import run_emulator

        async with run_emulator(EmulatorSettings(port=0)) as emulator:
            environment = {"COMETCHAT_BASE_URL": emulator.url}
            (folder / "key").write_text(emulator.api_key)
            settings = api.settings(None, environment, sync=sync, api={"api_key_file": "key"})
            planned = await api.plan_async("users.csv", settings)
            refused = await api.sync_async("users.csv", settings, confirm=lambda _: False)
            done = await api.sync_async("users.csv", settings)
            return (
                planned.document["create"],
                done.document["created"],
                refused.document["stopped_by"] == "not_confirmed",
            )

    assert asyncio.run(night()) == (2, 2, True)


@pytest.mark.slow
def test_the_key_is_that_of_the_settings_and_never_that_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process may serve many tenants: no call sends the key of one to the address of another."""
    monkeypatch.setenv("COMETCHAT_API_KEY", "the-key-of-another-tenant")

    async def carried_out() -> list[ExitCode]:
        from provisioner.emulator.app.settings import EmulatorSettings
        from provisioner.emulator.server import run_emulator

        async with run_emulator(EmulatorSettings(port=0)) as emulator:
            environment = {"COMETCHAT_BASE_URL": emulator.url, "COMETCHAT_API_KEY": emulator.api_key}
            settings = api.settings(None, environment, output={"file": "o.csv"})
            nightly = api.settings(None, environment, sync={"state": "s.db", "adopt": True})
            environment["COMETCHAT_API_KEY"] = "changed-since"
            codes = [
                (await api.run_async("users.csv", settings)).exit_code,
                (await api.verify_async("users.csv", settings.model_copy(update={"log": emulated().log}))).exit_code,
                (await api.undo_async("o.csv", settings)).exit_code,
                (await api.plan_async("users.csv", nightly)).exit_code,
                (await api.sync_async("users.csv", nightly)).exit_code,
            ]
            for nobodys in ({}, {"COMETCHAT_API_KEY": " "}):
                with pytest.raises(ConfigurationError, match=r"^no API key: "):
                    await api.run_async("users.csv", api.settings(None, nobodys, api={"base_url": emulator.url}))
            return codes

    assert asyncio.run(carried_out()) == [1, 0, 0, 1, 1]


def test_settings_tell_nobody_what_environment_they_were_made_with() -> None:
    """They are printed, compared, dumped and sent to other processes, which find the same key."""
    environment = {"COMETCHAT_API_KEY": "a-key-of-somebodys"}
    settings = api.settings(None, environment)
    assert not any(
        "a-key-of" in text
        for text in (repr(settings), str(settings), str(settings.model_dump(exclude={"columns", "constraints"})))
    )
    assert settings == api.settings() == pickle.loads(pickle.dumps(api.settings()))
    assert pickle.loads(pickle.dumps(settings)).environment == environment


@pytest.mark.slow
def test_a_proof_of_a_run_and_of_what_another_hand_did(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """What it found is there as plain values; nothing is printed, and nothing in the app is changed."""
    (folder / "users.csv").write_text("uid,name\nann,Ann Lee\ncy,Cy Fox\nbob,\n")

    async def proved() -> list[tuple[ExitCode, str, int, int, dict[str, int]]]:
        from provisioner.emulator.app.settings import EmulatorSettings
        from provisioner.emulator.server import run_emulator

        async with run_emulator(EmulatorSettings(port=0)) as emulator:
            (folder / "key").write_text(emulator.api_key)
            environment = {"COMETCHAT_BASE_URL": emulator.url}
            settings = api.settings(None, environment, api={"api_key_file": "key"})
            proofs = [await api.verify_async("users.csv", settings)]
            await api.run_async("users.csv", settings)
            proofs.append(await api.verify_async(["users.csv"], settings))
            (folder / "users.csv").write_text("uid,name\nann,Ann Leigh\ncy,Cy Fox\n")
            proofs.append(await api.verify_async("users.csv", settings))
        return [
            (each.exit_code, each.message, each.totals.matching, each.rejected, each.document["differing"])
            for each in proofs
        ]

    assert asyncio.run(proved()) == [
        (ExitCode.ROWS_LEFT, "2 users of 2 are not as the roster has them", 0, 1, {}),
        (ExitCode.OK, "all 2 users are as the roster has them", 2, 1, {}),
        (ExitCode.ROWS_LEFT, "1 user of 2 is not as the roster has them", 1, 0, {"name": 1}),
    ]
    assert capfd.readouterr() == ("", "")


def test_a_run_is_undone(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Looked at, refused by whoever is asked, undone, and undone once more; nothing is printed."""

    async def undone() -> list[object]:
        from provisioner.emulator.app.settings import EmulatorSettings
        from provisioner.emulator.server import run_emulator

        async with run_emulator(EmulatorSettings(port=0)) as emulator:
            (folder / "key").write_text(emulator.api_key)
            settings = api.settings(None, {"COMETCHAT_BASE_URL": emulator.url}, api={"api_key_file": "key"})
            await api.run_async("users.csv", settings)
            out = folder / "users.results.csv"
            found: list[object] = [(await api.undo_preview_async(out, settings)).document["would"]["deactivate"]]
            refused = await api.undo_async(out, settings, confirm=lambda to_do: to_do.created != 2)
            found += [refused.exit_code, refused.document["pending"], refused.outputs["undo"]]
            for permanent in (None, None, emulator.url):
                summary = await api.undo_async(str(out), settings, permanent=permanent)
                found.append((summary.exit_code, summary.document["done"], summary.document["requests"] > 0))
        return found

    deactivated, deleted = ({"deactivated": left, "deleted": gone, "restored": 0} for left, gone in ((2, 0), (0, 2)))
    assert asyncio.run(undone()) == [
        *(2, ExitCode.SAFETY, 2, None),
        *((ExitCode.OK, deactivated, True), (ExitCode.OK, deactivated, False), (ExitCode.OK, deleted, True)),
    ]
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_a_stopper_ends_a_run_with_a_summary_that_says_so(folder: Path) -> None:
    """What was sent is settled, the rest is pending, and the same call goes on."""
    rows = "".join(f"u{number},User {number}\n" for number in range(300))
    (folder / "many.csv").write_text(f"uid,name\n{rows}")
    settings = emulated(rate={"requests_per_minute": 6000})

    async def stopped() -> api.Stopper:
        stopper = api.Stopper()
        asyncio.get_running_loop().call_later(
            0.3, stopper.request, api.Stop("host", "the host stops it", ExitCode.SAFETY)
        )
        try:
            summary = await api.run_async("many.csv", settings, stopper=stopper)
            assert summary.document["stopped_by"] == "host"
        except api.InterruptedEarlyError:
            pass
        return stopper

    assert asyncio.run(stopped()).stop is not None
    assert api.run("many.csv", settings).document["created"] == 300


def test_what_cannot_begin_raises_one_of_our_errors() -> None:
    """No exit, no message: an exception with a sentence."""
    with pytest.raises(RosterError, match=r"nowhere\.csv: no such file"):
        api.validate("nowhere.csv")
    with pytest.raises(ConfigurationError, match="no API key"):
        api.run("users.csv", api.settings(api={"base_url": "http://127.0.0.1:1"}))
    with pytest.raises(ConfigurationError, match=r"--share"):
        api.settings(rate={"share": "700%"})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate": 3}, "rate: is a table, and given as the keys in it, such as rate={'requests_per_minute': …}"),
        ({"rate": {1: 2}}, "rate: is a table, and given as the keys in it, such as rate={'requests_per_minute': …}"),
        ({"share": 0.5}, "share: is a key of the table rate; give rate={'share': …}"),
        ({"api_key": "s3cret"}, "api_key: there is no such table; known are api, columns, constraints, log, "),
        ({"rates": {}}, "unknown key rates; did you mean rate?"),
        ({"rate": {"shar": 1}}, "unknown key rate.shar; did you mean rate.share?"),
    ],
)
def test_settings_that_are_no_tables_are_told_without_their_values(given: dict[str, Any], said: str) -> None:
    """Which table or key is meant; a key that was given by mistake is not shown."""
    with pytest.raises(ConfigurationError) as error:
        api.settings(**given)
    assert str(error.value).startswith(said)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("name", ["validate", "run", "plan", "sync", "verify", "undo", "undo_preview"])
def test_within_an_event_loop_the_async_form_is_named(name: str) -> None:
    """Nothing is begun, so nothing is left that was never awaited (warnings are errors here)."""

    async def host() -> None:
        getattr(api, name)("users.csv", api.Settings())

    with pytest.raises(UsageError) as error:
        asyncio.run(host())
    said = f"api.{name} waits for its end, and an event loop is running here; use await api.{name}_async(…)"
    assert str(error.value) == said


def test_a_host_that_has_configured_structlog_gets_our_events() -> None:
    """Without that, no event goes anywhere; with it, each is the host's."""
    with structlog.testing.capture_logs() as events:
        api.run("users.csv", emulated())
    assert events[0]["event"] == "run.started"


def test_everything_public_is_said_and_told() -> None:
    """`__all__` is there, and each function has a docstring."""
    for name in api.__all__:
        assert getattr(api, name).__doc__, name


def test_the_example_of_the_readme_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As it stands there, against the built-in emulator."""
    section = (ROOT / "docs/python.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert found is not None
    exec(compile(found[1], "python.md", "exec"), {})
    assert "created" in capsys.readouterr().out


def states_in(journal: Path) -> Counter[str]:
    """How many users of a journal are in which state; of one that is not there yet, none."""
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True)) as database:
        return Counter(state for (state,) in database.execute("SELECT state FROM users"))
    return Counter()


@pytest.mark.slow
def test_a_run_that_is_cancelled_is_stopped_and_not_torn_off(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """As by a stopper: what was sent is settled and in the results, the rest is pending. Nothing is printed."""
    rows = "".join(f"u{number},User {number}\n" for number in range(300))
    (folder / "many.csv").write_text(f"uid,name\n{rows}")
    settings, journal = emulated(rate={"requests_per_minute": 6000}), folder / "many.results.journal.db"

    async def cancelled() -> None:
        run = asyncio.create_task(api.run_async("many.csv", settings))
        while not (await asyncio.to_thread(states_in, journal))["settled"]:
            continue
        run.cancel()
        await run

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())
    states, outcomes = states_in(journal), Counter(api.results("many.results.csv").collect()["outcome"])
    assert (states["sent"], outcomes["created"] + outcomes["pending"]) == (0, 300)
    assert states["settled"] == outcomes["created"] < 300
    with JournalReader(journal, None) as reader:
        assert [run.stopped_by for run in reader.course.runs()] == ["cancelled"]
    assert api.run("many.csv", settings).document["created"] == 300
    assert capfd.readouterr() == ("", "")
