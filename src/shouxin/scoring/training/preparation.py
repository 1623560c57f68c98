"""Preparation: what of a table can be learnt from, and every plain word about what can not."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import SequenceLayout, UnableToReadSequence, is_sequence
from shouxin.kernel import Bilingual
from shouxin.scoring.domain.binning import (
    Binning,
    bin_categories,
    bin_numbers,
    category_slots,
)
from shouxin.scoring.domain.inputs import numeric_slots
from shouxin.scoring.domain.metrics import auc
from shouxin.scoring.domain.partition import Direction
from shouxin.scoring.domain.table import Array, as_text, is_text
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.sequence_leaks import telling_fact

EVENTS_MIN = 20
LEAK_AUC = 0.9
_NEVER = {"0", "0.0", "false", "f", "no", "n", "good", "否"}
_EVER = {"1", "1.0", "true", "t", "yes", "y", "bad", "是"}
# More different texts than this share of the rows are names or numbers of things, not categories.
_DISTINCT_SHARE = 0.5
_DISTINCT_MIN = 50
_DAYS = (
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y年%m月%d日",
    "%d/%m/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m/%d/%Y",
    "%d-%b-%Y",
    "%d-%b-%y",
)
_HOURS = ("", " %H:%M", " %H:%M:%S")
_DATE_FORMATS = (
    *(day + hour for day in _DAYS for hour in _HOURS),
    *("%Y%m%d", "%Y-%m", "%Y/%m", "%Y年%m月", "%b-%Y", "%b-%y", "%b %Y", "%Y%m"),
)

# Five years of months: with more there are too few rows in each to rank neighbours.
_PERIODS_MAX = 60
_SHAPES: dict[Any, Direction] = {
    "higher_is_riskier": 1,
    "higher_is_safer": -1,
    "rising": 1,
    "falling": -1,
    "peak": "peak",
    "valley": "valley",
    1: 1,
    -1: -1,
}
_QUARTER = re.compile(r"(?P<year>\d{4})[- ]?Q(?P<quarter>[1-4])", re.IGNORECASE)


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """A column that can be learnt from; ``special`` are the special values that occur in it.

    ``edges`` are somebody's own bins; ``periods`` numbers the period of every row from 0.
    ``layout`` says how sequences are written, where it is a column of them.
    """

    name: str
    values: Array
    numeric: bool
    special: tuple[float, ...] = ()
    direction: Direction = None
    meaning: Bilingual | None = None
    layout: SequenceLayout | None = None
    edges: tuple[float, ...] | None = None
    periods: npt.NDArray[np.int64] | None = None

    @property
    def sign(self) -> Literal[-1, 0, 1]:
        """1 where more is riskier, -1 where more is safer, 0 where neither was declared."""
        return self.direction if self.direction in {-1, 1} else 0

    @property
    def ordinary(self) -> npt.NDArray[np.float64]:
        """The values that are neither missing nor special."""
        known = self.values[~np.isnan(self.values)]
        found: npt.NDArray[np.float64] = known[~np.isin(known, self.special)] if self.special else known
        return found

    @property
    def typical(self) -> float | None:
        """The median of the ordinary values; None for categories."""
        if not self.numeric or not len(self.ordinary):
            return None
        return float(np.median(self.ordinary))

    def rows(self, inside: npt.NDArray[np.bool_]) -> Variable:
        """The same variable in some of the rows."""
        periods = None if self.periods is None else self.periods[inside]
        return replace(self, values=self.values[inside], periods=periods)

    def binned(self, y: npt.NDArray[np.int64], *, quickly: bool = False) -> Binning:
        """The best bins of this variable; ``quickly``, nearly the best of a number."""
        if self.numeric:
            return bin_numbers(
                self.values,
                y,
                special=self.special,
                direction=self.direction,
                periods=self.periods,
                edges=self.edges,
                quickly=quickly,
            )
        return bin_categories(as_text(self.values), y)

    def slots(self, binning: Binning) -> npt.NDArray[np.int64]:
        """The slot of every row in ``binning``."""
        if self.numeric:
            special = {value: index for index, value in enumerate(self.special)}
            return numeric_slots(self.values, binning.edges, special)
        return category_slots(as_text(self.values), binning)


def outcomes(values: Array, *, name: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    """The target as 0 and 1, and where it is known. Raises UnableToTrain."""
    if is_text(values):
        texts = [None if text is None else text.strip().lower() for text in as_text(values)]
        known = np.array([text is not None for text in texts], dtype=np.bool_)
        distinct = sorted({text for text in texts if text is not None})
        if set(distinct) <= _NEVER | _EVER:
            y = np.array([text in _EVER for text in texts], dtype=np.int64)
            return _both(y, known, name)
        raise UnableToTrain(_unclear(name, sorted({t for t in as_text(values) if t is not None})))
    numbers = np.asarray(values, dtype=np.float64)
    known = ~np.isnan(numbers)
    found = np.unique(numbers[known])
    if len(found) and not np.isin(found, (0.0, 1.0)).all():
        raise UnableToTrain(_unclear(name, [f"{value:g}" for value in found.tolist()]))
    return _both(np.where(known, numbers, 0.0).astype(np.int64), known, name)


def _both(
    y: npt.NDArray[np.int64], known: npt.NDArray[np.bool_], name: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_]]:
    rows, events = int(known.sum()), int(y[known].sum())
    if not rows:
        raise UnableToTrain(f"the target {name!r} is empty in every row")
    if events in {0, rows}:
        raise UnableToTrain(
            f"the target {name!r} is {int(events > 0)} in every row; both outcomes must occur"
        )
    return y, known


def _unclear(name: str, found: Sequence[str]) -> str:
    if len(found) == 1:
        return f"the target {name!r} has the same value in every row; both outcomes must occur"
    if len(found) == 2:
        return (
            f"the target {name!r} is {found[0]!r} or {found[1]!r}, which does not say which is the event; "
            "write 1 for the event (the bad outcome) and 0 for the other"
        )
    return (
        f"the target {name!r} has {len(found)} different values; it must be 1 for the event (the bad "
        "outcome) and 0 for the other (true/false, yes/no and bad/good are understood)"
    )


def check_counts(y: npt.NDArray[np.int64], *, where: str) -> None:
    """Raise UnableToTrain unless both outcomes are there often enough to say anything."""
    events, others = int(y.sum()), len(y) - int(y.sum())
    if min(events, others) < EVENTS_MIN:
        raise UnableToTrain(
            f"{where}: {events} events and {others} non-events; at least {EVENTS_MIN} of each are needed"
        )


def variables(
    columns: Mapping[str, Array],
    *,
    special: Sequence[float] = (),
    directions: Mapping[str, Any] | None = None,
    meanings: Mapping[str, Bilingual] | None = None,
    layouts: Sequence[SequenceLayout] = (),
    edges: Mapping[str, Sequence[float]] | None = None,
    periods: npt.NDArray[np.int64] | None = None,
) -> tuple[list[Variable], dict[str, str]]:
    """The columns that can be learnt from, and why each of the others can not.

    ``edges`` are somebody's own bins of a column, ``periods`` numbers the period of every row. Raises
    UnableToTrain for an unknown layout, and for a shape or edges that make no sense.
    """
    kept, dropped = [], useless(columns)
    for name, values in columns.items():
        if name in dropped:
            continue
        meaning = (meanings or {}).get(name)
        own, shape = (edges or {}).get(name), (directions or {}).get(name)
        if is_text(values):
            if own or shape:
                raise UnableToTrain(
                    f"{name!r} holds texts, which have no order: edges and shapes are for numbers"
                )
            layout = _layout(name, values, layouts) if _tells_sequences(values) else None
            kept.append(Variable(name, values, numeric=False, meaning=meaning, layout=layout))
            continue
        numbers = _finite(values)
        occurring = tuple(float(value) for value in sorted(set(special)) if (numbers == value).any())
        kept.append(
            Variable(
                name,
                numbers,
                numeric=True,
                special=occurring,
                direction=_direction(name, shape),
                meaning=meaning,
                edges=None if own is None else _edges(name, own),
                periods=periods,
            )
        )
    return kept, dropped


def useless(columns: Mapping[str, Array]) -> dict[str, str]:
    """The columns that nothing can be learnt from, and why; ask it of the whole table."""
    found = {name: _unusable(name, values) for name, values in columns.items()}
    return {name: reason for name, reason in found.items() if reason}


def nothing_left(dropped: Mapping[str, str]) -> UnableToTrain:
    """What to say when every column was dropped."""
    told = "; ".join(f"{name!r}: {reason}" for name, reason in dropped.items())
    return UnableToTrain(f"no column can be learnt from: {told or 'there is none beside the target'}")


def _tells_sequences(values: Array) -> bool:
    first = next((value for value in values.tolist() if value is not None), None)
    return is_sequence(first)


def _layout(name: str, values: Array, layouts: Sequence[SequenceLayout]) -> SequenceLayout:
    """The layout that a column of sequences was written in. Raises UnableToTrain."""
    texts = as_text(values)
    first = next(text for text in texts if text is not None)
    layout = next((layout for layout in layouts if first.startswith(layout.prefix)), None)
    if layout is None:
        raise UnableToTrain(
            f"{name!r} holds sequences of a layout that is not known here ({first.split(':')[1]}); "
            "write them anew, or leave the column out"
        )
    try:
        layout.codes(texts)
    except UnableToReadSequence as error:
        raise UnableToTrain(f"{name!r}: {error}") from None
    return layout


def _direction(name: str, asked: Any) -> Direction:
    if asked in {None, 0}:
        return None
    if asked not in _SHAPES:
        raise UnableToTrain(
            f"the shape of {name!r} is rising (1: more is riskier), falling (-1), peak or valley, "
            f"not {asked!r}"
        )
    return _SHAPES[asked]


def _edges(name: str, asked: Sequence[float]) -> tuple[float, ...]:
    edges = tuple(float(edge) for edge in asked)
    if not edges or not np.isfinite(edges).all() or any(b <= a for a, b in pairwise(edges)):
        raise UnableToTrain(
            f"the edges of {name!r} are numbers that rise, as 1, 2.5, 10; "
            f"not {', '.join(f'{edge:g}' for edge in edges) or 'none'}"
        )
    return edges


def periods_of(values: Array, *, name: str) -> npt.NDArray[np.int64]:
    """The number of every row's period from 0: months of dates, else each value is a period of its own.

    Raises UnableToTrain where a row has no period, where all have the same one, and where they are too many.
    """
    if not is_text(values):
        told: Sequence[Any] = np.asarray(values, dtype=np.float64).tolist()
        lacking = any(math.isnan(value) for value in told)
    else:
        texts = as_text(values)
        lacking = None in texts
        read = None if lacking else _dates(sorted({text for text in texts if text is not None}))
        told = (
            texts if read is None else [f"{datetime.fromtimestamp(read[t or ''], UTC):%Y-%m}" for t in texts]
        )
    if lacking:
        raise UnableToTrain(f"the period column {name!r} is empty in some rows")
    names, numbers = np.unique(np.asarray(told), return_inverse=True)
    if not 2 <= len(names) <= _PERIODS_MAX:
        raise UnableToTrain(
            f"the period column {name!r} holds {len(names)} different periods; 2 to {_PERIODS_MAX} can be "
            "compared, such as months or quarters"
        )
    return numbers.astype(np.int64)


def _finite(values: Array) -> npt.NDArray[np.float64]:
    """Infinities become the furthest finite value: scoring puts them in the outermost slot as well."""
    numbers = np.asarray(values, dtype=np.float64)
    finite = numbers[np.isfinite(numbers)]
    if len(finite) and np.isinf(numbers).any():
        numbers = np.where(np.isnan(numbers), numbers, np.clip(numbers, finite.min(), finite.max()))
    return numbers


def _unusable(name: str, values: Array) -> str | None:
    if is_text(values) and _tells_sequences(values):
        return None
    if is_text(values):
        texts = [text for text in as_text(values) if text is not None]
        distinct = set(texts)
        if len(distinct) > max(_DISTINCT_MIN, _DISTINCT_SHARE * len(texts)):
            return _many_texts(distinct)
        whole = len(texts) == len(values)
    else:
        numbers = _finite(values)
        known = numbers[~np.isnan(numbers)]
        if np.isinf(known).any():
            return "infinite wherever there is a value"
        distinct = set(np.unique(known).tolist()) if len(known) else set()
        if len(distinct) == len(values) and _counts_rows(name, known):
            return "a running number of the rows, or a name of each"
        whole = len(known) == len(values)
    if not distinct:
        return "no value in any row"
    return "the same value in every row" if len(distinct) == 1 and whole else None


def _many_texts(distinct: set[str]) -> str:
    numbers = sum(text.replace(".", "", 1).lstrip("+-").isdigit() for text in distinct)
    if numbers > len(distinct) / 2:
        texts = len(distinct) - numbers
        return f"numbers, but for {texts} different texts among them; leave those empty to use the column"
    return f"{len(distinct)} different texts: names or dates, not categories"


def _counts_rows(name: str, known: npt.NDArray[np.float64]) -> bool:
    """Whether all-different whole numbers fill their range in whatever order, or are called an id."""
    whole = len(known) > _DISTINCT_MIN and np.isfinite(known).all() and (known == np.floor(known)).all()
    if not whole:
        return False
    called_id = name.casefold() in {"id", "index", "no", "nr"} or name.endswith(("_id", "ID", "Id"))
    return bool(called_id or known.max() - known.min() == len(known) - 1)


def separating(
    kept: Sequence[Variable], y: npt.NDArray[np.int64], *, binnings: Mapping[str, Binning] | None = None
) -> dict[str, float]:
    """The variables that tell the outcome all by themselves, and their AUC: leaks, most likely.

    Of a sequence it is the most telling of its single facts. ``binnings`` are their bins, where somebody has
    them already.
    """
    found = {}
    for variable in kept:
        if variable.layout is not None:
            _, area = telling_fact(variable.layout, variable.values, y)
            if area > LEAK_AUC:
                found[variable.name] = area
            continue
        binning = binnings[variable.name] if binnings else variable.binned(y)
        area = auc(y, np.asarray(binning.woe)[variable.slots(binning)])
        if variable.numeric:
            regular = ~np.isnan(variable.values) & ~np.isin(variable.values, variable.special)
            if regular.mean() > 0.5 and 0 < y[regular].sum() < regular.sum():
                plain = auc(y[regular], variable.values[regular])
                area = max(area, plain, 1 - plain)
        if area > LEAK_AUC:
            found[variable.name] = area
    return found


def instants(values: Array, *, name: str) -> tuple[npt.NDArray[np.float64], tuple[str, str]]:
    """A time column as numbers that sort by time, and its first and last value as told.

    Raises UnableToTrain where a row has no time or a text is no date.
    """
    if not is_text(values):
        numbers = np.asarray(values, dtype=np.float64)
        if np.isnan(numbers).any():
            raise UnableToTrain(f"the time column {name!r} is empty in some rows")
        return numbers, (f"{numbers.min():g}", f"{numbers.max():g}")
    texts = as_text(values)
    if None in texts:
        raise UnableToTrain(f"the time column {name!r} is empty in some rows")
    distinct = sorted({text for text in texts if text is not None})
    read = _dates(distinct)
    if read is None:
        raise UnableToTrain(
            f"the time column {name!r} holds texts that are no dates; write them as 2026-03-31"
        )
    first, last = min(read, key=read.__getitem__), max(read, key=read.__getitem__)
    return np.array([read[text] for text in texts if text is not None], dtype=np.float64), (first, last)


def _dates(texts: Sequence[str]) -> dict[str, float] | None:
    """Every text as a timestamp, all in the same way of writing, or None."""
    readers = [datetime.fromisoformat, *(_reader(layout) for layout in _DATE_FORMATS), _quarter]
    for read in readers:
        try:
            found = {text: read(text) for text in texts}
        except ValueError:
            continue
        return {t: (d if d.tzinfo else d.replace(tzinfo=UTC)).timestamp() for t, d in found.items()}
    return None


def _reader(layout: str) -> Any:
    return lambda text: datetime.strptime(text, layout).replace(tzinfo=UTC)


def _quarter(text: str) -> datetime:
    found = _QUARTER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return datetime(int(found["year"]), 3 * int(found["quarter"]) - 2, 1, tzinfo=UTC)
