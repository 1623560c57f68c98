"""Checking: from what a source sent to a fact, or to a refusal that names the field and the reason.

Two spellings arrive: the envelope of the API (JSON) and the row of a file (columns). Both become a
``Draft`` and pass the same ``check``. Reasons never quote a value: a value may be personal.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from shouxin.ingestion.domain.kinds import (
    AMOUNT_PATTERN,
    CURRENCY_PATTERN,
    KINDS,
    PERSONAL_LENGTH_MAX,
    REFERENCE_LENGTH_MAX,
    SOURCE_PATTERN,
    VERSION,
    EventKind,
    Presence,
)
from shouxin.ingestion.domain.receipts import Fact, Refusal
from shouxin.ingestion.domain.sentiment import sentiment_of
from shouxin.ingestion.domain.wording import refusal_of_decoder, without_contacts
from shouxin.kernel import Money, UnableToParseMoney, parse_instant
from shouxin.kernel.money import MINOR_MAX

# Clocks of shops differ from ours by minutes, not by hours.
CLOCK_SKEW = timedelta(minutes=5)
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
FREE_TEXT_FIELDS = ("text", "topic", "reason")
# Kinds whose text is read for how it sounds.
SOUNDING_KINDS = ("review_posted",)
_CONTROL = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_SOURCE, _CURRENCY, _AMOUNT = (re.compile(p) for p in (SOURCE_PATTERN, CURRENCY_PATTERN, AMOUNT_PATTERN))
_PAYLOAD_DECODERS = {name: msgspec.json.Decoder(kind.payload) for name, kind in KINDS.items()}
_PAYLOADS_DECODERS = {name: msgspec.json.Decoder(list[kind.payload]) for name, kind in KINDS.items()}  # type: ignore[name-defined]
_PERSONAL_DECODER = msgspec.json.Decoder(dict[str, str | None] | None)


class _Amount(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    value: str
    currency: str


class _Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    source_id: str
    kind: str
    customer_ref: str
    occurred_at: datetime
    payload: msgspec.Raw
    source: str | None = None
    version: int = VERSION
    order_ref: str | None = None
    amount: _Amount | None = None
    personal: dict[str, str | None] | None = None


_ENVELOPE_DECODER = msgspec.json.Decoder(_Envelope)


class _Told(msgspec.Struct, frozen=True):
    source: Any = None
    customer_ref: Any = None


_WHOSE_DECODER = msgspec.json.Decoder(_Told)


@dataclass(frozen=True, slots=True)
class Whose:
    """The source that a refused item names ('' when none) and its customer."""

    source: str
    customer_ref: str | None


NOBODY = Whose("", None)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a source says, spelled in one way; nothing of it is checked yet."""

    source: str | None
    source_id: str | None
    kind: str | None
    version: int
    customer_ref: str | None
    occurred_at: datetime
    received_at: datetime
    order_ref: str | None
    amount: Money | None
    payload: bytes
    personal: Mapping[str, str | None] = field(default_factory=dict, repr=False)


class _Refused(Exception):
    """Carries a refusal out of a parser; it never leaves this module."""

    def __init__(self, field: str, reason: str) -> None:
        self.refusal = Refusal(field, reason)


def check_envelope(raw: bytes, *, now: datetime, source: str | None = None) -> Fact | Refusal:
    """Read one item of the API; it is learnt ``now``. A given ``source`` overrules the item's own."""
    try:
        envelope = _ENVELOPE_DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return refusal_of_decoder(error)
    try:
        draft = Draft(
            source or envelope.source,
            envelope.source_id,
            envelope.kind,
            envelope.version,
            envelope.customer_ref,
            _in_zone(envelope.occurred_at, "occurred_at"),
            now,
            envelope.order_ref,
            _amount(envelope.amount.value, envelope.amount.currency) if envelope.amount else None,
            bytes(envelope.payload),
            envelope.personal or {},
        )
        return _checked(draft, now=now)
    except _Refused as refused:
        return refused.refusal


def whose_item(raw: bytes) -> Whose:
    """Of whom a refused item speaks, as far as it says: it is counted and sealed under that name."""
    try:
        told = _WHOSE_DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NOBODY
    source, reference = told.source, told.customer_ref
    return Whose(
        source if isinstance(source, str) and _SOURCE.fullmatch(source) else "",
        reference if isinstance(reference, str) else None,
    )


def check_row(row: Mapping[str, Any], *, now: datetime) -> Fact | Refusal:
    """Read one row of a file in the canonical columns; without ``received_at`` it is learnt ``now``."""
    try:
        received_at = _instant(row.get("received_at"), "received_at")
        draft = Draft(
            _text(row.get("source"), "source"),
            _text(row.get("source_id"), "source_id"),
            _text(row.get("kind"), "kind"),
            _whole(row.get("version"), "version", default=VERSION),
            _text(row.get("customer_ref"), "customer_ref"),
            _given(_instant(row.get("occurred_at"), "occurred_at"), "occurred_at"),
            received_at or now,
            _text(row.get("order_ref"), "order_ref"),
            _row_amount(row),
            (_text(row.get("payload"), "payload") or "{}").encode("utf-8", "surrogatepass"),
            _row_personal(row.get("personal")),
        )
        return _checked(draft, now=now)
    except _Refused as refused:
        return refused.refusal


def check_fact(fact: Fact) -> Refusal | None:
    """Whether a fact made inside the house says what its kind must say; times are not judged."""
    try:
        _checked(Draft(**{name: getattr(fact, name) for name in Draft.__slots__}), now=None)
    except _Refused as refused:
        return refused.refusal
    return None


def are_payloads(kind: str, texts: str, *, count: int) -> bool:
    """Whether a JSON array holds ``count`` payloads of a kind, all in order.

    The quickest way of the bulk load, for whole payloads without free text to mask and without escapes.
    """
    try:
        return len(_PAYLOADS_DECODERS[kind].decode(texts)) == count
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False


def plain_payload(kind: str, text: str) -> str | None:
    """The payload of a row as it is to be stored, or None when it needs the full check.

    The quick way of the bulk load, for payloads without free text to mask. Escapes are spelled out,
    since PostgreSQL refuses some that JSON allows.
    """
    try:
        value = _PAYLOAD_DECODERS[kind].decode(text)
        if "\\u" not in text:
            return text
        said = _said(value, {})
        # The name of a field may be written with escapes too, so free text is found only now.
        return None if said.keys() & set(FREE_TEXT_FIELDS) else msgspec.json.encode(said).decode()
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def missing_proof(kind: str, payload: bytes, personal: Mapping[str, str]) -> str | None:
    """The identifier that a ``customer_verified`` says was proved, if it does not say its value."""
    if kind != "customer_verified":
        return None
    identifier: str = msgspec.json.decode(payload)["identifier"]
    return None if identifier in personal else identifier


def read_personal(kind: str, text: str) -> dict[str, str] | None:
    """The personal values of a row, or None when anything about them is not in order."""
    try:
        return _personal(KINDS[kind], _PERSONAL_DECODER.decode(text) or {})
    except (msgspec.MsgspecError, _Refused, UnicodeError, RecursionError):
        return None


def _checked(draft: Draft, *, now: datetime | None) -> Fact:
    """The rules of an event, in the order in which a reader would look. ``now`` None: skip the times."""
    source = _given(draft.source, "source")
    if not _SOURCE.match(source) or source.endswith("\n"):
        raise _Refused("source", "not a source name (a-z, 0-9, - and _)")
    source_id = _reference(_given(draft.source_id, "source_id"), "source_id")
    kind = KINDS.get(_given(draft.kind, "kind"))
    if kind is None:
        raise _Refused("kind", "unknown kind")
    if draft.version != VERSION:
        raise _Refused("version", "unknown version")
    customer_ref = _reference(_given(draft.customer_ref, "customer_ref"), "customer_ref")
    if now is not None:
        _check_times(draft, now=now)
    order_ref = None if draft.order_ref is None else _reference(draft.order_ref, "order_ref")
    _check_presence(order_ref, kind.order_ref, "order_ref")
    _check_presence(draft.amount, kind.amount, "amount")
    payload = _payload(kind, draft.payload)
    personal = _personal(kind, draft.personal)
    identifier = missing_proof(kind.name, payload, personal)
    if identifier:
        raise _Refused(f"personal/{identifier}", "missing")
    return Fact(
        source,
        source_id,
        kind.name,
        VERSION,
        customer_ref,
        draft.occurred_at,
        draft.received_at,
        order_ref,
        draft.amount,
        payload,
        personal,
    )


def _check_times(draft: Draft, *, now: datetime) -> None:
    for name, instant in (("occurred_at", draft.occurred_at), ("received_at", draft.received_at)):
        if instant > now + CLOCK_SKEW:
            raise _Refused(name, "in the future")
        if instant < EARLIEST:
            raise _Refused(name, "before 1970")
    if draft.received_at < draft.occurred_at - CLOCK_SKEW:
        raise _Refused("received_at", "before occurred_at")


def _check_presence(value: object, presence: Presence, field: str) -> None:
    if value is None and presence is Presence.REQUIRED:
        raise _Refused(field, "missing")
    if value is not None and presence is Presence.ABSENT:
        raise _Refused(field, "not part of this kind")


def _payload(kind: EventKind, raw: bytes) -> bytes:
    try:
        value = _PAYLOAD_DECODERS[kind.name].decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        refusal = refusal_of_decoder(error, prefix="payload")
        raise _Refused(refusal.field, refusal.reason) from None
    texts = {name: text for name, text in _said(value, {}).items() if isinstance(text, str)}
    if any("\x00" in text for text in texts.values()):
        raise _Refused("payload", "holds a NUL character")
    clean = {name: without_contacts(texts[name]) for name in FREE_TEXT_FIELDS if name in texts}
    try:
        return msgspec.json.encode(_with_sentiment(kind, _said(value, clean)))
    except UnicodeEncodeError:
        raise _Refused("payload", "not valid Unicode") from None


def _with_sentiment(kind: EventKind, said: dict[str, Any]) -> dict[str, Any]:
    """What a review says, with how it sounds unless its source said that already."""
    if kind.name not in SOUNDING_KINDS or "text" not in said or "sentiment" in said:
        return said
    sounds = sentiment_of(said["text"])
    return said if sounds is None else said | {"sentiment": sounds}


def _said(value: Any, changes: Mapping[str, str]) -> dict[str, Any]:
    """The fields of a payload that say something, some of them changed."""
    said = {name: getattr(value, name) for name in value.__struct_fields__}
    return {name: changes.get(name, content) for name, content in said.items() if content is not None}


def _personal(kind: EventKind, given: Mapping[str, str | None]) -> dict[str, str]:
    values = {}
    for name, value in given.items():
        if name not in kind.personal:
            shown = name if name.isidentifier() and name.isascii() and len(name) < 40 else "?"
            raise _Refused(f"personal/{shown}", "not part of this kind")
        if value is None or not value.strip():
            continue
        if len(value) > PERSONAL_LENGTH_MAX or _CONTROL.search(value):
            raise _Refused(f"personal/{name}", "too long or holds a control character")
        values[name] = value
    return values


def _reference(value: str, field: str) -> str:
    if len(value) > REFERENCE_LENGTH_MAX:
        raise _Refused(field, f"longer than {REFERENCE_LENGTH_MAX} characters")
    if not value.strip(" "):
        raise _Refused(field, "missing")
    if _CONTROL.search(value):
        raise _Refused(field, "holds a control character")
    return value


def _given(value: Any, field: str) -> Any:
    if value is None or value == "":
        raise _Refused(field, "missing")
    return value


def _text(value: Any, field: str) -> str | None:
    """A cell as text; files may hold references as numbers."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise _Refused(field, "not a text")
    return value


def _whole(value: Any, field: str, *, default: int | None = None) -> int:
    if value is None or value == "":
        value = default
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # a column of whole numbers with gaps is often stored as floats
    if not isinstance(value, int) or isinstance(value, bool):
        raise _Refused(field, "not a whole number")
    return value


def _instant(value: Any, field: str) -> datetime | None:
    if value is None or value == "":
        return None
    try:
        instant = value if isinstance(value, datetime) else parse_instant(value)
    except (TypeError, ValueError):
        raise _Refused(field, "not an instant in ISO 8601") from None
    return _in_zone(instant, field)


def _in_zone(instant: datetime, field: str) -> datetime:
    """In UTC, which a time without a zone is; the calendar's ends overflow when they are moved."""
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise _Refused(field, "not an instant in ISO 8601") from None


def _amount(value: str, currency: str) -> Money:
    if not _CURRENCY.fullmatch(currency):
        raise _Refused("amount/currency", "not a currency code (ISO 4217)")
    if value.startswith("-"):
        raise _Refused("amount/value", "negative")
    if not _AMOUNT.fullmatch(value):
        raise _Refused("amount/value", "not a decimal amount")
    try:
        return Money.parse(value, currency)
    except UnableToParseMoney:
        raise _Refused("amount/value", "not an amount of this currency") from None


def _row_amount(row: Mapping[str, Any]) -> Money | None:
    """``amount_minor``, else the decimal ``amount``, in ``currency``; a currency alone says nothing."""
    minor, value = row.get("amount_minor"), row.get("amount")
    if minor in (None, "") and value in (None, ""):
        return None
    currency = _text(row.get("currency"), "currency")
    if currency is None:
        raise _Refused("currency", "missing")
    if not _CURRENCY.fullmatch(currency):
        raise _Refused("currency", "not a currency code (ISO 4217)")
    if minor in (None, ""):
        return _amount(str(value), currency)
    whole = _whole(minor, "amount_minor")
    if not 0 <= whole <= MINOR_MAX:
        raise _Refused("amount_minor", "negative" if whole < 0 else "too large")
    return Money(whole, currency)


def _row_personal(value: Any) -> Mapping[str, str | None]:
    text = _text(value, "personal")
    if text is None:
        return {}
    try:
        return _PERSONAL_DECODER.decode(text) or {}
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise _Refused("personal", "not a JSON object of texts") from None


def with_tokens(fact: Fact, tokens: Mapping[str, str]) -> Fact:
    """The same fact with its clear values gone and their tokens in the payload."""
    return replace(fact, payload=payload_with_tokens(fact.payload, tokens), personal={})


def payload_with_tokens(payload: bytes, tokens: Mapping[str, str]) -> bytes:
    """``payload`` and a ``<field>_token`` for each token; a payload is a JSON object, so it ends in ``}``."""
    if not tokens:
        return payload
    added = ",".join(f'"{name}_token":"{token}"' for name, token in tokens.items())
    inside = payload.strip()[1:-1].strip()
    return b"{" + inside + (b"," if inside else b"") + added.encode() + b"}"
