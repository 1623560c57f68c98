"""Made-up people in their homes: families who share an address and a telephone, twins, movers.

Nobody real: telephone numbers begin with 1010, identity numbers carry the region 990101 with the right
check character, e-mail lives below ``.example``. The districts are real, the streets are not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import Flags, Floats, Ints
from shouxin.simulation.names import (
    COMPOUNDS,
    EMAIL_HOSTS,
    FAMILY,
    GIVEN,
    ROADS,
    WESTERN_FAMILY,
    WESTERN_GIVEN,
    common_first,
    latin,
    places,
)
from shouxin.simulation.persons import PHONE_PREFIX, REGION_CODE, check_character
from shouxin.simulation.writing import Human

PEOPLE_MAX = 2_000_000  # two telephone numbers for each must fit below 1010
_PHONES = 10_000_000
_HOME_SIZES = (0.35, 0.25, 0.25, 0.15)  # of homes with one, two, three, four people
_FAMILY_PHONE = 0.10  # of people in a home of several: they give its first member's number
_TWINS = 0.03  # of homes with four: the third and the fourth
_MOVED, _NEW_PHONE, _SECOND_EMAIL, _WESTERN = 0.15, 0.08, 0.08, 0.08
_FIRST_BIRTH = date(1945, 1, 1)
_LAST_BIRTH = 365 * 61  # days after the first


@dataclass(frozen=True, slots=True, eq=False)
class _Drawn:
    """One entry a person; ``home`` counts homes, ``place`` the person within it, ``head`` its first."""

    home: Ints
    place: Ints
    head: Ints
    twin: Flags
    western: Flags  # one answer a home
    born: Ints  # days since the first birth
    phones: Ints
    old_phones: Ints
    chances: Floats  # columns: family phone, moved, new phone, second e-mail, married into the name


def draw_humans(rng: Generator, *, people: int) -> list[Human]:
    """Make up ``people`` persons, home by home."""
    drawn = _draw(rng, people)
    family, given = _names(rng, drawn)
    homes = _addresses(rng, int(drawn.home[-1]) + 1)
    former = _addresses(rng, people)
    ids = _national_ids(rng, drawn.born)
    humans: list[Human] = []
    for at in range(people):
        shares, moved, changed, second, _ = drawn.chances[at]
        born = _FIRST_BIRTH + timedelta(days=int(drawn.born[at]))
        given_to = drawn.place[at] > 0 and shares < _FAMILY_PHONE
        humans.append(
            Human(
                family=family[at],
                given=given[at],
                western=bool(drawn.western[at]),
                phone=_phone(drawn.phones[at]),
                old_phone=_phone(drawn.old_phones[at]) if changed < _NEW_PHONE else "",
                family_phone=_phone(drawn.phones[drawn.head[at]]) if given_to else "",
                email=_email(family[at], given[at], born, at),
                other_email=_email(given[at], "", born, at) if second < _SECOND_EMAIL else "",
                national_id=ids[at],
                birth_date=born.isoformat(),
                address=homes[drawn.home[at]],
                old_address=former[at] if moved < _MOVED else "",
            )
        )
    return humans


def _draw(rng: Generator, people: int) -> _Drawn:
    sizes = rng.choice(4, size=people, p=_HOME_SIZES) + 1
    home = np.repeat(np.arange(people), sizes)[:people]
    start = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    head = start[home]
    place = np.arange(people) - head
    # The second of a home is near in age to the first, the others a generation later.
    born = rng.integers(0, 365 * 58, people)
    spouse = np.abs(born[head] + rng.integers(-1500, 1500, people))
    between = rng.integers(365 * 20, 365 * 32, people)
    young = born[head] + between > _LAST_BIRTH
    child = born[head] + np.where(young, -between, between)  # the young live with their parents
    born = np.where(place == 0, born, np.where(place == 1, spouse, child))
    twin = (place == 3) & (rng.random(people) < _TWINS)
    born = np.where(twin, np.concatenate([[0], born[:-1]]), born)
    numbers = rng.permutation(_PHONES)[: 2 * people]
    return _Drawn(
        home=home,
        place=place,
        head=head,
        twin=twin,
        western=(rng.random(people) < _WESTERN)[home],
        born=born,
        phones=numbers[:people],
        old_phones=numbers[people:],
        chances=rng.random((people, 5)),
    )


def _names(rng: Generator, drawn: _Drawn) -> tuple[list[str], list[str]]:
    """Family and given names: children bear the first member's name, twins share their first character."""
    size = len(drawn.home)
    own = rng.choice(len(FAMILY), size=size, p=common_first(FAMILY))
    west_own = rng.choice(len(WESTERN_FAMILY), size=size, p=common_first(WESTERN_FAMILY))
    # In the West half of the spouses take the name; in China the children only.
    inherits = (drawn.place > 1) | (drawn.western & (drawn.place == 1) & (drawn.chances[:, 4] < 0.5))
    bearer = np.where(inherits, drawn.head, np.arange(size))
    first, second = (rng.choice(len(GIVEN), size=size, p=common_first(GIVEN)) for _ in range(2))
    first = np.where(drawn.twin, np.concatenate([[0], first[:-1]]), first)
    single = rng.random(size) < 0.17
    single &= ~drawn.twin & ~np.concatenate([drawn.twin[1:], [False]])
    west = rng.choice(len(WESTERN_GIVEN), size=size, p=common_first(WESTERN_GIVEN))
    family = [
        WESTERN_FAMILY[west_own[b]] if w else FAMILY[own[b]]
        for b, w in zip(bearer, drawn.western, strict=True)
    ]
    given = [
        WESTERN_GIVEN[n] if w else GIVEN[one] + ("" if alone else GIVEN[two])
        for n, w, one, two, alone in zip(west, drawn.western, first, second, single, strict=True)
    ]
    return family, given


def _phone(number: int) -> str:
    return f"{PHONE_PREFIX}{number:07d}"


def _email(first: str, second: str, born: date, serial: int) -> str:
    """An address of its own: the name in Latin letters, and a number that is not taken."""
    name = f"{latin(first)}.{latin(second)}" if second else latin(first)
    plain = re.sub("[^a-z.]", "", name.lower())
    return f"{plain}{born:%y}{serial:x}@{EMAIL_HOSTS[serial % len(EMAIL_HOSTS)]}"


def _addresses(rng: Generator, size: int) -> list[str]:
    known = places()
    place, road, compound, number, building, stairs, floor, door = (
        rng.integers(low, high, size).tolist()
        for low, high in (
            (0, len(known)), (0, len(ROADS)), (0, 2 * len(COMPOUNDS)), (1, 400),
            (1, 30), (1, 6), (1, 33), (1, 5),
        )
    )  # fmt: skip
    return [
        f"{''.join(known[place[at]])}{ROADS[road[at]]}{number[at]}号"
        f"{COMPOUNDS[compound[at]] if compound[at] < len(COMPOUNDS) else ''}"
        f"{building[at]}号楼{stairs[at]}单元{floor[at]}{door[at]:02d}室"
        for at in range(size)
    ]


def _national_ids(rng: Generator, born: Ints) -> list[str]:
    """Numbers that nobody shares: the serials of a birthday are dealt out from a shuffled thousand."""
    serials = rng.permutation(1000)
    begins = rng.integers(0, 1000, int(born.max()) + 1)
    dealt: dict[int, int] = {}
    found = []
    for day in born.tolist():
        turn = dealt[day] = dealt.get(day, -1) + 1
        birth = _FIRST_BIRTH + timedelta(days=day)
        body = f"{REGION_CODE}{birth:%Y%m%d}{serials[(begins[day] + turn) % 1000]:03d}"
        found.append(body + check_character(body))
    return found
