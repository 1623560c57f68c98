"""A sequence computed over a list of events: what answers online, and the oracle of the SQL.

Law: a reader at ``as_of`` sees an event only if it had happened *and* had been learnt by then. Events of a
kind whose purpose the customer has taken back by then are not in the sequence.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shouxin.features.sequences.domain.definition import (
    AGE_DAYS_MAX,
    DEVICE_FIELD,
    DEVICES,
    FIRST,
    KNOWN,
    NEW,
    NONE,
    SAME,
    SequenceDefinition,
)
from shouxin.ingestion.consent.domain import WORD_KINDS, withdrawn_purposes
from shouxin.kernel import Event

_SECOND, _DAY = timedelta(seconds=1), timedelta(days=1)


def encode(definition: SequenceDefinition, events: Iterable[Event], *, as_of: datetime) -> str:
    """The sequence of the customer whose events these are, as known at ``as_of``, as one text.

    Events may come in any order and may include ones not yet known; those are not seen.
    """
    known = [event for event in events if event.known_at(as_of)]
    words = [event for event in known if event.kind in WORD_KINDS]
    withdrawn = withdrawn_purposes(words, as_of=as_of)
    read = {kind for kind in definition.kinds if not definition.purposes[kind] & withdrawn}
    told = sorted((event for event in known if event.kind in read), key=_place)
    devices = _devices(told) if not definition.device_purposes & withdrawn else [NONE] * len(told)
    numbers = [
        _numbers(definition, event, earlier, device, as_of=as_of)
        for event, earlier, device in zip(told, [None, *told[:-1]], devices, strict=False)
    ]
    return definition.layout.text(numbers[-definition.length :])


def _place(event: Event) -> tuple[datetime, datetime, str, str, str]:
    """In which order events stand; two that happened and were learnt together still have one order."""
    return (event.occurred_at, event.received_at, event.kind, event.source, event.source_id)


def _devices(events: Sequence[Event]) -> list[str]:
    """What each event's device is to the customer, given the ones before."""
    seen: set[str] = set()
    latest, found = None, []
    for event in events:
        device = event.payload.get(DEVICE_FIELD)
        if not isinstance(device, str):
            found.append(NONE)
            continue
        if latest is None:
            found.append(FIRST)
        elif device == latest:
            found.append(SAME)
        else:
            found.append(KNOWN if device in seen else NEW)
        seen.add(device)
        latest = device
    return found


def _numbers(
    definition: SequenceDefinition, event: Event, earlier: Event | None, device: str, *, as_of: datetime
) -> tuple[int, ...]:
    """The event as whole numbers, in the order of the layout's fields."""
    amount = None if event.amount is None else event.amount.minor
    return (
        definition.kinds.index(event.kind),
        _gap(definition, event, earlier),
        min((as_of - event.occurred_at) // _DAY, AGE_DAYS_MAX),
        event.occurred_at.astimezone(ZoneInfo(definition.zone)).hour,
        _word(definition, event, "category", definition.categories),
        0 if amount is None else 1 + bisect_right(definition.amount_edges, amount),
        DEVICES.index(device),
        _word(definition, event, "method", definition.methods),
        _outcome(definition, event),
    )


def _gap(definition: SequenceDefinition, event: Event, earlier: Event | None) -> int:
    """0 for the first event of all, else 1 and more for a longer gap."""
    if earlier is None:
        return 0
    return 1 + bisect_right(definition.gap_edges, (event.occurred_at - earlier.occurred_at) // _SECOND)


def _word(definition: SequenceDefinition, event: Event, field: str, known: Sequence[str]) -> int:
    """0 for none, the place of a known word from 1, one more than the last for any other."""
    for where, what in definition.fields:
        kind, _, name = where.partition(".")
        if what == field and kind == event.kind:
            value = event.payload.get(name)
            if isinstance(value, str):
                return 1 + known.index(value) if value in known else 1 + len(known)
    return 0


def _outcome(definition: SequenceDefinition, event: Event) -> int:
    for rule in definition.outcomes:
        if rule.kind == event.kind and _says(event.payload.get(rule.field), rule.says):
            return 1 + definition.outcome_names.index(rule.outcome)
    return 0


def _says(value: object, says: str | int) -> bool:
    if isinstance(says, str):
        return value == says
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= says
