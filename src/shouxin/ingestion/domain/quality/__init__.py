"""Data quality: the rules, what they count, and the score that follows. Pure."""

from shouxin.ingestion.domain.quality.catalogue import RULES, knows_reason, rule_of
from shouxin.ingestion.domain.quality.counts import LoadCount, Tally, counted_source, doubts_about
from shouxin.ingestion.domain.quality.file_rules import CAN_NOT_OPEN
from shouxin.ingestion.domain.quality.rules import (
    DIMENSION_WORDS,
    OWNER_WORDS,
    SEVERITY_WORDS,
    Dimension,
    Owner,
    Rule,
    Severity,
)
from shouxin.ingestion.domain.quality.score import (
    FAIR_BP,
    FULL_BP,
    GOOD_BP,
    WEIGHTS_BP,
    Freshness,
    QualityDay,
    QualityScore,
    freshness,
    most_found,
    quality_score,
    total_of,
)

__all__ = [
    "CAN_NOT_OPEN",
    "DIMENSION_WORDS",
    "FAIR_BP",
    "FULL_BP",
    "GOOD_BP",
    "OWNER_WORDS",
    "RULES",
    "SEVERITY_WORDS",
    "WEIGHTS_BP",
    "Dimension",
    "Freshness",
    "LoadCount",
    "Owner",
    "QualityDay",
    "QualityScore",
    "Rule",
    "Severity",
    "Tally",
    "counted_source",
    "doubts_about",
    "freshness",
    "knows_reason",
    "most_found",
    "quality_score",
    "rule_of",
    "total_of",
]
