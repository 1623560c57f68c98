"""Definitions cut into chunks, for an engine that can not hold one query of a whole catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shouxin.features.compiler.grains import grain_key
from shouxin.features.domain import FeatureDefinition


def chunks_of(
    definitions: Sequence[FeatureDefinition], *, grains: int, aggregates: int
) -> Iterator[list[FeatureDefinition]]:
    """The definitions in chunks of at most so many grains and different aggregates, each definition once.

    Neighbours in a chunk share their grains where they can, so that few facts are grouped twice. A
    definition that alone needs more stands alone.
    """
    chunk: list[FeatureDefinition] = []
    keys: set[object] = set()
    parts: set[object] = set()
    for definition in sorted(definitions, key=_by_grains):
        own = {grain_key(part) for part in definition.parts}
        if chunk and (len(keys | own) > grains or len(parts | set(definition.parts)) > aggregates):
            yield chunk
            chunk, keys, parts = [], set(), set()
        chunk.append(definition)
        keys |= own
        parts |= set(definition.parts)
    if chunk:
        yield chunk


def _by_grains(definition: FeatureDefinition) -> list[str]:
    return sorted(repr(grain_key(part)) for part in definition.parts)
