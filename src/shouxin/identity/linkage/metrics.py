"""How well people were found: pairwise and B-cubed precision, recall and F1. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Agreement:
    """Shares from 0 to 1; ``f1`` is the harmonic mean of the other two."""

    precision: float
    recall: float

    @property
    def f1(self) -> float:
        """2 p r / (p + r); 0 where both are 0."""
        total = self.precision + self.recall
        return 2 * self.precision * self.recall / total if total else 0.0

    def as_data(self) -> dict[str, float]:
        """The three figures to six decimals."""
        return {
            "precision": round(self.precision, 6),
            "recall": round(self.recall, 6),
            "f1": round(self.f1, 6),
        }


def pairwise(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Agreement:
    """Of the pairs put together, the share that belong; of those that belong, the share put together.

    Where there is no pair at all, nothing was done wrong: 1.
    """
    assert len(found) == len(truth), "one cluster and one person for each record"
    both = _pairs(Counter(zip(found, truth, strict=True)))
    put, belong = _pairs(Counter(found)), _pairs(Counter(truth))
    return Agreement(both / put if put else 1.0, both / belong if belong else 1.0)


def b_cubed(found: Sequence[Hashable], truth: Sequence[Hashable]) -> Agreement:
    """The same, for each record in turn, averaged over records (Bagga and Baldwin 1998)."""
    assert len(found) == len(truth), "one cluster and one person for each record"
    if not found:
        return Agreement(1.0, 1.0)
    both = Counter(zip(found, truth, strict=True))
    sizes, people = Counter(found), Counter(truth)
    precision = sum(count * count / sizes[cluster] for (cluster, _), count in both.items())
    recall = sum(count * count / people[person] for (_, person), count in both.items())
    return Agreement(precision / len(found), recall / len(found))


def _pairs(sizes: Counter[object] | Counter[Hashable]) -> int:
    return sum(size * (size - 1) // 2 for size in sizes.values())
