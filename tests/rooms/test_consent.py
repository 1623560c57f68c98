"""Consent: what customers said, what holds at an instant, and what their words do at the door."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shouxin import ingestion
from shouxin.governance import Keyring, list_audit
from shouxin.ingestion import consent, consenting, registration
from shouxin.ingestion.consent import (
    NO_POLICY,
    STANDARD_POLICY,
    ConsentRefusal,
    ConsentState,
    ConsentText,
    UnableToReadConsentPolicy,
    read_policy,
)
from shouxin.ingestion.consent.domain import LeftOut
from shouxin.kernel import Bilingual

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


def viewed(number=1, *, ref="C1", source="shop", at="2026-03-01T10:00:00+00:00"):
    return {
        "source": source,
        "source_id": f"view-{number}",
        "kind": "product_viewed",
        "version": 1,
        "customer_ref": ref,
        "occurred_at": at,
        "payload": {"sku": "S1"},
    }


def login(number=1, *, ref="C1", **personal):
    return viewed(number, ref=ref) | {
        "source_id": f"login-{number}",
        "kind": "login_recorded",
        "payload": {},
        "personal": personal,
    }


def require(db, now, source="shop", policy=STANDARD_POLICY):
    return consent.set_policy(db, source, policy, by="test", now=now)


def kinds_in_log(db, now, ref="C1", source="shop"):
    return [event.kind for event in ingestion.list_events(db, [(source, ref)], as_of=now)]


def test_a_source_without_a_policy_sends_what_it_likes(db, now):
    assert ingestion.accept(db, [viewed()], keyring=KEYS, now=now).accepted == 1
    assert consent.policy_of(db, "shop").policy == NO_POLICY


def test_without_consent_a_visit_waits_in_quarantine_until_consent_comes(db, now):
    require(db, now)
    receipt = ingestion.accept(db, [viewed()], keyring=KEYS, now=now)
    assert receipt.reasons == {"kind: no consent to behaviour": 1}
    assert [row.reason for row in ingestion.list_quarantine(db)] == ["no consent to behaviour"]
    assert ingestion.replay_quarantine(db, KEYS, now + DAY).quarantined == 1
    say(db, "consent_given", now + DAY)
    assert ingestion.replay_quarantine(db, KEYS, now + 2 * DAY).accepted == 1
    assert kinds_in_log(db, now + 2 * DAY) == ["product_viewed", "consent_given"]


def test_consent_in_the_same_batch_counts_wherever_it_stands(db, now):
    require(db, now)
    batch = [viewed(), word("consent_given", now - DAY), viewed(2, ref="C2")]
    receipt = ingestion.accept(db, batch, keyring=KEYS, now=now)
    assert (receipt.accepted, receipt.quarantined) == (2, 1)
    assert kinds_in_log(db, now, ref="C2") == []


def test_a_word_that_is_a_duplicate_of_something_else_is_no_consent(db, now):
    ingestion.accept(db, [viewed(7)], keyring=KEYS, now=now)
    require(db, now)
    forged = word("consent_given", now - DAY) | {"source_id": "view-7"}
    receipt = ingestion.accept(db, [forged, viewed(8)], keyring=KEYS, now=now)
    assert (receipt.duplicates, receipt.quarantined) == (1, 1)


def test_a_withdrawal_closes_the_door_again(db, now):
    require(db, now)
    say(db, "consent_given", now - 2 * DAY)
    assert ingestion.accept(db, [viewed(1)], keyring=KEYS, now=now).accepted == 1
    say(db, "consent_withdrawn", now)
    assert ingestion.accept(db, [viewed(2)], keyring=KEYS, now=now + DAY).quarantined == 1


def test_a_field_without_consent_is_left_out_and_counted_but_the_event_is_kept(db, now):
    policy = read_policy({"fields": {"device": {"purpose": "payment_and_address", "without": "drop_field"}}})
    require(db, now, policy=policy)
    receipt = ingestion.accept(db, [login(1, device="D1"), login(2, device="D1")], keyring=KEYS, now=now)
    assert receipt.accepted == 2
    say(db, "consent_given", now, purpose="payment_and_address")
    ingestion.accept(db, [login(3, device="D1")], keyring=KEYS, now=now)
    events = ingestion.list_events(db, [("shop", "C1")], as_of=now, kinds=["login_recorded"])
    assert sorted("device_token" in event.payload for event in events) == [False, False, True]
    assert consent.left_out(db) == {LeftOut("shop", "device", "payment_and_address"): 2}


def test_what_needs_no_consent_goes_through_under_any_policy(db, now):
    require(db, now)
    order = viewed(5) | {
        "kind": "order_placed",
        "order_ref": "O1",
        "amount": {"value": "1.00", "currency": "CNY"},
        "payload": {"items": 1, "payment_method": "card"},
    }
    assert ingestion.accept(db, [order], keyring=KEYS, now=now).accepted == 1


def test_a_registration_keeps_what_it_may_and_is_a_duplicate_when_sent_again(db, now):
    require(db, now)
    row = {"customer_ref": "C9", "name": "陈文静", "channel": "app", "phone": "13800138000"}
    row |= {"birth_date": "1990-01-02"}
    for outcome in ("accepted", "duplicate"):
        (found,) = registration.register(db, [row], source="shop", keyring=KEYS, now=now)
        assert found.outcome == outcome
    fields = {fact.field for fact in ingestion.personal_facts(db, [("shop", "C9")])}
    assert fields == {"name", "phone"}
    assert consent.left_out(db)[LeftOut("shop", "birth_date", "credit_assessment")] == 2


def bulk_rows(items):
    return [
        {name: item.get(name) for name in ("source", "source_id", "kind", "customer_ref", "occurred_at")}
        | {"payload": json.dumps(item["payload"]), "personal": json.dumps(item.get("personal") or {})}
        for item in items
    ]


def test_the_bulk_load_asks_for_the_same_consent(db, now, tmp_path):
    require(db, now)
    batch = [
        viewed(1),
        viewed(2, ref="C2"),
        word("consent_given", now - DAY),
        login(3, device="D1"),
        login(4, ref="C2", device="D2"),
        viewed(5, source="other"),
        viewed(6) | {"payload": {"sku": ""}},
    ]
    pq.write_table(pa.Table.from_pylist(bulk_rows(batch)), tmp_path / "events.parquet")
    receipt = ingestion.load_file(db, tmp_path / "events.parquet", keyring=KEYS, now=now)
    assert (receipt.accepted, receipt.quarantined) == (4, 3)
    assert receipt.reasons["kind: no consent to behaviour"] == 2
    assert [refused.position for refused in receipt.refusals] == [1, 4, 6]
    assert sorted(kinds_in_log(db, now)) == ["consent_given", "login_recorded", "product_viewed"]
    assert consent.left_out(db) == {LeftOut("shop", "device", "payment_and_address"): 1}
    say(db, "consent_given", now, ref="C2")
    assert ingestion.replay_quarantine(db, KEYS, now).accepted == 2


def test_a_file_of_the_past_is_judged_by_what_was_known_then(db, now, tmp_path):
    require(db, now)
    said = word("consent_given", now - 20 * DAY) | {"received_at": (now - 20 * DAY).isoformat()}
    before, after = ((now - days * DAY).isoformat() for days in (25, 15))
    views = [
        viewed(1, at=before) | {"received_at": before},
        viewed(2, at=after) | {"received_at": after},
    ]
    rows = [
        row | {"received_at": item["received_at"]}
        for row, item in zip(bulk_rows([said, *views]), [said, *views], strict=True)
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "events.parquet")
    receipt = ingestion.load_file(db, tmp_path / "events.parquet", keyring=KEYS, now=now)
    assert [(r.position, r.reason) for r in receipt.refusals] == [(1, "no consent to behaviour")]


def text_of(now, version="2026-01", *, purpose="behaviour", valid_from=None, en="We look at visits."):
    return ConsentText(
        purpose,
        version,
        Bilingual("我们分析浏览记录。", en),
        valid_from or now - 30 * DAY,
        "test",
        now - 40 * DAY,
    )


def give(db, now, **more):
    return consenting.give_consent(
        db, "C1", **({"source": "shop", "purpose": "behaviour", "keyring": KEYS, "now": now} | more)
    )


def test_a_consent_is_given_on_the_text_in_force_and_once_only(db, now):
    assert give(db, now).reason == "no_text"
    consent.publish_text(db, text_of(now))
    consent.publish_text(db, text_of(now, "2026-06", valid_from=now + 90 * DAY))
    assert give(db, now, text_version="x").reason == "unknown_text"
    assert give(db, now, text_version="2026-06").reason == "not_yet_valid"
    assert give(db, now, purpose="everything").reason == "unknown_purpose"
    assert give(db, now + DAY, occurred_at=now + 9 * DAY).reason == "not_taken"
    taken = [give(db, now, channel="store") for _ in range(2)]
    assert [(one.outcome, one.text_version) for one in taken] == [
        ("accepted", "2026-01"),
        ("duplicate", "2026-01"),
    ]
    assert consent.allows(db, "shop", "C1", purpose="behaviour", as_of=now)
    consenting.withdraw_consent(
        db, "C1", source="shop", purpose="behaviour", keyring=KEYS, now=now + DAY, channel="phone"
    )
    found = consent.standing(db, [("shop", "C1")], purpose="behaviour", as_of=now + DAY)
    assert (found.state, found.text_version) == ("withdrawn", "2026-01")


def test_a_published_text_stands_for_ever_and_is_audited(db, now):
    assert consent.publish_text(db, text_of(now)) == consent.publish_text(db, text_of(now))
    changed = consent.publish_text(db, text_of(now, en="We look at everything."))
    assert isinstance(changed, ConsentRefusal) and changed.reason == "text_stands"
    entries = list_audit(db, action="consent.text_published")
    assert [entry.subject for entry in entries] == ["consent_text:behaviour/2026-01"]


def test_references_are_counted_by_purpose_state_and_text(db, now):
    for ref in ("C1", "C2", "C3"):
        say(db, "consent_given", now - 3 * DAY, ref=ref)
    say(db, "consent_given", now - 2 * DAY, ref="C2", text_version="v2")
    say(db, "consent_withdrawn", now - DAY, ref="C3")
    found = [(c.purpose, c.state, c.text_version, c.references) for c in consent.counts(db, as_of=now)]
    assert found == [
        ("behaviour", "granted", "v1", 1),
        ("behaviour", "granted", "v2", 1),
        ("behaviour", "withdrawn", "v1", 1),
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([], "a policy is a JSON object"),
        ({"kinds": {"order_eaten": {}}}, "kinds/order_eaten: unknown"),
        ({"kinds": {"consent_given": {"purpose": "social", "without": "refuse"}}}, "needs no consent"),
        ({"kinds": {"login_recorded": {"purpose": "x", "without": "refuse"}}}, "the purpose is one of"),
        ({"kinds": {"login_recorded": {"purpose": "social", "without": "drop_field"}}}, "accept, refuse"),
        ({"fields": {"phone": {"purpose": "social", "without": "drop_field"}}}, "can not be left out"),
        ({"fields": {"device": {"purpose": "social"}}}, 'say its "purpose"'),
    ],
)
def test_a_policy_that_can_not_be_understood_says_where(data, told):
    with pytest.raises(UnableToReadConsentPolicy, match=told):
        read_policy(data)


def test_the_standard_policy_reads_back_as_itself():
    assert read_policy(json.loads(json.dumps(STANDARD_POLICY.as_data()))) == STANDARD_POLICY


def test_a_policy_has_versions_and_the_last_one_counts(db, now):
    first = require(db, now)
    last = require(db, now, policy=NO_POLICY)
    assert (first.version or 0) < (last.version or 0)
    assert consent.policy_of(db, "shop") == last
    assert ingestion.accept(db, [viewed()], keyring=KEYS, now=now).accepted == 1
    assert [entry.actor for entry in list_audit(db, action="consent.policy_set")] == ["test", "test"]
