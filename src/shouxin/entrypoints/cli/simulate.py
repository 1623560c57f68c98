"""``shouxin simulate``: make a simulated shop's events, its live period, and the truth apart."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, progress_bar
from shouxin.simulation import UnableToSimulate
from shouxin.simulation import simulate as simulate_shop


def simulate(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; an earlier world there is replaced.")],
    customers: Annotated[int, typer.Option(help="How many customer accounts.")] = 20_000,
    months: Annotated[int, typer.Option(help="Months of history.")] = 18,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    start: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="First day of the history.")
    ] = datetime(2024, 7, 1),  # noqa: DTZ001
    live_days: Annotated[int, typer.Option(help="Days of live period after the history.")] = 90,
    checkouts: Annotated[
        int | None, typer.Option(help="Checkouts in the live period; default one for ten customers.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a simulated shop: events to ingest, a live period to play, and the truth to judge by."""
    try:
        with progress_bar("simulating") as advance:
            report = simulate_shop(
                out,
                customers=customers,
                months=months,
                start=start.date(),
                seed=seed,
                live_days=live_days,
                live_checkouts=checkouts,
                progress=advance,
            )
    except UnableToSimulate as reason:
        fail(str(reason))
    except OSError as reason:
        fail(f"can not write to {out}: {reason.strerror or reason}")
    emit(report.as_data(), as_json=as_json, title="Simulated shop")
