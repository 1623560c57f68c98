"""What the simulated shop is for: shocks, gangs, merchants and experiments that can be found.

What is found is found in the events alone; the truth only says whether it is right.
"""

from collections import defaultdict
from datetime import date, datetime, timedelta
from itertools import combinations

import duckdb
import numpy as np
import pyarrow.parquet as pq
import pytest

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.simulation import simulate

START = date(2024, 7, 1)
KEYS = Keyring.from_master(b"k" * 32)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """10,000 customers, eighteen months, none live: (folder, report)."""
    out = tmp_path_factory.mktemp("deep")
    return out, simulate(out, customers=10_000, months=18, start=START, seed=7, live_days=0)


def truth(folder, name):
    return pq.read_table(folder / f"truth/{name}.parquet").to_pylist()


def test_the_door_takes_everything_that_happens_even_where_consent_is_asked_for(db, now, tmp_path):
    ingestion.consent.set_policy(db, "shop", ingestion.consent.STANDARD_POLICY, by="sun.yue", now=now)
    report = simulate(
        tmp_path, customers=150, months=6, start=START, seed=4, live_days=20, visits_a_month=2.0
    )
    files = [*sorted((tmp_path / "events").iterdir()), *sorted((tmp_path / "live/events").iterdir())]
    receipts = [ingestion.load_file(db, file, keyring=KEYS, now=now) for file in files]
    assert sum(receipt.quarantined for receipt in receipts) == 0
    assert sum(receipt.accepted for receipt in receipts) == report.events + report.live_events


def test_a_shock_stands_out_in_what_is_paid_late(shop):
    out, report = shop
    due, late = np.zeros(560), np.zeros(560)
    for day, all_due, overdue in duckdb.execute(LATE_BY_DAY.format(out)).fetchall():
        due[day], late[day] = all_due, overdue

    def rise(begin):
        """The late share of sixty days against the ninety days before them."""
        now, before = slice(begin, begin + 60), slice(begin - 90, begin)
        return (late[now].sum() / due[now].sum()) / (late[before].sum() / due[before].sum())

    # From the day on which the book is seven months old: a young one worsens by itself.
    found = max(range(210, 450, 5), key=rise)
    (shock,) = truth(out, "shocks")
    true_day = (shock["starts_at"].astimezone().date() - START).days
    assert rise(found) > 1.25
    assert abs(found - true_day) <= 30
    (told,) = report.shocks
    assert told["severity"] == shock["severity"] >= 2
    assert told["stress_ratio"] == pytest.approx(shock["severity"], rel=0.35)
    assert told["stress_a_day"]["after"] < 0.7 * told["stress_a_day"]["in"]


LATE_BY_DAY = """
WITH e AS (
  SELECT DISTINCT ON (source_id) kind, occurred_at, payload ->> '$.plan_id' AS plan,
    payload ->> '$.number' AS number, (payload ->> '$.days_past_due')::INT AS days
  FROM '{}/events/*.parquet' WHERE kind LIKE 'instalment_%')
SELECT date_diff('day', TIMESTAMPTZ '2024-07-01 00:00:00+08', due.occurred_at), count(*), count(late.plan)
FROM e AS due LEFT JOIN e AS late
  ON due.plan = late.plan AND due.number = late.number AND late.kind = 'instalment_overdue' AND late.days = 1
WHERE due.kind = 'instalment_due' GROUP BY 1
"""


def test_gangs_are_those_who_share_a_device(shop):
    out, report = shop
    rows = duckdb.execute(
        f"""SELECT personal ->> '$.device', list(DISTINCT customer_ref) FROM '{out}/events/*.parquet'
        WHERE personal ->> '$.device' IS NOT NULL GROUP BY 1 HAVING count(DISTINCT customer_ref) >= 3"""
    ).fetchall()
    found = {frozenset(pair) for _, people in rows for pair in combinations(sorted(people), 2)}
    gangs = defaultdict(list)
    for row in truth(out, "customers"):
        if row["gang"]:
            gangs[row["gang"]].append(row["customer_ref"])
    true = {frozenset(pair) for people in gangs.values() for pair in combinations(sorted(people), 2)}
    assert len(found & true) >= 0.95 * len(found)
    assert len(found & true) >= 0.70 * len(true)
    told = report.gangs
    assert (told["ring"]["gangs"], told["farm"]["gangs"]) == (6, 2)
    assert told["ring"]["members"] + told["farm"]["members"] == sum(map(len, gangs.values()))
    assert told["ring"]["shared_devices"] >= 5


def test_rings_and_planned_frauds_borrow_and_vanish(shop):
    out, report = shop
    told = report.customers_by_kind
    assert told["bust_out"]["defaulted"] > 0.4 > 3 * told["steady"]["defaulted"]
    assert told["ring"]["defaulted"] > 2 * told["steady"]["defaulted"]
    assert told["stressed"]["defaulted"] > told["steady"]["defaulted"] > told["thin_file"]["defaulted"]
    assert told["farm"]["lines"] == 0
    assert sum(row["customers"] for row in told.values()) == 10_000
    counted = duckdb.execute(
        f"SELECT kind, count(*) FROM '{out}/truth/customers.parquet' GROUP BY 1"
    ).fetchall()
    assert dict(counted) == {kind: row["customers"] for kind, row in told.items() if row["customers"]}


def test_merchants_deal_as_they_are(shop):
    """Late deliveries and refunds of each kind of merchant, read from the events."""
    out, report = shop
    rows = duckdb.execute(
        f"""WITH e AS (SELECT DISTINCT ON (source_id) * FROM '{out}/events/*.parquet'),
        o AS (SELECT order_ref, payload ->> '$.merchant_ref' AS merchant_ref FROM e
          WHERE kind = 'order_placed'),
        f AS (SELECT order_ref, bool_or((payload ->> '$.days_late')::INT > 0) AS late,
            bool_or(kind = 'refund_issued') AS refunded, bool_or(kind = 'complaint_filed') AS complained
          FROM e GROUP BY 1)
        SELECT dealing, count(*), avg(coalesce(late, false)::INT), avg(refunded::INT), avg(complained::INT)
        FROM o JOIN f USING (order_ref) JOIN '{out}/truth/merchants.parquet' USING (merchant_ref)
        GROUP BY 1"""
    ).fetchall()
    seen = {dealing: figures for dealing, *figures in rows}
    assert seen["slow"][1] > 4 * seen["good"][1]
    assert seen["counterfeit"][2] > 2 * seen["good"][2]
    assert seen["fake_shipping"][3] > 10 * seen["good"][3]
    for dealing, (orders, *_) in seen.items():
        assert report.merchants[dealing]["orders"] == pytest.approx(orders, abs=20)


def test_theory_shows_in_the_arms(shop):
    """A dear line is taken by fewer (adverse selection); more lent defaults more (moral hazard)."""
    _, report = shop
    limit, price = report.limit_experiment, report.price_experiment
    assert price["low"]["taken"] > price["standard"]["taken"] > price["high"]["taken"] + 0.1
    assert limit["low"]["taken"] == pytest.approx(limit["high"]["taken"], abs=0.04)
    assert limit["low"]["defaulted"] < limit["high"]["defaulted"]


def test_who_takes_a_dear_line_is_riskier(shop):
    out, _ = shop
    risks = defaultdict(list)
    for row in truth(out, "customers"):
        if row["has_line"]:
            risks[row["price_arm"]].append(row["latent_risk"])
    means = {arm: float(np.mean(values)) for arm, values in risks.items()}
    assert means["low"] < means["high"] - 0.2


def test_an_outside_score_knows_a_little_and_not_everybody(shop):
    out, _ = shop
    rows = duckdb.execute(
        f"""SELECT DISTINCT ON (source_id) customer_ref, payload ->> '$.outcome' AS outcome,
          (payload ->> '$.score')::INT AS score, latent_risk, c.kind
        FROM '{out}/events/*.parquet' e JOIN '{out}/truth/customers.parquet' c USING (customer_ref)
        WHERE e.kind = 'external_score_received' AND payload ->> '$.product' = 'sesame_score'"""
    ).fetchall()
    thin = [outcome == "unknown_person" for _, outcome, _, _, kind in rows if kind == "thin_file"]
    steady = [outcome == "unknown_person" for _, outcome, _, _, kind in rows if kind == "steady"]
    assert np.mean(thin) > 0.4
    assert 0.03 < np.mean(steady) < 0.15
    known = [(score, risk) for _, _, score, risk, _ in rows if score is not None]
    assert all(350 <= score <= 950 for score, _ in known)
    assert -0.7 < np.corrcoef(np.array(known).T)[0, 1] < -0.35


def test_nothing_is_asked_outside_without_agreement_or_after_it_is_withdrawn(shop):
    out, _ = shop
    agreed, withdrawn, answers = {}, {}, []
    for kind, ref, at in duckdb.execute(
        f"""SELECT kind, customer_ref, epoch_us(occurred_at) FROM '{out}/events/*.parquet'
        WHERE kind = 'external_score_received' OR payload ->> '$.purpose' = 'external_data'"""
    ).fetchall():
        if kind == "consent_given":
            agreed[ref] = at
        elif kind == "consent_withdrawn":
            withdrawn[ref] = at
        else:
            answers.append((ref, at))
    assert withdrawn and len(answers) > 5_000
    assert all(agreed[ref] < at for ref, at in answers)
    assert all(at < withdrawn[ref] for ref, at in answers if ref in withdrawn)


def test_surveys_know_who_waited(shop):
    out, _ = shop
    rows = duckdb.execute(
        f"""WITH e AS (SELECT DISTINCT ON (source_id) * FROM '{out}/events/*.parquet')
        SELECT coalesce((d.payload ->> '$.days_late')::INT, 0) > 0, avg((s.payload ->> '$.satisfaction')::INT)
        FROM e AS s JOIN e AS d USING (order_ref)
        WHERE s.kind = 'survey_answered' AND d.kind = 'order_delivered' GROUP BY 1"""
    ).fetchall()
    satisfied = dict(rows)
    assert satisfied[True] < satisfied[False] - 0.4


def test_more_is_bought_on_sale_days_and_for_less(shop):
    out, _ = shop
    rows = duckdb.execute(
        f"""SELECT (occurred_at AT TIME ZONE 'Asia/Shanghai')::DATE = DATE '2024-11-11' AS sale,
          avg(ln(e.amount_minor / (e.payload ->> '$.items')::INT)) AS price
        FROM '{out}/events/*.parquet' e WHERE kind = 'order_placed'
          AND occurred_at BETWEEN TIMESTAMPTZ '2024-11-01 00:00+08' AND TIMESTAMPTZ '2024-11-12 00:00+08'
          AND e.payload ->> '$.category' = 'grocery' GROUP BY 1"""
    ).fetchall()
    prices = dict(rows)
    assert prices[True] < prices[False] - 0.05


def test_people_who_browse_leave_many_more_looks_and_nothing_else_changes(tmp_path):
    asked = {"customers": 300, "months": 3, "start": START, "seed": 5, "live_days": 0}
    quiet = simulate(tmp_path / "quiet", **asked)
    busy = simulate(tmp_path / "busy", visits_a_month=6.0, **asked)
    grown = {kind for kind, count in busy.by_kind.items() if count != quiet.by_kind.get(kind)}
    assert grown == {"login_recorded", "product_viewed", "cart_changed"}
    assert busy.by_kind["product_viewed"] > 10 * quiet.by_kind["product_viewed"]
    assert busy.default_rate_180d == quiet.default_rate_180d


def test_the_shock_is_dated_in_the_report(shop):
    _, report = shop
    (told,) = report.shocks
    first, last = date.fromisoformat(told["first_day"]), date.fromisoformat(told["last_day"])
    assert timedelta(days=58) < last - first < timedelta(days=92)
    assert START < first < datetime.fromisoformat(report.history_ends_at).date()
    assert report.seasons["11.11 2024"] > 2
    assert report.seasons["Spring Festival week 2025"] < 0.6
