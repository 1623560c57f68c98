"""Compatibility: whether whoever sends by a published JSON Schema may go on sending.

A schema of a version is a promise. It may grow (a new optional field, one more allowed value, a wider
limit); whatever it once allowed it allows for ever. What breaks that needs a new version. A keyword that
is not known here counts as broken when it changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]
_TOLD = {"$schema", "$id", "$defs", "title", "description", "default", "examples"}
_LEAST = {"minLength", "minimum", "minItems", "exclusiveMinimum"}
_MOST = {"maxLength", "maximum", "maxItems", "exclusiveMaximum"}
_LOOKED_INTO = {"properties", "required", "type", "enum", "const", "anyOf", "$ref", "additionalProperties"}


def broken_promises(before: Schema, after: Schema) -> list[str]:
    """Where ``after`` refuses what ``before`` allowed, and what is narrower; nothing for a new version."""
    if before.get("$id") != after.get("$id"):
        return []
    return list(_broken(before, after, roots=(before, after), at="#"))


def _broken(before: Schema, after: Schema, *, roots: tuple[Schema, Schema], at: str) -> Iterator[str]:
    before, after = _followed(before, roots[0]), _followed(after, roots[1])
    options, choices = before.get("anyOf", [before]), after.get("anyOf", [after])
    if len(options) > 1 or len(choices) > 1:
        for option in options:
            if all(any(_broken(option, choice, roots=roots, at=at)) for choice in choices):
                yield f"{at}: something that was allowed is not any more"
        return
    before, after = _followed(options[0], roots[0]), _followed(choices[0], roots[1])
    yield from (f"{at}: {what}" for what in _narrowed(before, after))
    known = before.get("properties", {})
    for name, schema in known.items():
        if name in after.get("properties", {}):
            yield from _broken(schema, after["properties"][name], roots=roots, at=f"{at}/{name}")
        elif after.get("additionalProperties", True) is False:
            yield f"{at}/{name}: the field is gone"


def _narrowed(before: Schema, after: Schema) -> Iterator[str]:
    """What of one schema alone, not of its parts, is narrower."""
    for name in sorted(set(after.get("required", ())) - set(before.get("required", ()))):
        yield f"{name} became required"
    if "type" in after and not _types(before) <= _types(after):
        yield "the type is narrower"
    if _values(after) is not None and not _is_within(_values(before), _values(after)):
        yield "an allowed value is gone"
    if after.get("additionalProperties", True) is False and before.get("additionalProperties", True):
        yield "other fields are refused"
    for keyword in sorted({*before, *after} - _TOLD - _LOOKED_INTO):
        old, new = before.get(keyword), after.get(keyword)
        if new is None or old == new:
            continue
        grows = (keyword in _LEAST and old is not None and new < old) or (
            keyword in _MOST and old is not None and new > old
        )
        if not grows:
            yield f"{keyword} is narrower"


def _followed(schema: Schema, root: Schema) -> Schema:
    while "$ref" in schema:
        schema = root["$defs"][schema["$ref"].removeprefix("#/$defs/")]
    return schema


def _types(schema: Schema) -> set[str]:
    """The types that are allowed; a number may be whole."""
    told = schema.get("type")
    names = {told} if isinstance(told, str) else set(told or ("anything",))
    return names | ({"integer"} if "number" in names else set())


def _values(schema: Schema) -> list[Any] | None:
    """The values that are allowed, or None where any is."""
    if "const" in schema:
        return [schema["const"]]
    values: list[Any] | None = schema.get("enum")
    return values


def _is_within(values: list[Any] | None, allowed: list[Any] | None) -> bool:
    return values is not None and all(value in (allowed or ()) for value in values)
