"""The life of a policy version: draft, in review, approved, live, retired; and answers kept for a key."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shouxin.kernel import Approval, Bilingual


class Stage(StrEnum):
    """Where a version stands."""

    DRAFT = "draft"
    IN_REVIEW = "in_review"
    APPROVED = "approved"
    LIVE = "live"
    RETIRED = "retired"


# From each stage, the stages that may follow. A retired version may be brought back with a new approval.
FOLLOWS: Mapping[Stage, frozenset[Stage]] = {
    Stage.DRAFT: frozenset({Stage.IN_REVIEW}),
    Stage.IN_REVIEW: frozenset({Stage.DRAFT, Stage.APPROVED}),
    Stage.APPROVED: frozenset({Stage.LIVE, Stage.RETIRED}),
    Stage.LIVE: frozenset({Stage.RETIRED}),
    Stage.RETIRED: frozenset({Stage.APPROVED}),
}
NEEDS_APPROVAL = frozenset({Stage.APPROVED, Stage.LIVE})


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version in the list of versions."""

    policy_hash: str
    name: str
    decision_point: str
    author: str
    stage: Stage
    since: datetime


@dataclass(frozen=True, slots=True)
class PolicyRefusal:
    """A version does not move, and why."""

    code: str
    text: Bilingual


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What was answered to a request under an idempotency key."""

    request_hash: str
    status: int
    body: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class KeyReused:
    """The key was used before for a request that says something else."""

    scope: str
    key: str

    @property
    def text(self) -> Bilingual:
        """What the caller is told."""
        return Bilingual(
            "该幂等键已用于另一份内容不同的请求", "This idempotency key was used for a different request"
        )


def refuse_stage(
    version: PolicyVersion, stage: Stage, approval: Approval | None, *, used: Collection[Stage] = ()
) -> PolicyRefusal | None:
    """Why ``version`` may not move to ``stage``, by precedence; None when it may.

    ``used`` are the stages that this approval has brought it to before: a key opens a door once.
    """
    if stage not in FOLLOWS[version.stage]:
        return PolicyRefusal(
            "STAGE_DOES_NOT_FOLLOW",
            Bilingual(
                f"策略当前为 {version.stage}，不能变为 {stage}",
                f"The policy is {version.stage} and can not become {stage}",
            ),
        )
    if stage not in NEEDS_APPROVAL:
        return None
    if approval is None or not approval.covers(f"policy:{version.policy_hash}"):
        return PolicyRefusal(
            "APPROVAL_IS_FOR_SOMETHING_ELSE",
            Bilingual("审批对象不是该策略版本", "The approval is not for this version of the policy"),
        )
    if approval.checker == version.author:
        return PolicyRefusal(
            "AUTHOR_IS_APPROVER",
            Bilingual("策略作者不能审批自己的策略", "The author of a policy can not approve it"),
        )
    if stage in used:
        return PolicyRefusal(
            "APPROVAL_WAS_USED",
            Bilingual("该审批已使用过，请重新申请", "The approval was used before; ask for a new one"),
        )
    return None
