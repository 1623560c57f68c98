"""Being late: the day is closed, what fell due is said, who is late is counted.

The business date is a stored value that moves when a day is closed. Closing says each thing once: an
instalment fell due; it is 1, 30, 60, 90 days past due. Days that were skipped are caught up, each fact
with the day on which it came true. A line's bucket (M0 not late, M1 1-30 days, M2 31-60, M3 61-90, M3+
beyond) follows from its oldest unpaid due date, and every change is kept with the day it took effect.
"""

from shouxin.credit.arrears.domain import BUSINESS_ZONE, BucketChange, DayCount, dpd_bucket
from shouxin.credit.arrears.service import (
    UnableToCloseDay,
    UnableToStartBooks,
    bucket_history,
    close_day,
    current_business_date,
    start_books,
)

__all__ = [
    "BUSINESS_ZONE",
    "BucketChange",
    "DayCount",
    "UnableToCloseDay",
    "UnableToStartBooks",
    "bucket_history",
    "close_day",
    "current_business_date",
    "dpd_bucket",
    "start_books",
]
