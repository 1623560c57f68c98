"""Personas: what kind of customer somebody is, as data, and why a tag was given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shouxin.decisions.domain.conditions import ConditionTrace, Facts, Group, compile_condition
from shouxin.kernel import Bilingual


@dataclass(frozen=True, slots=True)
class Persona:
    """One kind of customer: a code, a name, what it means, and when it applies."""

    code: str
    name: Bilingual
    meaning: Bilingual
    when: Group
    applies: Callable[[Facts, list[ConditionTrace]], bool | None] = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class PersonaSet:
    """All personas of one version; the version is the hash of their content."""

    personas: tuple[Persona, ...]
    version: str
    body: Sequence[Mapping[str, Any]] = field(repr=False)


@dataclass(frozen=True, slots=True)
class PersonaTag:
    """A persona that a customer has, and the comparisons that held: what was read, against what."""

    persona: Persona
    why: tuple[ConditionTrace, ...]


def persona_of(code: str, name: Bilingual, meaning: Bilingual, when: Group) -> Persona:
    """A persona, its condition compiled."""
    return Persona(code, name, meaning, when, compile_condition(when))


def tags_of(personas: PersonaSet, facts: Facts) -> list[PersonaTag]:
    """The personas that apply, in their order. What is unknown gives nobody a tag."""
    tags = []
    for persona in personas.personas:
        trace: list[ConditionTrace] = []
        if persona.applies(facts, trace):
            tags.append(PersonaTag(persona, tuple(one for one in trace if one.result)))
    return tags
