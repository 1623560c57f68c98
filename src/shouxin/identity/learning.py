"""Learning: weights from the records of this house, put in use, and everybody matched by them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from shouxin.governance import record_audit
from shouxin.identity import online, store
from shouxin.identity.domain import LinkageWeights
from shouxin.identity.merging import rematch

# More teach little: what is rare is rare among them, too.
TRAINED_ON_MAX = 100_000


@dataclass(frozen=True, slots=True)
class LinkageTraining:
    """A model that was learnt here, from how many records, and what it changed: merges that are new."""

    weights: LinkageWeights
    records: int
    merged: int


def train_linkage(db: Connection, *, by: str, now: datetime) -> LinkageTraining:
    """Learn weights from the encoded records (no clear text is opened), use them, match everybody anew.

    Raises UnableToTrainLinkage when there are too few records.
    """
    from shouxin.identity.linkage import learn_weights

    store.held_progress(db)  # one matching at a time
    records = online.some_records(db, limit=TRAINED_ON_MAX)
    weights = learn_weights(records)
    online.keep_weights(db, weights, records=len(records), by=by, now=now)
    touched = online.weigh_again(db, weights=weights)
    found = rematch(db, tokens={}, customers=touched, weights=weights, now=now)
    record_audit(
        db,
        actor=by,
        action="linkage.trained",
        subject=f"linkage:{weights.hash}",
        detail={"records": len(records), "merged": len(found.merges)},
        now=now,
    )
    return LinkageTraining(weights, len(records), len(found.merges))
