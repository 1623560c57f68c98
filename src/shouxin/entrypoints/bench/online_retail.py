"""online_retail: a real shop's orders and cancellations. What will each customer cancel in 60 days?

In pounds, out of time: learnt at four dates, tested at a later one, when the last of their 60 days were over.
A value is the chance of any cancellation times its expected size (a hurdle): the chance by a model of ours,
the size by least squares on its logarithm. The naive answer is what was cancelled in the 60 days before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shouxin import features, scoring
from shouxin.entrypoints.bench.curves import set_folder
from shouxin.entrypoints.bench.ground import Ground, columns_of
from shouxin.entrypoints.bench.lines import Line
from shouxin.features.sequences import recent_events, sequences
from shouxin.ingestion.online_retail import online_retail_chunks
from shouxin.scoring.domain.metrics import midranks

_AHEAD_DAYS = 60
_LEARNT = tuple(datetime(2011, month, 1, tzinfo=UTC) for month in (4, 5, 6, 7))
_TESTED = datetime(2011, 10, 1, tzinfo=UTC)
_SEED, _DRAWS = 7, 400
_SEQUENCES = recent_events(zone="Europe/London")
Floats = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Customers at dates; ``pounds`` is what each cancelled in the 60 days after, ``before`` in those before.

    ``order`` are their sequences.
    """

    columns: Columns
    order: Columns
    before: Floats
    pounds: Floats
    whose: npt.NDArray[np.int64]


def measure(ground: Ground) -> list[Line]:
    """Rank correlation, share of value found and mean error of the value, beside the naive answer."""
    history, links = _history(set_folder(ground.sizes, "online_retail"), ground.folder / "online_retail")
    ground.say("computing features and sequences at five dates")
    learnt, test = _rows(history, links, _LEARNT), _rows(history, links, (_TESTED,))
    told = {
        "aggregates": _expected(learnt, test, "scorecard", learnt.columns, test.columns),
        "aggregates and sequences": _expected(
            learnt, test, "gru", learnt.columns | learnt.order, test.columns | test.order
        ),
    }
    note = (
        f"learnt from {len(learnt.pounds):,} rows, {(learnt.pounds > 0).sum():,} with a cancellation;"
        f" tested on {len(test.pounds):,}, {(test.pounds > 0).sum():,} of them with one"
    )
    lines = []
    for name, value in told.items():
        lines += _lines(name, test, value, note)
    return lines


def _lines(name: str, test: Rows, value: Floats, note: str) -> list[Line]:
    """Three measures with bootstrap intervals over customers, and the naive answer's."""
    rng = np.random.default_rng(_SEED)
    draws = [rng.integers(0, len(value), len(value)) for _ in range(_DRAWS)]
    lines = []
    for measure_name, unit, measured in _MEASURES:
        again = [measured(test.pounds[rows], value[rows]) for rows in draws]
        low, high = np.percentile(again, (2.5, 97.5)).tolist()
        apart = [
            ours - measured(test.pounds[rows], test.before[rows])
            for ours, rows in zip(again, draws, strict=True)
        ]
        less, more = np.percentile(apart, (2.5, 97.5)).tolist()
        lines.append(
            Line(
                f"{name}: {measure_name}", measured(test.pounds, value), unit,
                peer=measured(test.pounds, test.before), low=low, high=high,
                note=f"{note}; less the naive answer: {less:+.4f} to {more:+.4f}",
            )
        )  # fmt: skip
    return lines


def rank_correlation(pounds: Floats, value: Floats) -> float:
    """Spearman's."""
    return float(np.corrcoef(midranks(pounds), midranks(value))[0, 1])


def found_share(pounds: Floats, value: Floats) -> float:
    """Of all that was cancelled, the share by the tenth of the customers who were told to cancel most."""
    most = np.argsort(-value, kind="stable")[: max(1, len(value) // 10)]
    return float(pounds[most].sum() / pounds.sum())


def mean_error(pounds: Floats, value: Floats) -> float:
    """Mean absolute error in pounds, each counted up to 1,000: two giants would be all of it."""
    return float(np.minimum(np.abs(pounds - value), 1_000).mean())


_MEASURES = (
    ("rank correlation", "", rank_correlation),
    ("found in the top tenth", "share", found_share),
    ("mean error", "pounds", mean_error),
)


def _expected(learnt: Rows, test: Rows, model: str, columns: Columns, others: Columns) -> Floats:
    """The chance of a cancellation times its size."""
    event = (learnt.pounds > 0).astype(np.int64)
    artefact = scoring.train_columns(
        columns, event, model=model, groups=learnt.whose, layouts=(_SEQUENCES.layout,)
    ).artefact
    chance = scoring.score_columns(artefact, others).pd
    return chance * _size(learnt, test)


def _size(learnt: Rows, test: Rows) -> Floats:
    """Pounds where there is a cancellation: least squares of the logarithm on what was spent before."""
    some = learnt.pounds > 0
    size = np.log(learnt.pounds[some])
    weights, *_ = np.linalg.lstsq(_drivers(learnt)[some], size, rcond=None)
    rest = size - _drivers(learnt)[some] @ weights
    # The mean of a logarithm is not the logarithm of the mean (Duan 1983).
    smear = float(np.exp(np.minimum(rest, 3.0)).mean())
    pounds: Floats = np.exp(_drivers(test) @ weights) * smear
    return pounds


def _drivers(rows: Rows) -> Floats:
    spent = np.nan_to_num(rows.columns["spend_365d"])
    orders = np.nan_to_num(rows.columns["orders_90d"])
    return np.column_stack([np.ones(len(spent)), np.log1p(spent), np.log1p(rows.before), np.log1p(orders)])


def _rows(history: Path, links: pa.Table, as_ofs: tuple[datetime, ...]) -> Rows:
    """Everybody with an order in the year before each date."""
    tables, orders, befores, pounds = [], [], [], []
    for as_of in as_ofs:
        table = features.compute(history, links, as_of=as_of)
        table = table.filter(pc.greater(table["orders_90d"], 0.0))
        customers = table["customer_id"].to_pylist()
        told = sequences(history, links, as_of=as_of, definition=_SEQUENCES, customers=customers)
        tables.append(table)
        orders += told[_SEQUENCES.name].to_pylist()
        befores.append(_cancelled(history, customers, as_of - timedelta(days=_AHEAD_DAYS), as_of))
        pounds.append(_cancelled(history, customers, as_of, as_of + timedelta(days=_AHEAD_DAYS)))
    whole = pa.concat_tables(tables)
    whose = np.unique(whole["customer_id"].to_pylist(), return_inverse=True)[1].astype(np.int64)
    order = {_SEQUENCES.name: np.array(orders, dtype=object)}
    return Rows(columns_of(whole), order, np.concatenate(befores), np.concatenate(pounds), whose)


def _cancelled(history: Path, customers: list[str], after: datetime, until: datetime) -> Floats:
    """Pounds that each cancelled after one instant and up to another."""
    events = pq.read_table(history, columns=["kind", "customer_ref", "occurred_at", "amount_minor"])
    kept = events.filter(
        pc.and_(
            pc.equal(events["kind"], "order_line_cancelled"),
            pc.and_(pc.greater(events["occurred_at"], after), pc.less_equal(events["occurred_at"], until)),
        )
    )
    sums = kept.group_by("customer_ref").aggregate([("amount_minor", "sum")]).to_pylist()
    by_customer = {row["customer_ref"]: row["amount_minor_sum"] / 100 for row in sums}
    return np.array([by_customer.get(customer, 0.0) for customer in customers])


def _history(folder: Path, out: Path) -> tuple[Path, pa.Table]:
    """The set as the history keeps it; a customer is called by the shop's own reference."""
    out.mkdir()
    tables = [chunk.rows for chunk in online_retail_chunks(folder)]
    rows = pa.concat_tables(tables)
    pq.write_table(rows, out / "events.parquet")
    references = pc.unique(rows["customer_ref"])
    source = pa.repeat(rows["source"][0], len(references))
    return out, pa.table({"source": source, "customer_ref": references, "customer_id": references})
