"""Files: canonical CSV and Parquet, broken rows, chunks, and the history that goes out again."""

import csv
import json
import threading
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion import history, reading

KEYS = Keyring.from_master(b"k" * 32)
COLUMNS = (
    "source",
    "source_id",
    "kind",
    "version",
    "customer_ref",
    "occurred_at",
    "received_at",
    "order_ref",
    "amount_minor",
    "currency",
    "payload",
    "personal",
)


def row(number, **changes):
    return {
        "source": "shop",
        "source_id": f"e{number}",
        "kind": "order_paid",
        "version": 1,
        "customer_ref": f"C{number % 3}",
        "occurred_at": datetime(2026, 1, 1 + number % 20, tzinfo=UTC),
        "received_at": datetime(2026, 1, 2 + number % 20, tzinfo=UTC),
        "order_ref": f"O{number}",
        "amount_minor": 100 + number,
        "currency": "CNY",
        "payload": "{}",
        "personal": None,
    } | changes


def write_csv(path, rows, *, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(
            {k: v.isoformat() if isinstance(v, datetime) else v for k, v in r.items()} for r in rows
        )
    return path


def write_parquet(path, rows):
    pq.write_table(pa.Table.from_pylist(rows), path)
    return path


def load(db, path, now):
    return ingestion.load_file(db, path, keyring=KEYS, now=now)


REGISTERED = {
    "kind": "customer_registered",
    "order_ref": None,
    "amount_minor": None,
    "currency": None,
    "payload": '{"channel": "web", "region": "\\u4e0a\\u6d77"}',
    "personal": json.dumps({"name": "李雷", "phone": "19900000002", "email": None}),
}
WRONG = [
    row(20, kind="unheard_of"),
    row(21, customer_ref=None),
    row(22, payload='{"method": 1}'),
    row(23, payload="{"),
    row(24, amount_minor=-5),
    row(25, received_at=datetime(2025, 12, 1, tzinfo=UTC)),
    row(26, personal='{"name": "x"}'),
]
REASONS = {
    "kind: unknown kind": 1,
    "customer_ref: missing": 1,
    "payload/method: expected str | null, got int": 1,
    "payload: not valid JSON": 1,
    "amount_minor: negative": 1,
    "received_at: before occurred_at": 1,
    "personal/name: not part of this kind": 1,
}


@pytest.mark.parametrize("write", [write_csv, write_parquet])
def test_a_file_is_loaded_once_and_its_bad_rows_are_kept_apart(db, now, tmp_path, write):
    rows = [row(i) for i in range(12)] + WRONG + [row(3), row(30, **REGISTERED)]
    path = write(tmp_path / f"events.{write.__name__[6:]}", rows)
    first = load(db, path, now)
    assert first.as_data() | {"reasons": first.reasons} == {
        "read": 21,
        "accepted": 13,
        "duplicates": 1,
        "quarantined": 7,
        "reasons": REASONS,
    }
    assert [item.position for item in first.refusals] == list(range(12, 19))
    again = load(db, path, now)
    assert (again.read, again.accepted, again.duplicates, again.quarantined) == (21, 0, 14, 7)
    kept = ingestion.list_quarantine(db)
    assert len(kept) == 7, "loading again adds no row to the quarantine"
    place = "events.csv:14" if write is write_csv else "events.parquet:13"
    assert kept[-1].place == place
    (event,) = ingestion.list_events(db, [("shop", "C0")], as_of=now, kinds=["customer_registered"])
    assert event.payload["region"] == "上海"
    assert {fact.field for fact in ingestion.personal_facts(db, [("shop", "C0")])} == {"name", "phone"}


def test_a_fact_without_a_time_of_receipt_is_learnt_at_the_load(db, now, tmp_path):
    load(db, write_csv(tmp_path / "a.csv", [row(1, received_at=None)]), now)
    assert ingestion.list_events(db, [("shop", "C1")], as_of=now - timedelta(days=1)) == []
    assert len(ingestion.list_events(db, [("shop", "C1")], as_of=now)) == 1


def test_csv_rows_that_are_no_rows_are_refused_with_their_line(db, now, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row(1), row(2)])
    with path.open("ab") as file:
        file.write(b"shop,e9,order_paid\r\n\r\n")
        file.write(b"shop,e\xff8,order_paid,1,C1,2026-01-01,,O8,5,CNY,{},\r\n")
    receipt = load(db, path, now)
    assert receipt.accepted == 2
    assert receipt.reasons == {"row: has 3 fields instead of 12": 1, "row: is not UTF-8": 1}
    assert {r.place for r in ingestion.list_quarantine(db)} == {"a.csv:4", "a.csv:6"}


def test_decimal_amounts_and_any_line_end_are_read(db, now, tmp_path):
    lines = [
        "source,source_id,kind,customer_ref,occurred_at,order_ref,amount,currency,payload",
        'shop,e1,order_paid,C1,2026-01-01T08:00:00+08:00,O1,12.50,CNY,"{}"',
        "shop,e2,order_paid,C1,2026-01-02,O2,300,JPY,{}",
    ]
    path = tmp_path / "mac.csv"
    path.write_bytes(b"\xef\xbb\xbf" + "\r".join(lines).encode())
    assert load(db, path, now).accepted == 2
    amounts = [str(e.amount) for e in ingestion.list_events(db, [("shop", "C1")], as_of=now)]
    assert amounts == ["CNY 12.50", "JPY 300"]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("source,source_id,kind", "the header lacks customer_ref, occurred_at, payload"),
        (",".join((*COLUMNS, "colour")), "the format has no column colour"),
        (",".join((*COLUMNS, "kind")), "the header names kind twice"),
        ("", "is empty; its first line must name the columns"),
    ],
)
def test_a_header_that_does_not_fit_says_how_to_mend_it(db, now, tmp_path, header, message):
    path = tmp_path / "a.csv"
    path.write_text(f"{header}\n" if header else "")
    with pytest.raises(ingestion.UnableToRead, match=message):
        load(db, path, now)


def test_a_file_that_is_not_there_or_not_parquet_is_named(db, now, tmp_path):
    with pytest.raises(ingestion.UnableToRead, match="no such file"):
        load(db, tmp_path / "none.csv", now)
    (tmp_path / "a.parquet").write_bytes(b"no")
    with pytest.raises(ingestion.UnableToRead, match="not a Parquet file"):
        load(db, tmp_path / "a.parquet", now)


def test_a_folder_is_loaded_in_order_of_its_names(db, now, tmp_path):
    write_parquet(tmp_path / "2.parquet", [row(2), row(1)])
    write_parquet(tmp_path / "1.parquet", [row(1)])
    seen = []
    receipt = ingestion.load_file(
        db, tmp_path, keyring=KEYS, now=now, progress=lambda done, total: seen.append((done, total))
    )
    assert (receipt.accepted, receipt.duplicates) == (2, 1)
    assert seen == [(1, 3), (3, 3)]


def test_an_interrupted_load_goes_on_where_it_stopped(fresh_database, now, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row(i) for i in range(10)])

    def chunks():
        return (ingestion.service.canonical(c) for c in reading.canonical_chunks(path, rows=4))

    def stop(done, total):
        if done >= 8:
            raise KeyboardInterrupt

    begin = fresh_database.begin
    with pytest.raises(KeyboardInterrupt):
        ingestion.load_stepwise(begin, chunks(), keyring=KEYS, now=now, progress=stop)
    receipt = ingestion.load_stepwise(begin, chunks(), keyring=KEYS, now=now)
    assert (receipt.read, receipt.accepted, receipt.duplicates) == (10, 2, 8)


def test_two_loads_of_the_same_events_at_once_store_each_once(fresh_database, now, tmp_path):
    path = write_csv(tmp_path / "a.csv", [row(i) for i in range(6)])
    receipts = []

    def second():
        with fresh_database.begin() as db:
            receipts.append(load(db, path, now))

    with fresh_database.begin() as db:
        first = load(db, write_csv(tmp_path / "b.csv", [row(5), row(7)]), now)
        thread = threading.Thread(target=second)
        thread.start()
        while not db.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            assert thread.is_alive(), "the second load waits for the first"
    thread.join()
    assert (first.accepted, receipts[0].accepted, receipts[0].duplicates) == (2, 5, 1)


def test_the_history_holds_the_log_and_grows_by_what_is_new(fresh_database, now, tmp_path, monkeypatch):
    monkeypatch.setattr(history, "STRETCH", 5)
    with fresh_database.begin() as db:
        load(
            db,
            write_csv(tmp_path / "a.csv", [row(i, payload='{"method": "a,\\"b\\n"}') for i in range(7)]),
            now,
        )
        seen = []
        first = ingestion.export_history(db, tmp_path / "h", progress=lambda d, t: seen.append((d, t)))
        assert (first.events, first.added) == (7, 7)
        assert seen[-1][0] == seen[-1][1] == first.last_event_no
        kept = {path: path.stat().st_ino for path in first.files}
        assert ingestion.export_history(db, tmp_path / "h").added == 0
        assert {path: path.stat().st_ino for path in first.files} == kept, "nothing new, nothing written"
        load(db, write_csv(tmp_path / "b.csv", [row(i) for i in range(7, 9)]), now)
        second = ingestion.export_history(db, tmp_path / "h")
        assert (second.events, second.added) == (9, 2)
        table = pa.concat_tables([pq.read_table(path) for path in second.files])
        assert table.schema == history.HISTORY_SCHEMA
        numbers = table.column("event_no").to_pylist()
        assert numbers == sorted(set(numbers))
        stored = ingestion.list_events(db, [("shop", f"C{i}") for i in range(3)], as_of=now)
        exported = {r["source_id"]: r for r in table.to_pylist()}
        for event in stored:
            found = exported[event.source_id]
            assert json.loads(found["payload"]) == event.payload
            assert (found["occurred_at"], found["received_at"]) == (event.occurred_at, event.received_at)
            assert (found["amount_minor"], found["currency"]) == (event.amount.minor, "CNY")


def test_the_history_of_another_log_is_written_anew(db, now, tmp_path):
    folder = tmp_path / "h"
    load(db, write_csv(tmp_path / "a.csv", [row(1)]), now)
    ingestion.export_history(db, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"anchor": "sha256:other"}))
    (folder / "events-999999.parquet").write_bytes(b"a stranger")
    again = ingestion.export_history(db, folder)
    assert (again.events, again.added) == (1, 1)
    assert sorted(p.name for p in folder.glob("*.parquet")) == [path.name for path in again.files]


def test_a_reader_of_numbers_waits_for_no_one_in_vain(db, now, tmp_path):
    load(db, write_csv(tmp_path / "a.csv", [row(1)]), now)
    ingestion.export_history(db, tmp_path / "h")
    held = db.scalar(
        text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock'")
    )
    assert held == 0, "the lock that keeps writers out is given back at once"
