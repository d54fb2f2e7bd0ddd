"""In which encoding a text is: the right one is the likeliest, or others are as likely."""

from __future__ import annotations

import pytest

from provisioner.roster.encodings.alphabets import differing, is_ordinary, likely, rivals

WESTERN, CENTRAL, CYRILLIC = ("cp1252", "cp850", "mac_roman"), ("cp1250", "iso8859_2"), ("cp1251", "koi8_r", "cp866")
NAMES = {
    "Wiśniewska Małgorzata,Zieliński Paweł,Mróz Marek,Wójcik Żaneta": CENTRAL,
    "Marek Mróz,Jan Łoś": CENTRAL,
    "Tomáš Dvořák,Jiří Novák,Šimon Čech,Zdeněk Růžička": CENTRAL,
    "Győr,Erdős Pál,Kovács Győző,Nagy Ödön,Szűcs Ágnes": CENTRAL,
    "Ştefan Ionescu,Ioana Brătianu,Mihăilă Gheorghe": CENTRAL,
    "Ayşe Yılmaz,Doğan İpek,Çağlar Öztürk": ("cp1254",),  # noqa: RUF001
    "Jānis Bērziņš,Kārlis Ļaudams": ("cp1257",),
    "Žydrūnė Šimkutė,Rūta Kazlauskienė": ("cp1257",),
    "Hélène Lefèvre,François Gélin,Zoë Noël,Benoît Forêt": WESTERN,
    "Cœur Œdipe,Gaëlle Préfontaine": ("cp1252", "iso8859_15", "mac_roman"),
    "Müller Jürgen,Groß Jörg,Schäfer Käthe": WESTERN,
    "João Conceição,Gonçalves Inês,Simões António": WESTERN,
    "Åsa Öberg,Björn Sjöström,Håkan Lindqvist": WESTERN,
    "Zoë Müller,José Núñez,Søren Ødegård,François Lefèvre,João Simões": WESTERN,
    "Анна Иванова,Борис Мельник,Щербакова Ольга": CYRILLIC,
    "Ελένη Παπαδάκη,Νίκος Γιώργος": ("cp1253",),
    "דוד כהן,נועה לוי,משה": ("cp1255",),
    "محمد علي,فاطمة,أمينة منصور": ("cp1256",),
    "王小明,李雷,张伟,欧阳娜娜": ("gbk",),
    "王小明,陳美玲,林志豪": ("big5",),
    "山田太郎,鈴木一郎,佐藤さくら": ("cp932", "euc_jp"),
    "山田太郎,鈴木一郎,木村拓哉,田中美咲,高橋健一,渡辺直美": ("cp932", "euc_jp"),
    "김철수,이영희,박지성": ("cp949",),
    "Jüri Õunapuu,Külli Mägi,Tõnu Põder,Märt Sõber": ("cp1252", "iso8859_15"),
    "Michał Wójcik,Jan Łoś,Paweł Zieliński": (*CENTRAL, "cp852"),
    "Юлія Шевченко,Сергій Мельник": ("cp1251", "koi8_u", "mac_cyrillic"),
    "Анна Иванова,Иван Петров": (*CYRILLIC, "iso8859_5", "mac_cyrillic"),
}


def listed(names: str) -> str:
    return "uid;name\n" + "".join(f"a{at};{name}\n" for at, name in enumerate(names.split(",")))


@pytest.mark.parametrize(("names", "encoding"), [(names, each) for names, all_ in NAMES.items() for each in all_])
def test_a_list_of_names_reads_best_as_it_was_written(names: str, encoding: str) -> None:
    """And in nothing else as well."""
    best, *others = likely(listed(names).encode(encoding))
    assert best.cells == tuple(cell for cell in names.split(",") if not cell.isascii())
    assert not any(other.is_as_likely(best) for other in others)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ("Zoë", "cp1252"),
        ("Hélène Lefèvre", "cp1252"),
        ("Pál Erdős", "cp1250"),
        ("Zoë", "cp850"),
    ],
)
def test_what_is_as_likely_as_the_likeliest_is_told(names: str, encoding: str) -> None:
    """The right one is among them."""
    data = listed(names).encode(encoding)
    best, *others = likely(data)
    tied = [best, *(other for other in others if other.is_as_likely(best))]
    assert len(tied) > 1
    assert tuple(names.split(",")) in [each.cells for each in tied]


def test_encodings_in_which_a_text_reads_alike_are_one() -> None:
    """The commonest of them."""
    assert [each.encoding for each in likely("Marek Mróz\n".encode("cp1250"))][:1] == ["cp1252"]


def test_the_cell_is_given_that_tells_readings_apart() -> None:
    """Not one that reads alike in both."""
    data = "1;Mróz;Marek\n2;Łoś;Jan\n".encode("cp1250")
    readings = {each.encoding: each for each in likely(data)}
    assert differing([readings["cp1250"], readings["cp1252"]]) == ("Łoś", "£oœ")


@pytest.mark.parametrize(
    "names",
    [
        "Zoë",
        "Hélène",
        "João,Inês Mourão",
        "Niccolò,Nardò",
        "Åsa,Håkan",
        "Peña",
        "Loïc",
        "Simões",
        "Håkan,Óscar",
        "Élodie,Loïc,Nardò",
    ],
)
def test_the_commonest_encoding_is_right_where_a_rarer_one_is_as_likely(names: str) -> None:
    """It reads there as it would be written."""
    first, tied = rivals((found := likely(listed(names).encode("cp1252")))[0], found[1:])
    assert (first.cells, bool(tied), is_ordinary(first)) == (tuple(names.split(",")), True, True)


@pytest.mark.parametrize(
    ("names", "encoding"),
    [
        ("Eva Dvořáková,Jan Novák", "cp1250"),
        ("Lukáš Novák", "iso8859_2"),
        ("Soňa Nagy", "cp1250"),
        ("Björn Göbel", "mac_roman"),
        ("Kovács Győző", "cp1250"),
        ("Ayşe,Yılmaz,Doğan", "cp1254"),  # noqa: RUF001
        ("Kārlis,Ļaudams", "cp1257"),
    ],
)
def test_the_commonest_encoding_is_not_taken_where_it_reads_oddly(names: str, encoding: str) -> None:
    """The right one is among those that are as likely, or the likeliest."""
    first, tied = rivals((found := likely(listed(names).encode(encoding)))[0], found[1:])
    assert not is_ordinary(first)
    assert tuple(names.split(",")) in [each.cells for each in (first, *tied)]


def test_greek_of_either_encoding_reads_well() -> None:
    """A capital with an accent is a sign in the other one."""
    for encoding in ("cp1253", "iso8859_7"):
        assert likely(listed("Άννα,Μαρία").encode(encoding))[0].cells == ("Άννα", "Μαρία")
