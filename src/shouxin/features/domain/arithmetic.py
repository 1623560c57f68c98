"""The arithmetic of the aggregations: whole numbers in, one division at the end. Shared with the SQL."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import floor, log, sqrt

# What one event weighs when it is new, as a whole number.
WHOLE_WEIGHT = 2**20
# log2(n) in whole millionths of a bit is floor(ln(n) x BITS + 0.5): the same in every engine, because for no
# n up to a million the product comes so near to a half that the last digits of a logarithm could matter.
MICROBITS = 1_000_000
BITS = MICROBITS / log(2)
# No event is so old that its weight would need more halvings than a whole number has bits.
HALVINGS_MAX = 40


def quotient(above: float | None, below: float | None) -> float | None:
    """``above / below``, or None where a side is missing or there is nothing below."""
    return None if above is None or not below else above / below


def whole_quotient(above: int, below: int) -> int:
    """``above / below`` without its fraction, as every SQL engine divides whole numbers."""
    return above // below if above >= 0 else -(-above // below)


def decayed_weight(age_days: int, *, half_life_days: int) -> int:
    """What an event weighs, of WHOLE_WEIGHT: half each half-life, in between on a straight line."""
    halvings, rest = divmod(age_days, half_life_days)
    straight = (2 * half_life_days - rest) * WHOLE_WEIGHT // (2 * half_life_days)
    return straight >> min(halvings, HALVINGS_MAX)


def nearest_rank(values: Sequence[int], *, percent: int) -> int:
    """The ``percent`` x n / 100-th smallest value, rounded up."""
    return sorted(values)[(percent * len(values) + 99) // 100 - 1]


def microbits(count: int) -> int:
    """log2 of a count in millionths of a bit, rounded."""
    return floor(log(count) * BITS + 0.5)


def entropy(counts: Iterable[int]) -> float:
    """Shannon entropy in bits of categories that were counted."""
    numbers = list(counts)
    total = sum(numbers)
    surplus = total * microbits(total) - sum(number * microbits(number) for number in numbers)
    return surplus / (total * MICROBITS)


def slope(moments: int, *, periods: int, scale: int) -> float:
    """Least-squares slope a period; ``moments`` is the sum of (2 i - (periods - 1)) x value, i from 0."""
    return 6 * moments / (periods * (periods * periods - 1) * scale)


def spread(steps: Sequence[int]) -> float:
    """Population standard deviation of whole numbers."""
    count, total = len(steps), sum(steps)
    return sqrt(count * sum(step * step for step in steps) - total * total) / count


def longest_run(held: Iterable[bool]) -> int:
    """The most True in a row."""
    longest = run = 0
    for holds in held:
        run = run + 1 if holds else 0
        longest = max(longest, run)
    return longest


def last_run(held: Sequence[bool]) -> int:
    """How many True stand after the last False."""
    run = 0
    for holds in reversed(held):
        if not holds:
            break
        run += 1
    return run


def commonest(values: Iterable[object]) -> int:
    """How often the commonest value comes; 0 where there is none."""
    return max(Counter(values).values(), default=0)
