"""``shouxin features join``: values that were stored before, as they stood at each customer's instant."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail
from shouxin.features import STORED_AT, UnableToJoin, join_stored


def join(
    values: Annotated[
        Path, typer.Option("--values", help="Parquet of what was stored: customer_id, as_of, a column each.")
    ],
    points: Annotated[
        Path, typer.Option("--points", help="Parquet of who is wanted when: customer_id, as_of, and more.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The Parquet file to write.")],
    max_age_days: Annotated[
        int | None, typer.Option("--max-age-days", min=1, help="Older values count as missing.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Join stored values to customers at instants; nobody sees a value of later than their instant."""
    age = None if max_age_days is None else timedelta(days=max_age_days)
    try:
        table = join_stored(values, points, max_age=age)
    except UnableToJoin as error:
        fail(str(error))
    pq.write_table(table, out)
    found = table.num_rows - table[STORED_AT].null_count
    emit({"rows": table.num_rows, "with_values": found, "out": str(out)}, as_json=as_json, title="Joined")
