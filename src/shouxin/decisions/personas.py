"""Personas: the tags of a customer, computed from the features and the grade of an instant."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any

from sqlalchemy import Connection

from shouxin import features, grading
from shouxin.decisions.domain import FEATURE_PREFIX, features_of_personas, json_number
from shouxin.decisions.domain.personas import PersonaSet, PersonaTag, tags_of
from shouxin.decisions.domain.reading import parse_personas
from shouxin.kernel import CustomerId


@lru_cache(maxsize=1)
def standard_personas() -> PersonaSet:
    """The personas that come with the house."""
    found = parse_personas(
        resources.files("shouxin.decisions").joinpath("policies/personas.json").read_bytes(),
        features=[definition.name for definition in features.CATALOGUE],
    )
    assert found.personas, "the house comes with personas"
    return found


def persona_tags(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> list[PersonaTag]:
    """The tags of a customer as everything was known at ``as_of``, each with why."""
    return tags_of(standard_personas(), persona_facts(db, customer_id, as_of=as_of))


def persona_facts(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> dict[str, Any]:
    """What personas read: their features, and the score and the grade that stood at ``as_of``."""
    read = features.definitions_of(features_of_personas(standard_personas()))
    values = features.values_at(db, customer_id, as_of=as_of, definitions=read)
    facts: dict[str, Any] = {f"{FEATURE_PREFIX}{name}": json_number(value) for name, value in values.items()}
    for given in grading.history(db, customer_id, limit=1, known_at=as_of):
        facts |= {"score.points": given.score, "score.pd": given.pd, "score.grade": given.grade.value}
    return facts
