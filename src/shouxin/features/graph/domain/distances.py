"""How many steps it is to the nearest *other* customer of whom something bad is known."""

from __future__ import annotations

import numpy as np

from shouxin.features.graph.domain.links import Ints, Links

STEPS_MAX = 3
NONE = 0


def distances(links: Links, *, steps: int = STEPS_MAX) -> Ints:
    """1 for a neighbour who is bad, 2 for a neighbour's neighbour, ...; 0 (``NONE``) where none is so near.

    Everybody keeps the two nearest bad customers, not one: of a bad customer the nearest is herself.
    """
    size = links.customers
    # A name tells distance and customer at once: steps * size + customer; ``far`` is beyond all.
    far = (steps + 1) * size
    own = np.where(links.bad, np.arange(size, dtype=np.int64), far)
    nearest, second = own, np.full(size, far, dtype=np.int64)
    by_token, by_customer = _grouped(links.token), _grouped(links.customer)
    for _ in range(steps):
        token_first, token_second = _two_nearest(
            links.tokens, by_token, (nearest[links.customer], second[links.customer]), far, size
        )
        told = tuple(np.minimum(value[links.token] + size, far) for value in (token_first, token_second))
        heard_first, heard_second = _two_nearest(size, by_customer, told, far, size)
        nearest, second = _merged((nearest, second), (heard_first, heard_second), far, size)
    other = np.where(nearest % size == np.arange(size), second, nearest)
    other = np.where(nearest >= far, far, other)
    found: Ints = np.where(other >= far, NONE, other // size)
    return found


def _grouped(keys: Ints) -> tuple[Ints, Ints, Ints]:
    """(order, starts, names): entries sorted by key, where each key's begin, and the keys."""
    order = np.argsort(keys, kind="stable")
    names, starts = np.unique(keys[order], return_index=True)
    return order, starts, names


def _two_nearest(
    size: int, groups: tuple[Ints, Ints, Ints], told: tuple[Ints, ...], far: int, modulus: int
) -> tuple[Ints, Ints]:
    """Of each group the smallest name told, and the smallest of another customer."""
    order, starts, names = groups
    first = np.full(size, far, dtype=np.int64)
    second = np.full(size, far, dtype=np.int64)
    if not len(names):
        return first, second
    first[names] = np.minimum.reduceat(told[0][order], starts)
    lengths = np.diff(np.append(starts, len(order)))
    taken = np.repeat(first[names] % modulus, lengths)
    least = np.full(len(order), far, dtype=np.int64)
    for values in told:
        candidate = values[order]
        least = np.minimum(least, np.where(candidate % modulus == taken, far, candidate))
    second[names] = np.minimum.reduceat(least, starts)
    return first, second


def _merged(mine: tuple[Ints, Ints], heard: tuple[Ints, Ints], far: int, modulus: int) -> tuple[Ints, Ints]:
    first = np.minimum(mine[0], heard[0])
    taken, second = first % modulus, np.full(len(first), far, dtype=np.int64)
    for values in (*mine, *heard):
        second = np.minimum(second, np.where(values % modulus == taken, far, values))
    return first, second
