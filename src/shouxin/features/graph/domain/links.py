"""Links: which customers were seen with which tokens, as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from scipy import sparse

from shouxin.ingestion.consent.domain import purposes_of_use

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# What two customers can have in common, and the payload fields that tell it. A delivery address and a
# registered one are tokens of different keys, so they never meet; both are "an address".
KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "device": ("device",),
        "card": ("card",),
        "address": ("delivery_address", "address"),
        "contact": ("phone", "email"),
    }
)
# A token of more customers than this is a hub: a locker, a campus, a till in a shop. It says nothing of two
# people and would glue the shop together. The largest farms of the simulated shop have 45 accounts.
HUB_CUSTOMERS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Links:
    """One entry a link: ``customer`` below ``customers``, ``token`` below ``tokens``, each pair once.

    ``token_kind`` has the position in ``KINDS`` of each token, ``known_us`` is when the link was first known.
    ``first_seen_us`` and ``bad`` are of each customer: when she was first seen, and whether something bad was
    known. Instants are microseconds since 1970.
    """

    customers: int
    tokens: int
    customer: Ints
    token: Ints
    token_kind: Ints
    known_us: Ints
    first_seen_us: Ints
    bad: Flags

    def __post_init__(self) -> None:
        assert len(self.customer) == len(self.token) == len(self.known_us)
        assert len(self.token_kind) == self.tokens
        assert len(self.bad) == len(self.first_seen_us) == self.customers

    def degrees(self) -> Ints:
        """Customers of each token."""
        return np.bincount(self.token, minlength=self.tokens)


def purposes_of_kind(kind: str) -> frozenset[str]:
    """The purposes that nobody may have taken back for links of a kind to be read."""
    return purposes_of_use(("order_placed",), KINDS[kind])


def without_hubs(
    links: Links, *, known_by_us: int | None = None, hub_customers: int = HUB_CUSTOMERS
) -> Links:
    """The links that say something: of tokens that two customers share and no crowd does.

    ``known_by_us`` leaves out what was learnt later, and decides by then what a crowd is.
    """
    kept = slice(None) if known_by_us is None else np.flatnonzero(links.known_us <= known_by_us)
    customer, token = links.customer[kept], links.token[kept]
    degree = np.bincount(token, minlength=links.tokens)
    telling = np.flatnonzero((degree[token] >= 2) & (degree[token] <= hub_customers))
    return Links(
        links.customers,
        links.tokens,
        customer[telling],
        token[telling],
        links.token_kind,
        links.known_us[kept][telling],
        links.first_seen_us,
        links.bad,
    )


def incidence(links: Links, *, of_kind: int | None = None) -> sparse.csr_array:
    """Customers by tokens, 1 where they are linked (int64)."""
    kept = slice(None) if of_kind is None else np.flatnonzero(links.token_kind[links.token] == of_kind)
    customer, token = links.customer[kept], links.token[kept]
    ones = np.ones(len(customer), dtype=np.int64)
    return sparse.csr_array((ones, (customer, token)), shape=(links.customers, links.tokens))
