"""Divisions of China: provinces, cities and districts with their codes (GB/T 2260), today's and former ones.

The table is the one of python-stdnum; nothing of it is kept here.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from stdnum import numdb

_PERIOD = re.compile(r"^\[(\d{4})?-(\d{4})?\]")
_PROVINCE_ENDS = re.compile(r"(?:特别行政区|特別行政區|维吾尔自治区|壮族自治区|回族自治区|自治区|省|市)$")
_PEOPLES = (
    "蒙古|回|藏|维吾尔|苗|彝|壮|布依|朝鲜|满|侗|瑶|白|土家|哈尼|哈萨克|傣|黎|傈僳|佤|畲|拉祜|水|东乡|纳西|景颇|柯尔克孜"
    "|土|达斡尔|仫佬|羌|布朗|撒拉|毛南|仡佬|锡伯|普米|塔吉克|怒|鄂温克|德昂|保安|裕固|独龙|鄂伦春"
)
_OF_PEOPLES = re.compile(rf"(?:(?:{_PEOPLES})族|蒙古|哈萨克|柯尔克孜)*(?:各族)?自治[州县旗]$")
_CITY_ENDS = re.compile(r"(?:市|地区|盟)$")
_DISTRICT_ENDS = re.compile(r"(?:区|县|市|旗)$")
_FILLERS = frozenset(
    {"市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划", "省直辖行政单位", "省直辖县级行政单位"}
)
_SHORTEST = 2


@dataclass(frozen=True, slots=True)
class Division:
    """A place: its code of six digits, its full and its short name, and the year in which it ended."""

    code: str
    name: str
    short: str
    ended: int | None

    @property
    def level(self) -> str:
        """province, city or district."""
        if self.code.endswith("0000"):
            return "province"
        return "city" if self.code.endswith("00") else "district"

    def lies_in(self, other: Division | None) -> bool:
        """Whether this place is inside another (or that one is not known)."""
        if other is None:
            return True
        digits = 2 if other.level == "province" else 4
        inside = self.code[:digits] == other.code[:digits]
        # Cities run by the province itself have a number of their own: 429004.
        by_province = other.level == "city" and self.code[2] == "9" and self.code[:2] == other.code[:2]
        return inside or by_province


def division_of(code: str) -> Division | None:
    """The place with this code, today's or a former one."""
    return _by_code().get(code)


@lru_cache(maxsize=1)
def names() -> dict[str, dict[str, tuple[Division, ...]]]:
    """Level -> name, full or short -> the places that have it, today's first."""
    found: dict[str, dict[str, list[Division]]] = {
        level: defaultdict(list) for level in ("province", "city", "district")
    }
    for division in _all():
        for name in _spellings(division):
            if len(name) >= _SHORTEST:
                found[division.level][name].append(division)
    return {
        level: {name: _today_first(places) for name, places in of_level.items()}
        for level, of_level in found.items()
    }


def _spellings(division: Division) -> set[str]:
    """景宁畲族自治县 is also written 景宁 and 景宁县."""
    found = {division.name, division.short}
    return found | {division.short + division.name[-1]} if "自治" in division.name else found


def _today_first(places: list[Division]) -> tuple[Division, ...]:
    today = [place for place in places if place.ended is None]
    return tuple(today or sorted(places, key=lambda place: (-(place.ended or 0), place.code)))


@lru_cache(maxsize=1)
def _by_code() -> dict[str, Division]:
    found: dict[str, Division] = {}
    for division in _all():
        if division.code not in found or division.ended is None:
            found[division.code] = division
    return found


@lru_cache(maxsize=1)
def _all() -> tuple[Division, ...]:
    return tuple(_read())


def _read() -> Iterator[Division]:
    for _, province, _, about, below in numdb.get("cn/loc").prefixes:
        name = about["province"]
        yield Division(f"{province}0000", name, _PROVINCE_ENDS.sub("", name), None)
        for _, low, _, told, _ in below:
            for entry in told["county"].split(","):
                period = _PERIOD.match(entry)
                full = entry[period.end() :] if period else entry
                if low == "0000" or full in _FILLERS:
                    continue
                ended = int(period.group(2)) if period and period.group(2) else None
                yield Division(f"{province}{low}", full, _short(full, city=low.endswith("00")), ended)


def _short(name: str, *, city: bool) -> str:
    """海珠区 -> 海珠; 恩施土家族苗族自治州 -> 恩施; 通县 stays: one character names nothing."""
    bare = _OF_PEOPLES.sub("", name)
    if bare == name:
        bare = (_CITY_ENDS if city else _DISTRICT_ENDS).sub("", name)
    return bare if len(bare) >= _SHORTEST else name
