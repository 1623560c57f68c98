"""Overrides and what followed them: were people right to decide otherwise than the model?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class OverrideLine:
    """Overrides that said the same; of how many the line came into default since, and the mean PD before."""

    said: str
    overrides: int
    defaulted: int
    mean_pd: float | None

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "said": self.said,
            "overrides": self.overrides,
            "defaulted": self.defaulted,
            "mean_pd": None if self.mean_pd is None else round(self.mean_pd, 6),
        }
