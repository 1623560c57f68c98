"""Words of the console in Chinese and English: one catalogue, both languages side by side.

What a room already names for people (states, severities, roles) is taken from the room, so that a
word has one spelling in the house.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from shouxin.cases import domain as cases
from shouxin.early_warning import domain as early_warning
from shouxin.features import Topic
from shouxin.governance import ROLE_NAMES
from shouxin.ingestion.consent import PURPOSES
from shouxin.ingestion.domain.desk import STATE_WORDS as QUARANTINE_WORDS
from shouxin.ingestion.domain.quality import DIMENSION_WORDS, OWNER_WORDS, SEVERITY_WORDS
from shouxin.ingestion.external.domain import BREAKER_WORDS, OUTCOME_WORDS
from shouxin.kernel import Bilingual
from shouxin.reporting.domain.lift import VERDICT_WORDS
from shouxin.scoring.domain.drift import VERDICT_WORDS as DRIFT_WORDS
from shouxin.scoring.domain.registry import STAGE_WORDS as MODEL_STAGE_WORDS

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")
_FILE = Path(__file__).parent / "words.json"
_OF_ROOMS: Mapping[str, Mapping[Any, Bilingual]] = {
    "severity": early_warning.SEVERITY_WORDS,
    "stage": early_warning.STAGE_WORDS,
    "alert_state": early_warning.STATE_WORDS,
    "case_state": cases.STATE_WORDS,
    "case_outcome": cases.OUTCOME_WORDS,
    "role": ROLE_NAMES,
    "purpose": PURPOSES,
    "breaker": BREAKER_WORDS,
    "external_outcome": OUTCOME_WORDS,
    "lift_verdict": VERDICT_WORDS,
    "quarantine_state": QUARANTINE_WORDS,
    "dimension": DIMENSION_WORDS,
    "model_stage": MODEL_STAGE_WORDS,
    "drift": DRIFT_WORDS,
    "rule_owner": OWNER_WORDS,
    "rule_severity": SEVERITY_WORDS,
    "topic": {topic.value: topic.words for topic in Topic},
}


@cache
def catalogue() -> Mapping[str, Bilingual]:
    """Every word by its key; a key without both languages is a bug."""
    own = json.loads(_FILE.read_text(encoding="utf-8"))
    words = {key: Bilingual(texts["zh"], texts["en"]) for key, texts in own.items()}
    for prefix, texts in _OF_ROOMS.items():
        words |= {f"{prefix}.{value}": text for value, text in texts.items()}
    return words


def words_in(language: Language) -> Callable[..., str]:
    """A function from a key (and values for its places) to the text in ``language``; KeyError if unknown."""
    texts = {key: text.in_language(language) for key, text in catalogue().items()}

    def word(key: str, **values: Any) -> str:
        return texts[key].format(**values) if values else texts[key]

    return word


def words_known(language: Language) -> Callable[[str, str], str]:
    """A function from a key and a fallback to the text: for codes that rooms may add without telling us."""
    texts = {key: text.in_language(language) for key, text in catalogue().items()}

    def word(key: str, fallback: str) -> str:
        return texts.get(key, fallback)

    return word


@cache
def own_titles() -> Mapping[str, Bilingual]:
    """The titles that the house itself gives to alerts, by their text in either language.

    A case keeps its title as text; one that came from an alert is read in the reader's language.
    """
    titles = [threshold.title for indicator in early_warning.INDICATORS for threshold in indicator.thresholds]
    return {text: title for title in titles for text in (title.zh, title.en)}
