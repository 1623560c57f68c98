"""Running: the benchmarks by name, one after another on one ground."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from importlib import import_module

from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line, Report, UnableToBench

# Name -> the module whose ``measure(ground)`` it is, in the order in which ``all`` runs them.
_MODULES = {
    "core": "core",
    "score": "score",
    "binning": "binning",
    "drift": "drift",
    "features": "batch_features",
    "rings": "rings",
    "ingest": "ingest",
    "link": "link",
    "authorise": "authorise",
    "console": "console",
}
# These learn for minutes or read somebody's data: they run when they are named, not with ``all``.
_WHEN_NAMED = {
    "sequences": "sequences",
    "credit_record": "credit_record",
    "online_retail": "online_retail",
}
# Needs a folder of public data, so it is run by name and not among ``all``.
_ON_PUBLIC_DATA = {"models": "models"}
IN_ALL = tuple(_MODULES)
NAMES = (*IN_ALL, *_ON_PUBLIC_DATA, *_WHEN_NAMED)


def run_bench(name: str, ground: Ground) -> Report:
    """Run one benchmark. Raises UnableToBench."""
    if name in _ON_PUBLIC_DATA:
        found: Report = import_module(f"shouxin.entrypoints.bench.{_ON_PUBLIC_DATA[name]}").run_models(ground)
        return found
    modules = _MODULES | _WHEN_NAMED
    if name not in modules:
        raise UnableToBench(f"there is no benchmark {name!r}; there are {', '.join(NAMES)}, and all")
    logging.getLogger("httpx").setLevel(logging.WARNING)  # a line for every page we open
    # Imported when run: each brings the libraries that it measures.
    module = import_module(f"shouxin.entrypoints.bench.{modules[name]}")
    measure: Callable[[Ground], list[Line]] = module.measure
    return Report(name, tuple(measure(ground)))


def run_all(ground: Ground) -> Iterator[Report]:
    """Run every benchmark that needs no more than a name."""
    for name in IN_ALL:
        yield run_bench(name, ground)
