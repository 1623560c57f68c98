"""Take the word of a customer down: an event through the same door as every other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import msgspec
from sqlalchemy import Connection

from shouxin.governance import Keyring
from shouxin.ingestion import consent
from shouxin.ingestion.consent import ConsentRefusal, ConsentRefusalReason, ConsentState
from shouxin.ingestion.consent.domain import GIVEN, WITHDRAWN
from shouxin.ingestion.consent.domain.texts import agreed_text
from shouxin.ingestion.service import accept
from shouxin.kernel import derived_id


class WordOutcome(StrEnum):
    """What became of a word."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, slots=True)
class WordTaken:
    """The word is in the log, and under which text version a consent was given."""

    outcome: WordOutcome
    state: ConsentState
    text_version: str | None
    occurred_at: datetime


def give_consent(
    db: Connection,
    customer_ref: str,
    *,
    source: str,
    purpose: str,
    keyring: Keyring,
    now: datetime,
    text_version: str | None = None,
    channel: str | None = None,
    occurred_at: datetime | None = None,
) -> WordTaken | ConsentRefusal:
    """Note that a customer agreed to a purpose, on a text version (None: the one in force then).

    The same word at the same instant once more is a duplicate. Roll back on a refusal: the caller is told,
    so nothing needs to wait in quarantine.
    """
    at = occurred_at or now
    if purpose not in consent.PURPOSES:
        return ConsentRefusal(ConsentRefusalReason.UNKNOWN_PURPOSE)
    text = agreed_text(consent.texts(db, purpose=purpose), text_version=text_version, as_of=at)
    if isinstance(text, ConsentRefusal):
        return text
    told = {"purpose": purpose, "text_version": text.text_version, "channel": channel}
    return _taken(db, (source, customer_ref), GIVEN, told, at=at, keyring=keyring, now=now)


def withdraw_consent(
    db: Connection,
    customer_ref: str,
    *,
    source: str,
    purpose: str,
    keyring: Keyring,
    now: datetime,
    channel: str | None = None,
    occurred_at: datetime | None = None,
) -> WordTaken | ConsentRefusal:
    """Note that a customer took the agreement to a purpose back; who never agreed may say no, too."""
    if purpose not in consent.PURPOSES:
        return ConsentRefusal(ConsentRefusalReason.UNKNOWN_PURPOSE)
    told = {"purpose": purpose, "text_version": None, "channel": channel}
    at = occurred_at or now
    return _taken(db, (source, customer_ref), WITHDRAWN, told, at=at, keyring=keyring, now=now)


def _taken(
    db: Connection,
    ref: tuple[str, str],
    kind: str,
    told: dict[str, str | None],
    *,
    at: datetime,
    keyring: Keyring,
    now: datetime,
) -> WordTaken | ConsentRefusal:
    source, customer_ref = ref
    payload = {name: value for name, value in told.items() if value is not None}
    envelope = {
        # Named by what it says, so that sending it twice says it once.
        "source_id": derived_id("cns", customer_ref, kind, *sorted(payload.values()), at.isoformat()),
        "kind": kind,
        "version": 1,
        "customer_ref": customer_ref,
        "occurred_at": at.isoformat(),
        "payload": payload,
    }
    receipt = accept(db, [msgspec.json.encode(envelope)], keyring=keyring, now=now, source=source)
    if receipt.quarantined:
        (item,) = receipt.refusals
        return ConsentRefusal(ConsentRefusalReason.NOT_TAKEN, f"{item.field}: {item.reason}")
    outcome = WordOutcome.ACCEPTED if receipt.accepted else WordOutcome.DUPLICATE
    state = ConsentState.GRANTED if kind == GIVEN else ConsentState.WITHDRAWN
    return WordTaken(outcome, state, payload.get("text_version"), at)
