"""Where a name puts a column."""

from __future__ import annotations

import pytest

from provisioner.validation.fields.places import MetadataPath, place_of


@pytest.mark.parametrize(
    ("column", "place"),
    [
        ("Status Message", "statusMessage"),
        ("\u200bUID\xa0", "uid"),
        ("_uid", None),
        ("department", None),
        ("metadata", "metadata"),
        ("Metadata.Team.Lead", ("Team", "Lead")),
        ("metadata.@private.mail", ("@private", "mail")),
        ("metadata.@PRIVATE.mail", ("@private", "mail")),
        ("metadata.team.@Private", ("team", "@Private")),
        ("metadata..a", None),
        ("metadata.", None),
    ],
)
def test_a_name_puts_a_column(column: str, place: str | MetadataPath | None) -> None:
    """Into a field, to a place in the metadata, or nowhere; what is below `@private` is so in any case of letters."""
    assert place_of(column) == place
