"""What every load leaves behind: counts that add up, whatever came and by whichever door."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion import quality
from shouxin.ingestion.registration import register, register_file

WIDE_PHONE, FORMER_ADDRESS = "１３８００００００００", "上海市闸北区天目西路1号"
KEYS = Keyring.from_master(b"k" * 32)


def item(number=1, **changes):
    return {
        "source_id": f"e-{number}",
        "kind": "review_posted",
        "customer_ref": "C1",
        "occurred_at": "2026-03-01T10:00:00+08:00",
        "payload": {"rating": 5},
    } | changes


def source_of(db, now, source="shop"):
    (found,) = quality.source_quality(db, now=now, source=source)
    return found


def test_a_batch_is_counted_by_source_and_rule(db, now):
    batch = [item(1), item(1), item(2, payload={"rating": 9}), item(3, kind="x"), b"{"]
    ingestion.accept(db, batch, keyring=KEYS, now=now, source="shop")
    day = source_of(db, now).total
    assert (day.read, day.accepted, day.duplicates, day.quarantined) == (5, 1, 1, 3)
    assert day.findings == {"repeated": 1, "out_of_range": 1, "unknown_kind": 1, "not_json": 1}
    assert day.score is not None
    assert day.score.parts_bp["validity"] == 4_000 and day.score.parts_bp["uniqueness"] == 8_000


def test_a_refused_item_is_counted_for_the_source_that_it_names(db, now):
    ingestion.accept(db, [item(1, source="app", kind="x"), item(2, kind="x"), b"{"], keyring=KEYS, now=now)
    counted = {one.source: one.total.quarantined for one in quality.source_quality(db, now=now)}
    assert counted == {"app": 1, "unknown": 2}
    rows = db.execute(text("SELECT customer_ref FROM ingestion.quarantine ORDER BY quarantine_no")).scalars()
    assert list(rows) == ["C1", None, None]


def test_a_file_is_counted_by_source(db, now, tmp_path):
    head = "source,source_id,kind,customer_ref,occurred_at,received_at,payload\n"
    rows = [
        "a,1,login_recorded,C1,2026-03-01T10:00:00Z,2026-03-01T10:00:00Z,{}",
        "a,1,login_recorded,C1,2026-03-01T10:00:00Z,2026-03-01T10:00:00Z,{}",
        "a,2,login_recorded,C1,2026-02-01T10:00:00Z,2026-03-01T10:00:00Z,{}",
        "b,1,login_recorded,C1,2026-03-01,2026-03-01T10:00:00Z,{}",
        "b,2,login_recorded,,2026-03-01T10:00:00Z,2026-03-01T10:00:00Z,{}",
        "B,3,login_recorded,C1,2026-03-01T10:00:00Z,2026-03-01T10:00:00Z,{}",
        "short",
    ]
    (tmp_path / "events.csv").write_text(head + "\n".join(rows) + "\n")
    receipt = ingestion.load_file(db, tmp_path / "events.csv", keyring=KEYS, now=now)
    found = {one.source: one.total for one in quality.source_quality(db, now=now)}
    assert {name: (t.read, t.accepted, t.duplicates, t.quarantined) for name, t in found.items()} == {
        "a": (3, 2, 1, 0),
        "b": (2, 1, 0, 1),
        "unknown": (2, 0, 0, 2),
    }
    assert found["a"].findings == {"repeated": 1, "late": 1}
    assert found["b"].findings == {"at_midnight": 1, "missing": 1}
    assert sum(one.read for one in found.values()) == receipt.read
    assert quality.balance(db).is_whole


def test_registrations_are_counted_with_their_doubts(db, now):
    people = [
        {"customer_ref": "P1", "name": "王大明", "phone": WIDE_PHONE, "address": FORMER_ADDRESS},
        {"customer_ref": "P2", "name": "李雷", "phone": "13800000000"},
        {"customer_ref": "P3", "name": "李雷"},
    ]
    register(db, people, source="shop", keyring=KEYS, now=now)
    day = source_of(db, now).total
    assert (day.read, day.accepted, day.quarantined) == (3, 2, 1)
    assert day.findings == {
        "former_division": 1,
        "full_width": 1,
        "shared_identifier": 1,
        "no_way_to_know": 1,
    }
    assert day.flawed == {"timeliness": 1, "uniqueness": 1, "completeness": 1}


def test_whom_the_shop_has_already_is_a_finding(db, now):
    first = {"customer_ref": "P1", "name": "王大明", "national_id": "11010519491231002X"}
    second, moved = first | {"customer_ref": "P2"}, first | {"name": "王小明"}
    register(db, [first, second, moved, first], source="shop", keyring=KEYS, now=now)
    day = source_of(db, now).total
    assert (day.read, day.accepted, day.duplicates, day.quarantined) == (4, 1, 1, 2)
    assert day.findings == {"id_in_use": 1, "other_values": 1, "repeated": 1}


def test_a_people_file_is_counted_to_the_last_row(fresh_database, tmp_path, now):
    file = tmp_path / "people.csv"
    file.write_text("customer_ref,name,phone\nP1,王大明,13800000000\nP2,李雷,1\nP3\n")
    register_file(fresh_database.begin, file, source="shop", keyring=KEYS, now=now)
    with fresh_database.begin() as db:
        day = source_of(db, now).total
        assert (day.read, day.accepted, day.quarantined) == (3, 1, 2)
        assert day.findings == {"not_a_phone": 1, "row_shape": 1}
        assert quality.balance(db).is_whole


def test_days_stand_apart_and_what_is_long_ago_is_not_asked(db, now):
    for days_ago in (40, 2, 1, 0):
        at = now - timedelta(days=days_ago)
        sent = [item(days_ago, occurred_at=(at - timedelta(hours=1)).isoformat())]
        ingestion.accept(db, sent, keyring=KEYS, now=at, source="shop")
    found = source_of(db, now)
    assert [(now.date() - day.day).days for day in found.days] == [2, 1, 0]
    (all_days,) = quality.source_quality(db, now=now, since=now - timedelta(days=50))
    assert len(all_days.days) == 4
    assert found.freshness is not None and found.freshness.last_arrival == now


def test_a_load_without_rows_leaves_no_count(db, now):
    ingestion.accept(db, [], keyring=KEYS, now=now, source="shop")
    assert quality.source_quality(db, now=now) == []
    assert quality.balance(db).is_whole


def test_the_database_takes_no_count_that_does_not_add_up(db, now):
    ingestion.accept(db, [item(1)], keyring=KEYS, now=now, source="shop")
    with pytest.raises(IntegrityError, match="check"), db.begin_nested():
        db.execute(
            text(
                "INSERT INTO ingestion.load_count (source, adapter, counted_at, read, accepted, duplicates,"
                " quarantined, kept, findings, flawed) VALUES ('s', 'x', now(), 3, 1, 1, 0, 0, '{}', '{}')"
            )
        )


def test_a_rolled_back_load_leaves_no_count(fresh_database, now):
    with pytest.raises(RuntimeError), fresh_database.begin() as db:
        ingestion.accept(db, [item(1)], keyring=KEYS, now=now, source="shop")
        raise RuntimeError
    with fresh_database.begin() as db:
        assert quality.balance(db).loads["read"] == ingestion.event_count(db) == 0


def test_no_count_holds_a_value(db, now):
    secret = "13900001234"
    ingestion.accept(
        db,
        [item(1, payload={"rating": 9, secret: 1}), item(2, personal={secret: "1"})],
        keyring=KEYS,
        now=now,
        source="shop",
    )
    rows = db.execute(text("SELECT to_jsonb(c) FROM ingestion.load_count c")).scalars()
    assert secret not in json.dumps(list(rows))
