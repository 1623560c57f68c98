"""Linking online: levels of agreement on codes, the rules about money, new records against those kept."""

import json
from datetime import timedelta
from random import Random

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from shouxin.entrypoints.cli import app
from shouxin.entrypoints.house import opened_house
from shouxin.governance import Keyring
from shouxin.identity import (
    RulingRefusal,
    default_weights,
    find_customer,
    forget_matching,
    list_rulings,
    look_alikes,
    match_merges,
    merge_customers,
    part_customers,
    possible_matches,
    split_customer,
    train_linkage,
    unify,
    weights_in_use,
)
from shouxin.identity.domain import DIFFERS, LEVELS, LinkageWeights, encode, weigh
from shouxin.identity.domain.weighing import agreement
from shouxin.identity.linkage import UnableToTrainLinkage, learn_weights
from shouxin.identity.online import KEY_SHARED_MAX
from shouxin.ingestion import accept
from shouxin.kernel import derived_id

KEYRING = Keyring.from_master(bytes(range(32)))
OTHER_KEYS = Keyring.from_master(bytes(range(1, 33)))
WEIGHTS = default_weights()
REASON = "spoke with both of them"
PERSON = {
    "name": "陈文静",
    "phone": "13800000001",
    "email": "wenjing@jincheng.example",
    "birth_date": "1990-03-05",
    "address": "浙江省杭州市西湖区文三路1号2号楼3单元501室",
}


def encoded(personal, keyring=KEYRING):
    return encode({field: (value,) for field, value in personal.items()}, token=keyring.token)


# field       | one                       | other                      | level
AGREEMENTS = [
    ("name", "陈文静", "陈 文静", "same"),
    ("name", "Anna Garcia", "GARCIA, Anna", "same"),
    ("name", "AnnaGarcia", "Garcia Anna", "sounds the same"),
    ("name", "陈文静", "陈雯静", "sounds the same"),
    ("name", "陈文静", "陈文停", "one character differs"),
    ("name", "Michael Garcia", "Mike Garcia", "one character differs"),
    ("name", "陈文静", "文静", "one part the same"),
    ("name", "陈文静", "王小明", DIFFERS),
    ("name", "Anna Garcia", "Peter Garcia", DIFFERS),
    ("phone", "138-0000-0001", "+86 138 0000 0001", "same"),
    ("phone", "13800000012", "13800000021", "digits swapped"),
    ("phone", "13800000012", "13800000019", "one digit differs"),
    ("phone", "13800000012", "13900004455", DIFFERS),
    ("email", "A.B@shop.example", "a.b@shop.example", "same"),
    ("email", "a.b@shop.example", "a.b@post.example", "same user"),
    ("birth_date", "1990-03-05", "1990年3月5日", "same"),
    ("birth_date", "1990-03-05", "1990-03-15", "two parts the same"),
    ("birth_date", "1990-03-05", "1990-11-15", "same year"),
    ("national_id", "33010019900101001X", "33010019900101001x", "same"),
    ("address", "浙江省杭州市西湖区文三路1号2号楼3单元501室", "杭州市西湖区文三路１号 2-3-501", "same"),
    ("address", "杭州市西湖区文三路1号2-3-501", "杭州市拱墅区文三路1号2-3-501", "same door"),
    ("address", "杭州市西湖区文三路1号2-3-501", "杭州市西湖区文三路1号7-1-203", "same number"),
    ("address", "杭州市西湖区文三路1号", "杭州市西湖区学院路20号", "same district"),
]


@pytest.mark.parametrize(("field", "one", "other", "level"), AGREEMENTS)
def test_how_far_two_values_agree_is_told_from_codes_alone(field, one, other, level):
    assert agreement(encoded({field: one}), encoded({field: other}))[field] == level
    assert agreement(encoded({field: other}), encoded({field: one}))[field] == level


def test_every_level_is_drawn_in_the_table():
    assert {(f, level) for f, _, _, level in AGREEMENTS if level != DIFFERS} == {
        (field, level) for field, levels in LEVELS.items() for level in levels
    }


def test_under_another_key_nothing_agrees():
    mine, theirs = encoded(PERSON), encoded(PERSON, OTHER_KEYS)
    assert not mine.codes & theirs.codes and not mine.keys & theirs.keys


def test_a_value_without_a_normal_form_says_nothing():
    assert encoded({"name": "12", "phone": "?", "email": "nobody", "birth_date": "03/04/1990"}).fields == 0


# what differs                                                     | may they be merged, or looked at
RULES = [
    ({}, True, True),
    ({"phone": "13900000077"}, True, True),
    ({"name": "陈文停"}, False, True),  # twins, or a slip of the pen
    ({"name": "陈文停", "email": "wenting@jincheng.example"}, False, True),
    ({"name": "陈大强", "email": "daqiang@jincheng.example"}, False, False),  # a home shares all else
    ({"name": "陈雯静"}, True, True),
]


@pytest.mark.parametrize(("changes", "merged", "looked_at"), RULES)
def test_who_shares_a_home_is_not_made_one(changes, merged, looked_at):
    one = {k: v for k, v in PERSON.items() if k != "email" or "email" in changes}
    two = one | changes
    if merged:
        one, two = PERSON, PERSON | changes
    weight = weigh(encoded(one), encoded(two), weights=WEIGHTS).micro_bits
    assert (weight is not None and weight >= WEIGHTS.merge_from) is merged
    assert (weight is not None and weight >= WEIGHTS.review_from) is looked_at


def test_two_national_ids_are_never_merged_by_weight_whatever_else_agrees():
    one = PERSON | {"national_id": "33010019900101001X"}
    two = PERSON | {"national_id": "33010019920202002X"}
    assert weigh(encoded(one), encoded(two), weights=WEIGHTS).micro_bits < WEIGHTS.merge_from


def test_a_model_is_the_same_after_a_journey_through_json():
    again = LinkageWeights.from_data(json.loads(json.dumps(WEIGHTS.as_data())))
    assert again == WEIGHTS and again.hash == WEIGHTS.hash
    assert all(isinstance(bits, int) for levels in WEIGHTS.fields.values() for bits in levels)
    assert all(levels[0] == max(levels) > 0 > levels[-1] for levels in WEIGHTS.fields.values())


class Shop:
    def __init__(self, db, now):
        self.db, self.now, self.count = db, now, 0

    def tell(self, ref, kind="customer_registered", **personal):
        self.count += 1
        said = {"identifier": next(iter(personal))} if kind == "customer_verified" else {"channel": "app"}
        event = {
            "source": "shop", "source_id": f"e{self.count}", "kind": kind, "version": 1, "customer_ref": ref,
            "occurred_at": (self.now + timedelta(seconds=self.count)).isoformat(),
            "payload": said, "personal": personal,
        }  # fmt: skip
        assert accept(self.db, [event], keyring=KEYRING, now=self.now + timedelta(hours=1)).accepted == 1

    def unify(self):
        return unify(self.db, keyring=KEYRING, now=self.now + timedelta(hours=2))

    def customer(self, ref):
        return find_customer(self.db, source="shop", customer_ref=ref)

    def people(self, refs):
        return {frozenset(r for r in refs if self.customer(r) == self.customer(ref)) for ref in refs}


@pytest.fixture
def shop(db, now):
    return Shop(db, now)


def test_records_that_agree_enough_become_one_customer_and_the_weights_are_kept(db, shop):
    shop.tell("A", **PERSON)
    shop.tell("B", name="陈文静", phone="+86 138 0000 0001", email="WENJING@jincheng.example")
    shop.tell("C", name="陈文静", phone="13900000003")
    assert shop.unify().merged == 1
    assert shop.people("ABC") == {frozenset("AB"), frozenset("C")}
    absorbed = db.scalar(text("SELECT customer_id FROM identity.customer WHERE merged_into IS NOT NULL"))
    (why,) = match_merges(db, [absorbed])
    assert why.model_hash == WEIGHTS.hash
    assert sum(item["micro_bits"] for item in why.evidence) == why.micro_bits >= WEIGHTS.merge_from
    assert {item["field"] for item in why.evidence} == {"prior", "name", "phone", "email"}


def test_a_later_fact_of_a_record_brings_it_to_its_person(shop):
    shop.tell("A", **PERSON)
    shop.tell("B", name="陈文静", phone="13900000003")
    assert shop.unify().merged == 0
    shop.tell("B", kind="customer_updated", email=PERSON["email"], birth_date=PERSON["birth_date"])
    assert shop.unify().merged == 1


def test_who_could_be_either_of_two_people_is_merged_with_neither(db, shop):
    for ref, number in (("A", "33010019900101001X"), ("B", "33010019920202002X")):
        shop.tell(ref, name="陈文静", phone="13800000001", national_id=number)
        shop.tell(ref, kind="customer_verified", national_id=number)
    shop.tell("C", name="陈文静", phone="13800000001")
    shop.unify()
    assert len(shop.people("ABC")) == 3
    assert possible_matches(db, limit=9)[1] == 2, "C is shown beside both"


FACTS = [
    ("A", PERSON),
    ("B", {"name": "陈文静", "phone": "13800000001"}),
    ("C", {"name": "陈雯静", "email": PERSON["email"], "phone": "13900000002"}),
    ("D", {"name": "陈文静", "phone": "13900000002", "birth_date": "1990-03-05"}),
    ("E", {"name": "王小明", "phone": "13800000001", "address": PERSON["address"]}),
    ("F", {"name": "王小明", "phone": "13700000009", "address": PERSON["address"]}),
    ("G", {"name": "王晓明", "phone": "13700000009"}),
    ("H", {"name": "陈文停", "phone": "13800000001", "birth_date": "1990-03-05"}),
]


def told_in_order(db, now, order, portions):
    shop = Shop(db, now)
    for place, (ref, personal) in enumerate(order):
        shop.tell(ref, **personal)
        if place in portions:
            shop.unify()
    shop.unify()
    waiting = {frozenset((p.one_id, p.other_id)) for p in possible_matches(db, limit=50)[0]}
    return shop.people("ABCDEFGH"), len(waiting)


@pytest.mark.parametrize("seed", range(5))
def test_the_same_records_give_the_same_people_in_any_order_and_any_portions(db, now, seed):
    with db.begin_nested() as undone:
        expected = told_in_order(db, now, FACTS, set())
        undone.rollback()
    random = Random(seed)
    order = random.sample(FACTS, len(FACTS))
    assert told_in_order(db, now, order, set(random.sample(range(8), 4))) == expected
    assert len(expected[0]) > 2


def test_a_key_that_many_share_says_nothing_whenever_that_became_so(db, now, shop):
    """A warehouse's door: while few give it as their address it tells something, later nothing."""
    door = {"address": PERSON["address"]}
    shop.tell("first", name="陈文静", **door)
    shop.tell("second", name="陈雯静", **door)
    shop.unify()
    pairs = text("SELECT count(*) FROM identity.match_pair")
    keys = text("SELECT count(*) FROM identity.match_key")
    assert db.scalar(pairs) == 1
    for number in range(KEY_SHARED_MAX):
        shop.tell(f"R{number}", name=f"{'赵钱孙李周吴'[number % 6]}{chr(0x5000 + number)}", **door)
    shop.unify()
    assert db.scalar(keys) > KEY_SHARED_MAX
    # They sound alike at one place, a key of their own; what only the door held together is gone.
    kept = db.execute(text("SELECT one_no, other_no FROM identity.match_pair")).all()
    assert len(kept) == 1


def test_no_clear_text_is_in_what_records_are_compared_by(db, shop):
    shop.tell("A", **PERSON)
    shop.tell("B", **PERSON)
    shop.unify()
    tables = ("match_record", "match_key", "match_pair", "match_merge", "possible_match", "membership")
    for table in tables:
        rows = db.scalar(text(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM identity.{table} t"))
        for value in (*PERSON.values(), "wenjing", "13800000001", "1990"):
            assert value not in rows or (value == "1990" and table in {"match_record", "match_key"}), table


def test_who_is_forgotten_leaves_nothing_to_be_compared_by(db, shop):
    shop.tell("A", **PERSON)
    shop.tell("B", name="陈文静", phone=PERSON["phone"], email="other@post.example")
    shop.unify()
    assert forget_matching(db, [("shop", "A"), ("shop", "none")]) == 1
    left = {
        table: db.scalar(text(f"SELECT count(*) FROM identity.{table}"))
        for table in ("match_record", "match_pair", "possible_match")
    }
    assert left == {"match_record": 1, "match_pair": 0, "possible_match": 0}
    (found,) = look_alikes(db, PERSON, keyring=KEYRING, weights=WEIGHTS)
    assert found.customer_id == derived_id("cus", "shop", "B")


def test_a_new_record_is_compared_without_being_kept(db, shop):
    shop.tell("A", **PERSON)
    shop.unify()
    unknown = look_alikes(db, {"name": "王小明", "phone": "13900000008"}, keyring=KEYRING, weights=WEIGHTS)
    (found,) = look_alikes(db, PERSON, keyring=KEYRING, weights=WEIGHTS)
    assert unknown == [] and found.is_one and found.customer_id == shop.customer("A")
    assert db.scalar(text("SELECT count(*) FROM identity.match_record")) == 1


def merged_pair(shop):
    shop.tell("A", **PERSON)
    shop.tell("B", **PERSON)
    assert shop.unify().merged == 1
    return shop.customer("A")


def test_rulings_are_refused_by_precedence(db, now, shop):
    one = merged_pair(shop)
    told = {"reason": REASON, "by": "op_1", "now": now}
    short = merge_customers(db, one, other_id="cus_none", **{**told, "reason": "no"})
    assert isinstance(short, RulingRefusal) and short.reason == "reason_too_short"
    assert merge_customers(db, one, other_id="cus_none", **told).reason == "unknown_customer"
    assert merge_customers(db, one, other_id=one, **told).reason == "one_already"
    assert part_customers(db, one, other_id=one, **told).reason == "one_already"
    everybody = [("shop", "A"), ("shop", "B")]
    assert split_customer(db, one, references=everybody, **told).reason == "nothing_left"
    assert split_customer(db, one, references=[("shop", "Z")], **told).reason == "unknown_customer"
    split_customer(db, one, references=[("shop", "B")], **told)
    again = merge_customers(db, one, other_id=shop.customer("B"), **told)
    assert again.reason == "ruled_different" and again.text.zh
    assert len(list_rulings(db, limit=9)) == 1


def test_different_verified_national_ids_are_not_ruled_one(db, now, shop):
    for ref, number in (("A", "33010019900101001X"), ("B", "33010019920202002X")):
        shop.tell(ref, name="陈文静")
        shop.tell(ref, kind="customer_verified", national_id=number)
    shop.unify()
    refused = merge_customers(
        db, shop.customer("A"), other_id=shop.customer("B"), reason=REASON, by="op_1", now=now
    )
    assert refused.reason == "two_national_ids"


def test_a_split_holds_although_the_records_agree_in_all(db, now, shop):
    one = merged_pair(shop)
    split_customer(db, one, references=[("shop", "B")], reason=REASON, by="op_1", now=now)
    shop.tell("B", kind="customer_updated", address="北京市海淀区中关村大街27号")
    shop.tell("A", kind="customer_updated", address="北京市海淀区中关村大街27号")
    assert shop.unify().merged == 0
    assert shop.people("AB") == {frozenset("A"), frozenset("B")}
    assert possible_matches(db, limit=9) == ([], 0)


def test_weights_are_learnt_here_from_codes_alone_and_put_in_use(db, now, shop):
    with pytest.raises(UnableToTrainLinkage, match="500"):
        train_linkage(db, by="op_1", now=now)
    assert weights_in_use(db) == WEIGHTS
    with pytest.raises(UnableToTrainLinkage):
        learn_weights([encoded(PERSON)])


def test_from_simulated_registrations_people_are_found_in_a_fresh_house(own_home, tmp_path):
    """The whole way by commands: simulate, ingest, unify, measure, split, undo, history."""
    place = ["--home", str(own_home.path), "--json"]

    def said(*words):
        done = CliRunner().invoke(app, [*words, *place])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    made = ["simulate-registrations", "--people", "700", "--seed", "5", "--out", str(tmp_path), "--json"]
    assert CliRunner().invoke(app, made).exit_code == 0
    said("ingest", "events", str(tmp_path / "registrations.parquet"))
    told = said("unify", "--truth", str(tmp_path / "truth/registrations.parquet"))
    assert (
        told["measured"] == 1260 and told["pairwise"]["f1"] >= 0.96 and told["pairwise"]["precision"] > 0.99
    )
    learnt = said("linkage", "train")
    assert learnt["records"] == 1260 and said("linkage", "show")["hash"] == learnt["hash"]
    again = said("unify", "--truth", str(tmp_path / "truth/registrations.parquet"))
    assert again["references"] == 0 and again["pairwise"]["f1"] >= 0.96
    customer, leaving = merged_references(own_home)[0]
    reference = ":".join(leaving)
    because = ["--reason", "a wrong merge, says the customer"]
    parted = said("customer", "split", customer, "--reference", reference, *because)
    assert len(parted["references"]) == 2
    assert [one["ruling_no"] for one in said("customer", "rulings")["rulings"]] == [parted["ruling_no"]]
    led = said("customer", "history", reference, "--as-of", "2100-01-01")["customer_id"]
    assert led != customer
    together = CliRunner().invoke(app, ["customer", "merge", customer, led, *because, *place])
    assert together.exit_code == 1 and "undo that ruling first" in together.stderr
    undone = said("customer", "undo", str(parted["ruling_no"]), *because)
    assert undone["undone_by"] and len(undone["references"]) == 1
    changes = said("customer", "history", customer)["changes"]
    assert [c["merged_into"] for c in changes if c["customer_id"] == led] == [customer, None, customer]


def merged_references(home):
    """(customer, the one reference that is merged into it)."""
    with opened_house(home.path) as house, house.database.begin() as db:
        rows = db.execute(
            text(
                "SELECT c.merged_into, l.source, l.customer_ref FROM identity.link l"
                " JOIN identity.customer c USING (customer_id) WHERE merged_into IN (SELECT merged_into"
                " FROM identity.customer WHERE merged_into IS NOT NULL GROUP BY 1 HAVING count(*) = 1)"
            )
        ).all()
    return [(row.merged_into, (row.source, row.customer_ref)) for row in rows]
