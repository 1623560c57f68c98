"""How a review sounds, from its words alone: -100 for as bad as words get, 100 for as good.

Chinese is weighed by characters and pairs of characters, with weights learnt from reviews whose verdict is
known (``scripts/learn_sentiment.py`` makes ``sentiment_weights.json`` and says how often it is right); a
pair such as 不好 carries its own negation. English is weighed by a short table of our own words, with
negations and degrees; there was no set of English reviews to measure it on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import tanh

SENTIMENT_MAX = 100
_MILLI = 1000
_CHINESE = re.compile("[\u4e00-\u9fff]")
_ENGLISH_WORD = re.compile("[a-z]+(?:'t)?")
# What a negation leaves of a word, the other way round: "not good" is less bad than "bad" is.
_NEGATED = -0.8
# A negation or a degree reaches over two words: "not a good one", "very badly made".
_REACH = 2
_NEGATIONS = frozenset({"not", "no", "never", "without", "hardly", "cannot"})
_DEGREES = {
    "very": 1.5, "really": 1.4, "so": 1.3, "too": 1.2, "extremely": 1.8, "absolutely": 1.7,
    "quite": 1.1, "slightly": 0.5, "somewhat": 0.6, "bit": 0.6,
}  # fmt: skip
# In logits; what a shop's customers write most, nothing rare.
_ENGLISH: Mapping[str, float] = {
    word: weight
    for weight, words in (
        (
            2.0,
            "excellent perfect amazing wonderful superb fantastic love loved brilliant flawless",
        ),
        (1.3, "great good nice happy recommend recommended best beautiful delighted pleased satisfied"),
        (
            0.9,
            "fast quick comfortable sturdy helpful friendly fresh genuine thanks fits works worth fine well",
        ),
        (-0.9, "slow late small cheap wrong missing noisy smells torn scratched disappointing"),
        (-1.3, "bad poor disappointed broken damaged faulty defective rude unhappy refused useless leaking"),
        (-2.0, "terrible awful worst horrible fake counterfeit scam fraud rubbish waste garbage disgusting"),
    )
    for word in words.split()
}


def sentiment_of(text: str) -> int | None:
    """-100 to 100; None where no word of the text says anything that is known here."""
    lowered = text.lower().replace("’", "'")
    parts = [part for part in (_chinese_logit(lowered), _english_logit(lowered)) if part is not None]
    return round(SENTIMENT_MAX * tanh(sum(parts) / 2)) if parts else None


def grams(text: str) -> set[str]:
    """The different characters and pairs of characters of a text that hold a Chinese one."""
    pairs = {text[at : at + 2] for at in range(len(text) - 1)}
    return {gram for gram in {*text, *pairs} if _CHINESE.search(gram)}


def _chinese_logit(text: str) -> float | None:
    if not _CHINESE.search(text):
        return None
    bias, weights = _learnt()
    return (bias + sum(weights.get(gram, 0) for gram in grams(text))) / _MILLI


def _english_logit(text: str) -> float | None:
    words = _ENGLISH_WORD.findall(text)
    found = [_weight_at(words, at) for at, word in enumerate(words) if word in _ENGLISH]
    return sum(found) if found else None


def _weight_at(words: list[str], at: int) -> float:
    weight = _ENGLISH[words[at]]
    for before in words[max(0, at - _REACH) : at]:
        if before in _NEGATIONS or before.endswith("n't"):
            weight *= _NEGATED
        weight *= _DEGREES.get(before, 1.0)
    return weight


@cache
def _learnt() -> tuple[int, Mapping[str, int]]:
    """Bias and weights in thousandths of a logit."""
    text = files("shouxin.ingestion.domain").joinpath("sentiment_weights.json").read_text(encoding="utf-8")
    data = json.loads(text)
    return data["bias"], data["weights"]
