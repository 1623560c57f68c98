"""Reporting over a small house: what pages show is what the rooms hold."""

import json
from datetime import timedelta

import numpy as np
import pytest
import sqlalchemy
from sqlalchemy import text
from typer.testing import CliRunner

from shouxin import credit, early_warning, features, grading, identity, ingestion, reporting, scoring
from shouxin.cases import open_case
from shouxin.early_warning import Observation
from shouxin.entrypoints.cli.report import render
from shouxin.governance import load_keyring
from shouxin.grading import Grade, GradeAssignment
from shouxin.kernel import Approval, Money
from shouxin.reporting import QUERIES, CustomerFilter

CARDS = [("C1", "A", 0.01, 0), ("C2", "C", 0.06, 12), ("C3", "D", 0.30, 95), ("C4", None, None, 40)]


@pytest.fixture
def keyring(home):
    return load_keyring(home)


@pytest.fixture
def customers(db, now, keyring):
    """Four customers; each owes 1,000.00 of 2,000.00; C4 is not graded, C5 has nothing but a name."""
    refs = [card[0] for card in CARDS] + ["C5"]
    receipt = ingestion.accept(
        db, [registered(ref, now - timedelta(days=90)) for ref in refs], keyring=keyring, now=now
    )
    assert receipt.accepted == len(refs), receipt
    identity.unify(db, keyring=keyring, now=now)
    ids = {ref: identity.find_customer(db, source="shop", customer_ref=ref) for ref in refs}
    grading.assign(
        db,
        [assignment(ids[ref], grade, pd, as_of=now) for ref, grade, pd, _ in CARDS if grade],
        now=now,
    )
    for ref, _, _, days in CARDS:
        credit.open_line(db, ids[ref], limit=Money(200_000, "CNY"), reason="test", now=now)
        db.execute(
            text(
                "UPDATE credit.line SET outstanding_minor = 100000, days_past_due = :days"
                " WHERE customer_id = :customer"
            ),
            {"days": days, "customer": ids[ref]},
        )
    return ids


def registered(ref, at):
    return {
        "source": "shop",
        "source_id": f"reg-{ref}",
        "kind": "customer_registered",
        "version": 1,
        "customer_ref": ref,
        "occurred_at": at.isoformat(),
        "payload": {"channel": "app"},
        "personal": {"name": "测试员"},
    }


def assignment(customer_id, grade, pd, *, as_of, model="sha256:m", score=640):
    reason = {
        "code": "x.high", "rank": 1, "text": {"zh": "偏高", "en": "Is high"}, "points": -31, "feature": "x",
        "value": 2,
    }  # fmt: skip
    return GradeAssignment(
        customer_id, as_of, pd, score, Grade(grade), model, features.catalogue_hash(), (reason,)
    )


def test_the_portfolio_adds_up_and_names_its_queries(db, now, customers):
    report = reporting.portfolio(db, today=now.date())
    value = {figure.name: figure.value for figure in report.figures}
    assert (value["lines"], value["exposure"], value["limit"]) == (4, 400_000, 800_000)
    assert (value["overdue"], value["overdue_30_rate"], value["utilisation"]) == (300_000, 0.5, 0.5)
    # 1,000.00 x 0.75 x (0.01 + 0.06 + 1): beyond 90 days past due the PD is 1.
    assert value["expected_loss"] == 80_250
    assert value["exposure_without_grade"] == 100_000
    buckets = {row.bucket: (row.lines, row.exposure) for row in report.section("overdue").rows}
    assert buckets == {
        "M0": (1, 100_000), "M1": (1, 100_000), "M2": (1, 100_000), "M3": (0, 0), "M3+": (1, 100_000),
    }  # fmt: skip
    grades = {row.grade: (row.customers, row.expected_loss) for row in report.section("grades").rows}
    assert grades == {"S": (0, 0), "A": (1, 750), "B": (0, 0), "C": (1, 4_500), "D": (1, 75_000)}
    assert set(report.queries) <= set(QUERIES)
    json.dumps(report.as_data())


def test_decisions_are_those_of_thirty_days(db, now, customers):
    db.execute(
        text("INSERT INTO decisions.policy VALUES ('sha256:p', 'p', 'checkout', '{}', 'chen', :now);"),
        {"now": now},
    )
    for number, back in enumerate([0, 29, 31]):
        db.execute(
            text(
                "INSERT INTO decisions.decision VALUES (:id, 'checkout', :customer, 'O1', 'decline', 100,"
                " 'CNY', 600, 0.1, 'D', 'sha256:p', 'm', 'f', '{}', '', :at)"
            ),
            {"id": f"dec_{number}", "customer": customers["C3"], "at": now - timedelta(days=back)},
        )
    (row,) = reporting.portfolio(db, today=now.date()).section("decisions").rows
    assert (row.name, row.count) == ("decline", 2)


def test_the_overview_shows_trends_and_what_waits(db, now, customers):
    for back in (60, 31):
        reporting.record_day(db, day=now.date() - timedelta(days=back), now=now - timedelta(days=back))
    early_warning.watch(
        db,
        observations=[Observation(customers["C3"], {"days_past_due": 95.0}, Money(100_000, "CNY"), 95, "D")],
        now=now,
    )
    open_case(db, customer_id=customers["C3"], origin="manual", title="x", opened_by="chen", now=now)
    seen = reporting.overview(db, today=now.date())
    tiles = {tile.key: tile for tile in seen.tiles}
    assert [len(tile.trend) for tile in seen.tiles] == [3] * 6
    assert (tiles["exposure"].value, tiles["exposure"].change) == (400_000, 0.0)
    assert (tiles["open_alerts"].value, tiles["open_cases"].value) == (1, 1)
    assert dict(seen.grades) == {"S": 0, "A": 1, "B": 0, "C": 1, "D": 1}
    assert [row.customer_id for row in seen.latest_alerts] == [customers["C3"]]
    assert (seen.overdue[-1].m1, seen.overdue[-1].m3_plus) == (100_000, 100_000)


def test_a_day_is_recorded_again_in_place(db, now, customers):
    reporting.record_day(db, day=now.date(), now=now)
    db.execute(text("UPDATE credit.line SET outstanding_minor = 0"))
    assert reporting.overview(db, today=now.date()).tiles[0].value == 400_000
    reporting.record_day(db, day=now.date(), now=now)
    seen = reporting.overview(db, today=now.date())
    assert (seen.tiles[0].value, len(seen.tiles[0].trend)) == (0, 1)


def test_an_empty_house_has_pages_too(db, now, keyring):
    seen = reporting.overview(db, today=now.date())
    assert (seen.currency, [tile.value for tile in seen.tiles]) == ("CNY", [0] * 6)
    assert reporting.portfolio(db, today=now.date()).figure("expected_loss").value == 0
    assert reporting.list_customers(db, keyring, CustomerFilter()).total == 0
    assert reporting.customer_360(db, keyring, "cus_nobody", as_of=now) is None


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        (CustomerFilter(), "C3 C2 C1"),
        (CustomerFilter(order="days_past_due"), "C3 C4 C2 C1"),
        (CustomerFilter(grade="C"), "C2"),
        (CustomerFilter(text="C4"), "C4"),
        (CustomerFilter(text="nobody"), ""),
    ],
)
def test_customers_are_listed_in_the_order_asked_for(db, keyring, customers, chosen, expected):
    page = reporting.list_customers(db, keyring, chosen)
    listed = [row.reference for row in page.rows]
    assert listed[: len(expected.split())] == expected.split()
    assert len(listed) == page.total == (1 if chosen.grade or expected == "C4" else 5 if expected else 0)


def test_the_pages_of_a_list_hold_everybody_once(db, keyring, customers):
    for order in ("risk", "exposure", "days_past_due", "registered"):
        pages = [
            reporting.list_customers(db, keyring, CustomerFilter(order=order, page=n, per_page=2)).rows
            for n in (1, 2, 3)
        ]
        listed = [row.reference for page in pages for row in page]
        assert sorted(listed) == ["C1", "C2", "C3", "C4", "C5"], order


def test_a_row_of_the_list(db, now, keyring, customers):
    row = reporting.list_customers(db, keyring, CustomerFilter(text="C2")).rows[0]
    assert (row.grade, row.pd, row.score, row.days_past_due) == ("C", 0.06, 640, 12)
    assert (row.limit, row.exposure) == (Money(200_000, "CNY"), Money(100_000, "CNY"))
    assert row.registered_at == now - timedelta(days=90)
    assert "*" in row.name


def test_one_customer_on_one_page(db, now, keyring, customers):
    customer = customers["C2"]
    line = credit.line_of(db, customer)
    credit.freeze(db, line, reason="asked to", by="chen", now=now)
    grading.assign(db, [assignment(customer, "D", 0.2, as_of=now + timedelta(days=1))], now=now)
    later = now + timedelta(days=2)
    view = reporting.customer_360(db, keyring, customer, as_of=later)
    assert ("shop", "C2") in view.references
    assert (view.standing.grade, view.line.frozen, view.open_alerts) == ("D", True, 0)
    assert [point.grade for point in view.score_history] == ["C", "D"]
    assert [(bar.label.en, bar.points) for bar in view.contributions] == [("Is high", -31)]
    titles = [entry.title.en for entry in view.timeline]
    assert titles[0] == "Grade changed from C to D"
    assert {"Line frozen", "Registered", "Credit line opened"} <= set(titles)
    assert view.service == grading.SERVICE_POLICY[Grade.D]


def test_why_this_score_is_computed_from_the_model_that_made_it(db, now, keyring, customers):
    rng = np.random.default_rng(7)
    columns = {name: rng.random(2_000) * 10 for name in ("orders_90d", "late_repayments_180d")}
    y = rng.random(2_000) < 1 / (1 + np.exp(3 - 0.4 * columns["late_repayments_180d"]))
    model = scoring.train_columns(columns, y.astype(float), outcome="late").artefact
    model_hash = scoring.register(db, model, name="test", report={}, now=now)
    approval = Approval("apr_1", f"model:{model_hash}", "chen", "li", "tested", now)
    scoring.keep_gates(db, model_hash, [scoring.Gate("events", scoring.Passed.YES, "600")], now=now)
    scoring.promote(db, model_hash, approval=approval, now=now)
    grading.assign(
        db,
        [assignment(customers["C1"], "B", 0.03, as_of=now + timedelta(hours=1), model=model_hash)],
        now=now,
    )
    view = reporting.customer_360(db, keyring, customers["C1"], as_of=now + timedelta(hours=2))
    score = scoring.score_one(model, features.values_at(db, customers["C1"], as_of=now + timedelta(hours=1)))
    assert sum(bar.points for bar in view.contributions) == score.points - score.reference_points
    assert view.contributions


@pytest.mark.parametrize("name", QUERIES)
def test_every_named_query_only_reads(db, name):
    assert reporting.query_text(name).startswith("SELECT")


def test_reporting_changes_nothing_of_others(database):
    with database.engine.connect() as db, db.begin() as transaction:
        with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
            db.execute(text("DELETE FROM reporting.day_metrics"))
        transaction.rollback()


@pytest.mark.parametrize(("language", "title"), [("zh", "信用组合报告"), ("en", "Portfolio report")])
def test_the_report_is_one_page_that_needs_nothing_else(db, now, customers, language, title):
    page = render(reporting.portfolio(db, today=now.date()), language=language)
    assert title in page
    assert "4,000.00" in page
    assert "portfolio_totals" in page and "FROM credit.line" in page
    assert "http" not in page and "<script" not in page


def test_the_commands_print_json_and_write_pages(database, tmp_path):
    from shouxin.entrypoints.cli import app

    run = CliRunner().invoke
    where = ["--home", str(database.home.path)]
    told = run(app, ["report", *where, "--json"])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["files"] == []
    written = run(app, ["report", *where, "--out", str(tmp_path), "--language", "zh"])
    assert written.exit_code == 0, written.output
    assert [path.suffixes for path in tmp_path.iterdir()] == [[".zh", ".html"]]
    for queue in ("alerts", "cases"):
        listed = run(app, ["review", queue, *where, "--json"])
        assert listed.exit_code == 0, listed.output
        assert json.loads(listed.stdout)["total"] == 0
        assert run(app, ["review", queue, *where]).exit_code == 0
        assert run(app, ["review", queue, *where, "--state", "lost"]).exit_code == 2
