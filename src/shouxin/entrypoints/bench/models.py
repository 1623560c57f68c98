"""models: every learner on a public set, on the same folds; what is too good to be true stops it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shouxin.entrypoints.bench.lines import Line
from shouxin.entrypoints.bench.public_sets import PUBLIC_SETS, PublicSet
from shouxin.entrypoints.bench.running import UnableToBench
from shouxin.scoring import Compared, Comparison, Recipe, compare, model_choices

# The best glass box may be this far behind the best of all.
_GLASS_BEHIND = 0.002
_ERRORS = 3
_Z = 1.959964


@dataclass(frozen=True, slots=True)
class ModelsReport:
    """A comparison on a public set, and what of it was promised."""

    public_set: PublicSet
    comparison: Comparison
    folds: int
    trials: int
    lines: tuple[Line, ...]

    @property
    def met(self) -> bool:
        """Whether no goal that could be judged is missed."""
        return all(line.met is not False for line in self.lines)

    def as_data(self) -> dict[str, Any]:
        """What ``shouxin bench models --json`` prints."""
        found, public = self.comparison, self.public_set
        return {
            "name": "models",
            "set": public.name,
            "rows": len(found.y),
            "events": int(found.y.sum()),
            "folds": self.folds,
            "trials": self.trials,
            "ceiling": {"auc": public.ceiling, "source": public.source},
            "models": [self._model(model) for model in found.models],
            "left_out": [{"name": name, "reason": why} for name, why in found.left_out.items()],
            "best": found.best.name,
            "chosen": found.chosen.name,
            "lines": [line.as_data() for line in self.lines],
            "met": self.met,
        }

    def _model(self, model: Compared) -> dict[str, Any]:
        figures = model.figures.as_data()
        return {
            "name": model.name,
            "tier": model.family,
            **{name: figures[name] for name in ("auc", "ks", "gini", "brier", "slope")},
            "auc_by_fold": [round(area, 6) for area in model.by_fold],
            "behind_best": self.comparison.behind(model).as_data(),
            "seconds": round(model.seconds, 1),
            "bytes": model.size,
            "settings": list(model.settings),
        }


def run_models(
    name: str,
    data: Path,
    *,
    models: Sequence[str] = (),
    folds: int = 5,
    trials: int = 0,
    seed: int = 7,
    keep_in: Path | None = None,
    advance: Callable[[int, int], None] = lambda _done, _total: None,
) -> ModelsReport:
    """Compare ``models`` (all that are installed where none is named) on the set ``name`` below ``data``.

    Raises UnableToBench: no such set or model, or a leak. UnableToReadTable, UnableToTrain.
    """
    if name not in PUBLIC_SETS:
        raise UnableToBench(f"there is no public set {name!r}; there are {', '.join(PUBLIC_SETS)}")
    public = PUBLIC_SETS[name]
    wanted = _wanted(models)
    columns, y = public.read(data / name if (data / name).is_dir() else data)
    found = compare(
        columns, y, models=wanted, recipe=Recipe(seed=seed), count=folds, trials=trials, keep_in=keep_in,
        advance=advance,
    )  # fmt: skip
    _stop_at_leak(found.best, public)
    return ModelsReport(public, found, folds, trials, _lines(found, public))


def _wanted(models: Sequence[str]) -> list[str]:
    choices = {choice.name: choice for choice in model_choices()}
    unknown = next((name for name in models if name not in choices), None)
    if unknown is not None:
        raise UnableToBench(f"there is no model {unknown!r}; there are {', '.join(choices)}")
    return list(models) or [name for name, choice in choices.items() if choice.missing is None]


def _stop_at_leak(best: Compared, public: PublicSet) -> None:
    """Nobody beats the best of a well-known set by three standard errors without knowing the answers."""
    area = best.figures.auc
    error = (area.high - area.low) / (2 * _Z)
    if area.value - _ERRORS * error > public.ceiling:
        raise UnableToBench(
            f"leak: {best.name} has an AUC of {area.value:.4f} on {public.name}, more than {_ERRORS} "
            f"standard errors above the best known ({public.ceiling:.4f}: {public.source}); "
            "some column tells the outcome, or rows of one customer are on both sides"
        )


def _lines(found: Comparison, public: PublicSet) -> tuple[Line, ...]:
    lines = [_line("best", found.best, public)]
    lines += [
        _line(model.name, model, public)
        for model in found.models
        if model.name in public.goals and model is not found.best
    ]
    glass = next((model for model in found.models if model.family == "tables"), None)
    if glass is not None and len({model.family for model in found.models}) > 1:
        behind = found.best.figures.auc.value - glass.figures.auc.value
        note = f"{glass.name} against {found.best.name}"
        lines.append(Line("glass box behind the best", behind, "AUC", goal=_GLASS_BEHIND, note=note))
    return tuple(lines)


def _line(name: str, model: Compared, public: PublicSet) -> Line:
    goal = public.goals.get(name)
    return Line(name, model.figures.auc.value, "AUC", goal=goal, keeps=">=", note=f"{name}: {model.name}")
