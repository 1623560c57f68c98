"""Stacking: several learners joined, as the ceiling that a model one can read has to come near to.

A blend takes the mean of its members' log-odds. A stack weighs them: every member predicts rows that it did
not learn from, a logistic regression of the outcome on those predictions gives the weights (Wolpert 1992),
none of them below zero, and then every member learns from all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import msgspec
import numpy as np
import numpy.typing as npt

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.families import Fused, Member, Stack
from shouxin.scoring.domain.families.stack import MemberBody
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.scaling import MILLION
from shouxin.scoring.domain.training import UnableToTrain
from shouxin.scoring.training.learners import Fitted, Learner, Task
from shouxin.scoring.training.parts import predicted_apart

Floats = npt.NDArray[np.float64]
Weigh = Callable[[Task, Sequence[Learner]], tuple[list[float], float]]

_FOLDS = 3


def stacking_learners(learners: Sequence[Learner]) -> tuple[Learner, ...]:
    """A blend and a stack of these learners."""
    known = {learner.name: learner for learner in learners}
    members = "+".join(known)
    pairs = tuple(f"{first}+{second}" for first in known for second in known if first < second)
    tools = tuple(dict.fromkeys(tool for learner in learners for tool in learner.tools))
    extra = next((learner.extra for learner in learners if learner.extra), None)

    def blend(task: Task) -> Fitted:
        return _joined(task, known, _equally)

    def stack(task: Task) -> Fitted:
        return _joined(task, known, _weighed)

    space = {"members": (members, *pairs)}
    return (
        Learner("blend", Bilingual("混合模型", "Blend"), blend, tools, space, extra, stops_itself=True),
        Learner("stack", Bilingual("堆叠模型", "Stack"), stack, tools, space, extra, stops_itself=True),
    )


def _joined(task: Task, known: Mapping[str, Learner], weigh: Weigh) -> Fitted:
    names = [name for name in str(task.settings["members"]).split("+") if name]
    unknown = next((name for name in names if name not in known), None)
    if unknown is not None or not names:
        raise UnableToTrain(
            f"members are {'+'.join(known)} or some of them, not {task.settings['members']!r}"
        )
    members = [known[name] for name in names]
    weights, intercept = weigh(task, members)
    fitted = [member.fit(replace(task, settings=member.defaults)) for member in members]
    joined = tuple(
        Member(member.name, round(weight * MILLION), own.features, _body(own))
        for member, weight, own in zip(members, weights, fitted, strict=True)
        if weight > 0
    )
    level = intercept + sum(w * own.intercept / MILLION for w, own in zip(weights, fitted, strict=True))
    features = _union(joined)
    told = ", ".join(f"{member.model} {member.weight / MILLION:.3f}" for member in joined)
    kept = {feature.name for feature in features}
    dropped = {name: why for own in fitted for name, why in own.dropped.items() if name not in kept}
    return Fitted(
        features, Stack(joined), round(level * MILLION), fitted[0].variables, dropped, [f"weights: {told}"]
    )


def _body(fitted: Fitted) -> MemberBody:
    assert not isinstance(fitted.body, Stack | Fused), "a stack has no stacks and no sequences inside"
    return fitted.body


def _quickly(member: Learner, task: Task) -> Fitted:
    # One bag of each tells how much to heed a member nearly as well as all of them.
    alone = {"bags": 1} if "bags" in member.space else {}
    return member.fit(replace(task, settings={**member.defaults, **alone}))


def _equally(_task: Task, members: Sequence[Learner]) -> tuple[list[float], float]:
    return [1.0 / len(members)] * len(members), 0.0


def _weighed(task: Task, members: Sequence[Learner]) -> tuple[list[float], float]:
    """Weights and intercept from predictions of rows that the members did not learn from."""
    told = [predicted_apart(partial(_quickly, member), task, count=_FOLDS) for member in members]
    return _regressed(np.column_stack(told) / MILLION, task)


def _regressed(found: Floats, task: Task) -> tuple[list[float], float]:
    """Logistic regression without a weight below zero: the lowest is left out until none is."""
    from sklearn.linear_model import LogisticRegression

    used = list(range(found.shape[1]))
    while True:
        model = LogisticRegression(C=1.0).fit(found[:, used], task.y)
        weights = model.coef_[0].tolist()
        if min(weights) > 0 or len(used) == 1:
            break
        used.pop(weights.index(min(weights)))
    by_place = dict(zip(used, weights, strict=True))
    told = [max(0.0, by_place.get(place, 0.0)) for place in range(found.shape[1])]
    if not any(told):
        raise UnableToTrain("no member of the stack foretells rows that it did not learn from")
    return told, float(model.intercept_[0])


def _union(members: Sequence[Member]) -> tuple[Feature, ...]:
    """Every feature of a member once, without slices of its own: the members slice."""
    found: dict[str, Feature] = {}
    for member in members:
        for feature in member.features:
            found.setdefault(feature.name, _whole(feature))
    return tuple(found.values())


def _whole(feature: Feature) -> Feature:
    if feature.type == "category":
        return feature
    known, apart = feature.rows[: feature.regular], feature.rows[feature.regular :]
    return msgspec.structs.replace(feature, edges=(), pair_edges=(), rows=(sum(known), *apart))
