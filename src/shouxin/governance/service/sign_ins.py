"""Signing in and out, and the sessions between."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection

from shouxin.governance import credentials
from shouxin.governance.domain.access import (
    SESSION_ABSOLUTE,
    SESSION_IDLE,
    Guard,
    Session,
    SignInRefusal,
    SignInRefusalReason,
    candidate_steps,
    session_end,
)
from shouxin.governance.domain.people import Operator, storable
from shouxin.governance.keys import Keyring
from shouxin.governance.service.audit import record_audit
from shouxin.governance.store import operators, sign_ins

# Being seen is written down at most once a minute, so a page with ten requests writes once.
_TOUCH_EVERY = timedelta(minutes=1)


def sign_in(
    db: Connection, keyring: Keyring, *, name: str, password: str, code: str, now: datetime
) -> Session | SignInRefusal:
    """Let an operator in with a password and a code.

    The answer to an unknown name, a wrong password and a wrong code is the same and takes as long.
    Five failures within 15 minutes lock the name for 15 minutes, whether it exists or not. Commit
    after a refusal as well: it counts. Refusals and sign-ins are audited here.
    """
    name = storable(name).strip().casefold()
    # A name that was typed may be a password that went into the wrong box: only its token is kept.
    name_token = keyring.token("operator_name", name)
    guard = sign_ins.held_guard(db, name_token)
    if guard.is_locked(now):
        return _refused(db, name_token, SignInRefusalReason.LOCKED, now=now)
    operator = _recognised(db, keyring, name=name, password=password, code=code, now=now)
    if operator is None:
        sign_ins.set_guard(db, name_token, guard.after_failure(now))
        return _refused(db, name_token, SignInRefusalReason.WRONG_CREDENTIALS, now=now)
    sign_ins.set_guard(db, name_token, Guard())
    return _signed_in(db, operator, now=now)


def find_session(db: Connection, token: str, *, now: datetime) -> Session | None:
    """The session of this token while it lasts (30 minutes idle, 12 hours in all); seen, it lives on."""
    hashed = credentials.token_hash(token)
    row = sign_ins.session(db, hashed)
    if row is None:
        return None
    if now >= session_end(signed_in_at=row.signed_in_at, last_seen_at=row.last_seen_at):
        return None
    if now - row.last_seen_at >= _TOUCH_EVERY:
        sign_ins.touch_session(db, hashed, now=now)
    expires_at = session_end(signed_in_at=row.signed_in_at, last_seen_at=max(now, row.last_seen_at))
    return Session(token, row.operator, credentials.csrf_token(token), row.signed_in_at, expires_at)


def sign_out(db: Connection, token: str, *, now: datetime) -> None:
    """End a session; ending one that is gone is no failure. Audited here."""
    operator_id = sign_ins.remove_session(db, credentials.token_hash(token))
    if operator_id is not None:
        _announce(db, "sign_out", actor=operator_id, subject=f"operator:{operator_id}", now=now)


def _recognised(
    db: Connection, keyring: Keyring, *, name: str, password: str, code: str, now: datetime
) -> Operator | None:
    """The operator whose password and unused code these are."""
    facts = operators.sign_in_facts(db, name)
    # The password is hashed for nobody, too, or the time would tell which names exist.
    if not credentials.password_matches(password, facts[1].password_hash if facts else None):
        return None
    assert facts is not None
    operator, credential = facts
    secret = keyring.open_secret(credentials.totp_purpose(operator.operator_id), credential.totp_sealed)
    steps = candidate_steps(now, step_used=credential.totp_step_used)
    step = credentials.matching_step(secret, code, steps=steps)
    if step is None or not operators.use_step(db, operator.operator_id, step=step):
        return None
    return operator


def _signed_in(db: Connection, operator: Operator, *, now: datetime) -> Session:
    sign_ins.remove_ended(db, seen_before=now - SESSION_IDLE, signed_in_before=now - SESSION_ABSOLUTE)
    token = credentials.new_token("ses")
    sign_ins.add_session(
        db, token_hash=credentials.token_hash(token), operator_id=operator.operator_id, now=now
    )
    actor = operator.operator_id
    _announce(db, "sign_in.accepted", actor=actor, subject=f"operator:{actor}", now=now)
    expires_at = session_end(signed_in_at=now, last_seen_at=now)
    return Session(token, operator, credentials.csrf_token(token), now, expires_at)


def _refused(db: Connection, name_token: str, reason: SignInRefusalReason, *, now: datetime) -> SignInRefusal:
    _announce(db, f"sign_in.{reason}", actor="nobody", subject=f"name:{name_token}", now=now)
    return SignInRefusal(reason)


def _announce(db: Connection, action: str, *, actor: str, subject: str, now: datetime) -> None:
    record_audit(db, actor=actor, action=action, subject=subject, detail={}, now=now)
