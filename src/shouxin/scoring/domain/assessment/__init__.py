"""Assessment: everything worth knowing about how well a model does, as one plain structure.

It holds figures with intervals, the cut-off they are told at, tables and curves of calibration and gains, the
same by month and by segment, the worst mistakes and where mistakes come from; and what other examinations
add, such as robustness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shouxin.scoring.domain.assessment.cut_off import CutOff, Given
from shouxin.scoring.domain.assessment.lines import CalibrationLine, Curves, GainsLine
from shouxin.scoring.domain.assessment.mistakes import ErrorSources, Mistake
from shouxin.scoring.domain.assessment.performance import FIGURES, Performance, performance
from shouxin.scoring.domain.assessment.segments import Segmentation

__all__ = ["FIGURES", "Assessment", "CutOff", "Given", "Performance", "Segmentation", "performance"]


@dataclass(frozen=True, slots=True)
class Assessment:
    """One examination of the model ``model_hash``. ``more`` has further parts by name, as plain JSON."""

    model_hash: str
    performance: Performance
    calibration: tuple[CalibrationLine, ...]
    gains: tuple[GainsLine, ...]
    curves: Curves
    segments: tuple[Segmentation, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    sources: tuple[ErrorSources, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    def as_data(self) -> dict[str, Any]:
        """Plain JSON: what the document of a model and the console print."""
        return {
            "model": self.model_hash,
            "performance": self.performance.as_data(),
            "calibration": [line.as_data() for line in self.calibration],
            "gains": [line.as_data() for line in self.gains],
            "curves": self.curves.as_data(),
            "segments": [segmentation.as_data() for segmentation in self.segments],
            "mistakes": [mistake.as_data() for mistake in self.mistakes],
            "error_sources": [source.as_data() for source in self.sources],
            **self.more,
        }
