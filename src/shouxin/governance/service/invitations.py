"""Invitations: how an operator comes to be and sets a password and a code generator."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import credentials
from shouxin.governance.domain.access import (
    INVITATION_VALID,
    Invitation,
    OpenInvitation,
    SetupRefusal,
    SetupRefusalReason,
    SetupSecret,
    candidate_steps,
    password_refusal,
)
from shouxin.governance.domain.people import Operator, Role, UnableToInvite, check_invitation
from shouxin.governance.keys import Keyring
from shouxin.governance.service.audit import record_audit
from shouxin.governance.store import operators, sign_ins
from shouxin.governance.store.operators import Credential, InvitationRow
from shouxin.kernel import mint


def invite_operator(
    db: Connection, *, name: str, display_name: str, roles: Iterable[Role], language: str, now: datetime
) -> Invitation:
    """Make an operator and the one-time token for setting their credentials; raises UnableToInvite."""
    chosen = frozenset(roles)
    check_invitation(name=name, display_name=display_name, roles=chosen, language=language)
    operator = Operator(mint("op", now=now), name, display_name.strip(), chosen, language)
    if not operators.add_operator(db, operator, now=now):
        raise UnableToInvite(f"the name {name} is taken")
    return _invitation(db, operator, now=now)


def renew_invitation(db: Connection, name: str, *, now: datetime) -> Invitation:
    """A new invitation for an operator who lost the first, the password or the phone.

    Earlier invitations close and sessions end; the old credentials work until new ones are set.
    Raises UnableToInvite when there is no such operator.
    """
    operator = operators.operator_by_name(db, name)
    if operator is None:
        raise UnableToInvite(f"there is no operator {name}")
    sign_ins.remove_sessions_of(db, operator.operator_id)
    return _invitation(db, operator, now=now)


def find_invitation(db: Connection, token: str, *, now: datetime) -> OpenInvitation | None:
    """The invitation of this token, while it can be used."""
    row = _open_row(db, token, now=now)
    return OpenInvitation(row.operator, row.expires_at) if row else None


def prepare_setup(
    db: Connection, keyring: Keyring, token: str, *, now: datetime
) -> SetupSecret | SetupRefusal:
    """The secret for the code generator of this invitation: made once, the same each time it is shown."""
    row = _open_row(db, token, now=now)
    if row is None:
        return SetupRefusal(SetupRefusalReason.INVITATION_NOT_VALID)
    if row.totp_sealed is None:
        secret = credentials.new_totp_secret()
        sealed = keyring.seal_secret(credentials.totp_purpose(row.operator.operator_id), secret)
        operators.keep_totp(db, row.token_hash, totp_sealed=sealed)
    else:
        secret = keyring.open_secret(credentials.totp_purpose(row.operator.operator_id), row.totp_sealed)
    return SetupSecret(row.operator, secret, credentials.totp_uri(secret, name=row.operator.name))


def complete_setup(
    db: Connection, keyring: Keyring, token: str, *, password: str, code: str, now: datetime
) -> Operator | SetupRefusal:
    """Set the operator's credentials and use the invitation up. The code counts as used, too."""
    row = _open_row(db, token, now=now)
    if row is None:
        return SetupRefusal(SetupRefusalReason.INVITATION_NOT_VALID)
    refusal = password_refusal(password, name=row.operator.name)
    if refusal is not None:
        return SetupRefusal(refusal)
    step = _setup_step(keyring, row, code, now=now)
    if step is None or row.totp_sealed is None:
        return SetupRefusal(SetupRefusalReason.WRONG_CODE)
    operator = row.operator
    credential = Credential(credentials.hash_password(password), row.totp_sealed, step)
    operators.set_credential(db, operator.operator_id, credential, now=now)
    operators.close_invitation(db, row.token_hash, now=now)
    sign_ins.remove_sessions_of(db, operator.operator_id)
    record_audit(
        db,
        actor=operator.operator_id,
        action="operator.set_up",
        subject=f"operator:{operator.operator_id}",
        detail={},
        now=now,
    )
    return operator


def list_operators(db: Connection) -> list[tuple[Operator, bool]]:
    """Every operator by name, each with whether they have set their credentials."""
    return operators.all_operators(db)


def find_operator(db: Connection, name: str) -> Operator | None:
    """The operator who signs in under this name."""
    return operators.operator_by_name(db, name)


def _invitation(db: Connection, operator: Operator, *, now: datetime) -> Invitation:
    token = credentials.new_token("set")
    expires_at = now + INVITATION_VALID
    operators.add_invitation(
        db,
        operator.operator_id,
        token_hash=credentials.token_hash(token),
        now=now,
        expires_at=expires_at,
    )
    return Invitation(operator, token, expires_at)


def _open_row(db: Connection, token: str, *, now: datetime) -> InvitationRow | None:
    row = operators.invitation(db, credentials.token_hash(token))
    return row if row and row.closed_at is None and now < row.expires_at else None


def _setup_step(keyring: Keyring, row: InvitationRow, code: str, *, now: datetime) -> int | None:
    if row.totp_sealed is None:  # nobody has seen a secret yet, so no code can be right
        return None
    secret = keyring.open_secret(credentials.totp_purpose(row.operator.operator_id), row.totp_sealed)
    return credentials.matching_step(secret, code, steps=candidate_steps(now, step_used=0))
