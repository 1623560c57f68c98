"""Identity: what holds for every set of identifiers and every value."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from shouxin.identity import masked
from shouxin.identity.domain import (
    NO_RULINGS,
    Encoded,
    Identifier,
    Likeness,
    LinkageWeights,
    Standing,
    match,
    ordered,
)

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
PAIRS = st.tuples(st.sampled_from(CUSTOMERS), st.sampled_from(CUSTOMERS)).filter(lambda p: p[0] < p[1])
# Weights of pairs in bits; those that are not drawn are strangers' (no level of theirs agrees).
LIKELY = st.dictionaries(PAIRS, st.integers(0, 20).map(lambda bits: bits * 1_000_000), max_size=10)
APART = st.frozensets(PAIRS, max_size=4)
_NOTHING = Encoded(0, frozenset())
_MODEL = LinkageWeights({"name": (1, 1, 1, 1, 0)}, prior=-9_000_000, merge_from=5_000_000, review_from=0)


def likeness(pairs):
    return Likeness(_MODEL, dict.fromkeys(CUSTOMERS, _NOTHING), pairs)


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


@given(IDENTIFIERS, LIKELY, APART, st.randoms(use_true_random=False))
def test_with_weights_and_rulings_too_the_order_makes_no_difference(identifiers, pairs, apart, random):
    shuffled, turned = identifiers[:], list(pairs.items())
    random.shuffle(shuffled)
    random.shuffle(turned)
    ruled = Standing({}, apart)
    once = match(identifiers, age=AGE, rulings=ruled, likeness=likeness(pairs))
    again = match(shuffled, age=AGE, rulings=ruled, likeness=likeness(dict(turned)))
    assert once == again


@given(IDENTIFIERS, LIKELY, st.permutations(range(len(CUSTOMERS))))
def test_who_is_one_does_not_depend_on_who_came_first(identifiers, pairs, numbers):
    other_age = dict(zip(CUSTOMERS, numbers, strict=True))
    once, again = (match(identifiers, age=age, likeness=likeness(pairs)) for age in (AGE, other_age))
    assert {frozenset(g) for g in people(once).values()} == {frozenset(g) for g in people(again).values()}


@given(IDENTIFIERS, LIKELY, APART)
def test_nobody_is_one_with_whom_they_were_ruled_not_to_be(identifiers, pairs, apart):
    groups = people(match(identifiers, age=AGE, rulings=Standing({}, apart), likeness=likeness(pairs)))
    assert not [pair for pair in apart for group in groups.values() if set(pair) <= group]


@given(IDENTIFIERS, LIKELY)
def test_weights_only_join_what_identifiers_left_and_never_two_national_ids(identifiers, pairs):
    proven = people(match(identifiers, age=AGE))
    found = people(match(identifiers, age=AGE, likeness=likeness(pairs)))
    person = {customer: kept for kept, group in found.items() for customer in group}
    assert all(len({person[one] for one in group}) == 1 for group in proven.values())
    by_id = people(match([item for item in identifiers if item.field == "national_id"], age=AGE))
    identified = [group for group in by_id.values() if group & {
        item.customer_id for item in identifiers if item.field == "national_id"}]  # fmt: skip
    assert all(sum(bool(group & one) for one in identified) <= 1 for group in found.values())


@given(PAIRS, IDENTIFIERS)
def test_a_ruling_makes_two_one_unless_their_national_ids_differ(pair, identifiers):
    ruled = match(identifiers, age=AGE, rulings=Standing({ordered(*pair): 7}, frozenset()))
    person = {customer: kept for kept, group in people(ruled).items() for customer in group}
    conflicts = {conflict.field for conflict in ruled.conflicts}
    assert person[pair[0]] == person[pair[1]] or "ruling" in conflicts
    assert match(identifiers, age=AGE, rulings=NO_RULINGS) == match(identifiers, age=AGE)
