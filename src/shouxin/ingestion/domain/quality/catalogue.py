"""The catalogue: every rule by its code, and the rule behind a refusal's reason."""

from __future__ import annotations

from functools import lru_cache

from shouxin.ingestion.domain.quality.doubts import DOUBTS
from shouxin.ingestion.domain.quality.event_rules import EVENT_RULES
from shouxin.ingestion.domain.quality.file_rules import FILE_RULES
from shouxin.ingestion.domain.quality.people_rules import PEOPLE_RULES
from shouxin.ingestion.domain.quality.rules import Rule

RULES: dict[str, Rule] = {rule.code: rule for rule in (*EVENT_RULES, *FILE_RULES, *PEOPLE_RULES, *DOUBTS)}
# What a decoder complains of in words that no rule knows is a value that can not be read.
_OTHERWISE = RULES["unreadable_value"]
_BY_REASON = {reason: rule for rule in RULES.values() for reason in rule.reasons}


@lru_cache(maxsize=1024)
def rule_of(reason: str) -> Rule:
    """The rule that gave this reason (a refusal's or a warning's, in English)."""
    return _BY_REASON.get(reason) or next(
        (rule for rule in RULES.values() if rule.pattern and rule.pattern.fullmatch(reason)), _OTHERWISE
    )


def knows_reason(reason: str) -> bool:
    """Whether a rule names this reason; what only falls to "unreadable value" is not known."""
    return reason in _BY_REASON or (rule_of(reason).pattern is not None and rule_of(reason) is not _OTHERWISE)
