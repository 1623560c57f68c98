"""Linkage: which records of a file are one person, by weighing what agrees against what differs.

Fellegi and Sunter's model: agreement that is rare among strangers and common within one person weighs
much. The weights are learnt from the file alone, without the truth; each pair's weight is a sum that
can be read; and records become people only where they agree with one another as a group.
"""

from shouxin.identity.linkage.code_training import UnableToTrainLinkage, learn_weights
from shouxin.identity.linkage.columns import Column, ColumnKind, recognise
from shouxin.identity.linkage.linking import LinkReport, UnableToLinkFile, link_file
from shouxin.identity.linkage.metrics import Agreement, b_cubed, pairwise
from shouxin.identity.linkage.training import splink_clusters
from shouxin.identity.linkage.weights import MatchWeights

__all__ = [
    "Agreement",
    "Column",
    "ColumnKind",
    "LinkReport",
    "MatchWeights",
    "UnableToLinkFile",
    "UnableToTrainLinkage",
    "b_cubed",
    "learn_weights",
    "link_file",
    "pairwise",
    "recognise",
    "splink_clusters",
]
