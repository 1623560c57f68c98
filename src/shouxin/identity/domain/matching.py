"""Matching: which customers are one person, on verified identifiers only, and when we must not say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

# Strongest first: a national id decides, a phone or an e-mail may be shared by a household.
MATCHING_FIELDS = ("national_id", "phone", "email")
# A family shares a phone. One that more accounts than this have verified is a shop's, a service's or a
# farm's: it tells nothing about who somebody is.
SHARED_BY_MAX = 20


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
    """An identifier that would make people with different national ids one, that more than SHARED_BY_MAX
    share, or one person with two national ids.

    Nobody is merged by it; somebody must look. ``customer_ids`` names SHARED_BY_MAX at most.
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

    Customers who share a national id are one. Then phones are looked at, all together, then e-mails:
    those who share one are one person, unless that would make people with different national ids one,
    directly or through others; then none of the phones (e-mails) on the way merges anybody. The answer
    follows from the set of identifiers alone.
    """
    holders: dict[str, dict[str, set[str]]] = {field: defaultdict(set) for field in MATCHING_FIELDS}
    for identifier in identifiers:
        holders[identifier.field][identifier.token].add(identifier.customer_id)
    people = _People(age)
    for token, customers in sorted(holders["national_id"].items()):
        people.identify(token, customers)
    for field in MATCHING_FIELDS[1:]:
        people.join_by(field, holders[field])
    return people.matching()


class _People:
    """Customers on their way to becoming people: each points to an older one that it is."""

    def __init__(self, age: Mapping[str, int]) -> None:
        self._age = age
        self._older: dict[str, str] = {}
        self._national_ids: dict[str, set[str]] = defaultdict(set)
        self._merges: list[Merge] = []
        self._conflicts: list[Conflict] = []

    def identify(self, token: str, customers: set[str]) -> None:
        """The holders of one national id are one person."""
        eldest = self._join("national_id", token, customers)
        self._national_ids[eldest].add(token)

    def join_by(self, field: str, holders: Mapping[str, set[str]]) -> None:
        """Make the holders of every identifier of one field one person each, or note the conflicts."""
        joining = _Groups()
        crowds = {token for token, customers in holders.items() if len(customers) > SHARED_BY_MAX}
        for token in sorted(holders.keys() - crowds):
            joining.add(token, {self._root(customer) for customer in holders[token]})
        for tokens, roots in joining.together():
            if sum(root in self._national_ids for root in roots) > 1:
                crowds |= tokens
            else:
                for token in sorted(tokens):
                    self._join(field, token, holders[token])
        for token in crowds:
            eldest = self._eldest_first(holders[token])[:SHARED_BY_MAX]
            if len(eldest) > 1:
                self._conflicts.append(Conflict(field, token, tuple(eldest)))

    def matching(self) -> Matching:
        """The merges, each straight to the customer that stays, and the conflicts."""
        merges = tuple(
            Merge(merge.absorbed_id, self._root(merge.customer_id), merge.field, merge.token)
            for merge in self._merges
        )
        doubles = [
            Conflict("national_id", max(tokens), (customer_id,))
            for customer_id, tokens in self._national_ids.items()
            if len(tokens) > 1
        ]
        shared = [
            Conflict(
                conflict.field, conflict.token, tuple(sorted(set(map(self._root, conflict.customer_ids))))
            )
            for conflict in self._conflicts
        ]
        ranked = sorted([*shared, *doubles], key=lambda c: (c.field, c.token, c.customer_ids))
        return Matching(merges, tuple(ranked))

    def _join(self, field: str, token: str, customers: set[str]) -> str:
        """Make these one person and return who stays."""
        eldest, *others = self._eldest_first(customers)
        for younger in others:
            self._older[younger] = eldest
            self._merges.append(Merge(younger, eldest, field, token))
            if younger in self._national_ids:
                self._national_ids[eldest] |= self._national_ids.pop(younger)
        return eldest

    def _eldest_first(self, customers: set[str]) -> list[str]:
        return sorted({self._root(customer) for customer in customers}, key=self._age.__getitem__)

    def _root(self, customer_id: str) -> str:
        while customer_id in self._older:
            customer_id = self._older[customer_id]
        return customer_id


class _Groups:
    """Identifiers and the people they would make one, gathered into groups that touch nowhere."""

    def __init__(self) -> None:
        self._groups: dict[int, tuple[set[str], set[str]]] = {}
        self._group_of: dict[str, int] = {}

    def add(self, token: str, roots: set[str]) -> None:
        """An identifier that all these people hold."""
        touched = sorted({self._group_of[root] for root in roots if root in self._group_of})
        tokens, members = {token}, set(roots)
        for number in touched:
            more_tokens, more_members = self._groups.pop(number)
            tokens |= more_tokens
            members |= more_members
        number = len(self._group_of) if not touched else touched[0]
        self._groups[number] = (tokens, members)
        self._group_of.update(dict.fromkeys(members, number))

    def together(self) -> list[tuple[set[str], set[str]]]:
        """(identifiers, people) of every group, in a settled order."""
        return sorted(self._groups.values(), key=lambda group: min(group[0]))
