"""Words that made-up people are built from: names by how common they are, and today's divisions.

The lists are ours; an earlier place is the more common one. A common name is meant to be common: a city
has many people called 王伟, and one who matches by name alone must fail. Divisions are those in force in
GB/T 2260 as python-stdnum carries it; streets and compounds are invented.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
from pypinyin import lazy_pinyin
from stdnum import numdb

from shouxin.simulation.domain import Floats

FAMILY = (
    *"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任沈姚卢傅钟姜崔谭廖",
    *"范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷黎史龙陶贺顾毛郝龚邵万钱严武",
    "欧阳", "司马", "上官", "诸葛",
)  # fmt: skip
GIVEN = (
    *"伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超霞平刚桂英华玉兰红建国文辉力志海波宇浩轩子梓涵欣怡佳雨晨思琪梦婷雪晓东峰",
    *"鑫鹏飞龙凤春梅玲燕萍慧颖莉琳璐瑶倩薇蕾洁雅诗韵悦乐然俊凯博睿哲宁安康健成诚承程毅义艺亦逸奕翼维薇玮炜卫蔚",
    *"佩珮培晴青清卿庆书淑舒树阳扬杨锦瑾金进静婧景泽则择昊皓豪家嘉加可柯科元媛源圆远月岳越云芸昀",
)
WESTERN_GIVEN = (
    "Anna", "Peter", "Maria", "John", "Sofia", "David", "Elena", "Michael", "Laura", "Thomas", "Julia",
    "Daniel", "Emma", "Martin", "Clara", "Paul", "Nina", "Oscar", "Alice", "Victor", "Hannah", "Leon",
    "Sara", "Hugo", "Irene", "Felix", "Mei Ling", "Jean Marc", "Aiko", "Kenji", "Omar", "Leila",
)  # fmt: skip
WESTERN_FAMILY = (
    "Smith", "Garcia", "Mueller", "Rossi", "Silva", "Martin", "Novak", "Ivanov", "Kim", "Nguyen", "Tanaka",
    "Sato", "Hansen", "Larsson", "Dubois", "Bauer", "Moreno", "Costa", "Weber", "Jansen", "Popov", "Khan",
    "Ali", "Tan", "Lim", "Wong", "Santos", "Brown", "Taylor", "Wilson", "van Dijk", "O'Brien", "de Souza",
)  # fmt: skip
NICKNAMES = {
    "Michael": "Mike", "Thomas": "Tom", "Daniel": "Dan", "David": "Dave", "Peter": "Pete",
    "Victor": "Vic", "Hannah": "Hanna", "Sofia": "Sophie",
}  # fmt: skip
# What a clerk's eye takes one for the other.
LOOK_ALIKE = {
    "伟": "纬", "婷": "停", "晨": "震", "雨": "两", "睿": "容", "玮": "伟", "宇": "字", "思": "恩",
    "洋": "样", "清": "请", "晴": "睛", "媛": "援", "博": "搏", "凯": "剀", "琪": "棋", "慧": "彗",
}  # fmt: skip
ROADS = tuple(
    first + second
    for first in (
        "梧桐", "长乐", "星河", "书院", "银杏", "杨柳", "河滨", "晨光", "玉兰", "风车", "望江", "翠竹",
        "百花", "听雨", "枫林", "白鹭", "观澜", "松涛", "和顺", "锦绣", "云栖", "石桥", "青石", "南湖",
    )
    for second in ("路", "街", "大道", "巷")
)  # fmt: skip
COMPOUNDS = tuple(
    first + second
    for first in (
        "碧水", "金桂", "阳光", "紫荆", "翡翠", "香樟", "海棠", "丽景", "福安", "东篱", "春晓", "明月",
    )
    for second in ("花园", "小区", "苑", "公馆", "家园", "新村")
)  # fmt: skip
EMAIL_HOSTS = ("mail.example", "post.example", "xin.example", "inbox.example", "letter.example")
_FLATTENING = 6
_NAMED = re.compile(r"(?:\[([^\]]*)\])?([^\[]+)")


def common_first(words: Sequence[str]) -> Floats:
    """How likely each word is: falling with its place, as family names do."""
    weights = 1.0 / (np.arange(len(words)) + _FLATTENING)
    share: Floats = weights / weights.sum()
    return share


def latin(chinese: str) -> str:
    """Pinyin without tones or spaces."""
    return "".join(lazy_pinyin(chinese))


@cache
def homophones() -> dict[str, str]:
    """For each character of a given name, the others that sound the same (without tones)."""
    sounding: dict[str, list[str]] = {}
    for character in dict.fromkeys(GIVEN):
        sounding.setdefault(latin(character), []).append(character)
    return {
        character: "".join(other for other in same if other != character)
        for same in sounding.values()
        for character in same
    }


@cache
def places() -> tuple[tuple[str, str, str], ...]:
    """(province, city, district) in force today; the city is empty where the province is one."""
    found: list[tuple[str, str, str]] = []
    for _, _, _, about, below in numdb.get("cn/loc").prefixes:
        county = {code: _in_force(said["county"]) for _, code, _, said, _ in below if "county" in said}
        found += [
            (about["province"], city, name)
            for code, name in county.items()
            if not code.endswith("00") and name and name != "市辖区"
            for city in (_city_of(code, county),)
            if city is not None
        ]
    return tuple(dict.fromkeys(found))


def _city_of(code: str, county: dict[str, str]) -> str | None:
    """The prefecture-level city of a county, empty in a municipality, None where the table names none."""
    if code[:2] == "01" and county.get("0100") == "市辖区":
        return ""
    city = county.get(code[:2] + "00", "")
    return city if city.endswith(("市", "州", "盟", "地区")) else None


def _in_force(text: str) -> str:
    """The name in force: without years, or with years that have not ended."""
    for years, name in _NAMED.findall(text):
        if not years or years.endswith("-"):
            return str(name).strip(", ")
    return ""
