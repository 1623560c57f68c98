"""Likeness: people found by match weights, among customers who are one already for better reasons."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

from shouxin.identity.domain.clustering import agglomerate, capped, components, manageable
from shouxin.identity.domain.encoding import Encoded
from shouxin.identity.domain.weighing import MICRO, LinkageWeights, weigh

_NEVER = float("-inf")
_STRANGERS = -1e9


@dataclass(frozen=True, slots=True)
class Likeness:
    """Encoded records, and the pairs of customers among them that weigh ``review_from`` and more.

    ``pairs`` are (smaller id, greater id) -> micro-bits.
    """

    weights: LinkageWeights
    records: Mapping[str, Encoded] = field(default_factory=dict)
    pairs: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def bits(self, one: str, other: str) -> float:
        """What two customers' records say, in bits; of a record that is not known nothing is said."""
        if one not in self.records or other not in self.records:
            return 0.0
        known = self.pairs.get((one, other) if one < other else (other, one))
        if known is None:
            known = weigh(self.records[one], self.records[other], weights=self.weights).micro_bits
        return _STRANGERS if known is None else known / MICRO


@dataclass(frozen=True, slots=True)
class Possible:
    """Two customers who may be one: too little to merge them, enough to look. ``bits`` is the average."""

    one_id: str
    other_id: str
    bits: float


@dataclass(frozen=True, slots=True)
class Alike:
    """``joins``: groups of roots that are one person. ``possible``: pairs of roots that may be."""

    joins: tuple[tuple[str, ...], ...]
    possible: tuple[Possible, ...]


def alike(
    people: Mapping[str, Sequence[str]], *, likeness: Likeness, apart: Callable[[str, str], bool]
) -> Alike:
    """Join people (root -> customers) who agree on average; ``apart`` tells roots that never are one.

    The answer follows from the sets alone: roots are looked at in the order of their smallest customer.
    """
    roots = sorted(people, key=lambda root: min(people[root]))
    place = {customer: number for number, root in enumerate(roots) for customer in people[root]}
    ties = _ties(likeness.pairs, place)
    joins: list[tuple[str, ...]] = []
    possible: list[Possible] = []
    review, merge = likeness.weights.review_from / MICRO, likeness.weights.merge_from / MICRO
    for group in components(len(roots), ties):
        for part in manageable(group, ties, cut=review):
            between = {
                (a, b): _NEVER
                if apart(roots[a], roots[b])
                else _mean(people[roots[a]], people[roots[b]], likeness)
                for a, b in combinations(part, 2)
            }
            _doubt(between, part, merge=merge)
            sizes = {one: len(people[roots[one]]) for one in part}
            found = agglomerate(part, between, cut=merge, sizes=sizes)
            joins += [tuple(roots[one] for one in person) for person in found if len(person) > 1]
            possible += _possible(found, between, sizes, roots, ties=ties, review=review)
    return Alike(tuple(joins), tuple(possible))


def _doubt(between: dict[tuple[int, int], float], part: Sequence[int], *, merge: float) -> None:
    """Who could be either of two who are not one person is merged with neither: somebody must look."""
    forbidden = [pair for pair, bits in between.items() if bits == _NEVER]
    doubtful = set()
    for one, other in forbidden:
        for third in part:
            if third not in {one, other}:
                ties = [_key(third, one), _key(third, other)]
                if all(between[tie] >= merge for tie in ties):
                    doubtful |= set(ties)
    for tie in doubtful:
        between[tie] = merge - 1 / MICRO


def _key(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)


def _ties(pairs: Mapping[tuple[str, str], int], place: Mapping[str, int]) -> dict[tuple[int, int], float]:
    """The strongest pair between two people, in bits."""
    found: dict[tuple[int, int], float] = {}
    for (one, other), micro_bits in pairs.items():
        a, b = place[one], place[other]
        if a != b:
            tie = _key(a, b)
            found[tie] = max(micro_bits / MICRO, found.get(tie, _NEVER))
    return found


def _mean(ones: Sequence[str], others: Sequence[str], likeness: Likeness) -> float:
    found = [capped(likeness.bits(one, other)) for one, other in product(sorted(ones), sorted(others))]
    return sum(found) / len(found)


def _possible(
    found: Iterable[Sequence[int]],
    between: Mapping[tuple[int, int], float],
    sizes: Mapping[int, int],
    roots: Sequence[str],
    *,
    ties: Mapping[tuple[int, int], float],
    review: float,
) -> list[Possible]:
    """Pairs of the people that were found whose average is worth a look and who are tied by a pair."""
    likely = []
    for ones, others in combinations(list(found), 2):
        pairs = [_key(a, b) for a, b in product(ones, others)]
        if not any(pair in ties for pair in pairs):
            continue
        count = sum(sizes[a] * sizes[b] for a, b in pairs)
        mean = sum(between[pair] * sizes[pair[0]] * sizes[pair[1]] for pair in pairs) / count
        if mean >= review:
            likely.append(Possible(roots[ones[0]], roots[others[0]], mean))
    return likely
