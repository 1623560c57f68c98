"""Robustness: what is left of a model when values are noisy, missing, of another month, or made up.

Noise and gaps are drawn with a seed; an outage takes away all that one source tells; gaming is a search by
somebody who may ask the model as often as they like and pays for every change (``gaming``). Figures are AUC
losses on the same rows, with DeLong's paired intervals.
"""

from shouxin.scoring.robustness.gaming import GAMING_COSTS, Gaming, Lever, UnableToGame, game, levers_for
from shouxin.scoring.robustness.report import Beside, Robustness, UnderStress, beside, examine, stresses

__all__ = [
    "GAMING_COSTS",
    "Beside",
    "Gaming",
    "Lever",
    "Robustness",
    "UnableToGame",
    "UnderStress",
    "beside",
    "examine",
    "game",
    "levers_for",
    "stresses",
]
