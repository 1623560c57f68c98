"""Risk patterns as a versioned document: which items together go with the event, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.features.patterns.domain.items import Ints, Item
from shouxin.features.patterns.domain.measures import Evidence
from shouxin.kernel import Bilingual, content_hash

_FORMAT = 1
_DIGITS = 6
NO_PATTERN = -1


@dataclass(frozen=True, slots=True)
class RiskPattern:
    """Items (codes) whose holders had the event more often than others.

    ``found`` is the evidence of one half of the customers, ``confirmed`` the later one of the other half.
    """

    items: tuple[str, ...]
    found: Evidence
    confirmed: Evidence

    @property
    def code(self) -> str:
        """Its name: the codes of its items."""
        return "+".join(self.items)

    @property
    def lift(self) -> float:
        """The lift where it was confirmed: where it was found it is the best of many."""
        return round(self.confirmed.lift.value, _DIGITS)

    def as_data(self) -> dict[str, Any]:
        """The pattern as JSON data."""
        return {
            "items": list(self.items),
            "found": self.found.as_data(),
            "confirmed": self.confirmed.as_data(),
        }


@dataclass(frozen=True)
class PatternDocument:
    """The patterns that hold from ``as_of`` on, strongest first, of ``tested`` sets of items.

    Found with the outcomes of ``found_at``, confirmed with those of ``confirmed_at`` on other customers; both
    had matured by ``as_of``.
    """

    outcome: str
    as_of: datetime
    found_at: datetime
    confirmed_at: datetime
    items: tuple[Item, ...]
    tested: int
    patterns: tuple[RiskPattern, ...]

    def as_data(self) -> dict[str, Any]:
        """The document as JSON data; its hash is over these."""
        return {
            "format": _FORMAT,
            "outcome": self.outcome,
            "as_of": self.as_of.isoformat(),
            "found_at": self.found_at.isoformat(),
            "confirmed_at": self.confirmed_at.isoformat(),
            "items": [item.as_data() for item in self.items],
            "tested": self.tested,
            "patterns": [pattern.as_data() for pattern in self.patterns],
        }

    @cached_property
    def hash(self) -> str:
        """The document's name: the same patterns, the same name."""
        return content_hash(self.as_data())

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> PatternDocument:
        """The document that ``as_data`` told."""
        assert data["format"] == _FORMAT, data["format"]
        as_of, found_at, confirmed_at = (
            datetime.fromisoformat(data[name]) for name in ("as_of", "found_at", "confirmed_at")
        )
        return cls(
            data["outcome"],
            as_of,
            found_at,
            confirmed_at,
            tuple(Item.from_data(item) for item in data["items"]),
            data["tested"],
            tuple(
                RiskPattern(tuple(told["items"]), _evidence(told["found"]), _evidence(told["confirmed"]))
                for told in data["patterns"]
            ),
        )

    def meaning(self, pattern: RiskPattern) -> Bilingual:
        """The pattern in words."""
        by_code = {item.code: item.meaning for item in self.items}
        words = [by_code[code] for code in pattern.items]
        return Bilingual("，且".join(w.zh for w in words), "; ".join(w.en for w in words))

    def needed(self, pattern: RiskPattern) -> int:
        """The bits that a customer's items must have for the pattern to match."""
        position = {item.code: number for number, item in enumerate(self.items)}
        return sum(1 << position[code] for code in pattern.items)


def matched(document: PatternDocument, masks: Ints) -> tuple[Ints, Ints]:
    """(how many patterns each customer matches, the position of the strongest or ``NO_PATTERN``)."""
    count = np.zeros(len(masks), dtype=np.int64)
    strongest = np.full(len(masks), NO_PATTERN, dtype=np.int64)
    for position in reversed(range(len(document.patterns))):
        needed = document.needed(document.patterns[position])
        matches = (masks & needed) == needed
        count += matches
        strongest[matches] = position
    return count, strongest


def lifts(document: PatternDocument, strongest: Ints) -> npt.NDArray[np.float64]:
    """The lift of the strongest pattern matched; 1 where none is: as everybody."""
    told: Sequence[float] = [pattern.lift for pattern in document.patterns]
    return np.array([*told, 1.0])[strongest]


def _evidence(told: dict[str, Any]) -> Evidence:
    return Evidence(told["rows"], told["with_items"], told["events"], told["both"])
