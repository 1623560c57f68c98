"""Cells: how figures, intervals, bins and nested facts are written down."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from shouxin.features.domain import FeatureDefinition
from shouxin.kernel import Bilingual
from shouxin.reporting.domain.model_document.values import NOTHING, Cell, DocumentTable


def facts_table(title: Bilingual, rows: Sequence[tuple[Cell, ...]]) -> DocumentTable:
    """A table of two columns: what, and its figure."""
    return DocumentTable(title, (Bilingual("项目", "What"), Bilingual("内容", "Figure")), tuple(rows))


def unknown() -> Bilingual:
    """What stands where nothing was assessed."""
    return Bilingual("尚未评估。", "Not assessed yet.")


def window(definition: FeatureDefinition | None) -> Cell:
    """How far back a feature looks."""
    if definition is None:
        return NOTHING
    days = definition.window_days
    return Bilingual("全部历史", "whole history") if days is None else Bilingual(f"{days}天", f"{days} days")


def share_of_missing(rows: Sequence[int], regular: int) -> str:
    """The share of training rows without a value."""
    total = sum(rows)
    return f"{rows[regular] / total:.1%}" if total and len(rows) > regular else NOTHING


def bin_labels(variable: Mapping[str, Any]) -> list[str]:
    """What each slot of a binned variable holds: ∅ is missing, #n a special value."""
    edges, groups = variable.get("edges") or [], variable.get("groups") or []
    if groups:
        labels = [", ".join(map(str, group)) for group in groups]
    else:
        ends = [None, *edges, None]
        labels = [
            f"[{'-∞' if low is None else f'{low:g}'}, {'∞' if high is None else f'{high:g}'})"
            for low, high in itertools.pairwise(ends)
        ]
    more = len(variable["rows"]) - len(labels)
    return [*labels, *(["∅", *(f"#{place}" for place in range(1, more))] if more > 0 else [])]


def interval(figure: Mapping[str, float | None] | None, *, digits: int) -> str:
    """A figure with its interval."""
    if not figure or figure.get("value") is None:
        return NOTHING
    low, high = figure.get("low"), figure.get("high")
    told = f"{figure['value']:.{digits}f}"
    return told if low is None or high is None else f"{told} ({low:.{digits}f} … {high:.{digits}f})"


def figure(value: Any) -> str:
    """A figure, or a dash."""
    return NOTHING if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


def flat(data: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Leaves of plain JSON by their place."""
    if isinstance(data, Mapping):
        if set(data) == {"value", "low", "high"}:
            return [(prefix, interval(data, digits=4))]
        return [leaf for key, value in data.items() for leaf in flat(value, f"{prefix}.{key}".strip("."))]
    if isinstance(data, list | tuple):
        return [leaf for number, value in enumerate(data, 1) for leaf in flat(value, f"{prefix}[{number}]")]
    return [(prefix, figure(data))]
