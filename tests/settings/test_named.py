"""What a command that writes leaves as it is."""

from __future__ import annotations

from pathlib import Path

from provisioner.settings.named import named_files
from provisioner.settings.tables import Settings, load


def test_every_file_is_named_that_settings_come_from_or_name(tmp_path: Path) -> None:
    """The config file itself too; what is not named is left out."""
    assert list(named_files(Settings())) == []
    config = tmp_path / "c.toml"
    config.write_text(
        '[api]\napi_key_file = "key"\n[run]\ndatabase_password_file = "password"\n[sync]\nstate = "s.db"\n'
    )
    named = dict(named_files(load({"sync": {"approve": Path("who.csv")}}, {}, config)))
    assert named == {
        "the config file": config,
        "the file of the API key": tmp_path / "key",
        "the file of the database's password": tmp_path / "password",
        "the state": tmp_path / "s.db",
        "the list of --approve": Path("who.csv"),
    }
