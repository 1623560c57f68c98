"""Frequent sets, rules and risk patterns: against slow ways, known figures and planted truth."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from itertools import combinations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rooms.test_features_history import event, links_of, write_history
from shouxin.features.patterns import UnableToMinePatterns, mine_patterns, pattern_features
from shouxin.features.patterns.domain import (
    BEHAVIOURS,
    Dates,
    Evidence,
    Item,
    PatternDocument,
    Sample,
    each_certain,
    frequent_sets,
    lifts,
    masks_of,
    matched,
    mine,
    within_false_discovery,
)
from shouxin.kernel import Bilingual

NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DATES = Dates(NIGHT, NIGHT - timedelta(days=270), NIGHT - timedelta(days=180))


def slow_sets(baskets, *, count_min, length_max=None):
    items = sorted({item for basket, _ in baskets for item in basket})
    found = {}
    for length in range(1, (length_max or len(items)) + 1):
        for chosen in combinations(items, length):
            held = sum(count for basket, count in baskets if set(chosen) <= set(basket))
            if held >= count_min:
                found[chosen] = held
    return found


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.lists(st.integers(0, 6), max_size=6).map(tuple), st.integers(1, 4)), max_size=14),
    st.integers(1, 8),
    st.none() | st.integers(1, 4),
)
def test_growth_finds_what_trying_everything_finds(baskets, count_min, length_max):
    assert frequent_sets(baskets, count_min=count_min, length_max=length_max) == slow_sets(
        baskets, count_min=count_min, length_max=length_max
    )


def test_the_example_of_the_textbook():
    """Nine baskets of Han, Kamber, Pei, Data Mining (2011), table 6.1; sets of support two or more."""
    baskets = [(1, 2, 5), (2, 4), (2, 3), (1, 2, 4), (1, 3), (2, 3), (1, 3), (1, 2, 3, 5), (1, 2, 3)]
    found = frequent_sets([(basket, 1) for basket in baskets], count_min=2)
    assert found == {
        (1,): 6, (2,): 7, (3,): 6, (4,): 2, (5,): 2, (1, 2): 4, (1, 3): 4, (1, 5): 2, (2, 3): 4,
        (2, 4): 2, (2, 5): 2, (1, 2, 3): 2, (1, 2, 5): 2,
    }  # fmt: skip


@pytest.mark.public_data
def test_growth_on_a_year_of_invoices(public_data):
    """Every pair of Online Retail that 300 invoices hold, counted by hand as well."""
    folder = public_data / "online_retail"
    if not list(folder.glob("*.csv")):
        pytest.skip(f"there is no CSV below {folder}")
    import duckdb

    rows = duckdb.sql(
        "SELECT InvoiceNo::VARCHAR AS invoice, StockCode::VARCHAR AS sku FROM read_csv(?, all_varchar=true)"
        " WHERE NOT starts_with(InvoiceNo, 'C')", params=[f"{folder}/*.csv"],
    ).fetchall()  # fmt: skip
    baskets = defaultdict(set)
    for invoice, sku in rows:
        baskets[invoice].add(sku)
    number = {sku: n for n, sku in enumerate(sorted({sku for basket in baskets.values() for sku in basket}))}
    coded = [(tuple(sorted(number[sku] for sku in basket)), 1) for basket in baskets.values()]
    found = frequent_sets(coded, count_min=300, length_max=2)
    single = Counter(item for basket, _ in coded for item in basket)
    often = [[item for item in basket if single[item] >= 300] for basket, _ in coded]
    pairs = Counter(pair for basket in often for pair in combinations(basket, 2))
    assert {pair: n for pair, n in pairs.items() if n >= 300} == {
        chosen: n for chosen, n in found.items() if len(chosen) == 2
    }
    assert len(found) > 100


def test_the_figures_of_a_rule_by_hand():
    """Of 1,000 customers 200 have the items, 100 the event, 60 both."""
    rule = Evidence(1000, 200, 100, 60)
    assert rule.support.value == 0.06
    assert rule.confidence.value == 0.3
    assert rule.lift.value == pytest.approx(3.0)
    assert rule.leverage.value == pytest.approx(0.06 - 0.02)
    assert rule.conviction.value == pytest.approx(0.9 / 0.7)
    # Wilson's interval of 60 in 200.
    assert (rule.confidence.low, rule.confidence.high) == pytest.approx((0.24073, 0.36677), abs=5e-5)
    for figure in (rule.support, rule.confidence, rule.lift, rule.leverage, rule.conviction):
        assert figure.low < figure.value < figure.high


def test_a_rule_that_is_never_or_always_right_has_figures_too():
    assert Evidence(1000, 50, 100, 0).lift.value == 0 and Evidence(1000, 50, 100, 0).lift.high < 1
    assert Evidence(1000, 50, 100, 50).conviction.value == math.inf
    assert json.dumps(Evidence(1000, 50, 100, 50).as_data())
    assert Evidence(100, 0, 10, 0).confidence.value == 0


@pytest.mark.parametrize("figure", ["support", "confidence", "lift", "leverage", "conviction"])
def test_intervals_hold_the_truth_nineteen_times_in_twenty(figure):
    """Drawn anew 2,000 times from known shares; the truth must lie inside as often as is said."""
    random, n, a, both, alone = np.random.default_rng(11), 4000, 0.1, 0.03, 0.05
    shares = [both, a - both, alone, 1 - a - alone]
    true = {
        "support": both, "confidence": both / a, "lift": both / a / (both + alone),
        "leverage": both - a * (both + alone), "conviction": (1 - both - alone) / (1 - both / a),
    }[figure]  # fmt: skip
    inside = 0
    for ab, only_a, only_b, _ in random.multinomial(n, shares, 2000).tolist():
        told = getattr(Evidence(n, ab + only_a, ab + only_b, ab), figure)
        inside += told.low <= true <= told.high
    assert 0.93 <= inside / 2000 <= 0.97


def test_many_tests_are_paid_for():
    """Of Benjamini and Hochberg (1995), fifteen p-values: four are found at 5 %; Holm keeps three."""
    told = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262,
            0.5719, 0.6528, 0.7590, 1.0]  # fmt: skip
    assert within_false_discovery(told, tests=15, rate=0.05) == [True] * 4 + [False] * 11
    assert each_certain(told, level=0.05) == [True] * 3 + [False] * 12
    assert within_false_discovery([], tests=0, rate=0.05) == [] == each_certain([], level=0.05)


def world(seed: int, *, lift: bool, rows: int = 8000) -> Sample:
    """Six behaviours at random; whoever has the first two together defaults five times as often, or not."""
    random = np.random.default_rng(seed)
    having = [random.random(rows) < share for share in (0.2, 0.25, 0.3, 0.1, 0.4, 0.15)]
    risk = np.where(having[0] & having[1] & lift, 0.20, 0.04)
    return Sample(masks_of(having), (random.random(rows) < risk).astype(np.int64))


ITEMS = tuple(Item(f"i{n}", Bilingual(f"第{n}项", f"item {n}"), "x") for n in range(6))


@pytest.mark.parametrize("seed", range(5))
def test_a_planted_pattern_is_found_and_nothing_beside_it(seed):
    document = mine(ITEMS, world(seed, lift=True), world(seed + 100, lift=True), outcome="o", dates=DATES)
    assert ("i0", "i1") in [pattern.items for pattern in document.patterns]
    assert all(set(pattern.items) & {"i0", "i1"} for pattern in document.patterns)
    assert all(len(pattern.items) < 3 for pattern in document.patterns)
    (planted,) = [pattern for pattern in document.patterns if pattern.items == ("i0", "i1")]
    assert planted.found.lift.low > 2 and planted.confirmed.lift.low > 2


@pytest.mark.parametrize("seed", range(20))
def test_where_there_is_nothing_nothing_is_found(seed):
    document = mine(ITEMS, world(seed, lift=False), world(seed + 100, lift=False), outcome="o", dates=DATES)
    assert document.patterns == () and document.tested > 20


def test_what_does_not_hold_later_is_not_kept():
    assert not mine(ITEMS, world(1, lift=True), world(2, lift=False), outcome="o", dates=DATES).patterns


def test_a_document_reads_back_and_its_name_says_what_it_holds():
    document = mine(ITEMS, world(1, lift=True), world(2, lift=True), outcome="o", dates=DATES)
    again = PatternDocument.from_data(json.loads(json.dumps(document.as_data())))
    assert again == document and again.hash == document.hash
    other = mine(ITEMS, world(3, lift=True), world(2, lift=True), outcome="o", dates=DATES)
    assert other.hash != document.hash
    assert document.meaning(document.patterns[0]).en.startswith("item ")


def test_the_strongest_pattern_counts():
    document = mine(ITEMS, world(1, lift=True), world(2, lift=True), outcome="o", dates=DATES)
    masks = np.array([0b000000, 0b000011, 0b111111, 0b001000])
    count, strongest = matched(document, masks)
    assert strongest[0] == -1 == strongest[3] and (count[0], count[3]) == (0, 0)
    assert strongest[1] == 0 and lifts(document, strongest)[1] == document.patterns[0].lift
    assert lifts(document, strongest)[0] == 1.0
    assert count[2] == len(document.patterns)


def test_a_missing_value_is_no_item():
    (late,) = [item for item in BEHAVIOURS if item.code == "late_once"]
    (new,) = [item for item in BEHAVIOURS if item.code == "new"]
    values = np.array([np.nan, 0, 1, 181])
    assert late.held_against(values).tolist() == [False, False, True, True]
    assert new.held_against(values).tolist() == [False, True, True, False]


def shop(tmp_path, customers: int = 500):
    """Two years: everybody has a line; who pays late once at each date stops repaying within half a year."""
    events, refs = [], [f"C{number:04d}" for number in range(customers)]
    for number, ref in enumerate(refs):
        late = number % 5 == 0
        events.append(event("line_opened", 700, ref=ref, amount="1000.00"))
        what = {"payment_method": "credit", "category": "phones" if number % 2 else "books"}
        events.append(event("order_placed", 600, ref=ref, order=f"O{ref}", amount="10.00", items=1, **what))
        for days_ago in (285, 190):
            if late:
                told = {"plan_id": f"P{days_ago}", "number": 1, "days_past_due": 9}
                events.append(event("repayment_received", days_ago, ref=ref, **told))
        # One half of the late ones falls after the first date, the others after the second.
        if late and number % 25:
            fallen = {"plan_id": "Q", "number": 1, "days_past_due": 60}
            events.append(event("instalment_overdue", 100, ref=ref, **fallen))
    return write_history(tmp_path, events), links_of(*refs), refs


def test_patterns_are_mined_from_outcomes_that_had_matured(tmp_path):
    history, links, _ = shop(tmp_path)
    document = mine_patterns(history, links, night=NIGHT + timedelta(days=20))
    assert (document.as_of, document.confirmed_at) == (NIGHT, NIGHT - timedelta(days=180))
    assert [pattern.code for pattern in document.patterns] == ["late_once"]
    (pattern,) = document.patterns
    assert 230 < pattern.found.rows < 270 and pattern.confirmed.confidence.value > 0.7
    assert document.hash == mine_patterns(history, links, night=NIGHT).hash


def test_what_is_learnt_after_the_month_began_changes_no_pattern(tmp_path):
    history, links, refs = shop(tmp_path / "a")
    late = [
        event("instalment_overdue", 20, ref=ref, late_days=20.5, plan_id="Z", number=1, days_past_due=60)
        for ref in refs[1::5]
    ]
    write_history(tmp_path / "a/more", late)
    assert (
        mine_patterns(history, links, night=NIGHT).hash
        == mine_patterns(shop(tmp_path / "b")[0], links, night=NIGHT).hash
    )


def test_who_took_the_agreement_back_teaches_nothing_and_is_told_nothing(tmp_path):
    history, links, refs = shop(tmp_path)
    before = mine_patterns(history, links, night=NIGHT)
    said = [event("consent_withdrawn", 1, ref=ref, purpose="credit_assessment") for ref in refs[:20]]
    write_history(tmp_path / "more", said)
    after = mine_patterns(history, links, night=NIGHT)
    assert before.patterns[0].found.rows + before.patterns[0].confirmed.rows - 20 == (
        after.patterns[0].found.rows + after.patterns[0].confirmed.rows
    )
    table = pattern_features(history, links, night=NIGHT, document=after)
    assert not {f"cus_{ref}" for ref in refs[:20]} & set(table["customer_id"].to_pylist())


def test_each_customer_is_told_the_pattern_that_matches(tmp_path):
    history, links, _ = shop(tmp_path)
    document = mine_patterns(history, links, night=NIGHT)
    now = event("repayment_received", 3, ref="C0001", plan_id="R", number=1, days_past_due=2)
    write_history(tmp_path / "more", [now])
    rows = {
        r["customer_id"]: r
        for r in pattern_features(history, links, night=NIGHT, document=document).to_pylist()
    }
    assert rows["cus_C0001"] == {
        "customer_id": "cus_C0001", "pattern_lift_strongest": document.patterns[0].lift,
        "patterns_matched": 1.0, "strongest_pattern": "late_once",
    }  # fmt: skip
    assert (rows["cus_C0002"]["pattern_lift_strongest"], rows["cus_C0002"]["strongest_pattern"]) == (
        1.0,
        None,
    )


def test_a_young_history_has_no_patterns_yet(tmp_path):
    history = write_history(tmp_path, [event("line_opened", 300, amount="10.00")])
    links: pa.Table = links_of("C1")
    with pytest.raises(
        UnableToMinePatterns, match=r"need a history from 2025-04-05 on, and it begins 2025-05-05"
    ):
        mine_patterns(history, links, night=NIGHT)
