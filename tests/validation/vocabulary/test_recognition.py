"""Columns are known by their names, however people and programs write them."""

from __future__ import annotations

import unicodedata

import pytest

from provisioner.validation.vocabulary.recognition import (
    bare_names,
    may_be_a_status,
    missing_from,
    nearest_columns,
    privacy_of,
    recognise,
    recognise_all,
)
from provisioner.validation.vocabulary.synonyms import Meaning
from provisioner.validation.vocabulary.table import Recognition


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (Meaning.ID, ("uid", "UID", "user_id", "Employee #", "Employee_ID", "Pers.-Nr.", "PERSNR", "Nº de empleado",
                      "社員番号", "Matricola", "USERID", "profile/employeeId", " N° salarié ", "Mitglieds-Nr.")),
        (Meaning.LOGIN, ("user.login", "Benutzername", "userPrincipalName", "ログインID")),
        (Meaning.EMAIL, ("E-Mail (Arbeit)", "EMAIL", "Email Address [Required]", "Courriel", "Correo electrónico",
                         "メールアドレス", "primaryWorkEmail", "profile.email")),
        (Meaning.NAME, ("name", "displayName", "氏名", "Nombre y apellidos", "Nom complet", "nickname")),
        (Meaning.FIRST, ("Vorname", "PRÉNOM", "given_name", "Legal_Name_-_First_Name", "名")),
        (Meaning.LAST, ("Nachname", "Apellidos", "surname", "姓", "Last Name [Required]")),
        (Meaning.READING, ("氏名\uff08カナ\uff09", "フリガナ")),
        (Meaning.PHONE, ("Tél. portable", "mobilePhone", "Work Phone", "携帯電話番号", "Móvil")),
        (Meaning.AVATAR, ("avatar", "photoUrl", "Profilbild", "picture", "顔写真")),
        (Meaning.STATUS, ("Status [READ ONLY]", "accountEnabled", "is_active", "Austritt", "在籍状況")),
        (Meaning.SECRET, ("Password [Required]", "passwordHash", "DNI", "Codice fiscale", "マイナンバー", "PIN",
                          "Initial pw", "T.C. No", "NI Number", "Versichertennummer", "N° de sécurité sociale",
                          "Bankverbindung", "保険証番号", "Date of Birth", "Sueldo", "Maaş", "Geburtstag",
                          "Дата рождения",
                          "IBAN 2", "Bruttogehalt", "employee.salary", "Annual Salary (EUR)", "Passwort neu",
                          "初期パスワード")),
        (Meaning.POSITION, ("#", "Nr.", "No.", "lfd. Nr.", "Nº")),
    ],
)  # fmt: skip
def test_names_are_known_in_every_spelling(meaning: Meaning, names: tuple[str, ...]) -> None:
    """Case, accents, signs, brackets and what stands before a dot do not matter; the language does not either."""
    assert {name: found.meaning if (found := recognise(name)) else None for name in names} == dict.fromkeys(
        names, meaning
    )


@pytest.mark.parametrize(
    "name", ["", " ", "Légende", "Manager Email", "Emergency Contact Phone", "Straße", "_", "?", "💬"]
)
def test_other_names_are_not_known(name: str) -> None:
    """A manager's address is nobody's own."""
    assert recognise(name) is None


@pytest.mark.parametrize(
    "name",
    [
        "Mitgl.-Nr.",
        "MitglNr",
        "Mitgl. Nr",
        "Mitarb.-Nr.",
        "Pers.-ID",
        "Kd.-Nr.",
        "KdNr",
        "Emp. No.",
        "Emp #",
        "Empl. ID",
        "Empl. No.",
        "Cust. No.",
        "Mbr. ID",
        "Stud. No.",
        "Matr.-Nr.",
        "N\u00b0 adh.",
        "N\u00b0 sal.",
        "N\u00ba emp.",
        "Nro. de socio",
        "N\u00fam. socio",
        "Cod. empleado",
        "N. tessera",
        "Cod. dip.",
        "C\u00f3d. funcion\u00e1rio",
        "Medew.nr.",
        "Lidnr.",
        "Anst.nr",
        "Medlemsnr.",
        "Hl\u00f6nro",
        "Nr prac.",
        "Os. \u010d.",
        "Sic. No",
        "Kontakt - Mitgl.-Nr.",
    ],
)
def test_ids_are_known_by_their_abbreviations(name: str) -> None:
    """Of a member, an employee, a customer; not so of a manager's or a company's."""
    found = recognise(name)
    assert (found and found.meaning) == Meaning.ID
    others = (f"Manager {name}", f"{name} (Eltern)", f"Approver: {name}", f"Firma - {name}")
    assert {other: known.meaning for other in others if (known := recognise(other))} == {}


EXPORTED = {
    Meaning.ID: ("PERNR", "Pers.No.", "Personnel number", "USERID", "Employee_ID", "personIdExternal", "Worker ID"),
    Meaning.LOGIN: ("USRID", "BNAME", "USERNAME", "User Name"),
    Meaning.EMAIL: ("USRID_LONG", "SMTP_ADDR", "EMAIL", "Email - Work", "Email - Primary Work", "Email - Home",
                    "Public Primary Work Email", "primaryWorkEmail"),
    Meaning.NAME: ("ENAME", "CNAME", "NAME_TEXT", "defaultFullName", "Employee/app.name", "Worker", "Legal Name",
                   "Preferred Name in General Display Format"),
    Meaning.FIRST: ("VORNA", "NAME_FIRST", "FIRSTNAME", "Legal Name - First Name"),
    Meaning.LAST: ("NACHN", "NAME_LAST", "LASTNAME", "Legal Name - Last Name", "Preferred Name - Last Name"),
    Meaning.PREFERRED: ("RUFNM", "Preferred Name - First Name"),
    Meaning.MIDDLE: ("MIDNM", "INITS", "MI", "ANRED"),
    Meaning.READING: ("SNAME",),
    Meaning.PHONE: ("TELNR", "TEL_NUMBER", "MOB_NUMBER", "TELF2", "BIZ_PHONE", "HOME_PHONE", "CELL_PHONE",
                    "businessPhone", "Phone - Work", "Phone - Primary Work", "Phone - Home", "Phone - Mobile",
                    "Primary Work Phone", "Public Primary Work Phone",
                    "Work Mobile Phone", "Mobile - Work", "Office Phone"),
    Meaning.STATUS: ("STAT2", "STATUS", "Worker_Status", "Termination_Date"),
    Meaning.SECRET: ("GBDAT", "PERID", "BANKN", "IBAN", "ANSAL", "SSN", "Date of Birth", "Total Base Pay"),
    Meaning.PROFILE: ("ORGTX", "PLSTX", "STLTX", "DEPARTMENT", "TITLE", "businessTitle", "Supervisory_Organization"),
}  # fmt: skip
"""What a column is → how SAP HR, SuccessFactors and Workday call it."""


@pytest.mark.parametrize("meaning", EXPORTED)
def test_the_columns_of_personnel_systems_are_known(meaning: Meaning) -> None:
    """By the technical names of infotypes, the keys of a user data file, and the fields of a report."""
    names = EXPORTED[meaning]
    assert {name: found and found.meaning for name in names if (found := recognise(name)) or True} == dict.fromkeys(
        names, meaning
    )


@pytest.mark.parametrize(
    ("meaning", "names"),
    [
        (Meaning.EMAIL, ("work_email", "Order Email", "email2", "emergency.email", "privatemail", "Manager E-Mail")),
        (Meaning.PHONE, ("emergencyPhone", "phone_1", "Diensttelefon", "parent-mobile")),
        (Meaning.SECRET, ("user_password", "passwordNew", "Monatsgehalt", "push_token", "contact.iban")),
        (None, ("email_verified", "phone type", "Secretary", "team", "", "2", "displayName", "Manager")),
    ],
)
def test_what_is_private_is_known_by_the_words_at_the_end(meaning: Meaning | None, names: tuple[str, ...]) -> None:
    """Whosever it is; a secret also by the words at the beginning."""
    assert {name: privacy_of(name) for name in names} == dict.fromkeys(names, meaning)


def test_words_that_begin_with_another_are_still_words() -> None:
    """A company's name is known of a person besides, and a department that stands in an object as well."""
    names = ("company.name", "Company Name", "department.name", "user.department", "Team", "group", "employer")
    assert [known.key if (known := recognise(name)) else None for name in names] == [
        "company", "company", "department", "department", "team", "team", "company",
    ]  # fmt: skip


def test_what_is_known_besides_has_a_key() -> None:
    """A department is one in every language."""
    expected = Recognition(Meaning.PROFILE, 0, "department")
    assert [recognise(name) for name in ("Abteilung", "Service", "部署", "dept")] == [expected] * 4


HEADERS = {
    "Chinese": ("工号", "姓名", "邮箱", "手机", "头像", "部门"),
    "Chinese, traditional": ("員工編號", "姓名", "電子郵件", "手機", "照片", "部門"),
    "Japanese": ("社員番号", "氏名", "メールアドレス", "携帯電話", "写真", "部署"),
    "Korean": ("사번", "이름", "이메일", "휴대폰", "사진", "부서"),
    "Russian": ("Табельный номер", "ФИО", "Почта", "Телефон", "Фото", "Отдел"),
    "Ukrainian": ("Табельний номер", "ПІБ", "Електронна пошта", "Мобільний телефон", "Фотографія", "Відділ"),
    "Polish": ("Numer pracownika", "Imię i nazwisko", "Adres e-mail", "Telefon komórkowy", "Zdjęcie", "Dział"),
    "Czech": ("Osobní číslo", "Jméno a příjmení", "E-mail", "Telefon", "Fotografie", "Oddělení"),
    "Swedish": ("Anställningsnummer", "Namn", "E-post", "Mobil", "Bild", "Avdelning"),
    "Norwegian": ("Ansattnummer", "Navn", "E-postadresse", "Mobiltelefon", "Bilde", "Avdeling"),
    "Danish": ("Medarbejdernummer", "Navn", "E-mailadresse", "Telefonnummer", "Billede", "Afdeling"),
    "Finnish": ("Henkilöstönumero", "Nimi", "Sähköposti", "Puhelin", "Kuva", "Osasto"),
    "Turkish": ("Sicil No", "Ad Soyad", "E-posta", "Cep Telefonu", "Fotoğraf", "Departman"),
    "Turkish, capitals": ("SİCİL NO", "ADI SOYADI", "E-POSTA", "TELEFON NUMARASI", "FOTOĞRAF", "BÖLÜM"),
    "Arabic": ("الرقم الوظيفي", "الاسم الكامل", "البريد الإلكتروني", "رقم الجوال", "الصورة", "القسم"),
    "Hebrew": ("מספר עובד", "שם מלא", 'דוא"ל', "טלפון נייד", "תמונה", "מחלקה"),
    "Greek": ("Αριθμός μητρώου", "ΟΝΟΜΑΤΕΠΩΝΥΜΟ", "Ηλεκτρονικό ταχυδρομείο", "Κινητό", "Φωτογραφία", "Τμήμα"),
    "Hungarian": ("Törzsszám", "Teljes név", "E-mail cím", "Telefonszám", "Fénykép", "Osztály"),
    "Romanian": ("Cod angajat", "Nume și prenume", "Adresă de e-mail", "Număr de telefon", "Fotografie", "Departament"),
    "Vietnamese": ("Mã nhân viên", "Họ và tên", "Địa chỉ email", "Số điện thoại", "Ảnh đại diện", "Phòng ban"),
    "Indonesian": ("ID Karyawan", "Nama Lengkap", "Alamat Email", "Nomor HP", "Foto Profil", "Departemen"),
    "Hindi": ("कर्मचारी आईडी", "पूरा नाम", "ईमेल", "मोबाइल नंबर", "फ़ोटो", "विभाग"),
    "Thai": ("รหัสพนักงาน", "ชื่อ-นามสกุล", "อีเมล", "เบอร์โทรศัพท์", "รูปถ่าย", "แผนก"),
}


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS)
@pytest.mark.parametrize("marks", ["{}", " \u200f{}\u200f ", "{} *", "{}:"])
def test_a_header_is_known_in_its_language(header: tuple[str, ...], marks: str) -> None:
    """However its letters are composed, and with the invisible marks of a text that is written from right to left."""
    meanings = (Meaning.ID, Meaning.NAME, Meaning.EMAIL, Meaning.PHONE, Meaning.AVATAR, Meaning.PROFILE)
    for form in ("NFC", "NFD"):
        names = [unicodedata.normalize(form, marks.format(name)) for name in header]
        assert [known and known.meaning for known in map(recognise, names)] == list(meanings)
    assert missing_from(header) == 0


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("Imię", "Nazwisko"), ("Křestní jméno", "Příjmení"), ("Förnamn", "Efternamn"), ("Fornavn", "Etternavn"),
        ("Etunimi", "Sukunimi"), ("Ad", "Soyad"), ("ADI", "SOYADI"), ("الاسم الأول", "اسم العائلة"),
        ("שם פרטי", "שם משפחה"), ("Keresztnév", "Vezetéknév"), ("Prenume", "Nume de familie"),
        ("Nama Depan", "Nama Belakang"), ("पहला नाम", "उपनाम"), ("ชื่อจริง", "นามสกุล"),
    ],
)  # fmt: skip
def test_halves_of_a_name_are_known_in_their_language(first: str, last: str) -> None:
    """Where a language has one word for the whole name and the first half, the cells tell."""
    assert [known and known.meaning for known in map(recognise, (first, last))] == [Meaning.FIRST, Meaning.LAST]


@pytest.mark.parametrize(
    "name",
    ["身份证号", "주민등록번호", "Пароль", "PESEL", "Rodné číslo", "Personnummer", "Fødselsnummer", "CPR-nummer",
     "Henkilötunnus", "TC Kimlik No", "كلمة المرور", "תעודת זהות", "ΑΦΜ", "Jelszó", "CNP", "Mật khẩu", "รหัสผ่าน"],
)  # fmt: skip
def test_secrets_are_known_in_their_language(name: str) -> None:
    """A national number is unique and a legal uid, and everybody would see it."""
    known = recognise(name)
    assert known is not None
    assert known.meaning is Meaning.SECRET


def test_a_header_lacks_what_tells_apart_and_what_names() -> None:
    """A title lacks both, a group above the header one, the header nothing."""
    heads = (["Personalliste 2026"], ["Name", "", "Kontakt"], ["Vorname", "E-Mail"])
    assert [missing_from(names) for names in heads] == [
        2, 1, 0,
    ]  # fmt: skip


def test_the_nearest_columns_come_best_first() -> None:
    """An id before a log-in, that before an address; a whole name before its parts."""
    columns = ("E-Mail", "Ort", "Vorname", "Login", "Personalnummer", "Anzeigename", "Nachname")
    assert nearest_columns("uid", columns) == ["Personalnummer", "Login", "E-Mail"]
    assert nearest_columns("name", columns) == ["Anzeigename", "Vorname", "Nachname"]


@pytest.mark.parametrize(
    "name",
    ["isSuspended", "is_blocked", "is_banned", "is_archived", "isEnabled", "isInactive", "Inactive", "Inaktiv",
     "suspended_at",
     "Deaktiviert", "disabled_at", "archived_at", "banned_until", "Account Disabled", "Block credential", "Leaver",
     "Last Working Day", "Ausgeschieden", "Letzter Arbeitstag", "Vertragsende", "Inactif", "Compte actif",
     "Fin de contrat",
     "Estado laboral", "Bloqueado", "Fecha de salida", "Aktywny", "Zablokowany", "Data zwolnienia",
     "Status zatrudnienia",
     "\u5728\u7c4d\u30d5\u30e9\u30b0", "\u9000\u8077\u30d5\u30e9\u30b0", "\u7121\u52b9", "userAccountControl",
     "profile.isBlocked", "account.is_user_disabled", "Konto gesperrt seit", "Cuenta bloqueado", "USER_SUSPENDED_FLAG"],
)  # fmt: skip
def test_what_says_who_has_left_is_known_with_what_stands_beside_it(name: str) -> None:
    """A verb, a time, the account: in any order, and whatever signs are between."""
    found = recognise(name)
    assert found is not None
    assert found.meaning is Meaning.STATUS


@pytest.mark.parametrize(
    "name",
    ["last_active", "Active Directory", "blocked_users", "deleted_by", "mfa_enabled", "is_online", "Block", "Days left",
     "notifications.is_enabled", "is_admin", "account", "account date", "Email disabled", "user_mfa.is_active",
     "in date"],
)  # fmt: skip
def test_what_says_something_else_is_not_taken_for_who_has_left(name: str) -> None:
    """Though a word of it may."""
    found = recognise(name)
    assert found is None or found.meaning is not Meaning.STATUS


def test_a_status_of_something_in_brackets_may_be_one_of_the_person() -> None:
    """Where it is not taken for one, a person is to be told."""
    names = ("Gesperrt (Bibliothek)", "Status (Firma)", "Gesperrt", "Gesperrt (AD)", "Name (Firma)", "Ort (Bibliothek)")
    assert [may_be_a_status(name) for name in names] == [True, True, False, False, False, False]


@pytest.mark.sampled
@pytest.mark.parametrize(
    "table",
    ["Lehrer.", "Schueler.", "Kunde/", "Leden.", "teacher.", "guest.", "lead.", "partner.", "User Details.",
     "Account Info.", "hr.", "t1.", "A.", "ldap.", "dbo.Mitarbeiter.", "users_export.", "Sheet1.", "EMP.", "u.",
     "player.", "SAP:", "Mitarbeiter: ", "public.users/", "Report - ", "Staff \u2013 ", "HR | ", "Export > ",
     "DimEmployee["],
)  # fmt: skip
def test_what_all_columns_begin_with_is_the_name_of_their_table(table: str) -> None:
    """Whatever a table is called, and beside a few columns that are of no person."""
    names = {"ID": Meaning.ID, "Name": Meaning.NAME, "Email": Meaning.EMAIL}
    found = recognise_all([*(f"{table}{name}" for name in names), "batch"])
    assert [known and known.meaning for known in found.values()] == [*names.values(), None]
    assert missing_from(f"{table}{name}" for name in names) == 0
    assert nearest_columns("name", found)[:1] == [f"{table}Name"]


@pytest.mark.parametrize(
    "names",
    [
        ("id", "name", "coach.id", "coach.name", "coach.email", "coach.phone", "coach.title", "coach.team"),
        ("email", "plan.id", "plan.name", "plan.price", "plan.currency"),
        ("coach.name", "coach.email", "class", "year"), ("order.id", "order.name", "order.email"),
        ("manager.id", "manager.name", "manager.email"), ("company.id", "company.name"), ("hr.name",),
        ("Dienstl. E-Mail", "Dienstl. Telefon"), (), ("Manager - ID", "Manager - Name"),
        ("Orders[Order ID]", "Staff[ID]"), ("Approver[ID]", "Approver[Name]"),
        ("Company - Employee ID", "Company - Name"),
    ],
)  # fmt: skip
def test_what_some_columns_begin_with_may_be_somebody_else(names: tuple[str, ...]) -> None:
    """So does what says that it is another's, or a thing's."""
    assert bare_names(names) == {name: name for name in names}


def test_within_a_table_what_is_of_another_is_left_alone() -> None:
    """Only the name of the table is taken away."""
    found = recognise_all(["hr.id", "hr.name", "hr.coach.name", "hr.manager.email", "hr.plan.id"])
    assert [known and known.meaning for known in found.values()] == [Meaning.ID, Meaning.NAME, None, None, None]
