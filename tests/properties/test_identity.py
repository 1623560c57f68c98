"""Identity: what holds for every set of identifiers and every value."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from shouxin.identity import masked
from shouxin.identity.domain import Identifier, match

CUSTOMERS = [f"cus_{letter}" for letter in "abcdefgh"]
AGE = {customer: number for number, customer in enumerate(CUSTOMERS)}
IDENTIFIERS = st.lists(
    st.builds(
        Identifier,
        st.sampled_from(["national_id", "phone", "email"]),
        st.sampled_from(["t1", "t2", "t3"]),
        st.sampled_from(CUSTOMERS),
    ),
    max_size=25,
)


def people(matching):
    kept = {merge.absorbed_id: merge.customer_id for merge in matching.merges}
    groups = defaultdict(set)
    for customer in CUSTOMERS:
        groups[kept.get(customer, customer)].add(customer)
    return groups


@given(IDENTIFIERS, st.randoms(use_true_random=False))
def test_the_order_of_the_input_makes_no_difference(identifiers, random):
    shuffled = identifiers[:]
    random.shuffle(shuffled)
    assert match(identifiers, age=AGE) == match(shuffled, age=AGE)


@given(IDENTIFIERS)
def test_the_eldest_stays_and_every_merge_goes_straight_to_it(identifiers):
    matching = match(identifiers, age=AGE)
    absorbed = [merge.absorbed_id for merge in matching.merges]
    assert len(absorbed) == len(set(absorbed))
    for kept, group in people(matching).items():
        assert kept == min(group)


@given(IDENTIFIERS)
def test_a_shared_national_id_makes_one_person(identifiers):
    groups = people(match(identifiers, age=AGE))
    person = {customer: kept for kept, group in groups.items() for customer in group}
    holders = defaultdict(set)
    for item in identifiers:
        if item.field == "national_id":
            holders[item.token].add(person[item.customer_id])
    assert all(len(kept) == 1 for kept in holders.values())


@given(IDENTIFIERS)
def test_a_phone_or_an_email_never_joins_two_national_ids(identifiers):
    only_by_id = match([item for item in identifiers if item.field == "national_id"], age=AGE)
    by_id = {customer: kept for kept, group in people(only_by_id).items() for customer in group}
    identified = {by_id[item.customer_id] for item in identifiers if item.field == "national_id"}
    for group in people(match(identifiers, age=AGE)).values():
        assert len({by_id[customer] for customer in group} & identified) <= 1


@given(IDENTIFIERS)
def test_everybody_who_shares_an_identifier_is_one_person_or_a_conflict(identifiers):
    matching = match(identifiers, age=AGE)
    groups = people(matching)
    person = {customer: kept for kept, group in groups.items() for customer in group}
    conflicts = {(conflict.field, conflict.token) for conflict in matching.conflicts}
    holders = defaultdict(set)
    for item in identifiers:
        holders[item.field, item.token].add(person[item.customer_id])
    assert all(len(kept) == 1 or key in conflicts for key, kept in holders.items())


@given(IDENTIFIERS)
def test_nobody_is_merged_without_a_shared_identifier(identifiers):
    holders = defaultdict(set)
    for item in identifiers:
        holders[item.field, item.token].add(item.customer_id)
    for merge in match(identifiers, age=AGE).merges:
        assert len(holders[merge.field, merge.token]) > 1


VALUES = st.text(st.characters(exclude_categories=["Cs"])) | st.from_regex(r"\+?[\d -]{5,18}", fullmatch=True)


@given(st.sampled_from(["name", "phone", "email", "national_id", "address"]), VALUES)
def test_a_mask_hides_and_never_fails(field, value):
    shown = masked(field, value)
    assert "*" in shown
    assert value.strip("* ") == "" or shown != value.strip() or "*" in value


@given(st.sampled_from(["phone", "national_id"]), st.from_regex(r"[0-9]{5,20}", fullmatch=True))
def test_a_mask_of_a_number_hides_at_least_four_digits(field, number):
    assert sum(c.isdigit() for c in masked(field, number)) <= len(number) - 4
