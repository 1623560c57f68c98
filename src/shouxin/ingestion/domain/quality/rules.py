"""What a rule of data quality is: its code, what it protects, how grave it is, who mends it, its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from shouxin.kernel import Bilingual


class Dimension(StrEnum):
    """What about the data a rule protects (the six of DAMA UK, 2013)."""

    COMPLETENESS = "completeness"
    VALIDITY = "validity"
    UNIQUENESS = "uniqueness"
    CONSISTENCY = "consistency"
    TIMELINESS = "timeliness"
    ACCURACY = "accuracy"


class Severity(StrEnum):
    """What a finding does: keep the row out, lower the score, or only be counted."""

    REFUSES = "refuses"
    WARNS = "warns"
    NOTES = "notes"


class Owner(StrEnum):
    """Who can mend what a rule finds."""

    SOURCE = "source"
    DESK = "desk"
    HOUSE = "house"


DIMENSION_WORDS = {
    Dimension.COMPLETENESS: Bilingual("完整性", "Completeness"),
    Dimension.VALIDITY: Bilingual("有效性", "Validity"),
    Dimension.UNIQUENESS: Bilingual("唯一性", "Uniqueness"),
    Dimension.CONSISTENCY: Bilingual("一致性", "Consistency"),
    Dimension.TIMELINESS: Bilingual("及时性", "Timeliness"),
    Dimension.ACCURACY: Bilingual("准确性", "Accuracy"),
}
SEVERITY_WORDS = {
    Severity.REFUSES: Bilingual("拒收", "Refuses"),
    Severity.WARNS: Bilingual("警告", "Warns"),
    Severity.NOTES: Bilingual("备注", "Notes"),
}
OWNER_WORDS = {
    Owner.SOURCE: Bilingual("数据来源方", "The source's programmers"),
    Owner.DESK: Bilingual("登记柜台", "Who registers customers"),
    Owner.HOUSE: Bilingual("本平台", "This house"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. ``reasons`` are the refusals that it gives, word for word; ``pattern`` those with figures."""

    code: str
    dimension: Dimension
    severity: Severity
    owner: Owner
    name: Bilingual
    meaning: Bilingual
    mend: Bilingual
    reasons: tuple[str, ...] = ()
    pattern: re.Pattern[str] | None = None

    @property
    def is_refusal(self) -> bool:
        """Whether a row that breaks the rule goes to the quarantine."""
        return self.severity is Severity.REFUSES

    def as_data(self) -> dict[str, object]:
        """The entry as ``shouxin quality rules --json`` prints it."""
        return {
            "code": self.code,
            "dimension": self.dimension.value,
            "severity": self.severity.value,
            "owner": self.owner.value,
            "name": self.name.as_data(),
            "meaning": self.meaning.as_data(),
            "mend": self.mend.as_data(),
        }
