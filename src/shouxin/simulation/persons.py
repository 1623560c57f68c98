"""Made-up people: names, telephone numbers, e-mail addresses, identity numbers, addresses, devices.

Nobody real: telephone numbers begin with 1010, which no subscriber in China has; identity numbers carry
the region 990101, which does not exist, with the right check character (GB 11643, ISO 7064 MOD 11-2);
e-mail lives below ``.example`` (RFC 2606); places are invented. A name is two or three syllables drawn
from short lists, so that it may sound like someone's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from shouxin.simulation.domain import Ints
from shouxin.simulation.facts import joined, numbered
from shouxin.simulation.shop import SHARED_DEVICE

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
PEOPLE_NUMBERS = 2**23  # seven digits follow the prefix
REGION_CODE = "990101"
CITIES = ("云溪市", "临澜市", "北屿市", "青岚市", "沐川城市", "南桥市", "望海城市", "松原里市")
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
_FIRST_BIRTHDAY = np.datetime64("1963-01-01")
_BIRTHDAYS = 365 * 42
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
    key: Ints  # names devices and cards: digits that tell nothing
    gang: Ints  # whose device, address and card a gang shares; an account's own position without one


def make_persons(rng: Generator, person: Ints, *, numbers: Ints, gang: Ints | None = None) -> Persons:
    """Make up the people behind the accounts; ``person`` says which accounts are the same one.

    ``numbers`` are the accounts' places in the whole world: no two worlds' people of one size share a
    telephone number or an identity number, wherever they are drawn.
    """
    size = len(person)
    surname = rng.integers(0, len(SURNAMES), size)[person]
    first = rng.integers(0, len(SYLLABLES), size)[person]
    # One given name in six has a single syllable; the last position means none.
    second = np.where(rng.random(size) < 1 / 6, len(SYLLABLES), rng.integers(0, len(SYLLABLES), size))[person]
    serial = scattered(numbers)
    return Persons(
        name=joined(*(_pick(words, codes) for words, codes in (
            (SURNAMES, surname), (SYLLABLES, first), ((*SYLLABLES, ""), second)))),
        phone=numbered(PHONE_PREFIX, serial[person], digits=7),
        email=_emails(surname, first, second, numbers),
        national_id=pa.array(_national_ids(numbers)).take(pa.array(person)),
        addresses=tuple(_addresses(rng, person) for _ in range(3)),
        key=serial[person],
        gang=np.arange(size) if gang is None else gang,
    )  # fmt: skip


def check_character(digits: str) -> str:
    """The eighteenth character of an identity number, from the first seventeen (GB 11643)."""
    return _CHECKS[sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True)) % 11]


def device_names(persons: Persons, customer: Ints, device: Ints) -> Any:
    """The identifier of a customer's n-th device, or of the one that the customer's gang shares."""
    owner = np.where(device == SHARED_DEVICE, persons.gang[customer], customer)
    return numbered("dev-", persons.key[owner] * 16 + device % 16, digits=8)


def card_names(persons: Persons, customer: Ints, device: Ints) -> Any:
    """The identifier (not the number) of a customer's card; on the shared device it is the gang's."""
    owner = np.where(device == SHARED_DEVICE, persons.gang[customer], customer)
    return numbered("card-", persons.key[owner], digits=8)


def delivery_addresses(persons: Persons, customer: Ints, which: Ints) -> Any:
    """The customer's first, second or third address, or the one that the customer's gang shares."""
    rows = pa.array(customer)
    gang = persons.addresses[0].take(pa.array(persons.gang[customer]))
    return pc.choose(pa.array(which), *(addresses.take(rows) for addresses in persons.addresses), gang)


def scattered(numbers: Ints) -> Ints:
    """Distinct numbers below 8,388,608 for distinct ``numbers`` below it, in no order that can be seen.

    Each step can be undone, so no two numbers meet: odd factors modulo a power of two, and shifts.
    """
    mixed = numbers
    for factor, shift in ((5_236_077, 12), (3_423_171, 11), (7_141_333, 12)):
        mixed = (mixed * factor + 1_299_709) & (PEOPLE_NUMBERS - 1)
        mixed = mixed ^ (mixed >> shift)
    return mixed


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


def _national_ids(numbers: Ints) -> list[str]:
    """A birthday from 1963 on and a serial of that day for each number: no two are the same."""
    serial, day = np.divmod(scattered(numbers ^ 0x2A5A5A), _BIRTHDAYS)
    births = _FIRST_BIRTHDAY + day.astype("timedelta64[D]")
    bodies = [
        f"{REGION_CODE}{birth.replace('-', '')}{of_day:03d}"
        for birth, of_day in zip(births.astype(str).tolist(), serial.tolist(), strict=True)
    ]
    return [body + check_character(body) for body in bodies]


def _addresses(rng: Generator, person: Ints) -> Any:
    size = len(person)
    parts = (
        _pick(CITIES, rng.integers(0, len(CITIES), size)[person]),
        _pick(_ROADS, rng.integers(0, len(_ROADS), size)[person]),
        numbered("", rng.integers(1, 300, size)[person], digits=1),
        pa.scalar("号"),
        numbered("", rng.integers(1, 20, size)[person], digits=1),
        pa.scalar("单元"),
        numbered("", rng.integers(101, 2500, size)[person], digits=1),
        pa.scalar("室"),
    )
    return joined(*parts)
