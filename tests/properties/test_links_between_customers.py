"""Links between customers against a slow and obvious second way of computing the same."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shouxin.features.graph.domain import (
    KINDS,
    MILLION,
    NAMES,
    STEPS_MAX,
    Links,
    badness,
    distances,
    feature_values,
    neighbours,
    suspected_rings,
    without_hubs,
)

DAY = 86_400_000_000
AT = 400 * DAY


@st.composite
def some_links(draw: st.DrawFn) -> Links:
    customers, tokens = draw(st.integers(1, 14)), draw(st.integers(1, 8))
    pairs = draw(st.sets(st.tuples(st.integers(0, customers - 1), st.integers(0, tokens - 1)), max_size=40))
    pairs = draw(st.permutations(sorted(pairs)))
    return Links(
        customers,
        tokens,
        np.array([pair[0] for pair in pairs], dtype=np.int64),
        np.array([pair[1] for pair in pairs], dtype=np.int64),
        np.array(draw(st.lists(st.integers(0, len(KINDS) - 1), min_size=tokens, max_size=tokens))),
        np.array([draw(st.integers(300, 400)) * DAY for _ in pairs], dtype=np.int64),
        np.array([draw(st.integers(0, 40)) * DAY for _ in range(customers)], dtype=np.int64),
        np.array(draw(st.lists(st.booleans(), min_size=customers, max_size=customers))),
    )


def users(links: Links) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for customer, token in zip(links.customer.tolist(), links.token.tolist(), strict=True):
        found[token].add(customer)
    return found


def met(links: Links) -> dict[int, dict[int, set[int]]]:
    """Of each customer the others she shares something with, and by which kinds."""
    found: dict[int, dict[int, set[int]]] = {c: defaultdict(set) for c in range(links.customers)}
    for token, together in users(links).items():
        for one in together:
            for other in together - {one}:
                found[one][other].add(int(links.token_kind[token]))
    return found


def slow_distance(links: Links, start: int) -> int:
    near, seen = {start}, {start}
    shared = met(links)
    for step in range(1, STEPS_MAX + 1):
        near = {other for one in near for other in shared[one]} - seen
        seen |= near
        if any(links.bad[other] for other in near):
            return step
    return 0


@settings(max_examples=150)
@given(some_links())
def test_neighbours_are_those_who_share_a_token(links):
    found, shared = neighbours(links), met(links)
    for customer in range(links.customers):
        kinds = [len(kinds) for kinds in shared[customer].values()]
        assert found.counted()[customer] == len(kinds)
        assert found.counted(at_least=2)[customer] == sum(count >= 2 for count in kinds)
        assert found.most_kinds()[customer] == max(kinds, default=0)
        assert found.marked(links.bad)[customer] == sum(bool(links.bad[n]) for n in shared[customer])
        for number, kind in enumerate(KINDS):
            assert found.of_kind[kind][customer] == sum(
                number in kinds for kinds in shared[customer].values()
            )


@settings(max_examples=150)
@given(some_links())
def test_the_distance_is_that_of_a_search_step_by_step(links):
    assert distances(links).tolist() == [slow_distance(links, start) for start in range(links.customers)]


@settings(max_examples=150)
@given(some_links())
def test_badness_is_what_two_steps_bring(links):
    links = without_hubs(links)
    groups = {token: together for token, together in users(links).items() if len(together) > 1}
    tokens_of = {c: sum(c in together for together in groups.values()) for c in range(links.customers)}
    received = np.zeros((links.customers, links.customers))
    for together in groups.values():
        for one in together:
            for other in together - {one}:
                received[one, other] += 1 / (len(together) - 1) / tokens_of[other]
    twice = received @ received
    np.fill_diagonal(twice, 0)
    expected = (received + twice / 2) @ links.bad
    assert np.allclose(badness(links) / MILLION, expected, atol=1e-4)


@settings(max_examples=100)
@given(some_links(), st.randoms(use_true_random=False))
def test_the_order_of_links_changes_nothing(links, random):
    order = list(range(len(links.customer)))
    random.shuffle(order)
    other = replace(
        links, customer=links.customer[order], token=links.token[order], known_us=links.known_us[order]
    )
    for name, values in feature_values(links, at_us=AT).items():
        assert np.array_equal(values, feature_values(other, at_us=AT)[name], equal_nan=True), name
    assert suspected_rings(links) == suspected_rings(other)


@settings(max_examples=100)
@given(some_links(), st.integers(0, 13))
def test_nobody_is_worse_for_her_own_past(links, chosen):
    customer = chosen % links.customers
    bad = links.bad.copy()
    bad[customer] = ~bad[customer]
    before, after = feature_values(links, at_us=AT), feature_values(replace(links, bad=bad), at_us=AT)
    for name in NAMES:
        assert np.array_equal(before[name][customer], after[name][customer], equal_nan=True), name


@settings(max_examples=60)
@given(some_links())
def test_a_crowd_joins_nobody(links):
    """A locker that everybody uses leaves all but the width of the widest token as it was."""
    locker = replace(
        links,
        tokens=links.tokens + 1,
        customer=np.append(links.customer, np.arange(links.customers)),
        token=np.append(links.token, np.full(links.customers, links.tokens)),
        token_kind=np.append(links.token_kind, 2),
        known_us=np.append(links.known_us, np.full(links.customers, 300 * DAY)),
    )
    kept = without_hubs(locker, hub_customers=links.customers - 1)
    assert set(kept.token.tolist()) <= set(links.token.tolist())
    assert (without_hubs(links, hub_customers=links.customers - 1).token == kept.token).all()


def test_a_ring_is_found_and_a_couple_is_not():
    """Five share a device and a card; two share an address and a card."""
    pairs = [(c, 0) for c in range(5)] + [(c, 1) for c in range(5)] + [(5, 2), (6, 2), (5, 3), (6, 3)]
    links = Links(
        7, 4, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]), np.array([0, 1, 2, 1]),
        np.full(len(pairs), DAY), np.arange(7) * DAY, np.array([True, True, *[False] * 5]),
    )  # fmt: skip
    (ring,) = suspected_rings(links)
    assert ring.members == (0, 1, 2, 3, 4)
    assert ring.tokens == {"device": 1, "card": 1, "address": 0, "contact": 0}
    assert (ring.bad, ring.together) == (2, 5)


def test_growth_counts_who_came_within_thirty_days():
    """Three used a device for long, one joined them ten days ago."""
    known = np.array([100, 120, 200, 390]) * DAY
    links = Links(
        4, 1, np.arange(4), np.zeros(4, dtype=np.int64), np.array([0]), known, known, np.zeros(4, dtype=bool)
    )
    values = feature_values(links, at_us=AT)
    assert values["component_growth_30d"].tolist() == [1, 1, 1, 3]
    assert values["component_customers"].tolist() == [4, 4, 4, 4]


def test_a_family_that_shares_everything_is_no_ring():
    """Five share a device, a card and an address; they came years apart, and one of them fell."""
    pairs = [(customer, token) for customer in range(5) for token in range(3)]
    links = Links(
        5, 3, np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs]), np.array([0, 1, 2]),
        np.full(len(pairs), DAY), np.arange(5) * 300 * DAY, np.array([True, *[False] * 4]),
    )  # fmt: skip
    assert suspected_rings(links) == ()
    (ring,) = suspected_rings(replace(links, bad=np.array([True, True, False, False, False])))
    assert ring.bad == 2
