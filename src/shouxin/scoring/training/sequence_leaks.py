"""What single facts of a sequence tell of the outcome: a leak hides in an event as well as in a column.

A file of events that was cut too late holds the event that the outcome is made of: the account that was
closed, the debt that was sold. So each code of each field is counted (and whether it is there at all), the
last event's code is a category, and how many events there are and whether there is a sequence are numbers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from shouxin.features.sequences.domain import SequenceLayout
from shouxin.scoring.domain.binning import bin_categories, category_slots
from shouxin.scoring.domain.metrics import auc
from shouxin.scoring.domain.table import Array, as_text, known

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def telling_fact(layout: SequenceLayout, values: Array, y: Ints) -> tuple[str, float]:
    """The single fact of these sequences that tells the outcomes apart best, in words, and its AUC.

    ``y`` holds both outcomes. Raises UnableToReadSequence.
    """
    return max(_areas(layout, values, y), key=lambda told: told[1])


def _areas(layout: SequenceLayout, values: Array, y: Ints) -> Iterator[tuple[str, float]]:
    codes, events = layout.codes(as_text(values))
    yield "whether there is a sequence", _either_way(y, known(values).astype(np.float64))
    yield "the number of events", _either_way(y, events.astype(np.float64))
    there = np.arange(layout.length) >= layout.length - events[:, None]
    rows = np.nonzero(there)[0]
    for place, field in enumerate(layout.fields):
        # Beside each other: how often each row has each code.
        at = rows * field.codes + codes[:, :, place][there]
        counted = np.bincount(at, minlength=len(y) * field.codes).reshape(len(y), field.codes)
        for code in np.flatnonzero(counted.any(axis=0)).tolist():
            counts = counted[:, code].astype(np.float64)
            areas = _either_way(y, counts), _either_way(y, np.minimum(counts, 1.0))
            yield f"how often {field.name} is {code}", max(areas)
        last = [f"{code}" if some else None for code, some in zip(codes[:, -1, place], events, strict=True)]
        binning = bin_categories(last, y)
        told = np.asarray(binning.woe)[category_slots(last, binning)]
        yield f"the last {field.name}", auc(y, told)


def _either_way(y: Ints, values: Floats) -> float:
    found = auc(y, values)
    return max(found, 1 - found)
