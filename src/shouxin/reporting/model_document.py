"""Telling of models: the document of a version, and how people's overrides turned out."""

from __future__ import annotations

from sqlalchemy import Connection

from shouxin import features, governance, grading, scoring
from shouxin.kernel import Bilingual
from shouxin.reporting import store
from shouxin.reporting.domain import DEFAULTED_DAYS
from shouxin.reporting.domain.model_document import ModelDocument, ModelFacts, write_document
from shouxin.reporting.domain.overrides import OverrideLine

_LOOKS = 12


def model_document(db: Connection, model_hash: str) -> ModelDocument | None:
    """The document of a model by its hash; None where it is not registered."""
    artefact = scoring.find_model(db, model_hash)
    if artefact is None:
        return None
    gates = scoring.find_gates(db, model_hash)
    return write_document(
        ModelFacts(
            next(row for row in scoring.list_models(db) if row.model_hash == model_hash),
            artefact,
            scoring.find_report(db, model_hash) or {},
            gates[0] if gates else (),
            gates[1] if gates else None,
            scoring.stages_of(db, model_hash),
            scoring.latest_monitoring(db, model_hash, limit=_LOOKS),
            {definition.name: definition for definition in features.CATALOGUE},
            grading.scale_for(artefact.outcome),
            store.count_shadowed(db, model_hash),
            {operator.operator_id: operator.name for operator, _ in governance.list_operators(db)},
            _event(artefact.outcome),
        )
    )


def override_report(db: Connection) -> list[OverrideLine]:
    """What people decided otherwise than the model, and of how many the line came into default since."""
    return store.override_lines(db, defaulted_days=DEFAULTED_DAYS)


def _event(outcome: str) -> Bilingual:
    """What the event means; its name where it is none of ours."""
    known = features.OUTCOMES.get(outcome)
    return known.meaning if known else Bilingual(outcome, outcome)
