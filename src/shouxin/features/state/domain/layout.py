"""Layout: what is kept of each event so that some definitions can be answered without the event.

Of every kind that is read, one column for each different *reading*: the field, and the conditions under which
it counts. Windows, and how a window becomes a number, are no part of it: they are applied when
somebody asks. So a definition that reads nothing new needs no state to be made anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shouxin.features.domain import (
    VALID_DAYS,
    Aggregate,
    Aggregation,
    Condition,
    FeatureDefinition,
    Field,
    Value,
    parts_of,
    read,
    test_of,
)
from shouxin.ingestion.consent.domain import WORD_KINDS
from shouxin.kernel import Event, canonical_json, content_hash

# Changes when the same layout would be written otherwise than before.
_FORMAT = 1
Cells = list[Any]


@dataclass(frozen=True, slots=True)
class Reading:
    """What an aggregate reads of an event: ``fields`` give the value, one tuple where there are several."""

    fields: tuple[Field, ...]
    where: tuple[Condition, ...]
    holds: tuple[Condition, ...]

    def as_data(self) -> dict[str, Any]:
        """The reading as JSON data."""
        return {
            "fields": [field.as_data() for field in self.fields],
            "where": [condition.as_data() for condition in self.where],
            "holds": [condition.as_data() for condition in self.holds],
        }

    @property
    def key(self) -> bytes:
        """Its name; equal readings have equal names."""
        return canonical_json(self.as_data())

    @property
    def is_text(self) -> bool:
        """Whether its values are texts."""
        return len(self.fields) == 1 and self.fields[0].is_text


def reading_of(part: Aggregate) -> Reading:
    """What an aggregate reads of each event of its kinds."""
    own = () if part.field is None else (part.field,)
    if part.aggregation is Aggregation.LATEST_VALID:
        own = (*own, VALID_DAYS)
    return Reading(own, part.where, part.holds)


@dataclass(frozen=True, eq=False)
class Layout:
    """The columns of each kind, in a fixed order."""

    readings: Mapping[str, tuple[Reading, ...]]

    @cached_property
    def hash(self) -> str:
        """The name of exactly these columns."""
        told = {kind: [reading.as_data() for reading in found] for kind, found in self.readings.items()}
        return content_hash({"format": _FORMAT, "kinds": told})

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of event that are kept: what is read, and the words of the customer."""
        return tuple(sorted({*self.readings, *WORD_KINDS}))

    @cached_property
    def places(self) -> Mapping[tuple[str, bytes], int]:
        """(kind, name of a reading) -> its column."""
        return {
            (kind, reading.key): column
            for kind, found in self.readings.items()
            for column, reading in enumerate(found)
        }

    def holds(self, parts: Sequence[Aggregate]) -> bool:
        """Whether everything that these aggregates read is kept."""
        return all((kind, reading_of(part).key) in self.places for part in parts for kind in part.kinds)

    def cells(self, event: Event) -> Cells:
        """One value for each column of the kind of the event; None where the event does not count."""
        return self._readers[event.kind](event)

    @cached_property
    def _readers(self) -> Mapping[str, Callable[[Event], Cells]]:
        return {kind: _compiled(found) for kind, found in self.readings.items()}


def layout_of(definitions: Sequence[FeatureDefinition]) -> Layout:
    """The smallest layout from which these definitions can be answered."""
    by_kind: dict[str, dict[bytes, Reading]] = {}
    for part in parts_of(definitions):
        reading = reading_of(part)
        for kind in part.kinds:
            by_kind.setdefault(kind, {})[reading.key] = reading
    return Layout(
        {
            kind: tuple(reading for _, reading in sorted(found.items()))
            for kind, found in sorted(by_kind.items())
        }
    )


def _compiled(readings: Sequence[Reading]) -> Callable[[Event], Cells]:
    """One function for all readings of a kind: each field is read once, each condition tried once."""
    fields = list(dict.fromkeys(field for reading in readings for field in _fields_of(reading)))
    conditions = list(dict.fromkeys(one for reading in readings for one in (*reading.where, *reading.holds)))
    tests = [(fields.index(one.field), test_of(one)) for one in conditions]
    cells = [_cell_of(reading, fields, conditions) for reading in readings]

    def read_event(event: Event) -> Cells:
        values = [read(field, event) for field in fields]
        met = [test(values[place]) for place, test in tests]
        return [cell(values, met) for cell in cells]

    return read_event


def _fields_of(reading: Reading) -> tuple[Field, ...]:
    return (*reading.fields, *(one.field for one in (*reading.where, *reading.holds)))


def _cell_of(
    reading: Reading, fields: Sequence[Field], conditions: Sequence[Condition]
) -> Callable[[Sequence[Value], Sequence[bool]], Any]:
    """A column from the values of the fields and from which conditions are met."""
    where = [conditions.index(one) for one in reading.where]
    value = _value_of(reading, fields, conditions)
    return lambda values, met: value(values, met) if all(met[one] for one in where) else None


def _value_of(
    reading: Reading, fields: Sequence[Field], conditions: Sequence[Condition]
) -> Callable[[Sequence[Value], Sequence[bool]], Any]:
    places = [fields.index(field) for field in reading.fields]
    if reading.holds:
        held = [conditions.index(one) for one in reading.holds]
        return lambda _values, met: all(met[one] for one in held)
    if not places:  # where only the event itself counts, it counts as one
        return lambda _values, _met: 1
    if len(places) == 1:
        (place,) = places
        return lambda values, _met: values[place]
    return lambda values, _met: [values[place] for place in places]
