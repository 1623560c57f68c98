"""State: what is kept of each reference, so that a checkout reads one row instead of a whole history."""

from shouxin.features.state.domain import Layout, Plan, State, answer, count_known, layout_of, plan_of
from shouxin.features.state.service import (
    AbsorbCount,
    absorb_log,
    count_states,
    forget_states,
    progress_of,
    states_now,
)

__all__ = [
    "AbsorbCount",
    "Layout",
    "Plan",
    "State",
    "absorb_log",
    "answer",
    "count_known",
    "count_states",
    "forget_states",
    "layout_of",
    "plan_of",
    "progress_of",
    "states_now",
]
