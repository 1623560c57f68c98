"""From scored pairs to people: groups grow best pair first, and only while the group as a whole agrees."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

Pair = tuple[int, int]
# One pair speaks for so much and no more: a group is not carried by its two best records.
CAP_BITS = 12.0
# A larger tangle is cut at its weakest ties first.
_GROUP_MAX = 400
_CUT_STEP_BITS = 2.0


def components(count: int, edges: Iterable[Pair]) -> list[list[int]]:
    """Records 0 .. count-1 that edges connect, in groups of two and more, each sorted."""
    parent = list(range(count))

    def root(one: int) -> int:
        while parent[one] != one:
            parent[one] = parent[parent[one]]
            one = parent[one]
        return one

    for left, right in edges:
        parent[max(root(left), root(right))] = min(root(left), root(right))
    groups: dict[int, list[int]] = defaultdict(list)
    for one in range(count):
        groups[root(one)].append(one)
    return [group for group in groups.values() if len(group) > 1]


def manageable(group: list[int], bits: Mapping[Pair, float], *, cut: float) -> list[list[int]]:
    """The group, or a tangle's parts that stronger and stronger ties hold together."""
    groups = [group]
    while any(len(part) > _GROUP_MAX for part in groups):
        cut += _CUT_STEP_BITS
        place = {one: index for index, one in enumerate(group)}
        ties = [
            (place[a], place[b]) for (a, b), tie in bits.items() if a in place and b in place and tie >= cut
        ]
        groups = [[group[index] for index in part] for part in components(len(group), ties)]
    return groups


def capped(bits: float) -> float:
    """What one pair may say, in bits; minus infinity stays, it forbids."""
    return bits if bits == float("-inf") else max(-CAP_BITS, min(CAP_BITS, bits))


def agglomerate(
    group: list[int], weights: Mapping[Pair, float], *, cut: float, sizes: Mapping[int, int] | None = None
) -> list[list[int]]:
    """Divide a group into people: the two parts that agree best on average join, down to ``cut``.

    ``weights`` has every pair of the group (smaller number first), in bits with the prior. Where a member
    stands for several records (``sizes``), its weights are averages over their pairs.
    """
    parts: dict[int, list[int]] = {one: [one] for one in group}
    weight = {one: sizes[one] if sizes else 1 for one in group}
    sums: dict[Pair, float] = {}
    heap: list[tuple[float, int, int]] = []
    for left, right in combinations(sorted(group), 2):
        mean = capped(weights[left, right])
        sums[left, right] = mean * (weight[left] * weight[right])
        heap.append((-sums[left, right] / (weight[left] * weight[right]), left, right))
    heapq.heapify(heap)
    while heap:
        worst, left, right = heapq.heappop(heap)
        if -worst < cut:
            break
        if (left, right) not in sums or -worst != sums[left, right] / (weight[left] * weight[right]):
            continue  # one of them has joined another part since
        joined = parts.pop(right)
        parts[left] = parts[left] + joined
        weight[left] += weight[right]
        for other in parts:
            if other != left:
                kept = _ordered(left, other)
                sums[kept] += sums.pop(_ordered(right, other))
                heapq.heappush(heap, (-sums[kept] / (weight[kept[0]] * weight[kept[1]]), *kept))
        sums.pop((left, right))
    return [sorted(part) for part in parts.values()]


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
