"""Scoring: how likely is this customer to cause a loss, and why do we think so.

A model is one JSON document of lookup tables, named by the hash of its content. It turns a customer's
features into a probability (``pd``), into points for people, and into one to four reasons; the number in
the report is the number that decided, and it comes out the same for one row and for a million. Two
families share the format: the scorecard, which fits on a page, and the EBM, which is usually stronger.
``train`` learns from a table and measures on rows it never saw; ``register`` keeps a model; a second
person's approval makes it the ``champion``, the one that decides.
"""

from shouxin.scoring.domain.artefact import Artefact, UnableToReadArtefact
from shouxin.scoring.domain.binning import Binning, bin_categories, bin_numbers
from shouxin.scoring.domain.columns import ScoredColumns, score_at, score_columns
from shouxin.scoring.domain.events import EventContribution, EventContributions, event_contributions
from shouxin.scoring.domain.inputs import UnableToScore
from shouxin.scoring.domain.metrics import Evaluation, Interval, UnableToEvaluate, evaluate
from shouxin.scoring.domain.partition import BinningRules
from shouxin.scoring.domain.reasons import Reason, reasons
from shouxin.scoring.domain.registry import ModelRow, Promotion, PromotionRefusal
from shouxin.scoring.domain.scaling import SCALINGS, Scaling
from shouxin.scoring.domain.score import Contribution, Score, pd_at, score_one
from shouxin.scoring.domain.table import Table, UnableToFindColumn
from shouxin.scoring.domain.training import TrainedModel, UnableToTrain
from shouxin.scoring.reading import UnableToReadTable, read_table
from shouxin.scoring.service import (
    champion,
    evaluate_table,
    find_model,
    find_report,
    list_models,
    promote,
    register,
    train,
    train_columns,
)

__all__ = [
    "SCALINGS",
    "Artefact",
    "Binning",
    "BinningRules",
    "Contribution",
    "Evaluation",
    "EventContribution",
    "EventContributions",
    "Interval",
    "ModelRow",
    "Promotion",
    "PromotionRefusal",
    "Reason",
    "Scaling",
    "Score",
    "ScoredColumns",
    "Table",
    "TrainedModel",
    "UnableToEvaluate",
    "UnableToFindColumn",
    "UnableToReadArtefact",
    "UnableToReadTable",
    "UnableToScore",
    "UnableToTrain",
    "bin_categories",
    "bin_numbers",
    "champion",
    "evaluate",
    "evaluate_table",
    "event_contributions",
    "find_model",
    "find_report",
    "list_models",
    "pd_at",
    "promote",
    "read_table",
    "reasons",
    "register",
    "score_at",
    "score_columns",
    "score_one",
    "train",
    "train_columns",
]
