"""A leak may hide in a sequence: in a kind of event, the last one, how many there are, that there is one."""

from __future__ import annotations

import numpy as np
import pytest

from shouxin.features.sequences import RECENT_EVENTS
from shouxin.features.sequences.domain import SequenceField, SequenceLayout
from shouxin.scoring import Table, UnableToTrain, select_features, train_columns
from shouxin.scoring.training.preparation import separating, variables
from shouxin.scoring.training.sequence_leaks import telling_fact

LAYOUT = SequenceLayout(
    "sha256:leaks", (SequenceField("kind", 4), SequenceField("age", 3, letters=2, edges=(7, 30))), 6
)
ROWS = 600


def text(kinds):
    return LAYOUT.text([(kind, 5 * (len(kinds) - place)) for place, kind in enumerate(kinds)])


def shop(told):
    """Sequences of kinds 0 to 2 as ``told`` changes them; the last one tells a little of the outcome."""
    rng = np.random.default_rng(8)
    y = (rng.random(ROWS) < 0.3).astype(np.int64)
    lives = [rng.integers(0, 3, rng.integers(1, 6)).tolist() for _ in range(ROWS)]
    for event, life in zip(y.tolist(), lives, strict=True):
        if event and rng.random() < 0.4:
            life[-1] = 2
    found = [told(event, life) for event, life in zip(y.tolist(), lives, strict=True)]
    sequences = np.array([None if life is None else text(life) for life in found], dtype=object)
    return {"recent": sequences, "noise": rng.normal(size=ROWS)}, y


LEAKS = {
    "a kind of event": (lambda event, life: [3, *life[1:]] if event else life, "how often kind is 3"),
    "the last event": (lambda event, life: [*life[:-1], 1 if event else 0], "the last kind"),
    "how many there are": (lambda event, life: life[:1] * (6 if event else 2), "the number of events"),
    "that there is one": (lambda event, life: None if event else life, "whether there is a sequence"),
}


@pytest.mark.parametrize("what", LEAKS)
def test_a_fact_of_a_sequence_that_tells_the_outcome_is_a_leak(what):
    told, fact = LEAKS[what]
    columns, y = shop(told)
    kept, _ = variables(columns, layouts=(LAYOUT,))
    assert list(separating(kept, y)) == ["recent"]
    found, area = telling_fact(LAYOUT, columns["recent"], y)
    assert area > 0.99
    # Several facts may tell it all; what was made to is among the first.
    assert found == fact or what in {"that there is one", "how many there are"}


def test_what_sequences_may_tell_is_no_leak():
    columns, y = shop(lambda _event, life: life)
    kept, _ = variables(columns, layouts=(LAYOUT,))
    assert separating(kept, y) == {}
    fact, area = telling_fact(LAYOUT, columns["recent"], y)
    assert fact == "the last kind" and 0.6 < area < 0.8


def test_learning_stops_with_the_same_message_and_goes_on_with_a_reason():
    pytest.importorskip("torch", reason="torch (the extra deep) is not installed")
    columns, y = shop(LEAKS["a kind of event"][0])
    settings = {"epochs": 1, "width": 4, "depth": 1, "size": 4}
    with pytest.raises(UnableToTrain, match=r"leak: 'recent' \(AUC 1.000\) tells the target all by itself"):
        train_columns(columns, y, model="gru", settings=settings, layouts=(LAYOUT,))
    kept = train_columns(
        columns, y, model="gru", settings=settings, layouts=(LAYOUT,), keep={"recent": "known at the till"}
    )
    assert kept.report["leaks"] == [{"name": "recent", "auc": 1.0, "kept_because": "known at the till"}]


def test_the_selection_of_a_table_looks_at_sequences():
    _, y = shop(LEAKS["a kind of event"][0])
    layout = RECENT_EVENTS.layout
    kinds = np.where(y == 1, 3, 1)
    rest = [0] * (len(layout.fields) - 1)
    recent = np.array([layout.text([(kind, *rest)]) for kind in kinds.tolist()], dtype=object)
    noise = np.random.default_rng(1).normal(size=ROWS)
    table = Table({"recent": recent, "noise": noise, "bad": y.astype(float)})
    told = {one["name"]: one["dropped"] for one in select_features(table, target="bad")}
    assert told["recent"].endswith("a leak") and told["noise"].startswith("IV")
