"""The verbs of features: compute, values_at, labels, training_set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import pyarrow as pa
from sqlalchemy import Connection

from shouxin import ingestion
from shouxin.features import state, store
from shouxin.features.compiler import DIALECTS, compile_features
from shouxin.features.domain import (
    CATALOGUE,
    EventOfDefault,
    FeatureDefinition,
    UnableToLabel,
    check_mature,
    parts_of,
)
from shouxin.features.skew import Witness
from shouxin.features.state import AbsorbCount
from shouxin.identity import references_of
from shouxin.kernel import OWN_SOURCE, CustomerId, Progress, silent


def compute(
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
    customers: Sequence[str] | None = None,
) -> pa.Table:
    """``customer_id, as_of, <feature>...`` (float64, null where missing) as known at ``as_of``.

    For the ``customers`` given, else for everyone of whom at least one event was known. ``links`` has
    source, customer_ref, customer_id. Raises UnableToReadHistory.
    """
    with store.opened_history(history, links, parts_of(definitions)) as opened:
        wanted = (
            store.known_customers(opened, as_of=as_of)
            if customers is None
            else pa.table({"customer_id": pa.array(list(customers), pa.string())})
        )
        return store.feature_table(opened, definitions, customers=wanted, as_of=as_of)


def compute_at(
    history: Path,
    links: pa.Table,
    *,
    as_ofs: Sequence[datetime],
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
) -> pa.Table:
    """``compute`` at each of several instants, one table below the other; the facts are prepared once."""
    assert as_ofs, "features are computed at one instant at least"
    with store.opened_history(history, links, parts_of(definitions)) as opened:
        tables = [
            store.feature_table(
                opened, definitions, customers=store.known_customers(opened, as_of=as_of), as_of=as_of
            )
            for as_of in as_ofs
        ]
    return pa.concat_tables(tables)


def compute_each(
    history: Path,
    links: pa.Table,
    *,
    points: Sequence[tuple[str, datetime]],
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
    progress: Progress = silent,
) -> list[dict[str, float | None]]:
    """The features of each (customer_id, as_of), in their order; the history is read once for all.

    For some hundreds of points; for everybody at one instant there is ``compute``. Raises
    UnableToReadHistory.
    """
    rows = []
    with store.opened_history(history, links, parts_of(definitions)) as opened:
        for done, (customer, as_of) in enumerate(points, 1):
            wanted = pa.table({"customer_id": pa.array([customer], pa.string())})
            (row,) = store.feature_table(opened, definitions, customers=wanted, as_of=as_of).to_pylist()
            rows.append({definition.name: row[definition.name] for definition in definitions})
            progress(done, len(points))
    return rows


def compiled(definitions: Sequence[FeatureDefinition] = CATALOGUE, *, dialect: str) -> str:
    """The definitions as one SQL query of a dialect: ``duckdb``, ``postgres`` or ``spark``.

    It reads the tables ``history`` (the columns of the event log) and ``link`` (source, customer_ref,
    customer_id), and binds ``as_of``: whole microseconds since 1970.
    """
    return compile_features(definitions, dialect=DIALECTS[dialect])


def values_at(
    db: Connection,
    customer_id: CustomerId,
    *,
    as_of: datetime,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
) -> dict[str, float | None]:
    """The features of one customer as known at ``as_of``: from the states of their references and the log.

    Whatever was committed before this call is seen, whether or not a state has absorbed it.
    """
    plan = _plan_of(definitions)
    return state.answer(plan, _states_of(db, customer_id, plan), as_of=as_of)


def witnessed_values_at(
    db: Connection,
    customer_id: CustomerId,
    *,
    as_of: datetime,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
) -> tuple[dict[str, float | None], Witness]:
    """``values_at``, and what was seen for them, so that the skew monitor can tell why they differ later."""
    plan = _plan_of(definitions)
    # Before the states are read: all up to here is surely among them. And after: nothing beyond it is.
    settled = state.progress_of(db, plan.layout)
    states = _states_of(db, customer_id, plan)
    position = ingestion.last_event_no(db)
    seen = state.count_known(states, as_of=as_of)
    return state.answer(plan, states, as_of=as_of), Witness(seen, settled, position)


def _states_of(db: Connection, customer_id: CustomerId, plan: state.Plan) -> list[state.State]:
    # Our own credit room names the customer by its id, whether or not identity has linked that yet.
    references = {*references_of(db, customer_id), (OWN_SOURCE, str(customer_id))}
    return state.states_now(db, sorted(references), plan.layout)


def absorb_log(
    begin: Callable[[], AbstractContextManager[Connection]], *, progress: Progress = silent
) -> AbsorbCount:
    """Bring the states of all references up to the event log, each batch in a transaction of its own.

    Safe to interrupt, to run again and to run twice at once. Raises UnableToSettle while events are written.
    """
    return state.absorb_log(begin, _layout(), progress=progress)


def forget_states(db: Connection, refs: Sequence[tuple[str, str]]) -> int:
    """Remove what is kept of some references beside the log; returns how many states went."""
    return state.forget_states(db, refs)


def count_states(db: Connection) -> tuple[int, int]:
    """How many states there are, and how many wait to be made anew since what is read has changed."""
    return state.count_states(db, _layout())


def kinds_kept() -> tuple[str, ...]:
    """The kinds of event that states keep."""
    return _layout().kinds


@cache
def _layout() -> state.Layout:
    return state.layout_of(CATALOGUE)


def labels(
    history: Path,
    links: pa.Table,
    *,
    as_of: datetime,
    outcome: EventOfDefault,
    known_until: datetime | None = None,
) -> pa.Table:
    """``customer_id, as_of, event`` for the population at ``as_of``, from what is known at ``known_until``.

    ``known_until`` defaults to the end of the history's last day. Raises UnableToLabel while the
    performance window is not over by then, and UnableToReadHistory.
    """
    with store.opened_history(history, links, outcome.parts()) as opened:
        until = known_until or _end_of_history(opened)
        check_mature(outcome, as_of=as_of, known_until=until)
        return store.label_table(opened, outcome, as_of=as_of, known_until=until)


def population(history: Path, links: pa.Table, *, as_of: datetime, outcome: EventOfDefault) -> pa.Array:
    """The customers whom ``outcome`` is about at ``as_of``, by id. Raises UnableToReadHistory."""
    with store.opened_history(history, links, outcome.parts()) as opened:
        table = store.label_table(opened, outcome, as_of=as_of, known_until=as_of)
    return table["customer_id"].combine_chunks()


def training_set(
    history: Path,
    links: pa.Table,
    *,
    as_ofs: Sequence[datetime],
    outcome: EventOfDefault,
    definitions: Sequence[FeatureDefinition] = CATALOGUE,
    known_until: datetime | None = None,
    progress: Progress = silent,
) -> pa.Table:
    """``customer_id, as_of, <feature>..., event`` at each of several points in time.

    Each row has the features as they were known then and what happened afterwards, as known at
    ``known_until`` (default: the end of the history's last day). Raises UnableToLabel for a point whose
    performance window is not over by then, and UnableToReadHistory.
    """
    assert as_ofs, "a training set is made at one point in time at least"
    with store.opened_history(history, links, (*parts_of(definitions), *outcome.parts())) as opened:
        until = known_until or _end_of_history(opened)
        for as_of in as_ofs:
            check_mature(outcome, as_of=as_of, known_until=until)
        rows = []
        for done, as_of in enumerate(as_ofs, 1):
            rows.append(_training_rows(opened, definitions, outcome, as_of=as_of, known_until=until))
            progress(done, len(as_ofs))
    return pa.concat_tables(rows)


def history_period(history: Path, links: pa.Table) -> tuple[datetime, datetime]:
    """When the history begins, and the end of its last day. Raises UnableToReadHistory."""
    with store.opened_history(history, links, ()) as opened:
        span = store.history_span(opened)
        if span is None:
            raise store.UnableToReadHistory("the event history is empty; load events first")
        return span[0], _end_of_day(span[1])


def _training_rows(
    opened: store.OpenHistory,
    definitions: Sequence[FeatureDefinition],
    outcome: EventOfDefault,
    *,
    as_of: datetime,
    known_until: datetime,
) -> pa.Table:
    labelled = store.label_table(opened, outcome, as_of=as_of, known_until=known_until)
    population = labelled.select(["customer_id"])
    table = store.feature_table(opened, definitions, customers=population, as_of=as_of)
    assert table["customer_id"].equals(labelled["customer_id"]), "both come by customer_id"
    return table.append_column("event", labelled["event"])


def _end_of_history(opened: store.OpenHistory) -> datetime:
    span = store.history_span(opened)
    if span is None:
        raise UnableToLabel("the event history is empty: nothing has happened that could be a label")
    return _end_of_day(span[1])


_PLANS_MAX = 64
# By identity, because to hash a hundred definitions takes longer than to answer them; each is kept with its
# definitions, so that no identity is used twice.
_plans: dict[int, tuple[tuple[FeatureDefinition, ...], state.Plan]] = {}


def _plan_of(definitions: Sequence[FeatureDefinition]) -> state.Plan:
    """The definitions made ready over what states keep, or over the log where they read more than that."""
    known = _plans.get(id(definitions))
    if known is not None and known[0] is definitions:
        return known[1]
    wanted = definitions if isinstance(definitions, tuple) else tuple(definitions)
    kept = _layout()
    layout = kept if kept.holds(parts_of(wanted)) else state.layout_of(wanted)
    plan = state.plan_of(wanted, layout)
    if len(_plans) >= _PLANS_MAX:
        _plans.clear()
    _plans[id(wanted)] = wanted, plan
    return plan


def _end_of_day(instant: datetime) -> datetime:
    """A shop sends whole days: the day of its last event is known to its end (UTC)."""
    return instant.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
