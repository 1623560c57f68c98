"""How reviews sound, as drawn tables, and that the number is read once, at every door alike."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from shouxin.ingestion.bulk import screened
from shouxin.ingestion.domain import check_envelope, check_row
from shouxin.ingestion.domain.sentiment import grams, sentiment_of

NOW = datetime(2026, 3, 2, tzinfo=UTC)
SCRIPT = Path(__file__).resolve().parents[2] / "scripts/learn_sentiment.py"

# what is written, and the least and the most that it may sound like
TEXTS = [
    ("很好吃，送得快", 80, 100),
    ("质量不错，物流很快，会推荐给朋友", 60, 100),
    ("太难吃了，再也不买", -100, -80),
    ("质量很差，要求退货", -100, -70),
    ("很好", 20, 100),
    ("不好", -100, -20),
    ("Very good, works well", 80, 100),
    ("good", 40, 70),
    ("not good", -70, -30),
    ("isn't bad", 10, 70),
    ("isn’t bad", 10, 70),
    ("slightly late", -30, -5),
    ("Absolutely terrible, a scam!", -100, -90),
    ("很好吃 but rude", 40, 90),
]


@pytest.mark.parametrize(("text", "least", "most"), TEXTS)
def test_a_text_sounds_as_people_mean_it(text, least, most):
    assert least <= sentiment_of(text) <= most


@pytest.mark.parametrize("text", ["", "👍👍", "12345", "The parcel", "…!?"])
def test_a_text_of_which_nothing_is_known_sounds_like_nothing(text):
    assert sentiment_of(text) is None


def test_only_what_holds_a_chinese_character_is_weighed_as_chinese():
    assert grams("a好!") == {"好", "a好", "好!"}


def review(**payload):
    return {
        "source": "shop", "source_id": "r1", "kind": "review_posted", "customer_ref": "C1",
        "occurred_at": "2026-03-01T10:00:00Z", "payload": json.dumps(payload, ensure_ascii=False),
    }  # fmt: skip


# payload, its sentiment as kept
KEPT = [
    ({"rating": 5}, None),
    ({"rating": 5, "text": "👍"}, None),
    ({"rating": 5, "text": "good"}, sentiment_of("good")),
    ({"rating": 1, "text": "质量很差"}, sentiment_of("质量很差")),
    ({"rating": 1, "text": "good", "sentiment": -7}, -7),
]


@pytest.mark.parametrize(("payload", "sentiment"), KEPT)
def test_every_door_keeps_the_same_number(payload, sentiment):
    row = review(**payload)
    in_file = json.loads(check_row(row, now=NOW).payload)
    envelope = json.dumps(row | {"payload": payload}).encode()
    assert json.loads(check_envelope(envelope, now=NOW).payload) == in_file
    rows = pa.Table.from_pylist([row | {"place": "1", "position": 0}])
    rows = rows.set_column(rows.column_names.index("position"), "position", pa.array([0], pa.int32()))
    (in_bulk,) = screened(rows, now=NOW, token=lambda _field, value: value).table["payload"].to_pylist()
    assert json.loads(in_bulk) == in_file
    assert in_file.get("sentiment") == sentiment


def test_a_masked_number_says_nothing_of_how_it_sounds():
    (text,) = {json.loads(check_row(review(rating=1, text="good 13800000000"), now=NOW).payload)["text"]}
    assert text == "good […]"


@pytest.mark.public_data
def test_it_is_right_four_times_in_five_and_more_on_texts_that_it_never_saw(public_data):
    """Balanced accuracy of the sign, on the fifth of each file that the weights were not learnt from."""
    spec = importlib.util.spec_from_file_location("learn_sentiment", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    folder = public_data / "chinese_reviews"
    files = [folder / "waimai_10k.csv", folder / "online_shopping_8_categories.csv.xz"]
    if not all(path.is_file() for path in files):
        pytest.skip(f"the Chinese reviews are not in {folder}")
    texts = script.read(files)
    found = {name: accuracy for name, accuracy, _ in script.measured(texts[script.is_held_out(texts)])}
    assert found["waimai_10k.csv"] >= 0.87
    assert found["online_shopping_8_categories.csv.xz"] >= 0.89
