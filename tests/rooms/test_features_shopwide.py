"""Shop-wide features: training set, kept night and checkout say the same; what is kept stays."""

from __future__ import annotations

import json
import zlib
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from rooms.test_features_history import event
from rooms.test_features_links import RING, order, ring, visit
from shouxin import identity, ingestion
from shouxin.features.shopwide import (
    NAMES,
    SHOPWIDE,
    UnableToKeepNight,
    append_shopwide,
    keep_night,
    nights_missing,
    patterns_in_force,
    shopwide_at,
    shopwide_night,
    strongest_pattern,
)
from shouxin.features.shopwide.domain import missing_nights
from shouxin.governance import Keyring

KEYS = Keyring.from_master(b"k" * 32)
NIGHT = datetime(2026, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
INSTANT = pa.timestamp("us", tz="UTC")


def as_sent(one):
    """The event as a shop sends it: what is a token in the log was a value at the door."""
    tokens = {name: value for name, value in one.payload.items() if name.endswith("_token")}
    personal = {name.removesuffix("_token"): value for name, value in tokens.items()}
    if "phone" in personal:
        personal["phone"] = f"1010{zlib.crc32(personal['phone'].encode()) % 10**7:07d}"
    return {
        "source": one.source,
        "source_id": one.source_id,
        "kind": one.kind,
        "customer_ref": one.customer_ref,
        "occurred_at": one.occurred_at.isoformat(),
        "received_at": one.received_at.isoformat(),
        "order_ref": one.order_ref,
        "amount_minor": one.amount.minor if one.amount else None,
        "currency": one.amount.currency if one.amount else None,
        "payload": json.dumps({name: value for name, value in one.payload.items() if name not in tokens}),
        "personal": json.dumps(personal) if personal else None,
    }


class Scene:
    """Events in the log, their customers, and the history that is read at night."""

    def __init__(self, db, folder, events):
        self.db, self.folder, self.names = db, folder, {}
        self.add(events)

    def add(self, events):
        path = self.folder.parent / f"{self.folder.name}-{len(self.names)}-{len(events)}.parquet"
        pq.write_table(pa.Table.from_pylist([as_sent(one) for one in events]), path)
        receipt = ingestion.load_file(self.db, path, keyring=KEYS, now=NIGHT + 900 * DAY)
        assert receipt.accepted == len(events), receipt
        for one in events:
            found = identity.ensure_customer(
                self.db, source="shop", customer_ref=one.customer_ref, now=NIGHT - 900 * DAY
            )
            self.names[one.customer_ref] = found
        ingestion.export_history(self.db, self.folder)

    @property
    def links(self):
        return identity.links(self.db)

    def keep(self, night=NIGHT):
        return keep_night(self.db, self.folder, self.links, night=night, now=night + timedelta(minutes=20))

    def at(self, ref, as_of):
        return shopwide_at(self.db, self.names[ref], as_of=as_of)

    def trained(self, as_of):
        """The same by the way of a training set, by reference."""
        ids = [str(name) for name in self.names.values()]
        table = pa.table(
            {
                "customer_id": pa.array(ids),
                "as_of": pa.array([as_of] * len(ids), INSTANT),
                "event": [0] * len(ids),
            }
        )
        rows = append_shopwide(table, self.folder, self.links).to_pylist()
        return {ref: {n: row[n] for n in NAMES} for ref, row in zip(self.names, rows, strict=True)}


def borrowers():
    """Two hundred with a line, of whom those who pay late fall: enough for a pattern and for tastes."""
    events = []
    for number in range(200):
        ref = f"B{number:03d}"
        events.append(event("line_opened", 700, ref=ref, amount="1000.00"))
        for days_ago in (300, 30):
            told = {"items": 1, "payment_method": "credit", "category": "phones" if number % 2 else "books"}
            events.append(
                event("order_placed", days_ago, ref=ref, order=f"{ref}-{days_ago}", amount="10.00", **told)
            )
        if number % 3 < 2:
            for days_ago in (285, 190, 3):
                paid = {"plan_id": f"P{days_ago}", "number": 1, "days_past_due": 9}
                events.append(event("repayment_received", days_ago, ref=ref, amount="5.00", **paid))
            fallen = {"plan_id": "Q", "number": 1, "days_past_due": 60}
            events.append(event("instalment_overdue", 100, ref=ref, amount="5.00", **fallen))
    return events


@pytest.fixture
def scene(db, tmp_path):
    return Scene(db, tmp_path, [*ring(), *borrowers()])


@pytest.mark.parametrize("hours", [2, 13.5, 25.9])
def test_training_set_and_checkout_say_the_same_all_day(scene, hours):
    after = [
        visit("C9", -0.05),
        order("B001", -0.03, device_token="tok_d"),
        event("violation_recorded", -0.02, ref="C2", rule="refund_abuse", severity=2),
        event("consent_withdrawn", -0.01, ref="C3", purpose="behaviour"),
        event("consent_withdrawn", 2, ref="C4", purpose="payment_and_address"),
        event("consent_withdrawn", 2, ref="B003", purpose="credit_assessment"),
        event("order_placed", -0.02, ref="NEW", order="O", amount="9.00", items=1, payment_method="card"),
    ]
    scene.keep()
    scene.add(after)
    as_of = NIGHT + timedelta(hours=hours)
    # What was withdrawn before midnight, too, was told to the night: keep the next one as well.
    scene.keep(NIGHT + DAY)
    trained = scene.trained(as_of + DAY)
    told = {ref: scene.at(ref, as_of + DAY) for ref in scene.names}
    assert trained == told
    assert told["C1"]["device_sharers"] == 4  # C2, C9, B001 and the visitor's; C3 and C4 are out
    assert set(told["C4"].values()) != {None} and told["C4"]["card_sharers"] is None
    assert set(told["B003"].values()) == {None}
    assert told["B000"]["pattern_lift_strongest"] > 1 and told["B002"]["pattern_lift_strongest"] == 1
    assert told["B001"]["similar_taste_event_rate"] is not None


def test_what_happens_during_the_day_waits_for_the_night(scene):
    scene.keep()
    before = {ref: scene.at(ref, NIGHT + timedelta(hours=20)) for ref in scene.names}
    scene.add([visit("C9", -0.1), event("violation_recorded", -0.1, ref="C2", rule="x", severity=1)])
    assert {ref: scene.at(ref, NIGHT + timedelta(hours=20)) for ref in before} == before
    assert scene.trained(NIGHT + timedelta(hours=20)) == before
    scene.keep(NIGHT + DAY)
    assert scene.at("C9", NIGHT + DAY + timedelta(hours=2))["device_sharers"] == 4
    assert scene.at("C9", NIGHT + DAY + timedelta(hours=1)) == before["C9"]


def test_a_word_taken_back_in_the_day_is_heeded_at_once(scene):
    scene.keep()
    assert scene.at("C3", NIGHT + timedelta(hours=5))["card_sharers"] == 3
    scene.add([event("consent_withdrawn", -0.15, ref="C3", purpose="payment_and_address")])
    assert scene.at("C3", NIGHT + timedelta(hours=5))["card_sharers"] is None
    assert scene.trained(NIGHT + timedelta(hours=5))["C3"]["card_sharers"] is None


def test_only_what_changed_is_kept_and_a_night_is_kept_once(scene):
    first = scene.keep()
    assert first.changed == first.customers == len(scene.names)
    assert scene.keep() == first
    scene.add([visit("C9", -0.1)])
    second = scene.keep(NIGHT + DAY)
    assert (second.customers, second.changed) == (first.customers, 5)
    assert scene.at("C1", NIGHT + DAY + timedelta(hours=3))["device_sharers"] == 4
    assert scene.at("C1", NIGHT + timedelta(hours=3))["device_sharers"] == 3
    scene.db.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_a_customer_who_is_somebody_else_now_has_no_numbers(scene):
    scene.keep()
    gone = scene.names["C2"]
    others = scene.links.filter(pc.not_equal(scene.links["customer_id"], str(gone)))
    kept = keep_night(scene.db, scene.folder, others, night=NIGHT + DAY, now=NIGHT + DAY)
    assert kept.changed >= 1
    assert set(scene.at("C2", NIGHT + DAY + timedelta(hours=3)).values()) == {None}
    assert scene.at("C2", NIGHT + timedelta(hours=3))["device_sharers"] == 3


def test_a_missing_night_is_null_and_told_and_stays_missing(scene):
    scene.keep()
    scene.keep(NIGHT + 3 * DAY)
    assert set(scene.at("C2", NIGHT + DAY + timedelta(hours=3)).values()) == {None}
    as_of = NIGHT + 3 * DAY + timedelta(hours=3)
    assert nights_missing(scene.db, as_of=as_of) == ((NIGHT + DAY).date(), (NIGHT + 2 * DAY).date())
    with pytest.raises(
        UnableToKeepNight, match="2026-03-02 stays missing: that of 2026-03-04 was kept since"
    ):
        scene.keep(NIGHT + DAY)
    with pytest.raises(UnableToKeepNight, match="2026-03-09 is not there yet"):
        keep_night(scene.db, scene.folder, scene.links, night=NIGHT + 8 * DAY, now=NIGHT)


def test_before_the_first_night_nothing_is_missing():
    assert missing_nights(set(), as_of=NIGHT + DAY, nights=7) == ()
    assert missing_nights({NIGHT.date()}, as_of=NIGHT + timedelta(hours=3), nights=7) == ()
    assert missing_nights({NIGHT.date()}, as_of=NIGHT + timedelta(hours=26), nights=7) == (
        (NIGHT + DAY).date(),
    )


def test_the_pattern_can_be_told_in_words(scene):
    scene.keep()
    as_of = NIGHT + timedelta(hours=3)
    told = strongest_pattern(scene.db, scene.names["B000"], as_of=as_of)
    assert told is not None and (told.zh, told.en) == ("近180天有逾期还款", "a late repayment")
    assert strongest_pattern(scene.db, scene.names["B002"], as_of=as_of) is None
    assert strongest_pattern(scene.db, scene.names["B000"], as_of=as_of + 9 * DAY) is None


def test_the_patterns_of_a_month_are_kept_and_used_all_month(scene):
    scene.keep()
    kept = scene.db.execute(text("SELECT document_hash FROM features.pattern_document")).scalars().all()
    document = patterns_in_force(scene.folder, scene.links, night=NIGHT + 20 * DAY)
    assert document is not None and kept == [document.hash]
    assert scene.keep(NIGHT + 20 * DAY).document_hash == document.hash
    assert len(scene.db.execute(text("SELECT 1 FROM features.pattern_document")).all()) == 1


def test_a_young_shop_has_links_and_no_patterns(db, tmp_path):
    scene = Scene(db, tmp_path, ring())
    assert scene.keep().document_hash is None
    told = scene.at("C2", NIGHT + timedelta(hours=3))
    assert told["pattern_lift_strongest"] is None and told["device_sharers"] == 3
    assert scene.trained(NIGHT + timedelta(hours=3))["C2"] == told


def test_points_in_any_order_keep_their_rows(scene):
    """A training set mixes dates; each row gets what held at its own."""
    names = [str(scene.names[ref]) for ref in ("C2", "C9", "C2", "C9")]
    points = [NIGHT + DAY, NIGHT - 60 * DAY, NIGHT - 60 * DAY, NIGHT + DAY]
    table = pa.table({"customer_id": names, "as_of": pa.array(points, INSTANT)})
    found = append_shopwide(table, scene.folder, scene.links)
    assert found["customer_id"].to_pylist() == names and found["as_of"].to_pylist() == points
    assert found["device_sharers"].to_pylist() == [3, 0, 2, 0]


def test_every_night_row_has_a_number_or_null_for_every_feature(scene):
    whole = shopwide_night(scene.folder, scene.links, night=NIGHT, document=None)
    assert whole.column_names == ["customer_id", *NAMES, "strongest_pattern"]
    assert whole.num_rows == len(scene.names)
    assert whole["component_customers"].null_count == 0
    assert len({feature.name for feature in SHOPWIDE}) == len(SHOPWIDE) == 21


def test_ring_members_are_the_ones_who_share(scene):
    scene.keep()
    as_of = NIGHT + timedelta(hours=3)
    sharing = {ref for ref in scene.names if scene.at(ref, as_of)["doubly_linked_customers"]}
    assert sharing == set(RING)
