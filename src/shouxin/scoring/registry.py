"""The registry: models under their hashes, where each stands, and who moved it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin.kernel import Approval, Bilingual
from shouxin.scoring import store
from shouxin.scoring.domain.artefact import Artefact
from shouxin.scoring.domain.gates import GATE_WORDS, Gate, Passed, open_gates
from shouxin.scoring.domain.registry import (
    STAGE_WORDS,
    ModelRow,
    ModelStage,
    Promotion,
    PromotionRefusal,
    StageRefusal,
    StageRow,
)

# Artefacts by hash, which never change; a handful in the life of a process.
_read: dict[str, Artefact] = {}
_ON_THE_WAY = {ModelStage.CANDIDATE, ModelStage.CHALLENGER}


def register(
    db: Connection, artefact: Artefact, *, name: str, report: Mapping[str, Any], now: datetime
) -> str:
    """Keep a model as a candidate and return its hash; the same model twice is one model."""
    document = artefact.to_json()
    added = store.add_model(
        db,
        document,
        model_hash=artefact.hash,
        name=name,
        model=artefact.model,
        outcome=artefact.outcome,
        report=report,
        now=now,
    )
    if added:
        store.add_stage(db, artefact.hash, stage=ModelStage.CANDIDATE, now=now)
    return artefact.hash


def keep_gates(db: Connection, model_hash: str, gates: Sequence[Gate], *, now: datetime) -> None:
    """Write down how a registered model did at its gates."""
    store.add_gates(db, model_hash, gates, now=now)


def find_gates(db: Connection, model_hash: str) -> tuple[list[Gate], datetime] | None:
    """How a model did at its gates the last time, and when; None before the first."""
    return store.load_gates(db, model_hash)


def challenge(
    db: Connection, model_hash: str, *, by: str, reason: str, now: datetime
) -> StageRow | StageRefusal:
    """Let a candidate score beside the champion. It decides nothing, so one person is enough."""
    store.lock_promotion(db)
    standing = _standing(db, model_hash)
    if standing is None:
        return StageRefusal(_unknown(model_hash))
    if standing is not ModelStage.CANDIDATE:
        return StageRefusal(
            _not_from(
                standing, Bilingual("只有候选模型可以成为挑战者", "only a candidate can become challenger")
            )
        )
    return _moved(db, model_hash, ModelStage.CHALLENGER, by=by, reason=reason, now=now)


def withdraw(
    db: Connection, model_hash: str, *, by: str, reason: str, now: datetime
) -> StageRow | StageRefusal:
    """Retire a candidate or a challenger; a champion goes only when another takes its place."""
    store.lock_promotion(db)
    standing = _standing(db, model_hash)
    if standing is None:
        return StageRefusal(_unknown(model_hash))
    if standing not in _ON_THE_WAY:
        return StageRefusal(
            _not_from(
                standing, Bilingual("现任模型只能被替换，不能撤回", "a champion is replaced, not withdrawn")
            )
        )
    return _moved(db, model_hash, ModelStage.RETIRED, by=by, reason=reason, now=now)


def promote(
    db: Connection, model_hash: str, *, approval: Approval, now: datetime
) -> Promotion | PromotionRefusal:
    """Make a registered model the champion; ``approval`` is for the subject ``model:<hash>``.

    Its gates must be open: tested, and none of them failed.
    """
    if not approval.covers(f"model:{model_hash}"):
        return PromotionRefusal(
            Bilingual(
                f"该批准针对{approval.subject}，而非model:{model_hash}",
                f"the approval is for {approval.subject}, not for model:{model_hash}",
            )
        )
    store.lock_promotion(db)
    if store.load_document(db, model_hash) is None:
        return PromotionRefusal(_unknown(model_hash))
    before = store.champion_hash(db)
    if before == model_hash:
        return PromotionRefusal(Bilingual("该模型已是现任", "the model is champion already"))
    if closed := _closed_gates(db, model_hash):
        return PromotionRefusal(closed)
    for each, stage in ((before, ModelStage.RETIRED), (model_hash, ModelStage.CHAMPION)):
        if each is not None:
            store.add_stage(
                db,
                each,
                stage=stage,
                now=now,
                maker=approval.maker,
                checker=approval.checker,
                reason=approval.reason,
                approval_id=approval.approval_id,
            )
    return Promotion(model_hash, before)


def champion(db: Connection) -> Artefact | None:
    """The model that decides now, or None before the first was promoted."""
    model_hash = store.champion_hash(db)
    return find_model(db, model_hash) if model_hash is not None else None


def challengers(db: Connection) -> list[Artefact]:
    """The models that score beside the champion now."""
    found = [find_model(db, model_hash) for model_hash in store.hashes_at(db, ModelStage.CHALLENGER)]
    return [artefact for artefact in found if artefact is not None]


def find_model(db: Connection, model_hash: str) -> Artefact | None:
    """A registered model by its hash; one that was read before is not read again."""
    if (known := _read.get(model_hash)) is not None:
        return known
    document = store.load_document(db, model_hash)
    if document is None:
        return None
    artefact = Artefact.from_json(document)
    assert artefact.hash == model_hash, "the registry keeps a model under its own hash"
    return _read.setdefault(model_hash, artefact)


def find_report(db: Connection, model_hash: str) -> dict[str, Any] | None:
    """The report that a model was registered with."""
    return store.load_report(db, model_hash)


def list_models(db: Connection) -> list[ModelRow]:
    """Every registered model and what became of it, the newest first."""
    return store.list_standing(db)


def keep_shadow(db: Connection, model_hash: str, rows: Sequence[Mapping[str, Any]], *, now: datetime) -> int:
    """Keep what a challenger says (decision_id, points, pd, decided_at); returns how many rows were new."""
    return store.add_shadow(db, model_hash, rows, now=now)


def shadowed_until(db: Connection, model_hash: str) -> datetime | None:
    """The time of the latest decision that a challenger has spoken of; None before the first."""
    return store.shadowed_until(db, model_hash)


def stages_of(db: Connection, model_hash: str) -> list[StageRow]:
    """Every step of a model's life, the first one first; nothing for one that is not registered."""
    return store.stages_of(db, model_hash)


def _closed_gates(db: Connection, model_hash: str) -> Bilingual | None:
    """What keeps the gates shut, in words; None where they are open."""
    found = store.load_gates(db, model_hash)
    if found is None:
        return Bilingual(
            "该模型尚未经过准入检验；请用 shouxin grade 训练并检验",
            "the model has not been through its gates; `shouxin grade` trains a model and tests them",
        )
    gates, _ = found
    if open_gates(gates):
        return None
    failed = [gate for gate in gates if gate.passed is Passed.NO]
    told = [(GATE_WORDS[gate.code], gate.figure) for gate in failed]
    zh = "；".join(f"{name.zh}：{figure}" for name, figure in told) or "没有可检验的项目"
    en = "; ".join(f"{name.en}: {figure}" for name, figure in told) or "none could be tested"
    return Bilingual(f"该模型未通过准入检验（{zh}）", f"the model has not passed its gates ({en})")


def _unknown(model_hash: str) -> Bilingual:
    return Bilingual(f"没有登记模型{model_hash}", f"no model {model_hash} is registered")


def _not_from(standing: ModelStage, why: Bilingual) -> Bilingual:
    return Bilingual(
        f"该模型为{STAGE_WORDS[standing].zh}；{why.zh}", f"the model is {standing.value}; {why.en}"
    )


def _standing(db: Connection, model_hash: str) -> ModelStage | None:
    stages = store.stages_of(db, model_hash)
    return ModelStage(stages[-1].stage) if stages else None


def _moved(
    db: Connection, model_hash: str, stage: ModelStage, *, by: str, reason: str, now: datetime
) -> StageRow | StageRefusal:
    if not reason.strip():
        return StageRefusal(
            Bilingual(
                "请说明理由：它会永久留在模型记录中",
                "say why: the reason stands in the model's life for ever",
            )
        )
    store.add_stage(db, model_hash, stage=stage, now=now, maker=by, reason=reason)
    return StageRow(stage.value, by, None, reason, now)
