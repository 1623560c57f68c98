"""Masking: enough of a value to recognise it beside the customer, too little to learn it from us."""

from __future__ import annotations

import re

_STARS = "****"
_YEAR = re.compile(r"\d{4}(?=\D|\d{4}$)")
_MOBILE = re.compile(r"(?:\+|00)?(?:86)?[\s-]*(1\d{10})")
_HAN = re.compile(r"[\u3400-\u9fff]")
_IDENTITY_LENGTH_MIN = 12
_SHORT_IDENTITY_LENGTH_MIN = 8
_LOCAL_PART_LENGTH_MIN = 4
_ADDRESS_LENGTH_MIN = 10
# 浙江省杭州市: a province and a city are six characters in most addresses.
_ADDRESS_SHOWN = 6


def masked(field: str, value: str) -> str:
    """The value of a field as people without a reason see it."""
    return _MASKS[field](value.strip())


def masked_name(name: str) -> str:
    """陈静 is 陈*, 陈文静 is 陈*静, John Smith is J*** S***."""
    if not _HAN.search(name):
        return " ".join(f"{word[0]}***" for word in name.split()) or _STARS
    characters = "".join(name.split())
    if len(characters) == 1:
        return "*"
    if len(characters) == 2:
        return f"{characters[0]}*"
    return f"{characters[0]}{'*' * (len(characters) - 2)}{characters[-1]}"


def masked_phone(phone: str) -> str:
    """13820462046 is 138****2046; other numbers keep how they begin and their last two digits."""
    mobile = _MOBILE.fullmatch(phone.replace(" ", "").replace("-", ""))
    if mobile:
        return f"{mobile.group(1)[:3]}{_STARS}{mobile.group(1)[-4:]}"
    digits = re.sub(r"\D", "", phone)
    if len(digits) < _SHORT_IDENTITY_LENGTH_MIN:
        return _STARS
    sign = "+" if phone.startswith("+") else ""
    return f"{sign}{digits[:2]}{'*' * (len(digits) - 4)}{digits[-2:]}"


def masked_email(email: str) -> str:
    """chenjing@jincheng.example is c***g@jincheng.example; a short local part shows nothing."""
    local, at, domain = email.rpartition("@")
    if not at or not local:
        return _STARS
    if len(local) < _LOCAL_PART_LENGTH_MIN:
        return f"***@{domain}"
    return f"{local[0]}***{local[-1]}@{domain}"


def masked_national_id(number: str) -> str:
    """A mainland number keeps its first and last four characters; a shorter document its ends only."""
    compact = "".join(number.split())
    if len(compact) >= _IDENTITY_LENGTH_MIN:
        return f"{compact[:4]}{'*' * (len(compact) - 8)}{compact[-4:]}"
    if len(compact) >= _SHORT_IDENTITY_LENGTH_MIN:
        return f"{compact[0]}{'*' * (len(compact) - 3)}{compact[-2:]}"
    return _STARS


def masked_address(address: str) -> str:
    """浙江省杭州市.. keeps province and city; a western address keeps its last part (town or country)."""
    if _HAN.search(address):
        return f"{address[:_ADDRESS_SHOWN]}{_STARS}" if len(address) >= _ADDRESS_LENGTH_MIN else _STARS
    _, comma, last = address.rpartition(",")
    last = last.strip()
    return f"{_STARS}, {last}" if comma and last and not any(c.isdigit() for c in last) else _STARS


def masked_birth_date(day: str) -> str:
    """1990-03-05 is 1990****: the year alone; what does not begin with one shows nothing."""
    year = _YEAR.match(day)
    return f"{year.group()}{_STARS}" if year else _STARS


_MASKS = {
    "name": masked_name,
    "phone": masked_phone,
    "email": masked_email,
    "national_id": masked_national_id,
    "birth_date": masked_birth_date,
    "address": masked_address,
}
