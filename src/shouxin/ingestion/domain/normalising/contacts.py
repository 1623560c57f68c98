"""Phones and e-mails."""

from __future__ import annotations

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from shouxin.ingestion.domain.normalising.problems import Normal, Problem, folded, unusable

HOME_REGION = "CN"
_EXTENSION = re.compile(r"\s*(?:转|轉|分机|ext\.?|x)\s*(\d{1,6})$", re.IGNORECASE)
_MAINLAND = 86
_MOBILE_DIGITS = 11


def normal_phone(text: str, *, region: str = HOME_REGION) -> Normal:
    """A phone as E.164 (ITU-T), with ``;ext=`` where it has an extension; parts country, national, extension.

    ``region`` is where a number without a country prefix belongs. A number of the right length whose
    range is assigned to nobody is doubtful, not refused: numbering plans change.
    """
    given = folded(text)
    if not given:
        return unusable(text, Problem.EMPTY)
    body, extension = given, ""
    if ";ext=" in given:
        body, _, extension = given.partition(";ext=")
    elif found := _EXTENSION.search(given):
        body, extension = given[: found.start()], found.group(1)
    try:
        number = phonenumbers.parse(body, region)
    except phonenumbers.NumberParseException:
        return unusable(text, Problem.NOT_A_PHONE)
    national = phonenumbers.national_significant_number(number)
    short_mobile = (
        number.country_code == _MAINLAND and national.startswith("1") and len(national) != _MOBILE_DIGITS
    )
    wrong_extension = extension and not (extension.isascii() and extension.isdigit())
    if short_mobile or wrong_extension or not phonenumbers.is_possible_number(number):
        return unusable(text, Problem.NOT_A_PHONE)
    value = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    parts = {"country": str(number.country_code), "national": national}
    if extension:
        value, parts = f"{value};ext={extension}", parts | {"extension": extension}
    doubts = () if phonenumbers.is_valid_number(number) else (Problem.PHONE_NOT_ASSIGNED,)
    return Normal(text, value, doubts, parts)


def normal_email(text: str) -> Normal:
    """An e-mail address in lower case (no provider that people use tells case apart); parts user and host."""
    given = folded(text).replace(" ", "")
    if not given:
        return unusable(text, Problem.EMPTY)
    try:
        found = validate_email(given, check_deliverability=False)
    except EmailNotValidError:
        return unusable(text, Problem.NOT_AN_EMAIL)
    value = found.normalized.lower()
    user, _, host = value.rpartition("@")
    return Normal(text, value, (), {"user": user, "host": host})
