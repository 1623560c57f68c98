"""What a registration must say, and how it becomes an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import msgspec

from shouxin.ingestion.domain.checking import check_envelope
from shouxin.ingestion.domain.normalising import (
    Normal,
    Problem,
    normal_bank_card,
    normal_business_code,
    normal_date,
    normal_email,
    normal_name,
    normal_national_id,
    normal_phone,
    parse_address,
)
from shouxin.ingestion.domain.normalising.problems import problem_text
from shouxin.ingestion.domain.receipts import Fact, Refusal
from shouxin.kernel import Bilingual

# How the quarantine names refused registrations, so that they are read again by these rules.
ADAPTER = "registration"
PERSONAL_FIELDS = ("name", "phone", "email", "national_id", "birth_date", "address", "card")
FIELDS = ("customer_ref", "channel", "region", "registered_at", "business_code", *PERSONAL_FIELDS)
_OLDEST_YEARS = 130
_CHECKS = {
    "name": normal_name,
    "phone": normal_phone,
    "email": normal_email,
    "national_id": normal_national_id,
    "birth_date": normal_date,
    "card": normal_bank_card,
    "business_code": normal_business_code,
}
NO_WAY_TO_KNOW = Bilingual(
    "手机、邮箱、身份证号至少填写一项。", "Give a phone, an e-mail or a national id: one of them at least."
)
_MISSING = Bilingual("未填写。", "missing")
NOT_BORN = Bilingual("出生日期不可能。", "Nobody alive was born on this day.")
TWO_BIRTHDAYS = Bilingual("出生日期与身份证号不符。", "It is not the birthday that the national id says.")
ID_IN_USE = Bilingual(
    "该证件号已在本店注册过，请让客户使用原账户。",
    "This national id is registered at this shop already; let the customer use that account.",
)
OTHER_VALUES = Bilingual(
    "该客户编号已注册，且资料不同；请发送 customer_updated 事件。",
    "This reference is registered already, with other values; send a customer_updated event.",
)
SHARED = Bilingual("本店另有账户使用相同的值。", "Another account of this shop has the same value.")


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong (or doubtful) with one field; never the value."""

    field: str
    text: Bilingual


@dataclass(frozen=True, slots=True)
class Registered:
    """What became of one registration: ``accepted``, ``duplicate`` or ``refused``; and what to tell."""

    customer_ref: str
    outcome: str
    refusals: tuple[FieldProblem, ...] = ()
    warnings: tuple[FieldProblem, ...] = ()


def check(row: Mapping[str, Any], *, now: datetime) -> tuple[list[FieldProblem], list[FieldProblem]]:
    """(refusals, warnings) of a registration, in the order of FIELDS."""
    refusals: list[FieldProblem] = []
    warnings: list[FieldProblem] = []
    if not row.get("name"):
        refusals.append(FieldProblem("name", _MISSING))
    for field, normalise in _CHECKS.items():
        if row.get(field):
            found = normalise(row[field])
            blocking = _blocking(field, found)
            for problem in found.problems:
                told = refusals if problem in blocking else warnings
                told.append(FieldProblem(field, problem_text(problem)))
    if not any(row.get(field) for field in ("phone", "email", "national_id")):
        refusals.append(FieldProblem("phone", NO_WAY_TO_KNOW))
    refusals += _birthday_refusals(row, now=now)
    if row.get("address"):
        doubts = parse_address(row["address"]).problems
        warnings += [FieldProblem("address", problem_text(problem)) for problem in doubts]
    order = {name: place for place, name in enumerate(FIELDS)}
    return sorted(refusals, key=lambda p: order[p.field]), sorted(warnings, key=lambda p: order[p.field])


def fact_of(row: Mapping[str, Any], *, source: str, now: datetime) -> Fact | Refusal:
    """The event of a registration, or the first reason why there is none. The values stay as they came."""
    refusals, _ = check(row, now=now)
    if refusals:
        return Refusal(f"personal/{refusals[0].field}", refusals[0].text.en)
    return event_of(row, source=source, now=now)


def event_of(row: Mapping[str, Any], *, source: str, now: datetime) -> Fact | Refusal:
    """The event of a registration whose values have passed ``check``."""
    payload = {"channel": row.get("channel") or "web", "region": row.get("region") or None}
    payload["business_code"] = row.get("business_code") or None
    reference = str(row.get("customer_ref") or "")
    envelope = {
        "source_id": f"registration/{reference}",
        "kind": "customer_registered",
        "version": 1,
        "customer_ref": reference,
        "occurred_at": row.get("registered_at") or now.isoformat(),
        "payload": {name: value for name, value in payload.items() if value},
        "personal": {name: row[name] for name in PERSONAL_FIELDS if row.get(name)},
    }
    if not reference:
        return Refusal("customer_ref", "missing")
    return check_envelope(msgspec.json.encode(envelope), now=now, source=source)


def _blocking(field: str, found: Normal) -> list[Problem]:
    """The problems with which the field can not be taken: here an ambiguous birthday is one."""
    more = {Problem.AMBIGUOUS_DATE} if field == "birth_date" else set()
    return [problem for problem in found.problems if problem in found.refusals or problem in more]


def _birthday_refusals(row: Mapping[str, Any], *, now: datetime) -> list[FieldProblem]:
    told = normal_date(row.get("birth_date") or "").value
    proved = normal_national_id(row.get("national_id") or "").parts.get("birth_date")
    refusals = []
    for field, day in (("birth_date", told), ("national_id", proved)):
        if day and not 0 <= (now.date() - date.fromisoformat(day)).days < _OLDEST_YEARS * 366:
            refusals.append(FieldProblem(field, NOT_BORN))
    if told and proved and told != proved:
        refusals.append(FieldProblem("birth_date", TWO_BIRTHDAYS))
    return refusals
