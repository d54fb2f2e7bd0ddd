"""Rosters at addresses: read as they are, told in one sentence when they cannot be, and no secret is ever shown."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from provisioner.errors import RosterError
from provisioner.roster.files.objectstore import explained, fetch, is_pattern
from provisioner.roster.formats.parquetfile import open_parquet
from tests.rig.objectstore import ObjectStore, object_store

PEOPLE = pl.DataFrame({"uid": [f"u{number}" for number in range(5000)], "name": ["né"] * 5000})
OTHERS = PEOPLE.with_columns(uid="other-" + pl.col("uid"))
CSV = 'uid,name\r\na,"b\n\rc"\r\n\r\nd,é'.encode()
SECRET = "not-to-be-seen"


def parquet(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, row_group_size=1500)
    return file.getvalue()


OBJECTS = {
    "/b/1.parquet": parquet(PEOPLE),
    "/b/2.parquet": parquet(OTHERS),
    "/b/3.parquet": parquet(PEOPLE.rename({"name": "n"})),
    "/b/no.parquet": b"this is no Parquet file at all",
    "/b/r.csv": CSV,
    "/b/bom.csv": b"\xef\xbb\xbfuid\na\rb\n",
    "/b/latin.csv": b"uid\nJos\xe9\n",
    "/b/empty.csv": b"",
}


@pytest.fixture(name="server", scope="module")
def _server() -> Iterator[ObjectStore]:
    """One for all tests: polars keeps its connection to a bucket."""
    with object_store(OBJECTS) as store:
        yield store


@pytest.fixture(name="store")
def _store(server: ObjectStore) -> ObjectStore:
    server.asked.clear()
    server.refuse = None
    return server


@pytest.fixture(name="s3")
def _s3(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    for name, value in store.s3().items():
        monkeypatch.setenv(name, value)
    return store


def refused(where: str, folder: Path) -> str:
    """What is said of an address that cannot be read; the host is left out."""
    with pytest.raises(RosterError) as raised:
        open_parquet(where) if ".parquet" in where else fetch(where, folder)
    said = str(raised.value)
    assert SECRET not in said
    assert "\n" not in said
    return said


def rows_at(where: str, limit: int | None = None) -> pl.DataFrame:
    batches = list(open_parquet(where, limit).batches())
    assert [batch.first_row for batch in batches][:2] == [1, 1001][: len(batches)]
    return pl.concat([batch.frame for batch in batches])


def test_parquet_is_read_in_place_whatever_the_address_carries(store: ObjectStore) -> None:
    where = f"{store.url}/b/1.parquet?X-Signature={SECRET}&x=a%2Fb*"
    assert rows_at(where).equals(PEOPLE)
    assert open_parquet(where).name == f"{store.url}/b/1.parquet"
    assert {path for _, path in store.asked} == {f"/b/1.parquet?X-Signature={SECRET}&x=a%2Fb*"}
    assert rows_at(where, limit=1200).equals(PEOPLE.head(1200))


@pytest.mark.slow
def test_a_pattern_in_a_bucket_is_one_roster(s3: ObjectStore) -> None:
    assert rows_at("s3://b/1.parquet").equals(PEOPLE)
    assert rows_at("s3://b/[12].parquet").equals(pl.concat([PEOPLE, OTHERS]))
    said = "s3://b/*.parquet cannot be read as Parquet: the files differ in their columns or types"
    assert refused("s3://b/[13].parquet", Path()) == said.replace("*", "[13]")
    assert is_pattern("s3://b/?.parquet")
    assert not is_pattern("https://h/x.parquet?a=*")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.csv", 'uid,name\na,"b\n\rc"\n\nd,é\n'.encode()),
        ("bom.csv", b"\xef\xbb\xbfuid\na\rb\n"),
    ],
)
def test_a_text_is_copied_once_with_its_line_ends_as_lf(
    store: ObjectStore, tmp_path: Path, name: str, text: bytes
) -> None:
    copied = fetch(f"{store.url}/b/{name}?sig={SECRET}", tmp_path)
    assert (copied.name, copied.size) == (f"{store.url}/b/{name}", len(text))
    for _ in range(2):
        with copied.open() as file:
            assert file.read() == text
    assert list(tmp_path.iterdir()) == []
    assert len(store.asked) <= 2
    copied.close()


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("none.csv", " cannot be read: there is nothing at this address (404)"),
        ("none.parquet", " cannot be read as Parquet: there is nothing at this address (404)"),
        (
            "no.parquet",
            " cannot be read as Parquet: parquet: File out of specification: incorrect magic in parquet footer",
        ),
        ("latin.csv", " is not UTF-8; fetch it and give --encoding"),
        ("empty.csv", " is empty: it has no bytes at all"),
        ("r.csv.gz", ": a compressed file is read from a disk only; fetch it first"),
        ("r.csv.XZ", ": a compressed file is read from a disk only; fetch it first"),
        ("r.csv.bz2", ": a compressed file is read from a disk only; fetch it first"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(store: ObjectStore, tmp_path: Path, path: str, said: str) -> None:
    where = f"{store.url}/b/{path}"
    assert refused(f"{where}?sig={SECRET}", tmp_path) == where + said


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "the credentials are not accepted (401)"),
        (403, "access is denied (403); check the credentials, or renew the link"),
        (404, "there is nothing at this address (404)"),
    ],
)
def test_an_answer_that_is_no_is_told_in_words(s3: ObjectStore, tmp_path: Path, status: int, said: str) -> None:
    s3.refuse = status
    assert refused("s3://b/r.csv", tmp_path) == f"s3://b/r.csv cannot be read: {said}"
    web = f"{s3.url}/b/r.csv"
    assert refused(f"{web}?sig={SECRET}", tmp_path) == f"{web} cannot be read: {said}"


@pytest.mark.slow
def test_a_store_that_is_out_of_order_is_given_up_after_a_few_tries(s3: ObjectStore, tmp_path: Path) -> None:
    s3.refuse = 500
    assert refused("s3://b/r.csv", tmp_path) == "s3://b/r.csv cannot be read: the server answers with status 500"
    assert len(s3.asked) <= 10


def test_a_pattern_that_fits_nothing_and_one_of_texts(s3: ObjectStore, tmp_path: Path) -> None:
    said = "s3://b/q*.parquet cannot be read as Parquet: nothing there fits the pattern"
    assert refused("s3://b/q*.parquet", tmp_path) == said
    said = "s3://b/*.csv: a pattern in an address is for Parquet only; name each file"
    assert refused("s3://b/*.csv", tmp_path) == said


def test_without_credentials_it_is_said_which_variables_hold_them(
    s3: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The service that gives them to machines in the cloud is asked last; here it is the store, which refuses."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_METADATA_ENDPOINT", s3.url)
    s3.refuse = 403
    said = "s3://c/r.csv cannot be read: no credentials for it are in the environment (AWS_ACCESS_KEY_ID and "
    assert refused("s3://c/r.csv", tmp_path).startswith(said)
    assert {method for method, path in s3.asked if path == "/latest/api/token"} == {"PUT"}


@pytest.mark.parametrize(
    ("said", "meaning"),
    [
        ("error sending request\n1: dns error\n2: failed to lookup", "the name of the host is not known"),
        ("x\n1: tcp connect error\n2: Connection refused (os error 111)", "nothing answers there (connection refused)"),
        ("retry_timeout: 180s - error sending request\ninvalid peer certificate: Expired",
         "the server's TLS certificate is not accepted"),
        ("retry_timeout: 180s - error sending request\noperation timed out", "no answer in time"),
        ("retry_timeout: 180s - HTTP error: error sending request", "the connection was lost"),
        (f"what is this (location: b/r.csv?sig={SECRET})", "OSError"),
        (f"what is this at https://me:{SECRET}@h/b", "OSError"),
        ("what is this", "what is this"),
    ],
)  # fmt: skip
def test_errors_of_the_network_have_words_of_their_own(said: str, meaning: str) -> None:
    assert explained(OSError(said), f"https://me:{SECRET}@h/b/r.csv?sig={SECRET}") == meaning
