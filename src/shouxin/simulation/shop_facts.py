"""What the shop's order system writes down: orders and what became of them, one kind a function."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.random import Generator

from shouxin.simulation.catalogue import CATEGORIES, MERCHANTS_A_CATEGORY
from shouxin.simulation.domain import CHANNELS, Flags, Floats, Ints
from shouxin.simulation.facts import Facts, Field, facts, learnt_late, numbered, numbers, texts, words
from shouxin.simulation.outcomes import REFUND_KINDS, RETURN_REASONS, TOPICS, Outcomes
from shouxin.simulation.persons import Persons, card_names, delivery_addresses, device_names
from shouxin.simulation.review_texts import review_texts
from shouxin.simulation.shop import CARD, METHODS, Orders

CANCEL_REASONS = ("changed_mind", "found_cheaper", "wrong_item", "out_of_stock")
OUT_OF_STOCK = 3
LATE_SHARE = 0.05
LATE_DAYS_MAX = 6.0


def order_facts(
    rng: Generator, orders: Orders, outcomes: Outcomes, persons: Persons, *, told: Flags, pen: Generator
) -> tuple[Facts, ...]:
    """All facts about the orders that are ``told`` (the others are left to the checkout).

    What reviewers write comes from ``pen``.
    """
    return (
        placed(orders, persons, told),
        cancelled(rng, orders, outcomes, told),
        paid(orders, outcomes, told),
        plain("order_shipped", orders, outcomes.shipped, told),
        delivered(orders, outcomes, told),
        plain("delivery_refused", orders, outcomes.refused, told),
        returned(orders, outcomes, told),
        refunded(rng, orders, outcomes, told),
        reviewed(pen, orders, outcomes, told),
        complained(orders, outcomes, told),
    )


def merchant_names(orders: Orders, which: Ints) -> Field:
    """Which merchant on the platform sold it."""
    return texts(merchant_refs(orders.category[which], orders.merchant[which]))


def merchant_refs(category: Ints, merchant: Ints) -> Any:
    """The platform's own references of merchants."""
    return numbered("M", category * MERCHANTS_A_CATEGORY + merchant, digits=4)


def placed(orders: Orders, persons: Persons, told: Flags) -> Facts:
    """order_placed, with device, delivery address and card as identifiers."""
    which = np.flatnonzero(told)
    customer, coupon = orders.customer[which], orders.coupon[which]
    return facts(
        "order_placed",
        customer,
        orders.placed[which],
        order=which,
        amount=orders.amount[which],
        payload={
            "items": numbers(orders.items[which]),
            "category": words(CATEGORIES, orders.category[which]),
            "merchant_ref": merchant_names(orders, which),
            "payment_method": words(METHODS, orders.method[which]),
            "coupon_minor": numbers(coupon, present=coupon > 0),
            "channel": words(CHANNELS, orders.channel[which]),
        },
        personal={
            "device": texts(device_names(persons, customer, orders.device[which])),
            "delivery_address": texts(delivery_addresses(persons, customer, orders.address[which])),
            "card": texts(
                card_names(persons, customer, orders.device[which]), present=orders.method[which] == CARD
            ),
        },
    )


def cancelled(rng: Generator, orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """order_cancelled, by the customer or (out of stock) by the shop."""
    which = _happened(outcomes.cancelled, told)
    by_shop = outcomes.cancelled_by_shop[which]
    reason = np.where(by_shop, OUT_OF_STOCK, rng.integers(0, OUT_OF_STOCK, len(which)))
    return facts(
        "order_cancelled",
        orders.customer[which],
        outcomes.cancelled[which],
        order=which,
        amount=orders.amount[which],
        payload={"reason": words(CANCEL_REASONS, reason), "by": words(("customer", "shop"), by_shop)},
    )


def paid(orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """order_paid: by the customer, or by their line."""
    which = _happened(outcomes.paid, told)
    return facts(
        "order_paid",
        orders.customer[which],
        outcomes.paid[which],
        order=which,
        amount=orders.amount[which] - orders.coupon[which],
        payload={"method": words(METHODS, orders.method[which])},
    )


def plain(kind: str, orders: Orders, day: Floats, told: Flags) -> Facts:
    """A fact that says only that it happened."""
    which = _happened(day, told)
    return facts(kind, orders.customer[which], day[which], order=which)


def delivered(orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """order_delivered; ``days_late`` only where the promise was broken."""
    which = _happened(outcomes.delivered, told)
    late = outcomes.days_late[which]
    return facts(
        "order_delivered",
        orders.customer[which],
        outcomes.delivered[which],
        order=which,
        payload={"days_late": numbers(late, present=late > 0)},
    )


def returned(orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """return_requested."""
    which = _happened(outcomes.returned, told)
    return facts(
        "return_requested",
        orders.customer[which],
        outcomes.returned[which],
        order=which,
        amount=orders.amount[which],
        payload={"reason": words(RETURN_REASONS, outcomes.return_reason[which])},
    )


def refunded(rng: Generator, orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """refund_issued; one in twenty reaches the books days later."""
    which = _happened(outcomes.refunded, told)
    batch = facts(
        "refund_issued",
        orders.customer[which],
        outcomes.refunded[which],
        order=which,
        amount=np.minimum(outcomes.refund[which], orders.amount[which] - orders.coupon[which]),
        payload={"refund_kind": words(REFUND_KINDS, outcomes.refund_kind[which])},
    )
    return learnt_late(rng, batch, share=LATE_SHARE, days_max=LATE_DAYS_MAX)


def reviewed(rng: Generator, orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """review_posted, one to five stars, most of them with words."""
    which = _happened(outcomes.reviewed, told)
    written, writes = review_texts(rng, outcomes.rating[which], late=outcomes.days_late[which] > 0)
    return facts(
        "review_posted",
        orders.customer[which],
        outcomes.reviewed[which],
        order=which,
        payload={"rating": numbers(outcomes.rating[which]), "text": texts(written, present=writes)},
    )


def complained(orders: Orders, outcomes: Outcomes, told: Flags) -> Facts:
    """complaint_filed."""
    which = _happened(outcomes.complained, told)
    return facts(
        "complaint_filed",
        orders.customer[which],
        outcomes.complained[which],
        order=which,
        payload={"topic": words(TOPICS, outcomes.topic[which])},
    )


def _happened(day: Floats, told: Flags) -> Ints:
    return np.flatnonzero(np.isfinite(day) & told)
