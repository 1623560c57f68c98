"""Disclosure: everything personal that is known of a customer, in clear, because they asked for it."""

from shouxin.identity.disclosure.domain import DisclosureRefusal, DisclosureRefusalReason, PersonalValue
from shouxin.identity.disclosure.service import disclose

__all__ = ["DisclosureRefusal", "DisclosureRefusalReason", "PersonalValue", "disclose"]
