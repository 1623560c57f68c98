"""``shouxin bureau``: the simulated provider of credit data, for trying out and for tests."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Annotated

import pyarrow.parquet as pq
import typer

from shouxin.entrypoints.bureau import BUREAU_KEY, BUREAU_SECRET, settings_text, start_bureau
from shouxin.entrypoints.cli.common import JsonOption, emit, fail, instant_of, say
from shouxin.simulation.bureau_people import UnableToKnowPeople, past_answers, people_of

app = typer.Typer(help="A simulated bureau: a real HTTP server with made-up data.", no_args_is_help=True)

TruthOption = Annotated[
    Path | None,
    typer.Option("--truth", help="Folder of `shouxin simulate`; without one everybody is known by luck."),
]
SeedOption = Annotated[int, typer.Option(help="The same seed gives the same answers.")]
PortOption = Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)]


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: PortOption = 8090,
    seed: SeedOption = 7,
    truth: TruthOption = None,
) -> None:
    """Sell Sesame-like and WeChat-Pay-like scores, bureau reports and public records until interrupted."""
    people = None
    if truth is not None:
        try:
            people = people_of(truth)
        except UnableToKnowPeople as error:
            fail(str(error))
    try:
        server = start_bureau(seed=seed, people=people, host=host, port=port)
    except OSError as error:
        fail(f"port {port} at {host} can not be had ({error.strerror}); name another with --port")
    known = "everybody, by luck" if people is None else f"{len(people):,} phones and identity numbers"
    say(f"the simulated bureau sells at {server.url} and knows {known} (Ctrl-C ends)")
    try:
        threading.Event().wait()
    finally:
        server.shutdown()


@app.command()
def settings(
    port: PortOption = 8090,
    budget: Annotated[str, typer.Option(help="The most that is spent in a month, CNY.")] = "5000.00",
) -> None:
    """Print the settings by which a house buys from the simulated bureau: put them into providers.toml."""
    url = f"http://127.0.0.1:{port}"
    sys.stdout.write(settings_text(url, key=BUREAU_KEY, secret=BUREAU_SECRET, budget=budget))


@app.command()
def past(
    out: Annotated[Path, typer.Option("--out", help="Parquet file of canonical events to write.")],
    truth: Annotated[Path, typer.Option("--truth", help="Folder of `shouxin simulate`.")],
    on: Annotated[list[str], typer.Option("--on", help="A day on which everybody was asked; repeatable.")],
    seed: SeedOption = 7,
    as_json: JsonOption = False,
) -> None:
    """Write what the bureau had answered about a simulated shop's credit customers on days gone by.

    Load the file with `shouxin ingest events`, then measure with `shouxin external lift`.
    """
    days = [instant_of(text, option="--on") for text in on]
    try:
        table = past_answers(truth, on=days, seed=seed)
    except UnableToKnowPeople as error:
        fail(str(error))
    out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, out, compression="zstd")
    emit({"events": table.num_rows, "days": len(days), "out": str(out)}, as_json=as_json, title="Answers")
