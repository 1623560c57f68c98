"""The encoder: reads a sequence event by event and ends with a few numbers that stand for it.

A gated recurrent network (GRU, Cho et al. 2014; LSTM, Hochreiter and Schmidhuber 1997) in fixed point.
What an event is, is the sum of one row of a table a field: embedding and input weights, multiplied out when
the model is written down. A customer without events is where the network begins: all zeros.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import SequenceLayout, UnableToReadSequence
from shouxin.scoring.domain.families.blob import Blob
from shouxin.scoring.domain.families.network.fixed import ACTIVATION_MAX, GRID, SUM_MAX, sigmoid, tanh
from shouxin.scoring.domain.inputs import UnableToScore, Value

Floats = npt.NDArray[np.float64]
_GATES = {"gru": 3, "lstm": 4}


class Encoder(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """``table`` (codes of all fields, wide), ``weights`` (size, wide), ``bias`` (2, wide): gates x size wide.

    The two rows of ``bias`` are of the event and of the state. Gates are in the order reset, update, new
    (GRU) or input, forget, new, output (LSTM). What stands for a sequence is the state after its ``last``
    event, or the ``mean`` of the states after each.
    """

    cell: Literal["gru", "lstm"]
    layout: SequenceLayout
    table: Blob
    weights: Blob
    bias: Blob
    pooling: Literal["last", "mean"] = "last"

    @property
    def size(self) -> int:
        """How many numbers stand for a sequence."""
        return self.weights.shape[0]

    @property
    def problem(self) -> str | None:
        """What keeps it from reading sequences, or None."""
        for name in ("table", "weights", "bias"):
            blob: Blob = getattr(self, name)
            if blob.problem:
                return f"{blob.problem} - at `{name}`"
        codes = sum(field.codes for field in self.layout.fields)
        wide = _GATES[self.cell] * self.size
        if (self.table.shape, self.weights.shape, self.bias.shape) != (
            (codes, wide), (self.size, wide), (2, wide),
        ):  # fmt: skip
            return "table, weights and bias do not fit together"
        if float(np.abs(self.weights.array).sum(axis=0).max(initial=0)) * ACTIVATION_MAX > SUM_MAX:
            return "the weights are out of range"
        return None

    def ready(self) -> Reader:
        """The encoder made ready."""
        sizes = [field.codes for field in self.layout.fields]
        return Reader(
            self.cell, self.layout, self.size, np.cumsum([0, *sizes[:-1]]),
            self.table.array, self.weights.array, self.bias.array, self.pooling,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """An encoder made ready."""

    cell: str
    layout: SequenceLayout
    size: int
    offsets: npt.NDArray[np.int64]
    table: Floats
    weights: Floats
    bias: Floats
    pooling: str

    def embedded(self, values: Sequence[Value]) -> Floats:
        """(rows, size) whole numbers of 1 / GRID: what stands for each sequence. Raises UnableToScore."""
        codes, counts = self._codes(values)
        state = self._beginning(len(values))
        total = np.zeros_like(state[0])
        for place in range(self.layout.length - int(counts.max(initial=0)), self.layout.length):
            reads = counts >= self.layout.length - place
            state = self._after(state, codes[:, place], reads)
            total += np.where(reads[:, None], state[0], 0.0)
        return state[0] if self.pooling == "last" else _mean(total, counts)

    def prefixes(self, value: Value) -> Floats:
        """(events + 1, size): what stands for the sequence before its first event, after it, and so on."""
        codes, counts = self._codes([value])
        state, found = self._beginning(1), []
        found.append(state[0][0])
        for place in range(self.layout.length - int(counts[0]), self.layout.length):
            state = self._after(state, codes[:, place], np.ones(1, dtype=np.bool_))
            found.append(state[0][0])
        states = np.stack(found)
        # The state before the first event is all zeros, so it adds nothing to a mean.
        return states if self.pooling == "last" else _mean(states.cumsum(axis=0), np.arange(len(states)))

    def _codes(self, values: Sequence[Value]) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
        texts = [None if value is None or value != value else value for value in values]  # noqa: PLR0124
        if not all(text is None or isinstance(text, str) for text in texts):
            raise UnableToScore("a sequence is a text to the model, not a number")
        try:
            return self.layout.codes(texts)  # type: ignore[arg-type]  # checked above
        except UnableToReadSequence as error:
            raise UnableToScore(str(error)) from None

    def _beginning(self, rows: int) -> tuple[Floats, Floats]:
        """What is told, and what an LSTM remembers beside."""
        return np.zeros((rows, self.size)), np.zeros((rows, self.size))

    def _after(
        self, state: tuple[Floats, Floats], codes: npt.NDArray[np.int16], reads: npt.NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """The state of each row after one more event, for the rows that have one there."""
        told, kept = state
        event = self.table[codes + self.offsets].sum(axis=1) + self.bias[0]
        before = np.rint(told @ self.weights / GRID) + self.bias[1]
        step = self._gru if self.cell == "gru" else self._lstm
        told_next, kept_next = step(event, before, told, kept)
        reads = reads[:, None]
        return np.where(reads, told_next, told), np.where(reads, kept_next, kept)

    def _gru(self, event: Floats, before: Floats, told: Floats, kept: Floats) -> tuple[Floats, Floats]:
        size = self.size
        reset = sigmoid(event[:, :size] + before[:, :size])
        update = sigmoid(event[:, size : 2 * size] + before[:, size : 2 * size])
        new = tanh(event[:, 2 * size :] + np.rint(reset * before[:, 2 * size :] / GRID))
        return np.rint(((GRID - update) * new + update * told) / GRID), kept

    def _lstm(self, event: Floats, before: Floats, _told: Floats, kept: Floats) -> tuple[Floats, Floats]:
        size, both = self.size, event + before
        takes, forgets = sigmoid(both[:, :size]), sigmoid(both[:, size : 2 * size])
        new, tells = tanh(both[:, 2 * size : 3 * size]), sigmoid(both[:, 3 * size :])
        kept = np.clip(np.rint((forgets * kept + takes * new) / GRID), -ACTIVATION_MAX, ACTIVATION_MAX)
        return np.rint(tells * tanh(kept) / GRID), kept


def _mean(total: Floats, counts: npt.NDArray[np.int64]) -> Floats:
    """Whole numbers again; zeros where there was no event."""
    return np.rint(total / np.maximum(counts, 1)[:, None])
