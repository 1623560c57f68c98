"""Events: what each event of a sequence did to a score.

A score is asked for as if the customer's history had ended after the first event, after the second, and so
on; what an event did is the step that it made. Steps add up to what the sequence did against the
average customer, but for where a customer without any event begins.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from shouxin.features.sequences.domain import SequenceLayout
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.families import Fused, Network
from shouxin.scoring.domain.families.network import SequenceInput
from shouxin.scoring.domain.inputs import Value, found_in
from shouxin.scoring.domain.score import plan_of


@dataclass(frozen=True, slots=True)
class EventContribution:
    """One event: its ``numbers`` by field as the sequence has them, and what it did (millionths)."""

    numbers: Mapping[str, int]
    log_odds: int


@dataclass(frozen=True, slots=True)
class EventContributions:
    """``whole == before_first + sum of the events' log_odds``, exactly; the oldest event first."""

    feature: str
    whole: int
    before_first: int
    events: tuple[EventContribution, ...]


def event_contributions(artefact: Artefact, values: Mapping[str, Value]) -> EventContributions | None:
    """What each event did to this row's score; None where the model reads no sequence.

    Raises UnableToScore.
    """
    found = _sequence(artefact)
    if found is None:
        return None
    place, layout = found
    row = found_in(values, artefact.names)
    plan = plan_of(artefact)
    whole = plan.scorer.deltas(row)[place]
    running: list[int] = plan.scorer.prefix_deltas(row, place)  # type: ignore[attr-defined]  # with a sequence
    steps = [after - before for before, after in pairwise(running)]
    value = row[place]
    events = layout.numbers(value) if isinstance(value, str) else []
    names = [field.name for field in layout.fields]
    told = tuple(
        EventContribution(dict(zip(names, numbers, strict=True)), step)
        for numbers, step in zip(events, steps, strict=True)
    )
    return EventContributions(artefact.names[place], whole, whole - sum(steps), told)


def _sequence(artefact: Artefact) -> tuple[int, SequenceLayout] | None:
    """Which feature is a sequence, and how it is written."""
    body = artefact.body
    place, network = body.sequence if isinstance(body, Network) else None, body
    if isinstance(body, Fused):
        place, network = body.sequence, body.network
    if place is None:
        return None
    assert isinstance(network, Network)
    given = network.inputs[0 if isinstance(body, Fused) else place]
    assert isinstance(given, SequenceInput)
    return place, given.encoder.layout
