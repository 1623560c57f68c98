"""Attacking: rows as their customers would make them look, so that a network learns to see through it.

Whoever wants credit wants a lower risk told. Projected gradient descent (Madry et al. 2018) finds, for every
row, how to get it by moving what a customer can move, by no more than ``reach`` standard deviations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from shouxin.scoring.training.deep.learning import Attack, Rows
from shouxin.scoring.training.deep.reading import Columns


def attack_of(columns: Columns, asked: Mapping[str, Any]) -> Attack:
    """The attack within ``reach`` on the levels of numeric features that are not ``fixed``, in ``steps``.

    ``fixed`` names, separated by commas, what a customer can not change. One step is FGSM.
    """
    fixed = {name.strip() for name in asked["fixed"].split(",")}
    movable = torch.from_numpy(columns.levels.astype("float32"))
    place = 0
    for feature, width in zip(columns.features, columns.widths, strict=True):
        if feature.name in fixed:
            movable[place : place + width] = 0.0
        place += width
    reach, steps = float(asked["reach"]), int(asked["steps"])

    def attack(model: nn.Module, batch: Rows) -> Tensor:
        known = movable * (batch.numbers != 0)  # a missing value stands at 0 and stays missing
        moved = torch.zeros_like(batch.numbers)
        training = model.training
        model.eval()
        for _ in range(steps):
            at = (batch.numbers + moved).requires_grad_()
            risk = model(at, batch.codes, batch.counts).mean(dim=0).sum()
            (slope,) = torch.autograd.grad(risk, at)
            moved = (moved - 1.5 * reach / steps * slope.sign() * known).clamp(-reach, reach)
        model.train(training)
        return (batch.numbers + moved).detach()

    return attack
