"""Names on a page: masked for customers, as they are for the people of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from shouxin import governance, identity
from shouxin.cases import CaseRow
from shouxin.early_warning import AlertRow
from shouxin.entrypoints.console.visit import Visit
from shouxin.kernel import OWN_SOURCE, CustomerId

Row = TypeVar("Row", AlertRow, CaseRow)


def named(visit: Visit, rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows of a queue with the masked names of their customers, opened together."""
    ids = list({row.customer_id for row in rows})
    names = identity.masked_names(visit.db, visit.house.keyring, ids) if ids else {}
    return tuple(
        replace(row, customer_name=row.customer_name or names.get(row.customer_id) or "") for row in rows
    )


def references(visit: Visit, rows: Sequence[Row]) -> Mapping[CustomerId, str]:
    """What the shops call the customers of a queue: masked names alone are too alike to tell apart."""
    return {
        customer_id: reference_of(visit, customer_id) for customer_id in {row.customer_id for row in rows}
    }


def reference_of(visit: Visit, customer_id: CustomerId) -> str:
    """The oldest reference of a customer at a shop; '' when none is known."""
    found = shop_references(identity.references_of(visit.db, customer_id))
    return found[0][1] if found else ""


def shop_references(found: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those references that somebody outside the house uses, as (source, reference)."""
    return [(source, reference) for source, reference in found if source != OWN_SOURCE]


def people_of(visit: Visit) -> Mapping[str, str]:
    """What each operator of the house is called, by id and by the name they sign in with."""
    people: dict[str, str] = {}
    for operator, _ in governance.list_operators(visit.db):
        people |= {operator.operator_id: operator.display_name, operator.name: operator.display_name}
    return people
