"""``shouxin linkage``: the weights by which records are found to be one person."""

from __future__ import annotations

from typing import Any

import typer

from shouxin import identity
from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.identity import LinkageWeights

app = typer.Typer(help="The weights by which records are found to be one person.", no_args_is_help=True)


@app.command()
def train(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Learn weights from the records of this house, put them in use, and match everybody anew."""
    from shouxin.identity.linkage import UnableToTrainLinkage

    try:
        with opened_house(home) as house, house.database.begin() as db:
            done = identity.train_linkage(db, by="command line", now=house.clock())
    except UnableToTrainLinkage as error:
        fail(str(error))
    _show(done.weights, {"records": done.records, "merged": done.merged}, as_json=as_json)


@app.command()
def show(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Show the weights in use, in bits; from `merge_from` on two records are one person's."""
    with opened_house(home) as house, house.database.begin() as db:
        weights = identity.weights_in_use(db)
    _show(weights, {}, as_json=as_json)


def _show(weights: LinkageWeights, more: dict[str, Any], *, as_json: bool) -> None:
    data = weights.as_data()
    if as_json:
        emit({"hash": weights.hash, **more, **data}, as_json=True)
        return
    rows = [
        (field, label, micro_bits / 1e6)
        for field, told in data["fields"].items()
        for label, micro_bits in (*told["levels"].items(), ("differs", told["differs"]))
    ]
    rows += [(name, "", data[name] / 1e6) for name in ("prior", "merge_from", "review_from")]
    print_table(f"Match weights {weights.hash[:19]}", ("field", "agreement", "bits"), rows)
    if more:
        emit(more, as_json=False)
