"""Any definition over any events: Python, DuckDB, PostgreSQL and Spark give the same last bit (law)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from rooms.test_features_history import AS_OF, event, links_of, write_history
from shouxin.features import CATALOGUE, FeatureDefinition, Missing, Topic, compute, evaluate
from shouxin.features.compiler import DIALECTS, chunks_of, compile_features
from shouxin.features.compiler.grains import grain_key
from shouxin.features.domain import (
    AMOUNT,
    KIND,
    ORDER,
    Aggregate,
    Aggregation,
    Comparison,
    Condition,
    Difference,
    Field,
    Origin,
    Ratio,
    UnableToDefine,
)
from shouxin.features.domain.aggregates import DECAYED, INTERVALS, STREAKS
from shouxin.features.spark import _SETTINGS, _SETTINGS_OF_ONE_MACHINE, compute_on_spark
from shouxin.kernel import Bilingual, Event, Money
from shouxin.simulation import simulate

REFERENCES = ("C1", "C2", "C3")
AS_OF_MICROS = int(AS_OF.timestamp()) * 1_000_000
ZONES = ("Asia/Shanghai", "Europe/London", "America/St_Johns")
# Kinds that carry much between them: texts, numbers, flags, money, orders.
KINDS = (
    "order_placed",
    "order_line_placed",
    "repayment_received",
    "external_score_received",
    "order_delivered",
    "login_recorded",
)
WINDOWS = (1, 6, 30, 90, 360)

payloads: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "order_placed": st.fixed_dictionaries(
        {"items": st.integers(1, 4), "payment_method": st.sampled_from(["card", "credit"])},
        optional={
            "category": st.sampled_from(["phones", "图书", 'it\'s "so"', "a%b\\c"]),
            "coupon_minor": st.sampled_from([0, 1, 250, 2**53]),
            "device_token": st.sampled_from(["tok_a", "tok_b"]),
        },
    ),
    "order_line_placed": st.fixed_dictionaries(
        {"quantity": st.integers(1, 9), "unit_price_minor": st.integers(0, 5000)},
        optional={"product": st.booleans(), "sku": st.sampled_from(["a", "b", "c"])},
    ),
    "repayment_received": st.fixed_dictionaries({"days_past_due": st.integers(0, 3)}),
    "external_score_received": st.fixed_dictionaries(
        {}, optional={"score": st.integers(0, 900), "valid_days": st.sampled_from([1, 30, 90])}
    ),
    "order_delivered": st.fixed_dictionaries({}, optional={"days_late": st.integers(-4, 4)}),
    "login_recorded": st.fixed_dictionaries(
        {}, optional={"device_token": st.sampled_from(["tok_a", "tok_b"])}
    ),
}
MONEY_KINDS = {"order_placed", "order_line_placed", "repayment_received"}

# Anywhere in a year, often at one instant, and at the edges of windows.
instants = st.one_of(
    st.integers(-20 * 24 * 60, 400 * 24 * 60).map(lambda minutes: AS_OF - timedelta(minutes=minutes)),
    st.integers(0, 12).map(lambda days: AS_OF - timedelta(days=days)),
    st.builds(
        lambda days, step: AS_OF - timedelta(days=days, microseconds=step),
        st.sampled_from([0, *WINDOWS]),
        st.integers(-1, 1),
    ),
)


@st.composite
def histories(draw: st.DrawFn, most: int = 60) -> list[Event]:
    events = []
    for number in range(draw(st.integers(1, most))):
        kind, occurred = draw(st.sampled_from(KINDS)), draw(instants)
        currency = draw(st.sampled_from(["CNY", "CNY", "JPY", "KWD"]))
        amount = Money(draw(st.integers(0, 10**6)), currency) if kind in MONEY_KINDS else None
        late = timedelta(minutes=draw(st.sampled_from([0, 0, 0, 1, 60 * 24 * 20])))
        events.append(
            Event(
                source="shop",
                source_id=str(number),
                kind=kind,
                version=1,
                customer_ref=draw(st.sampled_from(REFERENCES)),
                occurred_at=occurred,
                received_at=occurred + late,
                amount=amount,
                order_ref=draw(st.none() | st.sampled_from(["O1", "O2", "O3"])),
                payload=draw(payloads[kind]),
            )
        )
    return events


zones = st.sampled_from(ZONES)
clocks = st.builds(Field, st.sampled_from([Origin.HOUR, Origin.WEEKDAY, Origin.DAY, Origin.MONTH]), zones)
numbers = st.one_of(
    st.just(AMOUNT),
    st.just(Field(Origin.AMOUNT_BAND, edges=(10, 500, 5000))),
    st.just(Field(Origin.FLAG, "product")),
    st.sampled_from(["items", "quantity", "days_past_due", "score", "days_late", "valid_days"]).map(
        lambda name: Field(Origin.NUMBER, name)
    ),
    st.sampled_from(["coupon_minor", "unit_price_minor"]).map(lambda name: Field(Origin.MINOR, name)),
    clocks,
)
texts = st.one_of(
    st.sampled_from([ORDER, KIND]),
    st.sampled_from(["category", "payment_method", "device_token", "sku"]).map(
        lambda name: Field(Origin.TEXT, name)
    ),
)
_A_VALUE = {
    "category": ["phones", 'it\'s "so"', "a%b\\c"],
    "payment_method": ["card", "credit"],
    "device_token": ["tok_a"],
    "sku": ["a", "b"],
}


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    field = draw(numbers | texts)
    if draw(st.integers(0, 4)) == 0:
        return Condition(field, draw(st.sampled_from([Comparison.PRESENT, Comparison.ABSENT])))
    if field.is_text:
        known = {ORDER: ["O1", "O2"], KIND: list(KINDS)}.get(field) or _A_VALUE[field.name]
        several = tuple(draw(st.lists(st.sampled_from(known), min_size=1, max_size=2, unique=True)))
        which = draw(st.sampled_from([Comparison.EQUALS, Comparison.ONE_OF, Comparison.NONE_OF]))
        return Condition(field, which, several[0] if which is Comparison.EQUALS else several)
    ordered = [Comparison.EQUALS, Comparison.AT_LEAST, Comparison.AT_MOST]
    return Condition(field, draw(st.sampled_from(ordered)), draw(st.integers(0, 6)))


@st.composite
def aggregates(draw: st.DrawFn) -> Aggregate:
    """Any aggregate that makes sense; what contradicts itself is drawn anew."""
    which = draw(st.sampled_from(list(Aggregation)))
    if which in INTERVALS:
        field = Field(Origin.DAY, draw(zones))
    elif which in {Aggregation.COUNT_DISTINCT, Aggregation.COUNT_COMMONEST, Aggregation.ENTROPY}:
        field = draw(numbers | texts)
    else:
        field = draw(numbers)
    window = draw(st.none() | st.sampled_from(WINDOWS))
    needs_window = which in {Aggregation.TREND, Aggregation.LATEST_VALID}
    without = {
        Aggregation.COUNT,
        Aggregation.DAYS_SINCE_EARLIEST,
        Aggregation.DAYS_SINCE_LATEST,
        Aggregation.DECAYED_COUNT,
        *STREAKS,
    }
    try:
        return Aggregate(
            which,
            tuple(draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=4, unique=True))),
            window or (draw(st.sampled_from((6, 30, 90))) if needs_window else None),
            None if which in without else field,
            tuple(draw(st.lists(conditions(), max_size=2))),
            0 if which is Aggregation.LATEST_VALID else draw(st.sampled_from([0, 0, 0, 1, 30])),
            (draw(conditions()),) if which in STREAKS else (),
            periods=draw(st.sampled_from([2, 3, 6])) if which is Aggregation.TREND else None,
            percent=draw(st.integers(1, 100)) if which is Aggregation.PERCENTILE else None,
            half_life_days=draw(st.sampled_from([1, 7, 30])) if which in DECAYED else None,
        )
    except UnableToDefine:
        assume(False)
        raise


formulas = st.one_of(
    aggregates(),
    aggregates(),
    st.builds(Ratio, aggregates(), aggregates()),
    st.builds(Difference, aggregates(), st.builds(Ratio, aggregates(), aggregates())),
)


def defined(formula_list: Sequence[Any], missing: Missing = Missing.STAYS_NULL) -> list[FeatureDefinition]:
    return [
        FeatureDefinition(
            f"f{i}", one, Bilingual("值", "value"), "points", missing, None, "credit_risk", Topic.PURCHASES
        )
        for i, one in enumerate(formula_list)
    ]


definitions = st.lists(formulas, min_size=1, max_size=6).map(defined)
WORDS = [
    event("consent_given", 9, purpose="behaviour", text_version="v1"),
    event("consent_withdrawn", 2, ref="C2", purpose="credit_assessment"),
    event("consent_withdrawn", 3, ref="C3", purpose="external_data"),
]


def expected(wanted: Sequence[FeatureDefinition], events: Sequence[Event]) -> dict[str, dict[str, Any]]:
    """What Python says of everyone of whom something is known."""
    known = sorted({one.customer_ref for one in events if one.known_at(AS_OF)})
    return {
        f"cus_{ref}": evaluate(wanted, [one for one in events if one.customer_ref == ref], as_of=AS_OF)
        for ref in known
    }


def by_duckdb(wanted: Sequence[FeatureDefinition], events: Sequence[Event]) -> dict[str, dict[str, Any]]:
    """The compiled query over the files alone, as somebody would run it by hand."""
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as engine:
        history = write_history(Path(folder), events)
        engine.execute("SET TimeZone = 'UTC'")
        engine.read_parquet(f"{history}/*.parquet").create_view("history")
        engine.register("link", links_of(*REFERENCES))
        sql = compile_features(wanted, dialect=DIALECTS["duckdb"])
        table = engine.sql(sql, params={"as_of": AS_OF_MICROS}).to_arrow_table()
        return {row.pop("customer_id"): row for row in table.to_pylist()}


def batch(wanted: Sequence[FeatureDefinition], events: Sequence[Event]) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        table = compute(
            write_history(Path(folder), events), links_of(*REFERENCES), as_of=AS_OF, definitions=wanted
        )
    return {row.pop("customer_id"): row for row in table.drop_columns(["as_of"]).to_pylist()}


def by_postgres(
    db: Connection, wanted: Sequence[FeatureDefinition], events: Sequence[Event]
) -> dict[str, dict[str, Any]]:
    """Over the event log's own table, with the same columns as the history."""
    savepoint = db.begin_nested()
    for one in events:
        db.execute(sqlalchemy.text(_INSERT), _row(one))
    db.execute(sqlalchemy.text("CREATE TEMP TABLE link (source text, customer_ref text, customer_id text)"))
    db.execute(
        sqlalchemy.text("INSERT INTO link VALUES ('shop', :ref, :customer)"),
        [{"ref": ref, "customer": f"cus_{ref}"} for ref in REFERENCES],
    )
    db.execute(sqlalchemy.text("CREATE TEMP VIEW history AS SELECT * FROM ingestion.event"))
    sql = compile_features(wanted, dialect=DIALECTS["postgres"])
    rows = db.execute(sqlalchemy.text(sql), {"as_of": AS_OF_MICROS}).mappings().all()
    savepoint.rollback()
    return {row["customer_id"]: {name: row[name] for name in row if name != "customer_id"} for row in rows}


_INSERT = """
INSERT INTO ingestion.event (source, source_id, kind, version, customer_ref, occurred_at, received_at,
    order_ref, amount_minor, currency, payload)
VALUES (:source, :source_id, :kind, 1, :customer_ref, :occurred_at, :received_at,
    :order_ref, :amount_minor, :currency, CAST(:payload AS jsonb))
"""


def _row(one: Event) -> dict[str, Any]:
    return {
        "source": one.source,
        "source_id": one.source_id,
        "kind": one.kind,
        "customer_ref": one.customer_ref,
        "occurred_at": one.occurred_at,
        "received_at": one.received_at,
        "order_ref": one.order_ref,
        "amount_minor": one.amount.minor if one.amount is not None else None,
        "currency": one.amount.currency if one.amount is not None else None,
        "payload": json.dumps(dict(one.payload)),
    }


def by_spark(
    spark: Any, wanted: Sequence[FeatureDefinition], events: Sequence[Event], computed: Callable[[Any], Any]
) -> dict[str, dict[str, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        history = write_history(Path(folder), events)
        spark.read.parquet(str(history)).createOrReplaceTempView("history")
        spark.createDataFrame(
            [("shop", ref, f"cus_{ref}") for ref in REFERENCES],
            "source string, customer_ref string, customer_id string",
        ).createOrReplaceTempView("link")
        rows = [row.asDict() for row in computed(wanted).collect()]
    return {row.pop("customer_id"): row for row in rows}


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """A small simulated shop of a year, its customers called C1 to C3: many events of every kind."""
    folder = tmp_path_factory.mktemp("shop")
    simulate(folder, customers=60, months=12, start=date(2025, 3, 1), seed=5, live_days=1, visits_a_month=1.0)
    rows = pq.read_table(folder / "events").to_pylist()
    events = [_event(row, f"C{1 + int(row['source_id'][-1], 36) % 3}") for row in rows]
    # What a shop sends twice is stored once.
    return list({event.source_id: event for event in events}.values())


def _event(row: dict[str, Any], reference: str) -> Event:
    payload, personal = json.loads(row["payload"]), json.loads(row["personal"] or "{}")
    tokens = {f"{name}_token": f"tok_{value}" for name, value in personal.items()}
    amount = Money(row["amount_minor"], row["currency"]) if row["currency"] else None
    return Event(
        source="shop",
        source_id=row["source_id"],
        kind=row["kind"],
        version=1,
        customer_ref=reference,
        occurred_at=row["occurred_at"],
        received_at=row["received_at"],
        amount=amount,
        order_ref=row["order_ref"],
        payload=payload | tokens,
    )


QUIETLY = settings(
    max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


@QUIETLY
@given(definitions, histories(), st.booleans())
def test_duckdb_says_what_python_says(wanted, events, spoken):
    told = [*events, *(WORDS if spoken else ())]
    assert by_duckdb(wanted, told) == batch(wanted, told) == expected(wanted, told)


@settings(parent=QUIETLY, suppress_health_check=list(HealthCheck), max_examples=100)
@given(definitions, histories(), st.booleans())
def test_postgresql_says_what_python_says(db, wanted, events, spoken):
    told = [*events, *(WORDS if spoken else ())]
    assert by_postgres(db, wanted, told) == expected(wanted, told)


@settings(parent=QUIETLY, suppress_health_check=list(HealthCheck), max_examples=12)
@given(st.lists(formulas, min_size=10, max_size=20).map(defined), histories(), st.booleans())
def test_spark_says_what_python_says(spark, wanted, events, spoken):
    told = [*events, *(WORDS if spoken else ())]
    bound = {"as_of": AS_OF_MICROS}
    found = by_spark(
        spark,
        wanted,
        told,
        lambda asked: spark.sql(compile_features(asked, dialect=DIALECTS["spark"]), args=bound),
    )
    assert found == expected(wanted, told)


def test_the_whole_catalogue_is_equal_in_python_duckdb_and_postgresql(db, lives):
    said = expected(CATALOGUE, lives)
    assert len(said) == len(REFERENCES) and all(any(row.values()) for row in said.values())
    assert batch(CATALOGUE, lives) == said
    assert by_duckdb(CATALOGUE, lives) == said
    assert by_postgres(db, CATALOGUE, lives) == said


def test_the_whole_catalogue_is_equal_on_spark(spark, lives, tmp_path):
    """In chunks, as the command runs it: all features, each to the last bit, with a purpose taken back."""
    told, links = [*lives, *WORDS], links_of(*REFERENCES)
    history = write_history(tmp_path / "history", told)
    steps: list[tuple[int, int]] = []
    before = {name: spark.conf.get(name, None) for name in _SETTINGS | _SETTINGS_OF_ONE_MACHINE}
    count = compute_on_spark(
        history, links, tmp_path / "out", as_of=AS_OF, progress=lambda *step: steps.append(step)
    )
    written = pq.read_table(tmp_path / "out").sort_by("customer_id")
    alike = compute(history, links, as_of=AS_OF).sort_by("customer_id")
    assert count == written.num_rows == len(REFERENCES)
    assert written.schema.types == alike.schema.types and written.column_names == alike.column_names
    assert written.to_pylist() == alike.to_pylist()
    assert len(steps) > 5 and steps[-1] == (len(steps), len(steps))
    assert {name: spark.conf.get(name, None) for name in before} == before


@given(definitions, st.integers(1, 4), st.integers(1, 4))
def test_chunks_have_each_definition_once_and_are_small(wanted, grains, aggregates):
    chunks = list(chunks_of(wanted, grains=grains, aggregates=aggregates))
    assert sorted(item.name for chunk in chunks for item in chunk) == sorted(item.name for item in wanted)
    for chunk in chunks:
        parts = {part for item in chunk for part in item.parts}
        small = len({grain_key(part) for part in parts}) <= grains and len(parts) <= aggregates
        assert chunk and (small or len(chunk) == 1)
