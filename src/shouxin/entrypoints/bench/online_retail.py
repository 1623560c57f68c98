"""online_retail: a real shop's orders and cancellations. What will each customer cancel in 60 days?

In pounds, out of time: learnt at three dates, 60 days apart, so that no two stretches of 60 days share one;
measured at a fourth, when the last of the learnt stretches is over. A value is the chance of any
cancellation times its expected size (a hurdle): the chance by a model of ours, the size by least squares on
its logarithm. The naive answers: what was cancelled in the 60 days before, and the same for everybody.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shouxin import features, scoring
from shouxin.entrypoints.bench.curves import auc_lines, set_folder
from shouxin.entrypoints.bench.ground import Ground, columns_of
from shouxin.entrypoints.bench.lines import Line
from shouxin.features.sequences import recent_events, sequences
from shouxin.ingestion.online_retail import online_retail_chunks
from shouxin.scoring.domain.metrics import midranks

_AHEAD = timedelta(days=60)
_TESTED = datetime(2011, 10, 1, tzinfo=UTC)
_LEARNT = tuple(_TESTED - before * _AHEAD for before in (3, 2, 1))
# Two giant cancellations would be all of an error: pounds are counted up to here.
_COUNTED = 1_000.0
# A small encoder learns from some thousand sequences of 64 events in seconds, and tells as much.
_SETTINGS = {"gru": {"size": 16, "epochs": 8}}
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
    """AUC of any cancellation and how well pounds are told, beside the naive answers."""
    folder = set_folder(ground.sizes, "online_retail")
    ground.say("reading the orders and cancellations")
    history, links = _history(folder, ground.folder / "online_retail")
    learnt, test = _rows(ground, history, links, _LEARNT), _rows(ground, history, links, (_TESTED,))
    learnt, test = _varied(learnt, test)
    aggregates = learnt.columns, test.columns
    both = learnt.columns | learnt.order, test.columns | test.order
    given = {
        "scorecard": ("scorecard", aggregates),
        "ebm": ("ebm", aggregates),
        "gru, aggregates and sequences": ("gru", both),
    }
    chances = {
        name: _chances(ground, learnt, model, columns, others)
        for name, (model, (columns, others)) in given.items()
    }
    size = _size(learnt, test)
    same = np.full(len(test.pounds), np.minimum(learnt.pounds, _COUNTED).mean())
    told = {name: chance * size for name, chance in chances.items()} | {"the 60 days before": test.before}
    draws = _draws(len(test.pounds))
    lines = auc_lines(
        np.asarray(test.pounds > 0, dtype=np.float64),
        {f"{name}: any cancellation": chance for name, chance in chances.items()}
        | {"the 60 days before: any cancellation": test.before},
        notes={},
    )
    for name, value in told.items():
        lines += [_line(name, one, test, value, draws) for one in _MEASURES]
    lines += [_line("the same for everybody", one, test, same, draws) for one in _ERRORS]
    lines += [
        _difference(f"{name} less {other}", one, test, (told[name], naive), draws)
        for name in chances
        for other, naive, asked in (
            ("the 60 days before", test.before, _MEASURES),
            ("the same for everybody", same, _ERRORS),
        )
        for one in asked
    ]
    return [replace(lines[0], note=_note(learnt, test)), *lines[1:]]


def _note(learnt: Rows, test: Rows) -> str:
    return (
        f"learnt from {len(learnt.pounds):,} rows at {len(_LEARNT)} dates, {(learnt.pounds > 0).sum():,} with"
        f" a cancellation, {len(learnt.columns)} features that vary; tested on {len(test.pounds):,} customers"
        f" at {_TESTED:%Y-%m-%d}, {(test.pounds > 0).sum():,} with one; intervals of {_DRAWS} bootstrap draws"
    )


def _draws(rows: int) -> list[npt.NDArray[np.int64]]:
    """The rows of every bootstrap draw; one row is one customer."""
    rng = np.random.default_rng(_SEED)
    return [rng.integers(0, rows, rows) for _ in range(_DRAWS)]


def _line(name: str, one: Measure, test: Rows, value: Floats, draws: Sequence[npt.NDArray[np.int64]]) -> Line:
    """A measure with its bootstrap interval; the peer is what the 60 days before give."""
    again = [one.of(test.pounds[rows], value[rows]) for rows in draws]
    low, high = np.percentile(again, (2.5, 97.5)).tolist()
    peer = None if value is test.before else one.of(test.pounds, test.before)
    return Line(f"{name}: {one.name}", one.of(test.pounds, value), one.unit, peer=peer, low=low, high=high)


def _difference(
    name: str,
    one: Measure,
    test: Rows,
    values: tuple[Floats, Floats],
    draws: Sequence[npt.NDArray[np.int64]],
) -> Line:
    """A measure of the first value less that of the second, on the same draws."""

    def apart(rows: npt.NDArray[np.int64]) -> float:
        ours, other = (one.of(test.pounds[rows], value[rows]) for value in values)
        return ours - other

    low, high = np.percentile([apart(rows) for rows in draws], (2.5, 97.5)).tolist()
    whole = apart(np.arange(len(test.pounds)))
    return Line(f"{name}: {one.name}", whole, one.unit, low=low, high=high)


def rank_correlation(pounds: Floats, value: Floats) -> float:
    """Spearman's."""
    return float(np.corrcoef(midranks(pounds), midranks(value))[0, 1])


def found_share(pounds: Floats, value: Floats) -> float:
    """Of all that was cancelled, the share by the tenth of the customers who were told to cancel most."""
    most = np.argsort(-value, kind="stable")[: max(1, len(value) // 10)]
    return float(pounds[most].sum() / pounds.sum())


def mean_error(pounds: Floats, value: Floats) -> float:
    """Mean absolute error in pounds. Most cancel nothing, so always saying nothing does well at it."""
    return float(np.abs(_counted(pounds) - _counted(value)).mean())


def squared_error(pounds: Floats, value: Floats) -> float:
    """Root of the mean squared error in pounds: the measure that an expected value is to do well at."""
    return float(np.sqrt(((_counted(pounds) - _counted(value)) ** 2).mean()))


def _counted(pounds: Floats) -> Floats:
    return np.minimum(pounds, _COUNTED)


@dataclass(frozen=True, slots=True)
class Measure:
    """How well values tell pounds: ``of(pounds, value)``."""

    name: str
    unit: str
    of: Callable[[Floats, Floats], float]


_ERRORS = (
    Measure("mean error", "pounds", mean_error),
    Measure("root mean square error", "pounds", squared_error),
)
_MEASURES = (
    Measure("rank correlation", "", rank_correlation),
    Measure("found in the top tenth", "share", found_share),
    *_ERRORS,
)


def _chances(ground: Ground, learnt: Rows, model: str, columns: Columns, others: Columns) -> Floats:
    """The chance that each customer cancels anything."""
    ground.say(f"training the {model} on {len(columns)} columns, {len(learnt.pounds):,} rows")
    artefact = scoring.train_columns(
        columns,
        (learnt.pounds > 0).astype(np.int64),
        model=model,
        settings=_SETTINGS.get(model),
        groups=learnt.whose,
        layouts=(_SEQUENCES.layout,),
    ).artefact
    return scoring.pd_of_columns(artefact, others)


def _varied(learnt: Rows, test: Rows) -> tuple[Rows, Rows]:
    """Both without the features that are the same for everybody: a shop that gives no credit has many."""
    kept = [name for name, values in learnt.columns.items() if len(np.unique(values[~np.isnan(values)])) > 1]
    first, second = (
        replace(rows, columns={name: rows.columns[name] for name in kept}) for rows in (learnt, test)
    )
    return first, second


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


def _rows(ground: Ground, history: Path, links: pa.Table, as_ofs: tuple[datetime, ...]) -> Rows:
    """Everybody with an order in the 90 days before each date."""
    tables, orders, befores, pounds = [], [], [], []
    for as_of in as_ofs:
        ground.say(f"computing {len(features.CATALOGUE)} features and the sequences as of {as_of:%Y-%m-%d}")
        table = features.compute(history, links, as_of=as_of, definitions=features.CATALOGUE)
        table = table.filter(pc.greater(table["orders_90d"], 0.0))
        customers = table["customer_id"].to_pylist()
        told = sequences(history, links, as_of=as_of, definition=_SEQUENCES, customers=customers)
        tables.append(table)
        orders += told[_SEQUENCES.name].to_pylist()
        befores.append(_cancelled(history, customers, as_of - _AHEAD, as_of))
        pounds.append(_cancelled(history, customers, as_of, as_of + _AHEAD))
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
