"""Governance: invitations, sign-in, sessions and keys for programs."""

from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import text

from shouxin.governance import (
    Keyring,
    Operator,
    Role,
    Scope,
    Session,
    SetupRefusal,
    SignInRefusal,
    UnableToAddKey,
    UnableToInvite,
    add_api_key,
    complete_setup,
    find_api_key,
    find_invitation,
    find_session,
    invite_operator,
    list_audit,
    list_operators,
    prepare_setup,
    renew_invitation,
    revoke_api_key,
    sign_in,
    sign_out,
)

KEYRING = Keyring.from_master(bytes(range(32)))
PASSWORD = "correct horse battery"
STEP = timedelta(seconds=30)


def invited(db, now, *, name="lin.yue", roles=(Role.RISK_ANALYST,)):
    return invite_operator(db, name=name, display_name="Lin Yue", roles=roles, language="zh", now=now)


def set_up(db, now, **facts):
    """An operator who set their credentials a while ago, and their code generator."""
    earlier = now - timedelta(hours=1)
    invitation = invited(db, earlier, **facts)
    secret = prepare_setup(db, KEYRING, invitation.setup_token, now=earlier)
    totp = pyotp.TOTP(secret.totp_secret)
    operator = complete_setup(
        db, KEYRING, invitation.setup_token, password=PASSWORD, code=totp.at(earlier), now=earlier
    )
    assert isinstance(operator, Operator)
    return operator, totp


def try_in(db, now, *, name="lin.yue", password=PASSWORD, code):
    return sign_in(db, KEYRING, name=name, password=password, code=code, now=now)


def test_an_invitation_leads_to_an_operator_who_can_sign_in(db, now):
    operator, totp = set_up(db, now)
    session = try_in(db, now, code=totp.at(now))
    assert isinstance(session, Session)
    assert session.operator == operator
    assert find_session(db, session.session_token, now=now).operator == operator
    assert list_operators(db) == [(operator, True)]


def test_an_invitation_is_used_once_and_expires(db, now):
    invitation = invited(db, now)
    token = invitation.setup_token
    assert find_invitation(db, token, now=now).operator == invitation.operator
    assert find_invitation(db, token, now=now + timedelta(days=7)) is None
    assert find_invitation(db, "set_nonsense", now=now) is None
    secret = prepare_setup(db, KEYRING, token, now=now)
    assert prepare_setup(db, KEYRING, token, now=now) == secret
    assert secret.totp_uri.startswith("otpauth://totp/Shouxin:lin.yue")
    code = pyotp.TOTP(secret.totp_secret).at(now)
    assert complete_setup(db, KEYRING, token, password=PASSWORD, code=code, now=now) == invitation.operator
    again = complete_setup(db, KEYRING, token, password=PASSWORD, code=code, now=now)
    assert again.reason == "invitation_not_valid"
    assert prepare_setup(db, KEYRING, token, now=now).reason == "invitation_not_valid"


@pytest.mark.parametrize(
    ("password", "code", "reason"),
    [
        ("short", None, "too_short"),
        ("x" * 11, None, "too_short"),
        ("my name is Lin.Yue", None, "contains_name"),
        ("aaaaaaaaaaaaaaa", None, "too_simple"),
        ("long enough " * 30, None, "too_long"),
        (PASSWORD, "000000", "wrong_code"),
        (PASSWORD, "", "wrong_code"),
        (PASSWORD, "密码", "wrong_code"),
    ],
)
def test_a_refused_setup_can_be_tried_again(db, now, password, code, reason):
    token = invited(db, now).setup_token
    totp = pyotp.TOTP(prepare_setup(db, KEYRING, token, now=now).totp_secret)
    refusal = complete_setup(
        db, KEYRING, token, password=password, code=code if code is not None else totp.at(now), now=now
    )
    assert isinstance(refusal, SetupRefusal)
    assert refusal.reason == reason
    assert refusal.text.zh
    done = complete_setup(db, KEYRING, token, password=PASSWORD, code=totp.at(now), now=now)
    assert isinstance(done, Operator)


def test_no_code_is_right_before_the_secret_was_shown(db, now):
    token = invited(db, now).setup_token
    refusal = complete_setup(db, KEYRING, token, password=PASSWORD, code="123456", now=now)
    assert refusal.reason == "wrong_code"


@pytest.mark.parametrize(
    "facts",
    [
        {"name": "Lin Yue"},
        {"name": "x"},
        {"roles": ()},
        {"roles": (Role.ADMIN, Role.RISK_MANAGER)},
    ],
)
def test_an_operator_that_can_not_be_is_refused(db, now, facts):
    with pytest.raises(UnableToInvite):
        invited(db, now, **facts)


def test_a_name_is_taken_once(db, now):
    invited(db, now)
    with pytest.raises(UnableToInvite, match="taken"):
        invited(db, now)


def test_a_renewed_invitation_closes_the_old_one_and_ends_sessions(db, now):
    _, totp = set_up(db, now)
    session = try_in(db, now, code=totp.at(now))
    renewed = renew_invitation(db, "lin.yue", now=now)
    assert find_session(db, session.session_token, now=now) is None
    newest = renew_invitation(db, "lin.yue", now=now)
    assert find_invitation(db, renewed.setup_token, now=now) is None
    assert find_invitation(db, newest.setup_token, now=now) is not None
    with pytest.raises(UnableToInvite):
        renew_invitation(db, "nobody", now=now)


def test_unknown_name_wrong_password_and_wrong_code_are_one_answer(db, now):
    _, totp = set_up(db, now)
    answers = {
        try_in(db, now, name="nobody", code=totp.at(now)),
        try_in(db, now, password="wrong password 1", code=totp.at(now)),
        try_in(db, now, code="000000"),
        try_in(db, now, name="nobody\0", code=totp.at(now)),
        try_in(db, now, name="\ud800", password="\ud800", code="\ud800"),
    }
    assert len(answers) == 1
    assert answers.pop().reason == "wrong_credentials"


def test_a_password_is_hashed_for_nobody_as_well(db, now, monkeypatch):
    from shouxin.governance import credentials

    hashed = []
    real = credentials.password_matches
    monkeypatch.setattr(credentials, "password_matches", lambda p, s: hashed.append(s) or real(p, s))
    set_up(db, now)
    try_in(db, now, name="nobody", code="1")
    try_in(db, now, code="1")
    assert hashed[0] is None
    assert hashed[1].startswith("$argon2id$")
    assert credentials._nobody().split("$")[:4] == hashed[1].split("$")[:4]


def test_a_code_is_good_once_and_one_step_aside(db, now):
    _, totp = set_up(db, now)
    late, early, code = totp.at(now - STEP), totp.at(now + STEP), totp.at(now)
    assert isinstance(try_in(db, now, code=totp.at(now - 2 * STEP)), SignInRefusal)
    assert isinstance(try_in(db, now, code=late), Session)
    assert isinstance(try_in(db, now, code=late), SignInRefusal)
    assert isinstance(try_in(db, now, code=f" {code[:3]} {code[3:]} "), Session)
    assert isinstance(try_in(db, now, code=early), Session)
    assert isinstance(try_in(db, now, code=code), SignInRefusal)
    assert isinstance(try_in(db, now, code=totp.at(now + 2 * STEP)), SignInRefusal)


@pytest.mark.parametrize("name", ["lin.yue", "nobody"])
def test_the_fifth_failure_locks_the_name_whether_it_exists_or_not(db, now, name):
    _, totp = set_up(db, now)
    for _ in range(5):
        assert try_in(db, now, name=name, password="wrong password 1", code="1").reason == "wrong_credentials"
    assert try_in(db, now, name=name, code=totp.at(now)).reason == "locked"
    later = now + timedelta(minutes=15)
    assert not isinstance(try_in(db, later - timedelta(seconds=1), name=name, code="1"), Session)
    answer = try_in(db, later, name=name, code=totp.at(later))
    assert isinstance(answer, Session) == (name == "lin.yue")


def test_a_success_forgets_the_failures(db, now):
    _, totp = set_up(db, now)
    for _ in range(4):
        try_in(db, now, password="wrong password 1", code="1")
    assert isinstance(try_in(db, now, code=totp.at(now)), Session)
    for _ in range(4):
        try_in(db, now, password="wrong password 1", code="1")
    assert isinstance(try_in(db, now, code=totp.at(now + STEP)), Session)


def test_a_session_ends_when_idle_and_at_last_in_any_case(db, now):
    _, totp = set_up(db, now)
    token = try_in(db, now, code=totp.at(now)).session_token
    assert find_session(db, token, now=now + timedelta(minutes=29)) is not None
    assert find_session(db, token, now=now + timedelta(minutes=58)) is not None
    assert find_session(db, token, now=now + timedelta(minutes=88)) is None
    for minutes in range(60, 12 * 60, 20):
        db.execute(text("UPDATE governance.session SET last_seen_at = :at"), {"at": now})
        at = now + timedelta(minutes=minutes)
        db.execute(text("UPDATE governance.session SET last_seen_at = :at"), {"at": at})
        assert find_session(db, token, now=at) is not None
    db.execute(text("UPDATE governance.session SET last_seen_at = :at"), {"at": now + timedelta(hours=12)})
    assert find_session(db, token, now=now + timedelta(hours=12)) is None


def test_signing_out_ends_the_session_at_once(db, now):
    _, totp = set_up(db, now)
    session = try_in(db, now, code=totp.at(now))
    sign_out(db, session.session_token, now=now)
    sign_out(db, session.session_token, now=now)
    assert find_session(db, session.session_token, now=now) is None
    assert [entry.action for entry in list_audit(db)] == ["sign_out", "sign_in.accepted", "operator.set_up"]


def test_no_secret_is_stored_audited_or_printed(db, now):
    invitation = invited(db, now)
    secret = prepare_setup(db, KEYRING, invitation.setup_token, now=now)
    totp = pyotp.TOTP(secret.totp_secret)
    complete_setup(db, KEYRING, invitation.setup_token, password=PASSWORD, code=totp.at(now), now=now)
    session = try_in(db, now, code=totp.at(now + STEP))
    try_in(db, now, name=PASSWORD, code="1")
    key, clear_text = add_api_key(db, name="shop", scopes=[Scope.EVENTS_WRITE], source="shop", now=now)
    secrets = [
        invitation.setup_token,
        secret.totp_secret,
        PASSWORD,
        session.session_token,
        session.csrf_token,
        clear_text,
    ]
    tables = ("operator", "invitation", "credential", "session", "sign_in_guard", "api_key", "audit")
    stored = "\n".join(
        str(db.scalar(text(f"SELECT json_agg(t)::text FROM governance.{table} t"))) for table in tables
    )
    printed = repr([invitation, secret, session, key])
    for value in secrets:
        assert value not in stored
        assert value not in printed
        assert value.encode().hex() not in stored


def test_a_key_of_a_program_opens_what_it_says_until_revoked(db, now):
    key, clear_text = add_api_key(
        db, name="checkout", scopes=[Scope.DECISIONS_WRITE, Scope.EVENTS_WRITE], source="shop", now=now
    )
    assert clear_text.startswith("sx_")
    assert find_api_key(db, clear_text, now=now) == key
    assert find_api_key(db, clear_text + "x", now=now) is None
    assert revoke_api_key(db, key.key_id, now=now)
    assert not revoke_api_key(db, key.key_id, now=now)
    assert not revoke_api_key(db, "key_none", now=now)
    assert find_api_key(db, clear_text, now=now) is None


@pytest.mark.parametrize("facts", [{"scopes": []}, {"name": " "}, {"source": ""}])
def test_a_key_that_opens_nothing_is_refused(db, now, facts):
    with pytest.raises(UnableToAddKey):
        add_api_key(db, **({"name": "a", "scopes": [Scope.EVENTS_WRITE], "source": "shop"} | facts), now=now)


def test_the_name_of_a_key_is_taken_once(db, now):
    add_api_key(db, name="a", scopes=[Scope.EVENTS_WRITE], source="shop", now=now)
    with pytest.raises(UnableToAddKey, match="taken"):
        add_api_key(db, name="a", scopes=[Scope.EVENTS_WRITE], source="shop", now=now)
