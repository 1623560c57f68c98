"""Ingestion: what shops tell us, checked, kept for ever, and given out as it was known at any instant.

Every fact is an *event* of one of 28 kinds, named by its source for ever, with the instant it happened
and the instant it was learnt. What breaks a rule is refused with the field and the reason and waits,
sealed, in quarantine until it can be tried again; nothing is silently dropped and nothing is counted
twice. Names, phones and the like are replaced by tokens at this door: the log holds none of them.
"""

from shouxin.ingestion.adapting import Interpreted
from shouxin.ingestion.clickstream import clickstream_chunks
from shouxin.ingestion.desk import QuarantineFilter, list_quarantine, replay_quarantine
from shouxin.ingestion.domain import (
    KINDS,
    EventKind,
    PersonalFact,
    QuarantinedRow,
    Receipt,
    Refusal,
    RefusedItem,
    broken_promises,
    json_schemas,
)
from shouxin.ingestion.erasure import ErasedValues, erase_references
from shouxin.ingestion.history import HistoryFiles, export_history
from shouxin.ingestion.olist import olist_chunks
from shouxin.ingestion.online_retail import online_retail_chunks
from shouxin.ingestion.opening import opened_values
from shouxin.ingestion.reading import UnableToRead
from shouxin.ingestion.service import (
    UnableToLoad,
    accept,
    count_events,
    event_count,
    events_after,
    file_chunks,
    last_event_no,
    list_events,
    load_file,
    load_olist,
    load_online_retail,
    load_stepwise,
    new_references,
    personal_facts,
    record,
    references_between,
    settled_event_no,
)
from shouxin.ingestion.store import UnableToSettle
from shouxin.ingestion.surveys import survey_chunks

__all__ = [
    "KINDS",
    "ErasedValues",
    "EventKind",
    "HistoryFiles",
    "Interpreted",
    "PersonalFact",
    "QuarantineFilter",
    "QuarantinedRow",
    "Receipt",
    "Refusal",
    "RefusedItem",
    "UnableToLoad",
    "UnableToRead",
    "UnableToSettle",
    "accept",
    "broken_promises",
    "clickstream_chunks",
    "count_events",
    "erase_references",
    "event_count",
    "events_after",
    "export_history",
    "file_chunks",
    "json_schemas",
    "last_event_no",
    "list_events",
    "list_quarantine",
    "load_file",
    "load_olist",
    "load_online_retail",
    "load_stepwise",
    "new_references",
    "olist_chunks",
    "online_retail_chunks",
    "opened_values",
    "personal_facts",
    "record",
    "references_between",
    "replay_quarantine",
    "settled_event_no",
    "survey_chunks",
]
