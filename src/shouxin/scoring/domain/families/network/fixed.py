"""Fixed point: networks in whole numbers, so that one row and many agree, on any machine.

Activations and weights are whole numbers of ``1 / GRID``, products of ``1 / GRID**2``.
They are held in float64, where whole numbers below 2**53 are exact and their sum has no order: matrix
products may be done by any library in any order. Curves are tables, made once: a test shows that none of
their entries lies so near to a half that another machine's ``tanh`` could round it differently.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

GRID = 2**12
# Activations are kept within this, so that no sum of products comes near to 2**53.
ACTIVATION_MAX = 256 * GRID
SUM_MAX = 2**52
# tanh differs from 1 by less than half a step beyond this.
_TANH_MAX = 6 * GRID
_SIGMOID_MAX = 12 * GRID
ACTIVATIONS = ("relu", "tanh", "leaky_relu")
_LEAK = 1 / 8


def on_grid(values: npt.NDArray[np.floating]) -> Floats:
    """Real numbers as whole numbers of 1 / GRID."""
    whole: Floats = np.rint(np.asarray(values, dtype=np.float64) * GRID)
    return whole


def settled(products: Floats) -> Floats:
    """Sums of products, brought back to the grid and kept within ACTIVATION_MAX."""
    whole: Floats = np.clip(np.rint(products / GRID), -ACTIVATION_MAX, ACTIVATION_MAX)
    return whole


def tanh(values: Floats) -> Floats:
    """tanh on the grid."""
    found: Floats = np.sign(values) * _tanh_table()[np.minimum(np.abs(values), _TANH_MAX).astype(np.intp)]
    return found


def sigmoid(values: Floats) -> Floats:
    """The logistic curve on the grid."""
    at = np.clip(values, -_SIGMOID_MAX, _SIGMOID_MAX).astype(np.intp) + _SIGMOID_MAX
    return _sigmoid_table()[at]


def activated(values: Floats, activation: str) -> Floats:
    """The activation of a layer."""
    if activation == "tanh":
        return tanh(values)
    if activation == "leaky_relu":
        leaky: Floats = np.where(values > 0, values, np.rint(values * _LEAK))
        return leaky
    assert activation == "relu", activation
    rectified: Floats = np.maximum(values, 0.0)
    return rectified


@cache
def _tanh_table() -> Floats:
    return np.array([round(GRID * math.tanh(step / GRID)) for step in range(_TANH_MAX + 1)], dtype=np.float64)


@cache
def _sigmoid_table() -> Floats:
    steps = range(-_SIGMOID_MAX, _SIGMOID_MAX + 1)
    return np.array([round(GRID / (1.0 + math.exp(-step / GRID))) for step in steps], dtype=np.float64)
