"""Data quality: what every load came to, what was found in it, and how good each source is, day by day.

Every load leaves one count a source, in the transaction that stores its rows, and the database refuses a
count that does not add up. The score of a day follows from the counts by a formula that is data.
"""

from shouxin.ingestion.domain.quality import (
    DIMENSION_WORDS,
    OWNER_WORDS,
    RULES,
    SEVERITY_WORDS,
    WEIGHTS_BP,
    Dimension,
    Freshness,
    QualityDay,
    QualityScore,
    Rule,
    most_found,
    rule_of,
)
from shouxin.ingestion.quality.service import Balance, SourceQuality, balance, source_quality

__all__ = [
    "DIMENSION_WORDS",
    "OWNER_WORDS",
    "RULES",
    "SEVERITY_WORDS",
    "WEIGHTS_BP",
    "Balance",
    "Dimension",
    "Freshness",
    "QualityDay",
    "QualityScore",
    "Rule",
    "SourceQuality",
    "balance",
    "most_found",
    "rule_of",
    "source_quality",
]
