"""Every feature says something of the customers of a simulated shop that went through the chain."""

from __future__ import annotations

from datetime import datetime

import pyarrow.compute as pc

from shouxin import features, identity
from shouxin.features import CATALOGUE, Topic

# What the providers of the simulated shop do not sell.
NOT_SOLD_THERE = {"wechat_pay_score", "court_records"}


def test_every_feature_differs_between_customers(shop, shop_journal):
    as_of = datetime.fromisoformat(shop_journal.kept("simulate", "history_ends_at"))
    with shop.database.begin() as db:
        links = identity.links(db)
    table = features.compute(shop.home.history, links, as_of=as_of)
    of_shop = [item for item in CATALOGUE if item.topic not in (Topic.GRAPH, Topic.PATTERNS)]
    alike = {item.name for item in of_shop if pc.count_distinct(table[item.name], mode="all").as_py() < 2}
    assert alike == NOT_SOLD_THERE


def test_reviews_are_heard_as_they_are_meant(shop, shop_journal):
    """The number that was read from a review at the door goes with the stars that came with it."""
    as_of = datetime.fromisoformat(shop_journal.kept("simulate", "history_ends_at"))
    with shop.database.begin() as db:
        links = identity.links(db)
    chosen = features.definitions_of(["mean_rating_365d", "mean_sentiment_365d"])
    table = features.compute(shop.home.history, links, as_of=as_of, definitions=chosen).to_pandas().dropna()
    assert len(table) > 200
    assert table["mean_rating_365d"].corr(table["mean_sentiment_365d"]) > 0.5
