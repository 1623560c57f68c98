"""What one answered survey of a file must say, and how it becomes a row in canonical columns. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from shouxin.ingestion.domain.checking import check_row
from shouxin.ingestion.domain.normalising import normal_date
from shouxin.ingestion.domain.receipts import Fact, Refusal
from shouxin.kernel import parse_instant

# How the quarantine names refused answers, so that they are read again by these rules.
ADAPTER = "survey"
# Each score with its least and its most.
SCORES = {"satisfaction": (1, 5), "loyalty": (1, 5), "likely_to_recommend": (0, 10)}
FIELDS = ("customer_ref", "survey", "answered_at", "answer_id", "method", *SCORES, "text")
_METHODS = {
    "phone": ("phone", "telephone", "电话", "电话回访"),
    "web": ("web", "website", "online", "网页", "网站", "网络"),
    "app": ("app", "应用"),
    "store": ("store", "shop", "门店", "店内"),
    "interview": ("interview", "访谈", "面访"),
}
_METHOD_OF = {spelling: name for name, spellings in _METHODS.items() for spelling in spellings}


def canonical_answer(row: Mapping[str, Any], *, source: str) -> dict[str, str] | Refusal:
    """The row in canonical columns, or the first reason why it says nothing that can be kept.

    It has no ``received_at``: an answer is learnt when its file is loaded.
    """
    told = {name: str(row.get(name) or "").strip() for name in FIELDS}
    for name in ("customer_ref", "survey", "answered_at"):
        if not told[name]:
            return Refusal(name, "missing")
    answered_at = _instant(_folded(told["answered_at"]))
    if answered_at is None:
        return Refusal("answered_at", "neither a date nor an instant in ISO 8601")
    answers = _answers(told)
    if isinstance(answers, Refusal):
        return answers
    if answers.keys().isdisjoint({*SCORES, "text"}):
        return Refusal("row", "answers nothing")
    payload = {"survey": told["survey"]} | answers
    return {
        "source": source,
        "source_id": f"survey/{told['answer_id'] or _name(told)}",
        "kind": "survey_answered",
        "customer_ref": told["customer_ref"],
        "occurred_at": answered_at,
        "payload": msgspec.json.encode(payload).decode(),
    }


def answer_of(row: Mapping[str, Any], *, source: str, now: datetime) -> Fact | Refusal:
    """The event of an answered survey, or the first reason why there is none."""
    answer = canonical_answer(row, source=source)
    return answer if isinstance(answer, Refusal) else check_row(answer, now=now)


def _answers(told: Mapping[str, str]) -> dict[str, Any] | Refusal:
    """What was answered, and how it was asked; the first score or method that is none is a refusal."""
    answers: dict[str, Any] = {}
    if told["method"]:
        answers["method"] = _METHOD_OF.get(_folded(told["method"]).lower())
        if answers["method"] is None:
            return Refusal("method", f"not one of {', '.join(_METHODS)}")
    for name, (least, most) in SCORES.items():
        score = _folded(told[name])
        if score and not (re.fullmatch("[0-9]{1,2}", score) and least <= int(score) <= most):
            return Refusal(name, f"not a whole number from {least} to {most}")
        if score:
            answers[name] = int(score)
    return answers | ({"text": told["text"]} if told["text"] else {})


def _folded(text: str) -> str:
    """Full-width letters and digits as plain ones."""
    return unicodedata.normalize("NFKC", text).strip()


def _instant(text: str) -> str | None:
    try:
        parse_instant(text)
    except ValueError:
        found = normal_date(text)
        return None if found.problems else found.value
    return text


def _name(told: Mapping[str, str]) -> str:
    """A name that follows from what the answer says, where the file has none."""
    content = "\x1f".join(told[name] for name in FIELDS)
    return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:32]
