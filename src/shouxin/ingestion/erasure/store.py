"""What is held of some references: SQL in, values out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, RowMapping, text

Reference = tuple[str, str]
_GIVEN = "unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)"


def remove_personal(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove sealed values and their tokens; returns how many."""
    return db.execute(
        text(
            f"""
            DELETE FROM ingestion.personal p USING {_GIVEN}
            WHERE p.source = r.source AND p.customer_ref = r.customer_ref
            """
        ),
        _columns(refs),
    ).rowcount


def remove_codes(db: Connection, refs: Sequence[Reference]) -> int:
    """Remove one-time codes that were sent; returns how many."""
    return db.execute(
        text(
            f"""
            DELETE FROM ingestion.verification_code c USING {_GIVEN}
            WHERE c.source = r.source AND c.customer_ref = r.customer_ref
            """
        ),
        _columns(refs),
    ).rowcount


def refused_rows_of(
    db: Connection, refs: Sequence[Reference], *, subjects: Sequence[str]
) -> list[RowMapping]:
    """Number and sealing subject of the refused rows of these references that still hold something."""
    rows = db.execute(
        text(
            f"""
            SELECT quarantine_no, subject FROM ingestion.quarantine
            WHERE sealed IS NOT NULL AND (
                subject = ANY (:subjects)
                OR (source, customer_ref) IN (SELECT r.source, r.customer_ref FROM {_GIVEN}))
            """
        ),
        {**_columns(refs), "subjects": list(subjects)},
    )
    return list(rows.mappings())


def refused_rows(db: Connection, *, after: int, limit: int) -> list[RowMapping]:
    """The next refused rows that hold something, and whether a customer in the log is named in each."""
    rows = db.execute(
        text(
            """
            SELECT quarantine_no, subject, sealed, EXISTS (
                SELECT FROM ingestion.event e WHERE e.source = q.source AND e.customer_ref = q.customer_ref
            ) AS of_customer
            FROM ingestion.quarantine q
            WHERE sealed IS NOT NULL AND quarantine_no > :after ORDER BY quarantine_no LIMIT :limit
            """
        ),
        {"after": after, "limit": limit},
    )
    return list(rows.mappings())


def empty_rows(db: Connection, numbers: Sequence[int]) -> None:
    """Forget what these refused rows held."""
    db.execute(
        text("UPDATE ingestion.quarantine SET sealed = NULL WHERE quarantine_no = ANY (:numbers)"),
        {"numbers": list(numbers)},
    )


def _columns(refs: Sequence[Reference]) -> dict[str, list[str]]:
    return {"sources": [source for source, _ in refs], "refs": [ref for _, ref in refs]}
