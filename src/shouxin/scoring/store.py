"""SQL of scoring: models and their stages, gates, shadow scores, the monitor's runs, and feedback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.kernel import canonical_json
from shouxin.scoring.domain.feedback import Feedback, FeedbackKind
from shouxin.scoring.domain.gates import Gate, open_gates
from shouxin.scoring.domain.monitoring import MonitoringRun
from shouxin.scoring.domain.registry import ModelRow, StageRow

# Two promotions at once would both retire the same champion.
_PROMOTION_LOCK = 727_005


def add_model(  # the row, column by column
    db: Connection,
    document: bytes,
    *,
    model_hash: str,
    name: str,
    model: str,
    outcome: str,
    report: Mapping[str, Any],
    now: datetime,
) -> bool:
    """Insert a model; False where it is there already."""
    added = db.execute(
        text(
            "INSERT INTO scoring.model (model_hash, name, model, outcome, document, report, registered_at)"
            " VALUES (:hash, :name, :model, :outcome, :document, CAST(:report AS jsonb), :now)"
            " ON CONFLICT (model_hash) DO NOTHING"
        ),
        {
            "hash": model_hash,
            "name": name,
            "model": model,
            "outcome": outcome,
            "document": document,
            "report": canonical_json(report).decode(),
            "now": now,
        },
    )
    return added.rowcount == 1


def add_stage(  # the row, column by column
    db: Connection,
    model_hash: str,
    *,
    stage: str,
    now: datetime,
    maker: str | None = None,
    reason: str | None = None,
    checker: str | None = None,
    approval_id: str | None = None,
) -> None:
    """Append what became of a model."""
    db.execute(
        text(
            "INSERT INTO scoring.stage (model_hash, stage, approval_id, maker, checker, reason, at)"
            " VALUES (:hash, :stage, :approval_id, :maker, :checker, :reason, :now)"
        ),
        {
            "hash": model_hash,
            "stage": stage,
            "now": now,
            "approval_id": approval_id,
            "maker": maker,
            "checker": checker,
            "reason": reason,
        },
    )


def lock_promotion(db: Connection) -> None:
    """One promotion at a time, until the transaction ends."""
    db.execute(text("SELECT pg_advisory_xact_lock(:id)"), {"id": _PROMOTION_LOCK})


def champion_hash(db: Connection) -> str | None:
    """The model that is champion now."""
    found: str | None = db.scalar(
        text(
            "SELECT model_hash FROM scoring.standing WHERE stage = 'champion' ORDER BY stage_no DESC LIMIT 1"
        )
    )
    return found


def load_document(db: Connection, model_hash: str) -> bytes | None:
    """The artefact's document as it was registered."""
    found = db.scalar(
        text("SELECT document FROM scoring.model WHERE model_hash = :hash"), {"hash": model_hash}
    )
    return bytes(found) if found is not None else None


def load_report(db: Connection, model_hash: str) -> dict[str, Any] | None:
    """The report that came with a model."""
    found: dict[str, Any] | None = db.scalar(
        text("SELECT report FROM scoring.model WHERE model_hash = :hash"), {"hash": model_hash}
    )
    return found


def list_standing(db: Connection) -> list[ModelRow]:
    """Every model with its newest stage, the newest registered first."""
    rows = db.execute(
        text(
            "SELECT model_hash, name, model, outcome, stage, at, maker, checker, registered_at"
            " FROM scoring.model JOIN scoring.standing USING (model_hash)"
            " ORDER BY registered_at DESC, stage_no DESC"
        )
    )
    return [ModelRow(**row._mapping) for row in rows]


def stages_of(db: Connection, model_hash: str) -> list[StageRow]:
    """Every step of a model's life, the first one first."""
    rows = db.execute(
        text(
            "SELECT stage, maker, checker, reason, at FROM scoring.stage"
            " WHERE model_hash = :hash ORDER BY stage_no"
        ),
        {"hash": model_hash},
    )
    return [StageRow(**row._mapping) for row in rows]


def hashes_at(db: Connection, stage: str) -> list[str]:
    """The models that stand at a stage now, the latest to come there first."""
    found = db.scalars(
        text("SELECT model_hash FROM scoring.standing WHERE stage = :stage ORDER BY stage_no DESC"),
        {"stage": stage},
    )
    return list(found)


def add_gates(db: Connection, model_hash: str, gates: Sequence[Gate], *, now: datetime) -> None:
    """Keep how a model did at its gates."""
    db.execute(
        text(
            "INSERT INTO scoring.gate_run (model_hash, gates, is_open, at)"
            " VALUES (:hash, CAST(:gates AS jsonb), :is_open, :now)"
        ),
        {
            "hash": model_hash,
            "gates": canonical_json([gate.as_data() for gate in gates]).decode(),
            "is_open": open_gates(gates),
            "now": now,
        },
    )


def load_gates(db: Connection, model_hash: str) -> tuple[list[Gate], datetime] | None:
    """How a model did the last time, and when."""
    row = db.execute(
        text("SELECT gates, at FROM scoring.gate_run WHERE model_hash = :hash ORDER BY run_no DESC LIMIT 1"),
        {"hash": model_hash},
    ).one_or_none()
    return ([Gate.from_data(gate) for gate in row.gates], row.at) if row else None


def add_monitoring(db: Connection, run: MonitoringRun, *, now: datetime) -> None:
    """Keep one look of the monitor."""
    db.execute(
        text(
            "INSERT INTO scoring.monitoring (model_hash, as_of, verdict, body, at)"
            " VALUES (:hash, :as_of, :verdict, CAST(:body AS jsonb), :now)"
        ),
        {
            "hash": run.model_hash,
            "as_of": run.as_of,
            "verdict": run.verdict.value,
            "body": canonical_json(run.as_data()).decode(),
            "now": now,
        },
    )


def load_monitoring(db: Connection, model_hash: str, *, limit: int) -> list[dict[str, Any]]:
    """The newest looks at a model, the newest first, as they were kept."""
    found = db.scalars(
        text(
            "SELECT body FROM scoring.monitoring WHERE model_hash = :hash"
            " ORDER BY as_of DESC, run_no DESC LIMIT :limit"
        ),
        {"hash": model_hash, "limit": limit},
    )
    return list(found)


def add_shadow(db: Connection, model_hash: str, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> int:
    """Keep what a challenger says of decisions; those that it spoke of already are left as they are."""
    if not rows:
        return 0
    added = db.execute(
        text(
            "INSERT INTO scoring.shadow (decision_id, model_hash, points, pd, decided_at, at)"
            " SELECT decision_id, :hash, points, pd, decided_at, :now"
            " FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS told"
            " (decision_id text, points integer, pd double precision, decided_at timestamptz)"
            " ON CONFLICT DO NOTHING"
        ),
        {"hash": model_hash, "rows": canonical_json(list(rows)).decode(), "now": now},
    )
    return added.rowcount


def shadowed_until(db: Connection, model_hash: str) -> datetime | None:
    """The time of the latest decision that a challenger has spoken of."""
    found: datetime | None = db.scalar(
        text("SELECT max(decided_at) FROM scoring.shadow WHERE model_hash = :hash"), {"hash": model_hash}
    )
    return found


def add_feedback(db: Connection, word: Feedback) -> None:
    """Append one word."""
    db.execute(
        text(
            "INSERT INTO scoring.feedback"
            " (kind, customer_id, as_of, said, decision_id, reason, by_operator, at)"
            " VALUES (:kind, :customer_id, :as_of, :said, :decision_id, :reason, :by, :at)"
        ),
        {
            "kind": word.kind.value,
            "customer_id": word.customer_id,
            "as_of": word.as_of,
            "said": word.said,
            "decision_id": word.decision_id,
            "reason": word.reason,
            "by": word.by,
            "at": word.at,
        },
    )


def load_feedback(db: Connection, *, until: datetime | None, limit: int | None) -> list[Feedback]:
    """Every word told by ``until``, the newest first."""
    rows = db.execute(
        text(
            "SELECT kind, customer_id, as_of, said, reason, by_operator, at, decision_id"
            " FROM scoring.feedback WHERE CAST(:until AS timestamptz) IS NULL OR at <= :until"
            " ORDER BY feedback_no DESC LIMIT :limit"
        ),
        {"until": until, "limit": limit},
    )
    return [Feedback(FeedbackKind(kind), *rest) for kind, *rest in rows]
