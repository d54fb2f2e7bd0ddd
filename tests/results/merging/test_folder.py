"""The shards of a folder agree on how many they are."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from provisioner.errors import ConfigurationError
from provisioner.results.merging.folder import MANIFEST, join_folder, refuse_unlike, shards_of
from provisioner.roster.shard import Shard, Share


def test_the_first_shard_says_how_many_there_are(tmp_path: Path) -> None:
    """Others of the same number join, another number is refused with what to do, and nothing else is left behind."""
    assert shards_of(tmp_path) is None
    for number in (3, 1, 3):
        join_folder(tmp_path, Shard(number, 16))
    assert shards_of(tmp_path) == 16
    assert [file.name for file in tmp_path.iterdir()] == [MANIFEST]
    with pytest.raises(ConfigurationError) as refused:
        join_folder(tmp_path, Shard(3, 8))
    said = "holds shards of 16, so shard 3/8 has no place there; give --shard 3/16, or choose another folder"
    assert str(refused.value) == f"{tmp_path}: {said}"


@pytest.mark.parametrize("text", ["", "[]", '{"shards": 0}', '{"shards": "16"}', "{"])
def test_a_manifest_that_cannot_be_read_is_told(tmp_path: Path, text: str) -> None:
    """It is never taken for one that says the right number."""
    (tmp_path / MANIFEST).write_text(text)
    with pytest.raises(ConfigurationError, match=r"has a shards\.json that cannot be read"):
        join_folder(tmp_path, Shard(1, 16))


def test_shards_that_begin_at_once_agree(tmp_path: Path) -> None:
    """Whoever is first says it, whole; nobody reads half of it."""
    refused: list[Exception] = []

    def join(number: int) -> None:
        try:
            join_folder(tmp_path, Shard(number, 16))
        except ConfigurationError as error:
            refused.append(error)

    threads = [threading.Thread(target=join, args=[number]) for number in range(1, 17)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert (refused, shards_of(tmp_path)) == ([], 16)
    assert [file.name for file in tmp_path.iterdir()] == [MANIFEST]


def test_a_new_shard_of_another_roster_has_no_place(tmp_path: Path) -> None:
    """One that has been there before may read an edited one, which the others have to follow; an older manifest may."""

    def join(number: int, fingerprint: str, *, begun: bool) -> dict[str, object]:
        join_folder(tmp_path, shard := Shard(number, 2), Share(shard, 1, 2, fingerprint), begun=begun)
        document: dict[str, object] = json.loads((tmp_path / MANIFEST).read_bytes())
        return document

    (tmp_path / MANIFEST).write_text('{"shards": 2}\n')  # of an older version
    a, b = ({"shards": 2, "fingerprint": each} for each in "ab")
    assert (join(1, "a", begun=False), join(2, "a", begun=False)) == (a, a)
    with pytest.raises(ConfigurationError) as refused:
        join(2, "b", begun=False)
    assert str(refused.value) == (
        f"{tmp_path}: holds shards of a roster with other uids, so shard 2/2 of this one has no place there; give the "
        "roster that they have read, run one of them again with this one first, or choose another --output"
    )
    assert (join(1, "b", begun=True), join(2, "b", begun=False)) == (b, b)
    join_folder(tmp_path, Shard(1, 2))  # nothing was read
    refuse_unlike(tmp_path, None)
    assert json.loads((tmp_path / MANIFEST).read_bytes()) == b
