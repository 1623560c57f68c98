"""FP-growth: every set of items that enough baskets hold, found without making candidates.

Han, Pei, Yin (2000): baskets are put into a prefix tree with the commonest items first; the sets that end in
an item are grown from the paths that lead to it. Equal baskets are one path with their count, so a shop of a
million customers and thirty items is a tree of some thousand nodes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

Basket = tuple[int, ...]
Weighted = tuple[Basket, int]


@dataclass(slots=True)
class _Node:
    item: int
    parent: _Node | None
    count: int = 0
    children: dict[int, _Node] = field(default_factory=dict)


def frequent_sets(
    baskets: Iterable[Weighted], *, count_min: int, length_max: int | None = None
) -> dict[Basket, int]:
    """Each set of items (ascending) that at least ``count_min`` baskets hold, with how many do.

    A basket comes with how often it occurred; an item counts once a basket.
    """
    assert count_min >= 1, "a set that nobody has is not frequent"
    given = [(tuple(sorted(set(basket))), count) for basket, count in baskets]
    return dict(_grown(given, (), count_min=count_min, length_max=length_max))


def _grown(
    baskets: list[Weighted], suffix: Basket, *, count_min: int, length_max: int | None
) -> Iterator[tuple[Basket, int]]:
    counts = _counts(baskets, count_min=count_min)
    grows = length_max is None or len(suffix) + 1 < length_max
    nodes_of = _tree(baskets, counts) if grows else {}
    for item in sorted(counts, key=lambda name: (counts[name], name)):
        found = (*suffix, item)
        yield tuple(sorted(found)), counts[item]
        if grows:
            yield from _grown(_paths(nodes_of[item]), found, count_min=count_min, length_max=length_max)


def _counts(baskets: list[Weighted], *, count_min: int) -> Mapping[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for basket, count in baskets:
        for item in basket:
            counts[item] += count
    return {item: count for item, count in counts.items() if count >= count_min}


def _tree(baskets: list[Weighted], counts: Mapping[int, int]) -> dict[int, list[_Node]]:
    """The nodes of each item in the prefix tree, the commonest items nearest to the root."""
    root, nodes = _Node(-1, None), defaultdict[int, list[_Node]](list)
    for basket, count in baskets:
        here = root
        for item in sorted((item for item in basket if item in counts), key=lambda i: (-counts[i], i)):
            step = here.children.get(item)
            if step is None:
                step = here.children[item] = _Node(item, here)
                nodes[item].append(step)
            step.count += count
            here = step
    return nodes


def _paths(nodes: list[_Node]) -> list[Weighted]:
    """The items above each node, as baskets that occurred as often as the node."""
    paths = []
    for node in nodes:
        items, above = [], node.parent
        while above is not None and above.parent is not None:
            items.append(above.item)
            above = above.parent
        if items:
            paths.append((tuple(items), node.count))
    return paths
