"""The features of the catalogue: what a shop's events, and others, say about a customer's credit.

One file a topic. They read the shop's whole orders and a shop that sends order lines alike; where one order
is looked at, a line stands for it. A direction is declared only where credit sense gives one for *every*
event of default: more refunds are worse news whatever we predict, more orders are not. A share of no orders
is 0: that there were none is told once, by the days since the last order, and not again by every share; a
mean, a trend or a rhythm of nothing is null. Several windows stand side by side only where they say
different things.

What nobody will find here: sex, origin, religion, health, age, and what a customer agreed to or took back.
Who withdraws a consent must not be worse off for it (PIPL, art. 16).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cache, lru_cache

from shouxin.features.domain.catalogue.cancellations import cancellations
from shouxin.features.domain.catalogue.carts import carts
from shouxin.features.domain.catalogue.categories import categories
from shouxin.features.domain.catalogue.complaints import complaints
from shouxin.features.domain.catalogue.credit_use import credit_use
from shouxin.features.domain.catalogue.deliveries import deliveries
from shouxin.features.domain.catalogue.external import external
from shouxin.features.domain.catalogue.hours import activity
from shouxin.features.domain.catalogue.membership import membership
from shouxin.features.domain.catalogue.payments import payments
from shouxin.features.domain.catalogue.prices import prices
from shouxin.features.domain.catalogue.purchases import purchases
from shouxin.features.domain.catalogue.repayments import repayments
from shouxin.features.domain.catalogue.returns import returns
from shouxin.features.domain.catalogue.reviews import reviews
from shouxin.features.domain.catalogue.stability import stability
from shouxin.features.domain.catalogue.surveys import surveys
from shouxin.features.domain.definition import FeatureDefinition
from shouxin.kernel import content_hash


def catalogue(*, zone: str = "Asia/Shanghai") -> tuple[FeatureDefinition, ...]:
    """The definitions for a shop whose customers live by the clock of ``zone``."""
    return (
        *purchases(zone),
        *prices(),
        *categories(),
        *payments(),
        *returns(),
        *cancellations(),
        *deliveries(),
        *reviews(),
        *complaints(),
        *stability(),
        *activity(zone),
        *carts(zone),
        *repayments(zone),
        *credit_use(),
        *membership(),
        *external(),
        *surveys(),
    )


CATALOGUE = catalogue()


def definitions_of(names: Collection[str]) -> tuple[FeatureDefinition, ...]:
    """The definitions of the catalogue that have these names, in its order; other names are passed over.

    The same names give the same tuple, which is made ready once for all checkouts.
    """
    return _definitions_of(frozenset(names))


@lru_cache(maxsize=64)
def _definitions_of(names: frozenset[str]) -> tuple[FeatureDefinition, ...]:
    return tuple(definition for definition in CATALOGUE if definition.name in names)


def catalogue_hash(definitions: Sequence[FeatureDefinition] = CATALOGUE) -> str:
    """The name of exactly these definitions; any change of any of them changes it."""
    return _own_hash() if definitions is CATALOGUE else _hash_of(definitions)


@cache
def _own_hash() -> str:
    # Every decision is made under this name; to spell the whole catalogue each time would take as long as it.
    return _hash_of(CATALOGUE)


def _hash_of(definitions: Sequence[FeatureDefinition]) -> str:
    return content_hash([definition.as_data() for definition in definitions])


__all__ = ["CATALOGUE", "catalogue", "catalogue_hash", "definitions_of"]
