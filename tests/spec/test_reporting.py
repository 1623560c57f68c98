"""What the tiles, the trends and the timeline tell."""

from datetime import date, timedelta

import pytest

from shouxin.kernel import Event, Money
from shouxin.reporting.domain import (
    LGD_ASSUMED,
    NOTEWORTHY,
    DayMetrics,
    ScorePoint,
    change_of,
    expected_loss_minor,
    overdue_of,
    sampled,
    tiles_of,
    told_event,
    told_grades,
)

TODAY = date(2026, 3, 2)


def day(back, **figures):
    whole = {
        "exposure": 1_000, "held": 100, "limit": 2_000, "overdue_m1": 30, "overdue_m2": 20, "overdue_m3": 10,
        "overdue_m3_plus": 5, "expected_loss": 7, "open_alerts": 3, "open_cases": 0,
    }  # fmt: skip
    return DayMetrics(TODAY - timedelta(days=back), "CNY", **(whole | figures))


# days back:value ...            unit    change
CHANGES = """
0:5                            | count | -
30:4 0:5                       | count | 0.25
29:4 0:5                       | count | -
90:9 31:4 10:7 0:5             | money | 0.25
30:0 0:5                       | count | -
40:0.10 0:0.15                 | ratio | 0.05
40:0 0:0.15                    | ratio | 0.15
"""


@pytest.mark.parametrize(
    ("series", "unit", "change"),
    [[cell.strip() for cell in line.split("|")] for line in CHANGES.strip().splitlines()],
)
def test_change_is_against_a_month_ago(series, unit, change):
    values = [(TODAY - timedelta(days=int(b)), float(v)) for b, v in (p.split(":") for p in series.split())]
    found = change_of(values, today=TODAY, unit=unit)
    assert found == (None if change == "-" else pytest.approx(float(change)))


def test_the_six_tiles():
    tiles = tiles_of([day(31, exposure=500), day(0)], today=TODAY, points_max=12)
    shown = {tile.key: (tile.value, tile.unit) for tile in tiles}
    assert shown == {
        "exposure": (1_000.0, "money"),
        "overdue_30": (0.035, "ratio"),
        "expected_loss": (7.0, "money"),
        "utilisation": (0.55, "ratio"),
        "open_alerts": (3.0, "count"),
        "open_cases": (0.0, "count"),
    }
    exposure = tiles[0]
    assert (exposure.trend, exposure.change, exposure.better) == ((500.0, 1_000.0), 1.0, None)


def test_trends_keep_their_ends():
    days = [day(back) for back in range(365, -1, -1)]
    shown = sampled(days, points_max=12)
    assert len(shown) == 12
    assert (shown[0], shown[-1]) == (days[0], days[-1])
    assert sampled(days[:3], points_max=12) == tuple(days[:3])
    point = overdue_of(shown)[-1]
    assert (point.day, point.m1, point.m3_plus) == (TODAY, 30, 5)


def test_expected_loss_is_pd_times_lgd_times_ead():
    assert LGD_ASSUMED == 0.75
    assert expected_loss_minor(0.04, exposure_minor=100_000) == 3_000
    assert expected_loss_minor(1.0, exposure_minor=100_000) == 75_000


TOLD = """
order_cancelled    |                          | info | Order cancelled
refund_issued      | refund_kind=refund_only  | warn | Refunded without return
refund_issued      | refund_kind=return       | info | Returned and refunded
review_posted      | rating=2                 | warn | Bad review (2 of 5)
review_posted      | rating=5                 | -    | -
repayment_received | days_past_due=0          | good | Repaid on time
repayment_received | days_past_due=12         | warn | Repaid 12 days late
instalment_overdue | days_past_due=30         | bad  | Instalment 30 days past due
payment_failed     |                          | warn | Payment failed
chargeback_received |                         | bad  | Payment taken back by the bank
product_viewed     |                          | -    | -
"""


@pytest.mark.parametrize(
    ("kind", "payload", "tone", "title"),
    [[cell.strip() for cell in line.split("|")] for line in TOLD.strip().splitlines()],
)
def test_the_timeline_tells_what_is_noteworthy(kind, payload, tone, title, now):
    fields = dict(pair.split("=") for pair in payload.split())
    event = Event(
        "shop", "1", kind, 1, "C1", now, now, amount=Money(500, "CNY"), order_ref="O1", payload=fields
    )
    entry = told_event(event)
    assert (entry.tone if entry else "-", entry.title.en if entry else "-") == (tone, title)
    assert entry is None or entry.detail.en == "CNY 5.00 · O1 · shop"
    assert (kind in NOTEWORTHY) == (kind != "product_viewed")


def test_a_grade_is_told_when_it_changes(now):
    points = [
        ScorePoint(now + timedelta(days=n), score, grade)
        for n, (grade, score) in enumerate([("A", 700), ("A", 690), ("C", 610), ("B", 650)])
    ]
    told = [(entry.tone, entry.title.en) for entry in told_grades(points)]
    assert told == [
        ("info", "First graded A"),
        ("bad", "Grade changed from A to C"),
        ("good", "Grade changed from C to B"),
    ]
