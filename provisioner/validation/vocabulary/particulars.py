"""What is known of a person besides: words for columns, as in `synonyms`; none of it tells people apart or names them.

PROFILE   key of the metadata → words; everybody in the app would see it, so it is only suggested
SECRETS   what is never to be sent: passwords, official and bank numbers, pay, and what is as private
STATUSES  what says who is active, or has left, and from when on
"""

# ruff: noqa: RUF001 - words, in the letters that they are written with

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFILE: Mapping[str, str] = MappingProxyType(
    {
        "department": """
        department | dept | department name | division | org unit path | organizational unit | cost center name |
        orgtx |
        supervisory organization | Abteilung | Bereich | service | département | direction | departamento | área |
        部署 | 所属 | 所属部署 | 部門 | reparto | ufficio | setor | afdeling | 部门 | 所属部门 | 부서 | 부서명 | отдел |
        подразделение | департамент | відділ | підрозділ | dział | oddělení | avdelning | avdeling | osasto |
        departman | bölüm | birim | القسم | الإدارة | מחלקה | τμήμα | osztály | departament | phòng ban | bộ phận |
        departemen | divisi | विभाग | แผนก | ฝ่าย
        """,
        "title": """
        plstx | stltx | title | job title | business title | job | job role | position | position title |
        employee title |
        occupation | Position | Funktion | Stelle | Stellenbezeichnung | Berufsbezeichnung | poste | fonction |
        intitulé du poste | puesto | cargo | 役職 | 職位 | 肩書 | mansione | ruolo | função | functie | 职位 | 岗位 |
        职务 | 職務 | 职称 | 職稱 | 직급 | 직위 | 직책 | должность | посада | stanowisko | pozice | befattning |
        stilling | tehtävänimike | unvan | görev | pozisyon | المسمى الوظيفي | الوظيفة | المنصب | תפקיד |
        θέση εργασίας | beosztás | munkakör | chức vụ | chức danh | jabatan | posisi | पदनाम | ตำแหน่ง
        """,
        "company": """
        company | company name | organization | organisation | employer | Firma | Unternehmen | société | entreprise |
        empresa | 会社 | 会社名 | azienda | bedrijf | 公司 | 公司名称 | 회사 | компания | организация | компанія |
        företag | yritys | şirket | الشركة | חברה | εταιρεία | cég | công ty | perusahaan | บริษัท
        """,
        "location": """
        pbtxt | btrtx | location | office | office location | site | workplace | work location | building | Standort |
        Niederlassung |
        lieu | site de travail | centro | centro de trabajo | sede | 勤務地 | 拠点 | locatie | vestiging
        """,
        "team": """
        team | group | groups | squad | Mannschaft | Gruppe | Sparte | équipe | groupe | equipo | grupo | チーム |
        班 | squadra | equipa | groep | teams | 团队 | 團隊 | 小组 | 팀 | команда | группа | група | zespół | tým |
        tiimi | takım | ekip | الفريق | צוות | ομάδα | csapat | nhóm | ทีม
        """,
        "class": """
        class | grade | year group | form | homeroom | course | Klasse | Jahrgang | Stufe | classe | niveau | curso |
        clase | grupo clase | クラス | 学年 | 組 | 学級 | turma | klas | leerjaar | 班级 | 班級 | 年级 | 年級 | 학년 |
        класс | клас | klasa | třída | luokka | sınıf | الصف | כיתה | τάξη | lớp | kelas | ชั้นเรียน
        """,
        "language": """
        language | locale | preferred language | Sprache | langue | idioma | 言語 | lingua | taal
        """,
    }
)
"""Key of the metadata → the words of columns that it can be made of."""

SECRETS: str = """
    gbdat | perid | bankn | bankl | ansal | konfe | famst | password | password hash | passwordhash | hash | salt |
    password salt | pwd | pass | pin | access token | token |
    auth token | refresh token | session token | api key | secret | security question | security answer |
    recovery codes | Passwort | Kennwort | mot de passe | contraseña | パスワード | senha | wachtwoord |
    password hash function | new password | ssn | social security number | national id | national insurance number |
    tax id | passport number | Sozialversicherungsnummer | SV-Nummer | Steuer-ID | Steuernummer | IBAN | BIC |
    Kontonummer | bank account | numéro de sécurité sociale | n° sécurité sociale | NIR | RIB | DNI | NIF | NIE |
    CURP | RFC | CPF | codice fiscale | BSN | burgerservicenummer | マイナンバー | 個人番号 | 口座番号 |
    número de la seguridad social | nº seguridad social | salary | Gehalt | salaire | salario | 給与 | 密码 | 密碼 |
    身份证号 | 身份证号码 | 身分證字號 | 비밀번호 | 주민등록번호 | пароль | паспорт | СНИЛС | ИНН | hasło | PESEL |
    heslo | rodné číslo | lösenord | personnummer | passord | fødselsnummer | adgangskode | CPR-nummer | salasana |
    henkilötunnus | şifre | parola | TC kimlik no | كلمة المرور | كلمة السر | رقم الهوية | סיסמה | סיסמא |
    תעודת זהות | ת.ז. | κωδικός πρόσβασης | ΑΦΜ | ΑΜΚΑ | jelszó | CNP | mật khẩu | CCCD | CMND | kata sandi |
    पासवर्ड | รหัสผ่าน | เลขบัตรประชาชน | เลขประจำตัวประชาชน | passwd | pw | passcode | passphrase | passwort neu |
    mdp | code secret | clave | clave de acceso | initial pw | 暗証番号 | 口令 | passport | passport no | ni number |
    ni no | national insurance no | nino | social insurance number | insurance number | insurance no |
    health insurance number | medicare number | nhs number | taxpayer id | tax number | tax no | national id number |
    identity card number | driving licence number | driver license number | driver's license number | aadhaar |
    aadhaar number | aadhar | pan number | pan no | credit card | credit card number | cvv | bank details |
    bank account number | bank account no | routing number | sort code | swift | ifsc | wage | pay | pay rate |
    hourly rate | compensation | income | payslip | date of birth | dob | birth date | birthdate | birthday |
    religion | ethnicity | marital status | disability | Sozialversicherungs-Nr | SV-Nr | Versichertennummer |
    Versicherten-Nr | Versicherungsnummer | Versicherungs-Nr | KV-Nummer | KV-Nr | RV-Nummer | RVNR | AHV-Nummer |
    AHV-Nr | Krankenkasse | Steuer-Nr | Steueridentifikationsnummer | Steuerklasse | Personalausweisnummer |
    Personalausweis | Reisepassnummer | Reisepass | Bankverbindung | Bankdaten | Konto-Nr | BLZ | Bankleitzahl |
    Lohn | Bruttolohn | Nettolohn | Stundenlohn | Monatslohn | Vergütung | Entgelt | Geburtsdatum | Geburtstag |
    Geb.-Datum | Geb.-Dat. | geb. am | geboren am | Konfession | Familienstand | Schwerbehinderung |
    sécurité sociale | n° sécu | numéro de sécu | n° INSEE | n° SS | NSS | numéro fiscal | carte d'identité |
    passeport | n° passeport | coordonnées bancaires | compte bancaire | rémunération | paie | date de naissance |
    naissance | né le | née le | né(e) le | situation familiale | seguridad social | nº afiliación | pasaporte |
    nº pasaporte | CUIL | CUIT | RUT | cédula | cédula de identidad | cuenta bancaria | número de cuenta |
    nº de cuenta | CLABE | CBU | sueldo | remuneración | fecha de nacimiento | fecha nacimiento | fecha nac |
    nacimiento | cumpleaños | estado civil | stipendio | retribuzione | conto corrente | conto bancario |
    coordinate bancarie | tessera sanitaria | passaporto | data di nascita | data nascita | nato il |
    segurança social | NISS | RG | passaporte | conta bancária | NIB | ordenado | vencimento | remuneração |
    data de nascimento | nascimento | rijksregisternummer | sofinummer | paspoortnummer | bankrekening |
    rekeningnummer | salaris | loon | geboortedatum | 生年月日 | 誕生日 | 保険証番号 | 保険者番号 | 被保険者番号 |
    健康保険番号 | 雇用保険番号 | 基礎年金番号 | 年金番号 | 銀行口座 | 振込先 | 旅券番号 | パスポート番号 |
    免許証番号 | 給料 | 月給 | 年収 | 基本給 | 賞与 | 時給 | 出生日期 | 生日 | 身份证 | 身份證 | 身分證 |
    身份證號碼 | 社保号 | 社会保障号 | 护照 | 护照号 | 护照号码 | 護照號碼 | 银行卡号 | 银行账号 | 银行账户 |
    銀行帳號 | 工资 | 工資 | 薪资 | 薪資 | 薪水 | 주민번호 | 여권번호 | 건강보험번호 | 계좌번호 | 은행계좌 | 급여 |
    연봉 | 월급 | 생년월일 | 생일 | номер паспорта | паспортные данные | серия и номер паспорта | полис | полис ОМС |
    номер счета | расчетный счет | банковский счет | зарплата | заработная плата | оклад | дата рождения |
    день рождения | ІПН | РНОКПП | номер рахунку | банківський рахунок | заробітна плата | дата народження |
    день народження | NIP | nr dowodu | numer dowodu | nr paszportu | numer paszportu | nr konta | numer konta |
    rachunek bankowy | wynagrodzenie | pensja | płaca | data urodzenia | číslo pojištěnce | číslo pasu | číslo účtu |
    bankovní účet | mzda | plat | datum narození | kontonummer | bankkonto | lön | födelsedatum | födelsedag |
    fødselsdato | fødselsdag | lønn | løn | CPR | CPR-nr | sosiaaliturvatunnus | hetu | tilinumero | palkka |
    syntymäaika | syntymäpäivä | TC no | TCKN | TC kimlik numarası | kimlik no | kimlik numarası | SGK no |
    SGK sicil no | pasaport no | hesap no | hesap numarası | banka hesabı | maaş | ücret | doğum tarihi |
    الرقم القومي | رقم الإقامة | رقم جواز السفر | جواز السفر | رقم التأمين | رقم الحساب | الحساب البنكي | الراتب |
    راتب | تاريخ الميلاد | מספר זהות | מס' זהות | דרכון | מספר דרכון | מספר חשבון | חשבון בנק | שכר | משכורת |
    תאריך לידה | αριθμός ταυτότητας | ΑΔΤ | αριθμός διαβατηρίου | αριθμός λογαριασμού | μισθός |
    ημερομηνία γέννησης | TAJ | TAJ szám | személyi szám | személyi igazolvány szám | útlevélszám | adószám |
    adóazonosító | adóazonosító jel | bankszámlaszám | számlaszám | fizetés | bér | születési dátum | születési idő |
    cont bancar | salariu | data nașterii | số CCCD | số CMND | số BHXH | mã BHXH | mã số thuế | số hộ chiếu |
    số tài khoản | lương | mức lương | ngày sinh | NIK | KTP | no KTP | nomor KTP | NPWP | BPJS | no BPJS |
    no rekening | nomor rekening | gaji | tanggal lahir | tgl lahir | आधार | आधार संख्या | पैन | बैंक खाता |
    खाता संख्या | वेतन | जन्म तिथि | जन्म दिनांक | เลขประกันสังคม | เลขหนังสือเดินทาง | เลขที่บัญชี | เลขบัญชี |
    บัญชีธนาคาร | เงินเดือน | วันเกิด | วันเดือนปีเกิด
    """
"""Words, separated by `|`."""

STATUSES: str = """
    status | user status | account status | employment status | worker status | employee status | stat2 |
    member status | account enabled | enabled | active | active status | is active | disabled | is disabled |
    suspended | blocked | banned | locked | deactivated | is deactivated | deactivated at | deleted | is deleted |
    deleted at | archived | terminated | termination date | end date | last day | last day of work | leave date |
    exit date | contract end | Beschäftigungsstatus | Mitgliedsstatus | aktiv | gesperrt | Austritt |
    Austrittsdatum | ausgetreten am | Kündigungsdatum | statut | actif | état | date de sortie | date de départ |
    date de fin | estado | activo | fecha de baja | baja | situación | situación laboral | 在籍状況 | 在職区分 |
    在籍区分 | 退職日 | 退会日 | ステータス | 状態 | 有効 | stato | attivo | data cessazione | ativo | situação |
    data de desligamento | actief | uit dienst | datum uit dienst | einddatum | block user | soft deleted |
    softdeleted | 退職年月日 | 状态 | 狀態 | 在职状态 | 상태 | 재직상태 | статус | durum | الحالة | סטטוס |
    κατάσταση | trạng thái | สถานะ | user account control | block credential | block sign in | inactive | leaver |
    withdrawn | resigned | offboarded | deprovisioned | last working day | last day worked | leaving date |
    date left | separation date | resignation date | contract end date | employment end date | lifecycle status |
    inaktiv | deaktiviert | gelöscht | archiviert | ausgeschieden | ausgetreten | Ausscheidedatum |
    letzter Arbeitstag | Vertragsende | inactif | désactivé | bloqué | suspendu | supprimé | fin de contrat |
    date départ | inactivo | bloqueado | desactivado | suspendido | deshabilitado | habilitado | estado laboral |
    fecha de salida | fecha salida | fecha baja | fecha de cese | fin de contrato | inativo | desativado |
    data de saída | data de demissão | inattivo | disattivato | bloccato | sospeso | data fine rapporto |
    data di cessazione | inactief | geblokkeerd | gedeactiveerd | laatste werkdag | aktywny | nieaktywny |
    zablokowany | data zwolnienia | status zatrudnienia | aktivní | neaktivní | activ | inactiv | spärrad |
    sperret | spærret | slutdatum | sluttdato | fratrædelsesdato | aktif | pasif | активен | заблокирован | уволен |
    дата увольнения | дата звільнення | 在籍フラグ | 退職フラグ | 無効 | 無効フラグ | 有効フラグ | 削除フラグ |
    利用停止 | 最終出勤日 | 离职日期 | 離職日期 | 是否在职 | 启用 | 是否启用 | 停用 | 禁用 | 퇴사일 | 퇴직일 |
    재직여부
    """
"""Words, separated by `|`."""
