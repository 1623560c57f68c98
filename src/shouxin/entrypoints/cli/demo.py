"""`shouxin demo`: the whole chain on a simulated shop, then the console."""

from __future__ import annotations

import json as json_text
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import (
    HomeOption,
    JsonOption,
    emit,
    opened_house,
    progress_bar,
    say,
)
from shouxin.entrypoints.cli.grade import print_grades
from shouxin.entrypoints.cli.serve import HostOption, PortOption, run_server
from shouxin.entrypoints.demo import DemoSettings, run_demo, setup_links, summary_of
from shouxin.entrypoints.demo.journal import StageDone
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs.nightly import business_today


def demo(
    customers: Annotated[int, typer.Option(min=200, help="Customers of the simulated shop.")] = 20_000,
    months: Annotated[int, typer.Option(min=14, help="Months of history.")] = 18,
    seed: Annotated[int, typer.Option(help="The same seed makes the same shop.")] = 7,
    serve: Annotated[bool, typer.Option(help="Serve the console at the end.")] = True,
    host: HostOption = "127.0.0.1",
    port: PortOption = 8080,
    home: HomeOption = None,
    json: JsonOption = False,
) -> None:
    """Simulate a shop, run every stage of the chain on it, tell the grades, and serve the console.

    A second run does only what is left to do. The result is in HOME/demo/summary.json.
    """
    with opened_house(home) as house:
        settings = DemoSettings(customers, months, seed, today=business_today(house.clock()))
        journal = run_demo(house, settings, bar=progress_bar, told=_tell)
        summary = summary_of(journal)
        path = house.home.path / "demo" / "summary.json"
        path.write_text(json_text.dumps(summary, indent=1, ensure_ascii=False) + "\n")
        if json:
            emit(summary, as_json=True)
        else:
            title = "Customers by grade (observed: held out of training, watched from each date of training)"
            print_grades(title, summary["grades"])
        say(f"summary: {path}")
        links = setup_links(house)
        _say_links(house, links, base=f"http://{host}:{port}")
    if serve:
        run_server(host=host, port=port, home=home)


def _tell(stage: StageDone, done_now: bool) -> None:
    more = ", ".join(f"{k} {v:,}" for k, v in stage.kept.items() if isinstance(v, int))
    when = f"{stage.seconds:.1f} s" if done_now else "done before"
    say(f"[bold]{stage.name:<12}[/] {stage.count:>10,}  {when:>12}  {more}")


def _say_links(house: House, links: list[Any], *, base: str) -> None:
    if not links:
        say(f"console: {base}/sign-in")
        return
    say("Operators of the demo; each link is for one set-up of password and second factor:")
    for link in links:
        roles = ", ".join(sorted(role.value for role in link.operator.roles))
        # Not wrapped: a link is to be clicked or copied whole.
        typer.echo(f"  {link.operator.name:<12} {roles:<14} {base}/setup/{link.setup_token}", err=True)
