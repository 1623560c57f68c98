"""States of references: what is kept of the events, and how features are answered from it. Pure."""

from shouxin.features.state.domain.layout import Layout, layout_of
from shouxin.features.state.domain.plan import Plan, answer, plan_of
from shouxin.features.state.domain.state import Reference, State, absorb, count_known, from_bytes, to_bytes

__all__ = [
    "Layout",
    "Plan",
    "Reference",
    "State",
    "absorb",
    "answer",
    "count_known",
    "from_bytes",
    "layout_of",
    "plan_of",
    "to_bytes",
]
