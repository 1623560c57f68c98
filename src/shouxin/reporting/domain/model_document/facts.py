"""What a model document is written from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouxin.features.domain import FeatureDefinition
from shouxin.grading.domain import MasterScale
from shouxin.kernel import Bilingual
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.gates import Gate
from shouxin.scoring.domain.registry import ModelRow, StageRow


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What a document is written from."""

    row: ModelRow
    artefact: Artefact
    report: Mapping[str, Any]
    gates: Sequence[Gate]
    gates_at: datetime | None
    stages: Sequence[StageRow]
    looks: Sequence[Mapping[str, Any]]
    definitions: Mapping[str, FeatureDefinition]
    scale: MasterScale
    shadowed: int
    people: Mapping[str, str]
    event: Bilingual
