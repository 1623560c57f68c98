"""Plan: some definitions made ready to be answered from states, in one pass over the facts.

Every different list of rows is made once, every different window of it cut once, every aggregate computed
once. What a window becomes is what ``features.domain`` says; here is only what keeps it quick.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import compress
from operator import itemgetter
from typing import Any

from shouxin.features.domain import (
    Aggregate,
    Difference,
    FeatureDefinition,
    Formula,
    Missing,
    Ratio,
    Row,
    number_of,
    parts_of,
)
from shouxin.features.domain.arithmetic import quotient
from shouxin.features.state.domain.layout import Layout, reading_of
from shouxin.features.state.domain.state import KindFacts, State, instant, micros
from shouxin.ingestion.consent.domain import WITHDRAWN, withdrawn_purposes
from shouxin.kernel import Event

Number = float | None
_Formula = Callable[[Sequence[Number]], Number]
_by_instant = itemgetter(0)


@dataclass(frozen=True, eq=False)
class Plan:
    """Definitions over a layout, each thing that they share once.

    ``streams``: the (kind, column)s whose rows belong together. ``windows``: (stream, days back, days before
    as_of where it ends). ``parts``: (aggregate, window).
    """

    layout: Layout
    streams: tuple[tuple[tuple[str, int], ...], ...]
    windows: tuple[tuple[int, int | None, int], ...]
    parts: tuple[tuple[Aggregate, int], ...]
    features: tuple[_Feature, ...]


@dataclass(frozen=True, eq=False, slots=True)
class _Feature:
    name: str
    formula: _Formula
    purposes: frozenset[str]


def plan_of(definitions: Sequence[FeatureDefinition], layout: Layout) -> Plan:
    """The definitions made ready; the layout holds what they read."""
    streams: dict[tuple[tuple[str, int], ...], int] = {}
    windows: dict[tuple[int, int | None, int], int] = {}
    parts = []
    places: dict[Aggregate, int] = {}
    for part in parts_of(definitions):
        key = reading_of(part).key
        stream = tuple((kind, layout.places[kind, key]) for kind in part.kinds)
        number = streams.setdefault(stream, len(streams))
        window = (number, part.window_days, part.ends_days_ago)
        parts.append((part, windows.setdefault(window, len(windows))))
        places[part] = len(places)
    features = tuple(_Feature(one.name, _settled(one, places), one.purposes) for one in definitions)
    return Plan(layout, tuple(streams), tuple(windows), tuple(parts), features)


def answer(plan: Plan, states: Sequence[State], *, as_of: datetime) -> dict[str, Number]:
    """The features of the customer whose references these are, as known at ``as_of``."""
    seen = _Seen(states, micros(as_of))
    streams = [_stream(seen, places) for places in plan.streams]
    rows = [_cut(streams[number], days, ends, as_of) for number, days, ends in plan.windows]
    numbers = [number_of(part, rows[window], as_of=as_of) for part, window in plan.parts]
    withdrawn = _withdrawn(states, as_of=as_of)
    return {
        one.name: None if withdrawn and one.purposes & withdrawn else one.formula(numbers)
        for one in plan.features
    }


@dataclass(slots=True)
class _Seen:
    """The facts of all references that are known at ``as_of`` (microseconds), by kind."""

    states: Sequence[State]
    as_of: int
    found: dict[str, list[_Known]] = field(default_factory=dict)

    def of(self, kind: str) -> list[_Known]:
        if kind not in self.found:
            facts = [state.kinds[kind] for state in self.states if kind in state.kinds]
            self.found[kind] = [_known(one, self.as_of) for one in facts]
        return self.found[kind]


@dataclass(slots=True)
class _Known:
    """Facts of one kind and reference, and which of them are known; None where all are."""

    facts: KindFacts
    instants: list[datetime]
    mask: list[bool] | None


def _known(facts: KindFacts, as_of: int) -> _Known:
    if facts.occurred[-1] <= as_of and max(facts.received) <= as_of:
        return _Known(facts, [instant(at) for at in facts.occurred], None)
    pairs = zip(facts.occurred, facts.received, strict=True)
    mask = [occurred <= as_of and received <= as_of for occurred, received in pairs]
    return _Known(facts, [instant(at) for at in compress(facts.occurred, mask)], mask)


def _stream(seen: _Seen, places: Sequence[tuple[str, int]]) -> tuple[list[datetime], list[Row]]:
    """The rows of some columns, the oldest first, and their instants."""
    rows: list[Row] = []
    runs = 0
    for kind, place in places:
        for known in seen.of(kind):
            cells: Any = known.facts.column(place)
            if known.mask is not None:
                cells = compress(cells, known.mask)
            run = [row for row in zip(known.instants, cells, strict=True) if row[1] is not None]
            runs += bool(run)
            rows += run
    if runs > 1:
        rows.sort(key=_by_instant)
    return [at for at, _ in rows], rows


def _cut(stream: tuple[list[datetime], list[Row]], days: int | None, ends: int, as_of: datetime) -> list[Row]:
    """The rows in ``(end - days, end]``."""
    instants, rows = stream
    end = as_of - timedelta(days=ends) if ends else as_of
    last = bisect_right(instants, end) if ends else len(rows)
    first = 0 if days is None else bisect_right(instants, end - timedelta(days=days))
    return rows[first:last]


def _settled(definition: FeatureDefinition, places: dict[Aggregate, int]) -> _Formula:
    value = _compiled(definition.formula, places)
    if definition.missing is not Missing.IS_ZERO:
        return value
    return lambda numbers: 0.0 if (found := value(numbers)) is None else found


def _compiled(formula: Formula, places: dict[Aggregate, int]) -> _Formula:
    match formula:
        case Aggregate():
            return itemgetter(places[formula])
        case Ratio(above, below):
            top, bottom = _compiled(above, places), _compiled(below, places)
            return lambda numbers: quotient(top(numbers), bottom(numbers))
        case Difference(left, right):
            first, second = _compiled(left, places), _compiled(right, places)
            return lambda numbers: _difference(first(numbers), second(numbers))


def _difference(left: Number, right: Number) -> Number:
    return None if left is None or right is None else left - right


def _withdrawn(states: Sequence[State], *, as_of: datetime) -> frozenset[str]:
    """The purposes that the customer has taken back by ``as_of``."""
    if not any(word.kind == WITHDRAWN for state in states for word in state.words):
        return frozenset()
    words = [
        Event(
            source=state.reference[0],
            source_id="",
            kind=word.kind,
            version=1,
            customer_ref=state.reference[1],
            occurred_at=instant(word.occurred),
            received_at=instant(word.received),
            payload={"purpose": word.purpose},
        )
        for state in states
        for word in state.words
    ]
    return withdrawn_purposes(words, as_of=as_of)
