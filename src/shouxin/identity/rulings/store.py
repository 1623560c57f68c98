"""Rulings, possible matches, and how merges by weight were explained: SQL in, values out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from shouxin.identity.domain import Ruling, Verdict

_RULING = """
    SELECT r.ruling_no, r.verdict, r.customer_ids, r.other_ids, r.reason, r.ruled_by, r.ruled_at,
           u.ruling_no AS undone_by
    FROM identity.ruling r LEFT JOIN identity.ruling u ON u.undoes = r.ruling_no
    WHERE r.undoes IS NULL"""


@dataclass(frozen=True, slots=True)
class PossibleMatch:
    """Two customers who may be one person, and the strongest pair of their records, field by field."""

    one_id: str
    other_id: str
    micro_bits: int
    evidence: tuple[Mapping[str, Any], ...]
    found_at: datetime


def add_ruling(
    db: Connection,
    verdict: Verdict,
    *,
    customer_ids: Sequence[str],
    other_ids: Sequence[str],
    reason: str,
    by: str,
    now: datetime,
) -> Ruling:
    """Keep what an operator ruled."""
    number = _added(db, verdict.value, customer_ids, other_ids, None, reason, by, now)
    return Ruling(number, verdict, tuple(customer_ids), tuple(other_ids), reason, by, now)


def add_undoing(db: Connection, ruling: Ruling, *, reason: str, by: str, now: datetime) -> int:
    """Keep that a ruling was taken back; returns the number of the row that says so."""
    return _added(db, "undone", ruling.customer_ids, ruling.other_ids, ruling.ruling_no, reason, by, now)


def rulings_of(db: Connection, customer_ids: Sequence[str]) -> list[Ruling]:
    """The rulings that name any of these customers, the oldest first."""
    rows = db.execute(
        text(
            f"""{_RULING} AND (r.customer_ids && CAST(:ids AS text[]) OR r.other_ids && CAST(:ids AS text[]))
            ORDER BY r.ruling_no"""
        ),
        {"ids": list(customer_ids)},
    )
    return [_ruling(row) for row in rows]


def ruling(db: Connection, ruling_no: int) -> Ruling | None:
    """One ruling."""
    row = db.execute(text(f"{_RULING} AND r.ruling_no = :no"), {"no": ruling_no}).first()
    return None if row is None else _ruling(row)


def newest(db: Connection, *, limit: int) -> list[Ruling]:
    """Rulings, the newest first."""
    rows = db.execute(text(f"{_RULING} ORDER BY r.ruling_no DESC LIMIT :limit"), {"limit": limit})
    return [_ruling(row) for row in rows]


def replace_possible(db: Connection, customer_ids: Sequence[str], found: Iterable[PossibleMatch]) -> None:
    """What may be one among these customers is this, from now on."""
    db.execute(
        text(
            """
            DELETE FROM identity.possible_match
            WHERE one_id = ANY (CAST(:ids AS text[])) OR other_id = ANY (CAST(:ids AS text[]))
            """
        ),
        {"ids": list(customer_ids)},
    )
    rows = list(found)
    db.execute(
        text(
            """
            INSERT INTO identity.possible_match (one_id, other_id, micro_bits, evidence, found_at)
            SELECT one, other, bits, CAST(evidence AS jsonb), found_at
            FROM unnest(CAST(:ones AS text[]), CAST(:others AS text[]), CAST(:bits AS int[]),
                        CAST(:evidence AS text[]), CAST(:times AS timestamptz[]))
                AS n (one, other, bits, evidence, found_at)
            """
        ),
        {
            "ones": [min(row.one_id, row.other_id) for row in rows],
            "others": [max(row.one_id, row.other_id) for row in rows],
            "bits": [row.micro_bits for row in rows],
            "evidence": [json.dumps(row.evidence) for row in rows],
            "times": [row.found_at for row in rows],
        },
    )


def possible_matches(db: Connection, *, limit: int, after: int = 0) -> tuple[list[PossibleMatch], int]:
    """A page of possible matches, the likeliest first, and how many there are."""
    total = int(db.scalar(text("SELECT count(*) FROM identity.possible_match")) or 0)
    rows = db.execute(
        text(
            """
            SELECT one_id, other_id, micro_bits, evidence, found_at FROM identity.possible_match
            ORDER BY micro_bits DESC, one_id, other_id LIMIT :limit OFFSET :after
            """
        ),
        {"limit": limit, "after": after},
    )
    return [PossibleMatch(one, other, bits, tuple(told), at) for one, other, bits, told, at in rows], total


@dataclass(frozen=True, slots=True)
class MatchMerge:
    """A merge by weight as it was explained when it was made."""

    absorbed_id: str
    customer_id: str
    micro_bits: int
    evidence: tuple[Mapping[str, Any], ...]
    model_hash: str


def add_match_merges(db: Connection, merges: Sequence[MatchMerge], *, now: datetime) -> None:
    """Keep how merges by weight were explained."""
    db.execute(
        text(
            """
            INSERT INTO identity.match_merge
                (absorbed_id, customer_id, micro_bits, evidence, model_hash, merged_at)
            SELECT absorbed, kept, bits, CAST(evidence AS jsonb), model, :now
            FROM unnest(CAST(:absorbed AS text[]), CAST(:kept AS text[]), CAST(:bits AS int[]),
                        CAST(:evidence AS text[]), CAST(:models AS text[]))
                AS n (absorbed, kept, bits, evidence, model)
            """
        ),
        {
            "absorbed": [merge.absorbed_id for merge in merges],
            "kept": [merge.customer_id for merge in merges],
            "bits": [merge.micro_bits for merge in merges],
            "evidence": [json.dumps(merge.evidence) for merge in merges],
            "models": [merge.model_hash for merge in merges],
            "now": now,
        },
    )


def match_merges(db: Connection, customer_ids: Sequence[str]) -> list[MatchMerge]:
    """How merges of these customers were explained, the oldest first."""
    rows = db.execute(
        text(
            """
            SELECT absorbed_id, customer_id, micro_bits, evidence, model_hash FROM identity.match_merge
            WHERE absorbed_id = ANY (:ids) ORDER BY merge_no
            """
        ),
        {"ids": list(customer_ids)},
    )
    return [MatchMerge(one, other, bits, tuple(told), model) for one, other, bits, told, model in rows]


def _added(
    db: Connection,
    verdict: str,
    customer_ids: Sequence[str],
    other_ids: Sequence[str],
    undoes: int | None,
    reason: str,
    by: str,
    now: datetime,
) -> int:
    return int(
        db.scalar(
            text(
                """
                INSERT INTO identity.ruling
                    (verdict, customer_ids, other_ids, undoes, reason, ruled_by, ruled_at)
                VALUES (:verdict, :ones, :others, :undoes, :reason, :by, :now) RETURNING ruling_no
                """
            ),
            {
                "verdict": verdict,
                "ones": list(customer_ids),
                "others": list(other_ids),
                "undoes": undoes,
                "reason": reason,
                "by": by,
                "now": now,
            },
        )
        or 0
    )


def _ruling(row: Any) -> Ruling:
    return Ruling(
        row.ruling_no,
        Verdict(row.verdict),
        tuple(row.customer_ids),
        tuple(row.other_ids),
        row.reason,
        row.ruled_by,
        row.ruled_at,
        row.undone_by,
    )
