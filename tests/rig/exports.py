"""Rosters as other programs export them, and as people keep them: the names of their columns, and people made up."""

# ruff: noqa: E501, RUF001 - rows of tables, in the letters that people have

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.rig.workbooks import Fill, table, workbook

PEOPLE = (
    ("Ann", "Lee"), ("Bob", "Poe"), ("Zoë", "Müller"), ("Jürgen", "Groß"), ("Amélie", "Durand"), ("José", "Núñez"),
    ("Mia", "Berg"), ("Li", "Wei"), ("Omar", "Haddad"), ("Eva", "Novak"), ("Tom", "O'Neil"), ("Ida", "Lund"),
)  # fmt: skip
JAPANESE = (
    ("山田", "太郎", "ヤマダ", "タロウ"), ("佐藤", "花子", "サトウ", "ハナコ"), ("鈴木", "一郎", "スズキ", "イチロウ"),
    ("高橋", "美咲", "タカハシ", "ミサキ"), ("田中", "健", "タナカ", "ケン"),
)  # fmt: skip


@dataclass(frozen=True)
class Export:
    """One export: how it is written into a folder, and what has to be proposed for it.

    columns  the `[columns]` that are right for it
    run      what `[run]` has to say
    """

    write: Callable[[Path], Path]
    columns: Mapping[str, Any]
    run: Mapping[str, Any] = field(default_factory=dict)


def text(
    name: str, *lines: Sequence[str], by: str = ",", encoding: str = "utf-8", eol: str = "\n"
) -> Callable[[Path], Path]:
    """Write a text whose cells need no quotes but for those with the delimiter in them."""

    def cell(value: str) -> str:
        return f'"{value}"' if by in value or '"' in value else value

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_bytes("".join(by.join(map(cell, line)) + eol for line in lines).encode(encoding))
        return path

    return write


def book(*sheets: tuple[str, Fill]) -> Callable[[Path], Path]:
    """Write a workbook."""
    return lambda folder: workbook(folder, *sheets, name="people.xlsx")


def lines(name: str, *people: Mapping[str, Any]) -> Callable[[Path], Path]:
    """Write JSON lines."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_text("".join(json.dumps(each) + "\n" for each in people), encoding="utf-8")
        return path

    return write


def document(name: str, content: Any) -> Callable[[Path], Path]:
    """Write one JSON document."""

    def write(folder: Path) -> Path:
        path = folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    return write


def mail(first: str, last: str) -> str:
    """Give a person's address."""
    plain = {"ë": "e", "ü": "ue", "ß": "ss", "é": "e", "ú": "u", "ñ": "n", "'": ""}
    return "".join(plain.get(letter, letter) for letter in f"{first}.{last}@example.org".lower())


def each(make: Callable[[int, str, str], Sequence[str]]) -> list[Sequence[str]]:
    """Make a line of every person: number from 1, first and last name."""
    return [make(number, first, last) for number, (first, last) in enumerate(PEOPLE, 1)]


def private(**keys: str) -> dict[str, str]:
    """Give metadata that other users do not see."""
    return {f"@private.{key}": column for key, column in keys.items()}


def by_mail(column: str) -> dict[str, Any]:
    """Give the uid that is made of an address."""
    return {"column": column, "encode": "base32", "lower": True}


EXPORTS: Mapping[str, Export] = {
    "Okta (people, CSV)": Export(
        text(
            "okta.csv",
            ["login", "firstName", "lastName", "middleName", "honorificPrefix", "email", "title", "displayName", "nickName", "profileUrl", "secondEmail", "mobilePhone", "primaryPhone", "userType", "employeeNumber", "department", "status"],
            *each(lambda n, f, s: [
                mail(f, s), f, s, "", "", mail(f, s), "Engineer", f"{f} {s}", "", f"https://people.example.org/{n}", "",
                f"+1555010{n:04}", "", "employee", "" if n % 2 else f"E{n:04}", "R&D", "ACTIVE" if n % 5 else "SUSPENDED",
            ]),
        ),
        {
            "uid": by_mail("login"), "name": "displayName", "link": "profileUrl",
            "metadata": private(email="email", phone="mobilePhone"),
        },
    ),
    "Okta (users API, flattened)": Export(
        text(
            "okta_api.csv",
            ["id", "status", "created", "profile.login", "profile.firstName", "profile.lastName", "profile.email",
             "profile.mobilePhone", "profile.department"],
            *each(lambda n, f, s: [
                f"00u1ab{n:02}CdEfGh{n:04}", "ACTIVE", "2024-01-01T00:00:00.000Z", mail(f, s), f, s, mail(f, s), "", "Sales",
            ]),
        ),
        {
            "uid": "id", "name": "{profile.firstName} {profile.lastName}",
            "metadata": private(email="profile.email"),
        },
    ),
    "Entra (download users)": Export(
        text(
            "entra.csv",
            ["userPrincipalName", "displayName", "surname", "mail", "givenName", "objectId", "userType", "jobTitle", "department", "accountEnabled", "usageLocation", "streetAddress", "state", "country", "officeLocation", "city", "postalCode", "telephoneNumber", "mobilePhone", "authenticationPhoneNumber", "creationType", "directorySynced", "companyName"],
            *each(lambda n, f, s: [
                mail(f, s), f"{f} {s}", s, mail(f, s), f, f"6f9619ff-8b86-d011-b42d-00c04fc9{n:04x}", "Member", "Lead", "IT",
                "True" if n % 6 else "False", "US", "", "", "US", "HQ", "", "", "+1 555 0100", f"+1 555 01{n:02}", "", "",
                "True", "Example",
            ]),
            encoding="utf-8-sig", eol="\r\n",
        ),
        {
            "uid": "objectId", "name": "displayName",
            "metadata": private(email="mail", phone="telephoneNumber"),
        },
    ),
    "Google Workspace (download users)": Export(
        text(
            "google.csv",
            ["First Name [Required]", "Last Name [Required]", "Email Address [Required]", "Password [Required]", "Password Hash Function [UPLOAD ONLY]", "Org Unit Path [Required]", "New Primary Email [UPLOAD ONLY]", "Status [READ ONLY]", "Last Sign In [READ ONLY]", "Recovery Email", "Home Secondary Email", "Work Secondary Email", "Recovery Phone [MUST BE IN THE E.164 FORMAT]", "Work Phone", "Home Phone", "Mobile Phone", "Employee ID", "Employee Title", "Department"],
            *each(lambda n, f, s: [
                f, s, mail(f, s), "****", "", "/", "", "Active", "2026/01/01 10:00:00", "", "", "", "", "",
                "", f"+1555010{n:04}", "", "Agent", "Support",
            ]),
        ),
        {
            "leave_out": ["Password [Required]", "Password Hash Function [UPLOAD ONLY]"],
            "uid": by_mail("Email Address [Required]"), "name": "{First Name [Required]} {Last Name [Required]}",
            "metadata": private(email="Email Address [Required]", phone="Mobile Phone"),
        },
    ),
    "Workday (custom report, CSV)": Export(
        text(
            "workday.csv",
            ["Employee_ID", "Worker", "Legal_Name_-_First_Name", "Legal_Name_-_Last_Name", "Preferred_Name_-_First_Name",
             "primaryWorkEmail", "Primary Work Phone", "businessTitle", "Supervisory_Organization", "Location", "Worker_Status",
             "Hire_Date", "Termination_Date", "Manager_ID"],
            *each(lambda n, f, s: [
                f"{n:06}", f"{f} {s} ({n:06})" if n % 4 == 0 else f"{f} {s}", f, s, f, mail(f, s), f"+1 (555) 010-{n:04}",
                "Analyst", "Finance", "Berlin", "Active", "2020-01-01", "", "000001",
            ]),
        ),
        {
            "uid": "Employee_ID", "name": "{Preferred_Name_-_First_Name|Legal_Name_-_First_Name} {Legal_Name_-_Last_Name}",
            "metadata": private(email="primaryWorkEmail", phone="Primary Work Phone"),
        },
    ),
    "BambooHR (employee directory)": Export(
        text(
            "bamboo.csv",
            ["Employee #", "Last name, First name", "First Name", "Last Name", "Preferred Name", "Job Title", "Department",
             "Location", "Work Phone", "Mobile Phone", "Work Email", "Status", "Date of Birth"],
            *each(lambda n, f, s: [
                str(100 + n), f"{s}, {f}", f, s, "Annie" if f == "Ann" else "", "Designer", "Product", "Lindon", "",
                f"801-555-{n:04}", mail(f, s), "Active", "1990-01-01",
            ]),
        ),
        {
            "leave_out": ["Date of Birth"], "uid": "Employee #", "name": "{Preferred Name|First Name} {Last Name}",
            "metadata": private(email="Work Email", phone="Mobile Phone"),
        },
    ),
    "SAP SuccessFactors (user data file)": Export(
        text(
            "sap.csv",
            ["STATUS", "USERID", "USERNAME", "FIRSTNAME", "LASTNAME", "MI", "GENDER", "EMAIL", "MANAGER", "HR", "DEPARTMENT", "JOBCODE", "DIVISION", "LOCATION", "TIMEZONE", "HIREDATE", "EMPID", "TITLE", "BIZ_PHONE"],
            ["STATUS", "USERID", "Username", "First Name", "Last Name", "Middle Name", "Gender", "Email", "Manager", "HR",
             "Department", "Job Code", "Division", "Location", "Time Zone", "Hire Date", "Employee Id", "Title",
             "Business Phone"],
            *each(lambda n, f, s: [
                "active" if n % 4 else "inactive", f"{80000 + n}", mail(f, s), f, s, "", "", mail(f, s), "NO_MANAGER", "NO_HR",
                "HR", "J1", "North", "Walldorf", "Europe/Berlin", "01/01/2020", f"{80000 + n}", "Clerk", f"+49 6227 {n}",
            ]),
        ),
        {
            "uid": "USERID", "name": "{First Name} {Last Name}",
            "metadata": private(email="Email", phone="Business Phone"),
        },
    ),
    "SAP HCM (German list, semicolons, cp1252)": Export(
        text(
            "pa20.csv",
            ["PersNr", "Nachname", "Vorname", "Organisationseinheit", "Planstelle", "Kommunikation E-Mail", "Telefon",
             "Austritt"],
            *each(lambda n, f, s: [f"{n:08}", s, f, "Werk Köln", "Sachbearbeiter", mail(f, s), f"0221 {n}", ""]),
            by=";", encoding="cp1252", eol="\r\n",
        ),
        {
            "uid": "PersNr", "name": "{Vorname} {Nachname}",
            "metadata": private(email="Kommunikation E-Mail", phone="Telefon"),
        },
        {"encoding": "cp1252"},
    ),
    "Auth0 (export job, CSV)": Export(
        text(
            "auth0.csv",
            ["user_id", "email", "email_verified", "name", "nickname", "given_name", "family_name", "picture", "created_at",
             "last_login", "logins_count", "blocked"],
            *each(lambda n, f, s: [
                f"auth0|5ce405424afaal03b759{n:04x}", mail(f, s), "true", mail(f, s), mail(f, s).partition("@")[0], "", "",
                f"https://s.gravatar.com/avatar/{n:032x}?s=480&r=pg&d=identicon", "2019-05-21T14:03:46.999Z",
                "2026-01-01T00:00:00.000Z", "7", "",
            ]),
        ),
        {
            "uid": {"column": "user_id", "encode": "base32"}, "name": "nickname", "avatar": "picture",
            "metadata": private(email="email"),
        },
    ),
    "Firebase (auth:export, JSON)": Export(
        document(
            "firebase.json",
            {"users": [
                {"localId": f"kX9{n:03}abcDEFghiJKLmnoPQRst{n:03}", "email": mail(f, s), "emailVerified": True,
                 "passwordHash": "c2VjcmV0", "salt": "c2FsdA==", "displayName": f"{f} {s}",
                 "photoUrl": f"https://lh3.googleusercontent.com/a/{n}=s96-c", "lastSignedInAt": "1700000000000",
                 "createdAt": "1600000000000", "phoneNumber": f"+1555010{n:04}", "providerUserInfo": [{"providerId": "google.com"}]}
                for n, (f, s) in enumerate(PEOPLE, 1)
            ]},
        ),
        {
            "leave_out": ["passwordHash", "salt"], "uid": "localId", "name": "displayName", "avatar": "photoUrl",
            "metadata": private(email="email", phone="phoneNumber"),
        },
    ),
    "Stream (users, JSON lines)": Export(
        lines(
            "stream.ndjson",
            *({"id": f"user_{n}", "name": f"{f} {s}", "image": f"https://getstream.io/random_png/?id={n}", "role": "user",
               "teams": ["red"], "created_at": "2020-01-01T00:00:00Z", "online": False, "banned": False,
               "custom": {"plan": "pro"}}
              for n, (f, s) in enumerate(PEOPLE, 1)),
        ),
        {
            "uid": "id", "name": "name", "role": {"value": "default"}, "avatar": "image",
        },
    ),
    "Sendbird (users, CSV)": Export(
        text(
            "sendbird.csv",
            ["user_id", "nickname", "profile_url", "is_active", "is_online", "last_seen_at", "created_at", "access_token"],
            *each(lambda n, f, s: [
                f"sb-{n:05}", f"{f} {s}", f"https://static.sendbird.com/sample/profiles/profile_{n:02}_512px.png", "true",
                "false", "1700000000000", "1600000000", "0123456789abcdef",
            ]),
        ),
        {"leave_out": ["access_token"], "uid": "user_id", "name": "nickname", "avatar": "profile_url"},
    ),
    "German HR sheet (.xlsx: title, merged header, 00123 by format)": Export(
        book(
            ("Deckblatt", table(["Personalliste"], ["Stand: 01.11.2026"], ["vertraulich"])),
            ("Mitarbeiter", lambda made, sheet: _german(made, sheet)),
        ),
        {
            "uid": "Personal-Nr.", "name": "{Vorname} {Name}",
            "metadata": private(email="E-Mail (dienstlich)", phone="Telefon"),
        },
    ),
    "French HR sheet (cp1252, semicolons)": Export(
        text(
            "salaries.csv",
            ["Matricule", "Civilité", "Nom", "Prénom", "Courriel professionnel", "Tél. portable", "Service", "Poste",
             "Date d'entrée", "Date de sortie", "N° sécurité sociale"],
            *each(lambda n, f, s: [
                f"M{n:05}", "Mme", s.upper(), f, mail(f, s), f"06 00 00 00 {n:02}", "Comptabilité", "Comptable", "01/01/2020",
                "", f"1 90 01 75 {n:03}",
            ]),
            by=";", encoding="cp1252", eol="\r\n",
        ),
        {
            "leave_out": ["N° sécurité sociale"], "uid": "Matricule", "name": "{Prénom} {Nom}",
            "metadata": private(email="Courriel professionnel", phone="Tél. portable"),
        },
        {"encoding": "cp1252"},
    ),
    "Spanish HR sheet (title above)": Export(
        text(
            "plantilla.csv",
            ["Plantilla a 01/11/2026", "", "", "", "", "", ""],
            ["", "", "", "", "", "", ""],
            ["Nº Empleado", "Nombre", "Apellidos", "DNI", "Correo electrónico", "Móvil", "Puesto"],
            *each(lambda n, f, s: [f"{n:05}", f, s, f"{n:08}Z", mail(f, s), f"600 000 {n:03}", "Técnico"]),
            by=";",
        ),
        {
            "leave_out": ["DNI"], "uid": "Nº Empleado", "name": "{Nombre} {Apellidos}",
            "metadata": private(email="Correo electrónico", phone="Móvil"),
        },
    ),
    "Japanese HR sheet (cp932)": Export(
        text(
            "shain.csv",
            ["社員番号", "氏名", "氏名（カナ）", "部署", "役職", "メールアドレス", "携帯電話番号", "在籍状況"],
            *([f"{n:06}", f"{s} {f}", f"{lk} {fk}", "営業部", "主任", f"user{n}@example.jp", f"090-0000-{n:04}", "在籍"]
              for n, (s, f, lk, fk) in enumerate(JAPANESE, 1)),
            encoding="cp932", eol="\r\n",
        ),
        {
            "uid": "社員番号", "name": "氏名",
            "metadata": private(email="メールアドレス", phone="携帯電話番号"),
        },
        {"encoding": "cp932"},
    ),
    "Japanese sheet (姓 and 名)": Export(
        text(
            "meibo.csv",
            ["No.", "会員番号", "姓", "名", "セイ", "メイ", "メール"],
            *([str(n), f"K-{n:04}", s, f, lk, fk, f"user{n}@example.jp"] for n, (s, f, lk, fk) in enumerate(JAPANESE, 1)),
        ),
        {"uid": "会員番号", "name": "{姓} {名}", "metadata": private(email="メール")},
    ),
    "School's list": Export(
        text(
            "school.csv",
            ["Student ID", "Surname", "First Name", "Year Group", "Form", "Guardian Email", "Photo", "DOB"],
            *each(lambda n, f, s: [
                f"{2026000 + n}", s, f, "7", "7B", f"parent{n // 2}@example.org", f"photos/{n}.jpg", "2013-01-01",
            ]),
        ),
        {"leave_out": ["DOB"], "uid": "Student ID", "name": "{First Name} {Surname}"},
    ),
    "Club's list (.xlsx, no id, two share an address)": Export(
        book((
            "Mitglieder",
            table(
                ["Nr.", "Name", "Vorname", "Straße", "PLZ", "Ort", "Handy", "E-Mail", "Sparte", "Eintritt"],
                *each(lambda n, f, s: [
                    str(n), s, f, "Hauptstr. 1", "50667", "Köln", f"0171 {n:05}",
                    mail("Ann", "Lee") if n == 2 else mail(f, s), "Tennis", "01.01.2020",
                ]),
            ),
        )),
        {
            "uid": by_mail("E-Mail"), "name": "{Vorname} {Name}",
            "metadata": private(email="E-Mail", phone="Handy"),
        },
    ),
    "Italian HR sheet": Export(
        text(
            "dipendenti.csv",
            ["Matricola", "Cognome", "Nome", "Codice fiscale", "Email", "Cellulare", "Reparto"],
            *each(lambda n, f, s: [f"{n:04}", s, f, f"XYZ{n:013}", mail(f, s), f"333 {n:07}", "Vendite"]),
            by=";",
        ),
        {
            "leave_out": ["Codice fiscale"], "uid": "Matricola", "name": "{Nome} {Cognome}",
            "metadata": private(email="Email", phone="Cellulare"),
        },
    ),
    "Portuguese HR sheet": Export(
        text(
            "funcionarios.csv",
            ["Matrícula", "Nome completo", "CPF", "E-mail", "Celular", "Cargo", "Situação"],
            *each(lambda n, f, s: [f"{n:05}", f"{f} {s}", f"{n:011}", mail(f, s), f"11 9{n:08}", "Analista", "Ativo"]),
        ),
        {
            "leave_out": ["CPF"], "uid": "Matrícula", "name": "Nome completo",
            "metadata": private(email="E-mail", phone="Celular"),
        },
    ),
    "Dutch club (Sportlink)": Export(
        text(
            "leden.csv",
            ["Relatiecode", "Achternaam", "Tussenvoegsel(s)", "Roepnaam", "E-mail", "Mobiel", "Lidsoort"],
            *each(lambda n, f, s: [f"BX{n:05}", s, "", f, mail(f, s), f"06{n:08}", "Bondslid"]),
            by=";",
        ),
        {
            "uid": "Relatiecode", "name": "{Roepnaam} {Achternaam}",
            "metadata": private(email="E-mail", phone="Mobiel"),
        },
    ),
    "Addresses only as ids, 12 faults": Export(
        text(
            "team.csv",
            ["Full Name", "E-mail"],
            *each(lambda n, f, s: [f"{f} {s}", "" if n == 3 else mail(f, s)]),
            ["Ann Lee", mail("Ann", "Lee")],
        ),
        {"uid": by_mail("E-mail"), "name": "Full Name", "metadata": private(email="E-mail")},
    ),
}  # fmt: skip
"""What it is → how it is written, and what is right for it."""


def _german(made: Any, sheet: Any) -> None:
    """Fill a sheet as people in an office do: title, merged groups above the header, ids padded by their format."""
    padded = made.add_format({"num_format": "00000"})
    sheet.merge_range(0, 0, 0, 6, "Personalliste 2026", made.add_format({"bold": True}))
    sheet.merge_range(2, 0, 2, 2, "Person", made.add_format())
    sheet.merge_range(2, 3, 2, 4, "Kontakt", made.add_format())
    sheet.write_row(
        3, 0, ["Personal-Nr.", "Name", "Vorname", "E-Mail (dienstlich)", "Telefon", "Abteilung", "Eintritt"]
    )
    for number, (first, last) in enumerate(PEOPLE, 1):
        sheet.write_number(3 + number, 0, number, padded)
        sheet.write_row(3 + number, 1, [last, first, mail(first, last), f"0221 {number}", "Einkauf", "01.01.2020"])
