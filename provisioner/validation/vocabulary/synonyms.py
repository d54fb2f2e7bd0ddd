"""What people and programs call the columns of a roster: one table, meaning → words, the surest first.

The words are in English, German, French, Spanish, Japanese, Italian, Portuguese and Dutch, the usual ones besides in
Chinese, Korean, Russian, Ukrainian, Polish, Czech, Swedish, Norwegian, Danish, Finnish, Turkish, Arabic, Hebrew, Greek,
Hungarian, Romanian, Vietnamese, Indonesian, Hindi and Thai, and as these export them: Okta, Entra, Google Workspace,
Workday, BambooHR, SAP, Auth0, Firebase, Stream, Sendbird. They are compared without case, accents, blanks and signs, so
each is written once. A word that is short or another one without its accents comes in a later group.
"""

# ruff: noqa: RUF001 - words, in the letters that they are written with

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from provisioner.validation.vocabulary.particulars import SECRETS, STATUSES


class Meaning(StrEnum):
    """What a column holds."""

    ID = "an id of one person"
    LOGIN = "the name that a person logs in with"
    EMAIL = "an e-mail address"
    NAME = "a person's whole name"
    FIRST = "a first name"
    LAST = "a last name"
    PREFERRED = "the name that a person goes by"
    MIDDLE = "a middle name, or a part of a last name"
    INFIX = "what stands before a last name"
    READING = "how a name is read or sorted"
    PHONE = "a phone number"
    AVATAR = "a picture"
    PAGE = "a profile page, or a picture"
    STATUS = "who is active"
    BOT = "who is a program"
    SECRET = "a secret"  # noqa: S105 - what such a column holds
    PROFILE = "what is known of a person besides"
    POSITION = "the number of the row"


SYNONYMS: Mapping[Meaning, tuple[str, ...]] = MappingProxyType(
    {
        # What a program calls its user comes before what an organisation counts its people with.
        Meaning.ID: (
            """
            uid | user id | userid | user identifier | users sys id | sis user id | local id | localid |
            external user id | Benutzer-ID | Nutzer-ID | id utilisateur | identifiant utilisateur | id de usuario |
            id usuario | ユーザーID | ユーザID | 利用者ID | id utente | codice utente | id do usuário |
            id do utilizador | gebruikers-ID | 用户ID | 用户编号 | 用戶ID | 使用者ID | 사용자 ID | ID пользователя |
            ИД пользователя | ID користувача | ID użytkownika | ID uživatele | användar-ID | bruker-ID | bruger-ID |
            käyttäjä-ID | kullanıcı ID | معرف المستخدم | מזהה משתמש | κωδικός χρήστη | felhasználói azonosító |
            ID utilizator | mã người dùng | ID pengguna | उपयोगकर्ता आईडी | รหัสผู้ใช้
            """,
            """
            employee id | employee number | employee no | employee code | emp id | emp no | empl id | staff id |
            staff number | staff no | personnel number | personnel no | pernr | pers no | person id | person number |
            person id external | worker id | worker number | associate id | payroll number | payroll id |
            file number | badge number | badge id | student id | student number | student no | pupil id |
            pupil number | learner id | matriculation number | admission number | sis id | member id | member number |
            member no | membership number | membership id | membership no | player id | customer id |
            customer number | client id | client number | account id | contact id | Personalnummer | Personal-Nr |
            Pers.-Nr. | Mitarbeiternummer | Mitarbeiter-Nr | Mitarbeiter-ID | MA-Nr | Mitgliedsnummer | Mitglieds-Nr |
            Mitglied-Nr | Mitgliedernummer | Schülernummer | Schüler-Nr | Schüler-ID | Matrikelnummer | Matrikel-Nr |
            Kundennummer | Kunden-Nr | Stammnummer | Ausweisnummer | Passnummer | matricule | n° matricule |
            numéro matricule | numéro d'employé | n° employé | id employé | n° salarié | numéro salarié |
            numéro de salarié | id salarié | identifiant salarié | n° étudiant | numéro étudiant | numéro d'étudiant |
            n° élève | n° adhérent | numéro adhérent | numéro d'adhérent | code adhérent | n° licence |
            numéro de licence | n° client | code client | nº empleado | nº de empleado | número de empleado |
            num empleado | id empleado | código empleado | código de empleado | legajo | número de nómina |
            matrícula | nº de socio | nº socio | número de socio | nº alumno | número de alumno | id alumno |
            expediente | nº expediente | número de expediente | 社員番号 | 従業員番号 | 社員ID | 従業員ID | 社員No |
            社員コード | 従業員コード | 職員番号 | 学籍番号 | 生徒番号 | 学生番号 | 会員番号 | 会員ID | matricola |
            codice dipendente | id dipendente | numero dipendente | codice socio | numero socio | numero tessera |
            número do funcionário | id do funcionário | código do funcionário | número mecanográfico | nº de aluno |
            nº sócio | número de sócio | personeelsnummer | medewerkernummer | medewerker-ID | werknemersnummer |
            leerlingnummer | studentnummer | lidnummer | relatiecode | relatienummer | klantnummer | stamnummer | 工号 |
            工號 | 员工编号 | 員工編號 | 员工号 | 员工ID | 員工ID | 职工号 | 人员编号 | 学号 | 學號 | 会员号 |
            会员编号 | 會員編號 | 사번 | 사원번호 | 직원번호 | 직원 ID | 학번 | 회원번호 | табельный номер | таб номер |
            таб № | ID сотрудника | номер сотрудника | код сотрудника | табельний номер | ID працівника |
            ID співробітника | numer pracownika | nr pracownika | ID pracownika | numer ewidencyjny | nr ewidencyjny |
            osobní číslo | číslo zaměstnance | ID zaměstnance | anställningsnummer | anställningsnr | anställnings-ID |
            ansattnummer | ansattnr | ansatt-ID | medarbejdernummer | medarbejdernr | medarbejder-ID |
            henkilöstönumero | henkilönumero | työntekijänumero | sicil no | sicil numarası | personel no |
            personel numarası | çalışan no | çalışan ID | öğrenci no | üye no | الرقم الوظيفي | رقم الموظف |
            رقم الطالب | מספר עובד | מס' עובד | קוד עובד | αριθμός μητρώου | κωδικός υπαλλήλου | κωδικός εργαζομένου |
            törzsszám | dolgozói azonosító | munkavállalói azonosító | ID angajat | cod angajat | număr angajat |
            mã nhân viên | mã NV | mã số nhân viên | mã sinh viên | MSSV | ID karyawan | nomor karyawan |
            nomor induk karyawan | ID pegawai | nomor pegawai | nomor induk pegawai | कर्मचारी आईडी | कर्मचारी संख्या |
            कर्मचारी कोड | รหัสพนักงาน | เลขประจำตัวพนักงาน | รหัสนักศึกษา |
            Mitgl.-Nr. | Mitgl.-Nummer | Pers.-Nummer | Kd.-Nummer | Kundennr. |
            Mitgl.-ID | Mitglieds-ID | Mitarb.-Nr. | Mitarb.-ID | MA-ID | Pers.-ID |
            Kd.-Nr. | Kd.-ID | Kdn.-Nr. | Kunden-ID | Schül.-Nr. | Teiln.-Nr. | Teilnehmernummer | Teilnehmer-Nr |
            Teilnehmer-ID | Matr.-Nr. | Stamm-Nr | empl no | empl number | emp number | emp code | empl code | pers
            number | person no | worker no | mbr no | mbr id | mbr number | mem no | mem id | cust no | cust id |
            cust number | customer no | client no | stud no | stud id | matr | n° adh | n° sal | n° emp | n° étud |
            n° cli | n° membre | num adhérent | num salarié | num étudiant | num client | num matricule | nº emp | nº
            soc | núm socio | núm de socio | núm de empleado | cód empleado | cód socio | código de socio | nº
            cliente | número de cliente | cód cliente | id cliente | id socio | nro socio | nro de socio | nro
            empleado | nro legajo | nro de legajo | nº legajo | n° legajo | n° empleado | n° socio | n° de socio | n°
            matricola | num matricola | n° tessera | nr tessera | cod dipendente | cod dip | nº func | nº funcionário
            | cód funcionário | personeelsnr | medew.nr | medewerkernr | lidnr | leerlingnr | studentnr | klantnr |
            relatienr | werknemersnr | stamnr | anst.nr | medlemsnr | medlemsnummer | medlems-ID | kundnr |
            kundnummer | medl.nr | medarb.nr | kundenr | kundenummer | elevnr | jäsennumero | jäsennro | hlönro |
            henkilönro | asiakasnumero | asiakasnro | nr prac | nr czł | nr członkowski | numer członkowski | nr
            klienta | numer klienta | nr albumu | os. č. | č. zam. | číslo člena | číslo zákazníka | № сотрудника |
            табельный № | номер клиента | sic no | müşteri no | üye numarası
            """,
            """
            external id | object id | immutable id | global id | unique id | guid | uuid
            """,
            """
            id | identifier | Kennung | Kennnummer | identifiant | identificador | código | 管理番号 |
            identificatore | code | 编号 | 編號 | идентификатор | ідентифікатор | identyfikator | identifikátor |
            azonosító | tunniste
            """,
        ),
        Meaning.LOGIN: (
            """
            username | login | login name | logon name | sam account name | account name | screen name | handle |
            Benutzername | Anmeldename | Nutzername | Kürzel | nom d'utilisateur | identifiant de connexion |
            nombre de usuario | usuario | ユーザー名 | ユーザ名 | ログインID | ログイン名 | nome utente |
            nome de usuário | nome de utilizador | gebruikersnaam | inlognaam | 用户名 | 用戶名 | 登录名 | 账号 | 帳號 |
            使用者名稱 | 아이디 | 사용자 이름 | логин | имя пользователя | логін | ім'я користувача |
            nazwa użytkownika | uživatelské jméno | användarnamn | brukernavn | brugernavn | käyttäjätunnus |
            kullanıcı adı | اسم المستخدم | שם משתמש | όνομα χρήστη | felhasználónév | nume de utilizator |
            nume utilizator | tên đăng nhập | nama pengguna | ชื่อผู้ใช้
            """,
            """
            user principal name | upn | mail nickname | alias | usrid | bname
            """,
        ),
        Meaning.EMAIL: (
            """
            work email | email | e-mail | mail | email address | email addr | mail address | primary email |
            email work | email - work | primary work email | work email address | user email | best email |
            E-Mail-Adresse | Mailadresse | E-Mail dienstlich | E-Mail geschäftlich | dienstliche E-Mail |
            geschäftliche E-Mail | E-Mail (Arbeit) | courriel | adresse e-mail | adresse mail | adresse électronique |
            mél | e-mail professionnel | courriel professionnel | mail pro | adresse de courriel | correo |
            correo electrónico | correo corporativo | correo empresa | email corporativo | dirección de correo |
            メール | メールアドレス | Eメール | Eメールアドレス | 電子メール | 電子メールアドレス | 社用メール |
            会社メールアドレス | posta elettronica | indirizzo email | e-mailadres | endereço de e-mail |
            correio eletrónico | 邮箱 | 郵箱 | 电子邮箱 | 電子郵箱 | 电子邮件 | 電子郵件 | 邮件 | 邮箱地址 |
            电子邮件地址 | 電子郵件地址 | 信箱 | 公司邮箱 | 工作邮箱 | 이메일 | 이메일 주소 | 메일 | 전자우편 |
            почта | электронная почта | эл почта | рабочая почта | корпоративная почта | адрес электронной почты |
            имейл | пошта | електронна пошта | ел пошта | електронна адреса | adres e-mail | adres mailowy |
            poczta elektroniczna | e-mailová adresa | e-post | e-postadress | e-postadresse | sähköposti |
            sähköpostiosoite | e-posta | e-posta adresi | البريد الإلكتروني | الإيميل | דוא"ל | דואר אלקטרוני |
            אימייל | מייל | כתובת מייל | כתובת דוא"ל | ηλεκτρονικό ταχυδρομείο | διεύθυνση email | e-mail cím |
            adresă de e-mail | adresă e-mail | thư điện tử | địa chỉ email | surel | alamat email | ईमेल | ईमेल पता |
            อีเมล
            """,
            """
            usrid long | smtp addr | home email | email home | email primary home | email personal | personal email |
            private email | second email | secondary email | other email |
            recovery email | alternate email | other mails | E-Mail privat | private E-Mail | e-mail personnel |
            courriel personnel | correo personal | email personal | 個人メール | 個人メールアドレス | other emails |
            home secondary email | work secondary email | alternate email address
            """,
        ),
        Meaning.NAME: (
            """
            display name | full name | name | formatted name | common name | real name | complete name |
            employee name | worker | worker name | student name | member name | person name | legal name |
            preferred full name | ename | cname | name text | default full name | employee/app name |
            name of employee or applicant | Name Mitarbeiter/Bewerber | preferred name in general display format |
            legal name in general display format | first and last name | first name last name | name full |
            Anzeigename |
            vollständiger Name | Vor- und Nachname | Name, Vorname | Vorname Nachname | Mitarbeiter |
            Mitarbeitername | Mitglied | Schüler | Schülername | nom complet | nom et prénom | nom prénom |
            prénom et nom | prénom nom | nom d'affichage | nom affiché | nombre completo | nombre y apellidos |
            nombre y apellido | apellidos y nombre | nombre para mostrar | 氏名 | 名前 | お名前 | 表示名 | 社員名 |
            従業員名 | 生徒氏名 | 会員名 | nome completo | nome e cognome | cognome e nome | nome visualizzato |
            nome para exibição | volledige naam | weergavenaam | naam | nombre | nome | 姓名 | 全名 | 员工姓名 |
            員工姓名 | 显示名称 | 顯示名稱 | 이름 | 성명 | 성함 | ФИО | имя | полное имя | фамилия имя |
            фамилия имя отчество | фамилия и имя | имя и фамилия | сотрудник | ПІБ | ім'я | повне ім'я |
            ім'я та прізвище | прізвище та ім'я | прізвище ім'я | imię i nazwisko | nazwisko i imię | jméno |
            jméno a příjmení | příjmení a jméno | celé jméno | namn | fullständigt namn | navn | fullt navn |
            fulde navn | nimi | koko nimi | ad soyad | adı soyadı | isim | isim soyisim | الاسم | الاسم الكامل |
            اسم الموظف | שם | שם מלא | όνομα | ονοματεπώνυμο | név | teljes név | nume | nume și prenume |
            nume complet | họ và tên | họ tên | tên đầy đủ | tên hiển thị | nama | nama lengkap | नाम | पूरा नाम |
            ชื่อ | ชื่อ-นามสกุล | ชื่อ-สกุล
            """,
            """
            nickname | nick | nick name | ニックネーム | Spitzname | pseudo | apodo | soprannome | apelido | bijnaam |
            custom name | 昵称 | 暱稱 | 닉네임 | ชื่อเล่น | tên
            """,
            """
            employee | employees | team member | staff member | staff | colleague | member | student | pupil | person |
            associate | participant | Kollege | Kollegin | Angestellter | Beschäftigter | Teammitglied | Person |
            Teilnehmer | salarié | salariée | collaborateur | collaboratrice | employé | employée | élève | membre |
            adhérent | agent | empleado | empleada | trabajador | colaborador | alumno | socio | miembro | persona |
            dipendente | collaboratore | lavoratore | membro | funcionário | aluno | sócio | medewerker | werknemer |
            collega | lid | leerling | 社員 | 従業員 | 生徒 | 会員 | 员工 | 員工 | 직원 | 사원 | pracownik |
            zaměstnanec | працівник | співробітник | anställd | ansatt | medarbejder | työntekijä | çalışan | personel
            """,
        ),
        Meaning.FIRST: (
            """
            first name | given name | firstname | forename | fname | legal first name | legal name - first name |
            name first | christian name | vorna | Vorname | Vornamen | prénom | prénoms | nombre de pila |
            primer nombre |
            nombres | 名 | ファーストネーム | nome proprio | primeiro nome | voornaam | imię | křestní jméno | förnamn |
            fornavn | etunimi | الاسم الأول | שם פרטי | keresztnév | utónév | prenume | nama depan | पहला नाम |
            प्रथम नाम | ชื่อจริง
            """,
            """
            ad | adı
            """,
        ),
        Meaning.LAST: (
            """
            last name | surname | family name | lastname | lname | sur name | legal last name |
            legal name - last name | preferred last name | preferred name - last name | name last | nachn | sn |
            Nachname | Familienname | Zuname | nom | nom de famille |
            nom d'usage | apellido | apellidos | primer apellido | 姓 | 氏 | 苗字 | 名字 | ラストネーム | cognome |
            sobrenome | último nome | achternaam | familienaam | 성 | фамилия | прізвище | nazwisko | příjmení |
            efternamn | etternavn | efternavn | sukunimi | soyad | soyadı | soyisim | اسم العائلة | الاسم الأخير |
            שם משפחה | επώνυμο | επίθετο | vezetéknév | családnév | nume de familie | họ đệm | họ và tên đệm |
            nama belakang | उपनाम | अंतिम नाम | कुलनाम | นามสกุล
            """,
            """
            họ
            """,
        ),
        Meaning.PREFERRED: (
            """
            preferred first name | preferred name - first name | rufnm | preferred name | known as | goes by |
            chosen name |
            Rufname | prénom usuel | prénom d'usage | nombre preferido | 通称 | roepnaam | nome preferito
            """,
        ),
        Meaning.MIDDLE: (
            """
            middle name | middle initial | initials | mi | midnm | inits | nach2 | anred | anrex | honorific prefix |
            honorific suffix | prefix | suffix |
            salutation | Anrede | Titel (akad.) | akademischer Titel | Namenszusatz | segundo nombre |
            segundo apellido | deuxième prénom | civilité | tratamiento | ミドルネーム | secondo nome | nome do meio |
            敬称 | middlename | отчество | по батькові | drugie imię |
            tên đệm
            """,
        ),
        Meaning.INFIX: (
            """
            tussenvoegsel | tussenvoegsels | voorvoegsel | voorvoegsels | surname prefix | last name prefix | vorsw |
            Vorsatzwort | Namensvorsatz
            """,
        ),
        Meaning.READING: (
            """
            フリガナ | ふりがな | カナ | 氏名カナ | 氏名フリガナ | 氏名ふりがな | カナ氏名 | 姓カナ | 名カナ | セイ |
            メイ | 姓フリガナ | 名フリガナ | ローマ字氏名 | 氏名ローマ字 | sort name | sortname | last first |
            full name last first | sorting name | sname
            """,
        ),
        Meaning.PHONE: (
            """
            mobile phone | mobile | mobile number | mobile no | cell phone | cell | phone | phone number | telephone |
            telephone number | phone no | tel | work phone | primary phone | business phone | business phones |
            biz phone | office phone | phone mobile | telnr | telnr long | tel number | mob number |
            contact number | Handy | Handynummer | Mobil | Mobilnummer | Mobiltelefon | Telefon | Telefonnummer |
            Tel.-Nr. | Rufnummer | Telefon dienstlich | Telefon mobil | téléphone | tél | téléphone portable |
            tél portable | portable | numéro de téléphone | téléphone mobile | tél mobile | teléfono | móvil |
            celular | teléfono móvil | número de teléfono | teléfono celular | 携帯電話 | 携帯電話番号 | 携帯番号 |
            携帯 | 電話番号 | 電話 | cellulare | telefono | telefono cellulare | telemóvel | telefone | mobiel |
            mobiel nummer | telefoon | telefoonnummer | gsm | recovery phone | 手机 | 手機 | 手机号 | 手机号码 |
            手機號碼 | 电话 | 电话号码 | 電話號碼 | 联系电话 | 聯絡電話 | 移动电话 | 전화번호 | 전화 | 휴대폰 |
            휴대폰번호 | 휴대전화 | 핸드폰 | 연락처 | телефон | мобильный телефон | мобильный | номер телефона |
            мобільний телефон | мобільний | номер телефону | numer telefonu | nr telefonu | telefon komórkowy |
            telefonní číslo | mobilní telefon | puhelin | puhelinnumero | matkapuhelin | telefon no | telefon numarası |
            cep telefonu | الهاتف | رقم الهاتف | الجوال | رقم الجوال | الموبايل | رقم الموبايل | טלפון | נייד |
            טלפון נייד | מספר טלפון | τηλέφωνο | κινητό | κινητό τηλέφωνο | telefonszám | mobilszám | număr de telefon |
            số điện thoại | điện thoại | SĐT | telepon | nomor telepon | no telepon | nomor HP | no HP | फ़ोन |
            फ़ोन नंबर | मोबाइल | मोबाइल नंबर | โทรศัพท์ | เบอร์โทร | เบอร์โทรศัพท์ | มือถือ
            """,
            """
            home phone | phone home | phone primary home | phone personal | telf2 | private phone | work telephone |
            other phone | Telefon privat | teléfono fijo |
            téléphone fixe | téléphone domicile | 自宅電話 | 自宅電話番号
            """,
        ),
        Meaning.AVATAR: (
            """
            avatar | avatar url | photo | photo url | photourl | picture | picture url | image | image url | img |
            img url | profile image | profile image url | profile picture | profile picture url | profile photo |
            profile photo url | thumbnail | thumbnail photo | thumbnail photo url | headshot | icon url | photograph |
            Foto | Foto-URL | Bild | Bild-URL | Profilbild | Passbild | photo de profil | url photo | lien photo |
            imagen | foto de perfil | fotografía | url foto | 写真 | 画像 | 顔写真 | 写真URL | 画像URL | アイコン |
            プロフィール画像 | immagine | foto profilo | profielfoto | pasfoto | 头像 | 頭像 | 照片 | 相片 | 사진 |
            프로필 사진 | фото | фотография | фотографія | аватар | zdjęcie | zdjęcie profilowe | fotografie | fotka |
            profilbilde | bilde | billede | profilbillede | kuva | valokuva | profiilikuva | fotoğraf | resim |
            profil fotoğrafı | profil resmi | الصورة | صورة | الصورة الشخصية | תמונה | תמונת פרופיל | φωτογραφία |
            fénykép | profilkép | poză | ảnh | hình ảnh | ảnh đại diện | foto profil | फ़ोटो | तस्वीर | รูปภาพ |
            รูปถ่าย | รูปโปรไฟล์
            """,
        ),
        Meaning.PAGE: (
            """
            profile url | profile link | profile page | user url | html url | Profil-URL | Profilseite |
            url du profil | プロフィールURL
            """,
        ),
        Meaning.STATUS: (STATUSES,),
        Meaning.BOT: ("is bot | bot | ist Bot | is service account | service account",),
        Meaning.SECRET: (SECRETS,),
        Meaning.POSITION: (
            """
            # | no | nr | n | num | number | Nummer | numéro | número | numero | nummer | 番号
            """,
            """
            row | line | index | pos | lfd. Nr. | laufende Nummer | s no | sr no | sl no | 通番 | 項番 | nº orden |
            n° ordre | unnamed 0 | volgnummer | 序号 | 序號 | № п/п | STT | ลำดับ
            """,
        ),
    }
)
"""Meaning → its words, separated by `|`, in groups of the same worth; the first group is the best."""
