"""Scoring: how likely is this customer to cause a loss, and why do we think so.

A model is one JSON document of lookup tables, named by the hash of its content. It turns a customer's
features into a probability (``pd``), into points for people, and into one to four reasons; the number in
the report is the number that decided, and it comes out the same for one row and for a million. Two
families share the format: the scorecard, which fits on a page, and the EBM, which is usually stronger.
``train`` learns from a table and measures on rows it never saw; ``register`` keeps a model as a candidate. A
challenger scores in the shadow of the champion. Only open gates and a second person's approval make a model
the ``champion``, the one that decides; ``monitor`` watches it afterwards, and ``tell`` takes in what people
know better.
"""

from shouxin.scoring.assessing import Judging, assess_columns, assess_table, examine_table
from shouxin.scoring.card_import import ORIGINS, UnableToImport, import_card
from shouxin.scoring.declined import RejectInference, compare_rejects
from shouxin.scoring.domain.advice import NOT_ADVISED, Advice, AdviceRefusal, actions_for, advise, lever
from shouxin.scoring.domain.artefact import Artefact, UnableToReadArtefact
from shouxin.scoring.domain.assessment import Assessment, Given, Performance, performance
from shouxin.scoring.domain.assessment.lines import clustered_rate_interval
from shouxin.scoring.domain.assessment.wording import ASSESSMENT_WORDS
from shouxin.scoring.domain.binning import Binning, bin_categories, bin_numbers
from shouxin.scoring.domain.calibrating import CalibrationRefusal, at_prior
from shouxin.scoring.domain.columns import ScoredColumns, pd_of_columns, score_at, score_columns
from shouxin.scoring.domain.drift import Baseline, Shift, Verdict, baseline_of, psi, shifts
from shouxin.scoring.domain.events import EventContribution, EventContributions, event_contributions
from shouxin.scoring.domain.feedback import Feedback, FeedbackKind, UnableToTakeFeedback, corrected
from shouxin.scoring.domain.gates import GATE_WORDS, Gate, GateFacts, Passed, open_gates, run_gates
from shouxin.scoring.domain.inputs import UnableToScore
from shouxin.scoring.domain.metrics import (
    Evaluation,
    Interval,
    UnableToEvaluate,
    auc_difference,
    evaluate,
    optimism,
)
from shouxin.scoring.domain.monitoring import MonitoringRun, Vintage
from shouxin.scoring.domain.partition import BinningRules
from shouxin.scoring.domain.reason_families import REASON_FAMILIES, ReasonFamily, family_of
from shouxin.scoring.domain.reasons import Reason, reasons
from shouxin.scoring.domain.registry import (
    ModelRow,
    ModelStage,
    Promotion,
    PromotionRefusal,
    StageRefusal,
    StageRow,
)
from shouxin.scoring.domain.scaling import SCALINGS, Scaling
from shouxin.scoring.domain.score import Contribution, Score, pd_at, score_one
from shouxin.scoring.domain.table import Table, UnableToFindColumn
from shouxin.scoring.domain.training import TrainedModel, UnableToTrain
from shouxin.scoring.feedback import list_feedback, tell
from shouxin.scoring.monitor import UnableToMonitor, latest_monitoring, monitor
from shouxin.scoring.reading import UnableToReadTable, read_table
from shouxin.scoring.registry import (
    challenge,
    challengers,
    champion,
    find_gates,
    find_model,
    find_report,
    keep_gates,
    keep_shadow,
    list_models,
    promote,
    register,
    shadowed_until,
    stages_of,
    withdraw,
)
from shouxin.scoring.robustness import stresses
from shouxin.scoring.selection import select_features
from shouxin.scoring.service import evaluate_table, learners, train, train_columns
from shouxin.scoring.sql_export import DIALECTS, UnableToExport, scoring_sql
from shouxin.scoring.training.calibration import calibrate_trained

__all__ = [
    "ASSESSMENT_WORDS",
    "DIALECTS",
    "GATE_WORDS",
    "NOT_ADVISED",
    "ORIGINS",
    "REASON_FAMILIES",
    "SCALINGS",
    "Advice",
    "AdviceRefusal",
    "Artefact",
    "Assessment",
    "Baseline",
    "Binning",
    "BinningRules",
    "CalibrationRefusal",
    "Contribution",
    "Evaluation",
    "EventContribution",
    "EventContributions",
    "Feedback",
    "FeedbackKind",
    "Gate",
    "GateFacts",
    "Given",
    "Interval",
    "Judging",
    "ModelRow",
    "ModelStage",
    "MonitoringRun",
    "Passed",
    "Performance",
    "Promotion",
    "PromotionRefusal",
    "Reason",
    "ReasonFamily",
    "RejectInference",
    "Scaling",
    "Score",
    "ScoredColumns",
    "Shift",
    "StageRefusal",
    "StageRow",
    "Table",
    "TrainedModel",
    "UnableToEvaluate",
    "UnableToExport",
    "UnableToFindColumn",
    "UnableToImport",
    "UnableToMonitor",
    "UnableToReadArtefact",
    "UnableToReadTable",
    "UnableToScore",
    "UnableToTakeFeedback",
    "UnableToTrain",
    "Verdict",
    "Vintage",
    "actions_for",
    "advise",
    "assess_columns",
    "assess_table",
    "at_prior",
    "auc_difference",
    "baseline_of",
    "bin_categories",
    "bin_numbers",
    "calibrate_trained",
    "challenge",
    "challengers",
    "champion",
    "clustered_rate_interval",
    "compare_rejects",
    "corrected",
    "evaluate",
    "evaluate_table",
    "event_contributions",
    "examine_table",
    "family_of",
    "find_gates",
    "find_model",
    "find_report",
    "import_card",
    "keep_gates",
    "keep_shadow",
    "latest_monitoring",
    "learners",
    "lever",
    "list_feedback",
    "list_models",
    "monitor",
    "open_gates",
    "optimism",
    "pd_at",
    "pd_of_columns",
    "performance",
    "promote",
    "psi",
    "read_table",
    "reasons",
    "register",
    "run_gates",
    "score_at",
    "score_columns",
    "score_one",
    "scoring_sql",
    "select_features",
    "shadowed_until",
    "shifts",
    "stages_of",
    "stresses",
    "tell",
    "train",
    "train_columns",
    "withdraw",
]
