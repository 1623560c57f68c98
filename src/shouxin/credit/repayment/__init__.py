"""Repaying: money comes in, the oldest due instalment first, and the line is free again at once.

A repayment is named by its reference (the payment's number at the bank or the wallet): the same
reference again changes nothing and gives the same answer. Early and partial repayments are welcome;
more than is owed on the plan is refused with the most that can be paid, nothing is kept in between.
"""

from shouxin.credit.repayment.domain import RepaymentRefusal, RepaymentResult, Share, allocate
from shouxin.credit.repayment.service import UnableToRepay, repay

__all__ = ["RepaymentRefusal", "RepaymentResult", "Share", "UnableToRepay", "allocate", "repay"]
