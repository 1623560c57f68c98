"""Matching: which customers are one person, on verified identifiers only, and when we must not say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

# Strongest first: a national id decides, a phone or an e-mail may be shared by a household.
MATCHING_FIELDS = ("national_id", "phone", "email")


@dataclass(frozen=True, slots=True)
class Identifier:
    """A customer has shown that this identifier is theirs; ``token`` is its blind name."""

    field: str
    token: str
    customer_id: str


@dataclass(frozen=True, slots=True)
class ReferenceIdentifier:
    """An identifier as it came: verified under one reference of one source."""

    source: str
    customer_ref: str
    field: str
    token: str
    verified_at: datetime


@dataclass(frozen=True, slots=True)
class Merge:
    """``absorbed_id`` was found to be ``customer_id``, by this identifier."""

    absorbed_id: str
    customer_id: str
    field: str
    token: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """An identifier that people with different national ids share, or one person with two national ids.

    Nobody is merged by it; somebody must look.
    """

    field: str
    token: str
    customer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Matching:
    """What follows from a set of identifiers."""

    merges: tuple[Merge, ...]
    conflicts: tuple[Conflict, ...]


def match(identifiers: Iterable[Identifier], *, age: Mapping[str, int]) -> Matching:
    """Who is one person. ``age`` numbers customers by when we came to know them: the oldest stays.

    National ids are looked at first, then phones, then e-mails. Customers who share a national id
    are one. Customers who share a phone or an e-mail are one unless two of them have different
    national ids: then that identifier merges nobody. The order of the input makes no difference.
    """
    holders: dict[tuple[str, str], set[str]] = defaultdict(set)
    for identifier in identifiers:
        holders[identifier.field, identifier.token].add(identifier.customer_id)
    people = _People(age)
    for (field, token), customers in holders.items():
        if field == "national_id":
            for customer_id in customers:
                people.national_ids[customer_id].add(token)
    ranked = sorted(holders, key=lambda key: (MATCHING_FIELDS.index(key[0]), key[1]))
    for field, token in ranked:
        people.join(field, token, holders[field, token])
    return people.matching()


class _People:
    """Customers on their way to becoming people: each points to an older one that it is."""

    def __init__(self, age: Mapping[str, int]) -> None:
        self.national_ids: dict[str, set[str]] = defaultdict(set)
        self._age = age
        self._older: dict[str, str] = {}
        self._merges: list[Merge] = []
        self._conflicts: list[Conflict] = []

    def join(self, field: str, token: str, customers: set[str]) -> None:
        """Make the holders of one identifier one person, or note the conflict."""
        roots = sorted({self._root(customer) for customer in customers}, key=self._age.__getitem__)
        identified = [root for root in roots if self.national_ids[root]]
        if field != "national_id" and len(identified) > 1:
            self._conflicts.append(Conflict(field, token, tuple(roots)))
            return
        eldest = roots[0]
        for younger in roots[1:]:
            self._older[younger] = eldest
            self.national_ids[eldest] |= self.national_ids[younger]
            self._merges.append(Merge(younger, eldest, field, token))

    def matching(self) -> Matching:
        """The merges, each straight to the customer that stays, and the conflicts."""
        merges = tuple(
            Merge(merge.absorbed_id, self._root(merge.customer_id), merge.field, merge.token)
            for merge in self._merges
        )
        doubles = [
            Conflict("national_id", max(tokens), (customer_id,))
            for customer_id, tokens in self.national_ids.items()
            if len(tokens) > 1 and customer_id not in self._older
        ]
        shared = [
            Conflict(conflict.field, conflict.token, tuple(sorted(map(self._root, conflict.customer_ids))))
            for conflict in self._conflicts
        ]
        ranked = sorted([*shared, *doubles], key=lambda c: (c.field, c.token, c.customer_ids))
        return Matching(merges, tuple(ranked))

    def _root(self, customer_id: str) -> str:
        while customer_id in self._older:
            customer_id = self._older[customer_id]
        return customer_id
