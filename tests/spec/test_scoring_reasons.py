"""Every reason has a text in both languages; features of one topic are one reason; nothing real is lost."""

from __future__ import annotations

import math

import numpy as np
import pytest

from shouxin.features import CATALOGUE, Topic
from shouxin.kernel import Bilingual
from shouxin.scoring import reasons, score_one, train_columns
from shouxin.scoring.domain.feature import Feature
from shouxin.scoring.domain.reason_families import REASON_FAMILIES, family_of
from shouxin.scoring.domain.reasons import REASON_KINDS, kind_of, reason_text

# Words that tell a customer nothing that they could look at.
EMPTY_WORDS = ("score", "评分", "policy", "内部", "model", "模型", "algorithm", "算法")


@pytest.mark.parametrize("topic", list(Topic))
def test_every_topic_has_a_statement_and_a_way_to_dispute_it(topic):
    family = REASON_FAMILIES[topic]
    assert family_of(topic.value) is family
    for text in (family.statement, family.check):
        assert text.zh != text.en
        assert any("\u4e00" <= letter <= "\u9fff" for letter in text.zh)
        assert text.en.isascii()
    assert not any(word in family.statement.en.lower() + family.statement.zh for word in EMPTY_WORDS)
    assert family_of(None) is None and family_of("weather") is None


@pytest.mark.parametrize("definition", CATALOGUE, ids=lambda definition: definition.name)
def test_every_feature_has_a_text_for_every_kind(definition):
    feature = Feature(
        definition.name, "numeric", (1, 1), meaning=definition.meaning.as_data(), topic=definition.topic.value
    )
    for kind in REASON_KINDS:
        text = reason_text(feature, kind, None if kind == "missing" else 3.0)
        assert definition.meaning.zh in text.zh
        assert definition.meaning.en.lower() in text.en.lower()
        assert kind in {"missing", "behaviour"} or "3" in text.en


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (9.0, "high"),
        (1.0, "low"),
        (4.0, "level"),
        (None, "missing"),
        (math.nan, "missing"),
        (-9.0, "special"),
    ],
)
def test_the_kind_says_what_is_unusual(value, kind):
    assert kind_of(Feature("late", "numeric", (1, 1, 1), special=(-9.0,), typical=4.0), value) == kind


def _model(topics):
    rng = np.random.default_rng(2)
    columns = {name: rng.poisson(1.0, 8000).astype(float) for name in ("late_90d", "late_365d", "refused")}
    log_odds = -3 + 0.8 * columns["late_90d"] + 0.7 * columns["late_365d"] + 1.0 * columns["refused"]
    y = (rng.random(8000) < 1 / (1 + np.exp(-log_odds))).astype(float)
    meanings = {name: Bilingual(f"{name}的含义", f"meaning of {name}") for name in columns}
    return train_columns(columns, y, meanings=meanings, topics=topics).artefact


def test_features_of_one_topic_are_one_reason_with_all_their_points():
    topics = {"late_90d": "repayments", "late_365d": "repayments", "refused": "deliveries"}
    together, apart = _model(topics), _model({})
    values = {"late_90d": 4.0, "late_365d": 4.0, "refused": 3.0}
    found = reasons(together, score_one(together, values))
    assert [item.topic for item in found] == ["repayments", "deliveries"]
    assert {found[0].feature, *found[0].others} == {"late_90d", "late_365d"}
    assert "另有" in found[0].text.zh and "also: meaning of late_" in found[0].text.en
    alone = reasons(apart, score_one(apart, values))
    assert [item.topic for item in alone] == [None] * 3
    assert sum(item.points for item in alone) == sum(item.points for item in found)
    assert score_one(together, values).points == score_one(apart, values).points


def test_a_model_without_topics_is_written_as_before():
    assert b"topic" not in _model({}).to_json()
    assert b'"topic":"deliveries"' in _model({"refused": "deliveries"}).to_json()
