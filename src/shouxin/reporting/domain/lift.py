"""What a product of credit data is worth: how much better the ranking, how much less loss, at what price."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.ingestion.external.domain import Charging, Product
from shouxin.kernel import Bilingual, Money
from shouxin.kernel.money import exponent
from shouxin.scoring.domain.metrics import Interval

Floats = npt.NDArray[np.float64]
_REPLICATES = 400
_PER_YUAN = 10_000


class Verdict(StrEnum):
    """What the interval of the difference allows to say."""

    BETTER = "better"
    WORSE = "worse"
    NOT_SHOWN = "not_shown"
    NOT_MEASURED = "not_measured"


VERDICT_WORDS = {
    Verdict.BETTER: Bilingual("有提升", "better"),
    Verdict.WORSE: Bilingual("变差", "worse"),
    Verdict.NOT_SHOWN: Bilingual("未证实", "not shown: the interval holds zero"),
    Verdict.NOT_MEASURED: Bilingual("无法测量", "not measured"),
}


@dataclass(frozen=True, slots=True)
class ProductLift:
    """A model with a product against the same model without any; ``product`` is ``all`` for all of them.

    ``difference`` is in AUC, ``per_10k_yuan`` in AUC for each 10,000 units of the currency spent; ``saved``
    is loss avoided at the cut-off (minor units), ``saved_per_yuan`` that by cost. None: not known.
    """

    product: str
    verdict: Verdict
    with_answer: int
    auc: Interval | None = None
    difference: Interval | None = None
    cost: Money | None = None
    per_10k_yuan: Interval | None = None
    saved: Interval | None = None
    saved_per_yuan: Interval | None = None

    def as_data(self) -> dict[str, Any]:
        """A line of the report as JSON data."""
        intervals = ("auc", "difference", "per_10k_yuan", "saved", "saved_per_yuan")
        figures = {name: getattr(self, name) for name in intervals}
        return {
            "product": self.product,
            "verdict": self.verdict.value,
            "with_answer": self.with_answer,
            "cost": None if self.cost is None else self.cost.text,
            **{name: None if figure is None else figure.as_data() for name, figure in figures.items()},
        }


@dataclass(frozen=True, slots=True)
class LiftReport:
    """Every product on the same customers: trained at earlier dates, tested later on people held out.

    ``cut_off`` is the PD above which nothing is lent; ``approved`` customers stay below it without a product,
    and as many are approved with one.
    """

    as_of: datetime
    outcome: str
    model: str
    trained_at: tuple[datetime, ...]
    tested_at: datetime
    training_rows: int
    customers: int
    events: int
    auc: Interval
    cut_off: float
    approved: int
    lgd: float
    currency: str
    lines: tuple[ProductLift, ...]

    def as_data(self) -> dict[str, Any]:
        """The report as JSON data."""
        return {
            "as_of": self.as_of.isoformat(),
            "event": self.outcome,
            "model": self.model,
            "trained_at": [point.isoformat() for point in self.trained_at],
            "tested_at": self.tested_at.isoformat(),
            "training_rows": self.training_rows,
            "customers": self.customers,
            "events": self.events,
            "auc_without": self.auc.as_data(),
            "cut_off": self.cut_off,
            "approved": self.approved,
            "lgd": self.lgd,
            "currency": self.currency,
            "products": [line.as_data() for line in self.lines],
        }


def verdict_of(difference: Interval) -> Verdict:
    """Better or worse only when the whole interval says so."""
    if difference.low > 0:
        return Verdict.BETTER
    return Verdict.WORSE if difference.high < 0 else Verdict.NOT_SHOWN


def by_cost(figure: Interval, cost: Money, *, per: int = 1) -> Interval | None:
    """A figure for each ``per`` major units of the currency spent; None when nothing was."""
    if cost.minor <= 0:
        return None
    units = cost.minor / 10 ** exponent(cost.currency) / per
    return Interval(figure.value / units, figure.low / units, figure.high / units)


def per_10k_yuan(difference: Interval, cost: Money) -> Interval | None:
    """AUC for each 10,000 units of the currency."""
    return by_cost(difference, cost, per=_PER_YUAN)


def saved_per_yuan(saved: Interval, cost: Money) -> Interval | None:
    """Loss avoided by cost, both in major units."""
    scale = 10 ** exponent(cost.currency)
    return by_cost(Interval(*(value / scale for value in (saved.value, saved.low, saved.high))), cost)


def cost_of_answers(sold: Mapping[str, Product], known: Mapping[str, int], *, customers: int) -> Money | None:
    """What one answer about each customer of the test costs; None where a price is not known."""
    if not set(known) <= set(sold):
        return None
    total: Money | None = None
    for code, with_answer in known.items():
        product = sold[code]
        charged = customers if product.charging is Charging.ANSWERED else with_answer
        price = Money(product.price.minor * charged, product.price.currency)
        total = price if total is None else total + price
    return total


def approved_below(pd: Floats, cut_off: float) -> npt.NDArray[np.bool_]:
    """Who is lent to without a product."""
    below: npt.NDArray[np.bool_] = pd < cut_off
    return below


def approved_as_many(pd: Floats, count: int) -> npt.NDArray[np.bool_]:
    """The ``count`` safest customers: the same number of lines as before, given to others."""
    chosen = np.zeros(len(pd), dtype=np.bool_)
    chosen[np.argsort(pd, kind="stable")[:count]] = True
    return chosen


def loss_saved(
    y: Floats,
    exposure: Floats,
    *,
    before: npt.NDArray[np.bool_],
    after: npt.NDArray[np.bool_],
    lgd: float,
    seed: int,
) -> Interval:
    """Loss of the lines given before less that of the lines given after, in the unit of ``exposure``.

    The interval is from a bootstrap over customers (Poisson weights); the two ways to lend are fixed.
    """
    share = y * exposure * lgd * (before.astype(np.float64) - after.astype(np.float64))
    weights = np.random.default_rng(seed).poisson(1.0, (_REPLICATES, len(share)))
    drawn = np.percentile(weights @ share, (2.5, 97.5))
    value = float(share.sum())
    return Interval(value, min(value, float(drawn[0])), max(value, float(drawn[1])))


def not_measured(product: str, *, with_answer: int) -> ProductLift:
    """A product of which there is too little to learn from."""
    return ProductLift(product, Verdict.NOT_MEASURED, with_answer)
