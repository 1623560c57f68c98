"""The registry's values: what became of a model, and whether it may decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A registered model and its newest stage: candidate, champion or retired."""

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
class Promotion:
    """A model is champion now; ``replaced`` is the one that was."""

    model_hash: str
    replaced: str | None


@dataclass(frozen=True, slots=True)
class PromotionRefusal:
    """The model did not become champion, and why."""

    reason: str
