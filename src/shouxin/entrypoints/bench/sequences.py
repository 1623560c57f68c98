"""sequences: does the order of a customer's events say more than every count of them?

A simulated shop of two years. Models learn at three dates whose labels had matured by the date they are
tested at. To take the order away and nothing else, the events of each customer are dealt anew over the same
instants: what happened and when it happened stay, which happened when does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from shouxin import features, scoring, simulation
from shouxin.entrypoints.bench.curves import auc_lines, difference_line, scored
from shouxin.entrypoints.bench.ground import Ground, columns_of, written_history
from shouxin.entrypoints.bench.lines import Line
from shouxin.features.sequences import RECENT_EVENTS, sequences

_START, _MONTHS, _SEED = date(2024, 1, 1), 24, 11
_OUTCOME = features.DEFAULTS
_TESTED_DAYS = _OUTCOME.window_days
_LEARNT_DAYS = (2 * _TESTED_DAYS + 120, 2 * _TESTED_DAYS + 60, 2 * _TESTED_DAYS)
_TIMES = ("gap", "age", "hour")
_DIRECTIONS = {features.Direction.HIGHER_IS_RISKIER: 1, features.Direction.HIGHER_IS_SAFER: -1}
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Customers at dates: aggregates, their sequences in order and without it, and what happened."""

    aggregates: Columns
    ordered: Columns
    shuffled: Columns
    y: npt.NDArray[np.int64]
    whose: npt.NDArray[np.int64]

    def of(self, chosen: npt.NDArray[np.bool_]) -> Rows:
        """Some of the rows."""
        aggregates, ordered, shuffled = (
            {name: values[chosen] for name, values in part.items()}
            for part in (self.aggregates, self.ordered, self.shuffled)
        )
        return Rows(aggregates, ordered, shuffled, self.y[chosen], self.whose[chosen])


def measure(ground: Ground) -> list[Line]:
    """AUC out of time of aggregates, of sequences, of both, and of both without the order."""
    rows, tested = _rows(ground)
    learnt, test = rows.of(~tested), rows.of(tested)
    given = {
        "aggregates": ("ebm", learnt.aggregates, test.aggregates),
        "embeddings": ("gru", learnt.ordered, test.ordered),
        "both": ("fused", learnt.aggregates | learnt.ordered, test.aggregates | test.ordered),
        "both, order shuffled": (
            "fused", learnt.aggregates | learnt.shuffled, test.aggregates | test.shuffled,
        ),
    }  # fmt: skip
    told = {
        name: _told(ground, model, learnt, columns, others)
        for name, (model, columns, others) in given.items()
    }
    y = test.y.astype(np.float64)
    note = (
        f"learnt from {len(learnt.y):,} rows with {learnt.y.sum():,} events,"
        f" tested on {len(y):,} with {test.y.sum():,}"
    )
    lines = auc_lines(y, told, notes=dict.fromkeys(told, note))
    return [
        *lines,
        difference_line("both less aggregates, low end", y, told["both"], told["aggregates"], goal=0.0),
        difference_line(
            "both less shuffled, low end", y, told["both"], told["both, order shuffled"], goal=0.0
        ),
        difference_line("shuffled less aggregates", y, told["both, order shuffled"], told["aggregates"]),
    ]


def shuffled(value: str, *, rng: np.random.Generator) -> str:
    """The same events at the same instants, dealt anew: only the order goes."""
    layout = RECENT_EVENTS.layout
    kept = [place for place, field in enumerate(layout.fields) if field.name in _TIMES]
    events = layout.numbers(value)
    dealt = [list(events[place]) for place in rng.permutation(len(events))]
    for event, instant in zip(dealt, events, strict=True):
        for place in kept:
            event[place] = instant[place]
    return layout.text(dealt)


def _told(
    ground: Ground, model: str, learnt: Rows, columns: Columns, others: Columns
) -> npt.NDArray[np.float64]:
    ground.say(f"training the {model} on {len(columns)} columns, {len(learnt.y):,} rows")
    artefact = scoring.train_columns(
        columns,
        learnt.y,
        model=model,
        outcome=_OUTCOME.name,
        groups=learnt.whose,
        directions={d.name: _DIRECTIONS[d.direction] for d in features.CATALOGUE if d.direction},
    ).artefact
    return scored(artefact, others)


def _rows(ground: Ground) -> tuple[Rows, npt.NDArray[np.bool_]]:
    """All rows, and which are tested."""
    shop = ground.folder / "two years"
    ground.say(f"simulating a shop of {ground.sizes.customers:,} customers")
    with ground.bar("simulating") as progress:
        report = simulation.simulate(
            shop, customers=ground.sizes.customers, months=_MONTHS, start=_START, seed=_SEED, live_days=0,
            progress=progress,
        )  # fmt: skip
    history = shop / "history"
    links = written_history(tuple(sorted((shop / "events").glob("*.parquet"))), history)
    ends_at = datetime.fromisoformat(report.history_ends_at)
    tables = []
    for days in (*_LEARNT_DAYS, _TESTED_DAYS):
        as_of = ends_at - timedelta(days=days)
        ground.say(f"computing {len(features.CATALOGUE)} features and the sequences as of {as_of:%Y-%m-%d}")
        labelled = features.training_set(
            history,
            links,
            as_ofs=[as_of],
            outcome=_OUTCOME,
            definitions=features.CATALOGUE,
            known_until=_OUTCOME.matures_at(as_of),
        )
        told = sequences(history, links, as_of=as_of, customers=labelled["customer_id"].to_pylist())
        tables.append(labelled.append_column(RECENT_EVENTS.name, told[RECENT_EVENTS.name]))
    return _read(pa.concat_tables(tables), tested=ends_at - timedelta(days=_TESTED_DAYS))


def _read(table: pa.Table, *, tested: datetime) -> tuple[Rows, npt.NDArray[np.bool_]]:
    texts = np.array(table[RECENT_EVENTS.name].to_pylist(), dtype=object)
    rng = np.random.default_rng(_SEED)
    dealt = np.array([shuffled(text, rng=rng) for text in texts], dtype=object)
    rows = Rows(
        columns_of(table),
        {RECENT_EVENTS.name: texts},
        {RECENT_EVENTS.name: dealt},
        table["event"].to_numpy().astype(np.int64),
        np.unique(table["customer_id"].to_pylist(), return_inverse=True)[1].astype(np.int64),
    )
    return rows, np.array([as_of == tested for as_of in table["as_of"].to_pylist()], dtype=np.bool_)
