"""The credit line: how much a customer may owe us, how much is set aside, how much is left.

Available is the limit less what is held for open checkouts less what is owed. The figures are changed
only under the lock of the line, so two checkouts at once can not spend the same yuan. A freeze is a row
that says who froze, when and why; lifting it is another.
"""

from shouxin.credit.limits.domain import (
    Exposure,
    Line,
    LineOpening,
    LineRefusal,
    days_late,
)
from shouxin.credit.limits.service import (
    UnableToOpenLine,
    exposures,
    find_line,
    freeze,
    line_of,
    lock_line,
    locked_line_of,
    move_figures,
    open_line,
    open_lines,
    set_days_past_due,
    unfreeze,
)

__all__ = [
    "Exposure",
    "Line",
    "LineOpening",
    "LineRefusal",
    "UnableToOpenLine",
    "days_late",
    "exposures",
    "find_line",
    "freeze",
    "line_of",
    "lock_line",
    "locked_line_of",
    "move_figures",
    "open_line",
    "open_lines",
    "set_days_past_due",
    "unfreeze",
]
