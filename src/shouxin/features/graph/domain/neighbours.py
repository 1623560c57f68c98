"""Neighbours: what the customers who share a token with somebody are like.

A customer's own past never counts here: it is in the other features, and counted twice it would look like
a discovery. Everything is whole numbers (shares in millionths), so no order of adding changes a result.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from shouxin.features.graph.domain.links import KINDS, Flags, Ints, Links, incidence

MILLION = 1_000_000
# Two strangers who join within this many days of each other and share a token.
TOGETHER_DAYS = 10
_MICROS_PER_DAY = 86_400_000_000
# What reaches a neighbour's neighbour counts half of what reaches a neighbour.
_DAMPING = 2


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """Who shares tokens with whom: ``shared`` has the number of *kinds* two customers share, no diagonal."""

    shared: sparse.csr_array
    of_kind: dict[str, Ints]

    def counted(self, *, at_least: int = 1) -> Ints:
        """Of each customer, how many others share at least so many kinds of token."""
        return _rows(self.shared, self.shared.data >= at_least)

    def most_kinds(self) -> Ints:
        """The most kinds of token that a customer shares with any one other."""
        return _row_maxima(self.shared)

    def marked(self, flags: Flags) -> Ints:
        """How many neighbours are marked."""
        return _rows(self.shared, flags[self.shared.indices])


def neighbours(links: Links) -> Neighbours:
    """The neighbours by tokens that are no hubs."""
    size = links.customers
    shared = sparse.csr_array((size, size), dtype=np.int64)
    of_kind: dict[str, Ints] = {}
    for number, kind in enumerate(KINDS):
        pairs = incidence(links, of_kind=number)
        met = _without_diagonal(pairs @ pairs.T)
        met.data[:] = 1
        of_kind[kind] = np.diff(met.indptr).astype(np.int64)
        shared = shared + met
    shared.sort_indices()
    return Neighbours(shared, of_kind)


def joined_together(found: Neighbours, first_seen_us: Ints) -> Ints:
    """How many neighbours were first seen within ``TOGETHER_DAYS`` of the customer."""
    rows = np.repeat(np.arange(len(first_seen_us)), np.diff(found.shared.indptr))
    apart = np.abs(first_seen_us[rows] - first_seen_us[found.shared.indices])
    return _rows(found.shared, apart <= TOGETHER_DAYS * _MICROS_PER_DAY)


def badness(links: Links) -> Ints:
    """Badness that reaches a customer over one and two steps, in millionths.

    Every bad customer sends one unit out, in equal parts over her shared tokens and from each in equal
    parts to its other customers, so that one bad user of a device of two weighs more than one of a device
    of fifty; what arrives is sent on once more and counts half. What comes back to the sender is taken off:
    nobody is worse for her own past. This is a personalised PageRank cut after two steps.
    """
    pairs = incidence(links)
    tokens_of = np.maximum(np.diff(pairs.indptr), 1)
    others = np.maximum(links.degrees() - 1, 1)
    # Whole millionths: a product of three of them stays far below 2 ** 63.
    part = np.array(MILLION // others, dtype=np.int64)
    passed = _without_diagonal(pairs @ sparse.diags_array(part, dtype=np.int64) @ pairs.T)
    rows = np.repeat(np.arange(links.customers), np.diff(passed.indptr))
    # Entry (c, n): what c gets of each unit that n has.
    received = passed.copy()
    received.data = passed.data // tokens_of[passed.indices]
    unit = links.bad.astype(np.int64)
    once = np.asarray(received @ unit)
    echo = np.zeros(links.customers, dtype=np.int64)
    np.add.at(echo, rows, received.data * (passed.data // tokens_of[rows]))
    result: Ints = once + (np.asarray(received @ once) - unit * echo) // (_DAMPING * MILLION)
    return result


def _without_diagonal(square: sparse.csr_array) -> sparse.csr_array:
    square = square.tocsr()
    rows = np.repeat(np.arange(square.shape[0]), np.diff(square.indptr))
    square.data[rows == square.indices] = 0
    square.eliminate_zeros()
    square.sort_indices()
    return square


def _rows(square: sparse.csr_array, kept: Flags) -> Ints:
    """How many kept entries each row has."""
    counted = np.concatenate([[0], np.cumsum(kept, dtype=np.int64)])
    found: Ints = counted[square.indptr[1:]] - counted[square.indptr[:-1]]
    return found


def _row_maxima(square: sparse.csr_array) -> Ints:
    filled = np.flatnonzero(np.diff(square.indptr))
    result = np.zeros(square.shape[0], dtype=np.int64)
    if len(filled):
        result[filled] = np.maximum.reduceat(square.data, square.indptr[filled])
    return result
