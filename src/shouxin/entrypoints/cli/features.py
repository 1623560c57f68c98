"""``shouxin features``: the catalogue, as people and programs read it."""

from __future__ import annotations

from typing import Annotated

import typer

from shouxin import features as room
from shouxin.entrypoints.cli.common import JsonOption, emit, print_table


def features(
    language: Annotated[str, typer.Option("--language", help="Language of the meanings: zh or en.")] = "en",
    as_json: JsonOption = False,
) -> None:
    """List the features of the catalogue: window, direction, meaning; --json tells everything."""
    if as_json:
        definitions = [definition.as_data() for definition in room.CATALOGUE]
        emit({"hash": room.catalogue_hash(), "features": definitions}, as_json=True)
        return
    rows = [
        (
            definition.name,
            "all" if definition.window_days is None else f"{definition.window_days} d",
            _RISK[definition.direction],
            definition.meaning.in_language(language),
        )
        for definition in room.CATALOGUE
    ]
    title = f"{len(rows)} features, {room.catalogue_hash()[:19]}"
    print_table(title, ("name", "window", "risk", "meaning"), rows)


_RISK = {None: "", room.Direction.HIGHER_IS_RISKIER: "up", room.Direction.HIGHER_IS_SAFER: "down"}
