"""What is known of a person besides: one table, key of the metadata → words for columns, as in `synonyms`.

Nothing of it tells people apart or names them; everybody in the app would see it, so it is only suggested.
"""

# ruff: noqa: RUF001 - words, in the letters that they are written with

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFILE: Mapping[str, str] = MappingProxyType(
    {
        "department": """
        department | dept | department name | division | org unit path | organizational unit | cost center name |
        supervisory organization | Abteilung | Bereich | service | département | direction | departamento | área |
        部署 | 所属 | 所属部署 | 部門 | reparto | ufficio | setor | afdeling | 部门 | 所属部门 | 부서 | 부서명 | отдел |
        подразделение | департамент | відділ | підрозділ | dział | oddělení | avdelning | avdeling | osasto |
        departman | bölüm | birim | القسم | الإدارة | מחלקה | τμήμα | osztály | departament | phòng ban | bộ phận |
        departemen | divisi | विभाग | แผนก | ฝ่าย
        """,
        "title": """
        title | job title | business title | job | job role | position | position title | employee title |
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
        location | office | office location | site | workplace | work location | building | Standort | Niederlassung |
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
