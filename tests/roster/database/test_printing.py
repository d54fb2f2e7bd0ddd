"""Arguments as printed commands name them."""

from __future__ import annotations

from provisioner.roster.database.printing import in_command, roster_in_command


def test_a_printed_command_names_a_roster_so_that_it_can_be_run() -> None:
    """A name that looks like an option is led to by its folder; what may be secret in an address is left out."""
    given = ["-a.csv", "--json", "-", "a.csv", "https://ann:pw@x.test/u.csv?sig=SECRET", "sub/-a.csv"]
    told = ["./-a.csv", "./--json", "-", "a.csv", "https://x.test/u.csv", "sub/-a.csv"]
    assert [roster_in_command(each) for each in given] == told


def test_the_address_of_a_database_keeps_its_parameters() -> None:
    """But where one may be a secret; that of a file has none."""
    safe = "mysql://ann@db/hr?ssl_ca=/ca.pem"
    given = [safe, "postgresql://ann@db/hr?passfile=/p", "postgresql://ann@db/hr?token=x", "s3://b/u.csv?sig=x", "-o"]
    told = [safe, "postgresql://ann@db/hr?passfile=/p", "postgresql://ann@db/hr", "s3://b/u.csv", "-o"]
    assert [in_command(each) for each in given] == told
