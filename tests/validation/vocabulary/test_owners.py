"""A column is the person's own, or somebody's or something's else."""

from __future__ import annotations

import pytest

from provisioner.validation.vocabulary.owners import is_of_a_thing, is_of_another, may_be_of
from provisioner.validation.vocabulary.recognition import recognise
from provisioner.validation.vocabulary.synonyms import Meaning

OTHERS = (
    "company", "organisation", "organization", "org", "department", "dept", "team", "group", "school", "employer",
    "manager", "parent", "account owner", "owner", "Firma", "Schule", "entreprise", "empresa", "Eltern",
)  # fmt: skip


@pytest.mark.parametrize("other", OTHERS)
def test_what_belongs_to_another_is_nobodys_own(other: str) -> None:
    """An employer's picture, a team's address, a manager's number: however the two words are put together."""
    camel = "".join([other.split()[0], *map(str.title, other.split()[1:])])
    joined = other.replace(" ", "_")
    words = {"photo": "Photo", "email": "Email", "phone": "Phone", "first_name": "FirstName", "last_name": "LastName"}
    columns = [
        column
        for lower, upper in words.items()
        for column in (
            f"{joined}.{lower}", f"{camel}{upper}", f"{joined}_{lower}", f"{other.title()} {upper}", f"{other}-{lower}",
            f"user.{camel}.{lower}", f"{joined}/{lower}", f"{camel}.main.{lower}", f"{joined}{lower}",
        )
    ]  # fmt: skip
    columns += [f"{camel}.uid", f"{camel}.login", f"data.{camel}.avatar_url"]
    assert {column: recognise(column) for column in columns} == dict.fromkeys(columns)
    assert [column for column in columns if not is_of_another(column)] == []


@pytest.mark.parametrize(
    "prefix",
    ["user", "profile", "employee", "person", "attributes", "fields", "data", "traits", "company.user", "team member",
     "app_metadata", "urn:ietf:params:scim:schemas:core:2.0:User"],
)  # fmt: skip
def test_what_belongs_to_the_person_stays_his_own(prefix: str) -> None:
    """Whatever program has put it before the word; one that belongs to a company is a person all the same."""
    columns = {f"{prefix}.{word}": meaning for word, meaning in [
        ("photo", Meaning.AVATAR), ("email", Meaning.EMAIL), ("phone", Meaning.PHONE), ("first_name", Meaning.FIRST),
        ("id", Meaning.ID), ("last_name", Meaning.LAST),
    ]}  # fmt: skip
    found = {column: known.meaning if (known := recognise(column)) else None for column in columns}
    assert found == columns
    assert [column for column in columns if is_of_another(column)] == []


@pytest.mark.parametrize(
    "name",
    ["Mgr. ID", "Mgr. Email", "Mgr Phone", "Vorges. E-Mail", "Vorg.-Nr.", "Abt. ID", "Abt.-Nr.", "Fa.-Nr.",
     "Comp. Name", "Dept. No", "Vorg. Nr"],
)  # fmt: skip
def test_what_stands_behind_an_abbreviation_may_be_of_another(name: str) -> None:
    """An id and a name, of whatever it stands for; an address below `Dienstl. E-Mail` is the person's."""
    assert recognise(name) is None


@pytest.mark.parametrize("name", ["order.id", "Order ID", "device_uuid", "customer/order/id", "subscription.uid"])
def test_an_id_of_a_thing_is_nobodys_id(name: str) -> None:
    """Whoever has ordered it; one that a thing has of a person is his."""
    assert (recognise(name), is_of_a_thing(name)) == (None, True)
    person = f"{name.split('.')[0]}.user.id"
    found = recognise(person)
    assert (found and found.meaning, is_of_a_thing(person)) == (Meaning.ID, False)


def test_somebody_elses_address_is_told() -> None:
    """Of parents and superiors, whatever they are called."""
    assert [is_of_another(name) for name in ("Guardian Email", "E-Mail Vorgesetzte/r", "Kommunikation E-Mail")] == [
        True, True, False,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["Employee ID (Manager)", "Name (Notfallkontakt)", "E-Mail (Eltern)", "Name (Firma)", "ID (Rechnung)",
     "Mail [Coach]",
     "Name (Kind)", "coach.name", "address.id", "plan.name", "role.id", "plan/id", "billing.email", "recruiter.email",
     "coach.profile.name", "company.profile.email", "mfa.enabled", "settings.notifications.enabled",
     "newsletter.active",
     "subscription.status", "VPN: enabled", "email.enabled", "Gesperrt (Bibliothek)", "Status (Impfung)", "email.id",
     "user_settings.active"],
)  # fmt: skip
def test_what_stands_in_brackets_and_before_a_separator_may_name_another(name: str) -> None:
    """Of a word that nobody knows before a separator the column is not taken for the person's own."""
    assert recognise(name) is None


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("Personalnummer (8-stellig)", Meaning.ID), ("E-Mail (Firma)", Meaning.EMAIL), ("Name (Anzeige)", Meaning.NAME),
        ("Telefon (mobil)", Meaning.PHONE), ("Status [READ ONLY]", Meaning.STATUS), ("Gesperrt (ja/nein)",
        Meaning.STATUS),
        ("Status (aktiv/gesperrt)", Meaning.STATUS), ("account.enabled", Meaning.STATUS), ("data.active",
        Meaning.STATUS),
        ("sys_user.user_name", Meaning.LOGIN), ("users.0.email", Meaning.EMAIL), ("name.givenName", Meaning.FIRST),
        ("login.uuid", Meaning.ID), ("Mitarbeiter.Name", Meaning.NAME), ("Stammdaten: Nachname", Meaning.LAST),
        ("Nr./ID", Meaning.ID), ("Handy/Telefon", Meaning.PHONE), ("Dienstl. E-Mail", Meaning.EMAIL),
        ("profile.status", Meaning.STATUS), ("Gehalt (Brutto)", Meaning.SECRET), ("coach.salary", Meaning.SECRET),
        ("Abteilung (Stand 2026)", Meaning.PROFILE), ("response.data[0].user.id", Meaning.ID),
    ],
)  # fmt: skip
def test_what_programs_and_forms_put_beside_a_word_names_nobody_else(name: str, meaning: Meaning) -> None:
    """What a person is wrapped in, and remarks of how a cell is written."""
    found = recognise(name)
    assert found is not None
    assert found.meaning is meaning


@pytest.mark.parametrize(
    "name",
    ["Termination Date (if any)", "Termination Date (MM/DD/YYYY)", "Termination Date (YYYY-MM-DD)",
     "End Date (if applicable)", "Austritt (falls vorhanden)", "Austritt (TT.MM.JJJJ)", "Austrittsdatum (leer = aktiv)",
     "Date de sortie (le cas échéant)", "Fecha de baja (opcional)", "Employment Status (HRIS)",
     "Employment Status (as of 2024-05-01)", "Account Status (AD)", "Status (system)", "Status (Stand 01.05.2024)",
     "Suspended (Google)", "Disabled (Entra)", "Active (1/0)", "Active (0=no)", "Aktiv (1 = ja)", "Mitglied.Status",
     "Kunde/Status"],
)  # fmt: skip
def test_formats_days_and_programs_in_brackets_name_nobody_else(name: str) -> None:
    """Nor nothing else: behind who has left, in whatever language they are."""
    found = recognise(name)
    assert found is not None
    assert found.meaning is Meaning.STATUS


@pytest.mark.parametrize(
    "name",
    ["Active (newsletter)", "Enabled (MFA)", "Disabled (VPN)", "Status (Manager)", "End Date (subscription)",
     "Aktiv (E-Mail)", "Status (Firma)", "Termination Date (spouse)", "Active (2FA)", "Status (Newsletter, AD)"],
)  # fmt: skip
def test_what_is_active_on_its_own_says_nothing_of_a_person(name: str) -> None:
    """A service, a device, a body or somebody else in brackets."""
    assert recognise(name) is None


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (Meaning.EMAIL, ("emails.value", "emails.0.value", "emails[0].value", "emails/0/value", "emails.work",
                         "emails.0.address", "user.emails.0.value", "emails[type eq work].value", "contact_info.email",
                         "contactInfo.email", "address.email", "profile.emails.0", "emailAddresses.0.value",
                         "emails.primary.value", "emails.home", "data.emails.value", "contact.emails.0.email")),
        (Meaning.PHONE, ("phones.mobile", "phones.0.value", "phoneNumbers.value", "phone_numbers/0/value",
                         "address.phone", "addresses.0.phone", "phones.work", "phoneNumbers[0].number")),
        (None, ("coach.emails.value", "manager.emails.0.value", "emails.type", "emails.0.verified", "emails.id",
                "billing.address.phone", "address.id", "address.name", "address.status", "values.0.value",
                "company.emails.0.value", "emails.value (Eltern)", "billing.phones.mobile", "value", "emails.enabled",
                "user_settings.emails.enabled")),
    ],
)  # fmt: skip
def test_what_stands_in_a_list_is_known_by_the_list(meaning: Meaning | None, names: tuple[str, ...]) -> None:
    """As SCIM, Google and Okta have addresses and numbers, and programs flatten them; whose it is counts as ever."""
    assert {name: found.meaning if (found := recognise(name)) else None for name in names} == dict.fromkeys(
        names, meaning
    )


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (Meaning.ID, ("Employee - Employee Number", "Personal Info - Employee ID", "Worker - Employee ID", "User - ID",
                      "Kontakt - Personalnummer", "Employees[EmployeeID]", "'Employees'[Employee ID]", "Kontakt | ID",
                      "ID - Mitglied", "Employee \u2013 Job Info \u2013 Employee ID", "Worker > Employee ID")),
        (Meaning.NAME, ("Employee - Full Name", "Worker - Legal Name", "Employees[Full Name]", "Mitarbeiter[Name]",
                        "Mitglied[Vor- und Nachname]", "\u793e\u54e1[\u6c0f\u540d]")),
        (Meaning.FIRST, ("Personal Info - First Name", "Kontakt - Vorname", "Vorname - Mitarbeiter",
                         "Vorname: Mitarbeiter", "Vorname[Mitglied]")),
        (Meaning.EMAIL, ("Employee - Work Email", "Kontakt - E-Mail", "Employees[Email]", "Corporate - E-Mail",
                         "E-Mail - Mitarbeiter", "E-Mail: Mitarbeiter", "business.email")),
        (Meaning.PHONE, ("Preferred - Phone", "Kontakt - Handy", "Current - Phone", "Legal - Phone",
                         "Phone - Contact")),
        (Meaning.STATUS, ("User - Status", "Status - Mitarbeiter", "Employees[Status]")),
        (Meaning.PROFILE, ("Employee - Department", "Mitarbeiter[Firma]", "Company - Name")),
        (None, ("Manager - Name", "Employee - Manager - Name", "Manager - Employee ID", "Emergency Contact - Name",
                "Approver - ID", "Employees - Approver[Name]", "Employees[Manager Name]", "Employees[Parent Email]",
                "Company - Employee ID", "Employee - Company - ID", "Business - Name", "business.id", "business.name",
                "Coach - E-Mail", "Coach[Name]", "Dependent - First Name", "Vendor - Email", "Order - ID",
                "Employees[Order ID]", "VPN - enabled", "Email - Status", "Phone - Name", "E-Mail: Name",
                "Newsletter - Active", "Notes - Name", "Legal - ID", "Preferred - Employee ID")),
    ],
)  # fmt: skip
def test_a_table_stands_before_a_dash_as_before_a_dot(meaning: Meaning | None, names: tuple[str, ...]) -> None:
    """A report writes `Employee - Full Name`, and a data model `Employees[Full Name]`; whose it is counts as ever."""
    assert {name: found.meaning if (found := recognise(name)) else None for name in names} == dict.fromkeys(
        names, meaning
    )


@pytest.mark.parametrize(
    ("name", "meaning"),
    [
        ("attributes.id.value", Meaning.ID), ("attributes.first_name.value", Meaning.FIRST),
        ("attributes.email.value", Meaning.EMAIL), ("attributes.status.value", Meaning.STATUS),
        ("properties.lastname.value", Meaning.LAST), ("user/name/value", Meaning.LOGIN),
        ("attributes.iban.value", Meaning.SECRET), ("attributes.position.value", Meaning.PROFILE),
        ("attributes.first_name.label", None), ("attributes.supervisor.value.attributes.first_name.value", None),
        ("attributes.office.value.attributes.name", None), ("attributes.team.value.attributes.id.value", None),
        ("coach.name.value", None), ("plan.id.value", None), ("attributes.value", None), (".value", None),
    ],
)  # fmt: skip
def test_the_value_of_a_field_is_what_the_field_is(name: str, meaning: Meaning | None) -> None:
    """Interfaces give each field a label and a value."""
    found = recognise(name)
    assert (found and found.meaning) == meaning


def test_a_column_that_nobody_knows_is_his_own_unless_something_says_otherwise() -> None:
    """An address in it would else be made the person's."""
    names = ("Kontakt", "recruiter.contact", "Kontakt (Eltern)", "user.contact", "Recruiter - E-Mail", "User - Contact")
    assert [may_be_of(Meaning.EMAIL, name) for name in names] == [True, False, False, True, False, True]
