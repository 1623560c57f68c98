"""Names on a page: masked for customers, as they are for the people of the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from shouxin import governance, identity
from shouxin.cases import CaseRow
from shouxin.early_warning import AlertRow
from shouxin.entrypoints.console.visit import Visit

Row = TypeVar("Row", AlertRow, CaseRow)


def named(visit: Visit, rows: Sequence[Row]) -> tuple[Row, ...]:
    """The rows of a queue with the masked names of their customers, opened together."""
    ids = list({row.customer_id for row in rows})
    names = identity.masked_names(visit.db, visit.house.keyring, ids) if ids else {}
    return tuple(
        replace(row, customer_name=row.customer_name or names.get(row.customer_id) or "") for row in rows
    )


def people_of(visit: Visit) -> Mapping[str, str]:
    """What each operator of the house is called."""
    return {
        operator.operator_id: operator.display_name for operator, _ in governance.list_operators(visit.db)
    }
