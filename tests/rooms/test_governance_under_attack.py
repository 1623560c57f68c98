"""Governance, as somebody would try to break it: approving oneself, posing as the house, long passwords."""

from datetime import timedelta

import pytest

from rooms.test_governance_approvals_audit import asked, operator
from rooms.test_governance_sign_in import PASSWORD, set_up, try_in
from shouxin.governance import (
    Role,
    Scope,
    SignInRefusal,
    UnableToAddKey,
    UnableToInvite,
    add_api_key,
    approve,
    credentials,
    invite_operator,
    request_approval,
)


def test_nobody_approves_what_they_asked_for_under_their_name(db, now):
    """A program may write the name of who started it where an id belongs."""
    checker = operator(db, now, "zhao.lei")
    request_id = asked(db, now, "zhao.lei")
    assert approve(db, request_id, checker=checker, reason="looks fine", now=now).reason == (
        "author_is_not_approver"
    )


@pytest.mark.parametrize("source", ["credit", "Shop", "a:b", "x" * 65, "shop\n", "店"])
def test_no_key_can_speak_for_the_house_or_under_a_name_that_no_event_may_have(db, now, source):
    with pytest.raises(UnableToAddKey, match="source"):
        add_api_key(db, name="till", scopes=[Scope.EVENTS_WRITE], source=source, now=now)


def test_a_book_sent_as_a_password_is_wrong_and_is_not_read(db, now, monkeypatch):
    _, totp = set_up(db, now)
    spelt = []
    real = credentials._spelt
    monkeypatch.setattr(credentials, "_spelt", lambda text: spelt.append(len(text)) or real(text))
    refused = try_in(db, now, password=PASSWORD + "é" * 5_000_000, code=totp.at(now))
    assert isinstance(refused, SignInRefusal)
    assert max(spelt) < 1_000
    assert not isinstance(try_in(db, now + timedelta(seconds=30), code=totp.at(now)), SignInRefusal)


@pytest.mark.parametrize("display_name", ["a\0b", "half \ud800", "x" * 200])
def test_a_display_name_that_can_not_be_kept_is_refused(db, now, display_name):
    with pytest.raises(UnableToInvite, match="display name"):
        invite_operator(
            db, name="lin.yue", display_name=display_name, roles=[Role.AUDITOR], language="zh", now=now
        )


@pytest.mark.parametrize(("reason", "kept"), [("a\0b", "a?b"), ("half \ud800", "half ?")])
def test_a_reason_that_can_not_be_kept_as_typed_is_mended(db, now, reason, kept):
    checker = operator(db, now, "checker")
    request_id = request_approval(db, subject="policy:x", maker="op_a", reason=reason, now=now)
    assert approve(db, request_id, checker=checker, reason=reason, now=now).reason == kept
