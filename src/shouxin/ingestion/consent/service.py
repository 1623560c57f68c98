"""What customers agreed to, as of an instant; the texts and the policies behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import record_audit
from shouxin.ingestion.consent import store
from shouxin.ingestion.consent.domain import (
    NO_POLICY,
    PURPOSES,
    ConsentPolicy,
    ConsentRefusal,
    ConsentRefusalReason,
    ConsentStanding,
    ConsentState,
    ConsentText,
    ConsentWord,
    LeftOut,
    in_order,
    read_policy,
    standing_of,
)
from shouxin.ingestion.consent.domain.texts import VERSION_LENGTH_MAX

Reference = tuple[str, str]


@dataclass(frozen=True, slots=True)
class SourcePolicy:
    """The policy that a source has now; ``version`` counts over all sources, None is "never set"."""

    source: str
    policy: ConsentPolicy
    version: int | None = None
    set_by: str | None = None
    set_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentCount:
    """How many references stand how on one purpose, by the text they agreed to last."""

    purpose: str
    state: ConsentState
    text_version: str | None
    references: int


def standing(db: Connection, refs: Sequence[Reference], *, purpose: str, as_of: datetime) -> ConsentStanding:
    """What holds for the purpose, for the one customer whose (source, customer_ref) these are.

    A "no" under one reference holds for all of them. ``purpose`` is one of ``PURPOSES``.
    """
    assert purpose in PURPOSES, purpose
    return standing_of(store.words(db, refs, as_of=as_of, purpose=purpose), purpose=purpose, as_of=as_of)


def standings(db: Connection, refs: Sequence[Reference], *, as_of: datetime) -> list[ConsentStanding]:
    """What holds for every purpose, in the order of ``PURPOSES``."""
    said = store.words(db, refs, as_of=as_of, purpose=None)
    return [standing_of(said, purpose=purpose, as_of=as_of) for purpose in PURPOSES]


def allows(db: Connection, source: str, customer_ref: str, *, purpose: str, as_of: datetime) -> bool:
    """Whether this one reference has agreed to the purpose and not taken it back.

    It speaks of what was said under this reference only; of a whole customer asks ``standing``.
    """
    return standing(db, [(source, customer_ref)], purpose=purpose, as_of=as_of).is_granted


def history(db: Connection, refs: Sequence[Reference], *, as_of: datetime) -> list[ConsentWord]:
    """Every word under these references that was known at ``as_of``, the last one first."""
    return in_order(store.words(db, refs, as_of=as_of, purpose=None))[::-1]


def counts(db: Connection, *, as_of: datetime) -> list[ConsentCount]:
    """How many references have agreed or taken back, by purpose and text version, in PURPOSES' order."""
    rows = store.references_by_state(db, as_of=as_of)
    place = {purpose: number for number, purpose in enumerate(PURPOSES)}
    return [
        ConsentCount(purpose, ConsentState(state), version, number)
        for purpose, state, version, number in sorted(rows, key=lambda row: place[row[0]])
    ]


def publish_text(db: Connection, given: ConsentText) -> ConsentText | ConsentRefusal:
    """Publish a version of a text for ever; the same again changes nothing. Audited."""
    if given.purpose not in PURPOSES:
        return ConsentRefusal(ConsentRefusalReason.UNKNOWN_PURPOSE)
    if not 0 < len(given.text_version.strip()) <= VERSION_LENGTH_MAX:
        return ConsentRefusal(ConsentRefusalReason.NO_VERSION)
    if not store.add_text(db, given):
        (stands,) = (
            t for t in store.texts(db, purpose=given.purpose) if t.text_version == given.text_version
        )
        same = (stands.text, stands.valid_from) == (given.text, given.valid_from)
        return stands if same else ConsentRefusal(ConsentRefusalReason.TEXT_STANDS)
    record_audit(
        db,
        actor=given.published_by,
        action="consent.text_published",
        subject=f"consent_text:{given.purpose}/{given.text_version}",
        detail={"valid_from": given.valid_from.isoformat()},
        now=given.published_at,
    )
    return given


def texts(db: Connection, *, purpose: str | None = None) -> list[ConsentText]:
    """Every version of every text, or of one purpose, by when it becomes valid."""
    return store.texts(db, purpose=purpose)


def set_policy(db: Connection, source: str, policy: ConsentPolicy, *, by: str, now: datetime) -> SourcePolicy:
    """Give a source a policy from now on; the versions before stay. Audited."""
    version = store.add_policy(db, source, policy.as_data(), by=by, now=now)
    record_audit(
        db,
        actor=by,
        action="consent.policy_set",
        subject=f"source:{source}",
        detail={"version": version, "policy": policy.as_data()},
        now=now,
    )
    return SourcePolicy(source, policy, version, by, now)


def policy_of(db: Connection, source: str) -> SourcePolicy:
    """The policy of a source; one that never got one asks for nothing."""
    found = [_policy(row) for row in store.policies(db, sources=[source])]
    return found[0] if found else SourcePolicy(source, NO_POLICY)


def policies(db: Connection) -> list[SourcePolicy]:
    """The policy of every source that ever got one."""
    return [_policy(row) for row in store.policies(db, sources=None)]


def left_out(db: Connection) -> dict[LeftOut, int]:
    """How often a personal field was left out for want of consent."""
    return store.left_out(db)


def _policy(row: store.PolicyRow) -> SourcePolicy:
    return SourcePolicy(row.source, read_policy(row.body), row.policy_no, row.set_by, row.set_at)
