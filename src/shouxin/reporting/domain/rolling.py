"""Roll rates and vintages: how arrears move from month to month, and how lots opened together age. Pure.

Accounts come with a state a month. States are places in a list of ``buckets``, the best first
(M0, M1, M2, M3, M3+); NOT_SEEN is a month that nothing is known of.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
NOT_SEEN = -1


class UnableToRoll(ValueError):
    """The rows are not one state a month; the message says where and what."""


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyStates:
    """``states`` (accounts, months on book): a place in ``buckets`` or NOT_SEEN; ``opened``: first months."""

    buckets: tuple[str, ...]
    opened: Ints
    states: Ints


@dataclass(frozen=True, slots=True)
class RollRates:
    """``counts[i][j]``: months in bucket i that were followed by a month in bucket j."""

    buckets: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def shares(self) -> tuple[tuple[float | None, ...], ...]:
        """Each row of ``counts`` by its sum; None where a bucket was never left."""
        return tuple(tuple(n / sum(row) if sum(row) else None for n in row) for row in self.counts)

    def as_data(self) -> list[dict[str, Any]]:
        """One object a bucket: how many months, and the share that went where."""
        return [
            {"from": bucket, "months": sum(row)}
            | {"to": dict(zip(self.buckets, (_rounded(share) for share in shares), strict=True))}
            for bucket, row, shares in zip(self.buckets, self.counts, self.shares, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Cohort:
    """Accounts opened in ``opened``: the share that had reached the bucket by each month on book (from 0).

    A month counts while every account of the cohort could have been seen in it; later ones are not told.
    """

    opened: int
    accounts: int
    reached: tuple[float, ...]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "opened": self.opened,
            "accounts": self.accounts,
            "reached": [round(share, 6) for share in self.reached],
        }


def monthly_states(
    accounts: Sequence[Any], months: Sequence[int], states: Sequence[str], *, buckets: Mapping[str, str]
) -> MonthlyStates:
    """One row an account from rows of (account, calendar month, state); ``buckets`` says what a state is.

    Buckets stand in the order in which ``buckets`` first names them. Raises UnableToRoll for a state that is
    not among them, or for two states of one account in one month.
    """
    names = tuple(dict.fromkeys(buckets.values()))
    place = {state: names.index(bucket) for state, bucket in buckets.items()}
    unknown = next((row for row, state in enumerate(states) if state not in place), None)
    if unknown is not None:
        raise UnableToRoll(f"row {unknown + 1}: the state {states[unknown]!r} is in no bucket")
    owners = np.unique(np.asarray(accounts), return_inverse=True)[1]
    when = np.asarray(months, dtype=np.int64)
    opened = np.full(owners.max() + 1, np.iinfo(np.int64).max)
    np.minimum.at(opened, owners, when)
    age = when - opened[owners]
    table = np.full((len(opened), int(age.max()) + 1), NOT_SEEN)
    cell = owners * table.shape[1] + age
    if len(np.unique(cell)) < len(cell):
        order = np.argsort(cell, kind="stable")
        twice = order[1:][np.diff(cell[order]) == 0].min()
        raise UnableToRoll(f"row {twice + 1}: an account has two states in one month")
    table[owners, age] = [place[state] for state in states]
    return MonthlyStates(names, opened, table)


def roll_rates(found: MonthlyStates) -> RollRates:
    """From which bucket to which in a month, over all pairs of months that were both seen."""
    before, after = found.states[:, :-1].ravel(), found.states[:, 1:].ravel()
    both = (before != NOT_SEEN) & (after != NOT_SEEN)
    size = len(found.buckets)
    counts = np.bincount(before[both] * size + after[both], minlength=size * size).reshape(size, size)
    return RollRates(found.buckets, tuple(map(tuple, counts.tolist())))


def vintages(found: MonthlyStates, *, bucket: str) -> tuple[Cohort, ...]:
    """The cohorts by month of opening: the share of accounts that were ever in ``bucket`` or a worse one."""
    worst = np.maximum.accumulate(found.states, axis=1) >= found.buckets.index(bucket)
    last = int((found.opened + (found.states != NOT_SEEN).cumsum(axis=1).argmax(axis=1)).max())
    cohorts = []
    for opened in np.unique(found.opened).tolist():
        own = found.opened == opened
        whole = min(last - opened + 1, found.states.shape[1])
        cohorts.append(Cohort(opened, int(own.sum()), tuple(worst[own, :whole].mean(axis=0).tolist())))
    return tuple(cohorts)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 6)
