"""Registration: somebody becomes a customer, and what they say of themselves is looked at first.

A name, and a phone, an e-mail or a national id; numbers with a check character must be right. What is
refused names the field, the reason and the line, and waits in quarantine. Whoever has registered the
same national id at the same shop before is told so at the door; a shared phone is told and allowed.
"""

from shouxin.ingestion.domain.registering import FieldProblem, Registered
from shouxin.ingestion.registration.service import (
    PeopleReport,
    RefusedPerson,
    judge_again,
    register,
    register_file,
)

__all__ = [
    "FieldProblem",
    "PeopleReport",
    "RefusedPerson",
    "Registered",
    "judge_again",
    "register",
    "register_file",
]
