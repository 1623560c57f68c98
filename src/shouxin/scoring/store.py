"""SQL of the model registry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.kernel import Approval, canonical_json
from shouxin.scoring.domain.registry import ModelRow

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


def add_stage(
    db: Connection, model_hash: str, *, stage: str, approval: Approval | None, now: datetime
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
            "approval_id": approval.approval_id if approval else None,
            "maker": approval.maker if approval else None,
            "checker": approval.checker if approval else None,
            "reason": approval.reason if approval else None,
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
