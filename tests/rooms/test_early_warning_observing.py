"""Early warning over the rooms below it: the daily round and the look at one customer see the same."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shouxin import credit, features, identity, ingestion
from shouxin.early_warning import (
    WATCHED_FEATURES,
    AlertFilter,
    UnableToObserve,
    list_alerts,
    observe,
    watch_customer,
    watch_history,
)
from shouxin.governance import load_keyring
from shouxin.kernel import Money


def envelope(ref, number, kind, at, **payload):
    return {
        "source": "shop",
        "source_id": f"{ref}-{kind}-{number}",
        "kind": kind,
        "version": 1,
        "customer_ref": ref,
        "occurred_at": at.isoformat(),
        "order_ref": f"{ref}-{number}",
        "amount": {"value": "100.00", "currency": "CNY"},
        "payload": payload,
    }


@pytest.fixture
def shop(db, now, home):
    """Both buy ten times in 20 weeks; C1 sends the last four back. C2 has used 95 % of a line."""
    raw = []
    for ref in ("C1", "C2"):
        for number in range(10):
            at = now - timedelta(days=140 - 15 * number if number < 6 else 40 - 4 * number)
            raw.append(envelope(ref, number, "order_placed", at, items=1, payment_method="card"))
            if ref == "C1" and number >= 6:
                late = at + timedelta(days=1)
                raw.append(envelope(ref, number, "refund_issued", late, refund_kind="return"))
    receipt = ingestion.accept(db, raw, keyring=load_keyring(home), now=now)
    assert receipt.quarantined == 0, receipt
    identity.unify(db, keyring=load_keyring(home), now=now)
    ids = {ref: identity.find_customer(db, source="shop", customer_ref=ref) for ref in ("C1", "C2")}
    credit.open_line(db, ids["C2"], limit=Money(100_000, "CNY"), reason="test", now=now)
    db.execute(text("UPDATE credit.line SET outstanding_minor = 90000, held_minor = 5000"))
    return ids


def raised(db):
    rows = list_alerts(db, AlertFilter(state="open")).rows
    return {row.customer_id: (row.indicator, row.severity, row.exposure.minor) for row in rows}


def test_the_daily_round_sees_returns_and_lines(db, now, shop, tmp_path):
    ingestion.export_history(db, tmp_path)
    later = now + timedelta(minutes=1)
    count = watch_history(db, tmp_path, identity.links(db), as_of=later, now=later)
    assert (count.observed, count.alerts_new) == (2, 2)
    expected = {
        shop["C1"]: ("return_rate_jump", "high", 0),
        shop["C2"]: ("utilisation_spike", "high", 90_000),
    }
    assert raised(db) == expected
    for customer in shop.values():  # the look at one customer finds nothing that the round did not
        assert watch_customer(db, customer, as_of=later, now=later).signals == 0


def test_the_look_at_one_customer_raises_the_same(db, now, shop):
    assert watch_customer(db, shop["C1"], as_of=now, now=now).alerts_new == 1
    assert raised(db) == {shop["C1"]: ("return_rate_jump", "high", 0)}


def test_a_table_of_another_instant_or_without_a_feature_is_refused(db, now, shop, tmp_path):
    ingestion.export_history(db, tmp_path)
    links = identity.links(db)
    table = features.compute(tmp_path, links, as_of=now, definitions=WATCHED_FEATURES)
    with pytest.raises(UnableToObserve, match="is not as of"):
        observe(db, feature_table=table, as_of=now + timedelta(days=1))
    with pytest.raises(UnableToObserve, match="orders_30d"):
        observe(db, feature_table=table.drop_columns("orders_30d"), as_of=now)
    seen = {o.customer_id: o for o in observe(db, feature_table=table, as_of=now)}
    assert seen[shop["C1"]].values["orders_30d"] == 4
    assert seen[shop["C2"]].values["used"] == 95_000
