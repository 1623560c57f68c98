"""credit_record: real monthly statuses of card holders. Does their order say more than their counts?

After six months on book: 60 days past due within the next twelve? One person has several accounts, so people
(who said the same of themselves when they applied) are kept on one side of every split.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin import scoring
from shouxin.entrypoints.bench.curves import auc_lines, difference_line, scored, set_folder
from shouxin.entrypoints.bench.ground import Ground
from shouxin.entrypoints.bench.lines import Line, UnableToBench
from shouxin.features.sequences import SequenceField, SequenceLayout
from shouxin.kernel import Progress, silent
from shouxin.reporting import monthly_states
from shouxin.scoring.domain.split import folds

# In order of badness: no loan that month, paid off, 1-29 days late, 30-59, 60-89, 90-119, 120-149, beyond.
STATES = {"X": "none", "C": "paid", "0": "M1", "1": "M2", "2": "M3", "3": "M4", "4": "M5", "5": "M6"}
_EVENT_FROM = list(STATES).index("2")
_SEEN, _AHEAD = 6, 12
_FOLDS, _SEED = 5, 7
# The same six statuses, counted and in their order; and all that can be said without the order.
_COUNTS, _ORDER, _BASELINE = "counts (ebm)", "sequences (gru)", "aggregates (ebm)"
LAYOUT = SequenceLayout("credit_record", (SequenceField("state", len(STATES)),), _SEEN)
Columns = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Accounts:
    """One row an account at six months on book: what it was, in counts and in order, and what came of it."""

    applied: Columns
    counts: Columns
    order: Columns
    y: npt.NDArray[np.int64]
    whose: npt.NDArray[np.int64]


def measure(ground: Ground) -> list[Line]:
    """Out-of-fold AUC of what was said at application and counts, of the order, and of all of it."""
    folder = set_folder(ground.sizes, "credit_record")
    ground.say("reading the applications and the monthly statuses")
    accounts = read_accounts(folder)
    rows, people = len(accounts.y), len(np.unique(accounts.whose))
    if accounts.y.sum() < _FOLDS:
        raise UnableToBench(f"{folder} tells of {accounts.y.sum()} events; {_FOLDS} folds need one each")
    counted = f"{rows:,} accounts of {people:,} people, {accounts.y.sum():,} events"
    ground.say(counted)
    given = _given(accounts)
    told = {}
    for name, (model, columns) in given.items():
        ground.say(f"training {name} on {len(columns)} columns in {_FOLDS} folds")
        with ground.bar(name) as advance:
            told[name] = out_of_fold(accounts, model, columns, advance=advance)
    y = accounts.y.astype(np.float64)
    note = f"{counted}; {_FOLDS} folds, people apart; intervals take accounts as independent"
    return [
        *auc_lines(y, told, notes={_BASELINE: note}),
        difference_line(f"{_ORDER} less {_COUNTS}", y, told[_ORDER], told[_COUNTS]),
        *(
            difference_line(f"{name} less {other}", y, told[name], told[other])
            for name in given
            for other in (_BASELINE, "aggregates (dnn)")
            if not name.startswith("aggregates")
        ),
    ]


def _given(accounts: Accounts) -> dict[str, tuple[str, Columns]]:
    """What each learner is given. Three read the aggregates: beside a weak one any order would shine."""
    aggregates = accounts.applied | accounts.counts
    return {
        _BASELINE: ("ebm", aggregates),
        "aggregates (scorecard)": ("scorecard", aggregates),
        "aggregates (dnn)": ("dnn", aggregates),
        _COUNTS: ("ebm", accounts.counts),
        _ORDER: ("gru", accounts.order),
        "both (gru)": ("gru", aggregates | accounts.order),
        "both (fused)": ("fused", aggregates | accounts.order),
    }


def out_of_fold(
    accounts: Accounts, model: str, columns: Columns, *, advance: Progress = silent
) -> npt.NDArray[np.float64]:
    """Log-odds of every account from a model that saw nothing of its person."""
    fold = folds(accounts.y, count=_FOLDS, seed=_SEED, groups=accounts.whose)
    told = np.empty(len(accounts.y))
    for number in range(_FOLDS):
        advance(number, _FOLDS)
        apart = fold == number
        artefact = scoring.train_columns(
            _part(columns, ~apart), accounts.y[~apart], model=model, groups=accounts.whose[~apart],
            layouts=(LAYOUT,),
        ).artefact  # fmt: skip
        told[apart] = scored(artefact, _part(columns, apart))
    return told


def read_accounts(folder: Path) -> Accounts:
    """The accounts that were seen for six months, had no event then, and of which the next year is known."""
    try:
        record = scoring.read_table(folder / "credit_record.csv.xz")
        applications = scoring.read_table(folder / "application_record.csv.xz")
    except scoring.UnableToReadTable as error:
        raise UnableToBench(str(error)) from None
    accounts = record.column("ID").astype(np.int64)
    months = record.column("MONTHS_BALANCE").astype(np.int64).tolist()
    found = monthly_states(accounts.tolist(), months, record.column("STATUS").tolist(), buckets=STATES)
    names = np.unique(accounts)
    place = _first_places(applications.column("ID").astype(np.int64))
    early, later = found.states[:, :_SEEN], found.states[:, _SEEN : _SEEN + _AHEAD]
    event = np.asarray((later >= _EVENT_FROM).any(axis=1), dtype=np.bool_)
    seen = (early >= 0).all(axis=1) & (early < _EVENT_FROM).all(axis=1)
    told = event | (later >= 0).all(axis=1)
    known = np.flatnonzero(np.isin(names, list(place)) & seen & told)
    rows = np.array([place[name] for name in names[known].tolist()])
    said = {name: applications.column(name)[rows] for name in applications.columns if name != "ID"}
    return Accounts(
        {name: said[name] for name in said if name not in {"FLAG_MOBIL"}},
        _counted(early[known]),
        {
            "statuses": np.array(
                [LAYOUT.text([[s] for s in row]) for row in early[known].tolist()], dtype=object
            )
        },
        event[known].astype(np.int64),
        _people(said),
    )


def _first_places(ids: npt.NDArray[np.int64]) -> dict[int, int]:
    """Where each id stands first; one that stands twice names two people and is left out."""
    names, first, counts = np.unique(ids, return_index=True, return_counts=True)
    once = counts == 1
    return dict(zip(names[once].tolist(), first[once].tolist(), strict=True))


def _people(said: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[np.int64]:
    """A number for everybody who said the same."""
    spelt = [
        "|".join(map(str, row)) for row in zip(*(values.tolist() for values in said.values()), strict=True)
    ]
    return np.unique(spelt, return_inverse=True)[1].astype(np.int64)


def _counted(early: npt.NDArray[np.int64]) -> Columns:
    """What can be said of six statuses without their order, and of the last one."""
    months = {f"months_{name}": (early == place).sum(axis=1) for place, name in enumerate(STATES.values())}
    seen = {name: count for name, count in months.items() if count.any()}
    return {name: count.astype(np.float64) for name, count in seen.items()} | {
        "worst": early.max(axis=1).astype(np.float64),
        "latest": early[:, -1].astype(np.float64),
    }


def _part(columns: Columns, chosen: npt.NDArray[np.bool_]) -> Columns:
    return {name: values[chosen] for name, values in columns.items()}
