"""State: the narrowed facts of one reference, as far as some position of the event log.

Kept by kind and by column, the oldest first, with both instants of every fact: so a state answers as of any
instant, and a fact that comes late lies at its place as soon as it is absorbed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shouxin.features.state.domain.layout import Cells, Layout
from shouxin.ingestion.consent.domain import WORD_KINDS
from shouxin.kernel import Event

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# An amount of a bigint of minor units is ten times as many thousandths.
_BEYOND = 2**63
Reference = tuple[str, str]


@dataclass(slots=True)
class KindFacts:
    """The facts of one kind: instants in microseconds since 1970, and a column for each reading.

    A column that was not asked for yet is still as it was stored.
    """

    occurred: list[int] = field(default_factory=list)
    received: list[int] = field(default_factory=list)
    columns: list[Cells | msgspec.Raw] = field(default_factory=list)

    def column(self, place: int) -> Cells:
        """The values of one column."""
        cells = self.columns[place]
        if isinstance(cells, msgspec.Raw):
            cells = self.columns[place] = _column_from(cells)
        return cells


@dataclass(frozen=True, slots=True)
class Word:
    """What was said about a purpose."""

    kind: str
    occurred: int
    received: int
    purpose: str


@dataclass(slots=True)
class State:
    """What is known of one reference from the events up to ``position``."""

    reference: Reference
    position: int = 0
    kinds: dict[str, KindFacts] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)


class _Stored(msgspec.Struct, array_like=True):
    kinds: dict[str, tuple[int, bytes, bytes, list[msgspec.Raw]]]
    words: list[tuple[str, int, int, str]]


_read_stored = msgspec.msgpack.Decoder(_Stored)


def absorb(state: State, events: Iterable[Event], *, layout: Layout, position: int) -> None:
    """Add events that the state does not hold yet, in any order; it then knows all up to ``position``."""
    assert position >= state.position, "a state does not forget"
    grown: dict[str, None] = {}
    for event in events:
        assert (event.source, event.customer_ref) == state.reference
        if event.kind in WORD_KINDS:
            state.words.append(_word_of(event))
        if event.kind in layout.readings:
            _add(state, event, layout)
            grown[event.kind] = None
    for kind in grown:
        _put_in_order(state.kinds[kind])
    state.position = position


def count_known(states: Iterable[State], *, as_of: datetime) -> int:
    """How many events the states hold that are known at ``as_of``."""
    until = micros(as_of)
    return sum(
        occurred <= until and received <= until
        for state in states
        for occurred, received in _instants_of(state)
    )


def to_bytes(state: State) -> bytes:
    """The state as it is stored; the same facts give the same bytes."""
    kinds = {
        kind: (
            len(facts.occurred),
            _packed(facts.occurred),
            _packed(facts.received),
            [
                cells if isinstance(cells, msgspec.Raw) else _column_as_stored(cells)
                for cells in facts.columns
            ],
        )
        for kind, facts in sorted(state.kinds.items())
    }
    words = [(word.kind, word.occurred, word.received, word.purpose) for word in state.words]
    return msgspec.msgpack.encode((kinds, words))


def from_bytes(reference: Reference, *, position: int, stored: bytes) -> State:
    """Read what ``to_bytes`` wrote; the columns stay unread until they are asked for."""
    read = _read_stored.decode(stored)
    kinds = {
        kind: KindFacts(_unpacked(count, occurred), _unpacked(count, received), list(columns))
        for kind, (count, occurred, received, columns) in read.kinds.items()
    }
    return State(reference, position, kinds, [Word(*word) for word in read.words])


def micros(instant: datetime) -> int:
    """An instant in whole microseconds since 1970."""
    return (instant - _EPOCH) // _MICROSECOND


def instant(micros: int) -> datetime:
    """The instant so many microseconds after 1970 began."""
    return _EPOCH + timedelta(microseconds=micros)


def _instants_of(state: State) -> Iterator[tuple[int, int]]:
    for facts in state.kinds.values():
        yield from zip(facts.occurred, facts.received, strict=True)
    # A word that a feature reads, too, is among the facts already.
    words = [word for word in state.words if word.kind not in state.kinds]
    yield from ((word.occurred, word.received) for word in words)


def _word_of(event: Event) -> Word:
    times = micros(event.occurred_at), micros(event.received_at)
    return Word(event.kind, *times, event.payload["purpose"])


def _add(state: State, event: Event, layout: Layout) -> None:
    facts = state.kinds.get(event.kind)
    if facts is None:
        width = len(layout.readings[event.kind])
        facts = state.kinds[event.kind] = KindFacts(columns=[[] for _ in range(width)])
    facts.occurred.append(micros(event.occurred_at))
    facts.received.append(micros(event.received_at))
    for place, cell in enumerate(layout.cells(event)):
        facts.column(place).append(cell)


def _put_in_order(facts: KindFacts) -> None:
    """The oldest first; of one instant as they came."""
    occurred = facts.occurred
    order = sorted(range(len(occurred)), key=occurred.__getitem__)
    if order == list(range(len(occurred))):
        return
    facts.occurred = [occurred[row] for row in order]
    facts.received = [facts.received[row] for row in order]
    columns = [facts.column(place) for place in range(len(facts.columns))]
    facts.columns = [[cells[row] for row in order] for cells in columns]


def _column_as_stored(cells: Cells) -> tuple[Any, ...]:
    """The values; or texts, each once, and their places; or the spelling of numbers beyond 64 bits."""
    if any(isinstance(cell, str) for cell in cells):
        texts = list(dict.fromkeys(cells))
        number = {text: place for place, text in enumerate(texts)}
        return texts, [number[cell] for cell in cells]
    if any(isinstance(cell, int) and abs(cell) >= _BEYOND for cell in cells):
        return None, None, [None if cell is None else str(cell) for cell in cells]
    return (cells,)


def _column_from(stored: msgspec.Raw) -> Cells:
    cells, *more = msgspec.msgpack.decode(stored, type=list[Any])
    match more:
        case []:
            return list(cells)
        case [numbers]:
            return [cells[number] for number in numbers]
        case _:
            return [None if cell is None else int(cell) for cell in more[1]]


def _packed(numbers: list[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}q", *numbers)


def _unpacked(count: int, packed: bytes) -> list[int]:
    return list(struct.unpack(f"<{count}q", packed))
