"""Which fields the events of a kind carry, so that a definition can not read what is never there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from shouxin.features.domain.fields import BY_THE_CLOCK, Field, Origin, UnableToDefine
from shouxin.ingestion.domain import KINDS, Presence

_TYPE_OF = {Origin.TEXT: str, Origin.MINOR: int, Origin.NUMBER: int, Origin.FLAG: bool}


def check_kinds(kinds: Iterable[str]) -> None:
    """Raise UnableToDefine for a kind of event that nobody sends."""
    for kind in kinds:
        if kind not in KINDS:
            raise UnableToDefine(f"no event is of kind {kind!r}; the kinds are {', '.join(sorted(KINDS))}")


def check_field(field: Field, kinds: Iterable[str]) -> None:
    """Raise UnableToDefine unless one of the ``kinds`` carries the field, and each that does as this type."""
    if field.origin in BY_THE_CLOCK or field.origin is Origin.KIND:
        return
    carried = False
    for kind in kinds:
        if (held := _held(field, kind)) is None:
            continue
        if field.origin in _TYPE_OF and not _suits(held, field.origin):
            raise UnableToDefine(
                f"field {field.name!r} of {kind} is {held.__name__}, and {field.origin} reads "
                f"{_TYPE_OF[field.origin].__name__}; choose another origin or leave {kind} out"
            )
        carried = True
    if not carried:
        names = ", ".join(sorted({name for kind in kinds for name in payload_types(kind)})) or "none"
        raise UnableToDefine(
            f"no event of {', '.join(kinds)} carries {field.origin} {field.name!r}; "
            f"their payload fields are {names}"
        )


@cache
def payload_types(kind: str) -> dict[str, type]:
    """The payload fields of a kind with their type (str, int, float or bool), tokens among them."""
    told = get_type_hints(KINDS[kind].payload, include_extras=True)
    types = {name: _plain(hint) for name, hint in told.items()}
    return types | {f"{name}_token": str for name in KINDS[kind].personal}


def _held(field: Field, kind: str) -> type | None:
    known = KINDS[kind]
    if field.origin is Origin.ORDER:
        return None if known.order_ref is Presence.ABSENT else str
    if field.origin in (Origin.AMOUNT, Origin.AMOUNT_BAND):
        return None if known.amount is Presence.ABSENT else int
    return payload_types(kind).get(field.name)


def _suits(held: type, origin: Origin) -> bool:
    return held is _TYPE_OF[origin] or (origin is Origin.NUMBER and held is float)


def _plain(hint: Any) -> type:
    """``Annotated[int, ..] | None`` is int; a choice of texts is str."""
    origin = get_origin(hint)
    if origin is Annotated:
        return _plain(get_args(hint)[0])
    if origin is Literal:
        return type(get_args(hint)[0])
    if origin in (Union, UnionType):
        return next(_plain(part) for part in get_args(hint) if part is not NoneType)
    assert isinstance(hint, type), hint
    return hint
