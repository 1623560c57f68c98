"""A small shop with people at its desks, made through the front doors of the rooms."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

import numpy as np
import pyotp

from shouxin import cases, credit, early_warning, governance, grading, identity, ingestion, reporting, scoring
from shouxin.decisions import STANDARD_CHECKOUT
from shouxin.early_warning import Observation
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs import keep_shopwide
from shouxin.features import skew
from shouxin.features.skew import ServedValues, SkewReport, Witness
from shouxin.governance import Role, load_keyring
from shouxin.grading import Grade, GradeAssignment
from shouxin.ingestion import consent, consenting
from shouxin.kernel import Bilingual, CustomerId, Money, frozen_clock

PASSWORD = "correct horse battery"
CUSTOMERS = 12


@dataclass(frozen=True)
class World:
    """The open house, its customers, and who may sign in with which secret."""

    house: House
    customers: tuple[CustomerId, ...]
    invitations: dict[str, str]


def house_of(database, *, clock) -> House:
    return House(database, load_keyring(database.home), database.home, clock)


def small_world(database, *, now: datetime) -> World:
    """Twelve customers: graded, lent to, some late, one with a case; one refused event; five operators."""
    house = house_of(database, clock=frozen_clock(now))
    with database.begin() as db:
        sent = [_registered(i, now) for i in range(CUSTOMERS)]
        sent.append(sent[0] | {"source_id": "reg-moon", "payload": {"channel": "moon"}})
        ingestion.accept(db, sent, keyring=house.keyring, now=now)
        identity.unify(db, keyring=house.keyring, now=now)
        customers = tuple(
            identity.ensure_customer(db, source="shop", customer_ref=f"C2{i:04d}", now=now)
            for i in range(CUSTOMERS)
        )
        _consent(db, house, now)
        invitations = _invite(db, now)
        model_hash = _champion(db, now)
        _grade(db, customers, model_hash, now)
        _lend(db, customers, now)
        today = credit.current_business_date(db)
        for days_ago in (30, 15, 0):
            reporting.record_day(db, day=today - timedelta(days=days_ago), now=now)
    return World(house, customers, invitations)


def two_alike(world: World, *, now: datetime) -> tuple[str, str]:
    """Two of the customers tell of the same door: too little to merge them, enough to look."""
    told = [
        {
            "source": "shop",
            "source_id": f"moved-{i}",
            "kind": "customer_updated",
            "version": 1,
            "customer_ref": f"C2{i:04d}",
            "occurred_at": now.isoformat(),
            "payload": {"channel": "web"},
            "personal": {"address": "北京市海淀区中关村大街27号2号楼3单元1102室"},
        }
        for i in (0, 11)
    ]
    with world.house.database.begin() as db:
        ingestion.accept(db, told, keyring=world.house.keyring, now=now)
        assert identity.unify(db, keyring=world.house.keyring, now=now).merged == 0
    return world.customers[0], world.customers[11]


def skewed(world: World, *, now: datetime) -> None:
    """The skew monitor ran: one value came later, one is missing and nobody knows why."""
    values = {"orders_90d": 2.0, "spend_365d": 129.5, "tenure_days": 400.0}
    served = [
        ServedValues(f"dec_{i}", str(customer), now, "sha256:x", values, Witness(9, 7, 90))
        for i, customer in enumerate(world.customers)
    ]
    found = [
        ({"orders_90d": 1.0, "spend_365d": 64.75}, skew.Cause.ARRIVED_LATER),
        ({"tenure_days": math.inf}, skew.Cause.UNEXPLAINED),
        *[({}, skew.Cause.UNEXPLAINED)] * (CUSTOMERS - 2),
    ]
    rows = skew.gathered((one, *of) for one, of in zip(served, found, strict=True))
    report = SkewReport(now, now - timedelta(days=1), now, "sha256:x", CUSTOMERS, 0, rows)
    with world.house.database.begin() as db:
        skew.insert_run(db, report)


def share_a_device(world: World, numbers: tuple[int, ...], *, alone: int, now: datetime) -> None:
    """Some customers visited from one device three days ago, one from her own; the night was kept since."""
    at = now - timedelta(days=3)
    told = [
        {
            "source": "shop",
            "source_id": f"visit-{i}",
            "kind": "login_recorded",
            "version": 1,
            "customer_ref": f"C2{i:04d}",
            "occurred_at": at.isoformat(),
            "payload": {"channel": "web"},
            "personal": {"device": "her-own" if i == alone else "one-tablet"},
        }
        for i in (*numbers, alone)
    ]
    with world.house.database.begin() as db:
        receipt = ingestion.accept(db, told, keyring=world.house.keyring, now=at)
        assert receipt.accepted == len(told), receipt
    keep_shopwide(world.house)


def set_up(world: World, name: str, *, now: datetime) -> pyotp.TOTP:
    """Use an invitation up with PASSWORD; the codes that follow sign in."""
    with world.house.database.begin() as db:
        token = world.invitations[name]
        secret = governance.prepare_setup(db, world.house.keyring, token, now=now)
        totp = pyotp.TOTP(secret.totp_secret)
        operator = governance.complete_setup(
            db, world.house.keyring, token, password=PASSWORD, code=totp.at(now), now=now
        )
    assert operator.name == name
    return totp


def _registered(i: int, now: datetime) -> dict:
    return {
        "source": "shop",
        "source_id": f"reg-{i}",
        "kind": "customer_registered",
        "version": 1,
        "customer_ref": f"C2{i:04d}",
        "occurred_at": (now - timedelta(days=400 - i)).isoformat(),
        "payload": {"channel": "web", "region": "浙江"},
        "personal": {"name": "陈小静", "phone": f"1990000{i:04d}", "email": f"c{i}@shop.example"},
    }


def _consent(db, house: House, now: datetime) -> None:
    """Two texts; some customers agree, one takes it back; one source asks for consent."""
    for version, days in (("2025-06", 300), ("2026-01", 60)):
        consent.publish_text(
            db,
            consent.ConsentText(
                "behaviour",
                version,
                Bilingual(
                    "我们分析您在本店的浏览记录，用于信用评估。", "We look at your visits to assess credit."
                ),
                now - timedelta(days=days),
                "test",
                now - timedelta(days=days),
            ),
        )
    said = [("granted", 0, 200), ("granted", 1, 40), ("granted", 0, 30), ("withdrawn", 1, 3)]
    for state, number, days in said:
        verb = consenting.give_consent if state == "granted" else consenting.withdraw_consent
        verb(
            db,
            f"C2{number:04d}",
            source="shop",
            purpose="behaviour",
            channel="app",
            keyring=house.keyring,
            now=now - timedelta(days=days),
        )
    consent.set_policy(db, "partner", consent.STANDARD_POLICY, by="test", now=now)


def _invite(db, now: datetime) -> dict[str, str]:
    people = (
        ("chenjing", "陈静", Role.RISK_MANAGER, "zh"),
        ("liwei", "李伟", Role.RISK_ANALYST, "zh"),
        ("maria", "Maria Gomez", Role.EXECUTIVE, "en"),
        ("sunyue", "孙悦", Role.AUDITOR, "zh"),
        ("root", "Admin", Role.ADMIN, "en"),
    )
    return {
        name: governance.invite_operator(
            db, name=name, display_name=display, roles=[role], language=language, now=now
        ).setup_token
        for name, display, role, language in people
    }


@cache
def _trained() -> scoring.TrainedModel:
    """A scorecard of one feature; made once for every world of this process."""
    late = np.repeat(np.arange(10.0), 60)
    happened = (np.random.default_rng(7).random(600) < 0.03 + late * 0.03).astype(float)
    return scoring.train_columns(
        {"late_90d": late},
        happened,
        outcome="defaults-next-180d",
        meanings={"late_90d": Bilingual("近 90 天逾期", "Late in 90 days")},
        keep={"late_90d": "the only feature of a small world"},
    )


def _champion(db, now: datetime) -> str:
    """The scorecard, promoted by two people."""
    model_hash = scoring.register(db, _trained().artefact, name="small", report={}, now=now)
    maker, checker = (governance.find_operator(db, name).operator_id for name in ("liwei", "chenjing"))
    request = governance.request_approval(
        db, subject=f"model:{model_hash}", maker=maker, reason="the first model", now=now
    )
    approval = governance.approve(db, request, checker=checker, reason="reports were read", now=now)
    scoring.keep_gates(db, model_hash, [scoring.Gate("events", scoring.Passed.YES, "600")], now=now)
    scoring.promote(db, model_hash, approval=approval, now=now)
    return model_hash


def _grade(db, customers, model_hash: str, now: datetime) -> None:
    grades = list(Grade)
    rows = [
        GradeAssignment(
            customer_id=customer,
            as_of=now - timedelta(days=30 * month),
            pd=(0.003, 0.01, 0.03, 0.07, 0.2)[(i + month) % 5],
            score=(660, 620, 590, 560, 530)[(i + month) % 5],
            grade=grades[(i + month) % 5],
            model_hash=model_hash,
            features_hash="sha256:" + "0" * 64,
            reasons=(
                {
                    "code": "LATE",
                    "rank": 1,
                    "text": {"zh": "近 90 天逾期", "en": "Late in 90 days"},
                    "points": -21,
                    "feature": "late_90d",
                    "value": 2,
                },
            ),
        )
        for i, customer in enumerate(customers)
        for month in range(4)
    ]
    grading.assign(db, rows, now=now)


def _lend(db, customers, now: datetime) -> None:
    credit.start_books(db, business_date=now.date() - timedelta(days=70))
    for customer in customers[:8]:
        credit.open_line(db, customer, limit=Money(1_200_000, "CNY"), reason="small world", now=now)
    for number, customer in enumerate(customers[:6]):
        _borrow(db, customer, number, now)
    credit.close_day(db, business_date=now.date() - timedelta(days=1), now=now)
    seen = [
        Observation(customer, {"days_past_due": float(5 * i)}, Money(100_000 * (i + 1), "CNY"), 5 * i, "C")
        for i, customer in enumerate(customers)
    ]
    early_warning.watch(db, observations=seen, now=now)
    cases.open_case(
        db,
        customer_id=customers[0],
        origin="manual",
        title="核对收货地址",
        opened_by="system",
        now=now,
        note="来自门店",
    )


def _borrow(db, customer: CustomerId, number: int, now: datetime) -> None:
    """An order in three instalments, begun 70 days ago: two are due, the first is paid a day late."""
    began = now - timedelta(days=70)
    hold = credit.place_hold(
        db,
        credit.line_of(db, customer).line_id,
        hold_id=f"hold_small{number}",
        decision_id=f"dec_small{number}",
        order_ref=f"O{number}",
        amount=Money(90_001 + 10_000 * number, "CNY"),
        terms=STANDARD_CHECKOUT.plans["pay_in_3"],
        now=began,
        expires_at=began + timedelta(hours=1),
    )
    plan = credit.capture(db, hold.hold_id, now=began, business_date=began.date())
    first = plan.instalments[0]
    credit.repay(
        db,
        plan.plan_id,
        amount=first.amount,
        now=now,
        business_date=first.due_on + timedelta(days=1),
        reference=f"small-{number}",
    )
