"""External data at the doors: commands and the console page over a house that buys from a real bureau."""

from __future__ import annotations

import json

import pyarrow.parquet as pq
import pytest
from litestar.testing import TestClient
from sqlalchemy import text
from typer.testing import CliRunner

from doors import walk
from doors.console_client import Browser, Clock
from doors.console_world import PASSWORD, set_up
from doors.test_console_browser import SHOTS, served
from scenarios.bureau_shop import behave, person, register, write_settings
from shouxin import credit, identity
from shouxin.entrypoints.bureau import start_bureau
from shouxin.entrypoints.cli import app as command_line
from shouxin.entrypoints.console import create_console_app
from shouxin.entrypoints.house import House
from shouxin.entrypoints.jobs import refresh_external
from shouxin.entrypoints.providers import UnableToReadProviders, known_providers, opened_desk, read_settings
from shouxin.ingestion.external import Outcome, enquire
from shouxin.kernel import Money
from shouxin.reporting import store
from shouxin.simulation.bureau import PRODUCTS, answer_about

LIFT = {
    "tested_at": "2025-09-01T00:00:00+00:00",
    "customers": 4433,
    "events": 122,
    "currency": "CNY",
    "auc_without": {"value": 0.8123, "low": 0.773, "high": 0.852},
    "products": [
        {
            "product": "sesame_score", "verdict": "better", "with_answer": 3768, "cost": "3014.40",
            "auc": {"value": 0.8335, "low": 0.798, "high": 0.869},
            "difference": {"value": 0.0212, "low": 0.0041, "high": 0.0383},
            "per_10k_yuan": {"value": 0.0703, "low": 0.0136, "high": 0.127},
            "saved": None, "saved_per_yuan": {"value": 0.51, "low": 0.04, "high": 1.13},
        },
        {
            "product": "bureau_report", "verdict": "not_measured", "with_answer": 0, "cost": None,
            "auc": None, "difference": None, "per_10k_yuan": None, "saved": None, "saved_per_yuan": None,
        },
    ],
}  # fmt: skip


@pytest.fixture
def bureau():
    server = start_bureau(seed=7)
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def house(world, now):
    shop = world.house
    return House(shop.database, shop.keyring, shop.home, Clock(now))


def buy(house, bureau, now, *, customers=12):
    """Some enquiries that were answered, one that failed, and a lift report."""
    write_settings(house.home.path / "providers.toml", bureau, budget="20.00")
    with opened_desk(house) as desk:
        for number in range(customers):
            with house.database.begin() as db:
                subject = register(db, house.keyring, person(number), now=now)
            enquire(subject, product=desk.product("sesame_score"), desk=desk)
            enquire(subject, product=desk.product("bureau_report"), desk=desk)
            enquire(subject, product=desk.product("sesame_score"), desk=desk)
        behave(bureau, "malformed")
        enquire(subject, product=desk.product("public_records"), desk=desk)
        behave(bureau, "well")
    with house.database.begin() as db:
        store.add_lift(db, as_of=now, body=LIFT, now=now)


def signed_in(world, client, now, house, name="chenjing"):
    browser = Browser(client)
    totp = set_up(world, name, now=now)
    house.clock.forward(seconds=30)
    browser.sign_in(name, totp.at(house.clock.now))
    browser.get("/reports")
    return browser


def page_of(world, house, now, language="en"):
    with TestClient(create_console_app(house), raise_server_exceptions=False) as client:
        browser = signed_in(world, client, now, house)
        browser.post("/preferences", {"language": language, "theme": "light", "back": "/external"})
        answer = browser.get("/external")
    assert answer.status_code == 200
    return answer.text


def test_the_page_speaks_chinese(world, house, bureau, now):
    buy(house, bureau, now, customers=1)
    told = page_of(world, house, now, language="zh")
    assert "芝麻类信用分" in told and "本月" in told and "有提升" in told


def test_without_providers_the_page_says_how_to_set_one_up(world, house, now):
    told = page_of(world, house, now)
    assert "The house works without any." in told and "shouxin bureau settings" in told
    assert "No lift report yet" in told


def test_the_page_shows_money_breaker_products_failures_and_lift(world, house, bureau, now):
    buy(house, bureau, now)
    told = page_of(world, house, now)
    assert "calls go out" in told and "of ¥ 20.00" in told and "failures in a row: 1" in told
    assert "Sesame-like score" in told and "the answer was not what this product says" in told
    assert "+0.021 (+0.004 … +0.038)" in told and "+0.51 (+0.04 … +1.13)" in told
    assert "not measured" in told and "¥ 3,014.40" in told


def test_settings_that_are_not_right_are_told_and_break_nothing(world, house, now):
    (house.home.path / "providers.toml").write_text('[[provider]]\nname = "x"\nurl = "nowhere"\n')
    told = page_of(world, house, now)
    assert "The settings of the providers are not right" in told and "$.provider[0].url" in told


# what is wrong with the file, what the message says
WRONG = [
    ("not toml", "docs/external.md"),
    (
        "[[provider]]\nname = 'x'\nurl = 'http://a'\nkey = 'k'\nsecret = 's'\nmonthly_budget = '1'\n",
        "product",
    ),
    ("price = '0.801'", "more than 2 decimals"),
    ("price = '-1'", "below zero"),
    ("retries = 9", "retries"),
    ("surprise = 1", "surprise"),
]


@pytest.mark.parametrize(("change", "told"), WRONG)
def test_a_wrong_line_of_the_settings_is_named(tmp_path, bureau, monkeypatch, change, told):
    from shouxin.database import Home

    path = write_settings(tmp_path / "p.toml", bureau)
    if "=" in change and "[[" not in change:
        key = change.partition(" = ")[0]
        lines = [line for line in path.read_text().splitlines() if not line.startswith(f"{key} =")]
        path.write_text(
            "\n".join(
                line.replace("[[provider.product]]", f"[[provider.product]]\n{change}") for line in lines
            )
        )
    else:
        path.write_text(change)
    monkeypatch.setenv("SHOUXIN_PROVIDERS", str(path))
    with pytest.raises(UnableToReadProviders, match=r"p\.toml") as refused:
        known_providers(Home(tmp_path))
    assert told in str(refused.value)


def test_the_secret_may_stand_in_the_environment(house, bureau, monkeypatch):
    path = write_settings(house.home.path / "providers.toml", bureau)
    path.write_text(path.read_text().replace('secret = "simulated-bureau"', 'secret_variable = "BUREAU"'))
    with pytest.raises(UnableToReadProviders, match="secret_variable"), opened_desk(house):
        pass
    monkeypatch.setenv("BUREAU", "simulated-bureau")
    with opened_desk(house) as desk:
        assert "simulated-bureau" not in repr(desk.lines)
    assert read_settings(path).provider[0].secret is None


def test_the_night_refreshes_customers_with_a_line_within_the_budget(world, house, bureau, now):
    assert refresh_external(house) == {}, "without settings nothing is done"
    write_settings(house.home.path / "providers.toml", bureau, budget="3.00")
    with house.database.begin() as db:
        for number in range(8):
            register(db, house.keyring, person(number), now=now)
        identity.unify(db, keyring=house.keyring, now=now)
        for number in range(8):
            customer = identity.find_customer(db, source="shop", customer_ref=person(number).ref)
            credit.open_line(db, customer, limit=Money(500_000, "CNY"), reason="test", now=now)
    ended = refresh_external(house)
    assert set(ended) == {"simulated/sesame_score", "simulated/wechat_pay_score"}
    sesame = ended["simulated/sesame_score"]
    # The lines of the small world belong to customers who were never asked whether they agree.
    assert sesame[Outcome.NO_CONSENT] >= 1
    with house.database.begin() as db:
        spent = db.scalar(text("SELECT sum(cost_minor + disputed_minor) FROM ingestion.external_enquiry"))
    assert 0 < spent <= 300
    again = refresh_external(house)["simulated/sesame_score"]
    assert again[Outcome.CACHED] >= sesame[Outcome.FOUND]


def test_the_bureau_answers_the_same_for_a_seed_and_leans_on_the_hidden_risk():
    from datetime import date

    day = date(2026, 3, 2)
    for product in PRODUCTS.values():
        told = [
            [answer_about(f"p{i}", product, risk=risk, seed=7, on=day) for i in range(800)]
            for risk in (-1.5, 1.5)
        ]
        assert told[0] == [answer_about(f"p{i}", product, risk=-1.5, seed=7, on=day) for i in range(800)]
        known = [sum(answer["outcome"] == "found" for answer in each) / 800 for each in told]
        assert abs(known[0] - product.coverage) < 0.05, "gaps"
        field = next(
            name for name in ("score", "overdue_loans", "court_records") if name in _found(told[0])[0]
        )
        safe, risky = (sum(a[field] for a in _found(each)) / len(_found(each)) for each in told)
        assert (safe > risky) if field == "score" else (safe < risky)
        if product.scale:
            assert all(
                product.scale[0] <= a["score"] <= product.scale[1] for each in told for a in _found(each)
            )


def _found(answers):
    return [answer for answer in answers if answer["outcome"] == "found"]


def run(*arguments):
    return CliRunner().invoke(command_line, list(arguments))


def test_the_commands_enquire_and_count(own_home, bureau, now, monkeypatch):
    from shouxin.entrypoints.house import opened_house

    monkeypatch.setenv("SHOUXIN_HOME", str(own_home.path))
    own_home.path.mkdir(exist_ok=True)
    nothing = run("external", "status", "--json")
    assert nothing.exit_code == 0 and json.loads(nothing.stdout)["providers"] == []
    refused = run("external", "enquire", "C00001", "--product", "sesame_score")
    assert refused.exit_code == 1
    path = write_settings(own_home.path / "providers.toml", bureau, timeout_seconds="5.0")
    with opened_house(own_home.path) as house, house.database.begin() as db:
        now = house.clock()
        for number in range(6):
            register(db, house.keyring, person(number), now=now)
        register(db, house.keyring, person(9), now=now, consents=False)
        identity.unify(db, keyring=house.keyring, now=now)
    ended = [
        run("external", "enquire", person(n).ref, "--product", "sesame_score", "--json") for n in range(6)
    ]
    found = [json.loads(each.stdout) for each in ended if each.exit_code == 0]
    assert {each["outcome"] for each in found} <= {"found", "unknown_person"} and len(found) == 6
    assert run("external", "enquire", person(9).ref, "--product", "sesame_score").exit_code == 1
    assert run("external", "enquire", "nobody", "--product", "sesame_score").exit_code == 1
    assert run("external", "enquire", person(1).ref, "--product", "horoscope").exit_code == 1
    (counted,) = json.loads(run("external", "costs", "--json").stdout)["products"]
    paid = sum(each["outcome"] == "found" for each in found)
    assert (counted["cost_minor"], counted["outcomes"]["no_consent"]) == (80 * paid, 1)
    (provider,) = json.loads(run("external", "status", "--json").stdout)["providers"]
    assert provider["breaker"] == "closed" and provider["spent"] == str(Money(80 * paid, "CNY"))
    found = {each["name"]: each for each in json.loads(run("doctor", "--json").stdout)["findings"]}
    assert found["external data"]["state"] == "right" and "closed" in found["external data"]["told"]
    lift = run("external", "lift", "--json")
    assert lift.exit_code == 1 and lift.stdout == ""
    assert run("external", "costs", "--since", "soon").exit_code == 2
    assert path.exists()


def test_past_answers_are_canonical_events_of_the_credit_customers(tmp_path):
    from datetime import date

    from shouxin.simulation import simulate

    simulate(tmp_path / "shop", customers=60, months=4, start=date(2025, 1, 1), seed=3, live_days=0)
    out = tmp_path / "past.parquet"
    told = run(
        "bureau", "past", "--truth", str(tmp_path / "shop"), "--out", str(out), "--on", "2025-03-01", "--json"
    )  # fmt: skip
    assert told.exit_code == 0, told.output
    kinds = pq.read_table(out)["kind"].to_pylist()
    assert kinds.count("external_score_received") == 4 * kinds.count("consent_given") > 0
    absent = run("bureau", "past", "--truth", str(tmp_path), "--out", str(out), "--on", "2025-03-01")
    assert absent.exit_code == 1
    assert run("bureau", "past", "--truth", "x", "--out", str(out), "--on", "soon").exit_code == 2


def test_the_printed_settings_are_right(tmp_path):
    path = tmp_path / "providers.toml"
    path.write_text(run("bureau", "settings", "--port", "8123").stdout)
    (provider,) = read_settings(path).provider
    assert provider.url.endswith(":8123") and [item.code for item in provider.product] == list(PRODUCTS)


@pytest.mark.browser
def test_the_page_with_figures_in_a_browser(world, house, bureau, now):
    if not walk.CHROMIUM.exists():
        pytest.skip(f"Chromium is not at {walk.CHROMIUM}; this walk needs it")
    buy(house, bureau, now)
    totp = set_up(world, "chenjing", now=now)
    house.clock.forward(seconds=30)
    with served(create_console_app(house)) as url, walk.browsing() as browser:
        report = walk.walk(
            browser, url, name="chenjing", password=PASSWORD, code=lambda: totp.at(house.clock.now),
            shots=SHOTS / "external", places=("/external",),
        )  # fmt: skip
    assert report.complaints == [] and len(report.pages) == 6
