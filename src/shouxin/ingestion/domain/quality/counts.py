"""Counts: what became of the rows of one load, by source, and what was found in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shouxin.ingestion.domain.kinds import KINDS, SOURCE_PATTERN, Presence
from shouxin.ingestion.domain.quality.catalogue import rule_of
from shouxin.ingestion.domain.quality.doubts import (
    AMOUNT_ZERO,
    AT_MIDNIGHT,
    CONTACT_MASKED,
    FULL_WIDTH,
    LATE,
    LATE_AFTER,
    MASKED,
    REPEATED,
)
from shouxin.ingestion.domain.quality.rules import Rule, Severity
from shouxin.ingestion.domain.receipts import Fact

# A row that does not say which source it is of, or says it wrongly, is counted under this name.
NOBODY = "unknown"
# Letters, digits and signs of a full-width form (U+FF01 to U+FF5E), and its space.
FULL_WIDTH_PATTERN = "[\uff01-\uff5e\u3000]"
KINDS_WITH_AMOUNT = tuple(kind.name for kind in KINDS.values() if kind.amount is Presence.REQUIRED)
_SOURCE, _FULL_WIDTH = re.compile(SOURCE_PATTERN), re.compile(FULL_WIDTH_PATTERN)
_MASKED = MASKED.encode()


@dataclass(frozen=True, slots=True)
class LoadCount:
    """What became of the rows of one source in one load: ``read = accepted + duplicates + quarantined``.

    ``kept`` of the quarantined rows were new to the quarantine. ``findings`` counts rows by rule,
    ``flawed`` rows with a finding that lowers the score, by dimension (a row counts once in each).
    ``newest_at`` is the latest ``occurred_at`` of what passed.
    """

    source: str
    adapter: str
    read: int
    accepted: int
    duplicates: int
    quarantined: int
    kept: int
    findings: Mapping[str, int]
    flawed: Mapping[str, int]
    newest_at: datetime | None

    def __post_init__(self) -> None:
        assert self.read == self.accepted + self.duplicates + self.quarantined, self
        assert 0 <= self.kept <= self.quarantined, self
        assert all(0 <= rows <= self.read for rows in self.flawed.values()), self


@dataclass(slots=True)
class _Sum:
    passed: int = 0
    accepted: int = 0
    quarantined: int = 0
    kept: int = 0
    findings: Counter[str] = field(default_factory=Counter)
    flawed: Counter[str] = field(default_factory=Counter)
    newest_at: datetime | None = None


class Tally:
    """Adds up one load, row by row or many rows at a time, by source."""

    def __init__(self) -> None:
        self._sums: dict[str, _Sum] = {}

    def passed(self, source: str, rows: int = 1, *, newest_at: datetime | None = None) -> None:
        """Rows that broke no rule, known before or not."""
        found = self._of(source)
        found.passed += rows
        if newest_at is not None:
            found.newest_at = max(found.newest_at or newest_at, newest_at)

    def accepted(self, source: str, rows: int = 1) -> None:
        """Rows, of those that passed, that were new."""
        self._of(source).accepted += rows

    def refused(self, source: str, reason: str) -> None:
        """One row that goes to the quarantine."""
        self._of(source).quarantined += 1
        self.found(source, [rule_of(reason)])

    def kept(self, rows_by_source: Mapping[str, int]) -> None:
        """Refused rows that the quarantine did not hold yet."""
        for source, rows in rows_by_source.items():
            self._of(source).kept += rows

    def found(self, source: str, rules: Iterable[Rule]) -> None:
        """What was found in one row."""
        found = list(rules)
        self.found_many(
            source,
            {rule.code: 1 for rule in found},
            {str(rule.dimension): 1 for rule in found if rule.severity is not Severity.NOTES},
        )

    def found_many(self, source: str, findings: Mapping[str, int], flawed: Mapping[str, int]) -> None:
        """How many rows of a source have each finding, and are flawed in each dimension."""
        held = self._of(source)
        held.findings.update(findings)
        held.flawed.update(flawed)

    def counts(self, *, adapter: str) -> list[LoadCount]:
        """One count a source; rows that passed and were not new are duplicates, which is a finding."""
        for source, held in self._sums.items():
            if repeated := held.passed - held.accepted:
                self.found_many(source, {REPEATED.code: repeated}, {str(REPEATED.dimension): repeated})
        return [
            LoadCount(
                source,
                adapter,
                held.passed + held.quarantined,
                held.accepted,
                held.passed - held.accepted,
                held.quarantined,
                held.kept,
                {code: rows for code, rows in held.findings.items() if rows},
                {dimension: rows for dimension, rows in held.flawed.items() if rows},
                held.newest_at,
            )
            for source, held in sorted(self._sums.items())
        ]

    def _of(self, source: str) -> _Sum:
        return self._sums.setdefault(counted_source(source), _Sum())


def counted_source(source: str) -> str:
    """The name under which rows of a source are counted; what is no name of a source has none."""
    return source if _SOURCE.fullmatch(source) else NOBODY


def doubts_about(fact: Fact) -> list[Rule]:
    """What somebody should know of an event that is taken."""
    doubts = []
    if fact.received_at - fact.occurred_at > LATE_AFTER:
        doubts.append(LATE)
    moment = fact.occurred_at
    if not (moment.hour or moment.minute or moment.second or moment.microsecond):
        doubts.append(AT_MIDNIGHT)
    if fact.amount is not None and fact.amount.minor == 0 and fact.kind in KINDS_WITH_AMOUNT:
        doubts.append(AMOUNT_ZERO)
    if is_full_width(fact.customer_ref) or is_full_width(fact.source_id):
        doubts.append(FULL_WIDTH)
    if _MASKED in fact.payload:
        doubts.append(CONTACT_MASKED)
    return doubts


def is_full_width(text: str) -> bool:
    """Whether a text holds full-width letters, digits or signs."""
    return not text.isascii() and _FULL_WIDTH.search(text) is not None
