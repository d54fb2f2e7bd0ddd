"""The letters of languages, and which languages an encoding was made for: those whose letters it has.

    cp1250    Polish, Czech, Hungarian, … and German as well
    cp1252    French, Spanish, … and Estonian, with \u0161 and \u017e

Of the signs of China, Japan and Korea those are here that are common in names; a name may hold rarer ones.
"""

from __future__ import annotations

from functools import cache
from typing import Final

_LATIN: Final = (
    "äöüß", "äåöéæø", "ëéèêïöü", "éèêëàâçæîïôûùÿ", "éèêëàâçæœîïôûùÿ", "ñáéíóúü", "áàâãçéêíóôõú", "àèéìíòóùú",
    "áæéíóöúýþð", "ëç", "äõöüšž",
    "áčďéěíňóřšťúůýž", "áäčďéíĺľňóôŕšťúýž", "ąćęłńóśźż", "áéíóöőúüű", "ăâîşţ", "čćđšž",
    "āčēģīķļņšūž", "ąčęėįšųūž", "çğıöşüâîû",
)  # fmt: skip
_VIETNAMESE: Final = ("àáâèéêíóôùúăđơư",)
_CHINESE: Final = (
    ("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范"
    "方石姚谭廖邹熊金陆郝孔白崔康毛邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平"
    "刚桂红玉萍华建国志海燕春晓东波宁佳欣怡雪梅琳慧婷玲珍倩颖莹洁莉鹏飞斌峰辉宇浩博轩子涵俊鑫帆凯旭晨阳天翔云宏成福生永德安祥瑞"
    "嘉琪思雨梦诗若媛丹蕾薇晶莎瑶美凤香爱琴淑清珠翠雅芝雯彤昊泽睿航一然家豪振威光荣良新立达毅诚义仁礼智忠庆亮利鸣坤松柏青山水小"
    "大中正元世少艺可心如意月星晴乐"),
    ("陳林黃張李王吳劉蔡楊許鄭謝郭洪曾邱廖賴周徐蘇葉莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余趙盧梁顏柯翁魏孫戴范方宋鄧杜傅侯曹薛丁馬"
    "蔣唐卓藍馮姚石董紀歐程連古汪湯姜田康鄒白涂尤巫韓龔嚴袁鐘黎金阮陸倪夏童邵柳錢志明家豪俊傑建宏信冠宇承翰柏宗偉彥廷文雄國華淑芬"
    "芳惠美玲麗珍秀英雅婷怡君欣佳穎詩涵宜靜筱慧敏玉蘭鳳月娥春梅素貞瓊瑤雪琴香蓮鈺琪萱瑜珊蓉如心妤子軒品睿恩語晨安宥翔哲瑋誠凱智仁"
    "義勇政嘉銘賢達榮輝耀祥瑞福德正平中山海天大小永昌彬世育"),
)  # fmt: skip
_KANA: Final = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F5)))) + "ー"
_JAPANESE: Final = (
    _KANA
    + "佐藤鈴木高橋田中伊渡辺山本村小林加吉口松井斎清水崎森池阿部石川島前岡長谷後近遠青坂福太西金原三浦野竹内上和酒宮横"
    "武安丸今千菅増久保大塚岩下尾市桜河岸平新星関柴杉服荒黒秋土成戸須永富浅神細工北東南片柳宇都笠堀江牧樋沢澤古矢栗望"
    "月早滝相馬児玉飯奥根場熊倉一郎二子美恵香織智真由紀裕健輔翔拓哉也達人志博之明彦夫雄男正義隆浩司誠治剛直樹英幸秀勝"
    "修進実茂弘康信孝昭光洋介亮優翼陽斗蓮悠結衣愛菜葵凛花桃咲彩奈々七海莉里音穂乃佳代春夏冬雪麻友理絵良典敏勇豊稔文貴"
    "俊敬宏伸仁聡敦史章宗元京助央順晴奏颯湊楓梨",
)  # fmt: skip
_KOREAN: Final = (
    ("김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민진지엄채원천방공현함변염여추도석선설마길연위표명"
    "기반왕금옥육인맹제모탁국은편용철수영희준빈예호경미숙자순재훈상동건태혜아나라승찬규환범창덕종병일형택식열복봉만춘혁균근광무섭웅필학"
    "해헌율의욱"),
)  # fmt: skip
_LANGUAGES: Final = (
    (_LATIN, ("cp1252", "cp1250", "cp1254", "cp1257", "mac_roman", "cp850", "cp852", "iso8859_2", "iso8859_15")),
    (_VIETNAMESE, ("cp1258",)),
    (_CHINESE, ("gbk", "big5")),
    (_JAPANESE, ("cp932", "euc_jp")),
    (_KOREAN, ("cp949",)),
)  # fmt: skip
"""Letters of languages, and the encodings that were made for these or some of them."""

_OF_SIGN: Final = 0.3  # of what a letter counts
_WITH_SIGNS: Final = frozenset(name for _, names in _LANGUAGES[2:] for name in names)


@cache
def alphabets_of(encoding: str) -> tuple[frozenset[str], ...]:
    """Give the letters beyond ASCII of each language that an encoding was made for; none where only words tell."""
    made_for = (each for alphabets, encodings in _LANGUAGES if encoding in encodings for each in alphabets)
    return tuple(frozenset(letters) for letters in made_for if _has(encoding, letters))


def _has(encoding: str, letters: str) -> bool:
    try:
        letters.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def foreign(letters: str, encoding: str) -> float:
    """Give the share of letters that are not of the language of an encoding that has the most of them."""
    alphabets = alphabets_of(encoding)
    fewest = min((sum(letter not in each for letter in letters) for each in alphabets), default=0)
    return fewest / len(letters) * (_OF_SIGN if encoding in _WITH_SIGNS else 1.0)
