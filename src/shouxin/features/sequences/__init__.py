"""What a customer did, in the order in which they did it.

A feature counts; a sequence keeps the order: the latest events that say something of credit, each with its
kind, how long after the one before, how long ago, the hour, the category, how much, whether on a new device,
how it was paid and how it ended. It is one text, made the same way from the history for everybody and from
the event log for one customer; nobody standing at a date sees what happened, or was learnt, later.
"""

from shouxin.features.sequences.domain import (
    RECENT_EVENTS,
    SequenceDefinition,
    SequenceField,
    SequenceLayout,
    UnableToReadSequence,
    encode,
    is_sequence,
    recent_events,
)
from shouxin.features.sequences.service import sequence_at, sequences

__all__ = [
    "RECENT_EVENTS",
    "SequenceDefinition",
    "SequenceField",
    "SequenceLayout",
    "UnableToReadSequence",
    "encode",
    "is_sequence",
    "recent_events",
    "sequence_at",
    "sequences",
]
