"""The monitor: one look at a model on a day, against what it was developed on and what it promised."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from shouxin import features
from shouxin.features import EventOfDefault
from shouxin.kernel import parse_instant
from shouxin.scoring import store
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.drift import Baseline, shifts
from shouxin.scoring.domain.foretelling import early_ratio, foretold
from shouxin.scoring.domain.inputs import Floats
from shouxin.scoring.domain.metrics import Evaluation, UnableToEvaluate, evaluate
from shouxin.scoring.domain.monitoring import MonitoringRun, Vintage, vintage_verdict

# Enough to tell a PSI of 0.10 from none in ten bins many times over; the rest would only cost time.
ROWS_MAX = 20_000


class UnableToMonitor(RuntimeError):
    """There is nothing to compare with, or nobody to look at; the message says what would mend it."""


class _Cohort(NamedTuple):
    """The customers that a model is for, at a date: their features and what it says of them."""

    customers: list[str]
    columns: dict[str, Floats]
    pd: Floats


def monitor(
    db: Connection,
    artefact: Artefact,
    *,
    history: Path,
    links: pa.Table,
    outcome: EventOfDefault,
    as_of: datetime,
    now: datetime,
    rows_max: int = ROWS_MAX,
) -> MonitoringRun:
    """Look at a registered model as of a day and keep what was seen.

    Rows are the customers whom ``outcome`` is about, at most ``rows_max`` of them, chosen by a hash of their
    id. Raises UnableToMonitor, UnableToReadHistory.
    """
    report = store.load_report(db, artefact.hash) or {}
    if "baseline" not in report:
        raise UnableToMonitor("the model was registered without a baseline; train it anew to monitor it")
    looks = _Looks(artefact, history, links, outcome, rows_max)
    today = looks.cohort(as_of)
    if not today.customers:
        raise UnableToMonitor(f"{outcome.name}: nobody is in its population at {as_of:%Y-%m-%d}")
    why_not: dict[str, str] = {}
    run = MonitoringRun(
        artefact.hash,
        as_of,
        len(today.customers),
        tuple(shifts(artefact, Baseline.from_data(report["baseline"]), today.columns, today.pd)),
        foretold(today.pd),
        _developed_auc(report),
        _matured(looks, as_of, why_not),
        _early(looks, as_of, why_not),
        why_not,
    )
    store.add_monitoring(db, run, now=now)
    return run


def latest_monitoring(db: Connection, model_hash: str, *, limit: int = 1) -> list[dict[str, Any]]:
    """The newest looks at a model as plain JSON, the newest first."""
    return store.load_monitoring(db, model_hash, limit=limit)


class _Looks:
    """A model and the history that it is looked at in."""

    def __init__(
        self, artefact: Artefact, history: Path, links: pa.Table, outcome: EventOfDefault, rows_max: int
    ) -> None:
        self.artefact, self.outcome = artefact, outcome
        self._history, self._links, self._rows_max = history, links, rows_max
        self._definitions = tuple(item for item in features.CATALOGUE if item.name in set(artefact.names))

    @property
    def learnt_until(self) -> datetime | None:
        """The end of what the model learnt from; customers after it are new to it, whoever they are."""
        period = self.artefact.trained.period
        return parse_instant(period[1]) if period else None

    def cohort(self, as_of: datetime) -> _Cohort:
        """Whom the model is for at a date, and what it says of them."""
        everyone = features.population(
            self._history, self._links, as_of=as_of, outcome=self.outcome
        ).to_pylist()
        chosen = sorted(sorted(everyone, key=_lot)[: self._rows_max])
        if not chosen:
            return _Cohort([], {}, np.empty(0))
        table = features.compute(
            self._history, self._links, as_of=as_of, definitions=self._definitions, customers=chosen
        )
        columns = {
            name: table[name].combine_chunks().to_numpy(zero_copy_only=False) for name in self.artefact.names
        }
        return _Cohort(chosen, columns, pd_of_columns(self.artefact, columns))

    def happened(self, cohort: _Cohort, outcome: EventOfDefault, *, as_of: datetime, until: datetime) -> Any:
        """What happened to each of a cohort, 0 or 1. Raises UnableToLabel."""
        table = features.labels(self._history, self._links, as_of=as_of, outcome=outcome, known_until=until)
        events = dict(zip(table["customer_id"].to_pylist(), table["event"].to_pylist(), strict=True))
        return np.array([events.get(customer, 0) for customer in cohort.customers], dtype=np.int64)


def _matured(looks: _Looks, as_of: datetime, why_not: dict[str, str]) -> Vintage | None:
    """The latest cohort whose performance window is over, if the model never saw its time."""
    point = as_of - timedelta(days=looks.outcome.window_days)
    if (why := _too_soon(looks, point)) is not None:
        why_not["matured"] = why
        return None
    cohort = looks.cohort(point)
    if not cohort.customers:
        why_not["matured"] = f"nobody was in the population at {point:%Y-%m-%d}"
        return None
    y = looks.happened(cohort, looks.outcome, as_of=point, until=as_of)
    evaluation = _evaluated(y, cohort.pd)
    return _vintage(point, y, float(cohort.pd.sum()), evaluation)


def _early(looks: _Looks, as_of: datetime, why_not: dict[str, str]) -> Vintage | None:
    """A younger cohort, by its early trouble beside that of the cohort of development at the same age."""
    sign = features.EARLY_SIGNS.get(looks.outcome.name)
    learnt_until = looks.learnt_until
    if sign is None or learnt_until is None:
        why_not["early"] = (
            "no early sign is defined for the event, or the model does not say what it learnt from"
        )
        return None
    point = as_of - timedelta(days=sign.window_days)
    if (why := _too_soon(looks, point)) is not None:
        why_not["early"] = why
        return None
    developed_at = learnt_until - timedelta(days=looks.outcome.window_days)
    then, now = looks.cohort(developed_at), looks.cohort(point)
    if not then.customers or not now.customers:
        why_not["early"] = "nobody was in the population then"
        return None
    rate = _rate_of(looks, sign, then, developed_at)
    if not rate:
        why_not["early"] = f"no early trouble in the cohort of {developed_at:%Y-%m-%d} to compare with"
        return None
    y = looks.happened(now, sign, as_of=point, until=as_of)
    return _vintage(point, y, float(now.pd.sum()) * rate, None)


def _rate_of(looks: _Looks, sign: EventOfDefault, cohort: _Cohort, point: datetime) -> float:
    """Early trouble for each expected event, in the cohort of development."""
    y = looks.happened(cohort, sign, as_of=point, until=point + timedelta(days=sign.window_days))
    return float(y.sum()) / float(cohort.pd.sum())


def _vintage(point: datetime, y: Any, expected: float, evaluation: Evaluation | None) -> Vintage:
    events = int(y.sum())
    observed = early_ratio(events, expected)
    return Vintage(point, len(y), events, observed, evaluation, vintage_verdict(observed, events, evaluation))


def _too_soon(looks: _Looks, point: datetime) -> str | None:
    learnt_until = looks.learnt_until
    if learnt_until is None:
        return "the model does not say until when it learnt"
    if point < learnt_until:
        return f"a cohort after {learnt_until:%Y-%m-%d}, when the model stopped learning, has not matured yet"
    return None


def _evaluated(y: Any, pd: Floats) -> Evaluation | None:
    try:
        return evaluate(y, pd)
    except UnableToEvaluate:
        return None


def _developed_auc(report: dict[str, Any]) -> float | None:
    found = report.get("holdout") or report.get("held_out")
    return found["auc"]["value"] if found else None


def _lot(customer: str) -> bytes:
    """The same customers are looked at every time, so that their change is not one of persons."""
    return hashlib.blake2b(customer.encode(), digest_size=8, person=b"monitor").digest()
