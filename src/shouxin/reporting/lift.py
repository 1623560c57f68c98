"""The lift report: what each product of credit data adds to a model, on the same customers, by its price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection

from shouxin import decisions, features, scoring
from shouxin.features import CATALOGUE, EventOfDefault, FeatureDefinition, Missing
from shouxin.features.domain import Origin
from shouxin.grading.domain import Grade, is_held_out, scale_for
from shouxin.ingestion.external import Product
from shouxin.kernel import Progress, silent
from shouxin.kernel.money import exponent
from shouxin.reporting import store
from shouxin.reporting.domain.lift import (
    Floats,
    LiftReport,
    ProductLift,
    approved_as_many,
    approved_below,
    cost_of_answers,
    loss_saved,
    not_measured,
    per_10k_yuan,
    saved_per_yuan,
    verdict_of,
)
from shouxin.reporting.domain.views import LGD_ASSUMED
from shouxin.scoring.domain.metrics import auc_difference, delong

Model = Literal["scorecard", "ebm"]
ALL = "all"
ANSWERED = "external_score_received"
_SEED = 7
# A handful of answers teaches a model nothing but luck.
_ANSWERS_MIN = 100
_DIRECTIONS = {features.Direction.HIGHER_IS_RISKIER: 1, features.Direction.HIGHER_IS_SAFER: -1}


class UnableToMeasureLift(ValueError):
    """The history does not hold what a comparison needs; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class _Sample:
    """Training rows and test rows with every feature, exposure in major units, and the outcome."""

    trained_at: tuple[datetime, ...]
    tested_at: datetime
    training: pa.Table
    test: pa.Table

    @property
    def y(self) -> Floats:
        return _column(self.test, "event")

    @property
    def exposure(self) -> Floats:
        return np.nan_to_num(_column(self.test, "exposure"))


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every product is held against: the model of the shop's own facts, and whom it lends to."""

    sample: _Sample
    own: Sequence[FeatureDefinition]
    without: Floats
    cut_off: float
    approved: np.ndarray[tuple[int], np.dtype[np.bool_]]
    outcome: EventOfDefault
    model: Model
    currency: str


def external_lift(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    products: Sequence[Product],
    outcome: EventOfDefault = features.DEFAULTS,
    model: Model = "ebm",
    now: datetime,
    progress: Progress = silent,
) -> LiftReport:
    """Train without and with each product at dates whose outcomes had matured, test them later, keep it.

    The test date lies one performance window before ``as_of``; customers in the test train nothing. Prices
    are those of ``products``. Raises UnableToMeasureLift, UnableToLabel, UnableToReadHistory, UnableToTrain.
    """
    by_product = features_by_product()
    steps = len(by_product) + 3
    sample = _sample(history, links, outcome, as_of=as_of)
    progress(1, steps)
    ground = _ground(db, sample, outcome=outcome, model=model, products=products)
    progress(2, steps)
    lines = []
    for done, codes in enumerate([*((code,) for code in by_product), tuple(by_product)], 3):
        names = {code: by_product[code] for code in codes}
        lines.append(_line(ground, names, {item.code: item for item in products if item.code in codes}))
        progress(done, steps)
    report = LiftReport(
        as_of,
        outcome.name,
        model,
        sample.trained_at,
        sample.tested_at,
        sample.training.num_rows,
        sample.test.num_rows,
        int(sample.y.sum()),
        delong(sample.y, ground.without),
        ground.cut_off,
        int(ground.approved.sum()),
        LGD_ASSUMED,
        ground.currency,
        tuple(lines),
    )
    store.add_lift(db, as_of=as_of, body=report.as_data(), now=now)
    return report


def latest_lift(db: Connection) -> Mapping[str, Any] | None:
    """The newest lift report as JSON data (``LiftReport.as_data``), or None before the first."""
    return store.newest_lift(db)


def told_by(definition: FeatureDefinition) -> str | None:
    """The product whose answers a feature reads; None for the shop's own facts and for all answers alike."""
    for part in definition.parts:
        for condition in part.where:
            if (condition.field.origin, condition.field.name) == (Origin.TEXT, "product"):
                return str(condition.value)
    return None


def features_of_the_shop() -> list[FeatureDefinition]:
    """The features that no answer of a provider is behind, not even that there was one."""
    return [item for item in CATALOGUE if ANSWERED not in item.kinds]


def features_by_product() -> dict[str, tuple[str, ...]]:
    """The features that read each product, by product in the order of the catalogue."""
    found: dict[str, tuple[str, ...]] = {}
    for item in CATALOGUE:
        if (code := told_by(item)) is not None:
            found[code] = (*found.get(code, ()), item.name)
    return found


def current_cut_off(db: Connection, outcome: str) -> float:
    """The PD from which the live checkout policy lends nothing; without a policy the bound of grade D."""
    bounds = dict(scale_for(outcome).below)
    policy = decisions.live_policy(db, "checkout")
    lent = [grade for grade in Grade if policy and policy.limits.get(grade.value, 0) > 0]
    return bounds.get(lent[-1] if lent else Grade.C, 1.0)


def _ground(
    db: Connection, sample: _Sample, *, outcome: EventOfDefault, model: Model, products: Sequence[Product]
) -> _Ground:
    own = features_of_the_shop()
    without = _pd(sample, own, outcome=outcome, model=model)
    cut_off = current_cut_off(db, outcome.name)
    currency = products[0].price.currency if products else "CNY"
    approved = approved_below(without, cut_off)
    return _Ground(sample, own, without, cut_off, approved, outcome, model, currency)


def _sample(history: Path, links: pa.Table, outcome: EventOfDefault, *, as_of: datetime) -> _Sample:
    """The test date lies one performance window before ``as_of``, the training dates one before that."""
    start, _ = features.history_period(history, links)
    tested_at = features.training_points(outcome, as_of=as_of, history_start=start)[-1]
    trained_at = features.training_points(outcome, as_of=tested_at, history_start=start)
    definitions = (*CATALOGUE, _exposure())
    training = features.training_set(
        history, links, as_ofs=trained_at, outcome=outcome, definitions=definitions, known_until=tested_at
    )
    test = features.training_set(
        history, links, as_ofs=[tested_at], outcome=outcome, definitions=definitions, known_until=as_of
    )
    sample = _Sample(
        trained_at,
        tested_at,
        training.filter(pa.array([not is_held_out(name) for name in training["customer_id"].to_pylist()])),
        test.filter(pa.array([is_held_out(name) for name in test["customer_id"].to_pylist()])),
    )
    if not 0 < sample.y.sum() < len(sample.y):
        raise UnableToMeasureLift(
            f"of {len(sample.y)} held-out customers at {tested_at:%Y-%m-%d} none, or each, had the event; "
            "more customers or a later date are needed"
        )
    return sample


def _exposure() -> FeatureDefinition:
    """What a customer bought on credit in the 90 days before: as much as three instalments can leave owed."""
    use = next(item for item in CATALOGUE if item.name == "credit_use_90d")
    return replace(use, name="exposure", formula=use.parts[0], missing=Missing.IS_ZERO)


def _line(
    ground: _Ground, by_product: Mapping[str, Sequence[str]], sold: Mapping[str, Product]
) -> ProductLift:
    """The model with the features of these products, against the one without any."""
    sample, names = ground.sample, [name for names in by_product.values() for name in names]
    product = ALL if len(by_product) > 1 else next(iter(by_product))
    with_answer = _known(sample.test, names)
    if min(_known(sample.training, names), with_answer) < _ANSWERS_MIN:
        return not_measured(product, with_answer=with_answer)
    bought = [item for item in CATALOGUE if item.name in names]
    pd = _pd(sample, [*ground.own, *bought], outcome=ground.outcome, model=ground.model)
    difference = auc_difference(sample.y, pd, ground.without)
    saved = loss_saved(
        sample.y,
        sample.exposure * 10 ** exponent(ground.currency),
        before=ground.approved,
        after=approved_as_many(pd, int(ground.approved.sum())),
        lgd=LGD_ASSUMED,
        seed=_SEED,
    )
    known = {code: _known(sample.test, own) for code, own in by_product.items()}
    cost = cost_of_answers(sold, known, customers=sample.test.num_rows)
    return ProductLift(
        product,
        verdict_of(difference),
        with_answer,
        delong(sample.y, pd),
        difference,
        cost,
        per_10k_yuan(difference, cost) if cost else None,
        saved,
        saved_per_yuan(saved, cost) if cost else None,
    )


def _pd(
    sample: _Sample, chosen: Sequence[FeatureDefinition], *, outcome: EventOfDefault, model: Model
) -> Floats:
    rows = sample.training
    trained = scoring.train_columns(
        {item.name: _column(rows, item.name) for item in chosen},
        _column(rows, "event"),
        model=model,
        outcome=outcome.name,
        directions={item.name: _DIRECTIONS[item.direction] for item in chosen if item.direction},
        groups=np.unique(rows["customer_id"].to_pylist(), return_inverse=True)[1],
        seed=_SEED,
    )
    used = {name: _column(sample.test, name) for name in trained.artefact.names}
    found: Floats = scoring.pd_of_columns(trained.artefact, used)
    return found


def _known(table: pa.Table, names: Sequence[str]) -> int:
    """How many rows have a value of at least one of the features."""
    known = np.zeros(table.num_rows, dtype=np.bool_)
    for name in names:
        known |= ~np.isnan(_column(table, name))
    return int(known.sum())


def _column(table: pa.Table, name: str) -> Floats:
    found: Floats = table[name].combine_chunks().to_numpy(zero_copy_only=False).astype(np.float64)
    return found
