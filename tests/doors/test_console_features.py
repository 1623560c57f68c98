"""The pages of the catalogue of features through the console's door."""

from datetime import timedelta

import msgspec
import pytest

from doors.console_client import signed_in
from shouxin import features, scoring
from shouxin.features import CATALOGUE
from shouxin.features.domain import OWNER_WORDS, UNIT_WORDS
from shouxin.kernel import Approval


@pytest.fixture
def browser(browser, world, clock):
    return signed_in(browser, world, clock, "liwei")


def a_champion_reads(world, name, *, rows, edges, now):
    """A new champion whose first feature is ``name``, developed on rows that were spread so."""
    with world.house.database.begin() as db:
        old = scoring.champion(db)
        first = msgspec.structs.replace(old.features[0], name=name)
        model = msgspec.structs.replace(old, features=(first, *old.features[1:]))
        bins = {"name": name, "rows": rows, "edges": edges}
        report = {"baseline": {"score": {"name": "score", "rows": [1, 0], "edges": []}, "features": [bins]}}
        scoring.register(db, model, name="spread", report=report, now=now + timedelta(minutes=1))
        key = Approval("a", f"model:{model.hash}", "maker", "checker", "looked at it", now)
        scoring.keep_gates(db, model.hash, [scoring.Gate("events", scoring.Passed.YES, "600")], now=now)
        scoring.promote(db, model.hash, approval=key, now=now + timedelta(minutes=1))


def test_the_list_has_the_whole_catalogue_and_says_what_the_champion_reads(browser, world, now):
    a_champion_reads(world, "orders_90d", rows=[1, 0], edges=[], now=now)
    text = browser.get("/features").text
    assert all(f'href="/features/{definition.name}"' in text for definition in CATALOGUE)
    assert text.count("现任模型</span>") == 1


@pytest.mark.parametrize(
    ("asked", "there", "away"),
    [
        ("topic=reviews", "mean_sentiment_365d", "orders_90d"),
        ("text=sentiment", "mean_sentiment_365d", "mean_rating_365d"),
        ("text=夜间", "night_orders_30d", "evening_order_share_180d"),
        ("topic=reviews&text=worst", "worst_sentiment_180d", "mean_sentiment_365d"),
        ("topic=nothing", "orders_90d", "no such thing"),
    ],
)
def test_the_list_is_filtered_and_searched(browser, asked, there, away):
    text = browser.get(f"/features?{asked}").text
    assert f'href="/features/{there}"' in text
    assert f'href="/features/{away}"' not in text


def test_nothing_found_is_said(browser):
    assert "没有符合条件的特征" in browser.get("/features?text=zzz").text


def test_a_feature_has_a_page_of_its_own_in_both_languages(browser):
    (definition,) = features.definitions_of(["failed_payments_30d"])
    text = browser.get("/features/failed_payments_30d").text
    assert definition.meaning.zh in text and "风险越高" in text and "信贷风险" in text
    assert "payment_failed" in text and "SELECT" in text and "次支付" in text
    assert "现任模型未使用此特征" in text
    browser.client.cookies.set("shouxin_language", "en")
    text = browser.get("/features/failed_payments_30d").text
    assert definition.meaning.en in text and "Of the same topic" in text
    assert browser.get("/features/nothing").status_code == 404


def test_the_spread_is_that_of_the_development_rows(browser, world, now):
    a_champion_reads(world, "orders_90d", rows=[60, 30, 10], edges=[2.0], now=now)
    text = browser.get("/features/orders_90d").text
    assert "&lt; 2" in text and "≥ 2" in text and "60.0" in text and "无值" in text


def test_every_unit_and_every_owner_has_words():
    assert {definition.unit for definition in CATALOGUE} <= set(UNIT_WORDS)
    assert {definition.owner for definition in CATALOGUE} <= set(OWNER_WORDS)
