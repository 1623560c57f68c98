"""A whole simulated shop, read as the house would read it, and judged by its truth."""

import json
import zlib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from shouxin.ingestion.domain import Refusal, check_row
from shouxin.simulation import read_checkouts, simulate

START = date(2024, 7, 1)
LATER = datetime(2030, 1, 1, tzinfo=UTC)
KINDS = {
    "customer_registered", "customer_updated", "customer_verified", "login_recorded", "product_viewed",
    "cart_changed", "order_placed", "order_paid", "order_cancelled", "order_shipped", "order_delivered",
    "delivery_refused", "return_requested", "refund_issued", "review_posted", "complaint_filed",
    "violation_recorded", "line_opened", "line_limit_changed", "instalment_due", "instalment_overdue",
    "repayment_received", "consent_given", "consent_withdrawn", "external_score_received", "survey_answered",
    "payment_failed", "chargeback_received", "membership_changed",
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """400 customers, a year, two months live: (folder, report)."""
    out = tmp_path_factory.mktemp("small")
    steps = []
    report = simulate(
        out, customers=400, months=12, start=START, seed=11, live_days=60,
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert steps == [(n, steps[0][1]) for n in range(1, steps[0][1] + 1)]
    return out, report


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """8,000 customers, eighteen months, none live: (folder, report)."""
    out = tmp_path_factory.mktemp("shop")
    return out, simulate(out, customers=8000, months=18, start=START, seed=7, live_days=0)


def rows(folder: Path, name: str = "events/*.parquet"):
    files = sorted(folder.glob(name))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def digests(folder: Path):
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_two_runs_are_equal_to_the_byte_and_seeds_differ(tmp_path):
    def run(name, seed):
        asked = {"customers": 60, "months": 4, "start": START, "live_days": 30}
        simulate(tmp_path / name, seed=seed, **asked)
        return digests(tmp_path / name)

    first = run("a", 5)
    assert first == run("b", 5)
    assert first != run("c", 6)
    # A smaller world in the same place leaves no stale month behind.
    simulate(tmp_path / "a", customers=60, months=3, start=START, seed=5, live_days=30)
    assert len(list((tmp_path / "a/events").iterdir())) == 3


def test_every_event_passes_the_rules_of_the_door(small):
    out, _ = small
    refused = [
        (row["kind"], refusal.field, refusal.reason)
        for row in rows(out) + rows(out, "live/events/*.parquet")
        if isinstance(refusal := check_row(row, now=LATER), Refusal)
    ]
    assert not refused[:5]


def test_all_kinds_occur_and_the_report_counts_them(shop):
    out, report = shop
    counted = duckdb.sql(
        f"SELECT kind, count(DISTINCT source_id) FROM '{out}/events/*.parquet' GROUP BY 1"
    ).fetchall()
    assert dict(counted) == report.by_kind
    assert set(report.by_kind) == KINDS
    assert json.loads((out / "report.json").read_text()) == report.as_data()


def test_files_are_in_the_order_of_learning_and_ids_are_unique_but_for_exact_repeats(small):
    out, report = small
    read = rows(out) + rows(out, "live/events/*.parquet")
    received = [row["received_at"] for row in read]
    assert received == sorted(received)
    assert all(row["received_at"] >= row["occurred_at"] for row in read)
    distinct = {row["source_id"]: row for row in read}
    assert report.duplicates > 0
    assert all(distinct[row["source_id"]] == row for row in read)
    assert len(distinct) == report.events + report.live_events


def test_some_refunds_and_repayments_are_learnt_days_later(shop):
    out, _ = shop
    late = dict(
        duckdb.sql(
            "SELECT kind, avg((received_at - occurred_at > INTERVAL 6 HOUR)::INT) "
            f"FROM '{out}/events/*.parquet' GROUP BY 1"
        ).fetchall()
    )
    assert 0.02 < late["refund_issued"] < 0.08
    assert 0.04 < late["repayment_received"] < 0.06
    assert late["order_placed"] == 0


def test_the_seasons_are_visible(shop):
    out, _ = shop
    orders = duckdb.sql(
        f"""SELECT (occurred_at AT TIME ZONE 'Asia/Shanghai')::DATE AS day, count(DISTINCT order_ref) n
        FROM '{out}/events/*.parquet' WHERE kind = 'order_placed' GROUP BY 1"""
    ).fetchall()
    by_day = dict(orders)

    def week(first):
        return sum(by_day.get(first + timedelta(days=n), 0) for n in range(7))

    usual = week(date(2024, 10, 14))
    assert week(date(2024, 11, 5)) > 1.4 * usual  # up to and with 11.11
    assert week(date(2025, 6, 12)) > 1.2 * week(date(2025, 5, 12))
    assert week(date(2025, 1, 29)) < 0.7 * week(date(2025, 1, 15))


def test_the_truth_is_apart_and_agrees_with_what_happens(small):
    out, _ = small
    events = pq.read_schema(next((out / "events").glob("*.parquet")))
    truth = pq.read_table(out / "truth/customers.parquet").to_pylist()
    assert not {"latent_risk", "stops_paying_at", "gang"} & set(events.names)
    assert not any("risk" in row["payload"] for row in rows(out))
    told = {
        row["customer_ref"]
        for row in rows(out) + rows(out, "live/events/*.parquet")
        if row["kind"] == "instalment_overdue" and json.loads(row["payload"])["days_past_due"] == 60
    }
    assert told == {row["customer_ref"] for row in truth if row["first_default_at"]}
    assert len(truth) == 400


def test_abusers_ask_for_money_without_goods(shop):
    out, _ = shop
    share = dict(
        duckdb.sql(
            f"""SELECT c.kind = 'refund_abuser',
              sum((payload LIKE '%refund_only%')::INT) / count(DISTINCT customer_ref)
            FROM '{out}/events/*.parquet' JOIN '{out}/truth/customers.parquet' c USING (customer_ref)
            GROUP BY 1"""
        ).fetchall()
    )
    assert share[True] > 10 * share[False] > 0


def test_instalments_are_told_once_and_in_order(small):
    out, _ = small
    seen = {}
    for row in rows(out) + rows(out, "live/events/*.parquet"):
        if row["kind"] in {"instalment_due", "instalment_overdue", "repayment_received"}:
            payload = json.loads(row["payload"])
            key = (payload["plan_id"], payload["number"])
            seen.setdefault(key, {})[(row["kind"], payload.get("days_past_due"))] = row["occurred_at"]
    assert len(seen) > 300
    for facts in seen.values():
        paid = [(days, at) for (kind, days), at in facts.items() if kind == "repayment_received"]
        overdue = sorted(days for kind, days in facts if kind == "instalment_overdue")
        assert len(paid) <= 1
        assert overdue == [1, 30, 60, 90][: len(overdue)]
        if paid:
            days, at = paid[0]
            assert all(day <= days for day in overdue)
            assert days == 0 or ("instalment_overdue", 1) in facts
            assert all(at > when for (kind, _), when in facts.items() if kind == "instalment_overdue")


def test_live_checkouts_are_new_orders_that_the_events_do_not_tell(small):
    out, report = small
    intents = list(read_checkouts(out / "live/checkouts.parquet"))
    told = {row["order_ref"] for row in rows(out) + rows(out, "live/events/*.parquet")}
    assert len(intents) == report.live_checkouts == 40
    assert not {intent.order_ref for intent in intents} & told
    assert [intent.at for intent in intents] == sorted(intent.at for intent in intents)
    assert datetime.fromisoformat(report.history_ends_at) <= intents[0].at
    assert intents[-1].at < datetime.fromisoformat(report.live_ends_at)
    assert all(intent.amount.minor > 0 and intent.amount.currency == "CNY" for intent in intents)


def test_between_two_and_six_in_a_hundred_lines_default_in_180_days(shop):
    _, report = shop
    assert 0.02 <= report.default_rate_180d <= 0.06


def test_default_is_as_hard_to_foresee_as_in_life(shop):
    """Out of time, all that can be seen reaches an AUC like real credit books, and never an easy one."""
    out, report = shop
    test_at = datetime.fromisoformat(report.history_ends_at) - timedelta(days=180)
    trained = [aggregates(out, test_at - timedelta(days=180 + 30 * step)) for step in range(4)]
    train = [(x[~held], y[~held]) for x, y, held in trained]
    model = HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=100, random_state=0
    ).fit(np.vstack([x for x, _ in train]), np.concatenate([y for _, y in train]))
    x, y, _ = aggregates(out, test_at)
    pd = model.predict_proba(x)[:, 1]
    assert 0.78 <= roc_auc_score(y, pd) <= 0.88
    # Grades must part: many customers far below the mean, and a tail that defaults in droves.
    assert (pd < 0.015).mean() > 0.4
    low, high = pd < np.quantile(pd, 0.5), pd > np.quantile(pd, 0.97)
    assert y[low].mean() < 0.012
    assert y[high].mean() > 0.15


def aggregates(folder: Path, as_of: datetime):
    """(features, defaulted in the next 180 days, held out) of the lines not in default at ``as_of``."""
    query = f"""
    WITH e AS (
      SELECT DISTINCT ON (source_id) *, date_diff('hour', occurred_at, $as_of) / 24.0 AS age,
        (payload ->> 'days_past_due')::INT AS dpd, payload ->> 'payment_method' AS method,
        hour(occurred_at AT TIME ZONE 'Asia/Shanghai') AS hour
      FROM (SELECT * REPLACE (payload::JSON AS payload) FROM '{folder}/events/*.parquet')),
    known AS (SELECT * FROM e WHERE occurred_at <= $as_of AND received_at <= $as_of)
    SELECT customer_ref,
      count(*) FILTER (kind = 'order_placed' AND age < 90),
      count(*) FILTER (kind = 'order_placed' AND age < 180),
      avg(amount_minor) FILTER (kind = 'order_placed' AND age < 180), min(age) FILTER (kind = 'order_placed'),
      max(age), count(*) FILTER (kind = 'order_cancelled' AND age < 180),
      count(*) FILTER (kind = 'refund_issued' AND age < 180),
      count(*) FILTER (method = 'credit' AND age < 90), count(*) FILTER (method = 'credit' AND age < 180),
      count(*) FILTER (kind = 'repayment_received' AND dpd > 0 AND age < 180),
      count(*) FILTER (kind = 'repayment_received' AND dpd = 0 AND age < 180),
      coalesce(max(dpd) FILTER (age < 180), 0), coalesce(max(dpd) FILTER (age < 45), 0),
      count(*) FILTER (kind = 'order_placed' AND hour < 6 AND age < 180),
      max_by((payload ->> 'score')::INT, occurred_at) FILTER (kind = 'external_score_received'),
      max((payload ->> 'overdue_loans')::INT) FILTER (kind = 'external_score_received'),
      count(*) FILTER (kind = 'login_recorded' AND age < 90),
      count(*) FILTER (kind = 'complaint_filed' AND age < 180),
      (coalesce(sum(amount_minor) FILTER (method = 'credit'), 0)
       - coalesce(sum(amount_minor) FILTER (kind = 'repayment_received'), 0))
      / max(amount_minor) FILTER (kind IN ('line_opened', 'line_limit_changed'))
    FROM known GROUP BY customer_ref
    HAVING count(*) FILTER (kind = 'line_opened') > 0
      AND count(*) FILTER (kind = 'instalment_overdue' AND dpd >= 60 AND age < 180) = 0
    ORDER BY customer_ref"""
    found = duckdb.execute(query, {"as_of": as_of}).fetchall()
    defaulted = {
        ref
        for (ref,) in duckdb.execute(
            f"""SELECT DISTINCT customer_ref FROM '{folder}/events/*.parquet'
            WHERE kind = 'instalment_overdue' AND (payload::JSON ->> 'days_past_due')::INT >= 60
            AND occurred_at > $as_of AND occurred_at <= $until""",
            {"as_of": as_of, "until": as_of + timedelta(days=180)},
        ).fetchall()
    }
    features = np.array([[np.nan if v is None else float(v) for v in row[1:]] for row in found])
    event = np.array([row[0] in defaulted for row in found], dtype=int)
    held_out = np.array([zlib.crc32(row[0].encode()) % 10 < 4 for row in found])
    return features, event, held_out
