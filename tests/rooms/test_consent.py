"""Consent: what customers said, what holds at an instant, and what their words do at the door."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouxin import ingestion
from shouxin.governance import Keyring
from shouxin.ingestion import consent
from shouxin.ingestion.consent import ConsentState

KEYS = Keyring.from_master(b"k" * 32)
DAY = timedelta(days=1)


def word(kind: str, at: datetime, *, ref="C1", source="shop", purpose="behaviour", number=0, **payload):
    told = {"purpose": purpose} | payload
    if kind == "consent_given":
        told = {"text_version": "v1"} | told
    return {
        "source": source,
        "source_id": f"{kind}-{ref}-{purpose}-{at.isoformat()}-{number}",
        "kind": kind,
        "version": 1,
        "customer_ref": ref,
        "occurred_at": at.isoformat(),
        "payload": told,
    }


def say(db, kind: str, at: datetime, *, learnt: datetime | None = None, **more):
    receipt = ingestion.accept(db, [word(kind, at, **more)], keyring=KEYS, now=learnt or at)
    assert receipt.accepted == 1, receipt.reasons


def test_who_was_never_asked_has_not_agreed(db, now):
    found = consent.standing(db, [("shop", "C1")], purpose="behaviour", as_of=now)
    assert found.state is ConsentState.NEVER_ASKED
    assert (found.since, found.text_version, found.is_granted) == (None, None, False)
    assert not consent.allows(db, "shop", "C1", purpose="behaviour", as_of=now)


def test_a_consent_holds_from_when_it_was_given_until_it_is_withdrawn(db, now):
    say(db, "consent_given", now - 10 * DAY, text_version="2026-01", channel="app")
    say(db, "consent_withdrawn", now - 3 * DAY)
    refs = [("shop", "C1")]

    def at(days: int):
        found = consent.standing(db, refs, purpose="behaviour", as_of=now - days * DAY)
        return (found.state, found.since, found.text_version)

    assert at(11) == ("never_asked", None, None)
    assert at(10) == ("granted", now - 10 * DAY, "2026-01")
    assert at(4) == ("granted", now - 10 * DAY, "2026-01")
    assert at(3) == ("withdrawn", now - 3 * DAY, "2026-01")
    assert not consent.allows(db, "shop", "C1", purpose="marketing", as_of=now)


def test_a_word_that_was_not_learnt_yet_is_not_seen(db, now):
    say(db, "consent_given", now - 10 * DAY)
    say(db, "consent_withdrawn", now - 5 * DAY, learnt=now - 2 * DAY)
    assert consent.allows(db, "shop", "C1", purpose="behaviour", as_of=now - 3 * DAY)
    assert not consent.allows(db, "shop", "C1", purpose="behaviour", as_of=now - 2 * DAY)


def test_one_no_holds_whatever_was_said_elsewhere(db, now):
    say(db, "consent_withdrawn", now - 9 * DAY, ref="C1")
    say(db, "consent_given", now - 2 * DAY, ref="C2", source="app")
    both = [("shop", "C1"), ("app", "C2")]
    found = consent.standing(db, both, purpose="behaviour", as_of=now)
    assert (found.state, found.since) == (ConsentState.WITHDRAWN, now - 9 * DAY)
    assert found.word is not None and found.word.customer_ref == "C1"
    assert consent.allows(db, "app", "C2", purpose="behaviour", as_of=now)
    say(db, "consent_given", now - DAY, ref="C1")
    assert consent.standing(db, both, purpose="behaviour", as_of=now).is_granted


def test_of_two_words_at_one_instant_the_no_counts_however_they_came(db, now):
    say(db, "consent_withdrawn", now)
    say(db, "consent_given", now)
    assert consent.standing(db, [("shop", "C1")], purpose="behaviour", as_of=now).state == "withdrawn"


def test_a_state_said_twice_holds_since_the_first_time(db, now):
    for days in (9, 6):
        say(db, "consent_withdrawn", now - days * DAY)
    assert consent.standing(db, [("shop", "C1")], purpose="behaviour", as_of=now).since == now - 9 * DAY


def test_all_purposes_and_the_whole_history_come_in_one_call(db, now):
    say(db, "consent_given", now - 2 * DAY, purpose="survey")
    say(db, "consent_withdrawn", now - DAY, purpose="survey", channel="phone")
    standings = consent.standings(db, [("shop", "C1")], as_of=now)
    assert [s.purpose for s in standings] == list(consent.PURPOSES)
    assert {s.purpose: s.state for s in standings if s.state != "never_asked"} == {"survey": "withdrawn"}
    told = consent.history(db, [("shop", "C1")], as_of=now)
    assert [(w.state, w.channel) for w in told] == [("withdrawn", "phone"), ("granted", None)]


def test_a_purpose_that_is_not_one_is_a_bug(db, now):
    with pytest.raises(AssertionError):
        consent.allows(db, "shop", "C1", purpose="everything", as_of=now)
