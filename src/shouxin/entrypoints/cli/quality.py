"""`shouxin quality`: the rules, how good each source is, and whether everything is accounted for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from shouxin.entrypoints.cli.common import HomeOption, JsonOption, emit, fail, opened_house, print_table
from shouxin.ingestion import quality
from shouxin.ingestion.quality import RULES, Freshness, QualityDay, QualityScore

app = typer.Typer(
    help="The rules of data quality, the score of each source, and the account of everything.",
    no_args_is_help=True,
    add_completion=False,
)
_RULE_COLUMNS = ("code", "dimension", "severity", "owner", "name", "meaning")


@app.command("rules")
def rules(as_json: JsonOption = False) -> None:
    """List every rule that refuses a row or counts a doubt."""
    if as_json:
        emit({"rules": [rule.as_data() for rule in RULES.values()]}, as_json=True)
        return
    rows = [
        (rule.code, rule.dimension, rule.severity, rule.owner, rule.name.en, rule.meaning.en)
        for rule in RULES.values()
    ]
    print_table(f"{len(rows)} rules", _RULE_COLUMNS, rows)


@app.command("score")
def score(
    source: Annotated[str | None, typer.Option("--source", help="This source only.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="First day (UTC); default 30 days ago.")
    ] = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print the score of each source, and of each of its days, in basis points of 10,000."""
    with opened_house(home) as house, house.database.begin() as db:
        start = since.replace(tzinfo=UTC) if since else None
        found = quality.source_quality(db, now=house.clock(), source=source, since=start)
    if as_json:
        sources = [
            _day_data(one.total)
            | {
                "freshness": _freshness_data(one.freshness),
                "days": [{"day": day.day.isoformat(), **_day_data(day)} for day in one.days],
            }
            for one in found
        ]
        weights = {str(dimension): weight for dimension, weight in quality.WEIGHTS_BP.items()}
        emit({"weights_bp": weights, "sources": sources}, as_json=True)
        return
    rows = [
        (
            day.source,
            f"{day.day}",
            day.score.total_bp if day.score else "",
            day.read,
            day.accepted,
            day.duplicates,
            day.quarantined,
            ", ".join(f"{code} {rows}" for code, rows in quality.most_found(day)[:3]),
        )
        for one in found
        for day in one.days
    ]
    columns = ("source", "day", "score", "read", "accepted", "duplicates", "quarantined", "most found")
    print_table("Score by source and day", columns, rows)


@app.command("balance")
def balance(home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Prove that no row was dropped: read = accepted + duplicates + quarantined, all of them kept."""
    with opened_house(home) as house, house.database.begin() as db:
        found = quality.balance(db)
    data = {"loads": dict(found.loads), "quarantine": dict(found.quarantine), "whole": found.is_whole}
    emit(data, as_json=as_json, title="Account of everything that came")
    if not found.is_whole:
        fail("the account does not add up; see docs/quality.md for how to look further")


def _day_data(day: QualityDay) -> dict[str, Any]:
    return {
        "source": day.source,
        "score_bp": day.score.total_bp if day.score else None,
        "dimensions_bp": _parts(day.score),
        "read": day.read,
        "accepted": day.accepted,
        "duplicates": day.duplicates,
        "quarantined": day.quarantined,
        "findings": dict(day.findings),
    }


def _parts(score: QualityScore | None) -> dict[str, int]:
    return {str(dimension): part for dimension, part in score.parts_bp.items()} if score else {}


def _freshness_data(found: Freshness | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "last_arrival": found.last_arrival.isoformat(),
        "newest_event": found.newest_event.isoformat() if found.newest_event else None,
        "usual_gap_seconds": int(found.usual_gap.total_seconds()) if found.usual_gap else None,
        "late": found.is_late,
    }
