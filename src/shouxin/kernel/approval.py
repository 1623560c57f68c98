"""Approval: the key that a second person cuts. Lower rooms ask for one and never make one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


class UnableToApprove(ValueError):
    """The approval would not be one: the same person asked and agreed, or it says nothing."""


@dataclass(frozen=True, slots=True)
class Approval:
    """``checker`` agreed at ``approved_at`` to what ``maker`` asked for ``subject``, and said why."""

    approval_id: str
    subject: str
    maker: str
    checker: str
    reason: str
    approved_at: datetime

    def __post_init__(self) -> None:
        if self.maker == self.checker:
            raise UnableToApprove(f"{self.maker} can not approve what {self.maker} asked for")
        if not self.reason.strip():
            raise UnableToApprove("an approval says why")
        assert self.approved_at.tzinfo is not None, "an instant has a zone"

    def covers(self, subject: str) -> bool:
        """Whether this key opens exactly this door."""
        return self.subject == subject
