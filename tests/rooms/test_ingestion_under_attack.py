"""ingestion, as somebody would try to break it: late facts, replays at once, batches that cross."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from rooms.test_ingestion_accept import KEYS, order
from shouxin import ingestion
from shouxin.ingestion import service
from shouxin.ingestion.domain import check_envelope

PATIENCE = 20


def early_file(folder, count=3):
    """Rows that lie in the future of the load, with the time at which the source says it learnt them."""
    payload = json.dumps({"items": 1, "payment_method": "card"}).replace('"', '""')
    head = (
        "source,source_id,kind,customer_ref,occurred_at,received_at,order_ref,amount_minor,currency,payload"
    )
    times = "2026-03-05T08:00:00Z,2026-03-05T09:00:00Z"
    rows = [f'shop,f-{n},order_placed,C1,{times},O{n},100,CNY,"{payload}"' for n in range(count)]
    path = folder / "early.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def test_what_a_replay_takes_was_learnt_when_it_was_taken(db, now, tmp_path):
    """However early the file says it was known: we refused it, and no past decision can have seen it."""
    loaded = ingestion.load_file(db, early_file(tmp_path), keyring=KEYS, now=now)
    assert loaded.quarantined == 3
    later = datetime(2026, 3, 20, tzinfo=UTC)
    assert ingestion.replay_quarantine(db, KEYS, later).accepted == 3
    assert ingestion.list_events(db, [("shop", "C1")], as_of=later - timedelta(days=1)) == []
    assert {e.received_at for e in ingestion.list_events(db, [("shop", "C1")], as_of=later)} == {later}


def test_two_replays_at_once_release_each_row_once(fresh_database, now):
    wrong = [order(n, occurred_at=(now + timedelta(hours=1)).isoformat()) for n in range(40)]
    with fresh_database.begin() as db:
        assert ingestion.accept(db, wrong, keyring=KEYS, now=now).quarantined == 40
    together = threading.Barrier(2)

    def replay(_):
        with fresh_database.begin() as db:
            together.wait(PATIENCE)
            return ingestion.replay_quarantine(db, KEYS, now + timedelta(hours=2))

    with ThreadPoolExecutor(2) as threads:
        receipts = list(threads.map(replay, range(2)))
    assert sorted(receipt.accepted for receipt in receipts) == [0, 40]
    with fresh_database.begin() as db:
        assert ingestion.event_count(db) == 40


def test_batches_that_hold_the_same_events_in_another_order_do_not_kill_each_other(fresh_database, now):
    facts = [check_envelope(json.dumps(order(number)).encode(), now=now) for number in range(3_000)]
    together = threading.Barrier(2)

    def send(items):
        with fresh_database.begin() as db:
            db.execute(text("SELECT 1"))  # the transaction is open before either begins to write
            together.wait(PATIENCE)
            return len(service.append(db, items))

    with ThreadPoolExecutor(2) as threads:
        assert sorted(threads.map(send, (facts, facts[::-1]))) == [0, 3_000]


def test_batches_refused_in_another_order_do_not_kill_each_other(fresh_database, now):
    batch = [order(number, kind="no_such_kind") for number in range(200)]

    def send(number):
        items = batch if number % 2 else batch[::-1]
        with fresh_database.begin() as db:
            return ingestion.accept(db, items, keyring=KEYS, now=now)

    with ThreadPoolExecutor(6) as threads:
        assert all(receipt.quarantined == 200 for receipt in threads.map(send, range(12)))
    with fresh_database.begin() as db:
        assert len(ingestion.list_quarantine(db, limit=1_000)) == 200
