"""``shouxin simulate``: make a simulated shop's events, its live period, and the truth apart."""

from __future__ import annotations

import resource
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, progress_bar, say
from shouxin.simulation import UnableToSimulate, bytes_wanted
from shouxin.simulation import simulate as simulate_shop

_WORTH_TELLING = 1_000_000_000


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
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that draw side by side; the bytes do not depend on it.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Make a simulated shop: events to ingest, a live period to play, and the truth to judge by."""
    size = bytes_wanted(customers=customers, months=months)
    if size >= _WORTH_TELLING:
        say(f"this world takes about {size / 1e9:.1f} GB below {out}")
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
                workers=workers,
                progress=advance,
            )
    except UnableToSimulate as reason:
        fail(str(reason))
    except OSError as reason:
        fail(f"can not write to {out}: {reason.strerror or reason}")
    figures = report.as_data() | {"peak_memory_gb": round(_peak_memory(workers) / 1e9, 2)}
    emit(figures, as_json=as_json, title="Simulated shop")


def _peak_memory(workers: int) -> int:
    """Bytes: what this process held at most, and its workers at most if they all peaked together."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return 1024 * (ours + (workers * theirs if workers > 1 else 0))
