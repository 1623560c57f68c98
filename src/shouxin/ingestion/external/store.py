"""SQL of external enquiries: breakers, calls, how enquiries ended, and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text

from shouxin.ingestion.external.domain import (
    FAILED,
    Breaker,
    BreakerState,
    Enquired,
    FailedEnquiry,
    Outcome,
    Product,
    ProductCount,
)


def held_breaker(db: Connection, provider: str, *, fallback: Breaker) -> Breaker:
    """The breaker of a provider, locked until the transaction ends: money and trials go one by one."""
    db.execute(
        text(
            """
            INSERT INTO ingestion.external_breaker (provider, state, failures, since)
            VALUES (:provider, :state, :failures, :since) ON CONFLICT DO NOTHING
            """
        ),
        {
            "provider": provider,
            "state": fallback.state.value,
            "failures": fallback.failures,
            "since": fallback.since,
        },
    )
    found = find_breaker(db, provider, lock="FOR UPDATE")
    assert found is not None
    return found


def find_breaker(db: Connection, provider: str, *, lock: str = "") -> Breaker | None:
    """The breaker of a provider; None before its first call."""
    row = db.execute(
        text(
            f"SELECT state, failures, since, trial FROM ingestion.external_breaker"
            f" WHERE provider = :provider {lock}"
        ),
        {"provider": provider},
    ).one_or_none()
    return None if row is None else Breaker(BreakerState(row.state), row.failures, row.since, row.trial)


def set_breaker(db: Connection, provider: str, breaker: Breaker) -> None:
    """Where the breaker stands now."""
    db.execute(
        text(
            """
            UPDATE ingestion.external_breaker
            SET state = :state, failures = :failures, since = :since, trial = :trial
            WHERE provider = :provider
            """
        ),
        {
            "provider": provider,
            "state": breaker.state.value,
            "failures": breaker.failures,
            "since": breaker.since,
            "trial": breaker.trial,
        },
    )


def spent_minor(db: Connection, provider: str, *, currency: str, since: datetime) -> int:
    """What was spent at a provider since an instant, disputed answers and calls without an end included."""
    return int(
        db.scalar(
            text(
                """
                SELECT coalesce(sum(coalesce(e.cost_minor + e.disputed_minor, c.reserved_minor)), 0)
                FROM ingestion.external_call c LEFT JOIN ingestion.external_enquiry e USING (enquiry_id)
                WHERE c.provider = :provider AND c.currency = :currency AND c.called_at >= :since
                """
            ),
            {"provider": provider, "currency": currency, "since": since},
        )
    )


def in_flight(
    db: Connection, product: Product, references: Sequence[tuple[str, str]], *, since: datetime
) -> bool:
    """Whether a call of this product about one of these references went out since and has not ended."""
    return bool(
        db.scalar(
            text(
                """
                SELECT EXISTS (
                    SELECT FROM ingestion.external_call c
                    JOIN unnest(CAST(:sources AS text[]), CAST(:refs AS text[])) AS r (source, customer_ref)
                      ON r.source = c.source AND r.customer_ref = c.customer_ref
                    WHERE c.provider = :provider AND c.product = :product AND c.called_at > :since
                      AND NOT EXISTS (SELECT FROM ingestion.external_enquiry e
                                      WHERE e.enquiry_id = c.enquiry_id)
                )
                """
            ),
            {
                "sources": [source for source, _ in references],
                "refs": [ref for _, ref in references],
                "provider": product.provider,
                "product": product.code,
                "since": since,
            },
        )
    )


def add_call(
    db: Connection, enquiry_id: str, *, product: Product, reference: tuple[str, str], now: datetime
) -> None:
    """A call is about to go out, and may cost the price."""
    db.execute(
        text(
            """
            INSERT INTO ingestion.external_call
                (enquiry_id, provider, product, source, customer_ref, reserved_minor, currency, called_at)
            VALUES (:enquiry_id, :provider, :product, :source, :customer_ref, :reserved, :currency, :now)
            """
        ),
        {
            "enquiry_id": enquiry_id,
            "provider": product.provider,
            "product": product.code,
            "source": reference[0],
            "customer_ref": reference[1],
            "reserved": product.price.minor,
            "currency": product.price.currency,
            "now": now,
        },
    )


def add_enquiry(
    db: Connection, ended: Enquired, *, reference: tuple[str, str], asked_at: datetime, now: datetime
) -> None:
    """How an enquiry ended."""
    latency_ms = None if ended.latency is None else round(ended.latency.total_seconds() * 1000)
    db.execute(
        text(
            """
            INSERT INTO ingestion.external_enquiry
                (enquiry_id, provider, product, source, customer_ref, outcome, cost_minor, disputed_minor,
                 currency, attempts, latency_ms, answer_event, asked_at, ended_at)
            VALUES (:enquiry_id, :provider, :product, :source, :customer_ref, :outcome, :cost, :disputed,
                    :currency, :attempts, :latency_ms, :answer_event, :asked_at, :now)
            """
        ),
        {
            "enquiry_id": ended.enquiry_id,
            "provider": ended.provider,
            "product": ended.product,
            "source": reference[0],
            "customer_ref": reference[1],
            "outcome": ended.outcome.value,
            "cost": ended.cost.minor,
            "disputed": ended.disputed.minor,
            "currency": ended.cost.currency,
            "attempts": ended.attempts,
            "latency_ms": latency_ms,
            "answer_event": ended.answer_event,
            "asked_at": asked_at,
            "now": now,
        },
    )


def product_counts(db: Connection, *, since: datetime, until: datetime) -> list[ProductCount]:
    """Enquiries asked in ``[since, until)``, by provider and product."""
    rows = db.execute(
        text(
            """
            WITH counted AS (
                SELECT provider, product, outcome, count(*) AS number
                FROM ingestion.external_enquiry WHERE asked_at >= :since AND asked_at < :until
                GROUP BY provider, product, outcome
            ), summed AS (
                SELECT provider, product, sum(cost_minor)::bigint AS cost_minor,
                       sum(disputed_minor)::bigint AS disputed_minor,
                       percentile_disc(0.5) WITHIN GROUP (ORDER BY latency_ms) AS median,
                       percentile_disc(0.95) WITHIN GROUP (ORDER BY latency_ms) AS p95
                FROM ingestion.external_enquiry WHERE asked_at >= :since AND asked_at < :until
                GROUP BY provider, product
            )
            SELECT s.*, (SELECT jsonb_object_agg(c.outcome, c.number) FROM counted c
                         WHERE c.provider = s.provider AND c.product = s.product) AS outcomes
            FROM summed s ORDER BY s.provider, s.product
            """
        ),
        {"since": since, "until": until},
    )
    return [
        ProductCount(
            row.provider,
            row.product,
            {outcome: row.outcomes[outcome.value] for outcome in Outcome if outcome.value in row.outcomes},
            row.cost_minor,
            row.disputed_minor,
            row.median,
            row.p95,
        )
        for row in rows
    ]


def list_failed(db: Connection, *, limit: int) -> list[FailedEnquiry]:
    """The newest enquiries that failed."""
    rows = db.execute(
        text(
            """
            SELECT provider, product, outcome, attempts, asked_at FROM ingestion.external_enquiry
            WHERE outcome = ANY (:failed) ORDER BY asked_at DESC, enquiry_id LIMIT :limit
            """
        ),
        {"failed": sorted(outcome.value for outcome in FAILED), "limit": limit},
    )
    return [FailedEnquiry(r.provider, r.product, Outcome(r.outcome), r.attempts, r.asked_at) for r in rows]
