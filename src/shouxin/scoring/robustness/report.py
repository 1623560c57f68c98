"""The robustness report: one model, one table, every stress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from shouxin.kernel import Progress, silent
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.assessment.segments import Segmentation, segmentation
from shouxin.scoring.domain.columns import pd_of_columns
from shouxin.scoring.domain.metrics import Floats, Interval, auc_difference, delong, measurable
from shouxin.scoring.robustness.gaming import STEPS_MAX, Gaming, Lever, UnableToGame, game
from shouxin.scoring.robustness.stress import Columns, sources_of, with_gaps, with_noise, without

NOISE = (0.1, 0.25, 0.5)
GAPS = (0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, slots=True)
class UnderStress:
    """One stress: the AUC under it, what it loses, how many answers at the cut-off change, the mean PD."""

    kind: str
    name: str
    auc: Interval
    loss: Interval
    changed: float
    mean_pd: float

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "auc": self.auc.as_data(),
            "loss": self.loss.as_data(),
            "changed": round(self.changed, 6),
            "mean_pd": round(self.mean_pd, 6),
        }


@dataclass(frozen=True, slots=True)
class Robustness:
    """What was found; ``gaming`` is None with ``why_not`` where nobody could game."""

    model_hash: str
    rows: int
    cut_off: float
    auc: Interval
    stresses: tuple[UnderStress, ...]
    months: Segmentation | None
    gaming: Gaming | None
    why_not: str | None

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "model": self.model_hash,
            "n": self.rows,
            "cut_off": round(self.cut_off, 9),
            "auc": self.auc.as_data(),
            "stresses": [stress.as_data() for stress in self.stresses],
            "months": self.months.as_data()["groups"] if self.months else None,
            "gaming": self.gaming.as_data() if self.gaming else None,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class Beside:
    """Two models under one stress: their AUC there, and what each loses against its own AUC as it is."""

    kind: str
    name: str
    aucs: tuple[float, float]
    losses: tuple[float, float]

    @property
    def saved(self) -> float:
        """By how much less the second loses."""
        return self.losses[0] - self.losses[1]

    def as_data(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "kind": self.kind,
            "name": self.name,
            "auc": [round(value, 6) for value in self.aucs],
            "loss": [round(value, 6) for value in self.losses],
            "saved": round(self.saved, 6),
        }


def beside(first: Robustness, second: Robustness) -> list[Beside]:
    """Every stress that both were put under: noise, gaps, outages, each month, and gaming at each budget.

    Gaming counts where both could be gamed, with the AUC when every event turned away spends the budget.
    """
    own, other = (dict(_aucs(one)) for one in (first, second))
    lines = []
    for (kind, name), there in own.items():
        if (kind, name) in other:
            aucs = there, other[kind, name]
            losses = first.auc.value - aucs[0], second.auc.value - aucs[1]
            lines.append(Beside(kind, name, aucs, losses))
    return lines


def _aucs(found: Robustness) -> Iterator[tuple[tuple[str, str], float]]:
    for stress in found.stresses:
        yield (stress.kind, stress.name), stress.auc.value
    for line in found.months.lines if found.months else ():
        if line.evaluation is not None:
            yield ("month", line.name), line.evaluation.auc.value
    for budget in found.gaming.budgets if found.gaming else ():
        yield ("gaming", f"budget {budget.budget:g}"), budget.auc


def examine(
    artefact: Artefact,
    columns: Columns,
    y: npt.ArrayLike,
    levers: Sequence[Lever],
    *,
    cut_off: float,
    bounds: Sequence[float] = (),
    months: Sequence[str] | None = None,
    seed: int = 7,
    progress: Progress = silent,
) -> Robustness:
    """Put a model under every stress; the same seed disturbs the same cells whatever the model.

    ``months`` has one name a row. Raises UnableToEvaluate, UnableToScore.
    """
    own = {name: np.asarray(columns[name]) for name in artefact.names}
    truth, pd = measurable(y, pd_of_columns(artefact, own))
    stress_count = len(NOISE) + len(GAPS) + len(sources_of(artefact))
    total = stress_count + STEPS_MAX * len(levers)
    found = stresses(
        artefact, own, truth, cut_off=cut_off, seed=seed, progress=lambda n, _: progress(n, total)
    )
    by_month = segmentation("month", months, truth, pd, cut_off=cut_off) if months is not None else None
    gaming, why_not = None, None
    try:
        gaming = game(
            artefact, own, truth, levers, cut_off=cut_off, bounds=bounds, rng=np.random.default_rng(seed),
            progress=lambda done, _total: progress(stress_count + done, total),
        )  # fmt: skip
    except UnableToGame as error:
        why_not = str(error)
    progress(total, total)
    return Robustness(artefact.hash, len(truth), cut_off, delong(truth, pd), found, by_month, gaming, why_not)


def stresses(
    artefact: Artefact,
    columns: Columns,
    y: npt.ArrayLike,
    *,
    cut_off: float,
    seed: int = 7,
    progress: Progress = silent,
) -> tuple[UnderStress, ...]:
    """Noise, gaps and outages on these rows. Raises UnableToEvaluate, UnableToScore."""
    own = {name: np.asarray(columns[name]) for name in artefact.names}
    truth, pd = measurable(y, pd_of_columns(artefact, own))
    found: list[UnderStress] = []
    for kind, name, disturbed in _disturbed(artefact, own, seed=seed):
        found.append(_under(artefact, kind, name, disturbed, truth, pd, cut_off=cut_off))
        progress(len(found), 0)
    return tuple(found)


def _disturbed(artefact: Artefact, columns: Columns, *, seed: int) -> Any:
    for level in NOISE:
        rng = np.random.default_rng((seed, round(level * 100)))
        yield "noise", f"{level:g} spreads", with_noise(artefact, columns, level=level, rng=rng)
    for share in GAPS:
        rng = np.random.default_rng((seed, 1000 + round(share * 100)))
        yield "missing", f"{share:.0%} of values", with_gaps(artefact, columns, share=share, rng=rng)
    for source, names in sources_of(artefact).items():
        yield "outage", source, without(artefact, columns, names)


def _under(
    artefact: Artefact,
    kind: str,
    name: str,
    disturbed: Columns,
    y: Floats,
    pd: Floats,
    *,
    cut_off: float,
) -> UnderStress:
    moved = pd_of_columns(artefact, disturbed)
    return UnderStress(
        kind,
        name,
        delong(y, moved),
        auc_difference(y, pd, moved),
        float(((moved >= cut_off) != (pd >= cut_off)).mean()),
        float(moved.mean()),
    )
