"""The verbs of shop-wide features: compute, append to a training set, keep a night, read one customer's."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Connection

from shouxin.features.domain.shopwide import is_night, learnt_at, night_of
from shouxin.features.graph import alone, link_features
from shouxin.features.neighbourhood import taste_features
from shouxin.features.patterns import (
    PatternDocument,
    UnableToMinePatterns,
    mine_patterns,
    pattern_features,
)
from shouxin.features.shopwide import store
from shouxin.features.shopwide.domain import NAMES, SHOPWIDE, VERSION, KeptNight, missing_nights
from shouxin.identity import references_of
from shouxin.ingestion import list_events
from shouxin.ingestion.consent.domain import WORD_KINDS, withdrawn_purposes
from shouxin.kernel import Bilingual, CustomerId, Progress, counted_steps, silent

PATTERN = "strongest_pattern"
_STEPS = 4


class UnableToKeepNight(ValueError):
    """A night can not be kept: it is not over, or a later one was kept already; the message says which."""


def patterns_in_force(history: Path, links: pa.Table, *, night: datetime) -> PatternDocument | None:
    """The patterns that hold at a midnight; None while the history is too short for any.

    Raises UnableToReadHistory.
    """
    try:
        return mine_patterns(history, links, night=night)
    except UnableToMinePatterns:
        return None


def shopwide_night(
    history: Path,
    links: pa.Table,
    *,
    night: datetime,
    document: PatternDocument | None,
    progress: Progress = silent,
) -> pa.Table:
    """``customer_id, <feature>..., strongest_pattern`` of everyone known at a midnight, by customer.

    float64, null where missing, or where the customer had taken a purpose back by then. Raises
    UnableToReadHistory.
    """
    steps = counted_steps(progress, total=_STEPS)
    customers, withdrawn = store.known_at(history, links, as_of=night)
    table = customers
    for part in (link_features, taste_features):
        table = _beside(table, part(history, links, night=night))
        next(steps)
    table = _filled(table, alone())
    table = _beside(table, _patterns(history, links, night=night, document=document))
    next(steps)
    table = _permitted(table.select(["customer_id", *NAMES, PATTERN]), withdrawn)
    next(steps)
    return table


def append_shopwide(
    table: pa.Table, history: Path, links: pa.Table, *, progress: Progress = silent
) -> pa.Table:
    """A table with ``customer_id, as_of`` (a training set, a batch) with every shop-wide feature beside it.

    Each row has what held at the night of its ``as_of``, null where the customer had taken a purpose back by
    ``as_of``. Rows keep their order. Raises UnableToReadHistory.
    """
    assert table.num_rows, "a table to add to has rows"
    points = sorted(set(table["as_of"].to_pylist()))
    documents: dict[datetime, PatternDocument | None] = {}
    made = []
    for done, as_of in enumerate(points, 1):
        night = night_of(as_of)
        month = learnt_at(night)
        if month not in documents:
            documents[month] = patterns_in_force(history, links, night=night)
        whole = shopwide_night(history, links, night=night, document=documents[month])
        rows = table.filter(pc.equal(table["as_of"], pa.scalar(as_of, table.schema.field("as_of").type)))
        beside = _beside(rows.select(["customer_id"]), whole.drop_columns([PATTERN]))
        _, withdrawn = store.known_at(history, links, as_of=as_of)
        made.append(_columns_added(rows, _permitted(beside, withdrawn)))
        progress(done, len(points))
    return _in_order(table, pa.concat_tables(made))


def keep_night(
    db: Connection,
    history: Path,
    links: pa.Table,
    *,
    night: datetime,
    now: datetime,
    progress: Progress = silent,
) -> KeptNight:
    """Compute the shop-wide features of a midnight that is over and keep them; a kept one stays as it is.

    The patterns are those kept for its month, else they are mined now and kept. Raises UnableToKeepNight,
    UnableToReadHistory.
    """
    assert is_night(night), "a night is a midnight"
    kept = store.find_night(db, night.date(), version=VERSION)
    if kept is not None:
        return kept
    _check_next(db, night, now=now)
    document = _kept_patterns(db, history, links, night=night, now=now)
    table = shopwide_night(history, links, night=night, document=document, progress=progress)
    return store.add_night(
        db,
        night.date(),
        _rows(table),
        version=VERSION,
        names=NAMES,
        document_hash=document.hash if document else None,
        now=now,
    )


def shopwide_at(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> dict[str, float | None]:
    """The shop-wide features of one customer at ``as_of``, from the kept night; null where it is missing."""
    nothing: dict[str, float | None] = dict.fromkeys(NAMES)
    found = _standing(db, customer_id, as_of=as_of)
    if found is None:
        return nothing
    values = dict(zip(NAMES, found[0], strict=True))
    withdrawn = _withdrawn(db, customer_id, as_of=as_of)
    barred = {feature.name for feature in SHOPWIDE if feature.purposes & withdrawn}
    return {name: None if name in barred else value for name, value in values.items()}


def strongest_pattern(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> Bilingual | None:
    """In words, the strongest risk pattern that matches a customer at ``as_of``; None where none does."""
    found = _standing(db, customer_id, as_of=as_of)
    night = store.find_night(db, night_of(as_of).date(), version=VERSION)
    if found is None or found[1] is None or night is None or night.document_hash is None:
        return None
    body = store.find_document(db, night.document_hash)
    assert body is not None, "a night names patterns that are kept"
    document = PatternDocument.from_data(body)
    (pattern,) = (pattern for pattern in document.patterns if pattern.code == found[1])
    return document.meaning(pattern)


def nights_missing(db: Connection, *, as_of: datetime, nights: int = 7) -> tuple[date, ...]:
    """The nights among the last ones that should have been kept by ``as_of`` and were not, oldest first."""
    first = night_of(as_of).date() - timedelta(days=nights - 1)
    return missing_nights(store.nights_since(db, first, version=VERSION), as_of=as_of, nights=nights)


def _check_next(db: Connection, night: datetime, *, now: datetime) -> None:
    if night > now:
        raise UnableToKeepNight(f"the night of {night:%Y-%m-%d} is not there yet")
    newest = store.newest_night(db, version=VERSION)
    if newest is not None and newest > night.date():
        # Rows stand until the next one: one put in between would change what a later night said.
        raise UnableToKeepNight(
            f"the night of {night:%Y-%m-%d} stays missing: that of {newest} was kept since"
        )


def _kept_patterns(
    db: Connection, history: Path, links: pa.Table, *, night: datetime, now: datetime
) -> PatternDocument | None:
    month = learnt_at(night).date()
    body = store.document_of(db, month)
    if body is not None:
        return PatternDocument.from_data(body)
    document = patterns_in_force(history, links, night=night)
    if document is not None:
        store.add_document(db, document.hash, month, document.as_data(), now=now)
    return document


def _standing(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> Any:
    night = night_of(as_of).date()
    if store.find_night(db, night, version=VERSION) is None:
        return None
    return store.values_of(db, str(customer_id), night, version=VERSION)


def _withdrawn(db: Connection, customer_id: CustomerId, *, as_of: datetime) -> frozenset[str]:
    references = sorted(references_of(db, customer_id))
    return frozenset(
        withdrawn_purposes(list_events(db, references, as_of=as_of, kinds=WORD_KINDS), as_of=as_of)
    )


def _patterns(
    history: Path, links: pa.Table, *, night: datetime, document: PatternDocument | None
) -> pa.Table:
    if document is not None:
        return pattern_features(history, links, night=night, document=document)
    return pa.table(
        {
            "customer_id": pa.array([], pa.string()),
            "pattern_lift_strongest": pa.array([], pa.float64()),
            "patterns_matched": pa.array([], pa.float64()),
            PATTERN: pa.array([], pa.string()),
        }
    )


def _beside(left: pa.Table, right: pa.Table) -> pa.Table:
    """The columns of ``right`` beside ``left``, by customer; null where ``right`` does not know her."""
    position = pc.index_in(left["customer_id"], value_set=right["customer_id"].combine_chunks())
    for name in right.column_names:
        if name != "customer_id":
            left = left.append_column(name, right[name].combine_chunks().take(position))
    return left


def _columns_added(left: pa.Table, right: pa.Table) -> pa.Table:
    for name in NAMES:
        left = left.append_column(name, right[name])
    return left


def _filled(table: pa.Table, nothing: dict[str, float | None]) -> pa.Table:
    """Whoever shares nothing has that as numbers, where it is one."""
    shares = pc.is_valid(table["linked_customers"])
    for name, value in nothing.items():
        if value is not None:
            filled = pc.if_else(shares, table[name], pa.scalar(value, pa.float64()))
            table = table.set_column(table.column_names.index(name), name, filled)
    return table


def _permitted(table: pa.Table, withdrawn: pa.Table) -> pa.Table:
    """Null where a customer took back a purpose that a feature needs."""
    for purpose in withdrawn["purpose"].unique().to_pylist():
        who = withdrawn.filter(pc.equal(withdrawn["purpose"], purpose))["customer_id"]
        barred = pc.is_in(table["customer_id"], value_set=who)
        for feature in SHOPWIDE:
            if purpose in feature.purposes:
                table = _nulled(table, feature.name, barred)
                if feature.name == "patterns_matched" and PATTERN in table.column_names:
                    table = _nulled(table, PATTERN, barred)
    return table


def _nulled(table: pa.Table, name: str, barred: Any) -> pa.Table:
    column = pc.if_else(barred, pa.scalar(None, table.schema.field(name).type), table[name])
    return table.set_column(table.column_names.index(name), name, column)


def _in_order(table: pa.Table, made: pa.Table) -> pa.Table:
    """The rows of ``made``, which come by date, in the order of ``table``."""
    numbered = table.select(["as_of"]).append_column("row", pa.array(range(table.num_rows)))
    place = pc.sort_indices(numbered, sort_keys=[("as_of", "ascending"), ("row", "ascending")])
    return made.take(pc.sort_indices(place))


def _rows(table: pa.Table) -> Iterator[tuple[str, list[float | None], str | None]]:
    for batch in table.to_batches(max_chunksize=10_000):
        columns = [batch[name].to_pylist() for name in NAMES]
        ids, patterns = batch["customer_id"].to_pylist(), batch[PATTERN].to_pylist()
        for customer, pattern, *values in zip(ids, patterns, *columns, strict=True):
            yield customer, values, pattern
