"""The checkout call from end to end: events, features, score, grade, policy, hold, kept and replayed."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from typer.testing import CliRunner

from shouxin import credit, decisions, features, identity, ingestion, scoring
from shouxin.credit import CheckoutRequest, Line, LineRefusal, UnableToDecide
from shouxin.database.supervisor import OWNER_ROLE
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.entrypoints.cli import decide, policy
from shouxin.governance import Keyring
from shouxin.kernel import Approval, Event, Money

DAY = date(2026, 3, 2)


def yuan(text):
    return Money.parse(text, "CNY")


def approval(subject, now):
    return Approval("apr_1", subject, "wang.analyst", "li.manager", "looked at the back-test", now)


@pytest.fixture(scope="module")
def model():
    """A small scorecard on two features: who repaid late, and how long ago the first order was."""
    random = np.random.default_rng(7)
    late, tenure = "late_repayments_180d", "tenure_days"
    assert {late, tenure} <= {definition.name for definition in features.CATALOGUE}
    columns = {
        late: random.poisson(0.4, 6000).astype(float),
        tenure: random.uniform(0, 900, 6000),
    }
    log_odds = -4.2 + 1.6 * np.minimum(columns[late], 4) - 0.002 * columns[tenure]
    y = (random.random(6000) < 1 / (1 + np.exp(-log_odds))).astype(int)
    return scoring.train_columns(columns, y, model="scorecard", outcome="defaults-next-180d").artefact


def furnished(db, model, now):
    """A house with a champion and a live policy."""
    scoring.register(db, model, name="test", report={}, now=now)
    scoring.keep_gates(db, model.hash, [scoring.Gate("events", scoring.Passed.YES, "600")], now=now)
    scoring.promote(db, model.hash, approval=approval(f"model:{model.hash}", now), now=now)
    decisions.publish(db, STANDARD_CHECKOUT, approval=approval(STANDARD_CHECKOUT.subject, now), now=now)
    credit.start_books(db, business_date=DAY)


def shop_event(ref, kind, at, *, amount=None, order_ref=None, **payload):
    return Event("shop", f"{ref}/{kind}/{at.isoformat()}", kind, 1, ref, at, at, amount, order_ref, payload)


def good_customer(db, now, ref="C-good"):
    """Two years of orders, repaid on time."""
    events = []
    for month in range(24):
        at = now - timedelta(days=720 - 30 * month)
        order = f"{ref}-{month}"
        events.append(
            shop_event(
                ref,
                "order_placed",
                at,
                amount=yuan("200.00"),
                order_ref=order,
                items=1,
                payment_method="card",
            )
        )
        events.append(
            shop_event(
                ref, "repayment_received", at, amount=yuan("66.00"), order_ref=order, plan_id=order, number=1,
                days_past_due=0,
            )
        )  # fmt: skip
    ingestion.record(db, events)
    return identity.ensure_customer(db, source="shop", customer_ref=ref, now=now)


def late_customer(db, now, ref="C-late"):
    """Three months, seven late repayments."""
    events = [
        shop_event(
            ref,
            "order_placed",
            now - timedelta(days=40),
            amount=yuan("200.00"),
            order_ref="L1",
            items=1,
            payment_method="credit",
        )
    ]
    events += [
        shop_event(
            ref, "repayment_received", now - timedelta(days=n + 1), amount=yuan("10.00"), order_ref="L1",
            plan_id="p", number=n, days_past_due=12,
        )
        for n in range(1, 8)
    ]  # fmt: skip
    ingestion.record(db, events)
    return identity.ensure_customer(db, source="shop", customer_ref=ref, now=now)


def asked(ref="C-good", amount="1299.00", **changes):
    return replace(CheckoutRequest(customer_ref=ref, order_id="O9", amount=yuan(amount)), **changes)


def test_a_good_customer_is_approved_and_the_amount_is_held(db, model, now):
    furnished(db, model, now)
    customer_id = good_customer(db, now)
    line = credit.apply_for_line(db, customer_id, now=now)
    assert isinstance(line, Line), line
    answer = credit.decide(db, asked(), now=now, business_date=DAY)
    data = answer.as_data()
    assert data["outcome"] == answer.outcome == "approve", data
    assert data["versions"] == {
        "policy": STANDARD_CHECKOUT.policy_hash,
        "model": model.hash,
        "features": features.catalogue_hash(),
    }
    held = credit.line_of(db, customer_id)
    assert held.held == yuan("1299.00")
    assert data["limit"]["held"] == "1299.00" and data["limit"]["available"] == held.available.text
    hold = credit.find_hold(db, answer.hold_id)
    assert hold.decision_id == answer.decision_id and hold.due_days == (30, 60, 90)
    assert data["hold"] == {"id": hold.hold_id, "expires_at": hold.expires_at.isoformat()}
    assert credit.check_ledger(db).problems == ()


def test_who_took_the_consent_to_assessment_back_is_given_no_line_until_it_is_given_again(db, model, now):
    furnished(db, model, now)
    customer_id = good_customer(db, now)
    ((source, ref),) = [one for one in identity.references_of(db, customer_id) if one[0] != "credit"]

    def say(kind, minutes):
        at = now + timedelta(minutes=minutes)
        item = {
            "source": source,
            "source_id": f"{kind}-{minutes}",
            "kind": kind,
            "version": 1,
            "customer_ref": ref,
            "occurred_at": at.isoformat(),
            "payload": {"purpose": "credit_assessment"}
            | ({"text_version": "v1"} if kind == "consent_given" else {}),
        }
        ingestion.accept(db, [item], keyring=Keyring.from_master(b"k" * 32), now=at)
        return credit.apply_for_line(db, customer_id, now=at)

    refused = say("consent_withdrawn", 1)
    assert isinstance(refused, LineRefusal) and refused.code == "CONSENT_WITHDRAWN"
    assert isinstance(say("consent_given", 2), Line)


def test_a_decision_replays_to_the_same_bytes_though_the_world_went_on(db, model, now):
    furnished(db, model, now)
    customer_id = good_customer(db, now)
    credit.apply_for_line(db, customer_id, now=now)
    answer = credit.decide(db, asked(), now=now, business_date=DAY)
    later = now + timedelta(days=1)
    late_customer(db, later, ref="C-good")
    credit.capture(db, answer.hold_id, now=later, business_date=DAY)
    replay = decisions.replay(db, answer.decision_id)
    assert replay.identical and replay.rescored is True
    assert replay.replayed == answer.body
    assert credit.decide(db, asked(), now=later, business_date=DAY).as_data()["pd"] != answer.as_data()["pd"]


def test_a_decline_tells_the_reasons_of_the_score(db, model, now):
    furnished(db, model, now)
    customer_id = late_customer(db, now)
    refused = credit.apply_for_line(db, customer_id, now=now)
    assert isinstance(refused, LineRefusal) and refused.code == "NO_LIMIT_FOR_GRADE"
    assert 1 <= len(refused.reasons) <= 4
    credit.open_line(db, customer_id, limit=yuan("5000.00"), reason="by hand", now=now)
    answer = credit.decide(db, asked("C-late"), now=now, business_date=DAY)
    data = answer.as_data()
    assert (data["outcome"], data["grade"], data["hold"]) == ("decline", "D", None)
    assert 1 <= len(data["reasons"]) <= 4
    assert any(reason["feature"].startswith("late") and reason["points"] < 0 for reason in data["reasons"])
    assert all(reason["text"]["zh"] and reason["text"]["en"] for reason in data["reasons"])
    assert credit.line_of(db, customer_id).held == yuan("0.00")
    assert decisions.find_decision(db, answer.decision_id).answer == answer.body


def test_a_customer_without_a_line_is_told_so(db, model, now):
    furnished(db, model, now)
    data = credit.decide(db, asked("C-new"), now=now, business_date=DAY).as_data()
    assert data["outcome"] == "decline" and data["limit"] is None and data["offer"] is None
    assert data["reasons"][0]["code"] == "NO_LINE"


def test_more_than_is_available_gets_a_counter_offer(db, model, now):
    furnished(db, model, now)
    credit.open_line(db, good_customer(db, now), limit=yuan("1000.00"), reason="by hand", now=now)
    data = credit.decide(db, asked(), now=now, business_date=DAY).as_data()
    assert data["outcome"] == "counter_offer"
    assert (data["offer"]["max_amount"], data["offer"]["down_payment"]) == ("1000.00", "299.00")


def test_who_is_past_due_pays_first_and_is_welcome_again(db, model, now):
    furnished(db, model, now)
    credit.apply_for_line(db, good_customer(db, now), now=now)
    first = credit.decide(db, asked(amount="300.00"), now=now, business_date=DAY)
    plan = credit.capture(db, first.hold_id, now=now, business_date=DAY)
    late_day, later = DAY + timedelta(days=31), now + timedelta(days=31)
    refused = credit.decide(db, asked(amount="300.00"), now=later, business_date=late_day).as_data()
    assert (refused["outcome"], refused["reasons"][0]["code"]) == ("decline", "PAST_DUE")
    assert refused["reasons"][0]["value"] == 1
    credit.repay(db, plan.plan_id, amount=yuan("100.00"), now=later, business_date=late_day, reference="p1")
    codes = credit.decide(db, asked(amount="300.00"), now=later, business_date=late_day).as_data()["reasons"]
    assert "PAST_DUE" not in [reason["code"] for reason in codes]


def test_a_dry_run_leaves_no_hold_and_no_decision(db, model, now):
    furnished(db, model, now)
    customer_id = good_customer(db, now)
    credit.apply_for_line(db, customer_id, now=now)
    answer = credit.decide(db, asked(dry_run=True), now=now, business_date=DAY)
    assert answer.outcome == "approve" and answer.hold_id is None
    assert credit.line_of(db, customer_id).held == yuan("0.00")
    assert decisions.find_decision(db, answer.decision_id) is None


def test_without_a_model_or_a_policy_the_call_says_how_to_mend_it(db, model, now):
    with pytest.raises(UnableToDecide, match="no policy is live for 'checkout'"):
        credit.decide(db, asked(), now=now, business_date=DAY)
    decisions.publish(db, STANDARD_CHECKOUT, approval=approval(STANDARD_CHECKOUT.subject, now), now=now)
    with pytest.raises(UnableToDecide, match="no model is champion"):
        credit.decide(db, asked(), now=now, business_date=DAY)


def test_lines_are_opened_by_grade_for_many_at_once(db, model, now):
    furnished(db, model, now)
    graded = [(f"cus_{n}", "SABCD"[n % 5]) for n in range(1000)]
    assert credit.open_lines_by_grade(db, graded, now=now) == 800
    assert credit.line_of(db, "cus_0").limit == yuan("20000.00")
    assert credit.line_of(db, "cus_4") is None


def test_sixty_four_decisions_at_once_never_oversubscribe(fresh_database, model, now):
    with fresh_database.begin() as db:
        furnished(db, model, now)
        credit.open_line(db, good_customer(db, now), limit=yuan("1000.00"), reason="by hand", now=now)

    def checkout(number):
        with fresh_database.begin() as db:
            request = asked(amount="100.00", order_id=f"O{number}")
            return credit.decide(db, request, now=now, business_date=DAY)

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(checkout, range(64)))
    outcomes = [answer.outcome for answer in answers]
    assert outcomes.count("approve") == 10 and "approve" not in {
        answer.outcome for answer in answers if answer.hold_id is None
    }
    with fresh_database.begin() as db:
        assert credit.check_ledger(db).problems == ()
        (exposure,) = credit.exposures(db)
        assert (exposure.held, exposure.limit) == (yuan("1000.00"), yuan("1000.00"))
        for answer in answers[:8]:
            assert decisions.replay(db, answer.decision_id).identical
            assert json.loads(answer.body)["decision_id"] == answer.decision_id


# --- at the terminal -------------------------------------------------------------------------------


@pytest.fixture
def terminal(fresh_database, database, monkeypatch, tmp_path):
    """Run a command against a database of its own."""
    name = fresh_database.engine.url.database
    monkeypatch.setenv("SHOUXIN_DATABASE_URL", database.server.url(OWNER_ROLE, name))

    def run(command, *words):
        result = CliRunner().invoke(command, [*words, "--home", str(tmp_path)])
        return result.exit_code, result.stdout, result.stderr

    return run


def test_the_terminal_decides_and_replays(fresh_database, terminal, model, now):
    _, _, complaint = terminal(decide.app, "--customer", "C-good", "--amount", "99.00")
    assert complaint.startswith("shouxin: no policy is live") and complaint.count("\n") == 1
    with fresh_database.begin() as db:
        furnished(db, model, now)
        credit.open_line(db, good_customer(db, now), limit=yuan("1000.00"), reason="by hand", now=now)
    code, out, _ = terminal(decide.app, "--customer", "C-good", "--amount", "99.00", "--json")
    answer = json.loads(out)
    assert (code, answer["outcome"]) == (0, "approve")
    code, out, _ = terminal(decide.app, "replay", answer["decision_id"], "--json")
    assert (code, json.loads(out)["identical"], json.loads(out)["rescored"]) == (0, True, True)
    assert terminal(decide.app, "replay", "dec_none")[0] == 1
    assert terminal(decide.app, "--customer", "C-good", "--amount", "12.345")[0] == 2
    assert terminal(decide.app, "--customer", "C-good")[0] == 2
    code, out, _ = terminal(decide.app, "--customer", "C-good", "--amount", "99999.00", "--dry-run")
    assert code == 0 and "counter_offer" in out and "ABOVE_AVAILABLE" in out


def test_the_terminal_shows_and_checks_policies(fresh_database, terminal, model, now, tmp_path):
    with fresh_database.begin() as db:
        furnished(db, model, now)
    code, out, _ = terminal(policy.app, "list", "--json")
    assert (code, [row["stage"] for row in json.loads(out)["policies"]]) == (0, ["live"])
    code, out, _ = terminal(policy.app, "show")
    assert code == 0 and "past_due" in out and "20000.00" in out
    code, out, _ = terminal(policy.app, "show", "--json")
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(json.loads(out)["policy"] | {"hold_hours": 0}))
    checked = CliRunner().invoke(policy.app, ["check", str(file)])
    assert checked.exit_code == 1 and "/hold_hours: must be a whole number above zero" in checked.stderr
    file.write_text(json.dumps(json.loads(out)["policy"] | {"hold_hours": 1}))
    checked = CliRunner().invoke(policy.app, ["check", str(file), "--json"])
    assert checked.exit_code == 0 and json.loads(checked.stdout)["clear"] is True
