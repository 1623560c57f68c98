"""The registry's values: where a model stands, and whether it may move."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.kernel import Bilingual


class ModelStage(StrEnum):
    """Where a model stands. A challenger scores beside the champion and decides nothing."""

    CANDIDATE = "candidate"
    CHALLENGER = "challenger"
    CHAMPION = "champion"
    RETIRED = "retired"


STAGE_WORDS: Mapping[ModelStage, Bilingual] = {
    ModelStage.CANDIDATE: Bilingual("候选", "Candidate"),
    ModelStage.CHALLENGER: Bilingual("挑战者", "Challenger"),
    ModelStage.CHAMPION: Bilingual("现任", "Champion"),
    ModelStage.RETIRED: Bilingual("已退役", "Retired"),
}


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A registered model and its newest stage."""

    model_hash: str
    name: str
    model: str
    outcome: str
    stage: str
    at: datetime
    maker: str | None
    checker: str | None
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class StageRow:
    """One step of a model's life: the stage, who asked, who agreed, and why."""

    stage: str
    maker: str | None
    checker: str | None
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Promotion:
    """A model is champion now; ``replaced`` is the one that was."""

    model_hash: str
    replaced: str | None


@dataclass(frozen=True, slots=True)
class PromotionRefusal:
    """The model did not become champion, and why."""

    text: Bilingual

    @property
    def reason(self) -> str:
        """Why, in English."""
        return self.text.en


@dataclass(frozen=True, slots=True)
class StageRefusal:
    """The model did not move, and why."""

    text: Bilingual

    @property
    def reason(self) -> str:
        """Why, in English."""
        return self.text.en
