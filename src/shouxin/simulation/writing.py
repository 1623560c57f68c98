"""How a channel writes a person: typed on a telephone, copied by a clerk, heard on the line.

Every decision takes its chance from ``rolls``, numbers in [0, 1) drawn beforehand for that record, so that
the same seed writes the same bytes. Nothing here is tuned to whoever will match the records.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from shouxin.simulation.names import LOOK_ALIKE, NICKNAMES, homophones

CHANNELS = ("app", "web", "store", "phone")
ROLLS = 20
_FULL_WIDTH = {ord("0") + n: 0xFF10 + n for n in range(10)}
_UNSUBSCRIBED = 4  # the first digits of every telephone number, which no slip may touch


@dataclass(frozen=True, slots=True)
class Human:
    """A made-up person as they are. ``family_phone`` and ``old_...`` are empty where there is none."""

    family: str
    given: str
    western: bool  # the name is written in Latin letters
    phone: str
    old_phone: str
    family_phone: str
    email: str
    other_email: str
    national_id: str
    birth_date: str  # ISO
    address: str
    old_address: str


@dataclass(frozen=True, slots=True)
class Habits:
    """The share of a channel's records that hold each field."""

    phone: float
    email: float
    national_id: float
    birth_date: float
    address: float


HABITS: Mapping[str, Habits] = {
    "app": Habits(0.95, 0.64, 0.50, 0.45, 0.66),
    "web": Habits(0.88, 0.85, 0.45, 0.50, 0.82),
    "store": Habits(0.92, 0.40, 0.40, 0.60, 0.82),
    "phone": Habits(0.95, 0.45, 0.42, 0.50, 0.80),
}
_EMAIL_ONLY = 0.04  # of the app's records: a name and an e-mail address, nothing else


def write_person(human: Human, channel: str, rolls: Sequence[float]) -> dict[str, str]:
    """The personal values of one registration; always a name, and a phone, an e-mail or a national id."""
    habits = HABITS[channel]
    name = _name(human, channel, rolls[:4])
    if channel == "app" and rolls[4] < _EMAIL_ONLY:
        return {"name": name, "email": human.email}
    written = {"name": name}
    if rolls[5] < habits.phone:
        written["phone"] = _phone(human, channel, rolls[6:9])
    if rolls[9] < habits.email:
        written["email"] = _email(human, channel, rolls[10])
    if rolls[11] < habits.national_id:
        written["national_id"] = _copied(human.national_id, channel, rolls[12])
    if rolls[13] < habits.birth_date:
        written["birth_date"] = human.birth_date
    if rolls[14] < habits.address:
        written["address"] = _address(human, channel, rolls[15:18])
    if written.keys().isdisjoint({"phone", "email", "national_id"}):
        written["phone"] = _phone(human, channel, rolls[6:9])
    return written


def _name(human: Human, channel: str, rolls: Sequence[float]) -> str:
    if human.western:
        return _western_name(human, rolls)
    slip: Callable[[str, float], str] = {"store": _misread, "phone": _misheard}.get(channel, _kept)
    often = {"store": 0.06, "phone": 0.15}.get(channel, 0.0)
    given = slip(human.given, rolls[1]) if rolls[0] < often else human.given
    if rolls[2] < (0.02 if channel in ("app", "web") else 0.005):
        return given if len(given) > 1 else f"小{given}"
    return f"{human.family} {given}" if rolls[3] < 0.02 else human.family + given


def _western_name(human: Human, rolls: Sequence[float]) -> str:
    given = NICKNAMES.get(human.given, human.given) if rolls[0] < 0.10 else human.given
    if rolls[1] < 0.12:
        name = f"{human.family} {given}"
    else:
        name = f"{human.family}, {given}" if rolls[1] < 0.18 else f"{given} {human.family}"
    if rolls[2] < 0.08:
        name = name.replace(" ", "")
    return name.upper() if rolls[3] < 0.12 else name


def _kept(text: str, _roll: float) -> str:
    return text


def _misread(given: str, _roll: float) -> str:
    return "".join(LOOK_ALIKE.get(character, character) for character in given)


def _misheard(given: str, roll: float) -> str:
    """One character becomes another that sounds the same."""
    at = int(roll * len(given))
    others = homophones().get(given[at], "")
    if not others:
        return given
    return given[:at] + others[int(roll * 997) % len(others)] + given[at + 1 :]


def _phone(human: Human, channel: str, rolls: Sequence[float]) -> str:
    number = human.family_phone or human.phone
    if human.old_phone and rolls[0] < (0.45 if channel == "store" else 0.20):
        number = human.old_phone
    if rolls[1] < {"phone": 0.03, "store": 0.015}.get(channel, 0.003):
        at = _UNSUBSCRIBED + int(rolls[2] * (len(number) - _UNSUBSCRIBED - 1))
        number = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    if channel == "store" and rolls[2] < 0.10:
        return number.translate(_FULL_WIDTH)
    if rolls[2] > 0.94:
        return f"+86 {number[:3]} {number[3:7]} {number[7:]}"
    return f"{number[:3]}-{number[3:7]}-{number[7:]}" if rolls[2] > 0.90 else number


def _email(human: Human, channel: str, roll: float) -> str:
    email = human.other_email if human.other_email and roll < 0.35 else human.email
    return email.upper() if channel in ("store", "phone") and roll > 0.9 else email


def _copied(number: str, channel: str, roll: float) -> str:
    if channel == "store" and roll < 0.10:
        return number.translate(_FULL_WIDTH)
    return number.lower() if roll > 0.7 else number


def _address(human: Human, channel: str, rolls: Sequence[float]) -> str:
    address = human.old_address if human.old_address and rolls[0] < 0.40 else human.address
    if channel in ("store", "phone") and rolls[1] < 0.35:
        address = _abbreviated(address)
    if channel == "store" and rolls[2] < 0.15:
        return address.translate(_FULL_WIDTH)
    return address.replace("号", "号 ", 1) if rolls[2] > 0.95 else address


def _abbreviated(address: str) -> str:
    """As a hurried clerk writes: no province, and dashes for building, stairs and door."""
    for mark in ("省", "自治区"):
        head, found, tail = address.partition(mark)
        if found and len(head) <= 6:
            address = tail
            break
    return address.replace("号楼", "-").replace("单元", "-").removesuffix("室")
