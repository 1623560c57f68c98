"""What credit data is worth, measured on a simulated shop whose hidden risk the simulated bureau leans on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from shouxin import reporting
from shouxin.entrypoints.bureau import settings_text
from shouxin.entrypoints.providers import read_settings
from shouxin.ingestion.external import Charging, Identifier, Product, Spelling
from shouxin.kernel import Money
from shouxin.reporting import Verdict
from shouxin.simulation import simulate
from shouxin.simulation.bureau_people import past_answers

AS_OF = datetime(2025, 9, 1, tzinfo=UTC)
TESTED_AT = AS_OF - timedelta(days=180)
TRAINED_AT = [TESTED_AT - timedelta(days=180 + 30 * i) for i in range(3)]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lift") / "shop"
    simulate(folder, customers=6_000, months=20, start=date(2024, 1, 1), seed=7, live_days=0)
    return folder


@pytest.fixture(scope="module")
def answers(shop):
    asked_on = [point - timedelta(days=2) for point in (*TRAINED_AT, TESTED_AT)]
    return past_answers(shop, on=asked_on, seed=7)


def products():
    return [
        Product(
            "sim", code, Money(80, "CNY"), Charging.FOUND, timedelta(days=30), timedelta(seconds=2), 2,
            Identifier.PHONE, Spelling.SHA256,
        )
        for code in ("sesame_score", "wechat_pay_score")
    ]  # fmt: skip


def measured(db, shop, table, folder):
    history = folder / "history"
    history.mkdir()
    for file in (shop / "events").glob("**/*.parquet"):
        events = pq.read_table(file)
        # The shop bought scores of its own; here only those of the table are there.
        own = pc.equal(events["kind"], "external_score_received")
        pq.write_table(events.filter(pc.invert(own)), history / file.name)
    pq.write_table(table, history / "zz-answers.parquet")
    refs = pq.read_table(shop / "truth" / "customers.parquet", columns=["customer_ref"])["customer_ref"]
    links = pa.table(
        {
            "source": pa.array(["shop"] * len(refs), pa.string()),
            "customer_ref": refs.combine_chunks(),
            "customer_id": pa.array([f"cus_{ref}" for ref in refs.to_pylist()], pa.string()),
        }
    )
    return reporting.external_lift(db, history, links, as_of=AS_OF, now=AS_OF, products=products())


def test_products_that_see_the_risk_help_and_say_what_they_cost(db, shop, answers, tmp_path):
    report = measured(db, shop, answers, tmp_path)
    assert (report.tested_at, set(report.trained_at)) == (TESTED_AT, set(TRAINED_AT))
    assert 1_000 < report.customers < 0.5 * 6_000, "four in ten are held out, and trained nothing"
    assert report.cut_off == 0.10 and 0 < report.approved <= report.customers
    lines = {line.product: line for line in report.lines}
    sesame, everything = lines["sesame_score"], lines["all"]
    assert sesame.difference.value > 0.005 and everything.difference.value > 0.005
    assert sesame.cost == Money(80 * sesame.with_answer, "CNY")
    assert sesame.difference.value == pytest.approx(sesame.auc.value - report.auc.value)
    assert sesame.per_10k_yuan.value == pytest.approx(
        sesame.difference.value / (sesame.cost.minor / 100 / 10_000)
    )
    assert lines["bureau_report"].cost is None and lines["bureau_report"].per_10k_yuan is None
    assert everything.cost is None, "the price of two of the four is not known"
    for line in report.lines:
        zero_inside = line.difference.low <= 0 <= line.difference.high
        assert (line.verdict is Verdict.NOT_SHOWN) == zero_inside
    assert reporting.latest_lift(db)["products"][0]["product"] == "sesame_score"


def test_answers_about_somebody_else_are_worth_nothing(db, shop, answers, tmp_path):
    kinds = np.array(answers["kind"].to_pylist())
    payloads = np.array(answers["payload"].to_pylist(), dtype=object)
    told = np.flatnonzero(kinds == "external_score_received")
    rng = np.random.default_rng(5)
    for product in ("sesame_score", "wechat_pay_score", "bureau_report", "public_records"):
        rows = np.array([row for row in told if f'"{product}"' in payloads[row]])
        payloads[rows] = payloads[rng.permutation(rows)]
    column = pa.array(payloads.tolist(), pa.string())
    shuffled = answers.set_column(
        answers.schema.get_field_index("payload"), answers.schema.field("payload"), column
    )
    report = measured(db, shop, shuffled, tmp_path)
    assert {line.verdict for line in report.lines} <= {Verdict.NOT_SHOWN, Verdict.WORSE}


def test_without_answers_nothing_is_measured_and_said_so(db, shop, answers, tmp_path):
    report = measured(db, shop, answers.slice(0, 0), tmp_path)
    assert {line.verdict for line in report.lines} == {Verdict.NOT_MEASURED}
    assert report.auc.value > 0.6
    data = report.as_data()
    assert data["products"][0]["difference"] is None and data["auc_without"]["value"] > 0.6


def test_the_printed_prices_are_those_of_the_simulation(tmp_path):
    path = tmp_path / "providers.toml"
    path.write_text(settings_text("http://127.0.0.1:1", key="k", secret="s"))
    prices = {item.code: item.price for item in read_settings(path).provider[0].product}
    assert prices == {
        "sesame_score": "0.80", "wechat_pay_score": "0.60", "bureau_report": "2.50", "public_records": "0.30",
    }  # fmt: skip
