"""What providers of credit data answer about customers: scores with noise, gaps and age.

A score knows the hidden risk only in part, is asked for when a line is offered and about every half year
after, sees stress a month late, and often does not know people with thin files. Those who came to cheat
look as good as anybody.
"""

from __future__ import annotations

import numpy as np
from numpy.random import Generator

from shouxin.simulation.consent_facts import Consents
from shouxin.simulation.domain import THIN_FILE, Flags, Floats, Ints, Population, is_fraud
from shouxin.simulation.facts import Facts, Field, facts, numbers, words
from shouxin.simulation.life import Life, strain

_ASKED_SHARE = 0.75
_REPORT_SHARE = 0.35
_AGAIN_DAYS = (150.0, 210.0)
_UNKNOWN, _UNKNOWN_THIN = 0.08, 0.55
# How much of the score is the risk, how much the person's own luck with the provider, how much the day's.
_KNOWS, _LUCK, _DAILY = 0.50, 0.75, 0.43
_MIDDLE, _SPREAD, _SEES_STRAIN = 640.0, 60.0, 0.8
_LAG_DAYS = 30.0
_OUTCOMES = ("found", "unknown_person")
_VALID_DAYS = 180


def external_facts(
    rng: Generator, population: Population, life: Life, consents: Consents, *, horizon_days: int
) -> tuple[Facts, ...]:
    """external_score_received: scores over the years, and one report for some when a line is offered."""
    who, day = _draw_questions(rng, population, horizon_days=horizon_days)
    agreed = consents.holds("external_data", who, day)
    who, day = who[agreed], day[agreed]
    at_offer = np.flatnonzero(np.isfinite(population.offered) & (rng.random(population.size) < _REPORT_SHARE))
    asked = population.offered[at_offer] - 0.4
    agreed = consents.holds("external_data", at_offer, asked)
    return (
        _scores(rng, population, life, who, day),
        _reports(rng, population, life, at_offer[agreed], asked[agreed]),
    )


def _draw_questions(rng: Generator, population: Population, *, horizon_days: int) -> tuple[Ints, Floats]:
    """(customer, day) of every question to the provider of scores."""
    who = np.flatnonzero(np.isfinite(population.offered) & (rng.random(population.size) < _ASKED_SHARE))
    day = population.offered[who] - 0.5
    customers, days = [who], [day]
    while len(who):
        day = day + rng.uniform(*_AGAIN_DAYS, len(who))
        goes_on = (day < horizon_days) & population.has_line[who] & (rng.random(len(who)) < 0.9)
        who, day = who[goes_on], day[goes_on]
        customers.append(who)
        days.append(day)
    return np.concatenate(customers), np.concatenate(days)


def _scores(rng: Generator, population: Population, life: Life, who: Ints, day: Floats) -> Facts:
    found = _draw_found(rng, population, who)
    luck = rng.standard_normal(population.size)[who]
    risk = np.where(is_fraud(population)[who], -0.3, population.risk[who])
    seen = _SEES_STRAIN * strain(life, who, day - _LAG_DAYS)
    noise = _LUCK * luck + _DAILY * rng.standard_normal(len(who))
    score = np.clip(np.round(_MIDDLE - _SPREAD * (_KNOWS * risk + seen + noise)), 350, 950)
    return facts(
        "external_score_received",
        who,
        day,
        payload=_provider("sesame", "sesame_score", found)
        | {
            "score": numbers(score.astype(np.int64), present=found),
            "valid_days": numbers(np.full(len(who), _VALID_DAYS), present=found),
        },
    )


def _reports(rng: Generator, population: Population, life: Life, who: Ints, day: Floats) -> Facts:
    found = _draw_found(rng, population, who)
    risk = np.where(is_fraud(population)[who], -0.3, population.risk[who])
    loans = rng.poisson(np.exp(0.3 + 0.35 * risk))
    strained = strain(life, who, day - _LAG_DAYS)
    overdue = rng.binomial(loans, np.clip(0.03 * np.exp(0.9 * risk) + 0.25 * strained, 0.0, 0.9))
    courts = (rng.random(len(who)) < 0.004 * np.exp(0.9 * risk)).astype(np.int64)
    return facts(
        "external_score_received",
        who,
        day,
        payload=_provider("bureau", "bureau_report", found)
        | {
            "open_loans": numbers(loans, present=found),
            "overdue_loans": numbers(overdue, present=found),
            "court_records": numbers(courts, present=found),
        },
    )


def _draw_found(rng: Generator, population: Population, who: Ints) -> Flags:
    thin = (population.kind[who] == THIN_FILE) | (population.gang[who] != who)
    unknown = rng.random(len(who)) < np.where(thin, _UNKNOWN_THIN, _UNKNOWN)
    return np.asarray(~unknown)


def _provider(provider: str, product: str, found: Flags) -> dict[str, Field]:
    same = np.zeros(len(found), dtype=np.int64)
    return {
        "provider": words((provider,), same),
        "product": words((product,), same),
        "outcome": words(_OUTCOMES, ~found),
    }
