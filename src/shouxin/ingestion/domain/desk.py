"""The quarantine desk: which rows are meant, what a row holds, how it is mended, and why that is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from shouxin.ingestion.domain.receipts import Refusal
from shouxin.kernel import Bilingual

# The one adapter whose rows are JSON with types; all others are tables of texts.
ENVELOPE = "envelope"
STATES = ("open", "accepted", "duplicate", "discarded")
STATE_WORDS = {
    "open": Bilingual("待处理", "Open"),
    "accepted": Bilingual("已接收", "Accepted"),
    "duplicate": Bilingual("原已存在", "Known already"),
    "discarded": Bilingual("已作废", "Discarded"),
}
# As long as the reason for revealing a customer: a word is not a reason.
REASON_LENGTH_MIN = 10
_REPAIRED_LENGTH_MAX = 100_000


@dataclass(frozen=True, slots=True)
class QuarantineFilter:
    """Which rows are meant; nothing said means all. ``rule`` is a code of a rule, ``state`` one of STATES."""

    source: str | None = None
    rule: str | None = None
    adapter: str | None = None
    state: str | None = None
    received_before: datetime | None = None

    def as_data(self) -> dict[str, str]:
        """What was chosen, for the audit trail."""
        said = {
            "source": self.source,
            "rule": self.rule,
            "adapter": self.adapter,
            "state": self.state,
            "received_before": self.received_before.isoformat() if self.received_before else None,
        }
        return {name: value for name, value in said.items() if value}


@dataclass(frozen=True, slots=True)
class QuarantineChoices:
    """What there is to choose by: sources, adapters, and codes of rules."""

    sources: tuple[str, ...]
    adapters: tuple[str, ...]
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Repair:
    """One repair of a row: who, why, which fields, and what was still wrong (None: nothing)."""

    repaired_at: datetime
    repaired_by: str
    why: str
    changed: tuple[str, ...]
    still_wrong: Refusal | None


@dataclass(frozen=True, slots=True)
class Repaired:
    """What a repair came to: ``outcome`` accepted or duplicate, or what is still wrong with the row."""

    outcome: str | None
    still_wrong: Refusal | None


class DeskRefusalReason(StrEnum):
    """Why nothing was done at the desk, by precedence."""

    UNKNOWN_ROW = "unknown_row"
    NOT_OPEN = "not_open"
    REASON_TOO_SHORT = "reason_too_short"
    CAN_NOT_OPEN = "can_not_open"
    NOTHING_CHANGED = "nothing_changed"
    NO_SUCH_PLACE = "no_such_place"
    TOO_LONG = "too_long"
    NUMBER_CHANGED = "number_changed"


_R = DeskRefusalReason
_TEXTS = {
    _R.UNKNOWN_ROW: Bilingual("没有这一隔离行。", "There is no such row in the quarantine."),
    _R.NOT_OPEN: Bilingual("该行已处理，不能再更改。", "The row is dealt with already and changes no more."),
    _R.REASON_TOO_SHORT: Bilingual(
        f"请填写至少 {REASON_LENGTH_MIN} 个字符的理由。",
        f"Say why, in at least {REASON_LENGTH_MIN} characters.",
    ),
    _R.CAN_NOT_OPEN: Bilingual(
        "该行的内容已无法打开（客户已被遗忘，或密钥不符）；只能作废。",
        "What the row held can not be opened (the customer was forgotten, or the keys are others).",
    ),
    _R.NOTHING_CHANGED: Bilingual("没有更改任何字段。", "No field was changed."),
    _R.NO_SUCH_PLACE: Bilingual(
        "该字段不能放在那里，或整行不是有效的 JSON。",
        "No field can stand there, or the whole row is not valid JSON.",
    ),
    _R.TOO_LONG: Bilingual("修改后的行过长。", "The repaired row is too long."),
    _R.NUMBER_CHANGED: Bilingual(
        "符合条件的行数已变化，请重新确认。", "Another number of rows is meant by now; look at them again."
    ),
}


@dataclass(frozen=True, slots=True)
class DeskRefusal:
    """Nothing was done."""

    reason: DeskRefusalReason

    @property
    def text(self) -> Bilingual:
        """What to tell the operator."""
        return _TEXTS[self.reason]


def reason_refusal(why: str) -> DeskRefusal | None:
    """A refusal unless somebody says why, in a sentence."""
    long_enough = len("".join(why.split())) >= REASON_LENGTH_MIN
    return None if long_enough else DeskRefusal(_R.REASON_TOO_SHORT)


def fields_of(adapter: str, raw: str) -> dict[str, str]:
    """The fields of a row and what they hold, as texts; a row without fields is one text, under ``""``.

    A field of an API item is named by its path (``payload/rating``) and shown as JSON, but for texts
    that could not be taken for anything else. A cell of a file is shown as it is.
    """
    content = _content(raw)
    if not isinstance(content, dict):
        return {"": _showable(raw)}
    if adapter == ENVELOPE:
        return _leaves(content, ())
    return {name: _showable(_cell(value)) for name, value in content.items()}


def repaired_raw(adapter: str, raw: str, changes: Mapping[str, str]) -> str | DeskRefusal:
    """The row with some fields changed; an empty text takes a field out. ``""`` changes the whole row."""
    shown = fields_of(adapter, raw)
    changes = {path: text for path, text in changes.items() if not _is_same(shown.get(path, ""), text)}
    if not changes:
        return DeskRefusal(_R.NOTHING_CHANGED)
    whole = changes.get("")
    content = _content(raw if whole is None else whole)
    if not isinstance(content, dict):
        return DeskRefusal(_R.NO_SUCH_PLACE)
    for path, text in changes.items():
        if path and not (
            _set_leaf(content, path.split("/"), text)
            if adapter == ENVELOPE
            else _set_cell(content, path, text)
        ):
            return DeskRefusal(_R.NO_SUCH_PLACE)
    made = json.dumps(content, ensure_ascii=False)
    if not changed_fields(adapter, raw, made):  # the same, written otherwise: "x" in quotation marks
        return DeskRefusal(_R.NOTHING_CHANGED)
    return made if len(made) <= _REPAIRED_LENGTH_MAX else DeskRefusal(_R.TOO_LONG)


def _is_same(shown: str, sent: str) -> bool:
    """A form trims its fields and sends line ends of its own; that is no change."""
    return "\n".join(shown.strip().splitlines()) == "\n".join(sent.strip().splitlines())


def changed_fields(adapter: str, before: str, after: str) -> tuple[str, ...]:
    """The names of the fields in which two forms of a row differ."""
    old, new = fields_of(adapter, before), fields_of(adapter, after)
    return tuple(sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name)))


def _content(raw: str) -> Any:
    try:
        return json.loads(raw, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _leaves(content: Mapping[str, Any], path: tuple[str, ...]) -> dict[str, str]:
    """Depth is bounded: what lies deeper than any event goes is shown as one JSON text."""
    found: dict[str, str] = {}
    for name, value in content.items():
        place = (*path, name)
        if isinstance(value, dict) and value and len(place) < 4:
            found |= _leaves(value, place)
        else:
            found["/".join(place)] = _showable(_as_text(value))
    return found


def _as_text(value: Any) -> str:
    if isinstance(value, str) and value and _content(value) is None and value != "null":
        return value
    return json.dumps(value, ensure_ascii=False)


def _as_value(text: str) -> Any:
    value = _content(text)
    return text if value is None and text != "null" else value


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _set_cell(content: dict[str, Any], name: str, text: str) -> bool:
    content[name] = text or None
    return True


def _set_leaf(content: dict[str, Any], path: list[str], text: str) -> bool:
    *above, name = path
    for part in above:
        inside = content.setdefault(part, {})
        if not isinstance(inside, dict):
            return False
        content = inside
    if text:
        content[name] = _as_value(text)
    else:
        content.pop(name, None)
    return bool(name)


def _showable(text: str) -> str:
    """Half a surrogate pair is no text that a page could hold."""
    return text.encode("utf-8", "backslashreplace").decode()
