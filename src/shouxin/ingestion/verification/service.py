"""Send a code, take it back, and put a real name to a register."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

import msgspec
from sqlalchemy import Connection

from shouxin.governance import Keyring
from shouxin.governance.domain.masking import masked
from shouxin.ingestion.clear_values import clear_values
from shouxin.ingestion.service import accept
from shouxin.ingestion.verification import store
from shouxin.ingestion.verification.domain import (
    CODE_DIGITS,
    CODE_FIELDS,
    CODE_VALID,
    REAL_NAME_CHECKS_A_DAY,
    CodeRefusal,
    CodeRefusalReason,
    CodeSent,
    RealNameAnswer,
    RealNameCheck,
    RealNameVerdict,
    Sender,
    SentCode,
    Verified,
    checking_refusal,
    code_text,
    sending_refusal,
)
from shouxin.kernel import mint


class UnableToSend(RuntimeError):
    """The gateway did not take the message; nothing was sent and nothing was counted."""


class UnableToCheck(RuntimeError):
    """The register did not answer; nothing was counted."""


def send_code(
    db: Connection,
    keyring: Keyring,
    *,
    source: str,
    customer_ref: str,
    field: str,
    sender: Sender,
    number: int,
    now: datetime,
) -> CodeSent | CodeRefusal:
    """Send a code to the phone or e-mail that this reference last told us.

    ``number`` is random, below ten to the power of CODE_DIGITS. An earlier code of the same customer and
    address ends with the new one. Raises UnableToSend.
    """
    assert field in CODE_FIELDS, field
    assert 0 <= number < 10**CODE_DIGITS, "the code has CODE_DIGITS digits"
    address = clear_values(db, keyring, [(source, customer_ref)]).get(field)
    if address is None:
        return CodeRefusal(CodeRefusalReason.NOTHING_KNOWN)
    token = keyring.token(field, address)
    store.lock(db, token)
    refusal = sending_refusal(store.sendings(db, token, since=now - timedelta(days=1)), now=now)
    if refusal is not None:
        return refusal
    code = f"{number:0{CODE_DIGITS}d}"
    verification_id = mint("vrf", now=now)
    sent = SentCode(
        verification_id,
        source,
        customer_ref,
        field,
        token,
        _code_hash(keyring, verification_id, code),
        now + CODE_VALID,
        0,
        None,
    )
    store.close_others(db, sent, now=now)
    store.add_code(db, sent, now=now)
    # Last: when the gateway refuses, the transaction ends and nothing was counted.
    sender.send(field=field, address=address, text=code_text(code), code=code)
    return CodeSent(verification_id, masked(field, address), sent.expires_at)


def check_code(
    db: Connection, keyring: Keyring, *, verification_id: str, source: str, code: str, now: datetime
) -> Verified | CodeRefusal:
    """Take a code back: a right one makes the identifier verified, a wrong one counts (so commit)."""
    sent = store.held_code(db, verification_id, source=source)
    matches = sent is not None and hmac.compare_digest(
        sent.code_hash, _code_hash(keyring, verification_id, code)
    )
    refusal = checking_refusal(sent, matches=matches, now=now)
    if sent is None or refusal in {CodeRefusalReason.CLOSED, CodeRefusalReason.EXPIRED}:
        return CodeRefusal(refusal or CodeRefusalReason.UNKNOWN)
    spent = refusal in {None, CodeRefusalReason.ATTEMPTS_SPENT}
    store.count_attempt(db, verification_id, closed_at=now if spent else None)
    if refusal is not None:
        return CodeRefusal(refusal)
    known = clear_values(db, keyring, [(source, sent.customer_ref)]).get(sent.field)
    if known is None or keyring.token(sent.field, known) != sent.token:
        # The customer registered another address since; that one was not shown to be theirs.
        return CodeRefusal(CodeRefusalReason.CLOSED)
    _record_verified(
        db,
        keyring,
        sent.source,
        sent.customer_ref,
        sent.field,
        known,
        how="code",
        name=verification_id,
        now=now,
    )
    return Verified(sent.customer_ref, sent.field)


def check_real_name(
    db: Connection,
    keyring: Keyring,
    *,
    source: str,
    customer_ref: str,
    register: RealNameCheck,
    now: datetime,
) -> RealNameVerdict | CodeRefusal:
    """Put the registered name and national id to a register; agreement makes the id verified.

    Raises UnableToCheck when the register does not answer.
    """
    known = clear_values(db, keyring, [(source, customer_ref)])
    if "name" not in known or "national_id" not in known:
        return CodeRefusal(CodeRefusalReason.NOTHING_KNOWN)
    store.lock(db, f"{source}:{customer_ref}")
    if (
        store.real_name_checks(db, source=source, customer_ref=customer_ref, now=now)
        >= REAL_NAME_CHECKS_A_DAY
    ):
        return CodeRefusal(CodeRefusalReason.TOO_MANY, timedelta(days=1))
    answer = register.check(name=known["name"], national_id=known["national_id"])
    store.add_real_name_check(
        db, source=source, customer_ref=customer_ref, provider=register.provider, answer=answer.value, now=now
    )
    if answer is RealNameAnswer.AGREES:
        _record_verified(
            db,
            keyring,
            source,
            customer_ref,
            "national_id",
            known["national_id"],
            how=f"real_name:{register.provider}",
            name=mint("vrf", now=now),
            now=now,
        )
    return RealNameVerdict(answer, register.provider)


def _record_verified(
    db: Connection,
    keyring: Keyring,
    source: str,
    customer_ref: str,
    field: str,
    value: str,
    *,
    how: str,
    name: str,
    now: datetime,
) -> None:
    envelope = {
        "source_id": f"verification/{name}",
        "kind": "customer_verified",
        "version": 1,
        "customer_ref": customer_ref,
        "occurred_at": now.isoformat(),
        "payload": {"identifier": field, "method": how},
        "personal": {field: value},
    }
    receipt = accept(db, [msgspec.json.encode(envelope)], keyring=keyring, now=now, source=source)
    assert receipt.accepted == 1, receipt.reasons


def _code_hash(keyring: Keyring, verification_id: str, code: str) -> str:
    return keyring.token("code", f"{verification_id}/{code}")
