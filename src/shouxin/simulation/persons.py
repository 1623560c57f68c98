"""Made-up people: names, telephone numbers, e-mail addresses, identity numbers, addresses, devices.

Nobody real: telephone numbers begin with 1010, which no subscriber in China has; identity numbers carry
the region 990101, which does not exist, with the right check character (GB 11643, ISO 7064 MOD 11-2);
e-mail lives below ``.example`` (RFC 2606); places are invented. A name is two or three syllables drawn
from short lists, so that it may sound like someone's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from shouxin.simulation.domain import Ints
from shouxin.simulation.facts import joined, numbered

SURNAMES = tuple("林陈黄苏郑叶许何吕卢邱方程宋沈韩江白秦范石谭邹熊".strip())
SURNAMES_LATIN = (
    "lin", "chen", "huang", "su", "zheng", "ye", "xu", "he", "lv", "lu", "qiu", "fang",
    "cheng", "song", "shen", "han", "jiang", "bai", "qin", "fan", "shi", "tan", "zou", "xiong",
)  # fmt: skip
SYLLABLES = tuple("青禾若川星野溪云知远朗宁舟念澄晓安怡景行书语微林".strip())
SYLLABLES_LATIN = (
    "qing", "he", "ruo", "chuan", "xing", "ye", "xi", "yun", "zhi", "yuan", "lang", "ning",
    "zhou", "nian", "cheng", "xiao", "an", "yi", "jing", "xing", "shu", "yu", "wei", "lin",
)  # fmt: skip
PHONE_PREFIX = "1010"
REGION_CODE = "990101"
_CITIES = ("云溪市", "临澜市", "北屿市", "青岚市", "沐川城市", "南桥市", "望海城市", "松原里市")
_ROADS = (
    "梧桐路",
    "长安里",
    "星河街",
    "书院巷",
    "银杏大道",
    "杨柳路",
    "河滨道",
    "晨光路",
    "玉兰街",
    "风车巷",
)
_EMAIL_HOSTS = ("mail.example", "post.example", "xin.example")
_WEIGHTS = tuple(2**n % 11 for n in range(17, 0, -1))
_CHECKS = "10X98765432"


@dataclass(frozen=True, slots=True, eq=False)
class Persons:
    """One entry an account; accounts of the same person share every value but the e-mail address."""

    name: Any
    phone: Any
    email: Any
    national_id: Any
    addresses: tuple[Any, ...]  # three columns
    key: Ints  # names devices and cards: six digits that tell nothing


def make_persons(rng: Generator, person: Ints) -> Persons:
    """Make up the people behind the accounts; ``person`` says which accounts are the same one."""
    size = len(person)
    surname = rng.integers(0, len(SURNAMES), size)[person]
    first = rng.integers(0, len(SYLLABLES), size)[person]
    # One given name in six has a single syllable; the last position means none.
    second = np.where(rng.random(size) < 1 / 6, len(SYLLABLES), rng.integers(0, len(SYLLABLES), size))[person]
    serial = _scattered(rng, size)
    return Persons(
        name=joined(*(_pick(words, codes) for words, codes in (
            (SURNAMES, surname), (SYLLABLES, first), ((*SYLLABLES, ""), second)))),
        phone=numbered(PHONE_PREFIX, serial[person], digits=7),
        email=_emails(surname, first, second, np.arange(size)),
        national_id=pa.array(_national_ids(rng, size)).take(pa.array(person)),
        addresses=tuple(_addresses(rng, person) for _ in range(3)),
        key=serial[person],
    )  # fmt: skip


def check_character(digits: str) -> str:
    """The eighteenth character of an identity number, from the first seventeen (GB 11643)."""
    return _CHECKS[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]


def device_names(persons: Persons, customer: Ints, device: Ints) -> Any:
    """The identifier of a customer's n-th device."""
    return numbered("dev-", persons.key[customer] * 16 + device % 16, digits=8)


def card_names(persons: Persons, customer: Ints) -> Any:
    """The identifier (not the number) of a customer's payment card."""
    return numbered("card-", persons.key[customer], digits=8)


def delivery_addresses(persons: Persons, customer: Ints, which: Ints) -> Any:
    """The customer's first, second or third address."""
    rows = pa.array(customer)
    return pc.choose(pa.array(which), *(addresses.take(rows) for addresses in persons.addresses))


def _scattered(rng: Generator, size: int) -> Ints:
    """Distinct numbers in random order."""
    spread = max(1, 9_000_000 // max(size, 1))
    return rng.permutation(size) * spread + rng.integers(0, spread, size)


def _pick(values: tuple[str, ...], codes: Ints) -> Any:
    return pa.array(values, pa.string()).take(pa.array(codes))


def _emails(surname: Ints, first: Ints, second: Ints, account: Ints) -> Any:
    return joined(
        _pick(SURNAMES_LATIN, surname),
        pa.scalar("."),
        _pick(SYLLABLES_LATIN, first),
        _pick((*SYLLABLES_LATIN, ""), second),
        numbered("", account, digits=1),
        pa.scalar("@"),
        _pick(_EMAIL_HOSTS, account % len(_EMAIL_HOSTS)),
    )


def _national_ids(rng: Generator, size: int) -> list[str]:
    days = rng.integers(0, 365 * 42, size)
    serials = rng.integers(0, 1000, size)
    births = [date(1963, 1, 1) + timedelta(days=int(n)) for n in days]
    bodies = [f"{REGION_CODE}{b:%Y%m%d}{s:03d}" for b, s in zip(births, serials, strict=True)]
    return [body + check_character(body) for body in _distinct(bodies)]


def _distinct(bodies: list[str]) -> list[str]:
    """Move a number that is taken to the next free serial, so that no two people share one."""
    taken: set[str] = set()
    for at, body in enumerate(bodies):
        number = int(body)
        while str(number) in taken:
            number = number + 1 if number % 1000 < 999 else number - 999
        bodies[at] = str(number)
        taken.add(bodies[at])
    return bodies


def _addresses(rng: Generator, person: Ints) -> Any:
    size = len(person)
    parts = (
        _pick(_CITIES, rng.integers(0, len(_CITIES), size)[person]),
        _pick(_ROADS, rng.integers(0, len(_ROADS), size)[person]),
        numbered("", rng.integers(1, 300, size)[person], digits=1),
        pa.scalar("号"),
        numbered("", rng.integers(1, 20, size)[person], digits=1),
        pa.scalar("单元"),
        numbered("", rng.integers(101, 2500, size)[person], digits=1),
        pa.scalar("室"),
    )
    return joined(*parts)
