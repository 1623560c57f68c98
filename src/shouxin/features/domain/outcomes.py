"""Events of default as data: who is looked at, what counts, and within how many days.

An outcome of a customer at ``as_of`` is a *label*. It is mature only when its performance window
``(as_of, as_of + window]`` lies wholly in what is known; an immature label is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouxin.features.domain.aggregates import Aggregate, Aggregation
from shouxin.features.domain.evaluation import aggregate
from shouxin.features.domain.fields import Comparison, Condition, Field, Origin
from shouxin.features.domain.reading import satisfies
from shouxin.kernel import Bilingual, Event

# The longest look back at behaviour that most features take. Seen from a point with less history behind it,
# everybody bought less and paid late less often than the same people will when the model meets them.
SEASONED_DAYS = 180
# Before this nobody has behaved for long enough to tell, whatever the model makes of it.
SEASONED_DAYS_MIN = 60
_DEFAULT_DAYS = Condition(Field(Origin.NUMBER, "days_past_due"), Comparison.AT_LEAST, 60)


class UnableToLabel(ValueError):
    """A label was asked for before its performance window is over, or nobody is left to label."""


@dataclass(frozen=True, slots=True)
class EventOfDefault:
    """What is predicted: ``event`` within ``window_days`` after as_of, for the ``population`` at as_of.

    ``population`` and ``excluded`` look back from as_of and count: a customer belongs when the first is
    above zero and the second, where there is one, is zero.
    """

    name: str
    meaning: Bilingual
    kinds: tuple[str, ...]
    where: tuple[Condition, ...]
    window_days: int
    population: Aggregate
    excluded: Aggregate | None = None

    def parts(self) -> tuple[Aggregate, ...]:
        """The aggregates that it reads; the event itself last."""
        event = Aggregate(Aggregation.COUNT, self.kinds, self.window_days, where=self.where)
        return (self.population, *((self.excluded,) if self.excluded else ()), event)

    def matures_at(self, as_of: datetime) -> datetime:
        """The end of the performance window of ``as_of``."""
        return as_of + timedelta(days=self.window_days)


DEFAULTS = EventOfDefault(
    name="defaults-next-180d",
    meaning=Bilingual("未来180天内逾期达到60天", "an instalment 60 days past due within the next 180 days"),
    kinds=("instalment_overdue",),
    where=(_DEFAULT_DAYS,),
    window_days=180,
    population=Aggregate(Aggregation.COUNT, ("line_opened",)),
    # Who has defaulted gets no more credit, so does not default anew: counted as good customers they would
    # flatter every model, and teach it that an old default is harmless.
    excluded=Aggregate(Aggregation.COUNT, ("instalment_overdue",), 1825, where=(_DEFAULT_DAYS,)),
)
CANCELS = EventOfDefault(
    name="cancels-next-90d",
    meaning=Bilingual("未来90天内取消订单", "an order or order line cancelled within the next 90 days"),
    kinds=("order_cancelled", "order_line_cancelled"),
    where=(),
    window_days=90,
    population=Aggregate(Aggregation.COUNT, ("order_placed", "order_line_placed"), 365),
)
# Trouble that shows before a default can: 30 days past due within 60 days of the date looked at.
_ARREARS = EventOfDefault(
    name="arrears-next-60d",
    meaning=Bilingual("未来60天内逾期达到30天", "an instalment 30 days past due within the next 60 days"),
    kinds=("instalment_overdue",),
    where=(Condition(Field(Origin.NUMBER, "days_past_due"), Comparison.AT_LEAST, 30),),
    window_days=60,
    population=DEFAULTS.population,
    excluded=DEFAULTS.excluded,
)
# By the name of the event that it foretells.
EARLY_SIGNS: dict[str, EventOfDefault] = {DEFAULTS.name: _ARREARS}
OUTCOMES: dict[str, EventOfDefault] = {outcome.name: outcome for outcome in (DEFAULTS, CANCELS)}


def label(
    outcome: EventOfDefault, events: Iterable[Event], *, as_of: datetime, known_until: datetime
) -> int | None:
    """1 or 0 for a customer with these events, None for one outside the population. Raises UnableToLabel."""
    check_mature(outcome, as_of=as_of, known_until=known_until)
    known: dict[str, list[Event]] = {}
    happened = 0
    for event in events:
        if event.known_at(as_of):
            known.setdefault(event.kind, []).append(event)
        happened |= _counts(outcome, event, as_of=as_of, known_until=known_until)
    if not aggregate(outcome.population, known, as_of=as_of):
        return None
    if outcome.excluded and aggregate(outcome.excluded, known, as_of=as_of):
        return None
    return int(happened)


def check_mature(outcome: EventOfDefault, *, as_of: datetime, known_until: datetime) -> None:
    """Raise UnableToLabel unless the performance window of ``as_of`` is over at ``known_until``."""
    end = outcome.matures_at(as_of)
    if end > known_until:
        raise UnableToLabel(
            f"{outcome.name}: the performance window after {as_of:%Y-%m-%d %H:%M} ends {end:%Y-%m-%d %H:%M}, "
            f"but events are known only until {known_until:%Y-%m-%d %H:%M}; choose an earlier as_of"
        )


def training_points(
    outcome: EventOfDefault,
    *,
    as_of: datetime,
    history_start: datetime,
    step_days: int = 30,
    points_max: int = 6,
    points_min: int = 3,
) -> tuple[datetime, ...]:
    """Monthly as_of points, oldest first, whose labels had all matured by ``as_of``.

    The latest lies one performance window before ``as_of``. Points lie SEASONED_DAYS or more after the
    start of the history, so that a half year looked back on is a half year that was written down; a
    younger history gives ``points_min`` points at most, none nearer to its start than SEASONED_DAYS_MIN.
    Raises UnableToLabel when none is left.
    """
    latest = as_of - timedelta(days=outcome.window_days)
    points = [latest - timedelta(days=step_days * i) for i in range(points_max)]
    ages = [(point - history_start) / timedelta(days=1) for point in points]
    seasoned = sum(age >= SEASONED_DAYS for age in ages)
    bearable = sum(age >= SEASONED_DAYS_MIN for age in ages)
    kept = points[: max(seasoned, min(bearable, points_min))]
    if not kept:
        begins_by = latest - timedelta(days=SEASONED_DAYS_MIN)
        raise UnableToLabel(
            f"{outcome.name}: to grade at {as_of:%Y-%m-%d} the history must begin by {begins_by:%Y-%m-%d}; "
            f"it begins {history_start:%Y-%m-%d}"
        )
    return tuple(reversed(kept))


def _counts(outcome: EventOfDefault, event: Event, *, as_of: datetime, known_until: datetime) -> bool:
    return (
        event.kind in outcome.kinds
        and as_of < event.occurred_at <= outcome.matures_at(as_of)
        and event.received_at <= known_until
        and satisfies(event, outcome.where)
    )
