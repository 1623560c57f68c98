"""Candidates: a model learnt from outcomes that had matured by a date, and led through its gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from shouxin import features, scoring
from shouxin.features import CATALOGUE, EventOfDefault
from shouxin.grading.domain import calibrates, is_held_out

Floats = np.ndarray[Any, np.dtype[np.float64]]
# Of so many events the window, a quarter of the customers at the latest third of the dates, has about 200,
# which carry a slope. With fewer, cross-fitting does what can be done.
CALIBRATION_EVENTS_MIN = 2_400
_DATES_MIN = 3
_DIRECTIONS = {features.Direction.HIGHER_IS_RISKIER: 1, features.Direction.HIGHER_IS_SAFER: -1}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A registered model. ``table`` has the rows of every customer, held out or not, at ``points``."""

    artefact: scoring.Artefact
    points: tuple[datetime, ...]
    rows: int
    events: int
    table: pa.Table
    gates: tuple[scoring.Gate, ...]
    corrections: Mapping[str, int] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether it may be promoted."""
        return scoring.open_gates(self.gates)


def train_candidate(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    outcome: EventOfDefault,
    model: str,
    now: datetime,
) -> Candidate:
    """Learn from what had matured by ``as_of``, register the model, and write down how it does at its gates.

    What people told by ``as_of`` corrects the labels. The gates are tested on held-out customers, beside the
    champion where there is one. Raises UnableToLabel, UnableToReadHistory, UnableToTrain.
    """
    start, _ = features.history_period(history, links)
    points = features.training_points(outcome, as_of=as_of, history_start=start)
    table = features.training_set(history, links, as_ofs=points, outcome=outcome, known_until=as_of)
    table, corrections = _corrected(db, table, outcome=outcome, as_of=as_of)
    trained, y = _train(table, outcome=outcome, model=model, period=(points[0], as_of))
    held_out = held_out_rows(table)
    facts = _gate_facts(trained.artefact, held_out, trained.report, champion=scoring.champion(db))
    report = {
        **trained.report,
        "held_out": facts.held_out.as_data() if facts.held_out else None,
        "difference": facts.difference.as_data() if facts.difference else None,
        "corrections": corrections,
        "points": [point.isoformat() for point in points],
        "assessment": _assessment(trained.artefact, held_out) if facts.held_out else None,
    }
    scoring.register(db, trained.artefact, name=f"{model}:{outcome.name}", report=report, now=now)
    gates = scoring.run_gates(trained.artefact, facts, leaks=trained.report["leaks"])
    scoring.keep_gates(db, trained.artefact.hash, gates, now=now)
    return Candidate(trained.artefact, points, len(y), int(y.sum()), table, tuple(gates), corrections)


def columns_of(table: pa.Table) -> dict[str, Floats]:
    """The features of a table as float64 columns, NaN where missing."""
    return {item.name: table[item.name].combine_chunks().to_numpy(zero_copy_only=False) for item in CATALOGUE}


def _corrected(
    db: Connection, table: pa.Table, *, outcome: EventOfDefault, as_of: datetime
) -> tuple[pa.Table, dict[str, int]]:
    """The table with the labels that people told, without the rows that an upheld appeal voids."""
    words = scoring.list_feedback(db, until=as_of)
    if not words:
        return table, {"changed": 0, "voided": 0}
    events = table["event"].to_pylist()
    rows = list(zip(table["customer_id"].to_pylist(), table["as_of"].to_pylist(), events, strict=True))
    labels = scoring.corrected(rows, words, window_days=outcome.window_days)
    kept = pa.array([label is not None for label in labels])
    changed = sum(label is not None and label != event for label, event in zip(labels, events, strict=True))
    place = table.schema.get_field_index("event")
    told = pa.array(labels, table.schema.field("event").type)
    corrected = table.set_column(place, "event", told).filter(kept)
    return corrected, {"changed": changed, "voided": labels.count(None)}


def _train(
    table: pa.Table, *, outcome: EventOfDefault, model: str, period: tuple[datetime, datetime]
) -> tuple[scoring.TrainedModel, Floats]:
    """A model of the customers who are not held out, and the outcomes that it learnt from.

    Where events are many, its probabilities are made true on the latest dates, on customers set apart.
    """
    known = pa.array([not is_held_out(customer) for customer in table["customer_id"].to_pylist()])
    rows, window = _parted(table.filter(known))
    y = rows["event"].to_numpy().astype(np.float64)
    trained = scoring.train_columns(
        columns_of(rows),
        y,
        model=model,
        outcome=outcome.name,
        directions={item.name: _DIRECTIONS[item.direction] for item in CATALOGUE if item.direction},
        meanings={item.name: item.meaning for item in CATALOGUE},
        topics={item.name: item.topic.value for item in CATALOGUE},
        period=(period[0].isoformat(), period[1].isoformat()),
        groups=np.unique(rows["customer_id"].to_pylist(), return_inverse=True)[1],
        months=np.unique(rows["as_of"].to_numpy(), return_inverse=True)[1],
    )
    return (trained if window is None else _on_window(trained, rows, window)), y


def _parted(rows: pa.Table) -> tuple[pa.Table, pa.Table | None]:
    """What is learnt from, and a later window of other customers where events are enough for both."""
    dates = np.unique(rows["as_of"].to_numpy())
    if int(pc.sum(rows["event"]).as_py() or 0) < CALIBRATION_EVENTS_MIN or len(dates) < _DATES_MIN:
        return rows, None
    late = rows["as_of"].to_numpy() > dates[-1 - len(dates) // 3]
    apart = np.array([calibrates(customer) for customer in rows["customer_id"].to_pylist()])
    return rows.filter(pa.array(~late & ~apart)), rows.filter(pa.array(late & apart))


def _on_window(trained: scoring.TrainedModel, rows: pa.Table, window: pa.Table) -> scoring.TrainedModel:
    """The model with probabilities that are true on the window; as it is, with a note, where refused."""
    dates = sorted(window["as_of"].to_pylist())
    period = (dates[0].isoformat(), dates[-1].isoformat())
    y = window["event"].to_numpy()
    found = scoring.calibrate_trained(trained, columns_of(rows), columns_of(window), y, period=period)
    if isinstance(found, scoring.CalibrationRefusal):
        trained.report["notes"].append(f"not calibrated on {period[0][:10]} and later: {found.reason}")
        return trained
    return found


def held_out_rows(table: pa.Table) -> pa.Table:
    """The customers who trained nothing, at each date of training."""
    return table.filter(pa.array([is_held_out(customer) for customer in table["customer_id"].to_pylist()]))


def _assessment(artefact: scoring.Artefact, held_out: pa.Table) -> dict[str, Any]:
    """Every figure, and what stress does, on customers who trained nothing: for the document of the model."""
    y = held_out["event"].to_numpy().astype(np.float64)
    columns = columns_of(held_out)
    groups = np.unique(held_out["customer_id"].to_pylist(), return_inverse=True)[1]
    found = scoring.performance(y, scoring.pd_of_columns(artefact, columns), groups=groups)
    stressed = scoring.stresses(artefact, columns, y, cut_off=found.cut_off.pd)
    return {
        "performance": found.as_data(),
        "robustness": {f"{one.kind}: {one.name}": one.loss.as_data() for one in stressed},
    }


def _gate_facts(
    artefact: scoring.Artefact,
    held_out: pa.Table,
    report: Mapping[str, Any],
    *,
    champion: scoring.Artefact | None,
) -> scoring.GateFacts:
    columns = columns_of(held_out)
    if not held_out.num_rows:
        return scoring.GateFacts(columns, None)
    y = held_out["event"].to_numpy().astype(np.float64)
    pd = scoring.pd_of_columns(artefact, columns)
    groups = np.unique(held_out["customer_id"].to_pylist(), return_inverse=True)[1]
    baseline = scoring.Baseline.from_data(report["baseline"])
    moved = scoring.shifts(artefact, baseline, columns, pd)[0]
    return scoring.GateFacts(
        columns, _measured(y, pd, groups), _against(champion, columns, y, pd) if champion else None, moved
    )


def _measured(y: Floats, pd: Floats, groups: Any) -> scoring.Evaluation | None:
    try:
        return scoring.evaluate(y, pd, groups=groups)
    except scoring.UnableToEvaluate:
        return None


def _against(
    champion: scoring.Artefact, columns: Mapping[str, Floats], y: Floats, pd: Sequence[float] | Floats
) -> scoring.Interval | None:
    """AUC less the champion's on the same rows; None where the champion reads what is no longer there."""
    if len(np.unique(y)) < 2 or not set(champion.names) <= set(columns):
        return None
    return scoring.auc_difference(y, np.asarray(pd), scoring.pd_of_columns(champion, columns))
