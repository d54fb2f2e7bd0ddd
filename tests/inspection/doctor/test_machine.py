"""What the doctor makes of this machine: each judgement at its boundary."""

from __future__ import annotations

import pytest

from provisioner.inspection.doctor import machine
from provisioner.inspection.doctor.diagnosis import Check, Status


def test_an_address_without_tls_is_a_warning_unless_it_is_this_machine() -> None:
    """The key would travel in the clear."""
    assert machine.base_url("http://api.example.test/v3", "c.toml").status is Status.WARNING
    for url in ("https://api.example.test/v3", "http://localhost:80/v3", "http://127.0.0.1/v3", "http://[::1]/v3"):
        assert machine.base_url(url, "c.toml").status is Status.OK


def test_old_software_is_an_error() -> None:
    """What is needed is what the package says it needs; extras do not count."""
    needed = ["polars>=2.0", "rich>=13.9", "uvloop>=0.21; platform_system != 'Windows' and extra == 'speed'"]
    assert machine.software((3, 12, 1), {"polars": "2.1.0", "rich": "13.9"}, needed) == Check(
        "software", Status.OK, "Python 3.12.1; polars 2.1.0, rich 13.9"
    )
    assert machine.software((3, 12, 1), {"polars": "1.40", "rich": None}, needed) == Check(
        "software", Status.ERROR, "Python 3.12.1; polars 1.40", "install polars 2.0 or newer, rich 13.9 or newer"
    )
    assert machine.software((3, 10, 1), {}, []).do == "use Python 3.11 or newer"


def test_little_space_is_a_warning_and_no_leave_to_write_an_error() -> None:
    """A run that cannot write its journal does not begin."""
    assert machine.output(".", "choose another --output", writable=True, free=10**9) == Check(
        "output", Status.OK, ".: can be written to, 1.0 GB free"
    )
    assert machine.output(".", "choose another --output", writable=True, free=10**6).status is Status.WARNING
    assert [
        machine.output("a/b", "choose another --output", writable=writable, free=10**9, made=True)
        for writable in (True, False)
    ] == [
        Check("output", Status.OK, "a/b: is not there and will be made, 1.0 GB free"),
        Check("output", Status.ERROR, "a/b: is not there and cannot be made", "choose another --output"),
    ]
    assert machine.output(".", "choose another --output", writable=False, free=10**9) == Check(
        "output", Status.ERROR, ".: cannot be written to", "choose another --output"
    )


def test_the_config_file_is_named_with_the_limits_it_sets_itself() -> None:
    """As they would stand in it; without a file, where settings come from is said."""
    assert machine.configuration(None, {}).seen == "no config file; flags, environment and defaults only"
    own = {"uid_allow_underscore": True, "max_name": 50}
    assert machine.configuration("c.toml", own) == Check(
        "configuration", Status.OK, "c.toml; own limits: uid_allow_underscore = true, max_name = 50"
    )


@pytest.mark.parametrize(("mode", "status"), [(None, Status.OK), (0o100600, Status.OK), (0o100604, Status.WARNING)])
def test_a_key_is_as_private_as_its_file(mode: int | None, status: Status) -> None:
    """A key that is in no file has no mode."""
    assert machine.api_key("key", mode).status is status
