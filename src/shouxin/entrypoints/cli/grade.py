"""``shouxin grade``: learn from what had matured by a date, grade everyone at that date, and check it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from shouxin import features, grading, scoring
from shouxin.entrypoints.cli.common import (
    HomeOption,
    House,
    JsonOption,
    emit,
    fail,
    instant_of,
    opened_house,
    print_table,
    progress_bar,
    say,
)
from shouxin.entrypoints.linked_history import linked_history


class ModelName(StrEnum):
    """The models that grade."""

    SCORECARD = "scorecard"
    EBM = "ebm"


def grade(
    as_of: Annotated[str, typer.Option("--as-of", help="The day to grade at: 2011-09-01.")],
    event: Annotated[str, typer.Option("--event", help="The event of default that is predicted.")],
    model: Annotated[ModelName, typer.Option("--model", help="The model to train.")] = ModelName.SCORECARD,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Train, grade every customer at a date, and show how often each grade really had the event."""
    day, outcome = instant_of(as_of, option="--as-of"), _outcome(event)
    try:
        with opened_house(home) as house:
            run = _run(house, day, outcome, model)
    except (features.UnableToLabel, features.UnableToReadHistory, scoring.UnableToTrain) as error:
        fail(str(error))
    if as_json:
        emit(run.as_data(), as_json=True)
    else:
        _show(run)


def _run(
    house: House, day: datetime, outcome: features.EventOfDefault, model: ModelName
) -> grading.GradingRun:
    now = house.clock()
    with house.database.begin() as db:
        links = linked_history(house, db, now=now, bar=progress_bar)
        with progress_bar("grading") as advance:
            return grading.train_and_grade(
                db,
                house.home.history,
                links,
                as_of=day,
                outcome=outcome,
                model=model.value,
                now=now,
                progress=advance,
            )


def _outcome(name: str) -> features.EventOfDefault:
    if name not in features.OUTCOMES:
        known = ", ".join(features.OUTCOMES)
        raise typer.BadParameter(f"{name!r} is not one of {known}", param_hint="--event")
    return features.OUTCOMES[name]


def print_grades(title: str, grades: Iterable[Mapping[str, Any]]) -> None:
    """A row for each grade, as ``GradeLine.as_data`` gives it, for people."""
    rows = [
        (
            line["grade"],
            line["customers"],
            _share(line["mean_pd"]),
            line["observed"],
            _share(line["foretold"]),
            _share(line["default_rate"]),
            " to ".join(map(_share, line["interval"] or (None,))),
        )
        for line in grades
    ]
    heads = ("grade", "customers", "mean PD", "watched", "foretold", "observed rate", "95 % interval")
    print_table(title, heads, rows)


def _show(run: grading.GradingRun) -> None:
    title = f"Grades at {run.as_of:%Y-%m-%d} for {run.outcome} ({run.model}, scale {run.scale.name})"
    print_grades(title, (line.as_data() for line in run.grades))
    for name, evaluation in (
        ("Held out of training, at the dates of training", run.evidence.unseen),
        ("Out of time, held out", run.evidence.held_out),
        ("Out of time, all", run.evidence.everyone),
    ):
        if evaluation is not None:
            figures: dict[str, Any] = {"n": evaluation.n, "event rate": evaluation.event_rate}
            figures |= {key: _interval(getattr(evaluation, key)) for key in ("auc", "ks", "slope")}
            emit(figures, as_json=False, title=name)
    if run.evidence.why_not:
        say(f"Not yet checked: {run.evidence.why_not}")
    for item in run.inversions:
        say(f"Inversion: {item.better} {item.better_rate:.2%} above {item.worse} {item.worse_rate:.2%}")


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"


def _interval(interval: scoring.Interval) -> str:
    return f"{interval.value:.4f} ({interval.low:.4f} to {interval.high:.4f})"
