"""Tastes: which things are bought by the same customers, and what became of those who bought alike.

Item-based collaborative filtering (Sarwar et al. 2001): two items are alike by the cosine of who bought them.
What is asked is not what a customer will buy next but how those fared who buy like her. Pure; customers and
items are positions, and everything is counted before anything is divided.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Matrix: TypeAlias = sparse.csr_array

MILLION = 1_000_000
# Of each item as many others count, and only those that so many customers bought together with it.
ALIKE_MAX = 20
TOGETHER_MIN = 5
# An item's own experience counts half when that many customers with a known outcome bought it.
PRIOR_CUSTOMERS = 50
# Customers looked at in one go: it bounds the memory.
_AT_ONCE = 50_000
_DIGITS = 6


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """Outcomes that had matured: ``bought`` (customers by items, as of the date of the outcome), and of each
    customer whether there is an outcome (``seen``) and whether it was the event (1 or 0)."""

    bought: Matrix
    seen: Ints
    event: Ints

    def __post_init__(self) -> None:
        assert self.bought.shape[0] == len(self.seen) == len(self.event)
        assert not self.event[self.seen == 0].any(), "an event without an outcome"


@dataclass(frozen=True, slots=True, eq=False)
class Tastes:
    """Of each customer, NaN where she bought nothing (or, for coherence, one thing only)."""

    event_rate: Floats
    surprise: Floats
    coherence: Floats


def purchases(customer: Ints, item: Ints, *, customers: int, items: int) -> Matrix:
    """Customers by items, 1 where it was bought at all (int64)."""
    found = sparse.csr_array(
        (np.ones(len(customer), dtype=np.int64), (customer, item)), shape=(customers, items)
    )
    found.sum_duplicates()
    found.data[:] = 1
    return found


def likeness(bought: Matrix) -> Matrix:
    """Items by items: cosine in whole millionths; of each item the ``ALIKE_MAX`` most alike, and itself."""
    together = (bought.T @ bought).tocsr()
    together.sort_indices()
    of_item = together.diagonal()
    rows = np.repeat(np.arange(together.shape[0]), np.diff(together.indptr))
    columns = together.indices.astype(np.int64)
    cosine = np.floor(MILLION * together.data / np.sqrt(of_item[rows] * of_item[columns])).astype(np.int64)
    kept = (rows != columns) & (together.data >= TOGETHER_MIN) & (cosine > 0)
    rows, columns, cosine = _most_alike(rows[kept], columns[kept], cosine[kept])
    itself = np.flatnonzero(of_item)
    return sparse.csr_array(
        (
            np.concatenate([cosine, np.full(len(itself), MILLION, dtype=np.int64)]),
            (np.concatenate([rows, itself]), np.concatenate([columns, itself])),
        ),
        shape=together.shape,
    )


def tastes(bought: Matrix, known: Known, *, learnt_from: Matrix) -> Tastes:
    """How those fared who buy alike, how rare and how coherent the basket is, of every customer.

    ``learnt_from`` are the purchases that say what is alike and what is rare. A customer's own outcome is
    left out of everything that is told of her.
    """
    alike, bits = likeness(learnt_from), _bits(learnt_from)
    size = bought.shape[0]
    event_rate, surprise, coherence = (np.full(size, np.nan) for _ in range(3))
    items = _Items.counted(known)
    for begin in range(0, size, _AT_ONCE):
        part = slice(begin, min(begin + _AT_ONCE, size))
        basket = bought[part]
        count = np.diff(basket.indptr)
        weight = (basket @ alike).tocsr()
        weight.sort_indices()
        event_rate[part] = _rate(weight, items, known, part)
        surprise[part] = _mean(basket @ bits, count)
        inside = np.asarray(weight.multiply(basket).sum(axis=1)) - MILLION * count
        coherence[part] = _mean(inside / MILLION, count * (count - 1))
    return Tastes(_rounded(event_rate), _rounded(surprise), _rounded(coherence))


@dataclass(frozen=True, slots=True, eq=False)
class _Items:
    """Of each item, the customers with an outcome who bought it and the events among them; of all, both."""

    seen: Ints
    events: Ints
    all_seen: int
    all_events: int

    @classmethod
    def counted(cls, known: Known) -> _Items:
        bought = known.bought.T.tocsr()
        return cls(
            np.asarray(bought @ known.seen),
            np.asarray(bought @ known.event),
            int(known.seen.sum()),
            int(known.event.sum()),
        )


def _rate(weight: Matrix, items: _Items, known: Known, part: slice) -> Floats:
    """The mean rate of the items alike, each drawn towards the rate of all by ``PRIOR_CUSTOMERS``."""
    seen, event = known.seen[part], known.event[part]
    others = items.all_seen - seen
    prior = PRIOR_CUSTOMERS * (items.all_events - event) / np.maximum(others, 1)
    below = items.seen + PRIOR_CUSTOMERS
    above = weight @ (items.events / below) + prior * (weight @ (1.0 / below))
    # Where she is among those who bought an item alike, that item is counted once more without her.
    own = weight.multiply(known.bought[part]).tocsr()
    row = np.repeat(np.arange(own.shape[0]), np.diff(own.indptr))
    hers = own.indices.astype(np.int64)
    counted = seen[row] == 1
    with_her = (items.events[hers] + prior[row]) / below[hers]
    without = (items.events[hers] - event[row] + prior[row]) / np.maximum(below[hers] - 1, 1)
    change = np.where(counted, own.data * (without - with_her), 0.0)
    above = above + np.bincount(row, weights=change, minlength=own.shape[0])
    rate = _mean(above, np.asarray(weight.sum(axis=1)))
    return np.where(others > 0, rate, np.nan)


def _most_alike(rows: Ints, columns: Ints, cosine: Ints) -> tuple[Ints, Ints, Ints]:
    """Of each row the highest cosines; of equals the item with the lower number."""
    order = np.lexsort((columns, -cosine, rows))
    rows, columns, cosine = rows[order], columns[order], cosine[order]
    _, starts, counts = np.unique(rows, return_index=True, return_counts=True)
    rank = np.arange(len(rows)) - np.repeat(starts, counts)
    kept = rank < ALIKE_MAX
    return rows[kept], columns[kept], cosine[kept]


def _bits(bought: Matrix) -> Floats:
    """How surprising each item is: minus log2 of the share of customers with purchases who bought it."""
    customers = np.asarray(bought.sum(axis=0))
    of_all = max(int((np.diff(bought.indptr) > 0).sum()), 1)
    bits: Floats = -np.log2(np.maximum(customers, 1) / of_all)
    return bits


def _rounded(values: Floats) -> Floats:
    rounded: Floats = np.round(values, _DIGITS)
    return rounded


def _mean(total: Floats, count: Ints) -> Floats:
    found: Floats = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return found
