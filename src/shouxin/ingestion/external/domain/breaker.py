"""The circuit breaker: a provider that keeps failing is left alone for a while, then tried with one call.

A pure state machine: who calls is named, instants are arguments, and every step gives the next state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from shouxin.kernel import Bilingual


class BreakerState(StrEnum):
    """Closed: calls go out. Open: none does. Half-open: one trial call is out, or may go."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


BREAKER_WORDS = {
    BreakerState.CLOSED: Bilingual("正常", "calls go out"),
    BreakerState.OPEN: Bilingual("已熔断", "left alone"),
    BreakerState.HALF_OPEN: Bilingual("试探中", "on trial"),
}


@dataclass(frozen=True, slots=True)
class BreakerRules:
    """After ``failures_max`` failures in a row comes a ``rest``; a trial call is lost after ``trial``."""

    failures_max: int = 5
    rest: timedelta = timedelta(seconds=30)
    trial: timedelta = timedelta(minutes=2)

    def __post_init__(self) -> None:
        assert self.failures_max >= 1 and self.rest > timedelta(0) and self.trial > timedelta(0)


@dataclass(frozen=True, slots=True)
class Breaker:
    """Where a breaker stands: ``failures`` in a row; ``trial`` names the call of a half-open one."""

    state: BreakerState
    failures: int
    since: datetime
    trial: str | None = None


def closed_breaker(now: datetime) -> Breaker:
    """The breaker of a provider that was never called."""
    return Breaker(BreakerState.CLOSED, 0, now)


def admit(breaker: Breaker, *, call: str, rules: BreakerRules, now: datetime) -> Breaker | None:
    """The breaker after ``call`` was let through, or None when it is not.

    A half-open breaker lets one call through at a time; one that never came back (its process died) gives
    its place up after ``rules.trial``.
    """
    if breaker.state is BreakerState.CLOSED:
        return breaker
    wait = rules.rest if breaker.state is BreakerState.OPEN else rules.trial
    if now < breaker.since + wait:
        return None
    return Breaker(BreakerState.HALF_OPEN, breaker.failures, now, trial=call)


def after_success(breaker: Breaker, *, call: str, now: datetime) -> Breaker:
    """The breaker after ``call`` was answered. A call from before the rest proves nothing about today."""
    if breaker.state is BreakerState.CLOSED:
        return breaker if not breaker.failures else replace(breaker, failures=0)
    return closed_breaker(now) if breaker.trial == call else breaker


def after_failure(breaker: Breaker, *, call: str, rules: BreakerRules, now: datetime) -> Breaker:
    """The breaker after ``call`` failed; late failures of earlier calls do not prolong a rest."""
    if breaker.state is BreakerState.CLOSED:
        failures = breaker.failures + 1
        if failures < rules.failures_max:
            return replace(breaker, failures=failures)
        return Breaker(BreakerState.OPEN, failures, now)
    if breaker.trial == call:
        return Breaker(BreakerState.OPEN, breaker.failures + 1, now)
    return breaker


def tries_again_at(breaker: Breaker, rules: BreakerRules) -> datetime | None:
    """When the next trial may go; None while calls go out anyway."""
    if breaker.state is BreakerState.CLOSED:
        return None
    return breaker.since + (rules.rest if breaker.state is BreakerState.OPEN else rules.trial)
