"""From scored pairs to people: groups grow best pair first, and only while the group as a whole agrees."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from itertools import combinations

Pair = tuple[int, int]
# One pair speaks for so much and no more: a group is not carried by its two best records.
_CAP_BITS = 12.0


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


def agglomerate(group: list[int], weights: Mapping[Pair, float], *, cut: float) -> list[list[int]]:
    """Divide a group into people: the two parts that agree best on average join, down to ``cut``.

    ``weights`` has every pair of the group (smaller number first), in bits with the prior.
    """
    parts: dict[int, list[int]] = {one: [one] for one in group}
    sums: dict[Pair, float] = {}
    heap: list[tuple[float, int, int]] = []
    for left, right in combinations(sorted(group), 2):
        sums[left, right] = max(-_CAP_BITS, min(_CAP_BITS, weights[left, right]))
        heap.append((-sums[left, right], left, right))
    heapq.heapify(heap)
    while heap:
        worst, left, right = heapq.heappop(heap)
        if -worst < cut:
            break
        if (left, right) not in sums or -worst != _mean(sums, parts, left, right):
            continue  # one of them has joined another part since
        joined = parts.pop(right)
        parts[left] = parts[left] + joined
        for other in parts:
            if other != left:
                kept = _ordered(left, other)
                sums[kept] += sums.pop(_ordered(right, other))
                heapq.heappush(heap, (-_mean(sums, parts, *kept), *kept))
        sums.pop((left, right))
    return [sorted(part) for part in parts.values()]


def _mean(sums: Mapping[Pair, float], parts: Mapping[int, list[int]], left: int, right: int) -> float:
    return sums[left, right] / (len(parts[left]) * len(parts[right]))


def _ordered(one: int, other: int) -> Pair:
    return (one, other) if one < other else (other, one)
