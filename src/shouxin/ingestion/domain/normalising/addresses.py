"""Addresses in Chinese: province, city, district, town, village, road, number; the rest is never lost.

Read from left to right, the widest place first. A place may be written in full (浙江省), in short (浙江),
or left out; what is narrower must lie inside what is wider. No list of roads or towns: their endings tell.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from shouxin.ingestion.domain.normalising.divisions import Division, division_of, names
from shouxin.ingestion.domain.normalising.problems import Problem, folded

LEVELS = ("province", "city", "district", "zone", "town", "village", "road", "lane", "number")
_COUNTRY = re.compile(r"中华人民共和国|中国")
_SEPARATORS = re.compile(r"[\s,，、\-—_/|.。:：;；]+")
_POSTCODE = re.compile(r"\d{6}(?!\d)")
# A short name is a place only where it is not the name of a road: 南京东路, 上海路, 台州大道.
_ROAD_FOLLOWS = re.compile(
    r"[东西南北中上下内外]{0,2}[一二三四五六七八九十]?(?:路|街|大道|大街|巷|弄|胡同|道\d)"
)
_NOT_ALONE = re.compile(r"[镇乡村路街巷弄桥站里]|大道|大街|新村|花园|小区|大厦|广场|公寓")
# Chinese is written without spaces: one beside a Chinese letter was put there by a form or a hand.
_SPACE_IN_HAN = re.compile(r"(?<=[\u3400-\u9fff]) | (?=[\u3400-\u9fff])")
_WIDE_PLACE = re.compile(r"(?:[\u3400-\u9fff]{2,3}省|[\u3400-\u9fff]{2,8}自治区|[\u3400-\u9fff]{2,3}市)")
_HAN = r"[\u3400-\u9fff]"
_ZONE = re.compile(
    rf"{_HAN}{{0,8}}?(?:(?:国家|省)级)?(?:经济技术开发区|经济开发区|高新技术产业开发区|高新技术开发区|高新区|开发区|工业园区|工业园"
    r"|工业区|产业园区|产业园|科技园区|科技园|集聚区|保税区|示范区)(?![东西南北中]?[一二三四五六七八九十]?[路街])"
)
_TOWN = re.compile(rf"{_HAN}{{1,7}}?(?:街道(?:办事处|办)?|(?:镇|(?<!新)(?<!城)乡|苏木)(?![路街巷弄口]))")
_VILLAGE = re.compile(rf"{_HAN}{{1,7}}?(?:行政村|自然村|村委会|(?<!新)村|社区|居委会)(?![路街巷弄])")
_ROAD = re.compile(
    rf"(?:[A-Za-z]{{1,2}})?{_HAN}{{1,10}}?(?:(?:大道|大街|公路|[路街巷弄]|胡同)(?!大道|大街)|\d{{1,3}}(?:大道|大街|[路街])|线(?=\d))"
    r"(?:[东西南北中](?:段|[一二三四五六七八九十]?(?:路|街)))?(?:[一二三四五六七八九十]{1,3}(?:路|街|巷|弄|段))?"
    r"(?:辅路|支路)?(?![道口])"
)
_LANE = re.compile(r"\d{1,4}(?:弄|巷)|[一二三四五六七八九十]{1,3}(?:弄|巷)")
_DIGITS = r"(?:[A-Za-z]?\d+[A-Za-z]?|[一二三四五六七八九十百]+)"
_NUMBER = re.compile(
    rf"{_DIGITS}(?:[-—~至、,]{_DIGITS})*(?:号|號|弄|#)(?:之[一二三四五六七八九十\d]+)?(?![楼馆线])|(?:第)?\d+(?:-\d+)*(?![\d\-]*[楼幢栋座室层期区单米])"
)


@dataclass(frozen=True, slots=True)
class Address:
    """An address as it was read. ``spans`` are (level, text) in order; joined they are the whole text.

    ``province``, ``city`` and ``district`` are the places meant, with code and full name, also those that
    were left out and follow from what was written.
    """

    raw: str = field(repr=False)
    spans: tuple[tuple[str, str], ...] = field(repr=False)
    province: Division | None = None
    city: Division | None = None
    district: Division | None = None
    problems: tuple[Problem, ...] = ()

    def part(self, level: str) -> str | None:
        """What was written for a level (LEVELS, or rest), the last time it was."""
        found = [text for kind, text in self.spans if kind == level]
        return found[-1] if found else None

    @property
    def code(self) -> str | None:
        """The code of the narrowest place that is known."""
        known = self.district or self.city or self.province
        return known.code if known else None

    @property
    def value(self) -> str:
        """One form: full names of the places, then all that was written after them, without separators."""
        places = [place.name for place in (self.province, self.city, self.district) if place]
        unique = [name for i, name in enumerate(places) if name not in places[:i]]
        placed = {"country", "separator", "postcode", "repeated"}
        known = {"province": self.province, "city": self.city, "district": self.district}
        after = [text for kind, text in self.spans if kind not in placed and not known.get(kind)]
        return "".join((*unique, *after))


@dataclass(slots=True)
class _Reading:
    """A reader's finger on the text."""

    text: str
    at: int = 0
    spans: list[tuple[str, str]] = field(default_factory=list)

    def take(self, level: str, length: int) -> None:
        self.spans.append((level, self.text[self.at : self.at + length]))
        self.at += length

    def skip(self) -> None:
        """Separators, and what only says China."""
        for level, pattern in (("separator", _SEPARATORS), ("country", _COUNTRY), ("separator", _SEPARATORS)):
            if (found := pattern.match(self.text, self.at)) and found.group():
                self.take(level, found.end() - self.at)

    def take_pattern(self, level: str, pattern: re.Pattern[str]) -> bool:
        found = pattern.match(self.text, self.at)
        if found:
            self.take(level, found.end() - self.at)
            self.skip()
        return bool(found)


def parse_address(text: str) -> Address:
    """Read an address; whatever it is, every letter of the folded text is in one span."""
    reading = _Reading(_SPACE_IN_HAN.sub("", folded(text)))
    reading.skip()
    reading.take_pattern("postcode", _POSTCODE)
    places = _read_again(reading, _read_places(reading))
    _read_lines(reading)
    if reading.at < len(reading.text):
        reading.take("rest", len(reading.text) - reading.at)
    return _placed(text, reading, places)


def _read_again(reading: _Reading, places: list[Division]) -> list[Division]:
    """Forms put the region before what the customer wrote, who wrote it once more: the second time counts."""
    for at in _fresh_starts(reading):
        later = _Reading(reading.text, at)
        again = _read_places(later)
        told_more = len(again) > max(1, len(places)) or (len(again) > 1 and len(again) == len(places))
        told_same = at == reading.at and len(again) > 1 and all(place in places for place in again)
        if again and (told_more or told_same) and (not places or _agree(places, again)):
            reading.spans, reading.at = [("repeated", reading.text[:at]), *later.spans], later.at
            wider = [place for place in places if place.level not in {one.level for one in again}]
            return [*wider, *again]
    return places


def _fresh_starts(reading: _Reading) -> list[int]:
    """Where, after the places read, a province or a city begins in full; also right here in short."""
    starts = [reading.at] if reading.at < len(reading.text) and reading.at else []
    starts += [found.start() for found in _WIDE_PLACE.finditer(reading.text, reading.at)]
    return sorted(set(starts))


def _read_places(reading: _Reading) -> list[Division]:
    """The province, city and district that stand here, the widest first; candidates narrow one another."""
    chosen: list[Division] = []
    for level in ("province", "city", "district"):
        found = _place_here(reading, level, inside=chosen)
        if found is not None:
            length, place = found
            reading.take(level, length)
            reading.skip()
            if reading.text.startswith(place.name, reading.at):  # 杭州市杭州市
                reading.take("repeated", len(place.name))
            chosen.append(place)
    return chosen


def _place_here(reading: _Reading, level: str, *, inside: list[Division]) -> tuple[int, Division] | None:
    known = names()[level]
    for length in range(min(15, len(reading.text) - reading.at), 1, -1):
        name = reading.text[reading.at : reading.at + length]
        places = _possible(known.get(name, ()), name, inside)
        if not places:
            continue
        full = any(place.name == name for place in places)
        if full or _stands_as_short(reading, places, length, inside=inside):
            exact = [place for place in places if place.name == name] or places
            return length, exact[0] if len({p.code for p in exact}) == 1 else _one_of_many(exact)
    return None


def _possible(places: Sequence[Division], name: str, inside: list[Division]) -> list[Division]:
    """The places meant: inside the narrowest that was read, else inside the next; a full name anywhere."""
    for wider in reversed(inside):
        found = [place for place in places if place.lies_in(wider)]
        if found:
            return found
    if not inside:
        return list(places)
    return [place for place in places if place.name == name and len(name) > 2]


def _one_of_many(places: list[Division]) -> Division:
    """Several places have the name: a place without a code, under what they share."""
    shared = places[0].code
    for place in places[1:]:
        shared = shared[: _common(shared, place.code)]
    return replace(places[0], code=shared[: len(shared) // 2 * 2].ljust(6, "?"))


def _common(one: str, other: str) -> int:
    length = 0
    while length < len(one) and one[length] == other[length]:
        length += 1
    return length


def _stands_as_short(
    reading: _Reading, places: list[Division], length: int, *, inside: list[Division]
) -> bool:
    """Whether a short name may be meant as the place: not before a road's ending or another word's."""
    after, level = reading.at + length, places[0].level
    if level != "district" and _district_follows(reading.text, after, places):
        return True
    if _ROAD_FOLLOWS.match(reading.text, after) or _NOT_ALONE.match(reading.text, after):
        return False
    # A district's short name may be any word (新城, 城关): alone it is one only where no other place has it.
    return level != "district" or bool(inside) or len({place.code for place in places}) == 1


def _district_follows(text: str, at: int, places: list[Division]) -> bool:
    """Whether a district of one of these places stands here in full: 台州|路桥区 is no road."""
    known = names()["district"]
    return any(
        district.name == text[at : at + length] and any(district.lies_in(place) for place in places)
        for length in range(2, 8)
        for district in known.get(text[at : at + length], ())
    )


def _agree(one: list[Division], other: list[Division]) -> bool:
    return bool(other) and one[0].code[:2] == other[0].code[:2]


def _read_lines(reading: _Reading) -> None:
    """What lies below the district, as far as its endings tell."""
    in_town = reading.take_pattern("town", _TOWN)
    reading.take_pattern("village", _VILLAGE)
    if reading.take_pattern("zone", _ZONE) and not in_town:
        reading.take_pattern("town", _TOWN)
    if reading.take_pattern("road", _ROAD):
        reading.take_pattern("lane", _LANE)
        found = _NUMBER.match(reading.text, reading.at)
        if found:
            reading.take("number", found.end() - reading.at)


def _placed(raw: str, reading: _Reading, places: list[Division]) -> Address:
    by_level = {
        place.level if "?" not in place.code else _level_of(reading, place): place for place in places
    }
    district, city, province = (by_level.get(level) for level in ("district", "city", "province"))
    problems = []
    if not places:
        problems.append(Problem.NO_DIVISION)
    if any("?" in place.code for place in places):
        problems.append(Problem.AMBIGUOUS_DIVISION)
    if any(not one.lies_in(other) for one, other in zip(places[1:], places[:-1], strict=True)):
        problems.append(Problem.CONTRADICTING_DIVISIONS)
    if any(place.ended is not None for place in places):
        problems.append(Problem.FORMER_DIVISION)
    narrowest = district or city
    if narrowest is not None and narrowest.code[:2] != "??":
        city = city or (_known(f"{narrowest.code[:4]}00") if narrowest.code[2:4] != "??" else None)
        province = province or _known(f"{narrowest.code[:2]}0000")
    return Address(
        raw, tuple(reading.spans), _sure(province), _sure(city), _sure(district), problems=tuple(problems)
    )


def _sure(place: Division | None) -> Division | None:
    """The place, unless several have its name."""
    return None if place is not None and "?" in place.code else place


def _level_of(reading: _Reading, place: Division) -> str:
    kinds = [kind for kind, text in reading.spans if text in {place.name, place.short}]
    return kinds[-1] if kinds else "district"


def _known(code: str) -> Division | None:
    return division_of(code) if "?" not in code else None
