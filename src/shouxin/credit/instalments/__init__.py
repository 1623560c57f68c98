"""The plan: what a customer repays, when, in how many parts.

A captured order becomes a plan. Its amount is split into equal instalments that add up to the last
cent (the first takes what does not divide), due so many days after the capture as the policy says:
*pay in 3* after 30, 60 and 90 days. How late a line is follows from its oldest unpaid due date.
"""

from shouxin.credit.instalments.domain import Instalment, Plan, schedule
from shouxin.credit.instalments.service import (
    add_payments,
    find_plan,
    list_plans,
    open_plan,
    plans_of,
)

__all__ = [
    "Instalment",
    "Plan",
    "add_payments",
    "find_plan",
    "list_plans",
    "open_plan",
    "plans_of",
    "schedule",
]
