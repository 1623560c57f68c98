"""Features over a Parquet history, and the helpers that write such a history for other tests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shouxin.features import (
    CANCELS,
    CATALOGUE,
    DEFAULTS,
    UnableToLabel,
    UnableToReadHistory,
    compute,
    compute_at,
    evaluate,
    history_period,
    labels,
    training_points,
    training_set,
)
from shouxin.kernel import Event, Money

AS_OF = datetime(2026, 3, 1, tzinfo=UTC)


def event(
    kind: str,
    days_ago: float,
    *,
    ref: str = "C1",
    order: str | None = None,
    amount: str | None = None,
    currency: str = "CNY",
    late_days: float = 0,
    **payload: object,
) -> Event:
    """An event ``days_ago`` before AS_OF that was learnt ``late_days`` after it happened."""
    occurred = AS_OF - timedelta(days=days_ago)
    return Event(
        source="shop",
        source_id=f"{kind}-{ref}-{days_ago}-{order}",
        kind=kind,
        version=1,
        customer_ref=ref,
        occurred_at=occurred,
        received_at=occurred + timedelta(days=late_days),
        amount=Money.parse(amount, currency) if amount else None,
        order_ref=order,
        payload=payload,
    )


def write_history(folder: Path, events: Sequence[Event]) -> Path:
    """Write events as the Parquet history that batch features read; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    instant = pa.timestamp("us", tz="UTC")
    table = pa.table(
        {
            "event_no": pa.array(range(1, len(events) + 1), pa.int64()),
            "source": pa.array([e.source for e in events], pa.string()),
            "source_id": pa.array([e.source_id for e in events], pa.string()),
            "kind": pa.array([e.kind for e in events], pa.string()),
            "customer_ref": pa.array([e.customer_ref for e in events], pa.string()),
            "occurred_at": pa.array([e.occurred_at for e in events], instant),
            "received_at": pa.array([e.received_at for e in events], instant),
            "order_ref": pa.array([e.order_ref for e in events], pa.string()),
            "amount_minor": pa.array(
                [e.amount.minor if e.amount is not None else None for e in events], pa.int64()
            ),
            "currency": pa.array(
                [e.amount.currency if e.amount is not None else None for e in events], pa.string()
            ),
            "payload": pa.array([json.dumps(dict(e.payload)) for e in events], pa.string()),
        }
    )
    pq.write_table(table, folder / "events.parquet")
    return folder


def links_of(*references: str) -> pa.Table:
    """Each reference of the source ``shop`` is the customer ``cus_<reference>``."""
    return pa.table(
        {
            "source": pa.array(["shop"] * len(references), pa.string()),
            "customer_ref": pa.array(references, pa.string()),
            "customer_id": pa.array([f"cus_{ref}" for ref in references], pa.string()),
        }
    )


LIFE = [
    event("customer_registered", 400, channel="app"),
    event("order_placed", 70, order="O1", amount="100.00", items=1, payment_method="card"),
    event("order_placed", 20, order="O2", amount="300.00", items=2, payment_method="credit"),
    event("order_cancelled", 19, order="O2", late_days=60),
    event("repayment_received", 5, amount="100.00", plan_id="P1", days_past_due=12),
]


def only_row(table: pa.Table) -> dict[str, object]:
    rows = table.to_pylist()
    assert len(rows) == 1
    return rows[0]


def test_a_row_has_every_feature_of_the_catalogue_in_its_order(tmp_path):
    table = compute(write_history(tmp_path, LIFE), links_of("C1"), as_of=AS_OF)
    assert table.column_names == ["customer_id", "as_of", *(d.name for d in CATALOGUE)]
    row = only_row(table)
    assert (row["customer_id"], row["as_of"]) == ("cus_C1", AS_OF)
    assert (row["orders_90d"], row["spend_365d"], row["mean_order_value_365d"]) == (2.0, 400.0, 200.0)
    assert (row["tenure_days"], row["max_days_past_due_180d"]) == (400.0, 12.0)


def test_what_is_learnt_late_is_not_seen_before_it_is_learnt(tmp_path):
    history, links = write_history(tmp_path, LIFE), links_of("C1")
    assert only_row(compute(history, links, as_of=AS_OF))["cancelled_share_180d"] == 0.0
    later = AS_OF + timedelta(days=42)
    assert only_row(compute(history, links, as_of=later))["cancelled_share_180d"] == 0.5


def test_asking_for_customers_gives_a_row_for_each_even_one_of_whom_nothing_is_known(tmp_path):
    table = compute(
        write_history(tmp_path, LIFE), links_of("C1"), as_of=AS_OF, customers=["cus_C1", "cus_new"]
    )
    rows = {row["customer_id"]: row for row in table.to_pylist()}
    nothing = evaluate(CATALOGUE, [], as_of=AS_OF)
    assert {name: rows["cus_new"][name] for name in nothing} == nothing
    assert (nothing["orders_90d"], nothing["tenure_days"], nothing["refund_share_180d"]) == (0.0, None, 0.0)


def test_features_at_several_instants_are_those_of_each(tmp_path):
    history, links = write_history(tmp_path, LIFE), links_of("C1")
    days = [AS_OF, AS_OF - timedelta(days=19), AS_OF - timedelta(days=401)]
    tables = [compute(history, links, as_of=day) for day in days]
    assert compute_at(history, links, as_ofs=days) == pa.concat_tables(tables)
    assert [table.num_rows for table in tables] == [1, 1, 0]


def test_nobody_is_graded_before_something_is_known_of_them(tmp_path):
    table = compute(write_history(tmp_path, LIFE), links_of("C1"), as_of=AS_OF - timedelta(days=401))
    assert table.num_rows == 0


def test_our_own_credit_facts_reach_the_customer_that_they_name(tmp_path):
    paid = event("repayment_received", 3, ref="cus_C1", amount="10.00", plan_id="P", days_past_due=77)
    own = Event(**{name: getattr(paid, name) for name in Event.__slots__} | {"source": "credit"})
    table = compute(write_history(tmp_path, [*LIFE, own]), links_of("C1"), as_of=AS_OF)
    assert only_row(table)["max_days_past_due_180d"] == 77.0


def test_two_references_of_one_customer_are_one_row(tmp_path):
    events = [*LIFE, event("order_placed", 10, ref="C9", order="O9", amount="50.00", items=1)]
    links = links_of("C1", "C9").set_column(2, "customer_id", pa.array(["cus_1", "cus_1"]))
    assert only_row(compute(write_history(tmp_path, events), links, as_of=AS_OF))["orders_90d"] == 3.0


def test_an_empty_folder_is_told_and_not_guessed(tmp_path):
    with pytest.raises(UnableToReadHistory, match="export the event history first"):
        compute(tmp_path, links_of("C1"), as_of=AS_OF)


def test_the_history_ends_with_the_day_of_its_last_event(tmp_path):
    start, end = history_period(write_history(tmp_path, LIFE), links_of("C1"))
    assert start == AS_OF - timedelta(days=400)
    assert end == AS_OF - timedelta(days=4)


def borrower(ref: str, *, overdue_days_ago: float | None, days_past_due: int = 60) -> list[Event]:
    facts = [event("line_opened", 300, ref=ref, amount="5000.00")]
    if overdue_days_ago is not None:
        facts.append(
            event("instalment_overdue", overdue_days_ago, ref=ref, plan_id="P", number=1,
                  amount="10.00", days_past_due=days_past_due)
        )  # fmt: skip
    return facts


def test_labels_count_the_event_in_the_window_for_the_population_alone(tmp_path):
    events = [
        *borrower("good", overdue_days_ago=None),
        *borrower("bad", overdue_days_ago=100),
        *borrower("slow", overdue_days_ago=100, days_past_due=30),
        *borrower("already", overdue_days_ago=200),
        event("order_placed", 250, ref="shopper", order="O", amount="1.00", items=1),
        event("login_recorded", 0.5, ref="good"),
    ]
    links = links_of("good", "bad", "slow", "already", "shopper")
    table = labels(
        write_history(tmp_path, events), links, as_of=AS_OF - timedelta(days=180), outcome=DEFAULTS
    )
    events_of = {row["customer_id"]: row["event"] for row in table.to_pylist()}
    assert events_of == {"cus_good": 0, "cus_bad": 1, "cus_slow": 0}


def test_an_immature_label_is_refused(tmp_path):
    history, links = write_history(tmp_path, LIFE), links_of("C1")
    with pytest.raises(UnableToLabel, match="choose an earlier as_of"):
        labels(history, links, as_of=AS_OF - timedelta(days=80), outcome=CANCELS)
    with pytest.raises(UnableToLabel, match="are known only until 2026-01-01"):
        training_set(
            history, links, as_ofs=[AS_OF - timedelta(days=100)], outcome=CANCELS,
            known_until=datetime(2026, 1, 1, tzinfo=UTC),
        )  # fmt: skip


def test_a_label_learnt_after_the_training_day_is_not_used(tmp_path):
    history, links = write_history(tmp_path, LIFE), links_of("C1")
    as_of = AS_OF - timedelta(days=60)
    known = [
        labels(history, links, as_of=as_of, outcome=CANCELS, known_until=AS_OF + timedelta(days=days))
        for days in (30, 45)
    ]
    assert [only_row(table)["event"] for table in known] == [0, 1]


def test_a_training_row_is_the_batch_row_of_its_day_with_its_label(tmp_path):
    history, links = write_history(tmp_path, LIFE), links_of("C1")
    days = [AS_OF - timedelta(days=60), AS_OF - timedelta(days=40)]
    until = AS_OF + timedelta(days=60)
    table = training_set(history, links, as_ofs=days, outcome=CANCELS, known_until=until)
    for row in table.to_pylist():
        batch = only_row(compute(history, links, as_of=row["as_of"]))
        assert {name: row[name] for name in batch} == batch
        assert row["event"] == 1


def test_training_points_leave_the_labels_time_to_mature_and_customers_time_to_behave():
    start = AS_OF - timedelta(days=700)
    points = training_points(DEFAULTS, as_of=AS_OF, history_start=start)
    assert points[-1] == AS_OF - timedelta(days=180)
    assert len(points) == 6 and min(points) >= start + timedelta(days=180)
    with pytest.raises(UnableToLabel, match="the history must begin by"):
        training_points(DEFAULTS, as_of=AS_OF, history_start=AS_OF - timedelta(days=200))


@pytest.mark.parametrize(
    ("history_days", "points"),
    [(700, 6), (511, 6), (510, 6), (509, 5), (420, 3), (367, 3), (300, 3), (299, 2), (240, 1)],
)
def test_a_young_history_gives_few_points_so_that_none_looks_back_on_too_little(history_days, points):
    start = AS_OF - timedelta(days=history_days)
    assert len(training_points(DEFAULTS, as_of=AS_OF, history_start=start)) == points


def test_who_stopped_repaying_for_good_is_never_taken_for_a_good_customer_again(tmp_path):
    life = [
        event("line_opened", 700, amount="1000.00"),
        event("instalment_overdue", 400, amount="10.00", plan_id="P", number=1, days_past_due=60),
        event("instalment_overdue", 370, amount="10.00", plan_id="P", number=1, days_past_due=90),
    ]
    history, links = write_history(tmp_path, life), links_of("C1")
    assert only_row(compute(history, links, as_of=AS_OF))["max_days_past_due_1825d"] == 90.0
    known = AS_OF + timedelta(days=180)
    assert labels(history, links, as_of=AS_OF, outcome=DEFAULTS, known_until=known).num_rows == 0
