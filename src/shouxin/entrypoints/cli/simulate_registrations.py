"""``shouxin simulate-registrations``: one crowd of made-up people, written differently by each source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shouxin.entrypoints.cli.common import JsonOption, emit, fail, progress_bar
from shouxin.simulation import UnableToSimulate
from shouxin.simulation import simulate_registrations as write_registrations


def simulate_registrations(
    out: Annotated[Path, typer.Option("--out", help="Folder to write; earlier files there are replaced.")],
    people: Annotated[int, typer.Option(help="How many true persons.")] = 110_000,
    registrations: Annotated[
        int | None, typer.Option(help="How many registrations; default 1.8 for a person.")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    as_json: JsonOption = False,
) -> None:
    """Write registrations of made-up people at app, web, store and phone, and apart who is who."""
    try:
        with progress_bar("simulating") as advance:
            report = write_registrations(
                out, people=people, registrations=registrations, seed=seed, progress=advance
            )
    except UnableToSimulate as reason:
        fail(str(reason))
    except OSError as reason:
        fail(f"can not write to {out}: {reason.strerror or reason}")
    emit(report.as_data(), as_json=as_json, title="Simulated registrations")
