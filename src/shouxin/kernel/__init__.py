"""The ground under every room: money, time, ids, facts and approvals. Standard library only.

Everything here is a frozen value or a pure function. ``Money`` never loses a cent, ``Period`` is
half-open, an ``Event`` knows both when it happened and when it was learnt, an ``Approval`` can not
be made by the person who asked for it, and ``content_hash`` gives the same facts the same name.
"""

from shouxin.kernel.approval import Approval, UnableToApprove
from shouxin.kernel.bilingual import Bilingual
from shouxin.kernel.canonical import canonical_json, content_hash
from shouxin.kernel.clock import Clock, frozen_clock, parse_instant, system_clock
from shouxin.kernel.event import OWN_SOURCE, Event
from shouxin.kernel.ids import CustomerId, derived_id, mint
from shouxin.kernel.money import Money, UnableToParseMoney
from shouxin.kernel.period import Period
from shouxin.kernel.progress import Bar, Progress, counted_steps, silent, silent_bar

__all__ = [
    "OWN_SOURCE",
    "Approval",
    "Bar",
    "Bilingual",
    "Clock",
    "CustomerId",
    "Event",
    "Money",
    "Period",
    "Progress",
    "UnableToApprove",
    "UnableToParseMoney",
    "canonical_json",
    "content_hash",
    "counted_steps",
    "derived_id",
    "frozen_clock",
    "mint",
    "parse_instant",
    "silent",
    "silent_bar",
    "system_clock",
]
