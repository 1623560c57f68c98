"""Facts as columns: one batch a kind of event, and the JSON text of its payload, built without a loop."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.random import Generator

from shouxin.simulation.domain import Flags, Floats, Ints

_MESSAGE_SECONDS_MAX = 90


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Events of one kind, one array entry each; times in days since the start.

    ``order`` is an order's number or -1; ``amount`` is in minor units or -1 for none; ``payload`` and
    ``personal`` are columns of JSON text.
    """

    kind: str
    customer: Ints
    occurred: Floats
    received: Floats
    order: Ints
    amount: Ints
    payload: Any
    personal: Any

    @property
    def size(self) -> int:
        """How many events."""
        return len(self.customer)


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of a JSON object: rendered values, and where it is present (None: everywhere)."""

    rendered: Any
    present: Flags | None = None


def facts(
    kind: str,
    customer: Ints,
    occurred: Floats,
    *,
    order: Ints | None = None,
    amount: Ints | None = None,
    payload: Mapping[str, Field] | None = None,
    personal: Mapping[str, Field] | None = None,
) -> Facts:
    """A batch of facts that are learnt as they happen."""
    size = len(customer)
    nothing = np.full(size, -1, dtype=np.int64)
    return Facts(
        kind=kind,
        customer=customer,
        occurred=occurred,
        received=occurred,
        order=nothing if order is None else order,
        amount=nothing if amount is None else amount,
        payload=json_objects(payload or {}, size=size),
        personal=json_objects(personal, size=size) if personal else pa.nulls(size, pa.string()),
    )


def learnt_late(rng: Generator, batch: Facts, *, share: float, days_max: float) -> Facts:
    """The same facts, a ``share`` of them known to the shop only up to ``days_max`` days afterwards."""
    late = rng.random(batch.size) < share
    wait = np.where(late, rng.uniform(0.5, days_max, batch.size), 0.0)
    return Facts(
        batch.kind, batch.customer, batch.occurred, batch.occurred + wait,
        batch.order, batch.amount, batch.payload, batch.personal,
    )  # fmt: skip


def learnt_soon(rng: Generator, received: Floats) -> Floats:
    """Add the seconds that a message is under way."""
    return received + rng.integers(0, _MESSAGE_SECONDS_MAX, len(received)) / 86_400


def numbers(values: Ints, *, present: Flags | None = None) -> Field:
    """A field of whole numbers."""
    return Field(pc.cast(pa.array(values.astype(np.int64)), pa.string()), present)


def words(values: Sequence[str], codes: Ints | Flags, *, present: Flags | None = None) -> Field:
    """A field of words, given as positions in ``values``."""
    rendered = pa.array([json.dumps(value, ensure_ascii=False) for value in values], pa.string())
    return Field(pc.take(rendered, pa.array(codes.astype(np.int64))), present)


def texts(values: Any, *, present: Flags | None = None) -> Field:
    """A field of texts that need no escaping (names, ids and addresses of our own making)."""
    return Field(joined(pa.scalar('"'), values, pa.scalar('"')), present)


def joined(*parts: Any) -> Any:
    """Texts side by side, row by row; scalars are repeated."""
    return pc.binary_join_element_wise(*parts, pa.scalar(""))


def numbered(prefix: str, values: Ints, *, digits: int) -> Any:
    """Texts such as ``O0000042``."""
    plain = pc.cast(pa.array(values.astype(np.int64)), pa.string())
    return joined(pa.scalar(prefix), pc.utf8_lpad(plain, digits, "0"))


def json_objects(fields: Mapping[str, Field], *, size: int) -> Any:
    """One JSON object a row; a field that is absent in a row is left out of its object."""
    if not fields:
        return pc.cast(pa.DictionaryArray.from_arrays(np.zeros(size, np.int32), ["{}"]), pa.string())
    parts = [_member(name, field, size=size) for name, field in fields.items()]
    # Every member brings its comma, so that absent ones leave no hole; the first comma goes.
    return joined(pa.scalar("{"), pc.utf8_ltrim(joined(*parts), ","), pa.scalar("}"))


def _member(name: str, field: Field, *, size: int) -> Any:
    member = joined(pa.scalar(f',"{name}":'), field.rendered)
    if field.present is None:
        return member
    assert len(field.present) == size, name
    return pc.if_else(pa.array(field.present), member, pa.scalar(""))
