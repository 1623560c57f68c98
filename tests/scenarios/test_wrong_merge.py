"""A wrong merge found later: strangers share a recycled number, both have a line; one command parts them."""

from datetime import timedelta

import pytest

from rooms.test_credit import held, yuan
from shouxin import credit, identity, ingestion
from shouxin.governance import Keyring, list_audit, verify_audit
from shouxin.identity import Ruling, RulingRefusal

KEYS = Keyring.from_master(bytes(range(32)))
REASON = "the number was given to another subscriber"
WANG = {
    "name": "王文静",
    "phone": "13800000001",
    "birth_date": "1990-03-05",
    "email": "wang@jincheng.example",
}
LIU = {"name": "刘伟强", "phone": "13800000001", "birth_date": "1971-11-30", "email": "liu@jincheng.example"}


def tell(db, ref, kind, personal, at, **payload):
    event = {
        "source": "shop", "source_id": f"{ref}-{kind}-{at.timestamp()}", "kind": kind, "version": 1,
        "customer_ref": ref, "occurred_at": at.isoformat(), "payload": payload, "personal": personal,
    }  # fmt: skip
    assert ingestion.accept(db, [event], keyring=KEYS, now=at).accepted == 1


@pytest.fixture
def street(db, now):
    """Wang and Liu, each with a line; his is frozen and owes; a verified number makes them one."""
    for ref, person in (("wang", WANG), ("liu", LIU)):
        tell(db, ref, "customer_registered", person, now, channel="app")
    identity.unify(db, keyring=KEYS, now=now)
    wang, liu = (identity.find_customer(db, source="shop", customer_ref=ref) for ref in ("wang", "liu"))
    lines = {
        one: credit.open_line(db, one, limit=yuan("2000.00"), reason="grade B", now=now)
        for one in (wang, liu)
    }
    held(db, lines[wang], "300.00", now, name="W1")
    held(db, lines[liu], "700.00", now, name="L1")
    credit.freeze(db, lines[liu], reason="stolen card", by="op_1", now=now)
    later = now + timedelta(days=1)
    for ref in ("wang", "liu"):
        tell(db, ref, "customer_verified", {"phone": WANG["phone"]}, later, identifier="phone")
    assert identity.unify(db, keyring=KEYS, now=later).merged == 1
    return wang, liu


def who(db, ref):
    return identity.find_customer(db, source="shop", customer_ref=ref)


def split(db, now, customer):
    return identity.split_customer(
        db, customer, references=[("shop", "liu")], reason=REASON, by="op_7", now=now + timedelta(days=9)
    )


def test_while_they_are_one_everything_counts_together(db, now, street):
    wang, _ = street
    assert who(db, "wang") == who(db, "liu") == wang
    line = credit.line_of(db, wang)
    assert (line.held, line.frozen) == (yuan("1000.00"), True)


def test_one_split_gives_each_their_file_and_their_exposure_back(db, now, street):
    wang, liu = street
    assert isinstance(split(db, now, wang), Ruling)
    assert (who(db, "wang"), who(db, "liu")) == (wang, liu)
    assert identity.references_of(db, wang) == [("shop", "wang"), ("credit", wang)]
    assert identity.references_of(db, liu) == [("shop", "liu"), ("credit", liu)]
    assert identity.masked_profile(db, KEYS, wang).name == "王*静"
    assert identity.masked_profile(db, KEYS, liu).name == "刘*强"
    assert (credit.line_of(db, wang).held, credit.line_of(db, wang).frozen) == (yuan("300.00"), False)
    assert (credit.line_of(db, liu).held, credit.line_of(db, liu).frozen) == (yuan("700.00"), True)


def test_the_split_is_kept_with_its_reason_and_the_audit_holds(db, now, street):
    wang, liu = street
    ruling = split(db, now, wang)
    (kept,) = identity.list_rulings(db, limit=5)
    assert kept == ruling and kept.reason == REASON and kept.ruled_by == "op_7"
    (entry,) = list_audit(db, action="customer.ruled_different")
    assert (entry.actor, entry.detail["customers"], entry.detail["others"]) == ("op_7", [liu], [wang])
    (parted,) = list_audit(db, action="customer.parted")
    assert parted.subject == f"customer:{liu}"
    assert verify_audit(db).intact


def test_who_was_whom_is_known_of_every_day(db, now, street):
    wang, liu = street
    split(db, now, wang)
    led_to = [
        identity.customer_as_of(db, source="shop", customer_ref="liu", as_of=now + timedelta(days=days))
        for days in (0, 1, 8, 9, 30)
    ]
    assert led_to == [liu, wang, wang, liu, liu]
    for one in (wang, liu):  # his history is hers until the split, and says how it ended
        changes = [(who, led, (since - now).days) for who, led, since in identity.memberships(db, one)]
        assert changes == [(liu, wang, 1), (liu, None, 9)]


def test_new_facts_of_the_old_kind_do_not_merge_them_again(db, now, street):
    wang, liu = street
    split(db, now, wang)
    much_later = now + timedelta(days=20)
    for ref in ("wang", "liu"):
        tell(
            db, ref, "customer_verified", {"email": "shared@jincheng.example"}, much_later, identifier="email"
        )
    assert identity.unify(db, keyring=KEYS, now=much_later).merged == 0
    assert (who(db, "wang"), who(db, "liu")) == (wang, liu)


def test_a_split_that_was_itself_wrong_is_undone_and_stays_on_record(db, now, street):
    wang, _ = street
    ruling = split(db, now, wang)
    undone = identity.undo_ruling(
        db, ruling.ruling_no, reason=REASON, by="op_8", now=now + timedelta(days=10)
    )
    assert isinstance(undone, Ruling) and undone.undone_by
    assert who(db, "liu") == wang
    assert credit.line_of(db, wang).held == yuan("1000.00")
    again = identity.undo_ruling(db, ruling.ruling_no, reason=REASON, by="op_8", now=now)
    assert isinstance(again, RulingRefusal) and again.reason == "undone_already"
    assert verify_audit(db).intact
