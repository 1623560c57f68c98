"""Suspected rings: small groups whose members share more than one kind of thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.sparse import csgraph

from shouxin.features.graph.domain.links import KINDS, Ints, Links, without_hubs
from shouxin.features.graph.domain.neighbours import Neighbours, joined_together, neighbours

# Two who share an address and a card are a couple; four who share two kinds of token are hardly a family.
MEMBERS_MIN = 4
_TIES_MIN = 2
_BAD_MIN = 2


@dataclass(frozen=True, slots=True)
class SuspectedRing:
    """A group held together by ties of two kinds of token or more; ``members`` are positions of customers.

    ``tokens`` counts the tokens of each kind that two members share, ``bad`` the members of whom something
    bad is known, ``together`` those who joined within ten days of half of the others.
    """

    members: tuple[int, ...]
    tokens: dict[str, int]
    bad: int
    together: int

    @property
    def density(self) -> float:
        """How much joins this group: sharing of many kinds, joining together and known bads, from 0 to 1."""
        kinds = sum(count > 0 for count in self.tokens.values()) / len(KINDS)
        size = len(self.members)
        return round((kinds + self.together / size + self.bad / size) / 3, 6)

    @property
    def came_or_fell_together(self) -> bool:
        """What tells it from a family: half of the members came within days, or two of them are known bad."""
        return 2 * self.together >= len(self.members) or self.bad >= _BAD_MIN

    def as_data(self) -> dict[str, Any]:
        """Counts only; who the members are is told by whoever may."""
        return {
            "customers": len(self.members),
            "shared": self.tokens,
            "known_bad": self.bad,
            "joined_together": self.together,
            "density": self.density,
        }


def suspected_rings(links: Links) -> tuple[SuspectedRing, ...]:
    """Groups of ``MEMBERS_MIN`` or more, the densest first; the same list whatever the order of links."""
    telling = without_hubs(links)
    strong = _strong(neighbours(telling))
    _, group = csgraph.connected_components(strong, directed=False)
    members = np.flatnonzero(np.bincount(group)[group] >= MEMBERS_MIN)
    close = joined_together(Neighbours(strong, {}), links.first_seen_us)
    shared = _shared_tokens(telling, group)
    rings = [
        SuspectedRing(
            tuple(chosen.tolist()),
            dict(zip(KINDS, shared[group[chosen[0]]].tolist(), strict=True)),
            int(links.bad[chosen].sum()),
            int((2 * close[chosen] >= len(chosen) - 1).sum()),
        )
        for chosen in _split(members, group[members])
    ]
    suspected = [ring for ring in rings if ring.came_or_fell_together]
    return tuple(sorted(suspected, key=lambda ring: (-ring.density, -len(ring.members), ring.members)))


def _strong(met: Neighbours) -> sparse.csr_array:
    tied = met.shared.copy()
    tied.data = np.where(tied.data >= _TIES_MIN, tied.data, 0)
    tied.eliminate_zeros()
    return tied


def _shared_tokens(links: Links, group: Ints) -> Ints:
    """Groups by kinds: how many tokens two members of the group share."""
    pair, count = np.unique(group[links.customer] * links.tokens + links.token, return_counts=True)
    of_group, token = np.divmod(pair[count >= 2], max(links.tokens, 1))
    shared = np.zeros((int(group.max(initial=-1)) + 1, len(KINDS)), dtype=np.int64)
    np.add.at(shared, (of_group, links.token_kind[token]), 1)
    return shared


def _split(members: Ints, group: Ints) -> list[Ints]:
    """The members of each group, in order."""
    order = np.argsort(group, kind="stable")
    _, starts = np.unique(group[order], return_index=True)
    return np.split(members[order], starts[1:]) if len(members) else []
