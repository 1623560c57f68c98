"""Encoding: a record as keyed numbers that can be compared without its clear text.

Each field becomes codes, one or more for every level of agreement. Two records agree at a level when
they share a code of it; the level is told by the last bits of a code, the rest is a keyed hash.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from pypinyin import lazy_pinyin

from shouxin.ingestion.domain.normalising import (
    normal_date,
    normal_email,
    normal_name,
    normal_national_id,
    normal_phone,
    parse_address,
)

# The blind name of (what it is, value): 60 bits of it are kept.
Token = Callable[[str, str], str]
# Field -> its degrees of agreement, the closest first.
LEVELS: Mapping[str, tuple[str, ...]] = {
    "name": ("same", "sounds the same", "one character differs", "one part the same"),
    "birth_date": ("same", "two parts the same", "same year"),
    "phone": ("same", "digits swapped", "one digit differs"),
    "email": ("same", "same user"),
    "national_id": ("same",),
    "address": ("same", "same door", "same number", "same district"),
}
FIELDS = tuple(LEVELS)
# Both of a household's records may hold these; nobody else's hold an e-mail or a national id.
OWN_FIELDS = ("email", "national_id")
_LEVEL_BITS = 5
_NUMBER_OF = {
    level: number
    for number, level in enumerate((field, label) for field, labels in LEVELS.items() for label in labels)
}
LEVEL_OF = {number: level for level, number in _NUMBER_OF.items()}
LEVEL_MASK = (1 << _LEVEL_BITS) - 1
_HEX_DIGITS = 15
_HALF = 1 << 63
_HAN = re.compile(r"[\u3400-\u9fff]")
_DIGITS = re.compile(r"\d+")
# What only says of which sort a number is: a clerk writes a dash for it.
_UNITS = re.compile(r"号楼|单元|[室号栋幢楼层座\s\-—#,，.]|\d+")
_PHONE_HALF = 5


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a record may be compared by: the fields it holds (one bit each), its codes, its keys.

    Records that share a key deserve to be compared. All are signed 64-bit numbers.
    """

    fields: int
    codes: frozenset[int]
    keys: frozenset[int] = frozenset()


def encode(values: Mapping[str, Iterable[str]], *, token: Token) -> Encoded:
    """Encode all that a record ever said of each field; what has no normal form is left out.

    A national id tells a birth date, too.
    """
    normal = _normal_values(values)
    codes = {
        _code(token, field, label, text)
        for field, found in normal.items()
        for value in found
        for label, text in _LEVELS_OF[field](value)
    }
    keys = {_hashed(token, f"match:key:{kind}", text) for kind, text in _keys(normal)}
    fields = sum(1 << FIELDS.index(field) for field in normal)
    return Encoded(fields, frozenset(codes), frozenset(keys))


def _normal_values(values: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """The normal forms of each field that has one, sorted."""
    found: dict[str, set[str]] = {}
    for field, raws in values.items():
        for raw in raws if field in _NORMAL else ():
            normal = _NORMAL[field](raw)
            if normal:
                found.setdefault(field, set()).add(normal)
    if "national_id" in found:
        born = {f"{number[6:10]}-{number[10:12]}-{number[12:14]}" for number in found["national_id"]}
        found["birth_date"] = found.get("birth_date", set()) | born
    return {field: tuple(sorted(found[field])) for field in FIELDS if field in found}


def _code(token: Token, field: str, label: str, text: str) -> int:
    number = _NUMBER_OF[field, label]
    return (_hashed(token, f"match:{number}", text) << _LEVEL_BITS | number) % (1 << 64) - _HALF


def _hashed(token: Token, what: str, text: str) -> int:
    return int(token(what, text).rpartition("_")[2][:_HEX_DIGITS], 16)


def _name_levels(name: str) -> Iterator[tuple[str, str]]:
    yield "same", name
    if not _HAN.search(name):
        words = name.split()
        yield "sounds the same", "".join(sorted("".join(words)))
        for place, word in enumerate(words if len(words) > 1 else ()):
            initials = sorted(other[0] for at, other in enumerate(words) if at != place)
            yield "one character differs", f"{word} {''.join(initials)}"
        return
    yield "sounds the same", " ".join(map(_sound, name))
    for place in range(1, len(name) if len(name) > 2 else 0):
        yield "one character differs", f"{name[:place]}_{name[place + 1 :]}"
    family = 2 if normal_name(name).parts.get("family", "?")[1:] else 1
    yield "one part the same", name[family:] or name
    if len(name) <= 2:  # a given name may stand alone
        yield "one part the same", name


@cache
def _sound(character: str) -> str:
    return str(lazy_pinyin(character)[0])


def _birth_levels(day: str) -> Iterator[tuple[str, str]]:
    yield "same", day
    for one, other in combinations(enumerate(day.split("-")), 2):
        yield "two parts the same", f"{one} {other}"
    yield "same year", day[:4]


def _phone_levels(phone: str) -> Iterator[tuple[str, str]]:
    yield "same", phone
    yield "digits swapped", "".join(sorted(phone))
    for place in range(len(phone) - 8, len(phone)):
        yield "one digit differs", f"{phone[:place]}_{phone[place + 1 :]}"


def _email_levels(email: str) -> Iterator[tuple[str, str]]:
    yield "same", email
    yield "same user", email.rpartition("@")[0]


def _id_levels(number: str) -> Iterator[tuple[str, str]]:
    yield "same", number


def _address_levels(address: str) -> Iterator[tuple[str, str]]:
    place, street, numbers = address.split("\x1f")
    yield "same", address
    if numbers:
        yield "same door", f"{street} {numbers}"
        yield "same number", f"{street} {numbers.split('-')[0]}"
    if place:
        yield "same district", place


_LEVELS_OF: Mapping[str, Callable[[str], Iterator[tuple[str, str]]]] = {
    "name": _name_levels,
    "birth_date": _birth_levels,
    "phone": _phone_levels,
    "email": _email_levels,
    "national_id": _id_levels,
    "address": _address_levels,
}


def _normal_name(raw: str) -> str:
    name = normal_name(raw).value or ""
    return name if _HAN.search(name) else " ".join(sorted(name.casefold().split()))


def _normal_address(raw: str) -> str:
    """Division, letters, numbers: units and separators are written as one likes."""
    address = parse_address(raw)
    divisions = {"country", "separator", "postcode", "repeated", "province", "city", "district"}
    below = "".join(text for level, text in address.spans if level not in divisions).casefold()
    street, numbers = _UNITS.sub("", below), "-".join(_DIGITS.findall(below))
    return f"{address.code or ''}\x1f{street}\x1f{numbers}" if street or numbers else ""


_NORMAL: Mapping[str, Callable[[str], str | None]] = {
    "name": _normal_name,
    "birth_date": lambda raw: normal_date(raw).value,
    "phone": lambda raw: normal_phone(raw).value,
    "email": lambda raw: normal_email(raw).value,
    "national_id": lambda raw: normal_national_id(raw).value,
    "address": _normal_address,
}


def _keys(normal: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
    """What two records of one person may share, although much else differs."""
    for field in ("phone", "email", "national_id"):
        for value in normal.get(field, ()):
            yield field, value
    doors = [a.split("\x1f", 1)[1] for a in normal.get("address", ()) if not a.endswith("\x1f")]
    for door in doors:
        yield "door", door
    for name in normal.get("name", ()):
        sound = dict(_name_levels(name)).get("sounds the same", name)
        for day in normal.get("birth_date", ()):
            yield "name and birth", f"{sound} {day}"
        for phone in normal.get("phone", ()):
            yield "name and phone", f"{name} {phone[:-_PHONE_HALF]}"
            yield "name and phone", f"{name} _{phone[-_PHONE_HALF:]}"
            yield "name and digits", f"{name} {''.join(sorted(phone))}"
        for address in normal.get("address", ()):
            yield "name and place", f"{sound} {address.split(chr(31))[0]}"
