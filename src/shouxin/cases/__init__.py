"""Cases: who must look at a customer, until when, and what they decided.

A case is opened from an alert, from a decision, or by hand; its severity sets the time in which it
must be closed. People assign it, write notes, move it between open, investigating and waiting, and
close it with an outcome and a reason. The timeline is append-only. Closing a case that came from an
alert tells early warning what the alert was worth, so that indicators can be judged themselves.
"""

from shouxin.cases.domain import (
    OUTCOME_WORDS,
    SLA_HOURS,
    STATE_WORDS,
    TRANSITIONS,
    Case,
    CaseEntry,
    CaseFilter,
    CaseOutcome,
    CasePage,
    CaseRefusal,
    CaseRow,
    CaseState,
    Origin,
)
from shouxin.cases.erasing import ask_to_erase_customer, erase_customer, obligations_of
from shouxin.cases.service import (
    add_note,
    assign,
    close,
    count_open_cases,
    get_case,
    list_cases,
    move,
    open_case,
    reopen,
)

__all__ = [
    "OUTCOME_WORDS",
    "SLA_HOURS",
    "STATE_WORDS",
    "TRANSITIONS",
    "Case",
    "CaseEntry",
    "CaseFilter",
    "CaseOutcome",
    "CasePage",
    "CaseRefusal",
    "CaseRow",
    "CaseState",
    "Origin",
    "add_note",
    "ask_to_erase_customer",
    "assign",
    "close",
    "count_open_cases",
    "erase_customer",
    "get_case",
    "list_cases",
    "move",
    "obligations_of",
    "open_case",
    "reopen",
]
