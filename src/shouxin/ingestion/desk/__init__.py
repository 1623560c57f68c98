"""The quarantine desk: refused rows are looked at, mended, tried again or given up, by somebody for a reason.

A row is open until it is accepted, turns out to be known already, or is discarded; nothing else becomes of
it, and no row is ever lost. What a row held is sealed, and revealing it is audited.
"""

from shouxin.ingestion.desk.replaying import replay_quarantine
from shouxin.ingestion.desk.service import (
    check_repair,
    count_quarantine,
    discard_chosen,
    discard_quarantined,
    find_quarantined,
    list_quarantine,
    list_repairs,
    quarantine_choices,
    repair_quarantined,
    reveal_quarantined,
)
from shouxin.ingestion.domain.desk import (
    STATES,
    DeskRefusal,
    DeskRefusalReason,
    QuarantineChoices,
    QuarantineFilter,
    Repair,
    Repaired,
)

__all__ = [
    "STATES",
    "DeskRefusal",
    "DeskRefusalReason",
    "QuarantineChoices",
    "QuarantineFilter",
    "Repair",
    "Repaired",
    "check_repair",
    "count_quarantine",
    "discard_chosen",
    "discard_quarantined",
    "find_quarantined",
    "list_quarantine",
    "list_repairs",
    "quarantine_choices",
    "repair_quarantined",
    "replay_quarantine",
    "reveal_quarantined",
]
