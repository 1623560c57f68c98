"""What a sequence of events is, how it is written as a text, and how a list of events makes one. Pure."""

from shouxin.features.sequences.domain.definition import RECENT_EVENTS, SequenceDefinition, recent_events
from shouxin.features.sequences.domain.encoding import encode
from shouxin.features.sequences.domain.layout import (
    SequenceField,
    SequenceLayout,
    UnableToReadSequence,
    is_sequence,
)

__all__ = [
    "RECENT_EVENTS",
    "SequenceDefinition",
    "SequenceField",
    "SequenceLayout",
    "UnableToReadSequence",
    "encode",
    "is_sequence",
    "recent_events",
]
