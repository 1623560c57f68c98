"""The verbs of grading: assign and look up grades; train a model and grade everyone with it."""

from shouxin.grading.service.candidates import Candidate, train_candidate
from shouxin.grading.service.grading_run import (
    Evidence,
    GradingRun,
    UnableToGrade,
    grade_everyone,
    train_and_grade,
)
from shouxin.grading.service.standings import assign, distribution, history, standing, standings

__all__ = [
    "Candidate",
    "Evidence",
    "GradingRun",
    "UnableToGrade",
    "assign",
    "distribution",
    "grade_everyone",
    "history",
    "standing",
    "standings",
    "train_and_grade",
    "train_candidate",
]
