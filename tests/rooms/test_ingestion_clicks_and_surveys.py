"""A log of clicks and answered surveys: each line is taken, or refused with place and field; and order."""

import random
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

import pytest

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.kernel import Money

KEYS = Keyring.from_master(b"k" * 32)
AT = 1433221332117  # 2015-06-02T05:02:12.117Z
CLICKS = "timestamp,visitorid,event,itemid,transactionid"


def load(db, chunks, now):
    return ingestion.load_stepwise(lambda: nullcontext(db), chunks, keyring=KEYS, now=now)


def clicks(db, now, tmp_path, *lines, header=CLICKS, name="events.csv"):
    path = tmp_path / name
    path.write_text("\n".join((header, *lines)) + "\n")
    return load(db, ingestion.clickstream_chunks(path), now)


def test_a_view_an_add_and_a_priced_transaction(db, now, tmp_path):
    lines = (
        f"{AT},257597,view,355908,,,",
        f"{AT + 1000},257597,addtocart,355908,,,",
        f"{AT + 2000},257597,transaction,355908,4000,259.90,CNY",
        f"{AT + 3000},257597,transaction,15,4000,1200,JPY",
    )
    receipt = clicks(db, now, tmp_path, *lines, header=f"{CLICKS},price,currency")
    assert (receipt.read, receipt.accepted) == (4, 4), receipt.reasons
    view, add, bought, yen = ingestion.list_events(db, [("clickstream", "257597")], as_of=now)
    assert (view.kind, view.payload, view.order_ref) == ("product_viewed", {"sku": "355908"}, None)
    assert view.occurred_at == view.received_at == datetime(2015, 6, 2, 5, 2, 12, 117000, tzinfo=UTC)
    assert (add.kind, add.payload) == ("cart_changed", {"sku": "355908", "quantity": 1})
    assert (bought.kind, bought.order_ref, bought.amount) == (
        "order_line_placed",
        "4000",
        Money(25990, "CNY"),
    )
    assert bought.payload == {"sku": "355908", "quantity": 1, "unit_price_minor": 25990}
    assert yen.amount == Money(1200, "JPY")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"{AT},,view,1,,,", "customer_ref: missing"),
        (f"{AT},7,look,1,,,", "event: not view, addtocart or transaction"),
        ("1433221332,7,view,1,,,", "timestamp: not in milliseconds"),
        ("1433221332117000,7,view,1,,,", "timestamp: not in milliseconds"),
        ("today,7,view,1,,,", "timestamp: not in milliseconds"),
        (f"{AT},7,view,,,,", "itemid: missing"),
        (f"{AT},7,view,1,9,,", "transactionid: not part of this event"),
        (f"{AT},7,transaction,1,,9.90,CNY", "transactionid: missing"),
        (f"{AT},7,transaction,1,9,,CNY", "price: missing"),
        (f"{AT},7,transaction,1,9,nine,CNY", "price: not a number"),
        (f"{AT},7,transaction,1,9,0,CNY", "price: not above zero"),
        (f"{AT},7,transaction,1,9,9.90,", "currency: missing"),
        (f"{AT},7,transaction,1,9,9.90,yuan", "currency: not a currency code (ISO 4217)"),
        (f"{AT},7,transaction,1,9,9.90,JPY", "price: more decimals than the currency has"),
        (f"{AT},7,view", "row: has 3 fields instead of 7"),
    ],
)
def test_a_line_that_says_no_click_is_refused_with_its_reason(db, now, tmp_path, line, reason):
    receipt = clicks(db, now, tmp_path, line, header=f"{CLICKS},price,currency")
    assert (receipt.accepted, receipt.reasons) == (0, {reason: 1})
    (row,) = [row for row in ingestion.list_quarantine(db) if row.source == "clickstream"]
    assert row.place == "events.csv:2"


def test_a_log_in_parts_and_the_whole_agree_and_repeats_are_duplicates(db, now, tmp_path):
    chance = random.Random(7)
    lines = [
        f"{AT + n},{chance.randrange(20)},{chance.choice(['view', 'addtocart'])},{chance.randrange(99)},"
        for n in range(500)
    ]
    first = clicks(db, now, tmp_path, *lines[:200], *lines[:50], name="part.csv")
    assert (first.accepted, first.duplicates) == (200, 50)
    whole = clicks(db, now, tmp_path, *lines)
    assert (whole.read, whole.accepted, whole.duplicates) == (500, 300, 200)


def test_a_transaction_without_a_price_waits_and_is_taken_when_the_file_names_it(db, now, tmp_path):
    line = f"{AT},7,transaction,1,9"
    assert clicks(db, now, tmp_path, line, f"{AT},7,view,1,").reasons == {"price: missing": 1}
    assert ingestion.replay_quarantine(db, KEYS, now).reasons == {"price: missing": 1}
    again = clicks(
        db, now, tmp_path, f"{line},9.90,CNY", f"{AT},7,view,1,,,", header=f"{CLICKS},price,currency"
    )
    assert (again.accepted, again.duplicates) == (1, 1)


def test_a_refused_click_is_read_again_by_the_rules_of_clicks(db, now, tmp_path, monkeypatch):
    monkeypatch.setattr("shouxin.ingestion.clickstream._MILLISECONDS", (0, 1))
    assert clicks(db, now, tmp_path, f"{AT},7,view,1,").quarantined == 1
    monkeypatch.undo()  # the rule was wrong, and is mended
    receipt = ingestion.replay_quarantine(db, KEYS, now)
    assert (receipt.read, receipt.accepted) == (1, 1)
    (event,) = ingestion.list_events(db, [("clickstream", "7")], as_of=now)
    assert event.received_at == now


ANSWERS = "客户编号,问卷,作答时间,答卷编号,方式,满意度,忠诚度,推荐意愿,意见"


def survey(db, now, tmp_path, *lines, header=ANSWERS, source="shop"):
    path = tmp_path / "survey.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8-sig")
    return load(db, ingestion.survey_chunks(path, source=source), now)


def test_answers_are_taken_in_chinese_and_in_english(db, now, tmp_path):
    chinese = "C1,2026年回访,2026/1/5,A-1,电话,５,4,10,请打我电话13900000000！"
    assert survey(db, now, tmp_path, chinese).accepted == 1
    english = "C1,2026 call,2026-01-06T10:00:00+08:00,web,3"
    header = "Customer Ref,Survey,Answered At,Method,Satisfaction"
    assert survey(db, now, tmp_path, english, header=header).accepted == 1
    first, second = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert first.payload == {
        "survey": "2026年回访", "method": "phone", "satisfaction": 5, "loyalty": 4,
        "likely_to_recommend": 10, "text": "请打我电话[…]！",
    }  # fmt: skip
    assert (first.source_id, first.occurred_at) == ("survey/A-1", datetime(2026, 1, 5, tzinfo=UTC))
    assert first.received_at == now, "an answer is learnt when its file is loaded"
    assert second.payload == {"survey": "2026 call", "method": "web", "satisfaction": 3}
    assert survey(db, now, tmp_path, english, header=header).duplicates == 1
    assert survey(db, now, tmp_path, english.replace(",3", ",2"), header=header).accepted == 1


@pytest.mark.parametrize(
    ("line", "field", "reason"),
    [
        (",s,2026-01-05,,,5,,,", "customer_ref", "missing"),
        ("C1,,2026-01-05,,,5,,,", "survey", "missing"),
        ("C1,s,,,,5,,,", "answered_at", "missing"),
        ("C1,s,yesterday,,,5,,,", "answered_at", "neither a date nor an instant in ISO 8601"),
        ("C1,s,05/01/2026,,,5,,,", "answered_at", "neither a date nor an instant in ISO 8601"),
        ("C1,s,2036-01-05,,,5,,,", "occurred_at", "in the future"),
        ("C1,s,2026-01-05,,pigeon,5,,,", "method", "not one of phone, web, app, store, interview"),
        ("C1,s,2026-01-05,,,6,,,", "satisfaction", "not a whole number from 1 to 5"),
        ("C1,s,2026-01-05,,,0,,,", "satisfaction", "not a whole number from 1 to 5"),
        ("C1,s,2026-01-05,,,,4.5,,", "loyalty", "not a whole number from 1 to 5"),
        ("C1,s,2026-01-05,,,,,11,", "likely_to_recommend", "not a whole number from 0 to 10"),
        ("C1,s,2026-01-05,,电话,,,,", "row", "answers nothing"),
        (f"{'C' * 201},s,2026-01-05,,,5,,,", "customer_ref", "longer than 200 characters"),
        ("C1,s,2026-01-05", "row", "has 3 fields instead of 9"),
    ],
)
def test_an_answer_that_can_not_be_kept_is_refused_with_line_and_field(
    db, now, tmp_path, line, field, reason
):
    receipt = survey(db, now, tmp_path, "C0,s,2026-01-05,,,5,,,", line)
    assert (receipt.read, receipt.accepted, receipt.reasons) == (2, 1, {f"{field}: {reason}": 1})
    (row,) = ingestion.list_quarantine(db)
    assert (row.source, row.place, row.field, row.reason) == ("shop", "survey.csv:3", field, reason)
    assert survey(db, now, tmp_path, "C0,s,2026-01-05,,,5,,,", line).duplicates == 1
    assert len(ingestion.list_quarantine(db)) == 1, "the same row is kept once"
    again = ingestion.replay_quarantine(db, KEYS, now).reasons
    assert again == {"row: does not fit its header" if "fields" in reason else f"{field}: {reason}": 1}


def test_a_refused_answer_is_taken_when_the_rule_changes(db, now, tmp_path, monkeypatch):
    from shouxin.ingestion.domain import surveys

    assert survey(db, now, tmp_path, "C1,s,2026-01-05,,信鸽,5,,,").quarantined == 1
    monkeypatch.setitem(surveys._METHOD_OF, "信鸽", "interview")
    receipt = ingestion.replay_quarantine(db, KEYS, now)
    assert (receipt.read, receipt.accepted) == (1, 1)
    (event,) = ingestion.list_events(db, [("shop", "C1")], as_of=now)
    assert (event.payload["method"], event.received_at) == ("interview", now)


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("客户编号,满意度", "no column means answered_at or survey"),
        ("客户编号,会员号,问卷,日期", "two columns mean customer_ref"),
        ("", "no column means"),
    ],
)
def test_a_file_that_is_no_survey_is_told_so(tmp_path, header, told):
    path = tmp_path / "survey.csv"
    path.write_text(f"{header}\n")
    with pytest.raises(ingestion.UnableToRead, match=told):
        list(ingestion.survey_chunks(path, source="shop"))


def event(name, at, **more):
    return {
        "source": "shop", "source_id": name, "kind": "login_recorded", "customer_ref": "C1",
        "occurred_at": at.isoformat(), "payload": {}, **more,
    }  # fmt: skip


def test_events_of_a_customer_are_read_by_when_they_happened_and_ties_by_when_they_came(db, now):
    """Sent in any order, over several calls: read oldest first; what happened at once, as it was sent."""
    day = timedelta(days=1)
    ingestion.accept(db, [event("b", now - day), event("a", now - day)], keyring=KEYS, now=now - day)
    late = [event("c", now - day), event("old", now - 9 * day), event("new", now)]
    ingestion.accept(db, late, keyring=KEYS, now=now)

    def names(as_of, **more):
        return [e.source_id for e in ingestion.list_events(db, [("shop", "C1")], as_of=as_of, **more)]

    known_then, known_now = names(now - day), names(now)
    assert known_then == ["a", "b"], "one batch: by name where it happened at once"
    assert known_now == ["old", "a", "b", "c", "new"]
    assert [name for name in known_now if name in known_then] == known_then, "what is known keeps its order"
    assert names(now, limit=2) == ["c", "new"]


def test_a_file_is_kept_in_its_order_where_things_happened_at_once(db, now, tmp_path):
    rows = [event(f"x{n:03}", now) for n in random.Random(3).sample(range(300), 300)]
    path = tmp_path / "events.csv"
    table = "\n".join(f"shop,{row['source_id']},login_recorded,C1,{row['occurred_at']},{{}}" for row in rows)
    path.write_text(f"source,source_id,kind,customer_ref,occurred_at,payload\n{table}\n")
    assert ingestion.load_file(db, path, keyring=KEYS, now=now).accepted == 300
    read = [e.source_id for e in ingestion.list_events(db, [("shop", "C1")], as_of=now)]
    assert read == [row["source_id"] for row in rows]
