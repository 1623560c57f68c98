"""Networks and sequences: trained with torch, written down in whole numbers, served without torch."""

from shouxin.scoring.training.deep.learners import DEEP_LEARNERS

__all__ = ["DEEP_LEARNERS"]
