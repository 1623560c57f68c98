"""``shouxin simulate``: make a simulated shop's events, its live period, and the truth apart."""

from __future__ import annotations

import resource
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, print_table, progress_bar, say
from shouxin.simulation import UnableToSimulate, bytes_wanted
from shouxin.simulation import simulate as simulate_shop

_WORTH_TELLING = 1_000_000_000
_TABLES = {
    "customers_by_kind": "Customers by latent kind; share of the lines that ever default",
    "gangs": "Gangs; shared devices on which two members or more ordered",
    "merchants": "Merchants by how they deal",
    "limit_experiment": "Limits by chance (moral hazard): share taken, share that ever defaults",
    "price_experiment": "Prices by chance (adverse selection): share taken, share that ever defaults",
}


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
    browsing: Annotated[
        float, typer.Option(help="Visits a month that end in nothing, for an average customer; 0 is none.")
    ] = 0.0,
    workers: Annotated[
        int, typer.Option(min=1, help="Processes that draw side by side; the bytes do not depend on it.")
    ] = 1,
    as_json: JsonOption = False,
) -> None:
    """Make a simulated shop: events to ingest, a live period to play, and the truth to judge by."""
    size = bytes_wanted(customers=customers, months=months, visits_a_month=browsing)
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
                visits_a_month=browsing,
                workers=workers,
                progress=advance,
            )
    except UnableToSimulate as reason:
        fail(str(reason))
    except OSError as reason:
        fail(f"can not write to {out}: {reason.strerror or reason}")
    figures = report.as_data() | {"peak_memory_gb": round(_peak_memory(workers) / 1e9, 2)}
    if as_json:
        emit(figures, as_json=True)
    else:
        _print_report(figures)


def _print_report(figures: dict[str, Any]) -> None:
    """The figures as tables: what was made, then what the world should show."""
    emit(
        {name: value for name, value in figures.items() if not isinstance(value, dict | list)},
        as_json=False,
        title="Simulated shop",
    )
    print_table("Events of the history", ("kind", "events"), list(figures["by_kind"].items()))
    print_table("Orders", ("channel", "orders"), list(figures["orders_by_channel"].items()))
    print_table(
        "Seasons: orders a day against the mean day", ("season", "ratio"), list(figures["seasons"].items())
    )
    for name, title in _TABLES.items():
        rows = figures[name]
        columns = list(next(iter(rows.values())))
        print_table(title, ("", *columns), [(key, *row.values()) for key, row in rows.items()])
    print_table(
        "Shocks: stress begun a line and day, instalments late or unpaid; before, in and after",
        ("first day", "last day", "severity", "stress", "ratio", "late", "ratio"),
        [_shock_row(shock) for shock in figures["shocks"]],
    )


def _shock_row(shock: dict[str, Any]) -> tuple[Any, ...]:
    stress = " / ".join(f"{rate:.5f}" for rate in shock["stress_a_day"].values())
    late = " / ".join(f"{rate:.3f}" for rate in shock["late_share"].values())
    days = (shock["first_day"], shock["last_day"], shock["severity"])
    return (*days, stress, shock["stress_ratio"], late, shock["late_ratio"])


def _peak_memory(workers: int) -> int:
    """Bytes: what this process held at most, and its workers at most if they all peaked together."""
    ours = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return 1024 * (ours + (workers * theirs if workers > 1 else 0))
