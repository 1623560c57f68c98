"""What makes a signal, and what a signal does: drawn tables."""

from datetime import timedelta

import pytest

from shouxin.early_warning.domain import (
    INDICATORS,
    TRANSITIONS,
    AlertState,
    LastAlert,
    Observation,
    Severity,
    explain,
    indicator_named,
    judge,
    next_step,
    priority,
    refused_move,
    refused_work,
)
from shouxin.kernel import CustomerId, Money

HUNDRED = Money(10_000, "CNY")
# indicator           what was observed                                                severity
SIGNALS = """
late_repayment     | days_past_due=0                                                 | -
late_repayment     | days_past_due=1                                                 | medium
late_repayment     | days_past_due=7                                                 | medium
late_repayment     | days_past_due=8                                                 | high
late_repayment     | days_past_due=29                                                | high
late_repayment     | days_past_due=30                                                | critical
late_repayment     |                                                                 | -
return_rate_jump   | return_rate_jump_30d=0.19 orders_30d=5                          | -
return_rate_jump   | return_rate_jump_30d=0.20 orders_30d=5                          | low
return_rate_jump   | return_rate_jump_30d=0.40 orders_30d=5                          | medium
return_rate_jump   | return_rate_jump_30d=0.60 orders_30d=5                          | high
return_rate_jump   | return_rate_jump_30d=0.90 orders_30d=2                          | -
return_rate_jump   | return_rate_jump_30d=0.90                                       | -
utilisation_spike  | used=8999 limit=10000                                           | -
utilisation_spike  | used=9000 limit=10000                                           | medium
utilisation_spike  | used=9500 limit=10000                                           | high
utilisation_spike  | used=10000 limit=10000                                          | high
utilisation_spike  | used=0 limit=0                                                  | -
"""
NEW, TRIAGED, ACTIONED, DISMISSED = "new", "triaged", "actioned", "dismissed"
# last alert's state, its severity, days since it changed, the signal's severity, what happens
STEPS = """
-             | -        | -  | medium   | new
new           | medium   | 1  | medium   | known
triaged       | medium   | 90 | medium   | known
new           | high     | 1  | medium   | known
new           | medium   | 1  | high     | raise
triaged       | high     | 1  | critical | raise
dismissed     | medium   | 29 | medium   | quiet
dismissed     | medium   | 30 | medium   | new
dismissed     | medium   | 1  | high     | new
actioned      | high     | 1  | high     | quiet
actioned      | high     | 1  | medium   | quiet
outcome_known | critical | 29 | critical | quiet
outcome_known | high     | 1  | critical | new
"""


def rows(table):
    return [[cell.strip() for cell in line.split("|")] for line in table.strip().splitlines()]


def seen(text):
    values = {name: float(value) for name, value in (pair.split("=") for pair in text.split())}
    return Observation(CustomerId("cus_1"), values, HUNDRED)


@pytest.mark.parametrize(("name", "observed", "severity"), rows(SIGNALS))
def test_an_indicator_warns_from_its_thresholds_on(name, observed, severity):
    signal = judge(indicator_named(name), seen(observed))
    assert (signal.severity if signal else "-") == severity


@pytest.mark.parametrize(("state", "was", "days", "severity", "step"), rows(STEPS))
def test_a_signal_is_told_once_unless_it_is_worse(state, was, days, severity, step, now):
    last = None
    if state != "-":
        last = LastAlert(7, Severity(was), AlertState(state), now - timedelta(days=int(days)))
    assert next_step(last, Severity(severity), now=now) == step


def test_the_life_of_an_alert_is_one_table():
    ends = {"new": "triaged actioned dismissed", "triaged": "actioned dismissed", "actioned": "outcome_known"}
    drawn = {state: set(to.split()) for state, to in (ends | {"dismissed": "outcome_known"}).items()}
    assert {s: set(to) for s, to in TRANSITIONS.items()} == drawn | {"outcome_known": set()}


@pytest.mark.parametrize(
    ("state", "to", "why", "code"),
    [
        (None, "triaged", "", "unknown_alert"),
        ("actioned", "dismissed", "", "move_not_allowed"),
        ("outcome_known", "new", "because", "move_not_allowed"),
        ("new", "dismissed", "  ", "reason_missing"),
        ("new", "dismissed", "paid by transfer", None),
    ],
)
def test_a_move_is_refused_by_precedence(state, to, why, code):
    refusal = refused_move(AlertState(state) if state else None, AlertState(to), why=why)
    assert (refusal.code if refusal else None) == code


def test_a_closed_alert_takes_no_work():
    assert refused_work(AlertState.DISMISSED).code == "alert_closed"
    assert refused_work(None).code == "unknown_alert"
    assert refused_work(AlertState.NEW, note=" ").code == "reason_missing"
    assert refused_work(AlertState.TRIAGED, note="called") is None


def test_the_queue_is_ordered_by_severity_times_exposure_times_confidence():
    assert priority(Severity.CRITICAL, exposure_minor=10_000, confidence=1.0) == 80_000
    assert priority(Severity.MEDIUM, exposure_minor=10_000, confidence=0.5) == 10_000
    # Nothing is owed yet: severity still orders.
    assert priority(Severity.HIGH, exposure_minor=0, confidence=1.0) == 400


def test_confidence_grows_with_the_cases_behind_a_rate():
    jump = indicator_named("return_rate_jump")
    few, many = (judge(jump, seen(f"return_rate_jump_30d=0.5 orders_30d={n}")) for n in (3, 30))
    assert few.confidence == 0.5
    assert 0.9 < many.confidence < 1


def test_every_indicator_says_why_in_both_languages():
    for indicator in INDICATORS:
        why = explain(indicator, measured=0.5, threshold=0.2)
        assert indicator.meaning.zh in why.zh
        assert indicator.meaning.en in why.en
    late = explain(indicator_named("late_repayment"), measured=1.0, threshold=1.0)
    assert late.en.endswith("1 day (threshold 1 day).")
