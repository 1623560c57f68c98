"""The grade of every customer: S, A, B, C or D, the reasons for it, and how such a customer is served.

A grade is a band of the probability of default on a published master scale, never a judgement by hand.
Each assignment keeps the model, the features and the reasons it came from and is never changed; the
standing is the newest. ``train_and_grade`` learns from outcomes that were known by then, keeps four
customers in ten away from training, and says on those how often each grade really had the event.
"""

from shouxin.grading.domain import (
    CANCELLATION_SCALE,
    SERVICE_POLICY,
    STANDARD_SCALE,
    Grade,
    GradeAssignment,
    GradeLine,
    Inversion,
    MasterScale,
    Standing,
    below_for,
    grade_of,
    inversions,
    is_held_out,
    scale_for,
)
from shouxin.grading.service import (
    Candidate,
    Evidence,
    GradingRun,
    UnableToGrade,
    assign,
    distribution,
    grade_everyone,
    history,
    standing,
    standings,
    train_and_grade,
    train_candidate,
)

__all__ = [
    "CANCELLATION_SCALE",
    "SERVICE_POLICY",
    "STANDARD_SCALE",
    "Candidate",
    "Evidence",
    "Grade",
    "GradeAssignment",
    "GradeLine",
    "GradingRun",
    "Inversion",
    "MasterScale",
    "Standing",
    "UnableToGrade",
    "assign",
    "below_for",
    "distribution",
    "grade_everyone",
    "grade_of",
    "history",
    "inversions",
    "is_held_out",
    "scale_for",
    "standing",
    "standings",
    "train_and_grade",
    "train_candidate",
]
