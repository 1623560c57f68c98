"""The modules that learn, and how each is written down in whole numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from shouxin.features.sequences.domain import SequenceLayout
from shouxin.scoring.domain.families.blob import Blob
from shouxin.scoring.domain.families.network import Encoder, Layer
from shouxin.scoring.domain.families.network.fixed import GRID

_ACTIVATIONS: dict[str, Any] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "leaky_relu": lambda: nn.LeakyReLU(1 / 8),
}


class Perceptron(nn.Module):
    """Layers of a plain network; with ``norm`` each is put on one scale over the batch (batch norm)."""

    def __init__(
        self, wide: int, *, width: int, depth: int, activation: str, dropout: float, norm: str
    ) -> None:
        super().__init__()
        sizes = [wide, *[width] * depth]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm1d(size) for size in sizes[1:]) if norm == "batch" else None
        self.last = nn.Linear(sizes[-1], 1)
        self.activation, self.dropout = _ACTIVATIONS[activation](), nn.Dropout(dropout)

    def forward(self, numbers: Tensor) -> Tensor:
        """(1, rows) log-odds of (rows, wide) numbers."""
        for place, layer in enumerate(self.layers):
            numbers = layer(numbers)
            if self.norms is not None:
                numbers = self.norms[place](numbers)
            numbers = self.dropout(self.activation(numbers))
        return self.last(numbers)[:, 0][None, :]

    def written(self) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """(members, in, out) weights and (members, out) biases; batch norms are folded in."""
        found = []
        for place, layer in enumerate(self.layers):
            weights, bias = _array(layer.weight).T, _array(layer.bias)
            if self.norms is not None:
                norm = self.norms[place]
                scale = _array(norm.weight) / np.sqrt(_array(norm.running_var) + norm.eps)
                weights = weights * scale
                bias = (bias - _array(norm.running_mean)) * scale + _array(norm.bias)
            found.append((weights[None], bias[None]))
        return [*found, (_array(self.last.weight).T[None], _array(self.last.bias)[None])]


class Ensemble(nn.Module):
    """Members that share weights and scale what goes in and out of them (TabM, Gorishniy et al. 2024)."""

    def __init__(
        self, wide: int, *, width: int, depth: int, activation: str, dropout: float, members: int
    ) -> None:
        super().__init__()
        sizes = [wide, *[width] * depth]
        self.layers = nn.ModuleList(
            _Shared(a, b, members=members, first=place == 0) for place, (a, b) in enumerate(pairwise(sizes))
        )
        self.last = _Apart(sizes[-1], 1, members=members)
        self.activation, self.dropout = _ACTIVATIONS[activation](), nn.Dropout(dropout)

    def forward(self, numbers: Tensor) -> Tensor:
        """(members, rows) log-odds of (rows, wide) numbers."""
        numbers = numbers[None]
        for layer in self.layers:
            numbers = self.dropout(self.activation(layer(numbers)))
        return self.last(numbers)[:, :, 0]

    def written(self) -> list[tuple[npt.NDArray[Any], npt.NDArray[Any]]]:
        """(members, in, out) weights and (members, out) biases, the scales multiplied in."""
        return [layer.written() for layer in (*self.layers, self.last)]


class _Shared(nn.Module):
    """One matrix for all members; the first layer's scales differ at random, so that members do."""

    def __init__(self, wide: int, out: int, *, members: int, first: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(wide, out).uniform_(-1, 1) / max(wide, 1) ** 0.5)
        start = torch.randn(members, 1, wide) if first else torch.ones(members, 1, wide)
        self.into, self.out = nn.Parameter(start), nn.Parameter(torch.ones(members, 1, out))
        self.bias = nn.Parameter(torch.empty(members, 1, out).uniform_(-1, 1) / max(wide, 1) ** 0.5)

    def forward(self, numbers: Tensor) -> Tensor:
        return (numbers * self.into) @ self.weight * self.out + self.bias

    def written(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        into, out = _array(self.into)[:, 0, :, None], _array(self.out)
        return into * _array(self.weight)[None] * out, _array(self.bias)[:, 0]


class _Apart(nn.Module):
    """A matrix for each member."""

    def __init__(self, wide: int, out: int, *, members: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(members, wide, out).uniform_(-1, 1) / wide**0.5)
        self.bias = nn.Parameter(torch.zeros(members, 1, out))

    def forward(self, numbers: Tensor) -> Tensor:
        return numbers @ self.weight + self.bias

    def written(self) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        return _array(self.weight), _array(self.bias)[:, 0]


class Recurrent(nn.Module):
    """The encoder while it learns: an embedding a field, added up, and a GRU or LSTM over the events."""

    def __init__(self, layout: SequenceLayout, *, cell: str, size: int, dropout: float, pooling: str) -> None:
        super().__init__()
        self.layout, self.cell, self.size, self.pooling = layout, cell, size, pooling
        self.fields = nn.ModuleList(nn.Embedding(field.codes, size) for field in layout.fields)
        kind = nn.GRU if cell == "gru" else nn.LSTM
        self.recurrent = kind(size, size, batch_first=True)
        self.dropout = nn.Dropout(dropout)

    def forward(self, codes: Tensor, counts: Tensor) -> Tensor:
        """(rows, size): the state after the last event of each row, or the mean; zeros without any event."""
        longest = max(int(counts.max()), 1)
        events = sum(field(codes[:, :longest, place]) for place, field in enumerate(self.fields))
        states, _ = self.recurrent(self.dropout(events))
        if self.pooling == "mean":
            there = torch.arange(longest)[None, :] < counts[:, None]
            return (states * there[:, :, None]).sum(dim=1) / counts.clamp(min=1)[:, None]
        last = states[torch.arange(len(codes)), (counts - 1).clamp(min=0)]
        return last * (counts > 0)[:, None]

    def written(self) -> Encoder:
        """The encoder in whole numbers; embeddings and input weights are multiplied out."""
        into = _array(self.recurrent.weight_ih_l0).T
        table = np.concatenate([_array(field.weight) @ into for field in self.fields])
        bias = np.stack([_array(self.recurrent.bias_ih_l0), _array(self.recurrent.bias_hh_l0)])
        return Encoder(
            "gru" if self.cell == "gru" else "lstm", self.layout, Blob.of(table * GRID),
            Blob.of(_array(self.recurrent.weight_hh_l0).T * GRID), Blob.of(bias * GRID),
            "mean" if self.pooling == "mean" else "last",
        )  # fmt: skip


class Sighted(nn.Module):
    """A head over columns and, where there is one, over what an encoder makes of a sequence."""

    def __init__(self, head: nn.Module, encoder: Recurrent | None = None) -> None:
        super().__init__()
        self.head, self.encoder = head, encoder

    def forward(self, numbers: Tensor, codes: Tensor | None, counts: Tensor | None) -> Tensor:
        """(members, rows) log-odds; the encoder's numbers stand after the columns."""
        if self.encoder is not None:
            numbers = torch.cat([numbers, self.encoder(codes, counts)], dim=1)
        told: Tensor = self.head(numbers)
        return told


def layers_of(head: Any) -> tuple[Layer, ...]:
    """The layers of a head in whole numbers."""
    return tuple(Layer(Blob.of(weights * GRID), Blob.of(bias * GRID**2)) for weights, bias in head.written())


def _array(tensor: Any) -> npt.NDArray[np.float64]:
    found: npt.NDArray[np.float64] = tensor.detach().numpy().astype(np.float64)
    return found
