"""Learning: batches, a loss, and an end when the rows kept aside get no better."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from shouxin.scoring.domain.split import folds
from shouxin.scoring.training.deep.modules import Sighted
from shouxin.scoring.training.deep.reading import Columns, Sequences

Ints = npt.NDArray[np.int64]
# One row in seven decides when enough is learnt, as in the other learners.
_STOPPING_FOLDS = 7
_FOCUS = 2.0


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as tensors; ``codes`` and ``counts`` are None without a sequence.

    ``known`` are log-odds that something else says already; the model learns what is to be added to them.
    """

    numbers: Tensor
    codes: Tensor | None
    counts: Tensor | None
    y: Tensor
    known: Tensor

    @classmethod
    def of(
        cls, columns: Columns, sequences: Sequences | None, y: Ints, known: npt.NDArray[np.float64] | None
    ) -> Rows:
        """All rows of a task."""
        already = np.zeros(len(y)) if known is None else known
        return cls(
            torch.from_numpy(columns.matrix),
            None if sequences is None else torch.from_numpy(sequences.codes.astype(np.int64)),
            None if sequences is None else torch.from_numpy(sequences.counts),
            torch.from_numpy(y.astype(np.float32)),
            torch.from_numpy(already.astype(np.float32)),
        )

    def __len__(self) -> int:
        return len(self.y)

    def at(self, places: Tensor) -> Rows:
        """Some of the rows."""
        return Rows(
            self.numbers[places],
            None if self.codes is None else self.codes[places],
            None if self.counts is None else self.counts[places],
            self.y[places],
            self.known[places],
        )


@dataclass(frozen=True, slots=True)
class Course:
    """How to learn. ``loss``: bce, weighted (events count as much as others) or focal (Lin et al. 2017)."""

    loss: str = "bce"
    rate: float = 2e-3
    decay: float = 1e-3
    batch: int = 256
    epochs: int = 40
    patience: int = 5


# Takes a model and a batch; gives the numbers that the model learns from beside the true ones.
Attack = Callable[[nn.Module, Rows], Tensor]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Torch on one thread with luck of its own; everything is as it was afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            yield
    finally:
        torch.set_num_threads(threads)


def apart(y: Ints, groups: Ints | None, *, seed: int) -> npt.NDArray[np.bool_]:
    """The rows kept aside to stop by; a customer is not on both sides."""
    aside: npt.NDArray[np.bool_] = folds(y, count=_STOPPING_FOLDS, seed=seed, groups=groups) == 0
    return aside


def learn(
    model: Sighted, rows: Rows, aside: npt.NDArray[np.bool_], course: Course, *, attack: Attack | None = None
) -> int:
    """Learn from the rows that are not ``aside``; returns after how many epochs the best was reached.

    The model is left as it was best on the rows aside.
    """
    learnt, kept = torch.from_numpy(np.flatnonzero(~aside)), rows.at(torch.from_numpy(np.flatnonzero(aside)))
    loss = _loss(course.loss, rows.y[learnt])
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(parameters, lr=course.rate, weight_decay=course.decay)
    best, at, state = float("inf"), 0, copy.deepcopy(model.state_dict())
    for epoch in range(1, course.epochs + 1):
        model.train()
        for places in torch.randperm(len(learnt)).split(course.batch):
            if len(places) == 1:  # a batch norm has nothing to compare one row with
                continue
            batch = rows.at(learnt[places])
            optimiser.zero_grad()
            _batch_loss(model, batch, loss, attack).backward()
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimiser.step()
        found = float(loss(log_odds(model, kept) + kept.known, kept.y))
        if found < best - 1e-5:
            best, at, state = found, epoch, copy.deepcopy(model.state_dict())
        elif epoch - at >= course.patience:
            break
    model.load_state_dict(state)
    model.eval()
    return at


def log_odds(model: Sighted, rows: Rows) -> Tensor:
    """(members, rows) log-odds, nothing learnt from it."""
    model.eval()
    with torch.no_grad():
        parts = [
            model(batch.numbers, batch.codes, batch.counts)
            for batch in (rows.at(places) for places in torch.arange(len(rows)).split(1024))
        ]
    return torch.cat(parts, dim=1)


def _batch_loss(model: Sighted, batch: Rows, loss: Any, attack: Attack | None) -> Any:
    clean = loss(model(batch.numbers, batch.codes, batch.counts) + batch.known, batch.y)
    if attack is None:
        return clean
    pushed = attack(model, batch)
    return (clean + loss(model(pushed, batch.codes, batch.counts) + batch.known, batch.y)) / 2


def _loss(name: str, y: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
    share = float(y.mean())
    weight = torch.tensor((1 - share) / share) if name == "weighted" else None

    def loss(told: Tensor, y: Tensor) -> Tensor:
        wanted = y.expand_as(told)
        each = functional.binary_cross_entropy_with_logits(told, wanted, pos_weight=weight, reduction="none")
        if name == "focal":
            right = torch.exp(-functional.binary_cross_entropy_with_logits(told, wanted, reduction="none"))
            each = each * (1 - right) ** _FOCUS
        return each.mean()

    return loss
