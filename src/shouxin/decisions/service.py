"""The verbs of decisions: draft, submit, approve, publish and retire a policy; decide, keep and replay."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from importlib import resources
from typing import Any

from sqlalchemy import Connection

from shouxin import features, grading, scoring
from shouxin.decisions import store
from shouxin.decisions.domain import (
    FEATURE_PREFIX,
    REASONS_MAX,
    DecisionRecord,
    KeyReused,
    Policy,
    PolicyRefusal,
    PolicyVersion,
    Replay,
    Stage,
    StoredAnswer,
    check_features,
    decide_answer,
    features_read,
    json_number,
    parse_policy,
    refuse_stage,
)
from shouxin.kernel import Approval, Bilingual, canonical_json


class UnableToReplay(LookupError):
    """There is no such decision, or the version that made it is not kept here."""


@lru_cache(maxsize=1)
def standard_checkout() -> Policy:
    """The checkout policy that comes with the house; a shop drafts its own from it."""
    return parse_policy(resources.files("shouxin.decisions").joinpath("policies/checkout.json").read_bytes())


def draft(db: Connection, policy: Policy, *, author: str, now: datetime) -> PolicyVersion:
    """Keep a version as a draft; the same content again is the version that stands.

    Raises UnableToReadPolicy when a rule reads a feature that is not in the catalogue.
    """
    check_features(policy, [definition.name for definition in features.CATALOGUE])
    if store.insert_policy(db, policy, author=author, now=now):
        version = _new_draft(policy, author, now)
        store.insert_stage(db, version, Stage.DRAFT, by=author, approval=None, now=now)
    found = store.find_version(db, policy.policy_hash)
    assert found is not None
    return found


def submit(db: Connection, policy_hash: str, *, by: str, now: datetime) -> PolicyVersion | PolicyRefusal:
    """Hand a draft in for review."""
    return _move(db, policy_hash, Stage.IN_REVIEW, by=by, approval=None, now=now)


def approve(
    db: Connection, policy_hash: str, *, approval: Approval, now: datetime
) -> PolicyVersion | PolicyRefusal:
    """Approve a version that is in review; the key must be for it and not from its author."""
    return _move(db, policy_hash, Stage.APPROVED, by=approval.checker, approval=approval, now=now)


def publish(
    db: Connection, policy: Policy, *, approval: Approval, now: datetime
) -> PolicyVersion | PolicyRefusal:
    """Make a version live and retire the one before it.

    Walks the whole way with one key: a version that is not kept yet is drafted in the name of who
    asked for the approval. Publishing what is live changes nothing.
    """
    store.lock_decision_point(db, policy.decision_point)
    version = store.find_version(db, policy.policy_hash) or _new_draft(policy, approval.maker, now)
    if version.stage is Stage.LIVE:
        return version
    # Refused before the first step is written, so a refusal leaves nothing half done.
    used = store.stages_by_approval(db, policy.policy_hash, approval.approval_id)
    steps = ((Stage.IN_REVIEW, Stage.APPROVED), (Stage.APPROVED, Stage.LIVE))
    for before, stage in steps[version.stage is Stage.APPROVED :]:
        if refusal := refuse_stage(_at(version, before), stage, approval, used=used):
            return refusal
    draft(db, policy, author=approval.maker, now=now)
    if version.stage is Stage.DRAFT:
        store.insert_stage(db, version, Stage.IN_REVIEW, by=approval.maker, approval=None, now=now)
    if version.stage is not Stage.APPROVED:
        store.insert_stage(db, version, Stage.APPROVED, by=approval.checker, approval=approval, now=now)
    former = store.live_hash(db, policy.decision_point)
    if former is not None:
        _move(db, former, Stage.RETIRED, by=approval.checker, approval=None, now=now)
    return _move(db, policy.policy_hash, Stage.LIVE, by=approval.checker, approval=approval, now=now)


def retire(db: Connection, policy_hash: str, *, by: str, now: datetime) -> PolicyVersion | PolicyRefusal:
    """Take a version out of use; its decision point has no live policy until one is published."""
    return _move(db, policy_hash, Stage.RETIRED, by=by, approval=None, now=now)


def live_policy(db: Connection, decision_point: str) -> Policy | None:
    """The version that decides now at a decision point."""
    policy_hash = store.live_hash(db, decision_point)
    return None if policy_hash is None else find_policy(db, policy_hash)


def find_policy(db: Connection, policy_hash: str) -> Policy | None:
    """Any version that was ever kept, by its hash."""
    if (known := _read_policies.get(policy_hash)) is not None:
        return known
    body = store.find_body(db, policy_hash)
    if body is None:
        return None
    policy = parse_policy(body)
    assert policy.policy_hash == policy_hash, "a version is named by its content"
    if len(_read_policies) >= _READ_POLICIES_MAX:
        _read_policies.clear()
    _read_policies[policy_hash] = policy
    return policy


def list_policies(db: Connection, decision_point: str | None = None) -> list[PolicyVersion]:
    """All versions and where they stand."""
    return store.list_versions(db, decision_point)


def save_decision(db: Connection, record: DecisionRecord) -> None:
    """Keep a decision with every fact that it read and the bytes of its answer."""
    store.insert_decision(db, record)


def find_decision(db: Connection, decision_id: str) -> DecisionRecord | None:
    """A decision as it was stored."""
    return store.find_decision(db, decision_id)


def list_decisions(db: Connection, customer_id: str, *, limit: int = 50) -> list[DecisionRecord]:
    """The latest decisions about a customer, newest first."""
    return store.list_decisions(db, customer_id, limit=limit)


def replay(db: Connection, decision_id: str) -> Replay:
    """Score and decide again from the stored facts and versions; raises UnableToReplay."""
    record = store.find_decision(db, decision_id)
    if record is None:
        raise UnableToReplay(f"there is no decision {decision_id}")
    policy = find_policy(db, record.policy_hash)
    assert policy is not None, "a decision refers to a kept policy"
    verdict, answer = decide_answer(policy, record.facts)
    return Replay(decision_id, _rescored(db, record), record.answer, answer, verdict)


def features_needed(
    db: Connection, model: scoring.Artefact, policy: Policy
) -> tuple[features.FeatureDefinition, ...]:
    """The definitions that a decision keeps: of its model, its policy and the models tried beside it."""
    models = (model, *scoring.challengers(db))
    return features.definitions_of(features_read(policy).union(*(one.names for one in models)))


def served_values(
    db: Connection, *, since: datetime, until: datetime, limit: int
) -> list[features.ServedValues]:
    """What decisions in ``[since, until)`` read, of those that wrote down what they saw, newest first."""
    found = []
    for record in store.decisions_between(db, since=since, until=until, limit=limit):
        witness = features.Witness.from_facts(record.facts)
        assert witness is not None, "only these were asked for"
        values = {
            name.removeprefix(FEATURE_PREFIX): value
            for name, value in record.facts.items()
            if name.startswith(FEATURE_PREFIX)
        }
        found.append(
            features.ServedValues(
                record.decision_id,
                record.customer_id,
                record.created_at,
                record.features_hash,
                values,
                witness,
            )
        )
    return found


def score_facts(model: scoring.Artefact, values: Mapping[str, float | None]) -> dict[str, Any]:
    """What ``model`` says of a customer with these features, as facts: score, PD, grade, reasons.

    The features themselves are among the facts (``feature.*``); what is not a number is missing.
    """
    score = scoring.score_one(model, values)
    grade = grading.grade_of(score.pd, grading.scale_for(model.outcome or ""))
    return {
        **{f"{FEATURE_PREFIX}{name}": json_number(value) for name, value in values.items()},
        "score.points": score.points,
        "score.pd": score.pd,
        "score.grade": grade.value,
        "score.reasons": [
            _reason_data(reason) for reason in scoring.reasons(model, score, limit=REASONS_MAX)
        ],
        "version.model": model.hash,
    }


def find_answer(
    db: Connection, scope: str, key: str, *, request_hash: str
) -> StoredAnswer | KeyReused | None:
    """What was answered under ``key``; KeyReused when that was to another request."""
    found = store.find_answer(db, scope, key)
    if found is not None and found.request_hash != request_hash:
        return KeyReused(scope, key)
    return found


def save_answer(
    db: Connection, scope: str, key: str, *, request_hash: str, status: int, body: bytes, now: datetime
) -> None:
    """Keep an answer under its key, in the transaction that did the work."""
    store.insert_answer(db, scope, key, StoredAnswer(request_hash, status, body, now))


def try_claim(db: Connection, scope: str, key: str) -> bool:
    """Take ``key`` until this transaction ends; False while another request with it is in flight."""
    return store.try_claim(db, scope, key)


_READ_POLICIES_MAX = 64
_read_policies: dict[str, Policy] = {}


def _rescored(db: Connection, record: DecisionRecord) -> bool | None:
    model = scoring.find_model(db, record.model_hash)
    if model is None:
        return None
    values = {
        name.removeprefix(FEATURE_PREFIX): value
        for name, value in record.facts.items()
        if name.startswith(FEATURE_PREFIX)
    }
    again = score_facts(model, values)
    return canonical_json(again) == canonical_json({name: record.facts.get(name) for name in again})


def _reason_data(reason: scoring.Reason) -> dict[str, Any]:
    return {
        "code": reason.code,
        "rank": reason.rank,
        "text": reason.text.as_data(),
        "points": reason.points,
        "feature": reason.feature,
        "value": json_number(reason.value),
    }


def _new_draft(policy: Policy, author: str, now: datetime) -> PolicyVersion:
    return PolicyVersion(policy.policy_hash, policy.name, policy.decision_point, author, Stage.DRAFT, now)


def _at(version: PolicyVersion, stage: Stage) -> PolicyVersion:
    return PolicyVersion(
        version.policy_hash, version.name, version.decision_point, version.author, stage, version.since
    )


def _move(
    db: Connection, policy_hash: str, stage: Stage, *, by: str, approval: Approval | None, now: datetime
) -> PolicyVersion | PolicyRefusal:
    version = store.find_version(db, policy_hash)
    if version is None:
        return PolicyRefusal(
            "NO_SUCH_POLICY", Bilingual("没有该策略版本", "There is no such version of a policy")
        )
    used = store.stages_by_approval(db, policy_hash, approval.approval_id) if approval else ()
    if refusal := refuse_stage(version, stage, approval, used=used):
        return refusal
    store.insert_stage(db, version, stage, by=by, approval=approval, now=now)
    moved = store.find_version(db, policy_hash)
    assert moved is not None
    return moved
