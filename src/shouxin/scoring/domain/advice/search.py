"""Advice: the smallest changes after which the model itself would say something better.

Every combination of options is scored by the very artefact that decided, fewest actions first, so advice that
is given has been tried. While the combinations of a size can all be tried (``TRIED_MAX``) the answer is the
best there is, for every family of models; beyond that the most promising ones are carried on.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np

from shouxin.kernel import Bilingual
from shouxin.scoring.domain.advice.actions import Action, shares_at_edges
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.inputs import Value
from shouxin.scoring.domain.score import Score, score_one

ACTIONS_MAX = 3
TRIED_MAX = 20_000
_CARRIED = 100


@dataclass(frozen=True, slots=True)
class Change:
    """One feature that would be different."""

    feature: str
    meaning: Bilingual
    before: Value
    after: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "feature": self.feature,
            "meaning": self.meaning.as_data(),
            "before": self.before,
            "after": round(self.after, 4),
        }


@dataclass(frozen=True, slots=True)
class Option:
    """One way to carry out an action: for so many days, down to so much; and what it changes."""

    code: str
    text: Bilingual
    days: int
    effort: float
    after: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Advice:
    """What to do, all of it together, and what the model would then say.

    ``pd`` and ``points`` are of the same customer with the changes and nothing else. ``best`` says whether
    every other combination of as few actions was tried.
    """

    options: tuple[Option, ...]
    changes: tuple[Change, ...]
    before: Score
    after: Score
    best: bool

    @property
    def days(self) -> int:
        """How long it takes."""
        return max(option.days for option in self.options)

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "actions": [
                {"code": option.code, "days": option.days, "text": option.text.as_data()}
                for option in self.options
            ],
            "changes": [change.as_data() for change in self.changes],
            "days": self.days,
            "pd": {"before": self.before.pd, "after": self.after.pd},
            "points": {"before": self.before.points, "after": self.after.points},
            "best": self.best,
        }


@dataclass(frozen=True, slots=True)
class AdviceRefusal:
    """Why nothing is advised."""

    text: Bilingual

    @property
    def reason(self) -> str:
        """Why, in English."""
        return self.text.en


def advise(
    artefact: Artefact, values: Mapping[str, Value], actions: Sequence[Action], *, pd_below: float
) -> Advice | AdviceRefusal:
    """The smallest changes that bring the probability below ``pd_below``.

    Fewest actions, then least effort, then fewest days. Refused, in this order: it is below already, nothing
    that can be changed matters here, nothing that can be changed is enough.
    """
    before = score_one(artefact, values)
    if before.pd < pd_below:
        return AdviceRefusal(Bilingual("已低于该界限", "it is below that already"))
    options = [found for action in actions if (found := _options(artefact, values, action))]
    if not options:
        return AdviceRefusal(
            Bilingual(
                "没有可由顾客改变的事项影响此评分", "nothing that the customer could change lowers this risk"
            )
        )
    carried: list[tuple[Option, ...]] = [()]
    best = True
    for size in range(1, ACTIONS_MAX + 1):
        tried, all_of_them = _extended(options, carried, size=size)
        best = best and all_of_them
        risks = _risks(artefact, values, tried)
        if reached := [combination for combination, pd in zip(tried, risks, strict=True) if pd < pd_below]:
            chosen = min(reached, key=_cost)
            return Advice(
                chosen, _changes(artefact, values, chosen), before, _after(artefact, values, chosen), best
            )
        carried = [tried[place] for place in np.argsort(risks, kind="stable")[:_CARRIED]]
    return AdviceRefusal(
        Bilingual(
            f"可改变的事项（至多同时{ACTIONS_MAX}项）不足以达到该界限",
            f"what can be changed ({ACTIONS_MAX} things at once at most) is not enough to get there",
        )
    )


def _options(artefact: Artefact, values: Mapping[str, Value], action: Action) -> list[Option]:
    """The ways to carry out an action that change something the model reads, to the better."""
    directions = {feature.name: feature.direction for feature in artefact.features}
    found: dict[tuple[tuple[str, float], ...], Option] = {}
    shares = sorted(_shares(artefact, values, action), key=lambda share: abs(1 - share))
    for days, share in itertools.product(sorted(action.horizons_days), shares):
        after = {}
        for response in action.responses:
            value = values.get(response.feature)
            if response.feature not in directions or not _is_number(value):
                continue
            moved = response.moved(float(value), share=share, days=days)
            # Never against the direction that the model was held to.
            if (moved - value) * (directions[response.feature] or np.sign(value - moved)) < 0:
                after[response.feature] = moved
        key = tuple(sorted(after.items()))
        if after and key not in found:
            told = {"days": days, "percent": round((1 - share) * 100), "times": f"{share:.2f}"}
            text = Bilingual(action.text.zh.format(**told), action.text.en.format(**told))
            effort = action.effort * abs(1 - share) * max(1.0, days / 30)
            found[key] = Option(action.code, text, days, effort, after)
    return list(found.values())


def _shares(artefact: Artefact, values: Mapping[str, Value], action: Action) -> tuple[float, ...]:
    """What may remain of a behaviour; where one feature moves at once, also the edges of its slots."""
    if len(action.responses) != 1 or action.responses[0].kind != "at once":
        return action.shares
    name = action.responses[0].feature
    feature = next((feature for feature in artefact.features if feature.name == name), None)
    value = values.get(name)
    if feature is None or not _is_number(value):
        return action.shares
    return shares_at_edges(feature, float(value), action.shares)


def _is_number(value: Value) -> TypeGuard[float]:
    return isinstance(value, int | float) and not math.isnan(value)


def _extended(
    options: Sequence[Sequence[Option]], carried: Sequence[tuple[Option, ...]], *, size: int
) -> tuple[list[tuple[Option, ...]], bool]:
    """Every combination of ``size`` actions, or, where they are too many, the carried ones and one more."""
    count = sum(
        int(np.prod([len(part) for part in parts])) for parts in itertools.combinations(options, size)
    )
    if count <= TRIED_MAX:
        every = [
            combination
            for parts in itertools.combinations(options, size)
            for combination in itertools.product(*parts)
        ]
        return every, True
    more = [
        (*combination, option)
        for combination in carried
        for part in options
        for option in part
        if option.code not in {other.code for other in combination}
    ]
    return more[:TRIED_MAX], False


def _risks(
    artefact: Artefact, values: Mapping[str, Value], tried: Sequence[tuple[Option, ...]]
) -> list[float]:
    columns: dict[str, Any] = {}
    for feature in artefact.features:
        kind: Any = np.float64 if feature.type == "numeric" else object
        value = values[feature.name]
        given = float("nan") if value is None and kind is np.float64 else value
        columns[feature.name] = np.full(len(tried), given, dtype=kind)
    for row, combination in enumerate(tried):
        for option in combination:
            for name, after in option.after.items():
                columns[name][row] = after
    risks: list[float] = pd_of_columns(artefact, columns).tolist() if tried else []
    return risks


def _cost(combination: tuple[Option, ...]) -> tuple[float, int]:
    return sum(option.effort for option in combination), max(option.days for option in combination)


def _moved(values: Mapping[str, Value], combination: Sequence[Option]) -> dict[str, Value]:
    return {**values, **{name: after for option in combination for name, after in option.after.items()}}


def _after(artefact: Artefact, values: Mapping[str, Value], combination: Sequence[Option]) -> Score:
    return score_one(artefact, _moved(values, combination))


def _changes(
    artefact: Artefact, values: Mapping[str, Value], combination: Sequence[Option]
) -> tuple[Change, ...]:
    labels = {feature.name: feature.label for feature in artefact.features}
    return tuple(
        Change(name, labels[name], values[name], after)
        for option in combination
        for name, after in option.after.items()
    )
