"""Simulated providers of credit data: what each says about a person, by seed, with noise and gaps.

An answer follows from the seed, the product and the person, so that it is the same whenever it is asked
for within one month. It leans on the person's hidden risk as far as the product does in life: part of it
is noise, some people are unknown, and some are known as they were long ago.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import NormalDist
from typing import Any

_NORMAL = NormalDist()
# One person in ten is known as they were: what the provider saw has little to do with today.
_STALE_SHARE = 0.10
_STALE_FACTOR = 0.4
# How far an answer wanders from month to month, in standard deviations of its noise.
_MONTHLY_DRIFT = 0.25
PROVIDER = "simulated"


@dataclass(frozen=True, slots=True)
class SimulatedProduct:
    """One product: how many people it knows, how closely it sees them, and what it tells.

    ``correlation`` is between the hidden risk and what the provider sees of it. ``price`` is in CNY.
    """

    code: str
    coverage: float
    correlation: float
    valid_days: int
    price: str
    scale: tuple[int, int] | None
    tells: Callable[[float, Callable[[str], float]], dict[str, Any]]


def _score(middle: float, step: float, low: int, high: int) -> Callable[..., dict[str, Any]]:
    def tells(seen: float, _draw: Callable[[str], float]) -> dict[str, Any]:
        return {"score": int(min(high, max(low, round(middle - step * seen))))}

    return tells


def _bureau_report(seen: float, draw: Callable[[str], float]) -> dict[str, Any]:
    open_loans = _poisson(math.exp(0.3 + 0.45 * seen), draw("open"))
    overdue = _poisson(math.exp(-1.8 + 0.9 * seen), draw("overdue"))
    return {"open_loans": open_loans, "overdue_loans": min(open_loans, overdue)}


def _public_records(seen: float, draw: Callable[[str], float]) -> dict[str, Any]:
    return {"court_records": _poisson(math.exp(-3.6 + 0.9 * seen), draw("court"))}


# Scales as the two large wallets of China publish theirs: 350 to 950, and 300 to 850.
PRODUCTS: Mapping[str, SimulatedProduct] = {
    product.code: product
    for product in (
        SimulatedProduct("sesame_score", 0.85, 0.60, 30, "0.80", (350, 950), _score(650, 70, 350, 950)),
        SimulatedProduct("wechat_pay_score", 0.80, 0.50, 30, "0.60", (300, 850), _score(590, 75, 300, 850)),
        SimulatedProduct("bureau_report", 0.60, 0.55, 30, "2.50", None, _bureau_report),
        SimulatedProduct("public_records", 0.95, 0.45, 90, "0.30", None, _public_records),
    )
}


def answer_about(
    person: str, product: SimulatedProduct, *, risk: float | None, seed: int, on: date
) -> dict[str, Any]:
    """What the provider of ``product`` says about a person on a day: the body of an answer but its id.

    ``person`` is any name that stays the same; ``risk`` is hidden and standard normal, None draws one.
    """

    def draw(what: str) -> float:
        return _uniform(seed, product.code, person, what)

    if draw("known") >= product.coverage:
        return {"outcome": "unknown_person"}
    hidden = risk if risk is not None else _NORMAL.inv_cdf(_uniform(seed, "risk", person))
    closeness = product.correlation * (_STALE_FACTOR if draw("stale") < _STALE_SHARE else 1.0)
    noise = _NORMAL.inv_cdf(draw("noise"))
    month = _NORMAL.inv_cdf(draw(f"{on:%Y-%m}"))
    wandering = math.sqrt(1 - _MONTHLY_DRIFT**2) * noise + _MONTHLY_DRIFT * month
    seen = closeness * hidden + math.sqrt(1 - closeness**2) * wandering
    return {"outcome": "found", **product.tells(seen, draw), "valid_days": product.valid_days}


def _uniform(seed: int, *names: str) -> float:
    """A number strictly between 0 and 1 that follows from the seed and the names."""
    digest = hashlib.sha256("\x1f".join((str(seed), *names)).encode()).digest()
    return (int.from_bytes(digest[:8]) + 0.5) / 2**64


def _poisson(mean: float, uniform: float) -> int:
    """The count whose cumulative probability passes ``uniform``; 20 at most."""
    chance = cumulative = math.exp(-mean)
    count = 0
    while uniform > cumulative and count < 20:
        count += 1
        chance *= mean / count
        cumulative += chance
    return count
