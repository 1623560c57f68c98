"""Components: customers who hang together by tokens, directly or through others."""

from __future__ import annotations

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from shouxin.features.graph.domain.links import Ints, Links, incidence


def components(links: Links) -> Ints:
    """The component of each customer, named by its first member."""
    pairs = incidence(links)
    whole = sparse.block_array([[None, pairs], [pairs.T, None]], format="csr")
    _, found = csgraph.connected_components(whole, directed=False)
    of_customer = found[: links.customers]
    first = np.full(int(found.max(initial=-1)) + 1, links.customers, dtype=np.int64)
    np.minimum.at(first, of_customer, np.arange(links.customers, dtype=np.int64))
    named: Ints = first[of_customer]
    return named


def sizes(component: Ints) -> Ints:
    """How many customers each customer's component has, themselves among them."""
    return np.bincount(component, minlength=len(component))[component]


def others_marked(component: Ints, marked: Ints) -> Ints:
    """How many *other* customers of the component are marked (1 against 0)."""
    count = np.zeros(len(component), dtype=np.int64)
    np.add.at(count, component, marked)
    return count[component] - marked
