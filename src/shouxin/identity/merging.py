"""Merging: match everybody whom new evidence touches, from all their evidence, and make it so."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from shouxin.governance import record_audit
from shouxin.identity import online, rulings, store
from shouxin.identity.domain import (
    LIKENESS,
    MICRO,
    SHARED_BY_MAX,
    Identifier,
    Likeness,
    LinkageWeights,
    Matching,
    Merge,
    Standing,
    match,
    standing,
    weigh,
)
from shouxin.identity.domain.clustering import components
from shouxin.identity.rulings import MatchMerge, PossibleMatch

# Customers matched at once: more cost memory, fewer cost questions.
_BATCH = 5_000


@dataclass
class Found:
    """What matching the groups found: merges, conflicts, and the explanations of what was found by weight."""

    merges: list[Merge] = field(default_factory=list)
    conflicts: list[Any] = field(default_factory=list)
    possible: list[PossibleMatch] = field(default_factory=list)
    explained: dict[str, MatchMerge] = field(default_factory=dict)


def rematch(
    db: Connection,
    *,
    tokens: Mapping[str, int],
    customers: Collection[str],
    weights: LinkageWeights,
    now: datetime,
) -> Matching:
    """Match the holders of these tokens and these customers, and all who are tied to them; returns the new.

    From all the evidence, not from what earlier runs concluded: so the same facts give the same customers,
    in whatever order and portions they came. A customer may be parted again by that; the audit tells.
    """
    near = store.neighbours(db, tokens, customers=customers, shared_max=SHARED_BY_MAX)
    touched = {one.customer_id: one for one in near}
    if not touched:
        return Matching((), ())
    found = _matched(db, {one: row.customer_no for one, row in touched.items()}, weights, now)
    kept = {merge.absorbed_id: merge.customer_id for merge in found.merges}
    moved = {one: kept.get(one) for one, row in touched.items() if kept.get(one) != row.merged_into}
    fresh = [merge for merge in found.merges if touched[merge.absorbed_id].merged_into is None]
    again = store.add_merges(db, fresh, now=now)
    rulings.add_match_merges(
        db, [found.explained[m.absorbed_id] for m in fresh if m.absorbed_id in found.explained], now=now
    )
    if moved:
        store.point(db, moved, now=now)
    store.add_conflicts(db, found.conflicts, now=now)
    rulings.replace_possible(db, list(touched), found.possible)
    for one in sorted(moved):
        before = touched[one].merged_into
        if before is not None and kept.get(one) is None:
            _audited(db, "customer.parted", one, other=before, now=now)
    for one in again:
        _audited(db, "customer.merged_again", one, other=kept[one], now=now)
    return Matching(tuple(fresh), tuple(found.conflicts))


def _matched(db: Connection, age: Mapping[str, int], weights: LinkageWeights, now: datetime) -> Found:
    """Match groups that nothing ties together, a number of them at a time."""
    ids = sorted(age)
    identifiers = store.identifiers_of(db, ids)
    pairs = online.pairs_of(db, ids)
    ruled = standing(rulings.rulings_of(db, ids))
    found = Found()
    for batch in _batches(ids, identifiers, pairs, ruled):
        inside = {pair: bits for pair, bits in pairs.items() if pair[0] in batch} if pairs else {}
        likeness = online.likeness_of(db, sorted(batch), pairs=inside, weights=weights)
        matching = match(
            [item for item in identifiers if item.customer_id in batch],
            age={one: age[one] for one in batch},
            rulings=ruled.among(batch),
            likeness=likeness,
        )
        found.merges += matching.merges
        found.conflicts += matching.conflicts
        _explain(found, matching, likeness, now)
    return found


def _batches(
    ids: Sequence[str],
    identifiers: Iterable[Identifier],
    pairs: Iterable[tuple[str, str]],
    ruled: Standing,
) -> Iterator[set[str]]:
    """The customers in sets that hold whole groups; who is tied to nobody has nobody to be."""
    place = {customer: number for number, customer in enumerate(ids)}
    first: dict[tuple[str, str], int] = {}
    edges = [(place[one], place[other]) for one, other in pairs]
    for item in identifiers:
        here = place[item.customer_id]
        edges.append((first.setdefault((item.field, item.token), here), here))
    edges += [
        (place[one], place[other])
        for one, other in (*ruled.same, *ruled.different)
        if one in place and other in place
    ]
    alone = {ids[number] for number in {place[item.customer_id] for item in identifiers}}
    batch: set[str] = set()
    for group in components(len(ids), edges):
        batch |= {ids[number] for number in group}
        if len(batch) >= _BATCH:
            alone -= batch
            yield batch
            batch = set()
    # Two national ids of one customer are a conflict, too.
    yield batch | alone


def _explain(found: Found, matching: Matching, likeness: Likeness, now: datetime) -> None:
    """Say why of the merges and the possible matches that weights made."""
    person = {merge.absorbed_id: merge.customer_id for merge in matching.merges}
    best: dict[frozenset[str], tuple[int, tuple[str, str]]] = {}
    touching: dict[str, tuple[int, tuple[str, str]]] = {}
    for pair, bits in likeness.pairs.items():
        roots = frozenset(person.get(one, one) for one in pair)
        best[roots] = max(best.get(roots, (bits, pair)), (bits, pair))
        for one in pair if len(roots) == 1 else ():
            touching[one] = max(touching.get(one, (bits, pair)), (bits, pair))
    model = likeness.weights.hash
    for merge in matching.merges:
        if merge.field == LIKENESS:
            bits, pair = touching.get(merge.absorbed_id) or best[frozenset({merge.customer_id})]
            told = explanation(likeness, *pair)
            found.explained[merge.absorbed_id] = MatchMerge(
                merge.absorbed_id, merge.customer_id, bits, told, model
            )
    for likely in matching.possible:
        _, pair = best[frozenset({likely.one_id, likely.other_id})]
        told = explanation(likeness, *pair)
        found.possible.append(
            PossibleMatch(likely.one_id, likely.other_id, round(likely.bits * MICRO), told, now)
        )


def explanation(likeness: Likeness, one: str, other: str) -> tuple[dict[str, Any], ...]:
    """What every field says of two customers' records, and what every pair starts from."""
    weighed = weigh(likeness.records[one], likeness.records[other], weights=likeness.weights)
    told: list[dict[str, Any]] = [
        {"field": item.field, "level": item.level, "micro_bits": item.micro_bits} for item in weighed.evidence
    ]
    return ({"field": "prior", "level": "prior", "micro_bits": likeness.weights.prior}, *told)


def _audited(db: Connection, action: str, customer_id: str, *, other: str, now: datetime) -> None:
    record_audit(
        db,
        actor="identity",
        action=action,
        subject=f"customer:{customer_id}",
        detail={"other": other},
        now=now,
    )
