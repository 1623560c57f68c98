"""Models: where each stands, the document of a version, its moves, and the table of the bench."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from litestar import Response
from litestar.handlers import HTTPRouteHandler

from shouxin import reporting, scoring
from shouxin.entrypoints.console import formats
from shouxin.entrypoints.console.document_page import document_page
from shouxin.entrypoints.console.frame import page
from shouxin.entrypoints.console.names import people_of
from shouxin.entrypoints.console.visit import Refused, Visit
from shouxin.entrypoints.console.visits import does, redirect, shows
from shouxin.governance import Permission
from shouxin.scoring import ModelRow, Passed, StageRefusal, StageRow

_REASON_LENGTH_MAX = 500
_STAGE_TONES = {"champion": "good", "challenger": "info", "candidate": "", "retired": ""}
_VERDICT_TONES = {"stable": "good", "watch": "warn", "act": "bad", "too_few": ""}
_SHIFTS_SHOWN = 12
# Files of the bench, as `shouxin bench models` leaves them in the home.
_BENCH_FILES = "models-*.json"


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model as a row of the table; ``gates`` is passed of all, ``verdict`` of the monitor or ''."""

    row: ModelRow
    tone: str
    gates: str
    gates_tone: str
    verdict: str
    verdict_tone: str
    auc: str


@dataclass(frozen=True, slots=True)
class ShiftView:
    """How far the score or a feature has moved."""

    name: str
    psi: str
    critical: str
    verdict: str
    tone: str


@dataclass(frozen=True, slots=True)
class BenchView:
    """A run of the bench on one set: the models as rows of text, the best first."""

    name: str
    rows: tuple[tuple[str, ...], ...]


@shows("/models", needs=Permission.MODELS_READ)
def models(visit: Visit) -> Response[Any]:
    """Every registered model, the newest first."""
    return page(
        visit,
        "models.html",
        here="models",
        models=[_model(visit, row) for row in scoring.list_models(visit.db)],
        people=people_of(visit),
    )


@shows("/models/bench", needs=Permission.MODELS_READ)
def bench_table(visit: Visit) -> Response[Any]:
    """What `shouxin bench models` measured last on each set."""
    return page(visit, "bench.html", here="models", benches=_benches(visit.house.home.path / "bench"))


@shows("/models/{model_hash:str}", needs=Permission.MODELS_READ)
def model(visit: Visit) -> Response[Any]:
    """The document of a version, its gates and what may be done with it."""
    document = reporting.model_document(visit.db, visit.place("model_hash"))
    if document is None:
        raise Refused("not_found")
    looks = scoring.latest_monitoring(visit.db, document.model_hash)
    return page(
        visit,
        "model.html",
        here="models",
        document=document,
        tone=_STAGE_TONES[document.stage],
        shifts=_shifts(looks[0]) if looks else [],
        looked_at=looks[0]["as_of"][:10] if looks else "",
        may_move=visit.may(Permission.MODELS_DRAFT) and document.stage in {"candidate", "challenger"},
    )


@shows("/models/{model_hash:str}/document", needs=Permission.MODELS_READ)
def model_as_file(visit: Visit) -> Response[Any]:
    """The same document as one file in both languages."""
    document = reporting.model_document(visit.db, visit.place("model_hash"))
    if document is None:
        raise Refused("not_found")
    name = f"model-{document.model_hash.removeprefix('sha256:')[:16]}.html"
    return Response(
        document_page(document).encode(),
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"},
    )


@does("/models/{model_hash:str}/challenge", needs=Permission.MODELS_DRAFT)
def challenge(visit: Visit) -> Response[Any]:
    """Let it score in the shadow of the champion."""
    return _moved(visit, scoring.challenge, said="model_challenges")


@does("/models/{model_hash:str}/withdraw", needs=Permission.MODELS_DRAFT)
def withdraw(visit: Visit) -> Response[Any]:
    """Retire it."""
    return _moved(visit, scoring.withdraw, said="model_withdrawn")


def _moved(visit: Visit, verb: Callable[..., StageRow | StageRefusal], *, said: str) -> Response[Any]:
    model_hash = visit.place("model_hash")
    reason = visit.sent("reason")[:_REASON_LENGTH_MAX]
    made = verb(visit.db, model_hash, by=visit.operator.operator_id, reason=reason, now=visit.now)
    if isinstance(made, StageRefusal):
        raise Refused("not_usable", made.text)
    return redirect(f"/models/{model_hash}", said=said)


def _model(visit: Visit, row: ModelRow) -> ModelView:
    found = scoring.find_gates(visit.db, row.model_hash)
    gates = found[0] if found else []
    passed = sum(gate.passed is Passed.YES for gate in gates)
    tested = sum(gate.passed is not Passed.UNTESTED for gate in gates)
    looks = scoring.latest_monitoring(visit.db, row.model_hash)
    verdict = looks[0]["verdict"] if looks else ""
    report = scoring.find_report(visit.db, row.model_hash) or {}
    return ModelView(
        row,
        _STAGE_TONES[row.stage],
        f"{passed} / {tested}" if gates else formats.NOTHING,
        ("good" if scoring.open_gates(gates) else "bad") if gates else "",
        verdict,
        _VERDICT_TONES.get(verdict, ""),
        _interval((report.get("held_out") or report.get("holdout") or {}).get("auc")),
    )


def _shifts(look: Mapping[str, Any]) -> list[ShiftView]:
    """The score, and the features that moved most."""
    score, *features = look["shifts"]
    moved = sorted(features, key=lambda shift: -shift["psi"])[:_SHIFTS_SHOWN]
    return [
        ShiftView(
            shift["name"],
            f"{shift['psi']:.4f}",
            f"{shift['critical']:.4f}",
            shift["verdict"],
            _VERDICT_TONES[shift["verdict"]],
        )
        for shift in (score, *moved)
    ]


def _benches(folder: Path) -> list[BenchView]:
    """Every set that was measured; a file that can not be read is left out, the bench writes it anew."""
    found = []
    for path in sorted(folder.glob(_BENCH_FILES)):
        try:
            body = json.loads(path.read_text(encoding="utf-8"))
            rows = sorted(body["models"], key=lambda row: -row["auc"]["value"])
            found.append(
                BenchView(
                    str(body.get("set", path.stem.removeprefix("models-"))), tuple(map(_bench_row, rows))
                )
            )
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def _bench_row(row: Mapping[str, Any]) -> tuple[str, ...]:
    figures = (_interval(row.get(name)) for name in ("auc", "ks", "brier", "slope"))
    return (str(row["name"]), str(row.get("tier", "")), *figures, f"{float(row['seconds']):.1f}")


def _interval(figure: Mapping[str, Any] | None) -> str:
    if not figure or figure.get("value") is None:
        return formats.NOTHING
    if figure.get("low") is None:
        return f"{figure['value']:.4f}"
    return f"{figure['value']:.4f} ({figure['low']:.4f} … {figure['high']:.4f})"


HANDLERS: tuple[HTTPRouteHandler, ...] = (models, bench_table, model, model_as_file, challenge, withdraw)
