"""Identity: customers out of references, on verified evidence only; and what is shown of a person."""

from datetime import timedelta
from random import Random

import pytest
import sqlalchemy
from sqlalchemy import text

from shouxin.governance import Keyring, Operator, Role, append_only_tables, list_audit
from shouxin.identity import (
    RevealRefusal,
    UnableToLink,
    UnifyCount,
    ensure_customer,
    find_customer,
    links,
    list_conflicts,
    masked_names,
    masked_profile,
    references_of,
    reveal,
    unify,
)
from shouxin.identity.domain import SHARED_BY_MAX
from shouxin.ingestion import accept, record
from shouxin.kernel import Event, derived_id

KEYRING = Keyring.from_master(bytes(range(32)))
ANALYST = Operator("op_1", "lin.yue", "Lin Yue", frozenset({Role.RISK_ANALYST}))
AUDITOR = Operator("op_2", "an.ding", "An Ding", frozenset({Role.AUDITOR}))
PERSON = {
    "name": "陈文静",
    "phone": "13800000001",
    "email": "wenjing@jincheng.example",
    "national_id": "33010019900101001X",
    "address": "浙江省杭州市西湖区文三路 1 号",
}


class Shop:
    """Tells the house about customers, one event after another."""

    def __init__(self, db, now):
        self.db, self.now, self.count = db, now, 0

    def tell(self, kind, ref, personal, *, source="shop", **payload):
        self.count += 1
        event = {
            "source": source,
            "source_id": f"e{self.count}",
            "kind": kind,
            "version": 1,
            "customer_ref": ref,
            "occurred_at": (self.now - timedelta(days=1) + timedelta(seconds=self.count)).isoformat(),
            "payload": payload,
            "personal": personal,
        }
        receipt = accept(self.db, [event], keyring=KEYRING, now=self.now)
        assert receipt.accepted == 1, receipt

    def registered(self, ref, *, source="shop", **personal):
        self.tell(
            "customer_registered",
            ref,
            {"name": f"客户{ref}", **personal},
            source=source,
            channel="app",
            region="浙江",
        )

    def verified(self, ref, field, value, *, source="shop"):
        self.tell("customer_verified", ref, {field: value}, source=source, identifier=field)

    def customer(self, ref, *, source="shop"):
        return find_customer(self.db, source=source, customer_ref=ref)


@pytest.fixture
def shop(db, now):
    return Shop(db, now)


def test_every_reference_gets_a_customer_whose_id_follows_from_it(db, now, shop):
    shop.registered("A")
    shop.registered("B")
    shop.registered("A", source="web")
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(references=3, customers=3, merged=0)
    assert shop.customer("A") == derived_id("cus", "shop", "A")
    assert shop.customer("A", source="web") == derived_id("cus", "web", "A")
    assert shop.customer("C") is None
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, 0)
    shop.registered("C")
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(1, 1, 0)


@pytest.mark.parametrize("field", ["phone", "email", "national_id"])
def test_a_shared_identifier_makes_one_customer_only_when_both_verified_it(db, now, shop, field):
    value = PERSON[field]
    for ref in ("A", "B", "C"):
        shop.registered(ref, **{field: value})
    shop.verified("A", field, value)
    assert unify(db, keyring=KEYRING, now=now).merged == 0
    shop.verified("B", field, value.upper() if field == "email" else value)
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, 1)
    assert shop.customer("A") == shop.customer("B") == derived_id("cus", "shop", "A")
    assert shop.customer("C") == derived_id("cus", "shop", "C")


@pytest.mark.parametrize("field", ["name", "address"])
def test_names_and_addresses_prove_nothing(db, now, shop, field):
    for ref in ("A", "B"):
        shop.registered(ref, **{field: PERSON[field]})
    assert unify(db, keyring=KEYRING, now=now).merged == 0


def test_one_phone_of_two_people_merges_nobody_and_is_reported(db, now, shop):
    for ref, number in (("A", "33010019900101001X"), ("B", "330100199202020028")):
        shop.registered(ref)
        shop.verified(ref, "national_id", number)
        shop.verified(ref, "phone", PERSON["phone"])
    shop.registered("C")
    shop.verified("C", "phone", PERSON["phone"])
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(references=3, customers=3, merged=0, conflicts=1)
    (conflict,) = list_conflicts(db)
    assert conflict.field == "phone"
    assert set(conflict.customer_ids) == {shop.customer(ref) for ref in ("A", "B", "C")}
    assert len({shop.customer(ref) for ref in ("A", "B", "C")}) == 3


def test_chains_of_evidence_lead_to_the_eldest_and_old_ids_still_lead_there(db, now, shop):
    for ref in ("A", "B", "C", "D"):
        shop.registered(ref)
    unify(db, keyring=KEYRING, now=now)
    old = {ref: shop.customer(ref) for ref in ("A", "B", "C", "D")}
    for left, right, number in (("C", "D", 3), ("B", "C", 2), ("A", "B", 1)):
        for ref in (left, right):
            shop.verified(ref, "phone", f"1380000000{number}")
        assert unify(db, keyring=KEYRING, now=now).merged == 1
    assert {shop.customer(ref) for ref in old} == {old["A"]}
    expected = [("shop", ref) for ref in "ABCD"] + [("credit", old[r]) for r in sorted(old, key=old.get)]
    for customer_id in old.values():
        assert find_customer(db, source="credit", customer_ref=customer_id) == old["A"]
        assert references_of(db, customer_id) == expected


EVIDENCE = [
    ("A", "phone", "13800000001"),
    ("B", "phone", "13800000001"),
    ("B", "email", "b@jincheng.example"),
    ("C", "email", "b@jincheng.example"),
    ("A", "national_id", "33010019900101001X"),
    ("C", "national_id", "330100199202020028"),
    ("D", "national_id", "330100199202020028"),
    ("D", "phone", "13800000004"),
    ("E", "phone", "13800000004"),
    ("E", "national_id", "330100199303030035"),
    ("F", "phone", "13800000006"),
    ("G", "phone", "13800000006"),
    ("G", "email", "g@jincheng.example"),
    ("H", "email", "g@jincheng.example"),
]


@pytest.mark.parametrize("seed", range(6))
def test_the_same_evidence_gives_the_same_people_in_any_order_and_any_portions(db, now, shop, seed):
    for ref in "ABCDEFGH":
        shop.registered(ref)
    unify(db, keyring=KEYRING, now=now)
    evidence, random = EVIDENCE[:], Random(seed)
    random.shuffle(evidence)
    while evidence:
        portion = [evidence.pop() for _ in range(min(len(evidence), random.randint(1, 5)))]
        for ref, field, value in portion:
            shop.verified(ref, field, value)
        unify(db, keyring=KEYRING, now=now)
    people = {
        frozenset(r for r in "ABCDEFGH" if shop.customer(r) == shop.customer(ref)) for ref in "ABCDEFGH"
    }
    # B's e-mail would make A and C one, who have shown different national ids; so would no phone alone.
    assert people == {frozenset(group) for group in ("AB", "CD", "E", "FGH")}
    assert {shop.customer(ref) for ref in "CD"} == {shop.customer("C")}


def test_who_turns_out_to_be_another_is_parted_again_and_the_audit_tells(db, now, shop):
    for ref in ("A", "B"):
        shop.registered(ref)
        shop.verified(ref, "phone", PERSON["phone"])
    assert unify(db, keyring=KEYRING, now=now).merged == 1
    shop.verified("A", "national_id", "33010019900101001X")
    shop.verified("B", "national_id", "330100199202020028")
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, merged=0, conflicts=1)
    assert shop.customer("A") != shop.customer("B")
    (parted,) = list_audit(db, limit=10, action="customer.parted")
    assert parted.subject == f"customer:{shop.customer('B')}"


def test_a_phone_of_hundreds_of_accounts_tells_nothing_about_who_they_are(db, now, shop):
    refs = [f"X{number:03d}" for number in range(120)]
    for ref in refs[:5]:
        shop.registered(ref)
        shop.verified(ref, "phone", PERSON["phone"])
    assert unify(db, keyring=KEYRING, now=now).merged == 4
    for ref in refs[5:]:
        shop.registered(ref)
        shop.verified(ref, "phone", PERSON["phone"])
    assert unify(db, keyring=KEYRING, now=now).conflicts == 1
    assert len({shop.customer(ref) for ref in refs}) == len(refs)
    shop.verified(refs[7], "email", "seven@jincheng.example")
    shop.verified(refs[90], "email", "seven@jincheng.example")
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, merged=1, conflicts=0)
    assert shop.customer(refs[7]) == shop.customer(refs[90])
    (conflict,) = list_conflicts(db)
    assert len(conflict.customer_ids) <= SHARED_BY_MAX


def test_what_our_own_credit_room_reports_leads_to_the_customer_and_makes_none(db, now, shop):
    shop.registered("A")
    unify(db, keyring=KEYRING, now=now)
    customer_id = shop.customer("A")
    event = Event("credit", "r1", "line_limit_changed", 1, customer_id, now, now, payload={})
    stranger = Event("credit", "r2", "line_limit_changed", 1, "cus_stranger", now, now, payload={})
    from dataclasses import replace

    from shouxin.kernel import Money

    record(db, [replace(item, amount=Money(100, "CNY")) for item in (event, stranger)])
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, 0)
    assert references_of(db, customer_id) == [("shop", "A"), ("credit", customer_id)]
    assert find_customer(db, source="credit", customer_ref="cus_stranger") is None
    with pytest.raises(UnableToLink):
        ensure_customer(db, source="credit", customer_ref="cus_stranger", now=now)
    assert ensure_customer(db, source="credit", customer_ref=customer_id, now=now) == customer_id
    rows = {tuple(row.values()) for row in links(db).to_pylist()}
    assert rows == {("shop", "A", customer_id), ("credit", customer_id, customer_id)}


def test_a_customer_made_at_the_checkout_is_the_one_that_the_batch_finds(db, now, shop):
    made = ensure_customer(db, source="shop", customer_ref="A", now=now)
    assert ensure_customer(db, source="shop", customer_ref="A", now=now) == made
    shop.registered("A")
    assert unify(db, keyring=KEYRING, now=now) == UnifyCount(0, 0, 0)
    assert shop.customer("A") == made


def test_links_of_an_empty_house_have_their_columns(db):
    assert links(db).column_names == ["source", "customer_ref", "customer_id"]
    assert links(db).num_rows == 0
    assert references_of(db, "cus_none") == []


def test_a_profile_is_masked_and_shows_the_last_value(db, now, shop):
    shop.registered("A", **PERSON)
    shop.verified("A", "phone", "13800000001")
    shop.tell("customer_updated", "A", {"email": "chenwenjing@jincheng.example"}, channel="web")
    shop.verified("A", "email", PERSON["email"])  # an address of before is proven again, and becomes the last
    shop.tell("customer_updated", "A", {"email": "chen@jincheng.example"})
    unify(db, keyring=KEYRING, now=now)
    profile = masked_profile(db, KEYRING, shop.customer("A"))
    assert profile.name == "陈*静"
    assert profile.phone == "138****0001"
    assert profile.email == "c***n@jincheng.example"
    assert profile.national_id == "3301**********001X"
    assert profile.address == "浙江省杭州市****"
    assert (profile.region, profile.channel) == ("浙江", "app")
    assert profile.registered_at < now
    assert profile.verified == {"phone"}


def test_a_profile_is_shown_as_it_was_known_on_any_day(db, now):
    def tell(kind, number, days, personal, *, learnt_days=None, **payload):
        at = now - timedelta(days=days)
        item = {
            "source": "shop",
            "source_id": f"as-of-{number}",
            "kind": kind,
            "version": 1,
            "customer_ref": "T",
            "occurred_at": at.isoformat(),
            "payload": payload,
            "personal": personal,
        }
        learnt = at if learnt_days is None else now - timedelta(days=learnt_days)
        receipt = accept(db, [item], keyring=KEYRING, now=learnt)
        assert receipt.accepted == 1, receipt.reasons

    tell("customer_registered", 1, 30, {"name": "陈静", "birth_date": "1990-05-17"}, channel="app")
    tell("customer_updated", 2, 20, {"name": "陈文静"}, learnt_days=10)
    customer = ensure_customer(db, source="shop", customer_ref="T", now=now)

    def name(days):
        return masked_profile(db, KEYRING, customer, as_of=now - timedelta(days=days)).name

    assert [name(31), name(30), name(15), name(10)] == [None, "陈*", "陈*", "陈*静"]
    before = masked_profile(db, KEYRING, customer, as_of=now - timedelta(days=31))
    assert (before.registered_at, before.channel, before.birth_date) == (None, None, None)
    assert masked_profile(db, KEYRING, customer).birth_date == "1990****"


def test_nothing_is_known_of_an_unknown_customer(db):
    profile = masked_profile(db, KEYRING, "cus_none")
    assert (profile.name, profile.registered_at, profile.verified) == (None, None, frozenset())
    assert masked_names(db, KEYRING, ["cus_none"]) == {}
    assert masked_names(db, KEYRING, []) == {}


def test_names_of_a_page_come_masked_and_together(db, now, shop):
    shop.registered("A", name="陈文静")
    shop.registered("B", name="John Smith")
    shop.tell("login_recorded", "C", {"device": "d-1"})
    unify(db, keyring=KEYRING, now=now)
    ids = [shop.customer(ref) for ref in ("A", "B", "C")]
    assert masked_names(db, KEYRING, ids) == {ids[0]: "陈*静", ids[1]: "J*** S***"}


def test_an_operator_with_a_reason_sees_a_value_and_leaves_a_trace(db, now, shop):
    shop.registered("A", **PERSON)
    unify(db, keyring=KEYRING, now=now)
    customer_id = shop.customer("A")
    reason = "call back about order O-9"
    shown = reveal(db, KEYRING, customer_id, "phone", operator=ANALYST, reason=reason, now=now)
    assert shown == PERSON["phone"]
    (entry,) = list_audit(db)
    assert (entry.actor, entry.action, entry.subject) == (
        "op_1",
        "customer.revealed",
        f"customer:{customer_id}",
    )
    assert entry.detail == {"field": "phone", "reason": reason}


@pytest.mark.parametrize(
    ("operator", "field", "reason", "expected", "traces"),
    [
        (AUDITOR, "phone", "a good enough reason", "not_permitted", 1),
        (ANALYST, "shoe_size", "a good enough reason", "unknown_field", 0),
        (ANALYST, "phone", "because", "reason_too_short", 0),
        (ANALYST, "phone", "a   b   c   d   ", "reason_too_short", 0),
        (ANALYST, "national_id", "a good enough reason", "nothing_known", 0),
    ],
)
def test_a_value_stays_sealed(db, now, shop, operator, field, reason, expected, traces):
    shop.registered("A", phone=PERSON["phone"])
    unify(db, keyring=KEYRING, now=now)
    answer = reveal(db, KEYRING, shop.customer("A"), field, operator=operator, reason=reason, now=now)
    assert isinstance(answer, RevealRefusal)
    assert answer.reason == expected
    assert answer.text.zh
    assert len(list_audit(db)) == traces


def test_nothing_personal_is_stored_in_this_room(db, now, shop):
    shop.registered("A", **PERSON)
    for field in ("phone", "email", "national_id"):
        shop.verified("A", field, PERSON[field])
    unify(db, keyring=KEYRING, now=now)
    for table in ("customer", "link", "identifier", "merge", "conflict"):
        stored = str(db.scalar(text(f"SELECT json_agg(t)::text FROM identity.{table} t")))
        assert not [value for value in PERSON.values() if value in stored]


def test_links_and_evidence_are_append_only(db):
    tables = append_only_tables(db)
    assert {"identity.link", "identity.erasure", "identity.merge", "identity.conflict"} <= tables
    with pytest.raises(sqlalchemy.exc.ProgrammingError, match="permission denied"):
        db.execute(text("UPDATE identity.link SET customer_id = ''"))
