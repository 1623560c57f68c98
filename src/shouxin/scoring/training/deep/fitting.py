"""Fitting: a task in, a network in whole numbers out. Needs torch; a server never comes here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from shouxin.scoring.domain.families import Network
from shouxin.scoring.domain.families.blob import Blob
from shouxin.scoring.domain.families.network import Encoder, SequenceInput
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.metrics import calibration_line, level
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.deep.attacking import attack_of
from shouxin.scoring.training.deep.contrast import pretrain
from shouxin.scoring.training.deep.learning import Course, Rows, apart, learn, log_odds, seeded
from shouxin.scoring.training.deep.modules import Ensemble, Perceptron, Recurrent, Sighted, layers_of
from shouxin.scoring.training.deep.reading import Columns, Sequences, columns_read, sequences_read
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.preparation import Variable
from shouxin.scoring.training.scorecard import variable_report

Floats = npt.NDArray[np.float64]
# Up to so many features contributions are walked along two orders and their reverses, beyond along one.
_FEATURES_MANY = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Material:
    """What is learnt from."""

    columns: Columns
    sequences: Sequences | None
    sequence: Variable | None
    rows: Rows
    aside: npt.NDArray[np.bool_]
    whose: npt.NDArray[np.int64]


def fit_network(task: Task, *, known: Floats | None = None) -> Fitted:
    """A head over the columns and, for ``cell`` gru or lstm, an encoder over the sequence.

    With ``known`` log-odds of every row it learns what is to be added to them; that alone is no probability.
    """
    asked = task.settings
    material = _material(task, known)
    notes = []
    with seeded(task.seed):
        encoder = _encoder(material, asked) if "cell" in asked else None
        if encoder is not None and asked.get("pretraining") == "coles":
            notes.append(_pretrained(encoder, material, asked))
        model = Sighted(_head(material, encoder, asked), encoder)
        attack = attack_of(material.columns, asked) if "reach" in asked else None
        epochs = learn(model, material.rows, material.aside, _course(asked), attack=attack)
        told = log_odds(model, material.rows).mean(dim=0).numpy().astype(np.float64)
        written = None if encoder is None else encoder.written()
        body = _network(material, model, written, seed=task.seed)
    slope, intercept = 1.0, 0.0
    if known is None and (asked["loss"] != "bce" or attack is not None):
        # Neither gives probabilities by itself; the rows aside say how to read what it gives.
        slope, intercept = _line(told[material.aside], task.y[material.aside])
        notes.append(f"read as {slope:.3f} x + {intercept:.3f}, fitted on the rows kept aside")
    notes.append(f"the rows kept aside got no better after {epochs} epochs")
    return Fitted(
        features=_features(material),
        body=body.scaled(round(slope * MILLION)),
        intercept=round(intercept * MILLION),
        variables=_reports(task, material),
        dropped={},
        notes=[*_sequence_notes(material), *notes],
    )


def only_sequence(task: Task) -> list[Variable]:
    """The sequence of the task, if there is one. Raises UnableToTrain where there are more, or too few."""
    found = [variable for variable in task.kept if variable.layout is not None]
    if len(found) > 1:
        names = ", ".join(repr(variable.name) for variable in found)
        raise UnableToTrain(
            f"one sequence can be learnt from, not {len(found)} ({names}); leave the others out"
        )
    if "cell" in task.settings and not found:
        raise UnableToTrain(
            "there is no column of sequences to learn from; `shouxin features sequences` writes one"
        )
    return found


def _material(task: Task, known: Floats | None) -> _Material:
    found = only_sequence(task)
    rest = [variable for variable in task.kept if variable.layout is None]
    columns = columns_read(rest)
    if not rest:
        columns = Columns((), (), (), np.empty((len(task.y), 0), dtype=np.float32))
    sequences = sequences_read(found[0]) if found else None
    aside = apart(task.y, task.groups, seed=task.seed)
    whose = np.arange(len(task.y)) if task.groups is None else task.groups
    rows = Rows.of(columns, sequences, task.y, known)
    return _Material(columns, sequences, found[0] if found else None, rows, aside, whose)


def _encoder(material: _Material, asked: Mapping[str, Any]) -> Recurrent:
    assert material.sequence is not None and material.sequence.layout is not None
    return Recurrent(
        material.sequence.layout,
        cell=asked["cell"],
        size=asked["size"],
        dropout=asked["dropout"],
        pooling=asked["pooling"],
    )


def _pretrained(encoder: Recurrent, material: _Material, asked: Mapping[str, Any]) -> str:
    assert material.sequences is not None
    kept = ~material.aside
    seen = Sequences(
        material.sequences.feature, material.sequences.codes[kept], material.sequences.counts[kept]
    )
    loss = pretrain(encoder, seen, material.whose[kept], epochs=asked["pretraining_epochs"])
    epochs = asked["pretraining_epochs"]
    return f"the encoder learnt to tell customers apart for {epochs} epochs (loss {loss:.4f})"


def _head(material: _Material, encoder: Recurrent | None, asked: Mapping[str, Any]) -> torch.nn.Module:
    wide = material.columns.matrix.shape[1] + (0 if encoder is None else encoder.size)
    shape = {name: asked[name] for name in ("width", "depth", "activation", "dropout")}
    if "members" in asked:
        return Ensemble(wide, members=asked["members"], **shape)
    return Perceptron(wide, norm=asked["norm"], **shape)


def _course(asked: Mapping[str, Any]) -> Course:
    return Course(
        loss=asked["loss"], rate=asked["rate"], decay=asked["decay"], epochs=asked["epochs"],
        patience=asked["patience"],
    )  # fmt: skip


def _network(material: _Material, model: Sighted, encoder: Encoder | None, *, seed: int) -> Network:
    columns = material.columns
    inputs, average = [*columns.inputs], columns.average
    if encoder is not None and material.sequence is not None:
        inputs.append(SequenceInput(encoder))  # type: ignore[arg-type]
        embedded = encoder.ready().embedded(material.sequence.values.tolist())
        average = np.concatenate([average, np.rint(embedded.mean(axis=0))])
    return Network(
        inputs=tuple(inputs),
        layers=layers_of(model.head),
        activation=_activation(model.head),
        average=Blob.of(average),
        orders=_orders(len(inputs), seed=seed),
    )


def _activation(head: Any) -> Any:
    names = {torch.nn.ReLU: "relu", torch.nn.Tanh: "tanh", torch.nn.LeakyReLU: "leaky_relu"}
    return names[type(head.activation)]


def _orders(features: int, *, seed: int) -> tuple[tuple[int, ...], ...]:
    rng = np.random.default_rng(seed)
    count = 1 if features > _FEATURES_MANY or features == 1 else 2
    return tuple(tuple(rng.permutation(features).tolist()) for _ in range(count))


def _line(told: Floats, y: npt.NDArray[np.int64]) -> tuple[float, float]:
    if told[y == 1].min() > told[y == 0].max():
        # Told apart entirely, no slope is steep enough: only the level can be learnt.
        return 1.0, level(told, float(y.mean()))
    intercept, slope = calibration_line(y.astype(np.float64), told)
    if not slope > 0:  # also where there is none
        raise UnableToTrain(
            "the network learnt nothing that the rows kept aside bear out: more rows, columns or epochs may"
        )
    return slope, intercept


def _features(material: _Material) -> tuple[Feature, ...]:
    if material.sequences is None:
        return material.columns.features
    return (*material.columns.features, material.sequences.feature)


def _reports(task: Task, material: _Material) -> list[dict[str, Any]]:
    plain = [variable for variable in task.kept if variable is not material.sequence]
    return [variable_report(variable, variable.binned(task.y), seed=task.seed) for variable in plain]


def _sequence_notes(material: _Material) -> list[str]:
    if material.sequences is None:
        return []
    counts = material.sequences.counts
    name = material.sequences.feature.name
    return [
        f"{name}: sequences of {counts.mean():.1f} events on average, {int((counts == 0).sum())} without any"
    ]
