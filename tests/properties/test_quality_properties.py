"""Whatever comes and whatever is done at the desk: every row is counted, and none is lost."""

import json
from datetime import UTC, datetime, timedelta

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion import bulk, desk, quality
from shouxin.ingestion.desk import QuarantineFilter
from shouxin.ingestion.domain import Fact, check_row
from shouxin.ingestion.domain.desk import DeskRefusal, fields_of, repaired_raw
from shouxin.ingestion.domain.quality import Tally, doubts_about
from shouxin.ingestion.quality.counting import pass_many

KEYS = Keyring.from_master(b"k" * 32)
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
WHY = "a reason that is long enough"
SHARED = {"suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}

rows = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["shop", "app", "Shop", None]),
        "source_id": st.sampled_from(["1", "２", "3", ""]),
        "kind": st.sampled_from(["refund_issued", "complaint_filed", "login_recorded"]),
        "customer_ref": st.sampled_from(["C1", "Ｃ１", "客户", None]),
        "occurred_at": st.sampled_from(
            ["2026-03-01", "2026-03-01T10:00:00Z", "2026-02-22T10:00:00Z", "2026-02-22T10:00:01Z"]
        ),
        "received_at": st.sampled_from([None, "2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000001Z"]),
        "order_ref": st.just("O1"),
        "amount_minor": st.sampled_from([None, "0", "1"]),
        "currency": st.just("CNY"),
        "payload": st.sampled_from(
            ['{"refund_kind": "return"}', '{"topic": "a@b.example"}', '{"topic": "late"}', "{}"]
        ),
    }
)


@settings(max_examples=60, **SHARED)
@given(batch=st.lists(rows, min_size=1, max_size=12))
def test_many_rows_are_counted_like_one_by_one(batch):
    facts = [found for row in batch if isinstance(found := check_row(row, now=NOW), Fact)]
    one_by_one, at_once = Tally(), Tally()
    for fact in facts:
        one_by_one.passed(fact.source, newest_at=fact.occurred_at)
        one_by_one.found(fact.source, doubts_about(fact))
    schema = pa.schema([(name, pa.string()) for name in batch[0]] + [("place", pa.string())])
    table = pa.Table.from_pylist([row | {"place": "f:1"} for row in batch], schema=schema)
    table = table.append_column("position", pa.array(range(len(batch)), pa.int32()))
    passed = bulk.screened(table, now=NOW, token=KEYS.token).passed
    if passed.num_rows:
        pass_many(at_once, passed)
    assert at_once.counts(adapter="x") == one_by_one.counts(adapter="x")


def item(number, rating):
    return {
        "source_id": f"e-{number}",
        "kind": "review_posted",
        "customer_ref": f"C{number % 3}",
        "occurred_at": "2026-03-01T10:00:00Z",
        "payload": {"rating": rating},
    }


ratings = st.sampled_from([1, 5, 9, "x"])
actions = st.one_of(
    st.tuples(st.just("accept"), st.lists(st.tuples(st.integers(0, 5), ratings), max_size=5)),
    st.tuples(st.just("repair"), st.integers(0, 5), ratings),
    st.tuples(st.just("discard"), st.integers(0, 5)),
    st.tuples(st.just("discard all"), st.integers(0, 3)),
    st.tuples(st.just("replay")),
)


def act(db, action, now):
    name, *told = action
    kept = ingestion.list_quarantine(db)
    if name == "accept":
        batch = [item(number, rating) for number, rating in told[0]]
        ingestion.accept(db, batch, keyring=KEYS, now=now, source="shop")
    elif name == "replay":
        desk.replay_quarantine(db, KEYS, now, by="op_1")
    elif name == "discard all":
        chosen = QuarantineFilter(rule="out_of_range")
        desk.discard_chosen(db, chosen, expected=told[0], by="op_1", why=WHY, now=now)
    elif told[0] < len(kept):
        number = kept[told[0]].quarantine_no
        if name == "discard":
            desk.discard_quarantined(db, [number], by="op_1", why=WHY, now=now)
        else:
            changes = {"payload/rating": json.dumps(told[1])}
            desk.repair_quarantined(db, KEYS, number, changes=changes, by="op_1", why=WHY, now=now)


@settings(max_examples=25, **SHARED)
@given(story=st.lists(actions, max_size=12))
def test_no_row_is_lost_whatever_is_done(db, story):
    with db.begin_nested() as savepoint:
        for step, action in enumerate(story):
            act(db, action, NOW + timedelta(minutes=step))
            account = quality.balance(db)
            assert account.is_whole, account
            taken = account.loads["accepted"] + account.quarantine["accepted"]
            assert taken == ingestion.event_count(db), "what was taken is in the log, once"
            states = [desk.count_quarantine(db, QuarantineFilter(state=state)) for state in desk.STATES]
            assert sum(states) == account.quarantine["kept"] == desk.count_quarantine(db)
        savepoint.rollback()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
names = st.text(st.characters(exclude_characters="/", exclude_categories=["Cs"]), min_size=1, max_size=6)
adapters = st.sampled_from(["envelope", "canonical"])
held = st.dictionaries(names, json_values, max_size=4)


@settings(max_examples=150, **SHARED)
@given(
    content=held, name=names, text=st.text(max_size=12), adapter=st.sampled_from(["envelope", "canonical"])
)
def test_a_repair_changes_the_field_that_is_meant_and_no_other(content, name, text, adapter):
    raw = json.dumps(content)
    before = fields_of(adapter, raw)
    after = repaired_raw(adapter, raw, {name: text})
    if isinstance(after, DeskRefusal):
        return
    kept = {field: value for field, value in fields_of(adapter, after).items() if field.split("/")[0] != name}
    assert kept == {field: value for field, value in before.items() if field.split("/")[0] != name}


@settings(max_examples=150, **SHARED)
@given(content=held | json_values, adapter=adapters)
def test_what_is_shown_and_sent_back_is_no_change(content, adapter):
    raw = json.dumps(content)
    shown = fields_of(adapter, raw)
    sent = {name: text.replace("\n", "\r\n").strip() for name, text in shown.items()}
    assert isinstance(repaired_raw(adapter, raw, sent), DeskRefusal)


@settings(max_examples=100, **SHARED)
@given(raw=st.text(max_size=40), path=st.text(max_size=10), text=st.text(max_size=10))
def test_no_row_and_no_repair_makes_the_desk_stumble(raw, path, text):
    for adapter in ("envelope", "canonical", "online-retail", "registration"):
        assert all(isinstance(shown, str) for shown in fields_of(adapter, raw).values())
        after = repaired_raw(adapter, raw, {path: text})
        assert isinstance(after, DeskRefusal) or isinstance(json.loads(after), dict)
