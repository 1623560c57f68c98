"""Ring customers are found by the features of links, among families, and not before they are there."""

from __future__ import annotations

import pytest

from shouxin.database import Home
from shouxin.entrypoints.bench import Ground, Sizes, run_bench


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """A shop of 9,000 customers, of whom three in ten got a family: the figures of the bench, by name."""
    sizes = Sizes(customers=9_000, rows=2_000, repeats=1)
    home = Home(tmp_path_factory.mktemp("home"))
    with Ground.made(sizes, home=home, say=lambda _text: None) as ground:
        return {line.name: line for line in run_bench("rings", ground).lines}


def test_members_who_came_later_are_told_by_what_was_learnt_before(lines):
    assert lines["AUC of ring members"].ours > 0.95


def test_whom_links_make_most_suspect_are_members(lines):
    assert lines["members among the first"].ours >= 0.75


def test_the_list_of_suspected_rings_holds_most_members_and_few_others(lines):
    assert lines["members who are listed"].ours > 0.75
    assert lines["listed who are members"].ours > 0.5
