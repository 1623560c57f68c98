"""Encode what was told of people, find whom each may be, and keep the pairs that weigh enough."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from sqlalchemy import Connection

from shouxin.governance import Keyring, sealer
from shouxin.identity.domain import (
    FIELDS,
    Encoded,
    Evidence,
    Likeness,
    LinkageWeights,
    encode,
    ordered,
    weigh,
)
from shouxin.identity.online import store
from shouxin.ingestion import PersonalFact

# A key that more records share says nothing about who somebody is, and costs the square of them.
KEY_SHARED_MAX = 60
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class LookAlike:
    """A customer whom a new record may be; ``is_one`` when it weighs enough to be merged."""

    customer_id: str
    micro_bits: int
    evidence: tuple[Evidence, ...]
    is_one: bool


def weights_in_use(db: Connection) -> LinkageWeights:
    """The model that was trained last here, else the one that comes with the house."""
    content = store.last_model(db)
    return default_weights() if content is None else LinkageWeights.from_data(content)


@cache
def default_weights() -> LinkageWeights:
    """Learnt from 200,000 simulated registrations: docs/linkage.md says how to make it again."""
    text = (files("shouxin.identity.online") / "default_weights.json").read_text()
    return LinkageWeights.from_data(json.loads(text))


def keep_weights(db: Connection, weights: LinkageWeights, *, records: int, by: str, now: datetime) -> None:
    """Put a model in use; pairs that were weighed before keep their weights until ``weigh_again``."""
    store.add_model(db, weights.as_data(), model_hash=weights.hash, records=records, by=by, now=now)


def keep_records(
    db: Connection, keyring: Keyring, facts: Iterable[PersonalFact], *, weights: LinkageWeights
) -> set[str]:
    """Encode the references of which something new was told, pair them, and say whose pairs changed.

    ``facts`` are all that is known of each reference. What can not be opened any more is left out.
    """
    told: dict[store.Reference, dict[tuple[str, str], PersonalFact]] = defaultdict(dict)
    for fact in facts:
        if fact.sealed is not None and fact.field in FIELDS:
            told[fact.source, fact.customer_ref].setdefault((fact.field, fact.token), fact)
    kept = store.stored(db, list(told))
    changed = {ref: told[ref] for ref, one in kept.items() if one.facts != len(told[ref])}
    records = {
        kept[ref].customer_no: encode(values, token=keyring.token)
        for ref, values in _opened(db, keyring, changed).items()
    }
    records = {no: record for no, record in records.items() if record.fields}
    if not records:
        return set()
    counts = {kept[ref].customer_no: len(values) for ref, values in changed.items()}
    store.put_records(db, records, facts=counts)
    lost = store.drop_crowded_pairs(db, list(records), shared_max=KEY_SHARED_MAX)
    touched = _pair(db, records, weights)
    return set(store.ids_of(db, {*touched, *lost}).values())


def weigh_again(db: Connection, *, weights: LinkageWeights) -> set[str]:
    """Weigh every pair of the house anew; returns who was or is in one."""
    touched: set[int] = set()
    numbers = store.all_numbers(db)
    for start in range(0, len(numbers), _CHUNK):
        touched |= _pair(db, store.records_by_number(db, numbers[start : start + _CHUNK]), weights)
    return set(store.ids_of(db, touched).values())


def look_alikes(
    db: Connection, personal: Mapping[str, str], *, keyring: Keyring, weights: LinkageWeights
) -> list[LookAlike]:
    """Whom a record that is not kept yet may be, the likeliest first. Nothing of it is kept."""
    record = encode({field: (value,) for field, value in personal.items()}, token=keyring.token)
    found = []
    for _, _, customer_id, theirs in store.candidates(db, {0: record}, shared_max=KEY_SHARED_MAX):
        pair = weigh(record, theirs, weights=weights)
        if pair.micro_bits is not None and pair.micro_bits >= weights.review_from:
            is_one = pair.micro_bits >= weights.merge_from
            found.append(LookAlike(customer_id, pair.micro_bits, pair.evidence, is_one))
    return sorted(found, key=lambda one: (-one.micro_bits, one.customer_id))


def pairs_of(db: Connection, customer_ids: Sequence[str]) -> dict[tuple[str, str], int]:
    """(smaller id, greater id) -> micro-bits of the kept pairs among these customers."""
    return {ordered(one, other): bits for one, other, bits in store.pairs_of(db, customer_ids)}


def likeness_of(
    db: Connection,
    customer_ids: Sequence[str],
    *,
    pairs: Mapping[tuple[str, str], int],
    weights: LinkageWeights,
) -> Likeness:
    """What the records of these customers say of one another."""
    return Likeness(weights, store.records_of(db, customer_ids), pairs)


def _pair(db: Connection, records: Mapping[int, Encoded], weights: LinkageWeights) -> set[int]:
    """Keep the pairs of these records with all others; returns all whose pairs may have changed."""
    pairs: dict[store.Pair, int] = {}
    for no, other, _, theirs in store.candidates(db, records, shared_max=KEY_SHARED_MAX):
        pair = (no, other) if no < other else (other, no)
        if pair not in pairs:
            bits = weigh(records[no], theirs, weights=weights).micro_bits
            if bits is not None and bits >= weights.review_from:
                pairs[pair] = bits
    before = store.put_pairs(db, list(records), pairs)
    return {*records, *before, *(no for pair in pairs for no in pair)}


def _opened(
    db: Connection, keyring: Keyring, told: Mapping[store.Reference, Mapping[tuple[str, str], PersonalFact]]
) -> dict[store.Reference, dict[str, list[str]]]:
    """The clear values of each reference by field; nothing of a reference whose key is gone."""
    opener = sealer(db, keyring)
    gone = set(opener.load({f"{source}:{ref}" for source, ref in told}))
    opened: dict[store.Reference, dict[str, list[str]]] = {}
    for (source, ref), facts in told.items():
        subject = f"{source}:{ref}"
        if subject in gone:
            continue
        values = opened[source, ref] = defaultdict(list)
        for (field, _), fact in facts.items():
            assert fact.sealed is not None
            values[field].append(opener.open(subject, field, fact.sealed))
    return opened
