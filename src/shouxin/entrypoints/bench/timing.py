"""Timing: the clock of the benchmarks, percentiles, and medians of repeats."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from math import ceil
from time import perf_counter

from shouxin.entrypoints.bench.sizes import Sizes

Say = Callable[[str], None]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of all values do not exceed."""
    assert values, "nothing was measured"
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def seconds_of(work: Callable[[], object]) -> float:
    """How long one run takes."""
    started = perf_counter()
    work()
    return perf_counter() - started


def median_seconds(work: Callable[[], object], *, repeats: int) -> float:
    """The median of several runs; one more before them warms up."""
    work()
    return statistics.median(seconds_of(work) for _ in range(repeats))


def medians_in_turn(
    ours: Callable[[], object], peer: Callable[[], object], *, repeats: int
) -> tuple[float, float]:
    """Median seconds of both, run in turn so that a busy moment of the machine touches both."""
    ours(), peer()
    pairs = [(seconds_of(ours), seconds_of(peer)) for _ in range(repeats)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def call_seconds(work: Callable[[int], object], *, calls: int) -> list[float]:
    """How long each of many short calls takes; a tenth more before them warm up."""
    for number in range(calls // 10 + 1):
        work(number)
    found = []
    for number in range(calls):
        started = perf_counter()
        work(number)
        found.append(perf_counter() - started)
    return found


def absent(module: str, package: str, sizes: Sizes) -> str | None:
    """Why somebody else's library does not run beside us; None when it can."""
    if not sizes.others:
        return f"{package} is run with --peer only"
    if find_spec(module) is None:
        return f"{package} is not installed"
    try:
        import_module(module)
    except ImportError as error:  # it asks for another version of something that we have, too
        return f"{package} is installed but does not load here ({error})"
    return None
