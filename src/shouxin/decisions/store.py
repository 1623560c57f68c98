"""SQL of decisions: policy versions, their stages, decisions and stored answers. No decisions here."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, Row, text

from shouxin.decisions.domain import DecisionRecord, Outcome, Policy, PolicyVersion, Stage, StoredAnswer
from shouxin.kernel import Approval, Money, canonical_json

_VERSIONS = """
    SELECT p.policy_hash, p.name, p.decision_point, p.author, s.stage, s.at
      FROM decisions.policy p
      JOIN LATERAL (SELECT stage, at FROM decisions.policy_stage s
                     WHERE s.policy_hash = p.policy_hash ORDER BY stage_no DESC LIMIT 1) s ON true
"""


def insert_policy(db: Connection, policy: Policy, *, author: str, now: datetime) -> bool:
    """Keep the version; False when it is kept already."""
    statement = text(
        "INSERT INTO decisions.policy (policy_hash, name, decision_point, body, author, drafted_at) "
        "VALUES (:hash, :name, :point, :body, :author, :now) ON CONFLICT (policy_hash) DO NOTHING"
    )
    result = db.execute(
        statement,
        {
            "hash": policy.policy_hash,
            "name": policy.name,
            "point": policy.decision_point,
            "body": policy.body.decode(),
            "author": author,
            "now": now,
        },
    )
    return result.rowcount == 1


def insert_stage(
    db: Connection, version: PolicyVersion, stage: Stage, *, by: str, approval: Approval | None, now: datetime
) -> None:
    """Write that the version came to ``stage``."""
    statement = text(
        "INSERT INTO decisions.policy_stage "
        "(policy_hash, author, stage, by_operator, approval_id, maker, checker, at) "
        "VALUES (:hash, :author, :stage, :by, :approval_id, :maker, :checker, :now)"
    )
    db.execute(
        statement,
        {
            "hash": version.policy_hash,
            "author": version.author,
            "stage": stage.value,
            "by": by,
            "approval_id": approval and approval.approval_id,
            "maker": approval and approval.maker,
            "checker": approval and approval.checker,
            "now": now,
        },
    )


def stages_by_approval(db: Connection, policy_hash: str, approval_id: str) -> list[Stage]:
    """The stages that an approval has brought a version to."""
    statement = text(
        "SELECT stage FROM decisions.policy_stage WHERE policy_hash = :hash AND approval_id = :approval_id"
    )
    found = db.execute(statement, {"hash": policy_hash, "approval_id": approval_id})
    return [Stage(stage) for stage in found.scalars()]


def lock_decision_point(db: Connection, decision_point: str) -> None:
    """One change of what is live at a time, for each decision point; released with the transaction."""
    db.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 7))"), {"name": f"policy:{decision_point}"}
    )


def find_version(db: Connection, policy_hash: str) -> PolicyVersion | None:
    """One version and where it stands."""
    row = db.execute(text(f"{_VERSIONS} WHERE p.policy_hash = :hash"), {"hash": policy_hash}).one_or_none()
    return _version(row) if row else None


def list_versions(db: Connection, decision_point: str | None = None) -> list[PolicyVersion]:
    """All versions, those that moved last first."""
    where = (
        "WHERE CAST(:point AS text) IS NULL OR p.decision_point = :point ORDER BY s.at DESC, p.policy_hash"
    )
    return [_version(row) for row in db.execute(text(f"{_VERSIONS} {where}"), {"point": decision_point})]


def live_hash(db: Connection, decision_point: str) -> str | None:
    """The version that is live at a decision point, if any."""
    statement = text(
        "SELECT p.policy_hash FROM decisions.policy p "
        "JOIN LATERAL (SELECT stage, stage_no FROM decisions.policy_stage s "
        "WHERE s.policy_hash = p.policy_hash ORDER BY stage_no DESC LIMIT 1) s ON true "
        "WHERE p.decision_point = :point AND s.stage = 'live' ORDER BY s.stage_no DESC LIMIT 1"
    )
    found: str | None = db.scalar(statement, {"point": decision_point})
    return found


def find_body(db: Connection, policy_hash: str) -> str | None:
    """The content of a version, as canonical JSON."""
    found: str | None = db.scalar(
        text("SELECT body FROM decisions.policy WHERE policy_hash = :hash"), {"hash": policy_hash}
    )
    return found


def insert_decision(db: Connection, record: DecisionRecord) -> None:
    """Keep a decision for ever."""
    statement = text(
        "INSERT INTO decisions.decision (decision_id, decision_point, customer_id, order_ref, outcome, "
        "amount_minor, currency, score, pd, grade, policy_hash, model_hash, features_hash, facts, answer, "
        "created_at) VALUES (:decision_id, :decision_point, :customer_id, :order_ref, :outcome, "
        ":amount_minor, :currency, :score, :pd, :grade, :policy_hash, :model_hash, :features_hash, :facts, "
        ":answer, :created_at)"
    )
    values = {name: getattr(record, name) for name in DecisionRecord.__slots__ if name != "amount"}
    values |= {
        "outcome": record.outcome.value,
        "amount_minor": record.amount.minor,
        "currency": record.amount.currency,
        "facts": canonical_json(record.facts).decode(),
    }
    db.execute(statement, values)


def find_decision(db: Connection, decision_id: str) -> DecisionRecord | None:
    """A decision as it was stored."""
    row = db.execute(
        text("SELECT * FROM decisions.decision WHERE decision_id = :id"), {"id": decision_id}
    ).one_or_none()
    return _decision(row) if row else None


def list_decisions(db: Connection, customer_id: str, *, limit: int) -> list[DecisionRecord]:
    """The latest decisions about a customer, newest first."""
    statement = text(
        "SELECT * FROM decisions.decision WHERE customer_id = :id "
        "ORDER BY created_at DESC, decision_id LIMIT :n"
    )
    return [_decision(row) for row in db.execute(statement, {"id": customer_id, "n": limit})]


def decisions_between(
    db: Connection, *, since: datetime, until: datetime, limit: int
) -> list[DecisionRecord]:
    """The latest decisions in ``[since, until)`` that wrote down what they saw, newest first."""
    statement = text(
        "SELECT * FROM decisions.decision WHERE created_at >= :since AND created_at < :until "
        "AND facts LIKE :marked ORDER BY created_at DESC, decision_id LIMIT :n"
    )
    found = db.execute(statement, {"since": since, "until": until, "marked": '%"seen.seen":%', "n": limit})
    return [_decision(row) for row in found]


def list_after(db: Connection, place: tuple[datetime, str], *, limit: int) -> list[DecisionRecord]:
    """Decisions from (created_at, decision_id) ``place`` on, which is left out itself, the oldest first."""
    statement = text(
        "SELECT * FROM decisions.decision WHERE (created_at, decision_id) > (:at, :id) "
        "ORDER BY created_at, decision_id LIMIT :n"
    )
    found = db.execute(statement, {"at": place[0], "id": place[1], "n": limit})
    return [_decision(row) for row in found]


def find_answer(db: Connection, scope: str, key: str) -> StoredAnswer | None:
    """What was answered under a key."""
    statement = text(
        "SELECT request_hash, status, body, created_at FROM decisions.answer "
        "WHERE scope = :scope AND key = :key"
    )
    row = db.execute(statement, {"scope": scope, "key": key}).one_or_none()
    return StoredAnswer(row.request_hash, row.status, bytes(row.body), row.created_at) if row else None


def insert_answer(db: Connection, scope: str, key: str, answer: StoredAnswer) -> None:
    """Keep an answer under its key."""
    statement = text(
        "INSERT INTO decisions.answer (scope, key, request_hash, status, body, created_at) "
        "VALUES (:scope, :key, :request_hash, :status, :body, :now)"
    )
    db.execute(
        statement,
        {
            "scope": scope,
            "key": key,
            "request_hash": answer.request_hash,
            "status": answer.status,
            "body": answer.body,
            "now": answer.created_at,
        },
    )


def try_claim(db: Connection, scope: str, key: str) -> bool:
    """Take the key until this transaction ends; False when another transaction has it."""
    # Two keys share a lock once in 2^64: then one of them is told to try again, which is harmless.
    statement = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 11))")
    return bool(db.scalar(statement, {"name": f"{scope}\x1f{key}"}))


def _version(row: Row[tuple[object, ...]]) -> PolicyVersion:
    return PolicyVersion(row.policy_hash, row.name, row.decision_point, row.author, Stage(row.stage), row.at)


def _decision(row: Row[tuple[object, ...]]) -> DecisionRecord:
    return DecisionRecord(
        decision_id=row.decision_id,
        decision_point=row.decision_point,
        customer_id=row.customer_id,
        order_ref=row.order_ref,
        outcome=Outcome(row.outcome),
        amount=Money(row.amount_minor, row.currency),
        score=row.score,
        pd=row.pd,
        grade=row.grade,
        policy_hash=row.policy_hash,
        model_hash=row.model_hash,
        features_hash=row.features_hash,
        facts=json.loads(row.facts),
        answer=bytes(row.answer),
        created_at=row.created_at,
    )
