"""``shouxin roll``: roll rates and vintages of any book that has a state a month."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table
from shouxin.reporting import Cohort, RollRates, UnableToRoll, monthly_states, roll_rates, vintages
from shouxin.scoring import Table, UnableToFindColumn, UnableToReadTable, read_table

_SHOWN_MONTHS = (3, 6, 12, 18, 24)


def roll(
    csv_file: Annotated[Path, typer.Option("--csv", help="The book: one row an account and month.")],
    id_column: Annotated[str, typer.Option("--id", help="Column that names the account.")],
    month_column: Annotated[str, typer.Option("--month", help="Column with the month, a whole number.")],
    state_column: Annotated[str, typer.Option("--state", help="Column with the state in that month.")],
    buckets: Annotated[
        str, typer.Option("--buckets", help="Which bucket a state is, the best first: C=M0,0=M1,1=M2.")
    ],
    bucket: Annotated[str, typer.Option("--reached", help="Vintages count who ever came to this bucket.")],
    as_json: JsonOption = False,
) -> None:
    """Tell how arrears roll from month to month, and how accounts opened together age."""
    pairs = [tuple(part.split("=", 1)) for part in buckets.split(",")]
    if any(len(pair) != 2 or not all(pair) for pair in pairs):
        raise typer.BadParameter(f"{buckets!r} is not STATE=BUCKET,STATE=BUCKET..", param_hint="--buckets")
    named = {pair[0]: pair[1] for pair in pairs}
    if bucket not in named.values():
        raise typer.BadParameter(f"{bucket!r} is no bucket of --buckets", param_hint="--reached")
    try:
        table = read_table(csv_file, columns=[id_column, month_column, state_column])
        found = monthly_states(
            table.column(id_column).tolist(), _months(table, month_column), _states(table, state_column),
            buckets=named,
        )  # fmt: skip
    except (UnableToReadTable, UnableToFindColumn, UnableToRoll) as error:
        fail(str(error))
    rates, cohorts = roll_rates(found), vintages(found, bucket=bucket)
    if as_json:
        told = {"accounts": len(found.opened), "roll_rates": rates.as_data()}
        emit(told | {"reached": bucket, "vintages": [cohort.as_data() for cohort in cohorts]}, as_json=True)
        return
    _print(rates, cohorts, bucket)


def _months(table: Table, name: str) -> list[int]:
    months = table.column(name)
    if months.dtype.kind != "f" or (months != months.round()).any():
        raise UnableToRoll(f"{name!r} is a whole number of months in every row")
    whole: list[int] = months.astype(int).tolist()
    return whole


def _states(table: Table, name: str) -> list[str]:
    values = table.column(name)
    if values.dtype.kind == "f":
        return [f"{value:g}" for value in values.tolist()]
    return ["" if value is None else str(value) for value in values.tolist()]


def _print(rates: RollRates, cohorts: tuple[Cohort, ...], bucket: str) -> None:
    rows = [
        (name, f"{sum(counts):,}", *("" if share is None else f"{share:.2%}" for share in shares))
        for name, counts, shares in zip(rates.buckets, rates.counts, rates.shares, strict=True)
    ]
    print_table("Roll rates, month to month", ("from", "months", *rates.buckets), rows)
    aged = [
        (
            str(cohort.opened),
            f"{cohort.accounts:,}",
            *(f"{cohort.reached[m - 1]:.2%}" if len(cohort.reached) >= m else "" for m in _SHOWN_MONTHS),
        )
        for cohort in cohorts
    ]
    columns = ("opened", "accounts", *(f"{month} months" for month in _SHOWN_MONTHS))
    print_table(f"Vintages: ever {bucket} or worse, by months on book", columns, aged)
