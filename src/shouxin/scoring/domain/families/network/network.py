"""The network: layers in fixed point, and what each feature did to what comes out.

What a feature did is its Shapley value along a few fixed orders of the features, each walked forwards and
backwards: from the average customer to this one, one feature at a time. Each walk adds up to the
difference exactly, so their mean does; and a walk with its reverse gives the exact Shapley value of
everything that is made of single features and of pairs. Gradients would be cheaper, but they
need many steps to nearly add up, and can not switch a category, a missing value or a sequence as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.scoring.domain.families.blob import Blob
from shouxin.scoring.domain.families.network.fixed import (
    ACTIVATION_MAX,
    GRID,
    SUM_MAX,
    activated,
    settled,
)
from shouxin.scoring.domain.families.network.inputs import Input, ReadyInput, SequenceInput
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.inputs import Ints, Value
from shouxin.scoring.domain.scaling import ENTRY_MAX, MILLION

Floats = npt.NDArray[np.float64]
# Rows worked on at a time: some hundred numbers a row stay in the processor's cache.
_ROWS = 2_048


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``weights`` (members, in, out) in 1 / GRID; ``bias`` (members, out) in 1 / GRID**2."""

    weights: Blob
    bias: Blob


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="family", tag="network"):
    """One network, or several members whose log-odds are averaged.

    ``inputs`` has one a feature; ``average`` is what the network reads of the average training row.
    ``orders`` are the orders of the features that contributions are walked along, each also backwards.
    ``slope`` (millionths) multiplies what comes out.
    """

    inputs: tuple[Input, ...]
    layers: tuple[Layer, ...]
    activation: Literal["relu", "tanh", "leaky_relu"]
    average: Blob
    orders: tuple[tuple[int, ...], ...]
    slope: int = MILLION

    def scorer(self, features: tuple[Feature, ...]) -> NetworkScorer:
        """The network made ready."""
        widths = [given.width(feature) for given, feature in zip(self.inputs, features, strict=True)]
        ends = np.cumsum(widths).tolist()
        return NetworkScorer(
            names=tuple(feature.name for feature in features),
            inputs=tuple(map(ReadyInput.of, self.inputs, features)),
            places=tuple(slice(end - width, end) for end, width in zip(ends, widths, strict=True)),
            layers=tuple((layer.weights.array, layer.bias.array[:, None, :]) for layer in self.layers),
            activation=self.activation,
            average=self.average.array,
            orders=tuple(walk for order in self.orders for walk in (order, order[::-1])),
            slope=self.slope,
        )

    def problem(self, features: tuple[Feature, ...]) -> str | None:
        """What keeps the layers from being a model, or None."""
        if len(self.inputs) != len(features):
            return "there is one input a feature - at `$.body.inputs`"
        for place, (given, feature) in enumerate(zip(self.inputs, features, strict=True)):
            if problem := given.problem(feature):
                return f"{problem} - at `$.body.inputs[{place}]`"
        wide = sum(given.width(feature) for given, feature in zip(self.inputs, features, strict=True))
        if self.average.problem or self.average.shape != (wide,):
            return "it is not one number for each that the network reads - at `$.body.average`"
        everyone = list(range(len(features)))
        if not self.orders or any(sorted(order) != everyone for order in self.orders):
            return "an order names every feature once - at `$.body.orders`"
        if abs(self.slope) > ENTRY_MAX:
            return "it is out of range - at `$.body.slope`"
        return _layers_problem(self.layers, wide)

    def scaled(self, millionths: int) -> Network:
        """The same network, what comes out times ``millionths`` / 1,000,000."""
        return msgspec.structs.replace(self, slope=round(self.slope * millionths / MILLION))

    @property
    def sequence(self) -> int | None:
        """Which feature is a sequence; None where none is."""
        found = (place for place, given in enumerate(self.inputs) if isinstance(given, SequenceInput))
        return next(found, None)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkScorer:
    """A network made ready for scoring: see ``contract.Scorer``."""

    names: tuple[str, ...]
    inputs: tuple[ReadyInput, ...]
    places: tuple[slice, ...]
    layers: tuple[tuple[Floats, Floats], ...]
    activation: str
    average: Floats
    orders: tuple[tuple[int, ...], ...]
    slope: int

    @property
    def reference(self) -> int:
        """What the average customer scores."""
        return int(self._told(self._first(self.average[None, :]))[0])

    @property
    def terms(self) -> tuple[str, ...]:
        """A network is one term; every feature's share of it is told under its own name."""
        return self.names

    def deltas(self, found: Sequence[Value]) -> list[int]:
        """One delta a feature."""
        columns = [_single(value) for value in found]
        whole: list[int] = self.deltas_of_rows(self.prepared(columns))[:, 0].tolist()
        return whole

    def prepared(self, columns: Sequence[npt.NDArray[Any]]) -> list[npt.NDArray[Any]]:
        """Numbers as they are, categories as slots, sequences as texts."""
        return [given.prepared(values) for given, values in zip(self.inputs, columns, strict=True)]

    def deltas_of_rows(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        """(features, rows): what every feature did."""
        rows = len(ready[0])
        deltas = np.empty((len(ready), rows), dtype=np.int64)
        for begin in range(0, rows, _ROWS):
            part = slice(begin, min(begin + _ROWS, rows))
            deltas[:, part] = self._walked([values[part] for values in ready])
        return deltas

    def log_odds(self, values: Sequence[Value]) -> list[float]:
        """The log-odds that a network of one feature tells of some values of it."""
        (given,) = self.inputs
        column = np.empty(len(values), dtype=object)
        column[:] = values
        told: list[float] = (
            self._told(self._first(given.numbers(given.prepared(column)))) / MILLION
        ).tolist()
        return told

    def prefix_deltas(self, found: Sequence[Value], place: int) -> list[int]:
        """What the row scores against the average customer, had the sequence ended after 0, 1, 2.. events."""
        reader = self.inputs[place].reader
        assert reader is not None, "only a sequence has prefixes"
        states = reader.prefixes(found[place])
        rows = np.repeat(self._read(self.prepared([_single(value) for value in found])), len(states), axis=0)
        rows[:, self.places[place]] = states
        told: list[int] = (self._told(self._first(rows)) - self.reference).tolist()
        return told

    def _read(self, ready: Sequence[npt.NDArray[Any]]) -> Floats:
        numbers = [given.numbers(values) for given, values in zip(self.inputs, ready, strict=True)]
        return np.concatenate(numbers, axis=1)

    def _first(self, numbers: Floats) -> Floats:
        """(members, rows, out): the first layer before its activation, in 1 / GRID**2."""
        weights, bias = self.layers[0]
        products: Floats = np.matmul(numbers, weights) + bias
        return products

    def _told(self, products: Floats) -> Ints:
        """Log-odds in millionths from what the first layer gave."""
        for weights, bias in self.layers[1:]:
            products = np.matmul(activated(settled(products), self.activation), weights) + bias
        members = len(products)
        mean = products[:, :, 0].sum(axis=0) * (MILLION / GRID**2 / members)
        told: Ints = np.rint(mean * (self.slope / MILLION)).astype(np.int64)
        return told

    def _walked(self, ready: Sequence[npt.NDArray[Any]]) -> Ints:
        apart = self._read(ready) - self.average
        rows = len(apart)
        weights = self.layers[0][0]
        start = np.broadcast_to(self._first(self.average[None, :]), (len(weights), rows, weights.shape[2]))
        moves = [np.matmul(apart[:, place], weights[:, place]) for place in self.places]
        sums = np.zeros((len(ready), rows), dtype=np.int64)
        for order in self.orders:
            products, before = start, np.full(rows, self.reference)
            for feature in order:
                products = products + moves[feature]
                after = self._told(products)
                sums[feature] += after - before
                before = after
        return _shared(sums, len(self.orders))


def _shared(sums: Ints, walks: int) -> Ints:
    """The mean of the walks in whole millionths; what is left goes to the feature that did most."""
    deltas = sums // walks
    left = sums.sum(axis=0) // walks - deltas.sum(axis=0)
    most = np.abs(deltas).argmax(axis=0)
    deltas[most, np.arange(deltas.shape[1])] += left
    return deltas


def _single(value: Value) -> npt.NDArray[Any]:
    """A column of one row."""
    column = np.empty(1, dtype=object)
    column[0] = value
    return column


def _layers_problem(layers: tuple[Layer, ...], wide: int) -> str | None:
    if not layers:
        return "it has no layers - at `$.body.layers`"
    members = layers[0].weights.shape[0] if layers[0].weights.shape else 0
    for place, layer in enumerate(layers):
        where = f" - at `$.body.layers[{place}]`"
        if problem := layer.weights.problem or layer.bias.problem:
            return problem + where
        shape = layer.weights.shape
        if (
            len(shape) != 3
            or not members
            or shape[:2] != (members, wide)
            or layer.bias.shape != (members, shape[2])
        ):
            return "weights and bias do not fit together" + where
        bound = np.abs(layer.weights.array).sum(axis=1).max(initial=0) * ACTIVATION_MAX
        if float(bound + np.abs(layer.bias.array).max(initial=0)) > SUM_MAX:
            return "the weights are out of range" + where
        wide = shape[2]
    return None if wide == 1 else "the last layer gives one number - at `$.body.layers`"
