"""The shop's year, week and day: festivals and sales, weekends, evenings and nights (China, UTC+8).

Pure: dates in, weights out. A weight of 1 is an ordinary day.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.random import Generator

from shouxin.simulation.domain import Flags, Floats

# First day of the Chinese year.
SPRING_FESTIVAL = {
    2015: date(2015, 2, 19), 2016: date(2016, 2, 8), 2017: date(2017, 1, 28), 2018: date(2018, 2, 16),
    2019: date(2019, 2, 5), 2020: date(2020, 1, 25), 2021: date(2021, 2, 12), 2022: date(2022, 2, 1),
    2023: date(2023, 1, 22), 2024: date(2024, 2, 10), 2025: date(2025, 1, 29), 2026: date(2026, 2, 17),
    2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13), 2030: date(2030, 2, 3),
    2031: date(2031, 1, 23), 2032: date(2032, 2, 11), 2033: date(2033, 1, 31), 2034: date(2034, 2, 19),
    2035: date(2035, 2, 8),
}  # fmt: skip
# Monday to Sunday.
_WEEK = (0.95, 0.93, 0.95, 0.97, 1.02, 1.10, 1.08)
# By the hour from 0; people buy before lunch and after supper.
_DAYTIME = (0, 0, 0, 0, 0, 0, 1, 2, 4, 6, 8, 7, 6, 5, 5, 6, 6, 5, 6, 8, 11, 12, 9, 5)
_NIGHT = (9, 6, 4, 3, 2, 2, *([0] * 18))
_GROWTH_DAILY = 0.0004
SALE_DISCOUNT = 0.12


def day_weights(start: date, *, days: int) -> Floats:
    """How busy each of the ``days`` from ``start`` is."""
    dates = [start + timedelta(days=n) for n in range(days)]
    seasonal = [_WEEK[day.weekday()] * sale_weight(day) * festival_weight(day) for day in dates]
    weights: Floats = np.array(seasonal) * (1 + _GROWTH_DAILY * np.arange(days))
    return weights


def sale_weight(day: date) -> float:
    """The big sales: 11.11 with its eve, 6.18 with its run-up, 12.12."""
    match (day.month, day.day):
        case (11, 11):
            return 4.0
        case (6, 18):
            return 3.0
        case (12, 12):
            return 1.8
        case (11, n) if n < 11:
            return 1.35
        case (6, n) if n < 18:
            return 1.25
    return 1.0


def discounts(start: date, *, days: int) -> Floats:
    """What is off every price on each of the ``days`` from ``start``, as a share: the sale days only."""
    dates = [start + timedelta(days=n) for n in range(days)]
    off: Floats = np.array([SALE_DISCOUNT if sale_weight(day) >= 1.8 else 0.0 for day in dates])
    return off


def festival_weight(day: date) -> float:
    """Spring Festival: people stock up in the fortnight before, and nothing moves in the week itself."""
    first = SPRING_FESTIVAL.get(day.year)
    if first is None:
        return 1.0
    until = (first - day).days
    if -7 < until <= 1:
        return 0.4
    return 1.3 if 1 < until <= 15 else 1.0


def time_of_day(rng: Generator, night: Flags) -> Floats:
    """A moment of the local day as a share of it; at night means from midnight to six."""
    hours = np.where(night, _draw_hours(rng, _NIGHT, len(night)), _draw_hours(rng, _DAYTIME, len(night)))
    return (hours + rng.random(len(night))) / 24.0


def _draw_hours(rng: Generator, weights: tuple[int, ...], size: int) -> Floats:
    total = sum(weights)
    return rng.choice(24, size, p=[weight / total for weight in weights]).astype(np.float64)
