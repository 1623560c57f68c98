"""Links between customers read from a history: what was known by midnight, of whom agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import pyarrow as pa
import pytest

from rooms.test_features_history import AS_OF, event, links_of, write_history
from shouxin.features.domain.shopwide import night_of
from shouxin.features.graph import FEATURES, find_rings, link_features
from shouxin.kernel import Event

RING = ("C1", "C2", "C3", "C4")


def visit(ref: str, days_ago: float, *, device: str = "tok_d", late_days: float = 0) -> Event:
    return event("login_recorded", days_ago, ref=ref, late_days=late_days, device_token=device)


def order(ref: str, days_ago: float, **tokens: str) -> Event:
    return event(
        "order_placed", days_ago, ref=ref, order=f"O-{ref}", amount="10.00", items=1,
        payment_method="credit", **tokens,
    )  # fmt: skip


def ring() -> list[Event]:
    """Four who registered in one week and share a device and a card; the first stopped repaying."""
    tokens = {"device_token": "tok_d", "card_token": "tok_c", "delivery_address_token": "tok_a"}
    return [
        *(
            event("customer_registered", 90 + n, ref=ref, channel="app", phone_token=f"tok_{ref}")
            for n, ref in enumerate(RING)
        ),
        *(order(ref, 60 + n, **tokens) for n, ref in enumerate(RING)),
        event("instalment_overdue", 5, ref="C1", amount="5.00", plan_id="P", number=1, days_past_due=60),
        event("customer_registered", 300, ref="C9", channel="app", phone_token="tok_C9"),
    ]


def values(folder: Path, events: Sequence[Event], *, days_later: float = 0.0) -> dict[str, dict[str, float]]:
    found = link_features(
        write_history(folder, events),
        links_of(*RING, "C9"),
        night=night_of(AS_OF + timedelta(days=days_later, hours=2)),
    )
    return {row.pop("customer_id"): row for row in found.to_pylist()}


def test_a_ring_sees_itself(tmp_path):
    found = values(tmp_path, ring())
    assert set(found) == {f"cus_{ref}" for ref in RING}
    assert found["cus_C2"] | {"badness_received": 0} == {
        "device_sharers": 3, "card_sharers": 3, "address_sharers": 3, "contact_sharers": 0,
        "crowd_of_widest_token": 4, "linked_customers": 3, "doubly_linked_customers": 3,
        "kinds_shared_most": 3, "linked_joined_together": 3, "component_customers": 4,
        "component_growth_30d": 0, "component_bad_share": pytest.approx(1 / 3), "linked_bad_customers": 1,
        "linked_bad_share": pytest.approx(1 / 3), "steps_to_bad": 1, "badness_received": 0,
    }  # fmt: skip
    assert 0 < found["cus_C2"]["badness_received"] < 1
    assert found["cus_C1"]["steps_to_bad"] is None and found["cus_C1"]["component_bad_share"] == 0


def test_the_ring_is_told_with_its_members(tmp_path):
    ((found, members),) = find_rings(write_history(tmp_path, ring()), links_of(*RING, "C9"), night=AS_OF)
    assert members == tuple(f"cus_{ref}" for ref in RING)
    assert found.as_data() | {"density": 0} == {
        "customers": 4, "shared": {"device": 1, "card": 1, "address": 1, "contact": 0},
        "known_bad": 1, "joined_together": 4, "density": 0,
    }  # fmt: skip


def test_the_order_in_which_events_came_changes_nothing(tmp_path):
    shuffled = ring()
    Random(3).shuffle(shuffled)
    assert values(tmp_path / "a", ring()) == values(tmp_path / "b", shuffled)


@pytest.mark.parametrize("days_later", [0.0, 0.3, 0.999])
def test_what_happens_or_is_learnt_after_midnight_changes_nothing_that_day(tmp_path, days_later):
    after = [
        visit("C9", -0.1),
        visit("C9", 10, late_days=10.2),
        event("violation_recorded", -0.2, ref="C2", rule="refund_abuse", severity=2),
        event("instalment_overdue", 3, ref="C3", late_days=4, plan_id="P", number=1, days_past_due=60),
        event("consent_withdrawn", -0.1, ref="C4", purpose="payment_and_address"),
    ]
    now = values(tmp_path / "a", ring(), days_later=days_later)
    assert values(tmp_path / "b", [*ring(), *after], days_later=days_later) == now
    assert values(tmp_path / "c", [*ring(), *after], days_later=2) != now


@pytest.mark.parametrize("purpose", ["payment_and_address", "credit_assessment"])
def test_who_took_the_agreement_back_is_in_nobodys_links(tmp_path, purpose):
    found = values(tmp_path, [*ring(), event("consent_withdrawn", 1, ref="C1", purpose=purpose)])
    assert "cus_C1" not in found
    assert found["cus_C2"]["linked_customers"] == 2
    assert found["cus_C2"]["linked_bad_customers"] == 0 and found["cus_C2"]["steps_to_bad"] is None


def test_behaviour_taken_back_ends_links_by_visits_alone(tmp_path):
    said = event("consent_withdrawn", 1, ref="C9", purpose="behaviour")
    assert "cus_C9" in values(tmp_path / "a", [*ring(), visit("C9", 20)])
    assert "cus_C9" not in values(tmp_path / "b", [*ring(), visit("C9", 20), said])
    assert "cus_C9" in values(tmp_path / "c", [*ring(), order("C9", 20, device_token="tok_d"), said])


def test_two_references_of_one_customer_are_one(tmp_path):
    links = pa.table(
        {
            "source": ["shop"] * 4,
            "customer_ref": list(RING),
            "customer_id": ["cus_A", "cus_A", "cus_B", "cus_B"],
        }
    )
    found = link_features(write_history(tmp_path, ring()), links, night=AS_OF).to_pylist()
    assert [row["linked_customers"] for row in found] == [1, 1]


def test_a_history_in_which_nobody_shares_anything_has_no_rows(tmp_path):
    history = write_history(tmp_path, [event("customer_registered", 9, phone_token="tok_1")])
    found = link_features(history, links_of("C1"), night=AS_OF)
    assert found.num_rows == 0 and found.column_names == ["customer_id", *(item.name for item in FEATURES)]
    assert find_rings(history, links_of("C1"), night=AS_OF) == ()


def test_shopwide_features_stand_for_the_last_midnight_that_the_run_had_time_for():
    assert night_of(AS_OF + timedelta(hours=2)) == AS_OF
    assert night_of(AS_OF + timedelta(hours=25, minutes=59)) == AS_OF
    assert night_of(AS_OF + timedelta(hours=1, minutes=59)) == AS_OF - timedelta(days=1)
