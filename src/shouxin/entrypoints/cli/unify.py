"""``shouxin unify``: give new references a customer and find who is one; measure it by a truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
import typer

from shouxin import identity
from shouxin.entrypoints.cli.common import (
    HomeOption,
    House,
    JsonOption,
    emit,
    fail,
    opened_house,
    progress_bar,
)
from shouxin.identity.linkage import b_cubed, pairwise

_COLUMNS = ("source", "customer_ref", "person")


def unify(
    truth: Annotated[
        Path | None,
        typer.Option(help="Parquet file (source, customer_ref, person) that says who is who; only measures."),
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Unify what was ingested into customers; --truth measures it, pairwise and B-cubed."""
    told = None if truth is None else _truth(truth)
    with opened_house(home) as house:
        with house.database.begin() as db, progress_bar("unifying customers") as advance:
            count = identity.unify(db, keyring=house.keyring, now=house.clock(), progress=advance)
        figures: dict[str, Any] = {
            "references": count.references,
            "customers": count.customers,
            "merged": count.merged,
            "conflicts": count.conflicts,
        }
        with house.database.begin() as db:
            figures["possible_matches"] = identity.possible_matches(db, limit=1)[1]
        if told is not None:
            figures |= _measured(house, told)
    emit(figures, as_json=as_json, title="Customers")


def _truth(path: Path) -> dict[tuple[str, str], Any]:
    try:
        table = pq.read_table(path, columns=list(_COLUMNS))
    except (OSError, pa.ArrowException) as error:
        fail(f"{path} can not be read as the truth (columns {', '.join(_COLUMNS)}): {error}")
    rows = zip(*(table[name].to_pylist() for name in _COLUMNS), strict=True)
    return {(source, ref): person for source, ref, person in rows}


def _measured(house: House, truth: dict[tuple[str, str], Any]) -> dict[str, Any]:
    with house.database.begin() as db:
        links = identity.links(db)
    rows = zip(*(links[name].to_pylist() for name in links.column_names), strict=True)
    found = {(source, ref): customer for source, ref, customer in rows if (source, ref) in truth}
    if len(found) < len(truth):
        fail(f"{len(truth) - len(found)} of {len(truth)} references of the truth were not ingested yet")
    customers, people = list(found.values()), [truth[ref] for ref in found]
    return {
        "measured": len(found),
        "pairwise": pairwise(customers, people).as_data(),
        "b_cubed": b_cubed(customers, people).as_data(),
    }
