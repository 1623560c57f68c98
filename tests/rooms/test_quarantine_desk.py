"""The quarantine desk: what was refused is looked at, mended, tried again or given up; nothing is lost."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from shouxin import ingestion
from shouxin.governance import Keyring, list_audit
from shouxin.ingestion import desk, quality
from shouxin.ingestion.desk import DeskRefusal, DeskRefusalReason, QuarantineFilter
from shouxin.ingestion.registration import register

KEYS = Keyring.from_master(b"k" * 32)
WHY = "the shop told us the right value by phone"


def order(number=1, **changes):
    item = {
        "source": "shop",
        "source_id": f"e-{number}",
        "kind": "review_posted",
        "version": 1,
        "customer_ref": "C1",
        "occurred_at": "2026-03-01T10:00:00+08:00",
        "payload": {"rating": 5},
    }
    return {name: value for name, value in (item | changes).items() if value is not None}


def accept(db, now, *items, **more):
    return ingestion.accept(db, list(items), keyring=KEYS, now=now, **more)


def only_row(db):
    (row,) = ingestion.list_quarantine(db)
    return row


def repair(db, number, now, **changes):
    named = {name.replace("__", "/"): value for name, value in changes.items()}
    return desk.repair_quarantined(db, KEYS, number, changes=named, by="op_1", why=WHY, now=now)


def test_a_repaired_event_is_taken_at_once_and_learnt_then(db, now):
    accept(db, now, order(payload={"rating": 9}), source="shop")
    row = only_row(db)
    later = now + timedelta(hours=1)
    answer = repair(db, row.quarantine_no, later, payload__rating="4")
    assert (answer.outcome, answer.still_wrong) == ("accepted", None)
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=later)
    assert (event.payload, event.received_at) == ({"rating": 4}, later)
    row = only_row(db)
    assert (row.state, row.released_by, row.why, row.repairs) == ("accepted", "op_1", WHY, 1)
    assert row.reason == "expected int <= 5", "what was wrong is still told"
    (kept,) = desk.list_repairs(db, row.quarantine_no)
    assert (kept.changed, kept.still_wrong, kept.repaired_by) == (("payload/rating",), None, "op_1")


def test_a_repair_says_what_is_wrong_next_and_the_next_one_goes_on_from_it(db, now):
    accept(db, now, order(payload={"rating": 9}, occurred_at="never"), source="shop")
    number = only_row(db).quarantine_no
    first = repair(db, number, now, occurred_at="2026-03-01T10:00:00+08:00")
    assert (first.outcome, str(first.still_wrong)) == (None, "payload/rating: expected int <= 5")
    assert (only_row(db).field, only_row(db).state) == ("payload/rating", "open")
    assert repair(db, number, now, payload__rating="5").outcome == "accepted"
    assert len(desk.list_repairs(db, number)) == 2


def test_trying_a_repair_changes_nothing(db, now):
    accept(db, now, order(payload={"rating": 9}), source="shop")
    number = only_row(db).quarantine_no
    tried = {
        change: desk.check_repair(db, KEYS, number, changes={"payload/rating": change}, why=WHY, now=now)
        for change in ("4", "7")
    }
    assert tried["4"] is None and tried["7"].reason == "expected int <= 5"
    assert (only_row(db).state, only_row(db).repairs, ingestion.event_count(db)) == ("open", 0, 0)


def test_what_a_row_held_stays_sealed_until_somebody_says_why(db, now):
    phone = "13900001234"
    wrong = order(kind="customer_registered", payload={"channel": "moon"}, personal={"phone": phone})
    accept(db, now, wrong, source="shop")
    number = only_row(db).quarantine_no
    curt = desk.reveal_quarantined(db, KEYS, number, by="op_1", why="because", now=now)
    assert curt == DeskRefusal(DeskRefusalReason.REASON_TOO_SHORT)
    assert list_audit(db, action="quarantine.revealed") == []
    shown = desk.reveal_quarantined(db, KEYS, number, by="op_1", why=WHY, now=now)
    assert (shown["personal/phone"], shown["payload/channel"]) == (json.dumps(phone), "moon")
    (entry,) = list_audit(db, action="quarantine.revealed")
    assert (entry.actor, entry.detail) == ("op_1", {"reason": WHY})
    repair(db, number, now, payload__channel="app")
    for table in ("quarantine", "quarantine_repair", "quarantine_release", "event"):
        for stored in db.execute(text(f"SELECT * FROM ingestion.{table}")):
            assert phone not in str(stored) and phone.encode() not in b"".join(
                bytes(cell) for cell in stored if isinstance(cell, bytes | memoryview)
            )
    assert phone not in str([entry.detail for entry in list_audit(db)])


@pytest.mark.parametrize(
    ("changes", "why", "refused"),
    [
        ({"payload/rating": "4"}, "no", DeskRefusalReason.REASON_TOO_SHORT),
        ({"payload/rating": "9"}, WHY, DeskRefusalReason.NOTHING_CHANGED),
        ({}, WHY, DeskRefusalReason.NOTHING_CHANGED),
        ({"kind/deep": "4"}, WHY, DeskRefusalReason.NO_SUCH_PLACE),
        ({"": "["}, WHY, DeskRefusalReason.NO_SUCH_PLACE),
        ({"source_id": "x" * 100_001}, WHY, DeskRefusalReason.TOO_LONG),
    ],
)
def test_a_repair_that_is_none_is_refused_with_a_reason(db, now, changes, why, refused):
    accept(db, now, order(payload={"rating": 9}), source="shop")
    number = only_row(db).quarantine_no
    answer = desk.repair_quarantined(db, KEYS, number, changes=changes, by="op_1", why=why, now=now)
    assert answer == DeskRefusal(refused) and answer.text.zh and answer.text.en
    assert (only_row(db).repairs, only_row(db).state) == (0, "open")


def test_what_is_only_written_otherwise_is_no_change(db, now):
    accept(db, now, order(payload={"rating": "x"}), source="shop")
    number = only_row(db).quarantine_no
    assert repair(db, number, now, payload__rating='"x"') == DeskRefusal(DeskRefusalReason.NOTHING_CHANGED)
    assert (only_row(db).repairs, only_row(db).state) == (0, "open")


def test_a_row_that_is_dealt_with_changes_no_more(db, now):
    accept(db, now, order(payload={"rating": 9}), source="shop")
    number = only_row(db).quarantine_no
    assert desk.discard_quarantined(db, [number, number + 1], by="op_1", why=WHY, now=now) == 1
    assert repair(db, number, now, payload__rating="4") == DeskRefusal(DeskRefusalReason.NOT_OPEN)
    assert repair(db, number + 1, now, payload__rating="4") == DeskRefusal(DeskRefusalReason.UNKNOWN_ROW)
    assert desk.discard_quarantined(db, [number], by="op_1", why=WHY, now=now) == 0
    assert ingestion.replay_quarantine(db, KEYS, now).read == 0
    row = only_row(db)
    assert (row.state, row.released_by, row.why) == ("discarded", "op_1", WHY)


def test_the_database_itself_wants_a_reason_and_keeps_every_repair(db, now):
    accept(db, now, order(payload={"rating": 9}), source="shop")
    number = only_row(db).quarantine_no
    with pytest.raises(IntegrityError, match="discarded_for_a_reason"), db.begin_nested():
        db.execute(
            text("INSERT INTO ingestion.quarantine_release VALUES (:n, 'discarded', now())"), {"n": number}
        )
    for table in ("quarantine_repair", "quarantine_release", "load_count"):
        with pytest.raises(ProgrammingError, match="permission denied"), db.begin_nested():
            db.execute(text(f"DELETE FROM ingestion.{table}"))


def test_rows_are_chosen_by_source_rule_adapter_age_and_state(db, now):
    accept(
        db,
        now - timedelta(days=40),
        order(1, payload={"rating": 9}, occurred_at="2026-01-01T10:00:00Z"),
        source="app",
    )
    accept(db, now, order(2, payload={"rating": 9}), order(3, kind="x"), b"{", source="shop")
    register(db, [{"customer_ref": "P1"}], source="shop", keyring=KEYS, now=now)

    def chosen(**by):
        return desk.count_quarantine(db, QuarantineFilter(**by))

    assert chosen() == 5 == chosen(state="open")
    assert (chosen(source="app"), chosen(rule="out_of_range"), chosen(rule="not_json")) == (1, 2, 1)
    assert (chosen(adapter="registration"), chosen(received_before=now - timedelta(days=30))) == (1, 1)
    assert (chosen(state="discarded"), chosen(rule="no_such_rule")) == (0, 0)
    choices = desk.quarantine_choices(db)
    assert (choices.sources, choices.adapters) == (("app", "shop"), ("envelope", "registration"))
    assert choices.rules == ("missing", "not_json", "out_of_range", "unknown_kind")


def test_a_bulk_discard_does_what_was_seen_or_nothing(db, now):
    accept(db, now, *(order(n, payload={"rating": 9}) for n in range(4)), order(9, kind="x"), source="shop")
    chosen = QuarantineFilter(rule="out_of_range")
    stale = desk.discard_chosen(db, chosen, expected=3, by="op_1", why=WHY, now=now)
    assert stale == DeskRefusal(DeskRefusalReason.NUMBER_CHANGED)
    assert desk.discard_chosen(db, chosen, expected=4, by="op_1", why=WHY, now=now) == 4
    assert desk.count_quarantine(db, QuarantineFilter(state="open")) == 1
    (entry,) = list_audit(db, action="quarantine.discarded")
    assert entry.detail["rows"] == 4 and entry.detail["chosen"]["rule"] == "out_of_range"


def test_a_replay_may_be_of_one_rule_only(db, now):
    early = order(1, occurred_at=(now + timedelta(hours=1)).isoformat())
    accept(db, now, early, order(2, payload={"rating": 9}), source="shop")
    later = now + timedelta(hours=2)
    chosen = QuarantineFilter(rule="time_in_future")
    receipt = ingestion.replay_quarantine(db, KEYS, later, chosen=chosen, by="op_1")
    assert (receipt.read, receipt.accepted) == (1, 1)
    (entry,) = list_audit(db, action="quarantine.replayed")
    assert (entry.actor, entry.detail["chosen"]) == ("op_1", {"rule": "time_in_future", "state": "open"})


def test_a_row_without_a_key_is_passed_over_counted_and_named(db, now):
    """Forgetting a customer destroys the key: the rows beside it must still be tried."""
    soon = (now + timedelta(hours=1)).isoformat()
    accept(db, now, order(1, occurred_at=soon), order(2, occurred_at=soon), source="shop")
    sealed = row_without_key(db, now)
    later = now + timedelta(hours=2)
    receipt = ingestion.replay_quarantine(db, KEYS, later)
    assert (receipt.read, receipt.accepted, receipt.quarantined) == (3, 2, 1)
    assert receipt.reasons == {"row: can not be opened: there is no key for it": 1}
    assert [item.position for item in receipt.refusals] == [sealed]
    assert desk.reveal_quarantined(db, KEYS, sealed, by="op_1", why=WHY, now=now) == DeskRefusal(
        DeskRefusalReason.CAN_NOT_OPEN
    )
    assert desk.discard_quarantined(db, [sealed], by="op_1", why=WHY, now=now) == 1


def row_without_key(db, now):
    """A row of a customer who has no key: sealed for somebody of whom nothing is kept."""
    return db.scalar(
        text(
            "INSERT INTO ingestion.quarantine"
            " (source, fingerprint, adapter, field, reason, place, subject, sealed, received_at)"
            " VALUES ('shop', 'f', 'envelope', 'kind', 'unknown kind', 'item 0', 'shop:gone', '\\x01', :now)"
            " RETURNING quarantine_no"
        ),
        {"now": now},
    )


def test_a_replay_does_not_let_a_second_account_of_one_id_in(db, now):
    person = {"name": "王大明", "national_id": "11010519491231002X"}
    register(db, [person | {"customer_ref": "P1"}], source="shop", keyring=KEYS, now=now)
    (second,) = register(db, [person | {"customer_ref": "P2"}], source="shop", keyring=KEYS, now=now)
    assert second.outcome == "refused"
    receipt = ingestion.replay_quarantine(db, KEYS, now)
    assert (receipt.read, receipt.accepted, receipt.quarantined) == (1, 0, 1)
    number = only_row(db).quarantine_no
    answer = repair(db, number, now, national_id="", phone="13800000000")
    assert answer.outcome == "accepted"


def test_a_registration_that_is_repaired_is_sealed_for_its_customer(db, now):
    register(db, [{"name": "李雷", "phone": "138"}], source="shop", keyring=KEYS, now=now)
    number = only_row(db).quarantine_no
    answer = repair(db, number, now, customer_ref="P9", phone="13800000000")
    assert answer.outcome == "accepted"
    subjects = db.execute(text("SELECT subject FROM ingestion.quarantine_repair")).scalars()
    assert list(subjects) == ["shop:P9"]


def test_equal_lines_of_a_file_are_each_released(db, now, tmp_path):
    head = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    (tmp_path / "a.csv").write_text(head + "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55,,UK\n")
    (tmp_path / "b.csv").write_text(head + "536365,85123A,LANTERN,6,2010-12-01 08:26:00,2.55, ,UK\n")
    for name in ("a.csv", "b.csv"):
        ingestion.load_online_retail(db, tmp_path / name, keyring=KEYS, now=now)
    numbers = [row.quarantine_no for row in ingestion.list_quarantine(db)]
    assert len(numbers) == 2
    assert ingestion.replay_quarantine(db, KEYS, now).quarantined == 2
    assert [repair(db, n, now, CustomerID="17850").outcome for n in numbers] == ["accepted", "duplicate"]


def test_a_row_that_is_no_row_is_mended_as_a_whole(db, now):
    accept(db, now, b'{"kind": ', source="shop")
    number = only_row(db).quarantine_no
    shown = desk.reveal_quarantined(db, KEYS, number, by="op_1", why=WHY, now=now)
    assert shown == {"": '{"kind": '}
    whole = json.dumps(order())
    answer = desk.repair_quarantined(db, KEYS, number, changes={"": whole}, by="op_1", why=WHY, now=now)
    assert answer.outcome == "accepted"
    assert quality.balance(db).is_whole
