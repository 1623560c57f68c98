"""Contrast: an encoder learns, without any outcome, to tell customers apart by how they behave (CoLES).

Two stretches of one customer's events should look alike to it, stretches of two customers should not
(Babaev et al. 2022). The hardest strangers of a batch count, up to a margin.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from shouxin.scoring.training.deep.modules import Recurrent
from shouxin.scoring.training.deep.reading import Sequences

Ints = npt.NDArray[np.int64]
EVENTS_MIN = 6
_BATCH, _STRETCHES = 128, 3
_MARGIN = 0.7
_STRANGERS = 5
_RATE = 3e-3


def pretrain(encoder: Recurrent, sequences: Sequences, whose: Ints, *, epochs: int) -> float:
    """Learn from the latest sequence of everybody with EVENTS_MIN events; returns the last epoch's loss."""
    chosen = _one_each(sequences.counts, whose)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=_RATE)
    codes = torch.from_numpy(sequences.codes.astype(np.int64))
    counts = torch.from_numpy(sequences.counts)
    told = float("nan")
    for _ in range(epochs):
        losses = []
        for part in chosen[torch.randperm(len(chosen))].split(_BATCH):
            if len(part) < 2:
                continue
            owners = part.repeat(_STRETCHES)
            cut, length = _stretches(codes[owners], counts[owners])
            optimiser.zero_grad()
            loss = _contrast(functional.normalize(encoder(cut, length), dim=1), owners)
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        told = sum(losses) / max(len(losses), 1)
    return told


def _one_each(counts: Ints, whose: Ints) -> Tensor:
    """The place of everybody's longest sequence that is long enough."""
    order = np.lexsort((-counts, whose))
    first = np.r_[True, whose[order][1:] != whose[order][:-1]]
    chosen = order[first]
    return torch.from_numpy(np.sort(chosen[counts[chosen] >= EVENTS_MIN]))


def _stretches(codes: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    """A stretch of each sequence at random: a third of it at least."""
    length = (counts * (1 / 3 + 2 / 3 * torch.rand(len(counts)))).long().clamp(min=2)
    length = torch.minimum(length, counts)
    begin = (torch.rand(len(counts)) * (counts - length + 1)).long()
    places = (begin[:, None] + torch.arange(int(length.max()))[None, :]).clamp(max=codes.shape[1] - 1)
    return torch.gather(codes, 1, places[:, :, None].expand(-1, -1, codes.shape[2])), length


def _contrast(embedded: Tensor, owners: Tensor) -> Tensor:
    apart = torch.cdist(embedded, embedded).clamp(max=2.0)
    same = owners[:, None] == owners[None, :]
    twins = same & ~torch.eye(len(owners), dtype=torch.bool)
    pulled = (apart[twins] ** 2).mean()
    nearest = apart.masked_fill(same, 4.0).topk(min(_STRANGERS, len(owners) - 1), largest=False).values
    pushed = (functional.relu(_MARGIN - nearest) ** 2).mean()
    return pulled + pushed
