"""Matching: which customers are one person, the strongest evidence first, and when we must not say so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shouxin.identity.domain.likeness import Likeness, Possible, alike
from shouxin.identity.domain.ruling import Standing

# Strongest first: a national id decides, a phone or an e-mail may be shared by a household.
MATCHING_FIELDS = ("national_id", "phone", "email")
# Merges that no identifier made: an operator's word, and records that agree enough.
RULING, LIKENESS = "ruling", "likeness"
# A family shares a phone. One that more accounts than this have verified is a shop's, a service's or a
# farm's: it tells nothing about who somebody is.
SHARED_BY_MAX = 20

NO_RULINGS = Standing({}, frozenset())


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
    """What follows from a set of evidence: merges, conflicts, and pairs that may be one person."""

    merges: tuple[Merge, ...]
    conflicts: tuple[Conflict, ...]
    possible: tuple[Possible, ...] = ()


def match(
    identifiers: Iterable[Identifier],
    *,
    age: Mapping[str, int],
    rulings: Standing = NO_RULINGS,
    likeness: Likeness | None = None,
) -> Matching:
    """Who is one person. ``age`` numbers customers by when we came to know them: the oldest stays.

    Customers who share a national id are one. Then what operators ruled to be one; then phones are looked
    at, all together, then e-mails: those who share one are one person, unless that would make people with
    different national ids one, directly or through others; then none of the phones (e-mails) on the way
    merges anybody. Then those whose records agree enough as a group. Nobody joins customers who were ruled
    to be two. The answer follows from the sets alone.
    """
    holders: dict[str, dict[str, set[str]]] = {field: defaultdict(set) for field in MATCHING_FIELDS}
    for identifier in identifiers:
        holders[identifier.field][identifier.token].add(identifier.customer_id)
    people = _People(age, rulings.different)
    for token, customers in sorted(holders["national_id"].items()):
        people.identify(token, customers)
    people.join_by(RULING, {f"{number}:{pair[1]}": set(pair) for pair, number in rulings.same.items()})
    for field in MATCHING_FIELDS[1:]:
        people.join_by(field, holders[field])
    if likeness is not None:
        people.join_alike(likeness)
    return people.matching()


class _People:
    """Customers on their way to becoming people: each points to an older one that it is."""

    def __init__(self, age: Mapping[str, int], different: Iterable[tuple[str, str]]) -> None:
        self._age = age
        self._older: dict[str, str] = {}
        self._national_ids: dict[str, set[str]] = defaultdict(set)
        # Of a root: the customers that nobody of its group may be.
        self._strangers: dict[str, set[str]] = defaultdict(set)
        for one, other in different:
            self._strangers[one].add(other)
            self._strangers[other].add(one)
        # Of a root: the identifiers that merged nobody because they would have merged too much.
        self._contested: dict[str, set[str]] = defaultdict(set)
        self._merges: list[Merge] = []
        self._conflicts: list[Conflict] = []
        self._possible: tuple[Possible, ...] = ()

    def identify(self, token: str, customers: set[str]) -> None:
        """The holders of one national id are one person."""
        for group in self._compatible(customers):
            self._national_ids[self._join("national_id", token, group)].add(token)

    def join_by(self, field: str, holders: Mapping[str, set[str]]) -> None:
        """Make the holders of every identifier of one field one person each, or note the conflicts."""
        joining = _Groups()
        crowds = {token for token, customers in holders.items() if len(customers) > SHARED_BY_MAX}
        groups = {token: self._compatible(holders[token]) for token in sorted(holders.keys() - crowds)}
        for token, parts in groups.items():
            for part in parts:
                joining.add(token, part)
        for tokens, roots in joining.together():
            if sum(root in self._national_ids for root in roots) > 1:
                crowds |= tokens
                continue
            held = [(token, part) for token in sorted(tokens) for part in groups[token] if part <= roots]
            for token, part in held:
                for group in self._compatible(part):
                    self._join(field, token, group)
        for token in sorted(crowds):
            self._contest(field, token, holders[token])

    def _contest(self, field: str, token: str, customers: set[str]) -> None:
        """An identifier that must merge nobody: note it, and let no likeness of its holders merge them."""
        eldest = self._eldest_first(customers)
        if len(customers) <= SHARED_BY_MAX:
            for root in eldest:
                self._contested[root].add(token)
        if len(eldest) > 1:
            self._conflicts.append(Conflict(field, token, tuple(eldest[:SHARED_BY_MAX])))

    def join_alike(self, likeness: Likeness) -> None:
        """Make those one whose records agree enough, as groups; keep what is worth a look."""
        people: dict[str, list[str]] = defaultdict(list)
        for customer in self._age:
            people[self._root(customer)].append(customer)
        found = alike(people, likeness=likeness, apart=self._are_two)
        for roots in found.joins:
            eldest = min(roots, key=self._age.__getitem__)
            self._join(LIKENESS, eldest, set(roots))
        self._possible = found.possible

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
        possible = tuple(
            Possible(self._root(pair.one_id), self._root(pair.other_id), pair.bits) for pair in self._possible
        )
        return Matching(merges, tuple(ranked), possible)

    def _are_two(self, one: str, other: str) -> bool:
        """Whether records may not make two roots one: different national ids, a conflict, or a ruling."""
        proven = one in self._national_ids and other in self._national_ids
        contested = self._contested.get(one, set()) & self._contested.get(other, set())
        return proven or bool(contested) or self._ruled_apart(one, other)

    def _compatible(self, customers: Iterable[str]) -> list[set[str]]:
        """The roots of these customers in groups that hold no two of whom it was ruled that they are two."""
        groups: list[list[str]] = []
        for root in self._eldest_first(customers):
            fitting = (g for g in groups if not any(self._ruled_apart(root, one) for one in g))
            group = next(fitting, None)
            if group is None:
                groups.append(group := [])
            group.append(root)
        return [set(group) for group in groups]

    def _ruled_apart(self, one: str, other: str) -> bool:
        return any(self._root(stranger) == other for stranger in self._strangers.get(one, ()))

    def _join(self, field: str, token: str, customers: set[str]) -> str:
        """Make these one person and return who stays."""
        eldest, *others = self._eldest_first(customers)
        for younger in others:
            self._older[younger] = eldest
            self._merges.append(Merge(younger, eldest, field, token))
            if younger in self._national_ids:
                self._national_ids[eldest] |= self._national_ids.pop(younger)
            for held in (self._strangers, self._contested):
                if younger in held:
                    held[eldest] |= held.pop(younger)
        return eldest

    def _eldest_first(self, customers: Iterable[str]) -> list[str]:
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
