"""Policies: what a source may send without consent, and what our own reading needs consent for.

A policy is data: for a kind of event, or for a personal field, the purpose that it needs and what
happens without it. What is not named needs no consent, because the order can not be carried out
without it (PIPL, art. 13, no. 2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from shouxin.governance.domain import SEALED_FIELDS, TOKEN_FIELDS
from shouxin.ingestion.consent.domain.ledger import PURPOSES, WORD_KINDS
from shouxin.ingestion.domain import KINDS

PERSONAL_FIELDS = (*SEALED_FIELDS, *TOKEN_FIELDS)
# By these a customer is known and verified; an event that lost one would say something else.
_NEVER_LEFT_OUT = {"name", "phone", "email", "national_id"}


class Without(StrEnum):
    """What becomes of an event, or of a field, whose purpose the customer has not agreed to."""

    REFUSE = "refuse"
    DROP_FIELD = "drop_field"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True)
class Requirement:
    """The purpose that something is for, and what happens without consent to it."""

    purpose: str
    without: Without


@dataclass(frozen=True, slots=True)
class ConsentPolicy:
    """What each kind of event and each personal field needs; an empty one asks for nothing."""

    kinds: Mapping[str, Requirement]
    fields: Mapping[str, Requirement]

    @property
    def asks_for_something(self) -> bool:
        """Whether any event can be refused or lose a field by it."""
        needs = (*self.kinds.values(), *self.fields.values())
        return any(need.without is not Without.ACCEPT for need in needs)

    def as_data(self) -> dict[str, Any]:
        """The policy as JSON data, the way ``read_policy`` takes it."""
        return {
            part: {
                name: {"purpose": need.purpose, "without": need.without.value}
                for name, need in sorted(needs.items())
            }
            for part, needs in (("kinds", self.kinds), ("fields", self.fields))
        }


class UnableToReadConsentPolicy(ValueError):
    """A policy that can not be understood; the message says where and how to mend it."""


_REFUSE, _DROP = Without.REFUSE, Without.DROP_FIELD

# What a source asks for that turns the requirement on and names nothing else.
STANDARD_POLICY = ConsentPolicy(
    kinds=MappingProxyType(
        {
            "login_recorded": Requirement("behaviour", _REFUSE),
            "product_viewed": Requirement("behaviour", _REFUSE),
            "cart_changed": Requirement("behaviour", _REFUSE),
            "external_score_received": Requirement("external_data", _REFUSE),
            "survey_answered": Requirement("survey", _REFUSE),
        }
    ),
    fields=MappingProxyType(
        {
            "device": Requirement("payment_and_address", _DROP),
            "card": Requirement("payment_and_address", _DROP),
            "delivery_address": Requirement("payment_and_address", _DROP),
            "birth_date": Requirement("credit_assessment", _DROP),
        }
    ),
)
NO_POLICY = ConsentPolicy(MappingProxyType({}), MappingProxyType({}))

# Facts of a credit contract itself: who owes keeps owing, whatever consent is taken back (art. 13, no. 2).
_CONTRACT_KINDS = frozenset(
    {"line_opened", "line_limit_changed", "instalment_due", "instalment_overdue", "repayment_received"}
)


def purposes_of_use(kinds: Iterable[str], fields: Iterable[str] = ()) -> frozenset[str]:
    """The purposes that must not be withdrawn for a credit feature to read these kinds and personal fields.

    All but the facts of the credit contract are read for ``credit_assessment``; beside it each for the
    purpose that the standard policy names.
    """
    read = set(kinds)
    needs = [STANDARD_POLICY.kinds[kind].purpose for kind in read & STANDARD_POLICY.kinds.keys()]
    needs += [STANDARD_POLICY.fields[field].purpose for field in set(fields) & STANDARD_POLICY.fields.keys()]
    return frozenset(needs) | ({"credit_assessment"} if read - _CONTRACT_KINDS else set())


def read_policy(data: Any) -> ConsentPolicy:
    """A policy from JSON data: ``{"kinds": {kind: {"purpose", "without"}}, "fields": {..}}``.

    Raises UnableToReadConsentPolicy.
    """
    if not isinstance(data, dict) or not set(data) <= {"kinds", "fields"}:
        raise UnableToReadConsentPolicy('a policy is a JSON object with "kinds" and "fields"')
    kinds = _requirements(data.get("kinds", {}), "kinds", known=KINDS, allowed={_REFUSE, Without.ACCEPT})
    fields = _requirements(data.get("fields", {}), "fields", known=PERSONAL_FIELDS, allowed=set(Without))
    if taken := kinds.keys() & set(WORD_KINDS):
        raise UnableToReadConsentPolicy(f"kinds/{min(taken)}: the word of a customer needs no consent")
    for name, need in fields.items():
        if name in _NEVER_LEFT_OUT and need.without is _DROP:
            raise UnableToReadConsentPolicy(
                f"fields/{name}: customers are known by it, so it can not be left out; use refuse or accept"
            )
    return ConsentPolicy(MappingProxyType(kinds), MappingProxyType(fields))


def _requirements(
    data: Any, part: str, *, known: Iterable[str], allowed: set[Without]
) -> dict[str, Requirement]:
    if not isinstance(data, dict):
        raise UnableToReadConsentPolicy(f"{part}: not a JSON object")
    names = sorted(known)
    found = {}
    for name, need in data.items():
        place = f"{part}/{name}"
        if name not in names:
            raise UnableToReadConsentPolicy(f"{place}: unknown; known are {', '.join(names)}")
        if not isinstance(need, dict) or set(need) != {"purpose", "without"}:
            raise UnableToReadConsentPolicy(f'{place}: say its "purpose" and what happens "without"')
        if need["purpose"] not in tuple(PURPOSES):
            raise UnableToReadConsentPolicy(f"{place}: the purpose is one of {', '.join(PURPOSES)}")
        if need["without"] not in {one.value for one in allowed}:
            choices = ", ".join(sorted(allowed))
            raise UnableToReadConsentPolicy(f"{place}: without is one of {choices}")
        found[name] = Requirement(need["purpose"], Without(need["without"]))
    return found
