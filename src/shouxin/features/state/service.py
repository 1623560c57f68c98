"""The verbs of states: absorb the log, read a customer's states up to now, forget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.features.state import store
from shouxin.features.state.domain import Layout, Reference, State, absorb, from_bytes, to_bytes
from shouxin.features.state.store import StoredState
from shouxin.kernel import Event, Progress, silent

Begin = Callable[[], AbstractContextManager[Connection]]
_STRETCH = 100_000
_BATCH = 200


@dataclass(frozen=True, slots=True)
class AbsorbCount:
    """What a run did: states written, events absorbed, and up to which event number all is absorbed."""

    states: int
    events: int
    position: int


def absorb_log(begin: Begin, layout: Layout, *, progress: Progress = silent) -> AbsorbCount:
    """Bring the states of all references up to the log, each batch in a transaction that ``begin`` opens.

    Goes on where the last run ended; states of another layout are made anew. Two may run at once. Raises
    UnableToSettle while somebody writes to the log for long.
    """
    with begin() as db:
        after, end = store.progress_of(db, layout.hash), ingestion.settled_event_no(db)
    states = events = 0
    while after < end:
        last = min(after + _STRETCH, end)
        with begin() as db:
            refs = ingestion.references_between(db, after_event_no=after, last_event_no=last)
        for batch in _batches(refs):
            with begin() as db:
                found = _absorb_batch(db, batch, layout, looked_at=last, end=end)
            states, events = states + found.states, events + found.events
        with begin() as db:
            store.move_progress(db, layout.hash, position=last)
        after = last
        progress(after, end)
    return AbsorbCount(states, events, end)


def states_now(db: Connection, refs: Sequence[Reference], layout: Layout) -> list[State]:
    """The states of some references with every event that is in the log now; nothing is written."""
    stored = store.states_of(db, refs, layout_hash=layout.hash)
    states = {reference: State(reference) for reference in refs}
    states |= {one.reference: _opened(one) for one in stored}
    newer: dict[Reference, list[Event]] = {}
    # Read after the states: an event is in one of the two, whatever is committed between.
    positions = {reference: state.position for reference, state in states.items()}
    for event in ingestion.events_after(db, positions, kinds=layout.kinds):
        newer.setdefault((event.source, event.customer_ref), []).append(event)
    for reference, events in newer.items():
        # How far this goes is not known and not needed: the state is thrown away after the answer.
        absorb(states[reference], events, layout=layout, position=states[reference].position)
    return list(states.values())


def forget_states(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove what is kept of some references; returns how many states went."""
    return store.remove_states(db, refs)


def progress_of(db: Connection, layout: Layout) -> int:
    """Up to which event number every reference was absorbed under this layout."""
    return store.progress_of(db, layout.hash)


def count_states(db: Connection, layout: Layout) -> tuple[int, int]:
    """How many states there are under this layout, and how many wait to be made anew."""
    return store.count_states(db, layout_hash=layout.hash)


def _absorb_batch(
    db: Connection, refs: Sequence[Reference], layout: Layout, *, looked_at: int, end: int
) -> AbsorbCount:
    """Bring some states up to ``end``; those that go beyond ``looked_at`` already stay as they are."""
    positions = store.positions_of(db, refs, layout_hash=layout.hash)
    behind = [reference for reference in refs if positions.get(reference, 0) < looked_at]
    if not behind:
        return AbsorbCount(0, 0, end)
    states = {reference: State(reference) for reference in behind}
    for one in store.states_of(db, behind, layout_hash=layout.hash):
        states[one.reference] = _opened(one)
        if one.position >= looked_at:  # somebody else was quicker
            del states[one.reference]
    newer: dict[Reference, list[Event]] = {reference: [] for reference in states}
    where = {reference: state.position for reference, state in states.items()}
    for event in ingestion.events_after(db, where, kinds=layout.kinds, last_event_no=end):
        newer[event.source, event.customer_ref].append(event)
    for reference, events in newer.items():
        absorb(states[reference], events, layout=layout, position=end)
    rows = [StoredState(one.reference, layout.hash, end, to_bytes(one)) for one in states.values()]
    store.put_states(db, rows)
    return AbsorbCount(len(rows), sum(len(events) for events in newer.values()), end)


def _opened(one: StoredState) -> State:
    return from_bytes(one.reference, position=one.position, stored=one.facts)


def _batches(refs: Sequence[Reference]) -> Iterator[list[Reference]]:
    waiting = iter(refs)
    while batch := list(islice(waiting, _BATCH)):
        yield batch
