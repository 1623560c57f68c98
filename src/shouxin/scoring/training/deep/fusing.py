"""Fusing: a network says what the order of events adds to everything that can be counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.families import Fused, Network, Tables
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.split import folds
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.boosting import EBM, VARIABLES_MAX, strongest
from shouxin.scoring.training.deep.fitting import fit_network, only_sequence
from shouxin.scoring.training.deep.reading import sequences_read
from shouxin.scoring.training.learners import Fitted, Task
from shouxin.scoring.training.parts import part_of, predicted_apart
from shouxin.scoring.training.preparation import Variable

Floats = npt.NDArray[np.float64]
_CROSS_FOLDS = 3


def fit_fused(task: Task) -> Fitted:
    """An EBM over the other columns and over what a network of the sequence adds to them.

    First an EBM tells what the columns say of customers that it has not seen. A network of the sequence
    then learns what is to be added to that: the order, not the counts over again. The last EBM reads the
    columns and what networks said of customers that they had not learnt from, because what one says of its
    own rows is better than it will ever be again.
    """
    (sequence,) = only_sequence(task)
    others = [variable for variable in task.kept if variable.layout is None]
    kept, dropped = strongest(others, task.y, count=VARIABLES_MAX - 1)
    counted = replace(task, kept=kept, settings={**EBM.defaults, "bags": task.settings["bags"]})
    alone = replace(task, kept=[sequence])
    fold = folds(task.y, count=_CROSS_FOLDS, seed=task.seed, groups=task.groups)
    known = _known(counted)
    said = np.empty(len(task.y))
    for number in range(_CROSS_FOLDS):
        rest = fold != number
        body = _body(fit_network(part_of(alone, rest), known=known[rest]))
        said[~rest] = _said(body, sequence, ~rest)
    whole = fit_network(alone, known=known)
    meaning = Bilingual("近期行为的先后次序所增加的风险", "risk that the order of recent behaviour adds")
    told = Variable(f"{sequence.name}_risk", said, numeric=True, direction=1, meaning=meaning)
    inner = EBM.fit(replace(counted, kept=[*kept, told]))
    return _fused(_body(whole), whole, replace(inner, dropped={**dropped, **inner.dropped}), told.name)


def _known(counted: Task) -> Floats:
    """Log-odds of every row by columns, from an EBM that did not see its customer."""
    if not counted.kept:
        return np.full(len(counted.y), np.log(counted.y.mean() / (1 - counted.y.mean())))
    return predicted_apart(EBM.fit, counted, count=_CROSS_FOLDS) / MILLION


def _fused(network: Network, whole: Fitted, inner: Fitted, name: str) -> Fitted:
    """The features in the order of the inner model's: the others, the sequence last."""
    if not inner.features or inner.features[-1].name != name:
        raise UnableToTrain("the order of events adds nothing to the columns; train the EBM alone")
    assert isinstance(inner.body, Tables)
    return Fitted(
        (*inner.features[:-1], *whole.features),
        Fused(len(inner.features) - 1, network, inner.features[-1], inner.body),
        inner.intercept,
        [variable for variable in inner.variables if variable["name"] != name],
        inner.dropped,
        [*whole.notes, *inner.notes],
    )


def _body(fitted: Fitted) -> Network:
    assert isinstance(fitted.body, Network)
    return fitted.body


def _said(network: Network, sequence: Variable, rows: npt.NDArray[np.bool_]) -> Floats:
    """What a network of one sequence says of some rows, as it will when it serves."""
    feature = sequences_read(sequence).feature
    return np.array(network.scorer((feature,)).log_odds(sequence.values[rows].tolist()))
